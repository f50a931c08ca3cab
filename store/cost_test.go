package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
	"github.com/stateroom/stateroom/vfs/vfstest"
)

// cost plays do against a store whose every request takes a while, and returns
// what it asked for, sorted, and in how many round trips. What opens the store
// is not counted.
func cost(t *testing.T, before func(d vfs.Driver), do func(ctx context.Context, s *store.Store) error) (keys []string, rounds int) {
	return costOf(t, before, func(ctx context.Context, s *store.Store) error { return s.Load(ctx) }, do)
}

func costOf(t *testing.T, before func(d vfs.Driver), first, do func(ctx context.Context, s *store.Store) error) (keys []string, rounds int) {
	synctest.Test(t, func(t *testing.T) {
		d := mem.New(mem.Options{})
		before(d)
		time.Sleep(time.Minute)
		counter := vfstest.Count(vfstest.Delay(d, time.Second))
		s, err := store.Open(t.Context(), vfs.New(counter, "mem:"), store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := first(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		counter.Reset()
		if err := do(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		keys, rounds = counter.Keys(), counter.Rounds()
	})
	return keys, rounds
}

func manyFiles(n int, text string) files {
	f := files{"config": text}
	for i := range n - 1 {
		f[fmt.Sprintf("instancegroup/nodes-%02d", i)] = text
	}
	return f
}

// prepared makes a cluster of n files and a release.
func prepared(t *testing.T, n int) func(d vfs.Driver) {
	return func(d vfs.Driver) {
		h := client(t, d)
		commit(t, h, "create", manyFiles(n, "old"))
		if _, err := h.Update(context.Background(), "release", func(tx *store.Tx) error { tx.Release([]byte("x")); return nil }); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCommitOfKFilesCostsAtMostKAndSevenRequests(t *testing.T) {
	for _, k := range []int{1, 5, 50} {
		write := func(ctx context.Context, s *store.Store) error {
			_, err := s.Cluster(demo).Update(ctx, "new", manyFiles(k, "new").apply)
			return err
		}
		keys, rounds := cost(t, prepared(t, 50), write)
		if len(keys) > k+7 || rounds > 5 {
			t.Errorf("cold commit of %d files: %d requests in %d round trips:\n%s", k, len(keys), rounds, strings.Join(keys, "\n"))
		}
		keys, _ = cost(t, prepared(t, 50), func(ctx context.Context, s *store.Store) error {
			if _, err := s.Cluster(demo).Drift(ctx); err != nil {
				return err
			}
			before := time.Now()
			err := write(ctx, s)
			t.Logf("commit of %d files with a remembered number: %v round trips", k, time.Since(before).Seconds())
			if time.Since(before) > 4*time.Second {
				t.Errorf("a commit with a remembered number took %v round trips", time.Since(before).Seconds())
			}
			return err
		})
		if len(keys) > k+7+5 {
			t.Errorf("warm commit of %d files: %d requests", k, len(keys)-5)
		}
	}
}

// Opening a store costs one request, and no round trip.
func TestOpeningCostsNoRoundTrip(t *testing.T) {
	nothing := func(context.Context, *store.Store) error { return nil }
	for _, c := range []struct {
		what             string
		do               func(ctx context.Context, s *store.Store) error
		requests, rounds int
	}{
		{"a commit", func(ctx context.Context, s *store.Store) error {
			_, err := s.Cluster(demo).Update(ctx, "new", files{"config": "new"}.apply)
			return err
		}, 9, 5},
		{"a read", func(ctx context.Context, s *store.Store) error {
			sn, err := s.Cluster(demo).Head(ctx, "config")
			if err == nil {
				_, err = sn.ReadFile(ctx, "config")
			}
			return err
		}, 5, 2},
	} {
		keys, rounds := costOf(t, prepared(t, 2), nothing, c.do)
		if len(keys) != c.requests || rounds != c.rounds {
			t.Errorf("%s: %d requests in %d round trips, want %d in %d:\n%s", c.what, len(keys), rounds, c.requests, c.rounds, strings.Join(keys, "\n"))
		}
	}
}

func TestRequestsOfACommit(t *testing.T) {
	keys, rounds := cost(t, prepared(t, 2), func(ctx context.Context, s *store.Store) error {
		_, err := s.Cluster(demo).Update(ctx, "new", files{"config": "new"}.apply)
		return err
	})
	expect(t, strings.Join(keys, "\n"), strings.Join([]string{
		"get .stateroom/demo.example.com/head",
		"get .stateroom/demo.example.com/log/000000000002",
		"get .stateroom/demo.example.com/log/000000000003",
		"get .stateroom/demo.example.com/release",
		"list demo.example.com/",
		"put .stateroom/demo.example.com/head",
		"put .stateroom/demo.example.com/log/000000000003",
		"put demo.example.com/config",
	}, "\n"))
	if rounds != 5 {
		t.Errorf("%d round trips", rounds)
	}
}

func TestRequestsOfAReadModifyWrite(t *testing.T) {
	keys, rounds := cost(t, prepared(t, 2), func(ctx context.Context, s *store.Store) error {
		_, err := s.Cluster(demo).Update(ctx, "new", func(tx *store.Tx) error {
			b, err := tx.ReadFile(ctx, "config")
			tx.WriteFile("config", append(b, '!'))
			return err
		})
		return err
	})
	if len(keys) != 9 || rounds != 6 {
		t.Errorf("%d requests in %d round trips:\n%s", len(keys), rounds, strings.Join(keys, "\n"))
	}
}

func TestReadOfKFilesCostsThreeMoreRequestsInTwoRoundTrips(t *testing.T) {
	keys, rounds := cost(t, prepared(t, 10), func(ctx context.Context, s *store.Store) error {
		sn, err := s.Cluster(demo).Head(ctx, "config", "instancegroup/")
		if err != nil {
			return err
		}
		_, err = sn.FS(ctx, "config", "instancegroup/")
		return err
	})
	if len(keys) != 3+10 || rounds != 2 {
		t.Errorf("%d requests in %d round trips:\n%s", len(keys), rounds, strings.Join(keys, "\n"))
	}
}

func TestDriftOfACleanClusterReadsNoFile(t *testing.T) {
	keys, rounds := cost(t, prepared(t, 50), func(ctx context.Context, s *store.Store) error {
		drift, err := s.Cluster(demo).Drift(ctx)
		if len(drift) > 0 {
			t.Errorf("drift: %v", drift)
		}
		return err
	})
	if len(keys) != 5 || rounds != 2 {
		t.Errorf("%d requests in %d round trips:\n%s", len(keys), rounds, strings.Join(keys, "\n"))
	}
}

func TestListOfClustersCostsOneRequestEach(t *testing.T) {
	keys, rounds := cost(t, func(d vfs.Driver) {
		prepared(t, 2)(d)
		for i := range 40 {
			put(t, d, fmt.Sprintf("kops-%02d.example.com/config", i), "x")
			put(t, d, fmt.Sprintf("kops-%02d.example.com/addons/x.yaml", i), "x")
		}
	}, func(ctx context.Context, s *store.Store) error {
		n := 0
		for _, err := range s.Clusters(ctx) {
			if err != nil {
				return err
			}
			n++
		}
		if n != 41 {
			t.Errorf("%d clusters", n)
		}
		return nil
	})
	if len(keys) != 2+41 || rounds != 2 {
		t.Errorf("%d requests in %d round trips", len(keys), rounds)
	}
}

func TestBackupsAreListedAroundThem(t *testing.T) {
	keys, rounds := cost(t, func(d vfs.Driver) {
		prepared(t, 2)(d)
		put(t, d, demo+"/addons/bootstrap-channel.yaml", "x")
		for i := range 1000 {
			put(t, d, fmt.Sprintf("%s/backups/etcd/main/2026-%04d/etcd.backup.gz", demo, i), "x")
		}
		put(t, d, demo+"/backups/etcd/main/control/etcd-cluster-spec", "{}")
		commit(t, client(t, d), "import", files{"config": "new"})
	}, func(ctx context.Context, s *store.Store) error {
		sn, err := s.Cluster(demo).Update(ctx, "new", files{"config": "newer"}.apply)
		if err == nil && !slices.Contains(sn.Names(), "backups/etcd/main/control/etcd-cluster-spec") {
			t.Error("the specification of etcd is not tracked")
		}
		return err
	})
	if len(keys) != 8+3 || rounds > 6 {
		t.Errorf("%d requests in %d round trips:\n%s", len(keys), rounds, strings.Join(keys, "\n"))
	}
}

// summary says what an operation asked for, each key once, numbers of requests
// and round trips first.
func summary(keys []string, rounds int) string {
	return fmt.Sprintf("%d in %d\n%s", len(keys), rounds, strings.ReplaceAll(strings.Join(keys, "\n"), ".stateroom/"+demo, "~"))
}

func TestRequestsOfReadsAndCommits(t *testing.T) {
	read := func(ctx context.Context, s *store.Store) error {
		sn, err := s.Cluster(demo).Head(ctx, "config")
		if err == nil {
			_, err = sn.ReadFile(ctx, "config")
		}
		return err
	}
	expect(t, summary(cost(t, prepared(t, 2), read)), `4 in 2
get ~/head
get ~/log/000000000002
get ~/log/000000000003
get `+demo+`/config`)

	lost := func(d vfs.Driver) { prepared(t, 2)(d); remove(t, d, own+"/head") }
	expect(t, summary(cost(t, lost, read)), `6 in 6
get ~/head
get ~/log/000000000001
get ~/log/000000000002
get ~/log/000000000003
get ~/log/000000000004
get `+demo+`/config`)

	edit := func(ctx context.Context, s *store.Store) error {
		_, err := s.Cluster(demo).Reading("config", "instancegroup/").Update(ctx, "new", func(tx *store.Tx) error {
			if _, err := tx.FS(ctx, "config", "instancegroup/"); err != nil {
				return err
			}
			return manyFiles(5, "new").apply(tx)
		})
		return err
	}
	expect(t, summary(cost(t, prepared(t, 5), edit)), `16 in 5
get ~/head
get ~/log/000000000002
get ~/log/000000000003
get `+demo+`/config
get `+demo+`/instancegroup/nodes-00
get `+demo+`/instancegroup/nodes-01
get `+demo+`/instancegroup/nodes-02
get `+demo+`/instancegroup/nodes-03
list `+demo+`/
put ~/head
put ~/log/000000000003
put `+demo+`/config
put `+demo+`/instancegroup/nodes-00
put `+demo+`/instancegroup/nodes-01
put `+demo+`/instancegroup/nodes-02
put `+demo+`/instancegroup/nodes-03`)
}

func TestLogOfNCommitsCostsNRequestsManyAtOnce(t *testing.T) {
	const n = 16 + 32 + 64 + 64
	keys, rounds := cost(t, func(d vfs.Driver) {
		for i := range n {
			commit(t, client(t, d), "change", files{"config": fmt.Sprint(i)})
		}
	}, func(ctx context.Context, s *store.Store) error {
		for _, err := range s.Cluster(demo).Log(ctx) {
			if err != nil {
				return err
			}
		}
		return nil
	})
	if len(keys) != n+2 || rounds != 2+4 {
		t.Errorf("%d requests in %d round trips", len(keys), rounds)
	}
}

func TestConfigsOfTwentyClustersCostOneRequestEach(t *testing.T) {
	keys, rounds := cost(t, func(d vfs.Driver) {
		prepared(t, 2)(d)
		for i := range 19 {
			put(t, d, fmt.Sprintf("kops-%02d.example.com/config", i), "x")
			put(t, d, fmt.Sprintf("kops-%02d.example.com/backups/etcd/main/x", i), "x")
		}
	}, func(ctx context.Context, s *store.Store) error {
		return s.PlainConfigs(ctx, func(c store.PlainConfig) {
			if c.Err != nil {
				t.Error(c.Err)
			}
		})
	})
	if len(keys) != 1+20 || rounds != 2 {
		t.Errorf("%d requests in %d round trips:\n%s", len(keys), rounds, strings.Join(keys, "\n"))
	}
}
