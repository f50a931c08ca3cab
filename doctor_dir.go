package stateroom

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/stateroom/stateroom/internal/durable"
)

const (
	littleSpace = 64 << 20 // bytes, below which writes are about to fail
	lockWait    = 3 * time.Second
)

// directory looks at the directory that a store lies in: who owns it, who may
// enter, how full its disk is, and whether the file system has locks and can
// exchange names. It reports whether there is one to look at further.
func (d *doctor) directory(ctx context.Context, dir string) bool {
	fi, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.add(Good, "directory", "", "there is none yet; the first write makes it, for its owner alone")
		d.space(above(dir))
		return false
	case err != nil:
		d.verb("directory", err, "look at the modes of the directories above it")
		return false
	case !fi.IsDir():
		d.add(Bad, "directory", "give another path", "%s is a file", dir)
		return false
	}
	d.owner(fi)
	d.space(dir)
	tree, err := durable.Open(dir, nil)
	if err != nil {
		d.verb("directory", err, "look at its owner and mode")
		return false
	}
	defer tree.Close()
	d.fileSystem(ctx, tree)
	return true
}

// above is the nearest directory above a path that is there.
func above(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

func (d *doctor) owner(fi fs.FileInfo) {
	saw := fmt.Sprintf("mode %s", fi.Mode())
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		saw = fmt.Sprintf("owner %s, %s", name(st.Uid), saw)
		if int(st.Uid) != os.Getuid() && fi.Mode().Perm()&0o022 == 0 && os.Getuid() != 0 {
			d.add(Doubt, "directory", "ask the owner for: stateroom store init --group", "%s, and you are %s", saw, name(uint32(os.Getuid())))
			return
		}
	}
	if fi.Mode().Perm()&0o007 != 0 {
		d.add(Doubt, "directory", "chmod o-rwx: the store holds secrets; its files are closed, its names are not", "%s: all users of this machine may look into it", saw)
		return
	}
	d.add(Good, "directory", "", "%s", saw)
}

func name(uid uint32) string {
	id := strconv.Itoa(int(uid))
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}

func (d *doctor) space(dir string) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		d.add(Doubt, "free space", "", "cannot tell: %v", err)
		return
	}
	free := st.Bavail * uint64(st.Bsize) //nolint:unconvert // another type elsewhere
	if free < littleSpace || st.Files > 0 && st.Ffree < 100 {
		d.add(Bad, "free space", "make room: writes are refused when the disk is full, and nothing is lost by that", "%d MiB, %d files", free>>20, st.Ffree)
		return
	}
	d.add(Good, "free space", "", "%d MiB", free>>20)
}

// fileSystem tries what the file system can do, in a folder of its own.
func (d *doctor) fileSystem(ctx context.Context, tree *durable.Tree) {
	dir := filepath.ToSlash(filepath.Dir(d.key)) + ".dir"
	if err := tree.MkdirAll(dir, 0o700); err != nil {
		return // writing says why
	}
	names := []string{dir + "/a", dir + "/b", dir + "/lock"}
	defer func() {
		for _, n := range append(names, dir, checkDir) {
			_ = tree.Remove(n) // checkDir only if nobody else is there
		}
	}()
	waiting, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	if unlock, err := tree.Lock(waiting, names[2], 0o600); err != nil {
		d.add(Doubt, "locks", "mount the file system with locks", "there are none: %v; writers at the same time try again more often", err)
	} else {
		unlock()
		d.add(Good, "locks", "", "writers on this machine wait for each other")
	}
	err := errors.Join(tree.WriteFile(names[0], []byte("a"), 0o600), tree.WriteFile(names[1], []byte("b"), 0o600))
	if err == nil {
		err = tree.Exchange(names[0], names[1])
	}
	if err != nil {
		d.add(Doubt, "exchange", "use a local file system (ext4, xfs, btrfs) where other tools write to the store, too", "names cannot be exchanged in one step: %v; a write of another tool in just that moment can be lost", err)
		return
	}
	d.add(Good, "exchange", "", "what another tool writes in the moment of a write is caught")
}
