// Package gcs keeps objects in a bucket of Google Cloud Storage. It speaks the
// service's HTTP interfaces itself, with golang.org/x/oauth2 for the
// credentials: Google's own client would more than triple the program.
//
// Versions are generations, which the service never uses twice. Writes and
// deletes go through the JSON interface under ifGenerationMatch. Objects are
// read through the XML interface, because it alone sends an object's metadata
// with its bytes; "has it changed" is asked of the JSON interface, because it
// alone knows ifGenerationNotMatch.
//
//	d, err := gcs.Open(ctx, gcs.Options{Bucket: "state", Getenv: os.Getenv})
//	f := vfs.New(d, "gs://state")
package gcs

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"github.com/stateroom/stateroom/internal/wire"
	"github.com/stateroom/stateroom/vfs"
)

// Options say which bucket, and how it is reached.
type Options struct {
	Bucket string

	// UserProject pays for the requests, where the bucket makes the requester
	// pay; "" is the quota project of the credentials, if they name one.
	UserProject string

	// KMSKey encrypts what is written:
	// projects/P/locations/L/keyRings/R/cryptoKeys/K. "" is the bucket's key.
	KMSKey string

	// Endpoint is the service's URL, "" for Google's. Credentials are sent to it.
	Endpoint string

	// Getenv gives GOOGLE_APPLICATION_CREDENTIALS, GOOGLE_CLOUD_QUOTA_PROJECT,
	// CLOUDSDK_CONFIG, HOME, APPDATA, GCE_METADATA_HOST, and
	// STORAGE_EMULATOR_HOST: an endpoint that gets no credentials. Nil is an
	// empty environment.
	Getenv func(string) string

	// Transport makes the HTTP requests; nil is a pool of this driver's own.
	Transport http.RoundTripper
}

// Driver is a [vfs.Driver] over one bucket. It is safe for concurrent use.
type Driver struct {
	bucket   string
	endpoint string // without a trailing slash
	kmsKey   string
	google   bool   // the service is Google's own
	project  string // X-Goog-User-Project
	tokens   *tokens
	client   *http.Client
}

// Open returns a driver for a bucket. It reads the credentials' file, where
// there is one, and makes no request: that the bucket is not there is found
// out by the first one.
func Open(ctx context.Context, opt Options) (*Driver, error) {
	if !validBucket(opt.Bucket) {
		return nil, fmt.Errorf("%q is not the name of a bucket: %w", opt.Bucket, fs.ErrInvalid)
	}
	if opt.Getenv == nil {
		opt.Getenv = func(string) string { return "" }
	}
	if opt.Transport == nil {
		opt.Transport = wire.Pool()
	}
	d := &Driver{
		bucket:  opt.Bucket,
		kmsKey:  opt.KMSKey,
		project: opt.UserProject,
		client:  &http.Client{Transport: opt.Transport, CheckRedirect: wire.NoRedirects},
	}
	if host := opt.Getenv("STORAGE_EMULATOR_HOST"); host != "" && opt.Endpoint == "" {
		endpoint, err := parseEndpoint(host, "http://")
		if err != nil {
			return nil, fmt.Errorf("STORAGE_EMULATOR_HOST: %w", err)
		}
		d.endpoint = strings.TrimSuffix(endpoint.String(), "/")
		return d, nil
	}
	creds, err := findCredentials(ctx, opt.Getenv, opt.Transport)
	if err != nil {
		return nil, err
	}
	d.tokens, d.project = creds.tokens, cmp.Or(opt.UserProject, creds.quotaProject)
	d.endpoint, d.google = "https://storage."+creds.universe, true
	if opt.Endpoint != "" {
		err = d.lead(opt.Endpoint)
	}
	return d, err
}

// lead has tokens, and all requests, go to an endpoint that was given.
func (d *Driver) lead(endpoint string) error {
	u, err := parseEndpoint(endpoint, "https://")
	if err != nil {
		return fmt.Errorf("endpoint: %w", err)
	}
	if wire.InTheClear(u) {
		return fmt.Errorf("endpoint: tokens would go to %s in the clear, where others can read them; an emulator, which needs none, stands in STORAGE_EMULATOR_HOST: %w", u.Host, fs.ErrInvalid)
	}
	d.endpoint = strings.TrimSuffix(u.String(), "/")
	d.google = u.Scheme == "https" && strings.HasSuffix(u.Host, ".googleapis.com")
	return nil
}

// Traits says that the service has all there is. An emulator says so too, and
// is to be tried.
func (d *Driver) Traits() vfs.Traits {
	return vfs.Traits{Conditions: true, UniqueVersions: true, Tags: true, Unproven: !d.google}
}

// Place names the bucket, and the service by its host.
func (d *Driver) Place() string {
	_, host, _ := strings.Cut(d.endpoint, "://")
	return "gs " + host + "/" + d.bucket
}

// Get returns an object.
func (d *Driver) Get(ctx context.Context, key string, unless vfs.Version) ([]byte, vfs.Entry, error) {
	if unless != "" {
		if err := d.changed(ctx, key, unless); err != nil {
			return nil, vfs.Entry{}, err
		}
	}
	o, err := d.fetch(ctx, key)
	return o.data, o.entry, err
}

// Put writes an object if c holds.
func (d *Driver) Put(ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
	mark := wire.Mark(c)
	up, err := d.upload(key, data, c, tag, mark)
	if err != nil {
		return vfs.Entry{}, err
	}
	r, doubt, err := d.write(ctx, up)
	if err == nil {
		return r.uploaded(key, tag, int64(len(data)))
	}
	return wire.Put(ctx, c, mark, doubt, err, func(ctx context.Context) (vfs.Entry, string, error) {
		o, err := d.fetch(ctx, key)
		return o.entry, o.mark, err
	})
}

// Delete removes an object if c holds.
func (d *Driver) Delete(ctx context.Context, key string, c vfs.Cond) error {
	_, doubt, err := d.write(ctx, call{
		verb: "delete", method: http.MethodDelete, url: d.object(key), query: condition(c),
	})
	return wire.Delete(c, doubt, err)
}

// condition says c as the JSON interface has it.
func condition(c vfs.Cond) url.Values {
	q := url.Values{}
	if v, ok := c.Version(); ok {
		q.Set("ifGenerationMatch", generation(v))
	} else if c.Absent() {
		q.Set("ifGenerationMatch", "0")
	}
	return q
}

// generation returns v as the service can read it. What was never a
// generation, such as the version of an object on another service, is one that
// no object has: 0 would mean create-only.
func generation(v vfs.Version) string {
	for _, r := range v {
		if r < '0' || r > '9' {
			return "1"
		}
	}
	if strings.Trim(string(v), "0") == "" || len(v) > 18 {
		return "1"
	}
	return string(v)
}

// validBucket reports whether name can be a bucket's, or at least cannot be
// anything else: the rules of the service are stricter.
func validBucket(name string) bool {
	if len(name) < 3 || len(name) > 222 || strings.Contains(name, "..") {
		return false
	}
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("._-", r) {
			return false
		}
	}
	return true
}

// parseEndpoint reads the URL of a service. Where it has no scheme, it gets the
// one given.
func parseEndpoint(s, scheme string) (*url.URL, error) {
	if !strings.Contains(s, "://") {
		s = scheme + s
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("not the URL of a service, as https://HOST: %w", fs.ErrInvalid)
	}
	return u, nil
}
