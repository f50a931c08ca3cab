package sftp_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stateroom/stateroom/vfs/sftp"
)

const server = "/usr/lib/openssh/sftp-server"

// line is a program that speaks SFTP on its standard input and output. The
// requests sent to it are counted, and the line can be cut at one of them.
type line struct {
	io.Reader
	in  io.WriteCloser
	end func()
	*counter
	rest   []byte // of a request that is not whole yet
	broken bool
	ended  chan struct{} // closed when the program has ended
}

// counter counts the requests on all lines of a driver.
type counter struct {
	mu    sync.Mutex
	n     int
	cut   int  // the request at which the line breaks; 0: none
	done  bool // it is carried out before
	hit   bool
	dead  bool   // no line is made after the cut
	stop  func() // called before that request, in place of a cut
	lines []*line

	args  []string             // of the server
	user  *syscall.SysProcAttr // that it runs as; nil: who runs the test
	delay time.Duration        // of every answer
	mute  bool                 // what is sent from the cut on is lost without a word
	watch func(packet []byte)  // called before each request

	fail   func(packet []byte) bool // whether the answer to a request is that it failed
	failed map[uint32]bool          // the numbers of such requests
}

func (c *counter) requests() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

func (c *counter) struck() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hit
}

// still ends what is to happen, and waits until the lines that were cut are
// dead: what was under way on them is done.
func (c *counter) still() {
	c.mu.Lock()
	c.stop = nil
	if !c.hit {
		c.cut = 0
	}
	var broken []*line
	for _, l := range c.lines {
		if l.broken {
			broken = append(broken, l)
		}
	}
	c.mu.Unlock()
	for _, l := range broken {
		<-l.ended
	}
}

func (c *counter) dial(t testing.TB) func(context.Context) (io.ReadWriteCloser, error) {
	return func(context.Context) (io.ReadWriteCloser, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.dead && c.hit {
			return nil, errors.New("the client has crashed")
		}
		cmd := exec.Command(server, append([]string{"-e", "-l", "ERROR"}, c.args...)...)
		cmd.SysProcAttr = c.user
		in, err := cmd.StdinPipe()
		if err != nil {
			return nil, err
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			return nil, err
		}
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		l := &line{Reader: c.failing(late(out, c.delay)), in: in, counter: c, ended: make(chan struct{})}
		l.end = sync.OnceFunc(func() {
			in.Close()
			go func() {
				_, _ = cmd.Process.Wait()
				out.Close()
				close(l.ended)
			}()
		})
		c.lines = append(c.lines, l)
		t.Cleanup(l.end)
		return l, nil
	}
}

func (l *line) Close() error { l.end(); return nil }

// Write passes whole requests on, until the line is cut: then that one is
// passed on or not, and nothing comes back.
func (l *line) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, b...)
	for len(l.rest) >= 4 {
		size := int(binary.BigEndian.Uint32(l.rest)) + 4
		if len(l.rest) < size {
			break
		}
		packet := l.rest[:size]
		l.rest = l.rest[size:]
		const initialize = 1
		if packet[4] != initialize {
			l.n++
		}
		if l.mute && l.n >= l.cut {
			continue
		}
		if l.watch != nil {
			l.watch(packet)
		}
		if l.fail != nil && l.fail(packet) {
			l.failed[binary.BigEndian.Uint32(packet[5:])] = true
		}
		if l.stop != nil && l.n == l.cut && !l.hit {
			l.hit = true
			l.stop()
		}
		if l.stop == nil && l.cut > 0 && (l.broken || !l.hit && l.n >= l.cut) {
			if !l.hit && l.done {
				_, _ = l.in.Write(packet)
			}
			l.hit, l.broken = true, true
			l.end()
			return 0, io.ErrClosedPipe
		}
		if _, err := l.in.Write(packet); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// failing passes answers on, and changes those that are to say that a request
// failed.
func (c *counter) failing(r io.Reader) io.Reader {
	if c.fail == nil {
		return r
	}
	c.failed = map[uint32]bool{}
	in, out := io.Pipe()
	go func() {
		for {
			head := make([]byte, 4)
			if _, err := io.ReadFull(r, head); err != nil {
				out.CloseWithError(err)
				return
			}
			packet := make([]byte, binary.BigEndian.Uint32(head))
			if _, err := io.ReadFull(r, packet); err != nil {
				out.CloseWithError(err)
				return
			}
			const status, failure = 101, 4
			c.mu.Lock()
			if packet[0] == status && c.failed[binary.BigEndian.Uint32(packet[1:])] {
				binary.BigEndian.PutUint32(packet[5:], failure)
			}
			c.mu.Unlock()
			if _, err := out.Write(append(head, packet...)); err != nil {
				return
			}
		}
	}()
	return in
}

// late passes on what comes d later.
func late(r io.Reader, d time.Duration) io.Reader {
	if d == 0 {
		return r
	}
	type piece struct {
		at    time.Time
		bytes []byte
		err   error
	}
	pieces := make(chan piece, 10_000)
	go func() {
		for {
			b := make([]byte, 1<<16)
			n, err := r.Read(b)
			pieces <- piece{time.Now().Add(d), b[:n], err}
			if err != nil {
				return
			}
		}
	}()
	in, out := io.Pipe()
	go func() {
		for p := range pieces {
			time.Sleep(time.Until(p.at))
			if _, err := out.Write(p.bytes); err != nil || p.err != nil {
				out.CloseWithError(p.err)
				return
			}
		}
	}()
	return in
}

func open(t testing.TB, dir string, opt sftp.Options) *sftp.Driver {
	t.Helper()
	if opt.Dial == nil {
		opt.Dial = new(counter).dial(t)
	}
	opt.Dir = dir
	d, err := sftp.Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}
