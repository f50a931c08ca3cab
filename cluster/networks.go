package cluster

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// checkNetworks holds the address ranges against each other, by kops' rules.
func (v *validation) checkNetworks() {
	s := v.cluster.Spec
	v.checkAccess("kubernetesApiAccess", s.KubernetesAPIAccess)
	v.checkAccess("sshAccess", s.SSHAccess)
	v.checkAccess("nodePortAccess", s.NodePortAccess)

	var networks []netip.Prefix
	if p, ok := v.cidr(s.NetworkCIDR, "spec", "networkCIDR"); ok {
		networks = append(networks, p)
	}
	for i, text := range s.AdditionalNetworkCIDRs {
		if p, ok := v.cidr(text, "spec", "additionalNetworkCIDRs", i); ok {
			networks = append(networks, p)
		}
	}
	pods, hasPods := v.cidr(s.PodCIDR, "spec", "podCIDR")
	services, _ := v.cidr(s.ServiceClusterIPRange, "spec", "serviceClusterIPRange")
	inside, hasInside := v.cidr(s.NonMasqueradeCIDR, "spec", "nonMasqueradeCIDR")
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
		p, ok := v.cidr(s.CIDR, "spec", "subnets", i, "cidr")
		if !ok {
			continue
		}
		ranges[i] = p
		at := field("spec", "subnets", i, "cidr")
		if len(networks) > 0 && !slices.ContainsFunc(networks, func(n netip.Prefix) bool { return contains(n, p) }) {
			v.config(at, "subnet %q: %s lies within none of the cluster's networks", s.Name, p)
		}
		for j, o := range ranges[:i] {
			if o.IsValid() && o.Overlaps(p) {
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
	for i, s := range subnets {
		if _, newBits, fromNetwork := strings.Cut(s.IPv6CIDR, "#"); !fromNetwork {
			v.cidr(s.IPv6CIDR, "spec", "subnets", i, "ipv6CIDR")
		} else if _, err := strconv.ParseUint(newBits, 16, 64); err != nil || !strings.HasPrefix(s.IPv6CIDR, "/") {
			v.config(field("spec", "subnets", i, "ipv6CIDR"), "%q is neither a CIDR nor a part of the network's such as /64#1", shorten(s.IPv6CIDR))
		}
	}
}

func (v *validation) checkAccess(name string, list []string) {
	for i, text := range list {
		if !strings.HasPrefix(text, "pl-") {
			v.cidr(text, "spec", name, i)
		}
	}
}

// cidr parses a range; "" is none, and anything wrong with it is a problem.
func (v *validation) cidr(text string, path ...any) (netip.Prefix, bool) {
	if text == "" {
		return netip.Prefix{}, false
	}
	p, err := parseCIDR(text)
	if err != nil {
		v.config(field(path...), "%s", err)
	}
	return p, err == nil
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
