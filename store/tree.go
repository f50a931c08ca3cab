package store

import (
	"bytes"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// tree is an fs.FS of files in memory.
type tree struct {
	files map[string][]byte
	dirs  map[string][]fs.DirEntry // sorted
}

// newTree returns the file system of these files. The names are sorted.
func newTree(names []string, contents [][]byte) *tree {
	t := &tree{map[string][]byte{}, map[string][]fs.DirEntry{".": nil}}
	for i, name := range names {
		t.files[name] = contents[i]
		t.enter(name, node{path.Base(name), int64(len(contents[i])), 0o400})
	}
	for _, entries := range t.dirs {
		slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	}
	return t
}

func (t *tree) enter(name string, n node) {
	dir := path.Dir(name)
	if _, ok := t.dirs[dir]; !ok {
		t.dirs[dir] = nil
		t.enter(dir, node{path.Base(dir), 0, fs.ModeDir | 0o500})
	}
	t.dirs[dir] = append(t.dirs[dir], n)
}

// Open opens a file or directory.
func (t *tree) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if b, ok := t.files[name]; ok {
		return &openFile{node{path.Base(name), int64(len(b)), 0o400}, bytes.NewReader(b)}, nil
	}
	if entries, ok := t.dirs[name]; ok {
		return &openDir{node{path.Base(name), 0, fs.ModeDir | 0o500}, name, entries}, nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// ReadFile returns a copy of a file's bytes.
func (t *tree) ReadFile(name string) ([]byte, error) {
	if b, ok := t.files[name]; ok {
		return slices.Clone(b), nil
	}
	err := fs.ErrNotExist
	if _, ok := t.dirs[name]; ok || !fs.ValidPath(name) {
		err = fs.ErrInvalid
	}
	return nil, &fs.PathError{Op: "read", Path: name, Err: err}
}

// node is a file or directory: its own DirEntry and FileInfo.
type node struct {
	name string
	size int64
	mode fs.FileMode
}

func (n node) Name() string               { return n.name }
func (n node) Size() int64                { return n.size }
func (n node) Mode() fs.FileMode          { return n.mode }
func (n node) Type() fs.FileMode          { return n.mode.Type() }
func (n node) ModTime() time.Time         { return time.Time{} }
func (n node) IsDir() bool                { return n.mode.IsDir() }
func (n node) Sys() any                   { return nil }
func (n node) Info() (fs.FileInfo, error) { return n, nil }
func (n node) String() string             { return fs.FormatDirEntry(n) }

type openFile struct {
	node
	*bytes.Reader
}

func (f *openFile) Size() int64                { return f.size }
func (f *openFile) Stat() (fs.FileInfo, error) { return f.node, nil }
func (f *openFile) Close() error               { return nil }

type openDir struct {
	node
	path string
	rest []fs.DirEntry
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.node, nil }
func (d *openDir) Close() error               { return nil }

func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.path, Err: fs.ErrInvalid}
}

func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(d.rest)
	} else if len(d.rest) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.rest))
	list := slices.Clone(d.rest[:n])
	d.rest = d.rest[n:]
	return list, nil
}
