//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package durable

import (
	"os"

	"golang.org/x/sys/unix"
)

// tryLock takes the lock of an open file, or reports that another has it.
func tryLock(f *os.File) (bool, error) {
	switch err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err {
	case nil:
		return true, nil
	case unix.EWOULDBLOCK, unix.EINTR:
		return false, nil
	default:
		return false, &os.PathError{Op: "flock", Path: f.Name(), Err: err}
	}
}

func unlockFile(f *os.File) {
	_ = unix.Flock(int(f.Fd()), unix.LOCK_UN) // closing would do, but for copies of the descriptor
}
