package doc

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// A style is how a document, or the part of it around an edit, is written.
type style struct {
	eol    string
	unit   int  // columns by which a mapping is indented in another
	dash   int  // columns by which a list is indented below its key
	json   bool // quotes around all texts, brackets around all collections
	wide   bool // brackets with each of their entries on a line
	quoted bool // texts of several lines in quotes, not as blocks
}

// kops writes what kops writes.
var kops = style{eol: "\n", unit: 2}

// Format writes a value as kops writes its documents: keys in order, two
// spaces, lists not indented below their key, quotes around what YAML 1.1 takes
// for something else than a text, texts of several lines as blocks. A value is
// of the kinds Set takes, or a struct with yaml tags; Format panics on what
// cannot be written (a channel, a function).
func Format(v any) []byte {
	b, err := encode(v)
	if err != nil {
		panic("doc: format: " + err.Error())
	}
	return b
}

func encode(v any) (b []byte, err error) {
	defer func() { // the YAML library panics at what it cannot write
		if p := recover(); p != nil {
			b, err = nil, fmt.Errorf("%v", p)
		}
	}()
	p, err := normal(v)
	if err != nil {
		var n yaml.Node
		if err := n.Encode(v); err != nil {
			return nil, err
		}
		p = plain(&n)
	}
	var w writer
	w.style = kops
	switch {
	case isBlock(p):
		w.block(p, 0)
	default:
		w.WriteString(scalarOrEmpty(p, kops, false, 0))
	}
	w.WriteString("\n")
	return []byte(w.String()), nil
}

// isBlock reports whether a value is written as a block: a mapping or list that
// holds something.
func isBlock(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return len(v) > 0
	case []any:
		return len(v) > 0
	}
	return false
}

func scalarOrEmpty(v any, st style, flow bool, like yaml.Style) string {
	switch v.(type) {
	case map[string]any:
		return "{}"
	case []any:
		return "[]"
	}
	return scalarText(v, st, flow, like)
}

type writer struct {
	strings.Builder
	style
}

func (w *writer) line(indent int) {
	w.WriteString(w.eol + strings.Repeat(" ", indent))
}

// block writes a mapping or list that holds something, at the given column,
// where the text already stands.
func (w *writer) block(v any, col int) {
	switch v := v.(type) {
	case map[string]any:
		for i, k := range keys(v) {
			if i > 0 {
				w.line(col)
			}
			w.WriteString(stringText(k, w.style, false, 0) + ":")
			w.value(v[k], col)
		}
	case []any:
		for i, item := range v {
			if i > 0 {
				w.line(col)
			}
			w.item(item, col)
		}
	}
}

// value writes what follows the colon of a key at the given column.
func (w *writer) value(v any, col int) {
	in := col + w.unit
	if _, ok := v.([]any); ok {
		in = col + w.dash
	}
	if isBlock(v) {
		w.line(in)
		w.block(v, in)
		return
	}
	w.scalar(v, col, w.unit)
}

// item writes a list item whose dash stands at the given column.
func (w *writer) item(v any, col int) {
	w.WriteString("-")
	if isBlock(v) {
		w.WriteString(" ")
		w.block(v, col+2)
		return
	}
	w.scalar(v, col, 2)
}

// scalar writes a scalar after its key or dash.
func (w *writer) scalar(v any, col, unit int) {
	if s, ok := v.(string); ok && !w.quoted {
		if header, lines, ok := literal(s, unit); ok {
			w.WriteString(" " + header)
			for _, line := range lines {
				if line == "" {
					w.WriteString(w.eol)
					continue
				}
				w.line(col + unit)
				w.WriteString(line)
			}
			return
		}
	}
	w.WriteString(" " + scalarOrEmpty(v, w.style, false, 0))
}

// flow writes a value in brackets; col is the column of the line it stands on.
func (w *writer) flow(v any, col int) {
	if !isBlock(v) {
		w.WriteString(scalarOrEmpty(v, w.style, true, 0))
		return
	}
	open, closing := "{", "}"
	var names []string
	var items []any
	switch v := v.(type) {
	case map[string]any:
		names = keys(v)
		for _, k := range names {
			items = append(items, v[k])
		}
	case []any:
		open, closing, items = "[", "]", v
	}
	w.WriteString(open)
	for i, item := range items {
		switch {
		case w.wide && i > 0:
			w.WriteString(",")
			fallthrough
		case w.wide:
			w.line(col + w.unit)
		case i > 0:
			w.WriteString(", ")
		}
		if names != nil {
			w.WriteString(stringText(names[i], w.style, true, 0) + ": ")
		}
		w.flow(item, col+w.unit)
	}
	if w.wide {
		w.line(col)
	}
	w.WriteString(closing)
}

// keys are the keys of a mapping in the order kops writes them.
func keys(m map[string]any) []string {
	all := make([]string, 0, len(m))
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	slices.SortStableFunc(all, compareKeys)
	return all
}

// compareKeys orders texts with the numbers in them by their size, and letters
// after everything else: a2 before a10, a-b before ab.
func compareKeys(a, b string) int {
	x, y := []rune(a), []rune(b)
	inNumber := false
	for i := 0; i < len(x) && i < len(y); i++ {
		if x[i] == y[i] {
			inNumber = unicode.IsDigit(x[i])
			continue
		}
		lx, ly := unicode.IsLetter(x[i]), unicode.IsLetter(y[i])
		switch {
		case lx && ly:
			return int(x[i]) - int(y[i])
		case lx != ly && inNumber == lx:
			return -1
		case lx != ly:
			return 1
		}
		if c := compareNumbers(x, y, i); c != 0 {
			return c
		}
		return int(x[i]) - int(y[i])
	}
	return len(x) - len(y)
}

// compareNumbers orders the numbers that two texts hold from an offset on.
func compareNumbers(x, y []rune, at int) int {
	nx, ny := digits(x[at:]), digits(y[at:])
	if x[at] == '0' || y[at] == '0' {
		// A zero within a number is one of its digits: the longer is larger.
		for j := at - 1; j >= 0 && unicode.IsDigit(x[j]); j-- {
			if x[j] != '0' {
				return len(nx) - len(ny)
			}
		}
	}
	tx, ty := strings.TrimLeft(string(nx), "0"), strings.TrimLeft(string(ny), "0")
	if len(tx) != len(ty) {
		return len(tx) - len(ty)
	}
	if c := strings.Compare(tx, ty); c != 0 {
		return c
	}
	return len(nx) - len(ny)
}

func digits(s []rune) []rune {
	n := 0
	for n < len(s) && unicode.IsDigit(s[n]) {
		n++
	}
	return s[:n]
}
