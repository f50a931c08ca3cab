package store_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs/mem"
	"github.com/stateroom/stateroom/vfs/vfstest"
)

// shelf is a cache of records in memory.
type shelf map[string][]byte

func (s shelf) use(o *store.Options) {
	var mu sync.Mutex
	alone := func(f func()) { mu.Lock(); defer mu.Unlock(); f() }
	o.Records = &store.Records{
		Get:  func(digest string) (b []byte) { alone(func() { b = s[digest] }); return b },
		Put:  func(digest string, record []byte) { alone(func() { s[digest] = record }) },
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
	if len(cache) != 3 {
		t.Errorf("%d records are kept", len(cache))
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
