package cluster_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/stateroom/stateroom/cluster"
)

// later is a cluster whose documents are in v1alpha3.
func later(t *testing.T) fstest.MapFS {
	t.Helper()
	group := func(name, role, subnet string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte("apiVersion: kops.k8s.io/v1alpha3\nkind: InstanceGroup\nmetadata:\n  name: " + name +
			"\nspec:\n  associatePublicIP: true\n  role: " + role + "\n  rootVolume:\n    size: 64\n  subnets:\n  - " + subnet + "\n")}
	}
	return fstest.MapFS{
		"config":                      &fstest.MapFile{Data: read(t, "testdata", "later", "config")},
		"instancegroup/control-plane": group("control-plane", "ControlPlane", "public"),
		"instancegroup/nodes":         group("nodes", "Node", "private"),
	}
}

// TestLaterDocumentsAreRead: views have what v1alpha2 would, the documents stay
// as they are.
func TestLaterDocumentsAreRead(t *testing.T) {
	files := later(t)
	c := load(t, files, "later.example.com")
	if problems := c.Validate(); len(problems) > 0 {
		t.Fatal(text(problems))
	}
	want := map[string]any{
		"apiVersion": "kops.k8s.io/v1alpha2", "kind": "Cluster",
		"metadata": map[string]any{"name": "later.example.com"},
		"spec": map[string]any{
			"DisableSubnetTags":  true,
			"additionalPolicies": map[string]any{"master": "[]"},
			"additionalSans":     []any{"api.later.example.com"},
			"api": map[string]any{"loadBalancer": map[string]any{
				"subnets": []any{map[string]any{"allocationId": "eipalloc-1", "name": "public"}}, "type": "Public", "useForInternalApi": true,
			}},
			"authentication": map[string]any{},
			"authorization":  map[string]any{"rbac": map[string]any{}},
			"cloudConfig":    map[string]any{"awsEBSCSIDriver": map[string]any{"version": "v1.40.0"}},
			"cloudProvider":  "aws",
			"configBase":     "s3://state/later.example.com",
			"etcdClusters": []any{map[string]any{"name": "main", "etcdMembers": []any{
				map[string]any{"instanceGroup": "control-plane", "kmsKeyId": "key-1", "name": "a"},
			}}},
			"externalDns":         map[string]any{"provider": "none"},
			"hooks":               []any{map[string]any{"disabled": true, "name": "stopped", "roles": []any{"Master", "Node"}}},
			"keyStore":            "s3://keys/later.example.com/pki",
			"kubeAPIServer":       map[string]any{"oidcClientID": "kubernetes", "oidcGroupsClaim": "groups,teams", "oidcRequiredClaim": []any{"aud=kubernetes", "hd=example.com"}},
			"kubernetesApiAccess": []any{"192.0.2.0/24"},
			"kubernetesVersion":   "1.34.1",
			"masterKubelet":       map[string]any{"authenticationTokenWebhookCacheTtl": "1m0s"},
			"masterPublicName":    "api.later.example.com",
			"networkCIDR":         "10.0.0.0/16",
			"networking":          map[string]any{"cilium": map[string]any{"disableMasquerade": true}},
			"subnets": []any{
				map[string]any{"cidr": "10.0.0.0/19", "name": "public", "type": "Public", "zone": "eu-test-1a"},
				map[string]any{"cidr": "10.0.32.0/19", "name": "private", "type": "Private", "zone": "eu-test-1a"},
			},
			"topology": map[string]any{"dns": map[string]any{"type": "None"}},
			"warmPool": map[string]any{"maxSize": 2},
		},
	}
	got, _ := c.Get()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("as v1alpha2 would say it (-want +got):\n%s", diff)
	}
	if c.Cloud() != "aws" || c.ConfigBase() != "s3://state/later.example.com" || c.Group("control-plane").Spec.Role != cluster.RoleControlPlane {
		t.Errorf("cloud %q, configBase %q, role %q", c.Cloud(), c.ConfigBase(), c.Group("control-plane").Spec.Role)
	}
	if v, _ := c.Group("nodes").Get("spec", "rootVolumeSize"); v != 64 {
		t.Errorf("rootVolumeSize is %v", v)
	}
	if string(c.Document.Bytes()) != string(files["config"].Data) {
		t.Error("the document is another")
	}
}

