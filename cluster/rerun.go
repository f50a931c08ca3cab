package cluster

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// FilePatch is a patch of one document of a cluster.
type FilePatch struct {
	File  string
	Kind  string
	Patch *Patch
}

// Rerun says what a further create cluster changes in a cluster that is there:
// the fields of the flags that were given, and no others. given are the names
// of those flags, as kubernetes-version; their values are in o. The error is an
// *InvalidError that names each flag that cannot be changed so.
func (o CreateOptions) Rerun(c *Cluster, given []string) ([]FilePatch, error) {
	patch, err := ParsePatch(o.Sets, o.Unsets)
	if err != nil {
		return nil, err
	}
	r := &rerun{opt: o, cluster: c, groups: map[string]*Patch{}}
	names := slices.Sorted(maps.Keys(rerunFlags))
	for _, name := range names {
		if slices.Contains(given, name) {
			rerunFlags[name](r, name)
		}
	}
	if err := Invalid(r.problems); err != nil {
		return nil, err
	}
	r.config.lines = append(r.config.lines, patch.lines...)
	var patches []FilePatch
	if !r.config.IsEmpty() {
		patches = append(patches, FilePatch{File: ConfigFile, Kind: KindCluster, Patch: &r.config})
	}
	for _, g := range c.Groups {
		if p := r.groups[g.Name]; p != nil {
			patches = append(patches, FilePatch{File: g.File(), Kind: KindInstanceGroup, Patch: p})
		}
	}
	return patches, nil
}

type rerun struct {
	opt      CreateOptions
	cluster  *Cluster
	config   Patch
	groups   map[string]*Patch
	problems []Problem
}

func (r *rerun) refuse(flag, hint, format string, args ...any) {
	r.problems = append(r.problems, Problem{File: "--" + flag, Message: fmt.Sprintf(format, args...), Hint: hint})
}

func (r *rerun) set(path, value string)             { r.config.add(path, opSet, value, nil) }
func (r *rerun) unset(path string)                  { r.config.add(path, opUnset, "", nil) }
func (r *rerun) replace(path string, list []string) { r.config.add(path, opReplace, "", list) }

// setGroups sets one field in each group of that role.
func (r *rerun) setGroups(role Role, path, value string) {
	for _, g := range r.cluster.GroupsOf(role) {
		r.setGroup(g, path, value)
	}
}

func (r *rerun) setGroup(g *Group, path, value string) {
	if r.groups[g.Name] == nil {
		r.groups[g.Name] = &Patch{}
	}
	r.groups[g.Name].add(path, opSet, value, nil)
}

// add is for paths that are known to be right.
func (p *Patch) add(path string, o op, value string, list []string) {
	steps, err := parsePath(path)
	if err != nil {
		panic("cluster: " + err.Error())
	}
	p.lines = append(p.lines, line{path: path, steps: steps, op: o, value: value, list: list})
}

// rerunFlags says what each flag of create cluster means for a cluster that is
// there.
var rerunFlags = map[string]func(r *rerun, flag string){
	"kubernetes-version": func(r *rerun, _ string) { r.set("spec.kubernetesVersion", r.opt.KubernetesVersion) },
	"channel":            func(r *rerun, _ string) { r.set("spec.channel", r.opt.Channel) },
	"api-public-name":    func(r *rerun, _ string) { r.set("spec.masterPublicName", r.opt.APIPublicName) },
	"admin-access":       func(r *rerun, _ string) { r.replace("spec.kubernetesApiAccess", r.opt.AdminAccess) },
	"ssh-access":         func(r *rerun, _ string) { r.replace("spec.sshAccess", r.opt.SSHAccess) },
	"network-cidr":       (*rerun).networkCIDR,
	"networking":         (*rerun).networking,
	"dns":                (*rerun).dns,
	"cloud-labels":       (*rerun).cloudLabels,
	"image": func(r *rerun, _ string) {
		r.setGroups(RoleControlPlane, "spec.image", r.opt.Image)
		r.setGroups(RoleNode, "spec.image", r.opt.Image)
	},
	"control-plane-image": func(r *rerun, _ string) { r.setGroups(RoleControlPlane, "spec.image", r.opt.ControlPlaneImage) },
	"node-image":          func(r *rerun, _ string) { r.setGroups(RoleNode, "spec.image", r.opt.NodeImage) },
	"control-plane-size": func(r *rerun, _ string) {
		r.setGroups(RoleControlPlane, "spec.machineType", r.opt.ControlPlaneSize)
	},
	"node-size":           func(r *rerun, _ string) { r.setGroups(RoleNode, "spec.machineType", r.opt.NodeSize) },
	"node-count":          (*rerun).nodeCount,
	"control-plane-count": (*rerun).controlPlaneCount,
	"control-plane-zones": func(r *rerun, flag string) { r.sameZones(flag, r.opt.ControlPlaneZones) },
	"zones":               func(r *rerun, flag string) { r.sameZones(flag, r.opt.Zones) },
}

