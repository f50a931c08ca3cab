package cluster_test

import (
	"errors"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stateroom/stateroom/cluster"
)

// TestNewGroupIsWrittenAsCreateClusterWritesIt, byte for byte.
func TestNewGroupIsWrittenAsCreateClusterWritesIt(t *testing.T) {
	opt := cluster.CreateOptions{Name: "a.example.com", Created: time.Unix(1<<30, 0), NodeCount: 2, NodeSizes: []string{"small"}, Image: "ours"}
	files := create(t, opt)
	c := load(t, files, string(opt.Name))
	two := 2
	for _, g := range []cluster.GroupOptions{
		{Name: "nodes-main", MinSize: &two},
		{Name: "control-plane-main", Role: "control-plane"},
	} {
		g.Created = opt.Created
		f, err := c.NewGroup(g)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(files[f.Name].Data), string(f.Bytes)); diff != "" || path.Base(f.Name) != g.Name {
			t.Errorf("%s differs (-create cluster +NewGroup):\n%s", f.Name, diff)
		}
	}
}

func TestNewGroupRefuses(t *testing.T) {
	c := load(t, create(t, cluster.CreateOptions{Name: "a.example.com"}), "a.example.com")
	five, two := 5, 2
	_, err := c.NewGroup(cluster.GroupOptions{Name: "x", Role: "cook", Subnets: []string{"gone"}, MinSize: &five, MaxSize: &two})
	invalid := new(cluster.InvalidError)
	if !errors.As(err, &invalid) {
		t.Fatalf("got %v", err)
	}
	var flags []string
	for _, p := range invalid.Problems {
		flags = append(flags, p.File)
	}
	if got := strings.Join(flags, " "); got != "--role --subnet --min-size" {
		t.Errorf("got %s\n%v", got, err)
	}
}

// TestNewGroupInACloud: as kops writes a group that is made by itself.
func TestNewGroupInACloud(t *testing.T) {
	opt := inCloud("aws")
	opt.Topology, opt.IPv6, opt.Networking = "private", true, "calico"
	opt.Sets = []string{"spec.kubelet.maxPods=50", "spec.kubelet.taints=a=b:NoSchedule", "spec.masterKubelet.maxPods=20", "spec.kubelet.nodeLabels=mine=1"}
	c := load(t, create(t, opt), string(opt.Name))
	five := 5
	for _, tt := range []struct {
		opt  cluster.GroupOptions
		want string
	}{
		{cluster.GroupOptions{Name: "x"}, `image: 099720109477/ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20260714
  kubelet:
    anonymousAuth: false
    maxPods: 50
    nodeLabels:
      mine: "1"
      node-role.kubernetes.io/node: ""
    taints:
    - a=b:NoSchedule
  machineType: t3.medium
  manager: CloudGroup
  maxSize: 2
  minSize: 2
  nodeLabels:
    kops.k8s.io/instancegroup: x
  role: Node
  subnets:
  - us-east-1a
  - us-east-1b
`},
		{cluster.GroupOptions{Name: "y", Role: "control-plane", Zones: []string{"us-east-1b"}, MachineType: "m6g.large"}, `image: 099720109477/ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-20260714
  kubelet:
    anonymousAuth: false
    maxPods: 20
    nodeLabels:
      kops.k8s.io/kops-controller-pki: ""
      node-role.kubernetes.io/control-plane: ""
      node.kubernetes.io/exclude-from-external-load-balancers: ""
    taints:
    - a=b:NoSchedule
    - node-role.kubernetes.io/control-plane=:NoSchedule
  machineType: m6g.large
  manager: CloudGroup
  maxSize: 1
  minSize: 1
  nodeLabels:
    kops.k8s.io/instancegroup: "y"
  role: Master
  subnets:
  - us-east-1b
  - dualstack-us-east-1b
`},
		{cluster.GroupOptions{Name: "b", Role: "bastion", Image: "mine", MaxSize: &five}, `image: mine
  kubelet:
    anonymousAuth: false
    maxPods: 50
    nodeLabels:
      mine: "1"
    taints:
    - a=b:NoSchedule
  machineType: t3.micro
  manager: CloudGroup
  maxSize: 5
  minSize: 1
  nodeLabels:
    kops.k8s.io/instancegroup: b
  role: Bastion
  subnets:
  - us-east-1a
  - us-east-1b
`},
	} {
		f, err := c.NewGroup(tt.opt)
		if err != nil {
			t.Errorf("%s: %v", tt.opt.Name, err)
			continue
		}
		_, spec, _ := strings.Cut(string(f.Bytes), "spec:\n  ")
		if diff := cmp.Diff(tt.want, spec); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.opt.Name, diff)
		}
	}
	zoned := load(t, create(t, inCloud("gce")), "a.example.com")
	if _, err := zoned.NewGroup(cluster.GroupOptions{Name: "x"}); flagsOf(t, err) != "--zone" {
		t.Errorf("a group of gce without zones: %v", err)
	}
	regional := load(t, create(t, inCloud("azure")), "a.example.com")
	if f, err := regional.NewGroup(cluster.GroupOptions{Name: "x"}); err != nil || strings.Contains(string(f.Bytes), "zones:") {
		t.Errorf("a group of azure without zones: %v\n%s", err, f.Bytes)
	}
	f, err := c.NewGroup(cluster.GroupOptions{Name: "a", Role: "apiserver"})
	if want := "  subnets:\n  - dualstack-us-east-1a\n  - dualstack-us-east-1b\n"; err != nil || !strings.HasSuffix(string(f.Bytes), want) {
		t.Errorf("API servers with IPv6: %v\n%s", err, f.Bytes)
	}
	f, err = zoned.NewGroup(cluster.GroupOptions{Name: "x", Zones: []string{"us-central1-c"}})
	if err != nil || !strings.Contains(string(f.Bytes), "  zones:\n  - us-central1-c\n") || !strings.Contains(string(f.Bytes), "metadata-proxy-ready") {
		t.Errorf("%v\n%s", err, f.Bytes)
	}
}
