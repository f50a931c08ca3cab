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
	"sync"
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
	Chmod     = "change mode"
	SyncDir   = "sync directory"
)

// A Step is called before each change of the disk, and before each sync. If it
// returns an error, that is the step's outcome, and nothing is done. It is for
// tests: to count syncs, to make a disk fail, to stop at any point.
type Step func(op, name string) error

// A Change is one change of the disk, or one sync.
type Change struct {
	Op   string
	Dir  string      // the tree's directory
	Name string      // of the file or directory, in the tree
	From string      // of Rename, RenameNew, Link and Exchange: the other name
	Data []byte      // of Write
	Perm fs.FileMode // of Mkdir, Create and Chmod
}

// A Watch does each change of the disk and each sync by calling do, or does
// not. It is for tests: to write down what was done, in its order.
type Watch func(c Change, do func() error) error

// Tree is a directory and all below it. It is safe for concurrent use.
type Tree struct {
	root  *os.Root
	step  Step
	watch Watch

	mu   sync.Mutex
	held map[string]bool // directories that are durable
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
	return &Tree{root: root, step: step, watch: func(_ Change, do func() error) error { return do() }, held: map[string]bool{".": true}}
}

// Watch lets w do all changes from now on. It is not for a tree in use.
func (t *Tree) Watch(w Watch) { t.watch = w }

