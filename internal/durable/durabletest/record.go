// Package durabletest plays power cuts on what a [durable.Tree] does. A
// [Recorder] writes down every change of the disk and every sync, in order; for
// every point of that record it makes the disks that a power cut there may
// leave. It is not for crashes of a process alone, which lose nothing.
//
// The usual calls:
//
//	r, err := durabletest.Record(dir)   // what is there is durable
//	tree.Watch(r.Watch)                 // ... then let the code do its work
//	for n := range r.Len() + 1 {
//		for disk := range r.Disks(n, durabletest.Options{Random: 8, Rand: rnd}) {
//			err := disk.Write(t.TempDir())   // ... and look at it
//		}
//	}
package durabletest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/stateroom/stateroom/internal/durable"
)

// Recorder is the record of one directory. Its Watch is safe for concurrent
// use; the fields are set before.
type Recorder struct {
	// Before is called before each change, and may do other things first. If it
	// returns an error, that is the outcome, and nothing is done.
	Before func(durable.Change) error

	// Drop says which changes are skipped, and said to be done: syncs, as a
	// program without them would.
	Drop func(durable.Change) bool

	base string

	mu     sync.Mutex
	start  []inode
	inodes []inode                // as they are now; 0 is the directory itself
	names  map[int]map[string]int // as they are now: directory, name, inode
	first  map[int]map[string]int
	events []event
}

const none = -1 // in place of an inode

// inode is a file or a directory, whatever its names.
type inode struct {
	dir  bool
	data []byte
	perm fs.FileMode
}

// event is one entry of the record. What does not apply is zero, or none.
type event struct {
	change durable.Change
	name   string // of the change, in the recorder's directory
	sets   []set  // names, of Create, Mkdir, Rename, Link, Exchange and Remove
	inode  int    // of Write, Chmod, Sync and SyncDir
	note   any
}

// set lets a name in a directory stand for an inode, or for none.
type set struct {
	dir  int
	name string
	to   int
}

// Record begins the record of an existing directory. What is in it counts as
// durable.
func Record(dir string) (*Recorder, error) {
	r := &Recorder{base: dir, names: map[int]map[string]int{}, first: map[int]map[string]int{}}
	ids := map[string]int{}
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := e.Info()
		if err != nil {
			return err
		}
		node := inode{dir: e.IsDir(), perm: fi.Mode().Perm()}
		if !node.dir {
			if node.data, err = os.ReadFile(name); err != nil {
				return err
			}
		}
		id := r.add(node)
		if ids[name] = id; name != dir {
			r.names[ids[filepath.Dir(name)]][filepath.Base(name)] = id
		}
		return nil
	})
	r.start = append(r.start, r.inodes...)
	for dir, names := range r.names {
		r.first[dir] = maps.Clone(names)
	}
	return r, err
}

func (r *Recorder) add(node inode) int {
	r.inodes = append(r.inodes, node)
	id := len(r.inodes) - 1
	if node.dir {
		r.names[id] = map[string]int{}
	}
	return id
}

// Len returns how many events there are.
func (r *Recorder) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.events)
}

// Note puts something of the caller's into the record.
func (r *Recorder) Note(v any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, event{inode: none, note: v})
}

// Notes returns the notes among the first n events, in order.
func (r *Recorder) Notes(n int) []any {
	r.mu.Lock()
	defer r.mu.Unlock()
	var notes []any
	for _, e := range r.events[:n] {
		if e.note != nil {
			notes = append(notes, e.note)
		}
	}
	return notes
}

// Watch is for [durable.Tree.Watch]. What is done above the recorder's
// directory is done, and not recorded.
func (r *Recorder) Watch(c durable.Change, do func() error) error {
	if r.Before != nil {
		if err := r.Before(c); err != nil {
			return err
		}
	}
	if r.Drop != nil && r.Drop(c) {
		return nil
	}
	return r.do(c, do)
}

func (r *Recorder) do(c durable.Change, do func() error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := do(); err != nil {
		return err
	}
	rel, err := filepath.Rel(r.base, filepath.Join(c.Dir, filepath.FromSlash(c.Name)))
	if err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
		return nil //nolint:nilerr // not below
	}
	e, err := r.event(c, filepath.ToSlash(rel))
	if err != nil {
		return fmt.Errorf("record %s %s: %w", c.Op, c.Name, err)
	}
	for _, s := range e.sets {
		if r.names[s.dir][s.name] = s.to; s.to == none {
			delete(r.names[s.dir], s.name)
		}
	}
	r.events = append(r.events, e)
	return nil
}

