package file

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"

	"github.com/stateroom/stateroom/internal/durable"
	"github.com/stateroom/stateroom/vfs"
)

// Put writes an object if c holds. The tag is dropped.
func (d *Driver) Put(ctx context.Context, key string, data []byte, c vfs.Cond, _ string) (vfs.Entry, error) {
	if err := writable(key); err != nil {
		return vfs.Entry{}, err
	}
	s, err := d.write(ctx)
	if err != nil {
		return vfs.Entry{}, cause(err, key)
	}
	defer s.Close()
	e, err := s.put(ctx, key, data, c)
	return e, cause(err, key)
}

func (s *session) put(ctx context.Context, key string, data []byte, c vfs.Cond) (vfs.Entry, error) {
	if !s.mayHold(key, c) {
		// A temporary file that is synced for nothing costs more than to look twice.
		unlock, err := s.alone(ctx, key)
		if err != nil {
			return vfs.Entry{}, err
		}
		holds := s.mayHold(key, c)
		unlock()
		if !holds {
			return vfs.Entry{}, vfs.ErrConflict
		}
	}
	if err := s.vouch(); err != nil {
		return vfs.Entry{}, err
	}
	ch := &change{session: s, key: key, tmp: tempDir + "/new." + durable.TempName(), ours: digestOf(data), cond: c}
	f, err := s.Create(ch.tmp, data, s.filePerm)
	if err != nil {
		return vfs.Entry{}, err
	}
	defer f.Close()
	fi, err := ch.place(ctx, f)
	if err != nil {
		if ch.tmp != "" {
			_ = s.Remove(ch.tmp) // if that fails too, it is removed in an hour
		}
		return vfs.Entry{}, err
	}
	s.d.doubt.wrote(key, stampOf(fi))
	return entryOf(key, fi), nil
}

// mayHold reports whether a condition seems to hold. Without the lock, it may
// not once one has it, and the other way round.
func (s *session) mayHold(key string, c vfs.Cond) bool {
	fi, err := s.Root().Lstat(key)
	if err != nil || !fi.Mode().IsRegular() {
		_, isVersion := c.Version()
		return !isVersion
	}
	return c.Holds(true, stampOf(fi).version())
}

// change is one Put whose bytes are durable in a temporary file.
type change struct {
	*session
	key  string
	tmp  string // where our bytes are, until they have their key
	ours string // digest of our bytes
	cond vfs.Cond
}

// place gives the temporary file, open as f, its key if the condition holds,
// durably. It returns the file's state while no other writer can change that.
//
// The lock is held until the key is durable, so that no writer makes anything
// durable on top of what is not. If we stop before, what is left in tempDir
// tells the next writer what to sync.
func (w *change) place(ctx context.Context, f *os.File) (fs.FileInfo, error) {
	unlock, err := w.alone(ctx, w.key)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if v, ok := w.cond.Version(); ok {
		err = w.replace(v)
	} else {
		err = w.create()
	}
	if err != nil {
		return nil, err
	}
	return f.Stat()
}

// create renames our file to its key: over what is there, unless the condition
// forbids it.
func (w *change) create() error {
	mark, err := w.mark(w.key)
	if err != nil {
		return err
	}
	if err := w.name(); err != nil {
		_ = w.discard(mark) // if that fails, the next writer does it
		return err
	}
	return w.settled(mark, w.key)
}

// name gives our file its key. Others may remove its folder as long as that is
// empty: clients over SFTP, and other tools, know no lock.
func (w *change) name() error {
	for range 8 {
		if err := w.nameOnce(); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return w.nameOnce()
}

func (w *change) nameOnce() error {
	if err := w.folder(path.Dir(w.key)); err != nil {
		return err
	}
	switch fi, err := w.Root().Lstat(w.key); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case fi.IsDir():
		if err := w.clear(w.key); err != nil {
			return errFolder
		}
	case !fi.Mode().IsRegular():
		return refuseMode(fi.Mode())
	}
	rename := w.Rename
	if w.cond.Absent() {
		rename = w.RenameNew
	}
	err := rename(w.tmp, w.key)
	switch {
	case err == nil:
		w.tmp = ""
	case w.cond.Absent() && errors.Is(err, fs.ErrExist):
		return vfs.ErrConflict
	}
	return err
}

// replace exchanges our file with the object, if that is at version v, and
// looks at what came out. If it is not what was compared, a foreign write came
// in between, and is given back.
func (w *change) replace(v vfs.Version) error {
	have, err := w.identify(w.key)
	if errors.Is(err, fs.ErrNotExist) {
		return vfs.ErrConflict
	} else if err != nil {
		return err
	}
	defer have.Close() // not before: while it is open, no other file can have its inode
	if have.version() != v {
		return vfs.ErrConflict
	}
	if err := w.folder(path.Dir(w.key)); err != nil {
		return err
	}
	swap, err := w.temp("swap", w.ours, have.digest, w.key)
	if err != nil {
		return err
	}
	if err := w.Rename(w.tmp, swap); err != nil {
		return err
	}
	w.tmp = ""

	// If we stop here, swap holds our bytes: recovery removes it.
	switch err := w.Exchange(swap, w.key); {
	case errors.Is(err, errors.ErrUnsupported):
		mark, err := w.mark(w.key)
		if err != nil {
			return err
		}
		if err := w.Rename(swap, w.key); err != nil {
			return err
		}
		return w.settled(mark, w.key)
	case errors.Is(err, fs.ErrNotExist):
		_ = w.discard(swap)
		return vfs.ErrConflict // deleted in between
	case err != nil:
		return err
	}
	// If we stop here, recovery does from swap's name what follows.
	got, err := w.identify(swap)
	if err != nil {
		return err
	}
	got.Close()
	if got.moved(have.stamp) && got.digest == have.digest {
		return w.settled(swap, w.key)
	}
	if err := w.giveBack(swap, w.key, w.ours, w.ours); err != nil {
		return err
	}
	return vfs.ErrConflict
}

