package vfs

import (
	"context"
	"errors"
	"io/fs"
	"sync"
)

// Alone returns f for one who is sure to be the only writer: where the service
// is not known to keep conditions, a condition is looked at before the write,
// which carries it all the same if the service takes it. Two such writers at a
// time overwrite each other unseen. Where the service is known to keep
// conditions, they are used.
func (f *FS) Alone() *FS {
	if _, ok := f.d.(*alone); ok {
		return f
	}
	return &FS{d: &alone{Driver: f.d}, name: f.name, dir: f.dir}
}

// alone is a driver for a single writer.
type alone struct {
	Driver
	locks sync.Map // key -> chan struct{} of one place: among our own goroutines
}

// Traits says that there are conditions: of the service, or by looking.
func (a *alone) Traits() Traits {
	t := TraitsOf(a.Driver)
	t.Conditions = true
	return t
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

// try writes under c as far as the service is to be believed, and else after
// looking.
func (a *alone) try(ctx context.Context, key string, c Cond, write func(Cond) error) error {
	t := TraitsOf(a.Driver)
	if c.IsZero() {
		return write(c)
	}
	if t.Conditions && !t.Unproven {
		if err := write(c); !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	unlock, err := a.lock(ctx, key)
	if err != nil {
		return err
	}
	defer unlock()
	if err := a.look(ctx, key, c); err != nil {
		return err
	}
	if t.Conditions && t.Unproven {
		if err := write(c); !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	return write(Cond{})
}

func (a *alone) lock(ctx context.Context, key string) (unlock func(), err error) {
	l, _ := a.locks.LoadOrStore(key, make(chan struct{}, 1))
	place := l.(chan struct{})
	select {
	case place <- struct{}{}:
		return func() { <-place }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// look returns [ErrConflict] where c does not hold.
func (a *alone) look(ctx context.Context, key string, c Cond) error {
	_, e, err := a.Get(ctx, key, "")
	absent := errors.Is(err, fs.ErrNotExist)
	if err != nil && !absent {
		return err
	}
	if !c.Holds(!absent, e.Version) {
		return ErrConflict
	}
	return nil
}

// ability returns d as one of the optional interfaces of a driver. A single
// writer's driver can do what the one behind it can.
func ability[T any](d Driver) (T, bool) {
	if a, ok := d.(*alone); ok {
		d = a.Driver
	}
	t, ok := d.(T)
	return t, ok
}
