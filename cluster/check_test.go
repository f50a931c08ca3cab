package cluster_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/doc"
)

// TestEveryKopsDocumentIsAccepted checks the documents of the stores and of
// the create cluster cases, each by itself.
func TestEveryKopsDocumentIsAccepted(t *testing.T) {
	dir := kopsData(t)
	ours := regexp.MustCompile(`(?m)^kind: (Cluster|InstanceGroup|Keyset|SSHCredential)$`)
	count := map[string]int{}
	for _, sub := range []string{"stores", "create_cluster"} {
		walkFiles(t, os.DirFS(filepath.Join(dir, sub)), func(name string, src []byte) {
			if !strings.Contains(string(src), "apiVersion: kops.k8s.io/") || !ours.Match(src) {
				return
			}
			docs, err := doc.Parse(src)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			for _, d := range docs {
				kind, problems := cluster.CheckDocument(name, d)
				count[kind]++
				if len(problems) > 0 {
					t.Errorf("%s", text(problems))
				}
			}
		})
	}
	t.Logf("accepted: %v", count)
	if count[cluster.KindCluster] == 0 || count[cluster.KindInstanceGroup] == 0 || count[cluster.KindKeyset] == 0 {
		t.Errorf("documents of some kind are missing: %v", count)
	}
}

// TestFrozenDocumentsAreAccepted does so for our own corpus.
func TestFrozenDocumentsAreAccepted(t *testing.T) {
	kinds := map[string]int{}
	walkFiles(t, os.DirFS(filepath.Join("testdata", "v1")), func(name string, src []byte) {
		if strings.HasSuffix(name, ".md") || strings.Contains(name, "clusteraddons") {
			return
		}
		kind, problems := cluster.Check(name, src)
		kinds[kind]++
		if len(problems) > 0 {
			t.Errorf("%s", text(problems))
		}
	})
	if len(kinds) != 4 {
		t.Errorf("the corpus should have all four kinds, has %v", kinds)
	}
}

