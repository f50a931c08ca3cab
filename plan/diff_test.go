package plan_test

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/pki"
	"github.com/stateroom/stateroom/plan"
)

// said writes changes for people.
func said(changes []plan.Change) string {
	var out strings.Builder
	for _, c := range changes {
		if c.Group != "" {
			out.WriteString(c.Group + " ")
		}
		fmt.Fprintf(&out, "%s %s %s: %s\n", c.Kind, c.Action, c.Effect, c.Why)
		for line := range strings.SplitSeq(strings.TrimSuffix(c.Text, "\n"), "\n") {
			if c.Text != "" {
				out.WriteString("\t" + line + "\n")
			}
		}
	}
	return out.String()
}

// TestChanges shows what changes of the documents do to processes.
func TestChanges(t *testing.T) {
	const file = "testdata/changes.txtar"
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	base := planned(t, withKeysets(documents(t)))
	for _, f := range a.Files {
		name, ok := strings.CutSuffix(f.Name, ".set")
		if !ok {
			continue
		}
		t.Run(name, func(t *testing.T) {
			sets := strings.Split(strings.TrimSpace(string(f.Data)), "\n")
			golden(t, file, name+".want", said(plan.Diff(base, planned(t, withKeysets(documents(t, sets...))))))
		})
	}
}

// TestNoChange: what is the same has no changes.
func TestNoChange(t *testing.T) {
	files := withKeysets(documents(t))
	if c := plan.Diff(planned(t, files), planned(t, files)); len(c) > 0 {
		t.Errorf("changes:\n%s", said(c))
	}
}

// TestFirst: everything starts.
func TestFirst(t *testing.T) {
	var got []string
	for _, c := range plan.Diff(nil, planned(t, withKeysets(documents(t)))) {
		if c.Kind == plan.KindService && c.Effect == plan.Start && c.Why == c.Name+" starts" {
			got = append(got, c.Name)
		}
	}
	if want := []string{"etcd-main", "etcd-events", "kube-apiserver", "kube-controller-manager", "kube-scheduler"}; !slices.Equal(got, want) {
		t.Errorf("%v start, want %v", got, want)
	}
}

// TestAGroupThatIsGone: no release reaches its hosts any more, so that nothing
// on them changes, nor stops.
func TestAGroupThatIsGone(t *testing.T) {
	p := planned(t, withKeysets(documents(t)))
	without := *p
	without.Bundles = maps.Clone(p.Bundles)
	delete(without.Bundles, "control-plane-main")
	if c := plan.Diff(p, &without); len(c) > 0 {
		t.Errorf("changes:\n%s", said(c))
	}
}

// TestAnotherModeRestartsNothing: neither here nor on a host.
func TestAnotherModeRestartsNothing(t *testing.T) {
	p, q := planned(t, withKeysets(documents(t))), planned(t, withKeysets(documents(t)))
	for i, f := range q.Bundles["control-plane-main"].Files {
		if f.Path == "kubeconfig/kube-scheduler" {
			q.Bundles["control-plane-main"].Files[i].Mode = 0o600
		}
	}
	if got := plan.Diff(p, q); len(got) != 1 || got[0].Kind != plan.KindFile || got[0].Effect != plan.None {
		t.Errorf("changes:\n%s", said(got))
	}
}

// TestTheOrderInARequestCounts: a host makes a certificate anew for that.
func TestTheOrderInARequestCounts(t *testing.T) {
	p, q := planned(t, withKeysets(documents(t))), planned(t, withKeysets(documents(t)))
	for i, c := range q.Bundles["control-plane-main"].Certificates {
		if c.Path == "pki/kube-scheduler" {
			slices.Reverse(q.Bundles["control-plane-main"].Certificates[i].IPs)
		}
	}
	got := said(plan.Diff(p, q))
	for _, want := range []string{"certificate pki/kube-scheduler is changed: the order in it changes", "kube-scheduler restarts: certificate pki/kube-scheduler is issued anew"} {
		if !strings.Contains(got, want) {
			t.Errorf("not said: %s\nchanges:\n%s", want, got)
		}
	}
}

