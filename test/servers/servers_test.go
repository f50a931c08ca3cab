package servers_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/stateroom/stateroom/test/servers"
)

// TestServersAnswer starts each server once and makes a place in it.
func TestServersAnswer(t *testing.T) {
	for name, start := range map[string]func(testing.TB) servers.S3{
		"gofakes3": servers.GoFakeS3, "versitygw": servers.Versity, "s3rver": servers.S3rver,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			if a, b := s.Bucket(t), s.Bucket(t); a == b {
				t.Errorf("two buckets are called %s", a)
			}
		})
	}
	t.Run("fake-gcs-server", func(t *testing.T) {
		t.Parallel()
		servers.FakeGCS(t).Bucket(t)
	})
	t.Run("azurite", func(t *testing.T) {
		t.Parallel()
		servers.Azurite(t).Container(t)
	})
	t.Run("sshd", func(t *testing.T) {
		t.Parallel()
		listSFTP(t, servers.SSHD(t))
	})
}

// listSFTP logs in with all that s says and writes into its directory.
func listSFTP(t *testing.T, s servers.SFTP) {
	t.Helper()
	pem, err := os.ReadFile(s.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParsePrivateKey(pem)
	if err != nil {
		t.Fatal(err)
	}
	known, err := knownhosts.New(s.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := ssh.Dial("tcp", s.Address, &ssh.ClientConfig{
		User: s.User, Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: known,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c, err := sftp.NewClient(conn)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Mkdir(s.Dir + "/demo.example.com"); err != nil {
		t.Fatal(err)
	}
}

// TestProxyLosesAndFails counts what reaches the server and what comes back.
func TestProxyLosesAndFails(t *testing.T) {
	var reached, came atomic.Int64
	at := servers.Proxy(t, serve(t, &reached), servers.Faults{
		Fail: 0.2, Lose: 0.2, Seed: 1, Seen: func(*http.Request) { came.Add(1) },
	})
	var good, refused, cut int64
	for range 1000 {
		resp, err := http.Post(at, "text/plain", strings.NewReader("x"))
		switch {
		case err != nil:
			cut++
			continue
		case resp.StatusCode == http.StatusServiceUnavailable:
			refused++
		default:
			good++
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	t.Logf("1000 requests: %d answered, %d refused, %d cut, %d reached the server", good, refused, cut, reached.Load())
	if came.Load() != 1000 || good+refused+cut != 1000 {
		t.Errorf("%d requests came, want 1000", came.Load())
	}
	if lost := reached.Load() - good; lost < 150 || lost > 250 {
		t.Errorf("%d replies were lost, want about 200", lost)
	}
	if unseen := 1000 - reached.Load(); unseen < 150 || unseen > 250 || refused < 60 || cut < 250 {
		t.Errorf("%d requests were not seen, want about 200, half of them refused", unseen)
	}
}

// serve starts a server that counts the requests it sees.
func serve(t *testing.T, reached *atomic.Int64) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		reached.Add(1)
		_, _ = io.WriteString(w, "done")
	}))
	t.Cleanup(server.Close)
	return server.URL
}
