package store

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// Tx is a change in the making: the newest snapshot with what was written on
// top. Nothing is sent before the function that got it has returned. It is for
// one goroutine; only ReadFile and FS may be called from several.
type Tx struct {
	*Snapshot // what the change is made on
	number    int
	lineage   string
	ended     bool // another tool deleted the cluster
	writes    map[string]content
	objects   map[string][]byte
	released  bool
	again     string // a file to be committed though it stays the same
	err       error  // the first bad name
}

// Number returns the number that the commit will have.
func (tx *Tx) Number() int { return tx.number }

// LineageID returns the id of the cluster's life, before its first commit too.
func (tx *Tx) LineageID() string { return tx.lineage }

// WriteFile sets the bytes of a file. A name that cannot be (see [CheckName]),
// or that is not tracked, fails the update.
func (tx *Tx) WriteFile(name string, b []byte) {
	if tx.allowed(name) {
		tx.writes[name] = content{true, bytes.Clone(b)}
	}
}

// Remove deletes a file; one that is not there stays so.
func (tx *Tx) Remove(name string) {
	if tx.allowed(name) {
		tx.writes[name] = content{}
	}
}

func (tx *Tx) allowed(name string) bool {
	err := CheckName(name)
	if err == nil && !hidden(name) && !tx.h.s.opt.Track(name) {
		err = fmt.Errorf("name %s is not one that a store keeps: %w", quote(name), fs.ErrInvalid)
	}
	if err != nil && tx.err == nil {
		tx.err = err
	}
	return err == nil
}

// ReadFile returns the bytes of a file as they will be.
func (tx *Tx) ReadFile(ctx context.Context, name string) ([]byte, error) {
	if c, ok := tx.writes[name]; ok && c.exists {
		return bytes.Clone(c.bytes), nil
	} else if ok {
		return nil, &NoFileError{tx.h.name, tx.number, name}
	}
	return tx.Snapshot.ReadFile(ctx, name)
}

// Names returns the names of the plain files as they will be, sorted.
func (tx *Tx) Names() []string {
	names := map[string]bool{}
	for _, name := range tx.Snapshot.Names() {
		names[name] = true
	}
	for name, c := range tx.writes {
		names[name] = c.exists && !hidden(name)
	}
	maps.DeleteFunc(names, func(_ string, there bool) bool { return !there })
	return slices.Sorted(maps.Keys(names))
}

// FS returns the files as they will be; see [Snapshot.FS].
func (tx *Tx) FS(ctx context.Context, patterns ...string) (fs.FS, error) {
	return fileSystem(ctx, chosen(tx.Names(), patterns), tx.ReadFile)
}

// Stage adds an immutable object at .stateroom/{cluster}/NAME, which is put
// before the commit: it is there when the commit can be seen, and may be there
// without it.
func (tx *Tx) Stage(name string, b []byte) {
	folder, _, _ := strings.Cut(name, "/")
	reserved := slices.Contains([]string{"log", headName, "release", "keys", "lease", "drafts", "nodes", "void"}, folder)
	if err := CheckName(name); err != nil || reserved || strings.HasSuffix(name, "/"+configFile) {
		if tx.err == nil {
			tx.err = fmt.Errorf("stage %s: %w", quote(name), fs.ErrInvalid)
		}
		return
	}
	tx.objects[name] = bytes.Clone(b)
}

// Release sets what the nodes follow. It travels in the commit, as the file
// .stateroom/release, and is put at .stateroom/{cluster}/release after it.
func (tx *Tx) Release(b []byte) {
	tx.writes[releaseFile] = content{true, bytes.Clone(b)}
	tx.released = true
}

// changes returns what was written that is not so already, sorted.
func (tx *Tx) changes(ctx context.Context) (part, error) {
	var p part
	for name, c := range tx.writes {
		f, was := tx.c.Files[name]
		if !c.exists {
			if was {
				p.Deletes = append(p.Deletes, name)
			}
			continue
		}
		same := false
		if was && f.Size == int64(len(c.bytes)) {
			var err error
			s := &sight{name: name, content: c}
			if same, err = tx.h.is(ctx, s, f.Digest, f.Record); err != nil {
				return p, err
			}
		}
		if !same || name == tx.again {
			p.Writes = append(p.Writes, write{name, c.bytes})
		}
	}
	p.sort()
	return p, nil
}
