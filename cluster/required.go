package cluster

import (
	"slices"
	"strconv"
)

// checkRequired finds elements of lists that lack a field without which kops
// refuses them. They are looked at with the cluster and not by themselves, so
// that several --set can make one element.
func (v *validation) checkRequired(p page) {
	value, _ := p.view.Get("spec")
	v.requiredIn(p, tables()[p.kind].child("spec"), []string{"spec"}, value)
}

// toldElsewhere are lists whose elements have rules of their own.
var toldElsewhere = []string{"spec.etcdClusters", "spec.etcdClusters[].etcdMembers", "spec.subnets"}

func (v *validation) requiredIn(p page, f *Field, path []string, value any) {
	fields, _ := value.(map[string]any)
	items, _ := value.([]any)
	for _, c := range f.fields {
		if fields[c.name] != nil {
			v.requiredIn(p, c, append(slices.Clone(path), c.name), fields[c.name])
		}
	}
	if f.Type != List || f.Elem.Type != Object {
		return
	}
	for i, item := range items {
		at := append(slices.Clone(path), strconv.Itoa(i))
		fields, ok := item.(map[string]any)
		for _, c := range f.Elem.fields {
			if ok && c.Required && empty(fields[c.name]) && !slices.Contains(toldElsewhere, f.Path) {
				v.at(p, at, "", "it has no %s, and needs one", c.name)
			}
		}
		v.requiredIn(p, f.Elem, at, item)
	}
}
