package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/stateroom/stateroom/vfs"
)

// Get returns an object. A file that is written in place while it is read is
// read again, until it holds still.
func (d *Driver) Get(ctx context.Context, key string, unless vfs.Version) ([]byte, vfs.Entry, error) {
	s, err := d.read(ctx)
	if err != nil {
		return nil, vfs.Entry{}, absent(err, key)
	}
	defer s.Close()
	if hidden(key) {
		return nil, vfs.Entry{}, fs.ErrNotExist
	}
	name := key
	for range 8 {
		data, e, err := s.get(name, unless)
		e.Key = key
		if errors.Is(err, fs.ErrNotExist) {
			if name, err = s.find(ctx, key); err == nil {
				continue
			}
		}
		if !errors.Is(err, errMoving) {
			return data, e, absent(err, key)
		}
	}
	return nil, vfs.Entry{}, errMoving
}

var errMoving = errors.New("someone is writing into the file")

func (s *session) get(key string, unless vfs.Version) ([]byte, vfs.Entry, error) {
	f, fi, err := s.open(key)
	if err != nil {
		return nil, vfs.Entry{}, err
	}
	defer f.Close()
	e := entryOf(key, fi)
	switch {
	case unless != "" && e.Version == unless:
		return nil, vfs.Entry{}, vfs.ErrNotModified
	case e.Size > vfs.MaxObject:
		return nil, vfs.Entry{}, vfs.TooLarge(e.Size)
	}
	data := make([]byte, e.Size)
	if _, err := io.ReadFull(f, data); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, vfs.Entry{}, errMoving // it was cut
	} else if err != nil {
		return nil, vfs.Entry{}, err
	}
	after, err := f.Stat()
	if err != nil {
		return nil, vfs.Entry{}, err
	}
	if !stampOf(fi).moved(stampOf(after)) {
		return nil, vfs.Entry{}, errMoving
	}
	s.d.doubt.read(key, stampOf(fi))
	return data, e, nil
}

// open opens a regular file; a directory counts as absent.
func (s *session) open(name string) (*os.File, fs.FileInfo, error) {
	fi, err := s.Root().Lstat(name)
	switch {
	case err != nil:
		return nil, nil, err
	case fi.IsDir():
		return nil, nil, fs.ErrNotExist
	case !fi.Mode().IsRegular():
		return nil, nil, refuseMode(fi.Mode())
	}
	f, err := s.Root().OpenFile(name, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, nil, err
	}
	if fi, err = f.Stat(); err == nil && !fi.Mode().IsRegular() {
		err = errIrregular
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, fi, nil
}

// absent turns the errors of names that cannot exist into [fs.ErrNotExist].
func absent(err error, key string) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ENAMETOOLONG) {
		return fs.ErrNotExist
	}
	return cause(err, key)
}

// List walks the directories in the order of whole keys.
func (d *Driver) List(ctx context.Context, prefix, after string) iter.Seq2[vfs.Entry, error] {
	return func(yield func(vfs.Entry, error) bool) {
		d.walk(ctx, prefix[:strings.LastIndexByte(prefix, '/')+1], &walk{ctx: ctx, prefix: prefix, after: after, yield: yield})
	}
}

// ListDir reads one directory. A directory without any object is no folder.
func (d *Driver) ListDir(ctx context.Context, dir string) iter.Seq2[vfs.Entry, error] {
	if dir != "" {
		dir += "/"
	}
	return func(yield func(vfs.Entry, error) bool) {
		d.walk(ctx, dir, &walk{ctx: ctx, prefix: dir, yield: yield, flat: true})
	}
}

// walk goes down to dir ("" or with a slash at its end), and walks what lies
// below it.
func (d *Driver) walk(ctx context.Context, dir string, w *walk) {
	s, err := d.read(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return
	} else if err != nil {
		w.yield(vfs.Entry{}, cause(err, ""))
		return
	}
	defer s.Close()
	w.session = s
	w.down(s.Root(), "", dir)
}

// walk is one list under way.
type walk struct {
	ctx           context.Context //nolint:containedctx // of the call that owns it
	prefix, after string
	flat          bool // folders are yielded, and not entered
	yield         func(vfs.Entry, error) bool
	session       *session
}

// down enters the directories of rest one by one, so that a symbolic link
// among them is not followed, and walks the last.
func (w *walk) down(r *os.Root, dir, rest string) bool {
	name, rest, ok := strings.Cut(rest, "/")
	if !ok {
		return w.dir(r, dir)
	}
	fi, err := r.Lstat(name)
	if err == nil && fi.Mode()&fs.ModeSymlink != 0 && leadsOut(r, name) {
		// Not an empty folder: nothing could be put below it.
		w.yield(vfs.Entry{}, fmt.Errorf("%s: %w", dir+name, errOutside))
		return false
	}
	if err != nil || !fi.IsDir() || dir+name == tempDir {
		return w.gone(err, dir+name)
	}
	return w.enter(r, name, func(sub *os.Root) bool { return w.down(sub, dir+name+"/", rest) })
}

