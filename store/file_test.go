package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/store/storetest"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/file"
)

func directory(t testing.TB, dir string, step func(op, name string) error) *file.Driver {
	t.Helper()
	d, err := file.Open(dir, file.Options{Step: step})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestTenUpdatesAtOnceInADirectory: each has a driver of its own, as ten
// commands have, and waits as long as people's do.
func TestTenUpdatesAtOnceInADirectory(t *testing.T) {
	dir := t.TempDir()
	put(t, directory(t, dir, nil), demo+"/config", "labels:\n")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	began := time.Now()
	var wg sync.WaitGroup
	for i := range 10 {
		h := client(t, directory(t, dir, nil), patient)
		wg.Go(func() {
			_, err := h.Update(ctx, fmt.Sprintf("label %d", i), func(tx *store.Tx) error {
				b, err := tx.ReadFile(ctx, "config")
				tx.WriteFile("config", fmt.Appendf(b, "  k%d: v%d\n", i, i))
				return err
			})
			if err != nil {
				t.Errorf("label %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	t.Logf("ten updates took %v", time.Since(began))
	seen, err := storetest.Check(t.Context(), vfs.New(directory(t, dir, nil), dir), demo)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		if !strings.Contains(seen.Newest()["config"], fmt.Sprintf("  k%d: v%d\n", i, i)) || seen.Count(fmt.Sprintf("label %d", i)) != 1 {
			t.Errorf("label %d is lost", i)
		}
	}
}

func TestEditWithAnEditorIsDriftAtOnce(t *testing.T) {
	dir := t.TempDir()
	h := client(t, directory(t, dir, nil), patient)
	commit(t, h, "create", files{"config": "kubernetesVersion: 1.36.0\n", "instancegroup/nodes": "x"})
	path := filepath.Join(dir, demo, "config")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	temp := filepath.Join(dir, demo, "sedAbCdEf") // sed -i writes beside it and renames
	if err := os.WriteFile(temp, []byte(strings.Replace(string(b), "36", "37", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(temp, path); err != nil {
		t.Fatal(err)
	}
	drift, err := client(t, directory(t, dir, nil), patient).Drift(t.Context())
	if err != nil || len(drift) != 1 || drift[0].Name != "config" || drift[0].Kind != store.DriftForeign {
		t.Errorf("drift %v, %v", drift, err)
	}
}

// TestADiskThatWritesNothingChangesNothing: a full and a read-only disk are
// plain errors, not unknown outcomes, and leave what was.
func TestADiskThatWritesNothingChangesNothing(t *testing.T) {
	for _, why := range []error{syscall.ENOSPC, syscall.EROFS, fs.ErrPermission} {
		dir := t.TempDir()
		commit(t, client(t, directory(t, dir, nil)), "create", files{"config": "a: 1\n"})
		full := client(t, directory(t, dir, func(op, name string) error { return why }))
		_, err := full.Update(t.Context(), "edit", files{"config": "a: 2\n"}.apply)
		if _, unknown := errors.AsType[*store.OutcomeError](err); !errors.Is(err, why) || unknown {
			t.Errorf("%v: %v", why, err)
		}
		seen, err := storetest.Check(t.Context(), vfs.New(directory(t, dir, nil), dir), demo)
		if err != nil || len(seen.Commits) != 1 {
			t.Errorf("%v: %d commits, %v", why, len(seen.Commits), err)
		}
	}
}

// TestStoresOfRealKops plays on copies of the stores in the directory that
// STATEROOM_TEST_KOPS_STORES names.
func TestStoresOfRealKops(t *testing.T) {
	from := os.Getenv("STATEROOM_TEST_KOPS_STORES")
	if from == "" {
		from = "../../shared/kops/stores"
	}
	stores, err := os.ReadDir(from)
	if err != nil {
		t.Skipf("no stores of kops to play on: set STATEROOM_TEST_KOPS_STORES (%v)", err)
	}
	for _, e := range stores {
		dir := filepath.Join(t.TempDir(), e.Name())
		if err := os.CopyFS(dir, os.DirFS(filepath.Join(from, e.Name()))); err != nil {
			t.Fatal(err)
		}
		d := directory(t, dir, nil)
		s, err := store.Open(t.Context(), vfs.New(d, dir), store.Options{Author: "Ada <>"})
		if err != nil {
			t.Fatal(err)
		}
		for name, err := range s.Clusters(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			playKops(t, s.Cluster(name), dir)
		}
	}
}

func playKops(t *testing.T, h *store.History, dir string) {
	ctx := t.Context()
	sn, err := h.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	b, err := sn.ReadFile(ctx, "config")
	if err != nil || sn.Commit().Number != 0 {
		t.Fatalf("%s: commit %d, %v", h.Name(), sn.Commit().Number, err)
	}
	plain := len(sn.Names())
	sn, err = h.Update(ctx, "edit", func(tx *store.Tx) error { tx.WriteFile("config", append(b, "# ours\n"...)); return nil })
	if err != nil || sn.Commit().Number != 2 || len(sn.Names()) != plain {
		t.Fatalf("%s: commit %d with %d of %d files, %v", h.Name(), sn.Commit().Number, len(sn.Names()), plain, err)
	}
	if _, err := storetest.Check(ctx, vfs.New(directory(t, dir, nil), dir), h.Name()); err != nil {
		t.Errorf("%s: %v", h.Name(), err)
	}
	t.Logf("%s: %d files, %s", h.Name(), plain, kinds(t, h))
}

// slowDisk counts syncs and makes each take a millisecond.
func slowDisk(syncs *atomic.Int64) func(op, name string) error {
	return func(op, name string) error {
		if strings.HasPrefix(op, "sync") {
			syncs.Add(1)
			time.Sleep(time.Millisecond)
		}
		return nil
	}
}

// BenchmarkCommit is of commits of some files into a cluster of fifty, on a
// disk whose every sync takes a millisecond.
func BenchmarkCommit(b *testing.B) {
	for _, k := range []int{1, 5, 50} {
		b.Run(fmt.Sprintf("files=%d", k), func(b *testing.B) {
			dir := b.TempDir()
			commit(b, client(b, directory(b, dir, nil)), "create", manyFiles(50, "old"))
			var syncs atomic.Int64
			d := directory(b, dir, slowDisk(&syncs))
			n := 0
			for b.Loop() {
				n++
				commit(b, client(b, d), "edit", manyFiles(k, fmt.Sprint("new ", n)))
			}
			b.ReportMetric(float64(syncs.Load())/float64(n), "syncs/op")
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(b.Elapsed().Seconds()*1000/float64(n), "ms/op")
		})
	}
}

// TestACommitOfOneFileSyncsAtMostTwelveTimes holds the price of being durable.
func TestACommitOfOneFileSyncsAtMostTwelveTimes(t *testing.T) {
	dir := t.TempDir()
	commit(t, client(t, directory(t, dir, nil)), "create", files{"config": "a: 1\n", "instancegroup/nodes": "x"})
	var syncs atomic.Int64
	commit(t, client(t, directory(t, dir, slowDisk(&syncs))), "edit", files{"config": "a: 2\n"})
	if n := syncs.Load(); n > 12 {
		t.Errorf("%d syncs", n)
	} else {
		t.Logf("%d syncs", n)
	}
}
