package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs/mem"
)

// A lease is fenced: that of another life of the cluster, or of a store that
// went on elsewhere, holds nothing.
func TestLeaseHoldsOnlyWhereItWasTaken(t *testing.T) {
	d := mem.New(mem.Options{})
	commit(t, client(t, d), "create", files{"config": "a"})
	if _, err := client(t, d).TakeLease(t.Context(), "change\nfreeze", time.Hour, false); err != nil {
		t.Fatal(err)
	}
	bob := client(t, d, func(o *store.Options) { o.Author = "Bob <bob@example.com>" })
	held := func() string {
		l, err := client(t, d).Lease(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if l == nil {
			return "nobody"
		}
		return l.Holder + ": " + l.Reason
	}
	expect(t, held(), "Ada <ada@example.com>: change freeze")
	var other *store.LeaseError
	if _, err := bob.TakeLease(t.Context(), "mine", time.Hour, false); !errors.As(err, &other) || !errors.Is(err, store.ErrConflict) {
		t.Errorf("Bob takes it: %v", err)
	}
	commit(t, bob, "nobody is refused", files{"config": "b"})
	expect(t, held(), "Ada <ada@example.com>: change freeze")

	key := ".stateroom/" + demo + "/lease"
	text := get(t, d, key)
	for _, fenced := range []string{
		strings.Replace(text, "commit 1\n", "commit 9\n", 1),
		strings.Replace(text, demo, "other.example.com", 1),
		strings.Replace(text, "cluster ", "cluster 0", 1),
		text[:len(text)/2],
		"",
	} {
		put(t, d, key, fenced)
		expect(t, held(), "nobody")
	}
	if _, err := bob.TakeLease(t.Context(), "mine", time.Hour, false); err != nil {
		t.Error(err)
	}
	expect(t, held(), "Bob <bob@example.com>: mine")
	later := client(t, d, func(o *store.Options) { o.Now = func() time.Time { return time.Now().Add(2 * time.Hour) } })
	if l, err := later.Lease(t.Context()); l != nil || err != nil {
		t.Errorf("after its time: %v, %v", l, err)
	}
}
