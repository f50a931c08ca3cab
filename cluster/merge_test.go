package cluster_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/doc"
)

const twoPeople = `# the lab
apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata:
  name: lab.example.internal
spec:
  etcdClusters:
  - etcdMembers:
    - instanceGroup: control-plane-main
      name: a
    name: main
    version: 3.5.1
  kubeAPIServer:
    enableAdmissionPlugins:
    - NodeRestriction
    maxRequestsInflight: 800
    tlsCipherSuites:
    - TLS_A
    - TLS_B
  kubelet:
    featureGates:
      A: "true"
  kubernetesApiAccess:
  - 0.0.0.0/0
  subnets:
  - name: main
    zone: main
`

// merge edits the text of twoPeople on both sides, by pairs of old and new, and
// merges.
func merge(t *testing.T, ours, theirs []string) (string, []cluster.Conflict) {
	t.Helper()
	edit := func(pairs []string) []byte {
		text := twoPeople
		for i := 0; i+1 < len(pairs); i += 2 {
			after := strings.Replace(text, pairs[i], pairs[i+1], 1)
			if after == text {
				t.Fatalf("no %q", pairs[i])
			}
			text = after
		}
		return []byte(text)
	}
	merged, conflicts, err := cluster.MergeFile(cluster.KindCluster, []byte(twoPeople), edit(ours), edit(theirs))
	if err != nil {
		t.Fatal(err)
	}
	return string(merged), conflicts
}

