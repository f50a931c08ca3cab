package cluster

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// newGroup is a group that is to be made.
type newGroup struct {
	name     string
	role     Role
	min, max *int
	zones    []string
	subnets  []string
	image    string
	sizes    []string // machine types
	manager  string
}

// groupLabel is the label that nodes have of their group.
const groupLabel = "kops.k8s.io/instancegroup"

// ClusterLabel says which cluster a document belongs to that is no Cluster
// itself: in files it decides, in a store the folder does.
const ClusterLabel = "kops.k8s.io/cluster"

func (g *newGroup) document(o CreateOptions) map[string]any {
	spec := map[string]any{
		"nodeLabels": map[string]any{groupLabel: g.name},
		"role":       string(g.role),
		"subnets":    list(g.subnets),
	}
	if g.image != "" {
		spec["image"] = g.image
	}
	if g.min != nil {
		spec["minSize"] = *g.min
	}
	if g.max != nil {
		spec["maxSize"] = *g.max
	}
	if g.manager != "" {
		spec["manager"] = g.manager
	}
	if len(g.zones) > 0 {
		spec["zones"] = list(g.zones)
	}
	if len(g.sizes) > 0 && g.sizes[0] != "" {
		spec["machineType"] = g.sizes[0]
	}
	if len(g.sizes) > 1 && o.Cloud == "aws" {
		spec["mixedInstancesPolicy"] = map[string]any{"instances": list(g.sizes)}
	}
	g.fromFlags(o, spec)
	metadata := map[string]any{"creationTimestamp": o.timestamp(), "name": g.name}
	if o.Cloud != metal {
		metadata["labels"] = map[string]any{ClusterLabel: string(o.Name)}
	}
	return map[string]any{"apiVersion": APIVersion, "kind": KindInstanceGroup, "metadata": metadata, "spec": spec}
}

// fromFlags writes what flags say of all groups of a role.
func (g *newGroup) fromFlags(o CreateOptions, spec map[string]any) {
	if o.AssociatePublicIP != nil {
		spec["associatePublicIp"] = *o.AssociatePublicIP
	}
	switch g.role {
	case RoleControlPlane:
		machines(spec, o.ControlPlaneTenancy, o.ControlPlaneSecurityGroups, o.ControlPlaneVolumeSize, o.ControlPlaneVolumeType)
	case RoleNode:
		machines(spec, o.NodeTenancy, o.NodeSecurityGroups, o.NodeVolumeSize, o.NodeVolumeType)
	}
}

func machines(spec map[string]any, tenancy string, securityGroups []string, volumeSize int, volumeType string) {
	if tenancy != "" {
		spec["tenancy"] = tenancy
	}
	if len(securityGroups) > 0 {
		spec["additionalSecurityGroups"] = list(securityGroups)
	}
	if volumeSize != 0 {
		spec["rootVolumeSize"] = volumeSize
	}
	if volumeType != "" {
		spec["rootVolumeType"] = volumeType
	}
}

// addGroup adds a group of so many machines.
func (n *newCluster) addGroup(g *newGroup, size int) {
	g.min, g.max = &size, &size
	n.groups = append(n.groups, g)
}

// zonesOf are the zones that a group of one zone names itself.
func (n *newCluster) zonesOf(zone string) []string {
	if n.cloud.zonal {
		return []string{zone}
	}
	return nil
}

// composeControlPlane makes a group for each host of the control plane, round
// the zones, and the etcd clusters on them.
func (n *newCluster) composeControlPlane() {
	o := n.opt
	zones, count := o.ControlPlaneZones, o.ControlPlaneCount
	for i := range count {
		zone := zones[i%len(zones)]
		name := "control-plane-" + zone
		if count > len(zones) || o.Cloud == "digitalocean" && count == len(zones) {
			name += "-" + strconv.Itoa(1+i/len(zones))
		}
		subnet := n.inZone[zone][0].name // others of the zone are for nodes
		if o.IPv6 && o.Topology == topologyPrivate {
			subnet = "dualstack-" + subnet
		}
		n.addGroup(&newGroup{
			name: name, role: RoleControlPlane, zones: n.zonesOf(zone), subnets: []string{subnet},
			image: o.ControlPlaneImage, sizes: o.ControlPlaneSizes,
		}, 1)
	}
	var all []any
	for _, name := range o.EtcdClusters {
		all = append(all, n.etcd(name))
	}
	n.spec["etcdClusters"] = all
}

