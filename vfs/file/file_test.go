package file_test

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stateroom/stateroom/internal/durable"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/file"
	"github.com/stateroom/stateroom/vfs/vfstest"
)

// noRenameat2 is a system without renameat2.
func noRenameat2(op, _ string) error {
	if op == durable.Exchange || op == durable.RenameNew {
		return errors.ErrUnsupported
	}
	return nil
}

func TestKeepsTheContract(t *testing.T) {
	for name, opt := range map[string]file.Options{"renameat2": {}, "link and rename": {Step: noRenameat2}} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "not", "yet", "there")
			open := func() (vfs.Driver, error) { return file.Open(dir, opt) }
			if err := vfstest.Test(t.Context(), open, vfstest.Options{Writers: 6, Rounds: 5}); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff([]string{".stateroom/", ".stateroom/tmp/", ".stateroom/tmp/lock"}, tree(t, dir)); diff != "" {
				t.Errorf("left behind: %s", diff)
			}
		})
	}
}

func TestReadingMakesNothing(t *testing.T) {
	ctx := t.Context()
	dir := filepath.Join(t.TempDir(), "store")
	f := open(t, dir)
	_, _, err := f.Get(ctx, "demo/config")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if got := keys(t, f.List(ctx, "", "")); got != nil {
		t.Error(got)
	}
	if got := keys(t, f.ListDir(ctx, "")); got != nil {
		t.Error(got)
	}
	if err := f.Delete(ctx, "demo/config", vfs.Cond{}); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory was made: %v", err)
	}
	if _, err := f.Put(ctx, "demo/config", nil, vfs.Cond{}, ""); err != nil {
		t.Error(err)
	}
}

func TestOpenRefusesWhatIsNoDirectory(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	write(t, name, "x")
	if _, err := file.Open(name, file.Options{}); !errors.Is(err, syscall.ENOTDIR) {
		t.Error(err)
	}
}

func TestSymbolicLinksThatLeadOutAreRefused(t *testing.T) {
	ctx := t.Context()
	above := t.TempDir()
	dir, outside := filepath.Join(above, "store"), filepath.Join(above, "outside")
	write(t, filepath.Join(outside, "secret"), "outside")
	must(t, os.Mkdir(dir, 0o700))
	must(t, os.Symlink(outside, filepath.Join(dir, "folder")))
	must(t, os.Symlink(filepath.Join(outside, "secret"), filepath.Join(dir, "config")))
	must(t, os.Symlink("../outside", filepath.Join(dir, "relative")))
	f := open(t, dir)
	for _, key := range []string{"folder/secret", "config", "relative/secret", "folder/new", "relative/deep/new"} {
		if _, _, err := f.Get(ctx, key); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("get %s: %v", key, err)
		}
		if _, err := f.Put(ctx, key, []byte("inside"), vfs.Cond{}, ""); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("put %s: %v", key, err)
		}
		if _, err := f.Put(ctx, key, []byte("inside"), vfs.IfAbsent(), ""); err == nil {
			t.Errorf("create %s: no error", key)
		}
		if err := f.Delete(ctx, key, vfs.Cond{}); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("delete %s: %v", key, err)
		}
	}
	for _, prefix := range []string{"", "c"} {
		if got := keys(t, f.List(ctx, prefix, "")); got != nil {
			t.Errorf("list %q: %q", prefix, got)
		}
	}
	for _, prefix := range []string{"folder/", "relative/"} { // not empty: nothing could be put there
		refused := false
		for _, err := range f.List(ctx, prefix, "") {
			refused = errors.Is(err, fs.ErrInvalid)
		}
		if !refused {
			t.Errorf("list %q is not refused", prefix)
		}
	}
	if got := tree(t, outside); !cmp.Equal(got, []string{"secret"}) || read(t, filepath.Join(outside, "secret")) != "outside" {
		t.Errorf("outside was touched: %q", got)
	}
	if _, err := os.Readlink(filepath.Join(dir, "config")); err != nil {
		t.Error("the link is gone")
	}

	evil := filepath.Join(above, "evil") // .stateroom itself leads out
	must(t, os.Mkdir(evil, 0o700))
	must(t, os.Symlink(outside, filepath.Join(evil, ".stateroom")))
	if _, err := open(t, evil).Put(ctx, "k", nil, vfs.Cond{}, ""); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("put under a .stateroom that leads out: %v", err)
	}
}

func TestADiskCannotNest(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	f := open(t, dir)
	put(t, f, "a/b", "1", vfs.Cond{})
	for _, c := range []vfs.Cond{{}, vfs.IfAbsent()} {
		if _, err := f.Put(ctx, "a", nil, c, ""); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("put a, where a/b is: %v", err)
		}
		if _, err := f.Put(ctx, "a/b/c", nil, c, ""); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("put a/b/c, where a/b is: %v", err)
		}
	}
	must(t, os.MkdirAll(filepath.Join(dir, "empty/deep/er"), 0o700))
	put(t, f, "empty", "an object now", vfs.IfAbsent())
	if _, err := f.Put(ctx, strings.Repeat("x", 300), nil, vfs.Cond{}, ""); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("put a name of 300 bytes: %v", err)
	}
	if got := temporaries(t, dir); got != nil {
		t.Errorf("left behind: %q", got)
	}
}

func TestAFileOverTheLimitIsListedButNotRead(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "backup"), "")
	must(t, os.Truncate(filepath.Join(dir, "backup"), vfs.MaxObject+1))
	f := open(t, dir)
	if _, _, err := f.Get(t.Context(), "backup"); !errors.Is(err, fs.ErrInvalid) {
		t.Error(err)
	}
	if got := keys(t, f.List(t.Context(), "", "")); !cmp.Equal(got, []string{"backup"}) {
		t.Error(got)
	}
}

