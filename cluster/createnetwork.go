package cluster

import "fmt"

const factsHint = "describe the network and its subnets in a file for --cloud-facts"

// findNetwork finds the network that the given subnets lie in, where it is not
// named.
func (n *newCluster) findNetwork() {
	o := &n.opt
	if o.Cloud != "aws" && o.Cloud != "openstack" || o.NetworkID != "" || len(o.SubnetIDs) == 0 {
		return
	}
	network := o.Facts.networkOf(o.SubnetIDs[0])
	if network == nil {
		n.wrong("subnets", factsHint, fmt.Sprintf("the network that subnet %s lies in is not known", shorten(o.SubnetIDs[0])))
		return
	}
	o.NetworkID = network.ID
	n.spec["networkID"] = network.ID
}

// subnetsByZone finds the zones of subnets that are there already: id by zone.
func (n *newCluster) subnetsByZone(flag string, ids []string) map[string]string {
	if n.opt.Cloud != "aws" && n.opt.Cloud != "openstack" || len(ids) == 0 || n.opt.NetworkID == "" {
		return nil
	}
	network := n.opt.Facts.network(n.opt.NetworkID)
	if network == nil {
		n.wrong(flag, factsHint, fmt.Sprintf("the zones of the subnets in network %s are not known", shorten(n.opt.NetworkID)))
		return nil
	}
	zones := map[string]string{}
	for _, id := range ids {
		s := network.subnet(id)
		switch {
		case s == nil:
			n.wrong(flag, factsHint, fmt.Sprintf("there is no subnet %s in network %s", shorten(id), network.ID))
		case zones[s.Zone] != "":
			n.wrong(flag, "give one subnet for each zone", fmt.Sprintf("subnets %s and %s lie in the same zone %s", zones[s.Zone], shorten(id), s.Zone))
		default:
			zones[s.Zone] = id
		}
	}
	for _, zone := range n.opt.allZones() {
		if zones[zone] == "" && len(n.problems) == 0 {
			n.wrong(flag, "give one subnet for each zone", fmt.Sprintf("none of the subnets lies in zone %s: either all subnets are there already, or none is", zone))
		}
	}
	return zones
}
