package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stateroom/stateroom/vfs"
)

// Delete removes an object if c holds. Services that are not known to honour a
// condition on DELETE are asked for the version first: between that and the
// DELETE, which carries the condition all the same, a write of somebody else
// can be lost.
func (d *Driver) Delete(ctx context.Context, key string, c vfs.Cond) error {
	if c.Absent() {
		return fmt.Errorf("delete what is absent: %w", fs.ErrInvalid)
	}
	return d.write(ctx, func(doubt bool) error {
		if c.IsZero() {
			err := d.delete(ctx, key, c)
			if gone(err) {
				return nil
			}
			return err
		}
		err := d.look(ctx, key, c)
		if err == nil {
			err = d.deleteIf(ctx, key, c)
		}
		if !isConflict(err) {
			return err
		}
		if doubt && d.absent(ctx, key) {
			return nil // the DELETE before was done
		}
		return vfs.ErrConflict
	})
}

func (d *Driver) absent(ctx context.Context, key string) bool {
	_, err := d.version(ctx, key)
	return errors.Is(err, fs.ErrNotExist)
}

// look compares the version with c, where the service may not do so itself.
func (d *Driver) look(ctx context.Context, key string, c vfs.Cond) error {
	if d.opt.DeleteConditions {
		return nil
	}
	v, err := d.version(ctx, key)
	absent := errors.Is(err, fs.ErrNotExist)
	if (err == nil || absent) && !c.Holds(!absent, v) {
		return vfs.ErrConflict
	}
	return err
}

// deleteIf makes one request with a condition, or one without where the
// service does not take it and it was looked at.
func (d *Driver) deleteIf(ctx context.Context, key string, c vfs.Cond) error {
	err := d.delete(ctx, key, c)
	if errors.Is(err, errors.ErrUnsupported) && !d.opt.DeleteConditions {
		err = d.delete(ctx, key, vfs.Cond{})
	}
	return err
}

// delete makes one request.
func (d *Driver) delete(ctx context.Context, key string, c vfs.Cond) error {
	in := &s3.DeleteObjectInput{Bucket: &d.opt.Bucket, Key: &key, RequestPayer: d.payer()}
	if v, ok := c.Version(); ok {
		in.IfMatch = quoted(v)
	}
	return d.try(ctx, "DELETE", key, 0, func(ctx context.Context, _ func(int64), o func(*s3.Options)) error {
		_, err := d.client.DeleteObject(ctx, in, o)
		return err
	})
}
