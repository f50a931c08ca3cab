package doc

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// An edit remembers a Set that added a key, for the Unset that takes it back.
type edit struct {
	path    []string
	existed int      // how many elements of path were there before
	before  Document // without history
	after   []byte
}

const maxHistory = 16

// Set puts a value at a path. What is there already keeps its bytes: a value
// that is equal changes nothing, of a mapping or list only what differs is
// touched. Keys that are missing on the way are made, as mappings; a list takes
// a new item at the index behind its last. The value is nil, a string, a bool,
// a number, or a slice, array or map with string keys of such.
//
// Set refuses, and then changes nothing, what would change other places: a
// value whose anchor is used elsewhere. An alias on the way is written out in
// its place first; a merged key is set beside the merge.
func (d *Document) Set(value any, path ...string) error {
	v, err := normal(value)
	if err != nil {
		return d.fail("set", path, err)
	}
	before := *d
	if err := d.assign(slices.Clone(path), v); err != nil {
		*d = before
		return d.fail("set", path, err)
	}
	existed := 0
	for existed < len(path) {
		if _, ok := before.Get(path[:existed+1]...); !ok {
			break
		}
		existed++
	}
	if existed < len(path) && !bytes.Equal(before.src, d.src) {
		before.history = nil
		d.history = append(slices.Clone(d.history), edit{slices.Clone(path), existed, before, d.src})
		if n := len(d.history); n > maxHistory {
			d.history = d.history[n-maxHistory:]
		}
	}
	return nil
}

// Unset removes the key or list item at a path, with the comment lines directly
// above it and what is written behind or below it. What is not there is no
// error. A mapping or list that loses its last entry stays, as {} or [], since
// an empty one can mean something; one that Set has made on the way to the same
// path goes too: Set and then Unset of a key that was not there leave the bytes
// as they were.
func (d *Document) Unset(path ...string) error {
	if _, ok := d.Get(path...); !ok {
		return nil
	}
	if n := len(d.history); n > 0 {
		last := d.history[n-1]
		if slices.Equal(last.path, path) && bytes.Equal(last.after, d.src) {
			rest, order := d.history[:n-1], d.Order
			*d = last.before
			d.history, d.Order = rest, order
			return nil
		}
	}
	before := *d
	if err := d.drop(slices.Clone(path)); err != nil {
		*d = before
		return d.fail("unset", path, err)
	}
	return nil
}

// fail makes the error of an edit, with its place.
func (d *Document) fail(op string, path []string, err error) error {
	line, col := d.Position(path...)
	e := &Error{Line: line, Col: col, Path: PathString(path), Message: op + ": " + err.Error()}
	if one, ok := errors.AsType[*refused](err); ok {
		e.Advice = one.advice
	}
	return e
}

// refused is an edit that must not be made.
type refused struct{ text, advice string }

func (r *refused) Error() string { return r.text }

func refuse(advice, format string, args ...any) error {
	return &refused{fmt.Sprintf(format, args...), advice}
}

// assign makes the value at path v, by the smallest edits.
func (d *Document) assign(path []string, v any) error {
	cur, ok := d.Get(path...)
	if ok && same(cur, v) {
		return nil
	}
	if ok && d.direct(path) {
		switch cur := cur.(type) {
		case map[string]any:
			if v, ok := v.(map[string]any); ok && len(cur) > 0 && len(v) > 0 {
				return d.assignMap(path, cur, v)
			}
		case []any:
			if v, ok := v.([]any); ok && len(cur) > 0 && len(v) > 0 {
				return d.assignList(path, cur, v)
			}
		}
	}
	return d.write(path, v)
}

// assignMap sets the keys that differ and drops those that are gone; the new
// ones first, so that the mapping is never empty between.
func (d *Document) assignMap(path []string, cur, v map[string]any) error {
	for _, k := range keys(v) {
		if err := d.assign(append(path, k), v[k]); err != nil {
			return err
		}
	}
	for _, k := range keys(cur) {
		if _, stays := v[k]; !stays {
			if err := d.drop(append(path, k)); err != nil {
				return err
			}
		}
	}
	return nil
}

// direct reports whether a path leads through neither alias nor merge.
func (d *Document) direct(path []string) bool {
	n := d.root
	for _, p := range path {
		f, ok := child(n, p)
		if !ok || f.merged || n.Kind == yaml.AliasNode {
			return false
		}
		n = f.val
	}
	return n.Kind != yaml.AliasNode
}

