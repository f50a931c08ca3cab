package doc

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// A layout says where in the text of a body each node begins and ends. The
// YAML library tells where nodes begin; ends, colons and dashes are found here,
// by reading the text along the tree. Where text and tree do not agree there is
// no layout, and then no edit either.
type layout struct {
	src     []byte
	lines   []int // offset of each line
	spans   map[*yaml.Node]span
	entries map[*yaml.Node][]entry

	lastLine, lastCol, lastAt int // the last place looked up
}

// A span is a node's text, its anchor and tag included; of a block, up to the
// end of its last scalar. Text begins after anchor and tag.
type span struct{ start, text, end int }

// An entry is a key with its value, or an item of a list.
type entry struct {
	key, val *yaml.Node // key nil in a list
	start    int        // of the key, "? " or "- "
	keyEnd   int        // after the key, or the dash
	colon    int        // after the ":" or the dash; -1 where there is none
	explicit bool       // "? key"
	value    span       // empty, at colon, where nothing is written
	end      int
}

func newLayout(body []byte, root *yaml.Node) (l *layout, err error) {
	l = &layout{src: body, lines: []int{0}, spans: map[*yaml.Node]span{}, entries: map[*yaml.Node][]entry{}, lastLine: -1}
	for at := 0; at < len(body); {
		if n := breakLen(body, at); n > 0 {
			at += n
			l.lines = append(l.lines, at)
		} else {
			at++
		}
	}
	defer func() {
		if p := recover(); p != nil {
			lost, ok := p.(*lostError)
			if !ok {
				panic(p)
			}
			l, err = nil, lost
		}
	}()
	if root.Value == "" && root.Kind == yaml.ScalarNode && root.Style == 0 && root.Tag == "!!null" && root.Anchor == "" {
		l.spans[root] = span{len(body), len(body), len(body)}
		return l, nil
	}
	l.node(root, -1)
	return l, nil
}

// A lostError ends a layout whose text does not read as its tree says.
type lostError struct{ at int }

func (e *lostError) Error() string { return fmt.Sprintf("lost the place at byte %d", e.at) }

func (l *layout) lost(at int) { panic(&lostError{at}) }

// offset is where a node begins.
func (l *layout) offset(n *yaml.Node) int {
	line, col := n.Line-1, n.Column-1
	if line < 0 || line >= len(l.lines) {
		l.lost(0)
	}
	at, c := l.lines[line], 0
	if line == l.lastLine && col >= l.lastCol {
		at, c = l.lastAt, l.lastCol
	}
	for ; c < col; c++ {
		if at >= len(l.src) {
			l.lost(at)
		}
		_, size := utf8.DecodeRune(l.src[at:])
		at += size
	}
	l.lastLine, l.lastCol, l.lastAt = line, col, at
	return at
}

// isEmpty reports whether a value has no text of its own at all.
func isEmpty(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Value == "" && n.Style == 0 && n.Anchor == ""
}

// node finds the span of a node that stands in a block of the given column.
func (l *layout) node(n *yaml.Node, col int) span {
	s := span{start: l.offset(n)}
	s.text = l.props(s.start)
	switch {
	case n.Kind == yaml.AliasNode:
		s.end = s.start + 1 + len(n.Value)
		if s.end > len(l.src) || string(l.src[s.start:s.end]) != "*"+n.Value {
			l.lost(s.start)
		}
	case n.Kind == yaml.ScalarNode:
		s = l.scalar(n, s, col)
	case n.Style&yaml.FlowStyle != 0:
		s.end = l.flow(n, l.skip(s.text))
	case n.Kind == yaml.MappingNode:
		s.end = l.mapping(n, l.skip(s.text))
	default:
		s.end = l.sequence(n, l.skip(s.text))
	}
	l.spans[n] = s
	return s
}

