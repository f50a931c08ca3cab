package cluster

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stateroom/stateroom/doc"
)

// GroupOptions is what create instancegroup is told. Zero values mean the
// defaults given.
type GroupOptions struct {
	Name        string
	Role        string    // node; also control-plane, or what else Role.String says
	Created     time.Time // written in whole seconds, UTC
	Subnets     []string  // all of the cluster's, or those in Zones
	Zones       []string
	MinSize     *int   // 1 for a control plane, and in a cloud a bastion; else 0 on hosts, and 2 in a cloud
	MaxSize     *int   // MinSize
	Image       string // in a cloud the channel's; on hosts that of the other groups of the role
	MachineType string // in a cloud kops' choice; on hosts that of the other groups of the role, where they have the same; else none
}

// NewGroup makes the document of a further instance group of a cluster, as kops
// would write it. What is wrong with the options is an *InvalidError whose
// problems name the flag; whether the cluster is valid with it, Validate says.
func (c *Cluster) NewGroup(opt GroupOptions) (File, error) {
	var problems []Problem
	wrong := func(flag, hint, format string, args ...any) {
		problems = append(problems, Problem{File: "--" + flag, Message: fmt.Sprintf(format, args...), Hint: hint})
	}
	role, ok := roleNamed(cmp.Or(opt.Role, RoleNode.String()))
	if !ok {
		wrong("role", "there are control-plane, node, apiserver, bastion", "%q is no role", shorten(opt.Role))
	}
	subnets, err := c.subnetsOf(role, opt)
	if err != nil {
		problems = append(problems, *err)
	}
	smallest, biggest := c.sizes(role, opt)
	for _, size := range []struct {
		flag  string
		value int
	}{{"min-size", smallest}, {"max-size", biggest}} {
		if size.value < 0 || size.value > maxNodes {
			wrong(size.flag, "", "%d: it must be from 0 to %d", size.value, maxNodes)
		}
	}
	if smallest > biggest {
		wrong("min-size", "", "%d is above --max-size %d", smallest, biggest)
	}
	if c.Cloud() == "gce" && len(opt.Zones) == 0 {
		wrong("zone", "such as --zone "+exampleZone[c.Cloud()], "in %s a group names its zones", c.Cloud())
	}
	if err := Invalid(problems); err != nil {
		return File{}, err
	}
	if clouds[c.Cloud()] != nil && c.Cloud() != metal {
		return c.newCloudGroup(opt, &newGroup{
			name: opt.Name, role: role, min: &smallest, max: &biggest, subnets: subnets, image: opt.Image, manager: "CloudGroup",
		})
	}
	sibling := c.like(role)
	spec := map[string]any{
		"image":      cmp.Or(opt.Image, sibling.Image, "dummy-metal-image"),
		"maxSize":    biggest,
		"minSize":    smallest,
		"nodeLabels": map[string]any{"kops.k8s.io/instancegroup": opt.Name},
		"role":       string(role),
		"subnets":    list(subnets),
	}
	if size := cmp.Or(opt.MachineType, sibling.MachineType); size != "" {
		spec["machineType"] = size
	}
	return File{Name: GroupFile(opt.Name), Bytes: doc.Format(map[string]any{
		"apiVersion": APIVersion,
		"kind":       KindInstanceGroup,
		"metadata":   map[string]any{"creationTimestamp": opt.Created.UTC().Format(time.RFC3339), "name": opt.Name},
		"spec":       spec,
	})}, nil
}

// roleNamed is the role that people call so.
func roleNamed(name string) (Role, bool) {
	if strings.EqualFold(name, "master") || strings.EqualFold(name, "controlplane") {
		return RoleControlPlane, true
	}
	for _, n := range roleNames {
		if strings.EqualFold(n.name, name) {
			return n.role, true
		}
	}
	return "", false
}

// like is the first group of a role, or for want of one any; its image is the
// best guess for another.
func (c *Cluster) like(role Role) GroupSpec {
	if same := c.GroupsOf(role); len(same) > 0 {
		first := GroupSpec{Image: same[0].Spec.Image, MachineType: same[0].Spec.MachineType}
		if slices.ContainsFunc(same, func(g *Group) bool { return g.Spec.MachineType != first.MachineType }) {
			first.MachineType = "" // it is what tells them apart
		}
		return first
	}
	if len(c.Groups) > 0 {
		return GroupSpec{Image: c.Groups[0].Spec.Image}
	}
	return GroupSpec{}
}

// subnetsOf lists the subnets that are meant.
func (c *Cluster) subnetsOf(role Role, opt GroupOptions) ([]string, *Problem) {
	if len(opt.Subnets) > 0 {
		for _, name := range opt.Subnets {
			if !slices.ContainsFunc(c.Spec.Subnets, func(s Subnet) bool { return s.Name == name }) {
				return nil, &Problem{File: "--subnet", Message: fmt.Sprintf("the cluster has no subnet %q", shorten(name)), Hint: (&validation{cluster: c}).subnetNames()}
			}
		}
		return opt.Subnets, nil
	}
	if where := clouds[c.Cloud()]; where != nil && where.zonal {
		return c.usualSubnets(role), nil
	}
	if len(opt.Zones) == 0 {
		return c.usualSubnets(role), nil
	}
	var names, zones []string
	for _, s := range c.Spec.Subnets {
		if !slices.Contains(zones, s.Zone) {
			zones = append(zones, s.Zone)
		}
		if slices.Contains(opt.Zones, s.Zone) && s.Type != subnetUtility {
			names = append(names, s.Name)
		}
	}
	for _, zone := range opt.Zones {
		if !slices.Contains(zones, zone) {
			return nil, &Problem{File: "--zone", Message: fmt.Sprintf("the cluster has no subnet in zone %q", shorten(zone)), Hint: "there are " + strings.Join(zones, ", ")}
		}
	}
	return names, nil
}

// usualSubnets are the subnets that a group gets where none is named: not the
// utility subnets, nor, where there are others, those for IPv4 beside IPv6. API
// servers of a cluster of IPv6 are reached by IPv4, too.
func (c *Cluster) usualSubnets(role Role) []string {
	unusual := [][]string{{subnetDualStack, subnetUtility}, {subnetUtility}}
	if role == RoleAPIServer && c.Spec.NonMasqueradeCIDR == anyIPv6 {
		unusual = [][]string{{subnetPrivate, subnetUtility}}
	}
	for _, unwanted := range unusual {
		var names []string
		for _, s := range c.Spec.Subnets {
			if !slices.Contains(unwanted, s.Type) {
				names = append(names, s.Name)
			}
		}
		if len(names) > 0 {
			return names
		}
	}
	return nil
}

// sizes are minSize and maxSize.
func (c *Cluster) sizes(role Role, opt GroupOptions) (smallest, biggest int) {
	switch {
	case opt.MinSize != nil:
		smallest = *opt.MinSize
	case role == RoleControlPlane, role == RoleBastion && !c.OnHosts():
		smallest = 1
	case !c.OnHosts():
		smallest = 2
	}
	switch {
	case opt.MaxSize == nil:
		return smallest, smallest
	case opt.MinSize == nil:
		smallest = min(smallest, *opt.MaxSize)
	}
	return smallest, *opt.MaxSize
}
