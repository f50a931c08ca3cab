package file_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stateroom/stateroom/internal/durable"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/file"
)

var errCrashed = errors.New("crashed")

// machine is a process that stops before one of its steps, and at others lets
// a foreign tool do something first.
type machine struct {
	mu      sync.Mutex
	n       int            // steps so far
	stop    int            // no step from this one on is done; -1: never
	foreign map[int]func() // what happens before which step
	steps   []string
}

func (m *machine) step(op, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stop >= 0 && m.n >= m.stop {
		return errCrashed
	}
	if do := m.foreign[m.n]; do != nil {
		do()
	}
	m.n++
	m.steps = append(m.steps, op+" "+name)
	return nil
}

// attempts are the changes that are stopped everywhere. Each finds key at
// version v, with the bytes "old".
var attempts = map[string]func(t *testing.T, f *vfs.FS, v vfs.Version) error{
	"put":            func(t *testing.T, f *vfs.FS, _ vfs.Version) error { return try(t, f, key, vfs.Cond{}) },
	"put if version": func(t *testing.T, f *vfs.FS, v vfs.Version) error { return try(t, f, key, vfs.IfVersion(v)) },
	"put if absent":  func(t *testing.T, f *vfs.FS, _ vfs.Version) error { return try(t, f, key+"2", vfs.IfAbsent()) },
	"delete":         func(t *testing.T, f *vfs.FS, _ vfs.Version) error { return f.Delete(t.Context(), key, vfs.Cond{}) },
	"delete if version": func(t *testing.T, f *vfs.FS, v vfs.Version) error {
		return f.Delete(t.Context(), key, vfs.IfVersion(v))
	},
}

const key = "demo.example.com/config"

func try(t *testing.T, f *vfs.FS, key string, c vfs.Cond) error {
	_, err := f.Put(t.Context(), key, []byte("new"), c, "")
	return err
}

// fast returns a directory on a file system in memory, where there is one: the
// tests that stop at every step sync some ten thousand times.
func fast(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "stateroom-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func TestACrashAtAnyStepLeavesTheOldOrTheNew(t *testing.T) {
	for name, attempt := range attempts {
		t.Run(name, func(t *testing.T) {
			dir := fast(t)
			for stop := 0; ; stop++ {
				m := &machine{stop: stop}
				err := attemptIn(t, dir, m, attempt)
				got := settle(t, dir)
				what := fmt.Sprintf("stopped before step %d of %q, %v", stop, m.steps, err)
				switch {
				case name == "put if absent":
					if got != "old" {
						t.Errorf("%s: the other object is %q", what, got)
					}
				case strings.HasPrefix(name, "delete") && err == nil:
					if got != "" {
						t.Errorf("%s: deleted, but there is %q", what, got)
					}
				case strings.HasPrefix(name, "delete"):
					if got != "" && got != "old" {
						t.Errorf("%s: there is %q", what, got)
					}
				case err == nil && got != "new" || got != "new" && got != "old":
					t.Errorf("%s: there is %q", what, got)
				}
				if m.n < stop {
					break // it came to its end
				}
			}
		})
	}
}

// TestNoForeignWriteIsLost lets a foreign tool do up to two things, each
// before any step of a conditional change, and stops the change before any
// step, and whoever recovers from that before any step of the recovery.
func TestNoForeignWriteIsLost(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skipf("%s cannot exchange two names", runtime.GOOS)
	}
	runs := 0
	for name, attempt := range attempts {
		if !strings.HasSuffix(name, "if version") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			dir := fast(t)
			m := &machine{stop: -1}
			must(t, attemptIn(t, dir, m, attempt))
			steps := m.n + 2 // a conflict takes some more
			for first := range steps {
				for second := first; second < steps; second++ {
					for _, acts := range [][]string{{"one"}, {"delete"}, {"one", "two"}, {"one", "delete"}, {"delete", "one"}} {
						if len(acts) == 1 && second != first {
							continue
						}
						for stop := first + 1; stop <= steps+4; stop++ {
							runs++
							foreignRun(t, dir, attempt, first, second, acts, stop)
						}
					}
				}
			}
		})
	}
	t.Logf("%d runs", runs)
}

func foreignRun(t *testing.T, dir string, attempt func(*testing.T, *vfs.FS, vfs.Version) error, first, second int, acts []string, stop int) {
	t.Helper()
	last := ""
	act := func(i int) func() {
		return func() {
			switch {
			case acts[i] != "delete":
				foreignWrite(t, dir, acts[i])
				last = acts[i]
			case os.Remove(filepath.Join(dir, key)) == nil:
				last = acts[i]
			} // else there was nothing just then, and it was no delete
		}
	}
	m := &machine{stop: stop, foreign: map[int]func(){first: act(0)}}
	if len(acts) == 2 {
		m.foreign[second] = act(1)
		if second == first {
			m.foreign[first] = func() { act(0)(); act(1)() }
		}
	}
	err := attemptIn(t, dir, m, attempt)

	// Whoever recovers may be stopped too.
	crashed := &machine{stop: stop % 7}
	d, oerr := file.Open(dir, file.Options{Step: crashed.step})
	must(t, oerr)
	if unlock, err := d.Lock(t.Context(), "x"); err == nil {
		unlock()
	}

	got := settle(t, dir)
	what := fmt.Sprintf("foreign %q before %d and %d, stopped before %d (%v), steps %q", acts, first, second, stop, err, m.steps)
	switch {
	case last == "" && got != "new" && got != "old" && got != "":
		t.Errorf("%s: there is %q", what, got)
	case last == "delete" && got != "":
		t.Errorf("%s: a foreign delete was undone: there is %q", what, got)
	case last != "" && last != "delete" && got != last:
		t.Errorf("%s: there is %q, the last foreign write was %q; kept %q", what, got, last, temporaries(t, dir))
	}
}

