package cluster

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stateroom/stateroom/doc"
)

// Networks that kops assumes.
const (
	defaultAWSNetwork   = "172.20.0.0/16"
	defaultAzureNetwork = "10.0.0.0/16"
	gceNetworks         = "10.0.0.0/8"
)

// assignment fills in what follows from the document as it is with --set.
type assignment struct {
	*newCluster
	spec map[string]any
}

// assigned is the finished config: --unset and --set, and what follows from
// them, as the ranges of subnets do.
func (n *newCluster) assigned() ([]byte, error) {
	patch, err := ParsePatch(n.opt.Sets, unsetLater(n.opt.Unsets))
	if err != nil {
		return nil, err
	}
	d, err := doc.New(n.config())
	if err != nil {
		return nil, err
	}
	if err := patch.Apply(KindCluster, d); err != nil {
		return nil, err
	}
	root, _ := d.Get()
	config, _ := root.(map[string]any)
	a := &assignment{newCluster: n, spec: object(config, "spec")}
	a.assign()
	if err := Invalid(n.problems); err != nil {
		return nil, err
	}
	canonical(tables()[KindCluster], config)
	return doc.Format(config), nil
}

func (a *assignment) assign() {
	for _, emptied := range []string{"api", "networking"} {
		if m, ok := a.spec[emptied].(map[string]any); ok && len(m) == 0 {
			delete(a.spec, emptied)
		}
	}
	a.applyDefaults()
	if slices.ContainsFunc(a.opt.Sets, func(set string) bool { return strings.Contains(set, "spec.authentication.oidc.") }) {
		object(a.spec, "authentication") // in v1alpha2 OIDC stands elsewhere, and leaves this empty
	}
	a.checkDNS()
	a.withoutKubeProxy()
	a.assignNetwork()
	if a.opt.Cloud == "gce" {
		a.assignGCE()
	}
	if a.text("nonMasqueradeCIDR") == "" {
		a.spec["nonMasqueradeCIDR"] = defaultNonMasquerade
	}
	if a.text("topology", "dns", "type") == dnsPublic && a.text("masterPublicName") == "" {
		a.spec["masterPublicName"] = "api." + string(a.opt.Name)
	}
	if a.cloud.assigns {
		a.assignSubnets()
	}
	a.assignProxyExcludes()
}

// unsetLater adds to the paths of --unset what kops unsets with them: it goes by
// the places that fields have in its later version, where spec.api holds
// kubernetesApiAccess, too.
func unsetLater(paths []string) []string {
	paths = parted(paths, beginsPath)
	all := slices.Clone(paths)
	for _, path := range paths {
		path = strings.TrimPrefix(path, "cluster.")
		for _, r := range laterRules()[KindCluster] {
			if rest, ok := below(r.to, path); ok && rest != "" && !strings.Contains(r.from, "[]") && !slices.ContainsFunc(all, func(p string) bool { _, ok := below(r.from, p); return ok }) {
				all = append(all, r.from)
			}
		}
	}
	return all
}

// withoutKubeProxy: calico's BPF dataplane listens where kube-proxy would.
func (a *assignment) withoutKubeProxy() {
	if on, _ := at(a.spec, "networking", "calico", "bpfEnabled").(bool); !on {
		return
	}
	if proxy := object(a.spec, "kubeProxy"); proxy["enabled"] == nil {
		proxy["enabled"] = false
	}
}

// assignNetwork gives the cluster its network's range: the one of the network
// that is there, or kops' own choice for one that is to be made.
func (a *assignment) assignNetwork() {
	fallback := map[string]string{"aws": defaultAWSNetwork, "azure": defaultAzureNetwork}[a.opt.Cloud]
	if fallback == "" || a.text("networkCIDR") != "" {
		return
	}
	cidr := fallback
	if id := a.text("networkID"); id != "" {
		cidr = ""
		if network := a.opt.Facts.network(id); network != nil {
			cidr = network.CIDR
		}
		if cidr == "" {
			a.wrong("network-id", "give --network-cidr, or describe the network in a file for --cloud-facts",
				fmt.Sprintf("the range of network %s is not known", shorten(id)))
			return
		}
	}
	a.spec["networkCIDR"] = cidr
	if at(a.spec, "networking", "amazonvpc") != nil && a.text("nonMasqueradeCIDR") != anyIPv6 {
		a.spec["nonMasqueradeCIDR"] = cidr // pods have addresses of the network
	}
}

func (a *assignment) text(path ...string) string {
	s, _ := at(a.spec, path...).(string)
	return s
}

// at is the value at a path of mappings, or nil.
func at(in map[string]any, path ...string) any {
	var v any = in
	for _, step := range path {
		m, _ := v.(map[string]any)
		v = m[step]
	}
	return v
}

// subnetMaps are the subnets of the document.
func (a *assignment) subnetMaps() []map[string]any {
	list, _ := a.spec["subnets"].([]any)
	var all []map[string]any
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			all = append(all, m)
		}
	}
	return all
}

func textIn(m map[string]any, field string) string {
	s, _ := m[field].(string)
	return s
}
