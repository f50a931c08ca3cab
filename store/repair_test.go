package store_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
	"github.com/stateroom/stateroom/vfs/vfstest"
)

// spoilt returns a store with that damage, the objects that it had before, and
// a repair.
func (dm damage) spoilt(t *testing.T) (d vfs.Driver, right map[string]string, repair func(vfs.Driver) error) {
	t.Helper()
	d = mem.New(mem.Options{UniqueVersions: true, NoTags: true})
	whole(t, d)
	right = objects(t, d, "none")
	dm.do(t, d)
	return d, right, func(d vfs.Driver) error {
		_, err := store.Fsck(context.Background(), vfs.New(d, "mem:"), store.Options{Author: "Fsck <fsck@example.com>", Settle: atOnce},
			store.FsckOptions{Repair: true, Void: dm.void, Cluster: demo})
		return err
	}
}

// writesOf returns which of the requests of a repair are writes.
func (dm damage) writesOf(t *testing.T) []int {
	t.Helper()
	d, _, repair := dm.spoilt(t)
	c := vfstest.Count(d)
	if err := repair(c); err != nil {
		t.Fatal(err)
	}
	var writes []int
	for i, call := range c.Calls() {
		if call.Op == "put" || call.Op == "delete" {
			writes = append(writes, i)
		}
	}
	return writes
}

// TestRepairStruckAtEachWrite: whatever becomes of a write of a repair, nothing
// is lost by it, and the next repair ends as if nothing had been.
func TestRepairStruckAtEachWrite(t *testing.T) {
	runs := 0
	for _, dm := range damages {
		for _, n := range dm.writesOf(t) {
			for _, outcome := range append([]vfstest.Outcome{vfstest.Late}, vfstest.Outcomes...) {
				synctest.Test(t, func(t *testing.T) { dm.struck(t, n, outcome) }) // pauses cost nothing there
				runs++
			}
		}
	}
	t.Logf("%d repairs", runs)
}

func (dm damage) struck(t *testing.T, n int, outcome vfstest.Outcome) {
	d, _, repair := dm.spoilt(t)
	before := objects(t, d, "none")
	f := vfstest.Fault(d, n, outcome)
	_ = repair(f) // an error, or findings that are not mended
	f.Land(context.Background())
	what := fmt.Sprintf("%s, request %d %s", dm.what, n, outcome)
	lostNothing(t, what, before, everything(t, d))
	_ = repair(d) // what was made void already cannot be made so again
	lostNothing(t, what, before, everything(t, d))
	if left := codes(fsck(t, d, store.FsckOptions{Repair: true}), true); left != dm.left {
		t.Errorf("%s: the next repair leaves %q, want %q", what, left, dm.left)
	}
	if dm.left == "" {
		goesOn(t, d)
	}
}

// TestRepairBesideAnother: before each write of a repair somebody commits,
// repairs, or puts the records back that are given up. What was acknowledged
// stays, and so does all that was there.
func TestRepairBesideAnother(t *testing.T) {
	for _, dm := range damages {
		for _, n := range dm.writesOf(t) {
			for _, other := range []string{"commits", "repairs", "restores"} {
				if other != "restores" || dm.void != nil {
					dm.beside(t, n, other)
				}
			}
		}
	}
}

func (dm damage) beside(t *testing.T, n int, other string) {
	t.Helper()
	d, right, repair := dm.spoilt(t)
	before := objects(t, d, "none")
	acknowledged := false
	b := &beforeCall{Driver: d, n: int64(n), do: func() {
		switch other {
		case "repairs":
			_ = repair(d)
		case "restores":
			for _, n := range dm.void {
				put(t, d, logName(n), right[logName(n)])
				before[logName(n)] = right[logName(n)]
			}
		default:
			_, err := client(t, d).Update(t.Context(), "beside", files{"instancegroup/beside": "written beside a repair"}.apply)
			acknowledged = err == nil
		}
	}}
	_ = repair(b)
	what := fmt.Sprintf("%s, somebody %s before request %d", dm.what, other, n)
	lostNothing(t, what, before, everything(t, d))
	_ = repair(d)
	after := everything(t, d)
	lostNothing(t, what, before, after)
	if acknowledged && dm.left == "" && !strings.Contains(history(t, client(t, d)), "A instancegroup/beside") {
		t.Errorf("%s: its commit is gone", what)
	}
	if acknowledged && !bytes.Contains(after, []byte("written beside a repair")) {
		t.Errorf("%s: what it wrote is gone", what)
	}
}

// beforeCall does something before the n-th request.
type beforeCall struct {
	vfs.Driver
	n    int64
	do   func()
	made atomic.Int64
}

func (b *beforeCall) call() {
	if b.made.Add(1) == b.n+1 {
		b.do()
	}
}

func (b *beforeCall) Get(ctx context.Context, key string, unless vfs.Version) ([]byte, vfs.Entry, error) {
	b.call()
	return b.Driver.Get(ctx, key, unless)
}

func (b *beforeCall) Put(ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
	b.call()
	return b.Driver.Put(ctx, key, data, c, tag)
}

func (b *beforeCall) Delete(ctx context.Context, key string, c vfs.Cond) error {
	b.call()
	return b.Driver.Delete(ctx, key, c)
}

func (b *beforeCall) List(ctx context.Context, prefix, after string) iter.Seq2[vfs.Entry, error] {
	b.call()
	return b.Driver.List(ctx, prefix, after)
}

func (b *beforeCall) ListDir(ctx context.Context, dir string) iter.Seq2[vfs.Entry, error] {
	b.call()
	return vfs.ListDir(ctx, b.Driver, dir)
}

func (b *beforeCall) Traits() vfs.Traits { return vfs.TraitsOf(b.Driver) }
