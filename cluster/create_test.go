package cluster_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stateroom/stateroom/cluster"
)

func create(t *testing.T, opt cluster.CreateOptions) fstest.MapFS {
	t.Helper()
	files, err := cluster.NewCluster(opt)
	if err != nil {
		t.Fatal(err)
	}
	return asMap(files)
}

// asMap are the files as a file system.
func asMap(files []cluster.File) fstest.MapFS {
	m := fstest.MapFS{}
	for _, f := range files {
		m[f.Name] = &fstest.MapFile{Data: f.Bytes}
	}
	return m
}

// TestCreateWritesWhatKopsWrites: the documents of a metal cluster, byte for
// byte. kops' own had one edit since, which added a generation.
func TestCreateWritesWhatKopsWrites(t *testing.T) {
	dir := filepath.Join(kopsData(t), "stores", "kops-state", "demo.k8s.local")
	files := create(t, cluster.CreateOptions{
		Name:              "demo.k8s.local",
		ConfigBase:        "s3://kops-state/demo.k8s.local",
		Created:           time.Date(2026, 11, 22, 17, 3, 42, 999, time.UTC),
		KubernetesVersion: "1.36.0",
		Channel:           "http://127.0.0.1:8099/channels/stable",
		NodeCount:         1,
		APIPublicName:     "127.0.0.1",
	})
	for _, name := range []string{"config", "instancegroup/control-plane-main", "instancegroup/nodes-main", "clusteraddons/default"} {
		want := strings.Replace(string(read(t, dir, filepath.FromSlash(name))), "  generation: 1\n", "", 1)
		if diff := cmp.Diff(want, string(files[name].Data)); diff != "" {
			t.Errorf("%s differs (-kops +ours):\n%s", name, diff)
		}
	}
	if len(files) != 4 {
		t.Errorf("%d files", len(files))
	}
}

// TestCreateWritesWhatKopsWritesInAWS: the documents of a store that kops wrote,
// byte for byte. kops' files of groups say the cluster only when it prints them.
func TestCreateWritesWhatKopsWritesInAWS(t *testing.T) {
	dir := filepath.Join(kopsData(t), "stores", "kops-aws", "aws.example.com")
	files := create(t, cluster.CreateOptions{
		Name: "aws.example.com", Cloud: "aws", Zones: []string{"us-test-1a"}, NodeCount: 2,
		ConfigBase:        "s3://kops-aws/aws.example.com",
		Created:           time.Date(2026, 11, 22, 17, 22, 29, 0, time.UTC),
		KubernetesVersion: "1.36.0",
		Channel:           "http://127.0.0.1:8099/channels/stable",
		Image:             "ami-12345678",
		DNSType:           "public",
		DiscoveryStore:    "s3://kops-aws/discovery",
	})
	for _, name := range []string{"config", "instancegroup/control-plane-us-test-1a", "instancegroup/nodes-us-test-1a"} {
		got := strings.Replace(string(files[name].Data), "  labels:\n    kops.k8s.io/cluster: aws.example.com\n", "", 1)
		if diff := cmp.Diff(string(read(t, dir, filepath.FromSlash(name))), got); diff != "" {
			t.Errorf("%s differs (-kops +ours):\n%s", name, diff)
		}
	}
}

// TestCreateWritesTheFrozenCluster does so without kops' data.
func TestCreateWritesTheFrozenCluster(t *testing.T) {
	files := create(t, cluster.CreateOptions{
		Name:        lab,
		ConfigBase:  "/srv/state/" + lab,
		Created:     time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		CloudLabels: map[string]string{"example.com/team": "on"},
		Labels:      map[string]string{"example.com/stage": "test"},
		AdminAccess: []string{"192.0.2.0/24"},
		NodeSizes:   []string{"small"},
		Sets:        []string{"spec.kubeAPIServer.maxRequestsInflight=801"},
	})
	for name, f := range files {
		path := filepath.Join("testdata", "v1", lab, filepath.FromSlash(name))
		if diff := cmp.Diff(string(read(t, path)), string(f.Data)); diff != "" {
			t.Errorf("%s differs (-frozen +now):\n%s", name, diff)
		}
	}
}

