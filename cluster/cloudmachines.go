package cluster

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
)

// Architectures, as channels name them.
const (
	amd64 = "amd64"
	arm64 = "arm64"
)

// armFamily are the machine types of aws whose letters behind the generation
// say graviton: m6g, c7gn, t4g; and the first of them, a1.
var armFamily = regexp.MustCompile(`^(a1|[a-z]+[0-9]+[a-z]*g[a-z]*(-[a-z0-9]+)?)\.`)

// architecture of a machine type: what the cloud says, or else in aws what its
// name says. kops takes all machines of other clouds for amd64.
func (n *newCluster) architecture(machine string) string {
	if m := n.opt.Facts.machine(machine); m != nil && m.Architecture != "" {
		return m.Architecture
	}
	if n.opt.Cloud == "aws" && armFamily.MatchString(machine) {
		return arm64
	}
	return amd64
}

// defaultImage is the channel's for the group's machines, or kops' own.
func (n *newCluster) defaultImage(g *newGroup) string {
	machine := amd64
	if len(g.sizes) > 0 {
		machine = n.architecture(g.sizes[0])
	}
	version, err := ParseVersion(n.opt.KubernetesVersion)
	if err != nil {
		return "" // check has said so
	}
	if image := cmp.Or(n.opt.Defaults.Image(n.opt.Cloud, version, machine), n.cloud.image); image != "" {
		return image
	}
	n.wrong("image", "name one with --image, or give a channel that has one with --channel",
		fmt.Sprintf("the channel has no image for Kubernetes %s on %s in %s", version, machine, n.opt.Cloud))
	return ""
}

// exampleRegions are the made-up regions of kops' own examples. Their machine
// types are what those examples show, so that they come out the same here.
var exampleRegions = map[string]map[string]map[Role]string{
	"aws":       {"us-test-1": {RoleControlPlane: "m3.medium", RoleAPIServer: "m3.medium", RoleNode: "t2.medium", RoleBastion: "t2.micro"}},
	"openstack": {"us-test1": {RoleControlPlane: "n1-standard-1", RoleNode: "n1-standard-1", RoleBastion: "n1-standard-1"}},
}

// defaultMachine is the machine type of a group that names none.
func (n *newCluster) defaultMachine(g *newGroup) string {
	switch {
	case g.manager != "" && n.opt.Cloud == "aws":
		return "" // karpenter chooses
	case n.opt.Cloud == metal:
		return ""
	case len(n.opt.Facts.MachineTypes) == 0:
		return n.assumedMachine(g)
	}
	return n.offered(g)
}

// assumedMachine is what kops takes where the cloud says nothing.
func (n *newCluster) assumedMachine(g *newGroup) string {
	if len(n.opt.Zones) > 0 {
		region, _ := n.cloud.region(n.opt.Zones[0]) // "" is no example
		if n.opt.Cloud == "openstack" {
			region = openstackRegion(region)
		}
		if example := exampleRegions[n.opt.Cloud][region]; example != nil {
			return example[g.role]
		}
	}
	if n.opt.Cloud == "openstack" {
		n.wrong(sizeFlag(g.role), "name one, or list the flavors with their cpus and memory in a file for --cloud-facts",
			fmt.Sprintf("the machine type of group %s is not known: openstack has no common ones", g.name))
	}
	return n.cloud.machines[g.role]
}

// awsChoices are the machine types that kops tries in turn, by architecture.
var awsChoices = map[Role]map[string][]string{
	RoleNode:    {amd64: {"t3.medium", "c5.large", "c4.large"}, arm64: {"t4g.medium"}},
	RoleBastion: {amd64: {"t3.micro", "t2.micro"}, arm64: {"t4g.micro"}},
}

// offered chooses among the machine types that the cloud has: the first that
// is said to be for the role; else as kops does, in aws the first of its choices
// that all zones have, in openstack the smallest that suffices.
func (n *newCluster) offered(g *newGroup) string {
	zones := n.zonesOfGroup(g)
	usable := slices.DeleteFunc(slices.Clone(n.opt.Facts.MachineTypes), func(m MachineType) bool {
		return len(m.Zones) > 0 && slices.ContainsFunc(zones, func(z string) bool { return !slices.Contains(m.Zones, z) })
	})
	for _, m := range usable {
		if slices.Contains(m.Roles, g.role.String()) {
			return m.Name
		}
	}
	switch n.opt.Cloud {
	case "aws":
		role := g.role
		if role != RoleBastion {
			role = RoleNode
		}
		for _, choice := range awsChoices[role][n.imageArchitecture(g.image)] {
			if slices.ContainsFunc(usable, func(m MachineType) bool { return m.Name == choice }) {
				return choice
			}
		}
	case "openstack":
		if name := smallest(usable, g.role); name != "" {
			return name
		}
	default:
		return n.cloud.machines[g.role]
	}
	n.wrong(sizeFlag(g.role), "name one", fmt.Sprintf("none of the machine types in the file of --cloud-facts suits group %s", g.name))
	return ""
}

// zonesOfGroup are the zones that a group names or its subnets lie in.
func (n *newCluster) zonesOfGroup(g *newGroup) []string {
	zones := slices.Clone(g.zones)
	for _, s := range n.subnets {
		if s.zone != "" && slices.Contains(g.subnets, s.name) {
			zones = append(zones, s.zone)
		}
	}
	return zones
}

func (n *newCluster) imageArchitecture(image string) string {
	for _, i := range n.opt.Facts.Images {
		if i.Name == image && i.Architecture != "" {
			return i.Architecture
		}
	}
	return amd64
}

// smallest is the machine type with the fewest cpus, and among those the least
// memory, that kops takes to be enough for a role.
func smallest(types []MachineType, r Role) string {
	cpus, memory := 0, 1024
	switch r {
	case RoleControlPlane:
		cpus, memory = 1, 4096
	case RoleNode:
		cpus, memory = 2, 4096
	}
	types = slices.DeleteFunc(slices.Clone(types), func(m MachineType) bool { return m.CPUs < cpus || m.Memory < memory })
	if len(types) == 0 {
		return ""
	}
	return slices.MinFunc(types, func(a, b MachineType) int {
		return cmp.Or(cmp.Compare(a.CPUs, b.CPUs), cmp.Compare(a.Memory, b.Memory))
	}).Name
}

func sizeFlag(r Role) string {
	switch r {
	case RoleControlPlane:
		return "control-plane-size"
	case RoleAPIServer:
		return "api-server-size"
	}
	return "node-size"
}