// write puts a value at a path, in place of what is there or as something new.
func (d *Document) write(path []string, v any) error {
	n := d.root
	var parent *yaml.Node
	for i, p := range path {
		if n.Kind == yaml.AliasNode {
			whole, err := with(plain(n), path[i:], v)
			if err != nil {
				return err
			}
			return d.write(path[:i], whole)
		}
		f, ok := child(n, p)
		if !ok || f.merged {
			return d.add(path, i, n, f, v)
		}
		if err := d.guard(n, false); err != nil {
			return err
		}
		parent, n = n, f.val
	}
	if err := d.guard(n, true); err != nil {
		return err
	}
	want, err := with(plain(d.root), path, v)
	if err != nil {
		return err
	}
	if parent == nil {
		return d.try(path, want, n, func(l *layout, st style) ([][]splice, error) {
			return [][]splice{l.replaceRoot(n, v, st)}, nil
		})
	}
	return d.try(path, want, parent, func(l *layout, st style) ([][]splice, error) {
		e := l.entries[parent][l.index(parent, n)]
		return [][]splice{l.replace(parent, e, v, st)}, nil
	})
}

// add makes the missing element i of a path, in the node n that lacks it. f is
// what a merge gives for it, if one does.
func (d *Document) add(path []string, i int, n *yaml.Node, f field, v any) error {
	if err := d.guard(n, false); err != nil {
		return err
	}
	var below any
	if f.merged {
		below = plain(f.val)
	}
	value, err := with(below, path[i+1:], v)
	if err != nil {
		return err
	}
	switch {
	case n.Kind == yaml.ScalarNode && tagOf(n) == "!!null",
		n.Kind == yaml.MappingNode && len(n.Content) == 0 && !d.inFlow(path[:i]):
		return d.write(path[:i], map[string]any{path[i]: value})
	case n.Kind == yaml.ScalarNode:
		return refuse("", "%s holds %s, not a mapping", named(path[:i]), tagName(tagOf(n)))
	case n.Kind == yaml.SequenceNode:
		if path[i] != strconv.Itoa(len(n.Content)) {
			return refuse("", "%s is a list of %d items, it has no %q", named(path[:i]), len(n.Content), path[i])
		}
		return d.insertItem(path[:i], len(n.Content), value)
	}
	want, err := with(plain(d.root), path, v)
	if err != nil {
		return err
	}
	return d.try(path[:i+1], want, n, func(l *layout, st style) ([][]splice, error) {
		after := d.place(l, n, path[:i], path[i])
		return l.candidates(n, after, path[i], value, st)
	})
}

// candidates are the ways to add an entry: behind the one named, or else
// before it.
func (l *layout) candidates(n *yaml.Node, after int, key string, v any, st style) ([][]splice, error) {
	first, err := l.insert(n, after, key, v, st)
	if err != nil {
		return nil, err
	}
	all := [][]splice{first}
	if after >= 0 && n.Kind == yaml.MappingNode {
		if second, err := l.insert(n, after-1, key, v, st); err == nil {
			all = append(all, second)
		}
	}
	return all, nil
}

// place is the index of the entry behind which a new key goes.
func (d *Document) place(l *layout, n *yaml.Node, parent []string, key string) int {
	var names []string
	for _, e := range l.entries[n] {
		names = append(names, e.key.Value)
	}
	last := len(names) - 1
	if last < 0 {
		return -1
	}
	if d.Order != nil {
		after := d.Order(slices.Clone(parent), slices.Clone(names), key)
		if after == "" && names[0] != "" {
			return -1
		}
		if i := slices.Index(names, after); i >= 0 {
			return i
		}
		return last
	}
	if !slices.IsSortedFunc(names, compareKeys) {
		return last
	}
	i, _ := slices.BinarySearchFunc(names, key, compareKeys)
	return i - 1
}

// inFlow reports whether the node at a path is within brackets, or the document
// is JSON.
func (d *Document) inFlow(path []string) bool {
	if d.isJSON() {
		return true
	}
	n := d.root
	for _, p := range path {
		if n.Style&yaml.FlowStyle != 0 {
			return true
		}
		f, _ := child(n, p)
		n = f.val
	}
	return false
}

