package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// mutant is a program with one ingredient removed: a piece of the source that
// stands there once, and what stands there instead.
type mutant struct {
	name     string // the ingredient
	file     string // below the module
	old, new string
	pkg      string
	test     string // which must find it, a pattern for -run
}

const (
	explorer  = "^TestExplore$/^small"
	twoAndSed = "^TestExplore$/^two_writers,_another_tool,_one_crash$/^content$"
	twoFault  = "^TestExplore$/^two_writers,_one_fault$/^unique$"
)

// suspect is a piece of suspects: which listed files need a look.
const suspect = `		f, ok := files[name]
		if !ok || st.head == nil || st.head.Versions[name] != e.Version || st.head.Files[name].Digest != f.Digest {`

// before is a piece of carryOut: where the record is put.
const before = `	standing, ours, err := u.h.append(ctx, d.mine)
`

// headFirst is checkOut with the head written before the files.
const headFirst = `	own := c.tip
	err := c.putHead(ctx)
	if err == nil {
		err = c.files(ctx)
	}
`

var mutants = []mutant{
	{"If-Match on checkout", "store/plainfile.go",
		"f.Put(ctx, key, want.bytes, c, tag)", "f.Put(ctx, key, want.bytes, vfs.Cond{}, tag)", "./store", explorer},
	{"LIST compared before the commit", "store/survey.go",
		suspect, "		if _, ok := files[name]; !ok || st.head == nil {", "./store", explorer},
	{"nonce: the transaction is read back", "store/append.go",
		"return standing, standing.Transaction == r.Transaction, nil", "return standing, false, nil", "./store", explorer},
	{"a number not yet there is unknown, not free", "store/append.go",
		"		if try == appendTries {", "		if known {\n\t\t\treturn nil, false, errAgain\n\t\t}\n\t\tif try == appendTries {", "./store", explorer},
	{"commit tag", "store/plainfile.go",
		"f.Put(ctx, key, want.bytes, c, tag)", `f.Put(ctx, key, want.bytes, c, "")`, "./store", twoAndSed},
	{"a tag counts only with the bytes of its record", "store/plainfile.go",
		"	if err != nil || !same {\n		return 0, err\n	}\n	return n, nil", "	if _ = same; err != nil {\n\t\treturn 0, err\n\t}\n\treturn n, nil", "./store", explorer},
	{"a reader compares plain files with the manifest", "store/snapshot.go",
		"isFile(ctx, s, sn.c.Files); ok && err == nil {", "isFile(ctx, s, sn.c.Files); ok || err == nil {", "./store", explorer},
	{"put-if-absent of the record", "store/append.go",
		"h.own.Put(ctx, h.recordName(r.Number), b, vfs.IfAbsent(), \"\")", "h.own.Put(ctx, h.recordName(r.Number), b, vfs.Cond{}, \"\")", "./store", twoFault},
	{"a record is made void as it was seen", "store/repair.go",
		"		cond = vfs.IfVersion(v)\n", "		cond = vfs.Cond{}\n\t\t_ = v\n", "./store", "^TestRepairBesideAnother$"},
	{"what a repair replaces is kept", "store/fsckfiles.go",
		"h.own.Put(ctx, name, b, vfs.IfAbsent(), \"\")", "h.own.Put(ctx, name, nil, vfs.IfAbsent(), \"\")", "./store", "^TestRepairStruckAtEachWrite$"},
	{"a draft is dropped as it was seen", "store/drafts.go",
		"	case u.fn == nil && tip.Number != u.at:\n", "	case u.kind == Published && tip.Number != u.at:\n", "./store", "^TestDropLeavesWhatNobodySaw$"},
	{"what a draft goes off is not stripped", "store/gc.go",
		"	numbers, err := h.draftBases(ctx)\n", "	numbers, err := []int(nil), error(nil)\n", "./store", "^TestDraftKeepsItsBase$"},
	{"put-if-absent honoured by memory", "vfs/cond.go",
		"		return !exists\n", "		return true\n", "./vfs/mem", "^TestKeepsTheContract$"},
	{"put-if-absent honoured by a directory", "vfs/file/write.go",
		"		rename = w.RenameNew\n", "		rename = w.Rename\n", "./vfs/file", "^TestKeepsTheContract$"},
	{"record before files", "store/update.go",
		before, `	u.h.known.remember(d.mine, 0)
	early := &checkout{h: u.h, head: st.head, headAt: st.headAt, tip: d.mine, window: []*record{d.mine}, versions: sv.versions, first: d.conditions(d.mine, sv, l)}
	if _, err := early.writeAll(ctx); err != nil {
		return nil, err
	}
` + before, "./store", explorer},
	{"files before head", "store/update.go",
		"	own := c.tip\n	err := c.files(ctx)\n", headFirst, "./store", explorer},
	{"others' work is finished", "store/update.go",
		"	c := h.finishing(st)\n	if err := c.files(ctx); err != nil {", "	if len(st.window) > 0 {\n\t\treturn nil\n\t}\n\tc := h.finishing(st)\n\tif err := c.files(ctx); err != nil {", "./store", explorer},
	{"whoever finishes writes over what is as before", "store/judge.go",
		"		if ok, err := h.is(ctx, s, was, 0); ok || err != nil {", "		if ok, err := h.is(ctx, s, was, 0); ok && false || err != nil {", "./store", explorer},
	{"what is in the way is kept", "store/checkout.go",
		"		return \"\", s, nil\n	}\n	again := ", "	}\n	again := ", "./store", explorer},
	{"what is made again is said", "store/checkout.go",
		"		h.noticeAgain(ctx, n, one.name)", "", "./store", explorer},
	{"what is put right is said, whatever the reply", "store/update.go",
		"done[i] = !notDone(err)", "done[i] = err == nil", "./store", "^TestALateCreateThatIsPutRight"},
	{"head never down: If-Match of the head", "store/checkout.go",
		"		_, err := c.h.own.Put(ctx, headName, next.encode(), cond, \"\")", "		_, err := c.h.own.Put(ctx, headName, next.encode(), vfs.Cond{}, \"\")\n\t\t_ = cond", "./store", twoFault},
	{"a lease moves no head: its If-Match", "store/lease.go",
		"vfs.IfVersion(at), \"\")", "vfs.Cond{}, \"\")\n\t\t_ = at", "./store", explorer},
	{"a commit carries the lease along", "store/checkout.go",
		"next.Lease = c.h.lease(c.head)", "next.Lease = nil", "./store", "^TestLeaseIsAdviceThatEnds$"},
	{"fsync of file", "internal/durable/durable.go",
		"	return t.do(Change{Op: Sync, Name: name}, f.Sync)\n}\n\n// setMode", "	return nil\n}\n\n// setMode", "./vfs/file", "^TestPowerCuts$"},
	{"fsync of directory", "internal/durable/durable.go",
		"	return t.do(Change{Op: SyncDir, Name: dir}, func() error { return t.syncDir(dir) })", "	return nil", "./vfs/file", "^TestPowerCuts$"},
}

