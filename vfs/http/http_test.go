package http_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stateroom/stateroom/internal/retry"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/file"
	vfshttp "github.com/stateroom/stateroom/vfs/http"
	"github.com/stateroom/stateroom/vfs/vfstest"
)

func open(t testing.TB, url string, opt vfshttp.Options) *vfshttp.Driver {
	t.Helper()
	opt.URL = url
	opt.Retry = retry.Policy{Tries: 3, First: time.Millisecond}
	d, err := vfshttp.Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func serve(t testing.TB, f http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return s.URL
}

// published is a directory that a web server publishes: it is written and
// listed as a directory, and read over HTTP.
type published struct {
	*file.Driver
	read *vfshttp.Driver
}

func (p *published) Traits() vfs.Traits { return p.read.Traits() }

func (p *published) Get(ctx context.Context, key string, unless vfs.Version) ([]byte, vfs.Entry, error) {
	return p.read.Get(ctx, key, unless)
}

func (p *published) Put(ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
	if _, err := p.Driver.Put(ctx, key, data, c, tag); err != nil {
		return vfs.Entry{}, err
	}
	_, e, err := p.read.Get(ctx, key, "")
	return e, err
}

func (p *published) List(ctx context.Context, prefix, after string) iter.Seq2[vfs.Entry, error] {
	return func(yield func(vfs.Entry, error) bool) {
		for e, err := range p.Driver.List(ctx, prefix, after) {
			if err == nil {
				_, e, err = p.read.Get(ctx, e.Key, "")
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func TestConformanceOfReads(t *testing.T) {
	dir := t.TempDir()
	server := httptest.NewServer(http.StripPrefix("/state", http.FileServer(http.Dir(dir))))
	t.Cleanup(server.Close)
	err := vfstest.Test(t.Context(), func() (vfs.Driver, error) {
		d, err := file.Open(dir, file.Options{})
		return &published{d, open(t, server.URL+"/state/", vfshttp.Options{})}, err
	}, vfstest.Options{})
	if err != nil {
		t.Error(err)
	}
}

func TestNothingIsWrittenOrListed(t *testing.T) {
	f := vfs.New(open(t, "http://127.0.0.1:1", vfshttp.Options{}), "http://127.0.0.1:1")
	_, err := f.Put(t.Context(), "a", nil, vfs.Cond{}, "")
	for what, c := range map[string]struct{ err, class error }{
		"put":            {err, fs.ErrPermission},
		"delete":         {f.Delete(t.Context(), "a", vfs.Cond{}), fs.ErrPermission},
		"what is said":   {f.Traits().ReadOnly, fs.ErrPermission},
		"list":           {first(f.List(t.Context(), "", "")), errors.ErrUnsupported},
		"list one level": {first(f.ListDir(t.Context(), "")), errors.ErrUnsupported},
	} {
		var hint interface{ Hint() string }
		if !errors.Is(c.err, c.class) || !errors.As(c.err, &hint) || hint.Hint() == "" {
			t.Errorf("%s: %v, want %v and a hint", what, c.err, c.class)
		}
	}
}

func first(list iter.Seq2[vfs.Entry, error]) error {
	for _, err := range list {
		return err
	}
	return nil
}

// What is polled costs one request without a body once it is a few seconds old.
func TestPollsAreAnsweredWithoutABody(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "release")
	if err := os.WriteFile(path, []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	past := time.Now().Add(-time.Minute)
	if err := os.Chtimes(path, past, past); err != nil {
		t.Fatal(err)
	}
	files, bodies := http.FileServer(http.Dir(dir)), 0
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("a cache may answer: %v", r.Header)
		}
		if r.Header.Get("If-Modified-Since") == "" {
			bodies++
		}
		files.ServeHTTP(w, r)
	})
	d := open(t, url, vfshttp.Options{})
	_, e, err := d.Get(t.Context(), "release", "")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, _, err := d.Get(t.Context(), "release", e.Version); !errors.Is(err, vfs.ErrNotModified) {
			t.Fatalf("%v, want not modified", err)
		}
	}
	if bodies != 1 {
		t.Errorf("%d of 4 requests were without a condition", bodies)
	}
}

// A server that makes its tags of seconds and sizes, as nginx does, gives two
// contents of one second the same tag. None of them may be missed.
func TestAChangeInTheSameSecondIsSeen(t *testing.T) {
	content, now := "one", time.Now()
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Last-Modified", now.UTC().Format(http.TimeFormat))
		w.Header().Set("ETag", `"of-the-second"`)
		http.ServeContent(w, r, "", now, strings.NewReader(content))
	})
	d := open(t, url, vfshttp.Options{})
	_, e, err := d.Get(t.Context(), "release", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Get(t.Context(), "release", e.Version); !errors.Is(err, vfs.ErrNotModified) {
		t.Errorf("%v, want not modified", err)
	}
	content = "two"
	if data, _, err := d.Get(t.Context(), "release", e.Version); err != nil || string(data) != "two" {
		t.Errorf("%q, %v after a change in the same second", data, err)
	}
}

