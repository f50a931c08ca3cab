package sftp

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/stateroom/stateroom/vfs"
)

// Whoever changes what is at a key holds the turn of that key: a directory that
// holds a directory of its own, renamed into place, which a server refuses to
// do over one that holds something. So there is one holder at a time, under a
// name that never comes twice.
//
// A holder that stops is taken for dead. That may be wrong, and it may go on
// at any time: so nothing it can still do is left standing. What it would
// publish is removed, so that it finds nothing to link; the directory that it
// would take the object to is removed, so that its rename fails; what is there
// already is renamed before it is given back, so that it cannot be removed as
// deleted or replaced. Each of these is one request that is done, or fails
// because the holder was faster, and then it is seen what it did.
//
// model_test.go tries all orders of the requests of three clients.

// turnDir is the directory of a key's turn. Keys are digested there, lest that
// of one lie within that of another.
func turnDir(key string) string {
	sum := sha256.Sum256([]byte(key))
	return fmt.Sprintf("%s/%x", turnsDir, sum[:16])
}

// What a hold expects at the key, if it is not a digest.
const (
	expectNone = "none" // or nothing that matters: the object is not taken aside
	expectAny  = "any"
)

// Names in the directory of a hold.
const (
	out     = "/out"     // the object, taken aside
	claimed = "/claimed" // the same, by one who gives it back
)

// holdName is that of the directory of one who holds a turn.
func holdName(id, expected string) string { return id + "." + expected }

func parseHold(name string) (id, expected string, ok bool) {
	id, expected, ok = strings.Cut(name, ".")
	return id, expected, ok && len(id) == idLength && (expected == expectNone || expected == expectAny || len(expected) == 32)
}

// turn is that of one write.
type turn struct {
	hold  string // the name of our directory
	ready string // where it is made; "": it was renamed into place, or never made
	place string // where it is when the turn is ours; "": it is not
}

// prepare makes the directory that is to be renamed into place.
func (w *change) prepare(ctx context.Context) error {
	return w.full(ctx, w.makeTurn(ctx))
}

func (w *change) makeTurn(ctx context.Context) error {
	_, perm, err := w.modes(ctx)
	if err != nil {
		return err
	}
	ready := tempDir + "/turn." + w.id
	err = w.mkdirMode(ctx, w.path(ready), perm)
	if errors.Is(err, fs.ErrNotExist) {
		if err = w.mkdirs(ctx, tempDir); err == nil {
			err = w.mkdirMode(ctx, w.path(ready), perm)
		}
	}
	if err != nil {
		return err
	}
	w.turn.ready = ready
	return w.mkdirMode(ctx, w.path(ready+"/"+w.turn.hold), perm)
}

