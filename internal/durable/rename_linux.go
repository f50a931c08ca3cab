package durable

import (
	"errors"
	"os"
	"path"

	"golang.org/x/sys/unix"
)

const (
	noReplace = unix.RENAME_NOREPLACE
	exchange  = unix.RENAME_EXCHANGE
)

// renameat2 renames within the directories that the root finds. The last
// elements are not followed by the system, so nothing leads out.
func (t *Tree) renameat2(from, to string, flags uint) error {
	fromDir, err := t.root.Open(path.Dir(from))
	if err != nil {
		return err
	}
	defer fromDir.Close()
	toDir, err := t.root.Open(path.Dir(to))
	if err != nil {
		return err
	}
	defer toDir.Close()
	err = unix.Renameat2(int(fromDir.Fd()), path.Base(from), int(toDir.Fd()), path.Base(to), flags)
	if errors.Is(err, unix.EINVAL) { // the file system does not know the flag
		err = unix.ENOTSUP
	}
	if err != nil {
		return &os.LinkError{Op: "renameat2", Old: from, New: to, Err: err}
	}
	return nil
}