// TestLaterProblemsHaveTheirPlaces: what is wrong is told at its line, by the
// names that stand there.
func TestLaterProblemsHaveTheirPlaces(t *testing.T) {
	for name, tt := range map[string]struct{ file, old, new, want string }{
		"a name of v1alpha2":       {"config", "  configStore:\n    base", "  configBase: s3://x/y\n  configStore:\n    base", "config:39:3: spec.configBase: unknown field \"configBase\" (in kops.k8s.io/v1alpha3 it is spec.configStore.base)"},
		"a misspelt field":         {"config", "useForInternalAPI", "useForInternalApi", "config:19:7: spec.api.loadBalancer.useForInternalApi: unknown field \"useForInternalApi\" (in kops.k8s.io/v1alpha3 it is spec.api.loadBalancer.useForInternalAPI)"},
		"a value":                  {"config", "      dns: None", "      dns: none", "config:74:12: spec.networking.topology.dns: \"none\" is not one of Public, Private, None (did you mean None?)"},
		"a role":                   {"instancegroup/nodes", "role: Node", "role: node", "instancegroup/nodes:7:9: spec.role: \"node\" is not one of ControlPlane, Node, Bastion, APIServer, Etcd, Scheduler, KubeControllerManager (did you mean Node?)"},
		"a type":                   {"config", "masquerade: false", "masquerade: never", "config:61:19: spec.networking.cilium.masquerade: expected true or false"},
		"subnets that overlap":     {"config", "cidr: 10.0.32.0/19", "cidr: 10.0.0.0/18", "config:68:7: spec.networking.subnets[1].cidr: subnet \"private\": 10.0.0.0/18 overlaps"},
		"a group that is not":      {"config", "instanceGroup: control-plane", "instanceGroup: control", "config:46:7: spec.etcdClusters[0].etcdMembers[0].instanceGroup: there is no instance group \"control\""},
		"a subnet that is not":     {"instancegroup/nodes", "- private", "- privat", "instancegroup/nodes:11:5: spec.subnets[0]: the cluster has no subnet \"privat\""},
		"two network plug-ins":     {"config", "    cilium:", "    amazonVPC: {}\n    cilium:", "config:61:5: spec.networking.cilium: amazonvpc and cilium are chosen"},
		"another version's kind":   {"config", "v1alpha3", "v1alpha4", "config:2:1: apiVersion: \"kops.k8s.io/v1alpha4\" is not known"},
		"a list that is a mapping": {"config", "      groupsClaims:\n      - groups\n      - teams", "      groupsClaims: {a: b}", "config:24:21: spec.authentication.oidc.groupsClaims: expected a list of string"},
	} {
		t.Run(name, func(t *testing.T) {
			files := later(t)
			before := string(files[tt.file].Data)
			files[tt.file] = &fstest.MapFile{Data: []byte(strings.Replace(before, tt.old, tt.new, 1))}
			c, err := cluster.Load(files, "later.example.com")
			got := ""
			if err != nil {
				got = err.Error()
			} else {
				got = text(c.Validate())
			}
			if !strings.HasPrefix(got, tt.want) || strings.Contains(got, "\n") {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestLaterDocumentsArePatchedInTheirNames: --set takes the names that stand in
// the document, and says them for those of v1alpha2.
func TestLaterDocumentsArePatchedInTheirNames(t *testing.T) {
	for _, tt := range []struct{ set, want string }{
		{"spec.api.publicName=api.example.com", "    publicName: api.example.com\n"},
		{"spec.networking.subnets[name=private].zone=eu-test-1b", "      zone: eu-test-1b\n"},
		{"spec.cloudProvider.aws.ebsCSIDriver.version=v1.41.0", "        version: v1.41.0\n"},
		{"spec.authentication.oidc.requiredClaims.sub=x", "        sub: x\n"},
		{"spec.api.access+=198.51.100.0/24", "    - 198.51.100.0/24\n"},
		{"spec.masterPublicName=x", "(in kops.k8s.io/v1alpha3 it is spec.api.publicName)"},
		{"spec.subnets[0].zone=x", "(in kops.k8s.io/v1alpha3 it is spec.networking.subnets[].zone)"},
		{"spec.api.publicNam=x", "(did you mean spec.api.publicName?)"},
		{"spec.networking.topology.dns=private", "did you mean Private?"},
	} {
		d := parse(t, string(later(t)["config"].Data))
		before := string(d.Bytes())
		p, err := cluster.ParsePatch([]string{tt.set}, nil)
		if err == nil {
			err = p.Apply(cluster.KindCluster, d)
		}
		if got := string(d.Bytes()); err != nil && (!strings.Contains(err.Error(), tt.want) || got != before) || err == nil && !strings.Contains(got, tt.want) {
			t.Errorf("%s: %v, want %q in\n%s", tt.set, err, tt.want, got)
		}
	}
}
