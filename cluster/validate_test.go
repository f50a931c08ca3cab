package cluster_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stateroom/stateroom/cluster"
)

const lab, shop = "lab.example.internal", "shop.example.org"

func TestFrozenClustersAreValid(t *testing.T) {
	for _, name := range []string{lab, shop} {
		c := load(t, frozen(t, name), name)
		if problems := c.Validate(); len(problems) > 0 {
			t.Error(text(problems))
		}
		if c.OnHosts() != (name == lab) {
			t.Errorf("%s: OnHosts is %v", name, c.OnHosts())
		}
	}
	c := load(t, frozen(t, shop), shop)
	if got := c.ConfigBase(); got != "s3://example-state/shop.example.org" {
		t.Errorf("configBase %q", got)
	}
	if v, ok := c.Get("spec", "kubeAPIServer", "eventTTL"); !ok || v != "3h0m0s" {
		t.Errorf("eventTTL %v, %v", v, ok)
	}
	if g := c.Group("nodes"); g == nil || g.Spec.Role.String() != "node" || *g.Spec.MaxSize != 12 {
		t.Errorf("group nodes: %+v", g)
	}
	if got := len(c.GroupsOf(cluster.RoleControlPlane)); got != 3 {
		t.Errorf("%d control-plane groups", got)
	}
}