// TestCreatedClustersAreValid over the choices there are.
func TestCreatedClustersAreValid(t *testing.T) {
	for _, networking := range []string{"", "cni", "kubenet", "calico", "cilium", "flannel", "flannel-udp", "kindnet", "kube-router", "kopeio-vxlan"} {
		for _, controlPlanes := range []int{0, 3} {
			files := create(t, cluster.CreateOptions{
				Name: "a.example.com", Networking: networking, ControlPlaneCount: controlPlanes, NodeCount: 5, Zones: []string{"z2", "z1"},
				DNSType: "public", NetworkCIDRs: []string{"10.0.0.0/16", "10.1.0.0/16"},
			})
			c := load(t, files, "a.example.com")
			if problems := c.Validate(); len(problems) > 0 {
				t.Errorf("%s, %d: %s", networking, controlPlanes, text(problems))
			}
			if !c.OnHosts() || c.ConfigBase() != "" {
				t.Errorf("OnHosts %v, configBase %q", c.OnHosts(), c.ConfigBase())
			}
			if got := *c.Group("nodes-z2").Spec.MaxSize*10 + *c.Group("nodes-z1").Spec.MinSize; got != 32 {
				t.Errorf("5 nodes are spread as %d", got)
			}
		}
	}
}

// TestEtcdMembersAreNamedAsKopsDoes by what tells the groups apart.
func TestEtcdMembersAreNamedAsKopsDoes(t *testing.T) {
	for _, tt := range []struct {
		zones []string
		count int
		want  string
	}{
		{[]string{"main"}, 1, "control-plane-main=n"},
		{[]string{"main"}, 3, "control-plane-main-1=etcd-1 control-plane-main-2=etcd-2 control-plane-main-3=etcd-3"},
		{[]string{"rack-a", "rack-b", "rack-c"}, 3, "control-plane-rack-a=a control-plane-rack-b=b control-plane-rack-c=c"},
		{[]string{"east", "west"}, 3, "control-plane-east-1=east-1 control-plane-west-1=west-1 control-plane-east-2=east-2"},
	} {
		c := load(t, create(t, cluster.CreateOptions{Name: "a.b", Zones: tt.zones, ControlPlaneCount: tt.count}), "a.b")
		var got []string
		for _, m := range c.Spec.EtcdClusters[0].Members {
			got = append(got, m.InstanceGroup+"="+m.Name)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%v, %d: got %s, want %s", tt.zones, tt.count, s, tt.want)
		}
	}
}

func TestCreateRefuses(t *testing.T) {
	_, err := cluster.NewCluster(cluster.CreateOptions{
		Name: "demo", KubernetesVersion: "new", ControlPlaneCount: 2, NodeCount: -1, Zones: []string{"A"}, DNSType: "maybe", SSHAccess: []string{"all"},
	})
	var invalid *cluster.InvalidError
	if !errors.As(err, &invalid) {
		t.Fatalf("got %v", err)
	}
	var flags []string
	for _, p := range invalid.Problems {
		flags = append(flags, p.File)
	}
	want := "--name --kubernetes-version --dns --zones --control-plane-count --node-count --ssh-access"
	if got := strings.Join(flags, " "); got != want {
		t.Errorf("got  %s\nwant %s\n%v", got, want, err)
	}
	for _, opt := range []cluster.CreateOptions{
		{Name: "a.b", Networking: "weave"},
		{Name: "a.b", Sets: []string{"spec.nothing=1"}},
		{Name: "a.b", Sets: []string{"spec"}},
	} {
		if _, err := cluster.NewCluster(opt); !errors.As(err, &invalid) {
			t.Errorf("%+v: %v", opt, err)
		}
	}
}