// TestKopsClustersAreValid holds whole clusters against the rules across
// documents: the stores, and what create cluster must write.
func TestKopsClustersAreValid(t *testing.T) {
	dir := kopsData(t)
	for _, path := range []string{"kops-state/demo.k8s.local", "kops-aws/aws.example.com"} {
		c := load(t, os.DirFS(filepath.Join(dir, "stores", path)), filepath.Base(path))
		if problems := c.Validate(); len(problems) > 0 {
			t.Errorf("%s:\n%s", path, text(problems))
		}
		if got := c.OnHosts(); got != strings.Contains(path, "kops-state") {
			t.Errorf("%s: OnHosts is %v", path, got)
		}
	}
	cases, err := filepath.Glob(filepath.Join(dir, "create_cluster", "*", "expected-v1alpha2.yaml"))
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, path := range cases {
		files, name := splitCase(t, read(t, path))
		c := load(t, files, name)
		if problems := c.Validate(); len(problems) > 0 {
			t.Errorf("%s:\n%s", filepath.Base(filepath.Dir(path)), text(problems))
		}
		if _, err := c.Effective(); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	t.Logf("%d create cluster cases are valid", len(cases))
}

// splitCase puts the documents of one text where a store has them.
func splitCase(t *testing.T, src []byte) (fstest.MapFS, string) {
	t.Helper()
	docs, err := doc.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	files, name := fstest.MapFS{}, ""
	for _, d := range docs {
		kind, _ := d.Get("kind")
		of, _ := d.Get("metadata", "name")
		file := cluster.GroupFile(of.(string))
		if kind == cluster.KindCluster {
			file, name = cluster.ConfigFile, of.(string)
		}
		files[file] = &fstest.MapFile{Data: d.Bytes()}
	}
	return files, name
}

func walkFiles(t *testing.T, fsys fs.FS, f func(name string, src []byte)) {
	t.Helper()
	err := fs.WalkDir(fsys, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		src, err := fs.ReadFile(fsys, name)
		if err == nil {
			f(name, src)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestBadDocuments: what is wrong is named with its place, all at once.
func TestBadDocuments(t *testing.T) {
	for name, tt := range map[string]struct{ src, want string }{
		"misspelt, mistyped and misplaced": {
			src: `apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata:
  name: demo.example.com
  label: {}
spec:
  kubeAPISever:
    maxRequestsInflight: 800
  maxRequestsInflight: 800
  kubelet:
    anonymousAuth: "false"
    maxPods: many
    shutdownGracePeriod: 30
  kubernetesVersion: 1.36
  etcdClusters:
  - name: n
    etcdMembers:
    - name: on
      instanceGroup: [a]
  sshAccess: 0.0.0.0/0
  cloudLabels:
    a: 1
  authorization:
    rbac:
      strict: true
`,
			want: `
config:5:3: metadata.label: unknown field "label" (did you mean metadata.labels?)
config:7:3: spec.kubeAPISever: unknown field "kubeAPISever" (did you mean spec.kubeAPIServer?)
config:9:3: spec.maxRequestsInflight: unknown field "maxRequestsInflight" (did you mean spec.kubeAPIServer.maxRequestsInflight?)
config:11:20: spec.kubelet.anonymousAuth: expected true or false, found "false"
config:12:14: spec.kubelet.maxPods: expected an integer from -2147483648 to 2147483647, found "many"
config:13:26: spec.kubelet.shutdownGracePeriod: expected a duration such as 30s or 1m0s, found the number 30 (put it in quotes)
config:14:22: spec.kubernetesVersion: expected a string, found the number 1.36 (put it in quotes)
config:16:11: spec.etcdClusters[0].name: expected a string, found the boolean n (put it in quotes)
config:18:13: spec.etcdClusters[0].etcdMembers[0].name: expected a string, found the boolean on (put it in quotes)
config:19:22: spec.etcdClusters[0].etcdMembers[0].instanceGroup: expected a string, found a list
config:20:14: spec.sshAccess: expected a list of string, found "0.0.0.0/0"
config:22:8: spec.cloudLabels.a: expected a string, found the number 1 (put it in quotes)
config:25:7: spec.authorization.rbac.strict: unknown field "strict"`,
		},
		"a key given twice does not hide what else is wrong": {
			src: `apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata:
  name: nodes
spec:
  minSize: 1
  maxsize: 2
  minSize: 3
`,
			want: `
config:7:3: spec.maxsize: unknown field "maxsize" (did you mean spec.maxSize?)
config:8:3: spec.minSize: given twice, first on line 6`,
		},
		"the wrong version": {
			src:  "apiVersion: kops.k8s.io/v1beta1\nkind: Cluster\nspec: {}\n",
			want: "\n" + `config:1:1: apiVersion: "kops.k8s.io/v1beta1" is not known (this reads kops.k8s.io/v1alpha2)`,
		},
		"another kind": {
			src:  "apiVersion: kops.k8s.io/v1alpha2\nkind: Clutser\n",
			want: "\n" + `config:2:1: kind: "Clutser" is not known (kinds are Cluster, InstanceGroup, Keyset, SSHCredential)`,
		},
		"numbers that do not fit": {
			src: `apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata: {name: nodes}
spec:
  minSize: 3000000000
  maxSize: 1.5
  autoscalePriority: 40000
`,
			want: `
config:5:12: spec.minSize: expected an integer from -2147483648 to 2147483647, found the number 3000000000
config:6:12: spec.maxSize: expected an integer from -2147483648 to 2147483647, found the number 1.5
config:7:22: spec.autoscalePriority: expected an integer from -32768 to 32767, found the number 40000`,
		},
		"nothing of a keyset is repeated": {
			src: `apiVersion: kops.k8s.io/v1alpha2
kind: Keyset
spec:
  keys:
  - id: 1
    privateMaterial: 12345678
    distrustTimestamp: "hidden"
`,
			want: `
config:5:9: spec.keys[0].id: expected a string, found another value (put it in quotes)
config:6:22: spec.keys[0].privateMaterial: expected a string, found another value (put it in quotes)
config:7:24: spec.keys[0].distrustTimestamp: expected a time such as 2006-01-02T15:04:05Z, found another value`,
		},
		"two documents": {
			src:  "apiVersion: v1\n---\nkind: Cluster\n",
			want: "\nconfig:3:1: a second document; this file holds one, here are 2",
		},
		"nothing":         {src: "", want: "\nconfig:1:1: the file is empty"},
		"a list":          {src: "- a\n", want: "\nconfig:1:1: apiVersion: it has no apiVersion (say apiVersion: kops.k8s.io/v1alpha2)\nconfig:1:1: kind: it has no kind (kinds are Cluster, InstanceGroup, Keyset, SSHCredential)"},
		"not YAML at all": {src: "a: [\n", want: "\n" + `config:1:4: a value is expected here`},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := cluster.Check("config", []byte(tt.src))
			if diff := cmp.Diff(strings.TrimPrefix(tt.want, "\n"), text(problems)); diff != "" {
				t.Errorf("problems differ (-want +got):\n%s", diff)
			}
		})
	}
}

// TestKopsWordsAreAccepted: kops' older words for booleans, and null.
func TestKopsWordsAreAccepted(t *testing.T) {
	src := `apiVersion: kops/v1alpha2
kind: Cluster
metadata:
  creationTimestamp: null
  name: demo.example.com
spec:
  iam: {legacy: no, allowContainerRegistry: yes}
  kubelet: null
  etcdClusters:
  - {cpuRequest: 1, memoryRequest: 0.5, name: main}
  cloudConfig: {nodeTags: "n"}
  rollingUpdate: {maxSurge: 1, maxUnavailable: 20%}
`
	if _, problems := cluster.Check("config", []byte(src)); len(problems) > 0 {
		t.Error(text(problems))
	}
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte("apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\nspec:\n  kubelet: {maxPods: 3, maxPods: n}\n"))
	f.Add([]byte("apiVersion: kops/v1alpha2\nkind: Keyset\nspec: &a\n  keys: [*a, {id: 3}]\n"))
	f.Add([]byte("a: &a {<<: *a}\n---\n- \x00"))
	for _, name := range []string{"shop.example.org/config", "shop.example.org/instancegroup/nodes"} {
		if src, err := os.ReadFile(filepath.Join("testdata", "v1", name)); err == nil {
			f.Add(src)
		}
	}
	if src, err := os.ReadFile(filepath.Join("testdata", "later", "config")); err == nil {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		_, problems := cluster.Check("config", src)
		if docs, err := doc.Parse(src); err == nil && len(docs) == 1 {
			if c, err := cluster.Of("a.example.com", cluster.Source{File: "config", Document: docs[0]}); err == nil {
				problems = append(problems, c.Validate()...)
			}
		}
		lines := strings.Count(string(src), "\n") + strings.Count(string(src), "\r") + strings.Count(string(src), "\u0085") +
			strings.Count(string(src), "\u2028") + strings.Count(string(src), "\u2029") + 2 // an empty document begins behind its line ---
		for _, p := range problems {
			if p.Message == "" || p.Line > lines || p.Line > 0 && p.Col < 1 {
				t.Errorf("a problem at %d:%d of %d lines: %s", p.Line, p.Col, lines, p)
			}
		}
	})
}

