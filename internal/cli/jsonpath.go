package cli

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A jsonPath is a template of -o jsonpath=TEMPLATE: text, and in braces what is
// printed of a document. See docs/formats/jsonpath.md.
type jsonPath []pathNode

// pathNode is one part of a template: a text, the values of a query, or, where
// body is not nil, a body that is printed for each of the values.
type pathNode struct {
	text  string
	query *pathQuery
	body  jsonPath
}

// pathQuery leads from a value to others.
type pathQuery struct {
	root  bool // from the whole document, and not from where the template is
	steps []pathStep
}

// pathStep leads from a value to some of those in it, in the order of its picks.
type pathStep struct {
	deep  bool // from those at any depth, too
	picks []pathPick
}

// pathPick is one way on: exactly one of these is set.
type pathPick struct {
	name   *string
	all    bool
	slice  *pathSlice
	filter *pathFilter
}

// pathSlice are the items of a list from one index to before another; negative
// ones count from the end. A single index is a slice of one.
type pathSlice struct {
	from, to *int
	step     int
	single   bool
}

// pathFilter holds for values of which left is there (no op), or for which the
// comparison holds.
type pathFilter struct {
	left, right pathOperand
	op          string
}

// pathOperand is a value as it stands, or where query is not nil, that of a path.
type pathOperand struct {
	query *pathQuery
	value any
}

const (
	maxJSONPath      = 16 << 10 // bytes of a template
	maxJSONPathDepth = 20       // ranges and filters within each other
)

// pathParser reads a template from front to back.
type pathParser struct {
	text  string
	at    int // bytes
	depth int
}

// parseJSONPath reads a template; the error is one of usage.
func parseJSONPath(text string) (jsonPath, error) {
	p := &pathParser{text: text}
	switch {
	case strings.TrimSpace(text) == "":
		return nil, p.wrong("-o jsonpath={.metadata.name}", "the template is empty")
	case len(text) > maxJSONPath:
		return nil, p.wrong("-o json prints everything, for programs like jq", "the template has %d bytes, at most %d are read", len(text), maxJSONPath)
	case !utf8.ValidString(text):
		return nil, p.wrong("write it in UTF-8", "the template is no UTF-8")
	case !strings.Contains(text, "{"):
		return nil, p.wrong("-o 'jsonpath={"+clean(text)+"}'", "there is nothing in braces, so the same would be printed for everything")
	}
	t, ended, err := p.template()
	if err == nil && ended {
		err = p.wrong("{range .items[*]}...{end}", "an {end} that ends no {range}")
	}
	return t, err
}

// wrong is an error at the place where the parser is.
func (p *pathParser) wrong(hint, format string, args ...any) error {
	column := 1 + utf8.RuneCountInString(p.text[:p.at])
	return usagef(hint, "-o jsonpath: column %d: %s", column, fmt.Sprintf(format, args...))
}

// template reads up to the end of the text, or of the range that it is in.
func (p *pathParser) template() (t jsonPath, ended bool, err error) {
	t = jsonPath{}
	for p.at < len(p.text) {
		before, _, found := strings.Cut(p.text[p.at:], "{")
		if before != "" {
			t = append(t, pathNode{text: before})
		}
		p.at += len(before)
		if !found {
			break
		}
		start := p.at
		p.at++
		p.spaces()
		if p.word("end") {
			if err := p.closing(); err != nil {
				return nil, false, err
			}
			return t, true, nil
		}
		n, err := p.braces(start)
		if err != nil {
			return nil, false, err
		}
		t = append(t, n)
	}
	return t, false, nil
}

// braces reads what stands in braces that opened at start.
func (p *pathParser) braces(start int) (n pathNode, err error) {
	isRange := p.word("range")
	switch c := p.peek(); {
	case !isRange && (c == '"' || c == '\''):
		n.text, err = p.quoted()
	case strings.IndexByte(".$@[", c) >= 0 && c != 0:
		n.query, err = p.query()
	case c == 0:
		err = p.wrong("close it: {.metadata.name}", "the template ends within braces")
	default:
		err = p.wrong(`in braces stands a path, {.metadata.name}, a text, {"\n"}, {range PATH} or {end}`, "expected a path, found %s", p.next())
	}
	if err == nil {
		err = p.closing()
	}
	if err != nil || !isRange {
		return n, err
	}
	if p.depth++; p.depth > maxJSONPathDepth {
		return n, p.wrong("-o json prints everything, for programs like jq", "more than %d ranges within each other", maxJSONPathDepth)
	}
	defer func() { p.depth-- }()
	var ended bool
	if n.body, ended, err = p.template(); err == nil && !ended {
		p.at = start
		err = p.wrong("{range .items[*]}...{end}", "a {range} without its {end}")
	}
	return n, err
}

