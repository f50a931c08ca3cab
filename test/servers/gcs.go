package servers

import (
	"fmt"
	"net/http"
	"os/exec"
	"strings"
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
