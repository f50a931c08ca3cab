package cluster

import (
	"fmt"
	"strings"
)

const maxPath = 1024

// step is one step of a path: a name behind a dot, or what stands in brackets.
type step struct {
	name    string
	bracket bool
}

// parsePath reads the PATH of docs/formats/cluster-documents.md section 5,
// without its prefix. The paths of the table, with [] and {}, are read too.
func parsePath(path string) ([]step, error) {
	if path == "" {
		return nil, fmt.Errorf("the path is empty")
	}
	if len(path) > maxPath {
		return nil, fmt.Errorf("the path has %d characters, at most %d are allowed", len(path), maxPath)
	}
	if i := strings.IndexFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }); i >= 0 {
		return nil, fmt.Errorf("the path has a control character or is no UTF-8 at byte %d", i)
	}
	var steps []step
	for rest, first := path, true; rest != ""; first = false {
		if rest[0] == '[' {
			name, after, ok := bracket(rest)
			if !ok || first {
				return nil, fmt.Errorf("%q: a bracket that is not closed, or has no name before it", path)
			}
			steps = append(steps, step{name: name, bracket: true})
			rest = after
			continue
		}
		if !first {
			if rest[0] != '.' {
				return nil, fmt.Errorf("%q: a dot or a bracket must follow ]", path)
			}
			rest = rest[1:]
		}
		name := rest
		if i := strings.IndexAny(rest, ".["); i >= 0 {
			name = rest[:i]
		}
		rest = rest[len(name):]
		name, element := strings.CutSuffix(name, "{}")
		if name == "" || strings.ContainsAny(name, "]{}=") {
			return nil, fmt.Errorf("%q: %q is no name", path, name)
		}
		steps = append(steps, step{name: name})
		if element {
			steps = append(steps, step{bracket: true})
		}
	}
	return steps, nil
}

// bracket reads [SELECTOR], which may be quoted as messages do: ["a.b"].
func bracket(text string) (selector, after string, ok bool) {
	if quoted, ok := strings.CutPrefix(text, `["`); ok {
		return strings.Cut(quoted, `"]`)
	}
	return strings.Cut(text[1:], "]")
}

// joinSteps is the text of a path again.
func joinSteps(steps []step) string {
	var b strings.Builder
	for i, s := range steps {
		switch {
		case s.bracket:
			b.WriteString("[" + s.name + "]")
		case i > 0:
			b.WriteString("." + s.name)
		default:
			b.WriteString(s.name)
		}
	}
	return b.String()
}
