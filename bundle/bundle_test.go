package bundle_test

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stateroom/stateroom/bundle"
)

// demo is a small control plane with one of everything.
func demo() *bundle.Bundle {
	return &bundle.Bundle{
		Cluster: "demo.example.com", ClusterID: "6f0c1c7e-2b0a-4a54-9d4e-0d5a2c1b7f10", Group: "control-plane-main", Version: "1.37.2",
		Files: []bundle.File{
			{Path: "pki/kubernetes-ca.crt", Mode: 0o644, Content: "certificate\n"},
			{Path: "pki/kubernetes-ca.key", Mode: 0o600, Secret: true, Content: "the CA's key\n"},
			{Path: "kubeconfig/scheduler", Mode: 0o600, Expand: true, Content: "server: https://${ADDRESS}:6443 # <&>\n"},
		},
		Certificates: []bundle.CertificateRequest{
			{
				Path: "pki/kube-apiserver", Issuer: "pki/kubernetes-ca", CommonName: "kube-apiserver", DNSNames: []string{"kubernetes.default.svc", "${NODE}"},
				IPs: []string{"100.64.0.1", "${ADDRESS}"}, Usages: []string{bundle.UsageServer}, Days: 365,
			},
			{Path: "pki/admin", Issuer: "pki/kubernetes-ca", CommonName: "system:node:${NODE}", Organization: []string{"system:masters"}, Usages: []string{bundle.UsageClient}, Days: 365},
		},
		Services: []bundle.Service{
			{Name: "etcd-main", Program: "etcd", Args: []string{"--data-dir=${STATE}/etcd-main"}, Disruption: bundle.DisruptionRestart, StopSeconds: 30},
			{
				Name: "kube-apiserver", Program: "kube-apiserver", Args: []string{"--tls-cert-file=${SET}/pki/kube-apiserver.crt"},
				Needs: []string{"pki/kube-apiserver", "pki/kubernetes-ca.crt"}, After: []string{"etcd-main"}, Disruption: bundle.DisruptionRestart, StopSeconds: 60,
				Ready: &bundle.Probe{URL: "https://${ADDRESS}:6443/readyz", CA: "pki/kubernetes-ca.crt", Certificate: "pki/admin", TimeoutSeconds: 120},
			},
		},
		Assets: []bundle.Asset{
			{Name: "kubernetes", Programs: []string{"kube-apiserver", "etcd"}, URL: "source:kubernetes@v1.37.2", SHA256: strings.Repeat("ab", 32), Size: 197132288},
			{Name: "containerd", Programs: []string{"containerd"}, URL: "https://releases.example.com/containerd.tar.gz", SHA256: strings.Repeat("01", 32), Member: "bin/containerd"},
		},
	}
}

func TestWhatIsEncodedDecodes(t *testing.T) {
	b := demo()
	if err := b.Validate(); err != nil {
		t.Fatal(err)
	}
	data, digest := b.Encode()
	if b.Files[0].Path != "pki/kubernetes-ca.crt" {
		t.Error("Encode changed the order in the caller's bundle")
	}
	got, err := bundle.Decode(data, digest)
	if err != nil {
		t.Fatal(err)
	}
	again, digestAgain := got.Encode()
	if digestAgain != digest {
		t.Errorf("decoded and encoded again, the bytes differ:\n%s", cmp.Diff(string(data), string(again)))
	}
	if got.Files[0].Path != "kubeconfig/scheduler" || got.Assets[0].Name != "containerd" {
		t.Error("files and assets are not sorted")
	}
	if want := `"content": "server: https://${ADDRESS}:6443 # <&>\n"`; !strings.Contains(string(data), want) {
		t.Errorf("no %s in\n%s", want, data)
	}
	if diff := cmp.Diff(b.Services, got.Services); diff != "" {
		t.Error(diff)
	}
}

func TestNothingToRunIsABundleToo(t *testing.T) {
	b := &bundle.Bundle{Cluster: "demo.example.com", ClusterID: "x", Group: "nodes-main", Version: "1.37.2"}
	data, digest := b.Encode()
	if _, err := bundle.Decode(data, digest); err != nil {
		t.Errorf("%v in %s", err, data)
	}
}

func TestOrderOfFilesDoesNotMatter(t *testing.T) {
	one, other := demo(), demo()
	other.Files[0], other.Files[2] = other.Files[2], other.Files[0]
	_, d1 := one.Encode()
	_, d2 := other.Encode()
	if d1 != d2 {
		t.Error("the same files in another order have another digest")
	}
}