// TestValidate breaks one thing in a valid cluster and wants exactly the
// problem that says so.
func TestValidate(t *testing.T) {
	for name, tt := range map[string]struct {
		cluster, file, old, new string
		want                    string // each problem must hold its line of this
	}{
		"a name that is not the folder's": {shop, "config", "name: shop.example.org\nspec", "name: shop.example.com\nspec",
			`config:8:3: metadata.name: "shop.example.com", but the cluster's folder is "shop.example.org"`},
		"a group in the wrong file": {shop, "instancegroup/nodes", `"name": "nodes"`, `"name": "node"`,
			`instancegroup/nodes:7:5: metadata.name: "node", but the file is instancegroup/nodes`},
		"a group of another cluster": {shop, "instancegroup/nodes", `"kops.k8s.io/cluster": "shop.example.org"`, `"kops.k8s.io/cluster": "x.example.org"`,
			`"x.example.org", but this is a group of "shop.example.org"`},
		"a version that is none": {shop, "config", "kubernetesVersion: 1.36.4", "kubernetesVersion: latest",
			`spec.kubernetesVersion: "latest" is no Kubernetes version such as 1.37.2`},
		"etcd with two members": {shop, "config", "    - encryptedVolume: true\n      instanceGroup: control-plane-eu-test-1c\n      name: c\n    manager:\n      backupRetentionDays: 90\n      env", "    manager:\n      backupRetentionDays: 90\n      env",
			`spec.etcdClusters[0].etcdMembers: etcd cluster "main" has 2 members; it needs an odd number, for a majority`},
		"an etcd member on no group": {shop, "config", "instanceGroup: control-plane-eu-test-1b", "instanceGroup: control-plane-eu-test-1d",
			`spec.etcdClusters[0].etcdMembers[1].instanceGroup: there is no instance group "control-plane-eu-test-1d"`},
		"an etcd member on nodes": {shop, "config", "instanceGroup: control-plane-eu-test-1b", "instanceGroup: nodes",
			`instance group "nodes" has role Node; etcd runs on the control plane`},
		"an etcd member twice": {shop, "config", "name: b\n", "name: a\n",
			`spec.etcdClusters[0].etcdMembers[1].name: a second member "a" in etcd cluster "main"`},
		"an etcd cluster twice": {shop, "config", "name: events", "name: main",
			`spec.etcdClusters[1].name: a second etcd cluster "main"`},
		"a role that is none": {shop, "instancegroup/nodes", `"role": "Node"`, `"role": "node"`,
			`instancegroup/nodes:16:13: spec.role: "node" is not one of Master, Node, Bastion, APIServer, Etcd, Scheduler, KubeControllerManager (did you mean Node?)`},
		"no group but the control plane": {lab, "instancegroup/nodes-main", "role: Node", "role: Master",
			`the cluster has no instance group beside its control plane`},
		"no control plane": {lab, "instancegroup/control-plane-main", "role: Master", "role: Node",
			"no instance group of role Master\nhas role Node; etcd runs on\nhas role Node; etcd runs on"},
		"two hosts in a control-plane group": {lab, "instancegroup/control-plane-main", "maxSize: 1", "maxSize: 2",
			`spec.maxSize: 2: a control-plane group has one node; add more groups instead`},
		"min above max": {shop, "instancegroup/nodes", `"minSize": 3`, `"minSize": 13`,
			`spec.minSize: minSize 13 is above maxSize 12`},
		"a size below 0": {shop, "instancegroup/nodes", `"minSize": 3`, `"minSize": -1`,
			`spec.minSize: -1 is below 0`},
		"a subnet that is not there": {shop, "instancegroup/nodes", `"eu-test-1b"`, `"eu-test-1d"`,
			`spec.subnets[1]: the cluster has no subnet "eu-test-1d" (there are eu-test-1a, eu-test-1b, eu-test-1c)`},
		"a subnet twice": {shop, "config", "    name: eu-test-1c\n    type", "    name: eu-test-1a\n    type",
			"spec.subnets[2].name: a second subnet \"eu-test-1a\"\nno subnet \"eu-test-1c\"\nno subnet \"eu-test-1c\""},
		"a CIDR that is an address": {shop, "config", "- 192.0.2.0/24", "- 192.0.2.1",
			`spec.kubernetesApiAccess[0]: "192.0.2.1" is no range of addresses such as 10.0.0.0/16; did you mean 192.0.2.1/32?`},
		"a CIDR with bits below its mask": {shop, "config", "cidr: 172.20.64.0/18", "cidr: 172.20.64.1/18",
			`spec.subnets[1].cidr: 172.20.64.1/18 has bits set below its mask; did you mean 172.20.64.0/18?`},
		"subnets that overlap": {shop, "config", "cidr: 172.20.64.0/18", "cidr: 172.20.32.0/19",
			`spec.subnets[1].cidr: subnet "eu-test-1b": 172.20.32.0/19 overlaps 172.20.0.0/18 of subnet "eu-test-1a"`},
		"a subnet outside the network": {shop, "config", "cidr: 172.20.64.0/18", "cidr: 172.21.64.0/18",
			`subnet "eu-test-1b": 172.21.64.0/18 lies within none of the cluster's networks`},
		"a network among the pods": {shop, "config", "nonMasqueradeCIDR: 100.64.0.0/10", "nonMasqueradeCIDR: 172.16.0.0/12",
			`spec.nonMasqueradeCIDR: 172.16.0.0/12 overlaps the network 172.20.0.0/16`},
		"pods outside": {shop, "config", "nonMasqueradeCIDR:", "podCIDR: 10.0.0.0/16\n  nonMasqueradeCIDR:",
			`spec.podCIDR: 10.0.0.0/16 does not lie within nonMasqueradeCIDR 100.64.0.0/10`},
		"services over a subnet": {shop, "config", "nonMasqueradeCIDR:", "serviceClusterIPRange: 172.20.64.0/20\n  nonMasqueradeCIDR:",
			`subnet "eu-test-1b": 172.20.64.0/18 overlaps serviceClusterIPRange 172.20.64.0/20`},
		"a disk that is nowhere": {shop, "instancegroup/nodes", `"rootVolumeSize": 64,`, `"volumes": [{"size": 10, "type": "gp3"}],`,
			`instancegroup/nodes:17:17: spec.volumes[0]: it has no device, and needs one`},
		"two network plug-ins": {shop, "config", "cilium:\n", "calico: {}\n    cilium:\n",
			`spec.networking.cilium: calico and cilium are chosen; only one can be`},
		"a label of kops": {shop, "config", "    team: shop", "    Name: shop\n    kubernetes.io/cluster/x: c",
			"spec.cloudLabels.Name: kops gives this label itself\nkubernetes.io/cluster/x\"]: kops gives this label itself"},
		"a misspelt field": {shop, "config", "masterPublicName", "masterPublikName",
			`spec.masterPublikName: unknown field "masterPublikName" (did you mean spec.masterPublicName?)`},
	} {
		t.Run(name, func(t *testing.T) {
			c := load(t, changed(t, frozen(t, tt.cluster), tt.file, tt.old, tt.new), tt.cluster)
			problems := c.Validate()
			want := strings.Split(tt.want, "\n")
			if len(problems) != len(want) {
				t.Fatalf("%d problems, want %d:\n%s", len(problems), len(want), text(problems))
			}
			for i, p := range problems {
				if !strings.Contains(p.String(), want[i]) || p.Line == 0 {
					t.Errorf("problem %d is\n%s\nwant\n%s", i, p, want[i])
				}
			}
		})
	}
}

