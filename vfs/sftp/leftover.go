package sftp

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stateroom/stateroom/vfs"
)

// abandonedAfter is when a file that never got its key is nobody's, however
// wrong the clocks are.
const abandonedAfter = 24 * time.Hour

// sweep is done once by each driver that writes.
type sweep struct{ once sync.Once }

// sweep removes files that never got their key.
func (w *change) sweep(ctx context.Context) {
	w.swept.once.Do(func() {
		list, err := w.readDir(ctx, tempDir)
		if err != nil {
			return
		}
		for _, fi := range list {
			if strings.HasPrefix(fi.Name(), "new.") && time.Since(fi.ModTime()) > abandonedAfter {
				_ = w.remove(ctx, tempDir+"/"+fi.Name())
			}
		}
	})
}

// Leftovers returns what lies in .stateroom/tmp: what a crash has left there,
// which the next write to the same key puts right, and what is kept. What a
// writer may still be at is not among them.
func (d *Driver) Leftovers(ctx context.Context) ([]vfs.Leftover, error) {
	var list []vfs.Leftover
	err := again(ctx, func() error {
		list = nil
		s, err := d.session(ctx)
		if err != nil {
			return err
		}
		return s.leftovers(ctx, tempDir, &list)
	})
	slices.SortFunc(list, func(a, b vfs.Leftover) int { return strings.Compare(a.Name, b.Name) })
	return list, cause(err)
}

func (s *session) leftovers(ctx context.Context, dir string, list *[]vfs.Leftover) error {
	entries, err := s.readDir(ctx, dir)
	if err != nil {
		return ignoreAbsent(err)
	}
	for _, fi := range entries {
		name := dir + "/" + fi.Name()
		if fi.IsDir() {
			if err := s.leftovers(ctx, name, list); err != nil {
				return err
			}
			continue
		}
		if l, ok, err := s.leftover(ctx, dir, fi); err != nil {
			return err
		} else if ok {
			*list = append(*list, l)
		}
	}
	return nil
}

func (s *session) leftover(ctx context.Context, dir string, fi os.FileInfo) (l vfs.Leftover, ok bool, err error) {
	name := dir + "/" + fi.Name()
	l = vfs.Leftover{Name: strings.TrimPrefix(name, tempDir+"/"), Time: fi.ModTime()}
	if a, ok := parseAside(dir, fi.Name()); ok {
		l.Key, l.Kept = strings.TrimPrefix(dir, asideDir+"/"), a.kind == "kept"
	} else if !strings.HasPrefix(fi.Name(), "new.") || time.Since(fi.ModTime()) < abandonedAfter {
		return l, false, nil
	}
	o, _, err := s.read(ctx, name, true)
	if errors.Is(err, fs.ErrNotExist) {
		return l, false, nil
	}
	l.Data = o.data
	return l, err == nil, err
}

// Drop removes what was kept, and nothing else.
func (d *Driver) Drop(ctx context.Context, name string) error {
	dir, file := dirOf(tempDir+"/"+name), name[strings.LastIndexByte(name, '/')+1:]
	if a, ok := parseAside(dir, file); !ok || a.kind != "kept" || !fs.ValidPath(name) || !strings.HasPrefix(dir, asideDir+"/") {
		return fmt.Errorf("it is not one that is kept: %w", fs.ErrInvalid)
	}
	s, err := d.session(ctx)
	if err != nil {
		return err
	}
	return cause(s.remove(ctx, tempDir+"/"+name))
}
