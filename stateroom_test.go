package stateroom

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
)

const demo cluster.Name = "demo.example.com"

// opened returns an empty store in memory.
func opened(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), vfs.New(mem.New(mem.Options{}), "mem://test"), Options{Author: "Ada <ada@example.com>"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func create(t *testing.T, s *Store, sets ...string) *Outcome {
	t.Helper()
	opt := cluster.CreateOptions{Name: demo, Sets: sets, Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	out, err := s.Create(t.Context(), Create{CreateOptions: opt}, Write{})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func set(t testing.TB, texts ...string) *cluster.Patch {
	t.Helper()
	p, err := cluster.ParsePatch(texts, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestDryRunWritesNothing(t *testing.T) {
	s := opened(t)
	opt := Create{CreateOptions: cluster.CreateOptions{Name: demo}}
	out, err := s.Create(t.Context(), opt, Write{DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Changes) != 4 || out.Commit != 0 || !out.DryRun {
		t.Errorf("dry run of a create: %+v", out)
	}
	for e, err := range s.objects.List(t.Context(), "", "") {
		t.Errorf("a dry run wrote %s (%v)", e.Key, err)
	}
	create(t, s)
	out, err = s.Edit(t.Context(), demo, Edit{Patch: set(t, "spec.channel=alpha")}, Write{DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Changes) != 1 || out.Commit != 0 || out.Head != 1 {
		t.Errorf("dry run of an edit: %+v", out)
	}
	if out, err := s.Edit(t.Context(), demo, Edit{Patch: set(t, "spec.channel=alpha")}, Write{}); err != nil || out.Commit != 2 {
		t.Errorf("the edit after its dry run: %+v, %v", out, err)
	}
}

func TestRerunChangesOnlyWhatIsGiven(t *testing.T) {
	s := opened(t)
	create(t, s)
	if _, err := s.Edit(t.Context(), demo, Edit{Patch: set(t, "spec.channel=alpha")}, Write{}); err != nil {
		t.Fatal(err)
	}
	again := Create{CreateOptions: cluster.CreateOptions{Name: demo, KubernetesVersion: "1.37.1"}, Given: []string{"kubernetes-version"}}
	out, err := s.Create(t.Context(), again, Write{})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Changes) != 1 || strings.Count(out.Changes[0].Diff, "\n+") != 1 {
		t.Errorf("a re-run with one flag changed %+v", out.Changes)
	}
	if out, err := s.Create(t.Context(), again, Write{}); err != nil || out.Commit != 0 {
		t.Errorf("the same re-run again: %+v, %v", out, err)
	}
}

func TestInvalidEditIsRefusedAndOldProblemsDoNotStopAnEdit(t *testing.T) {
	s := opened(t)
	create(t, s)
	bad := []byte("apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\nmetadata:\n  name: demo.example.com\nspec:\n  kubernetesVersion: 1.37.2\n  chanel: stable\n")
	if _, err := s.objects.Put(t.Context(), "demo.example.com/config", bad, vfs.Cond{}, ""); err != nil {
		t.Fatal(err)
	}
	s = &Store{objects: s.objects, opt: s.opt}
	var err error
	if s.store, err = store.Open(t.Context(), s.objects, store.Options{Settle: &store.Settle{}, Keyed: Secret}); err != nil {
		t.Fatal(err)
	}
	out, err := s.Edit(t.Context(), demo, Edit{Patch: set(t, "spec.channel=alpha")}, Write{})
	if err != nil {
		t.Fatalf("an edit of a document that was wrong before: %v", err)
	}
	if !strings.Contains(strings.Join(out.Warnings, "\n"), "chanel") {
		t.Errorf("the old problem is not told: %q", out.Warnings)
	}
	c, err := s.Cluster(t.Context(), demo)
	if err != nil {
		t.Fatal(err)
	}
	given := c.Document.Bytes()
	worse := append(slices.Clone(given), "  sshAcess: []\n"...)
	_, err = s.Edit(t.Context(), demo, Edit{Given: given, Edited: worse}, Write{})
	invalid := new(cluster.InvalidError)
	if !errors.As(err, &invalid) || len(invalid.Problems) != 1 || !strings.Contains(err.Error(), "sshAcess") {
		t.Errorf("a new problem: %v", err)
	}
}

func TestEditorsTextIsMergedWithSomebodyElses(t *testing.T) {
	s := opened(t)
	create(t, s)
	given, err := s.Document(t.Context(), demo, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Edit(t.Context(), demo, Edit{Patch: set(t, "spec.channel=alpha")}, Write{Message: "faster"}); err != nil {
		t.Fatal(err)
	}
	edited := append([]byte("# mine\n"), given.Bytes...)
	out, err := s.Edit(t.Context(), demo, Edit{Given: given.Bytes, Since: given.Commit, Edited: edited}, Write{})
	if err != nil || len(out.Rebased) != 1 || out.Rebased[0].Message != "faster" {
		t.Fatalf("on top of another change: %+v, %v", out, err)
	}
	now, err := s.Document(t.Context(), demo, "")
	if err != nil || !strings.HasPrefix(string(now.Bytes), "# mine\n") || !strings.Contains(string(now.Bytes), "channel: alpha") {
		t.Errorf("%v: %s", err, now.Bytes)
	}
}

func TestEditorsTextIsNotLaidOverSomebodyElses(t *testing.T) {
	s := opened(t)
	create(t, s)
	given, err := s.Document(t.Context(), demo, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Edit(t.Context(), demo, Edit{Patch: set(t, "spec.channel=alpha", "spec.kubeAPIServer.logLevel=3")}, Write{}); err != nil {
		t.Fatal(err)
	}
	edited := strings.Replace(string(given.Bytes), "channel: ", "chanel: 1\n  channel: x", 1)
	e := Edit{Given: given.Bytes, Since: given.Commit, Edited: []byte(edited)}
	_, err = s.Edit(t.Context(), demo, e, Write{})
	back, changed, invalid := new(EditError), new(ChangedError), new(cluster.InvalidError)
	if !errors.As(err, &back) || !errors.As(err, &changed) || !errors.As(err, &invalid) {
		t.Fatalf("changed by both, and wrong: %v", err)
	}
	if !slices.Equal(changed.Paths, []string{"spec.channel"}) || len(invalid.Problems) != 1 || len(back.Others) != 1 {
		t.Errorf("%v, others %v", err, back.Others)
	}
	lines := strings.Split(string(back.Text), "\n")
	if got := lines[back.Conflicts[0].Line-1]; !strings.HasPrefix(got, "  channel: x") {
		t.Errorf("the conflict is said to be at %q", got)
	}
	if got := lines[back.Problems[0].Line-1]; got != "  chanel: 1" {
		t.Errorf("the problem is said to be at %q", got)
	}
	if !strings.Contains(string(back.Text), "logLevel: 3") {
		t.Errorf("the other change is not in the text: %s", back.Text)
	}
	// Put right, but the conflict not settled; then settled.
	e = Edit{Given: back.Head, Since: back.Commit, Edited: []byte(strings.Replace(string(back.Text), "  chanel: 1\n", "", 1)), Unsettled: back.Conflicts}
	_, err = s.Edit(t.Context(), demo, e, Write{})
	if !errors.As(err, &back) || len(back.Problems) != 0 || len(back.Conflicts) != 1 || strings.Split(string(back.Text), "\n")[back.Conflicts[0].Line-1] != lines[back.Conflicts[0].Line] {
		t.Fatalf("not settled: %+v", err)
	}
	e.Unsettled = nil
	if out, err := s.Edit(t.Context(), demo, e, Write{}); err != nil || out.Commit != 3 {
		t.Errorf("settled: %+v, %v", out, err)
	}
}

func TestUnreadableTextIsNotLaidOverSomebodyElses(t *testing.T) {
	s := opened(t)
	create(t, s)
	given, err := s.Document(t.Context(), demo, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, edited := range []string{"a: [\n", "a: 1\n---\nb: 1\n", "a: 1\na: 2\n", ""} {
		e := Edit{Given: given.Bytes, Since: given.Commit, Edited: []byte(edited)}
		_, err = s.Edit(t.Context(), demo, e, Write{})
		back, invalid := new(EditError), new(cluster.InvalidError)
		if !errors.As(err, &back) || !errors.As(err, &invalid) || len(back.Conflicts) > 0 || string(back.Text) != edited || !slices.Equal(back.Head, given.Bytes) {
			t.Errorf("%q: %v", edited, err)
		}
	}
}

// TestBrokenTextIsNotLaidOverSomebodyElses has a document that nobody can read,
// and two who change it.
func TestBrokenTextIsNotLaidOverSomebodyElses(t *testing.T) {
	s := opened(t)
	create(t, s)
	put := func(text string) {
		if _, err := s.objects.Put(t.Context(), "demo.example.com/config", []byte(text), vfs.Cond{}, ""); err != nil {
			t.Fatal(err)
		}
	}
	s = &Store{objects: s.objects, opt: s.opt}
	var err error
	if s.store, err = store.Open(t.Context(), s.objects, store.Options{Settle: &store.Settle{}, Keyed: Secret}); err != nil {
		t.Fatal(err)
	}
	put("a: [\n")
	if _, err := s.Edit(t.Context(), demo, Edit{Group: "nodes-main", Patch: set(t, "spec.maxSize=3")}, Write{}); err != nil {
		t.Fatal(err)
	}
	given, err := s.Document(t.Context(), demo, "")
	if err != nil || string(given.Bytes) != "a: [\n" {
		t.Fatal(err, given)
	}
	put("# theirs\na: [\n")
	e := Edit{Given: given.Bytes, Since: given.Commit, Edited: []byte("# ours\na: [\n")}
	_, err = s.Edit(t.Context(), demo, e, Write{})
	back, changed := new(EditError), new(ChangedError)
	if !errors.As(err, &back) || !errors.As(err, &changed) || !slices.Equal(changed.Paths, []string{"the whole document"}) {
		t.Fatalf("two who change what cannot be read: %v", err)
	}
	e.Given, e.Since = back.Head, back.Commit
	if out, err := s.Edit(t.Context(), demo, e, Write{}); err != nil || out.Commit == 0 {
		t.Errorf("settled: %+v, %v", out, err)
	}
}

func TestLocalAddressesKeepToTheirRange(t *testing.T) {
	reserved := netip.MustParsePrefix("127.0.0.0/12")
	loopback := netip.MustParsePrefix("127.0.0.0/8")
	seen := map[string]bool{}
	for i := range 2000 {
		a := LocalAddress(fmt.Sprintf("id-%d", i))
		ip := netip.MustParseAddr(a)
		if !loopback.Contains(ip) || reserved.Contains(ip) || ip.As4()[3] == 0 || ip.As4()[3] == 255 {
			t.Fatalf("address %s", a)
		}
		seen[a] = true
	}
	if len(seen) < 1990 {
		t.Errorf("2000 ids share %d addresses", len(seen))
	}
	if a := LocalAddress("6f0c1c7e-0000-4000-8000-000000000000"); a != LocalAddress("6f0c1c7e-0000-4000-8000-000000000000") {
		t.Errorf("%s is not the address the next time", a)
	}
}

func TestSamePlace(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "real"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		base, place string
		same        bool
	}{
		{"", "/srv/store/a.example.com", true},
		{"/srv/store/a.example.com/", "/srv/store/a.example.com", true},
		{"file:///srv/store/a.example.com", "/srv/store/a.example.com", true},
		{"s3://bucket/a.example.com", "/srv/store/a.example.com", false},
		{"s3://bucket/a.example.com", "s3://bucket/a.example.com", true},
		{"/srv/other/a.example.com", "/srv/store/a.example.com", false},
		{dir + "/link", dir + "/real", true},
	} {
		if got := samePlace(c.base, c.place); got != c.same {
			t.Errorf("samePlace(%q, %q) = %v", c.base, c.place, got)
		}
	}
}

func TestSortDocuments(t *testing.T) {
	const clusterDocument = "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\nmetadata:\n  name: a.example.com\nspec:\n  channel: stable\n"
	const group = "apiVersion: kops.k8s.io/v1alpha2\nkind: InstanceGroup\nmetadata:\n  name: nodes\nspec:\n  role: Node\n"
	const addon = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n"
	const key = "apiVersion: kops.k8s.io/v1alpha2\nkind: SSHCredential\nmetadata:\n  name: admin\nspec:\n  publicKey: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIF5sV8m0pQ3z1w2y4u6i8o0pAsDfGhJkLzXcVbNm1234 ada@example.com\n"
	all, err := sortDocuments("f", []byte(clusterDocument+"---\n"+group+"---\n"+addon+"---\n"+addon+"---\n"+key))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 || all[0].cluster != "a.example.com" {
		t.Fatalf("clusters: %+v", all)
	}
	if got := string(all[0].file("config").Bytes); got != clusterDocument {
		t.Errorf("config:\n%s", got)
	}
	if got := string(all[0].file("instancegroup/nodes").Bytes); got != group {
		t.Errorf("group:\n%s", got)
	}
	if got := string(all[0].file("clusteraddons/default").Bytes); got != addon+"---\n"+addon {
		t.Errorf("add-ons:\n%s", got)
	}
	if got := all[0].names(); len(got) != 4 || !strings.HasPrefix(got[3], sshKeyDir) || len(got[3]) != len(sshKeyDir)+32 {
		t.Errorf("files: %q", got)
	}
	for what, text := range map[string]string{
		"two clusters and a group of neither": clusterDocument + "---\n" + strings.ReplaceAll(clusterDocument, "a.example.com", "b.example.com") + "---\n" + group,
		"a group alone":                       group,
		"a group twice":                       clusterDocument + "---\n" + group + "---\n" + group,
		"a misspelt field":                    strings.ReplaceAll(clusterDocument, "channel", "chanel"),
		"a keyset":                            clusterDocument + "---\napiVersion: kops.k8s.io/v1alpha2\nkind: Keyset\nmetadata:\n  name: x\n",
		"no kind":                             clusterDocument + "---\na: 1\n",
		"a name without a dot":                strings.ReplaceAll(clusterDocument, "a.example.com", "a"),
		"nothing":                             "",
		"no YAML":                             "a: [",
	} {
		if all, err := sortDocuments("f", []byte(text)); err == nil {
			t.Errorf("%s: accepted: %+v", what, all)
		}
	}
}

func TestMissingIsMissing(t *testing.T) {
	s := opened(t)
	for what, call := range map[string]func() error{
		"cluster":  func() error { _, err := s.Cluster(t.Context(), demo); return err },
		"keysets":  func() error { _, err := s.Keysets(t.Context(), demo); return err },
		"standing": func() error { _, err := s.Standing(t.Context(), demo); return err },
		"plan":     func() error { _, err := s.Plan(t.Context(), demo, Programs{}); return err },
		"edit": func() error {
			_, err := s.Edit(t.Context(), demo, Edit{Patch: set(t, "spec.channel=a")}, Write{})
			return err
		},
		"delete":     func() error { _, err := s.Delete(t.Context(), demo, Write{}); return err },
		"kubeconfig": func() error { _, err := s.Kubeconfig(t.Context(), demo, Access{}); return err },
	} {
		if err := call(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s of a cluster that is not there: %v", what, err)
		}
	}
}
