package sftp

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/pkg/sftp"

	"github.com/stateroom/stateroom/vfs"
)

// end is how much of a large file makes its version, at the beginning and at
// the end: of up to twice as much, all does.
const end = 512 << 10

// object is a file that was read.
type object struct {
	data  []byte // nil for a large file of which only the ends were read
	entry vfs.Entry
}

// Get returns an object. One that a writer has aside at the moment is waited
// for.
func (d *Driver) Get(ctx context.Context, key string, unless vfs.Version) ([]byte, vfs.Entry, error) {
	if hidden(key) {
		return nil, vfs.Entry{}, fs.ErrNotExist
	}
	var o object
	err := again(ctx, func() error {
		release, err := d.slot(ctx)
		if err != nil {
			return err
		}
		defer release()
		s, err := d.session(ctx)
		if err != nil {
			return err
		}
		o, err = s.find(ctx, key, true)
		return err
	})
	switch {
	case err != nil:
		return nil, vfs.Entry{}, cause(err)
	case unless != "" && o.entry.Version == unless:
		return nil, vfs.Entry{}, vfs.ErrNotModified
	case o.entry.Size > vfs.MaxObject:
		return nil, vfs.Entry{}, vfs.TooLarge(o.entry.Size)
	}
	return o.data, o.entry, nil
}

// read reads the file of that name, whole or its ends. What is not there, or
// is a directory, is [fs.ErrNotExist]; isDir tells the two apart.
func (s *session) read(ctx context.Context, name string, whole bool) (o object, isDir bool, err error) {
	for range 8 {
		o, isDir, err = s.readOnce(ctx, name, whole)
		if !errors.Is(err, errMoving) {
			break
		}
	}
	return o, isDir, err
}

func (s *session) readOnce(ctx context.Context, name string, whole bool) (o object, isDir bool, err error) {
	var (
		fi            os.FileInfo
		f             *sftp.File
		statErr, oErr error
	)
	_ = both(
		func() error { fi, statErr = s.lstat(ctx, name); return nil },
		func() error { f, oErr = s.open(ctx, name, os.O_RDONLY); return nil })
	defer s.closeLater(f)
	switch {
	case errors.Is(statErr, errLost) || ctx.Err() != nil:
		return o, false, errors.Join(ctx.Err(), statErr)
	case errors.Is(statErr, fs.ErrNotExist) || badName(statErr):
		return o, false, fs.ErrNotExist
	case failed(statErr) && s.underFile(ctx, name):
		return o, false, fs.ErrNotExist
	case statErr != nil:
		return o, false, statErr
	case fi.IsDir():
		return o, true, fs.ErrNotExist
	case !fi.Mode().IsRegular():
		return o, false, refuseMode(fi.Mode())
	case errors.Is(oErr, fs.ErrNotExist):
		return o, false, errMoving // replaced or removed since: look again
	case oErr != nil:
		return o, false, oErr
	}
	o, err = s.readFile(ctx, f, fi.Size(), whole)
	o.entry.Key = name
	return o, false, err
}

// readFile reads an open file that is likely of that size.
func (s *session) readFile(ctx context.Context, f *sftp.File, size int64, whole bool) (o object, err error) {
	var fi os.FileInfo
	ends := !whole && size > 2*end || size > vfs.MaxObject
	data := make([]byte, min(size, vfs.MaxObject))
	if ends {
		data = data[:2*end]
	}
	err = both(
		func() (err error) { fi, err = ask(ctx, s, f.Stat); return err },
		func() error {
			if !ends {
				return s.fill(ctx, f, data, 0)
			}
			return both(
				func() error { return s.fill(ctx, f, data[:end], 0) },
				func() error { return s.fill(ctx, f, data[end:], size-end) })
		})
	switch {
	case err != nil:
		return o, err
	case fi.Size() != size:
		return o, errMoving
	}
	o.entry = vfs.Entry{Version: versionOf(data, size, fi.ModTime().Unix()), Size: size, Time: fi.ModTime()}
	if !ends {
		o.data = data
	}
	return o, nil
}

// fill reads len(b) bytes.
func (s *session) fill(ctx context.Context, f *sftp.File, b []byte, at int64) error {
	if len(b) == 0 {
		return nil
	}
	short, err := ask(ctx, s, func() (bool, error) {
		_, err := f.ReadAt(b, at)
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		return false, err
	})
	if err == nil && short {
		err = errMoving // it was cut
	}
	return err
}

// underFile reports whether a folder of a name is a file: servers tell this as
// no more than a failure.
func (s *session) underFile(ctx context.Context, name string) bool {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if fi, err := s.lstat(ctx, dir); err == nil {
			return fi.Mode().IsRegular()
		}
	}
	return false
}

// versionOf is the version of a file whose bytes, or whose two ends, are data:
// a digest of it. The second of its last change says more of a large file.
func versionOf(data []byte, size, seconds int64) vfs.Version {
	if size <= 2*end {
		sum := sha256.Sum256(data)
		return vfs.Version(fmt.Sprintf("%x", sum[:16]))
	}
	h := sha256.New()
	h.Write(data[:end])
	h.Write(data[len(data)-end:])
	return vfs.Version(fmt.Sprintf("%d-%d-%x", size, seconds, h.Sum(nil)[:16]))
}

func refuseMode(mode fs.FileMode) error {
	if mode&fs.ModeSymlink != 0 {
		return errSymlink
	}
	return errIrregular
}
