package s3

import (
	"context"
	"net/url"

	"github.com/stateroom/stateroom/vfs"
)

// amazon stands for the service where no endpoint is given.
const amazon = "amazonaws.com"

// Place names the bucket, and the service by its host.
func (d *Driver) Place() string { return "s3 " + d.host() + "/" + d.opt.Bucket }

// String is the place: a driver holds credentials, which do not print.
func (d *Driver) String() string { return d.Place() }

// GoString says as little as String.
func (d *Driver) GoString() string { return d.Place() }

func (d *Driver) host() string {
	base := d.client.Options().BaseEndpoint
	if base == nil {
		return amazon
	}
	u, err := url.Parse(*base)
	if err != nil || u.Host == "" {
		return amazon
	}
	return u.Host
}

// BareDelete removes a version with one request that carries the condition,
// and does not look first: it shows what the service makes of the condition.
func (d *Driver) BareDelete(ctx context.Context, key string, v vfs.Version) error {
	err := d.delete(ctx, key, vfs.IfVersion(v))
	if isConflict(err) {
		return vfs.ErrConflict
	}
	return err
}
