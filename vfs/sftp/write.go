package sftp

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	mrand "math/rand/v2"
	"os"
	"path"
	"strings"
	"syscall"
	"time"

	"github.com/pkg/sftp"

	"github.com/stateroom/stateroom/vfs"
)

// Put writes an object if c holds. The tag is dropped.
func (d *Driver) Put(ctx context.Context, key string, data []byte, c vfs.Cond, _ string) (vfs.Entry, error) {
	var e vfs.Entry
	err := d.write(ctx, key, func(s *session) error {
		expected := expectNone
		if v, ok := c.Version(); ok {
			expected = digestOf(v)
		}
		w := s.change(key, c, expected)
		w.data = data
		err := w.carryOut(ctx, w.put)
		e = w.entry
		return err
	})
	return e, cause(err)
}

// Delete removes an object if c holds, and directories that are then empty.
func (d *Driver) Delete(ctx context.Context, key string, c vfs.Cond) error {
	return cause(d.write(ctx, key, func(s *session) error {
		expected := expectAny
		if v, ok := c.Version(); ok {
			expected = digestOf(v)
		}
		w := s.change(key, c, expected)
		return w.carryOut(ctx, w.delete)
	}))
}

// write calls f with a connection to a server that can do what is needed. It
// calls it again if the connection was lost before anything was decided.
func (d *Driver) write(ctx context.Context, key string, f func(*session) error) error {
	if hidden(key) {
		return errHidden
	}
	return again(ctx, func() error {
		s, err := d.session(ctx)
		if err != nil {
			return err
		}
		for _, need := range []string{"hardlink@openssh.com", "posix-rename@openssh.com"} {
			if _, ok := s.c.HasExtension(need); !ok {
				return &refusal{
					"the server cannot do " + need + ", without which writers would overwrite each other",
					"this store can only be read; OpenSSH's sftp-server can do it", errors.ErrUnsupported,
				}
			}
		}
		err = f(s)
		if decided, ok := errors.AsType[*decidedError](err); ok {
			return decided
		}
		return err
	})
}

// decidedError is the loss of the connection in the request that decides: it
// may have been done, and is not to be done again.
type decidedError struct{ err error }

func (e *decidedError) Error() string { return e.err.Error() + "; the write may have been done" }

// change is one Put or Delete.
type change struct {
	*session
	key   string
	cond  vfs.Cond
	id    string // of all that is made for it
	turn  turn
	data  []byte
	tmp   string // where our bytes are, under a name of their own
	entry vfs.Entry
	dir   *sftp.File // of the key, to sync it
}

func (s *session) change(key string, c vfs.Cond, expected string) *change {
	id := newID()
	return &change{session: s, key: key, cond: c, id: id, turn: turn{hold: holdName(id, expected)}}
}

// carryOut calls f, which writes, and cleans up after it. That nothing is there
// is believed only if our turn lasted until the end.
func (w *change) carryOut(ctx context.Context, f func(context.Context) error) error {
	err := f(ctx)
	w.closeLater(w.dir)
	if err == nil && w.turn.place == "" && w.turn.ready == "" && w.tmp == "" {
		return nil
	}
	ours := w.leave(ctx)
	switch {
	case !errors.Is(err, errNone):
		return err
	case !ours:
		return errLate
	case w.cond.IsZero():
		return nil // of a delete
	}
	return vfs.ErrConflict
}

func (w *change) put(ctx context.Context) error {
	err := both(
		func() error { return w.stage(ctx) },
		func() error { return w.prepare(ctx) },
		func() error { return w.openDir(ctx) },
		func() error { w.sweep(ctx); return nil },
		func() error { return w.vain(ctx) })
	if err == nil {
		err = w.enter(ctx)
	}
	_, isVersion := w.cond.Version()
	switch {
	case err != nil:
		return err
	case isVersion:
		return w.replace(ctx)
	case w.cond.Absent():
		return w.create(ctx)
	}
	return w.overwrite(ctx)
}

// newFile is where the bytes of a write are until they get their key, and
// nowhere else: who removes it, prevents that.
func newFile(id string) string { return tempDir + "/new." + id }

