package cluster_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stateroom/stateroom/cluster"
)

// inCloud are options that are enough for a cluster in each cloud.
func inCloud(cloud string) cluster.CreateOptions {
	o := cluster.CreateOptions{Name: "a.example.com", Cloud: cloud, Created: time.Unix(1<<30, 0)}
	switch cloud {
	case "aws":
		o.Zones = []string{"us-east-1a", "us-east-1b"}
	case "gce":
		o.Zones, o.Project = []string{"us-central1-a", "us-central1-b"}, "p"
	case "azure":
		o.Zones, o.Azure.SubscriptionID = []string{"eastus-1", "eastus-2"}, "s"
	case "openstack":
		o.Zones, o.Image, o.NetworkCIDRs = []string{"nova"}, "debian", []string{"10.0.0.0/16"}
		o.ControlPlaneSizes, o.NodeSizes = []string{"m1"}, []string{"m2"}
	case "hetzner":
		o.Zones = []string{"fsn1"}
	case "digitalocean":
		o.Zones = []string{"nyc1"}
	case "scaleway":
		o.Zones = []string{"fr-par-1"}
	case "linode":
		o.Zones = []string{"us-ord"}
	}
	return o
}

// TestClustersInAllCloudsAreValid, over networks, topologies and counts.
func TestClustersInAllCloudsAreValid(t *testing.T) {
	made := 0
	for _, cloud := range cluster.Clouds() {
		for _, networking := range cluster.NetworkingNames() {
			for _, topology := range []string{"public", "private"} {
				for _, hosts := range []int{1, 3} {
					opt := inCloud(cloud)
					opt.Networking, opt.Topology, opt.ControlPlaneCount, opt.NodeCount = networking, topology, hosts, 5
					opt.Bastion = topology == "private" && cloud != "openstack"
					files, err := cluster.NewCluster(opt)
					if err != nil {
						if !strings.Contains(err.Error(), " works in ") && !strings.Contains(err.Error(), "kubenet cannot be had") && !strings.Contains(err.Error(), "exactly one subnet") {
							t.Errorf("%s %s %s: %v", cloud, networking, topology, err)
						}
						continue
					}
					made++
					c := load(t, asMap(files), "a.example.com")
					if problems := c.Validate(); len(problems) > 0 {
						t.Errorf("%s %s %s: %s", cloud, networking, topology, text(problems))
					}
					if c.Cloud() != cloud || len(c.Spec.EtcdClusters[0].Members) != hosts {
						t.Errorf("%s: a cluster of %s with %d members", cloud, c.Cloud(), len(c.Spec.EtcdClusters[0].Members))
					}
				}
			}
		}
	}
	if made < 200 {
		t.Errorf("%d clusters", made)
	}
}

// flagsOf are the flags that an error speaks of.
func flagsOf(t *testing.T, err error) string {
	t.Helper()
	var invalid *cluster.InvalidError
	if !errors.As(err, &invalid) {
		t.Fatalf("got %v", err)
	}
	var flags []string
	for _, p := range invalid.Problems {
		if !slices.Contains(flags, p.File) {
			flags = append(flags, p.File)
		}
	}
	return strings.Join(flags, " ")
}

