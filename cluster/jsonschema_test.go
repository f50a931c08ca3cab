package cluster_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/doc"
)

// TestOpenAPIIsTheOneOfTheCRDs compares the fields and types of the structural
// schemas with kops' own, in both directions.
func TestOpenAPIIsTheOneOfTheCRDs(t *testing.T) {
	theirs := crds(t)
	for _, kind := range []string{cluster.KindCluster, cluster.KindInstanceGroup} {
		b, err := json.Marshal(cluster.OpenAPI(kind).Components.Schemas[kind])
		if err != nil {
			t.Fatal(err)
		}
		var ours map[string]any
		if err := json.Unmarshal(b, &ours); err != nil {
			t.Fatal(err)
		}
		delete(ours["properties"].(map[string]any)["metadata"].(map[string]any), "properties") // the CRDs leave it open
		want, got := map[string]string{}, map[string]string{}
		crdFields(want, kind, theirs[kind])
		crdFields(got, kind, ours)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: kops (-), ours (+):\n%s", kind, diff)
		}
		structural(t, kind, ours)
	}
}

// structural holds a schema to what an API server wants of one.
func structural(t *testing.T, path string, s map[string]any) {
	t.Helper()
	properties, _ := s["properties"].(map[string]any)
	if s["type"] == nil && s["x-kubernetes-int-or-string"] != true {
		t.Errorf("%s: no type", path)
	}
	if len(properties) > 0 && s["additionalProperties"] != nil {
		t.Errorf("%s: both properties and additionalProperties", path)
	}
	if path != "Cluster" && path != "InstanceGroup" && !strings.HasSuffix(path, "[]") && !strings.HasSuffix(path, "{}") && s["description"] == nil {
		t.Errorf("%s: no description", path)
	}
	items, _ := s["items"].(map[string]any)
	keys, _ := s["x-kubernetes-list-map-keys"].([]any)
	for _, key := range keys {
		item, _ := items["properties"].(map[string]any)[key.(string)].(map[string]any)
		required, _ := items["required"].([]any)
		if item == nil || !slices.Contains(required, key) && item["default"] == nil {
			t.Errorf("%s: the key %v is neither required nor has it a default", path, key)
		}
	}
	for name, p := range properties {
		structural(t, path+"."+name, p.(map[string]any))
	}
	if items != nil {
		structural(t, path+"[]", items)
	}
	if values, ok := s["additionalProperties"].(map[string]any); ok {
		structural(t, path+"{}", values)
	}
}

// TestJSONSchemaJudgesAsCheckDoes holds kops' documents against the schema, and
// what is wrong in a few.
func TestJSONSchemaJudgesAsCheckDoes(t *testing.T) {
	schema := bothKinds(t)
	if count := judgeFiles(t, schema, filepath.Join("testdata", "v1")); count < 4 {
		t.Errorf("%d documents", count)
	}
	for path, bad := range map[string]any{
		"spec.chanel":                             "stable",
		"spec.channel":                            7,
		"spec.topology.dns.type":                  "public",
		"spec.kubelet.shutdownGracePeriod":        "30",
		"spec.kubeAPIServer.auditLogMaxAge":       1.5,
		"spec.networking.cilium.clusterID":        256,
		"spec.kubelet.taints.0":                   "a=b",
		"spec.etcdClusters.0.cpuRequest":          "a lot",
		"spec.etcdClusters.0.manager.env.0.value": true,
	} {
		d := parse(t, "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\nmetadata: {name: a.example.com}\n")
		if err := setDeep(d, bad, strings.Split(path, ".")); err != nil {
			t.Fatal(err)
		}
		value, _ := d.Get()
		_, problems := cluster.Check("config", d.Bytes())
		if why := judge(schema, value); why == "" || len(problems) == 0 {
			t.Errorf("%s: %v is taken: schema %q, check %v", path, bad, why, problems)
		}
	}
}