func TestOtherBytesThanAskedForAreRefused(t *testing.T) {
	data, digest := demo().Encode()
	for name, c := range map[string]struct {
		data []byte
		want bundle.Digest
	}{
		"one byte changed": {append([]byte("X"), data[1:]...), digest},
		"cut short":        {data[:len(data)-1], digest},
		"no digest":        {data, ""},
		"digest in other letters": {
			data, bundle.Digest(strings.ToUpper(string(digest))),
		},
	} {
		if _, err := bundle.Decode(c.data, c.want); !errors.Is(err, bundle.ErrDigest) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every rule of the format is broken once, alone, and must be named.
func TestEveryBreachIsNamed(t *testing.T) {
	for want, spoil := range map[string]func(b *bundle.Bundle){
		`cluster: "Demo"`:                        func(b *bundle.Bundle) { b.Cluster = "Demo" },
		`clusterId: ""`:                          func(b *bundle.Bundle) { b.ClusterID = "" },
		`group: "../x"`:                          func(b *bundle.Bundle) { b.Group = "../x" },
		`version: "v1.37"`:                       func(b *bundle.Bundle) { b.Version = "v1.37" },
		`path "../etc/passwd"`:                   func(b *bundle.Bundle) { b.Files[2].Path = "../etc/passwd" },
		`path "/etc/passwd"`:                     func(b *bundle.Bundle) { b.Files[2].Path = "/etc/passwd" },
		`path "a\\b"`:                            func(b *bundle.Bundle) { b.Files[2].Path = `a\b` },
		`path "."`:                               func(b *bundle.Bundle) { b.Files[2].Path = "." },
		`path "pki/kubernetes-ca.crt" is there`:  func(b *bundle.Bundle) { b.Files[2].Path = "pki/kubernetes-ca.crt" },
		`path "pki/admin.key" is there twice`:    func(b *bundle.Bundle) { b.Files[2].Path = "pki/admin.key" },
		`path "pki" is a file and a folder`:      func(b *bundle.Bundle) { b.Files[2].Path = "pki" },
		`mode 0755`:                              func(b *bundle.Bundle) { b.Files[0].Mode = 0o755 },
		`a secret needs mode 0600`:               func(b *bundle.Bundle) { b.Files[1].Mode = 0o644 },
		`a sealed file is secret`:                func(b *bundle.Bundle) { b.Files[1].Sealed = []byte("age") },
		`content is not UTF-8`:                   func(b *bundle.Bundle) { b.Files[0].Content = "\xff" },
		`content has an unknown placeholder`:     func(b *bundle.Bundle) { b.Files[2].Content = "${HOME}" },
		`"pki/admin" is there twice`:             func(b *bundle.Bundle) { b.Certificates[0].Path = "pki/admin" },
		`issuer "pki/other" has no .crt`:         func(b *bundle.Bundle) { b.Certificates[0].Issuer = "pki/other" },
		`issuer "pki/admin" has no .crt`:         func(b *bundle.Bundle) { b.Certificates[0].Issuer = "pki/admin" },
		`commonName "a\nb"`:                      func(b *bundle.Bundle) { b.Certificates[0].CommonName = "a\nb" },
		`commonName "${ADDRESS}"`:                func(b *bundle.Bundle) { b.Certificates[0].CommonName = "${ADDRESS}" },
		`organization ""`:                        func(b *bundle.Bundle) { b.Certificates[0].Organization = []string{""} },
		`dnsNames: "a b"`:                        func(b *bundle.Bundle) { b.Certificates[0].DNSNames = []string{"a b"} },
		`ips: "${NODE}"`:                         func(b *bundle.Bundle) { b.Certificates[0].IPs = []string{"${NODE}"} },
		`no usages`:                              func(b *bundle.Bundle) { b.Certificates[0].Usages = nil },
		`usage "sign"`:                           func(b *bundle.Bundle) { b.Certificates[0].Usages = []string{"sign"} },
		`days: 0`:                                func(b *bundle.Bundle) { b.Certificates[0].Days = 0 },
		`"kubernetes" is there twice`:            func(b *bundle.Bundle) { b.Assets[1].Name = "kubernetes" },
		`program "etcd" is there twice`:          func(b *bundle.Bundle) { b.Assets[1].Programs = []string{"etcd"} },
		`no programs`:                            func(b *bundle.Bundle) { b.Assets[1].Programs = nil },
		`sha256 is not`:                          func(b *bundle.Bundle) { b.Assets[1].SHA256 = strings.Repeat("AB", 32) },
		`member "../x"`:                          func(b *bundle.Bundle) { b.Assets[1].Member = "../x" },
		`size -1`:                                func(b *bundle.Bundle) { b.Assets[1].Size = -1 },
		`url is not https`:                       func(b *bundle.Bundle) { b.Assets[1].URL = "https://ada:word@example.com/x" },
		`services: "etcd-main" is there twice`:   func(b *bundle.Bundle) { b.Services[1].Name = "etcd-main" },
		`no asset has program "sh"`:              func(b *bundle.Bundle) { b.Services[1].Program = "sh" },
		`args[0] has an unknown placeholder`:     func(b *bundle.Bundle) { b.Services[1].Args[0] = "--a=${HOME" },
		`args[0] has control characters`:         func(b *bundle.Bundle) { b.Services[1].Args[0] = "--a=b\x00" },
		`needs "pki/missing"`:                    func(b *bundle.Bundle) { b.Services[1].Needs = []string{"pki/missing"} },
		`after "missing"`:                        func(b *bundle.Bundle) { b.Services[1].After = []string{"missing"} },
		`"kube-apiserver" can never start`:       func(b *bundle.Bundle) { b.Services[0].After = []string{"kube-apiserver"} },
		`disruption "reboot"`:                    func(b *bundle.Bundle) { b.Services[1].Disruption = "reboot" },
		`stopSeconds: 4000`:                      func(b *bundle.Bundle) { b.Services[1].StopSeconds = 4000 },
		`ready: url "ftp://x"`:                   func(b *bundle.Bundle) { b.Services[1].Ready.URL = "ftp://x" },
		`ready: url "https://${STATE}"`:          func(b *bundle.Bundle) { b.Services[1].Ready.URL = "https://${STATE}" },
		`ready: ca "pki/missing.crt"`:            func(b *bundle.Bundle) { b.Services[1].Ready.CA = "pki/missing.crt" },
		`ready: certificate "pki/kubernetes-ca"`: func(b *bundle.Bundle) { b.Services[1].Ready.Certificate = "pki/kubernetes-ca" },
		`timeoutSeconds: 0`:                      func(b *bundle.Bundle) { b.Services[1].Ready.TimeoutSeconds = 0 },
	} {
		b := demo()
		spoil(b)
		err := b.Validate()
		if !errors.Is(err, fs.ErrInvalid) || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("want %s, got: %v", want, err)
		}
		data, digest := b.Encode()
		if _, err := bundle.Decode(data, digest); err == nil {
			t.Errorf("%s: Decode lets it pass", want)
		}
	}
}

func TestAllBreachesAtOnce(t *testing.T) {
	b := demo()
	b.Group, b.Files[0].Mode, b.Services[0].StopSeconds = "", 0o777, -1
	var invalid *bundle.InvalidError
	if err := b.Validate(); !errors.As(err, &invalid) || len(invalid.Problems) != 3 {
		t.Errorf("want three problems: %v", err)
	}
}

func TestSecretsReachNoOutput(t *testing.T) {
	b := demo()
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("staged", "bundle", b, "file", b.Files[1])
	out := log.String() + fmt.Sprint(b.Files) + fmt.Sprintf("%v %+v %#v %s %q %x %d", b, b, b, b.Files, b.Files, b.Files, b.Files)
	if strings.Contains(out, "the CA's key") || strings.Contains(out, fmt.Sprintf("%x", "the CA's key")) {
		t.Errorf("a secret shows in %s", out)
	}
	if !strings.Contains(out, "pki/kubernetes-ca.key (0600, 13 bytes)") {
		t.Errorf("no file is named in %s", out)
	}
}

func TestPlaceholders(t *testing.T) {
	p := bundle.Placeholders{Node: "a", Address: "127.4.5.6", Set: "/run/${NODE}", State: "/state"}
	got, err := p.Expand("${NODE} ${ADDRESS} ${SET} ${STATE} $NODE {NODE} $")
	if want := "a 127.4.5.6 /run/${NODE} /state $NODE {NODE} $"; got != want || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	for _, s := range []string{"${node}", "${NODE", "${}", "${HOME}", "$${NODE"} {
		if got, err := p.Expand(s); err == nil {
			t.Errorf("%q became %q", s, got)
		}
	}
}

func TestDigests(t *testing.T) {
	d := bundle.DigestOf([]byte("abc"))
	if d != "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" || d.Short() != "ba7816bf8f01" {
		t.Error(d)
	}
	if got := bundle.ObjectName("nodes-main", d); got != "bundles/nodes-main/"+d.Hex() {
		t.Error(got)
	}
	for _, s := range []string{"", "sha256:", d.Hex(), "sha256:" + d.Hex() + "0", "SHA256:" + d.Hex(), "sha256:sha256:" + d.Hex()[7:]} {
		if _, err := bundle.ParseDigest(s); err == nil {
			t.Errorf("%q passes", s)
		}
	}
}