func TestAStoreMovedAwayIsFoundAgain(t *testing.T) {
	ctx := t.Context()
	dir := filepath.Join(t.TempDir(), "store")
	f := open(t, dir)
	put(t, f, "k", "1", vfs.Cond{})
	must(t, os.RemoveAll(dir))
	if _, _, err := f.Get(ctx, "k"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	put(t, f, "k", "2", vfs.IfAbsent())
}

func TestVersionsOfForeignChanges(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	f := open(t, dir)
	name := filepath.Join(dir, "config")
	before := put(t, f, "config", "same size", vfs.Cond{})
	keepTime := func(do func()) {
		fi, err := os.Stat(name)
		must(t, err)
		do()
		must(t, os.Chtimes(name, fi.ModTime(), fi.ModTime()))
	}
	for how, do := range map[string]func(){
		"in place, with the old time": func() { keepTime(func() { write(t, name, "SAME SIZE") }) },
		"by rename, with the old time": func() {
			keepTime(func() { write(t, name+"~", "SAME SIZE"); must(t, os.Rename(name+"~", name)) })
		},
	} {
		do()
		_, e, err := f.Get(ctx, "config")
		if err != nil || e.Version == before.Version {
			t.Errorf("%s: version %s stays, %v", how, e.Version, err)
		}
		if _, err := f.Put(ctx, "config", nil, vfs.IfVersion(before.Version), ""); !errors.Is(err, vfs.ErrConflict) {
			t.Errorf("%s: put at the old version: %v", how, err)
		}
		before = e
	}
}

func TestLocksHoldAmongOpenings(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	one, two := open(t, dir), open(t, dir)
	unlock, err := one.Lock(ctx, "demo.example.com")
	must(t, err)
	other, err := two.Lock(ctx, strings.Repeat("long/", 90)+"x")
	must(t, err) // another name is another lock
	other()
	canceled, cancel := context.WithCancel(ctx)
	got := make(chan error)
	go func() { _, err := two.Lock(canceled, "demo.example.com"); got <- err }()
	put(t, two, "k", "writing needs no lock", vfs.Cond{})
	cancel()
	if err := <-got; !errors.Is(err, context.Canceled) {
		t.Errorf("waiting for a lock that is held: %v", err)
	}
	unlock()
	unlock()
	again, err := two.Lock(ctx, "demo.example.com")
	must(t, err)
	again()
}

// The rest are helpers.

func open(t testing.TB, dir string) *vfs.FS { return openStep(t, dir, nil) }

func openStep(t testing.TB, dir string, step func(op, name string) error) *vfs.FS {
	t.Helper()
	d, err := file.Open(dir, file.Options{Step: step})
	must(t, err)
	return vfs.New(d, "file://"+dir)
}

func put(t testing.TB, f *vfs.FS, key, data string, c vfs.Cond) vfs.Entry {
	t.Helper()
	e, err := f.Put(t.Context(), key, []byte(data), c, "")
	must(t, err)
	return e
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t testing.TB, name, data string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(name), 0o700))
	must(t, os.WriteFile(name, []byte(data), 0o600))
}

func read(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	must(t, err)
	return string(data)
}

// tree returns all names below dir, directories with a slash.
func tree(t testing.TB, dir string) []string {
	t.Helper()
	var names []string
	must(t, filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		rel, _ := filepath.Rel(dir, name)
		if e.IsDir() {
			rel += "/"
		}
		names = append(names, rel)
		return nil
	}))
	return names
}

// temporaries returns what is in .stateroom/tmp besides locks.
func temporaries(t testing.TB, dir string) []string {
	t.Helper()
	var names []string
	for _, name := range tree(t, filepath.Join(dir, ".stateroom/tmp")) {
		if !strings.HasPrefix(name, "lock") {
			names = append(names, name)
		}
	}
	return names
}

func keys(t testing.TB, list iter.Seq2[vfs.Entry, error]) []string {
	t.Helper()
	var keys []string
	for e, err := range list {
		must(t, err)
		keys = append(keys, e.Key)
	}
	return keys
}

// Other tools, and clients over SFTP, remove folders that are empty, and take no
// lock.
func TestAFolderThatIsRemovedIsMadeAgain(t *testing.T) {
	for _, at := range []string{durable.Rename, durable.RenameNew, durable.SyncDir} {
		for _, c := range []vfs.Cond{{}, vfs.IfAbsent()} {
			dir := t.TempDir()
			removed := false
			f := openStep(t, dir, func(op, name string) error {
				if op == at && !removed {
					removed = os.Remove(filepath.Join(dir, "demo")) == nil
				}
				return nil
			})
			put(t, f, "demo/config", "x", c)
			if data, _, err := f.Get(t.Context(), "demo/config"); err != nil || string(data) != "x" {
				t.Errorf("removed before %s: %q, %v", at, data, err)
			}
		}
	}
	dir := t.TempDir()
	f := openStep(t, dir, func(op, name string) error {
		if op == durable.SyncDir && name == "demo" {
			_ = os.Remove(filepath.Join(dir, "demo"))
		}
		return nil
	})
	put(t, f, "demo/config", "x", vfs.Cond{})
	if err := f.Delete(t.Context(), "demo/config", vfs.Cond{}); err != nil {
		t.Errorf("removed before the delete is durable: %v", err)
	}
}
