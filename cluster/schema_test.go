package cluster_test

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stateroom/stateroom/cluster"
)

// TestTableIsTheOneOfTheCRDs compares all paths and types of the table with
// kops' own OpenAPI schema, in both directions.
func TestTableIsTheOneOfTheCRDs(t *testing.T) {
	want := map[string]string{}
	for kind, schema := range crds(t) {
		crdFields(want, kind, schema)
	}
	got := map[string]string{}
	for _, kind := range cluster.Kinds() {
		for _, f := range cluster.Fields(kind) {
			// The CRDs leave metadata open: its fields are Kubernetes' own.
			if !strings.HasPrefix(f.Path, "metadata.") {
				got[kind+" "+f.Path] = crdType(&f)
			}
		}
	}
	different := 0
	for _, path := range slices.Sorted(maps.Keys(want)) {
		if got[path] != want[path] {
			t.Errorf("%s: the CRD says %q, the table %q", path, want[path], got[path])
			different++
		}
	}
	for _, path := range slices.Sorted(maps.Keys(got)) {
		if want[path] == "" {
			t.Errorf("%s: in the table, in no CRD", path)
			different++
		}
	}
	t.Logf("%d fields in the CRDs, %d in the table, difference %d", len(want), len(got), different)
}

// crds are kops' own schemas by kind.
func crds(t *testing.T) map[string]map[string]any {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(kopsData(t), "crds", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no CRDs: %v", err)
	}
	all := map[string]map[string]any{}
	for _, file := range files {
		d := parse(t, string(read(t, file)))
		kind, _ := d.Get("spec", "names", "kind")
		schema, ok := d.Get("spec", "versions", "0", "schema", "openAPIV3Schema")
		if !ok {
			t.Fatalf("%s has no schema", file)
		}
		all[kind.(string)] = schema.(map[string]any)
	}
	return all
}

// crdFields lists the fields below a schema with their types.
func crdFields(all map[string]string, kind string, root map[string]any) {
	var walk func(path string, s map[string]any)
	walk = func(path string, s map[string]any) {
		for {
			if items, ok := s["items"].(map[string]any); ok {
				path, s = path+"[]", items
			} else if values, ok := s["additionalProperties"].(map[string]any); ok {
				path, s = path+"{}", values
			} else {
				break
			}
		}
		properties, _ := s["properties"].(map[string]any)
		for name, p := range properties {
			at := strings.TrimPrefix(path+"."+name, ".")
			all[kind+" "+at] = openAPIType(p.(map[string]any))
			walk(at, p.(map[string]any))
		}
	}
	walk("", root)
}

func openAPIType(s map[string]any) string {
	if s["x-kubernetes-int-or-string"] == true {
		if s["pattern"] != nil {
			return "quantity"
		}
		return "int-or-string"
	}
	switch s["type"] {
	case "array":
		return "list " + openAPIType(s["items"].(map[string]any))
	case "object":
		if values, ok := s["additionalProperties"].(map[string]any); ok {
			return "map " + openAPIType(values)
		}
	}
	return s["type"].(string)
}

// crdType is a field's type in the words of the CRDs, which know no duration
// and no width.
func crdType(f *cluster.Field) string {
	switch f.Type {
	case cluster.List, cluster.Map:
		return string(f.Type) + " " + crdType(f.Elem)
	case cluster.Bool:
		return "boolean"
	case cluster.Int:
		return "integer"
	case cluster.Duration, cluster.Time:
		return "string"
	}
	return string(f.Type)
}

// TestFieldFor finds fields under each way to write a path.
func TestFieldFor(t *testing.T) {
	for _, tt := range []struct {
		kind, path, want string // type, or "" where there is no such field
	}{
		{cluster.KindCluster, "spec.kubeAPIServer.maxRequestsInflight", "int"},
		{cluster.KindCluster, "spec.etcdClusters", "list of object"},
		{cluster.KindCluster, "spec.etcdClusters[].name", "string"},
		{cluster.KindCluster, "spec.etcdClusters[2].etcdMembers[name=a].name", "string"},
		{cluster.KindCluster, "spec.cloudLabels", "map of string"},
		{cluster.KindCluster, "spec.cloudLabels{}", "string"},
		{cluster.KindCluster, "spec.cloudLabels.example.com/a.b", "string"},
		{cluster.KindCluster, `spec.cloudLabels["example.com/a.b"]`, "string"},
		{cluster.KindCluster, "spec.externalPolicies.node", "list of string"},
		{cluster.KindCluster, "spec.externalPolicies.node[0]", "string"},
		{cluster.KindCluster, "spec.kubelet.shutdownGracePeriod", "duration"},
		{cluster.KindCluster, "spec.kubelet.shutdownGracePeriod.x", ""},
		{cluster.KindCluster, "spec.etcdClusters.name", ""},
		{cluster.KindCluster, "spec[0]", ""},
		{cluster.KindCluster, "spec[channel]", ""},
		{cluster.KindCluster, "spec.minSize", ""},
		{cluster.KindCluster, "", ""},
		{cluster.KindInstanceGroup, "spec.minSize", "int"},
		{cluster.KindInstanceGroup, "spec.rollingUpdate.maxSurge", "int-or-string"},
		{cluster.KindKeyset, "spec.keys[].distrustTimestamp", "time"},
		{"Channel", "spec", ""},
	} {
		f, ok := cluster.FieldFor(tt.kind, tt.path)
		got := ""
		if ok {
			got = f.String()
		}
		if got != tt.want {
			t.Errorf("%s %s: got %q, want %q", tt.kind, tt.path, got, tt.want)
		}
	}
}

func TestNearest(t *testing.T) {
	for _, tt := range []struct{ kind, path, want string }{
		{cluster.KindCluster, "spec.kubeAPISever.maxRequestsInflight", "spec.kubeAPIServer"},
		{cluster.KindCluster, "spec.kubeAPIServer.maxRequestInflight", "spec.kubeAPIServer.maxRequestsInflight"},
		{cluster.KindCluster, "spec.kubeapiserver", "spec.kubeAPIServer"},
		{cluster.KindCluster, "spec.maxRequestsInflight", "spec.kubeAPIServer.maxRequestsInflight"},
		{cluster.KindCluster, "spec.etcdClusters[name=main].etcdMember", "spec.etcdClusters[name=main].etcdMembers"},
		{cluster.KindCluster, "spec.kubernetesVersion", "spec.kubernetesVersion"},
		{cluster.KindCluster, "spec.etcdClusters[0].volumeIops", "spec.etcdClusters[].etcdMembers[].volumeIops"},
		{cluster.KindCluster, "spec.etcdClusters[0].type", ""},
		{cluster.KindCluster, "spec.qqqqqqqqqqqqqqqq", ""},
		{cluster.KindInstanceGroup, "spec.minsize", "spec.minSize"},
	} {
		if got := cluster.Nearest(tt.kind, tt.path); got != tt.want {
			t.Errorf("%s %s: got %q, want %q", tt.kind, tt.path, got, tt.want)
		}
	}
}
