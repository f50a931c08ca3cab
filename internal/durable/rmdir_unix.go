//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package durable

import (
	"os"
	"path"

	"golang.org/x/sys/unix"
)

// rmdir removes an empty directory, and never anything else that has taken its
// name meanwhile.
func (t *Tree) rmdir(name string) error {
	parent, err := t.root.Open(path.Dir(name))
	if err != nil {
		return err
	}
	defer parent.Close()
	if err := unix.Unlinkat(int(parent.Fd()), path.Base(name), unix.AT_REMOVEDIR); err != nil {
		return &os.PathError{Op: "rmdir", Path: name, Err: err}
	}
	return nil
}
