package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
	"github.com/stateroom/stateroom/vfs/vfstest"
)

const large = "large.example.com"

// longHistory makes a cluster of some 43 files whose config was changed by each
// of n commits, an hour apart, and an instance group by every hundredth. It
// writes the objects themselves, as n updates would have left them.
func longHistory(t testing.TB, d vfs.Driver, n int) {
	t.Helper()
	put := func(key string, b []byte) vfs.Version {
		e, err := d.Put(context.Background(), key, b, vfs.Cond{}, "")
		if err != nil {
			t.Fatal(err)
		}
		return e.Version
	}
	put(storeFile, storeObject{id: newID()}.encode())
	began := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	r := &record{ClusterID: newID(), Cluster: large, Files: map[string]File{}}
	texts := map[string][]byte{}
	for i := 1; i <= n; i++ {
		next := r.next(Change, newTransaction(time.Unix(began+int64(i), 0)))
		p := part{Name: "Ada", Mail: "ada@example.com", Seconds: began + 3600*int64(i), Message: fmt.Sprintf("change %d\n", i)}
		for _, name := range changedBy(i) {
			b := fmt.Appendf(nil, "# %d\n%01024d\n", i, i)
			next.Was[name] = next.Files[name].Digest
			next.Files[name] = File{digestOf(b), int64(len(b)), i}
			p.Writes, texts[name] = append(p.Writes, write{name, b}), b
		}
		next.Parts = []part{p}
		b, err := next.encode(nil)
		if err != nil {
			t.Fatal(err)
		}
		put(meta+"/"+large+"/"+recordName(i), b)
		r = next
	}
	h := &head{ClusterID: r.ClusterID, Cluster: large, Number: n, Digest: r.Digest, Kind: r.Kind, Seconds: r.seconds(), Files: maps.Clone(r.Files), Versions: map[string]vfs.Version{}}
	for name, b := range texts {
		h.Versions[name] = put(large+"/"+name, b)
	}
	put(meta+"/"+large+"/"+headName, h.encode())
}

func changedBy(i int) []string {
	names := []string{configFile}
	if i%100 == 0 {
		names = append(names, "instancegroup/nodes")
	}
	for j := range 41 {
		if i == 1 {
			names = append(names, fmt.Sprintf("pki/issued/set-%02d/keyset.yaml", j))
		}
	}
	return names
}

// counted opens a history, and counts what it asks of the service.
func counted(t testing.TB, d vfs.Driver) (*History, *vfstest.Counter) {
	t.Helper()
	c := vfstest.Count(d)
	s, err := Open(context.Background(), vfs.New(c, "mem:"), Options{Settle: &Settle{}})
	if err != nil {
		t.Fatal(err)
	}
	return s.Cluster(large), c
}

// TestALongHistoryIsNotGoneThrough: what a history of 3,000 commits costs does
// not grow with it, but for who asks for all of it. On a service without
// metadata, where bytes are held against what commits wrote, too.
func TestALongHistoryIsNotGoneThrough(t *testing.T) {
	const commits = 3000
	d := mem.New(mem.Options{NoTags: true})
	longHistory(t, d, commits)
	ctx := context.WithoutCancel(t.Context())
	edit := func(name string) {
		if _, err := d.Put(ctx, large+"/"+name, []byte("kops was here"), vfs.Cond{}, ""); err != nil {
			t.Fatal(err)
		}
	}
	for _, op := range []struct {
		what     string
		before   func()
		do       func(h *History) error
		requests int
		rounds   int
	}{
		{"read", nil, func(h *History) error { _, err := h.Head(ctx); return err }, 4, 2},
		{"by time", nil, func(h *History) error { _, err := h.At(ctx, "2020-02-01T00:00:00Z"); return err }, 20, 15},
		{"newest commits", nil, func(h *History) error {
			for range h.Log(ctx) {
				break
			}
			return nil
		}, 20, 3},
		{"conflicts", nil, func(h *History) error {
			_, more, err := h.Conflicts(ctx, RecentConflicts)
			if !more {
				t.Error("all of the history was looked at")
			}
			return err
		}, RecentConflicts + maxAhead, 25},
		{"a file edited that each commit changed", func() { edit(configFile) }, drifts(t, configFile), farBack + 20, 110},
		{"a file edited that few commits changed", func() { edit("instancegroup/nodes") }, drifts(t, configFile, "instancegroup/nodes"), farBack + 40, 110},
		{"a file added", func() { edit("new") }, drifts(t, configFile, "instancegroup/nodes", "new"), farBack + 40, 110},
		{"an update", nil, func(h *History) error {
			_, err := h.Update(ctx, "next", func(tx *Tx) error { tx.WriteFile(configFile, []byte("ours")); return nil })
			return err
		}, farBack + 60, 120},
	} {
		if op.before != nil {
			op.before()
		}
		var n, rounds int
		synctest.Test(t, func(t *testing.T) {
			h, c := counted(t, vfstest.Delay(d, time.Second))
			began := time.Now()
			if err := op.do(h); err != nil {
				t.Errorf("%s: %v", op.what, err)
			}
			n, rounds = c.Total(), int(time.Since(began)/time.Second)
		})
		t.Logf("%s: %d requests, %d in a row", op.what, n, rounds)
		if n > op.requests || rounds > op.rounds {
			t.Errorf("%s: %d requests, %d in a row, want at most %d and %d", op.what, n, rounds, op.requests, op.rounds)
		}
	}
}

// drifts wants foreign edits of just these files.
func drifts(t *testing.T, names ...string) func(h *History) error {
	return func(h *History) error {
		list, err := h.Drift(context.WithoutCancel(t.Context()))
		var got []string
		for _, d := range list {
			if d.Kind == DriftForeign {
				got = append(got, d.Name)
			}
		}
		if !slices.Equal(got, names) {
			t.Errorf("drift: %v, want %v", list, names)
		}
		return err
	}
}