// foreignWrite writes as kops does: a file beside, and a rename.
func foreignWrite(t testing.TB, dir, data string) {
	t.Helper()
	tmp := filepath.Join(dir, filepath.Dir(key), "tmp1234567")
	write(t, tmp, data)
	must(t, os.Rename(tmp, filepath.Join(dir, key)))
}

// attemptIn makes a store of one object "old", and attempts a change on m.
func attemptIn(t *testing.T, dir string, m *machine, attempt func(*testing.T, *vfs.FS, vfs.Version) error) error {
	t.Helper()
	must(t, os.RemoveAll(dir))
	e := put(t, open(t, dir), key, "old", vfs.Cond{})
	err := attempt(t, openStep(t, dir, m.step), e.Version)
	if err != nil && !errors.Is(err, errCrashed) && !errors.Is(err, vfs.ErrConflict) {
		t.Errorf("steps %q: %v", m.steps, err)
	}
	return err
}

// settle lets a healthy writer recover, checks that nothing is left to do and
// that life goes on, and returns what the object is.
func settle(t *testing.T, dir string) string {
	t.Helper()
	f := open(t, dir)
	put(t, f, "other", "x", vfs.Cond{})
	for _, name := range temporaries(t, dir) {
		if !strings.HasPrefix(name, "new.") && !strings.HasPrefix(name, "kept.") {
			t.Errorf("left after recovery: %s", name)
		}
	}
	data, e, err := f.Get(t.Context(), key)
	if err != nil {
		put(t, f, key, "again", vfs.IfAbsent())
		return ""
	}
	put(t, f, key, "again", vfs.IfVersion(e.Version))
	return string(data)
}

// TestAStepThatFailsLeavesNothingHalfDone is the full disk, at every step.
func TestAStepThatFailsLeavesNothingHalfDone(t *testing.T) {
	for name, attempt := range attempts {
		t.Run(name, func(t *testing.T) {
			dir := fast(t)
			for fail := 0; ; fail++ {
				n := 0
				must(t, os.RemoveAll(dir))
				e := put(t, open(t, dir), key, "old", vfs.Cond{})
				failed := ""
				f := openStep(t, dir, func(op, name string) error {
					if n++; n-1 == fail {
						failed = op
						return syscall.ENOSPC
					}
					return nil
				})
				err := attempt(t, f, e.Version)
				if n <= fail {
					break
				}
				if err != nil && !errors.Is(err, syscall.ENOSPC) {
					t.Errorf("%s failed: %v", failed, err)
				}
				if err == nil && failed != durable.Remove {
					t.Errorf("%s failed, but no error", failed)
				}
				left := slices.DeleteFunc(temporaries(t, dir), func(name string) bool { return failed == durable.Remove || failed == durable.Exchange })
				if len(left) > 0 && failed != durable.SyncDir {
					t.Errorf("%s failed, and left %q", failed, left)
				}
				if got := settle(t, dir); got != "old" && got != "new" && (got != "" || !strings.HasPrefix(name, "delete")) {
					t.Errorf("%s failed, and there is %q", failed, got)
				}
			}
		})
	}
}

func TestAbandonedFilesGoAfterAnHour(t *testing.T) {
	dir := t.TempDir()
	old, young := filepath.Join(dir, ".stateroom/tmp/new.old"), filepath.Join(dir, ".stateroom/tmp/new.young")
	write(t, old, "x")
	write(t, young, "x")
	hour, err := os.Stat(old)
	must(t, err)
	past := hour.ModTime().Add(-2 * 60 * 60 * 1e9)
	must(t, os.Chtimes(old, past, past))
	put(t, open(t, dir), "k", "x", vfs.Cond{})
	if got := temporaries(t, dir); !slices.Equal(got, []string{"new.young"}) {
		t.Errorf("left: %q", got)
	}
}

func TestRecoveryOfKeysOfAnyLength(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skipf("%s cannot exchange two names", runtime.GOOS)
	}
	for _, long := range []string{"a b/ü%2F", strings.Repeat("ä/", 170), strings.Repeat("y", 200) + "/" + strings.Repeat("z", 200)} {
		dir := fast(t)
		key := long + "k"
		e := put(t, open(t, dir), key, "old", vfs.Cond{})
		m := &machine{stop: -1}
		f := openStep(t, dir, func(op, name string) error {
			if op == durable.Exchange && m.stop < 0 {
				must(t, os.WriteFile(filepath.Join(dir, key), []byte("foreign"), 0o600))
				m.stop = m.n + 1
			}
			return m.step(op, name)
		})
		if _, err := f.Put(t.Context(), key, []byte("new"), vfs.IfVersion(e.Version), ""); err == nil {
			t.Error("no error")
		}
		if got := read(t, filepath.Join(dir, key)); got != "new" {
			t.Errorf("%q: %q, want the crash after the exchange", key, got)
		}
		put(t, open(t, dir), "other", "x", vfs.Cond{})
		if got := read(t, filepath.Join(dir, key)); got != "foreign" {
			t.Errorf("%q: %q, want the foreign bytes back", key, got)
		}
		if got := temporaries(t, dir); got != nil {
			t.Errorf("left: %q", got)
		}
	}
}
