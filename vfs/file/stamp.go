package file

import (
	"fmt"
	"io/fs"

	"github.com/stateroom/stateroom/vfs"
)

// stamp is what of a file's state makes its version.
type stamp struct {
	inode        uint64
	mtime, ctime int64 // ns since 1970
	size         int64 // bytes
}

func stampOf(fi fs.FileInfo) stamp {
	inode, ctime := inodeAndChange(fi)
	return stamp{inode, fi.ModTime().UnixNano(), ctime, fi.Size()}
}

func (s stamp) version() vfs.Version {
	return vfs.Version(fmt.Sprintf("%x-%x-%x-%x", s.inode, s.mtime, s.ctime, s.size))
}

// moved reports whether t can be s under another name: to rename a file
// changes its ctime and nothing else.
func (s stamp) moved(t stamp) bool {
	s.ctime, t.ctime = 0, 0
	return s == t
}

func entryOf(key string, fi fs.FileInfo) vfs.Entry {
	return vfs.Entry{Key: key, Version: stampOf(fi).version(), Size: fi.Size(), Time: fi.ModTime()}
}
