package sftp_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/sftp"
)

const (
	key      = "demo.example.com/config"
	old      = "old bytes"
	ours     = "our bytes"
	theirs   = "their bytes"
	absent   = "(absent)"
	patience = 300 * time.Millisecond
)

// write is one write of the client that crashes or is slow.
type write struct {
	name   string
	before string // what is at the key
	after  string // what is there when it is done
	do     func(ctx context.Context, d *sftp.Driver, v vfs.Version) error
}

func put(c func(vfs.Version) vfs.Cond) func(context.Context, *sftp.Driver, vfs.Version) error {
	return func(ctx context.Context, d *sftp.Driver, v vfs.Version) error {
		_, err := d.Put(ctx, key, []byte(ours), c(v), "")
		return err
	}
}

func always(vfs.Version) vfs.Cond   { return vfs.Cond{} }
func ifAbsent(vfs.Version) vfs.Cond { return vfs.IfAbsent() }

var writes = []write{
	{"create", absent, ours, put(ifAbsent)},
	{"create what is there", old, old, put(ifAbsent)},
	{"replace", old, ours, put(vfs.IfVersion)},
	{"overwrite", old, ours, put(always)},
	{"put", absent, ours, put(always)},
	{"delete at a version", old, absent, func(ctx context.Context, d *sftp.Driver, v vfs.Version) error {
		return d.Delete(ctx, key, vfs.IfVersion(v))
	}},
	{"delete", old, absent, func(ctx context.Context, d *sftp.Driver, _ vfs.Version) error { return d.Delete(ctx, key, vfs.Cond{}) }},
}

// scene is a store with another object beside the key, and the clients at it.
type scene struct {
	*testing.T
	at     string // where in the play
	dir    string
	writer *sftp.Driver // the one that crashes or is slow
	line   *counter
	other  *sftp.Driver
	start  vfs.Version // of what is at the key
}

func play(t *testing.T, w write, at string) *scene {
	s := &scene{T: t, at: at, dir: t.TempDir(), line: &counter{}}
	s.other = open(t, s.dir, sftp.Options{Settle: patience})
	if _, err := s.other.Put(t.Context(), "demo.example.com/beside", []byte("x"), vfs.Cond{}, ""); err != nil {
		s.Fatalf("%v", err)
	}
	if w.before != absent {
		e, err := s.other.Put(t.Context(), key, []byte(w.before), vfs.Cond{}, "")
		if err != nil {
			s.Fatalf("%v", err)
		}
		s.start = e.Version
	}
	s.writer = open(t, s.dir, sftp.Options{Settle: patience, Dial: s.line.dial(t)})
	return s
}

// get returns what another client sees at the key, by Get and by List.
func (s *scene) get() (string, vfs.Version) {
	s.Helper()
	data, e, err := s.other.Get(s.Context(), key, "")
	got := string(data)
	if errors.Is(err, fs.ErrNotExist) {
		got = absent
	} else if err != nil {
		s.Fatalf("get: %v", err)
	}
	var listed []string
	for e, err := range s.other.List(s.Context(), "", "") {
		if err != nil {
			s.Fatalf("list: %v", err)
		}
		listed = append(listed, e.Key)
	}
	want := []string{"demo.example.com/beside", key}
	if got == absent {
		want = want[:1]
	}
	if !slices.Equal(listed, want) {
		s.Errorf("list yields %q after get said %q", listed, got)
	}
	return got, e.Version
}

// replace writes on top of what get saw.
func (s *scene) replace(v vfs.Version) {
	s.Helper()
	c := vfs.IfAbsent()
	if v != "" {
		c = vfs.IfVersion(v)
	}
	var err error
	for range 3 { // a machine under load can be late: then it is to be done again
		if _, err = s.other.Put(s.Context(), key, []byte(theirs), c, ""); err == nil || errors.Is(err, vfs.ErrConflict) {
			break
		}
	}
	if err != nil {
		s.Errorf("a write on top of it: %v", err)
	}
	if got, _ := s.get(); got != theirs {
		s.Errorf("after a write on top of it there is %q", got)
	}
}

// clean wants nothing to be left aside.
func (s *scene) clean() {
	s.Helper()
	left, err := s.other.Leftovers(s.Context())
	if err != nil {
		s.Fatalf("%v", err)
	}
	for _, l := range left {
		s.Errorf("left over: %s with %q", l.Name, l.Data)
	}
}

// foreign writes as other tools on the server do.
func (s *scene) foreign(data string) {
	s.Helper()
	path := filepath.Join(s.dir, key)
	if data == absent {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.Errorf("%v", err)
		}
		return
	}
	tmp := filepath.Join(s.dir, "tmp123")
	err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(tmp, []byte(data), 0o600), os.Rename(tmp, path))
	if err != nil {
		s.Errorf("%v", err)
	}
}

// run does the write, and waits until nothing of it is under way.
func (s *scene) run(w write) error {
	err := w.do(s.Context(), s.writer, s.start)
	s.line.still()
	return err
}

