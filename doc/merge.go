package doc

import (
	"bytes"
	"cmp"
	"slices"
)

// MergeOptions say what a merge cannot know by itself.
type MergeOptions struct {
	// Lists says how the lists of a document are merged; nil takes each as one
	// value. The path is that of the list: keys of mappings, and "[]" for an
	// item of a list above it.
	Lists func(path []string) List

	reading int // what takes the place of maxReach in tests; 0: nothing
}

// A List says how the items of a list belong together. The zero value is a list
// that is one value. A list that is not of its form, such as one that holds an
// item twice, is taken as one value too.
type List struct {
	Set  bool     // scalars, each there or not, in any order
	Keys []string // mappings told apart by the values of these keys, in any order
}

// Merged is what became of a merge.
type Merged struct {
	// Document holds the changes of both sides. Where they conflict it holds
	// ours.
	Document  *Document
	Conflicts []Conflict
}

// A Conflict is a place that both sides changed, and not in the same way.
type Conflict struct {
	// Path is written as people write it: spec.etcdClusters[name=main].version;
	// empty for the whole document.
	Path               string
	Base, Ours, Theirs Side
	// Line is the place in the merged document, from 1: of the key, or where
	// there is none, of the nearest parent.
	Line int

	at []step
	in *merge
}

// In finds the place of a conflict in another version of the document: what it
// holds there, and its line as in Line.
func (c Conflict) In(d *Document) (s Side, line int) {
	m := c.in
	if m == nil {
		m = &merge{}
	}
	path := m.indexes(plain(d.root), c.at)
	if len(path) == len(c.at) {
		s.Value, s.Present = d.Get(path...)
	}
	line, _ = d.Position(path...)
	return s, line
}

// Same reports whether two documents hold the same: numbers by their value,
// mappings in any order.
func (s Side) Same(t Side) bool { return s.Present == t.Present && same(s.Value, t.Value) }

// A Side is what a document holds at a place.
type Side struct {
	Value   any // plain Go values, as Document.Get returns them
	Present bool
}

// String is the value on one line, as YAML.
func (s Side) String() string {
	if !s.Present {
		return "(absent)"
	}
	w := writer{style: kops}
	w.flow(s.Value, 0)
	return w.String()
}

// Merge brings together what two sides made of a document: ours, such as what
// came back from an editor, and theirs, such as what was committed meanwhile.
//
// Values are merged by their meaning: a place that one side changed is as that
// side has it; one that both changed differently is a conflict. The order of
// keys, and of the items of lists that are sets or have keys, means nothing.
// Bytes are those of the two sides as far as possible, comments and order
// included, and are taken only if they mean what was merged. A comment that
// either side wrote is there in any case.
//
// The three documents stay as they are. It is an error where the values can be
// merged and no text can be found for them.
func Merge(base, ours, theirs *Document, opt MergeOptions) (*Merged, error) {
	m := &merge{lists: opt.Lists, reading: cmp.Or(opt.reading, maxReach)}
	whole := func(d *Document) Side { return Side{plain(d.root), true} }
	want := m.sides(nil, whole(base), whole(ours), whole(theirs))
	var d *Document
	switch {
	case bytes.Equal(ours.src, theirs.src), bytes.Equal(base.src, ours.src):
		d = theirs.copy()
	case bytes.Equal(base.src, theirs.src):
		d = ours.copy()
	default:
		var err error
		if d, err = m.text(base, ours, theirs, want.Value); err != nil {
			return nil, err
		}
	}
	d.line = theirs.line
	out := &Merged{Document: d}
	value := plain(d.root)
	m.known = map[*any]items{}
	for _, c := range m.conflicts {
		c.Line, _ = d.Position(m.indexes(value, c.at)...)
		out.Conflicts = append(out.Conflicts, c)
	}
	slices.SortStableFunc(out.Conflicts, func(a, b Conflict) int { return a.Line - b.Line })
	return out, nil
}

// copy is the document by itself: an edit of one does not change the other.
func (d *Document) copy() *Document {
	c := *d
	c.history = nil
	return &c
}
