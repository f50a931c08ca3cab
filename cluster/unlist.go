package cluster

import (
	"bytes"
	"encoding/json"
)

// unlist makes documents of the elements of a list in JSON, as get all -o json
// prints them. What stands on a line stays on that line, where each element has
// lines of its own. Any other text is returned as it is.
func unlist(src []byte) []byte {
	if text := bytes.TrimLeft(src, " \t\r\n"); len(text) == 0 || text[0] != '[' || !json.Valid(src) {
		return src
	}
	var out []byte
	depth, quoted := 0, false
	for i := 0; i < len(src); i++ {
		switch c := src[i]; {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\':
			out = append(out, c)
			i++ // what is escaped ends no text
		case quoted:
		case c == '[', c == '{':
			if depth++; depth == 1 {
				continue
			}
		case c == ']', c == '}':
			if depth--; depth == 0 {
				continue
			}
		case c == ',' && depth == 1:
			rest := bytes.TrimLeft(src[i+1:], " \t\r\n")
			gap := src[i+1 : len(src)-len(rest)]
			out = append(out, bytes.Repeat([]byte("\n"), max(1, bytes.Count(gap, []byte("\n"))))...)
			out = append(out, "--- "...)
			i += len(gap)
			continue
		}
		out = append(out, src[i])
	}
	return out
}
