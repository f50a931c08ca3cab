package stateroom

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
	"github.com/stateroom/stateroom/vfs/vfstest"
)

// cost opens a store whose every request takes a while, as a command does,
// plays do on it, and returns what it asked for and in how many round trips.
func cost(t *testing.T, d vfs.Driver, cache *store.Cache, do func(ctx context.Context, s *Store) error) *vfstest.Counter {
	t.Helper()
	var counter *vfstest.Counter
	synctest.Test(t, func(t *testing.T) {
		counter = vfstest.Count(vfstest.Delay(d, time.Second))
		s, err := Open(t.Context(), vfs.New(counter, "mem:"), Options{Author: "Ada <ada@example.com>", Cache: cache, Now: later})
		if err == nil {
			err = do(t.Context(), s)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	return counter
}

func later() time.Time { return time.Now().Add(time.Hour) }

// TestCostsOfCommands holds what commands ask of a store, its opening included,
// where nothing is cached: an edit reads the documents that the newest record
// does not hold, in the round trip of the records.
func TestCostsOfCommands(t *testing.T) {
	d := mem.New(mem.Options{})
	s, err := Open(t.Context(), vfs.New(d, "mem:"), Options{Author: "Ada <ada@example.com>"})
	if err != nil {
		t.Fatal(err)
	}
	create(t, s)
	edit := func(text string) func(ctx context.Context, s *Store) error {
		return func(ctx context.Context, s *Store) error {
			_, err := s.Edit(ctx, demo, Edit{Patch: set(t, text)}, Write{})
			return err
		}
	}
	update := func(ctx context.Context, s *Store) error {
		_, err := s.Update(ctx, demo, Programs{Catalogue: made()}, Write{})
		return err
	}
	for _, step := range []struct {
		name             string
		requests, rounds int
		do               func(ctx context.Context, s *Store) error
	}{
		{"read a cluster of four documents", 1 + 3, 2, func(ctx context.Context, s *Store) error { _, err := s.Cluster(ctx, demo); return err }},
		{"list clusters", 1 + 1 + 1, 2, func(ctx context.Context, s *Store) error { _, err := s.ClusterConfigs(ctx); return err }},
		{"edit a cluster", 8, 5, edit("spec.channel=alpha")},
		{"edit what others wrote before", 8 + 3, 5, edit("spec.channel=stable")},
		{"first update: a key, 8 keysets, 2 bundles, the release", 22, 6, update},
		{"update with nothing to do", 13, 3, update},
		{"edit once it is live", 8 + 4, 5, edit("spec.kubeAPIServer.maxRequestsInflight=801")},
		{"plan", 24, 4, func(ctx context.Context, s *Store) error {
			_, err := s.Plan(ctx, demo, Programs{Catalogue: made()})
			return err
		}},
		{"second update: one bundle", 28, 8, update},
		{"log of seven commits", 1 + 1 + 7 + 1, 3, func(ctx context.Context, s *Store) error {
			for _, err := range s.Log(ctx, demo) {
				if err != nil {
					return err
				}
			}
			return nil
		}},
	} {
		c := cost(t, d, nil, step.do)
		t.Logf("%s: %d requests, %d in a row", step.name, c.Total(), c.Rounds())
		if c.Total() > step.requests || c.Rounds() > step.rounds {
			t.Errorf("%s: %d requests in %d round trips, not %d in %d:\n%s", step.name, c.Total(), c.Rounds(), step.requests, step.rounds, c)
		}
		if c.Ops()["list"] > 2 || strings.Contains(c.String(), "backups/") {
			t.Errorf("%s:\n%s", step.name, c)
		}
	}
}

// TestAnEditCostsEightRequests holds the cost of a commit of one file by a
// command, from the opening of the store on, whatever lies in older records:
// documents that were read or written once are in the user's cache.
func TestAnEditCostsEightRequests(t *testing.T) {
	d, cache := mem.New(mem.Options{}), memoryCache()
	s, err := Open(t.Context(), vfs.New(d, "mem:"), Options{Author: "Ada <ada@example.com>", Cache: cache})
	if err != nil {
		t.Fatal(err)
	}
	create(t, s)
	for i := range 5 {
		if i == 3 {
			cost(t, d, cache, func(ctx context.Context, s *Store) error {
				_, err := s.Update(ctx, demo, Programs{Catalogue: made()}, Write{})
				return err
			})
		}
		c := cost(t, d, cache, func(ctx context.Context, s *Store) error {
			_, err := s.Edit(ctx, demo, Edit{Patch: set(t, fmt.Sprintf("spec.kubeAPIServer.maxRequestsInflight=80%d", i))}, Write{})
			return err
		})
		if c.Total() != 8 || c.Rounds() != 5 {
			t.Errorf("edit %d: %d requests in %d round trips:\n%s", i, c.Total(), c.Rounds(), c)
		}
	}
	c := cost(t, d, cache, func(ctx context.Context, s *Store) error { _, err := s.Cluster(ctx, demo); return err })
	if c.Total() != 4 || c.Rounds() != 2 {
		t.Errorf("read: %d requests in %d round trips:\n%s", c.Total(), c.Rounds(), c)
	}
}

func memoryCache() *store.Cache {
	var m sync.Map
	return &store.Cache{
		Get: func(key string) []byte {
			b, ok := m.Load(key)
			if !ok {
				return nil
			}
			return b.([]byte)
		},
		Put:  func(key string, b []byte) { m.Store(key, b) },
		Drop: func(key string) { m.Delete(key) },
	}
}
