package cluster

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Validate finds all that is wrong with the cluster's documents, each by
// itself and together, by the rules of docs/formats/cluster-documents.md
// section 4. The problems are sorted by file and line.
func (c *Cluster) Validate() []Problem {
	v := &validation{cluster: c, problems: slices.Clone(c.problems)}
	v.checkNames()
	v.checkGroups()
	v.checkEtcd()
	v.checkNetworks()
	v.checkChoices()
	v.checkLabels()
	v.checkRequired(c.page)
	for _, g := range c.Groups {
		v.checkRequired(g.page)
	}
	slices.SortStableFunc(v.problems, byPlace)
	return v.problems
}

// ValidateGroup is Validate for the document of a group whose cluster is not at
// hand: what can be said of it by itself.
func ValidateGroup(src Source) []Problem {
	r := &reading{cluster: &Cluster{}}
	name, _ := src.Document.Get("metadata", "name")
	text, _ := name.(string)
	r.group(text, src)
	v := &validation{cluster: r.cluster, problems: r.cluster.problems}
	for _, g := range r.cluster.Groups {
		if _, err := ParseGroupName(g.Name); err != nil && g.page.isText("metadata", "name") {
			v.group(g, field("metadata", "name"), "%s", err)
		}
		v.checkRole(g)
		v.checkSize(g)
		v.checkRequired(g.page)
	}
	slices.SortStableFunc(v.problems, byPlace)
	return v.problems
}

// validation gathers problems.
type validation struct {
	cluster  *Cluster
	problems []Problem
}