func TestAnswersOfServers(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   error
		text   string
	}{
		"missing":        {status(404), fs.ErrNotExist, ""},
		"gone":           {status(410), fs.ErrNotExist, ""},
		"forbidden":      {status(403), fs.ErrPermission, "403 Forbidden"},
		"unauthorized":   {status(401), fs.ErrPermission, "401 Unauthorized"},
		"no content":     {status(204), nil, "204 No Content"},
		"broken":         {status(500), nil, "500 Internal Server Error"},
		"not asked for":  {status(304), nil, "304 Not Modified"},
		"a web page":     {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<!doctype html><p>Welcome") }, errors.ErrUnsupported, "web page"},
		"round and back": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"x", http.StatusFound) }, errors.ErrUnsupported, "redirects more than five times"},
		"cut off":        {cut, nil, "unexpected EOF"},
		"too large":      {endless, fs.ErrInvalid, "over the limit"},
		"large, it says": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "33554433") }, fs.ErrInvalid, "over the limit"},
		"silent":         {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, nil, "too slow"},
		"a slow drip":    {drip, nil, "too slow"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t, serve(t, c.answer), vfshttp.Options{Stall: 100 * time.Millisecond, Total: 300 * time.Millisecond})
			if name == "too large" {
				d = open(t, serve(t, c.answer), vfshttp.Options{})
			}
			data, _, err := d.Get(t.Context(), "k", "")
			if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("%d bytes, %v; want %v, %q", len(data), err, c.want, c.text)
			}
		})
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func cut(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = io.WriteString(w, "half")
}

func endless(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/octet-stream")
	for r.Context().Err() == nil {
		if _, err := w.Write(make([]byte, 1<<20)); err != nil {
			return
		}
	}
}

func drip(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/octet-stream")
	for r.Context().Err() == nil {
		_, _ = io.WriteString(w, "x")
		w.(http.Flusher).Flush()
		time.Sleep(20 * time.Millisecond)
	}
}

func TestABusyServerIsAskedAgain(t *testing.T) {
	n := 0
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if n++; n < 3 {
			w.WriteHeader(503)
			return
		}
		_, _ = io.WriteString(w, "x")
	})
	if data, _, err := open(t, url, vfshttp.Options{}).Get(t.Context(), "k", ""); err != nil || string(data) != "x" {
		t.Errorf("%q, %v at the third try", data, err)
	}
}

func TestCompressionIsNoMatter(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			t.Error("compression is not asked for")
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, strings.Repeat("x", 10_000))
		_ = z.Close()
	})
	if data, e, err := open(t, url, vfshttp.Options{}).Get(t.Context(), "k", ""); err != nil || len(data) != 10_000 || e.Size != 10_000 {
		t.Errorf("%d bytes, %+v, %v", len(data), e, err)
	}
}

// A small answer that grows without end when it is unpacked is cut.
func TestABombIsCut(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", "application/octet-stream")
		z := gzip.NewWriter(w)
		for range 64 {
			_, _ = z.Write(make([]byte, 1<<20))
		}
		_ = z.Close()
	})
	if data, _, err := open(t, url, vfshttp.Options{}).Get(t.Context(), "k", ""); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("%d bytes, %v, want too large", len(data), err)
	}
}

func TestRedirectsNeverLeaveEncryption(t *testing.T) {
	plain := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "plain") })
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/here" {
			_, _ = io.WriteString(w, "secure")
			return
		}
		http.Redirect(w, r, map[string]string{"/down": plain + "/k", "/same": "/here"}[r.URL.Path], http.StatusFound)
	}))
	t.Cleanup(secure.Close)
	d := open(t, secure.URL, vfshttp.Options{Network: secure.Client().Transport})
	if data, _, err := d.Get(t.Context(), "down", ""); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("%q, %v from https to http", data, err)
	}
	if data, _, err := d.Get(t.Context(), "same", ""); err != nil || string(data) != "secure" {
		t.Errorf("%q, %v from https to https", data, err)
	}
	up := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, secure.URL+"/here", http.StatusFound)
	})
	if data, _, err := open(t, up, vfshttp.Options{Network: secure.Client().Transport}).Get(t.Context(), "k", ""); err != nil || string(data) != "secure" {
		t.Errorf("%q, %v from http to https", data, err)
	}
}

func TestCancelWorksAtOnce(t *testing.T) {
	d := open(t, serve(t, drip), vfshttp.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, _, err := d.Get(ctx, "k", "")
	if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took > 2*time.Second {
		t.Errorf("%v after %v", err, took)
	}
}

func TestBadAddresses(t *testing.T) {
	for _, url := range []string{"", "ftp://host/x", "http://", "http://host:port/", "%"} {
		if _, err := vfshttp.Open(t.Context(), vfshttp.Options{URL: url}); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Open(%q) = %v", url, err)
		}
	}
}

func ExampleDriver() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.Path) }))
	defer server.Close()
	d, err := vfshttp.Open(context.Background(), vfshttp.Options{URL: server.URL + "/state"})
	if err != nil {
		fmt.Println(err)
		return
	}
	data, _, err := d.Get(context.Background(), "demo.example.com/config", "")
	fmt.Printf("%s %v\n", data, err)
	// Output: /state/demo.example.com/config <nil>
}