// props is the offset after the anchor and tag that stand at an offset.
func (l *layout) props(at int) int {
	end := at
	for at < len(l.src) && (l.src[at] == '&' || l.src[at] == '!') {
		verbatim := l.src[at] == '!' && at+1 < len(l.src) && l.src[at+1] == '<'
		for at < len(l.src) && (verbatim || !isBlank(l.src[at]) && bytes.IndexByte([]byte(",[]{}"), l.src[at]) < 0) {
			if verbatim && l.src[at] == '>' {
				verbatim = false
			}
			at++
		}
		end = at
		at = l.skip(at)
	}
	return end
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// skip is the offset of the next character that is neither blank nor comment.
func (l *layout) skip(at int) int {
	for at < len(l.src) {
		switch {
		case isBlank(l.src[at]):
			at++
		case l.src[at] == '#' && (at == 0 || isBlank(l.src[at-1])):
			at = lineEnd(l.src, at)
		default:
			return at
		}
	}
	return at
}

// scalar finds the end of a scalar.
func (l *layout) scalar(n *yaml.Node, s span, col int) span {
	if n.Style&quotedStyles == 0 && n.Value == "" {
		s.end = s.text
		return s
	}
	at := l.skip(s.text)
	if at >= len(l.src) {
		l.lost(at)
	}
	if s.text == s.start {
		s.text = at
	}
	switch c := l.src[at]; {
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		if c != '"' && c != '\'' {
			l.lost(at)
		}
		s.end = quotedEnd(l.src, at)
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		if c != '|' && c != '>' {
			l.lost(at)
		}
		s.end = l.block(at, col)
	default:
		s.end = l.plain(at, n.Value)
	}
	return s
}

// plain reads a plain scalar along its value: a line break and the blanks
// around it are a space in the value, or its further line breaks.
func (l *layout) plain(at int, value string) int {
	for i := 0; i < len(value); {
		if at >= len(l.src) {
			l.lost(at)
		}
		end, breaks := at, 0
		for end < len(l.src) && isBlank(l.src[end]) {
			if n := breakLen(l.src, end); n > 0 {
				breaks++
				end += n
			} else {
				end++
			}
		}
		switch {
		case breaks == 1 && value[i] == ' ':
			at, i = end, i+1
		case breaks > 1 && len(value) >= i+breaks-1:
			for range breaks - 1 {
				if value[i] != '\n' {
					l.lost(at)
				}
				i++
			}
			at = end
		case breaks == 0 && value[i] == l.src[at]:
			at, i = at+1, i+1
		default:
			l.lost(at)
		}
	}
	return at
}

// block finds the end of a literal or folded text, its last line break left
// out. Blank lines at its end count only where "+" keeps them.
func (l *layout) block(at, col int) int {
	header := l.src[at:lineEnd(l.src, at)]
	if i := bytes.IndexByte(header, '#'); i > 0 {
		header = header[:i]
	}
	keep := bytes.IndexByte(header, '+') >= 0
	indent := -1 // of the text, unknown before its first line
	if i := bytes.IndexAny(header, "123456789"); i > 0 {
		indent = max(col, 0) + int(header[i]-'0')
	}
	end := at + len(bytes.TrimRight(header, " \t\r\n"))
	end += len(l.src[end:lineEnd(l.src, at)]) - len(breakOf(l.src[end:lineEnd(l.src, at)]))
	for at = lineEnd(l.src, at); at < len(l.src); {
		next := lineEnd(l.src, at)
		line := l.src[at:next]
		text := line[:len(line)-len(breakOf(line))]
		spaces := len(text) - len(bytes.TrimLeft(text, " "))
		if spaces == len(text) && (indent < 0 || spaces <= indent) {
			if keep {
				end = at + len(text)
			}
			at = next
			continue
		}
		if spaces <= col || indent >= 0 && spaces < indent || isMarker(line, "---") || isMarker(line, "...") {
			break
		}
		if indent < 0 {
			indent = spaces
		}
		end, at = at+len(text), next
	}
	return end
}

// breakOf is the line break at the end of a line.
func breakOf(line []byte) []byte {
	n := len(line)
	switch {
	case bytes.HasSuffix(line, []byte("\r\n")):
		return line[n-2:]
	case n > 0 && (line[n-1] == '\n' || line[n-1] == '\r'):
		return line[n-1:]
	}
	return nil
}

// mapping reads a block mapping whose first key, or "? ", stands at an offset.
func (l *layout) mapping(n *yaml.Node, at int) int {
	col := l.column(at)
	for i := 0; i+1 < len(n.Content); i += 2 {
		e := l.pair(n.Content[i], n.Content[i+1], l.skip(at), col)
		l.entries[n] = append(l.entries[n], e)
		at = e.end
	}
	return at
}

// pair reads a key and its value.
func (l *layout) pair(key, val *yaml.Node, at, col int) entry {
	e := entry{key: key, val: val, start: at}
	if at >= len(l.src) {
		l.lost(at)
	}
	var k span
	switch {
	case isEmpty(key) && l.src[at] == '?':
		e.explicit = true
		k = span{at + 1, at + 1, at + 1}
	case isEmpty(key):
		k = span{at, at, at}
	default:
		k = l.node(key, col)
	}
	if k.start != at && !e.explicit {
		if e.explicit = l.src[at] == '?' && l.skip(at+1) == k.start; !e.explicit {
			l.lost(at)
		}
	}
	e.keyEnd, e.end, e.colon = k.end, k.end, -1
	if c := l.skip(k.end); c < len(l.src) && l.src[c] == ':' {
		e.colon = c + 1
	} else if !isEmpty(val) {
		l.lost(k.end)
	}
	switch {
	case !isEmpty(val):
		e.value = l.node(val, col)
		if e.value.start < e.colon {
			l.lost(e.colon)
		}
		e.end = e.value.end
	case e.colon >= 0:
		e.value = span{e.colon, e.colon, e.colon}
		e.end = e.colon
	default:
		e.value = span{k.end, k.end, k.end}
	}
	return e
}

// sequence reads a block list whose first dash stands at an offset.
func (l *layout) sequence(n *yaml.Node, at int) int {
	col := l.column(at)
	for _, item := range n.Content {
		e := entry{val: item, start: l.skip(at)}
		if e.start >= len(l.src) || l.src[e.start] != '-' {
			l.lost(e.start)
		}
		e.keyEnd, e.colon = e.start+1, e.start+1
		e.value = span{e.colon, e.colon, e.colon}
		if !isEmpty(item) {
			e.value = l.node(item, col)
			if e.value.start < e.colon {
				l.lost(e.colon)
			}
		}
		e.end = e.value.end
		l.entries[n] = append(l.entries[n], e)
		at = e.end
	}
	return at
}

// flow reads a flow collection that begins at an offset.
func (l *layout) flow(n *yaml.Node, at int) int {
	if at >= len(l.src) {
		l.lost(at)
	}
	single := n.Kind == yaml.MappingNode && l.src[at] != '{' // [key: value]
	if !single {
		if l.src[at] != '{' && l.src[at] != '[' {
			l.lost(at)
		}
		at++
	}
	step := 1
	if n.Kind == yaml.MappingNode {
		step = 2
	}
	for i := 0; i+step <= len(n.Content); i += step {
		at = l.skip(at)
		if i > 0 {
			if at >= len(l.src) || l.src[at] != ',' {
				l.lost(at)
			}
			at = l.skip(at + 1)
		}
		var e entry
		if step == 2 {
			e = l.pair(n.Content[i], n.Content[i+1], at, -1)
		} else {
			s := l.node(n.Content[i], -1)
			if s.start != at {
				l.lost(at)
			}
			e = entry{val: n.Content[i], start: at, keyEnd: at, colon: at, value: s, end: s.end}
		}
		l.entries[n] = append(l.entries[n], e)
		at = e.end
	}
	if single {
		return at
	}
	if at = l.skip(at); at < len(l.src) && l.src[at] == ',' {
		at = l.skip(at + 1)
	}
	if at >= len(l.src) || l.src[at] != '}' && l.src[at] != ']' {
		l.lost(at)
	}
	return at + 1
}

// column is the number of characters before an offset in its line, from 0.
func (l *layout) column(at int) int {
	return utf8.RuneCount(l.src[l.lineStart(at):at])
}

// lineStart is where the line of an offset begins.
func (l *layout) lineStart(at int) int {
	for at > 0 && l.src[at-1] != '\n' && l.src[at-1] != '\r' {
		at--
	}
	return at
}
