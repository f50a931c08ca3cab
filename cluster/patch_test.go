package cluster_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/doc"
)

const patched = `# ours
apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata:
  name: demo.example.com
spec:
  cloudLabels:
    team: a # theirs
  etcdClusters:
  - etcdMembers:
    - instanceGroup: control-plane-main
      name: "n"
    manager:
      env:
      - name: ETCD_A
        value: "1"
    name: main
  - name: events
  kubeAPIServer:
    maxRequestsInflight: 800
  kubelet:
    featureGates: {}
  sshAccess:
  - 10.0.0.0/8
  - 192.0.2.0/24
`

// TestPatch says one thing and looks at the lines that changed.
func TestPatch(t *testing.T) {
	for _, tt := range []struct {
		name, sets, unsets string // separated by blanks
		want               string // lines taken away (-) and put in (+)
	}{
		{"an integer", "spec.kubeAPIServer.maxRequestsInflight=801", "", "-    maxRequestsInflight: 800\n+    maxRequestsInflight: 801"},
		{"the value that is there", "spec.kubeAPIServer.maxRequestsInflight=800", "", ""},
		{"with kops' prefix", "cluster.spec.kubeAPIServer.maxRequestsInflight=801", "", "-    maxRequestsInflight: 800\n+    maxRequestsInflight: 801"},
		{"a field that is not there yet", "spec.kubeAPIServer.auditLogMaxAge=10", "", "+    auditLogMaxAge: 10"},
		{"parents that are not there yet", "spec.kubelet.evictionHard=memory.available<100Mi,nodefs.available<10%", "", "+    evictionHard: memory.available<100Mi,nodefs.available<10%"},
		{"a boolean in one of Go's words", "spec.kubelet.anonymousAuth=F", "", "+    anonymousAuth: false"},
		{"a string that YAML 1.1 takes for a boolean", "spec.etcdClusters[0].etcdMembers[0].name=y", "", "-      name: \"n\"\n+      name: \"y\""},
		{"a string that looks like a number", "spec.kubernetesVersion=1.37", "", "+  kubernetesVersion: \"1.37\""},
		{"a quantity", "spec.etcdClusters[name=events].cpuRequest=100m", "", "-  - name: events\n+  - cpuRequest: 100m\n+    name: events"},
		{"a duration", "spec.kubelet.shutdownGracePeriod=1m30s", "", "+    shutdownGracePeriod: 1m30s"},
		{"an integer or a string", "spec.rollingUpdate.maxSurge=25% spec.rollingUpdate.maxUnavailable=1", "", "+  rollingUpdate:\n+    maxSurge: 25%\n+    maxUnavailable: 1"},
		{"a label, as kops", "spec.cloudLabels=k=v", "", "+    k: v"},
		{"a label with commas", "spec.cloudLabels=k=v,w=x", "", "+    k: v,w=x"},
		{"a label behind a dot", "spec.cloudLabels.k=v", "", "+    k: v"},
		{"a label with dots and slashes", "spec.cloudLabels.example.com/x=v", "", "+    example.com/x: v"},
		{"a label in brackets", "spec.cloudLabels[example.com/x]=v", "", "+    example.com/x: v"},
		{"a label in quotes", `spec.cloudLabels["example.com/x"]=v`, "", "+    example.com/x: v"},
		{"a label replaced", "spec.cloudLabels.team=b", "", "-    team: a # theirs\n+    team: b # theirs"},
		{"a label taken away", "", "spec.cloudLabels.team", "-  cloudLabels:\n-    team: a # theirs"},
		{"a label taken away by name", "spec.cloudLabels-=team", "", "-  cloudLabels:\n-    team: a # theirs"},
		{"lists are appended to, as kops", "spec.sshAccess=10.0.0.0/8,10.1.0.0/16", "", "+  - 10.0.0.0/8\n+  - 10.1.0.0/16"},
		{"what is missing is added", "spec.sshAccess+=10.0.0.0/8,10.1.0.0/16", "", "+  - 10.1.0.0/16"},
		{"what is there is taken away", "spec.sshAccess-=10.0.0.0/8,10.1.0.0/16", "", "-  - 10.0.0.0/8"},
		{"a list is replaced", "spec.sshAccess=10.1.0.0/16", "spec.sshAccess", "-  - 10.0.0.0/8\n-  - 192.0.2.0/24\n+  - 10.1.0.0/16"},
		{"a list begins", "spec.nodePortAccess=1.2.3.4/32,10.20.30.0/24", "", "+  nodePortAccess:\n+  - 1.2.3.4/32\n+  - 10.20.30.0/24"},
		{"an item with a comma", `spec.additionalSans=a\,b,c`, "", "+  additionalSans:\n+  - a,b\n+  - c"},
		{"an item replaced", "spec.sshAccess[1]=10.1.0.0/16", "", "-  - 192.0.2.0/24\n+  - 10.1.0.0/16"},
		{"the item after the last", "spec.sshAccess[2]=10.1.0.0/16", "", "+  - 10.1.0.0/16"},
		{"an item taken away", "", "spec.sshAccess[0]", "-  - 10.0.0.0/8"},
		{"all items of a list", "spec.etcdClusters[*].version=3.6.12", "", "+    version: 3.6.12\n+    version: 3.6.12"},
		{"the first item of a list that is not there", "spec.subnets[0].name=main", "", "+  subnets:\n+  - name: main"},
		{"a variable, as kops", "spec.etcdClusters[0].manager.env=ETCD_B=2", "", "+      - name: ETCD_B\n+        value: \"2\""},
		{"a variable changed", "spec.etcdClusters[0].manager.env+=ETCD_A=2", "", "-        value: \"1\"\n+        value: \"2\""},
		{"an empty object", "spec.networking.cni=", "", "+  networking:\n+    cni: {}"},
		{"a map of lists", "spec.externalPolicies=node=a,b", "", "+  externalPolicies:\n+    node:\n+    - a\n+    - b"},
		{"the name of a later version", "spec.api.publicName=api.example.com", "", "+  masterPublicName: api.example.com"},
		{"an element of the name of a later version", "spec.networking.subnets[0].name=main", "", "+  subnets:\n+  - name: main"},
		{"the only label changed", "spec.cloudLabels.k=v", "spec.cloudLabels.team", "-    team: a # theirs\n+    k: v"},
		{"all items taken away", "spec.sshAccess-=10.0.0.0/8,192.0.2.0/24", "", "-  sshAccess:\n-  - 10.0.0.0/8\n-  - 192.0.2.0/24"},
		{"all items taken away by a star", "", "spec.sshAccess[*]", "-  sshAccess:\n-  - 10.0.0.0/8\n-  - 192.0.2.0/24"},
		{"a map that is empty already stays", "", "spec.kubelet.featureGates.A", ""},
		{"the later name of a field that is an object now", "spec.networking.topology.dns=None", "", "+  topology:\n+    dns:\n+      type: None"},
		{"unset comes before set", "spec.cloudLabels.k=v", "spec.cloudLabels", "-    team: a # theirs\n+    k: v"},
		{"unset of what is not there", "", "spec.kubelet.anonymousAuth spec.cloudLabels.k", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := cluster.ParsePatch(strings.Fields(tt.sets), strings.Fields(tt.unsets))
			if err != nil {
				t.Fatal(err)
			}
			d := parse(t, patched)
			if err := p.Apply(cluster.KindCluster, d); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, changedLines(patched, string(d.Bytes()))); diff != "" {
				t.Errorf("changes differ (-want +got):\n%s\nthe document is\n%s", diff, d.Bytes())
			}
			if _, problems := cluster.Check("config", d.Bytes()); len(problems) > 0 {
				t.Errorf("the result is not valid: %s", text(problems))
			}
		})
	}
}

