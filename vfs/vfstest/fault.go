package vfstest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/stateroom/stateroom/vfs"
)

// Outcome is what becomes of the call that a [Faulty] strikes.
type Outcome int

// The outcomes. They differ for writes; a read that is not done and a read
// whose reply is lost are both an error.
const (
	Refused      Outcome = iota // not done, and the caller is told so
	Lost                        // done, but the reply is lost
	Echoed                      // done, the reply lost, and the driver's own retry answered instead
	Crashed                     // not done, and neither is any call after it
	CrashedAfter                // done, and no call after it is
	Late                        // an error now, and done when Land is called
)

// Outcomes are those that need nothing of the test but to go on.
var Outcomes = []Outcome{Refused, Lost, Echoed, Crashed, CrashedAfter}

func (o Outcome) String() string {
	return [...]string{"refused", "lost", "echoed", "crashed", "crashed after", "late"}[o]
}

// ErrStruck is the cause of every error that a [Faulty] makes up.
var ErrStruck = errors.New("struck by the test")

// Faulty is a driver one call of which goes wrong.
type Faulty struct {
	wrapper
	n       int
	outcome Outcome

	mu    sync.Mutex
	calls int
	late  func(context.Context)
}

// Fault returns d with its n-th call from now, counted from 0, struck. Locks
// are no calls.
func Fault(d vfs.Driver, n int, o Outcome) *Faulty {
	return &Faulty{wrapper: wrapper{d}, n: n, outcome: o}
}

// Hit reports whether the call to strike was made.
func (f *Faulty) Hit() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls > f.n
}

// Land does the write that was struck as [Late], and reports whether there was
// one to do. What it answers, nobody hears.
func (f *Faulty) Land(ctx context.Context) bool {
	f.mu.Lock()
	late := f.late
	f.late = nil
	f.mu.Unlock()
	if late == nil {
		return false
	}
	late(ctx)
	return true
}

type fate int

const (
	untouched fate = iota
	struck
	dead
)

// next counts a call and says what becomes of it.
func (f *Faulty) next() fate {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	switch {
	case f.calls-1 == f.n:
		return struck
	case f.calls-1 > f.n && (f.outcome == Crashed || f.outcome == CrashedAfter):
		return dead
	}
	return untouched
}

func (f *Faulty) err() error { return fmt.Errorf("call %d %s: %w", f.n, f.outcome, ErrStruck) }

// write makes one writing call, or does to it what is to be done.
func (f *Faulty) write(ctx context.Context, call func(context.Context) error) error {
	switch f.next() {
	case untouched:
		return call(ctx)
	case dead:
		return f.err()
	}
	switch f.outcome {
	case Lost, CrashedAfter:
		call(ctx) //nolint:errcheck // the reply is lost
	case Echoed:
		call(ctx) //nolint:errcheck // the reply is lost, and the call made again
		return call(ctx)
	case Late:
		f.mu.Lock()
		f.late = func(ctx context.Context) { call(ctx) } //nolint:errcheck // nobody hears it
		f.mu.Unlock()
	}
	return f.err()
}

// read reports the error that a reading call gets instead of being made.
func (f *Faulty) read() error {
	switch f.next() {
	case untouched:
		return nil
	case struck:
		if f.outcome == Echoed {
			return nil
		}
	}
	return f.err()
}

// Get passes on, unless struck.
func (f *Faulty) Get(ctx context.Context, key string, unless vfs.Version) ([]byte, vfs.Entry, error) {
	if err := f.read(); err != nil {
		return nil, vfs.Entry{}, err
	}
	return f.d.Get(ctx, key, unless)
}

// Put passes on, unless struck.
func (f *Faulty) Put(ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
	var e vfs.Entry
	data = append([]byte{}, data...) // a late write happens after the caller has its bytes back
	err := f.write(ctx, func(ctx context.Context) (err error) {
		e, err = f.d.Put(ctx, key, data, c, tag)
		return err
	})
	if err != nil {
		return vfs.Entry{}, err
	}
	return e, nil
}

// Delete passes on, unless struck.
func (f *Faulty) Delete(ctx context.Context, key string, c vfs.Cond) error {
	return f.write(ctx, func(ctx context.Context) error { return f.d.Delete(ctx, key, c) })
}

// List passes on, unless struck. A list whose reply is lost breaks off in the
// middle.
func (f *Faulty) List(ctx context.Context, prefix, after string) iter.Seq2[vfs.Entry, error] {
	return f.list(func() iter.Seq2[vfs.Entry, error] { return f.d.List(ctx, prefix, after) })
}

// ListDir passes on, unless struck.
func (f *Faulty) ListDir(ctx context.Context, dir string) iter.Seq2[vfs.Entry, error] {
	return f.list(func() iter.Seq2[vfs.Entry, error] { return vfs.ListDir(ctx, f.d, dir) })
}

func (f *Faulty) list(list func() iter.Seq2[vfs.Entry, error]) iter.Seq2[vfs.Entry, error] {
	return func(yield func(vfs.Entry, error) bool) {
		err := f.read()
		if err == nil {
			list()(yield)
			return
		}
		if f.outcome == Lost {
			var entries []vfs.Entry
			for e, err := range list() {
				if err == nil {
					entries = append(entries, e)
				}
			}
			for _, e := range entries[:len(entries)/2] {
				if !yield(e, nil) {
					return
				}
			}
		}
		yield(vfs.Entry{}, err)
	}
}
