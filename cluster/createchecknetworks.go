package cluster

import (
	"fmt"
	"slices"
	"strings"
)

// networks: the network of the pods, and that of the machines.
func (c *createCheck) networks() {
	o := c.o
	network := networkingNamed(o.Networking)
	switch {
	case network == nil:
		c.wrong("networking", networkingHint, "%q is not known", shorten(o.Networking))
	case network.unfit(o.Cloud) != "":
		c.wrong("networking", networkingHint, "%s", network.unfit(o.Cloud))
	case o.IPv6 && network.noIPv6:
		c.wrong("networking", "cilium, calico and cni can", "%s cannot do IPv6", o.Networking)
	case network.field == "kubenet" && o.Topology == topologyPrivate:
		c.wrong("networking", "take another network, or --topology public", "kubenet cannot be had in private topology")
	case network.field == "external":
		c.wrong("networking", "cni leaves the network to you", "external ended with Kubernetes 1.25")
	}
	if o.Bastion && o.Topology != topologyPrivate {
		c.wrong("bastion", "add --topology private", "a bastion is for private topology: hosts in public topology are reached without")
	}
	if len(o.SubnetIDs) > 1 && o.Cloud == "gce" {
		c.wrong("subnets", "", "in gce a cluster lies in one subnet, here are %d", len(o.SubnetIDs))
	}
	if len(o.UtilitySubnetIDs) > 0 && o.Topology != topologyPrivate {
		c.wrong("utility-subnets", "add --topology private", "there are utility subnets in private topology alone")
	}
	c.egress()
	c.shared()
	c.apiServers()
	if o.InstanceManager == "karpenter" && o.DiscoveryStore == "" {
		c.wrong("instance-manager", "such as --discovery-store s3://BUCKET/discovery", "karpenter needs a --discovery-store")
	}
	if o.APILoadBalancerType == "internal" && o.Topology != topologyPrivate {
		c.wrong("api-loadbalancer-type", "add --topology private", "an internal load balancer lies in a private subnet, and there is none")
	}
	if o.NetworkID != "" && o.Cloud == "azure" && len(o.NetworkCIDRs) == 0 && o.Azure.ResourceGroup == "" {
		c.wrong("network-id", "--azure-resource-group-name says it", "the resource group that network %s lies in is not known", shorten(o.NetworkID))
	}
}

// egressKinds are what an egress begins with, up to the first dash.
var egressKinds = []string{"nat", "eipalloc", "i", "tgw", "External"}

func (c *createCheck) egress() {
	o := c.o
	if o.Egress == "" {
		return
	}
	kind, _, _ := strings.Cut(o.Egress, "-")
	switch {
	case !slices.Contains(egressKinds, kind):
		c.wrong("egress", "nat-... for a gateway, eipalloc-... for its address, i-... for an instance, tgw-... for a transit gateway, or External", "%q is no egress", shorten(o.Egress))
	case kind != "External" && o.Topology != topologyPrivate && !o.IPv6:
		c.wrong("egress", "add --topology private", "there is an egress from private subnets alone")
	}
}

// shared: either all subnets are there already, or none is.
func (c *createCheck) shared() {
	o := c.o
	switch {
	case o.Cloud != "aws" && o.Cloud != "openstack":
	case len(o.SubnetIDs) == 0 && len(o.UtilitySubnetIDs) > 0:
		c.wrong("subnets", "give --subnets too", "the utility subnets are there already, and the others are not")
	case len(o.SubnetIDs) > 0 && len(o.UtilitySubnetIDs) == 0 && o.Topology == topologyPrivate:
		c.wrong("utility-subnets", "give --utility-subnets too: subnets that face the world, one for each zone", "the subnets are there already, and the utility subnets are not")
	}
}

// dnsTypes are those that a cloud cannot do.
var dnsTypes = map[string][]string{
	"azure": {dnsPublic, dnsPrivate}, "hetzner": {dnsPublic, dnsPrivate}, "linode": {dnsPublic, dnsPrivate}, "digitalocean": {dnsPrivate}, "scaleway": {dnsPrivate},
}

func (c *createCheck) apiServers() {
	o := c.o
	if o.APIServerCount > 0 && o.Cloud != "aws" && o.Cloud != "gce" {
		c.wrong("api-server-count", "a larger control plane does it too: --control-plane-count", "groups of API servers are for aws and gce, this cluster is for %s", o.Cloud)
	}
}

// checkDNS looks at the type of DNS that the document has in the end, be it from
// --dns or --set.
func (a *assignment) checkDNS() {
	o, dns := a.opt, a.text("topology", "dns", "type")
	if strings.HasSuffix(string(o.Name), ".k8s.local") && dns != dnsNone {
		a.wrong("dns", "take a name in a zone of your own, or --dns none",
			fmt.Sprintf("no DNS zone can hold %s: kops' gossip, which names in .k8s.local were for, ended with 1.37", o.Name))
	}
	if slices.Contains(dnsTypes[o.Cloud], dns) {
		a.wrong("dns", "leave it out, or --dns none", fmt.Sprintf("kops makes no %s DNS records in %s", strings.ToLower(dns), o.Cloud))
	}
	if o.APIServerCount > 0 && o.Cloud == "aws" && dns == dnsNone {
		a.wrong("api-server-count", "add --dns public or --dns private", "in aws, groups of API servers are found by DNS, and there is none")
	}
}

func (c *createCheck) access() {
	o := c.o
	for _, ranges := range []struct {
		flag    string
		list    []string
		prefix  bool // aws' prefix lists do too
		network bool
	}{{"admin-access", o.AdminAccess, true, false}, {"ssh-access", o.SSHAccess, true, false}, {"network-cidr", o.NetworkCIDRs, false, true}} {
		if ranges.flag == "ssh-access" && slices.Equal(ranges.list, o.AdminAccess) {
			continue // said already
		}
		for _, text := range ranges.list {
			if ranges.prefix && o.Cloud == "aws" && strings.HasPrefix(text, "pl-") {
				continue
			}
			if _, err := parseCIDR(text); err != nil {
				c.wrong(ranges.flag, "", "%s", err)
			}
		}
	}
	if len(o.NetworkCIDRs) > 1 && o.Cloud != "aws" && o.Cloud != metal {
		c.wrong("network-cidr", "give one", "further networks are for aws, this cluster is for %s", o.Cloud)
	}
	if o.Cloud == "digitalocean" && o.NetworkID != "" && len(o.NetworkCIDRs) > 0 {
		c.wrong("network-cidr", "leave one of them out", "a network that is there (--network-id) has its own range")
	}
	for i, text := range o.NetworkCIDRs {
		p, err := parseCIDR(text)
		for _, other := range o.NetworkCIDRs[:i] {
			if q, wrong := parseCIDR(other); err == nil && wrong == nil && p.Overlaps(q) {
				c.wrong("network-cidr", "", "%s overlaps %s", p, q)
			}
		}
	}
}