// TestValuesAreChecked holds texts against enumerations and formats, in
// documents and in patches alike.
func TestValuesAreChecked(t *testing.T) {
	for _, tt := range []struct{ kind, path, value, want string }{
		{cluster.KindCluster, "spec.topology.dns.type", "Public", ""},
		{cluster.KindCluster, "spec.topology.dns.type", "private", `"private" is not one of Public, Private, None (did you mean Private?)`},
		{cluster.KindCluster, "spec.cloudProvider", "google", `linode, openstack, scaleway (did you mean gce?)`},
		{cluster.KindInstanceGroup, "spec.role", "ControlPlane", `KubeControllerManager (did you mean Master?)`},
		{cluster.KindCluster, "spec.networking.cilium.tunnel", "gre", `"gre" is not one of vxlan, geneve, disabled`},
		{cluster.KindCluster, "spec.networkCIDR", "10.0.0.1/16", `10.0.0.1/16 has bits set below its mask; did you mean 10.0.0.0/16?`},
		{cluster.KindCluster, "spec.sshAccess[0]", "pl-0123", ""},
		{cluster.KindCluster, "spec.sshAccess[0]", "1.2.3.4", `did you mean 1.2.3.4/32?`},
		{cluster.KindCluster, "spec.subnets[0].ipv6CIDR", "/64#1f", ""},
		{cluster.KindCluster, "spec.subnets[0].ipv6CIDR", "/64#x", `"/64#x" is neither a CIDR nor a part`},
		{cluster.KindCluster, "spec.kubeDNS.serverIP", "100.64.0.300", `"100.64.0.300" is no address such as 10.0.0.1`},
		{cluster.KindCluster, "spec.clusterDNSDomain", "Cluster.Local", `"Cluster.Local" is no DNS name`},
		{cluster.KindCluster, "spec.clusterDNSDomain", "cluster..local", `is no DNS name`},
		{cluster.KindCluster, "spec.kubernetesVersion", "1,30", `"1,30" is no Kubernetes version`},
		{cluster.KindCluster, "spec.clusterAutoscaler.scaleDownUnneededTime", "5", `"5" is no duration such as 30s`},
		{cluster.KindCluster, "spec.kubelet.containerLogMaxSize", "10MB", `"10MB" is no quantity`},
		{cluster.KindCluster, "spec.sysctlParameters[0]", "net.ipv4.ip_forward", `is not NAME=VALUE`},
		{cluster.KindInstanceGroup, "spec.taints[0]", "dedicated=gpu:NoSchedule", ""},
		{cluster.KindInstanceGroup, "spec.taints[0]", "dedicated=gpu", `is no taint KEY=VALUE:EFFECT`},
		{cluster.KindInstanceGroup, "spec.taints[0]", "dedicated:Never", `is no taint KEY=VALUE:EFFECT`},
		{cluster.KindCluster, "spec.fileAssets[0].mode", "0888", `"0888" is no mode in octal`},
		{cluster.KindCluster, "spec.kubeAPIServer.serviceNodePortRange", "32767-30000", `is no range of ports`},
		{cluster.KindCluster, "spec.kubeAPIServer.serviceClusterIPRange", "10.0.0.0/16, fd00::/112", ""},
	} {
		t.Run(tt.path+"="+tt.value, func(t *testing.T) {
			src := "apiVersion: kops.k8s.io/v1alpha2\nkind: " + tt.kind + "\nmetadata:\n  name: a.example.com\n"
			d := parse(t, src)
			path := strings.NewReplacer("[0]", ".0").Replace(tt.path)
			if err := setDeep(d, tt.value, strings.Split(path, ".")); err != nil {
				t.Fatal(err)
			}
			_, problems := cluster.Check("config", d.Bytes())
			p, err := cluster.ParsePatch([]string{tt.path + "=" + tt.value}, nil)
			if err == nil {
				err = p.Apply(tt.kind, parse(t, src))
			}
			switch {
			case tt.want == "" && (len(problems) > 0 || err != nil):
				t.Errorf("refused: %s; %v", text(problems), err)
			case tt.want != "" && (len(problems) != 1 || !strings.Contains(problems[0].String(), tt.want) || err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got\n%s\n%v\nwant %s", text(problems), err, tt.want)
			}
		})
	}
}

// setDeep sets a value with the mappings and lists it lacks.
func setDeep(d *doc.Document, value any, path []string) error {
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == "0" {
			value = []any{value}
		} else {
			value = map[string]any{path[i]: value}
		}
	}
	return d.Set(value, path[0])
}
