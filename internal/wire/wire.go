// Package wire is what drivers that speak HTTP to an object store have in
// common: connections, what a missing answer means, and how to say it without
// giving away a credential. What an answer means, each driver knows itself.
package wire

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/stateroom/stateroom/vfs"
)

// How long one attempt may take: to the head of the answer, and then for its
// bytes.
const (
	HeadTime = 20 * time.Second
	slowest  = 256 << 10 // bytes a second, below which a transfer is given up
)

// Pool returns a transport with up to 128 connections to a service. It speaks
// HTTP/1.1: with one connection for all, one that hangs would stop all. Bytes
// stored with an encoding are left as they are.
func Pool() *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: HeadTime,
		MaxConnsPerHost:       128,
		MaxIdleConns:          128,
		MaxIdleConnsPerHost:   128,
		IdleConnTimeout:       30 * time.Second,
		DisableCompression:    true,
		Protocols:             protocols,
	}
}

// NoRedirects is for [http.Client.CheckRedirect]: no service that we speak to
// sends its callers elsewhere, and credentials do not follow.
func NoRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

var errSlow = errors.New("no answer in time")

// Limit gives one attempt its time: what sending size bytes takes and
// [HeadTime] for the head of the answer. The function body, called when the
// head is there, gives the bytes of the answer theirs. The attempt is over
// with stop.
func Limit(ctx context.Context, size int) (limited context.Context, body, stop func()) {
	limited, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(HeadTime+seconds(size), func() { cancel(errSlow) })
	body = func() { timer.Reset(HeadTime + seconds(vfs.MaxObject)) }
	stop = func() {
		timer.Stop()
		cancel(nil)
	}
	return limited, body, stop
}

func seconds(size int) time.Duration { return time.Duration(size/slowest) * time.Second }

// ReadAll reads the bytes of an answer, up to the limit of an object.
func ReadAll(body io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(body, vfs.MaxObject+1))
	if err == nil && len(data) > vfs.MaxObject {
		return nil, vfs.TooLarge(int64(len(data)))
	}
	return data, err
}

// Unpack undoes gzip, up to the limit of an object. Objects that somebody
// stored with that encoding are what they were before it: all other clients
// see them so.
func Unpack(packed []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("stored as gzip: %w", err)
	}
	data, err := ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("stored as gzip: %w", err)
	}
	return data, nil
}

// Silence is what no answer, or half of one, means.
type Silence struct {
	Err   error // without the URL of the request, which may hold a signature
	Again bool  // worth another try
	Doubt bool  // the service may have done what was asked, or may still do it
	Host  string
}

// Unanswered classes the error of a request that got no answer. Where there
// was no connection, nothing was done. The context is that of [Limit].
func Unanswered(ctx context.Context, err error) Silence {
	var (
		dns     *net.DNSError
		op      *net.OpError
		cert    *tls.CertificateVerificationError
		record  tls.RecordHeaderError
		escaped url.EscapeError
	)
	s := Silence{Err: Bare(err)}
	switch {
	case errors.As(err, &cert), errors.As(err, &record), errors.As(err, &escaped):
	case errors.As(err, &dns):
		s.Again = !dns.IsNotFound
		if dns.IsNotFound {
			s.Host = dns.Name
		}
	case errors.As(err, &op) && op.Op == "dial":
		s.Again = true
	default:
		if context.Cause(ctx) == errSlow { //nolint:errorlint // the very value
			s.Err = errSlow
		}
		s.Err, s.Again, s.Doubt = fmt.Errorf("the connection broke: %w", s.Err), true, true
	}
	return s
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

// Brief returns s on one line, and not longer than a person reads.
func Brief(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 400 {
		s = strings.ToValidUTF8(s[:400], "") + "..."
	}
	return s
}

// WithSkew puts before a hint that this machine's clock is wrong, where it is:
// services refuse signatures and tokens of another time.
func WithSkew(hint string, answer http.Header, now time.Time) string {
	service, err := http.ParseTime(answer.Get("Date"))
	if err != nil {
		return hint
	}
	skew := now.Sub(service).Round(time.Minute)
	if skew.Abs() < 5*time.Minute {
		return hint
	}
	way := "ahead of"
	if skew < 0 {
		way = "behind"
	}
	return fmt.Sprintf("this machine's clock is %s %s the service's: set it; else %s", skew.Abs(), way, hint)
}

// InDoubt is the error of a write of which nobody knows whether it was done.
// It matches none of the classes of errors that say that it was not.
func InDoubt(cause error) error {
	if errors.Is(cause, context.Canceled) || errors.Is(cause, context.DeadlineExceeded) {
		return cause // the caller gave up, and knows
	}
	return &doubtful{cause}
}

type doubtful struct{ cause error }

func (e *doubtful) Error() string { return "it may have been done, or not: " + e.cause.Error() }

// Hint is that of the cause.
func (e *doubtful) Hint() string {
	var h interface{ Hint() string }
	if errors.As(e.cause, &h) {
		return h.Hint()
	}
	return ""
}
