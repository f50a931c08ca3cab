package azblob

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // the checksum that the service keeps; it secures nothing
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/stateroom/stateroom/internal/retry"
	"github.com/stateroom/stateroom/internal/wire"
	"github.com/stateroom/stateroom/vfs"
)

// Names in an object's metadata. The service takes identifiers only, and does
// not keep their case.
const (
	tagName  = "stateroom"       // the tag that Put was given
	markName = "stateroom_write" // random, of one conditional write
)

// object is what one read of an object yields.
type object struct {
	data  []byte
	entry vfs.Entry
	mark  string // of the write that made it, or ""
}

// patience is for how long failed attempts are repeated.
var patience = retry.Policy{}

// try makes attempts until the service says what became of one, or that cannot
// be known: see [wire.Try].
func (d *Driver) try(ctx context.Context, verb string, size int, attempt func(ctx context.Context, body func()) error) (doubt bool, err error) {
	return wire.Try(ctx, patience, size, func(ctx context.Context, body func()) *wire.Failure {
		if err := attempt(ctx, body); err != nil {
			return d.failure(ctx, verb, err)
		}
		return nil
	})
}

// fetch reads an object, its metadata with it, unless it is at a version.
func (d *Driver) fetch(ctx context.Context, key string, unless vfs.Version) (object, error) {
	opt := &blob.DownloadStreamOptions{}
	if unless != "" {
		opt.AccessConditions = &blob.AccessConditions{
			ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfNoneMatch: etag(unless)},
		}
	}
	var o object
	_, err := d.try(ctx, "get", 0, func(ctx context.Context, body func()) error {
		resp, err := d.container.NewBlobClient(key).DownloadStream(ctx, opt)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		o = object{entry: vfs.Entry{Key: key, Version: version(resp.ETag)}}
		switch {
		case o.entry.Version == "":
			return errNoETag
		case o.entry.Version == unless:
			return vfs.ErrNotModified // from an emulator that ignores the condition
		}
		body()
		if o.data, err = wire.ReadAll(resp.Body); err != nil {
			return err
		}
		return o.take(resp)
	})
	if err != nil {
		return object{}, err
	}
	return o, nil
}

var (
	errNoETag  = fmt.Errorf("the answer has no ETag: is this Azure Blob Storage? %w", fs.ErrInvalid)
	errDamaged = errors.New("the bytes were damaged on the way")
)

// take holds the bytes of an answer against their length and checksum, and
// takes in what stands beside them.
func (o *object) take(resp blob.DownloadStreamResponse) error {
	if resp.ContentLength != nil && *resp.ContentLength >= 0 && *resp.ContentLength != int64(len(o.data)) {
		return errDamaged
	}
	if sum := md5.Sum(o.data); len(resp.ContentMD5) > 0 && !bytes.Equal(sum[:], resp.ContentMD5) { //nolint:gosec // see the import
		return errDamaged
	}
	if resp.ContentEncoding != nil && strings.EqualFold(*resp.ContentEncoding, "gzip") {
		var err error
		if o.data, err = wire.Unpack(o.data); err != nil {
			return err
		}
	}
	o.entry.Size = int64(len(o.data))
	o.entry.Tag, o.mark = meta(resp.Metadata, tagName), meta(resp.Metadata, markName)
	if resp.LastModified != nil {
		o.entry.Time = *resp.LastModified
	}
	return nil
}

// upload writes an object in one request.
func (d *Driver) upload(ctx context.Context, key string, data []byte, c vfs.Cond, tag, mark string) (e vfs.Entry, doubt bool, err error) {
	sum := md5.Sum(data) //nolint:gosec // see the import
	opt := &blockblob.UploadOptions{
		Metadata:         map[string]*string{},
		AccessConditions: condition(c),
		CPKScopeInfo:     d.scope,
		HTTPHeaders: &blob.HTTPHeaders{
			BlobContentType:  to.Ptr("application/octet-stream"),
			BlobCacheControl: to.Ptr("no-store"),
			BlobContentMD5:   sum[:],
		},
		TransactionalValidation: blob.TransferValidationTypeMD5(sum[:]),
	}
	if tag != "" {
		opt.Metadata[tagName] = &tag
	}
	if mark != "" {
		opt.Metadata[markName] = &mark
	}
	doubt, err = d.try(ctx, "put", len(data), func(ctx context.Context, _ func()) error {
		resp, err := d.container.NewBlockBlobClient(key).Upload(ctx, streaming.NopCloser(bytes.NewReader(data)), opt)
		if err != nil {
			return err
		}
		e = vfs.Entry{Key: key, Version: version(resp.ETag), Tag: tag, Size: int64(len(data))}
		if resp.LastModified != nil {
			e.Time = *resp.LastModified
		}
		if e.Version == "" {
			return errNoETag
		}
		return nil
	})
	return e, doubt, err
}

// remove deletes an object.
func (d *Driver) remove(ctx context.Context, key string, c vfs.Cond) (doubt bool, err error) {
	opt := &blob.DeleteOptions{AccessConditions: condition(c)}
	return d.try(ctx, "delete", 0, func(ctx context.Context, _ func()) error {
		_, err := d.container.NewBlobClient(key).Delete(ctx, opt)
		return err
	})
}

// condition says c in the service's headers.
func condition(c vfs.Cond) *blob.AccessConditions {
	m := &blob.ModifiedAccessConditions{}
	if v, ok := c.Version(); ok {
		m.IfMatch = etag(v)
	} else if c.Absent() {
		m.IfNoneMatch = to.Ptr(azcore.ETagAny)
	} else {
		return nil
	}
	return &blob.AccessConditions{ModifiedAccessConditions: m}
}

// version is an ETag without its quotes: a list has none.
func version(e *azcore.ETag) vfs.Version {
	if e == nil {
		return ""
	}
	return vfs.Version(strings.Trim(string(*e), `"`))
}

// etag is a version with quotes. What no ETag can be, such as "*", is one that
// no object has.
func etag(v vfs.Version) *azcore.ETag {
	for _, r := range v {
		if r <= ' ' || r > '~' || r == '"' {
			v = "none"
		}
	}
	return to.Ptr(azcore.ETag(`"` + string(v) + `"`))
}

// meta returns a value of metadata, whatever the case of its name.
func meta(m map[string]*string, name string) string {
	for k, v := range m {
		if strings.EqualFold(k, name) && v != nil {
			return *v
		}
	}
	return ""
}
