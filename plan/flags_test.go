package plan

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stateroom/stateroom/cluster"
)

// realFlags are those that a program itself lists with --help. For a new
// version, take the names from there again, sorted.
func realFlags(t *testing.T, program string) map[string]bool {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "flags", program+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		if !strings.HasPrefix(line, "#") {
			all[strings.TrimSpace(line)] = true
		}
	}
	return all
}

// schema are the fields of an object of the Cluster, those of objects within as
// object.field, and those of elements of lists as list[].field.
func schema(object string) (all []string) {
	for _, f := range cluster.Fields(cluster.KindCluster) {
		if field, ok := strings.CutPrefix(f.Path, "spec."+object+"."); ok && f.Type != cluster.Object {
			all = append(all, field)
		}
	}
	return all
}

// TestEveryFieldIsAFlag: each field of a component in the schema is a flag that
// its program has, or is known to be none; and the tables hold nothing else.
func TestEveryFieldIsAFlag(t *testing.T) {
	for _, c := range []component{kubeAPIServer, kubeControllerManager, kubeScheduler, kubeProxy, kubelet} {
		t.Run(c.program, func(t *testing.T) {
			there, fields := realFlags(t, c.program), schema(c.field)
			if len(fields) < 15 || len(there) < 50 {
				t.Fatalf("%d fields, %d flags: the tables cannot be whole", len(fields), len(there))
			}
			for _, field := range fields {
				if outer, _, inner := strings.Cut(field, "[]"); inner && slices.Contains(fields, outer) {
					continue // of a list that has a line of its own
				}
				if flag, why := c.flag(field); why == "" && !there[flag] {
					t.Errorf("spec.%s.%s would be --%s, which %s does not have", c.field, field, flag, c.program)
				}
			}
			for field, why := range c.ignored {
				if !slices.Contains(fields, field) {
					t.Errorf("ignored: the schema has no spec.%s.%s", c.field, field)
				}
				if why == removed && there[kebab(field)] {
					t.Errorf("spec.%s.%s is said to be gone, but %s has --%s", c.field, field, c.program, kebab(field))
				}
			}
			for field, flag := range c.renamed {
				if !slices.Contains(fields, field) {
					t.Errorf("renamed: the schema has no spec.%s.%s", c.field, field)
				}
				if kebab(field) == flag {
					t.Errorf("spec.%s.%s needs no exception", c.field, field)
				}
			}
			for _, field := range c.repeat {
				if !slices.Contains(fields, field) {
					t.Errorf("repeat: the schema has no spec.%s.%s", c.field, field)
				}
			}
		})
	}
}

// TestEveryFieldOfEtcd: the same for the objects of a list.
func TestEveryFieldOfEtcd(t *testing.T) {
	there, fields := realFlags(t, "etcd"), schema("etcdClusters[]")
	used := []string{"name", "etcdMembers", "etcdMembers[].name", "etcdMembers[].instanceGroup", "manager.env", "manager.env[].name", "manager.env[].value"}
	for _, field := range fields {
		outer, _, _ := strings.Cut(field, ".")
		switch {
		case etcdFields[field] != "", etcdIgnored[field] != "", etcdIgnored[outer] != "", slices.Contains(used, field):
		default:
			t.Errorf("spec.etcdClusters[].%s has neither an effect nor a reason", field)
		}
	}
	for field, flag := range etcdFields {
		if !slices.Contains(fields, field) || !there[flag] {
			t.Errorf("spec.etcdClusters[].%s as --%s: in schema %t, a flag %t", field, flag, slices.Contains(fields, field), there[flag])
		}
	}
}

// TestRules: what the rules of effect name is in the schema.
func TestRules(t *testing.T) {
	for kind, table := range map[string]rules{cluster.KindCluster: clusterRules, cluster.KindInstanceGroup: groupRules} {
		for path := range table {
			if _, ok := cluster.FieldFor(kind, path); !ok {
				t.Errorf("%s has no field %s", kind, path)
			}
		}
	}
	for _, path := range usual {
		_, ofCluster := cluster.FieldFor(cluster.KindCluster, path)
		_, ofGroup := cluster.FieldFor(cluster.KindInstanceGroup, path)
		if !ofCluster && !ofGroup {
			t.Errorf("usual: no kind has a field %s", path)
		}
	}
}

func TestKebab(t *testing.T) {
	for field, want := range map[string]string{
		"maxRequestsInflight":          "max-requests-inflight",
		"clientCAFile":                 "client-ca-file",
		"allocateNodeCIDRs":            "allocate-node-cidrs",
		"nodeCIDRMaskSize":             "node-cidr-mask-size",
		"terminatedPodGCThreshold":     "terminated-pod-gc-threshold",
		"oidcIssuerURL":                "oidc-issuer-url",
		"http2MaxStreamsPerConnection": "http2-max-streams-per-connection",
		"ClusterSigningDuration":       "cluster-signing-duration",
		"serviceClusterIPRange":        "service-cluster-ip-range",
		"v":                            "v",
	} {
		if got := kebab(field); got != want {
			t.Errorf("%s is %s, want %s", field, got, want)
		}
	}
}

func TestDecimal(t *testing.T) {
	for quantity, want := range map[string]string{
		"10": "10", "500m": "0.5", "0.1": "0.1", "100m": "0.1", "2k": "2000", "1500u": "0.0015", "3.50": "3.5", "0": "0", "1Ki": "1024", "-1": "-1",
		"many": "many", "1e3": "1e3", "1/2": "1/2", "": "", "m": "m",
	} {
		if got := decimal(quantity); got != want {
			t.Errorf("%q is %q, want %q", quantity, got, want)
		}
	}
}

func TestMilliseconds(t *testing.T) {
	for duration, want := range map[string]string{"100ms": "100", "1s": "1000", "1m0s": "60000", "soon": "soon"} {
		if got := milliseconds(duration); got != want {
			t.Errorf("%q is %q, want %q", duration, got, want)
		}
	}
}
