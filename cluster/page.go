package cluster

import (
	"strconv"

	"github.com/stateroom/stateroom/doc"
)

// page is a document with the file it stands in, and as views are taken of it.
type page struct {
	kind     string
	file     string
	document *doc.Document
	view     *doc.Document // in v1alpha2; the document itself where it is that
}

func newPage(kind string, src Source) (page, error) {
	p := page{kind: kind, file: src.File, document: src.Document, view: src.Document}
	if !isLater(src.Document) {
		return p, nil
	}
	var err error
	p.view, err = earlier(kind, src.Document)
	return p, err
}

// position is where a field of the view stands in the file.
func (p page) position(path []string) (line, col int) {
	if p.view != p.document {
		path = laterPosition(p.kind, path)
	}
	return p.document.Position(path...)
}

// path is how messages name a field of the view.
func (p page) path(path []string) string {
	if p.view != p.document {
		path = laterPosition(p.kind, path)
	}
	return doc.PathString(path)
}

// isText says whether a text stands at a path, or nothing: another value is
// told by the check of types.
func (p page) isText(path ...string) bool {
	value, ok := p.view.Get(path...)
	_, isText := value.(string)
	return !ok || isText
}

// without is a document without the values that problems speak of, which no
// view need be able to hold.
func without(p page, problems []Problem) (*doc.Document, error) {
	value, _ := p.document.Get()
	for _, problem := range problems {
		if steps, err := parsePath(problem.Path); err == nil {
			drop(value, steps)
		}
	}
	rest, err := doc.New(value)
	if err != nil || p.view == p.document {
		return rest, err
	}
	return earlier(p.kind, rest)
}

// drop takes away what stands at steps; an element of a list becomes nil, so
// that those behind it keep their places.
func drop(value any, steps []step) {
	for i, s := range steps {
		last := i == len(steps)-1
		switch v := value.(type) {
		case map[string]any:
			if value = v[s.name]; last {
				delete(v, s.name)
			}
		case []any:
			n, err := strconv.Atoi(s.name)
			if err != nil || n < 0 || n >= len(v) {
				return
			}
			if value = v[n]; last {
				v[n] = nil
			}
		default:
			return
		}
	}
}