// TestAWrongTypeIsNoValue: what cannot be read is told once, and no other rule
// takes it for a zero.
func TestAWrongTypeIsNoValue(t *testing.T) {
	files := changed(t, frozen(t, shop), "instancegroup/nodes", `"maxSize": 12`, `"maxSize": "many"`)
	_, err := cluster.Load(files, shop)
	const want = `instancegroup/nodes:13:16: spec.maxSize: expected an integer from -2147483648 to 2147483647, found "many"`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

// TestPodsInTheNetwork: where pods have addresses of the cloud's network, their
// ranges are meant to overlap it.
func TestPodsInTheNetwork(t *testing.T) {
	for _, networking := range []string{"amazonvpc: {}", "cilium: {ipam: eni}"} {
		files := changed(t, frozen(t, shop), "config", "cilium:\n      enableNodePort: true", networking)
		files = changed(t, files, "config", "nonMasqueradeCIDR: 100.64.0.0/10", "nonMasqueradeCIDR: 172.20.0.0/16\n  podCIDR: 172.20.0.0/16")
		if problems := load(t, files, shop).Validate(); len(problems) > 0 {
			t.Errorf("%s: %s", networking, text(problems))
		}
	}
}

// TestOnHostsIsWhatKopsCallsMetal: the label, and no cloud provider.
func TestOnHostsIsWhatKopsCallsMetal(t *testing.T) {
	cloud := changed(t, frozen(t, lab), "config", "channel: stable", "channel: stable\n  cloudProvider: aws")
	if c := load(t, cloud, lab); c.OnHosts() || c.Cloud() != "aws" {
		t.Errorf("with a cloud provider: OnHosts %v, cloud %q", c.OnHosts(), c.Cloud())
	}
	if c := load(t, frozen(t, lab), lab); !c.OnHosts() || c.Cloud() != "metal" {
		t.Errorf("OnHosts %v, cloud %q", c.OnHosts(), c.Cloud())
	}
}

// TestAllProblemsAtOnce: several files, sorted by place.
func TestAllProblemsAtOnce(t *testing.T) {
	files := changed(t, frozen(t, shop), "instancegroup/nodes", `"eu-test-1b"`, `"eu-test-1d"`)
	files = changed(t, files, "config", "name: events", "name: main")
	files = changed(t, files, "config", "channel: stable", "chanel: stable")
	problems := load(t, files, shop).Validate()
	var places []string
	for _, p := range problems {
		places = append(places, p.File+" "+p.Path)
	}
	want := "config spec.chanel, config spec.etcdClusters[1].name, instancegroup/nodes spec.subnets[1]"
	if got := strings.Join(places, ", "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestWrongValuesHideNothing: a value that no view can hold, or a key given
// twice, does not keep back what is wrong elsewhere.
func TestWrongValuesHideNothing(t *testing.T) {
	files := changed(t, frozen(t, shop), "instancegroup/nodes", `"minSize": 3`, `"minSize": [3]`)
	files = changed(t, files, "instancegroup/nodes", `"eu-test-1b"`, `"eu-test-1d"`)
	files = changed(t, files, "config", "channel: stable", "channel: stable\n  channel: alpha")
	files = changed(t, files, "config", "kubernetesApiAccess:", "additionalSans: a.example.com\n  kubernetesApiAccess:")
	_, err := cluster.Load(files, shop)
	var invalid *cluster.InvalidError
	if !errors.As(err, &invalid) {
		t.Fatalf("got %v", err)
	}
	var places []string
	for _, p := range invalid.Problems {
		places = append(places, p.File+" "+p.Path)
	}
	want := "config spec.channel, config spec.additionalSans, instancegroup/nodes spec.minSize, instancegroup/nodes spec.subnets[1]"
	if got := strings.Join(places, ", "); got != want {
		t.Errorf("got  %s\nwant %s\n%v", got, want, err)
	}
}

// TestLoadRefusesTheUnreadable: a syntax error in any file, or a value that no
// view can hold, is told with all others; no config is no cluster.
func TestLoadRefusesTheUnreadable(t *testing.T) {
	files := changed(t, frozen(t, shop), "config", "etcdClusters:\n  - cpuRequest", "etcdClusters:\n - cpuRequest")
	files = changed(t, files, "instancegroup/nodes", `"minSize": 3`, `"minSize": [3]`)
	_, err := cluster.Load(files, shop)
	var invalid *cluster.InvalidError
	if !errors.As(err, &invalid) {
		t.Fatalf("got %v", err)
	}
	if len(invalid.Problems) != 2 || invalid.Problems[0].File != "config" || invalid.Problems[1].Path != "spec.minSize" {
		t.Errorf("got %v", err)
	}
	if _, err := cluster.Load(fstest.MapFS{}, shop); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without config: %v", err)
	}
	swapped := fstest.MapFS{"config": &fstest.MapFile{Data: read(t, "testdata/v1", shop, "instancegroup/nodes")}}
	if _, err := cluster.Load(swapped, shop); err == nil || !strings.Contains(err.Error(), "config:1:1: kind: InstanceGroup, here stands a Cluster") {
		t.Errorf("a group as config: %v", err)
	}
}