// composeNodes makes a group of nodes for each zone. Where a zone has subnets
// beside its main one, nodes have those to themselves.
func (n *newCluster) composeNodes() {
	o := n.opt
	if o.InstanceManager == "karpenter" {
		n.composeKarpenter()
		return
	}
	sizes := spread(o.NodeCount, len(o.Zones))
	for i, zone := range o.Zones {
		subnets := n.inZone[zone]
		if len(subnets) > 1 {
			subnets = subnets[1:]
		}
		n.addGroup(&newGroup{
			name: "nodes-" + zone, role: RoleNode, zones: n.zonesOf(zone), subnets: subnetNames(subnets),
			image: o.NodeImage, sizes: o.NodeSizes,
		}, sizes[i])
	}
}

// composeKarpenter makes the one group whose machines karpenter chooses.
func (n *newCluster) composeKarpenter() {
	g := &newGroup{name: "nodes", role: RoleNode, manager: "Karpenter", sizes: n.opt.NodeSizes}
	if n.opt.NodeCount > 0 {
		g.min = &n.opt.NodeCount
	}
	n.groups = append(n.groups, g)
}

// composeAPIServers makes groups of further API servers.
func (n *newCluster) composeAPIServers() {
	o := n.opt
	if o.APIServerCount == 0 {
		return
	}
	sizes := spread(o.APIServerCount, len(o.Zones))
	for i, zone := range o.Zones {
		n.addGroup(&newGroup{
			name: "apiserver-" + zone, role: RoleAPIServer, zones: n.zonesOf(zone), subnets: subnetNames(n.inZone[zone]), sizes: o.APIServerSizes,
		}, sizes[i])
	}
}

// composeBastions makes the group through which people reach the hosts.
func (n *newCluster) composeBastions() {
	g := &newGroup{name: "bastions", role: RoleBastion, image: n.opt.BastionImage}
	for _, s := range n.subnets {
		if s.kind == subnetDualStack {
			g.subnets = append(g.subnets, s.name)
		}
	}
	if n.opt.Cloud == "gce" {
		g.zones = n.opt.allZones()
	}
	n.addGroup(g, 1)
}

// completeGroup gives a group the image, machine type and subnets that nobody
// named.
func (n *newCluster) completeGroup(g *newGroup) {
	if g.image = cmp.Or(g.image, n.opt.Image); g.image == "" {
		g.image = n.defaultImage(g)
	}
	if len(g.sizes) == 0 {
		g.sizes = []string{n.defaultMachine(g)}
	}
	for _, unwanted := range [][]string{{subnetDualStack, subnetUtility}, {subnetUtility}} {
		if len(g.subnets) > 0 {
			break
		}
		for _, s := range n.subnets {
			if !slices.Contains(unwanted, s.kind) {
				g.subnets = append(g.subnets, s.name)
			}
		}
	}
}

func subnetNames(subnets []*newSubnet) []string {
	var names []string
	for _, s := range subnets {
		names = append(names, s.name)
	}
	return names
}

// spread divides count over n places, the first ones getting what remains.
func spread(count, n int) []int {
	sizes := make([]int, n)
	for i := range sizes {
		sizes[i] = count / n
		if i < count%n {
			sizes[i]++
		}
	}
	return sizes
}

// etcd is one etcd cluster, with a member on each host of the control plane.
func (n *newCluster) etcd(name string) map[string]any {
	var hosts []*newGroup
	for _, g := range n.groups {
		if g.role == RoleControlPlane {
			hosts = append(hosts, g)
		}
	}
	members := make([]any, len(hosts))
	for i, short := range memberNames(hosts) {
		member := map[string]any{"instanceGroup": hosts[i].name, "name": short}
		if encrypt := n.opt.EncryptEtcdStorage; encrypt != nil && *encrypt || encrypt == nil && n.cloud.encryption {
			member["encryptedVolume"] = true
		}
		if n.opt.EtcdStorageType != "" {
			member["volumeType"] = n.opt.EtcdStorageType
		}
		members[i] = member
	}
	cpu := "100m"
	if name == "main" {
		cpu = "200m"
	}
	return map[string]any{
		"cpuRequest":    cpu,
		"etcdMembers":   members,
		"manager":       map[string]any{"backupRetentionDays": 90},
		"memoryRequest": "100Mi",
		"name":          name,
	}
}

// memberNames shortens the groups' names as kops does: what all have in front
// is cut, but for the last character; a leading digit gets "etcd-".
func memberNames(groups []*newGroup) []string {
	names := make([]string, len(groups))
	for i, g := range groups {
		names[i] = strings.TrimPrefix(g.name, "control-plane-")
	}
	for len(names[0]) > 1 && !slices.ContainsFunc(names, func(n string) bool { return n == "" || n[0] != names[0][0] }) {
		for i := range names {
			names[i] = names[i][1:]
		}
	}
	for i, n := range names {
		if n != "" && n[0] >= '0' && n[0] <= '9' {
			names[i] = "etcd-" + n
		}
	}
	return names
}
