package store_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/store/storetest"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
	"github.com/stateroom/stateroom/vfs/vfstest"
)

const own = ".stateroom/" + demo

// threeCommits makes a cluster with three commits.
func threeCommits(t *testing.T, d vfs.Driver) *store.History {
	h := client(t, d)
	for i := range 3 {
		commit(t, h, fmt.Sprint("change ", i), files{"config": fmt.Sprintf("a: %d\n", i)})
	}
	return client(t, d)
}

func TestReadsWriteNothing(t *testing.T) {
	d := mem.New(mem.Options{})
	threeCommits(t, d)
	put(t, d, demo+"/config", "foreign")
	remove(t, d, own+"/head")
	counter := vfstest.Count(d)
	h := client(t, counter)
	sn, err := h.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sn.FS(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := h.At(t.Context(), "1"); err != nil {
		t.Error(err)
	}
	history(t, h)
	if _, err := h.Drift(t.Context()); err != nil {
		t.Error(err)
	}
	if ops := counter.Ops(); ops["put"]+ops["delete"] > 0 {
		t.Errorf("%v", counter.Keys())
	}
}

func TestALostHeadIsFoundAgainAndRepaired(t *testing.T) {
	memories(t, func(t *testing.T, d *mem.Driver) {
		for n := range 20 {
			commit(t, client(t, d), "change", files{"config": fmt.Sprint(n)})
			remove(t, d, own+"/head")
			sn, err := client(t, d).Head(t.Context())
			if err != nil || sn.Commit().Number != n+1 {
				t.Fatalf("head of %d commits: %v", n+1, err)
			}
		}
		if _, err := storetest.Check(t.Context(), vfs.New(d, "mem:"), demo); err != nil {
			t.Error(err)
		}
		if get(t, d, own+"/head") == "-" {
			t.Error("the head is still not there")
		}
	})
}

func TestACopyTakenDuringACommitIsReadOnly(t *testing.T) {
	d := mem.New(mem.Options{})
	h := threeCommits(t, d)
	remove(t, d, own+"/log/000000000003")
	sn, err := client(t, d).Head(t.Context())
	if err != nil || sn.Commit().Number != 2 {
		t.Errorf("read: %v", err)
	}
	b, err := sn.ReadFile(t.Context(), "config")
	if err != nil || string(b) != "a: 1\n" {
		t.Errorf("%q, %v", b, err)
	}
	_, err = client(t, d).Update(t.Context(), "edit", files{"config": "x"}.apply)
	if damaged, ok := errors.AsType[*store.DamagedError](err); !ok || damaged.Number != 3 || damaged.Hint() == "" {
		t.Errorf("update: %v", err)
	}
	expect(t, get(t, d, demo+"/config"), "a: 2\n")
	_ = h
}

func TestADamagedRecordBlocksWriters(t *testing.T) {
	for what, mend := range map[string]func(string) string{
		"cut":       func(s string) string { return s[:len(s)-9] },
		"changed":   func(s string) string { return strings.Replace(s, "a: 2", "a: 9", 1) },
		"another's": func(s string) string { return strings.Replace(s, "# number 3", "# number 4", 1) },
	} {
		d := mem.New(mem.Options{})
		threeCommits(t, d)
		put(t, d, own+"/log/000000000003", mend(get(t, d, own+"/log/000000000003")))
		_, err := client(t, d).Update(t.Context(), "edit", files{"config": "x"}.apply)
		if damaged, ok := errors.AsType[*store.DamagedError](err); !ok || damaged.Number != 3 {
			t.Errorf("%s: %v", what, err)
		}
		expect(t, get(t, d, own+"/log/000000000004"), "-")
	}
}

func TestANewerFormatIsRefusedAndSaysWhere(t *testing.T) {
	ctx := t.Context()
	newer := func(d vfs.Driver, key string) {
		line, rest, _ := strings.Cut(get(t, d, key), "\n")
		put(t, d, key, line[:len(line)-1]+"2\n"+rest)
	}
	for key, want := range map[string]string{
		own + "/log/000000000003": "log record 3 of demo.example.com was written by a newer Stateroom (format 2, this one reads 1)",
		own + "/head":             "the head of demo.example.com was written by a newer Stateroom (format 2, this one reads 1)",
		".stateroom/store":        "the store mem: was written by a newer Stateroom (format 2, this one reads 1)",
	} {
		d := mem.New(mem.Options{})
		threeCommits(t, d)
		newer(d, key)
		s, err := store.Open(ctx, vfs.New(d, "mem:"), store.Options{})
		if err == nil {
			_, err = s.Cluster(demo).Head(ctx)
		}
		refused, ok := errors.AsType[*store.FormatError](err)
		if !ok || refused.Hint() != "upgrade stateroom" || refused.Error() != want {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestARecordThatDoesNotFollowIsNoticed(t *testing.T) {
	d, other := mem.New(mem.Options{}), mem.New(mem.Options{})
	threeCommits(t, d)
	threeCommits(t, other)
	put(t, d, own+"/log/000000000002", get(t, other, own+"/log/000000000002"))
	for _, err := range client(t, d).Log(t.Context()) {
		if damaged, ok := errors.AsType[*store.DamagedError](err); ok && damaged.Number == 3 {
			return
		}
	}
	t.Error("the log is read as if nothing were wrong")
}

func TestClosedHistoriesTakeNoCommits(t *testing.T) {
	d := mem.New(mem.Options{})
	put(t, d, own+"/log/000000000001", sealedRecord)
	_, err := client(t, d).Update(t.Context(), "edit", files{"config": "x"}.apply)
	if closed, ok := errors.AsType[*store.ClosedError](err); !ok || closed.Kind != store.Sealed || closed.Hint() == "" {
		t.Errorf("%v", err)
	}
}

func TestBadNamesFailTheUpdate(t *testing.T) {
	d := mem.New(mem.Options{})
	h := threeCommits(t, d)
	for _, change := range []func(tx *store.Tx){
		func(tx *store.Tx) { tx.WriteFile(".git/config", nil) },
		func(tx *store.Tx) { tx.WriteFile("backups/x", nil) },
		func(tx *store.Tx) { tx.WriteFile("config/x", nil) },
		func(tx *store.Tx) { tx.Remove("../x") },
		func(tx *store.Tx) { tx.Stage("log/000000000009", nil) },
		func(tx *store.Tx) { tx.Stage("x/config", nil) },
	} {
		_, err := h.Update(t.Context(), "bad", func(tx *store.Tx) error { change(tx); return nil })
		if err == nil || !errors.Is(err, fs.ErrInvalid) && !strings.Contains(err.Error(), "is a folder of") {
			t.Errorf("%v", err)
		}
	}
	for _, name := range []string{"", "..", "a/b", ".stateroom", ".x"} {
		s, err := store.Open(t.Context(), vfs.New(d, "mem:"), store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Cluster(name).Update(t.Context(), "bad", files{"config": "x"}.apply); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("cluster %q: %v", name, err)
		}
		if _, err := s.Cluster(name).Head(t.Context()); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("cluster %q: %v", name, err)
		}
	}
}

// TestAYoungUnfinishedCommitIsLeftToItsWriterForAWhile: two seconds, no more.
func TestAYoungUnfinishedCommitIsLeftToItsWriterForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := mem.New(mem.Options{})
		commit(t, client(t, d, patient), "create", files{"config": "a: 1\n"})
		f := vfstest.Fault(d, 5, vfstest.CrashedAfter)
		client(t, f).Update(context.Background(), "crashes", files{"config": "a: 2\n"}.apply) //nolint:errcheck // it crashes
		expect(t, get(t, d, demo+"/config"), "a: 1\n")
		began := time.Now()
		commit(t, client(t, d, patient), "next", files{"instancegroup/nodes": "x"})
		if waited := time.Since(began); waited < 1900*time.Millisecond || waited > 4*time.Second {
			t.Errorf("waited %v", waited)
		}
		expect(t, get(t, d, demo+"/config"), "a: 2\n")
		expect(t, history(t, client(t, d)), "1 change A config\n2 change M config\n3 change A instancegroup/nodes")
	})
}

