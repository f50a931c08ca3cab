// Package mem keeps objects in memory: for tests and for scripts that need no
// store after they end. It can behave as either kind of service: one whose
// versions are hashes of the content (S3), or one whose versions are never
// used twice (Google Cloud Storage, Azure).
package mem

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stateroom/stateroom/vfs"
)

// Options say which kind of service to be.
type Options struct {
	UniqueVersions bool             // versions are never used twice; else they are hashes of the content
	Now            func() time.Time // nil: time.Now
	NoTags         bool             // drop tags, as a service without metadata
}

// Driver is a [vfs.Driver] in memory. It is safe for concurrent use.
type Driver struct {
	opt Options

	mu      sync.Mutex
	writes  int64
	objects map[string]object
}

type object struct {
	data  []byte // never changed
	entry vfs.Entry
}

// New returns an empty Driver.
func New(opt Options) *Driver {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	return &Driver{opt: opt, objects: map[string]object{}}
}

// Traits says which kind of service d is.
func (d *Driver) Traits() vfs.Traits {
	return vfs.Traits{Conditions: true, UniqueVersions: d.opt.UniqueVersions, Tags: !d.opt.NoTags}
}

// Get returns an object.
func (d *Driver) Get(ctx context.Context, key string, unless vfs.Version) ([]byte, vfs.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, vfs.Entry{}, err
	}
	d.mu.Lock()
	o, ok := d.objects[key]
	d.mu.Unlock()
	switch {
	case !ok:
		return nil, vfs.Entry{}, fs.ErrNotExist
	case unless != "" && unless == o.entry.Version:
		return nil, vfs.Entry{}, vfs.ErrNotModified
	}
	return append([]byte{}, o.data...), o.entry, nil
}

// Put writes an object if c holds.
func (d *Driver) Put(ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
	if err := ctx.Err(); err != nil {
		return vfs.Entry{}, err
	}
	if d.opt.NoTags {
		tag = ""
	}
	data = bytes.Clone(data)
	d.mu.Lock()
	defer d.mu.Unlock()
	old, ok := d.objects[key]
	if !c.Holds(ok, old.entry.Version) {
		return vfs.Entry{}, vfs.ErrConflict
	}
	d.writes++
	e := vfs.Entry{Key: key, Version: d.version(data), Tag: tag, Size: int64(len(data)), Time: d.opt.Now()}
	d.objects[key] = object{data, e}
	return e, nil
}

// Delete removes an object if c holds.
func (d *Driver) Delete(ctx context.Context, key string, c vfs.Cond) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	old, ok := d.objects[key]
	if !c.Holds(ok, old.entry.Version) {
		return vfs.ErrConflict
	}
	delete(d.objects, key)
	return nil
}

// List yields the objects that are there when the loop begins.
func (d *Driver) List(ctx context.Context, prefix, after string) iter.Seq2[vfs.Entry, error] {
	return func(yield func(vfs.Entry, error) bool) {
		for _, e := range d.matching(prefix, after) {
			if err := ctx.Err(); err != nil {
				yield(vfs.Entry{}, err)
				return
			}
			if !yield(e, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(vfs.Entry{}, err)
		}
	}
}

func (d *Driver) matching(prefix, after string) []vfs.Entry {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []vfs.Entry
	for key, o := range d.objects {
		if strings.HasPrefix(key, prefix) && key > after {
			o.entry.Tag = "" // as on services where only a Get has it
			list = append(list, o.entry)
		}
	}
	slices.SortFunc(list, func(a, b vfs.Entry) int { return strings.Compare(a.Key, b.Key) })
	return list
}

func (d *Driver) version(data []byte) vfs.Version {
	if d.opt.UniqueVersions {
		return vfs.Version(strconv.FormatInt(d.writes, 10))
	}
	sum := sha256.Sum256(data)
	return vfs.Version(hex.EncodeToString(sum[:16]))
}
