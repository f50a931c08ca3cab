package store_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/store/storetest"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
	"github.com/stateroom/stateroom/vfs/vfstest"
)

// An operation is struck at each of its calls. before makes the store that it
// meets; want is what the files are once it is done.
type operation struct {
	name   string
	before func(s *stage)
	do     func(ctx context.Context, h *store.History) error
	want   files  // changes to what the files were
	during string // key after whose put another tool writes config
}

const doing = "the operation"

// stage is where operations are played.
type stage struct {
	t       *testing.T
	d       *storetest.Watched // for clients; other tools write below it
	foreign map[string]string  // what another tool left at each name; "-": it deleted it
}

func (s *stage) commit(f files) { commit(s.t, client(s.t, s.d, patient), "before", f) }
func (s *stage) sed(name, text string) {
	put(s.t, s.d.Driver, demo+"/"+name, text)
	s.foreign[name] = text
}
func (s *stage) rm(name string) { remove(s.t, s.d.Driver, demo+"/"+name); s.foreign[name] = "-" }

// patient clients wait as long as people's do; time costs nothing here.
func patient(o *store.Options) { o.Settle = &store.DefaultSettle }

func update(f files) func(context.Context, *store.History) error {
	return func(ctx context.Context, h *store.History) error {
		_, err := h.Update(ctx, doing, f.apply)
		return err
	}
}

var start = files{"config": "a: 1\n", "instancegroup/nodes": "min: 0\n", "secrets/admin": "s3cret"}

func began(s *stage) { s.commit(start) }

var operations = []operation{
	{name: "create", before: func(*stage) {}, do: update(start), want: start},
	{name: "update 1 file", before: began, do: func(ctx context.Context, h *store.History) error {
		_, err := h.Update(ctx, doing, func(tx *store.Tx) error { // twice is not the same as once
			b, err := tx.ReadFile(ctx, "config")
			tx.WriteFile("config", append(b, "b: 2\n"...))
			return err
		})
		return err
	}, want: files{"config": "a: 1\nb: 2\n"}},
	{name: "update 2 files", before: began, do: update(files{"config": "a: 2\n", "secrets/admin": "n3w"}), want: files{"config": "a: 2\n", "secrets/admin": "n3w"}},
	{name: "delete a file", before: began, do: update(files{"instancegroup/nodes": "-"}), want: files{"instancegroup/nodes": "-"}},
	{name: "import a kops store", before: func(s *stage) { s.sed("config", "kops"); s.sed("secrets/admin", "kops") },
		do: update(files{"instancegroup/nodes": "min: 1\n"}), want: files{"instancegroup/nodes": "min: 1\n"}},
	{name: "on a foreign edit and delete", before: func(s *stage) { began(s); s.sed("config", "sed"); s.rm("secrets/admin"); s.sed("new", "new") },
		do: update(files{"config": "a: 2\n", "new": "-"}), want: files{"config": "a: 2\n", "new": "-"}},
	{name: "a foreign edit in the way", before: began, do: update(files{"config": "a: 2\n", "instancegroup/nodes": "-"}), want: files{"config": "a: 2\n", "instancegroup/nodes": "-"},
		during: ".stateroom/" + demo + "/log/000000000002"},
	{name: "finish a crashed writer", before: func(s *stage) {
		began(s)
		f := vfstest.Fault(s.d, 5, vfstest.CrashedAfter) // the put of its record
		_, err := client(s.t, f).Update(s.t.Context(), "crashed", files{"config": "a: crashed\n", "instancegroup/nodes": "-"}.apply)
		if get(s.t, s.d, ".stateroom/"+demo+"/log/000000000002") == "-" {
			s.t.Fatalf("the crash came too early: %v", err)
		}
	}, do: update(files{"secrets/admin": "n3w"}), want: files{"secrets/admin": "n3w"}},
	{name: "put a stale write right", before: func(s *stage) {
		began(s)
		_, e, err := s.d.Get(s.t.Context(), demo+"/config", "")
		if err != nil {
			s.t.Fatal(err)
		}
		s.commit(files{"config": "a: newer\n"})
		if _, err := s.d.Put(s.t.Context(), demo+"/config", []byte("a: 1\n"), vfs.Cond{}, e.Tag); err != nil {
			s.t.Fatal(err)
		}
	}, do: update(files{"secrets/admin": "n3w"}), want: files{"secrets/admin": "n3w"}},
	{name: "release and stage", before: began, do: func(ctx context.Context, h *store.History) error {
		_, err := h.Update(ctx, doing, func(tx *store.Tx) error {
			tx.Stage("bundles/nodes/abc", []byte("bundle"))
			tx.Release([]byte("release"))
			tx.WriteFile("config", []byte("a: 2\n"))
			return nil
		})
		return err
	}, want: files{"config": "a: 2\n", ".stateroom/release": "release"}},
	{name: "delete the cluster", before: began, do: func(ctx context.Context, h *store.History) error {
		_, err := h.Delete(ctx, doing)
		return err
	}, want: files{"config": "-", "instancegroup/nodes": "-", "secrets/admin": "-"}},
	{name: "create it again", before: func(s *stage) {
		began(s)
		if _, err := client(s.t, s.d, patient).Delete(s.t.Context(), "before"); err != nil {
			s.t.Fatal(err)
		}
	}, do: update(files{"config": "a: 1\n"}), want: files{"config": "a: 1\n"}},
}

