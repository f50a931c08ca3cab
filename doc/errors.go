package doc

import (
	"fmt"
	"strings"
)

// An Error is one thing wrong with a document, at its place in the text.
type Error struct {
	Line, Col int    // from 1; columns count characters; 0 when the whole text is meant
	Path      string // the field, as in spec.subnets[0].name, where there is one
	Message   string // what is wrong
	Advice    string // what a person can do about it, if anything

	first int // where a key given twice stands first: the document can be read all the same
}

func (e *Error) Error() string {
	var b strings.Builder
	switch {
	case e.Line > 0 && e.Col > 0:
		fmt.Fprintf(&b, "line %d, column %d: ", e.Line, e.Col)
	case e.Line > 0:
		fmt.Fprintf(&b, "line %d: ", e.Line)
	}
	if e.Path != "" {
		b.WriteString(e.Path + ": ")
	}
	b.WriteString(e.Message)
	return b.String()
}

// Hint says what a person can do about the error; it may be empty.
func (e *Error) Hint() string { return e.Advice }

// Errors is everything found wrong with a text, in the order of its lines.
type Errors []*Error

func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Hint is the first advice there is.
func (e Errors) Hint() string {
	for _, one := range e {
		if one.Advice != "" {
			return one.Advice
		}
	}
	return ""
}

// Unwrap gives the single errors to errors.As.
func (e Errors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, one := range e {
		errs[i] = one
	}
	return errs
}

// PathString writes a path for people: a.b[0]["x.y"]. A decimal element counts
// as an index, as it does in Document.Get.
func PathString(path []string) string {
	var b strings.Builder
	for _, p := range path {
		switch {
		case isIndex(p):
			b.WriteString("[" + p + "]")
		case p == "" || strings.ContainsAny(p, ".[]\"' \t\n"):
			fmt.Fprintf(&b, "[%s]", quoteDouble(p))
		default:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(p)
		}
	}
	return b.String()
}

// isIndex reports whether an element of a path is a list index in its only
// spelling: decimal, without sign or leading zero, of a list that can exist.
func isIndex(s string) bool {
	if s == "" || len(s) > 9 || (len(s) > 1 && s[0] == '0') {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