// stage writes the bytes to a file of their own, and syncs it.
func (w *change) stage(ctx context.Context) error {
	tmp := newFile(w.id)
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	f, err := w.open(ctx, tmp, flags)
	if errors.Is(err, fs.ErrNotExist) {
		if err = w.mkdirs(ctx, tempDir); err == nil {
			f, err = w.open(ctx, tmp, flags)
		}
	}
	if err != nil {
		return w.full(ctx, err)
	}
	w.tmp = tmp
	defer w.closeLater(f)
	perm, _, err := w.modes(ctx)
	if err != nil {
		return err
	}
	// tempDir keeps others out until the mode is set.
	err = both(
		func() error { return w.do(ctx, func() error { return f.Chmod(perm) }) },
		func() error { return w.fillTemp(ctx, f) })
	if err != nil {
		return err
	}
	var fi os.FileInfo
	err = both(
		func() (err error) { fi, err = ask(ctx, w.session, f.Stat); return err },
		func() error {
			if _, ok := w.c.HasExtension("fsync@openssh.com"); !ok {
				return nil
			}
			return w.full(ctx, w.do(ctx, f.Sync))
		})
	if err != nil {
		return err
	}
	size := int64(len(w.data))
	if fi.Size() != size {
		return fmt.Errorf("the server keeps %d of %d bytes written", fi.Size(), size)
	}
	w.entry = vfs.Entry{Key: w.key, Version: versionOf(w.data, size, fi.ModTime().Unix()), Size: size, Time: fi.ModTime()}
	return nil
}

// fillTemp writes our bytes, a part after the other, lest a slow line be taken
// for a dead one.
func (w *change) fillTemp(ctx context.Context, f *sftp.File) error {
	const slab = 1 << 20
	for at := 0; at < len(w.data); at += slab {
		part := w.data[at:min(at+slab, len(w.data))]
		err := w.do(ctx, func() error { _, err := f.WriteAt(part, int64(at)); return err })
		if err != nil {
			return w.full(ctx, err)
		}
	}
	return nil
}

// full says of a failed write that the disk is full, or cannot be written,
// where the server can be asked.
func (w *change) full(ctx context.Context, err error) error {
	if !failed(err) {
		return err
	}
	st, serr := ask(ctx, w.session, func() (*sftp.StatVFS, error) { return w.c.StatVFS(w.path("")) })
	const readOnly = 1 // SSH2_FXE_STATVFS_ST_RDONLY
	switch {
	case serr != nil:
	case st.Flag&readOnly != 0:
		return fmt.Errorf("%w: %w", syscall.EROFS, err)
	case st.Bavail == 0:
		return fmt.Errorf("%w: %w", syscall.ENOSPC, err)
	}
	return err
}

// openDir opens the directory of the key, and makes it if need be.
func (w *change) openDir(ctx context.Context) error {
	dir := dirOf(w.key)
	f, err := w.open(ctx, dir, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		if err := w.mkdirs(ctx, dir); err != nil {
			return err
		}
		f, err = w.open(ctx, dir, os.O_RDONLY)
	}
	if errors.Is(err, errLost) || ctx.Err() != nil {
		return errors.Join(ctx.Err(), err)
	}
	if failed(err) && w.underFile(ctx, w.key) {
		return errUnderFile
	}
	w.dir = f // nil where a server opens no directories
	return nil
}

// sync makes the names in the directory of the key durable, where the server
// can.
func (w *change) sync(ctx context.Context) error {
	if w.dir == nil {
		return nil
	}
	return unsynced(w.syncFile(ctx, w.dir))
}

// unsynced says of a sync that failed that the write was made.
func unsynced(err error) error {
	if failed(err) {
		return fmt.Errorf("%w: %w", vfs.ErrNotDurable, err)
	}
	return err
}

// syncFile syncs a directory. A server that cannot says so; that it failed
// means that its disk did.
func (s *session) syncFile(ctx context.Context, f *sftp.File) error {
	if _, ok := s.c.HasExtension("fsync@openssh.com"); !ok {
		return nil
	}
	if err := s.do(ctx, f.Sync); err != nil && (!answered(err) || failed(err)) {
		return err
	}
	return nil
}

