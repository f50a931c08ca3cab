package file

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/stateroom/stateroom/internal/durable"
)

// A write may say what was read before it: a record holds what another tool
// wrote to a file. So what was read must be durable first, and other tools do
// not sync. This driver does that for them, before it writes, and for
// what changed lately only: systems write to the disk by themselves what is
// older than half a minute or so (Linux: vm.dirty_expire_centisecs).

const lately = 2 * time.Minute

// doubt is what a driver has read, and does not know to be durable. The zero
// value is ready. It is safe for concurrent use.
type doubt struct {
	mu    sync.Mutex
	files map[string]stamp  // read, and not durable for all we know
	sure  map[string]stamp  // of our own writing, or synced by us
	dirs  map[string]uint64 // inodes of directories whose names were synced by us
}

const maxSure = 10_000 // names, after which all are in doubt again

// foreign reports whether other tools write to a name.
func foreign(name string) bool { return name != ownDir && !strings.HasPrefix(name, ownDir+"/") }

func (s stamp) late() bool { return time.Since(time.Unix(0, max(s.mtime, s.ctime))) < lately }

// read notes that an object was read.
func (d *doubt) read(key string, s stamp) {
	if !foreign(key) || !s.late() {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sure[key] == s {
		return
	}
	if d.files == nil {
		d.files = map[string]stamp{}
	}
	d.files[key] = s
}

// wrote notes that an object is durable as it is.
func (d *doubt) wrote(key string, s stamp) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sure == nil || len(d.sure) > maxSure {
		d.sure = map[string]stamp{}
	}
	d.sure[key] = s
	if d.files[key] == s {
		delete(d.files, key)
	}
}

func (d *doubt) pending() map[string]stamp {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.files)
}

func (d *doubt) forget(key string, s stamp) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.files[key] == s {
		delete(d.files, key)
	}
}

// durableDir reports whether a directory of that inode was synced by us.
func (d *doubt) durableDir(dir string, inode uint64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	got, ok := d.dirs[dir]
	return ok && got == inode
}

func (d *doubt) madeDir(dir string, inode uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dirs == nil || len(d.dirs) > maxSure {
		d.dirs = map[string]uint64{}
	}
	d.dirs[dir] = inode
}

// vouch makes durable what was read, where that has not changed since: what
// has was not what is built on.
func (s *session) vouch() error {
	folders := map[string]bool{}
	for key, was := range s.d.doubt.pending() {
		fi, err := s.Root().Lstat(key)
		if err != nil || stampOf(fi) != was {
			s.d.doubt.forget(key, was)
			continue
		}
		if err := s.SyncFile(key); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if dir := path.Dir(key); !folders[dir] {
			folders[dir] = true
			if err := errors.Join(s.folder(dir), s.SyncDir(dir)); err != nil {
				return err
			}
		}
		s.d.doubt.wrote(key, was)
	}
	return nil
}

// folder makes a directory, or makes sure that its name is durable if another
// tool made it lately. What we have left unsynced ourselves has a mark.
func (s *session) folder(dir string) error {
	for above := dir; above != "."; above = path.Dir(above) {
		fi, err := s.Root().Stat(above)
		if err != nil || !fi.IsDir() {
			continue
		}
		if st := stampOf(fi); !foreign(above) || !st.late() || s.d.doubt.durableDir(above, st.inode) {
			s.Trust(above)
		}
	}
	if err := s.MkdirAll(dir, s.dirPerm); err != nil {
		return err
	}
	for above := dir; above != "."; above = path.Dir(above) {
		if fi, err := s.Root().Stat(above); err == nil {
			s.d.doubt.madeDir(above, stampOf(fi).inode)
		}
	}
	return nil
}

// begin makes tempDir, durably with all above it. That its lock is there says
// that this was done: it is made after that.
func (s *session) begin() error {
	if _, err := s.Root().Lstat(lockFile); err == nil {
		s.Trust(tempDir)
		return nil
	}
	if err := s.MkdirAll(tempDir, s.dirPerm); err != nil {
		return err
	}
	return s.d.syncAbove()
}

// syncAbove syncs the directories above the store's own, as far up as it may
// read them: whoever made them may not have.
func (d *Driver) syncAbove() error {
	dir, err := filepath.EvalSymlinks(d.dir)
	if err != nil {
		return err
	}
	for parent := filepath.Dir(dir); parent != dir; dir, parent = parent, filepath.Dir(parent) {
		t, err := durable.Open(parent, d.step)
		if err != nil {
			return nil //nolint:nilerr // nor could we have made anything there
		}
		if d.watch != nil {
			t.Watch(d.watch)
		}
		err = t.SyncDir(".")
		t.Close()
		if err != nil {
			return err
		}
	}
	return nil
}