// at adds a problem of one field.
func (v *validation) at(p page, path []string, hint, format string, args ...any) {
	line, col := p.position(path)
	v.problems = append(v.problems, Problem{
		File: p.file, Line: line, Col: col, Path: p.path(path),
		Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// config adds a problem of a field of config.
func (v *validation) config(path []string, format string, args ...any) {
	v.at(v.cluster.page, path, "", format, args...)
}

// group adds a problem of a field of a group.
func (v *validation) group(g *Group, path []string, format string, args ...any) {
	v.at(g.page, path, "", format, args...)
}

func field(path ...any) []string {
	out := make([]string, len(path))
	for i, p := range path {
		out[i] = fmt.Sprint(p)
	}
	return out
}

func (v *validation) checkNames() {
	c := v.cluster
	if _, err := ParseName(string(c.Name)); err != nil {
		v.config(field("metadata", "name"), "%s", err)
	} else if c.metadataName != string(c.Name) && c.page.isText("metadata", "name") {
		v.config(field("metadata", "name"), "%q, but the cluster's folder is %q", c.metadataName, c.Name)
	}
	for _, g := range c.Groups {
		if _, err := ParseGroupName(g.Name); err != nil {
			v.group(g, field("metadata", "name"), "%s", err)
		} else if g.metadataName != g.Name && g.page.isText("metadata", "name") {
			v.group(g, field("metadata", "name"), "%q, but the file is %s", g.metadataName, g.File())
		}
		if of, ok := g.Labels[ClusterLabel]; ok && of != string(c.Name) {
			v.at(g.page, field("metadata", "labels", ClusterLabel), fmt.Sprintf("make it %s, or leave the label out", c.Name),
				"%q, but this is a group of %q; given with -f, its document would go to the other cluster", of, c.Name)
		}
	}
}

func (v *validation) checkGroups() {
	c := v.cluster
	count := map[bool]int{}
	for _, g := range c.Groups {
		count[g.Spec.Role == RoleControlPlane]++
		v.checkGroup(g)
	}
	if count[true] == 0 {
		v.config(field("spec"), "the cluster has no instance group of role Master, which runs its control plane")
	}
	if count[false] == 0 {
		v.config(field("spec"), "the cluster has no instance group beside its control plane; one of role Node with minSize 0 will do")
	}
}

func (v *validation) checkGroup(g *Group) {
	v.checkRole(g)
	v.checkSize(g)
	spec := g.Spec
	if spec.Role == RoleControlPlane && len(spec.Subnets) == 0 {
		v.group(g, field("spec", "subnets"), "a control-plane group needs a subnet")
	}
	for i, name := range spec.Subnets {
		if !slices.ContainsFunc(v.cluster.Spec.Subnets, func(s Subnet) bool { return s.Name == name }) {
			v.at(g.page, field("spec", "subnets", i), v.subnetNames(), "the cluster has no subnet %q", name)
		}
	}
}

func (v *validation) checkRole(g *Group) {
	if _, there := g.Get("spec", "role"); g.Spec.Role == "" && (!there || g.page.isText("spec", "role")) {
		v.at(g.page, field("spec", "role"), "roles are "+roles(), "the group has no role")
	}
}

func (v *validation) checkSize(g *Group) {
	spec := g.Spec
	for _, size := range []struct {
		name  string
		value *int
	}{{"minSize", spec.MinSize}, {"maxSize", spec.MaxSize}} {
		switch {
		case size.value == nil:
		case *size.value < 0:
			v.group(g, field("spec", size.name), "%d is below 0", *size.value)
		case *size.value > 1 && spec.Role == RoleControlPlane:
			v.group(g, field("spec", size.name), "%d: a control-plane group has one node; add more groups instead", *size.value)
		}
	}
	if spec.MinSize != nil && spec.MaxSize != nil && *spec.MinSize > *spec.MaxSize {
		v.group(g, field("spec", "minSize"), "minSize %d is above maxSize %d", *spec.MinSize, *spec.MaxSize)
	}
}

func (v *validation) subnetNames() string {
	var names []string
	for _, s := range v.cluster.Spec.Subnets {
		names = append(names, s.Name)
	}
	if len(names) == 0 {
		return ""
	}
	return "there are " + strings.Join(names, ", ")
}

// roles lists them as they stand in documents.
func roles() string {
	var names []string
	for _, n := range roleNames {
		names = append(names, string(n.role))
	}
	return strings.Join(names, ", ")
}

func (v *validation) checkEtcd() {
	c := v.cluster
	if len(c.Spec.EtcdClusters) == 0 {
		v.config(field("spec", "etcdClusters"), "the cluster has no etcd; it needs main and events")
	}
	seen := map[string]bool{}
	for i, e := range c.Spec.EtcdClusters {
		path := field("spec", "etcdClusters", i)
		switch {
		case e.Name == "":
			v.config(append(path, "name"), "an etcd cluster has no name")
		case seen[e.Name]:
			v.config(append(path, "name"), "a second etcd cluster %q", e.Name)
		}
		seen[e.Name] = true
		if n := len(e.Members); n%2 == 0 {
			v.config(append(path, "etcdMembers"), "etcd cluster %q has %d members; it needs an odd number, for a majority", e.Name, n)
		}
		v.checkMembers(e, append(path, "etcdMembers"))
	}
}

func (v *validation) checkMembers(e EtcdCluster, path []string) {
	seen := map[string]bool{}
	for i, m := range e.Members {
		at := append(slices.Clone(path), strconv.Itoa(i))
		switch {
		case m.Name == "":
			v.config(append(at, "name"), "a member of etcd cluster %q has no name", e.Name)
		case seen[m.Name]:
			v.config(append(at, "name"), "a second member %q in etcd cluster %q", m.Name, e.Name)
		}
		seen[m.Name] = true
		g := v.cluster.Group(m.InstanceGroup)
		switch {
		case m.InstanceGroup == "":
			v.config(append(at, "instanceGroup"), "member %q of etcd cluster %q has no instance group to run on", m.Name, e.Name)
		case g == nil:
			v.config(append(at, "instanceGroup"), "there is no instance group %q", m.InstanceGroup)
		case g.Spec.Role.known() && g.Spec.Role != RoleControlPlane && g.Spec.Role != RoleEtcd:
			v.config(append(at, "instanceGroup"), "instance group %q has role %s; etcd runs on the control plane", m.InstanceGroup, string(g.Spec.Role))
		}
	}
}