// run plays an operation once with its n-th call struck, and returns whether
// there was such a call and what was found wrong.
func (op operation) run(t *testing.T, n int, outcome vfstest.Outcome, m mem.Options) (hit bool, err error) {
	ctx := t.Context()
	w := storetest.Watch(mem.New(m))
	s := &stage{t: t, d: w, foreign: map[string]string{}}
	op.before(s)
	time.Sleep(time.Minute) // all that others did has settled
	struck := false
	d := hooked{w, func(key string) {
		if key == op.during && !struck {
			struck = true
			s.sed("config", "in the way")
		}
	}}
	before, err := storetest.Read(ctx, vfs.New(w, "mem:"), demo)
	if err != nil {
		return true, fmt.Errorf("before: %w", err)
	}
	f := vfstest.Fault(d, n, outcome)
	opened, err := store.Open(ctx, vfs.New(f, "mem:"), store.Options{Author: "Ada <ada@example.com>"})
	if err == nil {
		err = op.do(ctx, opened.Cluster(demo))
	}
	if !f.Hit() {
		if err != nil {
			return false, fmt.Errorf("without a fault: %w", err)
		}
		return false, op.judge(ctx, s, w, before, nil)
	}
	found := op.judge(ctx, s, w, before, err)
	if outcome == vfstest.Late && found == nil {
		f.Land(ctx) // long after: it must change nothing that anybody was told
		found = op.judge(ctx, s, w, before, errUnknown)
	}
	return true, found
}

var errUnknown = errors.New("what was said then does not count now")

// judge checks the store after an operation that returned result, and after a
// further update.
func (op operation) judge(ctx context.Context, s *stage, w *storetest.Watched, before *storetest.Seen, result error) error {
	f := vfs.New(s.d, "mem:")
	if errors.Is(result, store.ErrConflict) || errors.Is(result, context.DeadlineExceeded) {
		return fmt.Errorf("a conflict without another writer: %w", result)
	}
	seen, err := storetest.Check(ctx, f, demo)
	if err != nil {
		return err
	}
	if err := op.holds(s, seen, before, result); err != nil {
		return err
	}
	next := fmt.Sprintf("life goes on %d", len(seen.Commits))
	if _, err := client(s.t, s.d, patient).Update(ctx, next, files{"config": next}.apply); err != nil {
		return fmt.Errorf("a further update: %w", err)
	}
	after, err := storetest.Check(ctx, f, demo)
	if err != nil {
		return fmt.Errorf("after a further update: %w", err)
	}
	if after.Newest()["config"] != next || after.Count(next) != 1 {
		return errors.New("a further update is not there")
	}
	return w.Err()
}

