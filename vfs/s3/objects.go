package s3

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/stateroom/stateroom/internal/retry"
	"github.com/stateroom/stateroom/vfs"
)

// Metadata of an object, as x-amz-meta- headers.
const (
	metaTag   = "stateroom"       // the tag
	metaWrite = "stateroom-write" // a random number, of the conditional write that made it
)

// Get returns an object.
func (d *Driver) Get(ctx context.Context, key string, unless vfs.Version) ([]byte, vfs.Entry, error) {
	var data []byte
	var e vfs.Entry
	err := d.again(ctx, func() (err error) {
		data, e, _, err = d.get(ctx, key, unless)
		return err
	})
	if err != nil {
		return nil, vfs.Entry{}, err
	}
	return data, e, nil
}

// get makes one request. The write is the number in the metadata, if any.
func (d *Driver) get(ctx context.Context, key string, unless vfs.Version) (data []byte, e vfs.Entry, write string, err error) {
	in := &s3.GetObjectInput{Bucket: &d.opt.Bucket, Key: &key, RequestPayer: d.payer()}
	if unless != "" {
		in.IfNoneMatch = quoted(unless)
	}
	err = d.try(ctx, "GET", key, 0, func(ctx context.Context, extend func(int64), o func(*s3.Options)) error {
		out, err := d.client.GetObject(ctx, in, o)
		if err != nil {
			return err
		}
		defer out.Body.Close()
		if e, err = entry(key, out.ETag, aws.ToInt64(out.ContentLength)); err != nil {
			return err
		}
		if e.Size > vfs.MaxObject {
			return nil
		}
		extend(e.Size)
		data, err = read(out.Body, e.Size)
		e.Size, e.Tag, e.Time = int64(len(data)), out.Metadata[metaTag], aws.ToTime(out.LastModified)
		write = out.Metadata[metaWrite]
		return err
	})
	var answer *Error
	switch {
	case errors.As(err, &answer) && answer.Status == 304, err == nil && unless != "" && e.Version == unless:
		return nil, vfs.Entry{}, "", vfs.ErrNotModified
	case errors.As(err, &answer) && answer.noObject():
		return nil, vfs.Entry{}, "", fs.ErrNotExist
	case err == nil && e.Size > vfs.MaxObject:
		return nil, vfs.Entry{}, "", vfs.TooLarge(e.Size)
	}
	return data, e, write, err
}

// read reads a body that is said to have size bytes, and never much more than
// an object can have.
func read(body io.Reader, size int64) ([]byte, error) {
	b := bytes.NewBuffer(make([]byte, 0, min(size, vfs.MaxObject)+bytes.MinRead))
	_, err := b.ReadFrom(io.LimitReader(body, vfs.MaxObject+1))
	return b.Bytes(), err
}

// version asks for the version of an object.
func (d *Driver) version(ctx context.Context, key string) (v vfs.Version, err error) {
	in := &s3.HeadObjectInput{Bucket: &d.opt.Bucket, Key: &key, RequestPayer: d.payer()}
	err = d.try(ctx, "HEAD", key, 0, func(ctx context.Context, _ func(int64), o func(*s3.Options)) error {
		out, err := d.client.HeadObject(ctx, in, o)
		if err != nil {
			return err
		}
		e, err := entry(key, out.ETag, 0)
		v = e.Version
		return err
	})
	var answer *Error
	if errors.As(err, &answer) && answer.Status == 404 {
		err = fs.ErrNotExist // a bucket that is missing looks the same: the answer to HEAD has no body
	}
	return v, err
}

