package sftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pkg/sftp"
)

// errLost says that the connection broke, or that no answer came in time:
// whether the request was carried out is not known.
var errLost = errors.New("the connection to the server was lost")

// link is the connection to the server, made when it is first needed and made
// again when it was lost.
type link struct {
	dial    func(ctx context.Context) (io.ReadWriteCloser, error)
	timeout time.Duration
	gate    chan struct{} // held by who connects

	mu  sync.Mutex
	now *client // nil: not connected
}

// client is one connection.
type client struct {
	*sftp.Client
	stream io.Closer
	ended  chan struct{}        // closed when the connection is no more
	team   atomic.Pointer[bool] // the store's directory is a group's; nil: not known yet
	heard  *heard
}

// heard notes when anything last came from the server.
type heard struct {
	io.ReadWriteCloser
	at atomic.Int64 // ns since 1970
}

func (h *heard) Read(b []byte) (int, error) {
	n, err := h.ReadWriteCloser.Read(b)
	if n > 0 {
		h.at.Store(time.Now().UnixNano())
	}
	return n, err
}

func (h *heard) since() time.Duration { return time.Since(time.Unix(0, h.at.Load())) }

// get returns the connection, and makes it if there is none.
func (l *link) get(ctx context.Context) (*client, error) {
	select {
	case l.gate <- struct{}{}:
		defer func() { <-l.gate }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	c := l.now
	l.mu.Unlock()
	if c != nil {
		select {
		case <-c.ended:
		default:
			return c, nil
		}
	}
	c, err := l.connect(ctx)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.now = c
	l.mu.Unlock()
	return c, nil
}

func (l *link) connect(ctx context.Context) (*client, error) {
	soon, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	c, err := l.begin(soon)
	if err != nil && soon.Err() != nil && ctx.Err() == nil {
		err = &refusal{
			fmt.Sprintf("no session of SFTP within %v", l.timeout),
			"check host and port in the address, the network, and whether an agent waits for you to confirm", os.ErrDeadlineExceeded,
		}
	}
	return c, err
}

func (l *link) begin(ctx context.Context) (*client, error) {
	raw, err := l.dial(ctx)
	if err != nil {
		return nil, err
	}
	stream := &heard{ReadWriteCloser: raw}
	stop := context.AfterFunc(ctx, func() { stream.Close() })
	defer stop()
	c, err := sftp.NewClientPipe(stream, stream, sftp.UseConcurrentWrites(true))
	if err != nil {
		stream.Close()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, fmt.Errorf("begin a session of SFTP: %w", err)
	}
	cl := &client{Client: c, stream: raw, ended: make(chan struct{}), heard: stream}
	go func() {
		_ = c.Wait()
		stream.Close()
		close(cl.ended)
	}()
	return cl, nil
}

// drop ends a connection; nil: the one there is.
func (l *link) drop(c *client) {
	l.mu.Lock()
	if c == nil {
		c = l.now
	}
	if l.now == c {
		l.now = nil
	}
	l.mu.Unlock()
	if c != nil {
		c.stream.Close()
	}
}

// has reports whether c is the connection that there is.
func (l *link) has(c *client) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-c.ended:
		return false
	default:
		return l.now == c
	}
}

// session is one connection in use for one call of the driver.
type session struct {
	*Driver
	c *client
}

func (d *Driver) session(ctx context.Context) (*session, error) {
	c, err := d.link.get(ctx)
	if err != nil {
		return nil, err
	}
	return &session{d, c}, nil
}

// do makes one request: it waits for f until ctx is done, or the server is
// given up. What the server did not answer itself is [errLost].
func (s *session) do(ctx context.Context, f func() error) error {
	_, err := ask(ctx, s, func() (struct{}, error) { return struct{}{}, f() })
	return err
}

// ask is do for a request that is answered with more than a status.
func ask[T any](ctx context.Context, s *session, f func() (T, error)) (T, error) {
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	type reply struct {
		value T
		err   error
	}
	done := make(chan reply, 1)
	go func() {
		v, err := f()
		done <- reply{v, err}
	}()
	timer := time.NewTimer(s.link.timeout)
	defer timer.Stop()
	for began := time.Now(); ; {
		select {
		case r := <-done:
			if r.err == nil || answered(r.err) {
				return r.value, r.err
			}
			s.link.drop(s.c)
			return none, fmt.Errorf("%w: %w", errLost, r.err)
		case <-ctx.Done():
			return none, ctx.Err()
		case <-timer.C:
		}
		// A large file, or a directory of many names, is more than one answer.
		if rest := s.link.timeout - s.c.heard.since(); rest > 0 && time.Since(began) < patient*s.link.timeout {
			timer.Reset(rest)
			continue
		}
		s.link.drop(s.c)
		return none, fmt.Errorf("%w: no answer within %v", errLost, s.link.timeout)
	}
}

// patient is how many times longer what goes on may take than one answer.
const patient = 20

// The requests. Names are relative to the store's directory.

func (s *session) lstat(ctx context.Context, name string) (os.FileInfo, error) {
	return ask(ctx, s, func() (os.FileInfo, error) { return s.c.Lstat(s.path(name)) })
}

func (s *session) open(ctx context.Context, name string, flags int) (*sftp.File, error) {
	return ask(ctx, s, func() (*sftp.File, error) {
		f, err := s.c.OpenFile(s.path(name), flags)
		if err == nil && ctx.Err() != nil {
			_ = f.Close() // nobody waits for it any more
		}
		return f, err
	})
}

// closeLater closes a file without waiting for the answer.
func (s *session) closeLater(f *sftp.File) {
	if f != nil {
		go func() { _ = f.Close() }()
	}
}

func (s *session) readDir(ctx context.Context, name string) ([]os.FileInfo, error) {
	return ask(ctx, s, func() ([]os.FileInfo, error) { return s.c.ReadDirContext(ctx, s.path(name)) })
}

func (s *session) linkNew(ctx context.Context, from, to string) error {
	return s.do(ctx, func() error { return s.c.Link(s.path(from), s.path(to)) })
}

// rename replaces what is there.
func (s *session) rename(ctx context.Context, from, to string) error {
	return s.do(ctx, func() error { return s.c.PosixRename(s.path(from), s.path(to)) })
}

func (s *session) remove(ctx context.Context, name string) error {
	return s.do(ctx, func() error { return s.c.Remove(s.path(name)) })
}

func (s *session) removeDir(ctx context.Context, name string) error {
	return s.do(ctx, func() error { return s.c.RemoveDirectory(s.path(name)) })
}

// both calls all fs at once and returns the first error in their order.
func both(fs ...func() error) error {
	errs := make([]error, len(fs))
	var wg sync.WaitGroup
	for i, f := range fs {
		wg.Go(func() { errs[i] = f() })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
