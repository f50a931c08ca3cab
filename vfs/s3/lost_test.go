package s3_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stateroom/stateroom/test/servers"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/s3"
	"github.com/stateroom/stateroom/vfs/vfstest"
)

// line is a connection on which the first request of a method goes wrong, or
// all of them do.
type line struct {
	method  string
	outcome vfstest.Outcome
	always  bool
	then    func() // called once the request went wrong

	mu     sync.Mutex
	struck int
	seen   []string // methods, in order
	late   *http.Request
}

var errCut = errors.New("cut")

func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	l.mu.Lock()
	l.seen = append(l.seen, r.Method)
	strike := r.Method == l.method && (l.always || l.struck == 0)
	if strike {
		l.struck++
	}
	l.mu.Unlock()
	if !strike {
		return http.DefaultTransport.RoundTrip(r)
	}
	if l.then != nil {
		defer l.then()
	}
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	send := func() (*http.Response, error) {
		again := r.Clone(context.WithoutCancel(r.Context()))
		again.Body = io.NopCloser(bytes.NewReader(body))
		return http.DefaultTransport.RoundTrip(again)
	}
	switch l.outcome {
	case vfstest.Lost:
		drop(send())
	case vfstest.Echoed:
		drop(send())
		return send()
	case vfstest.Late:
		l.late = r.Clone(context.WithoutCancel(r.Context()))
		l.late.Body = io.NopCloser(bytes.NewReader(body))
	}
	return nil, errCut
}

func drop(res *http.Response, err error) {
	if err == nil {
		res.Body.Close()
	}
}

// TestALostReply strikes the first PUT or DELETE of a call, and looks at what
// the caller is told and what is stored in the end.
func TestALostReply(t *testing.T) {
	server := servers.GoFakeS3(t)
	for _, c := range []struct {
		op      string
		outcome vfstest.Outcome
		want    error
		stored  string
	}{
		{"create", vfstest.Refused, nil, "mine"},
		{"create", vfstest.Lost, nil, "mine"},
		{"create", vfstest.Echoed, vfs.ErrConflict, "mine"}, // as the contract has it: no reply was lost here
		{"create", vfstest.Late, nil, "mine"},
		{"replace", vfstest.Refused, nil, "mine"},
		{"replace", vfstest.Lost, nil, "mine"},
		{"replace", vfstest.Late, nil, "mine"},
		{"overwrite", vfstest.Refused, nil, "mine"},
		{"overwrite", vfstest.Lost, nil, "mine"},
		{"delete", vfstest.Refused, nil, ""},
		{"delete", vfstest.Lost, nil, ""},
		{"delete always", vfstest.Lost, nil, ""},
	} {
		t.Run(c.op+" "+c.outcome.String(), func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			opt := bucket(t, server)
			other := open(t, opt)
			l := &line{method: http.MethodPut, outcome: c.outcome}
			opt.Transport = l
			d := open(t, opt)
			var old vfs.Entry
			if c.op != "create" {
				old = put(t, other, "k", "old", vfs.Cond{})
			}
			var e vfs.Entry
			var err error
			switch c.op {
			case "create":
				e, err = d.Put(ctx, "k", []byte("mine"), vfs.IfAbsent(), "tag")
			case "replace":
				e, err = d.Put(ctx, "k", []byte("mine"), vfs.IfVersion(old.Version), "tag")
			case "overwrite":
				e, err = d.Put(ctx, "k", []byte("mine"), vfs.Cond{}, "tag")
			case "delete":
				l.method = http.MethodDelete
				err = d.Delete(ctx, "k", vfs.IfVersion(old.Version))
			case "delete always":
				l.method, l.always = http.MethodDelete, true
				err = d.Delete(ctx, "k", vfs.IfVersion(old.Version))
			}
			if !errors.Is(err, c.want) {
				t.Errorf("%v, want %v (requests: %v)", err, c.want, l.seen)
			}
			if l.late != nil {
				drop(http.DefaultTransport.RoundTrip(l.late))
			}
			data, now, _ := other.Get(ctx, "k", "")
			if string(data) != c.stored {
				t.Errorf("stored %q, want %q", data, c.stored)
			}
			if err == nil && c.stored != "" && (e.Version != now.Version || e.Tag != "tag") {
				t.Errorf("told %+v, but it is %+v", e, now)
			}
		})
	}
}

