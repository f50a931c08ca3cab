package store_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/store/storetest"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/file"
	"github.com/stateroom/stateroom/vfs/mem"
)

const ownDir = ".stateroom/" + demo + "/"

func logName(n int) string { return fmt.Sprintf("%slog/%012d", ownDir, n) }

// everCommitted are the bytes that the commits of a whole store wrote: each is
// another.
var everCommitted = []string{
	"kind: Cluster # one", "kind: Cluster # two", "kind: Group # one", "kind: Group # four",
	"swordfish one", "swordfish five", "release three",
}

// whole makes a store in which nothing is wrong: five commits and a release.
func whole(t testing.TB, d vfs.Driver) {
	t.Helper()
	ctx := context.Background()
	commit(t, client(t, d), "create", files{"config": "kind: Cluster # one", "instancegroup/nodes": "kind: Group # one", "secrets/token": "swordfish one"})
	commit(t, client(t, d), "two", files{"config": "kind: Cluster # two"})
	if _, err := client(t, d).Update(ctx, "three", func(tx *store.Tx) error {
		tx.Stage("bundles/nodes/abc", []byte("bundle"))
		tx.Release([]byte("release three"))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	commit(t, client(t, d), "four", files{"instancegroup/nodes": "kind: Group # four"})
	commit(t, client(t, d), "five", files{"secrets/token": "swordfish five"})
}

// damage is one way in which a store can be spoilt, and what is made of it.
type damage struct {
	what  string
	do    func(t *testing.T, d vfs.Driver)
	codes string // all that is found, in order
	void  []int  // records that a person gives up
	left  string // what is found after a repair
}

func edit(key string, f func(string) string) func(*testing.T, vfs.Driver) {
	return func(t *testing.T, d vfs.Driver) {
		old := get(t, d, key)
		if f(old) == old {
			t.Fatal("nothing is damaged")
		}
		put(t, d, key, f(old))
	}
}

func without(keys ...string) func(*testing.T, vfs.Driver) {
	return func(t *testing.T, d vfs.Driver) {
		for _, key := range keys {
			remove(t, d, key)
		}
	}
}

func with(key, text string) func(*testing.T, vfs.Driver) {
	return func(t *testing.T, d vfs.Driver) { put(t, d, key, text) }
}

func swap(old, new string) func(string) string {
	return func(s string) string { return strings.Replace(s, old, new, 1) }
}

func half(s string) string { return s[:len(s)/2] }

// elsewhere returns an object of another store.
func elsewhere(t *testing.T, key string) string {
	other := mem.New(mem.Options{})
	whole(t, other)
	return get(t, other, key)
}

var damages = []damage{
	{"store id gone", without(".stateroom/store"), "store-missing", nil, ""},
	{"store id cut", edit(".stateroom/store", half), "store-unreadable", nil, ""},
	{"head gone", without(ownDir + "head"), "head-missing", nil, ""},
	{"head cut", edit(ownDir+"head", half), "head-unreadable", nil, ""},
	{"head empty", with(ownDir+"head", ""), "head-unreadable", nil, ""},
	{"head of a newer format", edit(ownDir+"head", swap("head 1", "head 2")), "head-newer", nil, "head-newer"},
	{"head of another cluster", edit(ownDir+"head", swap(demo, "other.example.com")), "head-cluster", nil, ""},
	{"head of another store", func(t *testing.T, d vfs.Driver) { put(t, d, ownDir+"head", elsewhere(t, ownDir+"head")) }, "head-other", nil, ""},
	{"head lists another digest", edit(ownDir+"head", swap(" 18 4 ", " 18 3 ")), "head-manifest", nil, ""},
	{"head of an older commit", func(t *testing.T, d vfs.Driver) {
		text := get(t, d, ownDir+"head")
		commit(t, client(t, d), "six", files{"config": "kind: Cluster # six"})
		put(t, d, ownDir+"head", text)
	}, "head-behind", nil, ""},
	{"writer stopped after the record", func(t *testing.T, d vfs.Driver) {
		text, config := get(t, d, ownDir+"head"), get(t, d, demo+"/config")
		commit(t, client(t, d), "six", files{"config": "kind: Cluster # six"})
		put(t, d, ownDir+"head", text)
		put(t, d, demo+"/config", config)
	}, "head-behind file-unfinished", nil, ""},
	{"copied during a commit: last record missing", without(logName(5)), "head-ahead file-foreign", nil, ""},
	{"copied during commits: two missing", without(logName(4), logName(5)), "head-ahead file-foreign file-foreign", nil, ""},
	{"whole log missing", without(logName(1), logName(2), logName(3), logName(4), logName(5)), "head-ahead", nil, "release-stray"},
	{"record in the middle gone", without(logName(2)), "record-missing bytes-plain-only", []int{2}, ""},
	{"record in the middle gone, and the head", without(logName(2), ownDir+"head"), "record-missing head-missing bytes-plain-only", []int{2}, ""},
	{"record in the middle gone, and the head cut", func(t *testing.T, d vfs.Driver) {
		remove(t, d, logName(2))
		put(t, d, ownDir+"head", "cut")
	}, "record-missing head-unreadable bytes-plain-only", []int{2}, ""},
	{"record in the middle cut", edit(logName(2), half), "record-unreadable bytes-plain-only", []int{2}, ""},
	{"first record emptied", with(logName(1), ""), "record-unreadable", []int{1}, ""},
	{"newest record cut", edit(logName(5), half), "record-unreadable", []int{5}, ""},
	{"record message changed", edit(logName(4), swap("four\n", "FOUR\n")), "record-unreadable bytes-plain-only", []int{4}, ""},
	{"record of a newer format", edit(logName(4), swap("log 1", "log 2")), "record-newer bytes-plain-only", nil, "record-newer"},
	{"record under another's number", func(t *testing.T, d vfs.Driver) { put(t, d, logName(3), get(t, d, logName(2))) }, "record-unreadable bytes-plain-only", []int{3}, ""},
	{"record of another store", func(t *testing.T, d vfs.Driver) { put(t, d, logName(3), elsewhere(t, logName(3))) }, "record-chain record-chain", []int{3}, ""},
	{"bytes of the newest file flipped in the record", edit(logName(4), swap("Group # four", "Group # f0ur")), "record-payload", nil, ""},
	{"bytes of an old file flipped in the record", edit(logName(1), swap("Cluster # one", "Cluster # 0ne")), "record-unreadable", nil, "record-unreadable"},
	{"bytes of a secret flipped in the record", edit(logName(5), swap("swordfish five", "swordfish f1ve")), "record-payload", nil, ""},
	{"bytes of a secret that a conflict keeps flipped", func(t *testing.T, d vfs.Driver) {
		keptSecret(t, d)
		edit(logName(7), swap("swordfish of kops", "swordfish 0f kops"))(t, d)
	}, "record-unreadable", nil, "record-unreadable"},
	{"copy of a record lies in the log", func(t *testing.T, d vfs.Driver) { put(t, d, logName(3)+".bak", get(t, d, logName(3))) }, "log-name", nil, ""},
	{"something lies in the log", with(ownDir+"log/notes.txt", "mine"), "log-name", nil, "log-name"},
	{"plain file cut", edit(demo+"/config", half), "file-foreign", nil, ""},
	{"plain file emptied", with(demo+"/config", ""), "file-foreign", nil, ""},
	{"plain file edited by another tool", with(demo+"/instancegroup/nodes", "kops was here"), "file-foreign", nil, ""},
	{"plain file added by another tool", with(demo+"/addons/x", "kops was here"), "file-foreign", nil, ""},
	{"plain file gone", without(demo + "/instancegroup/nodes"), "file-missing", nil, ""},
	{"plain file as it once was", with(demo+"/config", "kind: Cluster # one"), "file-stale", nil, ""},
	{"config gone", without(demo + "/config"), "config-missing", nil, "config-missing"},
	{"file with a name git refuses", with(demo+"/.git/config", "x"), "file-refused", nil, "file-refused"},
	{"release gone", without(ownDir + "release"), "release-missing", nil, ""},
	{"release cut", edit(ownDir+"release", half), "release-other", nil, ""},
	{"release left after the cluster was deleted", func(t *testing.T, d vfs.Driver) {
		text := get(t, d, ownDir+"release")
		if _, err := client(t, d).Delete(context.Background(), "end"); err != nil {
			t.Fatal(err)
		}
		put(t, d, ownDir+"release", text)
	}, "release-stray", nil, ""},
	{"key gone", without(ownDir + "keys/manifest/1"), "key-missing", nil, "key-missing"},
	{"key cut", edit(ownDir+"keys/manifest/1", half), "key-unreadable", nil, "key-missing"},
	{"lease of an older kind", with(ownDir+"lease", "stateroom lease 1\n"), "lease-left", nil, ""},
	{"object of nobody", with(ownDir+"notes", "x"), "object-stray", nil, "object-stray"},
	{"key that kops takes for a cluster", with(ownDir+"bundles/config", "x"), "object-config", nil, "object-config"},
}

func codes(found []store.Finding, left bool) string {
	var list []string
	for _, f := range found {
		if !left || !f.Mended {
			list = append(list, string(f.Code))
		}
	}
	return strings.Join(list, " ")
}

// TestFsckNamesEveryDamageAndMendsWhatCanBeMended seeds one damage after the
// other into a store without fault. Each is named; a repair mends what can be
// mended; and of all that was ever acknowledged, whatever the damage itself
// left is still there afterwards.
func TestFsckNamesEveryDamageAndMendsWhatCanBeMended(t *testing.T) {
	mended := 0
	for _, dm := range damages {
		t.Run(strings.ReplaceAll(dm.what, " ", "-"), func(t *testing.T) {
			d := mem.New(mem.Options{UniqueVersions: true, NoTags: true})
			whole(t, d)
			expect(t, codes(fsck(t, d, store.FsckOptions{}), false), "")
			dm.do(t, d)
			before, beforeObjects := everything(t, d), objects(t, d, "none")
			found := fsck(t, d, store.FsckOptions{})
			expect(t, codes(found, false), dm.codes)
			for _, f := range found {
				if f.Means() == "" || f.What == "" || f.Mend() == "" && f.Advice() == "" && f.Code != store.RecordTime {
					t.Errorf("%s says too little", f.Code)
				}
			}
			if !bytes.Equal(before, everything(t, d)) {
				t.Error("looking has changed the store")
			}
			var givenUp []string
			for _, n := range dm.void {
				givenUp = append(givenUp, get(t, d, logName(n)))
			}
			if dm.void != nil { // nobody has given them up yet
				fsck(t, d, store.FsckOptions{Repair: true})
				for i, n := range dm.void {
					expect(t, get(t, d, logName(n)), givenUp[i])
				}
			}
			repaired := fsck(t, d, store.FsckOptions{Repair: true, Void: dm.void, Cluster: demo})
			expect(t, codes(repaired, true), dm.left)
			again := fsck(t, d, store.FsckOptions{})
			expect(t, codes(again, false), dm.left)
			after := everything(t, d)
			for _, text := range everCommitted {
				if bytes.Contains(before, []byte(text)) && !bytes.Contains(after, []byte(text)) {
					t.Errorf("the repair lost %q", text)
				}
			}
			lostNothing(t, dm.what, beforeObjects, after)
			for _, raw := range givenUp {
				if raw != "-" && !bytes.Contains(after, []byte(raw)) {
					t.Error("what was left of a record given up is not kept")
				}
			}
			if dm.left == "" {
				mended++
				goesOn(t, d)
			}
			word := "mended"
			if dm.void != nil {
				word = "mended, record given up"
			}
			if dm.left != "" {
				word = "named, left: " + dm.left
			}
			t.Logf("%-50s %-36s %s", dm.what, dm.codes, word)
		})
	}
	t.Logf("%d damages, %d mended", len(damages), mended)
	if len(damages) < 30 {
		t.Error("30 damages were asked for")
	}
}

// keptSecret lets another tool write a secret while a commit of it is made: the
// record after that keeps it.
func keptSecret(t *testing.T, d vfs.Driver) {
	once := false
	commit(t, client(t, hooked{d, func(key string) {
		if key == logName(6) && !once {
			once = true
			put(t, d, demo+"/secrets/token", "swordfish of kops")
		}
	}}), "six", files{"secrets/token": "swordfish six"})
	if !strings.Contains(get(t, d, logName(7)), "swordfish of kops") {
		t.Fatal("no conflict keeps it")
	}
}

// lostNothing: whatever a repair replaces is still somewhere in the store, as it
// was found. What can be made again from the log needs not be, nor a lease, nor a
// release, which is another's only by mistake.
func lostNothing(t *testing.T, what string, before map[string]string, after []byte) {
	t.Helper()
	for key, text := range before {
		switch key {
		case ".stateroom/store", ownDir + "head", ownDir + "release", ownDir + "lease":
			continue
		}
		if !bytes.Contains(after, []byte(text)) {
			t.Errorf("%s: the repair lost what was at %s: %q", what, key, text)
		}
	}
}

func fsck(t testing.TB, d vfs.Driver, o store.FsckOptions) []store.Finding {
	t.Helper()
	found, err := store.Fsck(context.Background(), vfs.New(d, "mem:"), store.Options{Author: "Fsck <fsck@example.com>", Settle: atOnce}, o)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// everything is all names and bytes of a store.
func everything(t testing.TB, d vfs.Driver) []byte {
	t.Helper()
	var b bytes.Buffer
	for e, err := range d.List(context.Background(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s\n%s\n", e.Key, get(t, d, e.Key))
	}
	return b.Bytes()
}

// lifeGoesOn: a further change succeeds, and nothing is wrong after it.
func goesOn(t *testing.T, d vfs.Driver) {
	t.Helper()
	commit(t, client(t, d), "life goes on", files{"config": "kind: Cluster # next"})
	expect(t, get(t, d, demo+"/config"), "kind: Cluster # next")
	expect(t, codes(fsck(t, d, store.FsckOptions{}), false), "")
	for c, err := range client(t, d).Log(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		_ = c
	}
}

func TestFsckRefusesToVoidWhatIsWhole(t *testing.T) {
	d := mem.New(mem.Options{})
	whole(t, d)
	_, err := store.Fsck(t.Context(), vfs.New(d, "mem:"), store.Options{Settle: atOnce}, store.FsckOptions{Cluster: demo, Repair: true, Void: []int{3}})
	if err == nil || !strings.Contains(err.Error(), "commit 3 is no record that cannot be used") {
		t.Errorf("void of a good record: %v", err)
	}
}

// A second repair finds nothing to do.
func TestFsckOfACleanStoreWritesNothing(t *testing.T) {
	d := mem.New(mem.Options{UniqueVersions: true})
	whole(t, d)
	before := everything(t, d)
	expect(t, codes(fsck(t, d, store.FsckOptions{Repair: true}), false), "")
	if !bytes.Equal(before, everything(t, d)) {
		t.Error("it wrote")
	}
	if _, err := storetest.Check(t.Context(), vfs.New(d, "mem:"), demo); err != nil {
		t.Error(err)
	}
}

// What the directory driver keeps of others is found; what a commit holds too,
// is cleared away; the only copy stays.
func TestFsckFindsWhatTheDirectoryDriverKept(t *testing.T) {
	dir := t.TempDir()
	d, err := file.Open(dir, file.Options{})
	if err != nil {
		t.Fatal(err)
	}
	whole(t, d)
	tmp := filepath.Join(dir, ".stateroom/tmp")
	for name, text := range map[string]string{
		"kept.aaaaaaaaaaaaaaaa.0.demo.example.com%2Fconfig": "kind: Cluster # one",
		"kept.bbbbbbbbbbbbbbbb.0.demo.example.com%2Fconfig": "somebody's only copy",
		"gone.cccccccccccccccc.0.demo.example.com%2Fconfig": "a crash",
	} {
		if err := os.WriteFile(filepath.Join(tmp, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := strings.Fields(codes(fsck(t, d, store.FsckOptions{}), false))
	slices.Sort(got)
	expect(t, strings.Join(got, " "), "tmp-kept tmp-left tmp-recorded")
	fsck(t, d, store.FsckOptions{Repair: true})
	left := fsck(t, d, store.FsckOptions{})
	if got := codes(left, false); got != "tmp-kept tmp-kept" { // what crashed became one that is kept
		t.Errorf("left after the repair: %s", got)
	}
}

// Findings are of a store at rest: while others write, what is seen is not of
// one moment, and is looked at again.
func TestFsckWhileOthersWriteFindsNothingThatIsNotThere(t *testing.T) {
	d := mem.New(mem.Options{UniqueVersions: true, NoTags: true})
	whole(t, d)
	done := make(chan error)
	go func() {
		h := client(t, d)
		for i := range 60 {
			if _, err := h.Update(context.Background(), "more", files{"config": fmt.Sprintf("config %d", i)}.apply); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for looking := true; looking; {
		for _, f := range fsck(t, d, store.FsckOptions{}) {
			if f.Code != store.HeadBehind && f.Code != store.FileUnfinished { // a writer is in the middle
				t.Errorf("found %s: %s: %s", f.Code, f.Object, f.What)
			}
		}
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			looking = false
		default:
		}
	}
	expect(t, codes(fsck(t, d, store.FsckOptions{}), false), "")
}
