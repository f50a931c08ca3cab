package cluster_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stateroom/stateroom/cluster"
)

func version(t *testing.T, s string) cluster.Version {
	t.Helper()
	v, err := cluster.ParseVersion(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestBuiltinChannelIsKopsStable for the versions that it holds.
func TestBuiltinChannelIsKopsStable(t *testing.T) {
	stable, err := cluster.ParseChannel("stable", read(t, kopsData(t), "channels", "stable"))
	if err != nil {
		t.Fatal(err)
	}
	builtin := cluster.BuiltinChannel()
	for _, cloud := range cluster.Clouds() {
		for _, v := range []string{"1.27.0", "1.31.14", "1.32.0", "1.36.3", "1.40.0"} {
			for _, architecture := range []string{"amd64", "arm64"} {
				if got, want := builtin.Image(cloud, version(t, v), architecture), stable.Image(cloud, version(t, v), architecture); got != want {
					t.Errorf("%s %s %s: built in %q, stable has %q", cloud, v, architecture, got, want)
				}
			}
		}
	}
	if got, want := builtin.KubernetesVersion(), stable.KubernetesVersion(); got != want || got == "" {
		t.Errorf("new clusters get %q, stable says %q", got, want)
	}
}

// TestChannelChooses the first image whose range holds the version.
func TestChannelChooses(t *testing.T) {
	c, err := cluster.ParseChannel("c", []byte(`
apiVersion: kops.k8s.io/v1alpha2
spec:
  unknown: {is: passed over}
  images:
  - {name: old, providerID: aws, kubernetesVersion: "<1.30.0"}
  - {name: pre, providerID: aws, architectureID: amd64, kubernetesVersion: ">=1.36.0-alpha.1 <1.36.0"}
  - {name: some, providerID: aws, architectureID: amd64, kubernetesVersion: "1.34.1 || =1.34.3 || >1.35.0 <=1.35.2"}
  - {name: arm, providerID: aws, architectureID: arm64}
  - {name: other, providerID: gce}
  kopsVersions:
  - {range: ">=1.38.0", kubernetesVersion: 1.38.0}
  - {range: ">=1.36.0 !=1.37.0-alpha.1", kubernetesVersion: 1.1.1}
  - {kubernetesVersion: v1.36.7}
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ cloud, version, architecture, want string }{
		{"aws", "1.29.9", "arm64", "old"}, {"aws", "1.30.0", "amd64", ""}, {"aws", "1.36.0-beta.1", "amd64", "pre"}, {"aws", "1.36.0", "amd64", ""},
		{"aws", "1.34.1", "amd64", "some"}, {"aws", "1.34.2", "amd64", ""}, {"aws", "1.34.3", "amd64", "some"}, {"aws", "1.35.0", "amd64", ""},
		{"aws", "1.35.2", "amd64", "some"}, {"aws", "1.36.0", "arm64", "arm"}, {"gce", "1.0.0", "arm64", "other"}, {"azure", "1.0.0", "amd64", ""},
	} {
		if got := c.Image(tt.cloud, version(t, tt.version), tt.architecture); got != tt.want {
			t.Errorf("%s %s %s: got %q, want %q", tt.cloud, tt.version, tt.architecture, got, tt.want)
		}
	}
	if got := c.KubernetesVersion(); got != "1.36.7" {
		t.Errorf("new clusters get %q", got)
	}
}

func TestChannelRefuses(t *testing.T) {
	for src, want := range map[string]string{
		"":                  "one document",
		"a: 1\n---\nb: 2\n": "one document",
		"images: []":        "no channel",
		"spec: [":           "c:1",
		"spec: {images: 7}": "c:1",
		"spec:\n  images:\n  - {name: x, kubernetesVersion: \">=new\"}": `c:3:15: spec.images[0].kubernetesVersion: ">=new" is no range`,
		"spec:\n  kopsVersions:\n  - {range: \"~>1.2.3\"}":              "is no range",
		"spec:\n  kopsVersions:\n  - {range: \">=1.x\"}":                "is no range",
	} {
		_, err := cluster.ParseChannel("c", []byte(src))
		var invalid *cluster.InvalidError
		if !errors.As(err, &invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", src, err, want)
		}
	}
}

func TestFacts(t *testing.T) {
	full := read(t, "testdata", "facts", "v1.yaml")
	f, err := cluster.ParseFacts("facts.yaml", full)
	if err != nil {
		t.Fatal(err)
	}
	if f.Project != "my-project" || len(f.Networks) != 1 || f.Networks[0].Subnets[0].Zone != "us-east-1a" || f.MachineTypes[0].Memory != 8192 || f.Images[0].Architecture != "arm64" {
		t.Errorf("read as %+v", f)
	}
	if f, err := cluster.ParseFacts("x", []byte("{}")); err != nil || len(f.Zones) > 0 {
		t.Errorf("nothing at all: %+v, %v", f, err)
	}
}

// TestFactsRefuse tells all that is wrong, each at its line.
func TestFactsRefuse(t *testing.T) {
	for src, want := range map[string]string{
		"[]":                "where a mapping is expected",
		"a: 1\n---\nb: 2\n": "one document",
		"format: 2":         "f:1:1: format: it was written by a newer Stateroom (format 2, this one reads 1)",
		"format: one":       "one is no format",
		"netwoks: []":       `f:1:1: netwoks: unknown field "netwoks"`,
		"networks: [{id: a, subnets: [{id: b, zon: c}]}]":    `unknown field "zon"`,
		"networks: [{cidr: 10.0.0.0/8}]":                     "a network has no id",
		"networks: [{id: a, cidr: 10.0.0.0/99}]":             "networks[0].cidr",
		"networks: [{id: a, subnets: [{id: b, cidr: x}]}]":   "networks[0].subnets[0].cidr",
		"networks: [{id: a, subnets: [{cidr: 10.0.0.0/8}]}]": "a subnet has no id",
		"images: [{name: a, architecture: x86}]":             `"x86" is no architecture`,
		"machineTypes: [{cpus: 1}]":                          "a machine type has no name",
		"machineTypes: [{name: a, cpus: many}]":              "f:1:",
		"machineTypes: [{name: a, roles: [cook]}]":           `"cook" is no role`,
		"zones: {a: b}": "f:1:",
	} {
		_, err := cluster.ParseFacts("f", []byte(src))
		var invalid *cluster.InvalidError
		if !errors.As(err, &invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", src, err, want)
		}
	}
	_, err := cluster.ParseFacts("f", []byte("a: 1\nnetworks:\n- b: 2\n  cidr: no\n"))
	var invalid *cluster.InvalidError
	if !errors.As(err, &invalid) || len(invalid.Problems) != 4 {
		t.Errorf("not all at once: %v", err)
	}
}

// TestFactsOfThePage: the example in docs/formats is the frozen file.
func TestFactsOfThePage(t *testing.T) {
	page := string(read(t, "..", "docs", "formats", "cloud-facts.md"))
	_, page, _ = strings.Cut(page, "```yaml\n")
	example, _, _ := strings.Cut(page, "```\n")
	if frozen := string(read(t, filepath.Join("testdata", "facts", "v1.yaml"))); example != frozen {
		t.Errorf("docs/formats/cloud-facts.md shows\n%s", example)
	}
}
