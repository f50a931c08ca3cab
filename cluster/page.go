package cluster

import (
	"strconv"

	"github.com/stateroom/stateroom/doc"
)

// page is a document with the file it stands in, and as views are taken of it.
type page struct {
	file     string
	document *doc.Document
	view     *doc.Document // in v1alpha2; the document itself where it is that
}

func newPage(src Source) page {
	return page{file: src.File, document: src.Document, view: src.Document}
}

// position is where a field of the view stands in the file.
func (p page) position(path []string) (line, col int) { return p.document.Position(path...) }

// isText says whether a text stands at a path, or nothing: another value is
// told by the check of types.
func (p page) isText(path ...string) bool {
	value, ok := p.view.Get(path...)
	_, isText := value.(string)
	return !ok || isText
}

// without is a document without the values that problems speak of, which no
// view need be able to hold.
func without(d *doc.Document, problems []Problem) (*doc.Document, error) {
	value, _ := d.Get()
	for _, p := range problems {
		if steps, err := parsePath(p.Path); err == nil {
			drop(value, steps)
		}
	}
	return doc.New(value)
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
