package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs/mem"
)

// fiveCommits makes a history in which each record holds something that a later
// one needs.
func fiveCommits(t *testing.T, d *mem.Driver) {
	t.Helper()
	for i, f := range []files{
		{"config": "a: 1\n", "instancegroup/old": "group"},
		{"instancegroup/nodes": "nodes"},
		{"secrets/token": "hunter2"},
		{"config": "a: 4\n"},
		{"config": "a: 5\n"},
	} {
		commit(t, client(t, d), fmt.Sprintf("change %d", i+1), f)
	}
}

func recordKey(n int) string { return fmt.Sprintf("%s/log/%012d", own, n) }

// Old records are not looked at by ordinary work. Whoever does look at one must
// hear that it is damaged, and which: never other bytes, never a missing file.
func TestADamagedOldRecordIsNamedByWhoeverReadsIt(t *testing.T) {
	damages := map[string]func(t *testing.T, d *mem.Driver, n int){
		"missing":   func(t *testing.T, d *mem.Driver, n int) { remove(t, d, recordKey(n)) },
		"empty":     func(t *testing.T, d *mem.Driver, n int) { put(t, d, recordKey(n), "") },
		"cut":       func(t *testing.T, d *mem.Driver, n int) { put(t, d, recordKey(n), get(t, d, recordKey(n))[:200]) },
		"no record": func(t *testing.T, d *mem.Driver, n int) { put(t, d, recordKey(n), "kind: Cluster\n") },
		"message": func(t *testing.T, d *mem.Driver, n int) {
			put(t, d, recordKey(n), strings.Replace(get(t, d, recordKey(n)), "change", "chance", 1))
		},
		"another number": func(t *testing.T, d *mem.Driver, n int) { put(t, d, recordKey(n), get(t, d, recordKey(n+1))) },
		"another history's": func(t *testing.T, d *mem.Driver, n int) {
			other := mem.New(mem.Options{})
			fiveCommits(t, other)
			put(t, d, recordKey(n), get(t, other, recordKey(n)))
		},
	}
	for name, damage := range damages {
		for n := 1; n <= 3; n++ {
			t.Run(fmt.Sprint(name, " ", n), func(t *testing.T) {
				d := mem.New(mem.Options{})
				fiveCommits(t, d)
				damage(t, d, n)
				wantDamaged(t, "log", n, readLog(t, d))
				_, err := client(t, d).At(t.Context(), fmt.Sprint(n))
				wantDamaged(t, "at", n, err)
				_, err = client(t, d).At(t.Context(), fmt.Sprintf("head~%d", 5-n))
				wantDamaged(t, "at head~", n, err)
				for whole := range 5 {
					if sn, err := client(t, d).At(t.Context(), fmt.Sprint(whole+1)); whole+1 != n && err != nil {
						t.Errorf("commit %d: %v, %v", whole+1, sn, err)
					}
				}
				// The head is whole, and so are the plain files.
				commit(t, client(t, d), "life goes on", files{"config": "a: 6\n"})
			})
		}
	}
}

func readLog(t *testing.T, d *mem.Driver) error {
	for _, err := range client(t, d).Log(t.Context()) {
		if err != nil {
			return err
		}
	}
	return nil
}

func wantDamaged(t *testing.T, what string, n int, err error) {
	t.Helper()
	if damaged, ok := errors.AsType[*store.DamagedError](err); !ok || damaged.Number != n && damaged.Number != n+1 {
		t.Errorf("%s: %v", what, err)
	}
}

// Bytes of a file come out of the record that the manifest names. If that one
// holds others, though it is whole in itself, they are not the file.
func TestBytesOutOfARecordAreHeldAgainstTheManifest(t *testing.T) {
	for name, n := range map[string]int{"instancegroup/old": 1, "instancegroup/nodes": 2, "secrets/token": 3} {
		d, other := mem.New(mem.Options{}), mem.New(mem.Options{})
		fiveCommits(t, d)
		for i, f := range []files{
			{"config": "a: 1\n", "instancegroup/old": "other"},
			{"instancegroup/nodes": "other"},
			{"secrets/token": "hunter3"},
		} {
			commit(t, client(t, other), fmt.Sprint(i), f)
		}
		put(t, d, recordKey(n), get(t, other, recordKey(n)))
		remove(t, d, demo+"/"+name)
		for _, ref := range []string{"head", "4"} {
			sn, err := client(t, d).At(t.Context(), ref)
			if err != nil {
				t.Fatal(err)
			}
			b, err := sn.ReadFile(t.Context(), name)
			if damaged, ok := errors.AsType[*store.DamagedError](err); !ok || damaged.Number != n {
				t.Errorf("%s at %s: %q, %v", name, ref, b, err)
			}
		}
	}
}

// A keyed digest can be checked by nobody but who has the key.
func TestAlteredBytesOfASecretAreNoticed(t *testing.T) {
	d := mem.New(mem.Options{})
	fiveCommits(t, d)
	put(t, d, recordKey(3), strings.Replace(get(t, d, recordKey(3)), "hunter2", "hunter3", 1))
	remove(t, d, demo+"/secrets/token")
	sn, err := client(t, d).At(t.Context(), "4")
	if err != nil {
		t.Fatal(err)
	}
	b, err := sn.ReadFile(t.Context(), "secrets/token")
	if damaged, ok := errors.AsType[*store.DamagedError](err); !ok || damaged.Number != 3 || strings.Contains(err.Error(), "hunter") {
		t.Errorf("%q, %v", b, err)
	}
}

// Nor is the newest record believed where its bytes of a secret were altered:
// the plain file is the right one, and is what a change is made on.
func TestAlteredBytesOfASecretInTheNewestRecordAreNotUsed(t *testing.T) {
	d := mem.New(mem.Options{})
	commit(t, client(t, d), "create", files{"config": "a: 1\n", "secrets/token": "hunter2"})
	put(t, d, recordKey(1), strings.Replace(get(t, d, recordKey(1)), "hunter2", "hunter3", 1))
	for _, h := range []*store.History{client(t, d), client(t, d).Reading()} {
		err := h.Rehearse(t.Context(), func(tx *store.Tx) error {
			b, err := tx.ReadFile(t.Context(), "secrets/token")
			if string(b) != "hunter2" {
				t.Errorf("%q, %v", b, err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}