// drop removes what is at a path.
func (d *Document) drop(path []string) error {
	if len(path) == 0 {
		return refuse("", "a document cannot be removed from itself")
	}
	n := d.root
	var f field
	for i, p := range path {
		if n.Kind == yaml.AliasNode {
			whole, err := without(plain(n), path[i:])
			if err != nil {
				return err
			}
			return d.write(path[:i], whole)
		}
		if err := d.guard(n, false); err != nil {
			return err
		}
		f, _ = child(n, p)
		if f.merged {
			if i+1 < len(path) {
				whole, err := without(plain(f.val), path[i+1:])
				if err != nil {
					return err
				}
				return d.write(path[:i+1], whole)
			}
			return refuse("remove it where it is defined, or remove the merge", "%s comes in by a merge (<<) from line %d", named(path), f.key.Line+d.bodyLine())
		}
		if i < len(path)-1 {
			n = f.val
		}
	}
	if err := d.guard(f.val, true); err != nil {
		return err
	}
	if len(n.Content) == 1 || n.Kind == yaml.MappingNode && len(n.Content) == 2 {
		return d.empty(path[:len(path)-1], n)
	}
	want, err := without(plain(d.root), path)
	if err != nil {
		return err
	}
	return d.try(path, want, n, func(l *layout, st style) ([][]splice, error) {
		return [][]splice{l.remove(n, l.index(n, f.val))}, nil
	})
}

// empty takes the last entry from the collection at a path; the collection goes
// with it if Set has made it.
func (d *Document) empty(path []string, n *yaml.Node) error {
	for _, h := range d.history {
		if len(path) > h.existed && len(h.path) > len(path) && slices.Equal(h.path[:len(path)], path) {
			return d.drop(path)
		}
	}
	if n.Kind == yaml.SequenceNode {
		return d.write(path, []any{})
	}
	return d.write(path, map[string]any{})
}

// guard refuses to change a node that is used elsewhere: n itself, or, with
// below, anything in it.
func (d *Document) guard(n *yaml.Node, below bool) error {
	var uses map[*yaml.Node][]string
	var visit func(n *yaml.Node) error
	visit = func(n *yaml.Node) error {
		if n.Anchor != "" {
			if uses == nil {
				uses = d.aliasLines()
			}
			if lines := uses[n]; lines != nil {
				return refuse("write out the aliases first", "the value on line %d is used as *%s on line %s too", n.Line+d.bodyLine(), n.Anchor, strings.Join(lines, ", "))
			}
		}
		if !below {
			return nil
		}
		for _, c := range n.Content {
			if err := visit(c); err != nil {
				return err
			}
		}
		return nil
	}
	return visit(n)
}

// aliasLines names the lines on which nodes with an anchor are used.
func (d *Document) aliasLines() map[*yaml.Node][]string {
	lines := map[*yaml.Node][]string{}
	before := d.bodyLine()
	var visit func(at *yaml.Node)
	visit = func(at *yaml.Node) {
		if at.Kind == yaml.AliasNode {
			lines[at.Alias] = append(lines[at.Alias], strconv.Itoa(at.Line+before))
		}
		for _, c := range at.Content {
			visit(c)
		}
	}
	visit(d.root)
	return lines
}

// named is a path for people; the root's is "the document".
func named(path []string) string {
	if len(path) == 0 {
		return "the document"
	}
	return PathString(path)
}

// try makes an edit by the first of its candidates that reads as wanted, and
// where none does, by writing the smallest block around it anew. The edit is
// written in the style of what is near.
func (d *Document) try(path []string, want any, near *yaml.Node, candidates func(*layout, style) ([][]splice, error)) error {
	l, err := newLayout(d.src[d.body:d.bodyEnd], d.root)
	if err != nil {
		return err
	}
	st := d.style(l, near)
	blocks, err := candidates(l, st)
	st.quoted = true // a block of text cannot end a document that has no last line break
	quoted, _ := candidates(l, st)
	for i := range blocks {
		if err != nil {
			break
		}
		for _, splices := range [][]splice{blocks[i], quoted[i]} {
			if err := d.apply(splices, want); err == nil || errors.Is(err, errLarge) {
				return err
			}
		}
	}
	for i := len(path) - 1; i > 0; i-- {
		if d.rewrite(l, path[:i], want) == nil {
			return nil
		}
	}
	return refuse("edit the text by hand", "there is no way to write this that leaves the rest as it is")
}
