package sftp_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/sftp"
)

func TestServersWithoutLinksAreOnlyRead(t *testing.T) {
	for _, lacks := range []string{"hardlink", "posix-rename"} {
		dir := t.TempDir()
		lay(t, dir, map[string]string{key: "x"})
		d := open(t, dir, sftp.Options{Dial: (&counter{args: []string{"-P", lacks}}).dial(t)})
		want(t, d, key, "x")
		_, err := d.Put(t.Context(), "other", nil, vfs.IfAbsent(), "")
		var hint interface{ Hint() string }
		if !errors.As(err, &hint) || !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), lacks+"@openssh.com") {
			t.Errorf("put without %s: %v", lacks, err)
		}
		if _, err := os.Stat(filepath.Join(dir, ".stateroom")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("without %s something was written: %v", lacks, err)
		}
	}
}

func TestServersWithoutSyncAreWritten(t *testing.T) {
	d := open(t, t.TempDir(), sftp.Options{Dial: (&counter{args: []string{"-P", "fsync"}}).dial(t)})
	e, err := d.Put(t.Context(), key, []byte("x"), vfs.IfAbsent(), "")
	if err == nil {
		_, err = d.Put(t.Context(), key, []byte("y"), vfs.IfVersion(e.Version), "")
	}
	if err != nil {
		t.Error(err)
	}
}

func TestModesAreOnesOwnOrTheGroups(t *testing.T) {
	for _, c := range []struct{ root, dir, file fs.FileMode }{
		{0o755, 0o700, 0o600},
		{0o770 | fs.ModeSetgid, 0o770 | fs.ModeSetgid, 0o660},
	} {
		root := t.TempDir()
		if err := os.Chmod(root, c.root); err != nil {
			t.Fatal(err)
		}
		d := open(t, root, sftp.Options{})
		e, err := d.Put(t.Context(), key, []byte("x"), vfs.IfAbsent(), "")
		if err == nil {
			_, err = d.Put(t.Context(), key, []byte("y"), vfs.IfVersion(e.Version), "")
		}
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]fs.FileMode{
			key: c.file, filepath.Dir(key): c.dir | fs.ModeDir, ".stateroom/tmp": c.dir | fs.ModeDir,
		} {
			if fi, err := os.Stat(filepath.Join(root, name)); err != nil || fi.Mode() != want {
				t.Errorf("in a directory %v, %s has %v, %v; want %v", c.root, name, fi.Mode(), err, want)
			}
		}
	}
}

func TestWhatIsNoObject(t *testing.T) {
	dir := t.TempDir()
	lay(t, dir, map[string]string{"a/file": "x", "secret": "y", "a/tmp123": "half", "elsewhere/x": "z"})
	err := errors.Join(
		os.Symlink("../secret", filepath.Join(dir, "a/link")),
		syscall.Mkfifo(filepath.Join(dir, "a/pipe"), 0o600),
		os.MkdirAll(filepath.Join(dir, "a/empty/below"), 0o700))
	if err != nil {
		t.Fatal(err)
	}
	d := open(t, dir, sftp.Options{})
	var keys []string
	for e, err := range d.List(t.Context(), "a", "") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, e.Key)
	}
	if fmt.Sprint(keys) != "[a/file]" {
		t.Errorf("listed %q", keys)
	}
	for name, want := range map[string]error{"a/link": fs.ErrInvalid, "a/tmp123": fs.ErrNotExist, "a": fs.ErrNotExist, "a/file/x": fs.ErrNotExist, "a/" + strings.Repeat("x", 300): fs.ErrNotExist} {
		if _, _, err := d.Get(t.Context(), name, ""); !errors.Is(err, want) {
			t.Errorf("get %s: %v, want %v", name, err, want)
		}
	}
	for _, name := range []string{"a/link", "a", "a/file/x", "a/tmp123", ".stateroom/tmp/x", "a/" + strings.Repeat("x", 300)} {
		for _, c := range []vfs.Cond{{}, vfs.IfAbsent()} {
			if _, err := d.Put(t.Context(), name, nil, c, ""); !errors.Is(err, fs.ErrInvalid) {
				t.Errorf("put %s %v: %v, want invalid", name, c, err)
			}
		}
	}
	if _, err := d.Put(t.Context(), "a/empty", []byte("x"), vfs.IfAbsent(), ""); err != nil {
		t.Errorf("put where there are empty directories: %v", err)
	}
	left, err := os.ReadDir(filepath.Join(dir, ".stateroom/tmp"))
	for _, e := range left {
		if strings.HasPrefix(e.Name(), "new.") {
			t.Errorf("refused, and left: %s, %v", e.Name(), err)
		}
	}
}

