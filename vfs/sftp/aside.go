package sftp

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stateroom/stateroom/vfs"
)

// A server has no condition for "if this is still what is there". So a writer
// takes the file aside, by a rename that only one writer can win, looks at
// what it has, and then puts the new file at the key, by a link that fails if
// another is there. Meanwhile nothing is at the key, and a reader must not
// take that for a deletion. What follows is what it does instead;
// docs/formats/store-sftp-driver.md has the rules.
//
// While the file of a key is aside it lies in a directory of its own, which
// stays when the file does not: where there is no such directory, the file was
// never aside.

// quiet is how long a directory must not change before its state is believed
// to be that of the whole time: servers tell times in seconds.
const quiet = 1100 * time.Millisecond

// ancient is older than clocks may differ.
const ancient = time.Hour

// folderOf is the directory of what is aside of a key.
func folderOf(key string) string { return asideDir + "/" + key }

// aside is a file in such a directory.
type aside struct {
	kind   string // out: it is the object if none is at the key; lost, kept: it is not
	path   string
	digest string // out: of what was expected; kept: of what it is
}

// asideName names a new file of that kind.
func asideName(key, kind string, v vfs.Version) string {
	return folderOf(key) + "/" + kind + "." + newID() + "." + digestOf(v)
}

// digestOf shortens a version to what a name holds.
func digestOf(v vfs.Version) string {
	s := string(v)
	return s[strings.LastIndexByte(s, '-')+1:]
}

func parseAside(dir, name string) (aside, bool) {
	f := strings.Split(name, ".")
	if len(f) != 3 || f[0] != "out" && f[0] != "lost" && f[0] != "kept" {
		return aside{}, false
	}
	return aside{kind: f[0], path: dir + "/" + name, digest: f[2]}, true
}

// given are the files aside whose writers this driver has given up: it waits
// for each only once.
type given struct {
	mu    sync.Mutex
	paths map[string]bool
}

func (g *given) giveUp(a asides) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, f := range a.out() {
		if g.paths == nil || len(g.paths) > 1000 {
			g.paths = map[string]bool{}
		}
		g.paths[f.path] = true
	}
}

// up reports whether there are files aside, and all of them are given up.
func (g *given) up(a asides) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, f := range a.out() {
		if !g.paths[f.path] {
			return false
		}
	}
	return len(a.out()) > 0
}

// asides is what a look into the directory of a key shows.
type asides struct {
	known bool // there is such a directory
	state string
	time  time.Time // of its last change
	files []aside
}

func (s *session) asides(ctx context.Context, key string) (asides, error) {
	var (
		a    asides
		dir  = folderOf(key)
		fi   os.FileInfo
		list []os.FileInfo
	)
	err := both(
		func() (err error) { fi, err = s.lstat(ctx, dir); return err },
		func() (err error) { list, err = s.readDir(ctx, dir); return err })
	switch {
	case err == nil:
	case errors.Is(err, fs.ErrNotExist), badName(err), failed(err):
		return a, nil
	default:
		return a, err
	}
	a.known, a.time = true, fi.ModTime()
	state := []string{fi.ModTime().String()}
	for _, fi := range list {
		if f, ok := parseAside(dir, fi.Name()); ok && fi.Mode().IsRegular() {
			a.files = append(a.files, f)
			state = append(state, fi.Name())
		}
	}
	slices.Sort(state)
	slices.SortFunc(a.files, func(x, y aside) int { return strings.Compare(x.path, y.path) })
	a.state = strings.Join(state, "\n")
	return a, nil
}

// out returns those that may be the object.
func (a asides) out() []aside { return a.of("out") }

func (a asides) of(kind string) []aside {
	var list []aside
	for _, f := range a.files {
		if f.kind == kind {
			list = append(list, f)
		}
	}
	return list
}

