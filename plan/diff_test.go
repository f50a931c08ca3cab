package plan_test

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
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

// TestFirstAndLast: everything starts, and with the group gone everything stops.
func TestFirstAndLast(t *testing.T) {
	p := planned(t, withKeysets(documents(t)))
	services := []string{"etcd-main", "etcd-events", "kube-apiserver", "kube-controller-manager", "kube-scheduler"}
	for _, test := range []struct {
		old, new *plan.Plan
		effect   plan.Effect
		verb     string
	}{{nil, p, plan.Start, "starts"}, {p, &plan.Plan{}, plan.Stop, "stops"}} {
		var got []string
		for _, c := range plan.Diff(test.old, test.new) {
			if c.Kind == plan.KindService && c.Effect == test.effect && c.Why == c.Name+" "+test.verb {
				got = append(got, c.Name)
			}
		}
		if !slices.Equal(got, services) {
			t.Errorf("%v %s, want %v", got, test.verb, services)
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
	newest, _ := after.Newest()
	if after, err = after.Promote(newest.ID); err != nil {
		t.Fatal(err)
	}
	files[name] = &fstest.MapFile{Data: after.Encode()}
	changes := plan.Diff(old, planned(t, files))
	want := []string{
		"file pki/etcd-peers-ca-main.crt is changed",
		"file pki/etcd-peers-ca-main.key is changed",
		"etcd-main restarts: pki/etcd-peers-ca-main.crt changes",
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

// TestKeyInTheOpen: a private key in a file that nobody marked as secret, and
// one that stops being marked, do not show either.
func TestKeyInTheOpen(t *testing.T) {
	key := "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----\n"
	file := func(secret bool, content string) *plan.Plan {
		return &plan.Plan{Bundles: map[string]*bundle.Bundle{"g": {Files: []bundle.File{{Path: "f", Mode: 0o600, Secret: secret, Content: content}}}}}
	}
	for _, changes := range [][]plan.Change{
		plan.Diff(file(false, "a\n"), file(false, key)),
		plan.Diff(file(true, "MHcCAQEE"), file(false, "b\n")),
		plan.Diff(file(false, "b\n"), file(true, "MHcCAQEE")),
	} {
		if text := said(changes); len(changes) != 1 || strings.Contains(text, "MHcCAQEE") {
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
