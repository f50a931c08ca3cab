package agent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// database is what a snapshot of an etcd looks like to who does not read it:
// pages, and their sum.
func database(pages int) []byte {
	db := bytes.Repeat([]byte("0123456789abcdef"), 32*pages)
	sum := sha256.Sum256(db)
	return append(db, sum[:]...)
}

// answers is what a played etcd says when it is asked for a snapshot.
type answers struct {
	db      []byte
	cut     int    // bytes that are sent, 0: all
	status  string // of the call
	message string
	raw     []byte // instead of all that
	calls   int
}

func (a *answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.calls++
	if r.URL.Path != "/etcdserverpb.Maintenance/Snapshot" || r.ProtoMajor != 2 || r.Header.Get("Content-Type") != "application/grpc" {
		http.Error(w, "not a call", http.StatusNotFound)
		return
	}
	w.Header().Set("Trailer", "Grpc-Status, Grpc-Message")
	w.Header().Set("Content-Type", "application/grpc")
	if a.raw != nil {
		_, _ = w.Write(a.raw)
	}
	db := a.db
	if a.cut > 0 {
		db = db[:a.cut]
	}
	for len(db) > 0 && a.raw == nil {
		piece := db[:min(len(db), 1000)]
		db = db[len(piece):]
		// Header (1), remaining bytes (2), blob (3), version (4).
		m := append([]byte{0x0a, 2, 8, 1, 0x10, 0x80, 1}, 0x1a)
		m = binary.AppendUvarint(m, uint64(len(piece)))
		m = append(append(m, piece...), 0x22, 3, '3', '.', '7')
		_, _ = w.Write(append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(m))), m...))
	}
	w.Header().Set("Grpc-Status", a.status)
	w.Header().Set("Grpc-Message", a.message)
}

// playEtcd serves answers, and returns the etcd that a service would be.
func playEtcd(t *testing.T, a *answers) etcd {
	t.Helper()
	e, ok := etcdOf(playRun(t, a))
	if !ok {
		t.Fatal("no etcd")
	}
	return e
}

// playRun serves answers, and returns how the etcd that does would be run.
func playRun(t *testing.T, a *answers) Run {
	t.Helper()
	s := httptest.NewUnstartedServer(a)
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	ca := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return Run{Name: "etcd-main", Program: "/set/bin/etcd", Args: []string{"--data-dir=" + t.TempDir(), "--listen-client-urls=" + s.URL + ",https://192.0.2.1:1"}, Ready: &Ready{URL: s.URL, CA: ca}}
}

func TestASnapshotIsWholeOrNone(t *testing.T) {
	t.Parallel()
	spoilt := database(9)
	spoilt[700]++
	broken := func(m ...byte) []byte {
		return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(m))), m...)
	}
	for _, c := range []struct {
		name string
		a    answers
		err  string
	}{
		{"whole", answers{db: database(9), status: "0"}, ""},
		{"a single page", answers{db: database(1), status: "0"}, ""},
		{"cut between pages", answers{db: database(9), cut: 1024, status: "0"}, "not whole"},
		{"without its sum", answers{db: database(9), cut: 9 * 512, status: "0"}, "not whole"},
		{"a bit flipped", answers{db: spoilt, status: "0"}, "not whole"},
		{"nothing", answers{status: "0"}, "not whole"},
		{"refused", answers{status: "7", message: "permission denied"}, "permission denied (gRPC status \"7\")"},
		{"whole, and then an error", answers{db: database(9), status: "14", message: "etcdserver:%1b[31m leader%20changed"}, "leader changed"},
		{"no end", answers{db: database(9)}, "EOF"},
		{"half a message", answers{raw: []byte{0, 0, 0, 1, 0, 1, 2}, status: "0"}, "EOF"},
		{"a message without an end", answers{raw: []byte{0, 0xff, 0xff, 0xff, 0xff}, status: "0"}, "a message of 4294967295 bytes"},
		{"compressed", answers{raw: []byte{1, 0, 0, 0, 0}, status: "0"}, "flag 1"},
		{"a blob beyond its message", answers{raw: broken(0x1a, 200, 1), status: "0"}, "no snapshot"},
		{"no protobuf", answers{raw: broken(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), status: "0"}, "no snapshot"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := playEtcd(t, &c.a)
			var got bytes.Buffer
			size, sum, err := e.snapshot(t.Context(), &got)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "\x1b") {
					t.Errorf("error %v, want one with %q", err, c.err)
				}
				return
			}
			want := sha256.Sum256(c.a.db)
			if err != nil || !bytes.Equal(got.Bytes(), c.a.db) || size != int64(len(c.a.db)) || !bytes.Equal(sum, want[:]) {
				t.Errorf("%d bytes, sum %x, %v", size, sum, err)
			}
		})
	}
}

func TestASnapshotNeedsTheRightAuthority(t *testing.T) {
	t.Parallel()
	a := &answers{db: database(1), status: "0"}
	e := playEtcd(t, a)
	e.ready = &Ready{} // the system's authorities
	if _, _, err := e.snapshot(t.Context(), &bytes.Buffer{}); err == nil || a.calls != 0 {
		t.Errorf("%d calls, %v", a.calls, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := e.snapshot(ctx, &bytes.Buffer{}); err == nil {
		t.Error("after its context ended")
	}
}

func TestWhatIsAnEtcd(t *testing.T) {
	t.Parallel()
	args := []string{"--data-dir=/d", "--listen-client-urls=https://h:1"}
	for i, r := range []Run{
		{Program: "/bin/kube-apiserver", Args: args, Ready: &Ready{}},
		{Program: "/bin/etcd", Args: args},
		{Program: "/bin/etcd", Args: args[:1], Ready: &Ready{}},
		{Program: "/bin/etcd", Args: args[1:], Ready: &Ready{}},
	} {
		if _, ok := etcdOf(r); ok {
			t.Errorf("%d: %v is an etcd", i, r)
		}
	}
	e, ok := etcdOf(Run{Name: "e", Program: "/bin/etcd", Args: args, Ready: &Ready{}})
	if got := fmt.Sprintln(ok, e.data, e.client); got != "true /d https://h:1\n" {
		t.Error(got)
	}
}
