package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stateroom/stateroom/vfs"
)

const (
	exampleID          = "6f0c1c7e-2b0a-4a54-9d4e-0d5a2c1b7f10"
	exampleTransaction = "01JD8Q4Z5N0G4B2X7M9T1V3W5Y"
)

// examples are records of every kind, one after the other.
func examples(t *testing.T) []*record {
	key := bytes.Repeat([]byte{7}, keyBytes)
	file := func(text string, n int) File { return File{digestOf([]byte(text)), int64(len(text)), n} }
	secret := File{digestKeyed(1, key, "secrets/admin", []byte("s3cret")), 6, 2}
	old, kept, ours := "kind: Cluster\n", "kind: Cluster\nkops: true\n", "kind: Cluster\nours: true\n"
	binary := "\x00\x01\xff\ndata 3\n# digest\n"
	odd := "odd \"name\"\\ \u00e9\n\t"
	list := []*record{
		{Kind: Change, Was: map[string]Digest{"config": absent}, Parts: []part{{Name: "Ada", Mail: "ada@example.com", Seconds: 1790000042, Message: "create cluster\n", Writes: []write{{"config", []byte(old)}}}},
			Files: map[string]File{"config": file(old, 1)}},
		{Kind: Import, Was: map[string]Digest{odd: absent, "secrets/admin": absent}, Parts: []part{{Name: "foreign", Seconds: 1790000050, Message: "import: 2 files were changed by another tool\n",
			Writes: []write{{odd, []byte(binary)}, {"secrets/admin", []byte("s3cret")}}}},
			Files: map[string]File{"config": file(old, 1), odd: file(binary, 2), "secrets/admin": secret}},
		{Kind: Change, Was: map[string]Digest{"config": file(old, 1).Digest, odd: file(binary, 2).Digest}, Parts: []part{{Name: "Ada", Mail: "ada@example.com", Seconds: 1790000060,
			Message: "edit\n\n# file and data 5\nD \"config\"\n", Deletes: []string{odd}, Writes: []write{{"config", []byte(ours)}}}},
			Files: map[string]File{"config": file(ours, 3), "secrets/admin": secret}},
		{Kind: Conflict, Was: map[string]Digest{"config": digestOf([]byte(kept))}, Parts: []part{
			{Name: "foreign", Seconds: 1790000061, Message: "conflict: keep what another tool wrote while commit 3 was made\n", Writes: []write{{"config", []byte(kept)}}},
			{Name: "Ada", Mail: "ada@example.com", Seconds: 1790000061, Message: "conflict: commit 3 stands\n", Writes: []write{{"config", []byte(ours)}}}},
			Files: map[string]File{"config": file(ours, 4), "secrets/admin": secret}},
		{Kind: Released, Was: map[string]Digest{releaseFile: absent}, Parts: []part{{Name: "Grace", Seconds: 1790000070, Writes: []write{{releaseFile, []byte("{}\n")}}}},
			Files: map[string]File{"config": file(ours, 4), "secrets/admin": secret, releaseFile: file("{}\n", 5)}},
		{Kind: Sealed, Files: map[string]File{"config": file(ours, 4), "secrets/admin": secret, releaseFile: file("{}\n", 5)}},
		{Kind: Reopened, Files: map[string]File{"config": file(ours, 4), "secrets/admin": secret, releaseFile: file("{}\n", 5)}},
		{Kind: Void, Signature: "ed25519 c2lnbmVk", Files: map[string]File{"config": file(ours, 4), "secrets/admin": secret, releaseFile: file("{}\n", 5)}},
		{Kind: Deleted, Was: map[string]Digest{"config": file(ours, 4).Digest, "secrets/admin": secret.Digest, releaseFile: digestOf([]byte("{}\n"))}, Parts: []part{{Name: "Ada", Mail: "ada@example.com", Seconds: 1790000080,
			Message: "delete cluster\n", Deletes: []string{"config", "secrets/admin", releaseFile}}}, Files: map[string]File{}},
		{Kind: Moved, Files: map[string]File{}},
	}
	parent := absent
	for i, r := range list {
		r.ClusterID, r.Cluster, r.Number, r.Parent, r.Transaction = exampleID, "demo.example.com", i+1, parent, exampleTransaction
		if r.Was == nil {
			r.Was = map[string]Digest{}
		}
		if _, err := r.encode(nil); err != nil {
			t.Fatal(err)
		}
		parent = r.Digest
	}
	return append(list, draftExamples(t, list[4])...)
}

