//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly || windows)

package durable

import (
	"errors"
	"os"
)

func tryLock(f *os.File) (bool, error) {
	return false, &os.PathError{Op: "lock", Path: f.Name(), Err: errors.ErrUnsupported}
}

func unlockFile(*os.File) {}
