package cluster

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
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
	r.checkWords(given)
	for _, name := range slices.Sorted(maps.Keys(rerunFlags)) {
		bad := slices.ContainsFunc(r.problems, func(p Problem) bool { return p.File == "--"+name })
		if slices.Contains(given, name) && !bad {
			rerunFlags[name](r, name)
		}
	}
	slices.SortStableFunc(r.problems, byPlace)
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

// checkWords holds the values of flags to what a first run takes, and brings
// them into the document's spelling.
func (r *rerun) checkWords(given []string) {
	opt := r.opt
	opt.Cloud = r.cluster.Cloud()
	if opt.Facts == nil {
		opt.Facts = &Facts{}
	}
	c := &createCheck{o: &opt}
	c.cluster()
	if clouds[opt.Cloud] != nil {
		c.machines()
		c.access()
	}
	for _, p := range c.problems {
		if slices.Contains(given, strings.TrimPrefix(p.File, "--")) {
			r.problems = append(r.problems, p)
		}
	}
	opt.Cloud = r.opt.Cloud
	r.opt = opt
}

func (r *rerun) refuse(flag, hint, format string, args ...any) {
	r.problems = append(r.problems, Problem{File: "--" + flag, Message: fmt.Sprintf(format, args...), Hint: hint})
}

func (r *rerun) set(path, value string) { r.config.add(path, opSet, value, nil) }
func (r *rerun) unset(path string)      { r.config.add(path, opUnset, "", nil) }

// setGroups sets one field in each group of that role.
func (r *rerun) setGroups(role Role, path, value string) {
	for _, g := range r.cluster.GroupsOf(role) {
		r.setGroup(g, path, value)
	}
}

func (r *rerun) setGroup(g *Group, path, value string) {
	r.group(g).add(path, opSet, value, nil)
}

// replace gives a list of config other items. None at all are a slip: a variable
// of the shell that is not set.
func (r *rerun) replace(flag, path string, list []string) {
	if r.isEmpty(flag, path, list) {
		return
	}
	r.config.add(path, opReplace, "", list)
}

func (r *rerun) isEmpty(flag, path string, list []string) bool {
	if len(list) > 0 {
		return false
	}
	r.refuse(flag, "--unset "+path+" empties it, where that is meant", "it is empty")
	return true
}

func (r *rerun) replaceInGroups(flag string, role Role, path string, list []string) {
	if r.isEmpty(flag, path, list) {
		return
	}
	for _, g := range r.cluster.GroupsOf(role) {
		r.group(g).add(path, opReplace, "", list)
	}
}

