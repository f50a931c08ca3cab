package cluster

import "github.com/stateroom/stateroom/doc"

// MergeLists says how the lists of a kind are merged, for doc.MergeOptions, as
// the table has it: items told apart by some of their fields, a set of texts,
// or one value. Every list of an unknown kind is one value.
func MergeLists(kind string) func(path []string) doc.List {
	root, later := tables()[kind], laterTables()[kind]
	return func(path []string) doc.List {
		f := root.at(path)
		if f == nil { // what both versions have at a path is the same list
			f = later.at(path)
		}
		if f == nil || f.Type != List {
			return doc.List{}
		}
		return doc.List{Keys: f.Keys, Set: f.List == "set"}
	}
}

// at is the field at a path of keys, in which "[]" is an item of a list; nil
// where there is none.
func (f *Field) at(path []string) *Field {
	for _, p := range path {
		switch {
		case f == nil:
			return nil
		case f.Type == Object:
			f = f.child(p)
		case f.Type == Map, f.Type == List && p == "[]":
			f = f.Elem
		default:
			return nil
		}
	}
	return f
}
