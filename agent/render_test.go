package agent

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/stateroom/stateroom/bundle"
)

var testSite = Site{Node: "a", Address: "192.0.2.1", Set: "/srv/a/current", State: "/srv/a/state"}

func TestWhatRestartsAServiceAndWhatDoesNot(t *testing.T) {
	base := func() *bundle.Bundle {
		b := testBundle("1.37.2", service("api", "", "--address=${ADDRESS}", "--ca=${SET}/pki/ca.crt"))
		b.Services[0].Needs = []string{"pki/ca.crt", "pki/api"}
		b.Services[0].Ready = &bundle.Probe{URL: "https://${ADDRESS}/readyz", TimeoutSeconds: 5}
		return b
	}
	contents := map[string]string{"pki/ca.crt": "1", "pki/api.crt": "2", "pki/api.key": "3", "etc/other": "4"}
	digest := func(b *bundle.Bundle, contents map[string]string) string {
		t.Helper()
		r, err := runs(b, testSite, contents)
		if err != nil {
			t.Fatal(err)
		}
		return r[0].Digest
	}
	with := func(path string) map[string]string {
		c := map[string]string{}
		for p, d := range contents {
			c[p] = d
		}
		c[path] = "changed"
		return c
	}
	same := digest(base(), contents)
	for _, c := range []struct {
		name     string
		change   func(b *bundle.Bundle)
		contents map[string]string
		restarts bool
	}{
		{"an argument", func(b *bundle.Bundle) { b.Services[0].Args[0] = "--address=::" }, contents, true},
		{"the order of arguments", func(b *bundle.Bundle) {
			a := b.Services[0].Args
			a[0], a[1] = a[1], a[0]
		}, contents, true},
		{"the program", func(b *bundle.Bundle) { b.Assets[0].SHA256 = strings.Repeat("1", 64) }, contents, true},
		{"a file that it needs", nil, with("pki/ca.crt"), true},
		{"a certificate that it needs", nil, with("pki/api.crt"), true},
		{"a file that it does not need", nil, with("etc/other"), false},
		{"where the program comes from", func(b *bundle.Bundle) { b.Assets[0].URL = "https://mirror.example.com/api" }, contents, false},
		{"how it is probed and stopped", func(b *bundle.Bundle) {
			b.Services[0].Ready.TimeoutSeconds, b.Services[0].StopSeconds = 60, 60
		}, contents, false},
		{"the version of the bundle", func(b *bundle.Bundle) { b.Version = "1.37.3" }, contents, false},
	} {
		b := base()
		if c.change != nil {
			c.change(b)
		}
		if got := digest(b, c.contents) != same; got != c.restarts {
			t.Errorf("%s: restarts is %v", c.name, got)
		}
	}
}

func TestPlaceholdersAreFilled(t *testing.T) {
	b := testBundle("1.37.2", service("api", "", "--name=${NODE}", "--bind=${ADDRESS}:6443", "--ca=${SET}/ca.crt", "--data=${STATE}/etcd"))
	b.Services[0].Ready = &bundle.Probe{URL: "https://${ADDRESS}:6443/readyz", CA: "ca.crt", Certificate: "api", TimeoutSeconds: 5}
	b.Files = []bundle.File{{Path: "a", Mode: 0o644, Expand: true, Content: "${NODE}"}, {Path: "b", Mode: 0o644, Content: "${NODE}"}}
	b.Certificates = []bundle.CertificateRequest{{Path: "api", CommonName: "system:node:${NODE}", DNSNames: []string{"${NODE}"}, IPs: []string{"${ADDRESS}"}}}
	r, err := render(b, testSite)
	if err != nil {
		t.Fatal(err)
	}
	if r.files["a"].Content != "a" || r.files["b"].Content != "${NODE}" {
		t.Errorf("files: %q, %q", r.files["a"].Content, r.files["b"].Content)
	}
	if c := r.requests[0]; c.CommonName != "system:node:a" || c.DNSNames[0] != "a" || c.IPs[0] != "192.0.2.1" {
		t.Errorf("request: %+v", c)
	}
	all, err := runs(b, testSite, nil)
	if err != nil {
		t.Fatal(err)
	}
	run := all[0]
	if got := strings.Join(run.Args, " "); got != "--name=a --bind=192.0.2.1:6443 --ca=/srv/a/current/ca.crt --data=/srv/a/state/etcd" || run.Program != "/srv/a/current/bin/api" {
		t.Errorf("%s %s", run.Program, got)
	}
	if p := run.Ready; p.URL != "https://192.0.2.1:6443/readyz" || p.CA != "/srv/a/current/ca.crt" || p.Certificate != "/srv/a/current/api" {
		t.Errorf("probe: %+v", p)
	}
}

func TestBundlesThatCannotStandHere(t *testing.T) {
	for name, change := range map[string]func(b *bundle.Bundle){
		"a file in place of the links":  func(b *bundle.Bundle) { b.Files = []bundle.File{{Path: "bin/api", Mode: 0o644}} },
		"a file in place of the record": func(b *bundle.Bundle) { b.Files = []bundle.File{{Path: ".set.json", Mode: 0o644}} },
		"a certificate among the links": func(b *bundle.Bundle) { b.Certificates = []bundle.CertificateRequest{{Path: "bin/api"}} },
		"a sealed file": func(b *bundle.Bundle) {
			b.Files = []bundle.File{{Path: "a", Mode: 0o600, Secret: true, Sealed: []byte("x")}}
		},
		"an unknown program":     func(b *bundle.Bundle) { b.Services[0].Program = "none" },
		"an unknown placeholder": func(b *bundle.Bundle) { b.Files = []bundle.File{{Path: "a", Expand: true, Content: "${HOME}"}} },
	} {
		b := testBundle("1.37.2", service("api", ""))
		change(b)
		if _, err := render(b, testSite); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
