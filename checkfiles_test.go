package stateroom

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stateroom/stateroom/cluster"
)

// mistake is one thing that is put wrong in a manifest: where old stands, new
// does, and the problem of that line is told so.
type mistake struct{ old, new, path, says string }

// The mistakes are of each kind there is: in a document by itself, between the
// fields of one, between documents.
var mistakes = []mistake{
	{"  channel: stable", "  chanel: stable", "spec.chanel", `unknown field "chanel" (did you mean spec.channel?)`},
	{"  kubernetesVersion: 1.34.1", "  kubernetesVersion: 1,34", "spec.kubernetesVersion", `"1,34" is no Kubernetes version`},
	{"  cloudProvider: aws", "  cloudProvider: amazon", "spec.cloudProvider", "did you mean aws?"},
	{"  nonMasqueradeCIDR: 100.64.0.0/10", "  nonMasqueradeCIDR: 100.64.0.1/10", "spec.nonMasqueradeCIDR", "did you mean 100.64.0.0/10?"},
	{"    maxRequestsInflight: 400", "    maxRequestsInflight: many", "spec.kubeAPIServer.maxRequestsInflight", `expected an integer from -2147483648 to 2147483647, found "many"`},
	{"    anonymousAuth: false", "    anonymousAuth: \"false\"", "spec.kubelet.anonymousAuth", "expected true or false"},
	{"    shutdownGracePeriod: 30s", "    shutdownGracePeriod: 30", "spec.kubelet.shutdownGracePeriod", "expected a duration such as 30s"},
	{"  - cpuRequest: 200m", "  - cpuRequest: 200 m", "spec.etcdClusters[0].cpuRequest", "expected a quantity"},
	{"    - instanceGroup: control-plane-b", "    - instanceGroup: control-plane-x", "spec.etcdClusters[0].etcdMembers[1].instanceGroup", `no instance group "control-plane-x"`},
	{"    name: events", "    name: main # twice", "spec.etcdClusters[1].name", `a second etcd cluster "main"`},
	{"    cidr: 10.0.32.0/19", "    cidr: 10.0.0.0/18", "spec.subnets[1].cidr", `overlaps 10.0.0.0/19 of subnet "zone-a"`},
	{"    cidr: 10.0.64.0/19", "    cidr: 10.1.64.0/19", "spec.subnets[2].cidr", "lies within none of the cluster's networks"},
	{"      type: Public", "      type: public", "spec.topology.dns.type", "did you mean Public?"},
	{"  - 0.0.0.0/0", "  - 0.0.0.0", "spec.sshAccess[0]", "did you mean 0.0.0.0/32?"},
	{"    team: shop", "    KubernetesCluster: shop", "spec.cloudLabels.KubernetesCluster", "kops gives this label itself"},
	{"  minSize: 7", "  minSize: 70", "spec.minSize", "minSize 70 is above maxSize 9"},
	{"  role: Node # 12", "  role: Worker # 12", "spec.role", `"Worker" is not one of Master, Node`},
	{"  - zone-c # 20", "  - zone-d # 20", "spec.subnets[0]", `the cluster has no subnet "zone-d"`},
	{"  - dedicated=batch:NoSchedule # 33", "  - dedicated=batch # 33", "spec.taints[0]", "is no taint KEY=VALUE:EFFECT"},
	{"  machineType: m5.large # 41", "  machineType: m5.large # 41\n  machineType: m6.large", "spec.machineType", "given twice"},
}

// manifest is a cluster of three control-plane groups and fifty groups of
// nodes, over a thousand lines.
func manifest() string {
	var b strings.Builder
	b.WriteString(`apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata:
  name: big.example.com
spec:
  channel: stable
  cloudLabels:
    team: shop
  cloudProvider: aws
  etcdClusters:
  - cpuRequest: 200m
    etcdMembers:
    - instanceGroup: control-plane-a
      name: a
    - instanceGroup: control-plane-b
      name: b
    - instanceGroup: control-plane-c
      name: c
    name: main
  - etcdMembers:
    - instanceGroup: control-plane-a
      name: a
    name: events
  kubeAPIServer:
    maxRequestsInflight: 400
  kubelet:
    anonymousAuth: false
    shutdownGracePeriod: 30s
  kubernetesVersion: 1.34.1
  networkCIDR: 10.0.0.0/16
  networking:
    cilium: {}
  nonMasqueradeCIDR: 100.64.0.0/10
  sshAccess:
  - 0.0.0.0/0
  subnets:
  - name: zone-a
    cidr: 10.0.0.0/19
    type: Private
    zone: eu-test-1a
  - name: zone-b
    cidr: 10.0.32.0/19
    type: Private
    zone: eu-test-1b
  - name: zone-c
    cidr: 10.0.64.0/19
    type: Private
    zone: eu-test-1c
  topology:
    dns:
      type: Public
`)
	group := func(name, role, zone string, n, min, max int) {
		fmt.Fprintf(&b, `---
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata:
  labels:
    kops.k8s.io/cluster: big.example.com
  name: %s
spec:
  image: ami-1234
  machineType: m5.large # %[4]d
  maxSize: %[6]d
  minSize: %[5]d
  nodeLabels:
    example.com/number: "%[4]d"
  role: %[2]s # %[4]d
  subnets:
  - %[3]s # %[4]d
  taints:
  - dedicated=batch:NoSchedule # %[4]d
`, name, role, zone, n, min, max)
	}
	for i, zone := range []string{"a", "b", "c"} {
		group("control-plane-"+zone, "Master", "zone-"+zone, 100+i, 1, 1)
	}
	for i := range 50 {
		min, max := 1, 9
		if i == 30 {
			min = 7
		}
		group(fmt.Sprintf("nodes-%02d", i), "Node", "zone-"+string("abc"[i%3]), i, min, max)
	}
	return b.String()
}

