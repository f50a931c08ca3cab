package cluster

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
)

// applyDefaults writes what kops writes into every document that does not say
// it, and so into a new one from which --unset took it away.
func (a *assignment) applyDefaults() {
	clusters, _ := a.spec["etcdClusters"].([]any)
	for _, item := range clusters {
		if etcd, ok := item.(map[string]any); ok {
			if manager := object(etcd, "manager"); manager["backupRetentionDays"] == nil {
				manager["backupRetentionDays"] = backupDays
			}
		}
	}
	if dns := object(object(a.spec, "topology"), "dns"); dns["type"] == nil || dns["type"] == "" {
		dns["type"] = dnsPublic
	}
	if authorization := object(a.spec, "authorization"); len(authorization) == 0 {
		authorization["rbac"] = map[string]any{}
	}
	if a.text("kubernetesVersion") == "" {
		a.spec["kubernetesVersion"] = cmp.Or(a.opt.Defaults.KubernetesVersion(), a.opt.KubernetesVersion)
	}
}

// backupDays is for how long etcd's backups are kept.
const backupDays = 90

// assignProxyExcludes completes the list of what is reached without the proxy:
// what belongs to the cluster itself. What is there in any form stays alone.
func (a *assignment) assignProxyExcludes() {
	proxy, ok := a.spec["egressProxy"].(map[string]any)
	if !ok {
		return
	}
	given := textIn(proxy, "excludes")
	excludes := slices.DeleteFunc(strings.Split(given, ","), func(s string) bool { return s == "" })
	add := func(texts ...string) {
		for _, text := range texts {
			if text != "" && !strings.Contains(given, text) {
				excludes = append(excludes, text)
			}
		}
	}
	inside := a.text("nonMasqueradeCIDR")
	add("127.0.0.1", "localhost", a.text("clusterDNSDomain"), a.text("masterPublicName"), string(a.opt.Name), firstAddress(inside), inside)
	if a.opt.Cloud == "aws" {
		add(metadataAddress)
	}
	add(a.text("networkCIDR"))
	networks, _ := a.spec["additionalNetworkCIDRs"].([]any)
	add(inWords(networks)...)
	proxy["excludes"] = strings.Join(excludes, ",")
}

// metadataAddress is where machines of aws learn who they are.
const metadataAddress = "169.254.169.254"

// firstAddress is the one behind that of a range, or "".
func firstAddress(cidr string) string {
	p, err := netip.ParsePrefix(cidr)
	if next := p.Addr().Next(); err == nil && p.Contains(next) {
		return next.String()
	}
	return ""
}
