package cluster

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/stateroom/stateroom/doc"
)

// maxProblems bounds what is said about one document.
const maxProblems = 100

// Check holds one document, of any of the kinds, against the table of fields:
// syntax, keys given twice, API version and kind, unknown fields, types. It
// returns the kind it found, "" where there is none, and all problems with
// their places in the file.
func Check(file string, src []byte) (kind string, problems []Problem) {
	docs, problems := parse(file, src)
	switch {
	case len(docs) == 1:
		kind, more := CheckDocument(file, docs[0])
		problems = append(problems, more...)
		slices.SortStableFunc(problems, byPlace)
		return kind, problems
	case len(docs) == 0 && len(problems) > 0:
		return "", problems
	case len(docs) == 0:
		return "", []Problem{{File: file, Line: 1, Col: 1, Message: "the file is empty"}}
	}
	line, col := docs[1].Position()
	return "", append(problems, Problem{File: file, Line: line, Col: col, Message: fmt.Sprintf("a second document; this file holds one, here are %d", len(docs))})
}

// Parse reads the documents of a text, and what is wrong with its syntax. There
// are documents beside problems only where those are keys given twice. The
// elements of a list in JSON are documents, too.
func Parse(file string, src []byte) ([]*doc.Document, []Problem) {
	return parse(file, unlist(src))
}

func parse(file string, src []byte) ([]*doc.Document, []Problem) {
	docs, err := doc.Parse(src)
	if err != nil {
		return docs, parseProblems(file, err)
	}
	return docs, nil
}

// parseProblems are those that doc found.
func parseProblems(file string, err error) []Problem {
	var errs doc.Errors
	if !errors.As(err, &errs) {
		return []Problem{{File: file, Message: err.Error()}}
	}
	problems := make([]Problem, len(errs))
	for i, e := range errs {
		problems[i] = Problem{File: file, Line: e.Line, Col: e.Col, Path: e.Path, Message: e.Message, Hint: e.Hint()}
	}
	return problems
}

// CheckDocument is Check for a document that is parsed already, perhaps one of
// several in its file.
func CheckDocument(file string, d *doc.Document) (kind string, problems []Problem) {
	c := &check{file: file, doc: d}
	kind, root := c.head()
	if root != nil {
		c.kind, c.root, c.fields = kind, root, []*Field{root}
		_ = d.Walk(c.node) // ends early only by errEnough
	}
	return kind, c.problems
}

type check struct {
	file     string
	doc      *doc.Document
	kind     string
	root     *Field
	fields   []*Field // of the path that is walked, root first
	problems []Problem
}

var errEnough = errors.New("enough problems")

// head reads kind and API version; no field means that nothing can be said
// about the rest.
func (c *check) head() (string, *Field) {
	text := func(key string) string {
		value, _ := c.doc.Get(key)
		s, _ := value.(string)
		return s
	}
	kind, version := text("kind"), text("apiVersion")
	root := tableOf(kind, c.doc)
	switch {
	case version == "":
		c.add("apiVersion", "say apiVersion: "+APIVersion, "it has no apiVersion")
	case version != APIVersion && version != "kops/v1alpha2" && !isLater(c.doc):
		c.add("apiVersion", "this reads "+APIVersion, "%q is not known", shorten(version))
	}
	switch {
	case kind == "":
		c.add("kind", "kinds are "+strings.Join(Kinds(), ", "), "it has no kind")
	case root == nil:
		c.add("kind", "kinds are "+strings.Join(Kinds(), ", "), "%q is not known", shorten(kind))
	}
	if len(c.problems) > 0 {
		return kind, nil
	}
	return kind, root
}