// TestFlagsThatContradict are all told at once, by their names.
func TestFlagsThatContradict(t *testing.T) {
	no := false
	for _, tt := range []struct {
		name, cloud string
		change      func(*cluster.CreateOptions)
		want        string
	}{
		{"no zone", "aws", func(o *cluster.CreateOptions) { o.Zones = nil }, "--zones"},
		{"a zone of another cloud", "aws", func(o *cluster.CreateOptions) { o.Zones = []string{"us-central1-a"} }, "--zones"},
		{"two regions", "gce", func(o *cluster.CreateOptions) { o.Zones = []string{"us-central1-a", "us-east1-a"} }, "--zones"},
		{"the same zone twice", "aws", func(o *cluster.CreateOptions) { o.Zones = []string{"us-east-1a", "us-east-1a"} }, "--zones"},
		{"two locations", "hetzner", func(o *cluster.CreateOptions) { o.Zones = []string{"fsn1", "nbg1"} }, "--zones"},
		{"a control plane in another region", "hetzner", func(o *cluster.CreateOptions) { o.ControlPlaneZones = []string{"ash"} }, "--zones"},
		{"a network too small for utility subnets", "aws", func(o *cluster.CreateOptions) {
			o.Topology, o.NetworkCIDRs = "private", []string{"10.0.0.0/28"}
		}, "--network-cidr"},
		{"a control plane elsewhere", "digitalocean", func(o *cluster.CreateOptions) { o.ControlPlaneZones = []string{"ams3"} }, "--zones"},
		{"a zone that is not there", "aws", func(o *cluster.CreateOptions) { o.Facts = &cluster.Facts{Zones: []string{"us-east-1a"}} }, "--zones"},
		{"two hosts", "aws", func(o *cluster.CreateOptions) { o.ControlPlaneCount = 2 }, "--control-plane-count"},
		{"two zones of the control plane", "aws", func(o *cluster.CreateOptions) { o.ControlPlaneZones = o.Zones }, "--control-plane-zones"},
		{"fewer hosts than zones", "aws", func(o *cluster.CreateOptions) { o.ControlPlaneZones, o.ControlPlaneCount = o.Zones, 1 }, "--control-plane-count"},
		{"no such cloud", "aws", func(o *cluster.CreateOptions) { o.Cloud = "gcp" }, "--cloud"},
		{"no such network", "aws", func(o *cluster.CreateOptions) { o.Networking = "weave" }, "--networking"},
		{"another cloud's network", "gce", func(o *cluster.CreateOptions) { o.Networking = "amazonvpc" }, "--networking"},
		{"a network that ended", "aws", func(o *cluster.CreateOptions) { o.Networking = "external" }, "--networking"},
		{"kubenet in private", "aws", func(o *cluster.CreateOptions) { o.Networking, o.Topology = "kubenet", "private" }, "--networking"},
		{"IPv6 without", "aws", func(o *cluster.CreateOptions) { o.Networking, o.IPv6 = "flannel", true }, "--networking"},
		{"IPv6 elsewhere", "gce", func(o *cluster.CreateOptions) { o.IPv6 = true }, "--ipv6"},
		{"a bastion in public", "aws", func(o *cluster.CreateOptions) { o.Bastion = true }, "--bastion"},
		{"an egress in public", "aws", func(o *cluster.CreateOptions) { o.Egress = "nat-1" }, "--egress"},
		{"no egress", "aws", func(o *cluster.CreateOptions) { o.Topology, o.Egress = "private", "igw-1" }, "--egress"},
		{"no topology", "aws", func(o *cluster.CreateOptions) { o.Topology = "secret" }, "--topology"},
		{"an internal balancer in public", "aws", func(o *cluster.CreateOptions) { o.APILoadBalancerType = "internal" }, "--api-loadbalancer-type"},
		{"a class that ended", "aws", func(o *cluster.CreateOptions) { o.APILoadBalancer = "classic" }, "--api-loadbalancer-class"},
		{"public DNS in hetzner", "hetzner", func(o *cluster.CreateOptions) { o.DNSType = "public" }, "--dns"},
		{"private DNS in digitalocean", "digitalocean", func(o *cluster.CreateOptions) { o.DNSType = "private" }, "--dns"},
		{"a name of gossip", "aws", func(o *cluster.CreateOptions) { o.Name, o.DNSType = "a.k8s.local", "public" }, "--dns"},
		{"a local zone", "aws", func(o *cluster.CreateOptions) { o.Zones = []string{"us-west-2-lax-1a"} }, "--zones"},
		{"API servers without DNS", "aws", func(o *cluster.CreateOptions) { o.APIServerCount = 1 }, "--api-server-count"},
		{"API servers elsewhere", "azure", func(o *cluster.CreateOptions) { o.APIServerCount = 1 }, "--api-server-count"},
		{"subnets nobody knows", "aws", func(o *cluster.CreateOptions) { o.SubnetIDs = []string{"subnet-1"} }, "--subnets"},
		{"a network nobody knows", "aws", func(o *cluster.CreateOptions) { o.NetworkID = "vpc-1" }, "--network-id"},
		{"half of the subnets", "aws", func(o *cluster.CreateOptions) { o.Topology, o.SubnetIDs = "private", []string{"a"} }, "--utility-subnets"},
		{"the other half", "aws", func(o *cluster.CreateOptions) { o.Topology, o.UtilitySubnetIDs = "private", []string{"a"} }, "--subnets"},
		{"subnets of one zone", "aws", func(o *cluster.CreateOptions) {
			o.SubnetIDs, o.Facts = []string{"a"}, &cluster.Facts{Networks: []cluster.Network{{ID: "n", CIDR: "10.0.0.0/16", Subnets: []cluster.NetworkSubnet{{ID: "a", CIDR: "10.0.0.0/20", Zone: "us-east-1a"}}}}}
		}, "--subnets"},
		{"two subnets of a zone", "aws", func(o *cluster.CreateOptions) {
			o.SubnetIDs, o.Facts = []string{"a", "b"}, &cluster.Facts{Networks: []cluster.Network{{ID: "n", CIDR: "10.0.0.0/16", Subnets: []cluster.NetworkSubnet{{ID: "a", Zone: "us-east-1a"}, {ID: "b", Zone: "us-east-1a"}}}}}
		}, "--subnets"},
		{"two subnets in gce", "gce", func(o *cluster.CreateOptions) { o.SubnetIDs = []string{"a", "b"} }, "--subnets"},
		{"a network too small", "aws", func(o *cluster.CreateOptions) { o.NetworkCIDRs = []string{"10.0.0.0/32"} }, "--network-cidr"},
		{"no range at all", "aws", func(o *cluster.CreateOptions) { o.NetworkCIDRs = []string{"10.0.0.0/8/8"} }, "--network-cidr"},
		{"networks that overlap", "aws", func(o *cluster.CreateOptions) { o.NetworkCIDRs = []string{"10.0.0.0/8", "10.1.0.0/16"} }, "--network-cidr"},
		{"two networks in azure", "azure", func(o *cluster.CreateOptions) { o.NetworkCIDRs = []string{"10.0.0.0/16", "10.1.0.0/16"} }, "--network-cidr"},
		{"a network in gce", "gce", func(o *cluster.CreateOptions) { o.NetworkCIDRs = []string{"10.0.0.0/16"} }, "--network-cidr"},
		{"no network in openstack", "openstack", func(o *cluster.CreateOptions) { o.NetworkCIDRs = nil }, "--network-cidr"},
		{"no machine types in openstack", "openstack", func(o *cluster.CreateOptions) { o.ControlPlaneSizes, o.NodeSizes = nil, nil }, "--control-plane-size --node-size"},
		{"no image in openstack", "openstack", func(o *cluster.CreateOptions) { o.Image = "" }, "--image"},
		{"an image that is not there", "aws", func(o *cluster.CreateOptions) {
			o.Image, o.Facts = "mine", &cluster.Facts{Images: []cluster.Image{{Name: "yours"}}}
		}, "--image"},
		{"a machine that is not there", "aws", func(o *cluster.CreateOptions) {
			o.NodeSizes, o.Facts = []string{"m5.large"}, &cluster.Facts{MachineTypes: []cluster.MachineType{{Name: "t3.medium"}}}
		}, "--node-size"},
		{"no machine that suits", "aws", func(o *cluster.CreateOptions) {
			o.Facts = &cluster.Facts{MachineTypes: []cluster.MachineType{{Name: "x1.large"}}}
		}, "--control-plane-size --node-size"},
		{"hosts of one's own for t2", "aws", func(o *cluster.CreateOptions) { o.NodeTenancy, o.NodeSizes = "dedicated", []string{"t2.large"} }, "--node-tenancy"},
		{"tenancy elsewhere", "gce", func(o *cluster.CreateOptions) { o.NodeTenancy = "dedicated" }, "--node-tenancy"},
		{"no security group", "aws", func(o *cluster.CreateOptions) { o.NodeSecurityGroups = []string{"default"} }, "--node-security-groups"},
		{"no volume of aws", "aws", func(o *cluster.CreateOptions) { o.NodeVolumeType = "pd-ssd" }, "--node-volume-type"},
		{"a volume too large", "gce", func(o *cluster.CreateOptions) { o.NodeVolumeSize = 1 << 30 }, "--node-volume-size"},
		{"no project", "gce", func(o *cluster.CreateOptions) { o.Project = "" }, "--project"},
		{"no subscription", "azure", func(o *cluster.CreateOptions) { o.Azure.SubscriptionID = "" }, "--azure-subscription-id"},
		{"karpenter without keys", "aws", func(o *cluster.CreateOptions) { o.InstanceManager = "karpenter" }, "--instance-manager"},
		{"no feature gate", "aws", func(o *cluster.CreateOptions) { o.KubernetesFeatureGates = []string{"-", "+Good", "a b"} }, "--kubernetes-feature-gates"},
		{"no etcd", "aws", func(o *cluster.CreateOptions) { o.EtcdClusters = []string{"main", "main", "other"} }, "--etcd-clusters"},
		{"a channel without versions", "aws", func(o *cluster.CreateOptions) { o.Defaults = &cluster.Channel{} }, "--kubernetes-version"},
		{"all of it", "azure", func(o *cluster.CreateOptions) {
			o.Zones, o.ControlPlaneCount, o.Networking, o.Project, o.OpenStack.Octavia = []string{"x"}, 4, "none", "p", true
			o.AssociatePublicIP, o.KubernetesVersion, o.AdminAccess = &no, "latest", []string{"me"}
		}, "--kubernetes-version --zones --control-plane-count --networking --admin-access --project --os-octavia"},
	} {
		opt := inCloud(tt.cloud)
		tt.change(&opt)
		_, err := cluster.NewCluster(opt)
		if err == nil {
			t.Errorf("%s: made", tt.name)
			continue
		}
		if got := flagsOf(t, err); got != tt.want {
			t.Errorf("%s: got %s, want %s\n%v", tt.name, got, tt.want, err)
		}
	}
}