// leadsOut reports whether a link leads to a folder out of the store.
func leadsOut(r *os.Root, name string) bool {
	sub, err := r.OpenRoot(name)
	if err == nil {
		sub.Close()
	}
	return errors.Is(cause(err, name), errOutside)
}

// enter opens a directory for do. One that has just gone is passed over.
func (w *walk) enter(r *os.Root, name string, do func(*os.Root) bool) bool {
	sub, err := r.OpenRoot(name)
	if err != nil {
		return w.gone(err, name)
	}
	defer sub.Close()
	return do(sub)
}

// gone yields an error unless it is one of a name that was removed, or that
// another kind of file has taken, since it was read.
func (w *walk) gone(err error, name string) bool {
	if err == nil || errors.Is(absent(err, name), fs.ErrNotExist) || errors.Is(cause(err, name), fs.ErrInvalid) {
		return true
	}
	w.yield(vfs.Entry{}, cause(err, ""))
	return false
}

// dir walks one directory, dir being "" or with a slash at its end. It reports
// whether to go on.
func (w *walk) dir(r *os.Root, dir string) bool {
	names, err := w.names(r, dir)
	if err != nil {
		return w.gone(err, dir)
	}
	for _, name := range names {
		if err := w.ctx.Err(); err != nil {
			w.yield(vfs.Entry{}, err)
			return false
		}
		folder, isDir := strings.CutSuffix(name, "/")
		var goOn bool
		switch {
		case isDir && w.flat:
			goOn = !w.holdsObject(r, folder, dir+name) || w.yield(vfs.Entry{Key: dir + name}, nil)
		case isDir:
			goOn = w.enter(r, folder, func(sub *os.Root) bool { return w.dir(sub, dir+name) })
		default:
			goOn = w.file(r, name, dir+name)
		}
		if !goOn {
			return false
		}
	}
	return true
}

func (w *walk) file(r *os.Root, name, key string) bool {
	fi, err := r.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		var aside string
		if aside, err = w.session.find(w.ctx, key); err == nil {
			fi, err = w.session.Root().Lstat(aside)
		}
	}
	if err != nil {
		return w.gone(err, key)
	}
	return !fi.Mode().IsRegular() || w.yield(entryOf(key, fi), nil)
}

// names returns what of a directory is in the list, in order: files, and
// directories with a slash after their name, which puts all keys below them in
// the right place among the files.
func (w *walk) names(r *os.Root, dir string) ([]string, error) {
	f, err := r.Open(".")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	if err != nil {
		return nil, fmt.Errorf("read directory %s: %w", dir, err)
	}
	var names []string
	for _, e := range entries {
		name := e.Name()
		key := dir + name
		switch {
		case e.IsDir():
			name, key = name+"/", key+"/"
			if key == tempDir+"/" || !overlaps(key, w.prefix) || key < w.after && !strings.HasPrefix(w.after, key) {
				continue
			}
		case !e.Type().IsRegular() || temporary(name) || !strings.HasPrefix(key, w.prefix) || key <= w.after:
			continue
		}
		names = append(names, name)
	}
	names = append(names, w.aside(dir, names)...)
	slices.Sort(names)
	return names, nil
}

// aside returns the files of a directory that are not among names, and that
// clients over SFTP may have aside.
func (w *walk) aside(dir string, names []string) (more []string) {
	f, err := w.session.Root().Open(asideDir + "/" + dir)
	if err != nil {
		return nil
	}
	defer f.Close()
	were, _ := f.Readdirnames(-1)
	for _, name := range were {
		key := dir + name
		if !temporary(name) && strings.HasPrefix(key, w.prefix) && key > w.after && !slices.Contains(names, name) && !slices.Contains(names, name+"/") {
			more = append(more, name)
		}
	}
	return more
}

// overlaps reports whether a key can begin with both.
func overlaps(a, b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) }

// holdsObject reports whether there is any object below a directory.
func (w *walk) holdsObject(r *os.Root, name, key string) bool {
	found := false
	below := &walk{ctx: w.ctx, prefix: key, session: w.session, yield: func(vfs.Entry, error) bool {
		found = true // an error too: better a folder that cannot be read than none
		return false
	}}
	below.enter(r, name, func(sub *os.Root) bool { return below.dir(sub, key) })
	return found
}