func (c *check) add(key, hint, format string, args ...any) {
	line, col := c.doc.Position(key)
	c.problems = append(c.problems, Problem{File: c.file, Line: line, Col: col, Path: key, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// node checks one value; parents come before their children.
func (c *check) node(path []string, n doc.Node) error {
	if len(path) == 0 {
		return nil // head has read fields of it: it is a mapping
	}
	parent := c.fields[len(path)-1]
	name := path[len(path)-1]
	f := parent.Elem
	if parent.Type == Object {
		f = parent.child(name)
	}
	if f == nil {
		c.found(path, n.Line, n.Col, c.nearest(parent, path), "unknown field %q", shorten(name))
		return c.rest(doc.Skip)
	}
	c.fields = append(c.fields[:len(path)], f)
	if f.Type == Any || n.Kind == doc.Scalar && n.Tag == "!!null" {
		return doc.Skip
	}
	if hint, ok := c.fits(f, path, n); !ok {
		c.found(path, n.ValueLine, n.ValueCol, hint, "expected %s, found %s", wanted(f), c.describe(n))
		return c.rest(doc.Skip)
	}
	if n.Kind == doc.Scalar {
		return c.accepts(f, path, n)
	}
	return nil
}

// accepts holds a value of the right type against the field's enumeration and
// format.
func (c *check) accepts(f *Field, path []string, n doc.Node) error {
	hint, err := f.accepts(n.Text)
	switch {
	case n.Tag != "!!str" || err == nil:
		return nil
	case c.kind == KindKeyset:
		c.found(path, n.ValueLine, n.ValueCol, "", "another value than %s", strings.Join(f.Enum, ", "))
	default:
		c.found(path, n.ValueLine, n.ValueCol, hint, "%s", err)
	}
	return c.rest(nil)
}

func (c *check) found(path []string, line, col int, hint, format string, args ...any) {
	c.problems = append(c.problems, Problem{
		File: c.file, Line: line, Col: col, Path: doc.PathString(path),
		Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

func (c *check) rest(next error) error {
	if len(c.problems) >= maxProblems {
		return errEnough
	}
	return next
}

func (c *check) nearest(parent *Field, path []string) string {
	name := path[len(path)-1]
	if isLater(c.doc) {
		if later := nowLater(c.kind, doc.PathString(path)); later != "" {
			return "in " + LaterAPIVersion + " it is " + later
		}
	}
	best := ""
	if near := nearestName(parent.fields, name); near != "" {
		best = doc.PathString(append(slices.Clone(path[:len(path)-1]), near))
	} else {
		best = elsewhere(c.root, parent, name, strings.Join(path, "."))
	}
	if best == "" {
		return ""
	}
	return "did you mean " + best + "?"
}

// fits says whether a value has the type of its field, and if not, perhaps what
// to do.
func (c *check) fits(f *Field, path []string, n doc.Node) (hint string, ok bool) {
	switch f.Type {
	case Object, Map:
		return "", n.Kind == doc.Mapping
	case List:
		return "", n.Kind == doc.Sequence
	}
	if n.Kind != doc.Scalar {
		return "", false
	}
	if !slices.Contains(tagsOf[f.Type], n.Tag) {
		if slices.Contains(tagsOf[f.Type], "!!str") && !n.Quoted {
			return "put it in quotes", false
		}
		return "", false
	}
	if n.Tag == "!!str" {
		return "", textFits(f.Type, n.Text)
	}
	if f.Type == Int {
		value, _ := c.doc.Get(path...)
		i, ok := value.(int)
		return "", ok && f.min <= int64(i) && int64(i) <= f.max
	}
	if n.Tag == "!!float" {
		value, _ := c.doc.Get(path...)
		x, ok := value.(float64)
		return "", ok && !math.IsInf(x, 0) && !math.IsNaN(x)
	}
	return "", true
}

// tagsOf says as what YAML reads the values of each type.
var tagsOf = map[Type][]string{
	String:      {"!!str"},
	Bool:        {"!!bool"},
	Int:         {"!!int"},
	Number:      {"!!int", "!!float"},
	Quantity:    {"!!str", "!!int", "!!float"},
	IntOrString: {"!!str", "!!int"},
	Duration:    {"!!str"},
	Time:        {"!!str"},
}

// describe names what stands in a document, as it stands in messages. Nothing of a
// keyset is repeated: it may be a key.
func (c *check) describe(n doc.Node) string {
	switch {
	case n.Kind == doc.Scalar && c.kind == KindKeyset:
		return "another value"
	case n.Kind == doc.Mapping:
		return "a mapping"
	case n.Kind == doc.Sequence:
		return "a list"
	case n.Tag == "!!bool":
		return fmt.Sprintf("the boolean %s", n.Text)
	case n.Tag == "!!int" || n.Tag == "!!float":
		return fmt.Sprintf("the number %s", shorten(n.Text))
	case n.Tag == "!!str":
		return fmt.Sprintf("%q", shorten(n.Text))
	}
	return "a value of type " + shorten(n.Tag)
}
