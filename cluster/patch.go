package cluster

import (
	"fmt"
	"slices"
	"strings"
)

// Patch is a list of changes to one document, in the grammar of
// docs/formats/cluster-documents.md section 5: what --set and --unset say.
type Patch struct{ lines []line }

// Limits of a patch.
const (
	maxLines = 1000
	maxValue = 1 << 20
)

type op string

const (
	opUnset   op = "unset"
	opSet     op = "="
	opAdd     op = "+="
	opRemove  op = "-="
	opReplace op = "replace" // of a whole list; has no text, see Rerun
)

type line struct {
	kind  string // from the prefix: Cluster, InstanceGroup, or "" for any
	path  string // as typed, without prefix
	steps []step // of path, in v1alpha2
	op    op
	value string
	list  []string // of opReplace
}

// ParsePatch reads the values of --set and --unset. The error is an
// *InvalidError with every line that cannot be read; whether a field exists and
// takes the value is looked at by Apply, which knows the kind.
func ParsePatch(sets, unsets []string) (*Patch, error) {
	p := &Patch{}
	var problems []Problem
	sets, unsets = parted(sets, beginsSet), parted(unsets, beginsPath)
	if len(sets)+len(unsets) > maxLines {
		return nil, Invalid([]Problem{{File: "--set", Message: fmt.Sprintf("%d changes at once, at most %d are allowed", len(sets)+len(unsets), maxLines)}})
	}
	read := func(flag, text string, parse func(string) (line, error)) {
		l, err := parse(text)
		if err != nil {
			problems = append(problems, Problem{File: flag, Message: err.Error()})
			return
		}
		p.lines = append(p.lines, l)
	}
	for _, text := range unsets {
		read("--unset", text, parseUnset)
	}
	for _, text := range sets {
		read("--set", text, parseSet)
	}
	if err := Invalid(problems); err != nil {
		return nil, err
	}
	return p, nil
}

// parted are the changes that texts hold: kops takes several in one, with commas
// between. Only a comma behind which another change begins parts them, so that
// values may hold commas. Quotes around a text, with which kops has commas in
// values, are taken off.
func parted(texts []string, begins func(string) bool) []string {
	var all []string
	for _, text := range texts {
		if n := len(text); n > 1 && text[0] == '"' && text[n-1] == '"' {
			all = append(all, strings.ReplaceAll(text[1:n-1], `""`, `"`))
			continue
		}
		from := 0
		for i := range len(text) {
			if text[i] == ',' && i > from && text[i-1] != '\\' && begins(text[i+1:]) {
				all = append(all, text[from:i])
				from = i + 1
			}
		}
		all = append(all, text[from:])
	}
	return all
}

// beginsSet says whether a text begins with PATH= or the like, and the path is
// that of a field.
func beginsSet(text string) bool {
	path, _, _ := strings.Cut(text, ",")
	i := operator(path)
	return i > 0 && beginsPath(strings.TrimRight(path[:i], "+-"))
}

// beginsPath says whether a text begins with the path of a field, up to a comma.
func beginsPath(text string) bool {
	path, _, _ := strings.Cut(text, ",")
	l, err := newLine(path, opUnset, "")
	if err != nil || !strings.HasPrefix(l.path, "spec.") && !strings.HasPrefix(l.path, "metadata.") {
		return false
	}
	return slices.ContainsFunc([]string{KindCluster, KindInstanceGroup}, func(kind string) bool {
		_, rest := tables()[kind].find(l.in(kind).steps)
		return len(rest) == 0
	})
}

// IsEmpty says that the patch changes nothing, in no document.
func (p *Patch) IsEmpty() bool { return p == nil || len(p.lines) == 0 }

// String lists the lines as they would be typed.
func (p *Patch) String() string {
	var texts []string
	for _, l := range p.lines {
		switch l.op {
		case opUnset:
			texts = append(texts, "--unset "+l.path)
		case opReplace:
			texts = append(texts, "--unset "+l.path, "--set "+l.path+"="+strings.Join(l.list, ","))
		default:
			texts = append(texts, "--set "+l.path+string(l.op)+l.value)
		}
	}
	return strings.Join(texts, " ")
}

func parseUnset(text string) (line, error) {
	if i := operator(text); i >= 0 {
		return line{}, fmt.Errorf("%q: a path alone, without a value", shorten(text))
	}
	return newLine(text, opUnset, "")
}

func parseSet(text string) (line, error) {
	i := operator(text)
	if i < 0 {
		return line{}, fmt.Errorf("%q: it must be PATH=VALUE", shorten(text))
	}
	path, value, o := text[:i], text[i+1:], opSet
	switch {
	case strings.HasSuffix(path, "+"):
		path, o = path[:i-1], opAdd
	case strings.HasSuffix(path, "-"):
		path, o = path[:i-1], opRemove
	}
	if len(value) > maxValue {
		return line{}, fmt.Errorf("%s: the value has %d bytes, at most %d are allowed", shorten(path), len(value), maxValue)
	}
	return newLine(path, o, value)
}

// operator is where the first = outside of brackets stands, or -1.
func operator(text string) int {
	inside := false
	for i := range len(text) {
		switch text[i] {
		case '[':
			inside = true
		case ']':
			inside = false
		case '=':
			if !inside {
				return i
			}
		}
	}
	return -1
}

func newLine(path string, o op, value string) (line, error) {
	l := line{op: o, value: value, path: path}
	if rest, ok := strings.CutPrefix(path, "cluster."); ok {
		l.kind, l.path = KindCluster, rest
	} else if rest, ok := strings.CutPrefix(path, "instancegroup."); ok {
		l.kind, l.path = KindInstanceGroup, rest
	}
	steps, err := parsePath(l.path)
	if err != nil {
		return line{}, err
	}
	for _, s := range steps {
		if s.bracket && s.name == "" {
			return line{}, fmt.Errorf("%q: empty brackets; say [0], [*], [name=x] or [key]", l.path)
		}
	}
	l.steps = steps
	return l, nil
}

// in is the line as the kind reads it: by the names of v1alpha2, if those that
// are given are none of its own.
func (l line) in(kind string) line {
	if root := tables()[kind]; root != nil {
		if _, rest := root.find(l.steps); len(rest) > 0 {
			return earlierLine(kind, l)
		}
	}
	return l
}

// flag is how the line was given, for messages.
func (l line) flag() string {
	if l.op == opUnset {
		return "--unset"
	}
	return "--set"
}
