package cluster

import (
	"cmp"
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with a document.
type Problem struct {
	File      string // its name as it was given: config, instancegroup/nodes-main, --set
	Line, Col int    // from 1; 0 where there is no line to point at
	Path      string // the field: spec.etcdClusters[0].etcdMembers
	Message   string
	Hint      string // what a person can do about it, or ""
}

// String is one line: file:line:col: path: message (hint).
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Col)
	}
	for _, part := range []string{p.Path, p.Message} {
		if part != "" {
			if b.Len() > 0 {
				b.WriteString(": ")
			}
			b.WriteString(part)
		}
	}
	if p.Hint != "" {
		fmt.Fprintf(&b, " (%s)", p.Hint)
	}
	return b.String()
}

// InvalidError is all that is wrong with some documents, or with a patch.
type InvalidError struct{ Problems []Problem }

// Error has one line per problem.
func (e *InvalidError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Invalid is nil for no problems, else an *InvalidError of them.
func Invalid(problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	return &InvalidError{Problems: problems}
}

// byPlace orders problems by file, line and column.
func byPlace(a, b Problem) int {
	return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
}