func (t *Tree) do(c Change, do func() error) error {
	if err := t.step(c.Op, c.Name); err != nil {
		return err
	}
	c.Dir = t.root.Name()
	return t.watch(c, do)
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
func (t *Tree) Create(name string, data []byte, perm fs.FileMode) (f *os.File, err error) {
	err = t.do(Change{Op: Create, Name: name, Perm: perm}, func() (err error) {
		f, err = t.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := t.fill(f, name, data, perm); err != nil {
		f.Close()
		return nil, errors.Join(err, t.Remove(name))
	}
	return f, nil
}

// Touch makes a new empty file, and syncs nothing.
func (t *Tree) Touch(name string, perm fs.FileMode) error {
	return t.do(Change{Op: Create, Name: name, Perm: perm}, func() error {
		f, err := t.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
		if err == nil {
			f.Close()
		}
		return err
	})
}

func (t *Tree) fill(f *os.File, name string, data []byte, perm fs.FileMode) error {
	err := t.do(Change{Op: Write, Name: name, Data: data}, func() error { _, err := f.Write(data); return err })
	if err != nil {
		return err
	}
	if err := t.setMode(f, name, perm); err != nil {
		return err
	}
	now := time.Now()
	if err := t.root.Chtimes(name, now, now); err != nil {
		return err
	}
	return t.do(Change{Op: Sync, Name: name}, f.Sync)
}

// setMode gives an open file the mode that the umask may have kept from it.
func (t *Tree) setMode(f *os.File, name string, perm fs.FileMode) error {
	fi, err := f.Stat()
	if err != nil || fi.Mode().Perm() == perm || runtime.GOOS == "windows" {
		return err
	}
	return t.do(Change{Op: Chmod, Name: name, Perm: perm}, func() error { return f.Chmod(perm) })
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
	return t.do(Change{Op: Rename, Name: to, From: from}, func() error { return t.root.Rename(from, to) })
}

// RenameNew gives a file another name that nothing has yet; else it returns
// [fs.ErrExist]. Where the system cannot do it in one step, the file has both
// names for a moment.
func (t *Tree) RenameNew(from, to string) error {
	err := t.do(Change{Op: RenameNew, Name: to, From: from}, func() error { return t.renameat2(from, to, noReplace) })
	if !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	err = t.do(Change{Op: Link, Name: to, From: from}, func() error { return t.root.Link(from, to) })
	if err != nil {
		return err
	}
	return t.Remove(from)
}

// Exchange swaps two names in one step. Where the system cannot, it returns
// [errors.ErrUnsupported] and has done nothing.
func (t *Tree) Exchange(a, b string) error {
	return t.do(Change{Op: Exchange, Name: b, From: a}, func() error { return t.renameat2(a, b, exchange) })
}

// RemoveDir removes an empty directory, and nothing else.
func (t *Tree) RemoveDir(name string) error {
	return t.do(Change{Op: Remove, Name: name}, func() error { return t.rmdir(name) })
}

// Remove removes a file or an empty directory.
func (t *Tree) Remove(name string) error {
	return t.do(Change{Op: Remove, Name: name}, func() error { return t.root.Remove(name) })
}

// SyncFile makes durable what a file holds, whoever wrote it.
func (t *Tree) SyncFile(name string) error {
	f, err := t.root.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return t.do(Change{Op: Sync, Name: name}, f.Sync)
}

// SyncDir makes durable which names are in a directory; "." is the tree's own.
func (t *Tree) SyncDir(dir string) error {
	return t.do(Change{Op: SyncDir, Name: dir}, func() error { return t.syncDir(dir) })
}

func (t *Tree) syncDir(dir string) error {
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
// mode given, whatever the umask, and keep the setgid bit they inherit. One
// that was there may be left from a maker that crashed before it was durable:
// it is synced too, once in the life of a tree.
func (t *Tree) MkdirAll(dir string, perm fs.FileMode) error {
	fi, err := t.root.Stat(dir)
	switch {
	case err == nil && fi.IsDir() && t.holds(dir):
		return nil
	case err == nil && !fi.IsDir():
		return &fs.PathError{Op: Mkdir, Path: dir, Err: syscall.ENOTDIR}
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	there, parent := err == nil, path.Dir(dir)
	if err := t.MkdirAll(parent, perm); err != nil {
		return err
	}
	if !there {
		if err := t.mkdir(dir, perm); err != nil {
			return err
		}
	}
	if err := t.SyncDir(parent); err != nil && !(there && errors.Is(err, fs.ErrPermission)) {
		return err
	}
	t.Trust(dir)
	return nil
}

// Trust tells the tree that a directory is durable.
func (t *Tree) Trust(dir string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held[dir] = true
}

func (t *Tree) holds(dir string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.held[dir]
}

func (t *Tree) mkdir(dir string, perm fs.FileMode) error {
	err := t.do(Change{Op: Mkdir, Name: dir, Perm: perm}, func() error { return t.root.Mkdir(dir, perm) })
	if errors.Is(err, fs.ErrExist) {
		return nil // another's, which may not be durable yet
	}
	if err != nil {
		return err
	}
	fi, err := t.root.Stat(dir)
	if err != nil || fi.Mode().Perm() == perm {
		return err
	}
	perm |= fi.Mode() & fs.ModeSetgid
	err = t.do(Change{Op: Chmod, Name: dir, Perm: perm}, func() error { return t.root.Chmod(dir, perm) })
	if err != nil {
		return err
	}
	return t.SyncDir(dir) // which syncs its mode too
}

// MkdirAll makes the directory at an absolute path of the system, and those
// above it, as [Tree.MkdirAll] does.
func MkdirAll(dir string, perm fs.FileMode, step Step) error {
	t, rest, err := OpenAbove(dir, step)
	if err != nil {
		return err
	}
	defer t.Close()
	return t.MkdirAll(rest, perm)
}

// OpenAbove opens the directory at an absolute path, or the nearest above it
// that is there. rest is the path from that one, "." at last.
func OpenAbove(dir string, step Step) (t *Tree, rest string, err error) {
	for above := dir; ; {
		t, err := Open(above, step)
		if err == nil {
			rest, err := filepath.Rel(above, dir)
			return t, filepath.ToSlash(rest), err
		}
		parent := filepath.Dir(above)
		if !errors.Is(err, fs.ErrNotExist) || parent == above {
			return nil, "", err
		}
		above = parent
	}
}

// TempName returns a name for a new file, of lower-case letters and digits,
// that no other call returns.
func TempName() string { return strings.ToLower(rand.Text()[:16]) }
