package wire

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stateroom/stateroom/internal/retry"
	"github.com/stateroom/stateroom/vfs"
)

func TestNoConnectionIsNoDoubt(t *testing.T) {
	refuses := httptest.NewServer(nil)
	refuses.Close()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	secure.StartTLS()
	defer secure.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	noSuchHost := &url.Error{Op: "Get", URL: "https://x/?sig=hunter2", Err: &net.DNSError{Err: "no such host", Name: "x", IsNotFound: true}}
	for name, c := range map[string]struct {
		err         error
		again, dial bool
		hint        string
	}{
		"a refused connection":       {get(refuses.URL), true, true, "nothing listens there"},
		"a host that does not exist": {noSuchHost, false, false, "no address of the host x is known"},
		"a certificate of its own":   {get(secure.URL), false, false, "SSL_CERT_FILE"},
		"no TLS where it is wanted":  {get(strings.Replace(plain.URL, "http:", "https:", 1)), false, false, "begins with http://"},
		"a host that is not reached": {&net.OpError{Op: "dial", Err: context.DeadlineExceeded}, true, true, "check the network"},
	} {
		f := Unanswered(t.Context(), c.err)
		var h interface{ Hint() string }
		if !errors.As(f.Err, &h) || !strings.Contains(h.Hint(), c.hint) {
			t.Errorf("%s: %v, want the hint %s", name, f.Err, c.hint)
		}
		if f.Doubt || f.Again != c.again || f.Dial != c.dial || strings.Contains(f.Err.Error(), "hunter2") {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if f := Unanswered(t.Context(), noSuchHost); f.Host != "x" {
		t.Errorf("%+v", f)
	}
}

// Where nothing listens, a person hears of it soon; where somebody does, it is
// tried for longer.
func TestAServiceThatDoesNotPickUpIsLeftSoon(t *testing.T) {
	for dial, want := range map[bool]int{true: Dials, false: 8} {
		synctest.Test(t, func(t *testing.T) {
			n := 0
			_, err := Try(t.Context(), retry.Policy{}, 0, func(context.Context, func()) *Failure {
				n++
				return &Failure{Err: errSlow, Again: true, Dial: dial}
			})
			if !errors.Is(err, errSlow) || n != want {
				t.Errorf("%v after %d attempts, want %d", err, n, want)
			}
		})
	}
}

// get asks with a signature in the URL, and wants no answer.
func get(base string) error {
	resp, err := http.Get(base + "/?sig=hunter2")
	if err == nil {
		resp.Body.Close()
	}
	return err
}

func TestACutAnswerIsDoubt(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer server.Close()
	err := get(server.URL)
	s := Unanswered(t.Context(), err)
	if !s.Doubt || !s.Again || strings.Contains(s.Err.Error(), "hunter2") {
		t.Errorf("a cut answer: %+v", s)
	}
}

func TestAnAttemptHasItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		ctx, body, stop := Limit(t.Context(), 1<<20)
		defer stop()
		time.Sleep(HeadTime)
		if ctx.Err() != nil {
			t.Error("no time was given for sending")
		}
		body()
		<-ctx.Done()
		if took := time.Since(begin); took < HeadTime+2*time.Minute || took > 3*time.Minute {
			t.Errorf("an answer got %s in all", took)
		}
		if s := Unanswered(ctx, ctx.Err()); !s.Doubt || !strings.Contains(s.Err.Error(), "no answer in time") {
			t.Errorf("the error of an attempt that took too long: %v", s.Err)
		}
	})
}

func TestUnpackStopsAtTheLimit(t *testing.T) {
	var part bytes.Buffer
	z := gzip.NewWriter(&part)
	_, _ = z.Write(make([]byte, 1<<20))
	z.Close()
	bomb := bytes.Repeat(part.Bytes(), 33)
	if _, err := Unpack(bomb); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("33 MiB in %d bytes: %v", len(bomb), err)
	}
	if _, err := Unpack([]byte("plain")); err == nil {
		t.Error("what is no gzip was unpacked")
	}
	if _, err := ReadAll(io.LimitReader(endless{}, vfs.MaxObject+1)); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("an object over the limit: %v", err)
	}
}