// syncDir does so for a directory that is not open, if it is there.
func (s *session) syncDir(ctx context.Context, dir string) error {
	f, err := s.open(ctx, dir, os.O_RDONLY)
	if err != nil {
		if answered(err) {
			return nil
		}
		return err
	}
	defer s.closeLater(f)
	return s.syncFile(ctx, f)
}

// unstage removes our file's first name.
func (w *change) unstage(ctx context.Context) error {
	if w.tmp == "" {
		return nil
	}
	err := ignoreAbsent(w.remove(ctx, w.tmp))
	if err == nil {
		w.tmp = ""
	}
	return err
}

// create links our file to its key, which fails if there is one.
func (w *change) create(ctx context.Context) error {
	if err := w.publish(ctx); err != nil || w.turn.place == "" {
		return err
	}
	return w.finish(ctx, func(ctx context.Context) error {
		w.release(ctx, true)
		return nil
	})
}

// finish makes what is published durable, removes what is left of the write,
// and calls f, all at once.
func (w *change) finish(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := w.grace(ctx)
	defer cancel()
	err := both(
		func() error { return w.sync(ctx) },
		func() error { _ = w.unstage(ctx); return nil }, // if that fails, it is removed another day
		func() error { return f(ctx) })
	return w.resolve(ctx, err)
}

// publish links our file to its key. What is there already is another tool's,
// or what a create was not to replace.
func (w *change) publish(ctx context.Context) error {
	for try := 0; ; try++ {
		err := w.linkNew(ctx, w.tmp, w.key)
		if err == nil {
			return nil
		}
		if !answered(err) {
			return w.resolve(ctx, err)
		}
		// The server says no more than that it failed.
		if err := w.blocked(ctx, err, try, vfs.ErrConflict); err != nil {
			return err
		}
	}
}

// release gives the turn up after all is done; if that fails, the next client
// does it. clean: the object was never aside, or is no more.
func (w *change) release(ctx context.Context, clean bool) {
	if err := ignoreAbsent(w.removeDir(ctx, w.turn.place)); err != nil {
		return
	}
	w.turn.place = ""
	if clean {
		_ = w.removeDir(ctx, turnDir(w.key)) // not if the next one is in it
	}
}

// resolve is what to say when a request was lost from which on the write may be
// done: with a new connection, what is there is put right and looked at.
func (w *change) resolve(ctx context.Context, err error) error {
	lost := errors.Is(err, errLost)
	if err == nil || !lost && ctx.Err() == nil {
		return err
	}
	w.turn.place, w.tmp = "", ""
	if w.settled(ctx) {
		return nil
	}
	if lost {
		return &decidedError{err}
	}
	return err
}

// settled puts right what is there, and reports whether the write was done for
// sure: what is seen counts if our turn lasted until after that.
func (w *change) settled(ctx context.Context) bool {
	ctx, cancel := w.grace(ctx)
	defer cancel()
	s, err := w.session.session(ctx)
	if err != nil {
		return false
	}
	if w.entry.Version == "" && s.removeDir(ctx, turnDir(w.key)+"/"+w.turn.hold) == nil {
		return s.syncDir(ctx, dirOf(w.key)) == nil // of a delete: nothing is aside any more
	}
	if err := ignoreAbsent(s.remove(ctx, newFile(w.id))); err != nil {
		return false
	}
	at, _, err := s.read(ctx, w.key, false)
	synced := s.syncDir(ctx, dirOf(w.key)) == nil
	ours, _ := s.end(ctx, w.key, w.turn.hold)
	return ours && synced && err == nil && w.entry.Version != "" && at.entry.Version == w.entry.Version
}

