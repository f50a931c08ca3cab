package doc

import (
	"errors"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Get is the value at a path as plain Go values: string, int (uint64 beyond
// it), float64, bool, nil, []any and map[string]any. The elements of a path are
// the keys of mappings and the decimal indexes of lists. Aliases and merged
// keys are followed.
func (d *Document) Get(path ...string) (value any, ok bool) {
	n := d.root
	for _, p := range path {
		f, ok := child(n, p)
		if !ok {
			return nil, false
		}
		n = f.val
	}
	return plain(n), true
}

// child is the field or item of a node that an element of a path names.
func child(n *yaml.Node, p string) (field, bool) {
	switch n = target(n); n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if k := n.Content[i]; k.Value == p && !isMerge(k) {
				return field{key: k, val: n.Content[i+1]}, true
			}
		}
		for _, f := range fields(n) {
			if f.key.Value == p {
				return f, true
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(p); err == nil && isIndex(p) && i < len(n.Content) {
			return field{val: n.Content[i]}, true
		}
	}
	return field{}, false
}

// Position is the line and column of the key at a path, or of the item of a
// list; where there is none, of the nearest parent there is. Lines count from 1
// in the file that was parsed; edits of this document count, of others not.
func (d *Document) Position(path ...string) (line, col int) {
	n, at := d.root, d.root
	for _, p := range path {
		f, ok := child(n, p)
		if !ok {
			break
		}
		n, at = f.val, f.at()
	}
	return at.Line + d.bodyLine(), at.Column
}

// at is the node that stands for a field in messages.
func (f field) at() *yaml.Node {
	if f.key != nil {
		return f.key
	}
	return f.val
}

// A Kind says what a node holds.
type Kind int

// The kinds of nodes.
const (
	Scalar Kind = iota
	Sequence
	Mapping
)

func (k Kind) String() string { return [...]string{"scalar", "sequence", "mapping"}[k] }

// A Node is one value of a document as Walk shows it.
type Node struct {
	Kind Kind
	// Line and Col are the place of the key, or of the item of a list, from
	// 1, in the parsed file.
	Line, Col int
	// ValueLine and ValueCol are the place of the value; of an alias, of the
	// "*".
	ValueLine, ValueCol int
	// Tag is the type of a scalar as kops reads it: !!str, !!int, !!float,
	// !!bool, !!null, or one of its own.
	Tag string
	// Text is the text of a scalar without quotes.
	Text string
	// Quoted says that a scalar stands in quotes or as a block of text.
	Quoted bool
	// Len is the number of items of a list or keys of a mapping.
	Len int
}

// Skip is what the function given to Walk returns to leave out what is below the
// node. It is no error, as fs.SkipDir is none.
var Skip = errors.New("skip") //nolint:staticcheck // ST1012 wants ErrSkip

// Walk calls f for every value of the document, parents before their children,
// in the order of the text; the root has an empty path. Aliases are followed,
// and merged keys come after a mapping's own. An error other than Skip ends the
// walk and is returned. f must not keep path.
func (d *Document) Walk(f func(path []string, n Node) error) error {
	before := d.bodyLine()
	var walk func(at, n *yaml.Node, path []string) error
	walk = func(at, n *yaml.Node, path []string) error {
		t := target(n)
		node := Node{Line: at.Line + before, Col: at.Column, ValueLine: n.Line + before, ValueCol: n.Column}
		switch t.Kind {
		case yaml.SequenceNode:
			node.Kind, node.Len = Sequence, len(t.Content)
		case yaml.MappingNode:
			node.Kind, node.Len = Mapping, len(fields(t))
		default:
			node.Tag, node.Text, node.Quoted = tagOf(t), t.Value, t.Style&quotedStyles != 0
		}
		if err := f(path, node); errors.Is(err, Skip) {
			return nil
		} else if err != nil {
			return err
		}
		switch node.Kind {
		case Sequence:
			for i, item := range t.Content {
				if err := walk(item, item, append(path, strconv.Itoa(i))); err != nil {
					return err
				}
			}
		case Mapping:
			for _, fl := range fields(t) {
				if err := walk(fl.key, fl.val, append(path, fl.key.Value)); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return walk(d.root, d.root, nil)
}
