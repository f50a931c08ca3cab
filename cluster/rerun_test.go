package cluster_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stateroom/stateroom/cluster"
)

// rerunLines runs create cluster again and returns the lines that change, those
// of config first.
func rerunLines(t *testing.T, made, again cluster.CreateOptions, given string) (string, error) {
	t.Helper()
	c := load(t, create(t, made), string(made.Name))
	patches, err := again.Rerun(c, strings.Fields(given))
	if err != nil {
		return "", err
	}
	var got []string
	for _, p := range patches {
		d := c.Document
		if p.Kind == cluster.KindInstanceGroup {
			d = c.Group(filepath.Base(p.File)).Document
		}
		before := string(d.Bytes())
		if err := p.Patch.Apply(p.Kind, d); err != nil {
			t.Errorf("%s: %v", given, err)
		}
		if changes := changedLines(before, string(d.Bytes())); changes != "" {
			got = append(got, filepath.Base(p.File)+": "+strings.ReplaceAll(changes, "\n", "; "))
		}
	}
	return strings.Join(got, "\n"), nil
}

// TestRerunInAWS: each flag changes its own fields and no other.
func TestRerunInAWS(t *testing.T) {
	made := inCloud("aws")
	made.Zones, made.Topology, made.Networking, made.NodeCount = made.Zones[:1], "private", "cilium", 3
	yes := true
	again := cluster.CreateOptions{
		NodeCount: 5, ControlPlaneSizes: []string{"m5.large"}, NodeSizes: []string{"m5.large", "m5a.large"}, NodeVolumeSize: 80, NodeVolumeType: "gp3",
		NodeTenancy: "dedicated", NodeSecurityGroups: []string{"sg-1", "sg-2"}, AssociatePublicIP: &yes, Egress: "nat-1", DNSZone: "z", Authorization: "AlwaysAllow",
		KubernetesFeatureGates: []string{"-Old"}, APILoadBalancerType: "internal", APISSLCertificate: "arn:1", DiscoveryStore: "s3://b/d/", NoSubnetTags: true,
		Networking: "calico", Cloud: "aws", Topology: "private", Zones: made.Zones, Image: "mine", NodeImage: "node", EtcdClusters: []string{"main", "events"},
		InstanceManager: "cloudgroups", EtcdStorageType: "",
	}
	for _, tt := range []struct{ given, want string }{
		{"node-count", "nodes-us-east-1a: -  maxSize: 3; -  minSize: 3; +  maxSize: 5; +  minSize: 5"},
		{"control-plane-size", "control-plane-us-east-1a: -  machineType: t3.medium; +  machineType: m5.large"},
		{"node-size", "nodes-us-east-1a: -  machineType: t3.medium; +  machineType: m5.large; +  mixedInstancesPolicy:; +    instances:; +    - m5.large; +    - m5a.large"},
		{"node-volume-size node-volume-type", "nodes-us-east-1a: +  rootVolumeSize: 80; +  rootVolumeType: gp3"},
		{"node-tenancy node-security-groups", "nodes-us-east-1a: +  additionalSecurityGroups:; +  - sg-1; +  - sg-2; +  tenancy: dedicated"},
		{"associate-public-ip", "control-plane-us-east-1a: +  associatePublicIp: true\nnodes-us-east-1a: +  associatePublicIp: true"},
		{"egress", "config: +    egress: nat-1"},
		{"dns-zone disable-subnet-tags", "config: +  DisableSubnetTags: true; +  dnsZone: z"},
		{"authorization", "config: -    rbac: {}; +    alwaysAllow: {}"},
		{"api-loadbalancer-type api-ssl-certificate", "config: -      type: Public; +      sslCertificate: arn:1; +      type: Internal"},
		{"discovery-store", "config: +  serviceAccountIssuerDiscovery:; +    discoveryStore: s3://b/d/a.example.com"},
		{"networking", "config: -  kubeProxy:; -    enabled: false; -    cilium:; -      enableNodePort: true; +  kubeProxy: {}; +    calico: {}"},
		{"cloud topology zones etcd-clusters instance-manager", ""},
		{"node-image", "nodes-us-east-1a: +  image: node"},
	} {
		got, err := rerunLines(t, made, again, tt.given)
		if err != nil {
			t.Errorf("%s: %v", tt.given, err)
		}
		if tt.given == "node-image" {
			_, image, _ := strings.Cut(got, "; ")
			got = "nodes-us-east-1a: " + image
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.given, diff)
		}
	}
	got, _ := rerunLines(t, made, again, "kubernetes-feature-gates")
	if strings.Count(got, `Old: "false"`) != 5 {
		t.Errorf("feature gates: %s", got)
	}
}

