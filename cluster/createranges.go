package cluster

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// assignSubnets gives ranges to the subnets that have none. Those that are
// there already have theirs. For the others the network is cut into 1, 2, 4 or
// 8 parts, one for each; utility subnets share the first one, in eighths.
func (a *assignment) assignSubnets() {
	subnets := a.subnetMaps()
	if haveRanges(subnets) {
		return
	}
	a.sharedRanges(subnets)
	if len(a.problems) > 0 || haveRanges(subnets) {
		return
	}
	network, err := parseCIDR(a.text("networkCIDR"))
	switch {
	case a.text("networkCIDR") == "":
		a.wrong("network-cidr", "such as --network-cidr 10.0.0.0/16", a.opt.Cloud+" needs a network that subnets are cut out of")
		return
	case err != nil:
		a.wrong("network-cidr", "", err.Error())
		return
	case !network.Addr().Is4():
		a.wrong("network-cidr", "such as --network-cidr 10.0.0.0/16", fmt.Sprintf("%s: subnets are cut out of a network of IPv4", network))
		return
	}
	big, little, taken := sortSubnets(subnets, network)
	a.cut(network, big, little, taken)
}

func haveRanges(subnets []map[string]any) bool {
	return !slices.ContainsFunc(subnets, func(s map[string]any) bool { return textIn(s, "cidr") == "" && !onlyIPv6(s) })
}

func onlyIPv6(s map[string]any) bool {
	return textIn(s, "ipv6CIDR") != "" && s["type"] == subnetPrivate
}

// sortSubnets parts the subnets by what they get: a part of the network, or an
// eighth of one. Those of other networks get nothing.
func sortSubnets(subnets []map[string]any, network netip.Prefix) (big, little []map[string]any, taken []netip.Prefix) {
	for _, s := range subnets {
		if p, err := parseCIDR(textIn(s, "cidr")); err == nil {
			if !network.Contains(p.Addr()) {
				continue
			}
			taken = append(taken, p)
		}
		if s["type"] == subnetUtility {
			little = append(little, s)
		} else {
			big = append(big, s)
		}
	}
	byZone := func(a, b map[string]any) int { return cmp.Compare(textIn(a, "zone"), textIn(b, "zone")) }
	slices.SortStableFunc(big, byZone)
	slices.SortStableFunc(little, byZone)
	return big, little, taken
}

func (a *assignment) cut(network netip.Prefix, big, little []map[string]any, taken []netip.Prefix) {
	count := len(big)
	if len(little) > 0 {
		count++
	}
	bits := 3
	for b, most := range []int{1, 2, 4} {
		if count <= most {
			bits = b
			break
		}
	}
	least := bits
	if len(little) > 0 {
		least += 3
	}
	if room := 32 - network.Bits(); room < least {
		a.wrong("network-cidr", "take a larger network, such as 10.0.0.0/16", fmt.Sprintf("%s is too small to be cut into %d subnets", network, len(big)+len(little)))
		return
	}
	parts := slices.DeleteFunc(split(network, bits), func(p netip.Prefix) bool {
		return slices.ContainsFunc(taken, p.Overlaps)
	})
	if len(little) > 0 {
		var eighths []netip.Prefix
		if len(parts) > 0 {
			eighths, parts = split(parts[0], 3), parts[1:]
		}
		a.give(little, eighths)
	}
	a.give(big, parts)
}

// give hands out ranges to the subnets that need one.
func (a *assignment) give(subnets []map[string]any, ranges []netip.Prefix) {
	for _, s := range subnets {
		if textIn(s, "cidr") != "" || onlyIPv6(s) {
			continue
		}
		if len(ranges) == 0 {
			a.wrong("network-cidr", "give subnets ranges with --set spec.subnets[name="+textIn(s, "name")+"].cidr=..., or take fewer zones",
				fmt.Sprintf("there is no range left for subnet %q", textIn(s, "name")))
			return
		}
		s["cidr"], ranges = ranges[0].String(), ranges[1:]
	}
}