func TestContentionThatDoesNotEndIsAConflict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := mem.New(mem.Options{})
		commit(t, client(t, d), "create", files{"config": "a: 1\n"})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		other, n := client(t, d), 0
		_, err := client(t, vfstest.Delay(d, 100*time.Millisecond)).Update(ctx, "slow", func(tx *store.Tx) error {
			n++
			commit(t, other, "fast", files{"instancegroup/nodes": fmt.Sprint(n)})
			tx.WriteFile("config", []byte("slow"))
			return nil
		})
		if !errors.Is(err, store.ErrConflict) && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if n < 3 {
			t.Errorf("gave up after %d attempts", n)
		}
	})
}

func TestAtUnderstandsNumbersHeadsAndTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := mem.New(mem.Options{})
		began := time.Now()
		h := client(t, d)
		for i := range 5 {
			commit(t, h, "change", files{"config": fmt.Sprint(i)})
			time.Sleep(time.Hour)
		}
		for ref, want := range map[string]int{
			"1": 1, "5": 5, "head": 5, "head~0": 5, "head~3": 2,
			began.Format(time.RFC3339): 1, began.Add(150 * time.Minute).Format(time.RFC3339): 3, began.Add(100 * time.Hour).Format(time.RFC3339): 5,
			"0": 0, "6": 0, "head~5": 0, "x": 0, "head~": 0, "head~-1": 0, began.Add(-time.Second).Format(time.RFC3339): 0,
		} {
			sn, err := client(t, d).At(t.Context(), ref)
			switch {
			case want == 0 && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrInvalid):
				t.Errorf("%s: %v", ref, err)
			case want > 0 && (err != nil || sn.Commit().Number != want):
				t.Errorf("%s is not %d: %v", ref, want, err)
			}
		}
	})
}