func (r *rerun) group(g *Group) *Patch {
	if r.groups[g.Name] == nil {
		r.groups[g.Name] = &Patch{}
	}
	return r.groups[g.Name]
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
	"kubernetes-version":  func(r *rerun, _ string) { r.set("spec.kubernetesVersion", r.opt.KubernetesVersion) },
	"channel":             func(r *rerun, _ string) { r.set("spec.channel", r.opt.Channel) },
	"api-public-name":     func(r *rerun, _ string) { r.set("spec.masterPublicName", r.opt.APIPublicName) },
	"dns-zone":            func(r *rerun, _ string) { r.set("spec.dnsZone", r.opt.DNSZone) },
	"admin-access":        func(r *rerun, flag string) { r.replace(flag, "spec.kubernetesApiAccess", r.opt.AdminAccess) },
	"ssh-access":          func(r *rerun, flag string) { r.replace(flag, "spec.sshAccess", r.opt.SSHAccess) },
	"network-cidr":        (*rerun).networkCIDR,
	"networking":          (*rerun).networking,
	"dns":                 (*rerun).dns,
	"cloud-labels":        (*rerun).cloudLabels,
	"authorization":       (*rerun).authorization,
	"disable-subnet-tags": func(r *rerun, _ string) { r.set("spec.DisableSubnetTags", strconv.FormatBool(r.opt.NoSubnetTags)) },

	"kubernetes-feature-gates": (*rerun).featureGates,
	"api-loadbalancer-type":    (*rerun).balancerType,
	"api-loadbalancer-class":   (*rerun).balancerClass,
	"api-ssl-certificate":      func(r *rerun, _ string) { r.set("spec.api.loadBalancer.sslCertificate", r.opt.APISSLCertificate) },
	"discovery-store":          (*rerun).discoveryStore,

	"image": func(r *rerun, _ string) {
		r.images(r.opt.Image, RoleControlPlane, RoleNode, RoleBastion, RoleAPIServer)
	},
	"control-plane-image": func(r *rerun, _ string) { r.images(r.opt.ControlPlaneImage, RoleControlPlane) },
	"node-image":          func(r *rerun, _ string) { r.images(r.opt.NodeImage, RoleNode) },
	"bastion-image":       func(r *rerun, _ string) { r.images(r.opt.BastionImage, RoleBastion) },
	"control-plane-size":  func(r *rerun, flag string) { r.machines(flag, RoleControlPlane, r.opt.ControlPlaneSizes) },
	"node-size":           func(r *rerun, flag string) { r.machines(flag, RoleNode, r.opt.NodeSizes) },
	"api-server-size":     func(r *rerun, flag string) { r.machines(flag, RoleAPIServer, r.opt.APIServerSizes) },

	"control-plane-volume-size": func(r *rerun, flag string) { r.volumeSize(flag, RoleControlPlane, r.opt.ControlPlaneVolumeSize) },
	"node-volume-size":          func(r *rerun, flag string) { r.volumeSize(flag, RoleNode, r.opt.NodeVolumeSize) },
	"control-plane-volume-type": func(r *rerun, _ string) {
		r.setGroups(RoleControlPlane, "spec.rootVolumeType", r.opt.ControlPlaneVolumeType)
	},
	"node-volume-type":      func(r *rerun, _ string) { r.setGroups(RoleNode, "spec.rootVolumeType", r.opt.NodeVolumeType) },
	"control-plane-tenancy": func(r *rerun, _ string) { r.setGroups(RoleControlPlane, "spec.tenancy", r.opt.ControlPlaneTenancy) },
	"node-tenancy":          func(r *rerun, _ string) { r.setGroups(RoleNode, "spec.tenancy", r.opt.NodeTenancy) },
	"control-plane-security-groups": func(r *rerun, flag string) {
		r.replaceInGroups(flag, RoleControlPlane, "spec.additionalSecurityGroups", r.opt.ControlPlaneSecurityGroups)
	},
	"node-security-groups": func(r *rerun, flag string) {
		r.replaceInGroups(flag, RoleNode, "spec.additionalSecurityGroups", r.opt.NodeSecurityGroups)
	},
	"associate-public-ip": (*rerun).publicIP,

	"node-count":          func(r *rerun, flag string) { r.count(flag, RoleNode, r.opt.NodeCount) },
	"api-server-count":    func(r *rerun, flag string) { r.count(flag, RoleAPIServer, r.opt.APIServerCount) },
	"control-plane-count": (*rerun).controlPlaneCount,
	"control-plane-zones": func(r *rerun, flag string) { r.sameZones(flag, r.opt.ControlPlaneZones) },
	"zones":               func(r *rerun, flag string) { r.sameZones(flag, r.opt.Zones) },
	"egress":              (*rerun).egress,

	"project":             func(r *rerun, _ string) { r.set("spec.project", r.opt.Project) },
	"gce-service-account": func(r *rerun, _ string) { r.set("spec.cloudConfig.gceServiceAccount", r.opt.GCEServiceAccount) },

	"os-ext-net":     func(r *rerun, _ string) { r.openstack("router.externalNetwork", r.opt.OpenStack.ExternalNet) },
	"os-ext-subnet":  func(r *rerun, _ string) { r.openstack("router.externalSubnet", r.opt.OpenStack.ExternalSubnet) },
	"os-dns-servers": func(r *rerun, _ string) { r.openstack("router.dnsServers", r.opt.OpenStack.DNSServers) },
	"os-kubelet-ignore-az": func(r *rerun, _ string) {
		r.openstack("blockStorage.ignore-volume-az", strconv.FormatBool(r.opt.OpenStack.IgnoreAZ))
	},
	"os-octavia": func(r *rerun, _ string) {
		r.openstack("loadbalancer.useOctavia", strconv.FormatBool(r.opt.OpenStack.Octavia))
	},
	"os-octavia-provider":   func(r *rerun, _ string) { r.openstack("loadbalancer.provider", r.opt.OpenStack.OctaviaProvider) },
	"os-lb-floating-subnet": func(r *rerun, _ string) { r.openstack("loadbalancer.floatingSubnet", r.opt.OpenStack.LBSubnet) },

	"azure-subscription-id":     func(r *rerun, _ string) { r.azure("subscriptionId", r.opt.Azure.SubscriptionID) },
	"azure-tenant-id":           func(r *rerun, _ string) { r.azure("tenantId", r.opt.Azure.TenantID) },
	"azure-resource-group-name": func(r *rerun, _ string) { r.azure("resourceGroupName", r.opt.Azure.ResourceGroup) },
	"azure-route-table-name":    func(r *rerun, _ string) { r.azure("routeTableName", r.opt.Azure.RouteTable) },
	"azure-admin-user":          func(r *rerun, _ string) { r.azure("adminUser", r.opt.Azure.AdminUser) },

	// What a cluster is made of cannot be turned into something else.
	"cloud":    func(r *rerun, flag string) { r.same(flag, r.opt.Cloud, r.cluster.Cloud()) },
	"topology": func(r *rerun, flag string) { r.same(flag, r.opt.Topology, r.topology()) },
	"ipv6": func(r *rerun, flag string) {
		r.same(flag, strconv.FormatBool(r.opt.IPv6), strconv.FormatBool(r.cluster.Spec.NonMasqueradeCIDR == anyIPv6))
	},
	"bastion": func(r *rerun, flag string) {
		r.same(flag, strconv.FormatBool(r.opt.Bastion), strconv.FormatBool(len(r.cluster.GroupsOf(RoleBastion)) > 0))
	},
	"network-id":        func(r *rerun, flag string) { r.same(flag, r.opt.NetworkID, r.text("spec", "networkID")) },
	"subnets":           func(r *rerun, flag string) { r.sameSubnets(flag, r.opt.SubnetIDs) },
	"utility-subnets":   func(r *rerun, flag string) { r.sameSubnets(flag, r.opt.UtilitySubnetIDs) },
	"instance-manager":  (*rerun).instanceManager,
	"etcd-clusters":     (*rerun).etcdClusters,
	"etcd-storage-type": func(r *rerun, flag string) { r.sameMembers(flag, "volumeType", r.opt.EtcdStorageType) },
	"encrypt-etcd-storage": func(r *rerun, flag string) {
		r.sameMembers(flag, "encryptedVolume", r.opt.EncryptEtcdStorage != nil && *r.opt.EncryptEtcdStorage)
	},
}

