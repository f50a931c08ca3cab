// Package http reads objects from a web server: a bucket that is published, or
// a directory that nginx or the like serves. Nothing can be written through it,
// and a web server does not say what it has: what needs a list does not work.
package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stateroom/stateroom/internal/retry"
	"github.com/stateroom/stateroom/vfs"
)

// Options say where the objects lie.
type Options struct {
	URL string // of the folder, http or https, without user and parameters

	Stall   time.Duration     // how long a server may send nothing; 0: 20 s
	Total   time.Duration     // how long one object may take; 0: 2 minutes
	Retry   retry.Policy      // of what failed for now; zero: 4 tries
	Network http.RoundTripper // nil: the usual, with the proxy of the environment
}

// Driver is a [vfs.Driver] over a web server. It is safe for concurrent use.
type Driver struct {
	base   *url.URL
	opt    Options
	client *http.Client
}

// Open returns the driver of a folder. The server is asked for nothing until
// the first call.
func Open(_ context.Context, opt Options) (*Driver, error) {
	base, err := url.Parse(opt.URL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("not the URL of a web server: %w", fs.ErrInvalid)
	}
	if opt.Stall <= 0 {
		opt.Stall = 20 * time.Second
	}
	if opt.Total <= 0 {
		opt.Total = 2 * time.Minute
	}
	if opt.Retry.Tries == 0 {
		opt.Retry.Tries = 4
	}
	if opt.Network == nil {
		opt.Network = network()
	}
	return &Driver{base: base, opt: opt, client: &http.Client{Transport: opt.Network, CheckRedirect: redirect}}, nil
}

// network is as Go's own, but for more connections to the one server there is.
func network() http.RoundTripper {
	dial := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dial.DialContext, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: 64, MaxConnsPerHost: 64, IdleConnTimeout: 90 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second, MaxResponseHeaderBytes: 1 << 16,
	}
}

// Traits says that nothing can be written, and that versions may come back.
func (d *Driver) Traits() vfs.Traits { return vfs.Traits{ReadOnly: errReadOnly} }

// Place names the folder.
func (d *Driver) Place() string { return "http " + d.base.Host + strings.TrimSuffix(d.base.Path, "/") }

// Get returns an object. Caches on the way are asked to leave it alone.
func (d *Driver) Get(ctx context.Context, key string, unless vfs.Version) (data []byte, e vfs.Entry, err error) {
	err = d.opt.Retry.Do(ctx, func(int) error {
		data, e, err = d.get(ctx, key, unless)
		return err
	})
	if err != nil {
		return nil, vfs.Entry{}, err
	}
	if unless != "" && e.Version == unless {
		return nil, vfs.Entry{}, vfs.ErrNotModified
	}
	return data, e, nil
}