// TestMutantsAreCaught removes one ingredient at a time from the source, in an
// overlay, and expects the test named beside it to fail.
func TestMutantsAreCaught(t *testing.T) {
	if testing.Short() || raced {
		t.Skip("builds the tests again for each mutant")
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var table []string
	turns := make(chan struct{}, 2)
	t.Run("each", func(t *testing.T) {
		for _, m := range mutants {
			t.Run(m.name, func(t *testing.T) {
				t.Parallel()
				turns <- struct{}{}
				defer func() { <-turns }()
				line := m.run(t, root)
				mu.Lock()
				defer mu.Unlock()
				table = append(table, line)
			})
		}
	})
	t.Logf("%-46s %-9s %s\n%s", "without", "after", "found by", strings.Join(table, "\n"))
}

// run runs the test that must find a mutant, and returns a line that says how
// fast it did.
func (m mutant) run(t *testing.T, root string) string {
	path := filepath.Join(root, filepath.FromSlash(m.file))
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), m.old); n != 1 {
		t.Errorf("%s has changed: %q stands there %d times", m.file, m.old, n)
		return fmt.Sprintf("%-46s NOT TRIED", m.name)
	}
	dir := t.TempDir()
	changed, overlay := filepath.Join(dir, filepath.Base(path)), filepath.Join(dir, "overlay.json")
	list, err := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{changed: []byte(strings.Replace(string(source), m.old, m.new, 1)), overlay: list} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	binary := filepath.Join(dir, "mutant.test")
	if out, err := goCommand(t, root, "test", "-c", "-overlay", overlay, "-o", binary, m.pkg); err != nil {
		t.Fatalf("it does not build: %v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, binary, "-test.failfast", "-test.parallel=2", "-test.run", m.test)
	c.Dir = filepath.Join(root, filepath.FromSlash(m.pkg))
	began := time.Now()
	out, err := c.CombinedOutput()
	took := time.Since(began).Seconds()
	if err == nil || !strings.Contains(string(out), "--- FAIL: ") {
		t.Errorf("%s does not find it: %v\n%.2000s", m.test, err, out)
		return fmt.Sprintf("%-46s SURVIVES %s", m.name, m.test)
	}
	t.Logf("%s", firstFinding(string(out)))
	return fmt.Sprintf("%-46s %6.1f s  %s %s", m.name, took, m.pkg, failed(string(out)))
}

func goCommand(t *testing.T, dir string, args ...string) ([]byte, error) {
	c := exec.CommandContext(t.Context(), "go", args...)
	c.Dir = dir
	return c.CombinedOutput()
}

// failed is the innermost test that failed first.
func failed(out string) (name string) {
	for line := range strings.Lines(out) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "--- FAIL: "); ok {
			name, _, _ = strings.Cut(rest, " (")
		} else if name != "" {
			break
		}
	}
	return name
}

// firstFinding is the first story that a failed test tells.
func firstFinding(out string) string {
	_, story, _ := strings.Cut(out, "--- FAIL")
	if _, rest, ok := strings.Cut(story, "violations\n"); ok {
		story = rest
	}
	return fmt.Sprintf("%.1500s", story)
}
