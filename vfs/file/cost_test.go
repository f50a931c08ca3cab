package file_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stateroom/stateroom/internal/durable"
	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs"
)

// syncs counts what waits for the disk.
type syncs struct{ atomic.Int64 }

func (s *syncs) step(op, _ string) error {
	if op == durable.Sync || op == durable.SyncDir {
		s.Add(1)
	}
	return nil
}

// TestWhatACommitWaitsForTheDisk pins the syncs of the four writes of a commit
// of one file with a release. A store's budget for it is 12.
func TestWhatACommitWaitsForTheDisk(t *testing.T) {
	var s syncs
	f := openStep(t, t.TempDir(), s.step)
	const meta = ".stateroom/demo.example.com/"
	put(t, f, meta+"log/000000000001", "record", vfs.IfAbsent())
	file := put(t, f, "demo.example.com/config", "one", vfs.IfAbsent())
	head := put(t, f, meta+"head", "head", vfs.IfAbsent())
	release := put(t, f, meta+"release", "release", vfs.IfAbsent())
	t.Logf("%d syncs in an empty directory", s.Load())

	s.Store(0)
	unlock, err := f.Lock(t.Context(), "demo.example.com")
	must(t, err)
	put(t, f, meta+"log/000000000002", "record", vfs.IfAbsent())
	put(t, f, "demo.example.com/config", "two", vfs.IfVersion(file.Version))
	put(t, f, meta+"head", "head 2", vfs.IfVersion(head.Version))
	put(t, f, meta+"release", "release 2", vfs.IfVersion(release.Version))
	unlock()
	if got := s.Load(); got != 8 {
		t.Errorf("a commit syncs %d times, want 8: each write its file and its directory", got)
	}
}

// TestWhatAnUpdateWaitsForTheDisk pins the syncs of a whole update of one file
// with a release, by a new process each. What is read of what the one before
// wrote a moment ago is synced once more, since another tool might have written
// it: the release; the config is read from its record.
func TestWhatAnUpdateWaitsForTheDisk(t *testing.T) {
	dir := t.TempDir()
	for i, want := range []int64{0, 9, 9} {
		var s syncs
		h := historyOf(t, openStep(t, dir, s.step))
		_, err := h.Update(t.Context(), "edit", func(tx *store.Tx) error {
			_, _ = tx.ReadFile(t.Context(), "config")
			tx.WriteFile("config", fmt.Appendf(nil, "a: %d\n", i))
			tx.Release(fmt.Appendf(nil, "release %d", i))
			return nil
		})
		must(t, err)
		if got := s.Load(); i == 0 {
			t.Logf("%d syncs in an empty directory", got)
		} else if got != want {
			t.Errorf("update %d syncs %d times, want %d", i, got, want)
		}
	}
}

func BenchmarkPut(b *testing.B) {
	data := make([]byte, 4<<10)
	for _, c := range []struct {
		name string
		cond func(i int, e vfs.Entry) (string, vfs.Cond)
	}{
		{"create", func(i int, _ vfs.Entry) (string, vfs.Cond) { return fmt.Sprintf("log/%012d", i), vfs.IfAbsent() }},
		{"replace", func(i int, e vfs.Entry) (string, vfs.Cond) {
			if i == 0 {
				return "head", vfs.IfAbsent()
			}
			return "head", vfs.IfVersion(e.Version)
		}},
		{"overwrite", func(int, vfs.Entry) (string, vfs.Cond) { return "head", vfs.Cond{} }},
	} {
		b.Run(c.name, func(b *testing.B) {
			var s syncs
			f := openStep(b, b.TempDir(), s.step)
			var e vfs.Entry
			for i := 0; b.Loop(); i++ {
				key, cond := c.cond(i, e)
				var err error
				if e, err = f.Put(b.Context(), key, data, cond, ""); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(s.Load())/float64(b.N), "syncs/op")
		})
	}
}

func BenchmarkGet(b *testing.B) {
	f := open(b, b.TempDir())
	e := put(b, f, "demo/config", string(make([]byte, 4<<10)), vfs.Cond{})
	for b.Loop() {
		if _, _, err := f.GetUnless(b.Context(), "demo/config", e.Version); err == nil {
			b.Fatal("modified")
		}
	}
}
