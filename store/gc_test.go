package store_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs/mem"
)

// Bytes that only old commits name go; the records stay, and so do their
// digests, the window, the head, and what was asked for by number.
func TestStripLeavesTheWindowWholeAndTheChainIntact(t *testing.T) {
	d := mem.New(mem.Options{UniqueVersions: true, NoTags: true})
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(o *store.Options) { o.Now = func() time.Time { return now } }
	for i := range 6 {
		f := files{"config": "config " + strconv.Itoa(i)}
		if i == 0 {
			f["instancegroup/nodes"] = "never changed"
			f["secrets/token"] = "swordfish 0"
		}
		if i == 3 {
			f["secrets/token"] = "swordfish 3"
		}
		commit(t, client(t, d, at), "day "+strconv.Itoa(i), f)
		now = now.AddDate(0, 0, 1)
	}
	h := client(t, d, at)
	before := history(t, h)
	window := store.Window{Since: now.AddDate(0, 0, -2), Numbers: []int{2}} // days 4 and 5, and what was in force: day 3
	would, err := h.Strip(t.Context(), window, false)
	if err != nil {
		t.Fatal(err)
	}
	did, err := h.Strip(t.Context(), window, true)
	if err != nil || len(did) != len(would) {
		t.Fatalf("stripped %v, said %v: %v", did, would, err)
	}
	var gone []string
	for _, s := range did {
		gone = append(gone, strconv.Itoa(s.Number)+" "+strings.Join(s.Names, ","))
	}
	expect(t, strings.Join(gone, "; "), "1 config; 3 config")

	expect(t, history(t, client(t, d)), before)
	expect(t, codes(fsck(t, d, store.FsckOptions{}), false), "")
	for n, want := range map[int]string{2: "config 1", 4: "config 3", 5: "config 4", 6: "config 5"} {
		sn, err := client(t, d).At(t.Context(), strconv.Itoa(n))
		if err != nil {
			t.Fatal(err)
		}
		b, err := sn.ReadFile(t.Context(), "config")
		expect(t, string(b), want)
		if err != nil {
			t.Error(err)
		}
	}
	sn, err := client(t, d).At(t.Context(), "1")
	if err != nil {
		t.Fatal(err)
	}
	var wasHere *store.GoneError
	if _, err := sn.ReadFile(t.Context(), "config"); !errors.As(err, &wasHere) || wasHere.Number != 1 {
		t.Errorf("read what is gone: %v", err)
	}
	if b, err := sn.ReadFile(t.Context(), "secrets/token"); string(b) != "swordfish 0" || err != nil {
		t.Errorf("what commit 2 names: %q, %v", b, err)
	}
	if again, err := h.Strip(t.Context(), window, true); len(again) > 0 || err != nil {
		t.Errorf("a second run strips %v, %v", again, err)
	}
	goesOn(t, d)
}

// A reader that holds an old snapshot finds bytes again that a newer record
// holds, and one that was emptied by another tool is no late write of ours.
func TestWhatIsStrippedIsNotTakenForAnEmptyFile(t *testing.T) {
	d := mem.New(mem.Options{UniqueVersions: true, NoTags: true})
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(o *store.Options) { o.Now = func() time.Time { return now } }
	for _, text := range []string{"one", "two", "one"} {
		commit(t, client(t, d, at), text, files{"config": text})
		now = now.AddDate(0, 0, 1)
	}
	old, err := client(t, d, at).At(t.Context(), "1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client(t, d, at).Strip(t.Context(), store.Window{Since: now}, true); err != nil {
		t.Fatal(err)
	}
	sn, err := client(t, d, at).At(t.Context(), "1")
	if err != nil {
		t.Fatal(err)
	}
	for _, sn := range []*store.Snapshot{old, sn} {
		if b, err := sn.ReadFile(t.Context(), "config"); string(b) != "one" || err != nil {
			t.Errorf("the newest record holds it: %q, %v", b, err)
		}
	}
	put(t, d, demo+"/config", "")
	commit(t, client(t, d, at), "next", files{"instancegroup/nodes": "n"})
	expect(t, history(t, client(t, d)), "1 change A config\n2 change M config\n3 change M config\n4 import M config\n5 change A instancegroup/nodes")
}
