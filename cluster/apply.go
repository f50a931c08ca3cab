package cluster

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stateroom/stateroom/doc"
)

// Apply changes the document, which is of that kind: whole, or not at all. The
// error is an *InvalidError with everything that is wrong with the patch.
func (p *Patch) Apply(kind string, d *doc.Document) error {
	if p.IsEmpty() {
		return nil
	}
	root := tableOf(kind, d)
	if root == nil {
		return Invalid([]Problem{{File: "--set", Message: fmt.Sprintf("a document of kind %q cannot be changed field by field", kind)}})
	}
	trial, err := copyOf(d)
	if err != nil {
		return err
	}
	if d.Order == nil {
		d.Order = Order(kind)
	}
	trial.Order = d.Order
	if err := Invalid(p.applyTo(kind, root, trial)); err != nil {
		return err
	}
	return Invalid(p.applyTo(kind, root, d))
}

// applyTo does line after line, and then removes the lists and maps of which
// nothing is left.
func (p *Patch) applyTo(kind string, root *Field, d *doc.Document) (problems []Problem) {
	var emptied []target
	for _, l := range p.lines {
		if !isLater(d) {
			l = l.in(kind)
		}
		at, wrong := l.apply(kind, root, d)
		problems = append(problems, wrong...)
		emptied = append(emptied, at...)
	}
	for _, t := range emptied {
		if size(d, t) == 0 {
			if err := d.Unset(t.path...); err != nil {
				problems = append(problems, Problem{File: "--unset", Path: doc.PathString(t.path), Message: err.Error()})
			}
		}
	}
	return problems
}

func copyOf(d *doc.Document) (*doc.Document, error) {
	docs, err := doc.Parse(d.Bytes())
	if err != nil {
		return nil, err
	}
	if len(docs) != 1 {
		return nil, Invalid([]Problem{{File: "--set", Message: fmt.Sprintf("one document can be changed at a time, this is %d", len(docs))}})
	}
	return docs[0], nil
}

// target is one place in one document, with its field.
type target struct {
	path    []string
	element []bool // which steps of path are indexes of lists
	field   *Field

	collection *target // the list or map that it is an element of, or nil
}

// apply does one line on every place its path means, and returns the lists and
// maps that it took something away from.
func (l line) apply(kind string, root *Field, d *doc.Document) (reduced []target, problems []Problem) {
	problem := func(err error, hint string) ([]target, []Problem) {
		return nil, []Problem{{File: l.flag(), Path: l.path, Message: err.Error(), Hint: hint}}
	}
	if l.kind != "" && l.kind != kind {
		return problem(fmt.Errorf("a field of %s, this is a document of kind %s", l.kind, kind), "")
	}
	if at, rest := root.find(l.steps); len(rest) > 0 {
		hint, err := unknownStep(kind, root, at, l.steps, rest)
		return problem(err, hint)
	}
	if fixed := joinSteps(l.steps); fixed == "apiVersion" || fixed == "kind" || fixed == "metadata" || fixed == "metadata.name" {
		return problem(fmt.Errorf("it cannot be changed"), "")
	}
	targets, err := resolve(d, target{field: root}, l.steps)
	if err != nil {
		return problem(err, "")
	}
	if l.op == opUnset {
		slices.Reverse(targets) // so that the indexes of those before stay
	}
	for _, t := range targets {
		if from, ok := l.reduces(t); ok && size(d, from) > 0 {
			reduced = append(reduced, from)
		}
		if err := l.change(d, t); err != nil {
			return problem(err, "")
		}
	}
	return reduced, nil
}

// reduces is the list or map that the line takes something away from.
func (l line) reduces(t target) (target, bool) {
	switch {
	case l.op == opRemove:
		return t, true
	case l.op == opUnset && t.collection != nil:
		return *t.collection, true
	}
	return target{}, false
}

// size is the number of elements of a list or map; -1 where there is none.
func size(d *doc.Document, t target) int {
	value, _ := d.Get(t.path...)
	switch v := value.(type) {
	case []any:
		return len(v)
	case map[string]any:
		return len(v)
	}
	return -1
}