// TestOldPlanByHand: a release is known by its documents and bundles alone.
func TestOldPlanByHand(t *testing.T) {
	p := planned(t, withKeysets(documents(t)))
	again := map[string]*bundle.Bundle{}
	for group, b := range p.Bundles {
		data, digest := b.Encode()
		decoded, err := bundle.Decode(data, digest)
		if err != nil {
			t.Fatal(err)
		}
		again[group] = decoded
	}
	if c := plan.Diff(&plan.Plan{Documents: p.Documents, Bundles: again}, p); len(c) > 0 {
		t.Errorf("changes:\n%s", said(c))
	}
}

// TestNewPrograms: everything that runs the program restarts, and the reason is
// the version where that is what differs.
func TestNewPrograms(t *testing.T) {
	files := withKeysets(documents(t))
	old := planned(t, files)
	opt := options()
	opt.Catalogue = programs("1.37.2", strings.Repeat("c", 64))
	rebuilt, err := plan.Make(files, demo, opt)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"asset kubernetes is changed: sha256 aaaaaaaaaaaa -> cccccccccccc",
		"etcd-main restarts: program etcd: sha256 aaaaaaaaaaaa -> cccccccccccc",
		"etcd-events restarts: program etcd: sha256 aaaaaaaaaaaa -> cccccccccccc",
		"kube-apiserver restarts: program kube-apiserver: sha256 aaaaaaaaaaaa -> cccccccccccc",
		"kube-controller-manager restarts: program kube-controller-manager: sha256 aaaaaaaaaaaa -> cccccccccccc",
		"kube-scheduler restarts: program kube-scheduler: sha256 aaaaaaaaaaaa -> cccccccccccc",
	}
	if got := whys(plan.Diff(old, rebuilt)); !slices.Equal(got, want) {
		t.Errorf("changes:\n%s", strings.Join(got, "\n"))
	}
	opt.Catalogue = programs("1.37.3", strings.Repeat("c", 64))
	newer, err := plan.Make(withKeysets(documents(t, "spec.kubernetesVersion=1.37.3")), demo, opt)
	if err != nil {
		t.Fatal(err)
	}
	if got := whys(plan.Diff(old, newer)); !slices.Contains(got, "kube-scheduler restarts: kubernetes: 1.37.2 -> 1.37.3") {
		t.Errorf("changes:\n%s", strings.Join(got, "\n"))
	}
}

func whys(changes []plan.Change) (all []string) {
	for _, c := range changes {
		all = append(all, c.Why)
	}
	return all
}

