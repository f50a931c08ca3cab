package cluster

import (
	"maps"
	"slices"

	"github.com/stateroom/stateroom/doc"
)

// newCloudGroup makes the document of a group in a cloud. As kops does for a
// group that is made by itself, it says in full what kubelets are told.
func (c *Cluster) newCloudGroup(opt GroupOptions, g *newGroup) (File, error) {
	n := c.asNew(opt)
	if where := clouds[c.Cloud()]; where.zonal {
		g.zones = opt.Zones
	}
	if opt.MachineType != "" {
		g.sizes = []string{opt.MachineType}
	}
	manager := g.manager
	g.manager = "" // machines are chosen, as they are for every group but karpenter's
	if g.image == "" {
		g.image = n.defaultImage(g)
	}
	if len(g.sizes) == 0 {
		g.sizes = []string{n.defaultMachine(g)}
	}
	if err := Invalid(n.problems); err != nil {
		return File{}, err
	}
	g.manager = manager
	document := g.document(n.opt)
	spec := object(document, "spec")
	spec["kubelet"] = c.kubeletOf(g.role)
	if c.Cloud() == "gce" {
		object(spec, "nodeLabels")["cloud.google.com/metadata-proxy-ready"] = "true"
	}
	return File{Name: GroupFile(g.name), Bytes: doc.Format(document)}, nil
}

// asNew is the cluster as create cluster has it while it makes groups.
func (c *Cluster) asNew(opt GroupOptions) *newCluster {
	n := &newCluster{cloud: clouds[c.Cloud()], opt: CreateOptions{
		Name: c.Name, Cloud: c.Cloud(), Created: opt.Created, KubernetesVersion: c.Spec.KubernetesVersion, Zones: opt.Zones,
	}}
	for _, s := range c.Spec.Subnets {
		n.subnets = append(n.subnets, &newSubnet{name: s.Name, zone: s.Zone, region: s.Region, kind: s.Type})
		if s.Zone != "" {
			n.opt.Zones = append(n.opt.Zones, s.Zone)
		}
	}
	n.opt.complete()
	return n
}

// roleLabels are what kops labels nodes of a role with.
var roleLabels = map[Role][]string{
	RoleControlPlane: {"kops.k8s.io/kops-controller-pki", "node-role.kubernetes.io/control-plane", "node.kubernetes.io/exclude-from-external-load-balancers"},
	RoleAPIServer:    {"node-role.kubernetes.io/api-server"},
	RoleNode:         {"node-role.kubernetes.io/node"},
}

// roleTaints keep other pods away from nodes of a role.
var roleTaints = map[Role]string{
	RoleControlPlane: "node-role.kubernetes.io/control-plane=:NoSchedule",
	RoleAPIServer:    "node-role.kubernetes.io/api-server=:NoSchedule",
}

// kubeletOf is what the kubelets of a role are told: the cluster's own, with
// labels and taints of the role.
func (c *Cluster) kubeletOf(r Role) map[string]any {
	kubelet := map[string]any{}
	if r != RoleControlPlane {
		maps.Copy(kubelet, c.Spec.Kubelet)
	} else {
		maps.Copy(kubelet, c.Spec.MasterKubelet)
		if c.Spec.Kubelet["anonymousAuth"] == false {
			kubelet["anonymousAuth"] = false
		}
	}
	labels := maps.Clone(mapOf(kubelet["nodeLabels"]))
	if labels == nil {
		labels = map[string]any{}
	}
	for _, label := range roleLabels[r] {
		labels[label] = ""
	}
	if len(labels) > 0 {
		kubelet["nodeLabels"] = labels
	}
	if taints := c.taintsOf(r, kubelet); len(taints) > 0 {
		kubelet["taints"] = list(taints)
	}
	return kubelet
}

func (c *Cluster) taintsOf(r Role, kubelet map[string]any) []string {
	var taints []string
	for _, from := range []any{kubelet["taints"], c.Spec.Kubelet["taints"]} {
		all, _ := from.([]any)
		for _, taint := range all {
			if text, ok := taint.(string); ok {
				taints = append(taints, text)
			}
		}
	}
	if taint := roleTaints[r]; taint != "" {
		taints = append(taints, taint)
	}
	slices.Sort(taints)
	return slices.Compact(taints)
}
