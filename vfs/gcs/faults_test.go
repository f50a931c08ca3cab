package gcs_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/gcs"
)

// before lets strike decide about the n-th upload, counted from 0: it reports
// whether it has answered.
func before(strike func(n int, w http.ResponseWriter, pass func()) bool) func(http.Handler) http.Handler {
	var n atomic.Int32
	return func(service http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			pass := func() { service.ServeHTTP(httptest.NewRecorder(), r) }
			if r.Method != http.MethodPost || !strike(int(n.Add(1))-1, w, pass) {
				service.ServeHTTP(w, r)
			}
		})
	}
}

// The reply of a conditional write is lost: the write is known for one's own
// by its mark, whether it was done or not.
func TestALostReplyIsResolved(t *testing.T) {
	for name, done := range map[string]bool{"done": true, "not done": false} {
		t.Run(name, func(t *testing.T) {
			j, endpoint := newJudge(t, before(func(n int, _ http.ResponseWriter, pass func()) bool {
				if n > 0 {
					return false
				}
				if done {
					pass()
				}
				panic(http.ErrAbortHandler)
			}))
			d := open(t, endpoint, "state")
			e, err := d.Put(t.Context(), "log/1", []byte("ours"), vfs.IfAbsent(), "tag 1")
			if err != nil {
				t.Fatal(err)
			}
			if o := j.objects["log/1"]; string(o.data) != "ours" || vfs.Version(o.generation) != e.Version || e.Tag != "tag 1" {
				t.Errorf("the store holds %q at %s, the driver says %+v", o.data, o.generation, e)
			}
			if _, err := d.Put(t.Context(), "log/1", []byte("ours"), vfs.IfAbsent(), "tag 1"); !errors.Is(err, vfs.ErrConflict) {
				t.Errorf("the same bytes once more: %v, want a conflict: it is another write", err)
			}
		})
	}
}

// Somebody else writes the very same bytes while the reply of a write is lost:
// that is not one's own write.
func TestEqualBytesOfAnotherAreAConflict(t *testing.T) {
	var other *gcs.Driver
	_, endpoint := newJudge(t, before(func(n int, _ http.ResponseWriter, _ func()) bool {
		if n > 0 {
			return false
		}
		if _, err := other.Put(context.WithoutCancel(t.Context()), "n", []byte("5"), vfs.IfAbsent(), "same"); err != nil {
			t.Error(err)
		}
		panic(http.ErrAbortHandler)
	}))
	other = open(t, endpoint, "state")
	if _, err := open(t, endpoint, "state").Put(t.Context(), "n", []byte("5"), vfs.IfAbsent(), "same"); !errors.Is(err, vfs.ErrConflict) {
		t.Errorf("%v, want a conflict", err)
	}
}

// Nobody knows what became of the write: the error is none of those that say
// that it was not done.
func TestAWriteInDoubtSaysSo(t *testing.T) {
	var n atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 1 {
			panic(http.ErrAbortHandler)
		}
		refuse(w, http.StatusForbidden, "forbidden", "access was taken away")
	}))
	defer s.Close()
	d := open(t, s.URL, "state")
	for _, c := range []vfs.Cond{{}, vfs.IfAbsent(), vfs.IfVersion("7")} {
		n.Store(0)
		_, err := d.Put(t.Context(), "k", nil, c, "")
		if err == nil || errors.Is(err, fs.ErrPermission) || errors.Is(err, vfs.ErrConflict) || !strings.Contains(err.Error(), "may have been done") {
			t.Errorf("put %s: %v", c, err)
		}
	}
	n.Store(0)
	if err := d.Delete(t.Context(), "k", vfs.IfVersion("7")); err == nil || errors.Is(err, fs.ErrPermission) {
		t.Errorf("delete: %v", err)
	}
}

// One write a second goes to one object: the service answers 429 to the rest,
// and has not done them.
func TestAHotObjectIsWaitedFor(t *testing.T) {
	j, endpoint := newJudge(t, before(func(n int, w http.ResponseWriter, _ func()) bool {
		if n >= 4 {
			return false
		}
		refuse(w, http.StatusTooManyRequests, "rateLimitExceeded", "The object state/head exceeded the rate limit for object mutation operations.")
		return true
	}))
	d := open(t, endpoint, "state")
	if _, err := d.Put(t.Context(), "head", []byte("2"), vfs.IfAbsent(), ""); err != nil {
		t.Fatal(err)
	}
	if n := len(j.requests); n != 1 {
		t.Errorf("%d requests reached the bucket, want 1: what is not done needs no look", n)
	}
}