// find returns the object at key. If there is none, but a writer has it aside,
// it waits; if that takes so long that the writer must have stopped, it returns
// what is aside. [fs.ErrNotExist] is proved: at one moment at least there was
// no object, at the key or aside.
func (s *session) find(ctx context.Context, key string, whole bool) (object, error) {
	var (
		last  asides
		since time.Time // when last was seen first
	)
	for wait := 4 * time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		began := time.Now()
		o, isDir, err := s.read(ctx, key, whole)
		if !errors.Is(err, fs.ErrNotExist) || isDir {
			return o, err
		}
		a, err := s.asides(ctx, key)
		switch {
		case err != nil:
			return object{}, err
		case !a.known:
			return object{}, fs.ErrNotExist
		case a.state != last.state && !s.given.up(a):
			last, since = a, time.Now()
		case len(a.out()) > 0 && (began.Sub(since) > s.settle || s.given.up(a)):
			s.given.giveUp(a)
			o, err := s.abandoned(ctx, key, a, whole)
			if !errors.Is(err, fs.ErrNotExist) {
				return o, err
			}
		case len(a.out()) == 0 && (began.Sub(since) > quiet || time.Since(a.time) > ancient):
			return object{}, fs.ErrNotExist
		}
		if err := pause(ctx, wait); err != nil {
			return object{}, err
		}
	}
}

// abandoned reads what a writer has left aside. Two can lie there only if one
// was replaced already and the other taken by mistake: the latter is not what
// its writer expected.
func (s *session) abandoned(ctx context.Context, key string, a asides, whole bool) (object, error) {
	var found object
	for _, f := range a.out() {
		o, _, err := s.read(ctx, f.path, whole)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return object{}, err
		}
		o.aside, o.entry.Key = f.path, key
		if unexpected := digestOf(o.entry.Version) != f.digest; unexpected || found.aside == "" {
			found = o
		}
	}
	if found.aside == "" {
		return object{}, fs.ErrNotExist
	}
	return found, nil
}

// back gives the file aside at path to its key again. If there is a newer one,
// it is kept, unless it is the same.
func (s *session) back(ctx context.Context, path, key string) error {
	o, _, err := s.read(ctx, path, false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // somebody else did it
	} else if err != nil {
		return err
	}
	err = s.linkNew(ctx, path, key)
	if err != nil && !errors.Is(err, errLost) && ctx.Err() == nil {
		at, isDir, rerr := s.read(ctx, key, false)
		switch {
		case rerr == nil && at.entry.Version == o.entry.Version:
			err = nil
		case rerr == nil:
			return s.rename(ctx, path, asideName(key, "kept", o.entry.Version))
		case errors.Is(rerr, fs.ErrNotExist) && !isDir:
			// A server may refuse to link the file of another user, and still
			// let us rename it.
			return s.rename(ctx, path, key)
		}
	}
	if err != nil {
		return err
	}
	s.syncDir(ctx, dirOf(key))
	return ignoreAbsent(s.remove(ctx, path))
}

// settled puts right what writers that have stopped have left aside of a key,
// a being what lies there now. It waits for those that may be at it still.
func (s *session) settled(ctx context.Context, key string, a asides) error {
	since, last := time.Now(), a.state
	for wait := 4 * time.Millisecond; len(a.out()) > 0; wait = min(2*wait, 100*time.Millisecond) {
		if err := pause(ctx, wait); err != nil {
			return err
		}
		began := time.Now()
		var err error
		if a, err = s.asides(ctx, key); err != nil {
			return err
		}
		switch {
		case s.given.up(a), a.state == last && began.Sub(since) > s.settle:
			s.given.giveUp(a)
			return s.recover(ctx, key, a)
		case a.state != last:
			last, since = a.state, began
		}
	}
	return s.forget(ctx, a.of("lost"))
}

