package plan_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/stateroom/stateroom/plan"
)

// laterDocuments are documents in kops' later API version.
func laterDocuments(t *testing.T, files fstest.MapFS) fstest.MapFS {
	t.Helper()
	rename := func(name string, pairs ...string) {
		text := string(files[name].Data)
		for i := 0; i < len(pairs); i += 2 {
			if !strings.Contains(text, pairs[i]) {
				t.Fatalf("%s does not hold %q", name, pairs[i])
			}
			text = strings.Replace(text, pairs[i], pairs[i+1], 1)
		}
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	rename("config", "v1alpha2", "v1alpha3",
		"      type: Public\n  authorization", "      type: Public\n    access:\n    - 0.0.0.0/0\n    - ::/0\n    publicName: api.example.com\n  authentication:\n    oidc:\n      clientID: me\n      issuerURL: https://id.example.com\n  authorization",
		"  kubernetesApiAccess:\n  - 0.0.0.0/0\n  - ::/0\n", "", "    legacy: false\n", "",
		"  kubeAPIServer:\n    oidcClientID: me\n    oidcIssuerURL: https://id.example.com\n", "", "  masterPublicName: api.example.com\n", "",
		"  nonMasqueradeCIDR: 100.64.0.0/10\n", "    nonMasqueradeCIDR: 100.64.0.0/10\n    subnets:\n    - name: main\n      type: Public\n      zone: main\n    topology:\n      dns: None\n",
		"  subnets:\n  - name: main\n    type: Public\n    zone: main\n  topology:\n    dns:\n      type: None\n", "")
	rename("instancegroup/control-plane-main", "v1alpha2", "v1alpha3", "role: Master", "role: ControlPlane")
	rename("instancegroup/nodes-main", "v1alpha2", "v1alpha3")
	return files
}

// TestLaterDocumentsPlanTheSame: what runs does not depend on the version in
// which the documents say it, and what has no effect is told at its place.
func TestLaterDocumentsPlanTheSame(t *testing.T) {
	sets := []string{"spec.masterPublicName=api.example.com", "spec.kubeAPIServer.oidcClientID=me", "spec.kubeAPIServer.oidcIssuerURL=https://id.example.com"}
	want, err := plan.Make(withKeysets(documents(t, sets...)), demo, options())
	if err != nil {
		t.Fatal(err)
	}
	files := withKeysets(laterDocuments(t, documents(t, sets...)))
	got, err := plan.Make(files, demo, options())
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Problems) > 0 || len(want.Bundles) == 0 {
		t.Fatalf("%v", got.Problems)
	}
	if diff := cmp.Diff(want.Bundles, got.Bundles); diff != "" {
		t.Errorf("bundles differ (-v1alpha2 +v1alpha3):\n%s", diff)
	}
	lines := strings.Split(string(files["config"].Data), "\n")
	for _, i := range got.Ignored {
		last := i.Path[strings.LastIndex(i.Path, ".")+1:]
		if i.File == "config" && (i.Line == 0 || !strings.Contains(strings.ToLower(lines[i.Line-1]), strings.ToLower(strings.Split(last, "[")[0]))) && i.Path != "spec.kubernetesApiAccess" {
			t.Errorf("%s is told at line %d: %q", i.Path, i.Line, lines[max(0, i.Line-1)])
		}
	}
}
