package gcs

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stateroom/stateroom/internal/retry"
	"github.com/stateroom/stateroom/vfs"
)

// How long one attempt may take: to the head of the answer, and then for its
// bytes.
const (
	headTime = 20 * time.Second
	slowest  = 256 << 10 // bytes a second, below which a transfer is given up
)

// patience is for how long failed attempts are repeated. The service takes one
// write a second to one object: of many writers some have to wait for a while.
var patience = retry.Policy{Tries: 12, Total: time.Minute}

// pool returns a transport with up to 128 connections to the service. It
// speaks HTTP/1.1: with one connection for all, one that hangs would stop all.
func pool() *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: headTime,
		MaxConnsPerHost:       128,
		MaxIdleConns:          128,
		MaxIdleConnsPerHost:   128,
		IdleConnTimeout:       30 * time.Second,
		Protocols:             protocols,
	}
}

// call is a request that can be made more than once.
type call struct {
	verb   string // get, put, delete, list: for people
	method string
	url    string // without a query
	query  url.Values
	header http.Header
	body   []byte
	check  func(reply) error // finds what was damaged on the way
}

// reply is an answer, all of it.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// failure is why an attempt did not succeed.
type failure struct {
	err   error
	again bool          // worth repeating
	doubt bool          // the service may have done it, or may still do it
	after time.Duration // not to be repeated earlier
}

// read makes a call that changes nothing, until it succeeds or is refused.
func (d *Driver) read(ctx context.Context, c call) (reply, error) {
	r, _, err := d.write(ctx, c)
	return r, err
}

// write makes a call until the service says what became of it. In doubt means
// that some attempt got no such answer and may have been done. A condition
// makes repeating safe: only one attempt can be done.
func (d *Driver) write(ctx context.Context, c call) (r reply, doubt bool, err error) {
	err = patience.Do(ctx, func(int) error {
		var f *failure
		if r, f = d.attempt(ctx, c); f == nil {
			return nil
		}
		doubt = doubt || f.doubt
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case f.again:
			return retry.After(f.after, f.err)
		}
		return f.err
	})
	return r, doubt, err
}

// attempt makes a call once.
func (d *Driver) attempt(ctx context.Context, c call) (reply, *failure) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	sending := headTime + time.Duration(len(c.body)/slowest)*time.Second
	timer := time.AfterFunc(sending, func() { cancel(errSlow) })
	defer timer.Stop()

	req, f := d.request(ctx, c)
	if f != nil {
		return reply{}, f
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return reply{}, unsent(ctx, err)
	}
	defer resp.Body.Close()
	timer.Reset(headTime + time.Duration(vfs.MaxObject/slowest)*time.Second)
	body, err := io.ReadAll(io.LimitReader(resp.Body, vfs.MaxObject+1))
	r := reply{resp.StatusCode, resp.Header, body}
	switch {
	case resp.StatusCode/100 != 2:
		return reply{}, d.refused(c, r)
	case err != nil:
		return reply{}, &failure{err: why(ctx, err), again: true, doubt: true}
	case len(body) > vfs.MaxObject:
		return reply{}, &failure{err: vfs.TooLarge(max(resp.ContentLength, int64(len(body))))}
	case c.check != nil:
		if err := c.check(r); err != nil {
			return reply{}, &failure{err: err, again: true}
		}
	}
	return r, nil
}

// request makes the request of an attempt, with credentials.
func (d *Driver) request(ctx context.Context, c call) (*http.Request, *failure) {
	target := c.url
	if len(c.query) > 0 {
		target += "?" + c.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, c.method, target, bytes.NewReader(c.body))
	if err != nil {
		return nil, &failure{err: bare(err)}
	}
	for name, values := range c.header {
		req.Header[name] = values
	}
	if d.project != "" {
		req.Header.Set("X-Goog-User-Project", d.project)
	}
	if d.tokens == nil {
		return req, nil
	}
	token, err := d.tokens.token(ctx)
	if err != nil {
		if ctx.Err() != nil {
			err = why(ctx, err)
		}
		return nil, &failure{err: err, again: temporary(err)}
	}
	req.Header.Set("Authorization", token)
	return req, nil
}

var errSlow = errors.New("no answer in time")

// why returns the cause of err where that is a time limit of this package.
func why(ctx context.Context, err error) error {
	if context.Cause(ctx) == errSlow { //nolint:errorlint // the very value
		return errSlow
	}
	return bare(err)
}

// bare drops from err the URL that net/http puts before it.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// unsent classes the error of a request that got no answer. Where there was no
// connection, nothing was done.
func unsent(ctx context.Context, err error) *failure {
	var (
		dns    *net.DNSError
		op     *net.OpError
		cert   *tls.CertificateVerificationError
		record tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &cert), errors.As(err, &record):
		return &failure{err: bare(err)}
	case errors.As(err, &dns):
		return &failure{err: bare(err), again: !dns.IsNotFound}
	case errors.As(err, &op) && op.Op == "dial":
		return &failure{err: bare(err), again: true}
	}
	return &failure{err: fmt.Errorf("the connection broke: %w", why(ctx, err)), again: true, doubt: true}
}

// object is the URL of an object in the JSON interface.
func (d *Driver) object(key string) string {
	return d.endpoint + "/storage/v1/b/" + escape(d.bucket, "") + "/o/" + escape(key, "")
}

// escape writes s as part of a URL's path: all but letters, digits and -._~
// and what is kept is written as %XX.
func escape(s, keep string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~", c) >= 0,
			strings.IndexByte(keep, c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}
