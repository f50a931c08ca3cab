package stateroom

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/doc"
	"github.com/stateroom/stateroom/store"
)

// Reason says why a field has the value that it has.
type Reason struct {
	File     string
	Path     string        // in the document
	Set      bool          // the document has it; else what counts is the default
	Value    any           // plain Go values; a secret is not shown
	Line     int           // of the file; 0 where it is not set
	Default  string        // what holds where it is absent, in words; empty: nothing is known
	Doc      string        // what the field does
	Commit   *store.Commit // with which its line came; nil: not set, or not known
	Managers []string      // whose files list it with this value
}

// Why says of each place that a path leads to in a document of a cluster (of the
// instance group, where that is not empty) what it holds and where that is
// from. The path is as --set takes it.
func (s *Store) Why(ctx context.Context, name cluster.Name, group, path string) ([]Reason, error) {
	file, kind := Edit{Group: group}.file()
	head, err := s.headOf(ctx, name, file)
	if err != nil {
		return nil, err
	}
	b, err := readBefore(ctx, head, file)
	if err != nil {
		return nil, err
	}
	if b == nil && group != "" {
		return nil, missingGroup(head.Names(), name, group)
	}
	docs, err := doc.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	if len(docs) != 1 {
		return nil, fmt.Errorf("%s holds %d documents: %w", file, len(docs), fs.ErrInvalid)
	}
	places, err := cluster.Locate(kind, path, docs[0])
	if err != nil {
		return nil, err
	}
	blamed, err := s.Blame(ctx, name, file)
	if err != nil {
		return nil, err
	}
	var all []Reason
	for _, p := range places {
		r := Reason{File: file, Path: doc.PathString(p.Path), Default: p.Field.Default, Doc: p.Field.Doc}
		if r.Value, r.Set = docs[0].Get(p.Path...); r.Set {
			r.Line, _ = docs[0].Position(p.Path...)
			if r.Line >= 1 && r.Line <= len(blamed) {
				r.Commit = blamed[r.Line-1].Commit
			}
			r.Managers = listing(ctx, head, file, p, r.Value)
		}
		all = append(all, r)
	}
	return all, nil
}

// listing are the managers whose files list a place with its value.
func listing(ctx context.Context, head *store.Snapshot, file string, p cluster.Place, value any) []string {
	var all []string
	for _, manager := range managersOf(head, file) {
		d := documentOf(ctx, head, appliedDir+manager+"/"+file)
		if d == nil {
			continue
		}
		if v, ok := d.Get(p.Path...); ok && fmt.Sprint(v) == fmt.Sprint(value) {
			all = append(all, manager)
		}
	}
	return all
}
