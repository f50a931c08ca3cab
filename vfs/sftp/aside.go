package sftp

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"time"

	"github.com/stateroom/stateroom/vfs"
)

// A server has no condition for "if this is still what is there". So a writer
// takes the file aside, by a rename, looks at what it has, and then puts the
// new file at the key, by a link that fails if another is there: so no write of
// another tool is lost. Meanwhile nothing is at the key, and a reader must not
// take that for a deletion. What follows is what it does instead;
// docs/formats/store-sftp-driver.md has the rules.
//
// A key whose object was ever taken aside has a directory, which stays until
// the object is deleted: where there is no such directory, the object was never
// aside.

// quiet is how long a directory must not change before its state is believed
// to be that of the whole time: servers tell times in seconds.
const quiet = 1100 * time.Millisecond

// ancient is older than clocks may differ.
const ancient = time.Hour

// folderOf is the directory that tells that the object of a key was aside.
func folderOf(key string) string { return asideDir + "/" + key }

// keptName names a file of another tool that was aside when something newer was
// written to the key. It is for people.
func keptName(key string, v vfs.Version) string {
	return folderOf(key) + "/kept." + newID() + "." + digestOf(v)
}

func isKept(name string) bool {
	f := strings.Split(name, ".")
	return len(f) == 3 && f[0] == "kept"
}

// digestOf shortens a version to what a name holds.
func digestOf(v vfs.Version) string {
	s := string(v)
	return s[strings.LastIndexByte(s, '-')+1:]
}

// looked is what a look at the turn of a key shows.
type looked struct {
	known bool     // the object was aside once
	holds []string // who has it aside, maybe
	state string
	time  time.Time // of the last change
}

// given are the holds whose clients this driver has given up: it waits for each
// only once.
type given struct {
	mu    sync.Mutex
	names map[string]bool
}

func (g *given) giveUp(l looked) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, name := range l.holds {
		if g.names == nil || len(g.names) > 1000 {
			g.names = map[string]bool{}
		}
		g.names[name] = true
	}
}

// up reports whether there are holds, and all of them are given up.
func (g *given) up(l looked) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, name := range l.holds {
		if !g.names[name] {
			return false
		}
	}
	return len(l.holds) > 0
}

// look looks whether the object of a key may be aside.
func (s *session) look(ctx context.Context, key string) (looked, error) {
	fi, err := s.lstat(ctx, folderOf(key))
	switch {
	case err == nil:
	case errors.Is(err, fs.ErrNotExist), badName(err), failed(err):
		return looked{}, nil
	default:
		return looked{}, err
	}
	l, err := s.holds(ctx, key)
	l.known = true
	if l.state += "\n" + fi.ModTime().String(); fi.ModTime().After(l.time) {
		l.time = fi.ModTime()
	}
	return l, err
}

// find returns the object at key. If there is none, but a writer may have it
// aside, it waits; if that takes so long that the writer must have stopped, it
// returns what is aside. [fs.ErrNotExist] is proved: at one moment at least
// there was no object, at the key or aside.
func (s *session) find(ctx context.Context, key string, whole bool) (object, error) {
	var (
		last  looked
		since time.Time // when last was seen first
		hold  string    // what had nothing aside
		empty int       // and how often
	)
	for wait := 4 * time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		began := time.Now()
		o, isDir, err := s.read(ctx, key, whole)
		if !errors.Is(err, fs.ErrNotExist) || isDir {
			return o, err
		}
		l, err := s.look(ctx, key)
		switch {
		case err != nil:
			return object{}, err
		case !l.known:
			return object{}, fs.ErrNotExist
		case l.state != last.state && !s.given.up(l):
			last, since = l, time.Now()
		case len(l.holds) > 0 && (began.Sub(since) > s.settle || s.given.up(l)):
			s.given.giveUp(l)
			o, err := s.abandoned(ctx, key, l.holds[0], whole)
			switch {
			case !errors.Is(err, fs.ErrNotExist):
				return o, err
			case !errors.Is(err, errNone):
				hold, empty = "", 0
			case hold != l.holds[0]:
				hold, empty = l.holds[0], 1
			case empty < 2:
				empty++
			default:
				// One hold takes the object aside once at most. It had nothing three
				// times, and before each nothing was at the key: once at least the
				// object was in neither place.
				return object{}, fs.ErrNotExist
			}
			continue
		case len(l.holds) == 0 && (began.Sub(since) > quiet || time.Since(l.time) > ancient):
			return object{}, fs.ErrNotExist
		}
		if err := pause(ctx, wait); err != nil {
			return object{}, err
		}
	}
}

// abandoned reads what a writer has left aside: errNone if that is nothing, and
// another [fs.ErrNotExist] if its hold has ended.
func (s *session) abandoned(ctx context.Context, key, hold string, whole bool) (object, error) {
	dir := turnDir(key) + "/" + hold
	for {
		list, err := s.readDir(ctx, dir)
		if err != nil {
			return object{}, err
		}
		if len(list) == 0 {
			return object{}, errNone
		}
		o, isDir, err := s.read(ctx, dir+"/"+list[0].Name(), whole)
		if errors.Is(err, fs.ErrNotExist) && !isDir {
			continue // renamed, or given back
		}
		o.entry.Key = key
		return o, err
	}
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
