package store_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
	"github.com/stateroom/stateroom/vfs/vfstest"
)

// shelf is a cache in memory.
type shelf map[string][]byte

func (s shelf) use(o *store.Options) {
	var mu sync.Mutex
	alone := func(f func()) { mu.Lock(); defer mu.Unlock(); f() }
	o.Cache = &store.Cache{
		Get:  func(digest string) (b []byte) { alone(func() { b = s[digest] }); return b },
		Put:  func(digest string, b []byte) { alone(func() { s[digest] = b }) },
		Drop: func(digest string) { alone(func() { delete(s, digest) }) },
	}
}

// A history that was read once is not read again, but for its newest record.
func TestTheLogIsReadOnce(t *testing.T) {
	d, cache := mem.New(mem.Options{}), shelf{}
	for i := range 50 {
		commit(t, client(t, d), "change", files{"config": fmt.Sprint(i)})
	}
	want := history(t, client(t, d, cache.use))
	counter := vfstest.Count(d)
	expect(t, history(t, client(t, counter, cache.use)), want)
	if counter.Total() > 5 {
		t.Errorf("%d requests:\n%s", counter.Total(), counter)
	}
	// A client that commits has what it committed.
	commit(t, client(t, d, cache.use), "change", files{"config": "new"})
	commit(t, client(t, d, cache.use), "change", files{"config": "newer"})
	counter = vfstest.Count(d)
	history(t, client(t, counter, cache.use))
	if counter.Total() > 5 {
		t.Errorf("%d requests:\n%s", counter.Total(), counter)
	}
}

// What a cache returns is believed only if it is the record that the newer one
// names.
func TestWhatTheCacheReturnsIsChecked(t *testing.T) {
	for name, spoil := range map[string]func(b []byte) []byte{
		"nothing": func([]byte) []byte { return []byte{} },
		"cut":     func(b []byte) []byte { return b[:len(b)-10] },
		"flipped": func(b []byte) []byte { return []byte(strings.Replace(string(b), "change", "chance", 1)) },
	} {
		d, cache := mem.New(mem.Options{}), shelf{}
		for i := range 5 {
			commit(t, client(t, d), "change", files{"config": fmt.Sprint(i)})
		}
		want := history(t, client(t, d, cache.use))
		for digest, b := range cache {
			cache[digest] = spoil(append([]byte{}, b...))
		}
		expect(t, history(t, client(t, d, cache.use)), want)
		for digest, b := range cache {
			if !strings.Contains(string(b), "\nchange\n") {
				t.Errorf("%s: %s is kept: %q", name, digest, b)
			}
		}
		first := ""
		for _, b := range cache { // whole records, but others than asked for
			first = string(b)
		}
		for digest := range cache {
			cache[digest] = []byte(first)
		}
		expect(t, history(t, client(t, d, cache.use)), want)
	}
}

// A record that holds the bytes of a secret never comes to a cache, whether it
// was read or written.
func TestSecretsAreNotCached(t *testing.T) {
	d, cache := mem.New(mem.Options{}), shelf{}
	h := client(t, d, cache.use)
	commit(t, h, "create", files{"config": "a: 1\n"})
	commit(t, h, "secret", files{"secrets/token": "hunter2", "config": "a: 2\n"})
	put(t, d, demo+"/pki/private/ca/keyset.yaml", "hunter2 too")
	commit(t, h, "import", files{"config": "a: 3\n"})
	commit(t, h, "delete", files{"secrets/token": "-"})
	history(t, client(t, d, cache.use))
	records := 0
	for key := range cache {
		if !strings.HasPrefix(key, "file ") {
			records++
		}
	}
	if records != 3 || len(cache) != 6 {
		t.Errorf("%d records and %d files are kept", records, len(cache)-records)
	}
	for digest, b := range cache {
		if strings.Contains(string(b), "hunter2") {
			t.Errorf("%s: %s", digest, b)
		}
	}
}

// The newest record is always asked for: that the store has it is what a
// commit on top of it needs.
func TestACacheHidesNoMissingNewestRecord(t *testing.T) {
	d, cache := mem.New(mem.Options{}), shelf{}
	commit(t, client(t, d, cache.use), "create", files{"config": "a: 1\n"})
	commit(t, client(t, d, cache.use), "change", files{"config": "a: 2\n"})
	remove(t, d, recordKey(2))
	_, err := client(t, d, cache.use).Update(t.Context(), "change", files{"config": "a: 3\n"}.apply)
	wantDamaged(t, "update", 2, err)
}

// plainDigest is how a manifest names a file of these bytes.
func plainDigest(text string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(text))) }

