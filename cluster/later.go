package cluster

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/stateroom/stateroom/doc"
)

// LaterAPIVersion is the version of kops whose documents are read as well. It
// has the fields of v1alpha2 under other names and at other places.
const LaterAPIVersion = "kops.k8s.io/v1alpha3"

//go:embed v1alpha3.txt
var laterText string

// rule says what becomes of a field, and of what lies below it.
type rule struct {
	from string // in v1alpha2, as Field.Path has it
	op   string // move, not, join, pairs, drop
	to   string // in v1alpha3
}

// laterRules are those of each kind; the last that fits counts, since the ones
// of what lies below come later.
var laterRules = sync.OnceValue(func() map[string][]rule {
	rules := map[string][]rule{}
	for line := range strings.Lines(laterText) {
		words := strings.Fields(line)
		if line[0] == '#' || len(words) < 3 || words[2] == "add" {
			continue
		}
		r := rule{from: words[1], op: words[2]}
		if r.op != "drop" {
			r.to = words[3]
		}
		rules[words[0]] = append(rules[words[0]], r)
	}
	for _, all := range rules {
		slices.SortFunc(all, func(a, b rule) int { return len(a.from) - len(b.from) })
	}
	return rules
})

// below says whether path is from, or lies below it, and what follows then.
func below(path, from string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(path, from)
	return rest, ok && (rest == "" || strings.ContainsRune(".[{", rune(rest[0])))
}

// laterPath is where v1alpha3 has a field of v1alpha2, and by which rule; "" is
// nowhere.
func laterPath(kind, path string) (string, rule) {
	rules := laterRules()[kind]
	for i := len(rules) - 1; i >= 0; i-- {
		if rest, ok := below(path, rules[i].from); ok {
			if rules[i].op == "drop" {
				return "", rules[i]
			}
			return rules[i].to + rest, rules[i]
		}
	}
	return path, rule{from: path, op: "move", to: path}
}

// earlierLine is a line of a patch by the names of v1alpha2, where it is by those
// of v1alpha3: kops itself takes the later names in --set. The selectors of a
// path stay: spec.networking.subnets[0].name is spec.subnets[0].name.
func earlierLine(kind string, l line) line {
	rules := laterRules()[kind]
	best, length := rule{}, 0
	for _, r := range rules {
		if to, err := parsePath(r.to); err == nil && r.to != "" && len(to) > length && covers(to, l.steps) {
			best, length = r, len(to)
		}
	}
	if length == 0 {
		return l
	}
	earlier, err := parsePath(best.from)
	if err != nil {
		return l
	}
	var selectors []step
	for _, s := range l.steps[:length] {
		if s.bracket {
			selectors = append(selectors, s)
		}
	}
	for i := range earlier {
		if earlier[i].bracket && len(selectors) > 0 {
			earlier[i], selectors = selectors[0], selectors[1:]
		}
	}
	l.steps = append(earlier, l.steps[length:]...)
	if l.op == opSet {
		l.value = best.earlierValue(l.value)
	}
	return l
}

// covers reports whether steps begin with a path of the table.
func covers(path, steps []step) bool {
	if len(path) > len(steps) {
		return false
	}
	for i, s := range path {
		if s.bracket != steps[i].bracket || !s.bracket && s.name != steps[i].name {
			return false
		}
	}
	return true
}

// earlierValue is the text of a value as v1alpha2 has it.
func (r rule) earlierValue(text string) string {
	if b, err := strconv.ParseBool(text); r.op == "not" && err == nil {
		return strconv.FormatBool(!b)
	}
	if r.op == "pairs" { // the list is split at commas, the map is not
		return strings.ReplaceAll(text, ",", `\,`)
	}
	return text
}

// nowLater is where v1alpha3 has the field that v1alpha2 has at a path as it is
// typed; "" where v1alpha2 has none.
func nowLater(kind, path string) string {
	f, ok := FieldFor(kind, path)
	if !ok {
		return ""
	}
	later, _ := laterPath(kind, f.Path)
	return later
}

// laterTables are the fields of v1alpha3: those of v1alpha2, each at its place.
var laterTables = sync.OnceValue(func() map[string]*Field {
	kinds := map[string]*Field{}
	for kind, root := range tables() {
		later := &Field{Type: Object}
		var walk func(f *Field)
		walk = func(f *Field) {
			for _, c := range f.Fields() {
				if path, r := laterPath(kind, c.Path); path != "" {
					later.grow(path, asLater(c, r))
				}
				walk(c)
			}
		}
		walk(root)
		kinds[kind] = later
	}
	for line := range strings.Lines(laterText) {
		if kind, rest, ok := strings.Cut(line, " - add "); ok && line[0] != '#' {
			path, field, _ := strings.Cut(strings.TrimSuffix(rest, "\n"), " ")
			kinds[kind].grow(path, newField("", "", field))
		}
	}
	return kinds
})

// asLater is a field as v1alpha3 has it, without what lies below it. Of where it
// stands in v1alpha2 it knows by twin.
func asLater(f *Field, r rule) *Field {
	later := *f
	later.twin, later.fields = f, nil
	later.Enum = laterWords(f.Enum)
	switch r.op {
	case "join":
		later.Type, later.Elem, later.List = List, &Field{Type: String}, "set"
	case "pairs":
		later.Type, later.Elem, later.List, later.Format = Map, &Field{Type: String}, "", ""
	default:
		if f.Elem != nil {
			later.Elem = asLater(f.Elem, r)
			later.Elem.twin = nil
		}
	}
	later.rule = r
	return &later
}

// laterWords are the values of an enumeration: roles have another name for the
// control plane.
func laterWords(enum []string) []string {
	i := slices.Index(enum, string(RoleControlPlane))
	if i < 0 {
		return enum
	}
	words := slices.DeleteFunc(slices.Clone(enum), func(v string) bool { return v == laterControlPlane })
	words[i] = laterControlPlane
	return words
}

const laterControlPlane = "ControlPlane"

// grow puts a field at a path, with the objects above it that are not there.
func (f *Field) grow(path string, field *Field) {
	name, rest, more := strings.Cut(path, ".")
	name = strings.TrimRight(name, "[]{}")
	inside := f.leaf()
	c := inside.child(name)
	if c == nil {
		c = &Field{Type: Object, name: name, Doc: "Holds what v1alpha2 has elsewhere."}
		c.place(inside.Path)
		at, _ := slices.BinarySearchFunc(inside.fields, name, func(c *Field, n string) int { return strings.Compare(c.name, n) })
		inside.fields = slices.Insert(inside.fields, at, c)
	}
	if more {
		c.grow(rest, field)
		return
	}
	fields := c.leaf().fields
	*c = *field
	c.name = name
	c.place(inside.Path)
	c.leaf().fields = fields
}

// place says the path of a field below a parent, and of its elements.
func (f *Field) place(parent string) {
	f.Path = strings.TrimPrefix(parent+"."+f.name, ".")
	for e := f; e.Elem != nil; e = e.Elem {
		e.Elem.Path = e.Path + map[Type]string{List: "[]", Map: "{}"}[e.Type]
	}
}

// isLater says whether a document is in v1alpha3.
func isLater(d *doc.Document) bool {
	value, _ := d.Get("apiVersion")
	return value == LaterAPIVersion || value == "kops/v1alpha3"
}

// tableOf is the root of the fields of a document's kind, in its version; nil
// for an unknown kind.
func tableOf(kind string, d *doc.Document) *Field {
	if isLater(d) {
		return laterTables()[kind]
	}
	return tables()[kind]
}
