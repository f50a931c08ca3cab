//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package durable

import (
	"io/fs"
	"syscall"
)

func (t *Tree) rmdir(name string) error {
	if fi, err := t.root.Lstat(name); err != nil {
		return err
	} else if !fi.IsDir() {
		return &fs.PathError{Op: "rmdir", Path: name, Err: syscall.ENOTDIR}
	}
	return t.root.Remove(name)
}