// TestSubnetsGetRanges: how the network is cut.
func TestSubnetsGetRanges(t *testing.T) {
	for _, tt := range []struct {
		zones, topology, network, sets string
		want                           string
	}{
		{"a", "public", "10.0.0.0/16", "", "a=10.0.0.0/16"},
		{"a b", "public", "10.0.0.0/16", "", "a=10.0.0.0/17 b=10.0.128.0/17"},
		{"c a b", "public", "10.0.0.0/16", "", "a=10.0.0.0/18 b=10.0.64.0/18 c=10.0.128.0/18"},
		{"a b c d e", "public", "10.0.0.0/16", "", "a=10.0.0.0/19 b=10.0.32.0/19 c=10.0.64.0/19 d=10.0.96.0/19 e=10.0.128.0/19"},
		{"a", "private", "10.0.0.0/16", "", "a=10.0.128.0/17 utility-a=10.0.0.0/20"},
		{"a b c d", "private", "10.0.0.0/16", "", "a=10.0.32.0/19 b=10.0.64.0/19 c=10.0.96.0/19 d=10.0.128.0/19 utility-a=10.0.0.0/22 utility-b=10.0.4.0/22 utility-c=10.0.8.0/22 utility-d=10.0.12.0/22"},
		{"a b", "public", "255.255.255.0/24", "", "a=255.255.255.0/25 b=255.255.255.128/25"},
		{"a b", "public", "10.0.0.0/16", "spec.subnets[0].cidr=10.0.0.0/24", "a=10.0.0.0/24 b=10.0.128.0/17"},
		{"a b", "public", "10.0.0.0/16", "spec.subnets[1].cidr=10.0.128.0/24", "a=10.0.0.0/17 b=10.0.128.0/24"},
		{"a b", "public", "", "spec.networkCIDR=192.168.0.0/16", "a=192.168.0.0/17 b=192.168.128.0/17"},
		{"a b c d e f g h i", "public", "10.0.0.0/16", "", "--network-cidr"},
		{"a b c d e f g h", "private", "10.0.0.0/16", "", "--network-cidr"},
		{"a", "public", "2001:db8::/32", "", "--network-cidr"},
	} {
		opt := inCloud("aws")
		opt.Zones = nil
		for _, z := range strings.Fields(tt.zones) {
			opt.Zones = append(opt.Zones, "us-east-1"+z)
		}
		opt.Topology = tt.topology
		if tt.network != "" {
			opt.NetworkCIDRs = []string{tt.network}
		}
		if tt.sets != "" {
			opt.Sets = []string{tt.sets}
		}
		files, err := cluster.NewCluster(opt)
		got := ""
		if err != nil {
			got = flagsOf(t, err)
		} else {
			for _, s := range load(t, asMap(files), "a.example.com").Spec.Subnets {
				got += strings.Replace(s.Name, "us-east-1", "", 1) + "=" + s.CIDR + " "
			}
		}
		if got = strings.TrimSpace(got); got != tt.want {
			t.Errorf("%s %s %s %s:\ngot  %s\nwant %s", tt.zones, tt.topology, tt.network, tt.sets, got, tt.want)
		}
	}
}

