package cluster

import (
	"fmt"
	"slices"
)

// newSubnet is a subnet that is to be written.
type newSubnet struct {
	name, zone, region string
	kind               string // its type
	cidr, ipv6         string
	id                 string
	egress             string
}

// The types of subnets.
const (
	subnetPublic, subnetPrivate    = "Public", "Private"
	subnetUtility, subnetDualStack = "Utility", "DualStack"
)

func (s *newSubnet) document() map[string]any {
	d := map[string]any{}
	for field, text := range map[string]string{
		"name": s.name, "zone": s.zone, "region": s.region, "type": s.kind, "cidr": s.cidr, "ipv6CIDR": s.ipv6, "id": s.id, "egress": s.egress,
	} {
		if text != "" {
			d[field] = text
		}
	}
	return d
}

func (n *newCluster) subnetList() []any {
	var all []any
	for _, s := range n.subnets {
		all = append(all, s.document())
	}
	return all
}

// addSubnet adds a subnet, unless one of its name is there, and lets groups of
// the zone find it.
func (n *newCluster) addSubnet(zone string, s *newSubnet) {
	if i := slices.IndexFunc(n.subnets, func(o *newSubnet) bool { return o.name == s.name }); i >= 0 {
		s = n.subnets[i]
	} else {
		n.subnets = append(n.subnets, s)
	}
	n.inZone[zone] = append(n.inZone[zone], s)
}

// composeZones makes a subnet for each zone, or for the region where subnets
// reach over zones.
func (n *newCluster) composeZones() {
	n.inZone = map[string][]*newSubnet{}
	o := n.opt
	switch o.Cloud {
	case "gce", "azure":
		n.regionalSubnet()
		return
	case "digitalocean", "linode":
		n.addSubnet(o.Zones[0], &newSubnet{name: o.Zones[0], region: o.Zones[0], zone: o.Zones[0]})
		return
	}
	shared := n.subnetsByZone("subnets", o.SubnetIDs)
	for _, zone := range o.allZones() {
		n.addSubnet(zone, &newSubnet{name: zone, zone: zone, egress: o.Egress, id: shared[zone]})
	}
	for i, cidr := range o.additionalNetworks() {
		zone := o.Zones[i%len(o.Zones)]
		n.addSubnet(zone, &newSubnet{name: fmt.Sprintf("%s-%d", zone, i+1), zone: zone, cidr: cidr, egress: o.Egress, id: shared[zone]})
	}
}

func (o *CreateOptions) additionalNetworks() []string {
	if len(o.NetworkCIDRs) < 2 {
		return nil
	}
	return o.NetworkCIDRs[1:]
}

// regionalSubnet makes the one subnet of the region: in gce it has the region's
// name, in azure the cluster's.
func (n *newCluster) regionalSubnet() {
	for _, zone := range n.opt.allZones() {
		region, err := n.cloud.region(zone)
		if err != nil {
			continue // check has said so
		}
		s := &newSubnet{name: string(n.opt.Name), region: region}
		if n.opt.Cloud == "gce" {
			s.name = region
			if len(n.opt.SubnetIDs) > 0 {
				s.id = n.opt.SubnetIDs[0]
			}
		}
		n.addSubnet(zone, s)
	}
}

// composeTopology gives the subnets their types. In private topology others
// come beside them: utility subnets for what faces the world, and with IPv6
// those that have IPv4 addresses as well.
func (n *newCluster) composeTopology() {
	o := n.opt
	topology := map[string]any{"dns": map[string]any{"type": o.DNSType}}
	n.spec["topology"] = topology
	kind := subnetPublic
	if o.Topology == topologyPrivate {
		kind = subnetPrivate
	}
	main := slices.Clone(n.subnets)
	for _, s := range main {
		s.kind = kind
	}
	if o.Topology == topologyPrivate {
		n.composePrivate(main)
	}
	if o.IPv6 {
		for i, s := range n.subnets {
			s.ipv6 = fmt.Sprintf("/64#%x", i)
		}
	}
	if o.Bastion {
		if o.DNSType != dnsNone {
			topology["bastion"] = map[string]any{"bastionPublicName": "bastion." + string(o.Name)}
		}
		n.composeBastions()
	}
}

func (n *newCluster) composePrivate(main []*newSubnet) {
	o := n.opt
	shared := n.subnetsByZone("utility-subnets", o.UtilitySubnetIDs)
	beside := func(prefix, kind string) {
		for _, s := range main {
			n.subnets = append(n.subnets, &newSubnet{name: prefix + s.name, zone: s.zone, region: s.region, kind: kind, id: shared[s.zone]})
		}
	}
	if o.IPv6 {
		beside("dualstack-", subnetDualStack)
	}
	if o.Cloud != "gce" {
		beside("utility-", subnetUtility)
	}
}
