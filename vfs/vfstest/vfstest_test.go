package vfstest_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
	"github.com/stateroom/stateroom/vfs/vfstest"
)

// mutant is a driver in memory that breaks the contract in one way.
type mutant struct {
	*mem.Driver
	get    func(m mutant, ctx context.Context, key string, unless vfs.Version) ([]byte, vfs.Entry, error)
	put    func(m mutant, ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error)
	delete func(m mutant, ctx context.Context, key string, c vfs.Cond) error
	list   func(m mutant, ctx context.Context, prefix, after string) iter.Seq2[vfs.Entry, error]
}

func (m mutant) Get(ctx context.Context, key string, unless vfs.Version) ([]byte, vfs.Entry, error) {
	if m.get != nil {
		return m.get(m, ctx, key, unless)
	}
	return m.Driver.Get(ctx, key, unless)
}

func (m mutant) Put(ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
	if m.put != nil {
		return m.put(m, ctx, key, data, c, tag)
	}
	return m.Driver.Put(ctx, key, data, c, tag)
}

func (m mutant) Delete(ctx context.Context, key string, c vfs.Cond) error {
	if m.delete != nil {
		return m.delete(m, ctx, key, c)
	}
	return m.Driver.Delete(ctx, key, c)
}

func (m mutant) List(ctx context.Context, prefix, after string) iter.Seq2[vfs.Entry, error] {
	if m.list != nil {
		return m.list(m, ctx, prefix, after)
	}
	return m.Driver.List(ctx, prefix, after)
}

