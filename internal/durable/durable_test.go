package durable_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stateroom/stateroom/internal/durable"
)

// recorder writes down the steps of a tree, and fails those that begin so.
type recorder struct {
	steps []string
	fail  string
}

func (r *recorder) step(op, name string) error {
	if i := strings.Index(name, ".tmp-"); i >= 0 {
		name = name[:i] + "TEMP"
	}
	r.steps = append(r.steps, op+" "+name)
	if r.fail != "" && strings.HasPrefix(op+" "+name, r.fail) {
		return syscall.ENOSPC
	}
	return nil
}

func open(t *testing.T, dir string, step durable.Step) *durable.Tree {
	t.Helper()
	tree, err := durable.Open(dir, step)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tree.Close() })
	return tree
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestBytesAreSyncedBeforeTheyGetTheirNameAndItsDirectoryAfter(t *testing.T) {
	var r recorder
	dir := t.TempDir()
	tree := open(t, dir, r.step)
	must(t, tree.MkdirAll("a/b", 0o700))
	must(t, tree.WriteFile("a/b/config", []byte("one"), 0o640))
	want := []string{
		"mkdir a", "sync directory .", "mkdir a/b", "sync directory a",
		"create a/b/TEMP", "write a/b/TEMP", "sync a/b/TEMP", "rename a/b/config", "sync directory a/b",
	}
	if diff := cmp.Diff(want, r.steps); diff != "" {
		t.Error(diff)
	}
	r.steps = nil
	must(t, tree.MkdirAll("a/b", 0o700))
	if r.steps != nil {
		t.Errorf("a directory that is there takes steps: %q", r.steps)
	}
	fi, err := os.Stat(filepath.Join(dir, "a/b/config"))
	if err != nil || fi.Mode() != 0o640 {
		t.Error(fi.Mode(), err)
	}
}

func TestADirectoryThatIsThereIsSyncedOnce(t *testing.T) {
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "a/b"), 0o700)) // by someone who did not live to sync it
	var r recorder
	tree := open(t, dir, r.step)
	must(t, tree.MkdirAll("a/b", 0o700))
	must(t, tree.MkdirAll("a/b", 0o700))
	if diff := cmp.Diff([]string{"sync directory .", "sync directory a"}, r.steps); diff != "" {
		t.Error(diff)
	}
	r.steps = nil
	tree = open(t, dir, r.step)
	tree.Trust("a/b")
	must(t, tree.MkdirAll("a/b", 0o700))
	if r.steps != nil {
		t.Errorf("a directory that is known to be durable takes steps: %q", r.steps)
	}
}

func TestAStepThatFailsLeavesTheOldFileAndNoOther(t *testing.T) {
	for _, fail := range []string{"create", "write", "sync", "rename"} {
		dir := t.TempDir()
		must(t, open(t, dir, nil).WriteFile("config", []byte("old"), 0o600))
		r := recorder{fail: fail}
		err := open(t, dir, r.step).WriteFile("config", []byte("new"), 0o600)
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: %v", fail, err)
		}
		data, err := os.ReadFile(filepath.Join(dir, "config"))
		if err != nil || string(data) != "old" || len(names(t, dir)) != 1 {
			t.Errorf("%s: %q, %v, beside it %q", fail, data, err, names(t, dir))
		}
	}
}

func TestNamesCannotLeaveTheTree(t *testing.T) {
	above := t.TempDir()
	dir := filepath.Join(above, "tree")
	must(t, durable.MkdirAll(dir, 0o700, nil))
	must(t, os.Symlink(above, filepath.Join(dir, "out")))
	tree := open(t, dir, nil)
	must(t, tree.WriteFile("in", nil, 0o600))
	for name, err := range map[string]error{
		"WriteFile ..":   tree.WriteFile("../x", nil, 0o600),
		"WriteFile link": tree.WriteFile("out/x", nil, 0o600),
		"MkdirAll":       tree.MkdirAll("out/x", 0o700),
		"Rename":         tree.Rename("in", "out/x"),
		"RenameNew":      tree.RenameNew("in", "out/x"),
		"Exchange":       tree.Exchange("in", "out/tree"),
		"Remove":         tree.Remove("out/tree"),
		"RemoveDir":      tree.RemoveDir("../tree"),
		"SyncDir":        tree.SyncDir("out"),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if got := names(t, above); !cmp.Equal(got, []string{"tree"}) {
		t.Errorf("above the tree: %q", got)
	}
}

func TestRenameNewNeverReplaces(t *testing.T) {
	for name, step := range map[string]durable.Step{
		"in one step": nil,
		"by a link": func(op, _ string) error {
			if op == durable.RenameNew {
				return errors.ErrUnsupported
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			tree := open(t, dir, step)
			must(t, tree.WriteFile("a", []byte("a"), 0o600))
			must(t, tree.WriteFile("b", []byte("b"), 0o600))
			if err := tree.RenameNew("a", "b"); !errors.Is(err, fs.ErrExist) {
				t.Error(err)
			}
			must(t, tree.RenameNew("a", "c"))
			if diff := cmp.Diff([]string{"b", "c"}, names(t, dir)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestExchangeSwaps(t *testing.T) {
	dir := t.TempDir()
	tree := open(t, dir, nil)
	must(t, tree.MkdirAll("d", 0o700))
	must(t, tree.WriteFile("d/a", []byte("a"), 0o600))
	must(t, tree.WriteFile("b", []byte("b"), 0o600))
	if err := tree.Exchange("d/a", "b"); errors.Is(err, errors.ErrUnsupported) {
		t.Skipf("the system cannot: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	a, _ := os.ReadFile(filepath.Join(dir, "d/a"))
	b, _ := os.ReadFile(filepath.Join(dir, "b"))
	if string(a) != "b" || string(b) != "a" {
		t.Errorf("d/a holds %q, b holds %q", a, b)
	}
	if err := tree.Exchange("b", "absent"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestRemoveDirRemovesNothingElse(t *testing.T) {
	dir := t.TempDir()
	tree := open(t, dir, nil)
	must(t, tree.WriteFile("file", nil, 0o600))
	must(t, tree.MkdirAll("full/empty", 0o700))
	must(t, os.Symlink("full", filepath.Join(dir, "link")))
	for _, name := range []string{"file", "full", "link", "absent"} {
		if err := tree.RemoveDir(name); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	must(t, tree.RemoveDir("full/empty"))
	if diff := cmp.Diff([]string{"file", "full", "link"}, names(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestALockHasOneHolder(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	var holders, turns atomic.Int32 // the race detector knows nothing of file locks
	for range 8 {
		tree := open(t, dir, nil) // as eight processes would
		wg.Go(func() {
			for range 50 {
				unlock, err := tree.Lock(t.Context(), "lock", 0o600)
				if err != nil {
					t.Error(err)
					return
				}
				if n := holders.Add(1); n != 1 {
					t.Errorf("%d holders", n)
				}
				turns.Add(1)
				holders.Add(-1)
				unlock()
				unlock()
			}
		})
	}
	wg.Wait()
	if n := turns.Load(); n != 400 {
		t.Errorf("%d turns, want 400", n)
	}
}

func TestWaitingForALockCanBeCancelled(t *testing.T) {
	dir := t.TempDir()
	unlock, err := open(t, dir, nil).Lock(t.Context(), "lock", 0o600)
	must(t, err)
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := open(t, dir, nil).Lock(ctx, "lock", 0o600); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