// TestSetsComeBeforeWhatFollows: what --set says counts for what is derived.
func TestSetsComeBeforeWhatFollows(t *testing.T) {
	get := func(opt cluster.CreateOptions, path ...string) any {
		t.Helper()
		files, err := cluster.NewCluster(opt)
		if err != nil {
			t.Fatal(err)
		}
		v, _ := parse(t, string(files[0].Bytes)).Get(path...)
		return v
	}
	opt := inCloud("aws")
	opt.Sets = []string{"spec.topology.dns.type=Public"}
	if got := get(opt, "spec", "masterPublicName"); got != "api.a.example.com" {
		t.Errorf("masterPublicName is %v", got)
	}
	opt.Sets = []string{"spec.topology.dns.type=Public", "spec.masterPublicName=k8s.example.com"}
	if got := get(opt, "spec", "masterPublicName"); got != "k8s.example.com" {
		t.Errorf("masterPublicName is %v", got)
	}
	opt.Networking, opt.Sets = "calico", nil
	for _, sets := range []string{"", "spec.networking.calico.bpfEnabled=true"} {
		if sets != "" {
			opt.Sets = []string{sets}
		}
		if got, off := get(opt, "spec", "kubeProxy", "enabled"), sets != ""; (got == false) != off {
			t.Errorf("with %q kubeProxy.enabled is %v", sets, got)
		}
	}
	opt.Sets = []string{"spec.nonMasqueradeCIDR=100.96.0.0/11"}
	if got := get(opt, "spec", "nonMasqueradeCIDR"); got != "100.96.0.0/11" {
		t.Errorf("nonMasqueradeCIDR is %v", got)
	}
	opt.Sets, opt.Unsets = nil, []string{"spec.api.loadBalancer"}
	if got := get(opt, "spec", "api"); got != nil {
		t.Errorf("api is %v", got)
	}
	opt.Networking, opt.Unsets = "amazonvpc", nil
	if got := get(opt, "spec", "nonMasqueradeCIDR"); got != "172.20.0.0/16" {
		t.Errorf("nonMasqueradeCIDR with amazonvpc is %v", got)
	}
	opt.NetworkCIDRs = []string{"10.0.0.0/16"}
	if got := get(opt, "spec", "nonMasqueradeCIDR"); got != "100.64.0.0/10" {
		t.Errorf("nonMasqueradeCIDR with amazonvpc in a given network is %v", got)
	}
}

