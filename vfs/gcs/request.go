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
	ctx, body, stop := wire.Limit(ctx, len(c.body))
	defer stop()
	req, f := d.request(ctx, c)
	if f != nil {
		return reply{}, f
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return reply{}, unanswered(ctx, err)
	}
	defer resp.Body.Close()
	body()
	data, err := wire.ReadAll(resp.Body)
	r := reply{resp.StatusCode, resp.Header, data}
	switch {
	case resp.StatusCode/100 != 2:
		return reply{}, d.refused(c, r)
	case errors.Is(err, fs.ErrInvalid):
		return reply{}, &failure{err: err} // too large
	case err != nil:
		return reply{}, unanswered(ctx, err)
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
		return nil, &failure{err: wire.Bare(err)}
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
		return nil, &failure{err: err, again: temporary(err)}
	}
	req.Header.Set("Authorization", token)
	return req, nil
}

func unanswered(ctx context.Context, err error) *failure {
	s := wire.Unanswered(ctx, err)
	return &failure{err: s.Err, again: s.Again, doubt: s.Doubt}
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
