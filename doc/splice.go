package doc

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Span is a stretch of the text as it was parsed, and what stands in its
// place now. Everything outside the spans is as it was.
type Span struct {
	Start, End int // in the bytes as they were parsed
	Text       string
}

// Changed lists what the edits since Parse have changed, in order and without
// overlap: the parsed bytes with each span replaced by its Text are Bytes.
func (d *Document) Changed() []Span {
	var out []Span
	for _, s := range d.changed {
		was := string(d.original[s.Start:s.End])
		for len(was) > 0 && len(s.Text) > 0 && was[0] == s.Text[0] {
			was, s.Text, s.Start = was[1:], s.Text[1:], s.Start+1
		}
		for len(was) > 0 && len(s.Text) > 0 && was[len(was)-1] == s.Text[len(s.Text)-1] {
			was, s.Text, s.End = was[:len(was)-1], s.Text[:len(s.Text)-1], s.End-1
		}
		if was != s.Text {
			out = append(out, s)
		}
	}
	return out
}

// A splice puts text in place of a stretch of the body.
type splice struct {
	start, end int
	text       string
}

// record adds a splice, in offsets of src, to the spans, which count in the
// original: it swallows those it touches.
func record(spans []Span, sp splice) []Span {
	var out []Span
	shift := 0 // how much longer the text is, before the span looked at
	i := 0
	for ; i < len(spans) && spans[i].Start+shift+len(spans[i].Text) < sp.start; i++ {
		out = append(out, spans[i])
		shift += len(spans[i].Text) - (spans[i].End - spans[i].Start)
	}
	merged := Span{sp.start - shift, sp.end - shift, sp.text}
	first := true
	for ; i < len(spans) && spans[i].Start+shift <= sp.end; i++ {
		s := spans[i]
		begin := s.Start + shift
		end := begin + len(s.Text)
		grown := len(s.Text) - (s.End - s.Start)
		if first {
			first = false
			merged.Start = min(merged.Start, s.Start)
			if begin < sp.start {
				merged.Text = s.Text[:sp.start-begin] + merged.Text
			}
		}
		shift += grown
		if end > sp.end {
			merged.Text += s.Text[len(s.Text)-(end-sp.end):]
			merged.End = s.End
		} else {
			merged.End = sp.end - shift
		}
	}
	return append(append(out, merged), spans[i:]...)
}

var (
	errMeaning = errors.New("the result would not read as intended")
	errPlace   = errors.New("no place for it")
	errFar     = errors.New("too much differs")
	errLarge   = refuse("put what is large into a file of its own", "the document would have more than the limit of %d bytes", MaxSize)
)

// apply makes the splices and takes the result if it reads as want; else the
// document stays as it is.
func (d *Document) apply(splices []splice, want any) error {
	if d.left != nil {
		if *d.left--; *d.left < 0 {
			return errFar
		}
	}
	slices.SortFunc(splices, func(a, b splice) int { return a.start - b.start })
	src, spans, bodyEnd := d.src, d.changed, d.bodyEnd
	for i := len(splices) - 1; i >= 0; i-- {
		sp := splices[i]
		sp.start += d.body
		sp.end += d.body
		if sp.end < sp.start || i+1 < len(splices) && sp.end > splices[i+1].start+d.body {
			return errPlace
		}
		src = slices.Concat(src[:sp.start], []byte(sp.text), src[sp.end:])
		spans = record(spans, sp)
		bodyEnd += len(sp.text) - (sp.end - sp.start)
	}
	if len(src) > MaxSize {
		return errLarge
	}
	body := src[d.body:bodyEnd]
	root, errs := parseBody(body)
	if errs != nil || !same(plain(root), want) {
		return errMeaning
	}
	if d.isJSON() && !json.Valid(body) {
		return errMeaning
	}
	d.src, d.changed, d.bodyEnd, d.root = src, spans, bodyEnd, root
	return nil
}

// isJSON reports whether the document is JSON: brackets outside, and what JSON
// allows inside. "{}" alone counts as YAML.
func (d *Document) isJSON() bool {
	return d.root.Style&yaml.FlowStyle != 0 && len(d.root.Content) > 0 && json.Valid(d.src[d.body:d.bodyEnd])
}

// style is how the part of the document around a node is written: what the
// node's own contents show, and where they show nothing, the document's.
func (d *Document) style(l *layout, near *yaml.Node) style {
	st := style{eol: d.eol(), json: d.isJSON()}
	st.dash = -1
	for _, n := range []*yaml.Node{near, d.root} {
		l.learn(n, &st.unit, &st.dash)
	}
	if st.unit == 0 {
		st.unit = 2
	}
	st.dash = max(st.dash, 0)
	if st.json {
		body := d.src[d.body:d.bodyEnd]
		st.wide = bytes.ContainsAny(bytes.TrimSpace(body), "\r\n")
		if st.wide {
			st.unit = 2
			if es := l.entries[d.root]; len(es) > 0 {
				st.unit = max(1, l.column(es[0].start)-l.column(l.spans[d.root].start))
			}
		}
	}
	return st
}

// learn looks for the indentation of mappings (0 while unknown) and lists (-1) in
// mappings below n.
func (l *layout) learn(n *yaml.Node, unit, dash *int) {
	if n.Style&yaml.FlowStyle != 0 || *unit > 0 && *dash >= 0 {
		return
	}
	for _, e := range l.entries[n] {
		in := l.entries[e.val]
		if e.key != nil && !e.explicit && len(in) > 0 && e.val.Style&yaml.FlowStyle == 0 {
			deeper := l.column(in[0].start) - l.column(e.start)
			switch {
			case e.val.Kind == yaml.MappingNode && *unit == 0:
				*unit = deeper
			case e.val.Kind == yaml.SequenceNode && *dash < 0:
				*dash = deeper
			}
		}
		l.learn(e.val, unit, dash)
	}
}

// lineStop is the end of the line of an offset, before its line break.
func (l *layout) lineStop(at int) int {
	for at < len(l.src) && l.src[at] != '\n' && l.src[at] != '\r' {
		at++
	}
	return at
}

// extent is the end of an entry of a block with the comments that are indented
// below it, before the line break.
func (l *layout) extent(e entry) int {
	col := l.column(e.start)
	stop := l.lineStop(e.end)
	for at := lineEnd(l.src, stop); at < len(l.src); {
		next := lineEnd(l.src, at)
		line := l.src[at:next]
		text := bytes.TrimLeft(line, " ")
		if len(bytes.TrimSpace(text)) > 0 {
			if text[0] != '#' || len(line)-len(text) <= col {
				break
			}
			stop = at + len(line) - len(breakOf(line))
		}
		at = next
	}
	return stop
}

// begin is where the lines of an entry begin, its own comment included: the
// comment lines directly above it in its column. A comment on the first lines
// of a document is the document's. ok is false for an entry that begins within
// a line.
func (l *layout) begin(e entry) (at int, ok bool) {
	at = l.lineStart(e.start)
	if strings.Trim(string(l.src[at:e.start]), " ") != "" {
		return e.start, false
	}
	col := e.start - at
	for above := at; above > 0; {
		above = l.lineStart(above - len(breakOf(l.src[:above])))
		line := l.src[above:at]
		if above == 0 || isMarker(line, "---") {
			if text := bytes.TrimLeft(line, " "); above == 0 && len(text) > 0 && text[0] == '#' || isMarker(line, "---") {
				return l.lineStart(e.start), true
			}
			return at, true
		}
		text := bytes.TrimLeft(line, " ")
		if text[0] != '#' || len(line)-len(text) != col {
			break
		}
		at = above
	}
	return at, true
}