// changedLines lists the lines that only one side has, those taken away first.
func changedLines(before, after string) string {
	count := map[string]int{}
	for line := range strings.Lines(before) {
		count[line]++
	}
	var out []string
	var added []string
	for line := range strings.Lines(after) {
		if count[line]--; count[line] < 0 {
			added = append(added, "+"+strings.TrimSuffix(line, "\n"))
		}
	}
	for line := range strings.Lines(before) {
		if count[line] > 0 {
			count[line]--
			out = append(out, "-"+strings.TrimSuffix(line, "\n"))
		}
	}
	return strings.Join(append(out, added...), "\n")
}

// TestBadPatch: what cannot be done is refused, all at once, and nothing is.
func TestBadPatch(t *testing.T) {
	for _, tt := range []struct{ sets, unsets, want string }{
		{"spec.kubeAPISever.maxRequestsInflight=1", "", `--set: spec.kubeAPISever.maxRequestsInflight: Cluster spec has no field "kubeAPISever" (did you mean spec.kubeAPIServer?)`},
		{"", "spec.kubeAPIServer.maxRequestInflight", `--unset: spec.kubeAPIServer.maxRequestInflight: Cluster spec.kubeAPIServer has no field "maxRequestInflight" (did you mean spec.kubeAPIServer.maxRequestsInflight?)`},
		{"spec.minSize=3", "", `--set: spec.minSize: Cluster spec has no field "minSize" (it is a field of instance groups)`},
		{"spec.kubeAPIServer.maxRequestsInflight=many", "", `--set: spec.kubeAPIServer.maxRequestsInflight: "many" is not an integer from -2147483648 to 2147483647`},
		{"spec.kubeAPIServer.maxRequestsInflight=3000000000", "", `is not an integer from -2147483648`},
		{"spec.kubelet.anonymousAuth=no", "", `"no" is not true or false`},
		{"spec.kubelet.anonymousAuth=", "", `"" is not true or false`},
		{"spec.etcdClusters[0].cpuRequest=much", "", `"much" is not a quantity such as 200m or 1Gi`},
		{"spec.kubelet.shutdownGracePeriod=30", "", `"30" is not a duration such as 30s or 1m0s`},
		{"spec.cloudLabels=k", "", `"k" is not KEY=VALUE, as a map of string takes it`},
		{"spec.etcdClusters=main", "", "a list of objects: say which one and which field, as in spec.etcdClusters[0].backups"},
		{"spec.etcdClusters.name=main", "", "spec.etcdClusters is a list of object: say which element, [0], [*] or [name=x]"},
		{"spec.etcdClusters[name=mian].version=3", "", "[name=mian]: no such element; there are main, events"},
		{"spec.etcdClusters[5].version=3", "", "[5]: the list has 2 elements"},
		{"spec.etcdClusters[3].version=3", "", "[3]: the list has 2 elements"},
		{"spec.etcdClusters[-1].version=3", "", "[-1]: the list has 2 elements"},
		{"spec.etcdClusters[main].version=3", "", "[main]: say which element of the list, [0], [*] or [name=x]"},
		{"spec.etcdClusters[nam=main].version=3", "", `[nam=main]: the elements have no field "nam"`},
		{"spec.kubelet=x", "", "an object takes no value: name one of its fields, or say spec.kubelet= for an empty one"},
		{"spec.kubelet[0]=x", "", "spec.kubelet is an object: its fields follow a dot"},
		{"spec.kubernetesVersion.x=1", "", "spec.kubernetesVersion is a string, nothing can follow it"},
		{"spec.kubernetesVersion+=1", "", "+= is for lists and maps, this is a string"},
		{"metadata.name=x", "", "metadata.name: it cannot be changed"},
		{"kind=x", "apiVersion", "--unset: apiVersion: it cannot be changed\n--set: kind: it cannot be changed"},
		{"instancegroup.spec.minSize=1", "", "a field of InstanceGroup, this is a document of kind Cluster"},
		{"spec.kubelet.anonymousAuth", "", `"spec.kubelet.anonymousAuth": it must be PATH=VALUE`},
		{"", "spec.kubelet=", `"spec.kubelet=": a path alone, without a value`},
		{"=x", "", "the path is empty"},
		{"spec..x=1", "", `"" is no name`},
		{"spec.sshAccess[]=1", "", "empty brackets"},
		{"spec.sshAccess[0=1", "", "must be PATH=VALUE"},
		{"spec.sshAccess[0]x=1", "", "a dot or a bracket must follow ]"},
		{"spec.a=1 spec.kubernetesVersion=2.0 spec.b=3", "", "--set: spec.a: Cluster spec has no field \"a\"\n--set: spec.b: Cluster spec has no field \"b\""},
	} {
		d := parse(t, patched)
		p, err := cluster.ParsePatch(strings.Fields(tt.sets), strings.Fields(tt.unsets))
		if err == nil {
			err = p.Apply(cluster.KindCluster, d)
		}
		var invalid *cluster.InvalidError
		if !errors.As(err, &invalid) {
			t.Errorf("%s %s: got %v, want an InvalidError", tt.sets, tt.unsets, err)
			continue
		}
		want := strings.Split(tt.want, "\n")
		if len(invalid.Problems) != len(want) {
			t.Errorf("%s %s: got %v", tt.sets, tt.unsets, err)
			continue
		}
		for i, p := range invalid.Problems {
			if !strings.Contains(p.String(), want[i]) {
				t.Errorf("%s %s:\ngot  %s\nwant %s", tt.sets, tt.unsets, p, want[i])
			}
		}
		if string(d.Bytes()) != patched {
			t.Errorf("%s %s: refused, but the document changed", tt.sets, tt.unsets)
		}
	}
}