// edits changes a file of three that other commits wrote, having read all.
func edits(t *testing.T, s *store.Store, text string) {
	t.Helper()
	_, err := s.Cluster(demo).Reading("config", "instancegroup/").Update(t.Context(), "edit", func(tx *store.Tx) error {
		if _, err := tx.FS(t.Context(), "config", "instancegroup/"); err != nil {
			return err
		}
		tx.WriteFile("config", []byte(text))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// opened is a store as a command opens it, with nothing in memory.
func opened(t *testing.T, d vfs.Driver, cache shelf) *store.Store {
	t.Helper()
	opt := store.Options{Author: "Ada <ada@example.com>", Now: func() time.Time { return time.Now().Add(time.Hour) }}
	cache.use(&opt)
	s, err := store.Open(t.Context(), vfs.New(d, "mem:"), opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// An edit asks for no document that was seen before, however old its record:
// with the opening of the store it has eight requests.
func TestWhatWasReadOrWrittenOnceIsNotAskedForAgain(t *testing.T) {
	d, cache := mem.New(mem.Options{}), shelf{}
	three := files{"config": "a: 0\n", "instancegroup/nodes": "n: 0\n", "instancegroup/control-plane": "c: 0\n"}
	commit(t, client(t, d), "create", three)
	edits(t, opened(t, d, cache), "a: 1\n")
	for i := range 3 {
		counter := vfstest.Count(d)
		edits(t, opened(t, counter, cache), fmt.Sprintf("a: %d\n", i+2))
		if counter.Total() != 8 {
			t.Errorf("edit %d: %d requests:\n%s", i, counter.Total(), counter)
		}
	}
	counter := vfstest.Count(d)
	sn, err := opened(t, counter, cache).Cluster(demo).Head(t.Context(), "config", "instancegroup/")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"config": "a: 4\n", "instancegroup/nodes": "n: 0\n", "instancegroup/control-plane": "c: 0\n"} {
		b, err := sn.ReadFile(t.Context(), name)
		if err != nil || string(b) != want {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	if counter.Total() != 4 {
		t.Errorf("a read: %d requests:\n%s", counter.Total(), counter)
	}
}

// A file out of the cache is believed only if it is the one that the manifest
// names.
func TestFilesOfTheCacheAreChecked(t *testing.T) {
	d, cache := mem.New(mem.Options{}), shelf{}
	commit(t, client(t, d, cache.use), "create", files{"config": "a: 0\n", "instancegroup/nodes": "n: 0\n"})
	commit(t, client(t, d, cache.use), "change", files{"config": "a: 1\n"})
	for key := range cache {
		if strings.HasPrefix(key, "file ") {
			cache[key] = []byte("x: 0\n")
		}
	}
	sn, err := opened(t, d, cache).Cluster(demo).Head(t.Context(), "config", "instancegroup/")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"config": "a: 1\n", "instancegroup/nodes": "n: 0\n"} {
		if b, err := sn.ReadFile(t.Context(), name); err != nil || string(b) != want {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	for key, b := range cache {
		if string(b) == "x: 0\n" && strings.HasSuffix(key, plainDigest("n: 0\n")) {
			t.Error("what is wrong is kept")
		}
	}
}

// An edit by another tool is seen, whatever the cache has.
func TestACacheHidesNoForeignEdit(t *testing.T) {
	d, cache := mem.New(mem.Options{}), shelf{}
	commit(t, client(t, d, cache.use), "create", files{"config": "a: 0\n", "instancegroup/nodes": "n: 0\n"})
	commit(t, client(t, d, cache.use), "change", files{"config": "a: 1\n"})
	put(t, d, demo+"/instancegroup/nodes", "n: foreign\n")
	edits(t, opened(t, d, cache), "a: 2\n")
	sn, err := opened(t, d, cache).Cluster(demo).Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if b, err := sn.ReadFile(t.Context(), "instancegroup/nodes"); err != nil || string(b) != "n: foreign\n" {
		t.Errorf("%q, %v", b, err)
	}
}

// Who changes documents does not look at the release; who reads everything, as
// a change of the release does, does.
func TestTheReleaseIsSeenToByWhoeverMayChangeIt(t *testing.T) {
	d, cache := mem.New(mem.Options{}), shelf{}
	prepared(t, 2)(d)
	right := get(t, d, own+"/release")
	put(t, d, own+"/release", "foreign")
	edits(t, opened(t, d, cache), "a: 1\n")
	expect(t, get(t, d, own+"/release"), "foreign")
	if _, err := opened(t, d, cache).Cluster(demo).Update(t.Context(), "change", files{"config": "a: 2\n"}.apply); err != nil {
		t.Fatal(err)
	}
	expect(t, get(t, d, own+"/release"), right)
}

// A secret that somebody else gave a plain digest is one all the same.
func TestSecretsOfPlainDigestsAreNotCached(t *testing.T) {
	d, cache := mem.New(mem.Options{}), shelf{}
	commit(t, client(t, d, func(o *store.Options) { o.Keyed = func(string) bool { return false } }), "create", files{"config": "a: 1\n", "secrets/token": "hunter2"})
	sn, err := opened(t, d, cache).Cluster(demo).Head(t.Context(), "config", "secrets/")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := sn.ReadFile(t.Context(), "secrets/token"); err != nil || string(b) != "hunter2" {
		t.Errorf("%q, %v", b, err)
	}
	if len(cache) != 1 {
		t.Errorf("%d entries are kept", len(cache))
	}
	for key, b := range cache {
		if strings.Contains(string(b), "hunter2") {
			t.Errorf("%s: %s", key, b)
		}
	}
}
