package file_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stateroom/stateroom/vfs"
	"golang.org/x/sys/unix"
)

// smallDisk mounts a file system of some pages, which only root may do.
func smallDisk(t *testing.T, size string) string {
	dir := t.TempDir()
	if err := unix.Mount("stateroom-test", dir, "tmpfs", 0, "size="+size+",mode=0700"); err != nil {
		t.Skipf("cannot mount a small disk: %v", err)
	}
	t.Cleanup(func() { must(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	return dir
}

func TestAFullDiskChangesNothing(t *testing.T) {
	ctx := t.Context()
	dir := smallDisk(t, "256k")
	f := open(t, dir)
	e := put(t, f, "demo/config", "old", vfs.Cond{})
	for i := 0; ; i++ {
		_, err := f.Put(ctx, fmt.Sprintf("demo/backups/%d", i), make([]byte, 30<<10), vfs.IfAbsent(), "")
		if errors.Is(err, unix.ENOSPC) {
			break
		}
		must(t, err)
	}
	for _, c := range []vfs.Cond{{}, vfs.IfVersion(e.Version)} {
		if _, err := f.Put(ctx, "demo/config", make([]byte, 64<<10), c, ""); !errors.Is(err, unix.ENOSPC) {
			t.Errorf("put %s on a full disk: %v", c, err)
		}
	}
	data, now, err := f.Get(ctx, "demo/config")
	if err != nil || string(data) != "old" || now.Version != e.Version {
		t.Errorf("there is %q at %s, %v", data, now.Version, err)
	}
	if got := temporaries(t, dir); got != nil {
		t.Errorf("left: %q", got)
	}
	if err := f.Delete(ctx, "demo/backups/0", vfs.Cond{}); err != nil {
		t.Errorf("delete on a full disk: %v", err)
	}
	put(t, f, "demo/config", "there is room again", vfs.IfVersion(e.Version))
}

func TestAReadOnlyDiskIsReadAndNotChanged(t *testing.T) {
	dir := smallDisk(t, "256k")
	f := open(t, dir)
	put(t, f, "demo/config", "old", vfs.Cond{})
	must(t, unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	refused(t, f, dir, unix.EROFS)
}

// TestADirectoryOfSomeoneElse is read, where that is allowed, and not changed.
func TestADirectoryOfSomeoneElse(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	f := open(t, dir)
	put(t, f, "demo/config", "old", vfs.Cond{})
	must(t, filepath.WalkDir(dir, func(name string, e fs.DirEntry, _ error) error {
		if e.IsDir() {
			return os.Chmod(name, 0o555)
		}
		return os.Chmod(name, 0o444)
	}))
	t.Cleanup(func() {
		must(t, filepath.WalkDir(dir, func(name string, _ fs.DirEntry, _ error) error { return os.Chmod(name, 0o700) }))
	})
	if os.Getuid() == 0 {
		for up := filepath.Dir(dir); up != os.TempDir() && len(up) > 1; up = filepath.Dir(up) {
			must(t, os.Chmod(up, 0o755))
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			runtime.LockOSThread() // and never unlock: the thread is not root any more
			if err := unix.Setfsuid(65534); err != nil {
				t.Error(err)
				return
			}
			refused(t, f, dir, fs.ErrPermission)
		}()
		<-done
		return
	}
	refused(t, f, dir, fs.ErrPermission)
}

// refused checks that f can be read, and cannot be changed for that reason.
func refused(t *testing.T, f *vfs.FS, dir string, why error) {
	t.Helper()
	ctx := t.Context()
	before := tree(t, dir)
	data, e, err := f.Get(ctx, "demo/config")
	if err != nil || string(data) != "old" {
		t.Errorf("get: %q, %v", data, err)
	}
	for e, err := range f.List(ctx, "", "") {
		if err != nil || e.Key != "demo/config" {
			t.Errorf("list: %q, %v", e.Key, err)
		}
	}
	_, put := f.Put(ctx, "demo/config", nil, vfs.Cond{}, "")
	_, replace := f.Put(ctx, "demo/config", nil, vfs.IfVersion(e.Version), "")
	_, create := f.Put(ctx, "demo/new/file", nil, vfs.IfAbsent(), "")
	_, lock := f.Lock(ctx, "demo")
	for _, err := range []error{put, replace, create, lock, f.Delete(ctx, "demo/config", vfs.Cond{})} {
		if !errors.Is(err, why) {
			t.Errorf("got %v, want %v", err, why)
		}
	}
	if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
		t.Error(diff)
	}
	t.Logf("in words: %v", create)
}