// blocked finds out why our file did not get its key: there is one (then it is
// taken), there is no directory (then it is made, and nil returned), or a
// directory is in the way.
func (w *change) blocked(ctx context.Context, why error, try int, taken error) error {
	if errors.Is(why, fs.ErrPermission) {
		return why
	}
	if _, err := w.lstat(ctx, w.tmp); errors.Is(err, fs.ErrNotExist) {
		return errLate
	}
	fi, err := w.lstat(ctx, w.key)
	switch {
	case try > 8:
		return why
	case err == nil && fi.IsDir():
		return w.clear(ctx, w.key)
	case err == nil && !fi.Mode().IsRegular():
		return refuseMode(fi.Mode())
	case err == nil:
		return taken
	case failed(err) && w.underFile(ctx, w.key):
		return errUnderFile
	case badName(why) || badName(err):
		return errName
	case errors.Is(err, fs.ErrNotExist) && errors.Is(why, fs.ErrNotExist):
		if err := w.mkdirs(ctx, dirOf(w.key)); err != nil {
			return err
		}
		w.closeLater(w.dir)
		w.dir = nil // of a directory that was removed
		return w.openDir(ctx)
	case errors.Is(err, fs.ErrNotExist) && try < 3:
		return nil // it was there, and is gone
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the server made no link, though the name is free; are there hard links on its disk? %w", why)
	}
	return err
}

// clear removes a directory that holds none but empty directories.
func (s *session) clear(ctx context.Context, dir string) error {
	list, err := s.readDir(ctx, dir)
	if err != nil {
		return ignoreAbsent(err)
	}
	for _, fi := range list {
		if !fi.IsDir() {
			return errFolder
		}
		if err := s.clear(ctx, dir+"/"+fi.Name()); err != nil {
			return err
		}
	}
	if err := ignoreAbsent(s.removeDir(ctx, dir)); err != nil && !failed(err) {
		return err
	}
	return nil
}

// overwrite renames our file to its key, over what is there.
func (w *change) overwrite(ctx context.Context) error {
	fi, err := w.lstat(ctx, w.key)
	if err == nil && !fi.IsDir() && !fi.Mode().IsRegular() {
		return refuseMode(fi.Mode())
	}
	for try := 0; ; try++ {
		err := w.rename(ctx, w.tmp, w.key)
		if err == nil {
			w.tmp = ""
			break
		}
		if !answered(err) {
			return w.resolve(ctx, err)
		}
		if err := w.blocked(ctx, err, try, err); err != nil {
			return err
		}
	}
	return w.finish(ctx, func(ctx context.Context) error {
		w.release(ctx, false)
		return nil
	})
}

// replace takes the object aside and links ours to the key.
func (w *change) replace(ctx context.Context) error {
	if err := w.take(ctx); err != nil {
		return err
	}
	if err := w.publish(ctx); err != nil || w.turn.place == "" {
		return err
	}
	return w.finish(ctx, func(ctx context.Context) error {
		// If we stop here, and another tool removes the new file before any client
		// of ours has seen it, the old one comes back: so this goes first.
		err := w.remove(ctx, w.turn.place+out)
		if errors.Is(err, fs.ErrNotExist) {
			return &decidedError{errLate}
		}
		if err == nil {
			w.release(ctx, false)
		}
		return err
	})
}

// delete takes the object aside and removes it there.
func (w *change) delete(ctx context.Context) error {
	if w.cond.IsZero() {
		if _, err := w.find(ctx, w.key, false); err != nil {
			return ignoreAbsent(err)
		}
	}
	err := both(
		func() error { return w.prepare(ctx) },
		func() error { return w.vain(ctx) })
	if err == nil {
		err = w.enter(ctx)
	}
	began := time.Now()
	if err == nil {
		err = w.take(ctx)
	}
	if err != nil {
		return err
	}
	err = w.remove(ctx, w.turn.place+out)
	if errors.Is(err, fs.ErrNotExist) {
		return errLate
	}
	if err := w.resolve(ctx, err); err != nil || w.turn.place == "" {
		return err
	}
	ctx, cancel := w.grace(ctx)
	defer cancel()
	err = w.syncDir(ctx, dirOf(w.key))
	w.untold(ctx, began)
	w.release(ctx, time.Since(began) < w.settle/4)
	w.pruneDirs(ctx, dirOf(w.key), "")
	if errors.Is(err, errLost) {
		return &decidedError{err}
	}
	return unsynced(err)
}

// pruneDirs removes a directory and those above it, up to that named top, as long
// as they are empty.
func (s *session) pruneDirs(ctx context.Context, dir, top string) {
	for ; dir != top && dir != "" && dir != "."; dir = dirOf(dir) {
		if s.removeDir(ctx, dir) != nil {
			return
		}
	}
}