// TestTwentyMistakesAreTold seeds a manifest of a thousand lines with twenty
// mistakes, and wants exactly those named, each at its line.
func TestTwentyMistakesAreTold(t *testing.T) {
	sound := manifest()
	if lines := strings.Count(sound, "\n"); lines < 1000 {
		t.Fatalf("the manifest has %d lines", lines)
	}
	if err := CheckFiles([]Text{{"big.yaml", []byte(sound)}}).Err(); err != nil {
		t.Fatalf("the manifest without mistakes: %v", err)
	}
	seeded := sound
	for _, m := range mistakes {
		if strings.Count(sound, m.old+"\n") != 1 {
			t.Fatalf("%q stands %d times in the manifest", m.old, strings.Count(sound, m.old+"\n"))
		}
		seeded = strings.Replace(seeded, m.old+"\n", m.new+"\n", 1)
	}
	want := map[int]mistake{}
	for _, m := range mistakes {
		before, _, _ := strings.Cut(seeded, m.new+"\n")
		want[1+strings.Count(before, "\n")+strings.Count(m.new, "\n")] = m
	}
	got := CheckFiles([]Text{{"big.yaml", []byte(seeded)}})
	for _, p := range got.Problems {
		m, ok := want[p.Line]
		delete(want, p.Line)
		if !ok || p.File != "big.yaml" || p.Path != m.path || !strings.Contains(p.String(), m.says) || p.Col == 0 {
			t.Errorf("told: %s\nwant: %+v", p, m)
		}
	}
	for line, m := range want {
		t.Errorf("line %d: %q is not told: %s", line, m.new, m.says)
	}
	t.Logf("%d lines, %d documents, %d mistakes, %d told", strings.Count(seeded, "\n"), got.Documents, len(mistakes), len(got.Problems))
	t.Run("parted", func(t *testing.T) { sameInParts(t, seeded, got) })
}

// sameInParts gives the documents in several files and wants the same problems.
func sameInParts(t *testing.T, all string, whole *FilesCheck) {
	var texts []Text
	for i, part := range strings.SplitAfter(all, "---\n") {
		texts = append(texts, Text{fmt.Sprintf("%02d.yaml", i), []byte(part)})
	}
	slices.Reverse(texts) // in any order
	parts := CheckFiles(texts)
	message := func(p cluster.Problem) string {
		words, _, _ := strings.Cut(p.Message, ", first on line")
		return p.Path + ": " + words
	}
	var a, b []string
	for _, p := range whole.Problems {
		a = append(a, message(p))
	}
	for _, p := range parts.Problems {
		b = append(b, message(p))
	}
	slices.Sort(a)
	slices.Sort(b)
	if !slices.Equal(a, b) || parts.Documents != whole.Documents {
		t.Errorf("in parts:\n%s\nwhole:\n%s", strings.Join(b, "\n"), strings.Join(a, "\n"))
	}
}

// TestCreateTellsTheSame: a file that cannot be created is refused for all that
// is wrong with it, too.
func TestCreateTellsTheSame(t *testing.T) {
	seeded := manifest()
	for _, m := range mistakes {
		seeded = strings.Replace(seeded, m.old+"\n", m.new+"\n", 1)
	}
	_, err := opened(t).CreateFrom(t.Context(), "big.yaml", []byte(seeded), Write{})
	if err == nil || bytes.Count([]byte(err.Error()), []byte("\n")) != len(mistakes)-1 {
		t.Errorf("create -f: %v", err)
	}
}

func TestCheckFilesOfParts(t *testing.T) {
	group := func(name, cluster string) string {
		return "apiVersion: kops.k8s.io/v1alpha2\nkind: InstanceGroup\nmetadata:\n  name: " + name + "\n" + cluster + "spec:\n  role: Node\n  minSize: 3\n  maxSize: 2\n  subnets: [nowhere]\n"
	}
	for name, tt := range map[string]struct{ text, want string }{
		"a group alone":       {group("nodes", ""), "a.yaml:7:3: spec.minSize: minSize 3 is above maxSize 2"},
		"a group of another":  {manifest() + "---\n" + group("nodes", "  labels: {kops.k8s.io/cluster: other.example.com}\n"), "a.yaml:1067:3: spec.minSize: minSize 3 is above maxSize 2"},
		"a group twice":       {manifest() + "---\n" + group("nodes-00", ""), "a.yaml:1063:3: metadata.name: instance group nodes-00 is there twice"},
		"a cluster twice":     {manifest() + "---\n" + manifest()[:80], "a.yaml:1063:3: metadata.name: cluster big.example.com is there twice"},
		"nothing":             {"# nothing\n", "a.yaml:1:1: a document without apiVersion and kind"},
		"no YAML":             {"a: [\n", "a.yaml:1:4: a value is expected here"},
		"an add-on":           {"apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n", ""},
		"a list":              {"apiVersion: v1\nkind: List\n", "a.yaml:2:1: kind: a List holds other documents, which would not be seen (write its items as documents of their own, parted by lines \"---\")"},
		"a cluster, no name":  {"apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\nmetadata: {}\n", "a.yaml:3:1: metadata.name: cluster name \"\": it is empty"},
		"a name that is none": {"apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\nmetadata: {name: shop}\n", "a.yaml:3:12: metadata.name: cluster name \"shop\": it must contain a dot"},
	} {
		t.Run(name, func(t *testing.T) {
			err := CheckFiles([]Text{{"a.yaml", []byte(tt.text)}}).Err()
			if got := fmt.Sprint(err); tt.want == "" && err != nil || tt.want != "" && !strings.HasPrefix(got, tt.want) || strings.Contains(got, "\n") {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