// holds: old or new, committed at most once, nothing foreign lost, nothing of
// ours taken for foreign.
func (op operation) holds(s *stage, seen, before *storetest.Seen, result error) error {
	n := seen.Count(doing)
	switch {
	case n > 1:
		return fmt.Errorf("committed %d times", n)
	case result == nil && n == 0:
		return errors.New("acknowledged, and not committed")
	}
	if !strings.HasPrefix(lastMessage(seen), "life goes on") {
		want := maps.Clone(before.Newest())
		for name, text := range s.foreign {
			want[name] = text
		}
		if n == 1 {
			maps.Copy(want, op.want)
		}
		maps.DeleteFunc(want, func(_, text string) bool { return text == "-" })
		if !maps.Equal(want, seen.Newest()) {
			return fmt.Errorf("committed %d times, and the files are %q, not %q", n, seen.Newest(), want)
		}
	}
	return s.foreignIsThere(seen)
}

func lastMessage(seen *storetest.Seen) string {
	if len(seen.Commits) == 0 {
		return ""
	}
	return seen.Commits[len(seen.Commits)-1].Message
}

// foreignIsThere: what another tool wrote is in the history as foreign, and
// nothing else is.
func (s *stage) foreignIsThere(seen *storetest.Seen) error {
	found := map[string]bool{}
	for i, c := range seen.Commits {
		changed := c.Changed
		if c.Kind != store.Import {
			changed = nil
		}
		for _, ch := range changed {
			text, there := seen.Files[i][ch.Name]
			if !there {
				text = "-"
			}
			if s.foreign[ch.Name] != text {
				return fmt.Errorf("commit %d imports %q as %s: nobody but us wrote that", c.Number, text, ch.Name)
			}
			found[ch.Name] = true
		}
	}
	for name, kept := range seen.Kept {
		for text := range kept {
			if s.foreign[name] != text {
				return fmt.Errorf("%q is kept for %s: nobody but us wrote that", text, name)
			}
			found[name] = true
		}
	}
	for name, text := range s.foreign {
		if !found[name] {
			return fmt.Errorf("%q, which another tool left at %s, is lost", text, name)
		}
	}
	return nil
}

// TestEveryCallOfEveryOperationStruckInEveryWay is the matrix: each operation,
// each of its calls, each outcome, on services of both kinds and on one without
// metadata.
func TestEveryCallOfEveryOperationStruckInEveryWay(t *testing.T) {
	services := map[string]mem.Options{"content": {}, "unique": {UniqueVersions: true}, "no tags": {UniqueVersions: true, NoTags: true}}
	outcomes := append(append([]vfstest.Outcome{}, vfstest.Outcomes...), vfstest.Late)
	var mu sync.Mutex
	total, violations := 0, 0
	t.Cleanup(func() { t.Logf("%-30s %4d runs, %d violations", "all", total, violations) })
	strike := func(t *testing.T, op operation) {
		t.Parallel()
		calls, runs, bad := 0, 0, 0
		for service, m := range services {
			for _, outcome := range outcomes {
				for n, hit := 0, true; hit; n++ {
					var err error
					synctest.Test(t, func(t *testing.T) { hit, err = op.run(t, n, outcome, m) })
					if err != nil {
						if bad++; bad <= 3 {
							t.Errorf("on %s: call %d %s: %v", service, n, outcome, err)
						}
					}
					if hit {
						calls = max(calls, n+1)
						runs++
					}
				}
			}
		}
		t.Logf("%-30s %3d calls x %d outcomes x %d services, %4d runs, %d violations", op.name, calls, len(outcomes), len(services), runs, bad)
		mu.Lock()
		defer mu.Unlock()
		total, violations = total+runs, violations+bad
	}
	for _, op := range operations {
		t.Run(op.name, func(t *testing.T) { strike(t, op) })
	}
}
