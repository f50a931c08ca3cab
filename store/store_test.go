package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
)

const demo = "demo.example.com"

// at once: nothing is left to settle, so that tests need not wait.
var atOnce = &store.Settle{}

// client opens the store in d as somebody does who has just come.
func client(t testing.TB, d vfs.Driver, change ...func(*store.Options)) *store.History {
	t.Helper()
	opt := store.Options{Author: "Ada <ada@example.com>", Settle: atOnce}
	for _, f := range change {
		f(&opt)
	}
	s, err := store.Open(context.Background(), vfs.New(d, "mem:"), opt)
	if err != nil {
		t.Fatal(err)
	}
	return s.Cluster(demo)
}

// files are what a change writes; an empty string after "-" deletes.
type files map[string]string

func (f files) apply(tx *store.Tx) error {
	for name, text := range f {
		if text == "-" {
			tx.Remove(name)
		} else {
			tx.WriteFile(name, []byte(text))
		}
	}
	return nil
}

func commit(t testing.TB, h *store.History, message string, f files) *store.Snapshot {
	t.Helper()
	sn, err := h.Update(context.Background(), message, f.apply)
	if err != nil {
		t.Fatalf("%s: %v", message, err)
	}
	return sn
}

func put(t testing.TB, d vfs.Driver, key, text string) {
	t.Helper()
	if _, err := d.Put(context.Background(), key, []byte(text), vfs.Cond{}, ""); err != nil {
		t.Fatal(err)
	}
}

