package cluster

import (
	"fmt"
	"maps"
)

// networking is one value of --networking.
type networking struct {
	name   string
	field  string         // of spec.networking
	fields map[string]any // in it
	proxy  bool           // kube-proxy runs beside it
	cloud  string         // where alone it works; "" everywhere
	noIPv6 bool
}

var networkings = []networking{
	{name: "cni", field: "cni", proxy: true},
	{name: "cilium", field: "cilium", fields: map[string]any{"enableNodePort": true}},
	{name: "cilium-etcd", field: "cilium", fields: map[string]any{"enableNodePort": true, "etcdManaged": true}},
	{name: "cilium-eni", field: "cilium", fields: map[string]any{"enableNodePort": true, "ipam": "eni"}, cloud: "aws", noIPv6: true},
	{name: "calico", field: "calico", proxy: true},
	{name: "kindnet", field: "kindnet", proxy: true},
	{name: "kubenet", field: "kubenet", proxy: true, noIPv6: true},
	{name: "flannel", field: "flannel", fields: map[string]any{"backend": "vxlan"}, proxy: true, noIPv6: true},
	{name: "flannel-vxlan", field: "flannel", fields: map[string]any{"backend": "vxlan"}, proxy: true, noIPv6: true},
	{name: "flannel-udp", field: "flannel", fields: map[string]any{"backend": "udp"}, proxy: true, noIPv6: true},
	{name: "kube-router", field: "kuberouter", noIPv6: true},
	{name: "kopeio", field: "kopeio", proxy: true, noIPv6: true},
	{name: "kopeio-vxlan", field: "kopeio", proxy: true, noIPv6: true},
	{name: "amazonvpc", field: "amazonvpc", proxy: true, cloud: "aws", noIPv6: true},
	{name: "amazon-vpc-routed-eni", field: "amazonvpc", proxy: true, cloud: "aws", noIPv6: true},
	{name: "gcp", field: "gce", proxy: true, cloud: "gce", noIPv6: true},
	{name: "gce", field: "gce", proxy: true, cloud: "gce", noIPv6: true},
	{name: "external", field: "external", proxy: true},
}

// NetworkingNames are the values of --networking.
func NetworkingNames() []string {
	var names []string
	for _, n := range networkings {
		if n.name != "external" { // it ended with Kubernetes 1.25
			names = append(names, n.name)
		}
	}
	return names
}

const networkingHint = "there are cni, cilium, cilium-etcd, calico, kindnet, kubenet, flannel, kube-router and kopeio; in aws also amazonvpc and cilium-eni, in gce also gce"

// networkingNamed finds a value of --networking, or nil.
func networkingNamed(name string) *networking {
	for i, n := range networkings {
		if n.name == name {
			return &networkings[i]
		}
	}
	return nil
}

// unfit says why a network cannot be had in a cloud; "" where it can.
func (n *networking) unfit(cloud string) string {
	if n.cloud != "" && n.cloud != cloud {
		return fmt.Sprintf("%s works in %s only, this is %s", n.name, n.cloud, cloud)
	}
	return ""
}

// spec is spec.networking.
func (n *networking) spec() map[string]any {
	fields := map[string]any{}
	maps.Copy(fields, n.fields)
	return map[string]any{n.field: fields}
}

func (n *newCluster) composeNetworking() {
	network := networkingNamed(n.opt.Networking)
	n.spec["networking"] = network.spec()
	if !network.proxy {
		n.component("kubeProxy")["enabled"] = false
	}
	if network.name == "cilium-etcd" {
		n.opt.EtcdClusters = append(n.opt.EtcdClusters[:len(n.opt.EtcdClusters):len(n.opt.EtcdClusters)], "cilium")
	}
}
