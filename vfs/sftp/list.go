package sftp

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/stateroom/stateroom/vfs"
)

// List walks the directories in the order of whole keys, and reads the files,
// many at once: only their bytes tell their versions.
func (d *Driver) List(ctx context.Context, prefix, after string) iter.Seq2[vfs.Entry, error] {
	dir := strings.TrimSuffix(prefix[:strings.LastIndexByte(prefix, '/')+1], "/")
	return d.walk(ctx, dir, &walk{Driver: d, prefix: prefix, after: after})
}

// ListDir reads one directory. A directory without any object is no folder.
func (d *Driver) ListDir(ctx context.Context, dir string) iter.Seq2[vfs.Entry, error] {
	prefix := ""
	if dir != "" {
		prefix = dir + "/"
	}
	return d.walk(ctx, dir, &walk{Driver: d, prefix: prefix, flat: true})
}

func (d *Driver) walk(ctx context.Context, dir string, w *walk) iter.Seq2[vfs.Entry, error] {
	return func(yield func(vfs.Entry, error) bool) {
		ctx, cancel := context.WithCancel(ctx) // ends what is read ahead
		defer cancel()
		if dir == tempDir || strings.HasPrefix(dir, tempDir+"/") {
			return
		}
		w.dir(ctx, w.begin(ctx, dir), yield)
	}
}

// walk is one list.
type walk struct {
	*Driver
	prefix, after string
	flat          bool // folders are yielded, and not entered
}

// folder is a directory that is being read, or was.
type folder struct {
	dir   string
	ready chan struct{}
	items []*item
	err   error
}

// item is what a directory holds: a file or a directory.
type item struct {
	key   string // of a directory, with a slash at its end
	isDir bool
	found bool // the rest is known
	entry vfs.Entry
	err   error
	below *folder // being read ahead
}

// begin begins to read a directory, and the first files of it.
func (w *walk) begin(ctx context.Context, dir string) *folder {
	f := &folder{dir: dir, ready: make(chan struct{})}
	go func() {
		defer close(f.ready)
		f.items, f.err = w.items(ctx, dir)
		if f.err == nil {
			w.look(ctx, f.items)
		}
	}()
	return f
}

// dir yields what lies in a directory and below, and reports whether to go on.
func (w *walk) dir(ctx context.Context, f *folder, yield func(vfs.Entry, error) bool) bool {
	<-f.ready
	if f.err != nil {
		yield(vfs.Entry{}, cause(f.err))
		return false
	}
	if !w.flat {
		for _, it := range f.items {
			if it.isDir {
				it.below = w.begin(ctx, strings.TrimSuffix(it.key, "/"))
			}
		}
	}
	for i, it := range f.items {
		if !it.found && (w.flat || !it.isDir) {
			w.look(ctx, f.items[i:])
		}
		switch {
		case ctx.Err() != nil:
			yield(vfs.Entry{}, ctx.Err())
			return false
		case errors.Is(it.err, fs.ErrNotExist) || errors.Is(it.err, fs.ErrInvalid):
			continue // gone since, or no object
		case it.err != nil:
			yield(vfs.Entry{}, cause(it.err))
			return false
		case it.isDir && !w.flat:
			if !w.dir(ctx, it.below, yield) {
				return false
			}
		default:
			if !yield(it.entry, nil) {
				return false
			}
		}
	}
	return ctx.Err() == nil
}

// look finds out the rest about the next items, many at once.
func (w *walk) look(ctx context.Context, items []*item) {
	var wg sync.WaitGroup
	n := 0
	for _, it := range items {
		if it.found || it.isDir && !w.flat {
			continue
		}
		if n++; n > atOnce {
			break
		}
		wg.Go(func() {
			it.found = true
			if it.isDir {
				it.entry = vfs.Entry{Key: it.key}
				it.err = w.holdsObject(ctx, strings.TrimSuffix(it.key, "/"))
				return
			}
			it.err = w.with(ctx, func(s *session) error {
				o, err := s.find(ctx, it.key, false)
				it.entry = o.entry
				return err
			})
		})
	}
	wg.Wait()
}

// with calls f in one of the slots.
func (d *Driver) with(ctx context.Context, f func(*session) error) error {
	return again(ctx, func() error {
		release, err := d.slot(ctx)
		if err != nil {
			return err
		}
		defer release()
		s, err := d.session(ctx)
		if err != nil {
			return err
		}
		return f(s)
	})
}

// items returns what of a directory is in the list, in order, also files that
// are aside at the moment. A directory has a slash after its name, which puts
// all keys below it in the right place among the files.
func (w *walk) items(ctx context.Context, dir string) ([]*item, error) {
	names := map[string]bool{} // directories with a slash at their end
	err := w.with(ctx, func(s *session) error {
		clear(names)
		list, err := s.plainDir(ctx, dir)
		if err != nil {
			return err
		}
		for _, fi := range list {
			switch {
			case fi.IsDir():
				names[fi.Name()+"/"] = true
			case fi.Mode().IsRegular():
				names[fi.Name()] = true
			}
		}
		// Only now: what was there before, and was taken aside, is here.
		was, err := s.plainDir(ctx, folderOf(dir))
		if err != nil {
			return err
		}
		for _, fi := range was {
			if fi.IsDir() && !names[fi.Name()+"/"] {
				names[fi.Name()] = true
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var items []*item
	for name := range names {
		key := name
		if dir != "" {
			key = dir + "/" + name
		}
		if it := (&item{key: key, isDir: strings.HasSuffix(key, "/")}); w.wants(it) {
			items = append(items, it)
		}
	}
	slices.SortFunc(items, func(a, b *item) int { return strings.Compare(a.key, b.key) })
	return items, nil
}

func (w *walk) wants(it *item) bool {
	if it.isDir {
		return it.key != tempDir+"/" && (strings.HasPrefix(it.key, w.prefix) || strings.HasPrefix(w.prefix, it.key)) &&
			(it.key > w.after || strings.HasPrefix(w.after, it.key))
	}
	return !hidden(it.key) && strings.HasPrefix(it.key, w.prefix) && it.key > w.after
}

// plainDir reads a directory; one that is not there, or is none, is empty.
func (s *session) plainDir(ctx context.Context, dir string) ([]os.FileInfo, error) {
	list, err := s.readDir(ctx, dir)
	switch {
	case err == nil:
		return list, nil
	case errors.Is(err, fs.ErrNotExist), badName(err):
		return nil, nil
	case failed(err): // a file, or below one
		if fi, serr := s.lstat(ctx, dir); serr == nil && !fi.IsDir() || failed(serr) && s.underFile(ctx, dir) {
			return nil, nil
		}
	}
	return nil, err
}

// holdsObject returns [fs.ErrNotExist] if there is no object below a directory.
func (w *walk) holdsObject(ctx context.Context, dir string) error {
	var below []string
	found := false
	err := w.with(ctx, func(s *session) error {
		below = nil
		list, err := s.plainDir(ctx, dir)
		if err != nil {
			return err
		}
		for _, fi := range list {
			switch key := dir + "/" + fi.Name(); {
			case fi.IsDir() && key != tempDir:
				below = append(below, key)
			case fi.Mode().IsRegular() && !hidden(key):
				found = true
			}
		}
		if found || len(below) > 0 {
			return nil
		}
		// Its only file may be aside at the moment.
		was, err := s.plainDir(ctx, folderOf(dir))
		found = len(was) > 0
		return err
	})
	if err != nil || found {
		return err
	}
	for _, dir := range below {
		if err := w.holdsObject(ctx, dir); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return fs.ErrNotExist
}