// TestRerun: only the flags that are given change anything.
func TestRerun(t *testing.T) {
	opt := cluster.CreateOptions{
		KubernetesVersion: "1.37.3", NodeCount: 3, Networking: "cilium", AdminAccess: []string{"192.0.2.0/24", "198.51.100.0/24"},
		CloudLabels: map[string]string{"a": "b"}, NodeSizes: []string{"small"}, Zones: []string{"main"}, ControlPlaneCount: 1, Image: "other", DNSType: "public",
		APIPublicName: "api.example.com", Sets: []string{"spec.channel=alpha"},
	}
	for _, tt := range []struct{ given, want string }{
		{"", "config: -  channel: stable\n+  channel: alpha"},
		{"kubernetes-version", "config: -  channel: stable\n-  kubernetesVersion: 1.37.2\n+  channel: alpha\n+  kubernetesVersion: 1.37.3"},
		{"node-count", "config: -  channel: stable\n+  channel: alpha\ninstancegroup/nodes-main: -  maxSize: 0\n+  maxSize: 3"},
		{"admin-access", "config: -  channel: stable\n+  channel: alpha\n+  - 198.51.100.0/24"},
		{"cloud-labels", "config: -  channel: stable\n+  channel: alpha\n+    a: b"},
		{"networking", "config: -  channel: stable\n-    cni: {}\n+  channel: alpha\n+  kubeProxy:\n+    enabled: false\n+    cilium:\n+      enableNodePort: true"},
		{"node-size zones control-plane-count", "config: -  channel: stable\n+  channel: alpha"},
		{"dns api-public-name", "config: -  channel: stable\n-      type: None\n+  channel: alpha\n+  masterPublicName: api.example.com\n+      type: Public"},
		{"image", "config: -  channel: stable\n+  channel: alpha\n" +
			"instancegroup/control-plane-main: -  image: dummy-metal-image\n+  image: other\ninstancegroup/nodes-main: -  image: dummy-metal-image\n+  image: other"},
	} {
		c := load(t, frozen(t, lab), lab)
		patches, err := opt.Rerun(c, strings.Fields(tt.given))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range patches {
			d := c.Document
			if p.Kind == cluster.KindInstanceGroup {
				d = c.Group(filepath.Base(p.File)).Document
			}
			before := string(d.Bytes())
			if err := p.Patch.Apply(p.Kind, d); err != nil {
				t.Fatal(err)
			}
			if changes := changedLines(before, string(d.Bytes())); changes != "" {
				got = append(got, p.File+": "+changes)
			}
		}
		if diff := cmp.Diff(tt.want, strings.Join(got, "\n")); diff != "" {
			t.Errorf("%s: changes differ (-want +got):\n%s", tt.given, diff)
		}
	}
}

// TestRerunBackToAnotherNetwork: a network that did without kube-proxy gives it
// back.
func TestRerunBackToAnotherNetwork(t *testing.T) {
	c := load(t, create(t, cluster.CreateOptions{Name: "a.b", Networking: "cilium"}), "a.b")
	patches, err := cluster.CreateOptions{Networking: "cni"}.Rerun(c, []string{"networking"})
	if err != nil || len(patches) != 1 {
		t.Fatalf("%v, %v", patches, err)
	}
	if err := patches[0].Patch.Apply(cluster.KindCluster, c.Document); err != nil {
		t.Fatal(err)
	}
	if enabled, ok := c.Get("spec", "kubeProxy", "enabled"); ok {
		t.Errorf("kubeProxy.enabled is still %v", enabled)
	}
	if got, _ := c.Get("spec", "networking"); !cmp.Equal(got, map[string]any{"cni": map[string]any{}}) {
		t.Errorf("networking is %v", got)
	}
}

func TestRerunRefuses(t *testing.T) {
	c := load(t, frozen(t, lab), lab)
	opt := cluster.CreateOptions{Zones: []string{"other"}, ControlPlaneCount: 3, DNSType: "x", NodeCount: -1, Networking: "weave"}
	_, err := opt.Rerun(c, []string{"zones", "control-plane-count", "dns", "node-count", "networking"})
	var invalid *cluster.InvalidError
	if !errors.As(err, &invalid) || len(invalid.Problems) != 5 {
		t.Errorf("got %v", err)
	}
}