// closing reads the brace at the end.
func (p *pathParser) closing() error {
	p.spaces()
	if p.peek() != '}' {
		return p.unexpected("}")
	}
	p.at++
	return nil
}

func (p *pathParser) unexpected(wanted string) error {
	if p.at >= len(p.text) {
		return p.wrong("close what was opened: {.items[0].metadata.name}", "expected %s, found the end", wanted)
	}
	return p.wrong(`keys with other signs than letters stand in brackets: {.metadata.labels["example.com/team"]}`, "expected %s, found %s", wanted, p.next())
}

// query reads a path: $.a, @.b, .c[0], ..d.
func (p *pathParser) query() (*pathQuery, error) {
	q := &pathQuery{root: p.peek() == '$'}
	if c := p.peek(); c == '$' || c == '@' {
		p.at++
	}
	for {
		s := pathStep{}
		var err error
		switch {
		case p.sign(".."):
			s.deep = true
			s.picks, err = p.behindDot()
		case p.peek() == '[':
			s.picks, err = p.brackets()
		case p.sign("."):
			if c := p.peek(); len(q.steps) == 0 && (c == '}' || c == ' ' || c == ')') {
				return q, nil // {.}: where the template is
			}
			s.picks, err = p.behindDot()
		default:
			return q, nil
		}
		if err != nil {
			return nil, err
		}
		q.steps = append(q.steps, s)
	}
}

// behindDot reads a name, *, or brackets.
func (p *pathParser) behindDot() ([]pathPick, error) {
	switch p.peek() {
	case '*':
		p.at++
		return []pathPick{{all: true}}, nil
	case '[':
		return p.brackets()
	}
	name := p.name()
	if name == "" {
		return nil, p.unexpected("a name")
	}
	return []pathPick{{name: &name}}, nil
}

// notInNames are the signs that end a name, unless a backslash is before them.
const notInNames = ".[]{}()'\"=!<>?*$@|&, \t\r\n"

// name reads a name; "" where there is none.
func (p *pathParser) name() string {
	var b strings.Builder
	for p.at < len(p.text) {
		c := p.text[p.at]
		if c == '\\' && p.at+1 < len(p.text) {
			p.at++
			_, size := utf8.DecodeRuneInString(p.text[p.at:])
			b.WriteString(p.text[p.at : p.at+size])
			p.at += size
			continue
		}
		if strings.IndexByte(notInNames, c) >= 0 {
			break
		}
		b.WriteByte(c)
		p.at++
	}
	return b.String()
}

// brackets reads [0], [-1], [1:3], [*], ['x.y'], [0,2], [?(@.x=="y")].
func (p *pathParser) brackets() ([]pathPick, error) {
	p.at++
	var picks []pathPick
	for {
		p.spaces()
		pick, err := p.pick()
		if err != nil {
			return nil, err
		}
		picks = append(picks, pick)
		p.spaces()
		switch p.peek() {
		case ']':
			p.at++
			return picks, nil
		case ',':
			p.at++
		default:
			return nil, p.unexpected("]")
		}
	}
}

func (p *pathParser) pick() (pathPick, error) {
	switch c := p.peek(); {
	case c == '*':
		p.at++
		return pathPick{all: true}, nil
	case c == '"' || c == '\'':
		name, err := p.quoted()
		return pathPick{name: &name}, err
	case c == '?':
		f, err := p.filter()
		return pathPick{filter: f}, err
	case c == ':' || c == '-' || c >= '0' && c <= '9':
		s, err := p.slice()
		return pathPick{slice: s}, err
	case p.at >= len(p.text):
		return pathPick{}, p.unexpected("]")
	}
	return pathPick{}, p.wrong(`in brackets stands an index, [0] or [-1], [*], a key in quotes, ["x.y"], or a filter, [?(@.x=="y")]`, "expected an index, found %s", p.next())
}

// slice reads N, or FROM:TO or FROM:TO:STEP with each left out or not.
func (p *pathParser) slice() (*pathSlice, error) {
	s := &pathSlice{step: 1}
	var err error
	if s.from, err = p.number(); err != nil {
		return nil, err
	}
	if !p.sign(":") {
		s.single = true
		return s, nil
	}
	if s.to, err = p.number(); err != nil || !p.sign(":") {
		return s, err
	}
	step, err := p.number()
	if err == nil && step != nil {
		if s.step = *step; s.step < 1 {
			err = p.wrong("[0:10:2] takes every second", "a step of %d", s.step)
		}
	}
	return s, err
}

