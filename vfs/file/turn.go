package file

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/stateroom/stateroom/internal/durable"
)

// A directory may be written over SFTP at the same time, by clients that cannot
// take its lock. They hold the turn of a key while they change what is there,
// and have the object aside meanwhile, as docs/formats/store-sftp-driver.md
// says. Where there ever was such a client, this driver takes turns with them,
// and does not take what they have aside for deleted.

const (
	turnsDir = tempDir + "/turns"
	asideDir = tempDir + "/aside"
)

// settle is how long a turn that does not change is taken to be held.
const settle = 4 * time.Second

// turnDir is the directory of a key's turn.
func turnDir(key string) string { return turnsDir + "/" + digestOf([]byte(key)) }

// shared reports whether clients over SFTP have written here.
func (s *session) shared() bool {
	_, err := s.Root().Lstat(turnsDir)
	return err == nil
}

// alone takes the turn of a key, where there are turns, and the lock.
func (s *session) alone(ctx context.Context, key string) (unlock func(), err error) {
	leave, err := s.turn(ctx, key)
	if err != nil {
		return nil, err
	}
	release, err := s.lock(ctx)
	if err != nil {
		leave()
		return nil, err
	}
	return func() { release(); leave() }, nil
}

// turn waits for the turn of a key.
func (s *session) turn(ctx context.Context, key string) (leave func(), err error) {
	if !s.shared() {
		return func() {}, nil
	}
	// None of this need outlive a power cut: a turn that is left is ended.
	id := durable.TempName()
	hold := id + ".none"
	ready, place := tempDir+"/turn."+id, turnDir(key)
	if err := errors.Join(s.mkdir(ready), s.mkdir(ready+"/"+hold)); err != nil {
		return nil, err
	}
	free := 0 // how often it was free and could not be taken
	for w := s.wait(); ; {
		if err = s.Root().Rename(ready, place); err == nil {
			break
		}
		now, lerr := s.turnOf(key)
		switch {
		case lerr != nil:
			err = lerr
		case now.hold == "" && free == 20:
			err = &refusal{"the turn to write cannot be taken, though nobody has it", "remove what lies in " + place}
		case now.hold == "":
			free++
			_ = s.RemoveDir(place) // some systems rename no directory over another
			err = w.pause(ctx, now)
		case w.over(now):
			err = s.end(ctx, key, now.hold)
		default:
			err = w.pause(ctx, now)
		}
		if err != nil {
			return nil, errors.Join(err, s.RemoveDir(ready+"/"+hold), s.RemoveDir(ready))
		}
	}
	return sync.OnceFunc(func() { _ = s.Root().Remove(place + "/" + hold) }), nil
}

func (s *session) mkdir(dir string) error {
	err := s.Root().Mkdir(dir, s.dirPerm)
	if err != nil {
		return err
	}
	fi, err := s.Root().Stat(dir)
	if err == nil && fi.Mode().Perm() != s.dirPerm {
		err = s.Root().Chmod(dir, s.dirPerm|fi.Mode()&fs.ModeSetgid)
	}
	return err
}

// held is the state of a turn.
type held struct {
	hold string // the name of the holder's directory; "": nobody's
	stamp
}

// turnOf looks at the turn of a key.
func (s *session) turnOf(key string) (held, error) {
	var h held
	f, err := s.Root().Open(turnDir(key))
	if errors.Is(err, fs.ErrNotExist) {
		return h, nil
	} else if err != nil {
		return h, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return h, err
	}
	h.stamp = stampOf(fi)
	names, err := f.Readdirnames(-1)
	if errors.Is(err, fs.ErrNotExist) {
		return held{}, nil // removed since
	}
	for _, name := range names {
		if id, _, ok := strings.Cut(name, "."); ok && len(id) == len(durable.TempName()) {
			h.hold = name
		}
	}
	return h, err
}

// end ends the turn of a client that has stopped, step by step as the clients
// over SFTP do: it may go on at any time, and may be ended by others too.
func (s *session) end(ctx context.Context, key, hold string) error {
	id, expected, _ := strings.Cut(hold, ".")
	if err := s.Remove(tempDir + "/new." + id); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	dir := turnDir(key) + "/" + hold
	for ctx.Err() == nil {
		err := s.RemoveDir(dir)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if !errors.Is(err, syscall.ENOTEMPTY) && !errors.Is(err, fs.ErrExist) {
			return err
		}
		if err := s.Rename(dir+"/out", dir+"/claimed"); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := s.restore(dir+"/claimed", key, expected); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return ctx.Err()
}

// restore gives what was aside to its key again, unless it was replaced.
func (s *session) restore(claimed, key, expected string) error {
	was, err := s.identify(claimed)
	if err != nil {
		return err
	}
	was.Close()
	parent := path.Dir(key)
	if err := s.folder(parent); err != nil {
		return err
	}
	err = s.RenameNew(claimed, key)
	if err == nil {
		return s.SyncDir(parent)
	}
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	at, err := s.identify(key)
	if err != nil {
		return err
	}
	at.Close()
	if was.digest == expected || expected == "any" || was.digest == at.digest {
		return s.Remove(claimed)
	}
	name, err := s.temp("kept", was.digest, key)
	if err != nil {
		return err
	}
	return errors.Join(s.Rename(claimed, name), s.SyncDir(tempDir))
}

// wait is the wait for a turn. A holder that has stopped is waited for once by
// each driver.
type wait struct {
	d     *Driver
	last  held
	since time.Time
	next  time.Duration
}

func (s *session) wait() *wait { return &wait{d: s.d, next: 500 * time.Microsecond} }

// over reports whether the turn has not changed for so long that its holder
// must have stopped.
func (w *wait) over(now held) bool {
	if now.hold == "" {
		return false
	}
	_, known := w.d.stopped.Load(now.hold)
	if !known && now == w.last && time.Since(w.since) > w.d.settle {
		w.d.stopped.Store(now.hold, true)
		known = true
	}
	return known
}

func (w *wait) pause(ctx context.Context, now held) error {
	if now != w.last {
		w.last, w.since = now, time.Now()
	}
	t := time.NewTimer(w.next)
	defer t.Stop()
	w.next = min(2*w.next, 50*time.Millisecond)
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// find returns where the object of a key lies that is not there: at the key
// after all, or where a client over SFTP left it that has stopped. For one that
// is at it, it waits. [fs.ErrNotExist]: at one moment there was no object.
func (s *session) find(ctx context.Context, key string) (string, error) {
	if _, err := s.Root().Lstat(asideDir + "/" + key); err != nil {
		return "", fs.ErrNotExist // it was never aside
	}
	empty := 0
	for w := s.wait(); ; {
		before, err := s.turnOf(key)
		if err != nil {
			return "", err
		}
		if _, err := s.Root().Lstat(key); err == nil {
			return key, nil
		}
		now, err := s.turnOf(key)
		switch {
		case err != nil:
			return "", err
		case now.hold == "" && now == before:
			return "", fs.ErrNotExist
		case w.over(now):
			for _, name := range []string{"/out", "/claimed"} {
				name = turnDir(key) + "/" + now.hold + name
				if _, err := s.Root().Lstat(name); err == nil {
					return name, nil
				}
			}
			// It may be on its way from one name to the other, or to the key.
			if empty++; empty > 2 {
				return "", fs.ErrNotExist
			}
		}
		if err := w.pause(ctx, now); err != nil {
			return "", err
		}
	}
}
