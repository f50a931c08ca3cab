package cluster

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/stateroom/stateroom/doc"
)

// ValidateUpdate says which changes from old to new a cluster that runs does
// not survive, or that look like an accident: another name, another value of a
// field that the table calls immutable, an etcd cluster taken away, an etcd
// member moved to another group, none of its members kept, a lower Kubernetes
// version. Places are those of new.
func ValidateUpdate(old, new *Cluster) []Problem {
	v := &validation{cluster: new}
	if old.Name != new.Name {
		v.config(field("metadata", "name"), "the name cannot change: it was %q", old.Name)
	}
	if p := Downgrade(old, new); p != nil {
		v.problems = append(v.problems, *p)
	}
	for _, was := range old.Spec.EtcdClusters {
		v.checkEtcdUpdate(was)
	}
	was, _ := old.Get("spec")
	is, _ := new.Get("spec")
	v.checkImmutable(tables()[KindCluster].child("spec"), []string{"spec"}, was, is)
	slices.SortStableFunc(v.problems, byPlace)
	return v.problems
}

// checkImmutable compares two values of a field of config, and those below it,
// where the field may not change. Elements that are new or gone are looked at
// by others.
func (v *validation) checkImmutable(f *Field, path []string, was, is any) {
	switch {
	case f.Immutable && slices.ContainsFunc(v.problems, func(p Problem) bool { return p.Path == doc.PathString(path) }):
	case f.Immutable && empty(was) != empty(is), f.Immutable && !empty(is) && !reflect.DeepEqual(was, is):
		v.at(v.cluster.page, path, "it was "+wasText(was), "it cannot change once the cluster is there")
	case f.Type == Object:
		was, _ := was.(map[string]any)
		is, _ := is.(map[string]any)
		for _, c := range f.fields {
			v.checkImmutable(c, append(slices.Clone(path), c.name), was[c.name], is[c.name])
		}
	case f.Type == List && f.List == "map":
		was, _ := was.([]any)
		is, _ := is.([]any)
		for i, item := range is {
			at := slices.IndexFunc(was, func(w any) bool { return sameItem(f.Keys, w, item) })
			if at >= 0 {
				v.checkImmutable(f.Elem, append(slices.Clone(path), strconv.Itoa(i)), was[at], item)
			}
		}
	}
}

// sameItem says whether two elements of a list have the same keys.
func sameItem(keys []string, a, b any) bool {
	return !slices.ContainsFunc(keys, func(k string) bool { return textOf(a, k) == "" || textOf(a, k) != textOf(b, k) })
}

func empty(value any) bool { return value == nil || value == "" }

func wasText(value any) string {
	if empty(value) {
		return "not set"
	}
	return shorten(fmt.Sprint(value))
}

// Downgrade is the problem that the Kubernetes version goes down, or nil. Going
// down within a minor version is common after a bad patch release; beyond one,
// etcd may hold what the older version cannot read.
func Downgrade(old, new *Cluster) *Problem {
	was, errWas := old.Effective()
	now, errNow := new.Effective()
	if errWas != nil || errNow != nil || now.KubernetesVersion.Compare(was.KubernetesVersion) >= 0 {
		return nil
	}
	v := &validation{cluster: new}
	v.at(new.page, field("spec", "kubernetesVersion"), "--allow-downgrade, where that is meant",
		"%s is lower than %s", now.KubernetesVersion, was.KubernetesVersion)
	return &v.problems[0]
}

func (v *validation) checkEtcdUpdate(was EtcdCluster) {
	for i, now := range v.cluster.Spec.EtcdClusters {
		if now.Name != was.Name {
			continue
		}
		groups := map[string]string{}
		for _, m := range was.Members {
			groups[m.Name] = m.InstanceGroup
		}
		kept := 0
		for j, m := range now.Members {
			group, ok := groups[m.Name]
			if !ok {
				continue
			}
			kept++
			if group != m.InstanceGroup {
				v.config(field("spec", "etcdClusters", i, "etcdMembers", j, "instanceGroup"),
					"member %q of etcd cluster %q cannot move from instance group %q to %q: its data is there", m.Name, now.Name, group, m.InstanceGroup)
			}
		}
		if kept == 0 && len(was.Members) > 0 {
			v.config(field("spec", "etcdClusters", i, "etcdMembers"), "etcd cluster %q keeps none of its members, and so none of its data", now.Name)
		}
		return
	}
	v.config(field("spec", "etcdClusters"), "etcd cluster %q cannot be taken away", was.Name)
}