func TestRerunInOtherClouds(t *testing.T) {
	stack := inCloud("openstack")
	stack.APILoadBalancerType = "public"
	for _, tt := range []struct {
		made        cluster.CreateOptions
		again       cluster.CreateOptions
		given, want string
	}{
		{inCloud("gce"), cluster.CreateOptions{Project: "q", GCEServiceAccount: "sa", Zones: []string{"us-central1-b"}}, "project gce-service-account zones",
			"config: -  cloudConfig: {}; -  project: p; +  cloudConfig:; +    gceServiceAccount: sa; +  project: q"},
		{inCloud("azure"), cluster.CreateOptions{Azure: cluster.AzureOptions{AdminUser: "me", TenantID: "t"}}, "azure-admin-user azure-tenant-id",
			"config: -      adminUser: kops; -      tenantId: \"\"; +      adminUser: me; +      tenantId: \"t\""},
		{stack, cluster.CreateOptions{OpenStack: cluster.OpenStackOptions{ExternalNet: "ext", Octavia: true, LBSubnet: "lb"}}, "os-ext-net os-octavia os-lb-floating-subnet",
			"config: -        useOctavia: false; -        externalNetwork: \"\"; +        floatingSubnet: lb; +        useOctavia: true; +        externalNetwork: \"ext\""},
	} {
		got, err := rerunLines(t, tt.made, tt.again, tt.given)
		if err != nil {
			t.Errorf("%s: %v", tt.given, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.given, diff)
		}
	}
}

// TestRerunOnHosts: the number of nodes is how many may join.
func TestRerunOnHosts(t *testing.T) {
	made := cluster.CreateOptions{Name: "a.b", Zones: []string{"a"}, NodeCount: 3}
	for count, want := range map[int]string{
		5: "nodes-a: -  maxSize: 3; +  maxSize: 5",
		3: "",
		2: "nodes-a: -  maxSize: 3; -  minSize: 3; +  maxSize: 2; +  minSize: 2",
		0: "nodes-a: -  maxSize: 3; -  minSize: 3; +  maxSize: 0; +  minSize: 0",
	} {
		if got, err := rerunLines(t, made, cluster.CreateOptions{NodeCount: count}, "node-count"); err != nil || got != want {
			t.Errorf("%d nodes: got %q, %v, want %q", count, got, err, want)
		}
	}
}

// TestRerunTakesTheWordsOfAFirstRun, in any spelling, and no others: what is
// wrong or empty is refused by its flag.
func TestRerunTakesTheWordsOfAFirstRun(t *testing.T) {
	again := cluster.CreateOptions{
		APILoadBalancerType: "banana", APILoadBalancer: "classic", NodeVolumeType: "banana", ControlPlaneTenancy: "banana", NodeSecurityGroups: []string{"banana"},
		AdminAccess: []string{"banana"}, KubernetesVersion: "banana", NodeSizes: []string{""},
	}
	given := "api-loadbalancer-type api-loadbalancer-class node-volume-type control-plane-tenancy node-security-groups admin-access ssh-access network-cidr control-plane-security-groups kubernetes-version node-size"
	_, err := rerunLines(t, inCloud("aws"), again, given)
	want := "--admin-access --api-loadbalancer-class --api-loadbalancer-type --control-plane-security-groups --control-plane-tenancy --kubernetes-version --network-cidr --node-security-groups --node-size --node-volume-type --ssh-access"
	if got := flagsOf(t, err); got != want {
		t.Errorf("got  %s\nwant %s\n%v", got, want, err)
	}
	made := inCloud("aws")
	made.Topology = "private"
	again = cluster.CreateOptions{APILoadBalancerType: "Internal", NodeVolumeType: "GP2", DNSType: "PRIVATE"}
	got, err := rerunLines(t, made, again, "api-loadbalancer-type node-volume-type dns")
	for _, line := range []string{"+      type: Internal", "+      type: Private", "+  rootVolumeType: gp2"} {
		if err != nil || !strings.Contains(got, line) {
			t.Errorf("%v: no %q in %s", err, line, got)
		}
	}
}

// TestRerunKeepsWhatAClusterIsMadeOf.
func TestRerunKeepsWhatAClusterIsMadeOf(t *testing.T) {
	yes := true
	again := cluster.CreateOptions{
		Cloud: "gce", Topology: "private", IPv6: true, Bastion: true, NetworkID: "n", SubnetIDs: []string{"s"}, UtilitySubnetIDs: []string{"u"}, InstanceManager: "karpenter",
		EtcdClusters: []string{"main"}, EtcdStorageType: "io2", EncryptEtcdStorage: &yes, Zones: []string{"us-east-1z"}, ControlPlaneZones: []string{"us-east-1y"},
		ControlPlaneCount: 3, APIServerCount: 1, Egress: "nat-1", Networking: "gce", NodeVolumeSize: -1, KubernetesFeatureGates: []string{"-"}, Authorization: "none", DNSType: "x",
	}
	made := inCloud("aws")
	no := false
	made.EncryptEtcdStorage = &no
	_, err := rerunLines(t, made, again, "cloud topology ipv6 bastion network-id subnets utility-subnets instance-manager etcd-clusters etcd-storage-type encrypt-etcd-storage zones control-plane-zones control-plane-count api-server-count egress networking node-volume-size kubernetes-feature-gates authorization dns")
	want := "--api-server-count --authorization --bastion --cloud --control-plane-count --control-plane-zones --dns --egress --encrypt-etcd-storage --etcd-clusters --etcd-storage-type --instance-manager --ipv6 --kubernetes-feature-gates --network-id --networking --node-volume-size --subnets --topology --utility-subnets --zones"
	if got := flagsOf(t, err); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