func TestPatchAsText(t *testing.T) {
	p, err := cluster.ParsePatch([]string{"cluster.spec.channel=a b", "spec.sshAccess+=10.0.0.0/8"}, []string{"spec.kubelet"})
	if err != nil {
		t.Fatal(err)
	}
	want := "--unset spec.kubelet --set spec.channel=a b --set spec.sshAccess+=10.0.0.0/8"
	if got := p.String(); got != want || p.IsEmpty() {
		t.Errorf("got %q, want %q", got, want)
	}
}

// FuzzParsePatch: a patch either changes nothing, or leaves a document that is
// valid and says what was set.
func FuzzParsePatch(f *testing.F) {
	for _, set := range []string{
		"spec.kubeAPIServer.maxRequestsInflight=801", "spec.cloudLabels.example.com/x=v", "spec.cloudLabels[a]=b", "spec.sshAccess+=a,b",
		"spec.etcdClusters[name=main].version=3", "spec.etcdClusters[*].manager.env=A=b", "spec.subnets[0].name=x", "spec.networking.cni=",
		"spec.externalPolicies.node=a", "spec.rollingUpdate.maxSurge=3", "spec.kubelet.shutdownGracePeriod=3s", "spec.channel=#\n\t'\"", "metadata.labels=a=b",
	} {
		f.Add(set, "spec.cloudLabels.team")
	}
	f.Add("spec.cloudLabels=a=b", "spec.etcdClusters[*]")
	f.Fuzz(func(t *testing.T, set, unset string) {
		p, err := cluster.ParsePatch([]string{set}, []string{unset})
		if err != nil {
			return
		}
		docs, err := doc.Parse([]byte(patched))
		if err != nil {
			t.Fatal(err)
		}
		d := docs[0]
		if err := p.Apply(cluster.KindCluster, d); err != nil {
			if string(d.Bytes()) != patched {
				t.Errorf("refused (%v), but the document changed", err)
			}
			return
		}
		if _, problems := cluster.Check("config", d.Bytes()); len(problems) > 0 {
			t.Errorf("not valid after %q: %s\n%s", p, text(problems), d.Bytes())
		}
	})
}

