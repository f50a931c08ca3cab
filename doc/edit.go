package doc

import (
	"bytes"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The functions here say which splices make an edit. They may be wrong about a
// text they have not foreseen: apply finds out.

// spaces is an indentation.
func spaces(n int) string { return strings.Repeat(" ", n) }

// replace puts another value into an entry of a collection.
func (l *layout) replace(parent *yaml.Node, e entry, v any, st style) []splice {
	if parent.Style&yaml.FlowStyle != 0 {
		return l.replaceFlow(e, v, st)
	}
	col := l.column(e.start)
	w := writer{style: st}
	if e.key != nil {
		w.value(v, col)
	} else {
		w.item(v, col)
	}
	text := w.String()
	if e.key == nil {
		text = text[1:] // the dash stands already
	}
	if s, ok := v.(string); ok && (e.val.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 || !strings.Contains(text, "\n")) {
		text = " " + stringText(s, st, false, e.val.Style)
	}
	return l.put(e, text, st)
}

// put writes text, which begins with a blank or a line break, behind the colon
// or dash of an entry in a block, in place of its value.
func (l *layout) put(e entry, text string, st style) []splice {
	if e.colon < 0 { // "? key" without a value
		return []splice{{e.keyEnd, e.keyEnd, st.eol + spaces(l.column(e.start)) + ":" + text}}
	}
	inline, lines := text, ""
	if i := strings.Index(text, st.eol); i >= 0 {
		inline, lines = text[:i], text[i:]
	}
	block := e.val.Style&yaml.FlowStyle == 0 && (e.val.Kind == yaml.MappingNode || e.val.Kind == yaml.SequenceNode)
	if block {
		return l.putOverBlock(e, inline, lines)
	}
	stop := l.lineStop(e.value.end)
	rest := string(l.src[e.value.end:stop]) // blanks, a comment
	if e.key == nil && lines != "" && inline != "" && strings.TrimSpace(rest) != "" && !isHeader(inline) {
		// "- old # comment": the mapping goes below the comment.
		lines = st.eol + spaces(l.column(e.start)+2) + strings.TrimPrefix(inline, " ") + lines
		inline = ""
	}
	if strings.TrimSpace(rest) == "" && lines != "" {
		return []splice{{e.colon, stop, inline + lines}}
	}
	from := e.colon
	if gap := l.src[e.colon:e.value.start]; len(gap) > 0 && len(bytes.Trim(gap, " ")) == 0 && inline != "" {
		from, inline = e.value.start, strings.TrimPrefix(inline, " ")
	}
	all := []splice{{from, e.value.end, inline}}
	if lines != "" {
		all = append(all, splice{stop, stop, lines})
	}
	return all
}

// isHeader reports whether a text begins a literal block.
func isHeader(s string) bool { return strings.HasPrefix(s, " |") }

// putOverBlock does what put does where a block mapping or list stood. A
// comment behind its key stays.
func (l *layout) putOverBlock(e entry, inline, lines string) []splice {
	extent := l.extent(e)
	first := l.entries[e.val][0]
	stop := l.lineStop(e.value.text)
	if e.value.text == e.value.start { // neither anchor nor tag
		stop = l.lineStop(e.colon)
	}
	if first.start < stop { // "- key: value"
		return []splice{{e.colon, extent, inline + lines}}
	}
	propsEnd := e.colon
	if e.value.text > e.value.start {
		propsEnd = e.value.text
	}
	return []splice{{e.colon, propsEnd, inline}, {stop, extent, lines}}
}

func (l *layout) replaceFlow(e entry, v any, st style) []splice {
	text := l.flowText(e.start, v, st, e.val.Style)
	switch {
	case e.value.end > e.value.start:
		return []splice{{e.value.start, e.value.end, text}}
	case e.colon < 0:
		return []splice{{e.keyEnd, e.keyEnd, ": " + text}}
	}
	return []splice{{e.colon, e.colon, " " + text}}
}

// flowText writes a value that stands in brackets on the line of an offset.
func (l *layout) flowText(at int, v any, st style, like yaml.Style) string {
	w := writer{style: st}
	if isBlock(v) {
		line := l.src[l.lineStart(at):at]
		w.flow(v, len(line)-len(bytes.TrimLeft(line, " ")))
		return w.String()
	}
	return scalarOrEmpty(v, st, true, like)
}

// insert adds an entry to a collection behind its entry at index after, or at
// the front for -1. The key is not used in a list.
func (l *layout) insert(n *yaml.Node, after int, key string, v any, st style) ([]splice, error) {
	es := l.entries[n]
	if n.Style&yaml.FlowStyle != 0 {
		return l.insertFlow(n, after, key, v, st)
	}
	if len(es) == 0 {
		return nil, errPlace
	}
	col := l.column(es[0].start)
	w := writer{style: st}
	if n.Kind == yaml.MappingNode {
		w.WriteString(stringText(key, st, false, 0) + ":")
		w.value(v, col)
	} else {
		w.item(v, col)
	}
	if after >= 0 {
		at := l.extent(es[after])
		return []splice{{at, at, st.eol + spaces(col) + w.String()}}, nil
	}
	if at, ok := l.begin(es[0]); ok {
		return []splice{{at, at, spaces(col) + w.String() + st.eol}}, nil
	}
	at := es[0].start
	return []splice{{at, at, w.String() + st.eol + spaces(col)}}, nil
}

func (l *layout) insertFlow(n *yaml.Node, after int, key string, v any, st style) ([]splice, error) {
	es, s := l.entries[n], l.spans[n]
	open := l.skip(s.text)
	if l.src[open] != '{' && l.src[open] != '[' {
		return nil, errPlace
	}
	name := ""
	if n.Kind == yaml.MappingNode {
		name = stringText(key, st, true, 0) + ": "
	}
	if len(es) == 0 {
		line := l.src[l.lineStart(s.start):s.start]
		indent := len(line) - len(bytes.TrimLeft(line, " "))
		text := name + l.flowText(s.start, v, st, 0)
		if st.wide {
			w := writer{style: st}
			w.line(indent + st.unit)
			w.WriteString(name)
			w.flow(v, indent+st.unit)
			w.line(indent)
			text = w.String()
		}
		return []splice{{open + 1, s.end - 1, text}}, nil
	}
	gap := ", "
	if between := l.src[open:es[0].start]; bytes.ContainsAny(between, "\r\n") {
		gap = "," + st.eol + string(between[bytes.LastIndexAny(between, "\r\n")+1:])
	}
	if after < 0 {
		at := es[0].start
		return []splice{{at, at, name + l.flowText(at, v, st, 0) + gap}}, nil
	}
	at := es[after].end
	return []splice{{at, at, gap + name + l.flowText(es[after].start, v, st, 0)}}, nil
}

// remove takes an entry out of a collection that has others.
func (l *layout) remove(n *yaml.Node, i int) []splice {
	es := l.entries[n]
	e := es[i]
	if n.Style&yaml.FlowStyle != 0 {
		return []splice{l.removeFlow(es, i)}
	}
	stop := l.extent(e)
	at, ok := l.begin(e)
	if !ok { // "- key: value": the next one takes its place
		next := es[i+1].start
		if bytes.IndexByte(l.src[stop:next], '#') < 0 {
			return []splice{{at, next, ""}}
		}
		return []splice{{at - len(l.src[:at]) + len(bytes.TrimRight(l.src[:at], " ")), stop, ""}}
	}
	if end := lineEnd(l.src, stop); end > stop {
		return []splice{{at, end, ""}}
	}
	// The last line has no line break: the one before it loses its own.
	return []splice{{at - len(breakOf(l.src[:at])), stop, ""}}
}

// removeFlow takes an entry out of brackets with the comma before it, or after
// the first; where a comment stands between, with the comma after it.
func (l *layout) removeFlow(es []entry, i int) splice {
	e := es[i]
	from, to := e.start, e.end
	if i == 0 {
		to = es[1].start
	} else {
		from = es[i-1].end
	}
	if between := bytes.Replace(l.src[from:to], l.src[e.start:e.end], nil, 1); bytes.IndexByte(between, '#') < 0 {
		return splice{from, to, ""}
	}
	if comma := l.skip(e.end); l.src[comma] == ',' {
		return splice{e.start, comma + 1, ""}
	}
	return splice{e.start, e.end, ""}
}

// index is the entry of a node with the given key, or list index.
func (l *layout) index(n *yaml.Node, val *yaml.Node) int {
	return slices.IndexFunc(l.entries[n], func(e entry) bool { return e.val == val })
}