// split cuts a range of IPv4 into 1<<bits equal parts.
func split(p netip.Prefix, bits int) []netip.Prefix {
	size := p.Bits() + bits
	parts := []netip.Prefix{netip.PrefixFrom(p.Addr(), size)}
	for len(parts) < 1<<bits {
		parts = append(parts, next(parts[len(parts)-1]))
	}
	return parts
}

// next is the range of the same size behind one of IPv4; past the end of all
// addresses it begins again.
func next(p netip.Prefix) netip.Prefix {
	b := p.Addr().As4()
	n := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	n += 1 << (32 - p.Bits())
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}), p.Bits())
}

// sharedRanges takes over the ranges of subnets that are there already.
func (a *assignment) sharedRanges(subnets []map[string]any) {
	network := a.opt.Facts.network(a.text("networkID"))
	if network == nil {
		return // findNetwork has said so, where it matters
	}
	for _, s := range subnets {
		id := textIn(s, "id")
		if id == "" {
			continue
		}
		there := network.subnet(id)
		switch have := textIn(s, "cidr"); {
		case there == nil:
			a.wrong("subnets", "", fmt.Sprintf("there is no subnet %s in network %s", shorten(id), network.ID))
		case have == "" && there.CIDR == "" && onlyIPv6(s):
		case have == "" && there.CIDR == "":
			a.wrong("subnets", "add its cidr to the file for --cloud-facts", fmt.Sprintf("the range of subnet %s is not known", shorten(id)))
		case have == "":
			s["cidr"] = there.CIDR
		case have != there.CIDR:
			a.wrong("subnets", "", fmt.Sprintf("subnet %s has the range %s in its network, and %s here", shorten(id), there.CIDR, have))
		}
	}
}

// assignGCE hands out ranges of gce's private addresses, past those in use: to
// each subnet, and where pods have addresses of the network, to pods and
// services too.
func (a *assignment) assignGCE() {
	used := a.usedRanges()
	networking, _ := a.spec["networking"].(map[string]any)
	_, native := networking["gce"]
	if _, kindnet := networking["kindnet"]; native || kindnet {
		a.assignAliases(used)
		return
	}
	for _, s := range a.subnetMaps() {
		if textIn(s, "id") == "" && textIn(s, "cidr") == "" {
			s["cidr"] = a.allocate(used, 20)
		}
	}
}

func (a *assignment) assignAliases(used *[]netip.Prefix) {
	subnets := a.subnetMaps()
	if len(subnets) != 1 {
		a.wrong("networking", "", fmt.Sprintf("%s needs exactly one subnet, there are %d", a.opt.Networking, len(subnets)))
		return
	}
	if a.text("podCIDR") != "" && a.text("serviceClusterIPRange") != "" && textIn(subnets[0], "cidr") != "" {
		return
	}
	a.spec["podCIDR"] = a.allocate(used, 14)
	a.spec["serviceClusterIPRange"] = a.allocate(used, 16)
	subnets[0]["cidr"] = a.allocate(used, 19)
	a.spec["nonMasqueradeCIDR"] = gceNetworks // what pods can be reached from
}

// usedRanges are those of the subnets in the cluster's network; a network that
// is to be made has none.
func (a *assignment) usedRanges() *[]netip.Prefix {
	var used []netip.Prefix
	id := cmp.Or(a.text("networkID"), strings.ReplaceAll(string(a.opt.Name), ".", "-"))
	if network := a.opt.Facts.network(id); network != nil {
		for _, s := range network.Subnets {
			if p, err := parseCIDR(s.CIDR); err == nil {
				used = append(used, p)
			}
		}
	}
	return &used
}

// allocate takes the next free range of that size; the first one of all is
// never taken.
func (a *assignment) allocate(used *[]netip.Prefix, bits int) string {
	all := netip.MustParsePrefix(gceNetworks)
	for p := next(netip.PrefixFrom(all.Addr(), bits)); all.Overlaps(p); p = next(p) {
		if !slices.ContainsFunc(*used, p.Overlaps) {
			*used = append(*used, p)
			return p.String()
		}
	}
	a.wrong("network-id", "", fmt.Sprintf("there is no /%d left in %s", bits, all))
	return ""
}
