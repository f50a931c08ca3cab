package asset

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/stateroom/stateroom/bundle"
)

// stall is how long a download may bring nothing before it is given up.
const stall = 60 * time.Second

// FetchError says which program could not be had, and from where.
type FetchError struct {
	Name, URL string
	Err       error
}

func (e *FetchError) Error() string {
	return fmt.Sprintf("fetch asset %s from %s: %v", e.Name, e.URL, e.Err)
}

func (e *FetchError) Unwrap() error { return e.Err }

// Fetch returns where the program of an asset lies, from the cache, or else
// from its URL (https, http or file): streamed, checked against size and
// digest while it is written, durable. It is there whole or not at all.
func (c *Cache) Fetch(ctx context.Context, a bundle.Asset, p Progress) (string, error) {
	if path, ok := c.Program(a); ok {
		return path, nil
	}
	if !validDigest(a.SHA256) {
		return "", &FetchError{a.Name, a.URL, fmt.Errorf("%.80q is not a sha256: %w", a.SHA256, fs.ErrInvalid)}
	}
	unlock, err := c.lock(ctx, a.SHA256)
	if err != nil {
		return "", &FetchError{a.Name, a.URL, err}
	}
	defer unlock()
	file, ok := c.Path(a.SHA256) // another process may have brought it meanwhile
	if !ok {
		if file, err = c.download(ctx, a, p); err != nil {
			return "", err
		}
	}
	if a.Member == "" {
		return file, nil
	}
	if path, ok := c.Program(a); ok {
		return path, nil
	}
	if err := c.extract(ctx, a, file); err != nil {
		return "", &FetchError{a.Name, a.URL, fmt.Errorf("take %s out of the archive: %w", a.Member, err)}
	}
	return c.member(a), nil
}

func (c *Cache) download(ctx context.Context, a bundle.Asset, p Progress) (string, error) {
	if !a.Fetchable() {
		return "", &MissingError{a, c.Dir}
	}
	path := filepath.Join(c.Dir, "sha256", a.SHA256)
	c.sweep()
	t, err := c.create()
	if err != nil {
		return "", &FetchError{a.Name, a.URL, err}
	}
	defer t.discard()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(stall, func() { cancel(fmt.Errorf("nothing came for %v", stall)) })
	defer watch.Stop()
	step := "fetching " + a.Name
	err = c.open(ctx, a.URL, func(body io.Reader) error {
		return t.fill(ctx, body, a.SHA256, a.Size, func(done int64) {
			watch.Reset(stall)
			p.say(step, done, a.Size)
		})
	})
	if err == nil {
		err = t.commit(path)
	} else if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if err != nil {
		return "", &FetchError{a.Name, a.URL, err}
	}
	return path, nil
}

// open gives read what lies at an address.
func (c *Cache) open(ctx context.Context, address string, read func(io.Reader) error) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	switch u.Scheme {
	case "file":
		f, err := os.Open(filepath.FromSlash(u.Path))
		if err != nil {
			return err
		}
		defer f.Close()
		return read(f)
	case "http", "https":
		return c.get(ctx, address, read)
	}
	return fmt.Errorf("scheme %q: %w", u.Scheme, errors.ErrUnsupported)
}

func (c *Cache) get(ctx context.Context, address string, read func(io.Reader) error) error {
	client := c.Client
	if client == nil {
		client = http.DefaultClient
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	// The digest is that of the bytes as they lie there: no compression on the
	// way, which the client would undo behind our back and without a limit.
	req.Header.Set("Accept-Encoding", "identity")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answered %s", resp.Status)
	}
	return read(resp.Body)
}

// extract takes one program out of a .tar.gz. The archive was checked by its
// digest; what comes out is bounded all the same, and its own digest is kept
// beside it so that it can be verified later.
func (c *Cache) extract(ctx context.Context, a bundle.Asset, archive string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(&reader{ctx: ctx, r: f})
	if err != nil {
		return err
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("the archive has no such file: %w", fs.ErrNotExist)
		}
		if err != nil {
			return err
		}
		if path.Clean(h.Name) == path.Clean(a.Member) && h.Typeflag == tar.TypeReg {
			if h.Size > maxProgram { // the reader gives no more than this
				return fmt.Errorf("it would have %d bytes, more than the limit of %d: %w", h.Size, int64(maxProgram), fs.ErrInvalid)
			}
			return c.keepMember(ctx, a, r)
		}
	}
}

func (c *Cache) keepMember(ctx context.Context, a bundle.Asset, r io.Reader) error {
	t, err := c.create()
	if err != nil {
		return err
	}
	defer t.discard()
	if _, err := io.Copy(t, r); err != nil {
		return err
	}
	sum, _, err := digestFile(ctx, t.Name())
	if err != nil {
		return err
	}
	s, err := c.create()
	if err != nil {
		return err
	}
	defer s.discard()
	if _, err := s.WriteString(sum + "\n"); err != nil {
		return err
	}
	// The digest goes last: a program without one counts as absent.
	if err := t.commit(c.member(a)); err != nil {
		return err
	}
	return s.commit(c.member(a) + ".sha256")
}
