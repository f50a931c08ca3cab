package sftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
)

// dialer makes connections by SSH.
type dialer struct{ Options }

// How often a connection is asked whether it is alive, and after how many
// seconds without a request it is closed.
const (
	keepalive = 15 * time.Second
	idleEnd   = 5 * time.Minute
)

// dial logs in and opens a channel that speaks SFTP.
func (d *dialer) dial(ctx context.Context) (io.ReadWriteCloser, error) {
	keys, err := d.hostKeys()
	if err != nil {
		return nil, err
	}
	auth, err := d.login(ctx)
	if err != nil {
		return nil, err
	}
	defer auth.close()
	var dial net.Dialer
	raw, err := dial.DialContext(ctx, "tcp", d.Address)
	if err != nil {
		return nil, unreachable(err)
	}
	stop := context.AfterFunc(ctx, func() {
		_ = raw.Close()
		auth.close() // or one who waits for the agent waits for ever
	})
	defer stop()
	conn, chans, reqs, err := ssh.NewClientConn(raw, d.Address, &ssh.ClientConfig{
		User: d.User, Auth: auth.methods, HostKeyCallback: keys.check, HostKeyAlgorithms: keys.algorithms(d.Address),
	})
	if err != nil {
		_ = raw.Close()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, d.explain(err, auth)
	}
	c := ssh.NewClient(conn, chans, reqs)
	ch, err := channel(c)
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	ch.last, ch.tried = time.Now(), auth.tried
	go ch.keep(d.Timeout)
	return ch, nil
}

// unreachable adds to an error of the network what to do about it.
func unreachable(err error) error {
	var noHost *net.DNSError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return &refusal{err.Error(), "nothing listens there: check host and port in the address, and whether sshd runs", err}
	case errors.As(err, &noHost):
		return &refusal{err.Error(), "check the host in the address; names of ~/.ssh/config are not known here", err}
	}
	return err
}

// stream is the channel with its connection.
type stream struct {
	io.Reader
	io.Writer
	client *ssh.Client
	tried  []string // keys, and the agent
	done   chan struct{}
	once   sync.Once

	mu   sync.Mutex
	last time.Time // of a write
}

func channel(c *ssh.Client) (*stream, error) {
	s, err := c.NewSession()
	if err != nil {
		return nil, fmt.Errorf("open a channel: %w", err)
	}
	in, err := s.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := s.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.RequestSubsystem("sftp"); err != nil {
		return nil, &refusal{"the server offers no sftp to this user", `"Subsystem sftp internal-sftp" in its sshd_config does`, errors.Join(errors.ErrUnsupported, err)}
	}
	return &stream{Reader: out, Writer: in, client: c, done: make(chan struct{})}, nil
}

func (s *stream) Write(b []byte) (int, error) {
	s.mu.Lock()
	s.last = time.Now()
	s.mu.Unlock()
	return s.Writer.Write(b)
}

// Close ends the whole connection.
func (s *stream) Close() error {
	var err error
	s.once.Do(func() {
		close(s.done)
		err = s.client.Close()
	})
	return err
}

// keep asks from time to time whether the server is there, and ends a
// connection that is dead, or that nobody uses.
func (s *stream) keep(timeout time.Duration) {
	tick := time.NewTicker(keepalive)
	defer tick.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-tick.C:
		}
		s.mu.Lock()
		idle := time.Since(s.last)
		s.mu.Unlock()
		if idle > idleEnd || !s.alive(timeout) {
			_ = s.Close()
			return
		}
	}
}

func (s *stream) alive(timeout time.Duration) bool {
	answer := make(chan error, 1)
	go func() {
		_, _, err := s.client.SendRequest("keepalive@openssh.com", true, nil)
		answer <- err
	}()
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case err := <-answer:
		return err == nil
	case <-timer.C:
		return false
	case <-s.done:
		return false
	}
}
