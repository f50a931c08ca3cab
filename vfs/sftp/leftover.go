package sftp

import (
	"context"
	"fmt"
	"io/fs"
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
			name := tempDir + "/" + fi.Name()
			switch {
			case time.Since(fi.ModTime()) < abandonedAfter:
			case strings.HasPrefix(fi.Name(), "new."):
				_ = w.remove(ctx, name)
			case strings.HasPrefix(fi.Name(), "turn."):
				_ = w.clear(ctx, name)
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
		files, err := s.plainDir(ctx, tempDir)
		if err != nil {
			return err
		}
		for _, fi := range files {
			if strings.HasPrefix(fi.Name(), "new.") && fi.Mode().IsRegular() && time.Since(fi.ModTime()) > abandonedAfter {
				if err := s.leftover(ctx, &list, vfs.Leftover{Name: fi.Name(), Time: fi.ModTime()}); err != nil {
					return err
				}
			}
		}
		return s.leftAside(ctx, asideDir, &list)
	})
	slices.SortFunc(list, func(a, b vfs.Leftover) int { return strings.Compare(a.Name, b.Name) })
	return list, cause(err)
}

// leftAside finds the files that are kept in a directory and below, and those
// that are aside of the keys of these names.
func (s *session) leftAside(ctx context.Context, dir string, list *[]vfs.Leftover) error {
	files, err := s.plainDir(ctx, dir)
	if err != nil {
		return err
	}
	key := strings.TrimPrefix(dir, asideDir+"/")
	for _, fi := range files {
		name := dir + "/" + fi.Name()
		switch {
		case fi.IsDir():
			err = s.leftAside(ctx, name, list)
		case isKept(fi.Name()):
			err = s.leftover(ctx, list, vfs.Leftover{Name: strings.TrimPrefix(name, tempDir+"/"), Key: key, Kept: true, Time: fi.ModTime()})
		}
		if err != nil {
			return err
		}
	}
	l, err := s.holds(ctx, key)
	for _, hold := range l.holds {
		dir := turnDir(key) + "/" + hold
		files, err := s.plainDir(ctx, dir)
		if err != nil {
			return err
		}
		for _, fi := range files {
			name := strings.TrimPrefix(dir, tempDir+"/") + "/" + fi.Name()
			if err := s.leftover(ctx, list, vfs.Leftover{Name: name, Key: key, Time: fi.ModTime()}); err != nil {
				return err
			}
		}
	}
	return err
}

// leftover adds one to the list, with its bytes.
func (s *session) leftover(ctx context.Context, list *[]vfs.Leftover, l vfs.Leftover) error {
	o, _, err := s.read(ctx, tempDir+"/"+l.Name, true)
	if err == nil {
		l.Data = o.data
		*list = append(*list, l)
	}
	return ignoreAbsent(err)
}

// Drop removes what was kept, and nothing else.
func (d *Driver) Drop(ctx context.Context, name string) error {
	if !fs.ValidPath(name) || !strings.HasPrefix(tempDir+"/"+name, asideDir+"/") || !isKept(name[strings.LastIndexByte(name, '/')+1:]) {
		return fmt.Errorf("it is not one that is kept: %w", fs.ErrInvalid)
	}
	s, err := d.session(ctx)
	if err != nil {
		return err
	}
	return cause(s.remove(ctx, tempDir+"/"+name))
}