// formatted is a text of each format.
var formatted = map[cluster.Format]string{
	cluster.FormatCIDR: "10.0.0.0/16", cluster.FormatCIDRs: "10.0.0.0/16,fd00::/64", cluster.FormatCIDROrList: "pl-0123", cluster.FormatCIDROrPart: "/64#1f",
	cluster.FormatIP: "fd00::1", cluster.FormatIPs: "10.0.0.1,10.0.0.2", cluster.FormatDNS: "a.example.com", cluster.FormatVersion: "1.37.1",
	cluster.FormatDuration: "1m30s", cluster.FormatQuantity: "10Mi", cluster.FormatAssignment: "a.b=c", cluster.FormatTaint: "a/b=c:NoExecute",
	cluster.FormatMode: "0440", cluster.FormatPortRange: "30000-32767",
}

// TestEveryFieldCanBeSet sets each scalar of the table in a document that has
// none of its parents, reads it back, and takes it away again.
func TestEveryFieldCanBeSet(t *testing.T) {
	sample := map[cluster.Type]string{
		cluster.String: "no", cluster.Bool: "true", cluster.Int: "7", cluster.Quantity: "100m", cluster.IntOrString: "25%",
		cluster.Duration: "1m30s", cluster.Time: "2026-01-02T03:04:05Z", cluster.Any: "yes",
	}
	count := 0
	for _, kind := range []string{cluster.KindCluster, cluster.KindInstanceGroup} {
		before := "apiVersion: kops.k8s.io/v1alpha2\nkind: " + kind + "\nmetadata:\n  name: a.example.com\nspec: {}\n"
		for _, f := range cluster.Fields(kind) {
			path := strings.ReplaceAll(strings.ReplaceAll(f.Path, "[]", "[0]"), "{}", "[example.com/k]")
			field := &f
			for ; field.Elem != nil; field = field.Elem {
				path += map[cluster.Type]string{cluster.List: "[0]", cluster.Map: "[example.com/k]"}[field.Type]
			}
			value, ok := sample[field.Type]
			written := value
			switch {
			case len(field.Enum) > 0:
				value = field.Enum[len(field.Enum)-1]
				written = value
			case field.Format != "":
				value = formatted[field.Format]
				written = value
			case field.Type == cluster.String || field.Type == cluster.Any:
				written = `"` + value + `"` // else kops reads a boolean
			}
			if !ok || path == "apiVersion" || path == "kind" || path == "metadata.name" {
				continue
			}
			count++
			d := parse(t, before)
			set, err := cluster.ParsePatch([]string{path + "=" + value}, nil)
			if err == nil {
				err = set.Apply(kind, d)
			}
			if err != nil {
				t.Errorf("%v", err)
				continue
			}
			if _, problems := cluster.Check(path, d.Bytes()); len(problems) > 0 || !strings.Contains(string(d.Bytes()), written) {
				t.Errorf("%s\n%s", text(problems), d.Bytes())
			}
			unset, err := cluster.ParsePatch(nil, []string{path})
			if err == nil {
				err = unset.Apply(kind, d)
			}
			if err != nil || !strings.Contains(path, "[") && string(d.Bytes()) != before {
				t.Errorf("unset %s: %v\n%s", path, err, d.Bytes())
			}
		}
	}
	t.Logf("%d fields", count)
}

