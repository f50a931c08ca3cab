// Package durable changes files so that what it has finished survives a crash
// of the machine: bytes are synced before they get their name, and directories
// after a name in them has changed.
//
// All names are slash-separated, relative to one directory, and cannot leave
// it: a [Tree] goes through [os.Root]. The usual calls:
//
//	t, err := durable.Open(dir, nil)
//	err = t.MkdirAll("sets/1", 0o700)
//	err = t.WriteFile("sets/1/config", data, 0o600)
//
// After an error of a sync the state on the disk is unknown, also when a later
// sync succeeds.
package durable

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// The steps that a [Tree] takes, as told to a [Step].
const (
	Mkdir     = "mkdir"
	Create    = "create"
	Write     = "write"
	Sync      = "sync"
	Rename    = "rename"
	RenameNew = "rename if absent"
	Link      = "link"
	Exchange  = "exchange"
	Remove    = "remove"
	SyncDir   = "sync directory"
)

// A Step is called before each change of the disk, and before each sync. If it
// returns an error, that is the step's outcome, and nothing is done. It is for
// tests: to count syncs, to make a disk fail, to stop at any point.
type Step func(op, name string) error

// Tree is a directory and all below it. It is safe for concurrent use.
type Tree struct {
	root *os.Root
	step Step
}

// Open returns the tree of an existing directory. A nil step is none.
func Open(dir string, step Step) (*Tree, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return New(root, step), nil
}

// New returns the tree of root, which Close will close. A nil step is none.
func New(root *os.Root, step Step) *Tree {
	if step == nil {
		step = func(op, name string) error { return nil }
	}
	return &Tree{root, step}
}

// Root returns the tree for reading.
func (t *Tree) Root() *os.Root { return t.root }

// Close closes the directory. Nothing waits for it to be written.
func (t *Tree) Close() { _ = t.root.Close() }

// Create writes a new file and syncs its bytes, but not yet its name. The
// file is returned open for reading its state, and has exactly the mode given,
// whatever the umask. An existing name is [fs.ErrExist]; after any error there
// is no file. Its time of change is set with the full resolution of the clock,
// where many kernels count in ticks of some milliseconds.
func (t *Tree) Create(name string, data []byte, perm fs.FileMode) (*os.File, error) {
	if err := t.step(Create, name); err != nil {
		return nil, err
	}
	f, err := t.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return nil, err
	}
	if err := t.fill(f, name, data, perm); err != nil {
		f.Close()
		return nil, errors.Join(err, t.Remove(name))
	}
	return f, nil
}

func (t *Tree) fill(f *os.File, name string, data []byte, perm fs.FileMode) error {
	if err := t.step(Write, name); err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	if fi, err := f.Stat(); err != nil {
		return err
	} else if fi.Mode().Perm() != perm && runtime.GOOS != "windows" {
		if err := f.Chmod(perm); err != nil {
			return err
		}
	}
	now := time.Now()
	if err := t.root.Chtimes(name, now, now); err != nil {
		return err
	}
	if err := t.step(Sync, name); err != nil {
		return err
	}
	return f.Sync()
}

// WriteFile makes name a file of these bytes in one step: a reader sees the
// old file or the new one. It is durable on return.
func (t *Tree) WriteFile(name string, data []byte, perm fs.FileMode) error {
	tmp := path.Join(path.Dir(name), ".tmp-"+rand.Text())
	f, err := t.Create(tmp, data, perm)
	if err != nil {
		return err
	}
	f.Close()
	if err := t.Rename(tmp, name); err != nil {
		return errors.Join(err, t.Remove(tmp))
	}
	return t.SyncDir(path.Dir(name))
}

// Rename gives a file another name, and replaces what has it. It is durable
// after [Tree.SyncDir] of the new name's directory.
func (t *Tree) Rename(from, to string) error {
	if err := t.step(Rename, to); err != nil {
		return err
	}
	return t.root.Rename(from, to)
}

// RenameNew gives a file another name that nothing has yet; else it returns
// [fs.ErrExist]. Where the system cannot do it in one step, the file has both
// names for a moment.
func (t *Tree) RenameNew(from, to string) error {
	err := t.step(RenameNew, to)
	if err == nil {
		err = t.renameat2(from, to, noReplace)
	}
	if !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	if err := t.step(Link, to); err != nil {
		return err
	}
	if err := t.root.Link(from, to); err != nil {
		return err
	}
	return t.Remove(from)
}

// Exchange swaps two names in one step. Where the system cannot, it returns
// [errors.ErrUnsupported] and has done nothing.
func (t *Tree) Exchange(a, b string) error {
	if err := t.step(Exchange, b); err != nil {
		return err
	}
	return t.renameat2(a, b, exchange)
}

// RemoveDir removes an empty directory, and nothing else.
func (t *Tree) RemoveDir(name string) error {
	if err := t.step(Remove, name); err != nil {
		return err
	}
	return t.rmdir(name)
}

// Remove removes a file or an empty directory.
func (t *Tree) Remove(name string) error {
	if err := t.step(Remove, name); err != nil {
		return err
	}
	return t.root.Remove(name)
}

// SyncDir makes durable which names are in a directory; "." is the tree's own.
func (t *Tree) SyncDir(dir string) error {
	if err := t.step(SyncDir, dir); err != nil {
		return err
	}
	if runtime.GOOS == "windows" {
		return nil // has no such thing
	}
	d, err := t.root.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil // a file system that syncs no directories
	}
	return err
}

// MkdirAll makes a directory and those above it, durably. New ones have the
// mode given, whatever the umask, and keep the setgid bit they inherit.
func (t *Tree) MkdirAll(dir string, perm fs.FileMode) error {
	fi, err := t.root.Stat(dir)
	switch {
	case err == nil && fi.IsDir():
		return nil
	case err == nil:
		return &fs.PathError{Op: Mkdir, Path: dir, Err: syscall.ENOTDIR}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	parent := path.Dir(dir)
	if err := t.MkdirAll(parent, perm); err != nil {
		return err
	}
	if err := t.step(Mkdir, dir); err != nil {
		return err
	}
	switch err := t.root.Mkdir(dir, perm); {
	case errors.Is(err, fs.ErrExist): // another's, which may not be durable yet
	case err != nil:
		return err
	default:
		if err := t.chmodDir(dir, perm); err != nil {
			return err
		}
	}
	return t.SyncDir(parent)
}

func (t *Tree) chmodDir(dir string, perm fs.FileMode) error {
	fi, err := t.root.Stat(dir)
	if err != nil || fi.Mode().Perm() == perm {
		return err
	}
	return t.root.Chmod(dir, perm|fi.Mode()&fs.ModeSetgid)
}

// MkdirAll makes the directory at an absolute path of the system, and those
// above it, as [Tree.MkdirAll] does.
func MkdirAll(dir string, perm fs.FileMode, step Step) error {
	above := dir
	for {
		t, err := Open(above, step)
		if err == nil {
			defer t.Close()
			rel, err := filepath.Rel(above, dir)
			if err != nil {
				return err
			}
			return t.MkdirAll(filepath.ToSlash(rel), perm)
		}
		parent := filepath.Dir(above)
		if !errors.Is(err, fs.ErrNotExist) || parent == above {
			return err
		}
		above = parent
	}
}

// TempName returns a name for a new file, of lower-case letters and digits,
// that no other call returns.
func TempName() string { return strings.ToLower(rand.Text()[:16]) }
