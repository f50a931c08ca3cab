package plan_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/plan"
)

// TestBundles shows everything that the hosts of a plain cluster run.
func TestBundles(t *testing.T) {
	const file = "testdata/metal.txtar"
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for _, f := range a.Files {
		if !strings.HasPrefix(f.Name, "want/") {
			files[f.Name] = &fstest.MapFile{Data: f.Data}
		}
	}
	p := planned(t, withKeysets(files))
	if !p.Final() {
		t.Error("with everything there, the plan is not final")
	}
	for group, b := range p.Bundles {
		golden(t, file, "want/"+group, tree(b))
	}
	var ignored strings.Builder
	for _, i := range p.Ignored {
		fmt.Fprintf(&ignored, "%s:%d: %s %s\n", i.File, i.Line, i.Path, i.Why)
	}
	golden(t, file, "want/ignored", ignored.String())
	golden(t, file, "want/notes", strings.Join(p.Notes, "\n")+"\n")
}

// TestSameInSameOut: nothing in a bundle comes from the order of a map.
func TestSameInSameOut(t *testing.T) {
	files := withKeysets(documents(t, "spec.kubeAPIServer.featureGates.B=true", "spec.kubeAPIServer.featureGates.A=false", "spec.kubeAPIServer.runtimeConfig.api/all=true"))
	want, _ := planned(t, files).Bundles["control-plane-main"].Encode()
	for range 20 {
		got, _ := planned(t, files).Bundles["control-plane-main"].Encode()
		if !bytes.Equal(got, want) {
			t.Fatal("two plans of the same files differ")
		}
	}
}

// TestBundlesAreValid: what is planned can be read back by a node.
func TestBundlesAreValid(t *testing.T) {
	for _, b := range planned(t, withKeysets(documents(t))).Bundles {
		data, digest := b.Encode()
		if _, err := bundle.Decode(data, digest); err != nil {
			t.Error(err)
		}
	}
}

// TestWorkerKnowsNoControlPlane: a stolen bundle of a worker is of no use
// against the control plane.
func TestWorkerKnowsNoControlPlane(t *testing.T) {
	data, _ := planned(t, withKeysets(documents(t))).Bundles["nodes-main"].Encode()
	for _, word := range []string{"etcd", "apiserver", "scheduler", "controller", "control-plane", "PRIVATE KEY", "6443", ".key"} {
		if bytes.Contains(data, []byte(word)) {
			t.Errorf("the bundle of a worker says %q:\n%s", word, data)
		}
	}
}

// TestBeforeAnythingIsMade: a plan can be shown before there are keysets,
// programs and even a first commit, and is not taken for one to apply.
func TestBeforeAnythingIsMade(t *testing.T) {
	opt := options()
	opt.ClusterID, opt.Catalogue = "", programs("1.37.2", "")
	p, err := plan.Make(documents(t), demo, opt)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(p.Missing, keysetNames) {
		t.Errorf("missing are %v, want %v", p.Missing, keysetNames)
	}
	for _, f := range p.Bundles["control-plane-main"].Files {
		if strings.HasPrefix(f.Path, "pki/") && f.Content != plan.Unknown+"\n" {
			t.Errorf("%s is %q", f.Path, f.Content)
		}
	}
	if p.Final() {
		t.Error("the plan is final")
	}
	for _, c := range plan.Diff(nil, p) {
		if c.Kind == plan.KindAsset && !strings.Contains(c.Why, plan.Unknown) {
			t.Errorf("of a program that is not built: %s", c.Why)
		}
	}
	for what, change := range map[string]func(*plan.Options, fstest.MapFS){
		"keyset":  func(_ *plan.Options, f fstest.MapFS) { delete(f, "pki/private/kubernetes-ca/keyset.yaml") },
		"program": func(o *plan.Options, _ fstest.MapFS) { o.Catalogue = programs("1.37.2", "") },
		"id":      func(o *plan.Options, _ fstest.MapFS) { o.ClusterID = "" },
	} {
		opt, files := options(), withKeysets(documents(t))
		change(&opt, files)
		if p, err := plan.Make(files, demo, opt); err != nil || p.Final() {
			t.Errorf("without %s: final %t, error %v", what, err == nil && p.Final(), err)
		}
	}
}

