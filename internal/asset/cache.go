// Package asset keeps the programs that hosts run: one cache of files by their
// sha256, shared by all clusters and agents of a machine. A program comes into
// it by [Cache.Fetch] (from an URL, or out of an archive at one), by
// [Cache.BuildKubernetes] (from source) or by [Cache.Add]; it is whole, durable
// and of the digest it is named by, or it is not there.
//
// The layout of a cache:
//
//	sha256/{hex}            a file of that digest, mode 0755
//	members/{hex}/{name}    a program out of the archive of that digest, and
//	                        beside it {name}.sha256, its own digest
//	tmp/                    what is being written
package asset

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/stateroom/stateroom/bundle"
)

// Progress hears how far a step is, in bytes or other units; total 0: not
// known. A nil Progress is nobody listening.
type Progress func(step string, done, total int64)

func (p Progress) say(step string, done, total int64) {
	if p != nil {
		p(step, done, total)
	}
}

// A Cache is a directory of programs. Any number of processes may use the same
// one at the same time. It is made by the first write.
type Cache struct {
	Dir    string
	Client *http.Client // for http and https; nil: http.DefaultClient
}

// MissingError says that a program is not in the cache and cannot be fetched.
type MissingError struct {
	Asset bundle.Asset
	Dir   string
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("asset %s (sha256 %.12s) is not in the cache %s and has no address to fetch it from", e.Asset.Name, e.Asset.SHA256, e.Dir)
}

// Is makes a MissingError an fs.ErrNotExist.
func (e *MissingError) Is(target error) bool { return target == fs.ErrNotExist }

// Hint says what a person can do.
func (e *MissingError) Hint() string {
	if strings.HasPrefix(e.Asset.URL, "source:") {
		return "build it into that cache on this machine (stateroom up does), or copy the cache of the machine that built it"
	}
	return "copy the cache of a machine that has it, or give the asset a URL in the catalogue"
}

// Path returns where the file of a digest lies, if it is in the cache.
func (c *Cache) Path(sha256 string) (string, bool) {
	path := filepath.Join(c.Dir, "sha256", sha256)
	if !validDigest(sha256) {
		return "", false
	}
	st, err := os.Stat(path)
	return path, err == nil && st.Mode().IsRegular()
}

// Program returns where the program of an asset lies, if it is in the cache:
// the file itself, or what was taken out of the archive.
func (c *Cache) Program(a bundle.Asset) (string, bool) {
	if a.Member == "" {
		return c.Path(a.SHA256)
	}
	path := c.member(a)
	_, err := os.Stat(path)
	_, sumErr := os.Stat(path + ".sha256")
	return path, err == nil && sumErr == nil && validDigest(a.SHA256)
}

// Verify reads the program of an asset and checks it against its digest. What
// does not fit is taken out of the cache, so that the next Fetch mends it.
func (c *Cache) Verify(ctx context.Context, a bundle.Asset) error {
	path, ok := c.Program(a)
	if !ok {
		return fmt.Errorf("verify asset %s: %w", a.Name, fs.ErrNotExist)
	}
	want := a.SHA256
	if a.Member != "" {
		sum, err := os.ReadFile(path + ".sha256")
		if err != nil {
			return fmt.Errorf("verify asset %s: %w", a.Name, err)
		}
		want = strings.TrimSpace(string(sum))
	}
	got, _, err := digestFile(ctx, path)
	if err != nil {
		return fmt.Errorf("verify asset %s: %w", a.Name, err)
	}
	if got == want {
		return nil
	}
	return fmt.Errorf("verify asset %s: %s has other bytes: %w", a.Name, path, errors.Join(bundle.ErrDigest, os.Remove(path)))
}

// Add takes a finished file into the cache and returns its digest and size in
// bytes. A file on the same disk is moved, any other copied and removed.
func (c *Cache) Add(ctx context.Context, file string) (sum string, size int64, err error) {
	if sum, size, err = digestFile(ctx, file); err != nil {
		return "", 0, fmt.Errorf("add %s to the cache: %w", file, err)
	}
	if _, ok := c.Path(sum); ok {
		return sum, size, os.Remove(file)
	}
	if err = c.take(ctx, file, sum); err != nil {
		return "", 0, fmt.Errorf("add %s to the cache: %w", file, err)
	}
	return sum, size, nil
}

// take moves a file into its place by way of tmp/, so that it is whole there
// from the first moment on.
func (c *Cache) take(ctx context.Context, file, sum string) error {
	t, err := c.create()
	if err != nil {
		return err
	}
	defer t.discard()
	if os.Rename(file, t.Name()) == nil {
		if err := t.reopen(); err != nil {
			return err
		}
		return t.commit(filepath.Join(c.Dir, "sha256", sum))
	}
	in, err := os.Open(file) // another disk
	if err != nil {
		return err
	}
	defer in.Close()
	if err := t.fill(ctx, in, sum, 0, func(int64) {}); err != nil {
		return err
	}
	return errors.Join(t.commit(filepath.Join(c.Dir, "sha256", sum)), os.Remove(file))
}

func (c *Cache) member(a bundle.Asset) string {
	return filepath.Join(c.Dir, "members", a.SHA256, url.PathEscape(a.Member))
}

// validDigest keeps a digest that is none from becoming a path.
func validDigest(s string) bool {
	return len(s) == 2*sha256.Size && strings.Trim(s, "0123456789abcdef") == ""
}

func digestFile(ctx context.Context, path string) (sum string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	size, err = io.Copy(h, &reader{ctx: ctx, r: f})
	return hex.EncodeToString(h.Sum(nil)), size, err
}

// reader ends with its context and tells how far it is.
type reader struct {
	ctx  context.Context
	r    io.Reader
	done int64
	tell func(done int64)
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.r.Read(p)
	r.done += int64(n)
	if r.tell != nil {
		r.tell(r.done)
	}
	return n, err
}
