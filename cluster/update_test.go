package cluster_test

import (
	"strings"
	"testing"

	"github.com/stateroom/stateroom/cluster"
)

func TestEffective(t *testing.T) {
	for _, tt := range []struct {
		old, new string // in config of the frozen lab cluster
		want     string // version non-masquerade services pods kubernetes dns domain, or an error
	}{
		{"", "", "1.37.2 100.64.0.0/10 100.64.0.0/13 100.96.0.0/11 100.64.0.1 100.64.0.10 cluster.local"},
		{"  kubernetesVersion: 1.37.2\n", "", "1.37.2 100.64.0.0/10 100.64.0.0/13 100.96.0.0/11 100.64.0.1 100.64.0.10 cluster.local"},
		{"nonMasqueradeCIDR: 100.64.0.0/10", "nonMasqueradeCIDR: 10.0.0.0/8", "1.37.2 10.0.0.0/8 100.64.0.0/13 10.128.0.0/9 100.64.0.1 100.64.0.10 cluster.local"},
		{"nonMasqueradeCIDR: 100.64.0.0/10", "nonMasqueradeCIDR: ::/0", "1.37.2 ::/0 fd00:5e4f:ce::/108 invalid Prefix fd00:5e4f:ce::1 fd00:5e4f:ce::a cluster.local"},
		{"nonMasqueradeCIDR: 100.64.0.0/10", "nonMasqueradeCIDR: 100.64.0.0/10\n  serviceClusterIPRange: 10.96.0.0/16\n  podCIDR: 100.80.0.0/16\n  clusterDNSDomain: k8s.internal\n  kubeDNS:\n    serverIP: 10.96.0.53",
			"1.37.2 100.64.0.0/10 10.96.0.0/16 100.80.0.0/16 10.96.0.1 10.96.0.53 k8s.internal"},
		{"nonMasqueradeCIDR:", "serviceClusterIPRange: 10.96.0.0/29\n  nonMasqueradeCIDR:", "spec.serviceClusterIPRange: 10.96.0.0/29 has no room for ten addresses"},
		{"nonMasqueradeCIDR:", "kubeDNS: {serverIP: 10.0.0.1}\n  nonMasqueradeCIDR:", `spec.kubeDNS.serverIP: "10.0.0.1" is no address within serviceClusterIPRange 100.64.0.0/13`},
	} {
		fsys := frozen(t, lab)
		if tt.old != "" {
			fsys = changed(t, fsys, "config", tt.old, tt.new)
		}
		e, err := load(t, fsys, lab).Effective()
		got := strings.Join([]string{e.KubernetesVersion.String(), e.NonMasqueradeCIDR.String(), e.ServiceClusterIPRange.String(), e.PodCIDR.String(),
			e.KubernetesServiceIP.String(), e.DNSServerIP.String(), e.ClusterDNSDomain}, " ")
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
	e, err := load(t, frozen(t, lab), lab).Effective()
	if err != nil || e.InternalName != "api.internal."+lab || len(e.EtcdClusters) != 2 || e.APINames[0] != e.InternalName {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestValidateUpdate(t *testing.T) {
	for _, tt := range []struct{ old, new, want string }{
		{"channel: stable", "channel: alpha", ""},
		{"kubernetesVersion: 1.36.4", "kubernetesVersion: 1.37.0", ""},
		{"kubernetesVersion: 1.36.4", "kubernetesVersion: 1.36.3", "spec.kubernetesVersion: 1.36.3 is lower than 1.36.4"},
		{"kubernetesVersion: 1.36.4", "kubernetesVersion: 1.36.4-rc.1", "1.36.4-rc.1 is lower than 1.36.4"},
		{"cloudProvider: aws", "cloudProvider: gce", "spec.cloudProvider: it cannot change once the cluster is there (it was aws)"},
		{"    name: events", "    image: example.com/etcd:3\n    name: events", "spec.etcdClusters[1].image: it cannot change once the cluster is there (it was not set)"},
		{"name: events", "name: leases", `spec.etcdClusters: etcd cluster "events" cannot be taken away`},
		{"instanceGroup: control-plane-eu-test-1b\n      name: b", "instanceGroup: control-plane-eu-test-1c\n      name: b",
			`spec.etcdClusters[0].etcdMembers[1].instanceGroup: member "b" of etcd cluster "main" cannot move from instance group "control-plane-eu-test-1b" to "control-plane-eu-test-1c"`},
		{"instanceGroup: control-plane-eu-test-1b\n      name: b", "instanceGroup: control-plane-eu-test-1b\n      name: d", ""},
	} {
		before := load(t, frozen(t, shop), shop)
		after := load(t, changed(t, frozen(t, shop), "config", tt.old, tt.new), shop)
		got := text(cluster.ValidateUpdate(before, after))
		if tt.want == "" && got != "" || !strings.Contains(got, tt.want) || strings.Contains(got, "\n") {
			t.Errorf("%q: got %q, want %q", tt.new, got, tt.want)
		}
	}
	if got := text(cluster.ValidateUpdate(load(t, frozen(t, shop), shop), load(t, frozen(t, lab), lab))); !strings.Contains(got, "the name cannot change") ||
		!strings.Contains(got, `etcd cluster "main" keeps none of its members`) {
		t.Errorf("another cluster: %s", got)
	}
}