// number reads a whole number; nil where there is none.
func (p *pathParser) number() (*int, error) {
	p.spaces()
	n := 0
	for p.at+n < len(p.text) && (p.text[p.at+n] >= '0' && p.text[p.at+n] <= '9' || n == 0 && p.text[p.at] == '-') {
		n++
	}
	if n == 0 {
		return nil, nil
	}
	v, err := strconv.ParseInt(p.text[p.at:p.at+n], 10, 32)
	if err != nil {
		return nil, p.wrong("[0] is the first item, [-1] the last", "%q is no index", shortened(p.text[p.at:p.at+n]))
	}
	p.at += n
	p.spaces()
	i := int(v)
	return &i, nil
}

func shortened(s string) string {
	if len(s) > 20 {
		return s[:20] + "..."
	}
	return s
}

// filter reads ?(LEFT), or ?(LEFT OP RIGHT).
func (p *pathParser) filter() (*pathFilter, error) {
	if !p.sign("?(") {
		return nil, p.wrong(`[?(@.metadata.name=="nodes")]`, "behind ? stands what is to hold, in parentheses")
	}
	if p.depth++; p.depth > maxJSONPathDepth {
		return nil, p.wrong("-o json prints everything, for programs like jq", "more than %d filters within each other", maxJSONPathDepth)
	}
	defer func() { p.depth-- }()
	f := &pathFilter{}
	var err error
	if f.left, err = p.operand(); err != nil {
		return nil, err
	}
	for _, op := range []string{"==", "!=", "<=", ">=", "<", ">"} {
		if p.sign(op) {
			f.op = op
			break
		}
	}
	if f.op != "" {
		if f.right, err = p.operand(); err != nil {
			return nil, err
		}
	}
	if !p.sign(")") {
		return nil, p.wrong("there is == != < <= > >=, one in each filter; several filters behind each other must all hold", "expected a comparison or \")\", found %s", p.next())
	}
	return f, nil
}

// operand reads a path, a text in quotes, a number, true, false or null.
func (p *pathParser) operand() (o pathOperand, err error) {
	p.spaces()
	defer p.spaces()
	switch c := p.peek(); {
	case c == '"' || c == '\'':
		o.value, err = p.quoted()
	case c != 0 && strings.IndexByte("$@.", c) >= 0:
		o.query, err = p.query()
	case p.word("true"):
		o.value = true
	case p.word("false"):
		o.value = false
	case p.word("null"):
	default:
		n := strings.IndexFunc(p.text[p.at:], func(r rune) bool { return !strings.ContainsRune("+-.0123456789eE", r) })
		if n < 0 {
			n = len(p.text) - p.at
		}
		f, bad := strconv.ParseFloat(p.text[p.at:p.at+n], 64)
		if bad != nil {
			return o, p.wrong(`texts stand in quotes: [?(@.spec.role=="Node")]`, "expected a path, a text in quotes or a number, found %s", p.next())
		}
		p.at += n
		o.value = f
	}
	return o, err
}

// quoted reads a text in quotes of either kind.
func (p *pathParser) quoted() (string, error) {
	quote := p.text[p.at]
	var b strings.Builder
	for i := p.at + 1; i < len(p.text); i++ {
		switch c := p.text[i]; {
		case c == quote:
			p.at = i + 1
			return b.String(), nil
		case c == '\\' && i+1 < len(p.text):
			i++
			b.WriteString(unescaped(p.text[i]))
		default:
			b.WriteByte(c)
		}
	}
	return "", p.wrong(`{"\n"}; in a shell the whole template stands in the other kind of quotes`, "a text whose quotes are not closed")
}

// unescaped is what a backslash and a byte mean.
func unescaped(c byte) string {
	switch c {
	case 'n':
		return "\n"
	case 't':
		return "\t"
	case 'r':
		return "\r"
	case '\\', '"', '\'', '/':
		return string(rune(c))
	}
	return `\` + string([]byte{c})
}

// word takes a word if it is next, and ends there.
func (p *pathParser) word(w string) bool {
	rest, ok := strings.CutPrefix(p.text[p.at:], w)
	if !ok || rest != "" && strings.IndexByte(notInNames, rest[0]) < 0 {
		return false
	}
	p.at += len(w)
	p.spaces()
	return true
}

// sign takes signs if they are next.
func (p *pathParser) sign(s string) bool {
	if !strings.HasPrefix(p.text[p.at:], s) {
		return false
	}
	p.at += len(s)
	return true
}

func (p *pathParser) spaces() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// peek is the next byte, 0 at the end.
func (p *pathParser) peek() byte {
	if p.at >= len(p.text) {
		return 0
	}
	return p.text[p.at]
}

// next is the next character, for messages.
func (p *pathParser) next() string {
	if p.at >= len(p.text) {
		return "the end"
	}
	_, size := utf8.DecodeRuneInString(p.text[p.at:])
	return strconv.Quote(p.text[p.at : p.at+size])
}