// TestEveryReason changes a bundle in one place at a time: nothing that a node
// acts on may go unsaid.
func TestEveryReason(t *testing.T) {
	const name = "kube-scheduler"
	index := func(b *bundle.Bundle) *bundle.Service {
		return &b.Services[slices.IndexFunc(b.Services, func(s bundle.Service) bool { return s.Name == name })]
	}
	for want, change := range map[string]func(*bundle.Bundle, *bundle.Service){
		"kube-scheduler restarts: the order of its arguments changes": func(_ *bundle.Bundle, s *bundle.Service) { slices.Reverse(s.Args) },
		"kube-scheduler restarts: --leader-elect: false -> (unset)": func(_ *bundle.Bundle, s *bundle.Service) {
			s.Args = slices.DeleteFunc(s.Args, func(a string) bool { return a == "--leader-elect=false" })
		},
		`kube-scheduler restarts: --v: 2 -> ""`:                                 func(_ *bundle.Bundle, s *bundle.Service) { s.Args[len(s.Args)-1] = "--v=" },
		"kube-scheduler restarts: pki/etcd-client is needed too":                func(_ *bundle.Bundle, s *bundle.Service) { s.Needs = append(s.Needs, "pki/etcd-client") },
		"kube-scheduler restarts: pki/kubernetes-ca.crt is not needed any more": func(_ *bundle.Bundle, s *bundle.Service) { s.Needs = s.Needs[:2] },
		"kube-scheduler restarts: program: kube-scheduler -> etcd":              func(_ *bundle.Bundle, s *bundle.Service) { s.Program = "etcd" },
		"kube-scheduler restarts: pki/new is new": func(b *bundle.Bundle, s *bundle.Service) {
			b.Files = append(b.Files, bundle.File{Path: "pki/new", Mode: 0o644})
			s.Needs = append(s.Needs, "pki/new")
		},
		"kube-scheduler restarts after a drain: --v: 2 -> 3": func(_ *bundle.Bundle, s *bundle.Service) {
			s.Args[len(s.Args)-1] = "--v=3"
			s.Disruption = bundle.DisruptionDrain
		},
		"kube-scheduler reloads: --v: 2 -> 3": func(_ *bundle.Bundle, s *bundle.Service) {
			s.Args[len(s.Args)-1] = "--v=3"
			s.Disruption = bundle.DisruptionReload
		},
		"kube-scheduler runs on: how it is probed changes": func(_ *bundle.Bundle, s *bundle.Service) {
			s.Ready = &bundle.Probe{URL: "https://${ADDRESS}:1/", TimeoutSeconds: 1}
		},
		"kube-scheduler runs on: what it starts after changes":         func(_ *bundle.Bundle, s *bundle.Service) { s.After = nil },
		"kube-scheduler runs on: how long it may take to stop changes": func(_ *bundle.Bundle, s *bundle.Service) { s.StopSeconds++ },
		"kube-scheduler runs on: how its changes are made changes":     func(_ *bundle.Bundle, s *bundle.Service) { s.Disruption = bundle.DisruptionDrain },
		"file kubeconfig/kube-scheduler is changed: mode 0644 -> 0600": func(b *bundle.Bundle, _ *bundle.Service) { b.Files[1].Mode = 0o600 },
		"certificate pki/kube-scheduler is changed: organization: +admins; days: 365 -> 7": func(b *bundle.Bundle, _ *bundle.Service) {
			c := &b.Certificates[slices.IndexFunc(b.Certificates, func(c bundle.CertificateRequest) bool { return c.Path == "pki/kube-scheduler" })]
			c.Organization, c.Days = []string{"admins"}, 7
		},
	} {
		t.Run(want, func(t *testing.T) {
			files := withKeysets(documents(t))
			old, new := planned(t, files), planned(t, files)
			b := new.Bundles["control-plane-main"]
			change(b, index(b))
			changes := plan.Diff(old, new)
			if got := whys(changes); !slices.Contains(got, want) {
				t.Fatalf("changes:\n%s", strings.Join(got, "\n"))
			}
			for _, c := range changes {
				if strings.Contains(c.Why, "runs on") != (c.Kind == plan.KindService && c.Effect == plan.None) {
					t.Errorf("%s has effect %s", c.Why, c.Effect)
				}
			}
		})
	}
}

// TestNewAuthority: a rotated keyset restarts whoever trusts it, and neither
// the old key nor the new one is in anything that is said.
func TestNewAuthority(t *testing.T) {
	files := withKeysets(documents(t))
	old := planned(t, files)
	name := "pki/private/etcd-peers-ca-main/keyset.yaml"
	before, err := pki.Parse(files[name].Data)
	if err != nil {
		t.Fatal(err)
	}
	after, err := before.Rotate(created.AddDate(1, 0, 0), rand.Reader, pki.ECDSAP256)
	if err != nil {
		t.Fatal(err)
	}
	after = promoted(t, after)
	files[name] = &fstest.MapFile{Data: after.Encode()}
	changes := plan.Diff(old, planned(t, files))
	want := []string{
		"file pki/etcd-peers-ca-main.crt is changed",
		"file pki/etcd-peers-ca-main.key is changed",
		"certificate pki/etcd-main-peer is changed: its authority changes",
		"etcd-main restarts: certificate pki/etcd-main-peer is issued anew; pki/etcd-peers-ca-main.crt changes",
	}
	if got := whys(changes); !slices.Equal(got, want) {
		t.Errorf("changes:\n%s", strings.Join(got, "\n"))
	}
	text := fmt.Sprintf("%s %+v %#v", said(changes), changes, changes)
	for _, item := range after.Items {
		for line := range strings.Lines(string(item.Key.Reveal())) {
			if line = strings.TrimSpace(line); strings.Contains(text, line) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(line))) {
				t.Errorf("a line of a private key is in the changes")
			}
		}
	}
	if !strings.Contains(text, plan.Secret) {
		t.Error("nothing says that there is a secret")
	}
}

