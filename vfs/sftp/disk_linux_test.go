package sftp_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
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

// Two people share a directory through a group. One stops at each request of
// each kind of write; the other puts it right and goes on.
func TestATeamSharesADirectory(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can be two people")
	}
	const group = 54321
	// The server wants users that the system knows: daemon and bin.
	person := func(id uint32) *syscall.SysProcAttr {
		return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: id, Gid: id, Groups: []uint32{group}}}
	}
	var wg sync.WaitGroup
	for _, w := range writes {
		for n := 1; n < 45; n += 3 {
			wg.Go(func() {
				dir := t.TempDir()
				for up := filepath.Dir(dir); up != os.TempDir() && len(up) > 1; up = filepath.Dir(up) {
					_ = os.Chmod(up, 0o755)
				}
				if err := errors.Join(os.Chown(dir, 0, group), os.Chmod(dir, 0o770|fs.ModeSetgid)); err != nil {
					t.Error(err)
					return
				}
				s := &scene{T: t, at: fmt.Sprintf("%s, request %d", w.name, n), dir: dir, line: &counter{user: person(1)}}
				s.other = open(t, dir, sftp.Options{Settle: patience, Dial: (&counter{user: person(2)}).dial(t)})
				s.writer = open(t, dir, sftp.Options{Settle: patience, Dial: s.line.dial(t)})
				if _, err := s.writer.Put(t.Context(), "demo.example.com/beside", []byte("x"), vfs.Cond{}, ""); err != nil {
					s.Errorf("%v", err)
				}
				if w.before != absent {
					e, err := s.writer.Put(t.Context(), key, []byte(w.before), vfs.Cond{}, "")
					if err != nil {
						s.Errorf("%v", err)
					}
					s.start = e.Version
				}
				s.line.mu.Lock()
				s.line.cut, s.line.done, s.line.dead = s.line.n+n, true, true
				s.line.mu.Unlock()
				err := s.run(w)
				got, v := s.get()
				if got != w.before && got != w.after || err == nil && got != w.after {
					s.Errorf("after %v there is %q", err, got)
				}
				s.replace(v)
				s.clean()
			})
		}
	}
	wg.Wait()
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
