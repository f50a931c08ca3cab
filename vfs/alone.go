package vfs

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"sync"
)

// Alone returns f for one who is sure to be the only writer: where the service
// answers that it has no conditions, a condition is looked at before the write
// instead. Two such writers at a time overwrite each other unseen. Where the
// service has conditions, they are used.
func (f *FS) Alone() *FS {
	return &FS{d: &alone{Driver: f.d}, name: f.name, dir: f.dir}
}

// alone is a driver for a single writer.
type alone struct {
	Driver
	locks sync.Map // key -> *sync.Mutex: among our own goroutines
}

// Put writes if c holds.
func (a *alone) Put(ctx context.Context, key string, data []byte, c Cond, tag string) (e Entry, err error) {
	err = a.try(ctx, key, c, func(c Cond) error {
		e, err = a.Driver.Put(ctx, key, data, c, tag)
		return err
	})
	return e, err
}

// Delete deletes if c holds.
func (a *alone) Delete(ctx context.Context, key string, c Cond) error {
	return a.try(ctx, key, c, func(c Cond) error { return a.Driver.Delete(ctx, key, c) })
}

// try writes under c where the service can, and else without, after looking.
func (a *alone) try(ctx context.Context, key string, c Cond, write func(Cond) error) error {
	if c.IsZero() {
		return write(c)
	}
	if TraitsOf(a.Driver).Conditions {
		if err := write(c); !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	lock, _ := a.locks.LoadOrStore(key, new(sync.Mutex))
	lock.(*sync.Mutex).Lock()
	defer lock.(*sync.Mutex).Unlock()
	_, e, err := a.Get(ctx, key, "")
	exists := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !c.Holds(exists, e.Version) {
		return ErrConflict
	}
	return write(Cond{})
}

// ListDir passes on.
func (a *alone) ListDir(ctx context.Context, dir string) iter.Seq2[Entry, error] {
	return ListDir(ctx, a.Driver, dir)
}

// Lock passes on.
func (a *alone) Lock(ctx context.Context, name string) (func(), error) {
	return Lock(ctx, a.Driver, name)
}

// Traits says that there are conditions: of the service, or by looking.
func (a *alone) Traits() Traits {
	t := TraitsOf(a.Driver)
	t.Conditions = true
	return t
}
