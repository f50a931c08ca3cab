package sftp_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/sftp"
)

// smallDisk mounts a file system of some pages, which only root may do.
func smallDisk(t *testing.T, size string) string {
	dir := t.TempDir()
	if err := unix.Mount("stateroom-test", dir, "tmpfs", 0, "size="+size+",mode=0700"); err != nil {
		t.Skipf("cannot mount a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestAFullDiskChangesNothing(t *testing.T) {
	ctx := t.Context()
	dir := smallDisk(t, "256k")
	d := open(t, dir, sftp.Options{Settle: patience})
	e, err := d.Put(ctx, key, []byte(old), vfs.Cond{}, "")
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; ; i++ {
		_, err := d.Put(ctx, fmt.Sprintf("demo/backups/%d", i), make([]byte, 30<<10), vfs.IfAbsent(), "")
		if errors.Is(err, unix.ENOSPC) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []vfs.Cond{{}, vfs.IfVersion(e.Version)} {
		if _, err := d.Put(ctx, key, make([]byte, 64<<10), c, ""); !errors.Is(err, unix.ENOSPC) {
			t.Errorf("put %s on a full disk: %v", c, err)
		}
	}
	want(t, d, key, old)
	nothingInTemp(t, dir)
	if err := d.Delete(ctx, "demo/backups/0", vfs.Cond{}); err != nil {
		t.Errorf("delete on a full disk: %v", err)
	}
	if _, err := d.Put(ctx, key, []byte("there is room again"), vfs.IfVersion(e.Version), ""); err != nil {
		t.Error(err)
	}
}

func TestAReadOnlyDiskIsReadAndNotChanged(t *testing.T) {
	dir := smallDisk(t, "256k")
	d := open(t, dir, sftp.Options{Settle: patience})
	e, err := d.Put(t.Context(), key, []byte(old), vfs.Cond{}, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	want(t, d, key, old)
	for _, c := range []vfs.Cond{{}, vfs.IfVersion(e.Version)} {
		if _, err := d.Put(t.Context(), key, []byte(ours), c, ""); !errors.Is(err, unix.EROFS) {
			t.Errorf("put %s on a read-only disk: %v", c, err)
		}
		if err := d.Delete(t.Context(), key, c); !errors.Is(err, unix.EROFS) {
			t.Errorf("delete %s on a read-only disk: %v", c, err)
		}
	}
	want(t, d, key, old)
}

// nothingInTemp wants no file, and no turn, to be left.
func nothingInTemp(t *testing.T, dir string) {
	t.Helper()
	for _, pattern := range []string{"new.*", "turn.*", "turns/*/*"} {
		left, err := filepath.Glob(filepath.Join(dir, ".stateroom/tmp", pattern))
		if err != nil || len(left) > 0 {
			t.Errorf("left: %q, %v", left, err)
		}
	}
	if _, err := os.Stat(dir); err != nil {
		t.Error(err)
	}
}