// enter waits for the turn of the key. It gives up with [vfs.ErrConflict] if
// the write is in vain.
func (w *change) enter(ctx context.Context) error {
	var (
		last  looked
		since time.Time // when last was seen first
	)
	free := 0 // how often it was free and could not be taken
	for wait := 4 * time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		began := time.Now()
		err := w.rename(ctx, w.turn.ready, turnDir(w.key))
		if err == nil || !answered(err) {
			w.turn.place = turnDir(w.key) + "/" + w.turn.hold // if the answer was lost, perhaps
		}
		if err == nil {
			w.turn.ready = ""
			return nil
		}
		switch {
		case !answered(err), errors.Is(err, fs.ErrPermission):
			return err
		case errors.Is(err, fs.ErrNotExist):
			if err := w.mkdirs(ctx, turnsDir); err != nil {
				return err
			}
		}
		why := err
		now, err := w.holds(ctx, w.key)
		if err != nil {
			return err
		}
		if err := w.vain(ctx); err != nil {
			return err
		}
		switch {
		case len(now.holds) == 0 && free == enough:
			return &refusal{"the turn to write cannot be taken, though nobody has it", "remove what lies in " + turnDir(w.key) + " on the server", why}
		case len(now.holds) == 0:
			free++
			// Some servers rename no directory over another, though it is empty.
			_ = w.removeDir(ctx, turnDir(w.key))
			if free < 4 {
				continue
			}
		case now.state != last.state && !w.given.up(now):
			last, since = now, time.Now()
		case began.Sub(since) > w.settle || w.given.up(now):
			w.given.giveUp(now)
			for _, hold := range now.holds {
				if _, err := w.end(ctx, w.key, hold); err != nil {
					return err
				}
			}
			continue
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// enough is how often a turn is free and cannot be taken before that is told.
const enough = 20

// vain returns [vfs.ErrConflict] if there is something at the key that the
// condition of the write excludes. That there is nothing proves nothing.
func (w *change) vain(ctx context.Context) error {
	v, isVersion := w.cond.Version()
	if !isVersion && !w.cond.Absent() {
		return ctx.Err()
	}
	o, _, err := w.read(ctx, w.key, false)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case isVersion && o.entry.Version == v:
		return nil
	}
	return vfs.ErrConflict
}

// take takes the object aside if it is at the version of the condition, and
// there is one. Nothing there is errNone, which is true only if the turn is
// given up later and was still ours.
func (w *change) take(ctx context.Context) error {
	v, isVersion := w.cond.Version()
	began := time.Now()
	var o object
	var absent error
	err := both(
		func() (err error) {
			if o, _, err = w.read(ctx, w.key, false); errors.Is(err, fs.ErrNotExist) {
				absent, err = errNone, nil
			}
			return err
		},
		// It tells readers that the key may be empty though there is an object.
		func() error { return w.mkdirs(ctx, folderOf(w.key)) })
	switch {
	case err != nil:
		return err
	case absent != nil:
		w.untold(ctx, began)
		return absent
	case isVersion && o.entry.Version != v:
		return vfs.ErrConflict
	}
	err = w.rename(ctx, w.key, w.turn.place+out)
	if errors.Is(err, fs.ErrNotExist) {
		return errNone
	}
	if err != nil || !isVersion {
		return err
	}
	// Another tool may have written in between.
	o, isDir, err := w.read(ctx, w.turn.place+out, false)
	switch {
	case err == nil && o.entry.Version == v:
		return nil
	case errors.Is(err, fs.ErrNotExist) && !isDir:
		return errLate
	case err == nil, isDir, errors.Is(err, fs.ErrInvalid):
		return vfs.ErrConflict
	}
	return err
}

// untold removes what tells readers that the object may be aside: there is none
// any more. Not if this took so long since the turn was ours that another may
// have it aside.
func (w *change) untold(ctx context.Context, since time.Time) {
	if time.Since(since) < w.settle/4 {
		w.pruneDirs(ctx, folderOf(w.key), asideDir)
	}
}

// leave gives the turn up, and gives back what is aside. ours: it was ours all
// the time.
func (w *change) leave(ctx context.Context) (ours bool) {
	ctx, cancel := w.grace(ctx)
	defer cancel()
	s := w.session
	if !s.link.has(s.c) {
		var err error
		if s, err = w.session.session(ctx); err != nil {
			return false // the next client does it
		}
	}
	_ = both(
		func() error {
			if w.turn.place == "" {
				return ignoreAbsent(s.remove(ctx, newFile(w.id)))
			}
			was, err := s.end(ctx, w.key, w.turn.hold)
			ours = err == nil && was
			return err
		},
		func() error {
			if w.turn.ready == "" {
				return nil
			}
			_ = s.removeDir(ctx, w.turn.ready+"/"+w.turn.hold)
			return s.removeDir(ctx, w.turn.ready)
		})
	return ours
}

// end ends a turn, our own or that of a client that is taken for dead. ours: it
// was this call that did it.
func (s *session) end(ctx context.Context, key, hold string) (ours bool, err error) {
	id, expected, _ := parseHold(hold)
	dir := turnDir(key) + "/" + hold
	if err := ignoreAbsent(s.remove(ctx, newFile(id))); err != nil {
		return false, err
	}
	for range takes {
		switch err := s.removeDir(ctx, dir); {
		case err == nil:
			return true, nil
		case errors.Is(err, fs.ErrNotExist):
			return false, nil
		case !failed(err):
			return false, err
		}
		if err := ignoreAbsent(s.rename(ctx, dir+out, dir+claimed)); err != nil {
			return false, err
		}
		if err := s.restore(ctx, key, dir+claimed, expected); err != nil {
			return false, err
		}
	}
	return false, errBusy
}

const takes = 100

// restore decides over what was taken aside: it is the object if there is none
// at the key, and else what that has replaced.
func (s *session) restore(ctx context.Context, key, path, expected string) error {
	was, isDir, err := s.read(ctx, path, false)
	plain := err == nil
	switch {
	case errors.Is(err, fs.ErrNotExist) && !isDir:
		return nil // somebody else did it
	case err != nil && !isDir && !errors.Is(err, fs.ErrInvalid):
		return err
	}
	at, atDir, err := s.read(ctx, key, false)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !atDir:
		return s.back(ctx, path, key, plain)
	case err != nil && !atDir && !errors.Is(err, fs.ErrInvalid):
		return err
	case err == nil && plain && (expected == expectAny || digestOf(was.entry.Version) == expected || at.entry.Version == was.entry.Version):
		return ignoreAbsent(s.remove(ctx, path))
	}
	// It is another tool's, and was overtaken by what was written later.
	if err := s.mkdirs(ctx, folderOf(key)); err != nil {
		return err
	}
	return ignoreAbsent(s.rename(ctx, path, keptName(key, was.entry.Version)))
}

// back gives what was aside to its key again, where nothing is.
func (s *session) back(ctx context.Context, path, key string, plain bool) error {
	if plain {
		err := s.linkNew(ctx, path, key)
		if err == nil {
			if err := s.syncDir(ctx, dirOf(key)); err != nil {
				return err
			}
			return ignoreAbsent(s.remove(ctx, path))
		}
		if !answered(err) {
			return err
		}
		if errors.Is(err, fs.ErrNotExist) {
			return s.mkdirs(ctx, dirOf(key)) // and again
		}
	}
	// A server may refuse to link what is no file, or the file of another user,
	// and still let us rename it.
	if _, err := s.lstat(ctx, key); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return ignoreAbsent(s.rename(ctx, path, key))
}

// grace is a context that ends only some time after ctx does: what was begun is
// put right if the server answers.
func (d *Driver) grace(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.link.timeout)
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, cancel) })
	return longer, func() { stop(); cancel() }
}

// holds returns who holds the turn of a key: one, or none.
func (s *session) holds(ctx context.Context, key string) (looked, error) {
	var (
		l    looked
		dir  = turnDir(key)
		fi   os.FileInfo
		list []os.FileInfo
	)
	err := both(
		func() (err error) { fi, err = s.lstat(ctx, dir); return err },
		func() (err error) { list, err = s.readDir(ctx, dir); return err })
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	} else if err != nil {
		return l, err
	}
	l.time, l.state = fi.ModTime(), fi.ModTime().String()
	for _, fi := range list {
		if _, _, ok := parseHold(fi.Name()); ok && fi.IsDir() {
			l.holds = append(l.holds, fi.Name())
			l.state += "\n" + fi.Name() + fi.ModTime().String() // which tells that it goes on
		}
	}
	return l, nil
}