// modes returns those of new files and directories: for a group, where the
// store's directory is writable for its group.
func (s *session) modes(ctx context.Context) (file, dir fs.FileMode, err error) {
	team := s.c.team.Load()
	if team == nil {
		fi, err := ask(ctx, s, func() (os.FileInfo, error) { return s.c.Stat(s.path("")) })
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, 0, err
		}
		yes := err == nil && fi.Mode()&0o020 != 0
		if team = &yes; err == nil {
			s.c.team.Store(team)
		}
	}
	if *team {
		return 0o660, 0o770, nil
	}
	return 0o600, 0o700, nil
}

// mkdirs makes a directory of the store, the store's own and all between.
// Others may remove those that are empty.
func (s *session) mkdirs(ctx context.Context, dir string) error {
	for range 8 {
		if err := s.mkdirsOnce(ctx, dir); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return errBusy
}

func (s *session) mkdirsOnce(ctx context.Context, dir string) error {
	full := strings.TrimSuffix(s.path(dir), "/")
	fi, err := ask(ctx, s, func() (os.FileInfo, error) { return s.c.Stat(full) })
	if err == nil && fi.IsDir() || full == "" {
		return nil
	}
	_, perm, err := s.modes(ctx)
	if err != nil {
		return err
	}
	var missing []string
	for ; full != "." && full != "/" && full != ""; full = path.Dir(full) {
		fi, err := ask(ctx, s, func() (os.FileInfo, error) { return s.c.Stat(full) })
		if err == nil && fi.IsDir() {
			break
		}
		if err == nil || failed(err) {
			return errUnderFile
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		missing = append(missing, full)
	}
	for i := len(missing) - 1; i >= 0; i-- {
		if err := s.mkdir(ctx, missing[i], perm); err != nil {
			return err
		}
	}
	return nil
}

// mkdir makes one directory durably; it is no error if there is one. A group
// never finds it without its mode, for only its maker could mend that.
func (s *session) mkdir(ctx context.Context, full string, perm fs.FileMode) error {
	made := full
	if perm == 0o770 {
		made = path.Join(path.Dir(full), fmt.Sprintf("tmp%d", mrand.Uint64())) // which is no object
	}
	err := s.mkdirMode(ctx, made, perm)
	if made != full && err == nil {
		// Without posix-rename it replaces nothing.
		if err = s.do(ctx, func() error { return s.c.Rename(made, full) }); err != nil {
			_ = s.do(ctx, func() error { return s.c.RemoveDirectory(made) })
		}
	}
	switch {
	case err != nil && answered(err):
		if fi, serr := ask(ctx, s, func() (os.FileInfo, error) { return s.c.Stat(full) }); serr == nil && fi.IsDir() {
			return nil // another was faster
		}
		return err
	case err != nil:
		return err
	case perm == 0o700 && strings.HasPrefix(full, s.path(tempDir)+"/"):
		return nil // need not outlive a power cut
	}
	f, err := ask(ctx, s, func() (*sftp.File, error) { return s.c.Open(path.Dir(full)) })
	if err != nil {
		if answered(err) {
			return nil
		}
		return err
	}
	defer s.closeLater(f)
	return s.syncFile(ctx, f)
}

// mkdirMode makes a directory of that mode. What lies in one that others cannot
// reach keeps the mode that the server gives it.
func (s *session) mkdirMode(ctx context.Context, full string, perm fs.FileMode) error {
	err := s.do(ctx, func() error { return s.c.Mkdir(full) })
	if err != nil || perm == 0o700 && strings.HasPrefix(full, s.path(tempDir)+"/") {
		return err
	}
	fi, err := ask(ctx, s, func() (os.FileInfo, error) { return s.c.Stat(full) })
	if err != nil || fi.Mode().Perm() == perm {
		return err
	}
	setgid := fi.Mode() & fs.ModeSetgid
	return ignoreAbsent(s.do(ctx, func() error { return s.c.Chmod(full, perm|setgid) }))
}

const idLength = 16

// newID returns 16 random characters of a-z2-7.
func newID() string { return strings.ToLower(rand.Text()[:idLength]) }
