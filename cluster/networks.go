package cluster

import (
	"fmt"
	"net/netip"
	"slices"
)

// checkNetworks holds the address ranges against each other, by kops' rules.
// Those that are no ranges have been found by the check of their documents.
func (v *validation) checkNetworks() {
	s := v.cluster.Spec
	var networks []netip.Prefix
	for _, text := range append([]string{s.NetworkCIDR}, s.AdditionalNetworkCIDRs...) {
		if p, err := parseCIDR(text); err == nil {
			networks = append(networks, p)
		}
	}
	pods, errPods := parseCIDR(s.PodCIDR)
	services, _ := parseCIDR(s.ServiceClusterIPRange)
	inside, errInside := parseCIDR(s.NonMasqueradeCIDR)
	hasPods, hasInside := errPods == nil, errInside == nil
	if hasInside && hasPods && !contains(inside, pods) {
		v.config(field("spec", "podCIDR"), "%s does not lie within nonMasqueradeCIDR %s", pods, inside)
	}
	native := v.podsInNetwork()
	if hasInside && !native {
		for _, n := range networks {
			if inside.Overlaps(n) {
				v.config(field("spec", "nonMasqueradeCIDR"), "%s overlaps the network %s", inside, n)
			}
		}
	}
	if native {
		pods = netip.Prefix{}
	}
	v.checkSubnets(networks, pods, services)
}

// podsInNetwork says whether pods have addresses of the cloud's network, so
// that these ranges are meant to overlap.
func (v *validation) podsInNetwork() bool {
	networking := v.cluster.Spec.Networking
	if _, ok := networking["amazonvpc"]; ok {
		return true
	}
	cilium, _ := networking["cilium"].(map[string]any)
	return cilium["ipam"] == "eni"
}

// checkSubnets; a zero prefix of pods or services overlaps nothing.
func (v *validation) checkSubnets(networks []netip.Prefix, pods, services netip.Prefix) {
	subnets := v.cluster.Spec.Subnets
	ranges := make([]netip.Prefix, len(subnets))
	for i, s := range subnets {
		switch {
		case s.Name == "":
			v.config(field("spec", "subnets", i, "name"), "a subnet has no name")
		case slices.IndexFunc(subnets, func(o Subnet) bool { return o.Name == s.Name }) < i:
			v.config(field("spec", "subnets", i, "name"), "a second subnet %q", s.Name)
		}
		p, err := parseCIDR(s.CIDR)
		if err != nil {
			continue
		}
		ranges[i] = p
		at := field("spec", "subnets", i, "cidr")
		if len(networks) > 0 && !slices.ContainsFunc(networks, func(n netip.Prefix) bool { return contains(n, p) }) {
			v.config(at, "subnet %q: %s lies within none of the cluster's networks", s.Name, p)
		}
		for j, o := range ranges[:i] {
			same := s.ID != "" && s.ID == subnets[j].ID // one that is there, by two names
			if o.IsValid() && o.Overlaps(p) && !same {
				v.config(at, "subnet %q: %s overlaps %s of subnet %q", s.Name, p, o, subnets[j].Name)
			}
		}
		if pods.Overlaps(p) {
			v.config(at, "subnet %q: %s overlaps podCIDR %s", s.Name, p, pods)
		}
		if services.Overlaps(p) {
			v.config(at, "subnet %q: %s overlaps serviceClusterIPRange %s", s.Name, p, services)
		}
	}
}

func parseCIDR(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		hint := ""
		if a, err := netip.ParseAddr(text); err == nil {
			hint = "; did you mean " + netip.PrefixFrom(a, a.BitLen()).String() + "?"
		}
		return netip.Prefix{}, fmt.Errorf("%q is no range of addresses such as 10.0.0.0/16%s", shorten(text), hint)
	}
	if p != p.Masked() {
		return netip.Prefix{}, fmt.Errorf("%s has bits set below its mask; did you mean %s?", p, p.Masked())
	}
	return p, nil
}

// contains says whether all of inner lies in outer.
func contains(outer, inner netip.Prefix) bool {
	return outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr())
}
