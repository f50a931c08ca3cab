// Package servers starts the servers that tests run against: object stores
// that speak S3, Google Cloud Storage and Azure Blob Storage, a real sshd, and
// a proxy that loses requests and replies. All listen on loopback at a port of
// their own, keep what they are given only as long as the test runs, and are
// ended by its Cleanup, or by the kernel when the test binary dies.
//
// A server that cannot be started fails the test; none is ever skipped. Their
// programs are built or installed once into a cache folder of the user, from
// the lock files in programs and node. sshd is the system's.
//
// The usual calls:
//
//	s := servers.Versity(t)
//	url := servers.Proxy(t, s.Endpoint, servers.Faults{Lose: 0.05, Seed: seed})
//	bucket := s.Bucket(t)
package servers

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	starts   = 3                // attempts, for a port that another process took meanwhile
	patience = 60 * time.Second // for a server to answer, on a busy machine
	keptLog  = 8 << 10          // bytes of a server's last words that a failed test shows
)

// start runs the program that command makes for a free port, waits until ready
// answers true, and has the test's Cleanup end it. It returns the port.
func start(t testing.TB, name string, command func(port int) *exec.Cmd, ready func(port int) bool) int {
	t.Helper()
	var said *tail
	for range starts {
		port := freePort(t)
		cmd := command(port)
		said = &tail{}
		p, err := run(cmd, said)
		if err != nil {
			t.Fatalf("start %s: %v", name, err)
		}
		if p.await(func() bool { return ready(port) }) {
			t.Cleanup(func() {
				p.end()
				if t.Failed() {
					t.Logf("what %s said last:\n%s", name, said)
				}
			})
			return port
		}
		p.end()
	}
	t.Fatalf("start %s: it did not get ready; it said:\n%s", name, said)
	return 0
}

// process is a running server.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// run starts cmd in a process group of its own. The kernel kills it when the
// thread that started it ends, so one goroutine keeps that thread until cmd
// has ended.
func run(cmd *exec.Cmd, out *tail) (*process, error) {
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = tied()
	cmd.WaitDelay = time.Second // for children that hold its output
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.done)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how a server ends says nothing: it is killed
		}
	}()
	return p, <-started
}

// await polls ready until it is true, and is false when the process ends or
// time runs out.
func (p *process) await(ready func() bool) bool {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ready() {
			select {
			case <-p.done: // another process answers at this port
				return false
			case <-time.After(20 * time.Millisecond):
				return p.alive()
			}
		}
		if !p.alive() {
			return false
		}
	}
	return false
}

func (p *process) alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// end kills the process and its group, and waits until it is gone.
func (p *process) end() {
	if p.alive() { // else its number may be another's by now
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	}
	<-p.done
}

// answers reports whether an HTTP server answers at the port, whatever it says.
func answers(port int) bool {
	client := http.Client{Timeout: 2 * time.Second}
	resp, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d/", port))
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return true
}

// freePort returns a port of loopback that nobody listens on now.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// fresh returns a name that no bucket or container has yet.
func fresh(t testing.TB) string {
	t.Helper()
	b := make([]byte, 6)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return "stateroom-" + hex.EncodeToString(b)
}

// do sends a request that has to succeed.
func do(t testing.TB, req *http.Request) {
	t.Helper()
	client := http.Client{Timeout: patience}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		var said bytes.Buffer
		_, _ = said.ReadFrom(resp.Body)
		t.Fatalf("%s %s: %s\n%s", req.Method, req.URL, resp.Status, said.Bytes())
	}
}

// tail keeps the end of what is written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (w *tail) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.b = append(w.b, p...)
	if over := len(w.b) - keptLog; over > 0 {
		w.b = w.b[over:]
	}
	return len(p), nil
}

func (w *tail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.ToValidUTF8(string(w.b), "?")
}
