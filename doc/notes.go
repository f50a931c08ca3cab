package doc

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// A Note is something to say about a line of a text.
type Note struct {
	Line int // from 1; 0, or a line that is not there, is said at the top
	Text string
}

// Mark begins every line of a note, behind the indentation of the line that it
// is about.
const Mark = "# stateroom: "

// Annotated is a text with notes in it, as it is shown to a person who edits
// it.
type Annotated struct {
	Text  []byte
	notes [][]string      // per note, its lines as they stand in Text, trimmed
	ours  map[string]bool // all of them
}

// Annotate puts notes into a text, as comments on lines of their own above the
// lines that they are about. The text may be of any kind: Strip gives its very
// bytes back.
func Annotate(text []byte, notes []Note) *Annotated {
	head, body := cutBOM(text)
	all := rows(body)
	typed := map[string]bool{}
	for _, line := range all {
		typed[strings.TrimSpace(line)] = true
	}
	a := &Annotated{ours: map[string]bool{}}
	above := map[int][]string{}
	for _, n := range notes {
		at := n.Line - 1
		if at < 0 || at >= len(all) {
			at = 0
		}
		said := saying(n.Text, typed)
		a.notes = append(a.notes, said)
		above[at] = append(above[at], said...)
	}
	eol := "\n"
	if len(all) > 0 && strings.HasSuffix(all[0], "\r\n") {
		eol = "\r\n"
	}
	out := slices.Clone(head)
	for i, line := range append(all, "")[:max(len(all), 1)] {
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		for _, said := range above[i] {
			a.ours[said] = true
			out = append(out, indent+said+eol...)
		}
		out = append(out, line...)
	}
	a.Text = out
	return a
}

// rows splits a text into its lines, breaks included, as places in documents
// are counted.
func rows(text []byte) []string {
	var all []string
	from := 0
	for at := 0; at < len(text); {
		n := breakLen(text, at)
		if at += max(n, 1); n > 0 {
			all = append(all, string(text[from:at]))
			from = at
		}
	}
	if from < len(text) {
		all = append(all, string(text[from:]))
	}
	return all
}

// saying are the lines of a note. None of them is a line that was typed: where
// one would be, it is numbered.
func saying(text string, typed map[string]bool) []string {
	var said []string
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		line = strings.TrimSpace(strings.Map(legible, line))
		one := strings.TrimSpace(Mark + line)
		for i := 2; typed[one]; i++ {
			one = strings.TrimSpace(fmt.Sprintf("%s(%d) %s", Mark, i, line))
		}
		said = append(said, one)
	}
	return said
}

// legible keeps what others wrote from ending the line or hiding some of it.
func legible(r rune) rune {
	if r == ' ' || unicode.IsPrint(r) {
		return r
	}
	return '�'
}

// Strip takes the notes out of what came back from the person. It takes out the
// lines that are exactly ours, wherever they stand now and however they are
// indented, and no other: a note in which something was typed stays.
func (a *Annotated) Strip(back []byte) []byte {
	head, body := cutBOM(back)
	out := slices.Clone(head)
	for _, line := range rows(body) {
		if !a.ours[strings.TrimSpace(line)] {
			out = append(out, line...)
		}
	}
	return out
}

// Stands reports whether all of note i still stands in
// what came back.
func (a *Annotated) Stands(i int, back []byte) bool {
	_, body := cutBOM(back)
	there := map[string]bool{}
	for _, line := range rows(body) {
		there[strings.TrimSpace(line)] = true
	}
	for _, line := range a.notes[i] {
		if !there[line] {
			return false
		}
	}
	return true
}

func cutBOM(text []byte) (head, body []byte) {
	if bytes.HasPrefix(text, bom) {
		return text[:len(bom)], text[len(bom):]
	}
	return nil, text
}
