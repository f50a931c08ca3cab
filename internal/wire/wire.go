// Package wire is what drivers that speak HTTP to an object store have in
// common: connections, attempts and what a missing answer means, what becomes of
// a write whose reply was lost, and how to say it all without giving away a
// credential. What an answer means, each driver knows itself.
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
	"time"
	"unicode/utf8"

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

// InTheClear reports whether others on the network can read what is sent to a
// service: plain HTTP to another machine.
func InTheClear(service *url.URL) bool {
	host := service.Hostname()
	return service.Scheme == "http" && host != "localhost" && !net.ParseIP(host).IsLoopback()
}

// NoRedirects is for [http.Client.CheckRedirect]: no service that we speak to
// sends its callers elsewhere, and credentials do not follow.
func NoRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Bounded returns t with an end to the bodies of answers: what clients of the
// services read, they read whole. It is behind the largest object.
func Bounded(t http.RoundTripper) http.RoundTripper { return bounded{t} }

type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(req)
	if err == nil && resp.Body != nil {
		resp.Body = &end{resp.Body, vfs.MaxObject + 1}
	}
	return resp, err
}

// end is a body that has so many bytes left until it is given up.
type end struct {
	io.ReadCloser
	left int
}

var errEndless = errors.New("the answer does not end")

func (e *end) Read(b []byte) (int, error) {
	if e.left == 0 {
		return 0, errEndless
	}
	n, err := e.ReadCloser.Read(b[:min(len(b), e.left)])
	e.left -= n
	return n, err
}

// errSlow ends an attempt. It is a [net.Error].
var errSlow error = slow{}

type slow struct{}

func (slow) Error() string   { return "no answer in time" }
func (slow) Timeout() bool   { return true }
func (slow) Temporary() bool { return true }

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

// WholeRunes cuts s before the first byte that is not UTF-8, which services do
// not take in a query. What is left sorts no later than s, and begins all that s
// begins.
func WholeRunes(s string) string {
	for i, r := range s {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				return s[:i]
			}
		}
	}
	return s
}