func (r *rerun) networkCIDR(string) {
	if len(r.opt.NetworkCIDRs) > 0 {
		r.set("spec.networkCIDR", r.opt.NetworkCIDRs[0])
	}
	if len(r.opt.NetworkCIDRs) > 1 {
		r.replace("spec.additionalNetworkCIDRs", r.opt.NetworkCIDRs[1:])
	}
}

func (r *rerun) dns(flag string) {
	t, err := dnsType(r.opt.DNSType)
	if err != nil {
		r.refuse(flag, "", "%s", err)
		return
	}
	r.set("spec.topology.dns.type", t)
}

func (r *rerun) cloudLabels(string) {
	for _, k := range slices.Sorted(maps.Keys(r.opt.CloudLabels)) {
		r.set("spec.cloudLabels", k+"="+r.opt.CloudLabels[k])
	}
}

// networking takes the place of the network that is there.
func (r *rerun) networking(string) {
	want, err := networkingOf(r.opt.Networking)
	var invalid *InvalidError
	if errors.As(err, &invalid) {
		r.problems = append(r.problems, invalid.Problems...)
		return
	}
	for _, was := range slices.Sorted(maps.Keys(r.cluster.Spec.Networking)) {
		_, known := FieldFor(KindCluster, "spec.networking."+was)
		if _, stays := want[was]; known && !stays {
			r.unset("spec.networking." + was)
		}
		if !usesKubeProxy(was) && usesKubeProxy(r.opt.Networking) {
			r.unset("spec.kubeProxy.enabled")
		}
	}
	for name, fields := range want {
		r.set("spec.networking."+name, "")
		for field, value := range fields.(map[string]any) {
			r.set("spec.networking."+name+"."+field, fmt.Sprint(value))
		}
	}
	if !usesKubeProxy(r.opt.Networking) {
		r.set("spec.kubeProxy.enabled", "false")
	}
}

func (r *rerun) nodeCount(flag string) {
	groups := r.cluster.GroupsOf(RoleNode)
	if len(groups) == 0 {
		r.refuse(flag, "make an instance group first", "the cluster has no group of nodes")
		return
	}
	if r.opt.NodeCount < 0 || r.opt.NodeCount > maxNodes {
		r.refuse(flag, "", "%d: it must be from 0 to %d", r.opt.NodeCount, maxNodes)
		return
	}
	for i, size := range spread(r.opt.NodeCount, len(groups)) {
		r.setGroup(groups[i], "spec.maxSize", strconv.Itoa(size))
		r.setGroup(groups[i], "spec.minSize", strconv.Itoa(size))
	}
}

func (r *rerun) controlPlaneCount(flag string) {
	if have := len(r.cluster.GroupsOf(RoleControlPlane)); r.opt.ControlPlaneCount != have {
		r.refuse(flag, "make or delete instance groups of role Master and change spec.etcdClusters",
			"%d, the cluster has %d: members of etcd are not changed by a re-run", r.opt.ControlPlaneCount, have)
	}
}

func (r *rerun) sameZones(flag string, zones []string) {
	for _, zone := range zones {
		if !slices.ContainsFunc(r.cluster.Spec.Subnets, func(s Subnet) bool { return s.Zone == zone || s.Name == zone }) {
			r.refuse(flag, "add a subnet to spec.subnets and an instance group in it", "the cluster has no zone %q; a re-run makes none", shorten(zone))
		}
	}
}

// GroupsOf are the groups of a role, sorted by name.
func (c *Cluster) GroupsOf(role Role) []*Group {
	var groups []*Group
	for _, g := range c.Groups {
		if g.Spec.Role == role {
			groups = append(groups, g)
		}
	}
	return groups
}