// event says what a change that was done has changed. For Create and Mkdir
// there is a new inode then.
func (r *Recorder) event(c durable.Change, name string) (event, error) {
	e := event{change: c, name: name, inode: none}
	switch c.Op {
	case durable.Sync, durable.SyncDir, durable.Write, durable.Chmod:
		id, err := r.find(name)
		if e.inode = id; err == nil && c.Op == durable.Write {
			e.change.Data = bytes.Clone(c.Data)
			r.inodes[id].data = e.change.Data
		}
		if err == nil && c.Op == durable.Chmod {
			r.inodes[id].perm = c.Perm.Perm()
		}
		return e, err
	}
	to, err := r.place(name)
	if err != nil {
		return e, err
	}
	switch c.Op {
	case durable.Create, durable.Mkdir:
		to.to = r.add(inode{dir: c.Op == durable.Mkdir, perm: c.Perm})
		e.sets = []set{to}
	case durable.Remove:
		to.to = none
		e.sets = []set{to}
	case durable.Rename, durable.RenameNew, durable.Link, durable.Exchange:
		from, err := r.place(r.relative(c))
		if err != nil {
			return e, err
		}
		from.to, to.to = to.to, from.to
		switch c.Op {
		case durable.Rename, durable.RenameNew:
			from.to = none
			e.sets = []set{from, to}
		case durable.Exchange:
			e.sets = []set{from, to}
		case durable.Link:
			e.sets = []set{to}
		}
	default:
		return e, errors.ErrUnsupported
	}
	return e, nil
}

func (r *Recorder) relative(c durable.Change) string {
	rel, err := filepath.Rel(r.base, filepath.Join(c.Dir, filepath.FromSlash(c.From)))
	if err != nil {
		return ".."
	}
	return filepath.ToSlash(rel)
}

// place returns a name as it is now; its directory must be there.
func (r *Recorder) place(name string) (set, error) {
	dir, err := r.find(path.Dir(name))
	if err != nil {
		return set{}, err
	}
	to, ok := r.names[dir][path.Base(name)]
	if !ok {
		to = none
	}
	return set{dir, path.Base(name), to}, nil
}

func (r *Recorder) find(name string) (int, error) {
	id := 0
	if name == "." {
		return id, nil
	}
	for elem := range strings.SplitSeq(name, "/") {
		next, ok := r.names[id][elem]
		if !ok {
			return none, fs.ErrNotExist
		}
		id = next
	}
	return id, nil
}

// A Tool writes as other programs do: a file beside, and a rename. Names are
// relative to the recorder's directory.
type Tool struct {
	R      *Recorder
	Syncs  bool // files, and directories after a name in them has changed
	Serial int  // of the last file beside
}

// Write replaces a file, or makes it, with the directories above it.
func (t *Tool) Write(name, text string) error {
	t.Serial++
	if err := t.mkdir(path.Dir(name)); err != nil {
		return err
	}
	tmp := path.Join(path.Dir(name), fmt.Sprintf("tmp%d", 1000+t.Serial))
	full := filepath.Join(t.R.base, tmp)
	const perm = 0o600
	steps := []error{
		t.do(durable.Change{Op: durable.Create, Name: tmp, Perm: perm}, func() error { return os.WriteFile(full, nil, perm) }),
		t.do(durable.Change{Op: durable.Write, Name: tmp, Data: []byte(text)}, func() error { return os.WriteFile(full, []byte(text), perm) }),
		t.sync(durable.Sync, tmp),
		t.do(durable.Change{Op: durable.Rename, From: tmp, Name: name}, func() error { return os.Rename(full, filepath.Join(t.R.base, name)) }),
		t.sync(durable.SyncDir, path.Dir(name)),
	}
	return errors.Join(steps...)
}

// Remove removes a file.
func (t *Tool) Remove(name string) error {
	err := t.do(durable.Change{Op: durable.Remove, Name: name}, func() error { return os.Remove(filepath.Join(t.R.base, name)) })
	return errors.Join(err, t.sync(durable.SyncDir, path.Dir(name)))
}

func (t *Tool) mkdir(dir string) error {
	full := filepath.Join(t.R.base, dir)
	if _, err := os.Stat(full); err == nil {
		return nil
	}
	if err := t.mkdir(path.Dir(dir)); err != nil {
		return err
	}
	const perm = 0o700
	err := t.do(durable.Change{Op: durable.Mkdir, Name: dir, Perm: perm}, func() error { return os.Mkdir(full, perm) })
	return errors.Join(err, t.sync(durable.SyncDir, path.Dir(dir)))
}

func (t *Tool) sync(op, name string) error {
	if !t.Syncs {
		return nil
	}
	return t.do(durable.Change{Op: op, Name: name}, func() error { return nil }) // a record is all it needs
}

func (t *Tool) do(c durable.Change, do func() error) error {
	c.Dir = t.R.base
	return t.R.do(c, do)
}
