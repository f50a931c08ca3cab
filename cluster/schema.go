package cluster

import (
	"maps"
	"slices"
	"strings"

	"github.com/stateroom/stateroom/doc"
)

// The kinds of kops.k8s.io/v1alpha2 whose fields are known here.
const (
	KindCluster       = "Cluster"
	KindInstanceGroup = "InstanceGroup"
	KindKeyset        = "Keyset"
	KindSSHCredential = "SSHCredential"
)

// APIVersion is the version of the documents that are read and written.
const APIVersion = "kops.k8s.io/v1alpha2"

// Type is what a field holds.
type Type string

// The types of docs/formats/cluster-documents.md section 3.
const (
	String      Type = "string"
	Bool        Type = "bool"
	Int         Type = "int"
	Number      Type = "number"
	Quantity    Type = "quantity"
	IntOrString Type = "int-or-string"
	Duration    Type = "duration"
	Time        Type = "time"
	Map         Type = "map"
	List        Type = "list"
	Object      Type = "object"
	Any         Type = "any"
)

// Field is one field of a document. In Path, the elements of a list are "[]",
// those of a map "{}": spec.etcdClusters[].name, spec.cloudLabels{}.
//
// What is known of its values: see docs/formats/cluster-documents.md section 3.
// Enum and Format of a list or map are those of its innermost elements, which
// have them as well.
type Field struct {
	Path string
	Type Type
	Elem *Field // of one element, for Map and List

	Doc       string   // what it does, in a sentence or a few; "" for an element
	Default   string   // what holds where it is absent: a value, or words; "" where that is not known
	Fixed     bool     // Default is one value, as --set takes it
	Clouds    []string // where alone it means something, what lies below it included; nil: everywhere, "any": in all clouds, but not on hosts
	Since     string   // the version of kops that brought it, "" where that is not known
	Enum      []string // the only values there are; nil: any
	Format    Format   // the form of a text
	List      string   // how a list merges: "set", "atomic" or "map"; "" for what is none
	Keys      []string // of a "map": the fields that tell its items apart
	Required  bool     // kops refuses a document without it
	Immutable bool     // it cannot change later
	Omit      bool     // kops leaves it out where it is empty, 0 or false

	min, max int64    // of an Int
	fields   []*Field // of an Object, sorted by name
	name     string   // last step of Path, "" for an element

	twin *Field // of a field of v1alpha3: where v1alpha2 has it; nil: nowhere
	rule rule   // by which it is there
}

// Name is the last step of the path; an element of a list or map has none.
func (f *Field) Name() string { return f.name }

// Fields are the fields of an object, or of one element of a list or map of
// objects, sorted by name.
func (f *Field) Fields() []*Field { return f.leaf().fields }

// child is the field of that name, or nil.
func (f *Field) child(name string) *Field {
	i, ok := slices.BinarySearchFunc(f.fields, name, func(c *Field, n string) int { return strings.Compare(c.name, n) })
	if !ok {
		return nil
	}
	return f.fields[i]
}

// leaf is the innermost element type: itself for what has none.
func (f *Field) leaf() *Field {
	for f.Elem != nil {
		f = f.Elem
	}
	return f
}

// String names the type as people read it: "list of string".
func (f *Field) String() string {
	if f.Elem != nil {
		return string(f.Type) + " of " + f.Elem.String()
	}
	return string(f.Type)
}

// Kinds are the names of the kinds, sorted.
func Kinds() []string { return slices.Sorted(maps.Keys(tables())) }

// Fields lists every field of a kind in the order of the table, elements of
// lists and maps not among them; nil for an unknown kind.
func Fields(kind string) []Field {
	root := tables()[kind]
	if root == nil {
		return nil
	}
	var all []Field
	var walk func(f *Field)
	walk = func(f *Field) {
		for _, c := range f.Fields() {
			all = append(all, *c)
			walk(c)
		}
	}
	walk(root)
	return all
}

// FieldFor finds the field at a path. Elements may be written in any of the
// ways of a patch: spec.etcdClusters[0].name, spec.etcdClusters[].name,
// spec.etcdClusters[name=main].name, spec.cloudLabels.team.
func FieldFor(kind, path string) (Field, bool) {
	root := tables()[kind]
	steps, err := parsePath(path)
	if root == nil || err != nil {
		return Field{}, false
	}
	f, rest := root.find(steps)
	if len(rest) > 0 {
		return Field{}, false
	}
	return *f, true
}

// find follows steps as far as there are fields, and returns the last field
// with the steps that lead nowhere.
func (f *Field) find(steps []step) (*Field, []step) {
	for len(steps) > 0 {
		switch f.Type {
		case Object:
			c := f.child(steps[0].name)
			if c == nil || steps[0].bracket {
				return f, steps
			}
			f, steps = c, steps[1:]
		case List:
			if !steps[0].bracket {
				return f, steps
			}
			f, steps = f.Elem, steps[1:]
		case Map:
			_, steps = mapKey(f, steps)
			f = f.Elem
		default:
			return f, steps
		}
	}
	return f, nil
}

// mapKey takes the key of a map off the steps. Behind a map of scalars nothing
// can follow, so a key there may hold dots.
func mapKey(m *Field, steps []step) (string, []step) {
	key := steps[0].name
	rest := steps[1:]
	if steps[0].bracket || m.leaf().Type == Object {
		return key, rest
	}
	for len(rest) > 0 && !rest[0].bracket {
		key += "." + rest[0].name
		rest = rest[1:]
	}
	return key, rest
}

// Order places a new key after its nearest sibling in the order of the table,
// which is the one that kops writes.
func Order(kind string) doc.Order {
	return func(_ []string, keys []string, newKey string) string {
		after := ""
		for _, k := range keys {
			if k < newKey && k > after {
				after = k
			}
		}
		return after
	}
}
