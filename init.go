package stateroom

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs"
)

// InitDir makes the directory of a store, if it is not there: for its owner
// alone, or with group for a team: writable for the directory's group, which
// all that is made below it inherits. A directory that is there keeps what it
// holds, and with group gets the mode.
func InitDir(dir string, group bool) error {
	mode := fs.FileMode(0o700)
	if group {
		mode = 0o770 | fs.ModeSetgid
	}
	fi, err := os.Stat(dir)
	switch {
	case err == nil && !fi.IsDir():
		return fmt.Errorf("make the store %s: there is a file of that name: %w", dir, fs.ErrExist)
	case err == nil && !group:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		err = os.MkdirAll(dir, 0o700)
	}
	if err == nil && group { // not by MkdirAll: the umask may forbid it
		err = os.Chmod(dir, mode)
	}
	if err != nil {
		return fmt.Errorf("make the store %s: %w", dir, err)
	}
	return nil
}

// Init gives the store in f its id, unless it has one, and returns that and
// whether it is new. A service that may ignore conditions is checked first, and
// what was found is kept in the store; one that cannot hold a store gets none,
// and the error is a [*store.ServiceError]. Buckets are not made here: who may
// read them, where they lie and what they keep is decided where they are made.
func Init(ctx context.Context, f *vfs.FS, opt Options) (id string, isNew bool, err error) {
	s, err := store.Open(ctx, f, opt.filled().forStore())
	if err == nil {
		err = s.Load(ctx)
	}
	if err != nil {
		return "", false, err
	}
	if id := s.ID(); id != "" {
		return id, false, nil
	}
	begin := s.Init
	if f.Traits().Unproven {
		begin = func(ctx context.Context) error { return initChecked(ctx, f, s, opt) }
	}
	if err := begin(ctx); err != nil {
		return "", false, fmt.Errorf("make the store %s: %w", f.Name(), err)
	}
	return s.ID(), true, nil
}
