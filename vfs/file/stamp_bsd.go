//go:build darwin || freebsd || netbsd

package file

import (
	"io/fs"
	"syscall"
)

func inodeAndChange(fi fs.FileInfo) (inode uint64, ctime int64) {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Ino), st.Ctimespec.Nano()
	}
	return 0, 0
}

// openFlags keep an open from waiting where a pipe has taken the file's name.
const openFlags = syscall.O_NONBLOCK