func TestAnswersEnd(t *testing.T) {
	for size, whole := range map[int64]bool{0: true, vfs.MaxObject + 1: true, vfs.MaxObject + 2: false} {
		server := answer(func() io.Reader { return io.LimitReader(endless{}, size) })
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://x/", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := Bounded(server).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, io.LimitReader(resp.Body, size))
		if n != min(size, vfs.MaxObject+1) || (err == nil) != whole {
			t.Errorf("an answer of %d bytes: %d, %v", size, n, err)
		}
		resp.Body.Close()
	}
}

// answer is a service that answers with these bytes.
type answer func() io.Reader

func (a answer) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(a())}, nil
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

func TestDoubtMatchesNoClass(t *testing.T) {
	err := InDoubt(fmt.Errorf("refused: %w", fs.ErrPermission))
	for _, class := range []error{fs.ErrPermission, fs.ErrInvalid, fs.ErrNotExist, vfs.ErrConflict, errors.ErrUnsupported} {
		if errors.Is(err, class) {
			t.Errorf("a write in doubt says that it was not done: %v", class)
		}
	}
	if !errors.Is(InDoubt(context.Canceled), context.Canceled) {
		t.Error("a cancelled write does not say so")
	}
}

// What became of a delete that ended in a refusal, after an attempt whose reply
// was lost or without one.
func TestWhatBecameOfADelete(t *testing.T) {
	at := vfs.IfVersion("7")
	for _, c := range []struct {
		cond  vfs.Cond
		doubt bool
		err   error
		want  error
	}{
		{at, false, nil, nil},
		{at, false, fs.ErrNotExist, vfs.ErrConflict},
		{at, true, fs.ErrNotExist, nil}, // gone, by the attempt before
		{at, true, vfs.ErrConflict, vfs.ErrConflict},
		{at, false, vfs.ErrConflict, vfs.ErrConflict},
		{at, false, fs.ErrPermission, fs.ErrPermission},
		{vfs.Cond{}, false, fs.ErrNotExist, nil},
		{vfs.Cond{}, true, fs.ErrNotExist, nil},
	} {
		if err := Delete(c.cond, c.doubt, c.err); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s, doubt %t, %v: %v, want %v", c.cond, c.doubt, c.err, err, c.want)
		}
	}
	if err := Delete(at, true, fs.ErrPermission); err == nil || errors.Is(err, fs.ErrPermission) {
		t.Errorf("in doubt: %v", err)
	}
}

func TestWhatOthersWroteFitsOneLine(t *testing.T) {
	for text, want := range map[string]string{
		" Access\r\n Denied ": "Access Denied", "\x1b]0;evil\a\u202eno": "]0;evilno", "日本\x00": "日本", strings.Repeat("é", 300): strings.Repeat("é", 200) + "...",
	} {
		if got := Brief(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestSkewIsSaid(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	answer := http.Header{"Date": {now.Add(time.Hour).Format(http.TimeFormat)}}
	if got, want := WithSkew("sign in", answer, now), "this machine's clock is 1h0m0s behind the service's: set it; else sign in"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := WithSkew("sign in", answer, now.Add(time.Hour)); got != "sign in" {
		t.Errorf("a clock that is right: %q", got)
	}
}

func TestPause(t *testing.T) {
	for value, want := range map[string]time.Duration{"": 0, "2": 2 * time.Second, "9999": 30 * time.Second, "-1": 0, "soon": 0} {
		if got := Pause(http.Header{"Retry-After": {value}}); got != want {
			t.Errorf("Retry-After %q: %s, want %s", value, got, want)
		}
	}
}