func TestArchitectureByName(t *testing.T) {
	opt := inCloud("aws")
	opt.Zones = opt.Zones[:1]
	for machine, arm := range map[string]bool{
		"m6g.large": true, "c7gn.xlarge": true, "t4g.medium": true, "a1.large": true, "x2gd.medium": true, "im4gn.large": true, "g5g.xlarge": true, "r8gd.metal-24xl": true,
		"m5.large": false, "g4dn.xlarge": false, "m7i-flex.large": false, "t3.medium": false, "inf1.xlarge": false, "g6e.xlarge": false, "u-6tb1.metal": false, "gr6.4xlarge": false,
	} {
		opt.NodeSizes = []string{machine}
		files, err := cluster.NewCluster(opt)
		if err != nil {
			t.Fatal(err)
		}
		image := load(t, asMap(files), "a.example.com").Group("nodes-us-east-1a").Spec.Image
		if strings.Contains(image, "arm64") != arm {
			t.Errorf("%s gets %s", machine, image)
		}
	}
}

func TestCloudLabels(t *testing.T) {
	got, err := cluster.ParseCloudLabels(`Owner=John Doe, "k=1"="a=b",x=`)
	if want := (map[string]string{"Owner": "John Doe", "k=1": "a=b", "x": ""}); err != nil || !cmp.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, bad := range []string{"a", "a=b=c", `a="b`, "=b"} {
		if _, err := cluster.ParseCloudLabels(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestGuessCloud(t *testing.T) {
	for store, want := range map[string]string{
		"s3://b": "aws", "gs://b/x": "gce", "do://b": "digitalocean", "hos://b": "hetzner", "swift://b": "openstack", "azureblob://a/b": "azure", "scw://b": "scaleway", "linode://b": "linode",
		"/srv/s3": "", "file:///x": "", "sftp://h/x": "", "mem://": "",
	} {
		if got := cluster.GuessCloud(store, func(string) bool { return false }); got != want {
			t.Errorf("%s: got %q, want %q", store, got, want)
		}
	}
	for variable, want := range map[string]string{"HCLOUD_TOKEN": "hetzner", "LINODE_TOKEN": "linode", "HOME": "aws"} {
		if got := cluster.GuessCloud("s3://b", func(v string) bool { return v == variable }); got != want {
			t.Errorf("s3 with %s: got %q, want %q", variable, got, want)
		}
	}
}

// TestGroupsAlikeSayOnceWhatIsWrong: a missing image is told once for all.
func TestGroupsAlikeSayOnceWhatIsWrong(t *testing.T) {
	_, err := cluster.NewCluster(cluster.CreateOptions{Name: "a.example.com", Cloud: "openstack", Zones: []string{"nova"}, NetworkCIDRs: []string{"10.0.0.0/16"}})
	if err == nil || strings.Count(err.Error(), "--image: the channel has no image") != 1 {
		t.Errorf("got\n%v\nwant one line about the image", err)
	}
}
