package stores_test

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"sync"

	"github.com/stateroom/stateroom/vfs"
)

var (
	errFailed = errors.New("the request was not made")
	errLost   = errors.New("the reply was lost")
)

// flaky is a driver some of whose calls are not made, and some of whose
// answers are lost: what a proxy does to HTTP, for drivers that speak something
// else.
type flaky struct {
	vfs.Driver
	mu     sync.Mutex
	random *rand.Rand
}

// strike says what becomes of a call.
func (f *flaky) strike() (failed, lost error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch x := f.random.Float64(); {
	case x < faultShare:
		return errFailed, nil
	case x < 2*faultShare:
		return nil, errLost
	}
	return nil, nil
}

func (f *flaky) Get(ctx context.Context, key string, unless vfs.Version) ([]byte, vfs.Entry, error) {
	failed, lost := f.strike()
	if failed != nil {
		return nil, vfs.Entry{}, failed
	}
	data, e, err := f.Driver.Get(ctx, key, unless)
	if lost != nil {
		return nil, vfs.Entry{}, lost
	}
	return data, e, err
}

func (f *flaky) Put(ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
	failed, lost := f.strike()
	if failed != nil {
		return vfs.Entry{}, failed
	}
	e, err := f.Driver.Put(ctx, key, data, c, tag)
	if lost != nil {
		return vfs.Entry{}, lost
	}
	return e, err
}

func (f *flaky) Delete(ctx context.Context, key string, c vfs.Cond) error {
	failed, lost := f.strike()
	if failed != nil {
		return failed
	}
	err := f.Driver.Delete(ctx, key, c)
	if lost != nil {
		return lost
	}
	return err
}

func (f *flaky) List(ctx context.Context, prefix, after string) iter.Seq2[vfs.Entry, error] {
	return f.list(func() iter.Seq2[vfs.Entry, error] { return f.Driver.List(ctx, prefix, after) })
}

// ListDir fails as List does.
func (f *flaky) ListDir(ctx context.Context, dir string) iter.Seq2[vfs.Entry, error] {
	return f.list(func() iter.Seq2[vfs.Entry, error] { return vfs.ListDir(ctx, f.Driver, dir) })
}

func (f *flaky) list(of func() iter.Seq2[vfs.Entry, error]) iter.Seq2[vfs.Entry, error] {
	return func(yield func(vfs.Entry, error) bool) {
		if failed, lost := f.strike(); failed != nil || lost != nil {
			yield(vfs.Entry{}, errors.Join(failed, lost))
			return
		}
		for e, err := range of() {
			if !yield(e, err) {
				return
			}
		}
	}
}

// Lock passes on.
func (f *flaky) Lock(ctx context.Context, name string) (func(), error) {
	return vfs.Lock(ctx, f.Driver, name)
}

// Traits passes on.
func (f *flaky) Traits() vfs.Traits { return vfs.TraitsOf(f.Driver) }
