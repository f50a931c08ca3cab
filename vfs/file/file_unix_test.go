//go:build linux || darwin || freebsd || netbsd || openbsd

package file_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stateroom/stateroom/vfs"
)

func TestModesDoNotDependOnTheUmask(t *testing.T) {
	for _, c := range []struct {
		name             string
		umask            int
		root, dir, files fs.FileMode
	}{
		{"a person's", 0o002, 0o700, 0o700, 0o600},
		{"a person's, readable", 0o022, 0o755, 0o700, 0o600},
		{"a team's", 0o077, 0o770 | fs.ModeSetgid, 0o770 | fs.ModeSetgid, 0o660},
		{"a team's without setgid", 0o022, 0o775, 0o770, 0o660},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "store")
			must(t, os.Mkdir(dir, 0o700))
			must(t, os.Chmod(dir, c.root))
			defer syscall.Umask(syscall.Umask(c.umask))
			if _, err := open(t, dir).Put(t.Context(), "demo/instancegroup/nodes", nil, vfs.Cond{}, ""); err != nil {
				t.Fatal(err)
			}
			for name, want := range map[string]fs.FileMode{
				"demo": c.dir, "demo/instancegroup": c.dir, ".stateroom": c.dir, ".stateroom/tmp": c.dir,
				"demo/instancegroup/nodes": c.files, ".stateroom/tmp/lock": c.files,
			} {
				fi, err := os.Stat(filepath.Join(dir, name))
				must(t, err)
				if got := fi.Mode() &^ fs.ModeDir; got != want {
					t.Errorf("%s: %v, want %v", name, got, want)
				}
			}
		})
	}
}

func TestKopsTemporariesAreNoObjects(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	for _, name := range []string{"demo/config", "demo/instancegroup/tmp2718281828", "demo/instancegroup/tmpl", "demo/tmp1/x", ".stateroom/tmp/new.x"} {
		write(t, filepath.Join(dir, name), "x")
	}
	must(t, os.Mkdir(filepath.Join(dir, "empty"), 0o700))
	must(t, syscall.Mkfifo(filepath.Join(dir, "demo/pipe"), 0o600))
	f := open(t, dir)
	want := []string{"demo/config", "demo/instancegroup/tmpl", "demo/tmp1/x"}
	if diff := cmp.Diff(want, keys(t, f.List(ctx, "", ""))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"demo/"}, keys(t, f.ListDir(ctx, ""))); diff != "" {
		t.Error(diff)
	}
	for _, key := range []string{"demo/instancegroup/tmp2718281828", ".stateroom/tmp/new.x", ".stateroom/tmp"} {
		if _, _, err := f.Get(ctx, key); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("get %s: %v", key, err)
		}
		if _, err := f.Put(ctx, key, nil, vfs.Cond{}, ""); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("put %s: %v", key, err)
		}
		if err := f.Delete(ctx, key, vfs.Cond{}); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("delete %s: %v", key, err)
		}
	}
	if _, _, err := f.Get(ctx, "demo/pipe"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("get a pipe: %v", err)
	}
}