// settled makes a change of key durable, and removes the temporary file that
// told of it.
func (s *session) settled(tmp, key string) error {
	err := s.SyncDir(path.Dir(key))
	if errors.Is(err, fs.ErrNotExist) {
		err = s.syncAbove(key) // others have removed the folder, which is empty
	}
	if err != nil {
		return &unsyncedError{err} // the temporary file stays: the next writer tries again
	}
	_ = s.discard(tmp) // if that fails, the next writer does it
	return nil
}

// clear removes a directory that holds none but empty directories.
func (s *session) clear(dir string) error {
	f, err := s.Root().Open(dir)
	if err != nil {
		return err
	}
	entries, err := f.ReadDir(-1)
	f.Close()
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.IsDir() {
			return errFolder
		}
		if err := s.clear(path.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return s.RemoveDir(dir)
}

// Delete removes an object if c holds, and directories that are then empty.
func (d *Driver) Delete(ctx context.Context, key string, c vfs.Cond) error {
	if err := writable(key); err != nil {
		return err
	}
	s, err := d.read(ctx)
	if err == nil {
		defer s.Close()
		if _, err = s.Root().Lstat(key); errors.Is(err, fs.ErrNotExist) && s.shared() {
			err = nil // it may be aside
		}
	}
	if err != nil && errors.Is(absent(err, key), fs.ErrNotExist) {
		if c.IsZero() {
			return nil
		}
		return vfs.ErrConflict
	}
	if err == nil {
		err = s.begin()
	}
	if err == nil {
		err = s.vouch()
	}
	if err == nil {
		err = s.delete(ctx, key, c)
	}
	return cause(err, key)
}

func (s *session) delete(ctx context.Context, key string, c vfs.Cond) error {
	unlock, err := s.alone(ctx, key)
	if err != nil {
		return err
	}
	defer unlock()
	var told string // the temporary file that tells of the change
	if v, ok := c.Version(); ok {
		told, err = s.setAside(key, v)
	} else {
		told, err = s.unlink(key)
	}
	if err != nil || told == "" {
		return err
	}
	if err := s.settled(told, key); err != nil {
		return err
	}
	s.prune(path.Dir(key))
	if s.shared() {
		s.prune(asideDir + "/" + key) // nobody need wait for it to come back
	}
	return nil
}

// unlink removes an object, whatever it holds, and returns the mark of that;
// none: there is no object.
func (s *session) unlink(key string) (mark string, err error) {
	fi, err := s.Root().Lstat(key)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", err
	case fi.IsDir():
		return "", nil // a folder, and no object
	case !fi.Mode().IsRegular():
		return "", errIrregular
	}
	if mark, err = s.mark(key); err != nil {
		return "", err
	}
	if err := s.Remove(key); err != nil && !errors.Is(err, fs.ErrNotExist) {
		_ = s.discard(mark)
		return "", err
	}
	return mark, nil
}

// setAside moves an object away if it is at version v, looks at what it has
// moved, and returns where that is; or gives it back.
func (s *session) setAside(key string, v vfs.Version) (string, error) {
	have, err := s.identify(key)
	if errors.Is(err, fs.ErrNotExist) {
		return "", vfs.ErrConflict
	} else if err != nil {
		return "", err
	}
	defer have.Close()
	if have.version() != v {
		return "", vfs.ErrConflict
	}
	aside, err := s.temp("gone", have.digest, key)
	if err != nil {
		return "", err
	}
	if err := s.Rename(key, aside); errors.Is(err, fs.ErrNotExist) {
		return "", vfs.ErrConflict // deleted in between
	} else if err != nil {
		return "", err
	}
	// If we stop here, recovery does from aside's name what follows.
	got, err := s.identify(aside)
	if err != nil {
		return "", err
	}
	got.Close()
	if got.moved(have.stamp) && got.digest == have.digest {
		return aside, nil
	}
	if err := s.putBack(aside, key, got.digest); err != nil {
		return "", err
	}
	return "", vfs.ErrConflict
}

// prune removes a directory and those above it as long as they are empty.
func (s *session) prune(dir string) {
	for ; dir != "." && dir != tempDir; dir = path.Dir(dir) {
		if fi, err := s.Root().Lstat(dir); err != nil || !fi.IsDir() || s.RemoveDir(dir) != nil {
			return
		}
	}
}

// object is a file that has been looked at, and is held open.
type object struct {
	*os.File
	stamp
	digest string
}