// TestJSONSchemaTakesKopsDocuments holds those of the stores and of the create
// cluster cases against the schema.
func TestJSONSchemaTakesKopsDocuments(t *testing.T) {
	dir := kopsData(t)
	count := judgeFiles(t, bothKinds(t), filepath.Join(dir, "create_cluster"))
	for _, store := range []string{"kops-aws/aws.example.com", "kops-state/demo.k8s.local"} {
		count += judgeFiles(t, bothKinds(t), filepath.Join(dir, "stores", store, "instancegroup"))
	}
	t.Logf("%d documents", count)
	if count < 50 {
		t.Errorf("only %d documents", count)
	}
}

// bothKinds is the schema of clusters and groups, as it is written.
func bothKinds(t *testing.T) map[string]any {
	t.Helper()
	b, err := json.Marshal(cluster.JSONSchema(cluster.KindCluster, cluster.KindInstanceGroup))
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(b, &schema); err != nil {
		t.Fatal(err)
	}
	return schema
}

// judgeFiles wants the clusters and groups below a folder taken, and counts
// them.
func judgeFiles(t *testing.T, schema map[string]any, dir string) int {
	t.Helper()
	count := 0
	walkFiles(t, os.DirFS(dir), func(name string, src []byte) {
		docs, err := doc.Parse(src)
		if err != nil || strings.HasSuffix(name, ".md") {
			return
		}
		for _, d := range docs {
			if kind, _ := d.Get("kind"); kind != "Cluster" && kind != "InstanceGroup" {
				continue
			}
			count++
			value, _ := d.Get()
			if why := judge(schema, value); why != "" {
				t.Errorf("%s: %s", name, why)
			}
		}
	})
	return count
}

// judge is the part of JSON Schema that is in use: why a value does not fit.
func judge(s map[string]any, value any) string {
	if all, ok := s["oneOf"].([]any); ok {
		var whys []string
		for _, one := range all {
			why := judge(one.(map[string]any), value)
			if why == "" {
				return ""
			}
			whys = append(whys, why)
		}
		return strings.Join(whys, "; ")
	}
	if types := textsIn(s["type"]); len(types) > 0 && !slices.ContainsFunc(types, func(t string) bool { return isA(t, value) }) {
		return fmt.Sprintf("%v is no %v", value, types)
	}
	if enum, ok := s["enum"].([]any); ok && !slices.Contains(enum, value) {
		return fmt.Sprintf("%v is none of %v", value, enum)
	}
	if text, ok := value.(string); ok && s["pattern"] != nil && !regexp.MustCompile(s["pattern"].(string)).MatchString(text) {
		return fmt.Sprintf("%q does not match %s", text, s["pattern"])
	}
	if n, ok := value.(int); ok && s["maximum"] != nil && float64(n) > s["maximum"].(float64) {
		return fmt.Sprintf("%d is above %v", n, s["maximum"])
	}
	if list, ok := value.([]any); ok {
		for i, item := range list {
			if why := judge(s["items"].(map[string]any), item); why != "" {
				return fmt.Sprintf("[%d]%s", i, why)
			}
		}
	}
	object, _ := value.(map[string]any)
	return judgeObject(s, object)
}

func judgeObject(s, object map[string]any) string {
	for _, name := range textsIn(s["required"]) {
		if _, ok := object[name]; object != nil && !ok {
			return " has no " + name
		}
	}
	properties, _ := s["properties"].(map[string]any)
	for name, v := range object {
		p, known := properties[name].(map[string]any)
		if values, ok := s["additionalProperties"].(map[string]any); !known && ok {
			p, known = values, true
		}
		if !known && s["additionalProperties"] == false {
			return "unknown field " + name
		}
		if why := judge(p, v); known && why != "" {
			return "." + name + why
		}
	}
	return ""
}

func isA(name string, value any) bool {
	switch v := value.(type) {
	case nil:
		return name == "null"
	case string:
		return name == "string"
	case bool:
		return name == "boolean"
	case int:
		return name == "integer" || name == "number"
	case float64:
		return name == "number" || name == "integer" && v == math.Trunc(v)
	case []any:
		return name == "array"
	}
	return name == "object"
}

func textsIn(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, t := range v {
			all = append(all, t.(string))
		}
		return all
	}
	return nil
}