func TestLargeObjects(t *testing.T) {
	d := open(t, t.TempDir(), sftp.Options{})
	data := []byte(strings.Repeat("0123456789abcdef", 20<<20/16)) // 20 MiB
	e, err := d.Put(t.Context(), key, data, vfs.IfAbsent(), "")
	if err != nil {
		t.Fatal(err)
	}
	for listed, err := range d.List(t.Context(), "", "") {
		if err != nil || listed.Version != e.Version {
			t.Errorf("put said %s, list says %s, %v", e.Version, listed.Version, err)
		}
	}
	data[0]++
	if _, err = d.Put(t.Context(), key, data, vfs.IfVersion(e.Version), ""); err != nil {
		t.Fatal(err)
	}
	got, _, err := d.Get(t.Context(), key, "")
	if err != nil || string(got) != string(data) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// How many round trips calls take, one after the other: with answers that come
// 20 ms late, the time tells.
func TestRoundTrips(t *testing.T) {
	var slow string
	for range 3 { // a machine under load is slow too
		if slow = roundTrips(t); slow == "" {
			return
		}
	}
	t.Error(slow)
}

// roundTrips returns what took too many.
func roundTrips(t *testing.T) (slow string) {
	const trip = 20 * time.Millisecond
	dir := t.TempDir()
	near := open(t, dir, sftp.Options{})
	for i := range 64 {
		if _, err := near.Put(t.Context(), fmt.Sprintf("demo.example.com/%02d", i), []byte("x"), vfs.Cond{}, ""); err != nil {
			t.Fatal(err)
		}
	}
	d := open(t, dir, sftp.Options{Dial: (&counter{delay: trip}).dial(t)})
	e, err := d.Put(t.Context(), key, []byte("first"), vfs.Cond{}, "")
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	for _, c := range []struct {
		what string
		most int
		do   func() error
	}{
		{"get", 2, func() error { _, _, err := d.Get(ctx, key, ""); return err }},
		{"get what is absent", 2, func() error { _, _, err := d.Get(ctx, "absent", ""); return ignore(err, fs.ErrNotExist) }},
		{"64 gets at once", 4, func() error { return many(d, 64) }},
		{"list 65 files", 14, func() error {
			for _, err := range d.List(ctx, "demo.example.com/", "") {
				if err != nil {
					return err
				}
			}
			return nil
		}},
		{"create", 9, func() error {
			_, err := d.Put(ctx, "demo.example.com/new", []byte("x"), vfs.IfAbsent(), "")
			return err
		}},
		{"replace for the first time", 20, func() (err error) { e, err = d.Put(ctx, key, []byte("y"), vfs.IfVersion(e.Version), ""); return err }},
		{"replace", 14, func() (err error) { e, err = d.Put(ctx, key, []byte("z"), vfs.IfVersion(e.Version), ""); return err }},
		{"conflict", 8, func() error {
			_, err := d.Put(ctx, key, []byte("z"), vfs.IfVersion("other"), "")
			return ignore(err, vfs.ErrConflict)
		}},
		{"overwrite", 9, func() (err error) { e, err = d.Put(ctx, key, []byte("w"), vfs.Cond{}, ""); return err }},
		{"delete", 18, func() error { return d.Delete(ctx, key, vfs.IfVersion(e.Version)) }},
	} {
		began := time.Now()
		if err := c.do(); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
		trips := float64(time.Since(began)) / float64(trip)
		t.Logf("%s: %.1f round trips", c.what, trips)
		if trips > float64(2*c.most) {
			slow = fmt.Sprintf("%s takes %.1f round trips, want %d", c.what, trips, c.most)
		}
	}
	return slow
}

func ignore(err, class error) error {
	if errors.Is(err, class) {
		return nil
	}
	return fmt.Errorf("%w, want %w", err, class)
}

func many(d *sftp.Driver, n int) error {
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() { _, _, errs[i] = d.Get(context.Background(), fmt.Sprintf("demo.example.com/%02d", i), "") })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// mute is a server that says nothing from some request on.
func mute(from int) *counter { return &counter{cut: from, mute: true} }

func TestCancelWorksAtOnce(t *testing.T) {
	var wg sync.WaitGroup
	for n := 1; n < 60; n += 2 {
		for _, w := range writes {
			wg.Go(func() {
				dir := t.TempDir()
				if w.before != absent {
					lay(t, dir, map[string]string{key: w.before})
				}
				d := open(t, dir, sftp.Options{Dial: mute(n).dial(t)})
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				began := time.Now()
				err := w.do(ctx, d, versionOf(w.before))
				cancel()
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("%s, mute at request %d: %v after %v", w.name, n, err, took)
				}
			})
		}
	}
	wg.Wait()
}

