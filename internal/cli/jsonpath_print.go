package cli

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// maxVisits is how many values a template may look at: enough for thousands of
// clusters, and too few for ..*..*..* to go on for hours.
const maxVisits = 5_000_000

// maxPrinted is how many bytes a template may print.
const maxPrinted = 64 << 20

// pathPrinter prints a template for a value of maps, lists and scalars.
type pathPrinter struct {
	root   any
	visits int
	out    bytes.Buffer
}

// print is what a template says of a value.
func (t jsonPath) print(root any) ([]byte, error) {
	p := &pathPrinter{root: root}
	if err := p.template(t, root); err != nil {
		return nil, err
	}
	return p.out.Bytes(), nil
}

func (p *pathPrinter) template(t jsonPath, here any) error {
	for _, n := range t {
		p.out.WriteString(n.text)
		if n.query == nil {
			continue
		}
		values := p.values(n.query, here)
		if p.visits > maxVisits || p.out.Len() > maxPrinted {
			return usagef("say where it is: {.items[*].metadata.name}; .. looks at every value there is", "-o jsonpath: the template prints too much")
		}
		for i, v := range values {
			switch {
			case n.body != nil:
				if err := p.template(n.body, v); err != nil {
					return err
				}
				continue
			case i > 0:
				p.out.WriteByte(' ')
			}
			if err := p.value(v); err != nil {
				return err
			}
		}
	}
	return nil
}

// value prints a text as it is, everything else as JSON on one line.
func (p *pathPrinter) value(v any) error {
	if s, ok := v.(string); ok {
		p.out.WriteString(s)
		return nil
	}
	e := json.NewEncoder(&p.out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write jsonpath: %w", err)
	}
	p.out.Truncate(p.out.Len() - 1) // the line's end
	return nil
}

// values are those that a query leads to from a place.
func (p *pathPrinter) values(q *pathQuery, here any) []any {
	all := []any{here}
	if q.root {
		all = []any{p.root}
	}
	for _, s := range q.steps {
		from := all
		if s.deep {
			from = nil
			for _, v := range all {
				p.below(v, &from)
			}
		}
		all = nil
		for _, v := range from {
			for _, pick := range s.picks {
				if p.visits > maxVisits {
					return nil
				}
				p.pick(pick, v, &all)
			}
		}
	}
	return all
}

// below adds a value and all that are in it, parents first.
func (p *pathPrinter) below(v any, into *[]any) {
	if p.visits++; p.visits > maxVisits {
		return
	}
	*into = append(*into, v)
	for _, c := range children(v) {
		p.below(c, into)
	}
}

// children are the values in a map, by its keys, or a list.
func children(v any) []any {
	switch v := v.(type) {
	case []any:
		return v
	case map[string]any:
		all := make([]any, 0, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			all = append(all, v[key])
		}
		return all
	}
	return nil
}

// pick adds what a pick leads to; nothing where there is none.
func (p *pathPrinter) pick(pick pathPick, v any, into *[]any) {
	if p.visits++; p.visits > maxVisits {
		return
	}
	list, _ := v.([]any)
	switch {
	case pick.name != nil:
		if m, ok := v.(map[string]any); ok {
			if c, ok := m[*pick.name]; ok {
				*into = append(*into, c)
			}
		}
	case pick.all:
		c := children(v)
		p.visits += len(c)
		*into = append(*into, c...)
	case pick.slice != nil:
		for _, i := range pick.slice.indexes(len(list)) {
			p.visits++
			*into = append(*into, list[i])
		}
	default:
		for _, item := range list {
			if p.holds(pick.filter, item) {
				*into = append(*into, item)
			}
		}
	}
}

// indexes are those of a list of n items that a slice means.
func (s *pathSlice) indexes(n int) []int {
	place := func(given *int, otherwise int) int {
		switch {
		case given == nil:
			return otherwise
		case *given < 0:
			return *given + n
		}
		return *given
	}
	from := place(s.from, 0)
	if s.single {
		if from < 0 || from >= n {
			return nil
		}
		return []int{from}
	}
	var all []int
	for i := max(from, 0); i < min(place(s.to, n), n); i += s.step {
		all = append(all, i)
	}
	return all
}

// holds reports whether a filter holds for an item. A path that leads nowhere
// is equal to nothing, and unequal to everything.
func (p *pathPrinter) holds(f *pathFilter, item any) bool {
	if p.visits++; p.visits > maxVisits {
		return false
	}
	left, isThere := p.operand(f.left, item)
	if f.op == "" {
		return isThere
	}
	right, rightThere := p.operand(f.right, item)
	order, comparable := compared(left, right)
	comparable = comparable && isThere && rightThere
	switch f.op {
	case "==":
		return comparable && order == 0
	case "!=":
		return !comparable || order != 0
	case "<":
		return comparable && order < 0
	case "<=":
		return comparable && order <= 0
	case ">":
		return comparable && order > 0
	}
	return comparable && order >= 0
}

func (p *pathPrinter) operand(o pathOperand, item any) (v any, isThere bool) {
	if o.query == nil {
		return o.value, true
	}
	values := p.values(o.query, item)
	if len(values) == 0 {
		return nil, false
	}
	return values[0], true
}

// compared orders two scalars of the same kind; numbers by their value, false
// before true.
func compared(a, b any) (order int, comparable bool) {
	switch a := a.(type) {
	case nil:
		return 0, b == nil
	case string:
		b, ok := b.(string)
		return strings.Compare(a, b), ok
	case bool:
		b, ok := b.(bool)
		return strings.Compare(strconv.FormatBool(a), strconv.FormatBool(b)), ok
	}
	x, isNumber := asFloat(a)
	y, too := asFloat(b)
	return cmp.Compare(x, y), isNumber && too
}

func asFloat(v any) (float64, bool) {
	switch n := v.(type) {
	case int:
		return float64(n), true
	case uint64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}
