package cluster

import (
	"fmt"

	"github.com/stateroom/stateroom/doc"
)

// Place is where a path leads in a document.
type Place struct {
	Path  []string // as Document.Get takes it
	Field Field
}

// Locate finds where a path leads in a document of a kind: one place, or for
// [*] and [name=x] as many as there are. The path is as --set takes it; see
// docs/formats/cluster-documents.md. A place need not be set. A path that leads
// nowhere is an *InvalidError.
func Locate(kind, path string, d *doc.Document) ([]Place, error) {
	wrong := func(err error, hint string) ([]Place, error) {
		return nil, Invalid([]Problem{{File: kind, Path: path, Message: err.Error(), Hint: hint}})
	}
	l, err := newLine(path, opUnset, "")
	if err != nil {
		return wrong(err, "")
	}
	if !isLater(d) {
		l = l.in(kind)
	}
	root := tableOf(kind, d)
	if root == nil {
		return wrong(fmt.Errorf("there is no kind %q", kind), "")
	}
	if at, rest := root.find(l.steps); len(rest) > 0 {
		hint, err := unknownStep(kind, root, at, l.steps, rest)
		return wrong(err, hint)
	}
	targets, err := resolve(d, target{field: root}, l.steps)
	if err != nil {
		return wrong(err, "")
	}
	places := make([]Place, len(targets))
	for i, t := range targets {
		places[i] = Place{Path: t.path, Field: *t.field}
	}
	return places, nil
}
