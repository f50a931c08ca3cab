package stateroom

import (
	"context"
	"strings"
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
func cost(t *testing.T, d vfs.Driver, do func(ctx context.Context, s *Store) error) *vfstest.Counter {
	t.Helper()
	var counter *vfstest.Counter
	synctest.Test(t, func(t *testing.T) {
		counter = vfstest.Count(vfstest.Delay(d, time.Second))
		s, err := Open(t.Context(), vfs.New(counter, "mem:"), Options{Author: "Ada <ada@example.com>", Notice: func(store.Notice) {}, Now: later})
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

// TestCostsOfCommands holds what commands ask of a store, its opening included:
// one request beside the first others that the design of the store does not
// count, and so is the lease. An edit reads the documents in the round trip of the records.
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
		{"read a cluster of four documents", 1 + 3 + 4, 2, func(ctx context.Context, s *Store) error { _, err := s.Cluster(ctx, demo); return err }},
		{"list clusters", 1 + 1 + 1, 2, func(ctx context.Context, s *Store) error { _, err := s.ClusterConfigs(ctx); return err }},
		{"edit a cluster", 2 + 7, 5, edit("spec.channel=alpha")},
		{"edit what others wrote before", 2 + 7 + 3, 5, edit("spec.channel=stable")},
		{"first update: a key, 8 keysets, 2 bundles, the release", 23, 6, update},
		{"update with nothing to do", 14, 3, update},
		{"edit once it is live", 2 + 8 + 4, 5, edit("spec.kubeAPIServer.maxRequestsInflight=801")},
		{"plan", 25, 4, func(ctx context.Context, s *Store) error {
			_, err := s.Plan(ctx, demo, Programs{Catalogue: made()})
			return err
		}},
		{"second update: one bundle", 29, 8, update},
		{"log of seven commits", 1 + 1 + 7 + 1, 3, func(ctx context.Context, s *Store) error {
			for _, err := range s.Log(ctx, demo) {
				if err != nil {
					return err
				}
			}
			return nil
		}},
	} {
		c := cost(t, d, step.do)
		t.Logf("%s: %d requests, %d in a row", step.name, c.Total(), c.Rounds())
		if c.Total() > step.requests || c.Rounds() > step.rounds {
			t.Errorf("%s: %d requests in %d round trips, not %d in %d:\n%s", step.name, c.Total(), c.Rounds(), step.requests, step.rounds, c)
		}
		if c.Ops()["list"] > 2 || strings.Contains(c.String(), "backups/") {
			t.Errorf("%s:\n%s", step.name, c)
		}
	}
}
