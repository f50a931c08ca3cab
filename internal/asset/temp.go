package asset

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/internal/durable"
)

// maxProgram bounds, in bytes, what a file without a known size may grow to.
const maxProgram = 4 << 30

// temp is a file of the cache that is being written.
type temp struct {
	*os.File
	done bool
}

func (c *Cache) create() (*temp, error) {
	dir := filepath.Join(c.Dir, "tmp")
	if err := durable.MkdirAll(dir, 0o700, nil); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(dir, "new-")
	if err != nil {
		return nil, err
	}
	return &temp{File: f}, nil
}

// lock lets one process at a time fetch a file; the others wait and find it.
// It saves downloads: nothing is correct because of it.
func (c *Cache) lock(ctx context.Context, sum string) (unlock func(), err error) {
	dir := filepath.Join(c.Dir, "tmp")
	if err := durable.MkdirAll(dir, 0o700, nil); err != nil {
		return nil, err
	}
	t, err := durable.Open(dir, nil)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	return t.Lock(ctx, sum+".lock", 0o600)
}

// abandoned is how old a file in tmp/, or the folder of a build, is that no living
// process writes.
const abandoned = 24 * time.Hour

// sweep removes what crashed downloads and builds left, as far as it can. A build
// leaves gigabytes.
func (c *Cache) sweep() {
	for _, pattern := range []string{filepath.Join("tmp", "new-*"), "build-*"} {
		all, _ := filepath.Glob(filepath.Join(c.Dir, pattern)) // the pattern is a good one
		for _, f := range all {
			if st, err := os.Stat(f); err == nil && time.Since(st.ModTime()) > abandoned {
				_ = os.RemoveAll(f)
			}
		}
	}
}

// fill writes r and checks it on the way: its digest, its size where that is
// known (else 0), and that it ends at all.
func (t *temp) fill(ctx context.Context, r io.Reader, sum string, size int64, tell func(done int64)) error {
	limit := size
	if limit == 0 {
		limit = maxProgram
	}
	h := sha256.New()
	in := &reader{ctx: ctx, r: io.LimitReader(r, limit+1), tell: tell}
	n, err := io.Copy(io.MultiWriter(t, h), in)
	switch got := hex.EncodeToString(h.Sum(nil)); {
	case err != nil:
		return err
	case n > limit:
		return fmt.Errorf("more than the %d bytes expected: %w", limit, bundle.ErrDigest)
	case size > 0 && n < size:
		return fmt.Errorf("%d bytes instead of %d: %w", n, size, io.ErrUnexpectedEOF)
	case got != sum:
		return fmt.Errorf("sha256 %s instead of %s: %w", got, sum, bundle.ErrDigest)
	}
	return nil
}

// reopen turns to the file that was renamed over this one.
func (t *temp) reopen() error {
	f, err := os.OpenFile(t.Name(), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	t.Close()
	t.File = f
	return nil
}

// commit makes the file executable and durable, and gives it its name.
func (t *temp) commit(path string) error {
	if err := errors.Join(t.Chmod(0o755), t.Sync(), t.Close()); err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := durable.MkdirAll(dir, 0o700, nil); err != nil {
		return err
	}
	if err := os.Rename(t.Name(), path); err != nil {
		return err
	}
	t.done = true
	d, err := durable.Open(dir, nil)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.SyncDir(".")
}

// discard removes the file unless it was committed.
func (t *temp) discard() {
	if !t.done {
		t.Close()
		_ = os.Remove(t.Name()) // a leftover in tmp/ harms nobody
	}
}