// ready is what a writer does first, v being the version it wants to be there:
// it returns [vfs.ErrConflict] if that is not so, puts right what others have
// left, and makes the directory to take the object to.
func (s *session) ready(ctx context.Context, key string, v vfs.Version) error {
	var (
		o object
		a asides
	)
	err := both(
		func() (err error) { o, err = s.recovered(ctx, key); return err },
		func() (err error) { a, err = s.asides(ctx, key); return err })
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return vfs.ErrConflict
	case err != nil:
		return err
	case o.entry.Version != v:
		return vfs.ErrConflict
	case !a.known:
		return s.mkdirs(ctx, folderOf(key))
	}
	return s.settled(ctx, key, a)
}

// recovered is find for writers: what was left aside is put right.
func (s *session) recovered(ctx context.Context, key string) (object, error) {
	o, err := s.find(ctx, key, false)
	if err != nil || o.aside == "" {
		return o, err
	}
	a, err := s.asides(ctx, key)
	if err == nil {
		err = s.recover(ctx, key, a)
	}
	o.aside = ""
	return o, err
}

// recover decides over what was left aside: it is the object if there is none
// at the key, and else what that has replaced.
func (s *session) recover(ctx context.Context, key string, a asides) error {
	o, _, err := s.read(ctx, key, false)
	if errors.Is(err, fs.ErrNotExist) {
		if o, err = s.abandoned(ctx, key, a, false); err == nil {
			err = s.back(ctx, o.aside, key)
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, f := range a.out() {
		if f.path == o.aside {
			continue
		}
		got, _, err := s.read(ctx, f.path, false)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return err
		case digestOf(got.entry.Version) == f.digest || got.entry.Version == o.entry.Version:
			err = ignoreAbsent(s.remove(ctx, f.path))
		default: // of another tool, and overtaken by a later write
			err = ignoreAbsent(s.rename(ctx, f.path, asideName(key, "kept", got.entry.Version)))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// forget removes files that are of no use any more.
func (s *session) forget(ctx context.Context, files []aside) error {
	for _, f := range files {
		if err := ignoreAbsent(s.remove(ctx, f.path)); err != nil {
			return err
		}
	}
	return nil
}

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func dirOf(key string) string {
	if i := strings.LastIndexByte(key, '/'); i >= 0 {
		return key[:i]
	}
	return ""
}

// take takes the object at key aside if it is at version v, and returns where
// it is; ready was called a moment ago. [vfs.ErrConflict]: it is not at v, and
// nothing was changed.
func (s *session) take(ctx context.Context, key string, v vfs.Version) (string, error) {
	for range takes {
		path, began := asideName(key, "out", v), time.Now()
		err := s.rename(ctx, key, path)
		if err == nil {
			// If we stop here, the next client does from the name what follows.
			err := s.verify(ctx, path, key, v)
			if err == nil && time.Since(began) > s.settle/2 {
				// Others may be about to take it for abandoned.
				err = errors.Join(s.back(ctx, path, key), errLate)
			}
			return path, err
		}
		if errors.Is(err, errLost) {
			s.rescueFile(ctx, path, key)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		// Another writer was faster, or the directory was removed.
		if err := s.ready(ctx, key, v); err != nil {
			return "", err
		}
		if err := s.mkdirs(ctx, folderOf(key)); err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("%w, %d times", errBusy, takes)
}

// rescueFile gives a file back, with a new connection, that may be aside.
func (s *session) rescueFile(ctx context.Context, path, key string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.link.timeout)
	defer cancel()
	if again, err := s.session(ctx); err == nil {
		_ = again.back(ctx, path, key)
	}
}

const takes = 100

// verify looks at what was taken aside, and gives it back if it is not what
// was seen before: another tool came in between.
func (s *session) verify(ctx context.Context, path, key string, v vfs.Version) error {
	o, isDir, err := s.read(ctx, path, false)
	switch {
	case err == nil && o.entry.Version == v:
		return nil
	case err == nil:
		err = s.back(ctx, path, key)
	case errors.Is(err, fs.ErrNotExist) && !isDir:
		// Taken for abandoned, and given back by another client.
	case isDir || errors.Is(err, fs.ErrInvalid):
		err = errors.Join(err, s.rename(ctx, path, key))
		return err
	default:
		return err
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return vfs.ErrConflict
}