func versionOf(data string) vfs.Version {
	sum := sha256.Sum256([]byte(data))
	return vfs.Version(fmt.Sprintf("%x", sum[:16]))
}

func TestAServerThatSaysNothingIsGivenUp(t *testing.T) {
	dir := t.TempDir()
	lay(t, dir, map[string]string{key: "x"})
	c := mute(3)
	d := open(t, dir, sftp.Options{Timeout: 100 * time.Millisecond, Dial: c.dial(t)})
	began := time.Now()
	_, _, err := d.Get(t.Context(), key, "")
	if took := time.Since(began); err == nil || took > 5*time.Second {
		t.Errorf("%v after %v", err, took)
	}
}

// A directory with many names, or a large file, over a slow line is no dead one.
func TestASlowLineIsNoDeadOne(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{}
	for i := range 1500 { // the server tells a hundred at a time
		files[fmt.Sprintf("many/%04d", i)] = ""
	}
	lay(t, dir, files)
	// Each answer comes after a quarter of what the client waits for one.
	d := open(t, dir, sftp.Options{Timeout: 200 * time.Millisecond, Dial: (&counter{delay: 50 * time.Millisecond}).dial(t)})
	n := 0
	for _, err := range d.ListDir(t.Context(), "many") {
		if err != nil {
			t.Fatalf("after %d names: %v", n, err)
		}
		n++
	}
	if n != len(files) {
		t.Errorf("%d names", n)
	}
}

// A disk that fails to keep a directory, or a file, is told of.
func TestSyncsThatFail(t *testing.T) {
	for _, w := range writes {
		if w.name == "create what is there" {
			continue
		}
		for n := 1; ; n++ {
			syncs := 0
			s := play(t, w, fmt.Sprintf("%s, sync %d", w.name, n))
			s.line.fail = func(packet []byte) bool {
				if !strings.Contains(string(packet), "fsync@openssh.com") {
					return false
				}
				syncs++
				return syncs == n
			}
			s.writer = open(t, s.dir, sftp.Options{Settle: patience, Dial: s.line.dial(t)})
			err := w.do(t.Context(), s.writer, s.start)
			got, _ := s.get()
			switch {
			case syncs < n:
				if err != nil || n == 1 {
					s.Errorf("%v", err)
				}
			case err == nil:
				s.Errorf("it says that all is well")
			case got == w.after && !errors.Is(err, vfs.ErrNotDurable):
				s.Errorf("it was made, and what is told is %v", err)
			}
			if syncs < n {
				break
			}
		}
	}
}
