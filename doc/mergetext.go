package doc

import (
	"bytes"
	"strings"
)

// text finds bytes for a value that was merged: the ways to bring the lines of
// the two sides together are tried, and what still differs in meaning is
// edited in place. Of those that mean what they should, the one that loses the
// fewest lines is taken.
func (m *merge) text(base, ours, theirs *Document, want any) (*Document, error) {
	sides, err := oneBreak(base, ours, theirs)
	if err != nil {
		return nil, err
	}
	base, ours, theirs = sides[0], sides[1], sides[2]
	due := dueLines(base, ours, theirs)
	var best *Document
	least := 0
	try := func(d *Document) (done bool) {
		if err := m.reach(d, want); err != nil || !m.equal(nil, plain(d.root), want) {
			return false
		}
		kept, n := m.rescue(d, want, base, ours, theirs)
		if loss := due.loss(kept) + 2*n; best == nil || loss < least {
			best, least = kept, loss
		}
		return least == 0
	}
	first, second := theirs, ours
	if m.equal(nil, plain(base.root), plain(ours.root)) {
		first, second = ours, theirs // ours changed only how it is written
	}
	for _, src := range weave(base, first, second) {
		if d, ok := parseLike(theirs, src); ok && try(d) {
			return best, nil
		}
	}
	for _, d := range []*Document{first, second} {
		if best == nil {
			try(d.copy())
		}
	}
	if best == nil {
		return nil, theirs.fail("merge", nil, refuse("edit the text by hand", "there is no way to write what both sides changed"))
	}
	return best, nil
}

// parseLike reads the text of a document that stands where another does.
func parseLike(like *Document, src []byte) (*Document, bool) {
	docs, err := Parse(src)
	if err != nil || len(docs) != 1 {
		return nil, false
	}
	docs[0].line, docs[0].Order = like.line, like.Order
	return docs[0], true
}

// oneBreak gives the three documents the same line breaks where one side has
// changed all of its own: theirs if ours kept them, else ours.
func oneBreak(docs ...*Document) ([]*Document, error) {
	base, ours, theirs := docs[0].eol(), docs[1].eol(), docs[2].eol()
	eol := ours
	if ours == base {
		eol = theirs
	}
	out := make([]*Document, len(docs))
	for i, d := range docs {
		if out[i] = d; d.eol() == eol || bytes.IndexByte(d.src, '\n') < 0 {
			continue
		}
		src := bytes.ReplaceAll(d.src, []byte("\r\n"), []byte("\n"))
		src = bytes.ReplaceAll(src, []byte("\n"), []byte(eol))
		again, ok := parseLike(d, src)
		if !ok {
			return nil, d.fail("merge", nil, errMeaning)
		}
		out[i] = again
	}
	return out, nil
}

// weave brings the lines of two sides together. Where both changed the same
// lines, these are in turn those of the first side, of the second, and of both;
// comments are always both.
func weave(base, first, second *Document) [][]byte {
	b, x, y := lines(base.src), lines(first.src), lines(second.src)
	all := regions(compare(b, x), compare(b, y))
	take := []func(x, y []string) []string{
		func(x, y []string) []string { return x },
		func(x, y []string) []string { return y },
		func(x, y []string) []string { return append(x[:len(x):len(x)], y...) },
		func(x, y []string) []string { return append(y[:len(y):len(y)], x...) },
	}
	if !overlap(all) {
		take = take[:1]
	}
	var texts [][]byte
	for _, pick := range take {
		w := weaver{eol: first.eol()}
		at, shiftX, shiftY := 0, 0, 0
		for _, r := range all {
			w.stable(b[at:r.base[0]], x[at+shiftX:], y[at+shiftY:])
			one, other := x[r.first[0]:r.first[1]], y[r.second[0]:r.second[1]]
			switch {
			case r.both && isRemark(one) && isRemark(other):
				w.add(bothRemarks(one, other)...)
			case r.both && equalLines(one, other), equalLines(b[r.base[0]:r.base[1]], other):
				w.add(one...)
			case r.both:
				w.add(pick(one, other)...)
			default:
				w.add(other...)
			}
			at = r.base[1]
			shiftX, shiftY = r.first[1]-at, r.second[1]-at
		}
		w.stable(b[at:], x[at+shiftX:], y[at+shiftY:])
		texts = append(texts, []byte(w.String()))
	}
	return texts
}

func overlap(all []region) bool {
	for _, r := range all {
		if r.both {
			return true
		}
	}
	return false
}

func equalLines(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if bare(a[i]) != bare(b[i]) {
			return false
		}
	}
	return true
}

// isRemark reports whether lines are comments and blanks alone.
func isRemark(lines []string) bool {
	for _, line := range lines {
		if text := strings.TrimSpace(line); text != "" && text[0] != '#' {
			return false
		}
	}
	return true
}

// bothRemarks are the comments of both sides, what they share once.
func bothRemarks(first, second []string) []string {
	out := first[:len(first):len(first)]
	have := map[string]bool{}
	for _, line := range first {
		have[bare(line)] = true
	}
	for _, line := range second {
		if text := strings.TrimSpace(line); text != "" && !have[bare(line)] {
			out = append(out, line)
		}
	}
	return out
}

// A weaver writes lines one after the other.
type weaver struct {
	strings.Builder
	eol  string
	open bool // the last line has no break yet
}

func (w *weaver) add(lines ...string) {
	for _, line := range lines {
		if w.open {
			w.WriteString(w.eol)
		}
		w.WriteString(line)
		w.open = len(line) == len(bare(line))
	}
}

// stable writes lines that both sides kept. Their breaks may differ.
func (w *weaver) stable(base, first, second []string) {
	for i, line := range base {
		if second[i] != line {
			w.add(second[i])
		} else {
			w.add(first[i])
		}
	}
}

// A tally counts lines, blanks around them and blank lines aside.
type tally map[string]int

func tallyOf(d *Document) tally {
	t := tally{}
	for _, line := range lines(d.src) {
		if text := strings.TrimSpace(line); text != "" {
			t[text]++
		}
	}
	return t
}

// dueLines is how often each line would stand in a text that lost nothing.
func dueLines(base, ours, theirs *Document) tally {
	b, o, t := tallyOf(base), tallyOf(ours), tallyOf(theirs)
	due := tally{}
	for _, in := range []tally{b, o, t} {
		for text := range in {
			due[text] = dueTimes(b[text], o[text], t[text])
		}
	}
	return due
}

// dueTimes merges a count: what both sides did alike counts once.
func dueTimes(base, ours, theirs int) int {
	o, t := ours-base, theirs-base
	switch {
	case o > 0 && t > 0:
		return base + max(o, t)
	case o < 0 && t < 0:
		return base + min(o, t)
	}
	return max(0, base+o+t)
}

// loss is how many lines a document has too few or too many.
func (t tally) loss(d *Document) int {
	sum := 0
	have := tallyOf(d)
	for text, n := range t {
		sum += max(n-have[text], have[text]-n)
	}
	for text, n := range have {
		if _, known := t[text]; !known {
			sum += n
		}
	}
	return sum
}