// draftExamples are the records of a draft off a commit.
func draftExamples(t testing.TB, base *record) []*record {
	t.Helper()
	text := "kind: Cluster\n# of a draft\n"
	changed := base.next(Change, exampleTransaction)
	changed.Draft, changed.Base, changed.Number = "raise-quota", base.Number, -1
	changed.Was["config"] = base.Files["config"].Digest
	changed.Files["config"] = File{digestOf([]byte(text)), int64(len(text)), -1}
	changed.Parts = []part{{Name: "Ada", Mail: "ada@example.com", Seconds: 1790000075, Message: "raise the quota\n", Writes: []write{{"config", []byte(text)}}}}
	if _, err := changed.encode(nil); err != nil {
		t.Fatal(err)
	}
	ended := changed.next(Published, exampleTransaction)
	ended.Draft, ended.Base, ended.Number = changed.Draft, changed.Base, -2
	ended.Parts = []part{{Name: "Grace", Mail: "grace@example.com", Seconds: 1790000078, Message: "published as commit 6\n"}}
	if _, err := ended.encode(nil); err != nil {
		t.Fatal(err)
	}
	return []*record{changed, ended}
}

func encoded(t testing.TB, r *record) []byte {
	t.Helper()
	b, err := r.encode(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRecordsAreReadAsTheyWereWritten(t *testing.T) {
	for _, r := range examples(t) {
		got, err := decodeRecord(encoded(t, r))
		if err != nil {
			t.Errorf("%s: %v", r.Kind, err)
			continue
		}
		if diff := cmp.Diff(r, got, cmp.AllowUnexported(record{})); diff != "" {
			t.Errorf("%s: %s", r.Kind, diff)
		}
	}
}

func TestStrippedPayloadsKeepTheChain(t *testing.T) {
	for _, r := range examples(t)[:5] {
		for i := range r.Parts {
			for j := range r.Parts[i].Writes {
				r.Parts[i].Writes[j].Bytes = nil
			}
		}
		before := r.Digest
		got, err := decodeRecord(encoded(t, r))
		if err != nil {
			t.Errorf("%s: %v", r.Kind, err)
		} else if got.Digest != before {
			t.Errorf("%s: another digest", r.Kind)
		}
	}
}

// TestEveryChangedByteIsNoticed flips each byte of each example.
func TestEveryChangedByteIsNoticed(t *testing.T) {
	for _, r := range examples(t) {
		b := encoded(t, r)
		signature := bytes.Index(b, []byte("# signature "))
		for i := range b {
			if i > signature && signature > 0 {
				break // what signs the digest is for Verify to judge
			}
			b[i] ^= 1
			if got, err := decodeRecord(b); err == nil && !keyedPayload(r, got) {
				t.Errorf("%s: byte %d of %d can be another", r.Kind, i, len(b))
			}
			b[i] ^= 1
		}
		for i := range b {
			if _, err := decodeRecord(b[:i]); err == nil && (signature < 0 || i != signature) {
				t.Errorf("%s: can be cut at %d", r.Kind, i)
			}
		}
	}
}

// keyedPayload reports whether only the bytes of a keyed file differ: those
// nobody can check without the key, and everybody does who reads the file.
func keyedPayload(want, got *record) bool {
	c, ok := got.wrote("secrets/admin")
	w, _ := want.wrote("secrets/admin")
	return ok && !bytes.Equal(c.bytes, w.bytes)
}

func TestNewerFormatsAreRefused(t *testing.T) {
	_, errR := decodeRecord([]byte("# stateroom log 2\nanything"))
	_, errH := decodeHead([]byte("stateroom head 3\n"))
	_, errS := decodeStore([]byte("stateroom store 2\nfuture\n"))
	for _, err := range []error{errR, errH, errS} {
		newer, ok := errors.AsType[*FormatError](err)
		if !ok || newer.Hint() != "upgrade stateroom" || !strings.Contains(err.Error(), "was written by a newer Stateroom (format") {
			t.Errorf("%v", err)
		}
	}
	for _, text := range []string{"", "# stateroom log 0\n", "# stateroom log x\n", "# stateroom log 1"} {
		if _, err := decodeRecord([]byte(text)); !errors.Is(err, errRecord) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func exampleHead(t *testing.T) *head {
	r := examples(t)[4]
	return &head{
		ClusterID: exampleID, Cluster: "demo.example.com", Number: r.Number, Digest: r.Digest, Kind: r.Kind, Seconds: r.seconds(),
		Files: r.Files, Versions: map[string]vfs.Version{"config": "1:2 \"odd\"\\\u00e9", releaseFile: "77"},
	}
}

func exampleLeasedHead(t *testing.T) *head {
	hd := exampleHead(t)
	hd.Lease = &Lease{hd.Cluster, 4, time.Unix(1790000042, 0).UTC(), time.Unix(1790001842, 0).UTC(), "Ada <ada@example.com>", `change "freeze"`}
	return hd
}

func TestHeadsAreReadAsTheyWereWritten(t *testing.T) {
	for _, hd := range []*head{exampleHead(t), exampleLeasedHead(t)} {
		b := hd.encode()
		got, err := decodeHead(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(hd, got); diff != "" {
			t.Error(diff)
		}
		for i := range b {
			if _, err := decodeHead(b[:i]); err == nil {
				t.Errorf("can be cut at %d", i)
			}
		}
	}
}

func TestLeasesThatAreNone(t *testing.T) {
	text := string(exampleLeasedHead(t).encode())
	const good = `lease 1790000042 1790001842 4 "Ada <ada@example.com>" "change \"freeze\""`
	for _, bad := range []string{
		`lease`, `lease `, `lease 1 2 3 "a"`, `lease 1 2 3 "a" "b" "c"`, `lease 1 2 3 "a" b`, `lease 1 2 x "a" "b"`, `lease 1 -2 3 "a" "b"`,
		`lease 1 2 3 "\377" "b"`, `lease 1 2 3 "a" "` + strings.Repeat("b", maxLease) + `"`, good + "\n" + good,
	} {
		if _, err := decodeHead([]byte(strings.Replace(text, good, bad, 1))); err == nil {
			t.Errorf("%.80s can be read", bad)
		}
	}
}

var freeze = flag.Bool("freeze", false, "write examples that are not there yet; those that are stay")

// TestFrozenExamplesAreReadForEver reads what is in testdata/v1, which is never
// written again.
func TestFrozenExamplesAreReadForEver(t *testing.T) {
	texts := map[string][]byte{"head": exampleHead(t).encode(), "head-leased": exampleLeasedHead(t).encode(), "store": storeObject{id: exampleID}.encode(), "key": []byte(strings.Repeat("07", keyBytes) + "\n"),
		"store-checked": exampleChecked().encode()}
	for _, r := range examples(t) {
		name := string(r.Kind)
		if r.Number == 3 {
			name = "change-with-delete"
		}
		if r.Number == -1 {
			name = "draft"
		}
		texts[name] = encoded(t, r)
	}
	for name, text := range texts {
		path := filepath.Join("testdata", "v1", name)
		if _, err := os.Stat(path); *freeze && errors.Is(err, os.ErrNotExist) {
			if err := os.WriteFile(path, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		frozen, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
			continue
		}
		switch name {
		case "head", "head-leased":
			_, err = decodeHead(frozen)
		case "store", "store-checked":
			_, err = decodeStore(frozen)
		case "key":
		default:
			_, err = decodeRecord(frozen)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !bytes.Equal(frozen, text) {
			t.Errorf("%s: what is written today differs from the frozen example", name)
		}
	}
}

// TestSpecificationsShowRealExamples holds the examples of docs/formats to the
// code.
func TestSpecificationsShowRealExamples(t *testing.T) {
	spec, err := os.ReadFile("../docs/formats/log-record.md")
	if err != nil {
		t.Fatal(err)
	}
	frozen, err := os.ReadFile("testdata/v1/change")
	if err != nil {
		t.Fatal(err)
	}
	indented := "    " + strings.ReplaceAll(strings.TrimSuffix(string(frozen), "\n"), "\n", "\n    ") + "\n"
	if !strings.Contains(strings.ReplaceAll(string(spec), "\n\n", "\n    \n"), strings.ReplaceAll(indented, "\n\n", "\n    \n")) {
		t.Errorf("log-record.md does not show the example:\n%s", indented)
	}
}

func TestQuotingIsGits(t *testing.T) {
	for name, want := range map[string]string{
		"config": `"config"`, `a"b\c`: `"a\"b\\c"`, "\u00e9": `"\303\251"`, "a\nb\t\x7f": `"a\012b\011\177"`, "sp ace": `"sp ace"`,
	} {
		if got := quote(name); got != want {
			t.Errorf("%q is quoted %s, want %s", name, got, want)
		}
		if back, err := unquote(want); err != nil || back != name {
			t.Errorf("%s is unquoted %q, %v", want, back, err)
		}
	}
	for _, bad := range []string{``, `"`, `x`, `"a`, `"\n"`, `"\1"`, `"\400"`, `"\141"`, `"a"b"`, `"\"`, "\"\u00e9\""} {
		if name, err := unquote(bad); err == nil {
			t.Errorf("%s is accepted as %q", bad, name)
		}
	}
}

func TestNamesThatGitRefusesAreRefused(t *testing.T) {
	for _, name := range []string{"", ".", "..", "/a", "a/", "a//b", "a/../b", "a\x00", "\xff", ".git", "a/.GIT/b", ".gitmodules", "x/.gitattributes",
		"git~1", "GIT~2/x", "gi7eba~1", "a\\.git", ".g\u200cit/x", strings.Repeat("x", 256)} {
		if CheckName(name) == nil {
			t.Errorf("%q is accepted", name)
		}
	}
	for _, name := range []string{"config", "a.git", "secrets/system:dns", "git", "pki/ssh/public/admin/c4a6", "gi/x~1", " ", "-", "a\nb", "addons/x~1"} {
		if err := CheckName(name); err != nil {
			t.Error(err)
		}
	}
}

func TestTrackedNames(t *testing.T) {
	for name, want := range map[string]bool{
		"config": true, "instancegroup/nodes": true, "backups/etcd/main/control/etcd-cluster-spec": true, "tmpl": true, "addons/x/tmp.yaml": true,
		"backups/x": false, "backups/etcd/main/2026/etcd.backup.gz": false, "backups/etcd/a/b/control/etcd-cluster-spec": false,
		"tmp123": false, "secrets/tmp0042": false, ".stateroom/release": false,
	} {
		if tracked(name) != want {
			t.Errorf("%s tracked: %v", name, !want)
		}
	}
}

func TestAuthorsAndMessagesAreMadeFitForGit(t *testing.T) {
	for in, want := range map[string]string{
		"Ada <ada@example.com>": "Ada <ada@example.com>", "": "unknown <>", "Ada": "Ada <>", " A\nd\x00a\x1b <<a>@b>> ": "Ada <a@b>", "<x>": "unknown <x>",
	} {
		name, mail := cleanAuthor(in)
		if got := name + " <" + mail + ">"; got != want {
			t.Errorf("%q becomes %q", in, got)
		}
		if n, m := cleanAuthor(want); n != name || m != mail {
			t.Errorf("%q is not clean", want)
		}
	}
	long := cleanMessage(strings.Repeat("\u00e9", maxMessage))
	if len(long) > maxMessage || cleanMessage(long) != long {
		t.Error("a long message is not cut well")
	}
	if got := cleanMessage("a\x00\xff \n\n"); got != "a\ufffd\n" {
		t.Errorf("%q", got)
	}
}

func TestTransactionsAreULIDs(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		id := newTransaction(examples(t)[0].commit().Time)
		if !isTransaction(id) || seen[id] || !strings.HasPrefix(id, "01KN") && !strings.HasPrefix(id, "01") {
			t.Fatalf("%s", id)
		}
		seen[id] = true
	}
	if id := newID(); !isID(id) {
		t.Errorf("%s", id)
	}
}

func TestSnapshotsAreFileSystems(t *testing.T) {
	names := []string{"addons/a/x.yaml", "addons/b.yaml", "config", "instancegroup/nodes"}
	contents := make([][]byte, len(names))
	for i, name := range names {
		contents[i] = []byte(name)
	}
	if err := fstest.TestFS(newTree(names, contents), names...); err != nil {
		t.Error(err)
	}
}

func FuzzRecord(f *testing.F) {
	addFrozen(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeRecord(b)
		if err != nil {
			return
		}
		if again := encoded(t, r); !bytes.Equal(again, b) {
			t.Errorf("read and written again:\n%s\nwas:\n%s", again, b)
		}
		if _, err := json.Marshal(r.commit()); err != nil {
			t.Error(err)
		}
	})
}

func FuzzHead(f *testing.F) {
	addFrozen(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		if hd, err := decodeHead(b); err == nil && !bytes.Equal(hd.encode(), b) {
			t.Error("a head is written otherwise than it was read")
		}
		if o, err := decodeStore(b); err == nil && !bytes.Equal(o.encode(), b) {
			t.Error("a store is written otherwise than it was read")
		}
	})
}

// addFrozen makes the frozen examples the seeds.
func addFrozen(f *testing.F) {
	f.Helper()
	paths, err := filepath.Glob("testdata/v1/*")
	if err != nil || len(paths) == 0 {
		f.Fatal(err)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
}
