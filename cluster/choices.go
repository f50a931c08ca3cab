package cluster

import (
	"maps"
	"slices"
	"strings"
)

// choices are objects of which one field at most is set: each is another way.
var choices = [][]string{
	{"spec", "authorization"},
	{"spec", "networking"},
}

func (v *validation) checkChoices() {
	for _, path := range choices {
		value, _ := v.cluster.Get(path...)
		chosen, _ := value.(map[string]any)
		names := slices.DeleteFunc(slices.Sorted(maps.Keys(chosen)), func(name string) bool { return chosen[name] == nil })
		if len(names) > 1 {
			v.config(append(slices.Clone(path), names[1]), "%s are chosen; only one can be", strings.Join(names, " and "))
		}
	}
}

// Labels of cloud resources that kops writes itself.
var (
	reservedLabels   = []string{"KubernetesCluster", "Name"}
	reservedPrefixes = []string{"k8s.io/role/", "kops.k8s.io/", "kubernetes.io/cluster/"}
)

// checkLabels refuses labels of cloud resources under which kops finds its own;
// a group may say its own name.
func (v *validation) checkLabels() {
	v.checkReserved(v.cluster.page, v.cluster.Spec.CloudLabels)
	for _, g := range v.cluster.Groups {
		labels := maps.Clone(g.Spec.CloudLabels)
		if labels[groupLabel] == g.Name {
			delete(labels, groupLabel)
		}
		v.checkReserved(g.page, labels)
	}
}

func (v *validation) checkReserved(p page, labels map[string]string) {
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		taken := slices.Contains(reservedLabels, label) ||
			slices.ContainsFunc(reservedPrefixes, func(prefix string) bool { return strings.HasPrefix(label, prefix) })
		if taken {
			v.at(p, field("spec", "cloudLabels", label), "take another name", "kops gives this label itself, to find what is the cluster's")
		}
	}
}
