package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/stateroom/stateroom/internal/retry"
)

// Failure is why an attempt did not succeed.
type Failure struct {
	Err   error         // without the URL of the request, which may hold a signature
	Again bool          // worth another attempt
	Doubt bool          // the service may have done what was asked, or may still do it
	After time.Duration // not to be repeated earlier
	Host  string        // that nobody knows, where that is why
}

// Try makes attempts until the service says what became of one, each within its
// [Limit] for size bytes sent. In doubt means that some attempt got no such
// answer and may have been done. A condition makes repeating a write safe: only
// one attempt can be done.
func Try(ctx context.Context, p retry.Policy, size int, attempt func(ctx context.Context, body func()) *Failure) (doubt bool, err error) {
	err = p.Do(ctx, func(int) error {
		limited, body, stop := Limit(ctx, size)
		defer stop()
		f := attempt(limited, body)
		if f == nil {
			return nil
		}
		doubt = doubt || f.Doubt
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case f.Again:
			return retry.After(f.After, f.Err)
		}
		return f.Err
	})
	return doubt, err
}

// Unanswered classes the error of a request that got no answer. Where there
// was no connection, nothing was done. The context is that of [Limit].
func Unanswered(ctx context.Context, err error) *Failure {
	var (
		dns     *net.DNSError
		op      *net.OpError
		cert    *tls.CertificateVerificationError
		record  tls.RecordHeaderError
		escaped url.EscapeError
	)
	f := &Failure{Err: Bare(err)}
	switch {
	case errors.As(err, &cert), errors.As(err, &record), errors.As(err, &escaped):
	case errors.As(err, &dns):
		f.Again = !dns.IsNotFound
		if dns.IsNotFound {
			f.Host = dns.Name
		}
	case errors.As(err, &op) && op.Op == "dial":
		f.Again = true
	default:
		if context.Cause(ctx) == errSlow { //nolint:errorlint // the very value
			f.Err = errSlow
		}
		f.Err, f.Again, f.Doubt = fmt.Errorf("the connection broke: %w", f.Err), true, true
	}
	return f
}

// Bare drops from err the URL that net/http puts before it.
func Bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// Pause is how long a service wants to be left alone, at most half a minute.
func Pause(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(min(seconds, 30)) * time.Second
}
