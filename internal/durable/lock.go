package durable

import (
	"context"
	"io/fs"
	"os"
	"sync"
	"time"
)

// Lock makes a file where there is none, and waits for its lock until ctx is
// done. It holds among processes, and among callers in one process; the system
// drops it when the process ends. The file stays: to remove it would be a race.
// Unlock may be called more than once.
func (t *Tree) Lock(ctx context.Context, name string, perm fs.FileMode) (unlock func(), err error) {
	f, err := t.lockFile(name, perm)
	if err != nil {
		return nil, err
	}
	for wait := 20 * time.Microsecond; ; wait = min(2*wait, 4*time.Millisecond) {
		got, err := tryLock(f)
		if got {
			return sync.OnceFunc(func() { unlockFile(f); f.Close() }), nil
		}
		if err == nil {
			err = sleep(ctx, wait)
		}
		if err != nil {
			f.Close()
			return nil, err
		}
	}
}

func (t *Tree) lockFile(name string, perm fs.FileMode) (*os.File, error) {
	f, err := t.root.OpenFile(name, os.O_RDWR, 0)
	if err == nil {
		return f, nil
	}
	err = t.do(Change{Op: Create, Name: name, Perm: perm}, func() (err error) {
		f, err = t.root.OpenFile(name, os.O_RDWR|os.O_CREATE, perm)
		return err
	})
	if err != nil {
		return nil, err
	}
	_ = t.setMode(f, name, perm) // not ours to do if another user made it just now
	return f, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
