package servers

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Latest is how long after its client gave up a late request may be done.
const Latest = 500 * time.Millisecond

// Faults are what a Proxy does to the requests that pass it. The zero value
// does nothing.
type Faults struct {
	Delay time.Duration       // before each request is passed on
	Fail  float64             // share of requests that the server never sees: half get a 503, half a cut connection
	Lose  float64             // share of requests that the server does, and whose reply is cut
	Late  float64             // share of requests whose connection is cut at once, and which the server does within Latest
	Seed  uint64              // of the choice; it is logged
	Seen  func(*http.Request) // called with each request as it comes, from many goroutines; must not read its body
}

// Proxy starts an HTTP proxy in front of a server and returns the URL that
// stands for target, path included. A Host that the client signed, as those of
// S3 do, is passed on; else the server gets its own.
func Proxy(t testing.TB, target string, f Faults) string {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	if f.Fail > 0 || f.Lose > 0 || f.Late > 0 {
		t.Logf("proxy before %s: fail %g, lose %g, late %g, seed %d", target, f.Fail, f.Lose, f.Late, f.Seed)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 128, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = to.Scheme, to.Host
			if !strings.HasPrefix(r.In.Header.Get("Authorization"), "AWS4-") {
				r.Out.Host = to.Host
			}
		},
		Transport:    transport,
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	p := &faulty{Faults: f, forward: forward, random: rand.New(rand.NewPCG(f.Seed, 0))}
	server := httptest.NewServer(p)
	t.Cleanup(func() {
		server.Close()
		p.late.Wait()
	})
	return server.URL + to.Path
}

// Dials returns a transport that counts the connections that it makes. It keeps
// all of them, so that what is not used again is a driver's fault.
func Dials(n *atomic.Int32) *http.Transport {
	var dialer net.Dialer
	return &http.Transport{
		MaxIdleConnsPerHost: 128, DisableCompression: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			n.Add(1)
			return dialer.DialContext(ctx, network, address)
		},
	}
}

// Refuse starts a proxy in front of a server, like Proxy, that answers itself,
// with the status that answer returns, and passes on what that is 0 for.
func Refuse(t testing.TB, target string, answer func(*http.Request) int) string {
	t.Helper()
	to, err := url.Parse(Proxy(t, target, Faults{}))
	if err != nil {
		t.Fatal(err)
	}
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = to.Scheme, to.Host, r.In.Host
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status := answer(r); status != 0 {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(status)
			return
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL + to.Path
}

// faulty decides about each request and passes it on.
type faulty struct {
	Faults
	forward http.Handler
	mu      sync.Mutex
	random  *rand.Rand
	late    sync.WaitGroup
}

// ServeHTTP passes a request on, or does with it what Faults says. Panicking
// with ErrAbortHandler cuts the connection.
func (p *faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.Seen != nil {
		p.Seen(r)
	}
	if p.Delay > 0 {
		time.Sleep(p.Delay)
	}
	p.mu.Lock()
	x, cut, later := p.random.Float64(), p.random.IntN(2) == 0, time.Duration(p.random.Int64N(int64(Latest)))
	p.mu.Unlock()
	switch {
	case x < p.Fail:
		_, _ = io.Copy(io.Discard, r.Body)
		if cut {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusServiceUnavailable)
	case x < p.Fail+p.Lose:
		p.forward.ServeHTTP(nowhere{http.Header{}}, r)
		panic(http.ErrAbortHandler)
	case x < p.Fail+p.Lose+p.Late:
		p.forwardLater(r, later)
		panic(http.ErrAbortHandler)
	default:
		p.forward.ServeHTTP(w, r)
	}
}

// forwardLater lets the server do a request that its client has given up.
func (p *faulty) forwardLater(r *http.Request, after time.Duration) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	kept := r.Clone(context.WithoutCancel(r.Context()))
	kept.Body = io.NopCloser(bytes.NewReader(body))
	p.late.Go(func() {
		time.Sleep(after)
		defer func() { _ = recover() }() // the server is gone: nobody hears of it
		p.forward.ServeHTTP(nowhere{http.Header{}}, kept)
	})
}

// nowhere is a reply that nobody gets.
type nowhere struct{ header http.Header }

func (w nowhere) Header() http.Header         { return w.header }
func (w nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (w nowhere) WriteHeader(int)             {}
