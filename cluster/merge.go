package cluster

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/stateroom/stateroom/doc"
)

// Conflict is a place of a document that two sides changed differently.
type Conflict = doc.Conflict

// MergeFile brings together what two sides made of a file of documents: ours,
// such as what came back from an editor, and theirs, such as what was committed
// meanwhile. Where conflicts are returned, the bytes hold ours in their places
// and are not to be committed.
//
// The kind says how lists are merged: Cluster and so on, or "" for a file whose
// documents are not known here. In a file of several documents they belong
// together by apiVersion, kind, namespace and name. The rules are in
// docs/formats/merge.md.
//
// It is an error when one of the texts cannot be read, or when no text can be
// found for what was merged.
func MergeFile(kind string, base, ours, theirs []byte) ([]byte, []Conflict, error) {
	switch {
	case bytes.Equal(ours, theirs), bytes.Equal(base, ours):
		return theirs, nil, nil
	case bytes.Equal(base, theirs):
		return ours, nil, nil
	}
	f := fileMerge{kind: kind}
	for _, side := range []struct {
		name string
		src  []byte
		into *[]*doc.Document
	}{{"what it was", base, &f.base}, {"what we changed", ours, &f.ours}, {"what they changed", theirs, &f.theirs}} {
		docs, err := doc.Parse(side.src)
		if err != nil {
			return nil, nil, fmt.Errorf("merge: read %s: %w", side.name, err)
		}
		for _, d := range docs {
			d.Order = Order(kind)
		}
		*side.into = docs
	}
	if err := f.run(); err != nil {
		return nil, nil, fmt.Errorf("merge: %w", err)
	}
	if kind == KindKeyset {
		conceal(f.conflicts)
	}
	return doc.Join(f.out), f.conflicts, nil
}

// conceal takes the values out of conflicts in documents that hold secrets.
func conceal(conflicts []Conflict) {
	for i := range conflicts {
		c := &conflicts[i]
		c.Base.Value, c.Ours.Value, c.Theirs.Value = "[secret]", "[secret]", "[secret]"
	}
}

// fileMerge is one merge of a file.
type fileMerge struct {
	kind               string
	base, ours, theirs []*doc.Document
	out                []*doc.Document
	conflicts          []Conflict
}

func (f *fileMerge) run() error {
	if len(f.base) == 1 && len(f.ours) == 1 && len(f.theirs) == 1 {
		return f.one(f.base[0], f.ours[0], f.theirs[0])
	}
	base, ok1 := identify(f.base)
	ours, ok2 := identify(f.ours)
	theirs, ok3 := identify(f.theirs)
	if !ok1 || !ok2 || !ok3 {
		f.out = f.ours
		f.conflicts = []Conflict{{Line: 1, Base: side(f.base...), Ours: side(f.ours...), Theirs: side(f.theirs...)}}
		return nil
	}
	for _, id := range inOrder(f.theirs, f.ours) {
		if err := f.document(id, base[id], ours[id], theirs[id]); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
	}
	return nil
}

// document merges one of several documents; nil where a side has none.
func (f *fileMerge) document(id string, base, ours, theirs *doc.Document) error {
	switch {
	case base != nil && ours != nil && theirs != nil:
		return f.one(base, ours, theirs)
	case ours == nil && base == nil, ours != nil && theirs != nil && bytes.Equal(ours.Bytes(), theirs.Bytes()):
		f.out = append(f.out, theirs)
	case theirs == nil && base == nil:
		f.out = append(f.out, ours)
	case theirs == nil && equal(base, ours), ours == nil && equal(base, theirs):
		// one side removed it, the other left it as it was
	default:
		c := Conflict{Path: id, Base: side(base), Ours: side(ours), Theirs: side(theirs), Line: 1 + f.lines()}
		f.conflicts = append(f.conflicts, c)
		if ours != nil {
			f.out = append(f.out, ours)
		}
	}
	return nil
}

func (f *fileMerge) one(base, ours, theirs *doc.Document) error {
	m, err := doc.Merge(base, ours, theirs, doc.MergeOptions{Lists: MergeLists(f.kind)})
	if err != nil {
		return err
	}
	f.out = append(f.out, m.Document)
	shift := 0
	if len(m.Conflicts) > 0 && len(f.base)+len(f.ours)+len(f.theirs) > 3 {
		shift = f.shift(m.Document)
	}
	for _, c := range m.Conflicts {
		c.Line += shift
		f.conflicts = append(f.conflicts, c)
	}
	return nil
}

// shift is how many lines further down the last of the merged documents stands
// than in the file that it was read from, in which its lines are counted.
func (f *fileMerge) shift(last *doc.Document) int {
	line, _ := last.Position()
	before := f.lines() - bytes.Count(last.Bytes(), []byte("\n"))
	first := 1
	if docs, err := doc.Parse(last.Bytes()); err == nil && len(docs) == 1 {
		first, _ = docs[0].Position()
	}
	return before + first - line
}

// lines is how many lines there are so far.
func (f *fileMerge) lines() int { return bytes.Count(doc.Join(f.out), []byte("\n")) }

// identity is what tells a document from the others of its file.
func identity(d *doc.Document) string {
	var parts []string
	for _, path := range [][]string{{"apiVersion"}, {"kind"}, {"metadata", "namespace"}, {"metadata", "name"}} {
		if v, ok := d.Get(path...); ok {
			parts = append(parts, fmt.Sprint(v))
		}
	}
	return strings.Join(parts, " ")
}

func identify(docs []*doc.Document) (map[string]*doc.Document, bool) {
	all := map[string]*doc.Document{}
	for _, d := range docs {
		all[identity(d)] = d
	}
	return all, len(all) == len(docs)
}

func inOrder(lists ...[]*doc.Document) []string {
	var ids []string
	for _, docs := range lists {
		for _, d := range docs {
			if id := identity(d); !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// equal reports whether the texts of two documents are the same, the lines that
// part them from others aside.
func equal(a, b *doc.Document) bool {
	text := func(d *doc.Document) string {
		return strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(string(d.Bytes())), "---"))
	}
	return text(a) == text(b)
}

// side is what documents hold.
func side(docs ...*doc.Document) doc.Side {
	var all []any
	for _, d := range docs {
		if d != nil {
			v, _ := d.Get()
			all = append(all, v)
		}
	}
	switch len(all) {
	case 0:
		return doc.Side{}
	case 1:
		return doc.Side{Value: all[0], Present: true}
	}
	return doc.Side{Value: all, Present: true}
}