// TestRefused: what cannot be run as the documents say is a problem with its
// place, and then there is no bundle at all.
func TestRefused(t *testing.T) {
	for name, test := range map[string]struct {
		sets []string
		want string
	}{
		"encryption":    {[]string{"spec.encryptionConfig=true"}, "config:N: spec.encryptionConfig: encryption of what etcd holds is not supported on hosts yet"},
		"three members": {[]string{"spec.etcdClusters[0].etcdMembers[1].name=b", "spec.etcdClusters[0].etcdMembers[1].instanceGroup=control-plane-main", "spec.etcdClusters[0].etcdMembers[2].name=c", "spec.etcdClusters[0].etcdMembers[2].instanceGroup=control-plane-main"}, `spec.etcdClusters[0].etcdMembers: etcd cluster "main" has 3 members`},
		"cilium":        {[]string{"spec.etcdClusters[1].name=cilium"}, `spec.etcdClusters[1].name: etcd cluster "cilium" is not supported on hosts`},
		"no main":       {[]string{"spec.etcdClusters[0].name=leases"}, "there is no etcd cluster main"},
		"cloud":         {[]string{"spec.cloudProvider=aws"}, "cluster demo.example.com is not on hosts: aws is for kops to run"},
		"invalid":       {[]string{"spec.etcdClusters[0].etcdMembers[0].instanceGroup=nobody"}, `there is no instance group "nobody"`},
		"placeholder":   {[]string{"spec.kubeScheduler.tlsCertFile=${HOME}/x"}, "config:N: spec.kubeScheduler.tlsCertFile: a node knows ${NODE}"},
		"etcd's":        {[]string{"spec.etcdClusters[1].manager.env[0].name=ETCD_LOG_LEVEL", "spec.etcdClusters[1].manager.env[0].value=${LEVEL}"}, "config:N: spec.etcdClusters[1].manager: a node knows ${NODE}"},
		"two lines":     {[]string{"spec.kubeAPIServer.auditLogPath=a\nb"}, "config:N: spec.kubeAPIServer.auditLogPath: a value with control characters cannot be a flag of kube-apiserver"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := plan.Make(withKeysets(documents(t, test.sets...)), demo, options())
			if err != nil {
				t.Fatal(err)
			}
			var all []string
			for _, problem := range p.Problems {
				line, n := problem.String(), fmt.Sprintf(":%d:%d:", problem.Line, problem.Col)
				all = append(all, strings.Replace(line, n, ":N:", 1))
			}
			if got := strings.Join(all, "\n"); !strings.Contains(got, test.want) {
				t.Errorf("problems are:\n%s\nwant %s", got, test.want)
			}
			if len(p.Bundles) > 0 || p.Final() {
				t.Error("and there are bundles all the same")
			}
		})
	}
}

// TestRoles: a group whose role no host can play is refused, not left out.
func TestRoles(t *testing.T) {
	files := withKeysets(documents(t))
	patch(t, files, "instancegroup/nodes-main", cluster.KindInstanceGroup, "spec.role=Bastion")
	p, err := plan.Make(files, demo, options())
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Problems) != 1 || !strings.Contains(p.Problems[0].String(), "role bastion is not supported on hosts yet") {
		t.Errorf("problems: %v", p.Problems)
	}

	files = withKeysets(documents(t))
	second := strings.ReplaceAll(string(files["instancegroup/control-plane-main"].Data), "control-plane-main", "control-plane-b")
	files["instancegroup/control-plane-b"] = &fstest.MapFile{Data: []byte(second)}
	if p, err = plan.Make(files, demo, options()); err != nil {
		t.Fatal(err)
	}
	if len(p.Problems) != 1 || !strings.Contains(p.Problems[0].String(), "a second control-plane group is not supported on hosts yet") {
		t.Errorf("problems: %v", p.Problems)
	}
}

