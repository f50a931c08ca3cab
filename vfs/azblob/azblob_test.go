package azblob_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stateroom/stateroom/test/servers"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/azblob"
	"github.com/stateroom/stateroom/vfs/vfstest"
)

// TestConformance also holds that connections are used again, after all kinds of
// answers.
func TestConformance(t *testing.T) {
	s := servers.Azurite(t)
	name := s.Container(t)
	var dials atomic.Int32
	transport := servers.Dials(&dials)
	defer transport.CloseIdleConnections()
	open := func() (vfs.Driver, error) {
		return azblob.Open(t.Context(), azblob.Options{
			Account: s.Account, Container: name, Transport: transport,
			Getenv: env{"AZURE_STORAGE_CONNECTION_STRING": s.ConnectionString()}.get,
		})
	}
	for _, err := range vfstest.Findings(vfstest.Test(t.Context(), open, vfstest.Options{})) {
		t.Error(err)
	}
	if dials.Load() > 32 {
		t.Errorf("%d connections", dials.Load())
	}
}

// TestConformanceWhenRepliesAreLost lets one in twenty requests not arrive and
// the reply of one in twenty be lost. All other rules hold all the same.
func TestConformanceWhenRepliesAreLost(t *testing.T) {
	s := servers.Azurite(t)
	name := s.Container(t)
	s.Endpoint = servers.Proxy(t, s.Endpoint, servers.Faults{Fail: .05, Lose: .05, Seed: 7})
	err := vfstest.Test(t.Context(), func() (vfs.Driver, error) { return open(t, s, name), nil }, vfstest.Options{Rounds: 3})
	for _, err := range vfstest.Findings(err) {
		if vfstest.Echo(err) {
			t.Log(err)
		} else {
			t.Error(err)
		}
	}
}

// The conditions that a write needs are sent with it, in one request.
func TestRequests(t *testing.T) {
	s := servers.Azurite(t)
	name := s.Container(t)
	var mu sync.Mutex
	var seen []string
	s.Endpoint = servers.Proxy(t, s.Endpoint, servers.Faults{Seen: func(r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		line := r.Method + " " + strings.TrimPrefix(r.URL.Path, "/"+s.Account+"/"+name) + "?" + r.URL.RawQuery
		for _, h := range []string{"If-Match", "If-None-Match", "X-Ms-Blob-Type", "X-Ms-Meta-Stateroom"} {
			if v := r.Header.Get(h); v != "" {
				line += " " + h + "=" + v
			}
		}
		seen = append(seen, line)
	}})
	d := open(t, s, name)
	one, err := d.Put(t.Context(), "a/b", []byte("1"), vfs.IfAbsent(), "tag 1")
	if err != nil {
		t.Fatal(err)
	}
	two, err := d.Put(t.Context(), "a/b", []byte("2"), vfs.IfVersion(one.Version), "tag 2")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Get(t.Context(), "a/b", two.Version); !errors.Is(err, vfs.ErrNotModified) {
		t.Errorf("get unless: %v", err)
	}
	for e, err := range d.ListDir(t.Context(), "a") {
		if err != nil || e.Key != "a/b" || e.Tag != "tag 2" || e.Version != two.Version {
			t.Errorf("list yields %+v, %v", e, err)
		}
	}
	if err := d.Delete(t.Context(), "a/b", vfs.IfVersion(two.Version)); err != nil {
		t.Fatal(err)
	}
	quote := func(v vfs.Version) string { return `"` + string(v) + `"` }
	want := []string{
		"PUT /a/b? If-None-Match=* X-Ms-Blob-Type=BlockBlob X-Ms-Meta-Stateroom=tag 1",
		"PUT /a/b? If-Match=" + quote(one.Version) + " X-Ms-Blob-Type=BlockBlob X-Ms-Meta-Stateroom=tag 2",
		"GET /a/b? If-None-Match=" + quote(two.Version),
		"GET ?comp=list&delimiter=%2F&include=metadata&prefix=a%2F&restype=container",
		"DELETE /a/b? If-Match=" + quote(two.Version),
	}
	if got := strings.Join(seen, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("requests:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
}

func open(t testing.TB, s servers.Azure, name string) *azblob.Driver {
	t.Helper()
	d, err := azblob.Open(t.Context(), azblob.Options{
		Account: s.Account, Container: name,
		Getenv: env{"AZURE_STORAGE_CONNECTION_STRING": s.ConnectionString()}.get,
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

type env map[string]string

func (e env) get(name string) string { return e[name] }
