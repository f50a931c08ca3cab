package store_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs/mem"
)

func TestLeaseIsAdviceThatEnds(t *testing.T) {
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

	if _, err := bob.TakeLease(t.Context(), "mine", time.Hour, true); err != nil {
		t.Error(err)
	}
	expect(t, held(), "Bob <bob@example.com>: mine")
	later := client(t, d, func(o *store.Options) { o.Now = func() time.Time { return time.Now().Add(2 * time.Hour) } })
	if l, err := later.Lease(t.Context()); l != nil || err != nil {
		t.Errorf("after its time: %v, %v", l, err)
	}
}

// A lease ends with the life of the cluster it was taken of.
func TestLeaseEndsWithTheCluster(t *testing.T) {
	d := mem.New(mem.Options{})
	h := client(t, d)
	commit(t, h, "create", files{"config": "a"})
	if _, err := h.TakeLease(t.Context(), "mine", time.Hour, false); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Delete(t.Context(), "delete"); err != nil {
		t.Fatal(err)
	}
	if l, err := h.Lease(t.Context()); l != nil || err != nil {
		t.Errorf("once it is deleted: %v, %v", l, err)
	}
	if _, err := h.TakeLease(t.Context(), "mine", time.Hour, false); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of a deleted cluster: %v", err)
	}
	commit(t, h, "create again", files{"config": "b"})
	if l, err := h.Lease(t.Context()); l != nil || err != nil {
		t.Errorf("of the next cluster: %v, %v", l, err)
	}
}

// The head is written by commits and for leases: neither undoes the other.
func TestLeasesAndCommitsMeetInTheHead(t *testing.T) {
	d := mem.New(mem.Options{})
	commit(t, client(t, d), "create", files{"config": "0"})
	const each = 20
	var wg sync.WaitGroup
	for w := range 3 {
		wg.Go(func() {
			h := client(t, d)
			for i := range each {
				commit(t, h, "change", files{fmt.Sprintf("instancegroup/%d", w): fmt.Sprint(i)})
			}
		})
		wg.Go(func() {
			for range each {
				if _, err := client(t, d).TakeLease(t.Context(), "mine", time.Hour, false); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	sn, err := client(t, d).Head(t.Context())
	if err != nil || sn.Commit().Number != 1+3*each {
		t.Errorf("%v after %d commits: %v", sn.Commit().Number, 1+3*each, err)
	}
	l, err := client(t, d).Lease(t.Context())
	if err != nil || l == nil {
		t.Errorf("the lease is lost: %v", err)
	}
	if l, err = client(t, d).DropLease(t.Context(), false); err != nil || l == nil {
		t.Errorf("drop: %v, %v", l, err)
	}
	if l, err = client(t, d).DropLease(t.Context(), false); err != nil || l != nil {
		t.Errorf("drop again: %v, %v", l, err)
	}
}

// A head that was lost takes the lease with it, and is made again for the next.
func TestLeaseWhereTheHeadIsLost(t *testing.T) {
	d := mem.New(mem.Options{})
	commit(t, client(t, d), "create", files{"config": "a"})
	remove(t, d, own+"/head")
	if _, err := client(t, d).TakeLease(t.Context(), "mine", time.Hour, false); err != nil {
		t.Error(err)
	}
	if l, err := client(t, d).Lease(t.Context()); l == nil || err != nil {
		t.Errorf("%v, %v", l, err)
	}
}

// Whoever writes under the lease of another is told, once, before anything is done.
func TestWritersAreToldOfALease(t *testing.T) {
	d := mem.New(mem.Options{})
	ada := client(t, d)
	commit(t, ada, "create", files{"config": "a"})
	if _, err := ada.TakeLease(t.Context(), "freeze", time.Hour, false); err != nil {
		t.Fatal(err)
	}
	var told []string
	bob := client(t, d, func(o *store.Options) {
		o.Author = "Bob <bob@example.com>"
		o.Notice = func(n store.Notice) { told = append(told, fmt.Sprintf("%s %s: %s", n.Kind, n.Author, n.Message)) }
	})
	_, err := bob.Update(t.Context(), "change", func(tx *store.Tx) error {
		told = append(told, "asked what to write")
		tx.WriteFile("config", []byte("b"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, strings.Join(told, "\n"), "leased Ada <ada@example.com>: freeze\nasked what to write")
}
