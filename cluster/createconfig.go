package cluster

import (
	"encoding/csv"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

func (o *CreateOptions) timestamp() string { return o.Created.UTC().Format(time.RFC3339) }

// config is the document of the cluster, before --set.
func (n *newCluster) config() map[string]any {
	o := n.opt
	metadata := map[string]any{"creationTimestamp": o.timestamp(), "name": string(o.Name)}
	labels := texts(o.Labels)
	if o.Cloud == metal {
		labels[cloudLabel] = metal
	}
	if len(labels) > 0 {
		metadata["labels"] = labels
	}
	return map[string]any{"apiVersion": APIVersion, "kind": KindCluster, "metadata": metadata, "spec": n.spec}
}

// composeSpec writes what does not depend on the cloud.
func (n *newCluster) composeSpec() {
	o := n.opt
	maps.Copy(n.spec, map[string]any{
		"authorization":       o.authorization(),
		"channel":             o.Channel,
		"iam":                 map[string]any{"allowContainerRegistry": true, "legacy": false},
		"kubelet":             map[string]any{"anonymousAuth": false},
		"kubernetesApiAccess": list(o.AdminAccess),
		"kubernetesVersion":   o.KubernetesVersion,
		"sshAccess":           list(o.SSHAccess),
	})
	for field, text := range map[string]string{"configBase": o.ConfigBase, "masterPublicName": o.APIPublicName, "dnsZone": o.DNSZone, "networkID": o.NetworkID} {
		if text != "" {
			n.spec[field] = text
		}
	}
	if len(o.CloudLabels) > 0 {
		n.spec["cloudLabels"] = texts(o.CloudLabels)
	}
	if len(o.NetworkCIDRs) > 0 {
		n.spec["networkCIDR"] = o.NetworkCIDRs[0]
	}
	if len(o.NetworkCIDRs) > 1 {
		n.spec["additionalNetworkCIDRs"] = list(o.NetworkCIDRs[1:])
	}
	if o.NoSubnetTags {
		n.spec["DisableSubnetTags"] = true
	}
	n.composeFeatureGates()
	n.composeNetworking()
	n.composeDiscovery()
}

func (o *CreateOptions) authorization() map[string]any {
	if strings.EqualFold(o.Authorization, "AlwaysAllow") {
		return map[string]any{"alwaysAllow": map[string]any{}}
	}
	return map[string]any{"rbac": map[string]any{}}
}

// composeFeatureGates gives each gate to every component that has gates.
func (n *newCluster) composeFeatureGates() {
	gates := map[string]any{}
	for _, text := range n.opt.KubernetesFeatureGates {
		name, on := featureGate(text)
		gates[name] = "false"
		if on {
			gates[name] = "true"
		}
	}
	if len(gates) == 0 {
		return
	}
	for _, component := range gated {
		n.component(component)["featureGates"] = maps.Clone(gates)
	}
}

// gated are the components that have feature gates.
var gated = []string{"kubelet", "kubeAPIServer", "kubeControllerManager", "kubeProxy", "kubeScheduler"}

// featureGate reads Name, +Name or -Name.
func featureGate(text string) (name string, on bool) {
	text = strings.TrimSpace(text)
	on = true
	if rest, ok := strings.CutPrefix(text, "-"); ok {
		text, on = rest, false
	} else {
		text = strings.TrimPrefix(text, "+")
	}
	return strings.TrimSpace(text), on
}

// component is an object of spec, made where it is missing.
func (n *newCluster) component(name string) map[string]any {
	return object(n.spec, name)
}

// object is an object in another one, made where it is missing.
func object(in map[string]any, name string) map[string]any {
	m, ok := in[name].(map[string]any)
	if !ok {
		m = map[string]any{}
		in[name] = m
	}
	return m
}

// composeDiscovery: with a public place for the keys of service accounts, aws
// can trust them.
func (n *newCluster) composeDiscovery() {
	o := n.opt
	if o.DiscoveryStore == "" {
		return
	}
	discovery := map[string]any{"discoveryStore": discoveryURL(o.DiscoveryStore, o.Name)}
	if o.Cloud == "aws" {
		discovery["enableAWSOIDCProvider"] = true
		n.component("iam")["useServiceAccountExternalPermissions"] = true
	}
	n.spec["serviceAccountIssuerDiscovery"] = discovery
}

// discoveryURL is the cluster's own place in a discovery store.
func discoveryURL(store string, name Name) string {
	return strings.TrimSuffix(store, "/") + "/" + string(name)
}

// composeAPI says how the API is reached: by names, or by a load balancer where
// no DNS record is made.
func (n *newCluster) composeAPI() {
	o := n.opt
	if o.withoutBalancer() {
		n.spec["api"] = map[string]any{"dns": map[string]any{}}
		return
	}
	balancer := map[string]any{"type": "Public"}
	if o.APILoadBalancerType == "internal" {
		balancer["type"] = "Internal"
	}
	if o.APISSLCertificate != "" {
		balancer["sslCertificate"] = o.APISSLCertificate
	}
	if o.Cloud == "aws" {
		balancer["class"] = "Network"
		if o.APILoadBalancer == "classic" {
			balancer["class"] = "Classic"
		}
	}
	n.spec["api"] = map[string]any{"loadBalancer": balancer}
}

// withoutBalancer: the API is reached by the names of its hosts.
func (o *CreateOptions) withoutBalancer() bool {
	return o.APILoadBalancerType == "" && o.APISSLCertificate == "" && o.Topology == topologyPublic && o.DNSType != dnsNone
}

func list(items []string) []any {
	out := make([]any, len(items))
	for i, s := range items {
		out[i] = s
	}
	return out
}

func texts(m map[string]string) map[string]any {
	out := map[string]any{}
	for k, v := range m {
		out[k] = v
	}
	return out
}

// ParseCloudLabels reads the labels of --cloud-labels: KEY=VALUE with commas
// between, where a key or value with = in it stands in quotes, as in
// dn="cn=me".
func ParseCloudLabels(text string) (map[string]string, error) {
	r := csv.NewReader(strings.NewReader(strings.ReplaceAll(text, ",", "\n")))
	r.Comma, r.FieldsPerRecord, r.TrimLeadingSpace = '=', 2, true
	pairs, err := r.ReadAll()
	if err != nil || slices.ContainsFunc(pairs, func(p []string) bool { return p[0] == "" }) {
		return nil, Invalid([]Problem{{File: "--cloud-labels", Message: fmt.Sprintf("%q is not KEY=VALUE,...", shorten(text)), Hint: `a value with = in it stands in quotes: dn="cn=me"`}})
	}
	labels := map[string]string{}
	for _, pair := range pairs {
		labels[pair[0]] = pair[1]
	}
	return labels, nil
}
