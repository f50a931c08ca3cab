// Package reccache keeps log records that never change in a directory of the
// user's own, so that a history is not fetched twice. It is a cache and nothing
// more: whatever goes wrong with it is no error, and an entry that is not what
// it was is dropped.
package reccache

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	dirPerm, filePerm = 0o700, 0o600

	maxEntry = 1 << 20 // bytes; larger records are rare, and would push out the others
	old      = time.Hour
)

// Cache is a directory of records. It is safe for concurrent use, and for use
// by many processes.
type Cache struct {
	dir  string
	size int64 // bytes it may hold

	once sync.Once
	root *os.Root // nil: there is no cache
	trim sync.Once
}

// New returns the cache in a directory, which is made when it is needed. It
// holds about so many bytes.
func New(dir string, size int64) *Cache { return &Cache{dir: dir, size: size} }

// open makes the directory, for its owner alone.
func (c *Cache) open() *os.Root {
	c.once.Do(func() {
		if os.MkdirAll(c.dir, dirPerm) != nil {
			return
		}
		root, err := os.OpenRoot(c.dir)
		if err != nil {
			return
		}
		if fi, err := root.Stat("."); err != nil || fi.Mode().Perm()&0o077 != 0 && root.Chmod(".", dirPerm) != nil {
			root.Close()
			return // others could read it
		}
		c.root = root
	})
	return c.root
}

// name is where the record of a digest lies: what a digest is made of is the
// caller's business.
func name(digest string) string {
	sum := sha256.Sum256([]byte(digest))
	return hex.EncodeToString(sum[:])
}

// Get returns the record of a digest; nil: it is not there.
func (c *Cache) Get(digest string) []byte {
	root := c.open()
	if root == nil {
		return nil
	}
	f, err := root.Open(name(digest))
	if err != nil {
		return nil
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxEntry+sha256.Size+1))
	if err != nil || len(b) < sha256.Size {
		c.Drop(digest)
		return nil
	}
	sum, record := b[:sha256.Size], b[sha256.Size:]
	if got := sha256.Sum256(record); !bytes.Equal(sum, got[:]) {
		c.Drop(digest)
		return nil
	}
	now := time.Now()
	_ = root.Chtimes(name(digest), now, now) // what is used stays
	return record
}

// Put keeps the record of a digest.
func (c *Cache) Put(digest string, record []byte) {
	root := c.open()
	if root == nil || len(record) > maxEntry {
		return
	}
	c.trim.Do(func() { c.shrink(root) })
	if _, err := root.Lstat(name(digest)); err == nil {
		return
	}
	sum := sha256.Sum256(record)
	tmp := "new." + strings.ToLower(rand.Text())
	f, err := root.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, filePerm)
	if err != nil {
		return
	}
	_, err = f.Write(slices.Concat(sum[:], record))
	if closed := f.Close(); err != nil || closed != nil || root.Rename(tmp, name(digest)) != nil {
		_ = root.Remove(tmp)
	}
}

// Drop forgets the record of a digest.
func (c *Cache) Drop(digest string) {
	if root := c.open(); root != nil {
		_ = root.Remove(name(digest))
	}
}

// shrink removes what was left half written, and what was not used for longest
// until a quarter of the cache is free. It is done once in the life of a
// process: one run adds little.
func (c *Cache) shrink(root *os.Root) {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return
	}
	var kept []fs.FileInfo
	total := int64(0)
	for _, e := range entries {
		fi, err := e.Info()
		if err != nil || !fi.Mode().IsRegular() {
			continue
		}
		if strings.HasPrefix(e.Name(), "new.") && time.Since(fi.ModTime()) > old {
			_ = root.Remove(e.Name())
			continue
		}
		kept, total = append(kept, fi), total+fi.Size()
	}
	if total <= c.size*3/4 {
		return
	}
	slices.SortFunc(kept, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for _, fi := range kept {
		if total <= c.size/2 {
			return
		}
		if root.Remove(path.Base(fi.Name())) == nil {
			total -= fi.Size()
		}
	}
}
