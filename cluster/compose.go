package cluster

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

func (g newGroup) document(o CreateOptions) map[string]any {
	image, size := o.ControlPlaneImage, o.ControlPlaneSize
	if g.role == RoleNode {
		image, size = o.NodeImage, o.NodeSize
	}
	spec := map[string]any{
		"image":      cmp.Or(image, o.Image, "dummy-metal-image"),
		"maxSize":    g.size,
		"minSize":    g.size,
		"nodeLabels": map[string]any{"kops.k8s.io/instancegroup": g.name},
		"role":       string(g.role),
		"subnets":    []any{g.zone},
	}
	if size != "" {
		spec["machineType"] = size
	}
	return map[string]any{
		"apiVersion": APIVersion,
		"kind":       KindInstanceGroup,
		"metadata":   map[string]any{"creationTimestamp": o.timestamp(), "name": g.name},
		"spec":       spec,
	}
}

func (o *CreateOptions) timestamp() string { return o.Created.UTC().Format(time.RFC3339) }

func (o *CreateOptions) config(networking map[string]any, controlPlanes []newGroup) map[string]any {
	labels := map[string]any{cloudLabel: metal}
	for k, v := range o.Labels {
		labels[k] = v
	}
	spec := map[string]any{
		"api":                 o.api(),
		"authorization":       map[string]any{"rbac": map[string]any{}},
		"channel":             o.Channel,
		"etcdClusters":        []any{etcd("main", "200m", controlPlanes), etcd("events", "100m", controlPlanes)},
		"iam":                 map[string]any{"allowContainerRegistry": true, "legacy": false},
		"kubelet":             map[string]any{"anonymousAuth": false},
		"kubernetesApiAccess": list(o.AdminAccess),
		"kubernetesVersion":   o.KubernetesVersion,
		"networking":          networking,
		"nonMasqueradeCIDR":   defaultNonMasquerade,
		"sshAccess":           list(o.SSHAccess),
		"subnets":             o.subnets(),
		"topology":            map[string]any{"dns": map[string]any{"type": o.DNSType}},
	}
	if o.ConfigBase != "" {
		spec["configBase"] = o.ConfigBase
	}
	if !usesKubeProxy(o.Networking) {
		spec["kubeProxy"] = map[string]any{"enabled": false}
	}
	if o.APIPublicName != "" {
		spec["masterPublicName"] = o.APIPublicName
	}
	if len(o.NetworkCIDRs) > 0 {
		spec["networkCIDR"] = o.NetworkCIDRs[0]
	}
	if len(o.NetworkCIDRs) > 1 {
		spec["additionalNetworkCIDRs"] = list(o.NetworkCIDRs[1:])
	}
	if len(o.CloudLabels) > 0 {
		cloudLabels := map[string]any{}
		for k, v := range o.CloudLabels {
			cloudLabels[k] = v
		}
		spec["cloudLabels"] = cloudLabels
	}
	return map[string]any{
		"apiVersion": APIVersion,
		"kind":       KindCluster,
		"metadata":   map[string]any{"creationTimestamp": o.timestamp(), "labels": labels, "name": string(o.Name)},
		"spec":       spec,
	}
}

// api: where no DNS record is made, kops writes a load balancer.
func (o *CreateOptions) api() map[string]any {
	if o.DNSType == "None" {
		return map[string]any{"loadBalancer": map[string]any{"type": "Public"}}
	}
	return map[string]any{"dns": map[string]any{}}
}

func (o *CreateOptions) subnets() []any {
	var subnets []any
	for _, zone := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(o.Zones, o.ControlPlaneZones)))) {
		subnets = append(subnets, map[string]any{"name": zone, "type": "Public", "zone": zone})
	}
	return subnets
}

func list(items []string) []any {
	out := make([]any, len(items))
	for i, s := range items {
		out[i] = s
	}
	return out
}

func etcd(name, cpu string, controlPlanes []newGroup) map[string]any {
	members := make([]any, len(controlPlanes))
	for i, short := range memberNames(controlPlanes) {
		members[i] = map[string]any{"instanceGroup": controlPlanes[i].name, "name": short}
	}
	return map[string]any{
		"cpuRequest":    cpu,
		"etcdMembers":   members,
		"manager":       map[string]any{"backupRetentionDays": 90},
		"memoryRequest": "100Mi",
		"name":          name,
	}
}

// memberNames shortens the groups' names as kops does: what all have in front
// is cut, but for the last character; a leading digit gets "etcd-".
func memberNames(groups []newGroup) []string {
	names := make([]string, len(groups))
	for i, g := range groups {
		names[i] = strings.TrimPrefix(g.name, "control-plane-")
	}
	for len(names[0]) > 1 && !slices.ContainsFunc(names, func(n string) bool { return n == "" || n[0] != names[0][0] }) {
		for i := range names {
			names[i] = names[i][1:]
		}
	}
	for i, n := range names {
		if n != "" && n[0] >= '0' && n[0] <= '9' {
			names[i] = "etcd-" + n
		}
	}
	return names
}

// networkingOf is spec.networking for a value of --networking.
func networkingOf(name string) (map[string]any, error) {
	empty := map[string]any{}
	switch name {
	case "cni", "kubenet", "calico", "kindnet", "kopeio":
		return map[string]any{name: empty}, nil
	case "kopeio-vxlan":
		return map[string]any{"kopeio": empty}, nil
	case "kube-router":
		return map[string]any{"kuberouter": empty}, nil
	case "flannel", "flannel-vxlan":
		return map[string]any{"flannel": map[string]any{"backend": "vxlan"}}, nil
	case "flannel-udp":
		return map[string]any{"flannel": map[string]any{"backend": "udp"}}, nil
	case "cilium":
		return map[string]any{"cilium": map[string]any{"enableNodePort": true}}, nil
	}
	return nil, Invalid([]Problem{{
		File: "--networking", Message: fmt.Sprintf("%q is not known for plain hosts", shorten(name)),
		Hint: "there are cni, kubenet, calico, cilium, flannel, kindnet, kube-router, kopeio",
	}})
}

// usesKubeProxy is false for the networks that do its work themselves.
func usesKubeProxy(networking string) bool {
	return networking != "cilium" && networking != "kube-router"
}
