package sftp_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"

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
	rest []byte // of a request that is not whole yet
}

// counter counts the requests on all lines of a driver.
type counter struct {
	mu    sync.Mutex
	n     int
	cut   int  // the request at which the line breaks; 0: none
	done  bool // it is carried out before
	hit   bool
	dead  bool // no line is made any more
	lines []*line
}

func (c *counter) dial(t testing.TB) func(context.Context) (io.ReadWriteCloser, error) {
	return func(context.Context) (io.ReadWriteCloser, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.dead {
			return nil, errors.New("the line is dead")
		}
		cmd := exec.Command(server, "-e", "-l", "ERROR")
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
		l := &line{Reader: out, in: in, counter: c}
		l.end = sync.OnceFunc(func() {
			in.Close()
			go func() { _ = cmd.Wait() }()
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
		if l.cut > 0 && l.n >= l.cut {
			if !l.hit && l.done {
				_, _ = l.in.Write(packet)
			}
			l.hit = true
			l.end()
			return 0, io.ErrClosedPipe
		}
		if _, err := l.in.Write(packet); err != nil {
			return 0, err
		}
	}
	return len(b), nil
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
