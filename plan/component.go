package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/stateroom/stateroom/cluster"
)

// fields reads what a document sets for a component: values by field, those of
// an object within as object.field, where the schema has an object.
func (c *component) fields(cl *cluster.Cluster) map[string]any {
	all := map[string]any{}
	object, _ := get(cl, c.field).(map[string]any)
	for name, value := range object {
		f, _ := cluster.FieldFor(cluster.KindCluster, "spec."+c.field+"."+name)
		if inner, ok := value.(map[string]any); ok && f.Type == cluster.Object {
			for k, v := range inner {
				all[name+"."+k] = v
			}
			continue
		}
		all[name] = value
	}
	return all
}

// apply sets the flags of all fields that a document sets. Fields that are
// renamed come last, so that of two fields with one flag it is always the same
// that counts.
func (c *component) apply(f flags, cl *cluster.Cluster) {
	set := c.fields(cl)
	for _, renamed := range []bool{false, true} {
		for _, field := range slices.Sorted(maps.Keys(set)) {
			flag, why := c.flag(field)
			values := c.values(field, set[field])
			if why == "" && len(values) > 0 && (c.renamed[field] != "") == renamed {
				f.set(flag, values...)
			}
		}
	}
}

// values writes the value of a field as its flag takes it.
func (c *component) values(field string, value any) []string {
	all := words(value)
	if f, _ := cluster.FieldFor(cluster.KindCluster, "spec."+c.field+"."+field); f.Type == cluster.Quantity {
		for i := range all {
			all[i] = decimal(all[i])
		}
	}
	if len(all) > 1 && !slices.Contains(c.repeat, field) {
		all = []string{strings.Join(all, ",")}
	}
	return all
}