func (d *Driver) get(ctx context.Context, key string, unless vfs.Version) ([]byte, vfs.Entry, error) {
	caller := ctx
	ctx, cancel := context.WithTimeoutCause(ctx, d.opt.Total, errSlow)
	defer cancel()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	watchdog := time.AfterFunc(d.opt.Stall, func() { stop(errSlow) })
	defer watchdog.Stop()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url(key), nil)
	if err != nil {
		return nil, vfs.Entry{}, fmt.Errorf("not a name for a web server: %w", fs.ErrInvalid)
	}
	req.Header.Set("Cache-Control", "no-store")
	unlessHeader(req.Header, unless)
	resp, err := d.client.Do(req)
	if err != nil {
		return nil, vfs.Entry{}, again(caller, ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := refused(resp, unless); err != nil {
		return nil, vfs.Entry{}, err
	}
	if resp.ContentLength > vfs.MaxObject {
		return nil, vfs.Entry{}, vfs.TooLarge(resp.ContentLength)
	}
	data, err := io.ReadAll(&fed{io.LimitReader(resp.Body, vfs.MaxObject+1), func() { watchdog.Reset(d.opt.Stall) }})
	if err != nil {
		return nil, vfs.Entry{}, again(caller, ctx, err)
	}
	if len(data) > vfs.MaxObject {
		return nil, vfs.Entry{}, vfs.TooLarge(int64(len(data)))
	}
	return data, entryOf(key, data, resp.Header), nil
}

// url returns the address of an object.
func (d *Driver) url(key string) string {
	u := *d.base
	u.Path = strings.TrimSuffix(u.Path, "/") + "/" + key
	u.RawPath = ""
	u.RawQuery, u.Fragment = "", ""
	return u.String()
}

// fed tells of every piece that it reads.
type fed struct {
	io.Reader
	tell func()
}

func (f *fed) Read(b []byte) (int, error) {
	n, err := f.Reader.Read(b)
	if n > 0 {
		f.tell()
	}
	return n, err
}

var errSlow = errors.New("the server is too slow, and was given up")

// again marks an error of the network as one to try again, unless the caller
// has given up.
func again(caller, ctx context.Context, err error) error {
	if caller.Err() != nil {
		return caller.Err()
	}
	if cause := context.Cause(ctx); cause != nil {
		return retry.Again(cause)
	}
	if r, ok := errors.AsType[*refusal](err); ok {
		return r
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // without the URL, which the caller says
	}
	return retry.Again(err)
}

// redirect follows to the same scheme, or from http to https.
func redirect(req *http.Request, via []*http.Request) error {
	last := via[len(via)-1].URL
	switch {
	case req.URL.Path == last.Path+"/" && req.URL.Host == last.Host:
		return errFolder
	case last.Scheme == "https" && req.URL.Scheme != "https":
		return &refusal{"the server redirects from https to " + req.URL.Scheme, "name the address that it should redirect to, if you trust it", fs.ErrPermission}
	case len(via) >= 5:
		return &refusal{"the server redirects more than five times", "", errors.ErrUnsupported}
	}
	return nil
}

// refused returns what an answer other than the object means.
func refused(resp *http.Response, unless vfs.Version) error {
	switch code := resp.StatusCode; {
	case code == http.StatusOK && strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html"):
		return &refusal{
			"the server answers with a web page, not with the object",
			"what is missing must be answered with 404; is this the address of the objects themselves?", errors.ErrUnsupported,
		}
	case code == http.StatusOK:
		return nil
	case code == http.StatusNotModified && unless != "":
		return vfs.ErrNotModified
	case code == http.StatusNotFound || code == http.StatusGone:
		return fs.ErrNotExist
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return &refusal{
			"the server answers " + resp.Status,
			"only what anybody may read can be read so, and a bucket must tell anybody what it does not have (404, not 403)", fs.ErrPermission,
		}
	case code == http.StatusTooManyRequests || code >= 500:
		return retry.Again(fmt.Errorf("the server answers %s", resp.Status))
	}
	return fmt.Errorf("the server answers %s", resp.Status)
}

// refusal says why something cannot be, and what to do.
type refusal struct {
	why, advice string
	class       error
}

func (r *refusal) Error() string { return r.why }
func (r *refusal) Unwrap() error { return r.class }

// Hint says what to do.
func (r *refusal) Hint() string { return r.advice }

var (
	errFolder   = &refusal{"it is a folder", "", fs.ErrNotExist}
	errReadOnly = &refusal{"a store on a web server can only be read", "write to the bucket or directory that the server publishes, by its own address", fs.ErrPermission}
	errNoList   = &refusal{
		"a web server does not tell what it has",
		"name the cluster, as in: stateroom get cluster NAME; what needs a list works on the bucket or directory itself", errors.ErrUnsupported,
	}
)

// Put is refused.
func (d *Driver) Put(ctx context.Context, _ string, _ []byte, _ vfs.Cond, _ string) (vfs.Entry, error) {
	return vfs.Entry{}, errors.Join(ctx.Err(), errReadOnly)
}

// Delete is refused.
func (d *Driver) Delete(ctx context.Context, _ string, _ vfs.Cond) error {
	return errors.Join(ctx.Err(), errReadOnly)
}

// List is refused.
func (d *Driver) List(context.Context, string, string) iter.Seq2[vfs.Entry, error] {
	return func(yield func(vfs.Entry, error) bool) { yield(vfs.Entry{}, errNoList) }
}
