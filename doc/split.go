package doc

import "bytes"

// A part is one document of a text: head and tail are what surrounds it and
// holds no value (a byte order mark, empty documents, comments).
type part struct{ start, body, bodyEnd, end int }

// split finds the documents of a text by its markers: a line that begins with
// "---" or "..." and a blank ends whatever came before, in every context of
// YAML. Stretches that hold comments and blanks alone are joined to the
// document before them, or at the front to the one after, so that the parts
// are the whole text.
func split(src []byte) []part {
	if len(src) == 0 {
		return nil
	}
	start := 0
	if bytes.HasPrefix(src, bom) {
		start = len(bom)
	}
	var parts []part
	at := 0 // where the next part begins
	for _, c := range chunks(src, start) {
		switch {
		case c.full:
			parts = append(parts, part{at, c.start, c.end, c.end})
			at = c.end
		case len(parts) > 0:
			parts[len(parts)-1].end = c.end
			at = c.end
		}
	}
	if len(parts) == 0 {
		parts = append(parts, part{0, start, len(src), len(src)})
	}
	return parts
}

var bom = []byte("\xef\xbb\xbf")

type chunk struct {
	start, end int
	full       bool // holds a value, even if it is null
}

func chunks(src []byte, at int) []chunk {
	var all []chunk
	cur := chunk{start: at}
	begun := false // the current chunk has its "---"
	for at < len(src) {
		line := src[at:lineEnd(src, at)]
		next := at + len(line)
		text := bytes.TrimSpace(line)
		switch {
		case isMarker(line, "---"):
			if begun || cur.full {
				cur.end = at
				all = append(all, cur)
				cur = chunk{start: at}
			}
			begun = true
			rest := bytes.TrimSpace(line[3:])
			cur.full = len(rest) > 0 && rest[0] != '#'
		case isMarker(line, "..."):
			cur.end = next
			all = append(all, cur)
			cur, begun = chunk{start: next}, false
		case len(text) == 0 || text[0] == '#':
		case line[0] == '%' && !begun && !cur.full:
		default:
			cur.full = true
		}
		at = next
	}
	if cur.end = at; cur.end > cur.start {
		all = append(all, cur)
	}
	return all
}

// isMarker reports whether a line is a document marker, "---" or "...".
func isMarker(line []byte, marker string) bool {
	return bytes.HasPrefix(line, []byte(marker)) && (len(line) == 3 || bytes.IndexByte([]byte(" \t\r\n"), line[3]) >= 0)
}

// lineEnd is the offset after the line break that ends the line at, or the end
// of the text. "\n", "\r\n" and a lone "\r" are line breaks, as in YAML.
func lineEnd(src []byte, at int) int {
	for ; at < len(src); at++ {
		switch src[at] {
		case '\n':
			return at + 1
		case '\r':
			if at+1 < len(src) && src[at+1] == '\n' {
				return at + 2
			}
			return at + 1
		}
	}
	return at
}

// Join is the file that holds the documents: for those of one Parse, its very
// bytes with the edits made since; documents of different files are separated
// by "---" where they need to be.
func Join(docs []*Document) []byte {
	var out []byte
	for i, d := range docs {
		if i == 0 {
			out = append(out, d.src...)
			continue
		}
		if n := len(out); n > 0 && out[n-1] != '\n' && out[n-1] != '\r' {
			out = append(out, docs[i-1].eol()...)
		}
		if !endsMarked(out) && !beginsMarked(d.src) {
			out = append(out, "---"+d.eol()...)
		}
		out = append(out, bytes.TrimPrefix(d.src, bom)...)
	}
	return out
}

// endsMarked reports whether the last line of a text that says anything is
// "...", after which a document needs no marker.
func endsMarked(src []byte) bool {
	ended := true
	for at := 0; at < len(src); at = lineEnd(src, at) {
		if line := src[at:lineEnd(src, at)]; len(bytes.TrimSpace(line)) > 0 {
			ended = isMarker(line, "...")
		}
	}
	return ended
}

// beginsMarked reports whether the first line of a text that is neither blank
// nor comment nor directive is "---".
func beginsMarked(src []byte) bool {
	src = bytes.TrimPrefix(src, bom)
	for at := 0; at < len(src); at = lineEnd(src, at) {
		line := src[at:lineEnd(src, at)]
		if text := bytes.TrimSpace(line); len(text) > 0 && text[0] != '#' && line[0] != '%' {
			return isMarker(line, "---")
		}
	}
	return false
}