func (r *rerun) networkCIDR(flag string) {
	if r.isEmpty(flag, "spec.networkCIDR", r.opt.NetworkCIDRs) {
		return
	}
	r.set("spec.networkCIDR", r.opt.NetworkCIDRs[0])
	if len(r.opt.NetworkCIDRs) > 1 {
		r.replace(flag, "spec.additionalNetworkCIDRs", r.opt.NetworkCIDRs[1:])
	}
}

func (r *rerun) dns(flag string) {
	if cloud := r.cluster.Cloud(); slices.Contains(dnsTypes[cloud], r.opt.DNSType) {
		r.refuse(flag, "", "kops makes no %s DNS records in %s", strings.ToLower(r.opt.DNSType), cloud)
		return
	}
	r.set("spec.topology.dns.type", r.opt.DNSType)
}

func (r *rerun) cloudLabels(string) {
	for _, k := range slices.Sorted(maps.Keys(r.opt.CloudLabels)) {
		r.set("spec.cloudLabels", k+"="+r.opt.CloudLabels[k])
	}
}

// networking takes the place of the network that is there.
func (r *rerun) networking(flag string) {
	want := networkingNamed(r.opt.Networking)
	switch {
	case want == nil:
		r.refuse(flag, networkingHint, "%q is not known", shorten(r.opt.Networking))
		return
	case want.unfit(r.cluster.Cloud()) != "":
		r.refuse(flag, networkingHint, "%s", want.unfit(r.cluster.Cloud()))
		return
	}
	for _, was := range slices.Sorted(maps.Keys(r.cluster.Spec.Networking)) {
		if _, known := FieldFor(KindCluster, "spec.networking."+was); known && was != want.field {
			r.unset("spec.networking." + was)
		}
		if i := slices.IndexFunc(networkings, func(n networking) bool { return n.field == was }); i >= 0 && !networkings[i].proxy && want.proxy {
			r.unset("spec.kubeProxy.enabled")
		}
	}
	r.set("spec.networking."+want.field, "")
	for field, value := range want.fields {
		r.set("spec.networking."+want.field+"."+field, fmt.Sprint(value))
	}
	if !want.proxy {
		r.set("spec.kubeProxy.enabled", "false")
	}
}