func (s *scene) Errorf(format string, args ...any) {
	s.Helper()
	s.T.Errorf("%s: "+format, append([]any{s.at}, args...)...)
}

func (s *scene) Fatalf(format string, args ...any) {
	s.Helper()
	s.Errorf(format, args...)
	runtime.Goexit()
}

// everywhere plays each write with each of its requests in turn being the one
// at which something happens. Where the line is cut there, done says whether
// that request is still carried out.
func everywhere(t *testing.T, done []bool, do func(s *scene, w write)) {
	if testing.Short() {
		t.Skip("starts a thousand servers")
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, 24) // what takes its time is waiting
	for _, w := range writes {
		trial := play(t, w, "without a fault")
		if err := trial.run(w); err != nil && !errors.Is(err, vfs.ErrConflict) {
			t.Fatal(err)
		}
		requests := trial.line.requests()
		t.Logf("%s: %d requests", w.name, requests)
		for n := range requests + 2 { // how many go at once differs
			for _, done := range done {
				slots <- struct{}{}
				wg.Go(func() {
					defer func() { <-slots }()
					s := play(t, w, fmt.Sprintf("%s, request %d, carried out: %v", w.name, n+1, done))
					s.line.cut, s.line.done = n+1, done
					do(s, w)
				})
			}
		}
	}
	wg.Wait()
}

var (
	doneOrNot = []bool{false, true}
	done      = []bool{true}
)

func TestCrashAtEveryRequest(t *testing.T) {
	everywhere(t, doneOrNot, func(s *scene, w write) {
		s.line.dead = true
		err := s.run(w)
		got, v := s.get()
		switch {
		case err == nil && got != w.after:
			s.Errorf("it was done, and there is %q", got)
		case errors.Is(err, vfs.ErrConflict) && w.before != w.after:
			s.Errorf("a conflict with nobody: %v", err)
		case got != w.before && got != w.after:
			s.Errorf("after %v there is %q", err, got)
		}
		s.replace(v)
		s.clean()
	})
}

// A line that breaks is made again, and the writer goes on by itself, or says
// that it does not know.
func TestLineBreaksAtEveryRequest(t *testing.T) {
	everywhere(t, doneOrNot, func(s *scene, w write) {
		err := s.run(w)
		got, v := s.get()
		switch {
		case w.before == w.after:
		case err == nil && got != w.after:
			s.Errorf("it was done, and there is %q", got)
		case errors.Is(err, vfs.ErrConflict):
			s.Errorf("a conflict with nobody: %v", err)
		case got != w.before && got != w.after:
			s.Errorf("after %v there is %q", err, got)
		}
		s.replace(v)
		s.clean()
	})
}

func TestForeignWriteAtEveryRequest(t *testing.T) {
	everywhere(t, done, func(s *scene, w write) {
		s.line.stop = func() { s.foreign("foreign") }
		err := s.run(w)
		if !s.line.struck() {
			return
		}
		got, v := s.get()
		unconditional := w.name == "overwrite" || w.name == "put" || w.name == "delete"
		if got != "foreign" && !(unconditional && got == w.after) {
			s.Errorf("after %v there is %q, and the foreign write is lost", err, got)
		}
		s.replace(v)
		s.clean()
	})
}

func TestForeignWriteAfterEveryCrash(t *testing.T) {
	for _, foreign := range []string{"foreign", absent} {
		everywhere(t, done, func(s *scene, w write) {
			s.line.dead = true
			err := s.run(w)
			if !s.line.struck() {
				return
			}
			before, _ := os.ReadFile(filepath.Join(s.dir, key))
			aside, _ := filepath.Glob(filepath.Join(s.dir, turnsOf(), "*", "out"))
			s.foreign(foreign)
			got, v := s.get()
			// The one step that leaves both the new file and the old: see the
			// specification.
			both := string(before) == ours && len(aside) > 0
			if got != foreign && string(before) != "" && !both {
				s.Errorf("after %v a foreign tool left %q, and there is %q", err, foreign, got)
			}
			s.replace(v)
			s.clean()
		})
	}
}

// A writer that is slow at one request is not believed to be alive for ever,
// and does no harm when it goes on.
func TestSlowWriterAtEveryRequest(t *testing.T) {
	everywhere(t, done, func(s *scene, w write) {
		var got string
		s.line.stop = func() {
			time.Sleep(20 * time.Millisecond) // for requests that are under way
			var v vfs.Version
			got, v = s.get()
			if got != w.before && got != w.after {
				s.Errorf("meanwhile there is %q", got)
			}
			s.replace(v)
		}
		err := s.run(w)
		if !s.line.struck() {
			return
		}
		unconditional := w.name == "overwrite" || w.name == "put" || w.name == "delete"
		switch now, _ := s.get(); {
		case now == theirs:
		case unconditional && now == w.after:
		default:
			s.Errorf("after %v there is %q: a write that saw %q is lost", err, now, got)
		}
		if err == nil && got != w.after && !unconditional {
			s.Errorf("it was done after another write on top of %q", got)
		}
	})
}
