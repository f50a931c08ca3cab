package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/stateroom/stateroom/vfs"
)

// Leftovers returns what lies in .stateroom/tmp besides locks: what a crash has
// left there, which the next write puts right, and foreign bytes that are kept.
// What a writer may still be at is not among them.
func (d *Driver) Leftovers(ctx context.Context) ([]vfs.Leftover, error) {
	s, err := d.read(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, cause(err, "")
	}
	defer s.Close()
	list, err := s.leftovers(tempDir, "")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	slices.SortFunc(list, func(a, b vfs.Leftover) int { return strings.Compare(a.Name, b.Name) })
	return list, cause(err, "")
}

// leftovers are those below a directory; begun is the beginning of their names,
// which may be cut into pieces.
func (s *session) leftovers(dir, begun string) ([]vfs.Leftover, error) {
	f, err := s.Root().Open(dir)
	if err != nil {
		return nil, err
	}
	entries, err := f.ReadDir(-1)
	f.Close()
	if err != nil {
		return nil, err
	}
	var list []vfs.Leftover
	for _, e := range entries {
		name := begun + e.Name()
		switch kind, _, _ := strings.Cut(name, "."); {
		case kind == "lock" || kind == "sync":
		case e.IsDir():
			more, err := s.leftovers(dir+"/"+e.Name(), name)
			if err != nil {
				return nil, err
			}
			list = append(list, more...)
		default:
			l, err := s.leftover(dir+"/"+e.Name(), name)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
			inUse := kind == "new" && time.Since(l.Time) < abandoned // by its writer, who may be at it still
			if err == nil && !inUse {
				list = append(list, l)
			}
		}
	}
	return list, nil
}

func (s *session) leftover(file, name string) (vfs.Leftover, error) {
	l := vfs.Leftover{Name: strings.TrimPrefix(file, tempDir+"/")}
	if m, ok := parseTemp(name); ok {
		l.Key = m.key
	} else if f := strings.SplitN(name, ".", 4); len(f) == 4 && f[0] == "kept" {
		if key, err := unescape(f[3]); err == nil && vfs.ValidKey(key) {
			l.Key, l.Kept = key, true
		}
	} else if key, ok := keptAside(l.Name); ok {
		l.Key, l.Kept = key, true
	}
	f, fi, err := s.open(file)
	if err != nil {
		return l, err
	}
	defer f.Close()
	l.Time = fi.ModTime()
	l.Data, err = io.ReadAll(io.LimitReader(f, vfs.MaxObject))
	return l, err
}

// keptAside returns the key of what a client over SFTP keeps.
func keptAside(name string) (key string, ok bool) {
	key, ok = strings.CutPrefix(path.Dir(name), "aside/")
	return key, ok && strings.HasPrefix(path.Base(name), "kept.") && vfs.ValidKey(key)
}

// Drop removes what was kept, and nothing else.
func (d *Driver) Drop(ctx context.Context, name string) error {
	if _, aside := keptAside(name); !aside && !strings.HasPrefix(name, "kept.") || !fs.ValidPath(name) {
		return fmt.Errorf("it is not one that is kept: %w", fs.ErrInvalid)
	}
	s, err := d.write(ctx)
	if err != nil {
		return cause(err, "")
	}
	defer s.Close()
	unlock, err := s.lock(ctx)
	if err != nil {
		return cause(err, "")
	}
	defer unlock()
	return cause(s.discard(tempDir+"/"+name), "")
}
