package backends

import (
	"context"

	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/gcs"
)

// openGCS opens gs://BUCKET/FOLDER. Parameters are userProject (who pays, where
// the requester does), kmsKeyName (of what is written) and endpoint.
// Credentials are the application default credentials.
func openGCS(ctx context.Context, url string, opt Options) (*vfs.FS, error) {
	a, err := parseAddress(url, "userProject", "kmsKeyName", "endpoint")
	if err != nil {
		return nil, err
	}
	d, err := gcs.Open(ctx, gcs.Options{
		Bucket:      a.host,
		UserProject: a.query.Get("userProject"),
		KMSKey:      a.query.Get("kmsKeyName"),
		Endpoint:    a.query.Get("endpoint"),
		Getenv:      opt.Getenv,
	})
	if err != nil {
		return nil, refusedAddress(url, "gs://"+a.host, err, "write gs://BUCKET/FOLDER, the bucket in lower case; ?endpoint=https://HOST is for another service than Google's")
	}
	return a.in(d, "gs://"+a.host), nil
}