// TestManyItems: one line adds many items, but not without end.
func TestManyItems(t *testing.T) {
	for n, ok := range map[int]bool{200: true, 201: false} {
		for _, o := range []string{"=", "+=", "-="} {
			p, err := cluster.ParsePatch([]string{"spec.sshAccess" + o + strings.Repeat("10.0.0.0/8,", n-1) + "pl-1"}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Apply(cluster.KindCluster, parse(t, patched)); (err == nil) != ok {
				t.Errorf("%s with %d items: %v", o, n, err)
			}
		}
	}
}

// TestOneSetHoldsSeveral, as in kops; commas of values stay.
func TestOneSetHoldsSeveral(t *testing.T) {
	for given, want := range map[string]string{
		"spec.channel=alpha,spec.kubeProxy.proxyMode=ipvs":                          "--set spec.channel=alpha --set spec.kubeProxy.proxyMode=ipvs",
		"spec.sshAccess=10.0.0.0/8,10.1.0.0/16,spec.networking.podCIDR=10.2.0.0/16": "--set spec.sshAccess=10.0.0.0/8,10.1.0.0/16 --set spec.networking.podCIDR=10.2.0.0/16",
		"spec.cloudLabels.a=x,b=c":                                                  "--set spec.cloudLabels.a=x,b=c",
		"spec.cloudLabels.a=x,spec.nothing=c":                                       "--set spec.cloudLabels.a=x,spec.nothing=c",
		`spec.sshAccess=a\,spec.channel=b`:                                          `--set spec.sshAccess=a\,spec.channel=b`,
		`"spec.cloudLabels.a=x,spec.channel=""b"`:                                   `--set spec.cloudLabels.a=x,spec.channel="b`,
		"spec.taints+=a:NoSchedule,spec.taints-=b:NoSchedule":                       "--set spec.taints+=a:NoSchedule --set spec.taints-=b:NoSchedule",
	} {
		p, err := cluster.ParsePatch([]string{given}, nil)
		if err != nil || p.String() != want {
			t.Errorf("%s: got %v, %v\nwant %s", given, p, err, want)
		}
	}
	p, err := cluster.ParsePatch(nil, []string{"spec.channel,spec.etcdClusters[name=main].version", "spec.project"})
	if want := "--unset spec.channel --unset spec.etcdClusters[name=main].version --unset spec.project"; err != nil || p.String() != want {
		t.Errorf("got %v, %v", p, err)
	}
}

// TestAnEmptyItemIsASlip: it would stand in the list as a text of nothing.
func TestAnEmptyItemIsASlip(t *testing.T) {
	for _, set := range []string{"spec.sshAccess=", "spec.sshAccess=10.0.0.0/8,", "spec.kubeAPIServer.enableAdmissionPlugins+="} {
		p, err := cluster.ParsePatch([]string{set}, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = p.Apply(cluster.KindCluster, parse(t, "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\n"))
		if err == nil || !strings.Contains(err.Error(), "an empty item; --unset ") {
			t.Errorf("%s: %v", set, err)
		}
	}
}