// promoted lets the newest item of a keyset sign.
func promoted(t *testing.T, k *pki.Keyset) *pki.Keyset {
	t.Helper()
	newest, ok := k.Newest()
	if !ok {
		t.Fatal("nothing to promote")
	}
	k, err := k.Promote(newest.ID)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestRotation: in the middle of a rotation both authorities are trusted, and
// what signs is one certificate with its own key.
func TestRotation(t *testing.T) {
	files := withKeysets(documents(t))
	name := "pki/private/kubernetes-ca/keyset.yaml"
	k, err := pki.Parse(files[name].Data)
	if err != nil {
		t.Fatal(err)
	}
	if k, err = k.Rotate(created.AddDate(1, 0, 0), rand.Reader, pki.ECDSAP256); err != nil {
		t.Fatal(err)
	}
	k = promoted(t, k)
	files[name] = &fstest.MapFile{Data: k.Encode()}
	primary, err := k.PrimaryItem()
	if err != nil {
		t.Fatal(err)
	}
	content := map[string]string{}
	for _, f := range planned(t, files).Bundles["control-plane-main"].Files {
		content[f.Path] = f.Content
	}
	if n := strings.Count(content["pki/kubernetes-ca.crt"], "BEGIN CERTIFICATE"); n != 2 || !strings.HasPrefix(content["pki/kubernetes-ca.crt"], string(primary.Certificate)) {
		t.Errorf("%d certificates are trusted, want 2, the primary's first", n)
	}
	if content["pki/kubernetes-ca-primary.crt"] != string(primary.Certificate) || content["pki/kubernetes-ca.key"] != string(primary.Key.Reveal()) {
		t.Error("what signs is not the primary")
	}
}

// TestKeyInTheOpen: a private key in a file that nobody marked as secret, and
// one that stops being marked, do not show either.
func TestKeyInTheOpen(t *testing.T) {
	key := "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----\n"
	file := func(secret bool, content string) *plan.Plan {
		return &plan.Plan{Bundles: map[string]*bundle.Bundle{"g": {Files: []bundle.File{{Path: "f", Mode: 0o600, Secret: secret, Content: content}}}}}
	}
	for _, changes := range [][]plan.Change{
		plan.Diff(file(false, "a\n"), file(false, key)),
		plan.Diff(file(false, key[:40]), file(false, "a\n")),
		plan.Diff(file(true, "MHcCAQEE"), file(false, "b\n")),
		plan.Diff(file(false, "b\n"), file(true, "MHcCAQEE")),
	} {
		if text := said(changes); len(changes) != 1 || strings.Contains(text, "MHcCAQEE") || !strings.Contains(text, plan.Secret) {
			t.Errorf("changes:\n%s", text)
		}
	}
}

// TestMissingKeysets: what a first apply makes is said, by name.
func TestMissingKeysets(t *testing.T) {
	p := planned(t, documents(t))
	var got []string
	for _, c := range plan.Diff(nil, p) {
		if c.Kind == plan.KindKeyset {
			got = append(got, c.Name)
			if c.Text != plan.Unknown || c.Why != "keyset "+c.Name+" is made" {
				t.Errorf("%+v", c)
			}
		}
	}
	if !slices.Equal(got, keysetNames) {
		t.Errorf("keysets are %v", got)
	}
}

// TestProblemsHideNothing: a plan with problems still shows the documents, and
// does not claim that all services stop.
func TestProblemsHideNothing(t *testing.T) {
	old := planned(t, withKeysets(documents(t)))
	bad, err := plan.Make(withKeysets(documents(t, "spec.encryptionConfig=true")), demo, options())
	if err != nil {
		t.Fatal(err)
	}
	changes := plan.Diff(old, bad)
	if len(changes) != 1 || changes[0].Kind != plan.KindDocument || !strings.Contains(changes[0].Text, "+  encryptionConfig: true") {
		t.Errorf("changes:\n%s", said(changes))
	}
}
