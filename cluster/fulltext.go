package cluster

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/stateroom/stateroom/doc"
)

// FullText is config as it stands, with what Full knows besides: each default
// that is one value as a field, behind it a comment that says where it is from;
// each other default as a comment. It is a document of the same kind; what the
// document itself says keeps its bytes.
func (c *Cluster) FullText() ([]byte, error) { return fullText(KindCluster, c.Document, c.Full()) }

// FullText is as that of Cluster.
func (g *Group) FullText() ([]byte, error) {
	return fullText(KindInstanceGroup, g.Document, g.Full())
}

var originComments = map[Origin]string{
	OriginKops:      "# default: kops",
	OriginStateroom: "# default: as Stateroom runs it",
}

// maxFull bounds the work of writing defaults into a document, in bytes: each
// of them reads the whole of it again.
const maxFull = 16 << 20

// fullText writes defaults into a copy of a document.
func fullText(kind string, d *doc.Document, settings []Setting) ([]byte, error) {
	docs, err := doc.Parse(d.Bytes())
	if err != nil || len(docs) != 1 {
		return nil, fmt.Errorf("show all of the %s: %w", kind, err)
	}
	out := docs[0]
	out.Order = Order(kind)
	var fields, words []Setting
	most := 20 + maxFull/(len(out.Bytes())+1)
	for _, s := range settings {
		switch {
		case s.Origin == OriginSet:
		case s.Known && len(fields) < most && addDefault(out, s):
			fields = append(fields, s)
		default:
			words = append(words, s)
		}
	}
	plain := string(out.Bytes())
	text := commented(plain, fields, words)
	if sameMeaning(plain, text) {
		return []byte(text), nil
	}
	// No document is known in which these comments change what it means. Should
	// there be one, they go to the top.
	return []byte(comments(append(fields, words...), "") + plain), nil
}

// addDefault sets a field, if it then has a line of its own, on which a comment
// can stand.
func addDefault(d *doc.Document, s Setting) bool {
	if d.Set(s.Value, s.Path...) != nil {
		return false
	}
	line, _ := d.Position(s.Path...)
	want, _, _ := strings.Cut(string(doc.Format(map[string]any{s.Field.name: s.Value})), "\n")
	if strings.TrimRight(undashed(lineOf(string(d.Bytes()), line)), " \r") == want {
		return true
	}
	_ = d.Unset(s.Path...) // cannot fail: it was just set
	return false
}

// lineOf is a line of a text, from 1.
func lineOf(text string, n int) string {
	lines := strings.Split(text, "\n")
	if n < 1 || n > len(lines) {
		return ""
	}
	return lines[n-1]
}

// undashed is a line without its indentation and the dashes of list items.
func undashed(line string) string {
	line = strings.TrimLeft(line, " ")
	for strings.HasPrefix(line, "- ") {
		line = strings.TrimLeft(line[1:], " ")
	}
	return line
}

// commented puts comments behind the fields that were added, and above the lines
// beside which the others would stand.
func commented(text string, fields, words []Setting) string {
	docs, err := doc.Parse([]byte(text))
	if err != nil || len(docs) != 1 {
		return text
	}
	behind, above := map[int]Origin{}, map[int][]Setting{}
	for _, s := range fields {
		line, _ := docs[0].Position(s.Path...)
		behind[line] = s.Origin
	}
	for _, s := range words {
		line := beside(docs[0], s)
		above[line] = append(above[line], s)
	}
	var b strings.Builder
	n := 0
	for line := range strings.Lines(text) {
		n++
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		b.WriteString(comments(above[n], indent))
		if origin := behind[n]; origin != "" {
			end := line[len(strings.TrimRight(line, "\r\n")):]
			line = strings.TrimSuffix(line, end) + " " + originComments[origin] + end
		}
		b.WriteString(line)
	}
	return b.String()
}

// beside is the line of the field that comes after the one that is not set, by
// the order of the table; the first of the object where there is none.
func beside(d *doc.Document, s Setting) int {
	parent := s.Path[:len(s.Path)-1]
	value, _ := d.Get(parent...)
	object, _ := value.(map[string]any)
	next, first := "", ""
	for key := range object {
		if key > s.Field.name && (next == "" || key < next) {
			next = key
		}
		if first == "" || key < first {
			first = key
		}
	}
	if next == "" {
		next = first
	}
	if next != "" {
		parent = append(append([]string{}, parent...), next)
	}
	line, _ := d.Position(parent...)
	return line
}

// comments are lines that say what holds where nothing is set.
func comments(settings []Setting, indent string) string {
	var b strings.Builder
	for _, s := range settings {
		from := ""
		if s.Origin == OriginStateroom {
			from = ", as Stateroom runs it"
		}
		fmt.Fprintf(&b, "%s# %s is not set; default: %s%s\n", indent, doc.PathString(s.Path), s.Default, from)
	}
	return b.String()
}

// sameMeaning reports whether two texts hold the same values.
func sameMeaning(a, b string) bool {
	x, err := doc.Parse([]byte(a))
	y, err2 := doc.Parse([]byte(b))
	if err != nil || err2 != nil || len(x) != 1 || len(y) != 1 {
		return false
	}
	v, _ := x[0].Get()
	w, _ := y[0].Get()
	return reflect.DeepEqual(v, w)
}
