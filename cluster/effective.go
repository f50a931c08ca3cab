package cluster

import (
	"cmp"
	"fmt"
	"net/netip"
)

// What a new cluster gets, and what is used where a document is silent.
const (
	DefaultKubernetesVersion = "1.37.2"
	DefaultChannel           = "stable"
	defaultNonMasquerade     = "100.64.0.0/10"
	defaultServices          = "100.64.0.0/13"
	defaultServices6         = "fd00:5e4f:ce::/108"
	defaultDNSDomain         = "cluster.local"
)

// Effective is what the cluster's documents mean with all defaults filled in.
type Effective struct {
	KubernetesVersion     Version
	NonMasqueradeCIDR     netip.Prefix
	ServiceClusterIPRange netip.Prefix
	PodCIDR               netip.Prefix // zero: none, each group's networking decides
	KubernetesServiceIP   netip.Addr   // of service default/kubernetes: the first of the range
	DNSServerIP           netip.Addr   // of the cluster's name service: the tenth
	ClusterDNSDomain      string
	PublicName            string   // of the API, "" where none is given
	InternalName          string   // of the API: api.internal.NAME
	APINames              []string // all names of the API but those of the service, public first
	EtcdClusters          []EtcdCluster
}

// Effective fills in kops' defaults. It wants documents that Validate accepts;
// the error is about a value that it would refuse.
func (c *Cluster) Effective() (Effective, error) {
	s := c.Spec
	e := Effective{
		ClusterDNSDomain: cmp.Or(s.ClusterDNSDomain, s.KubeDNS.Domain, defaultDNSDomain),
		PublicName:       s.MasterPublicName,
		InternalName:     cmp.Or(s.MasterInternalName, "api.internal."+string(c.Name)),
		EtcdClusters:     s.EtcdClusters,
	}
	if e.PublicName != "" {
		e.APINames = append(e.APINames, e.PublicName)
	}
	e.APINames = append(append(e.APINames, e.InternalName), s.AdditionalSANs...)
	var err error
	if e.KubernetesVersion, err = ParseVersion(cmp.Or(s.KubernetesVersion, DefaultKubernetesVersion)); err != nil {
		return e, fmt.Errorf("spec.kubernetesVersion: %w", err)
	}
	if e.NonMasqueradeCIDR, err = parseCIDR(cmp.Or(s.NonMasqueradeCIDR, defaultNonMasquerade)); err != nil {
		return e, fmt.Errorf("spec.nonMasqueradeCIDR: %w", err)
	}
	services := defaultServices
	if e.NonMasqueradeCIDR.Addr().Is6() {
		services = defaultServices6
	}
	if e.ServiceClusterIPRange, err = parseCIDR(cmp.Or(s.ServiceClusterIPRange, services)); err != nil {
		return e, fmt.Errorf("spec.serviceClusterIPRange: %w", err)
	}
	if e.PodCIDR, err = podRange(s.PodCIDR, e.NonMasqueradeCIDR); err != nil {
		return e, fmt.Errorf("spec.podCIDR: %w", err)
	}
	err = e.serviceAddresses(s.KubeDNS.ServerIP)
	return e, err
}

// serviceAddresses are counted from the start of the service range, as kops
// and Kubernetes do.
func (e *Effective) serviceAddresses(dns string) error {
	address := e.ServiceClusterIPRange.Addr()
	for i := 1; i <= 10; i++ {
		if address = address.Next(); !e.ServiceClusterIPRange.Contains(address) {
			return fmt.Errorf("spec.serviceClusterIPRange: %s has no room for ten addresses", e.ServiceClusterIPRange)
		}
		if i == 1 {
			e.KubernetesServiceIP = address
		}
	}
	e.DNSServerIP = address
	if dns == "" {
		return nil
	}
	given, err := netip.ParseAddr(dns)
	if err != nil || !e.ServiceClusterIPRange.Contains(given) {
		return fmt.Errorf("spec.kubeDNS.serverIP: %q is no address within serviceClusterIPRange %s", shorten(dns), e.ServiceClusterIPRange)
	}
	e.DNSServerIP = given
	return nil
}

// podRange is the given one, or the upper half of an IPv4 range.
func podRange(given string, inside netip.Prefix) (netip.Prefix, error) {
	if given != "" {
		return parseCIDR(given)
	}
	if !inside.Addr().Is4() || inside.Bits() >= 32 {
		return netip.Prefix{}, nil
	}
	b := inside.Addr().As4()
	b[inside.Bits()/8] |= 128 >> (inside.Bits() % 8)
	return netip.PrefixFrom(netip.AddrFrom4(b), inside.Bits()+1), nil
}
