// Package cache keeps what never changes, log records and files, in a directory
// of the user's own, so that it is not fetched twice. It is a cache and nothing
// more: whatever goes wrong with it is no error, and an entry that is not what
// it was is dropped.
package cache

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

	maxEntry = 1 << 20 // bytes; larger ones are rare, and would push out the others
	old      = time.Hour
)

// Cache is a directory of entries. It is safe for concurrent use, and for use
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

// name is where the entry of a key lies.
func name(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// Get returns the entry of a key; nil: it is not there.
func (c *Cache) Get(key string) []byte {
	root := c.open()
	if root == nil {
		return nil
	}
	f, err := root.Open(name(key))
	if err != nil {
		return nil
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxEntry+sha256.Size+1))
	if err != nil || len(b) < sha256.Size {
		c.Drop(key)
		return nil
	}
	sum, entry := b[:sha256.Size], b[sha256.Size:]
	if got := sha256.Sum256(entry); !bytes.Equal(sum, got[:]) {
		c.Drop(key)
		return nil
	}
	now := time.Now()
	_ = root.Chtimes(name(key), now, now) // what is used stays
	return entry
}

// Put keeps the entry of a key.
func (c *Cache) Put(key string, entry []byte) {
	root := c.open()
	if root == nil || len(entry) > maxEntry {
		return
	}
	c.trim.Do(func() { c.shrink(root) })
	if _, err := root.Lstat(name(key)); err == nil {
		return
	}
	sum := sha256.Sum256(entry)
	tmp := "new." + strings.ToLower(rand.Text())
	f, err := root.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, filePerm)
	if err != nil {
		return
	}
	_, err = f.Write(slices.Concat(sum[:], entry))
	if closed := f.Close(); err != nil || closed != nil || root.Rename(tmp, name(key)) != nil {
		_ = root.Remove(tmp)
	}
}

// Drop forgets the entry of a key.
func (c *Cache) Drop(key string) {
	if root := c.open(); root != nil {
		_ = root.Remove(name(key))
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