func TestDamagedReadsAreRepeated(t *testing.T) {
	for name, damage := range map[string]func(http.Header, []byte) []byte{
		"cut":     func(_ http.Header, b []byte) []byte { return b[:len(b)/2] },
		"changed": func(_ http.Header, b []byte) []byte { return append([]byte("X"), b[1:]...) },
	} {
		t.Run(name, func(t *testing.T) {
			reads := 0
			_, endpoint := newJudge(t, func(service http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if !strings.HasPrefix(r.URL.Path, "/state/") || reads > 1 {
						service.ServeHTTP(w, r)
						return
					}
					reads++
					rec := httptest.NewRecorder()
					service.ServeHTTP(rec, r)
					for k, v := range rec.Header() {
						w.Header()[k] = v
					}
					_, _ = w.Write(damage(w.Header(), rec.Body.Bytes()))
				})
			})
			d := open(t, endpoint, "state")
			if _, err := d.Put(t.Context(), "k", []byte("whole"), vfs.Cond{}, ""); err != nil {
				t.Fatal(err)
			}
			if b, _, err := d.Get(t.Context(), "k", ""); err != nil || string(b) != "whole" || reads != 2 {
				t.Errorf("%q, %v after %d damaged reads", b, err, reads)
			}
		})
	}
}

// Somebody stored an object as gzip. It is read as it was before that.
func TestPackedObjectsAreUnpacked(t *testing.T) {
	j, endpoint := newJudge(t, nil)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	fmt.Fprint(z, "apiVersion: kops.k8s.io/v1alpha2\n")
	z.Close()
	j.store("config", stored{data: packed.Bytes(), encoding: "gzip"})
	d := open(t, endpoint, "state")
	b, e, err := d.Get(t.Context(), "config", "")
	if err != nil || string(b) != "apiVersion: kops.k8s.io/v1alpha2\n" || e.Size != int64(len(b)) {
		t.Errorf("%q, %+v, %v", b, e, err)
	}
	j.store("config", stored{data: []byte("no gzip"), encoding: "gzip"})
	if _, _, err := d.Get(t.Context(), "config", ""); err == nil || !strings.Contains(err.Error(), "stored as gzip") {
		t.Errorf("an object that says it is gzip, and is not: %v", err)
	}
}

func TestReadsAreBounded(t *testing.T) {
	sent := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Goog-Generation", "1")
		block := make([]byte, 1<<20)
		for sent = 0; sent < 256; sent++ {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}))
	defer s.Close()
	_, _, err := open(t, s.URL, "state").Get(t.Context(), "huge", "")
	if !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("256 MiB: %v", err)
	}
	if s.Close(); sent > 64 {
		t.Errorf("%d MiB were taken", sent)
	}
}

// A service that does not answer holds nobody who gives up, and nothing stays
// behind.
func TestGivingUpIsAtOnce(t *testing.T) {
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer s.Close()
	defer close(release)
	transport := &http.Transport{}
	d, err := gcs.Open(t.Context(), gcs.Options{Bucket: "state", Transport: transport, Getenv: env{"STORAGE_EMULATOR_HOST": s.URL}.get})
	if err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	for name, call := range map[string]func(ctx context.Context) error{
		"get":    func(ctx context.Context) error { _, _, err := d.Get(ctx, "k", ""); return err },
		"put":    func(ctx context.Context) error { _, err := d.Put(ctx, "k", nil, vfs.IfAbsent(), ""); return err },
		"delete": func(ctx context.Context) error { return d.Delete(ctx, "k", vfs.IfVersion("1")) },
		"list": func(ctx context.Context) error {
			for _, err := range d.List(ctx, "", "") {
				return err
			}
			return nil
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, cancel)
		begin := time.Now()
		if err := call(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want cancelled", name, err)
		}
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("%s held on for %s", name, took)
		}
	}
	transport.CloseIdleConnections()
	for range 100 {
		if runtime.NumGoroutine() <= before+2 { // the server's own listener and a closing connection
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%d goroutines before, %d after", before, runtime.NumGoroutine())
}