func TestMergeFile(t *testing.T) {
	got, conflicts := merge(t, []string{
		"    version: 3.5.1\n", "    version: 3.6.0\n",
		"    - NodeRestriction\n", "    - NodeRestriction\n    - PodNodeSelector # ada\n",
		"  - 0.0.0.0/0\n", "  - 192.0.2.0/24\n",
		"# the lab\n", "# the lab, in the cellar\n",
	}, []string{
		"      name: a\n", "      name: a\n    - instanceGroup: control-plane-b\n      name: b\n",
		"    - NodeRestriction\n", "    - AlwaysPullImages\n    - NodeRestriction\n",
		"  - 0.0.0.0/0\n", "  - 0.0.0.0/0\n  - 198.51.100.0/24\n",
		"Inflight: 800", "Inflight: 801",
		"    zone: main\n", "    zone: main\n  - name: other\n    zone: other\n",
	})
	if len(conflicts) > 0 {
		t.Errorf("conflicts: %v", conflicts)
	}
	want := strings.NewReplacer(
		"version: 3.5.1", "version: 3.6.0", "Inflight: 800", "Inflight: 801",
		"    - NodeRestriction\n", "    - AlwaysPullImages\n    - NodeRestriction\n    - PodNodeSelector # ada\n",
		"  - 0.0.0.0/0\n", "  - 192.0.2.0/24\n  - 198.51.100.0/24\n",
		"# the lab\n", "# the lab, in the cellar\n",
		"      name: a\n", "      name: a\n    - instanceGroup: control-plane-b\n      name: b\n",
		"    zone: main\n", "    zone: main\n  - name: other\n    zone: other\n",
	).Replace(twoPeople)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestMergeFileConflicts(t *testing.T) {
	got, conflicts := merge(t, []string{
		"Inflight: 800", "Inflight: 900", "    - TLS_A\n", "", "      name: a\n", "      name: a\n      volumeIops: 1\n      volumeSize: 5\n", "      A: \"true\"\n", "      A: \"false\"\n      C: \"true\"\n",
	}, []string{
		"Inflight: 800", "Inflight: 801", "    - TLS_B\n", "    - TLS_B\n    - TLS_C\n", "      name: a\n", "      name: a\n      volumeIops: 2\n      volumeSize: 6\n",
		"    featureGates:\n      A: \"true\"\n", "    maxPods: 99\n",
	})
	var said []string
	notes := cluster.ConflictNotes(conflicts, "Grace (commit 7)")
	for i, c := range conflicts {
		said = append(said, fmt.Sprintf("%d %s", c.Line, c.Path))
		if n := notes[i]; n.Line != c.Line || !strings.Contains(n.Text, c.Path) || !strings.Contains(n.Text, "Grace (commit 7)") {
			t.Errorf("said as %+v", n)
		}
	}
	want := []string{
		"11 spec.etcdClusters[name=main].etcdMembers[name=a].volumeIops",
		"12 spec.etcdClusters[name=main].etcdMembers[name=a].volumeSize",
		"18 spec.kubeAPIServer.maxRequestsInflight",
		"19 spec.kubeAPIServer.tlsCipherSuites",
		"22 spec.kubelet.featureGates",
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if text := notes[2].Text; text != "conflict: spec.kubeAPIServer.maxRequestsInflight was 800, you made it 900, and meanwhile Grace (commit 7) made it 801\nto keep yours, remove this comment about spec.kubeAPIServer.maxRequestsInflight; else change it" {
		t.Error(text)
	}
	if text := notes[4].Text; !strings.Contains(text, "Grace (commit 7) removed it") {
		t.Error(text)
	}
	// The paths are those of --set.
	p, err := cluster.ParsePatch([]string{conflicts[1].Path + "=7", conflicts[2].Path + "=7"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	d := parse(t, got)
	if err := p.Apply(cluster.KindCluster, d); err != nil {
		t.Error(err)
	}
	if v, _ := d.Get("spec", "etcdClusters", "0", "etcdMembers", "0", "volumeSize"); v != 7 {
		t.Errorf("set to %v", v)
	}
}

func TestMergeFileOfSeveralDocuments(t *testing.T) {
	object := func(name, value string) string {
		return "# " + name + "\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + name + "\ndata:\n  a: \"1\"\n  b: " + value + "\n"
	}
	base := object("one", "x") + "---\n" + object("two", "x") + "---\n" + object("three", "x")
	ours := object("one", "y") + "---\n" + object("three", "ours") + "---\n" + object("four", "z")
	theirs := object("zero", "w") + "---\n" + strings.Replace(object("one", "x"), `"1"`, `"2"`, 1) + "---\n" + object("two", "x") + "---\n" + object("three", "theirs")
	got, conflicts, err := cluster.MergeFile("", []byte(base), []byte(ours), []byte(theirs))
	if err != nil {
		t.Fatal(err)
	}
	want := object("zero", "w") + "---\n" + strings.Replace(object("one", "y"), `"1"`, `"2"`, 1) + "---\n" + object("three", "ours") + "---\n" + object("four", "z")
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if len(conflicts) != 1 || conflicts[0].Path != "data.b" || strings.Split(want, "\n")[conflicts[0].Line-1] != "  b: ours" {
		t.Errorf("conflicts: %+v", conflicts)
	}
	if got, conflicts, err := cluster.MergeFile("", nil, []byte("a: 1\n"), []byte("b: 1\n")); err != nil || len(conflicts) != 1 || string(got) != "a: 1\n" {
		t.Errorf("two documents without a name: %q %v %v", got, conflicts, err)
	}
}

func TestMergeFileKeepsSecrets(t *testing.T) {
	text := func(key string) []byte {
		return []byte("apiVersion: kops.k8s.io/v1alpha2\nkind: Keyset\nmetadata:\n  name: x\nspec:\n  keys:\n  - id: \"1\"\n    privateMaterial: " + key + "\n")
	}
	_, conflicts, err := cluster.MergeFile(cluster.KindKeyset, text("AAAA"), text("BBBB"), text("CCCC"))
	if err != nil || len(conflicts) != 1 {
		t.Fatal(conflicts, err)
	}
	if said := fmt.Sprint(conflicts, cluster.ConflictNotes(conflicts, "x")); strings.Contains(said, "BBB") || strings.Contains(said, "AAA") || strings.Contains(said, "CCC") {
		t.Error(said)
	}
}

func TestMergeFileUnreadable(t *testing.T) {
	_, _, err := cluster.MergeFile(cluster.KindCluster, []byte("a: 1\n"), []byte("a: [\n"), []byte("a: 2\n"))
	if _, ok := errors.AsType[doc.Errors](err); !ok || !strings.Contains(err.Error(), "what we changed") {
		t.Error(err)
	}
}

// TestMergeListsAreDocumented holds the tables against the schema and against
// the ones in the specification.
func TestMergeListsAreDocumented(t *testing.T) {
	var listed []string
	used := map[string]bool{}
	for _, kind := range cluster.Kinds() {
		rules := cluster.MergeLists(kind)
		for _, f := range cluster.Fields(kind) {
			if f.Type != cluster.List && (f.Type != cluster.Map || f.Elem.Type != cluster.List) {
				continue
			}
			path := strings.Split(strings.NewReplacer("[]", ".[]", "{}", ".{}").Replace(f.Path), ".")
			if f.Type == cluster.Map {
				path = append(path, "key")
			}
			rule := rules(path)
			switch {
			case rule.Set:
				used["set "+f.Name()] = true
			case rule.Keys != nil:
				used["keyed "+f.Name()+" "+strings.Join(rule.Keys, ", ")] = true
			}
		}
	}
	for use := range used {
		listed = append(listed, use)
	}
	slices.Sort(listed)
	b, err := os.ReadFile("../docs/formats/merge.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for line := range strings.Lines(string(b)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if !strings.HasPrefix(line, "| `") || len(cells) != 2 {
			continue
		}
		names := strings.Fields(strings.NewReplacer("`", "", ",", "").Replace(cells[0]))
		for _, name := range names {
			switch by := strings.TrimSpace(cells[1]); {
			case by == "set":
				documented = append(documented, "set "+name)
			default:
				documented = append(documented, "keyed "+name+" "+strings.ReplaceAll(by, "`", ""))
			}
		}
	}
	slices.Sort(documented)
	if diff := cmp.Diff(documented, listed); diff != "" {
		t.Errorf("-documented +there\n%s", diff)
	}
}