// unknownStep says why a path leads nowhere, and where it may have meant to.
func unknownStep(kind string, root, at *Field, steps, rest []step) (hint string, err error) {
	switch {
	case at.Type == List && !rest[0].bracket:
		return "", fmt.Errorf("%s is a %s: say which element, [0], [*] or [name=x]", at.Path, at)
	case at.Type == Object && rest[0].bracket:
		return "", fmt.Errorf("%s is an object: its fields follow a dot", at.Path)
	case at.Type != Object:
		return "", fmt.Errorf("%s is %s, nothing can follow it", at.Path, wanted(at))
	}
	if path := joinSteps(steps); root == laterTables()[kind] && nowLater(kind, path) != "" {
		hint = "in " + LaterAPIVersion + " it is " + nowLater(kind, path)
	} else if other := ownerOf(kind, path); other != "" {
		hint = "it is a field of " + other
	} else if near := nearest(root, path); near != "" {
		hint = "did you mean " + near + "?"
	}
	return hint, fmt.Errorf("%s has no field %q", strings.TrimSpace(kind+" "+at.Path), shorten(rest[0].name))
}

// ownerOf says whose field a path is, where it is one of the other document's.
func ownerOf(kind, path string) string {
	other, whose := KindInstanceGroup, "instance groups"
	if kind == KindInstanceGroup {
		other, whose = KindCluster, "the cluster"
	}
	if _, ok := Explain(other, path); !ok || path == "" {
		return ""
	}
	return whose
}

// resolve turns the steps into places in the document: one, or, for [*] and
// [name=x], as many as there are.
func resolve(d *doc.Document, t target, steps []step) ([]target, error) {
	if len(steps) == 0 {
		return []target{t}, nil
	}
	switch t.field.Type {
	case Map:
		key, rest := mapKey(t.field, steps)
		if !cleanText(key) || key == "" {
			return nil, fmt.Errorf("%q is no key", shorten(key))
		}
		return resolve(d, t.below(key, t.field.Elem), rest)
	case List:
		indexes, err := elements(d, t, steps[0].name)
		if err != nil {
			return nil, err
		}
		var all []target
		for _, i := range indexes {
			found, err := resolve(d, t.at(i), steps[1:])
			if err != nil {
				return nil, err
			}
			all = append(all, found...)
		}
		return all, nil
	}
	return resolve(d, t.below(steps[0].name, t.field.child(steps[0].name)), steps[1:])
}

func (t target) below(name string, f *Field) target {
	below := target{
		path:    append(slices.Clone(t.path), name),
		element: append(slices.Clone(t.element), t.field.Type == List),
		field:   f,
	}
	if t.field.Elem != nil {
		below.collection = &t
	}
	return below
}

// elements are the indexes in the list at t that a selector means. An index may
// be the length of the list: the element that is not there yet.
func elements(d *doc.Document, t target, selector string) ([]int, error) {
	list, err := listAt(d, t)
	if err != nil {
		return nil, err
	}
	if selector == "*" {
		return indexes(list, func(any) bool { return true }), nil
	}
	if n, err := strconv.Atoi(selector); err == nil {
		if n < 0 || n > len(list) {
			return nil, fmt.Errorf("[%d]: the list has %d elements", n, len(list))
		}
		return []int{n}, nil
	}
	name, want, ok := strings.Cut(selector, "=")
	if !ok {
		return nil, fmt.Errorf("[%s]: say which element of the list, [0], [*] or [name=x]", shorten(selector))
	}
	if t.field.Elem.Type != Object || t.field.Elem.child(name) == nil {
		return nil, fmt.Errorf("[%s]: the elements have no field %q", shorten(selector), shorten(name))
	}
	found := indexes(list, func(e any) bool { return textOf(e, name) == want })
	if len(found) == 0 {
		return nil, fmt.Errorf("[%s]: no such element; there are %s", shorten(selector), namesIn(list, name))
	}
	return found, nil
}

func indexes(list []any, keep func(any) bool) []int {
	var found []int
	for i, e := range list {
		if keep(e) {
			found = append(found, i)
		}
	}
	return found
}

// textOf is the field of an element as text, "" where it has none.
func textOf(element any, name string) string {
	fields, _ := element.(map[string]any)
	if fields[name] == nil {
		return ""
	}
	return fmt.Sprint(fields[name])
}

func namesIn(list []any, name string) string {
	var names []string
	for _, e := range list {
		names = append(names, shorten(textOf(e, name)))
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// listAt is the list at t; absent or null is an empty one.
func listAt(d *doc.Document, t target) ([]any, error) {
	value, _ := d.Get(t.path...)
	list, ok := value.([]any)
	if !ok && value != nil {
		return nil, fmt.Errorf("%s is no list in the document", strings.Join(t.path, "."))
	}
	return list, nil
}
