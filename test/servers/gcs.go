package servers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// GCS is a server that speaks the JSON API of Google Cloud Storage. It asks
// for no credentials.
type GCS struct {
	Endpoint string // http://127.0.0.1:PORT
}

// Bucket makes an empty bucket and returns its name.
func (g GCS) Bucket(t testing.TB) string {
	t.Helper()
	name := fresh(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.Endpoint+"/storage/v1/b?project=test",
		strings.NewReader(`{"name":"`+name+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	do(t, req)
	return name
}

// FakeGCS starts fake-gcs-server over memory. It honours the conditions of
// inserts, and ignores those of deletes and reads.
func FakeGCS(t testing.TB) GCS {
	t.Helper()
	bin := program(t, "fake-gcs-server")
	port := start(t, "fake-gcs-server", func(port int) *exec.Cmd {
		return exec.Command(bin, "-scheme", "http", "-host", "127.0.0.1", "-port", fmt.Sprint(port),
			"-public-host", fmt.Sprintf("127.0.0.1:%d", port), "-backend", "memory", "-log-level", "warn")
	}, answers)
	return GCS{Endpoint: fmt.Sprintf("http://127.0.0.1:%d", port)}
}

// Honest returns the server behind a proxy that keeps ifGenerationMatch on
// DELETE, as Google does: it looks first, and lets no write pass meanwhile.
func (g GCS) Honest(t testing.TB) GCS {
	t.Helper()
	to, err := url.Parse(g.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	var writes sync.RWMutex
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		want := r.URL.Query().Get("ifGenerationMatch")
		switch {
		case r.Method == http.MethodDelete && want != "":
			writes.Lock()
			defer writes.Unlock()
			if status := generationIs(r, to, want); status != http.StatusOK {
				http.Error(w, `{"error":{"message":"condition not met"}}`, status)
				return
			}
		case r.Method != http.MethodGet:
			writes.RLock()
			defer writes.RUnlock()
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return GCS{Endpoint: server.URL}
}

// generationIs asks for the object that a DELETE names, and says with which
// status it is to be refused; 200: it is at the generation wanted.
func generationIs(r *http.Request, to *url.URL, want string) int {
	at := url.URL{Scheme: to.Scheme, Host: to.Host, Path: r.URL.Path, RawPath: r.URL.RawPath}
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, at.String(), nil)
	if err != nil {
		return http.StatusBadRequest
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return http.StatusBadGateway
	}
	defer func() { _ = resp.Body.Close() }()
	var object struct{ Generation string }
	if err := json.NewDecoder(resp.Body).Decode(&object); err != nil || resp.StatusCode != http.StatusOK {
		return resp.StatusCode
	}
	if object.Generation != want {
		return http.StatusPreconditionFailed
	}
	return http.StatusOK
}
