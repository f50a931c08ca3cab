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
	"syscall"
	"time"

	"github.com/stateroom/stateroom/internal/retry"
)

// Failure is why an attempt did not succeed.
type Failure struct {
	Err   error         // without the URL of the request, which may hold a signature
	Again bool          // worth another attempt
	Doubt bool          // the service may have done what was asked, or may still do it
	After time.Duration // not to be repeated earlier
	Dial  bool          // there was no connection: a few attempts tell
	Host  string        // that nobody knows, where that is why
}

// Dials is how often a service is called that does not pick up: where nothing
// listens, a person should not wait long to hear of it.
const Dials = 4

// Try makes attempts until the service says what became of one, each within its
// [Limit] for size bytes sent. In doubt means that some attempt got no such
// answer and may have been done. A condition makes repeating a write safe: only
// one attempt can be done.
func Try(ctx context.Context, p retry.Policy, size int, attempt func(ctx context.Context, body func()) *Failure) (doubt bool, err error) {
	err = p.Do(ctx, func(n int) error {
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
		case f.Again && !(f.Dial && n+1 >= Dials):
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
		escaped url.EscapeError
	)
	err = Bare(err)
	switch {
	case errors.As(err, &escaped):
		return &Failure{Err: err}
	case IsTLS(err):
		return &Failure{Err: Advise(err, "if the service has a certificate of your own authority, name a file with it in SSL_CERT_FILE; if it speaks plain HTTP, its endpoint begins with http://")}
	case errors.As(err, &dns) && dns.IsNotFound:
		return &Failure{Host: dns.Name, Err: Advise(err, "no address of the host "+Brief(dns.Name)+" is known: check the address of the store, and the network")}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &Failure{Again: true, Dial: true, Err: Advise(err, "nothing listens there: check the endpoint, and whether the service runs")}
	case errors.As(err, &dns), errors.As(err, &op) && op.Op == "dial":
		return &Failure{Again: true, Dial: true, Err: Advise(err, unreached)}
	case context.Cause(ctx) == errSlow: //nolint:errorlint // the very value
		err = Advise(errSlow, unreached)
	}
	return &Failure{Err: fmt.Errorf("the connection broke: %w", err), Again: true, Doubt: true}
}

const unreached = "the service does not answer: check the network, proxies (HTTPS_PROXY, NO_PROXY) and the endpoint"

// Advise returns err with a hint what to do about it.
func Advise(err error, hint string) error { return &advised{err, hint} }

type advised struct {
	error
	hint string
}

func (e *advised) Unwrap() error { return e.error }

// Hint says what to do.
func (e *advised) Hint() string { return e.hint }

// IsTLS reports whether both sides did not agree on TLS.
func IsTLS(err error) bool {
	var (
		verify *tls.CertificateVerificationError
		record tls.RecordHeaderError
	)
	return errors.As(err, &verify) || errors.As(err, &record) || errors.Is(err, http.ErrSchemeMismatch)
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