// sealedRecord is a history of one record, which ends it for writers.
var sealedRecord = func() string {
	const text = `# stateroom log 1
# cluster 6f0c1c7e-2b0a-4a54-9d4e-0d5a2c1b7f10 "demo.example.com"
# number 1
# parent none
# transaction 01JD8Q4Z5N0G4B2X7M9T1V3W5Y
# kind sealed
`
	return fmt.Sprintf("%s# digest sha256:%x\n", text, sha256.Sum256([]byte(text)))
}()

// TestAGarbledHeadIsMadeAgain: the log says all that it said.
func TestAGarbledHeadIsMadeAgain(t *testing.T) {
	memories(t, func(t *testing.T, d *mem.Driver) {
		threeCommits(t, d)
		for _, garbage := range []string{"", "x", get(t, d, own+"/head")[:40], strings.Replace(get(t, d, own+"/head"), "number 3", "number 2", 1)} {
			put(t, d, own+"/head", garbage)
			sn, err := client(t, d).Head(t.Context())
			if err != nil {
				t.Fatalf("%q: %v", garbage, err)
			}
			b, err := sn.ReadFile(t.Context(), "config")
			if err != nil || string(b) != "a: 2\n" {
				t.Errorf("%q: %q, %v", garbage, b, err)
			}
			if strings.Contains(garbage, "number 2") {
				continue // of a copy, it may be: that one is for people
			}
			if _, err := storetest.Check(t.Context(), vfs.New(d, "mem:"), demo); err != nil {
				t.Errorf("%q: %v", garbage, err)
			}
			if !strings.Contains(get(t, d, own+"/head"), "number 3") {
				t.Errorf("%q was not made again", garbage)
			}
		}
	})
}

func TestAMissingRecordIsDamageAndHidesNoOtherCluster(t *testing.T) {
	d := mem.New(mem.Options{})
	h := threeCommits(t, d)
	put(t, d, "kops.example.com/config", "x")
	remove(t, d, own+"/log/000000000002")
	_, err := h.At(t.Context(), "2")
	if damaged, ok := errors.AsType[*store.DamagedError](err); !ok || damaged.Number != 2 || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	put(t, d, own+"/head", "garbage")
	put(t, d, own+"/log/000000000001", "garbage")
	s, err := store.Open(t.Context(), vfs.New(d, "mem:"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for name, err := range s.Clusters(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	expect(t, strings.Join(names, " "), "demo.example.com kops.example.com")
	_, err = s.Cluster(demo).Update(t.Context(), "edit", files{"config": "x"}.apply)
	if err == nil || strings.Count(err.Error(), demo) != 1 {
		t.Errorf("%v", err)
	}
}

func TestALostOrForeignReleaseIsShownAndPutRight(t *testing.T) {
	memories(t, func(t *testing.T, d *mem.Driver) {
		h := client(t, d)
		if _, err := h.Update(t.Context(), "release", func(tx *store.Tx) error {
			tx.WriteFile("config", []byte("a: 1\n"))
			tx.Release([]byte("release"))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		for _, spoil := range []func(){
			func() { remove(t, d, own+"/release") },
			func() { put(t, d, own+"/release", "evil") },
		} {
			spoil()
			drift, err := client(t, d).Drift(t.Context())
			if err != nil || len(drift) != 1 || drift[0].Name != ".stateroom/release" {
				t.Errorf("%v, %v", drift, err)
			}
			commit(t, client(t, d), "nothing", nil)
			expect(t, get(t, d, own+"/release"), "release")
		}
		expect(t, kinds(t, h), "release")
	})
}

// TestARehearsalWritesNothing, over foreign edits and a crashed writer.
func TestARehearsalWritesNothing(t *testing.T) {
	d := mem.New(mem.Options{})
	commit(t, client(t, d), "create", files{"config": "a: 1\n", "x": "1"})
	f := vfstest.Fault(d, 5, vfstest.CrashedAfter)
	client(t, f).Update(t.Context(), "crashes", files{"config": "a: 2\n"}.apply) //nolint:errcheck // it crashes
	put(t, d, demo+"/x", "sed")
	counter := vfstest.Count(d)
	boom := errors.New("boom")
	err := client(t, counter).Rehearse(t.Context(), func(tx *store.Tx) error {
		config, err := tx.ReadFile(t.Context(), "config")
		x, err2 := tx.ReadFile(t.Context(), "x")
		if string(config) != "a: 2\n" || string(x) != "sed" {
			t.Errorf("rehearsed on %q and %q, %v", config, x, errors.Join(err, err2))
		}
		tx.WriteFile("config", []byte("a: 3\n"))
		return boom
	})
	if !errors.Is(err, boom) {
		t.Errorf("%v", err)
	}
	if ops := counter.Ops(); ops["put"]+ops["delete"] > 0 {
		t.Errorf("%v", counter.Keys())
	}
}
