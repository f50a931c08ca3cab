package gcs

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stateroom/stateroom/internal/retry"
	"github.com/stateroom/stateroom/internal/wire"
)

// patience is for how long failed attempts are repeated. The service takes one
// write a second to one object: of many writers some have to wait for a while.
var patience = retry.Policy{Tries: 12, Total: time.Minute}

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

// read makes a call that changes nothing, until it succeeds or is refused.
func (d *Driver) read(ctx context.Context, c call) (reply, error) {
	r, _, err := d.write(ctx, c)
	return r, err
}

// write makes a call until the service says what became of it, or that cannot
// be known: see [wire.Try].
func (d *Driver) write(ctx context.Context, c call) (r reply, doubt bool, err error) {
	doubt, err = wire.Try(ctx, patience, len(c.body), func(ctx context.Context, body func()) (f *wire.Failure) {
		r, f = d.attempt(ctx, c, body)
		return f
	})
	return r, doubt, err
}

// attempt makes a call once.
func (d *Driver) attempt(ctx context.Context, c call, body func()) (reply, *wire.Failure) {
	req, f := d.request(ctx, c)
	if f != nil {
		return reply{}, f
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return reply{}, wire.Unanswered(ctx, err)
	}
	defer resp.Body.Close()
	body()
	data, err := wire.ReadAll(resp.Body)
	r := reply{resp.StatusCode, resp.Header, data}
	switch {
	case resp.StatusCode/100 != 2:
		return reply{}, d.refused(c, r)
	case errors.Is(err, fs.ErrInvalid):
		return reply{}, &wire.Failure{Err: err} // too large
	case err != nil:
		return reply{}, wire.Unanswered(ctx, err)
	case c.check != nil:
		if err := c.check(r); err != nil {
			return reply{}, &wire.Failure{Err: err, Again: true}
		}
	}
	return r, nil
}

// request makes the request of an attempt, with credentials.
func (d *Driver) request(ctx context.Context, c call) (*http.Request, *wire.Failure) {
	target := c.url
	if len(c.query) > 0 {
		target += "?" + c.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, c.method, target, bytes.NewReader(c.body))
	if err != nil {
		return nil, &wire.Failure{Err: wire.Bare(err)}
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
	token, f := d.tokens.token(ctx)
	if f != nil {
		return nil, f
	}
	req.Header.Set("Authorization", token)
	return req, nil
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
