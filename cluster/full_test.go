package cluster_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/doc"
)

const fullConfig = `# Ours.
apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata:
  name: demo.example.com
  labels: # who
    alpha.kops.k8s.io/cloud: metal
spec:
  channel: alpha   # as agreed
  etcdClusters:
  - etcdMembers:
    - instanceGroup: control-plane-main
      name: n
    name: main
  kubeDNS:
    provider: CoreDNS
`

func wholeCluster(t *testing.T, config string) *cluster.Cluster {
	t.Helper()
	return load(t, fstest.MapFS{cluster.ConfigFile: {Data: []byte(config)}}, "demo.example.com")
}

func fullText(t *testing.T, d interface{ FullText() ([]byte, error) }) string {
	t.Helper()
	b, err := d.FullText()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestFullTextSaysWhereDefaultsAreFrom(t *testing.T) {
	text := fullText(t, wholeCluster(t, fullConfig))
	for _, line := range []string{
		"# Ours.",
		"  labels: # who",
		"  channel: alpha   # as agreed",
		"  isolateMasters: false # default: kops",
		"  clusterDNSDomain: cluster.local # default: as Stateroom runs it",
		"  podCIDR: 100.96.0.0/11 # default: as Stateroom runs it",
		"    serverIP: 100.64.0.10 # default: as Stateroom runs it",
		"    heartbeatInterval: 100ms # default: kops",
		"    # spec.etcdClusters[0].cpuRequest is not set; default: 200m for main, 100m for others",
		"  # spec.configBase is not set; default: where the document lies",
	} {
		if !strings.Contains("\n"+text, "\n"+line+"\n") && !strings.Contains(text, strings.TrimSpace(line)+"\n") {
			t.Errorf("there is no line %q", line)
		}
	}
	for _, not := range []string{"kubeProxy", "channel: stable", "kubelet:", "volumeSize", "DisableSubnetTags"} {
		if strings.Contains(text, not) {
			t.Errorf("%q should not be there", not)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

// TestFullOfCloudsIsKops holds that nothing is said to be run by Stateroom that
// it does not run.
func TestFullOfCloudsIsKops(t *testing.T) {
	c := wholeCluster(t, strings.Replace(fullConfig, "channel: alpha", "authentication:\n    aws:\n      image: x\n  cloudProvider: aws", 1))
	for _, s := range c.Full() {
		if s.Origin == cluster.OriginStateroom {
			t.Errorf("%v is %v", s.Path, s.Default)
		}
	}
	if text := fullText(t, c); !strings.Contains(text, "# spec.authentication.aws.clusterID is not set; default: masterPublicName\n") {
		t.Errorf("the name of another field is taken for a value:\n%s", text)
	}
	if text := fullText(t, c); !strings.Contains(text, "  nonMasqueradeCIDR: 100.64.0.0/10 # default: kops\n") || !strings.Contains(text, "# spec.kubeDNS.serverIP is not set; default: tenth address of serviceClusterIPRange\n") {
		t.Error(text)
	}
}

// TestFullLeavesOutWhatMeansNothingThere: what a field says of machines of a
// cloud says nothing of hosts, nor of another cloud's.
func TestFullLeavesOutWhatMeansNothingThere(t *testing.T) {
	const group = `apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata:
  name: nodes
spec:
  role: Node
  warmPool: {}
`
	for _, tt := range []struct{ cloud, there, not string }{
		{"metal", "", "manager gcpProvisioningModel rootVolumeOptimization autoscale machineType maxSize"},
		{"aws", "manager rootVolumeOptimization autoscale machineType maxSize", "gcpProvisioningModel"},
		{"gce", "manager gcpProvisioningModel autoscale machineType", "rootVolumeOptimization capacityRebalance maxSize"},
	} {
		config := fullConfig
		if tt.cloud != "metal" {
			config = strings.Replace(config, "channel: alpha", "cloudProvider: "+tt.cloud+"\n  channel: alpha", 1)
		}
		c := load(t, fstest.MapFS{cluster.ConfigFile: {Data: []byte(config)}, cluster.GroupFile("nodes"): {Data: []byte(group)}}, "demo.example.com")
		shown := map[string]bool{}
		for _, s := range c.Groups[0].Full() {
			if s.Origin != cluster.OriginSet {
				shown[s.Field.Name()] = true
			}
		}
		for _, name := range strings.Fields(tt.there) {
			if !shown[name] {
				t.Errorf("%s: %s is not shown", tt.cloud, name)
			}
		}
		for _, name := range strings.Fields(tt.not) {
			if shown[name] {
				t.Errorf("%s: %s is shown", tt.cloud, name)
			}
		}
	}
}

// TestFullOfALargeDocument is shown in seconds, with all that is known of it.
func TestFullOfALargeDocument(t *testing.T) {
	var b strings.Builder
	for i := range 200 {
		fmt.Fprintf(&b, "  - content: |\n%s    name: f%d\n", strings.Repeat("      some text of a file\n", 40), i)
	}
	c := wholeCluster(t, strings.Replace(fullConfig, "  etcdClusters:", "  fileAssets:\n"+b.String()+"  etcdClusters:", 1))
	text, asField, asComment := fullText(t, c), 0, 0
	for _, s := range c.Full() {
		if s.Field.Name() != "isBase64" {
			continue
		}
		if strings.Contains(text, "# "+doc.PathString(s.Path)+" is not set; default: false\n") {
			asComment++
		} else {
			asField++
		}
	}
	if asComment == 0 || asField == 0 || strings.Count(text, "    isBase64: false # default: kops\n") != asField {
		t.Errorf("%d defaults are fields, %d are comments", asField, asComment)
	}
}

// TestDefaultsAreValues: what the table calls the value of a field is one.
func TestDefaultsAreValues(t *testing.T) {
	count := 0
	for _, kind := range cluster.Kinds() {
		for _, f := range cluster.Fields(kind) {
			if !f.Fixed {
				continue
			}
			count++
			path := strings.NewReplacer("[]", "[0]", "{}", "[x]").Replace(f.Path)
			p, err := cluster.ParsePatch([]string{path + "=" + f.Default}, nil)
			if err == nil {
				err = p.Apply(kind, parse(t, "apiVersion: kops.k8s.io/v1alpha2\nkind: "+kind+"\n"))
			}
			if err != nil {
				t.Errorf("%s %s: %v", kind, f.Path, err)
			}
		}
	}
	if count < 500 {
		t.Errorf("%d defaults", count)
	}
}

// TestFullInEveryForm: where a comment cannot stand behind a field, it stands
// elsewhere, and the document keeps its meaning.
func TestFullInEveryForm(t *testing.T) {
	d := parse(t, fullConfig)
	value, _ := d.Get()
	for name, config := range map[string]string{
		"flow": `{apiVersion: kops.k8s.io/v1alpha2, kind: Cluster, metadata: {name: demo.example.com}, spec: {channel: alpha, kubelet: {anonymousAuth: false}}}`,
		"json": "{\n  \"apiVersion\": \"kops.k8s.io/v1alpha2\",\n  \"kind\": \"Cluster\",\n  \"metadata\": {\"name\": \"demo.example.com\"},\n  \"spec\": {\n    \"channel\": \"alpha\",\n    \"kubelet\": {}\n  }\n}\n",
		"part": "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\nmetadata: {name: demo.example.com}\nspec:\n  kubelet: {anonymousAuth: false}\n  masterKubelet: {}\n  kubeProxy: null\n  additionalPolicies:\n    node: |+\n      [\n      # no comment\n      ]\n\n",
		"tail": "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\nmetadata: {name: demo.example.com}\nspec: {}",
		"crlf": strings.ReplaceAll(fullConfig, "\n", "\r\n"),
		"new":  string(doc.Format(value)),
	} {
		t.Run(name, func(t *testing.T) {
			c := wholeCluster(t, config)
			text := keepsMeaning(t, cluster.ConfigFile, c.Document, c.Full(), fullText(t, c))
			if !strings.Contains(text, "spec.configBase is not set; default: where the document lies") || !strings.Contains(text, "isolateMasters") {
				t.Error(text)
			}
		})
	}
}

// keepsMeaning holds that a full text is a good document, and that without what
// was added it is the one that it was made of.
func keepsMeaning(t *testing.T, file string, d *doc.Document, settings []cluster.Setting, text string) string {
	t.Helper()
	docs, err := doc.Parse([]byte(text))
	if err != nil || len(docs) != 1 {
		t.Fatalf("%s: %v\n%s", file, err, text)
	}
	_, before := cluster.CheckDocument(file, d)
	if _, problems := cluster.CheckDocument(file, docs[0]); len(problems) > len(before) {
		t.Errorf("%s: what was added is no good: %v", file, problems)
	}
	for _, s := range settings {
		if s.Origin == cluster.OriginSet {
			continue
		}
		if v, ok := docs[0].Get(s.Path...); ok && !reflect.DeepEqual(v, s.Value) {
			t.Errorf("%s: %v is %v, want %v", file, s.Path, v, s.Value)
		}
		if err := docs[0].Unset(s.Path...); err != nil {
			t.Fatal(err)
		}
	}
	got, _ := docs[0].Get()
	want, _ := d.Get()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s means something else without its defaults:\n%s", file, text)
	}
	return text
}

// keepsLines holds that each line of a document in block style stands in its full
// text, in order. An empty object may have been filled, and an item of a list may
// begin with a field that was added.
func keepsLines(t *testing.T, file string, d *doc.Document, text string) {
	t.Helper()
	rest := strings.Split(text, "\n")
	for line := range strings.SplitSeq(strings.TrimRight(string(d.Bytes()), "\n"), "\n") {
		want := strings.TrimLeft(line, " -")
		want = strings.TrimSuffix(want, " {}")
		i := slices.IndexFunc(rest, func(l string) bool { return strings.TrimSuffix(strings.TrimLeft(l, " -"), " {}") == want })
		if i < 0 {
			t.Errorf("%s: the line %q is not where it was in\n%s", file, line, text)
			return
		}
		rest = rest[i+1:]
	}
}

func TestFullOfAllDocumentsOfKops(t *testing.T) {
	dir := kopsData(t)
	cases, err := filepath.Glob(filepath.Join(dir, "create_cluster", "*", "expected-v1alpha2.yaml"))
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	n := 0
	for i, path := range cases {
		if i%4 != 0 {
			continue // all of them take seconds
		}
		files, name := splitCase(t, read(t, path))
		n += holdsFull(t, load(t, files, name))
	}
	t.Logf("%d documents", n)
}

func TestFullOfFrozenDocuments(t *testing.T) {
	dirs, err := filepath.Glob(filepath.Join("testdata", "*", "*", "config"))
	if err != nil {
		t.Fatal(err)
	}
	later, err := filepath.Glob(filepath.Join("testdata", "later", "config"))
	if err != nil || len(dirs)+len(later) < 2 {
		t.Fatalf("%v %v %v", dirs, later, err)
	}
	for _, path := range append(dirs, later...) {
		fsys := os.DirFS(filepath.Dir(path))
		d := parse(t, string(read(t, path)))
		name, _ := d.Get("metadata", "name")
		holdsFull(t, load(t, fsys, name.(string)))
	}
}

// holdsFull holds the documents of a cluster, and says how many they are.
func holdsFull(t *testing.T, c *cluster.Cluster) int {
	t.Helper()
	keepsLines(t, cluster.ConfigFile, c.Document, keepsMeaning(t, cluster.ConfigFile, c.Document, c.Full(), fullText(t, c)))
	for _, g := range c.Groups {
		keepsLines(t, g.File(), g.Document, keepsMeaning(t, g.File(), g.Document, g.Full(), fullText(t, g)))
	}
	return 1 + len(c.Groups)
}
