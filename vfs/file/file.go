// Package file keeps objects as files below a directory, durably, and so that
// no write of a foreign tool to the same files is lost. The layout, the
// temporary names and what becomes of them after a crash are specified in
// docs/formats/store-file-driver.md.
//
// It is not for directories on network file systems without working locks and
// renames.
package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/stateroom/stateroom/internal/durable"
	"github.com/stateroom/stateroom/vfs"
)

// Options of a Driver. The zero value is what is wanted.
type Options struct {
	// Step is called before each change of the disk and each sync, with what
	// is about to be done to which name. If it returns an error, that is the
	// outcome, and nothing is done. It is for tests and benchmarks: the
	// operations are the constants of internal/durable, such as "sync" and
	// "sync directory".
	Step func(op, name string) error

	// Settle is how long a client over SFTP that has an object aside is taken
	// to be at it; 0: 4 s.
	Settle time.Duration
}

// Driver is a [vfs.Driver] over a directory. It is safe for concurrent use, and
// for use by many processes.
type Driver struct {
	dir   string
	step  durable.Step
	watch durable.Watch // nil: nobody watches
	gate  chan struct{} // held while this process wants or has the lock
	doubt doubt

	settle  time.Duration
	stopped sync.Map // the names of holds whose clients have stopped
}

// Open returns the driver of a directory, which need not exist: the first
// write makes it. Nothing is written. What exists and is not a directory is an
// error.
func Open(dir string, opt Options) (*Driver, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	fi, err := os.Stat(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err == nil && !fi.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: dir, Err: syscall.ENOTDIR}
	}
	if opt.Settle <= 0 {
		opt.Settle = settle
	}
	return &Driver{dir: dir, step: opt.Step, settle: opt.Settle, gate: make(chan struct{}, 1)}, nil
}

// Traits says that a disk keeps no tags.
func (d *Driver) Traits() vfs.Traits {
	return vfs.Traits{Conditions: true, UniqueVersions: true}
}

// Lock takes a lock among the processes of this machine and waits for it. The
// system drops it when the process ends.
func (d *Driver) Lock(ctx context.Context, name string) (unlock func(), err error) {
	s, err := d.write(ctx)
	if err != nil {
		return nil, cause(err, "")
	}
	defer s.Close()
	recovered, err := s.lock(ctx)
	if err != nil {
		return nil, cause(err, "")
	}
	recovered()
	unlock, err = s.Lock(ctx, lockName(name), s.filePerm)
	return unlock, cause(err, "")
}

// session is the store's directory, opened for one call.
type session struct {
	*durable.Tree
	d                 *Driver
	filePerm, dirPerm fs.FileMode
}

// read opens the directory; a store that was never written is [fs.ErrNotExist].
func (d *Driver) read(ctx context.Context) (*session, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t, err := durable.Open(d.dir, d.step)
	if err != nil {
		return nil, err
	}
	if d.watch != nil {
		t.Watch(d.watch)
	}
	s := &session{t, d, 0o600, 0o700}
	if fi, err := t.Root().Stat("."); err == nil && fi.Mode()&0o020 != 0 {
		s.filePerm, s.dirPerm = 0o660, 0o770
	}
	return s, nil
}

// write opens the directory and makes what is missing.
func (d *Driver) write(ctx context.Context) (*session, error) {
	s, err := d.read(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		if err := d.makeRoot(); err != nil {
			return nil, err
		}
		s, err = d.read(ctx)
	}
	if err != nil {
		return nil, err
	}
	if err := s.begin(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (d *Driver) makeRoot() error {
	t, rest, err := durable.OpenAbove(d.dir, d.step)
	if err != nil {
		return err
	}
	defer t.Close()
	if d.watch != nil {
		t.Watch(d.watch)
	}
	return t.MkdirAll(rest, 0o700)
}

// lock takes the lock that is held for one change, and puts right what a crash
// has left. The unlock function may be called more than once.
func (s *session) lock(ctx context.Context) (unlock func(), err error) {
	select {
	case s.d.gate <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	release, err := s.Lock(ctx, lockFile, s.filePerm)
	if err != nil {
		<-s.d.gate
		return nil, err
	}
	locked := true
	unlock = func() {
		if locked {
			locked = false
			release()
			<-s.d.gate
		}
	}
	if err := s.recover(); err != nil {
		unlock()
		return nil, fmt.Errorf("put right what a crash left in %s: %w", tempDir, err)
	}
	return unlock, nil
}

// hidden reports whether a file of that name is no object.
func hidden(key string) bool {
	if key == tempDir || strings.HasPrefix(key, tempDir+"/") {
		return true
	}
	return temporary(key[strings.LastIndexByte(key, '/')+1:])
}

// temporary reports whether name is one that kops gives to a file it is still
// writing: os.CreateTemp with the pattern "tmp".
func temporary(name string) bool {
	digits, ok := strings.CutPrefix(name, "tmp")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

var (
	errHidden   = fmt.Errorf("the name is kept for temporary files: %w", fs.ErrInvalid)
	errFolder   = fmt.Errorf("there are objects below it, which a disk cannot have: %w", fs.ErrInvalid)
	errReserved = fmt.Errorf("the system allows no such file name: %w", fs.ErrInvalid)
)

// writable reports why key can have no object.
func writable(key string) error {
	if hidden(key) {
		return errHidden
	}
	if runtime.GOOS == "windows" && strings.ContainsAny(key, `\:*?"<>|`) {
		return errReserved
	}
	return nil
}

// cause strips an error of what the FS will say again, the key, and leaves the
// name of any other file.
func cause(err error, key string) error {
	if unsynced, ok := errors.AsType[*unsyncedError](err); ok {
		return fmt.Errorf("%w: %w", vfs.ErrNotDurable, cause(unsynced.err, key))
	}
	pathErr, ok := errors.AsType[*fs.PathError](err)
	if linkErr, isLink := errors.AsType[*os.LinkError](err); isLink {
		pathErr, ok = &fs.PathError{Op: linkErr.Op, Path: linkErr.New, Err: linkErr.Err}, true
	}
	if !ok {
		return err
	}
	class := pathErr.Err
	switch errno, isErrno := errors.AsType[syscall.Errno](class); {
	case !isErrno && !errors.Is(class, fs.ErrNotExist) && !errors.Is(class, fs.ErrPermission) && !errors.Is(class, errors.ErrUnsupported):
		class = errOutside // os.Root has no error value for it
	case errno == syscall.ENOTDIR, errno == syscall.ENAMETOOLONG, errno == syscall.ELOOP, errno == syscall.EISDIR:
		class = fmt.Errorf("%w: %w", class, fs.ErrInvalid)
	}
	switch {
	case pathErr.Path == key:
		return class
	case strings.HasPrefix(pathErr.Path, tempDir):
		return fmt.Errorf("in %s: %w", tempDir, class)
	default:
		return fmt.Errorf("%s: %w", pathErr.Path, class)
	}
}
