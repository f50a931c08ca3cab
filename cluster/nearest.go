package cluster

import (
	"cmp"
	"slices"
	"strings"
)

// Nearest is the known path that is most like an unknown one, or "" where none
// is like it. It looks at the fields beside the first wrong step, then at where
// else in the kind a field of the missing name stands.
func Nearest(kind, path string) string { return nearest(tables()[kind], path) }

func nearest(root *Field, path string) string {
	steps, err := parsePath(path)
	if root == nil || err != nil || len(steps) == 0 {
		return ""
	}
	at, rest := root.find(steps)
	if len(rest) == 0 {
		return path
	}
	done := steps[:len(steps)-len(rest)]
	if name := nearestName(at.fields, rest[0].name); name != "" {
		return joinSteps(append(slices.Clone(done), step{name: name}))
	}
	return elsewhere(root, at, rest[len(rest)-1].name, path)
}

// nearestName is the field whose name is fewest typing mistakes away, a third
// of its letters at most.
func nearestName(fields []*Field, name string) string {
	best, bound := "", max(1, len(name)/3)+1
	for _, f := range fields {
		if d := distance(strings.ToLower(f.name), strings.ToLower(name)); d < bound {
			best, bound = f.name, d
		}
	}
	return best
}

// elsewhere finds the field of that name at another place: below the parent
// where it was looked for, or, where few fields have the name, the one whose
// path is most like the path asked for.
func elsewhere(root, parent *Field, name, path string) string {
	const few = 3
	found := fieldsNamed(parent, name)
	if len(found) == 0 {
		found = fieldsNamed(root, name)
	}
	if len(found) == 0 || len(found) > few {
		return ""
	}
	return slices.MinFunc(found, func(a, b string) int {
		return cmp.Or(cmp.Compare(distance(a, path), distance(b, path)), strings.Compare(a, b))
	})
}

// fieldsNamed lists the paths below a field that end in that name.
func fieldsNamed(below *Field, name string) []string {
	var found []string
	for _, c := range below.Fields() {
		if strings.EqualFold(c.name, name) {
			found = append(found, c.Path)
		}
		found = append(found, fieldsNamed(c, name)...)
	}
	return found
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours that turn a into b.
func distance(a, b string) int {
	const most = 256 // paths are short; what is longer is no typing mistake
	if len(a) > most || len(b) > most {
		return most
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			differs := 1
			if a[i-1] == b[j-1] {
				differs = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+differs)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
