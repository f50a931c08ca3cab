package durable_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stateroom/stateroom/internal/durable"
	"github.com/stateroom/stateroom/internal/durable/durabletest"
)

// TestAPowerCutLeavesTheOldFileOrTheNew cuts the power everywhere while files
// are replaced and made, and sees it go wrong without each of the syncs.
func TestAPowerCutLeavesTheOldFileOrTheNew(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skipf("%s syncs no directories", runtime.GOOS)
	}
	for name, drop := range map[string]func(durable.Change) bool{
		"":                  nil,
		"files":             func(c durable.Change) bool { return c.Op == durable.Sync },
		"directories":       func(c durable.Change) bool { return c.Op == durable.SyncDir && c.Name != "." },
		"above directories": func(c durable.Change) bool { return c.Op == durable.SyncDir && c.Name == "." },
	} {
		t.Run("without syncs of "+name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, os.WriteFile(filepath.Join(dir, "set"), []byte("old"), 0o600))
			r, err := durabletest.Record(dir)
			must(t, err)
			r.Drop = drop
			tree := open(t, dir, nil)
			tree.Watch(r.Watch)
			must(t, tree.WriteFile("set", []byte("new"), 0o600))
			r.Note("set")
			must(t, tree.MkdirAll("log", 0o700))
			must(t, tree.WriteFile("log/one", []byte("one"), 0o600))
			r.Note("log/one")
			must(t, r.Differs())
			if disks, bad := cuts(t, r); (bad > 0) != (drop != nil) {
				t.Errorf("%d of %d disks are bad", bad, disks)
			} else {
				t.Logf("%d disks, %d bad", disks, bad)
			}
		})
	}
}

// cuts counts the disks that are not as they must be.
func cuts(t *testing.T, r *durabletest.Recorder) (disks, bad int) {
	o := durabletest.Options{All: 10, Random: 10, Rand: rand.New(rand.NewPCG(1, 2))}
	for _, o.Model = range []durabletest.Model{durabletest.Posix, durabletest.Journal} {
		for n := range r.Len() + 1 {
			may := map[string][]string{"set": {"old", "new"}, "log/one": {"", "one"}}
			for _, note := range r.Notes(n) {
				may[note.(string)] = may[note.(string)][1:]
			}
			for disk := range r.Disks(n, o) {
				dir := t.TempDir()
				must(t, disk.Write(dir))
				disks++
				for name, texts := range may {
					b, _ := os.ReadFile(filepath.Join(dir, name)) // none: ""
					if text := string(b); text != texts[0] && text != texts[len(texts)-1] {
						bad++
					}
				}
			}
		}
	}
	return disks, bad
}