// TestVersions: a version without programs is refused with those that there are.
func TestVersions(t *testing.T) {
	_, err := plan.Make(withKeysets(documents(t, "spec.kubernetesVersion=1.36.0")), demo, options())
	var unknown *bundle.VersionError
	if !errors.As(err, &unknown) || !strings.Contains(err.Error(), "plan demo.example.com: no programs for kubernetes 1.36.0 on linux/amd64; there are programs for: 1.37.2") {
		t.Errorf("error is %v", err)
	}
}

// TestNothingThere: no documents are an error of their own.
func TestNothingThere(t *testing.T) {
	if _, err := plan.Make(fstest.MapFS{}, demo, options()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error is %v", err)
	}
}

// TestDamagedKeyset: the error names the keyset and shows nothing of it.
func TestDamagedKeyset(t *testing.T) {
	files := withKeysets(documents(t))
	name := "pki/private/kubernetes-ca/keyset.yaml"
	secret := string(files[name].Data[200:300])
	for _, damaged := range [][]byte{files[name].Data[:400], bytes.Replace(files[name].Data, []byte("kind: Keyset"), []byte("kind: Other"), 1), bytes.Replace(files[name].Data, []byte("privateMaterial: "), []byte("privateMaterial: QUJD"), 1)} {
		files[name] = &fstest.MapFile{Data: damaged}
		_, err := plan.Make(files, demo, options())
		if err == nil || !strings.Contains(err.Error(), "kubernetes-ca") || strings.Contains(err.Error(), secret) {
			t.Errorf("error is %v", err)
		}
	}
}

// TestAddons: that they are not applied is said once there are any.
func TestAddons(t *testing.T) {
	files := withKeysets(documents(t))
	files["clusteraddons/default"] = &fstest.MapFile{Data: []byte("kind: Namespace\n")}
	if notes := planned(t, files).Notes; !slices.Contains(notes, "clusteraddons/default is not applied to clusters on hosts yet") {
		t.Errorf("notes: %v", notes)
	}
	if len(planned(t, withKeysets(documents(t))).Notes) != 1 {
		t.Error("a note without reason")
	}
}

// TestUsual: a new cluster sets nothing to no effect but what kops' form of it
// always holds, so that what a person adds stands out.
func TestUsual(t *testing.T) {
	for _, i := range planned(t, withKeysets(documents(t))).Ignored {
		if !i.Usual {
			t.Errorf("%s: %s is not usual", i.File, i.Path)
		}
	}
	added := planned(t, withKeysets(documents(t, "spec.kubeAPIServer.cpuRequest=100m", "spec.kubelet.maxPods=20", "spec.certManager.enabled=true",
		"spec.etcdClusters[0].manager.env[0].name=ETCD_QUOTA_BACKEND_BYTES", "spec.etcdClusters[1].manager.env[0].name=AWS_REGION")))
	var got []string
	for _, i := range added.Ignored {
		if !i.Usual {
			got = append(got, i.Path+" "+i.Why)
		}
	}
	want := []string{
		"spec.certManager is used by nothing that runs on hosts yet",
		"spec.etcdClusters[1].manager.env is used by nothing that runs on hosts yet",
		"spec.kubeAPIServer.cpuRequest sets up a container, and on hosts programs are plain processes",
		"spec.kubelet.maxPods is for kubelet, which does not run on hosts yet",
	}
	if !slices.Equal(got, want) {
		t.Errorf("ignored are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestAPIPort: whoever writes a kubeconfig finds the port that is served.
func TestAPIPort(t *testing.T) {
	for set, want := range map[string]int{"spec.channel=stable": 6443, "spec.kubeAPIServer.securePort=8443": 8443} {
		files := withKeysets(documents(t, set))
		c, err := cluster.Load(files, demo)
		if err != nil {
			t.Fatal(err)
		}
		s := service(t, planned(t, files), "kube-apiserver")
		if got := plan.APIPort(c); got != want || !slices.Equal(values(s, "secure-port"), []string{fmt.Sprint(want)}) || s.Ready.URL != fmt.Sprintf("https://${ADDRESS}:%d/readyz", want) {
			t.Errorf("port is %d, of the service %v, of the probe %s; want %d", got, values(s, "secure-port"), s.Ready.URL, want)
		}
	}
}
