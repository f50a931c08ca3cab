package plan_test

import (
	"crypto/rand"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/doc"
	"github.com/stateroom/stateroom/pki"
	"github.com/stateroom/stateroom/plan"
)

var update = flag.Bool("update", false, "write what came out into the files of testdata")

const demo = cluster.Name("demo.example.com")

var created = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// programs is a catalogue with one multi-call program.
func programs(version, sha256 string) *bundle.Catalogue {
	return &bundle.Catalogue{Versions: []bundle.CatalogueVersion{{Version: version, OS: "linux", Arch: "amd64", Assets: []bundle.Asset{
		{Name: "kubernetes", SHA256: sha256, Programs: []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kubelet"}},
		{Name: "runc", SHA256: strings.Repeat("b", 64), Programs: []string{"runc"}},
	}}}}
}

func options() plan.Options {
	return plan.Options{Catalogue: programs("1.37.2", strings.Repeat("a", 64)), ClusterID: "0123456789abcdef", OS: "linux", Arch: "amd64"}
}

// documents are those of a new cluster on hosts, changed by --set flags.
func documents(t *testing.T, sets ...string) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	docs, err := cluster.NewCluster(cluster.CreateOptions{Name: demo, Created: created})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range docs {
		files[d.Name] = &fstest.MapFile{Data: d.Bytes}
	}
	patch(t, files, "config", cluster.KindCluster, sets...)
	return files
}

// patch changes one document as --set does, or with a leading "-" as --unset.
func patch(t *testing.T, files fstest.MapFS, name, kind string, changes ...string) {
	t.Helper()
	var sets, unsets []string
	for _, c := range changes {
		if path, unset := strings.CutPrefix(c, "-"); unset {
			unsets = append(unsets, path)
		} else {
			sets = append(sets, c)
		}
	}
	p, err := cluster.ParsePatch(sets, unsets)
	if err != nil {
		t.Fatal(err)
	}
	docs, err := doc.Parse(files[name].Data)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Apply(kind, docs[0]); err != nil {
		t.Fatal(err)
	}
	files[name] = &fstest.MapFile{Data: docs[0].Bytes()}
}

var keysetNames = []string{
	"apiserver-aggregator-ca", "etcd-clients-ca", "etcd-manager-ca-events", "etcd-manager-ca-main",
	"etcd-peers-ca-events", "etcd-peers-ca-main", "kubernetes-ca", "service-account",
}

// keysets are made once, since the bundles under test do not depend on which
// keys they hold.
var keysets = sync.OnceValue(func() fstest.MapFS {
	files := fstest.MapFS{}
	for _, name := range keysetNames {
		k, err := pki.NewCA(name, created, rand.Reader, pki.ECDSAP256)
		if err != nil {
			panic(err)
		}
		files["pki/private/"+name+"/keyset.yaml"] = &fstest.MapFile{Data: k.Encode()}
	}
	return files
})

// withKeysets adds them to documents.
func withKeysets(files fstest.MapFS) fstest.MapFS {
	files = maps.Clone(files)
	maps.Copy(files, keysets())
	return files
}

// planned is the plan of files that must have one.
func planned(t *testing.T, files fs.FS) *plan.Plan {
	t.Helper()
	p, err := plan.Make(files, demo, options())
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range p.Problems {
		t.Error(problem)
	}
	return p
}

// service is a service of the control plane.
func service(t *testing.T, p *plan.Plan, name string) bundle.Service {
	t.Helper()
	for _, s := range p.Bundles["control-plane-main"].Services {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no service %s", name)
	return bundle.Service{}
}

// values are those of one flag of a service.
func values(s bundle.Service, flag string) (all []string) {
	for _, a := range s.Args {
		if v, ok := strings.CutPrefix(a, "--"+flag+"="); ok {
			all = append(all, v)
		}
	}
	return all
}

// golden compares text with a section of a txtar file, or puts it there.
func golden(t *testing.T, file, section, got string) {
	t.Helper()
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range a.Files {
		if f.Name != section {
			continue
		}
		if *update {
			a.Files[i].Data = []byte(got)
			break
		}
		if d := cmp.Diff(string(f.Data), got); d != "" {
			t.Errorf("%s: %s (-want +got; run with -update to take it):\n%s", file, section, d)
		}
		return
	}
	if !*update {
		t.Fatalf("%s has no section %s", file, section)
	}
	if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
		t.Fatal(err)
	}
}

var pem = regexp.MustCompile(`(?s)-----BEGIN ([A-Z ]+)-----.*?-----END [A-Z ]+-----\n`)

// tree writes a bundle for people, without what is secret or made at random.
func tree(b *bundle.Bundle) string {
	var out strings.Builder
	for _, f := range b.Files {
		fmt.Fprintf(&out, "file %s %s", f.Path, f.Mode)
		if f.Expand {
			out.WriteString(" expand")
		}
		out.WriteString("\n")
		content := pem.ReplaceAllString(f.Content, "[$1]\n")
		if f.Secret {
			content = "[secret]\n"
		}
		for line := range strings.Lines(content) {
			out.WriteString("\t" + line)
		}
	}
	for _, c := range b.Certificates {
		fmt.Fprintf(&out, "certificate %s of %s, %d days, %s\n\tCN=%s\n", c.Path, c.Issuer, c.Days, strings.Join(c.Usages, " and "), c.CommonName)
		for _, list := range [][]string{c.DNSNames, c.IPs} {
			if len(list) > 0 {
				fmt.Fprintf(&out, "\t%s\n", strings.Join(list, " "))
			}
		}
	}
	for _, s := range b.Services {
		fmt.Fprintf(&out, "service %s: %s\n", s.Name, s.Program)
		for _, a := range s.Args {
			fmt.Fprintf(&out, "\t%s\n", a)
		}
		fmt.Fprintf(&out, "\tneeds %s\n\tafter %s\n\tready in %d s: %s ca %s certificate %s\n\tstops in %d s, %s\n",
			strings.Join(s.Needs, " "), strings.Join(s.After, " "), s.Ready.TimeoutSeconds, s.Ready.URL, s.Ready.CA, s.Ready.Certificate, s.StopSeconds, s.Disruption)
	}
	for _, a := range b.Assets {
		fmt.Fprintf(&out, "asset %s\n", a.Name)
	}
	return out.String()
}
