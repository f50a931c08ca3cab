// Package doc edits YAML and JSON documents in place: what is not edited keeps
// its bytes, comments, order, quoting, indentation and blank lines included.
//
// It knows no schema and does no input or output. A Document is the text with
// its tree of nodes; Parse makes them from a file, Set and Unset edit, Bytes is
// the text, Join the file again:
//
//	docs, err := doc.Parse(file)
//	err = docs[0].Set(801, "spec", "kubeAPIServer", "maxRequestsInflight")
//	file = doc.Join(docs)
//
// An edit finds the place of a node in the text, puts new bytes there, reads
// the result again and compares it with the tree that was wanted. Only what
// compares equal is accepted; else the document stays as it was.
//
// Values are read as kops reads them: y, n, yes, no, on and off without quotes
// are booleans (YAML 1.1), dates are texts.
package doc

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Document is one YAML or JSON document and its text. The zero value is of no
// use; Parse and New make documents. It is not for concurrent use.
type Document struct {
	// Order places new keys; nil places them by the alphabet where the keys
	// beside them stand by the alphabet, and at the end elsewhere.
	Order Order

	src           []byte // the text, with what surrounds the document
	body, bodyEnd int    // the document in it
	line          int    // lines of the file before src
	root          *yaml.Node

	original []byte // src as it was parsed
	changed  []Span // how src differs from it
	history  []edit // keys added by Set, for Unset
	left     *int   // how many more trials edits may make; nil: any number
}

// An Order says after which of the keys of the mapping at parent a new key
// goes; "" is before all of them. An answer that is none of keys is taken for
// the last.
type Order func(parent, keys []string, key string) (after string)

// New is a document that holds a value, written as Format writes it.
func New(v any) (*Document, error) {
	src, err := encode(v)
	if err != nil {
		return nil, err
	}
	docs, err := Parse(src)
	if err != nil {
		return nil, err
	}
	if len(docs) != 1 {
		return nil, fmt.Errorf("a value that fills %d documents", len(docs))
	}
	return docs[0], nil
}

// Bytes is the text of the document: as long as its meaning is not changed,
// the very bytes it was parsed from, what stands before it and after it up to
// the next document included.
func (d *Document) Bytes() []byte { return bytes.Clone(d.src) }

// Decode reads the document into v as yaml.Unmarshal does: mapping keys go to
// fields by their yaml tags, unknown ones are passed over. Values of a wrong
// type are told all at once as Errors, each at its line; the fields that fit
// are set all the same.
func (d *Document) Decode(v any) (err error) {
	if rv := reflect.ValueOf(v); rv.Kind() != reflect.Pointer || rv.IsNil() {
		panic("doc: Decode needs a pointer")
	}
	defer func() {
		if p := recover(); p != nil {
			err = Errors{{Message: fmt.Sprint(p)}}
		}
	}()
	err = d.root.Decode(v)
	if err == nil {
		return nil
	}
	texts := []string{err.Error()}
	if te, ok := errors.AsType[*yaml.TypeError](err); ok {
		texts = te.Errors
	}
	var errs Errors
	for _, text := range texts {
		errs = append(errs, d.decodeError(text))
	}
	return errs
}

var (
	typeText = regexp.MustCompile(`(?s)^(?:yaml: )?line (\d+): (.*)$`)
	fitText  = regexp.MustCompile(`(?s)^cannot unmarshal (!!?[a-z]*).* into (\S+)$`)
)

// decodeError says in our words what the library says about a line, and without
// the value, which may be a secret. Its place is that of the last scalar of the
// line, which is the value.
func (d *Document) decodeError(text string) *Error {
	m := typeText.FindStringSubmatch(text)
	if m == nil {
		return &Error{Message: text}
	}
	e := &Error{Message: m[2]}
	if fit := fitText.FindStringSubmatch(m[2]); fit != nil {
		e.Message = fmt.Sprintf("%s, where %s is expected", tagName(fit[1]), typeName(fit[2]))
	}
	line, _ := strconv.Atoi(m[1])
	e.Line = d.bodyLine() + line
	_ = d.Walk(func(path []string, n Node) error {
		if n.ValueLine == e.Line && (e.Col == 0 || n.Kind == Scalar) {
			e.Col, e.Path = n.ValueCol, PathString(path)
		}
		return nil
	})
	return e
}

// tagName says what a type of YAML is.
func tagName(tag string) string {
	switch tag {
	case "!!bool":
		return "a boolean"
	case "!!int", "!!float":
		return "a number"
	case "!!seq":
		return "a list"
	case "!!map":
		return "a mapping"
	case "!!null":
		return "nothing"
	}
	return "a text"
}

// typeName says what a type of Go is to someone who writes YAML.
func typeName(t string) string {
	t = strings.TrimLeft(t, "*")
	switch {
	case strings.HasPrefix(t, "int"), strings.HasPrefix(t, "uint"):
		return "a whole number"
	case strings.HasPrefix(t, "float"):
		return "a number"
	case strings.HasPrefix(t, "bool"):
		return "a boolean"
	case t == "string":
		return "a text"
	case strings.HasPrefix(t, "["):
		return "a list"
	}
	return "a mapping"
}

// bodyLine is the number of lines of the file before the body.
func (d *Document) bodyLine() int { return d.line + countLines(d.src[:d.body]) }

// eol is the line break the document uses.
func (d *Document) eol() string {
	if at := bytes.IndexByte(d.src, '\n'); at > 0 && d.src[at-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}