// Put writes an object if c holds.
func (d *Driver) Put(ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (e vfs.Entry, err error) {
	in := d.putInput(key, data, c, tag)
	err = d.write(ctx, func(doubt bool) (err error) {
		if c.IsZero() {
			e, err = d.put(ctx, in, data)
		} else {
			e, err = d.putIf(ctx, in, data, doubt)
		}
		return err
	})
	return e, err
}

// putIf makes one try of a write under a condition. In doubt means that a try
// before may have been done: it left its number in the bucket then. While that
// is not there, the same write may be tried again: should both be done, one is
// answered with a conflict that the number explains.
func (d *Driver) putIf(ctx context.Context, in *s3.PutObjectInput, data []byte, doubt bool) (vfs.Entry, error) {
	e, err := d.put(ctx, in, data)
	if err == nil {
		return e, nil
	}
	if f := fateOf(err); f == unknown || doubt && f == final {
		if mine, ok := d.find(ctx, in, data); ok {
			return mine, nil
		}
	}
	if isConflict(err) {
		err = vfs.ErrConflict
	}
	return vfs.Entry{}, err
}

// find looks for the object that a write made: its bytes and its number.
func (d *Driver) find(ctx context.Context, in *s3.PutObjectInput, data []byte) (e vfs.Entry, ok bool) {
	policy := retry.Policy{Tries: 3}
	err := policy.Do(ctx, func(int) error {
		got, found, write, err := d.get(ctx, *in.Key, "")
		e, ok = found, err == nil && write == in.Metadata[metaWrite] && bytes.Equal(got, data)
		if fateOf(err) != final {
			return retry.Again(err)
		}
		return err
	})
	return e, ok && err == nil
}

func (d *Driver) putInput(key string, data []byte, c vfs.Cond, tag string) *s3.PutObjectInput {
	sum := md5.Sum(data)
	in := &s3.PutObjectInput{
		Bucket: &d.opt.Bucket, Key: &key,
		ContentLength:        aws.Int64(int64(len(data))),
		ContentMD5:           aws.String(base64.StdEncoding.EncodeToString(sum[:])), // buckets with retention want it
		Metadata:             map[string]string{},
		ServerSideEncryption: types.ServerSideEncryption(d.opt.Encryption),
		ACL:                  types.ObjectCannedACL(d.opt.ACL),
		RequestPayer:         d.payer(),
	}
	if d.opt.KMSKey != "" {
		in.SSEKMSKeyId = &d.opt.KMSKey
	}
	if tag != "" {
		in.Metadata[metaTag] = tag
	}
	if !c.IsZero() {
		in.Metadata[metaWrite] = rand.Text()
	}
	if v, ok := c.Version(); ok {
		in.IfMatch = quoted(v)
	} else if c.Absent() {
		in.IfNoneMatch = aws.String("*")
	}
	return in
}

// put makes one request.
func (d *Driver) put(ctx context.Context, in *s3.PutObjectInput, data []byte) (e vfs.Entry, err error) {
	size := int64(len(data))
	err = d.try(ctx, "PUT", *in.Key, size, func(ctx context.Context, _ func(int64), o func(*s3.Options)) error {
		fresh := *in
		fresh.Body = bytes.NewReader(data)
		out, err := d.client.PutObject(ctx, &fresh, o)
		if err != nil {
			return err
		}
		e, err = entry(*in.Key, out.ETag, size)
		e.Tag = in.Metadata[metaTag]
		return err
	})
	return e, err
}

// entry is what an answer says of an object. Every answer of an S3 service has
// an ETag; one without is of something else in between.
func entry(key string, etag *string, size int64) (vfs.Entry, error) {
	v := unquoted(aws.ToString(etag))
	if v == "" {
		return vfs.Entry{}, errNoETag
	}
	return vfs.Entry{Key: key, Version: v, Size: size}, nil
}

var errNoETag = errors.New("the answer has no ETag")

// unquoted is the version that an ETag names; services differ in the quotes,
// even between their own answers.
func unquoted(etag string) vfs.Version {
	return vfs.Version(strings.Trim(strings.TrimPrefix(etag, "W/"), `"`))
}

func quoted(v vfs.Version) *string { return aws.String(`"` + string(v) + `"`) }

func (d *Driver) payer() types.RequestPayer {
	if d.opt.RequesterPays {
		return types.RequestPayerRequester
	}
	return ""
}