func (r *rerun) authorization(string) {
	have, _ := r.cluster.Get("spec", "authorization")
	want := r.opt.authorization()
	for was := range mapOf(have) {
		if want[was] == nil {
			r.unset("spec.authorization." + was)
		}
	}
	for name := range want {
		r.set("spec.authorization."+name, "")
	}
}

func mapOf(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func (r *rerun) featureGates(string) {
	for _, text := range r.opt.KubernetesFeatureGates {
		name, on := featureGate(text)
		for _, component := range gated {
			r.set("spec."+component+".featureGates", name+"="+strconv.FormatBool(on))
		}
	}
}

func (r *rerun) balancerType(string) {
	r.set("spec.api.loadBalancer.type", map[string]string{"public": "Public", "internal": "Internal"}[r.opt.APILoadBalancerType])
}

func (r *rerun) balancerClass(string) {
	r.set("spec.api.loadBalancer.class", map[string]string{"network": "Network"}[r.opt.APILoadBalancer])
}

func (r *rerun) discoveryStore(string) {
	r.set("spec.serviceAccountIssuerDiscovery.discoveryStore", discoveryURL(r.opt.DiscoveryStore, r.cluster.Name))
}

func (r *rerun) openstack(field, value string) { r.set("spec.cloudConfig.openstack."+field, value) }
func (r *rerun) azure(field, value string)     { r.set("spec.cloudConfig.azure."+field, value) }

func (r *rerun) images(image string, roles ...Role) {
	for _, role := range roles {
		r.setGroups(role, "spec.image", image)
	}
}

func (r *rerun) machines(flag string, role Role, sizes []string) {
	if len(sizes) == 0 {
		r.refuse(flag, "", "no machine type")
		return
	}
	r.setGroups(role, "spec.machineType", sizes[0])
	if len(sizes) > 1 && r.cluster.Cloud() == "aws" {
		r.replaceInGroups(flag, role, "spec.mixedInstancesPolicy.instances", sizes)
	}
}

func (r *rerun) volumeSize(flag string, role Role, size int) {
	if size < 1 || size > maxVolume {
		r.refuse(flag, "", "%d GB: it must be from 1 to %d", size, maxVolume)
		return
	}
	r.setGroups(role, "spec.rootVolumeSize", strconv.Itoa(size))
}

func (r *rerun) publicIP(string) {
	for _, g := range r.cluster.Groups {
		r.setGroup(g, "spec.associatePublicIp", strconv.FormatBool(r.opt.AssociatePublicIP != nil && *r.opt.AssociatePublicIP))
	}
}

func (r *rerun) egress(flag string) {
	found := false
	for i, s := range r.cluster.Spec.Subnets {
		if s.Type == subnetPrivate {
			r.set(fmt.Sprintf("spec.subnets[%d].egress", i), r.opt.Egress)
			found = true
		}
	}
	if !found {
		r.refuse(flag, "there is an egress from private subnets alone", "the cluster has no private subnet")
	}
}

// count spreads hosts over the groups of a role, as a first run does.
func (r *rerun) count(flag string, role Role, count int) {
	groups := r.cluster.GroupsOf(role)
	if len(groups) == 0 {
		r.refuse(flag, "make one: stateroom create instancegroup NAME --role "+role.String(), "the cluster has no instance group of role %s", role)
		return
	}
	if count < 0 || count > maxNodes {
		r.refuse(flag, "", "%d: it must be from 0 to %d", count, maxNodes)
		return
	}
	for i, size := range spread(count, len(groups)) {
		r.size(groups[i], size)
	}
}

// size gives a group its size. In a cloud machines are started for the least
// size, so both bounds move. On hosts nobody starts machines: the size is how
// many may join, and the least one stays as long as it can.
func (r *rerun) size(g *Group, size int) {
	r.setGroup(g, "spec.maxSize", strconv.Itoa(size))
	if least := g.Spec.MinSize; r.cluster.OnHosts() && least != nil && *least <= size {
		return
	}
	r.setGroup(g, "spec.minSize", strconv.Itoa(size))
}

// same refuses what differs from how the cluster was made.
func (r *rerun) same(flag, want, have string) {
	if !strings.EqualFold(want, have) {
		r.refuse(flag, "make a new cluster", "%s: this cluster was made with %s, and that stays", shorten(want), cmp.Or(have, "none"))
	}
}

func (r *rerun) text(path ...string) string {
	v, _ := r.cluster.Get(path...)
	s, _ := v.(string)
	return s
}

func (r *rerun) topology() string {
	if slices.ContainsFunc(r.cluster.Spec.Subnets, func(s Subnet) bool { return s.Type == subnetPrivate }) {
		return topologyPrivate
	}
	return topologyPublic
}

func (r *rerun) sameSubnets(flag string, ids []string) {
	for _, id := range ids {
		if !slices.ContainsFunc(r.cluster.Spec.Subnets, func(s Subnet) bool { return s.ID == id }) {
			r.refuse(flag, "change spec.subnets", "the cluster does not lie in subnet %s; a re-run does not move it", shorten(id))
		}
	}
}

func (r *rerun) instanceManager(flag string) {
	have := "cloudgroups"
	if on, _ := r.cluster.Get("spec", "karpenter", "enabled"); on == true {
		have = "karpenter"
	}
	r.same(flag, r.opt.InstanceManager, have)
}

func (r *rerun) etcdClusters(flag string) {
	var have []string
	for _, e := range r.cluster.Spec.EtcdClusters {
		have = append(have, e.Name)
	}
	r.same(flag, strings.Join(r.opt.EtcdClusters, ","), strings.Join(have, ","))
}

// sameMembers: the volumes of etcd stay as they were made.
func (r *rerun) sameMembers(flag, field string, want any) {
	for i, e := range r.cluster.Spec.EtcdClusters {
		for j := range e.Members {
			have, _ := r.cluster.Get("spec", "etcdClusters", strconv.Itoa(i), "etcdMembers", strconv.Itoa(j), field)
			if have == nil && want == false {
				continue
			}
			if have != want {
				r.refuse(flag, "a member with another volume is a new one", "%v: the volumes of etcd cluster %s are there already", want, e.Name)
				return
			}
		}
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
		inSubnet := slices.ContainsFunc(r.cluster.Spec.Subnets, func(s Subnet) bool { return s.Zone == zone || s.Name == zone })
		inGroup := slices.ContainsFunc(r.cluster.Groups, func(g *Group) bool { return slices.Contains(g.Spec.Zones, zone) })
		if !inSubnet && !inGroup {
			r.refuse(flag, "add a subnet to spec.subnets and an instance group in it", "the cluster has no zone %q; a re-run makes none", shorten(zone))
		}
	}
}

// RerunFlags are the flags of create cluster that a re-run knows, sorted.
func RerunFlags() []string { return slices.Sorted(maps.Keys(rerunFlags)) }

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
