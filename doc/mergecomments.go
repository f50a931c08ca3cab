package doc

import (
	"bytes"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A comment is one line's comment, at a line of its document's text, from 0.
type comment struct {
	text   string // from the "#"
	line   int
	indent string // of the line
}

// comments lists those of a document: every "#" behind a blank that is not
// within a value.
func (d *Document) comments() []comment {
	value := make([]bool, len(d.src))
	if l, err := newLayout(d.src[d.body:d.bodyEnd], d.root); err == nil {
		for n, s := range l.spans {
			if n.Kind != yaml.ScalarNode && n.Kind != yaml.AliasNode {
				continue
			}
			for i := s.start; i < s.end; i++ {
				value[d.body+i] = true
			}
		}
	}
	var all []comment
	no := 0
	for at := 0; at < len(d.src); no++ {
		line := d.src[at:lineEnd(d.src, at)]
		text := bytes.TrimRight(line, "\r\n")
		for i := range text {
			if text[i] == '#' && !value[at+i] && (i == 0 || isBlank(text[i-1]) || at+i == len(bom)) {
				indent := text[:len(text)-len(bytes.TrimLeft(text, " "))]
				all = append(all, comment{strings.TrimSpace(string(text[i:])), no, string(indent)})
				break
			}
		}
		at += len(line)
	}
	return all
}

// rescue puts the comments that either side wrote and that the merge of lines
// has lost back, each on a line of its own below the line that it followed;
// where these are too many to look for a place for each, the rest stand
// together. It says how many these are.
func (m *merge) rescue(d *Document, want any, base, ours, theirs *Document) (*Document, int) {
	count := func(d *Document) (tally, []comment) {
		t := tally{}
		all := d.comments()
		for _, c := range all {
			t[c.text]++
		}
		return t, all
	}
	was, _ := count(base)
	o, inOurs := count(ours)
	t, inTheirs := count(theirs)
	have, _ := count(d)
	rescued := 0
	var rest []string
	left := m.trials(d)
	for _, side := range []struct {
		doc *Document
		all []comment
		n   tally
	}{{theirs, inTheirs, t}, {ours, inOurs, o}} {
		// From the end, so that the places found before an insertion hold.
		var places []hunk
		compared := false
		for i := len(side.all) - 1; i >= 0; i-- {
			c := side.all[i]
			if side.n[c.text] <= was[c.text] || have[c.text] >= dueTimes(was[c.text], o[c.text], t[c.text]) {
				continue
			}
			if left <= 0 {
				rest = append(rest, c.text)
				have[c.text]++
				continue
			}
			if !compared {
				places, compared = compare(lines(side.doc.src), lines(d.src)), true
			}
			if again, ok := m.putComment(d, want, follow(places, c.line), c, &left); ok {
				d = again
				have[c.text]++
				rescued++
			}
		}
	}
	slices.Reverse(rest)
	if again, ok := m.putTogether(d, want, rest); ok {
		d = again
	}
	return d, rescued + len(rest)
}

// putTogether writes comments at the end of a document, or else at the top.
func (m *merge) putTogether(d *Document, want any, texts []string) (*Document, bool) {
	if len(texts) == 0 {
		return nil, false
	}
	here := lines(d.src)
	block := strings.Join(texts, d.eol()) + d.eol()
	for _, at := range []int{len(here), 0} {
		if again, ok := m.inserted(d, want, here, at, block); ok {
			return again, true
		}
	}
	return nil, false
}

// inserted is a document with comments before one of its lines, if it then
// means what it should and has more comments.
func (m *merge) inserted(d *Document, want any, here []string, at int, comments string) (*Document, bool) {
	w := weaver{eol: d.eol()}
	w.add(here[:at]...)
	w.add(comments)
	w.add(here[at:]...)
	again, ok := parseLike(d, []byte(w.String()))
	return again, ok && m.equal(nil, plain(again.root), want) && len(again.comments()) > len(d.comments())
}

// maxPlaces bounds the places where a comment is tried.
const maxPlaces = 50

// putComment writes a comment of another document before the line near, or where
// that would change the meaning, as near to it as it can. Every place tried
// counts off left.
func (m *merge) putComment(d *Document, want any, near int, c comment, left *int) (*Document, bool) {
	here := lines(d.src)
	put := func(at int, indent string) (*Document, bool) {
		if at < 0 || at > len(here) {
			return nil, false
		}
		*left--
		return m.inserted(d, want, here, at, indent+c.text+d.eol())
	}
	for away := range maxPlaces {
		for _, at := range []int{near - away, near + away} {
			if again, ok := put(at, c.indent); ok {
				return again, true
			}
		}
	}
	for _, at := range []int{near, len(here), 0} {
		if again, ok := put(at, ""); ok {
			return again, true
		}
	}
	return nil, false
}

// follow is where a line of one text would stand in another.
func follow(hunks []hunk, line int) int {
	shift := 0
	for _, h := range hunks {
		if h.a0 >= line {
			break
		}
		if line < h.a1 {
			return min(h.b0+line-h.a0, h.b1)
		}
		shift = h.b1 - h.a1
	}
	return line + shift
}