// TestAReplyLostForGood never hears of its writes: unknown is what it says.
func TestAReplyLostForGood(t *testing.T) {
	server := servers.GoFakeS3(t)
	for name, outcome := range map[string]vfstest.Outcome{"done": vfstest.Lost, "not done": vfstest.Refused} {
		t.Run(name, func(t *testing.T) {
			opt := bucket(t, server)
			opt.Transport = &line{method: http.MethodPut, outcome: outcome, always: true}
			_, err := s3.Patient(open(t, opt), 3).Put(t.Context(), "k", []byte("mine"), vfs.IfAbsent(), "")
			if done := outcome == vfstest.Lost; done != (err == nil) || errors.Is(err, vfs.ErrConflict) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestALostReplyOfOneWhoLost lets another writer win while the connection is
// cut: what is there is not ours, even where it has the same bytes.
func TestALostReplyOfOneWhoLost(t *testing.T) {
	server := servers.GoFakeS3(t)
	for _, theirs := range []string{"theirs", "mine"} {
		opt := bucket(t, server)
		other := open(t, opt)
		opt.Transport = &line{method: http.MethodPut, outcome: vfstest.Refused, then: func() { put(t, other, "k", theirs, vfs.IfAbsent()) }}
		_, err := open(t, opt).Put(t.Context(), "k", []byte("mine"), vfs.IfAbsent(), "")
		if !errors.Is(err, vfs.ErrConflict) {
			t.Errorf("they wrote %q: %v", theirs, err)
		}
	}
}

// TestAWriteThatIsForeignAfterALostReply lets a foreign tool overwrite ours
// before we look for it: it stays, and is not taken for ours.
func TestAWriteThatIsForeignAfterALostReply(t *testing.T) {
	opt := bucket(t, servers.GoFakeS3(t))
	other := open(t, opt)
	opt.Transport = &line{method: http.MethodPut, outcome: vfstest.Lost, then: func() { put(t, other, "k", "foreign", vfs.Cond{}) }}
	_, err := open(t, opt).Put(t.Context(), "k", []byte("mine"), vfs.IfAbsent(), "")
	if !errors.Is(err, vfs.ErrConflict) {
		t.Errorf("%v", err)
	}
	if data, _, _ := other.Get(t.Context(), "k", ""); string(data) != "foreign" {
		t.Errorf("stored %q", data)
	}
}

// TestARefusalAfterALostReply cuts the first try of a write, and refuses all
// that comes after: nobody knows what became of the first, and the error is
// none of those that say that nothing was done.
func TestARefusalAfterALostReply(t *testing.T) {
	for _, code := range []struct {
		status int
		code   string
	}{{403, "AccessDenied"}, {400, "InvalidRequest"}, {501, "NotImplemented"}, {503, "SlowDown"}} {
		for op, method := range map[string]string{"create": "PUT", "put": "PUT", "overwrite": "PUT", "delete": "DELETE"} {
			cut := false
			d := answering(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == method && !cut {
					cut = true
					panic(http.ErrAbortHandler)
				}
				refuse(w, code.status, code.code, "x")
			})
			err := do(t.Context(), s3.Patient(d, 3), op, "k")
			if err == nil || !strings.Contains(err.Error(), "it may have been done") || !strings.Contains(err.Error(), code.code) {
				t.Errorf("%s, then %s: %v", op, code.code, err)
			}
			for _, class := range []error{fs.ErrPermission, fs.ErrInvalid, errors.ErrUnsupported, fs.ErrNotExist, vfs.ErrConflict} {
				if errors.Is(err, class) {
					t.Errorf("%s, then %s: %v is %v", op, code.code, err, class)
				}
			}
		}
	}
}

// TestALookThatFailsLeavesNoDoubt answers the look before a delete with 500 and
// then with what is: that there is no object is no echo of a delete.
func TestALookThatFailsLeavesNoDoubt(t *testing.T) {
	looks := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if looks++; looks == 1 {
			w.WriteHeader(500)
			return
		}
		w.WriteHeader(404)
	}))
	t.Cleanup(server.Close)
	d := open(t, s3.Options{Bucket: "state", Endpoint: server.URL, PathStyle: true, Keys: s3.Keys{ID: "id", Secret: "x"}})
	if err := do(t.Context(), d, "delete", "k"); !errors.Is(err, vfs.ErrConflict) {
		t.Errorf("%v", err)
	}
}

func put(t testing.TB, d vfs.Driver, key, data string, c vfs.Cond) vfs.Entry {
	t.Helper()
	e, err := d.Put(t.Context(), key, []byte(data), c, "")
	if err != nil {
		t.Error(err)
	}
	return e
}