func get(t testing.TB, d vfs.Driver, key string) string {
	t.Helper()
	b, _, err := d.Get(context.Background(), key, "")
	if errors.Is(err, fs.ErrNotExist) {
		return "-"
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func remove(t testing.TB, d vfs.Driver, key string) {
	t.Helper()
	if err := d.Delete(context.Background(), key, vfs.Cond{}); err != nil {
		t.Fatal(err)
	}
}

// history is what Log says, the oldest first: "1 change A config; ...".
func history(t testing.TB, h *store.History) string {
	t.Helper()
	var lines []string
	for c, err := range h.Log(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprintf("%d %s", c.Number, c.Kind)
		for _, ch := range c.Changed {
			line += fmt.Sprintf(" %s %s", ch.Action, ch.Name)
		}
		lines = append([]string{line}, lines...)
	}
	return strings.Join(lines, "\n")
}

func expect(t testing.TB, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// memories are the two kinds of services: versions that are hashes of the
// content, and versions that are never used twice.
func memories(t *testing.T, f func(t *testing.T, d *mem.Driver)) {
	for _, unique := range []bool{false, true} {
		t.Run(fmt.Sprintf("unique=%v", unique), func(t *testing.T) {
			f(t, mem.New(mem.Options{UniqueVersions: unique}))
		})
	}
}

func TestClusterIsCreatedChangedAndReadAgain(t *testing.T) {
	memories(t, func(t *testing.T, d *mem.Driver) {
		ctx := t.Context()
		h := client(t, d)
		if _, err := h.Head(ctx); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("head before the first commit: %v", err)
		}
		sn := commit(t, h, "create cluster", files{"config": "a: 1\n", "instancegroup/nodes": "min: 0\n"})
		if sn.Commit().Number != 1 || sn.LineageID() == "" {
			t.Errorf("first commit is %d of %q", sn.Commit().Number, sn.LineageID())
		}
		commit(t, client(t, d), "raise", files{"config": "a: 2\n"})
		commit(t, h, "no nodes", files{"instancegroup/nodes": "-"})
		expect(t, history(t, client(t, d)), "1 change A config A instancegroup/nodes\n2 change M config\n3 change D instancegroup/nodes")
		expect(t, get(t, d, demo+"/config"), "a: 2\n")
		expect(t, get(t, d, demo+"/instancegroup/nodes"), "-")

		old, err := client(t, d).At(ctx, "head~2")
		if err != nil {
			t.Fatal(err)
		}
		b, err := old.ReadFile(ctx, "config")
		expect(t, string(b), "a: 1\n")
		if err != nil {
			t.Error(err)
		}
		sn, err = client(t, d).Update(ctx, "the same", files{"config": "a: 2\n"}.apply)
		if err != nil || sn.Commit().Number != 3 {
			t.Errorf("a change of nothing: %v, commit %d", err, sn.Commit().Number)
		}
	})
}

func TestForeignStoreOpensAndIsImportedByTheFirstWrite(t *testing.T) {
	memories(t, func(t *testing.T, d *mem.Driver) {
		ctx := t.Context()
		put(t, d, demo+"/config", "kops: 1\n")
		put(t, d, demo+"/instancegroup/nodes", "kops: nodes\n")
		put(t, d, demo+"/backups/etcd/main/2026/etcd.backup.gz", "large")
		put(t, d, demo+"/backups/etcd/main/control/etcd-cluster-spec", "{}")
		h := client(t, d)
		sn, err := h.Head(ctx)
		if err != nil || sn.Commit().Number != 0 {
			t.Fatalf("head of plain files: %v", err)
		}
		expect(t, strings.Join(sn.Names(), " "), "backups/etcd/main/control/etcd-cluster-spec config instancegroup/nodes")
		b, err := sn.ReadFile(ctx, "config")
		if err != nil || string(b) != "kops: 1\n" {
			t.Errorf("%q, %v", b, err)
		}
		boom := errors.New("boom")
		if _, err := h.Update(ctx, "no", func(tx *store.Tx) error { return boom }); !errors.Is(err, boom) || err.Error() != "boom" {
			t.Errorf("error of the change: %v", err)
		}
		expect(t, history(t, h), "")
		sn, err = h.Update(ctx, "edit", func(tx *store.Tx) error {
			b, err := tx.ReadFile(ctx, "config")
			tx.WriteFile("config", append(b, "ours: 2\n"...))
			return err
		})
		if err != nil || sn.Commit().Number != 2 {
			t.Fatalf("%v", err)
		}
		expect(t, history(t, client(t, d)), "1 import A backups/etcd/main/control/etcd-cluster-spec A config A instancegroup/nodes\n2 change M config")
		expect(t, get(t, d, demo+"/config"), "kops: 1\nours: 2\n")
	})
}

func TestForeignEditIsShownAtOnceAndImportedByTheNextWrite(t *testing.T) {
	memories(t, func(t *testing.T, d *mem.Driver) {
		ctx := t.Context()
		settled := func(o *store.Options) { o.Settle = &store.DefaultSettle }
		h := client(t, d, settled)
		commit(t, h, "create", files{"config": "a: 1\n", "instancegroup/nodes": "min: 0\n"})
		put(t, d, demo+"/config", "a: sed\n")
		drift, err := client(t, d, settled).Drift(ctx)
		if err != nil || len(drift) != 1 || drift[0].Name != "config" || drift[0].Kind != store.DriftForeign {
			t.Errorf("drift %v, %v", drift, err)
		}
		commit(t, h, "another file", files{"instancegroup/nodes": "min: 1\n"})
		expect(t, get(t, d, demo+"/config"), "a: sed\n") // young: left alone
		_, err = h.Update(ctx, "the same file", func(tx *store.Tx) error {
			b, err := tx.ReadFile(ctx, "config")
			tx.WriteFile("config", append(b, "b: 2\n"...))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		expect(t, get(t, d, demo+"/config"), "a: sed\nb: 2\n")
		expect(t, history(t, client(t, d)), "1 change A config A instancegroup/nodes\n2 change M instancegroup/nodes\n3 import M config\n4 change M config")
	})
}

func TestDeletedClusterIsCreatedAgainUnderTheNextNumber(t *testing.T) {
	memories(t, func(t *testing.T, d *mem.Driver) {
		ctx := t.Context()
		h := client(t, d)
		first := commit(t, h, "create", files{"config": "a: 1\n", "clusteraddons/default": ""})
		if _, err := h.Delete(ctx, "delete"); err != nil {
			t.Fatal(err)
		}
		if _, err := client(t, d).Head(ctx); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("head of a deleted cluster: %v", err)
		}
		if _, err := h.Delete(ctx, "delete"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("deleted twice: %v", err)
		}
		again := commit(t, client(t, d), "create", files{"config": "a: 1\n"})
		if again.LineageID() == first.LineageID() {
			t.Error("the second life has the first one's id")
		}
		expect(t, history(t, h), "1 change A clusteraddons/default A config\n2 deleted D clusteraddons/default D config\n3 change A config")
	})
}

func TestClusterDeletedByAnotherToolIsImportedAsDeleted(t *testing.T) {
	memories(t, func(t *testing.T, d *mem.Driver) {
		h := client(t, d)
		commit(t, h, "create", files{"config": "a: 1\n", "secrets/admin": "s3cret"})
		remove(t, d, demo+"/secrets/admin")
		commit(t, h, "other", files{"config": "a: 2\n"})
		remove(t, d, demo+"/config")
		if _, err := h.Delete(t.Context(), "delete"); err != nil {
			t.Fatal(err)
		}
		expect(t, history(t, h), "1 change A config A secrets/admin\n2 import D secrets/admin\n3 change M config\n4 deleted D config")
	})
}

func TestConfigMissingIsRefusedUnlessTheChangeMendsIt(t *testing.T) {
	memories(t, func(t *testing.T, d *mem.Driver) {
		ctx := t.Context()
		h := client(t, d)
		commit(t, h, "create", files{"config": "a: 1\n", "instancegroup/nodes": "min: 0\n"})
		remove(t, d, demo+"/config")
		_, err := h.Update(ctx, "edit", files{"instancegroup/nodes": "min: 1\n"}.apply)
		if _, ok := errors.AsType[*store.MissingError](err); !ok {
			t.Errorf("update without config: %v", err)
		}
		commit(t, h, "restore", files{"config": "a: 1\n"})
		expect(t, history(t, h), "1 change A config A instancegroup/nodes\n2 import D config\n3 change A config")
		remove(t, d, demo+"/config")
		if _, err := h.Delete(ctx, "delete"); err != nil {
			t.Fatal(err)
		}
		expect(t, get(t, d, demo+"/instancegroup/nodes"), "-")
	})
}

func TestReleaseTravelsInTheRecordAndIsPutAfterIt(t *testing.T) {
	memories(t, func(t *testing.T, d *mem.Driver) {
		ctx := t.Context()
		h := client(t, d)
		commit(t, h, "create", files{"config": "a: 1\n"})
		sn, err := h.Update(ctx, "update cluster", func(tx *store.Tx) error {
			tx.Stage("bundles/nodes/abc", []byte("bundle"))
			tx.Release(fmt.Appendf(nil, "release %d", tx.Number()))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		expect(t, string(sn.Commit().Kind), "release")
		expect(t, get(t, d, ".stateroom/"+demo+"/release"), "release 2")
		expect(t, get(t, d, ".stateroom/"+demo+"/bundles/nodes/abc"), "bundle")
		expect(t, get(t, d, demo+"/.stateroom/release"), "-")
		b, err := client(t, d).Head(ctx)
		if err != nil {
			t.Fatal(err)
		}
		text, err := b.ReadFile(ctx, ".stateroom/release")
		expect(t, string(text), "release 2")
		if err != nil {
			t.Error(err)
		}
	})
}

func TestSecretsAreKnownByKeyedDigests(t *testing.T) {
	memories(t, func(t *testing.T, d *mem.Driver) {
		h := client(t, d)
		sn := commit(t, h, "create", files{"config": "a: 1\n", "secrets/admin": "s3cret", "secrets/other": "s3cret"})
		one, two := sn.Commit().Files["secrets/admin"].Digest, sn.Commit().Files["secrets/other"].Digest
		if !strings.HasPrefix(string(one), "hmac-sha256/1:") || one == two {
			t.Errorf("digests %s and %s", one, two)
		}
		sn = commit(t, client(t, d), "same", files{"secrets/admin": "s3cret"})
		if sn.Commit().Number != 1 {
			t.Error("an unchanged secret made a commit")
		}
		remove(t, d, ".stateroom/"+demo+"/keys/manifest/1")
		sn = commit(t, client(t, d), "same", files{"secrets/admin": "s3cret"})
		if sn.Commit().Number != 1 {
			t.Error("an unchanged secret made a commit when the key was lost")
		}
		sn = commit(t, client(t, d), "new", files{"secrets/admin": "n3w"})
		if got := sn.Commit().Files["secrets/admin"].Digest; !strings.HasPrefix(string(got), "hmac-sha256/2:") {
			t.Errorf("digest %s under a lost key", got)
		}
		put(t, d, demo+"/secrets/admin", "foreign")
		commit(t, client(t, d), "again", files{"config": "a: 2\n"})
		expect(t, history(t, h), "1 change A config A secrets/admin A secrets/other\n2 change M secrets/admin\n3 import M secrets/admin\n4 change M config")
	})
}

func TestTenWritersAllSucceed(t *testing.T) {
	memories(t, func(t *testing.T, d *mem.Driver) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
		defer cancel()
		commit(t, client(t, d), "create", files{"config": "labels:\n"})
		var wg sync.WaitGroup
		for i := range 10 {
			h := client(t, d, func(o *store.Options) { o.Settle = &store.DefaultSettle })
			wg.Go(func() {
				_, err := h.Update(ctx, "label", func(tx *store.Tx) error {
					b, err := tx.ReadFile(ctx, "config")
					tx.WriteFile("config", fmt.Appendf(b, "  k%d: v%d\n", i, i))
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for i := range 10 {
			if !strings.Contains(get(t, d, demo+"/config"), fmt.Sprintf("k%d: v%d", i, i)) {
				t.Errorf("label %d is lost", i)
			}
		}
	})
}

func TestClustersAreFoldersWithConfigAndLivingHistories(t *testing.T) {
	memories(t, func(t *testing.T, d *mem.Driver) {
		ctx := t.Context()
		s, err := store.Open(ctx, vfs.New(d, "mem:"), store.Options{Settle: atOnce})
		if err != nil {
			t.Fatal(err)
		}
		put(t, d, "kops.example.com/config", "x")
		put(t, d, "discovery/x.example.com/openid", "x")
		for _, name := range []string{"a.example.com", "b.example.com", "c.example.com"} {
			if _, err := s.Cluster(name).Update(ctx, "create", files{"config": name}.apply); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"b.example.com", "c.example.com"} {
			if _, err := s.Cluster(name).Delete(ctx, "delete"); err != nil {
				t.Fatal(err)
			}
		}
		put(t, d, "c.example.com/config", "made again by another tool")
		var names []string
		for name, err := range s.Clusters(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, name)
		}
		expect(t, strings.Join(names, " "), "a.example.com c.example.com kops.example.com")
	})
}