// listing is a List of all of the driver's entries under another treatment.
func listing(treat func(entries []vfs.Entry, prefix, after string) []vfs.Entry) func(mutant, context.Context, string, string) iter.Seq2[vfs.Entry, error] {
	return func(m mutant, ctx context.Context, prefix, after string) iter.Seq2[vfs.Entry, error] {
		return func(yield func(vfs.Entry, error) bool) {
			var all []vfs.Entry
			for e, err := range m.Driver.List(ctx, "", "") {
				if err != nil {
					yield(e, err)
					return
				}
				all = append(all, e)
			}
			for _, e := range treat(all, prefix, after) {
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}

func within(entries []vfs.Entry, prefix, after string) []vfs.Entry {
	return slices.DeleteFunc(entries, func(e vfs.Entry) bool { return !strings.HasPrefix(e.Key, prefix) || e.Key <= after })
}

// TestTestFindsEveryKindOfBadService lets the suite judge services that are
// known to exist, or are easy to write by mistake.
func TestTestFindsEveryKindOfBadService(t *testing.T) {
	var mu sync.Mutex
	kept := map[string][]byte{}
	mutants := map[string]struct {
		mutant
		rule string // one that must be found broken
	}{
		"accepts conditions and ignores them": {mutant{put: func(m mutant, ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
			return m.Driver.Put(ctx, key, data, vfs.Cond{}, tag)
		}}, "create-only: of many writers one wins"},
		"ignores conditions of deletes": {mutant{delete: func(m mutant, ctx context.Context, key string, c vfs.Cond) error {
			return m.Driver.Delete(ctx, key, vfs.Cond{})
		}}, "delete if-version: the right version deletes, another does not"},
		"creates under if-version": {mutant{put: func(m mutant, ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
			e, err := m.Driver.Put(ctx, key, data, c, tag)
			if _, _, missing := m.Driver.Get(ctx, key, ""); errors.Is(missing, fs.ErrNotExist) && err != nil {
				return m.Driver.Put(ctx, key, data, vfs.Cond{}, tag)
			}
			return e, err
		}}, "if-version: what is absent is a conflict, and stays absent"},
		"checks first and writes later": {mutant{put: func(m mutant, ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
			_, e, err := m.Driver.Get(ctx, key, "")
			if !c.Holds(err == nil, e.Version) {
				return vfs.Entry{}, vfs.ErrConflict
			}
			time.Sleep(time.Millisecond)
			return m.Driver.Put(ctx, key, data, vfs.Cond{}, tag)
		}}, "create-only: of many writers one wins"},
		"answers not found for a condition that does not hold": {mutant{put: func(m mutant, ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
			e, err := m.Driver.Put(ctx, key, data, c, tag)
			if _, ok := c.Version(); ok && err != nil {
				err = fs.ErrNotExist
			}
			return e, err
		}}, "if-version: what is absent is a conflict, and stays absent"},
		"takes the size for the version": {mutant{
			put: func(m mutant, ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
				e, err := m.Driver.Put(ctx, key, data, vfs.Cond{}, tag)
				e.Version = vfs.Version(string(rune('0' + e.Size)))
				return e, err
			},
		}, "a version changes with the bytes, and is never empty"},
		"keeps the caller's bytes": {mutant{
			put: func(m mutant, ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
				mu.Lock()
				defer mu.Unlock()
				e, err := m.Driver.Put(ctx, key, data, c, tag)
				if err == nil {
					kept[key] = data
				}
				return e, err
			},
			get: func(m mutant, ctx context.Context, key string, unless vfs.Version) ([]byte, vfs.Entry, error) {
				mu.Lock()
				defer mu.Unlock()
				data, e, err := m.Driver.Get(ctx, key, unless)
				if err == nil {
					data = kept[key]
				}
				return data, e, err
			},
		}, "bytes given and returned are the caller's own"},
		"never answers not modified": {mutant{get: func(m mutant, ctx context.Context, key string, unless vfs.Version) ([]byte, vfs.Entry, error) {
			return m.Driver.Get(ctx, key, "")
		}}, "get unless: not modified while at the version, else the object"},
		"drops tags in silence": {mutant{put: func(m mutant, ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
			return m.Driver.Put(ctx, key, data, c, "")
		}}, "a tag comes back with the object"},
		"trims text": {mutant{put: func(m mutant, ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
			return m.Driver.Put(ctx, key, bytes.TrimRight(data, "\x00"), c, tag)
		}}, "any bytes come back as they were: none, all values, 1 MiB"},
		"folds spaces in keys": {mutant{
			put: func(m mutant, ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
				return m.Driver.Put(ctx, strings.ReplaceAll(key, "+", " "), data, c, tag)
			},
		}, "unusual keys are kept apart"},
		"does not hear of cancelling": {mutant{put: func(m mutant, ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
			return m.Driver.Put(context.WithoutCancel(ctx), key, data, c, tag)
		}}, "a cancelled call says so and writes nothing"},
		"calls deleting what is absent an error": {mutant{delete: func(m mutant, ctx context.Context, key string, c vfs.Cond) error {
			if _, _, err := m.Driver.Get(ctx, key, ""); err != nil && c.IsZero() {
				return err
			}
			return m.Driver.Delete(ctx, key, c)
		}}, "without a condition a write overwrites and a delete deletes"},
		"lists as a walk through directories": {mutant{list: listing(func(entries []vfs.Entry, prefix, after string) []vfs.Entry {
			slices.SortFunc(entries, func(a, b vfs.Entry) int {
				return slices.Compare(strings.Split(a.Key, "/"), strings.Split(b.Key, "/"))
			})
			return within(entries, prefix, after)
		})}, "a list is sorted by the bytes of the whole key"},
		"lists from the key given on, not after it": {mutant{list: listing(func(entries []vfs.Entry, prefix, after string) []vfs.Entry {
			return slices.DeleteFunc(entries, func(e vfs.Entry) bool { return !strings.HasPrefix(e.Key, prefix) || e.Key < after })
		})}, "a list keeps to its prefix and begins after the key given"},
		"lists whole directories only": {mutant{list: listing(func(entries []vfs.Entry, prefix, after string) []vfs.Entry {
			return within(entries, strings.TrimRight(prefix, "abcdefghijklmnopqrstuvwxyz"), after)
		})}, "a list keeps to its prefix and begins after the key given"},
		"lists late": {mutant{list: listing(func(entries []vfs.Entry, prefix, after string) []vfs.Entry {
			return within(slices.DeleteFunc(entries, func(e vfs.Entry) bool { return time.Since(e.Time) < 5*time.Millisecond }), prefix, after)
		})}, "a list after a write or a delete knows of it"},
	}
	for name, c := range mutants {
		t.Run(name, func(t *testing.T) {
			m := c.mutant
			m.Driver = mem.New(mem.Options{UniqueVersions: true})
			err := vfstest.Test(t.Context(), func() (vfs.Driver, error) { return m, nil }, vfstest.Options{})
			var found []string
			for _, finding := range vfstest.Findings(err) {
				if b, ok := errors.AsType[*vfstest.Broken](finding); ok {
					found = append(found, b.Rule)
				}
			}
			if !slices.Contains(found, c.rule) {
				t.Errorf("the suite found %q, not %q", slices.Compact(found), c.rule)
			}
		})
	}
}

func TestTestLeavesNothingBehind(t *testing.T) {
	d := mem.New(mem.Options{})
	if _, err := d.Put(t.Context(), "team/mine", []byte("x"), vfs.Cond{}, ""); err != nil {
		t.Fatal(err)
	}
	c := vfstest.Count(d)
	if err := vfstest.Test(t.Context(), func() (vfs.Driver, error) { return c, nil }, vfstest.Options{Dir: "team"}); err != nil {
		t.Fatal(err)
	}
	for _, call := range c.Calls() {
		if !strings.HasPrefix(call.Key, "team/vfstest-") {
			t.Fatalf("%s reached beyond its folder", call)
		}
	}
	for e := range d.List(t.Context(), "", "") {
		if e.Key != "team/mine" {
			t.Errorf("%s was left", e.Key)
		}
	}
}

func TestFaultStrikesOneCall(t *testing.T) {
	type result struct {
		err    error
		stored string
		next   error
	}
	for _, c := range []struct {
		outcome vfstest.Outcome
		want    result
	}{
		{vfstest.Refused, result{vfstest.ErrStruck, "", nil}},
		{vfstest.Lost, result{vfstest.ErrStruck, "mine", nil}},
		{vfstest.Echoed, result{vfs.ErrConflict, "mine", nil}},
		{vfstest.Crashed, result{vfstest.ErrStruck, "", vfstest.ErrStruck}},
		{vfstest.CrashedAfter, result{vfstest.ErrStruck, "mine", vfstest.ErrStruck}},
		{vfstest.Late, result{vfstest.ErrStruck, "", nil}},
	} {
		t.Run(c.outcome.String(), func(t *testing.T) {
			ctx := t.Context()
			d := mem.New(mem.Options{})
			f := vfstest.Fault(d, 1, c.outcome)
			if _, err := f.Put(ctx, "first", nil, vfs.IfAbsent(), ""); err != nil || f.Hit() {
				t.Fatal("the first call is not to be struck", err)
			}
			_, err := f.Put(ctx, "k", []byte("mine"), vfs.IfAbsent(), "")
			if !errors.Is(err, c.want.err) || !f.Hit() {
				t.Errorf("put: %v, want %v", err, c.want.err)
			}
			data, _, _ := d.Get(ctx, "k", "")
			if string(data) != c.want.stored {
				t.Errorf("stored %q, want %q", data, c.want.stored)
			}
			if _, _, err := f.Get(ctx, "first", ""); !errors.Is(err, c.want.next) {
				t.Errorf("the next call: %v, want %v", err, c.want.next)
			}
			if landed := f.Land(ctx); landed != (c.outcome == vfstest.Late) {
				t.Errorf("landed: %t", landed)
			}
			if data, _, _ := d.Get(ctx, "k", ""); c.outcome == vfstest.Late && string(data) != "mine" {
				t.Errorf("landed, but stored %q", data)
			}
		})
	}
}

func TestFaultBreaksAListOff(t *testing.T) {
	ctx := t.Context()
	d := mem.New(mem.Options{})
	for _, key := range []string{"a", "b", "c", "d"} {
		if _, err := d.Put(ctx, key, nil, vfs.Cond{}, ""); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	var last error
	for e, err := range vfstest.Fault(d, 0, vfstest.Lost).List(ctx, "", "") {
		got, last = append(got, e.Key), err
	}
	if diff := cmp.Diff([]string{"a", "b", ""}, got); diff != "" || !errors.Is(last, vfstest.ErrStruck) {
		t.Error(diff, last)
	}
}

func TestCountTellsRoundTripsInARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		c := vfstest.Count(vfstest.Delay(mem.New(mem.Options{}), time.Second))
		var wg sync.WaitGroup
		for _, key := range []string{"a", "b", "c"} {
			wg.Go(func() { c.Put(ctx, key, nil, vfs.IfAbsent(), "") })
		}
		wg.Wait()
		c.Get(ctx, "a", "")
		for range c.List(ctx, "", "") {
		}
		if got := c.Rounds(); got != 3 {
			t.Errorf("%d rounds, want 3:\n%s", got, c)
		}
		if diff := cmp.Diff([]string{"get a", "list", "put a", "put b", "put c"}, c.Keys()); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(map[string]int{"put": 3, "get": 1, "list": 1}, c.Ops()); diff != "" || c.Total() != 5 {
			t.Error(diff)
		}
	})
}
