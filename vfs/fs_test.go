package vfs_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
)

// judge is a driver that must never be called: it stands behind keys that an
// FS has to refuse by itself.
type judge struct{ t *testing.T }

func (j judge) Get(context.Context, string, vfs.Version) ([]byte, vfs.Entry, error) {
	j.t.Error("Get reached the driver")
	return nil, vfs.Entry{}, nil
}

func (j judge) Put(context.Context, string, []byte, vfs.Cond, string) (vfs.Entry, error) {
	j.t.Error("Put reached the driver")
	return vfs.Entry{}, nil
}

func (j judge) Delete(context.Context, string, vfs.Cond) error {
	j.t.Error("Delete reached the driver")
	return nil
}

func (j judge) List(context.Context, string, string) iter.Seq2[vfs.Entry, error] {
	j.t.Error("List reached the driver")
	return func(func(vfs.Entry, error) bool) {}
}

func TestBadKeysNeverReachTheDriver(t *testing.T) {
	ctx := t.Context()
	root := vfs.New(judge{t}, "judge://")
	for _, f := range []*vfs.FS{root, root.Sub("demo"), root.Sub("..")} {
		keys := []string{"", ".", "/", "..", "../x", "a/../b", "a//b", "a/", "/a", "a\x00b", "a\xffb", strings.Repeat("x", 513)}
		if f != root && f.Name() == "judge://.." {
			keys = append(keys, "fine")
		}
		for _, key := range keys {
			_, _, err := f.Get(ctx, key)
			_, err2 := f.Put(ctx, key, nil, vfs.Cond{}, "")
			err3 := f.Delete(ctx, key, vfs.Cond{})
			_, err4 := f.Lock(ctx, key)
			for _, err := range []error{err, err2, err3, err4} {
				if !errors.Is(err, fs.ErrInvalid) {
					t.Errorf("%s: key %q: %v, want fs.ErrInvalid", f.Name(), key, err)
				}
			}
		}
	}
	for _, prefix := range []string{"/", "../", "a//", "a/./", "\x00"} {
		for _, err := range root.List(ctx, prefix, "") {
			if !errors.Is(err, fs.ErrInvalid) {
				t.Errorf("prefix %q: %v, want fs.ErrInvalid", prefix, err)
			}
		}
	}
	if _, err := root.Put(ctx, "big", make([]byte, vfs.MaxObject+1), vfs.Cond{}, ""); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("an object over the limit: %v", err)
	}
	if err := root.Delete(ctx, "x", vfs.IfAbsent()); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("delete if absent: %v", err)
	}
}

func TestErrorsSayWhatAndWhere(t *testing.T) {
	ctx := t.Context()
	f := vfs.New(mem.New(mem.Options{}), "mem://")
	_, _, err := f.Sub("demo.example.com").Get(ctx, "config")
	check := func(err error, is error, want string) {
		t.Helper()
		var e *vfs.Error
		if !errors.Is(err, is) || !errors.As(err, &e) || err.Error() != want {
			t.Errorf("got %q (%T), want %q", err, err, want)
		}
	}
	check(err, fs.ErrNotExist, "get mem://demo.example.com/config: file does not exist")
	f = vfs.New(mem.New(mem.Options{}), "")
	_, _, err = f.Get(ctx, "a\x1b[31m")
	check(err, fs.ErrNotExist, `get "a\x1b[31m": file does not exist`)
	_, err = f.Put(ctx, "", nil, vfs.Cond{}, "")
	check(err, fs.ErrInvalid, `put "": not a valid key: invalid argument`)
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	for _, err := range f.List(canceled, "", "") {
		check(err, context.Canceled, "list: context canceled")
	}
}

func TestSubSeesItsFolderAlone(t *testing.T) {
	ctx := t.Context()
	f := vfs.New(mem.New(mem.Options{}), "mem:")
	for _, key := range []string{"a/config", "a/x/1", "a-b/config", "a.b", "ab/c", "a/x-y", "a/y/z/2"} {
		if _, err := f.Put(ctx, key, []byte(key), vfs.Cond{}, ""); err != nil {
			t.Fatal(err)
		}
	}
	sub := f.Sub("a")
	got := keys(t, sub.List(ctx, "", ""))
	if diff := cmp.Diff([]string{"config", "x-y", "x/1", "y/z/2"}, got); diff != "" {
		t.Error(diff)
	}
	got = keys(t, sub.List(ctx, "x", "x-y"))
	if diff := cmp.Diff([]string{"x/1"}, got); diff != "" {
		t.Error(diff)
	}
	got = keys(t, f.ListDir(ctx, ""))
	if diff := cmp.Diff([]string{"a-b/", "a.b", "a/", "ab/"}, got); diff != "" {
		t.Error(diff)
	}
	got = keys(t, f.Sub("a").Sub("y").ListDir(ctx, ""))
	if diff := cmp.Diff([]string{"z/"}, got); diff != "" {
		t.Error(diff)
	}
	got = keys(t, f.ListDir(ctx, "a/y/z"))
	if diff := cmp.Diff([]string{"a/y/z/2"}, got); diff != "" {
		t.Error(diff)
	}
	data, e, err := sub.Get(ctx, "config")
	if err != nil || string(data) != "a/config" || e.Key != "config" {
		t.Error(string(data), e, err)
	}
}

func TestListLeavesOutWhatNoGetAccepts(t *testing.T) {
	ctx := t.Context()
	d := mem.New(mem.Options{})
	for _, key := range []string{"a/", "a/b", "a//c", "ok"} { // as a bucket console makes them
		if _, err := d.Put(ctx, key, nil, vfs.Cond{}, ""); err != nil {
			t.Fatal(err)
		}
	}
	got := keys(t, vfs.New(d, "").List(ctx, "", ""))
	if diff := cmp.Diff([]string{"a/b", "ok"}, got); diff != "" {
		t.Error(diff)
	}
}

func keys(t *testing.T, list iter.Seq2[vfs.Entry, error]) []string {
	t.Helper()
	var keys []string
	for e, err := range list {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, e.Key)
	}
	if !slices.IsSorted(keys) {
		t.Errorf("not sorted: %q", keys)
	}
	return keys
}

func TestCondHolds(t *testing.T) {
	for _, c := range []struct {
		cond   vfs.Cond
		exists bool
		v      vfs.Version
		want   bool
	}{
		{vfs.Cond{}, false, "", true},
		{vfs.Cond{}, true, "1", true},
		{vfs.IfAbsent(), false, "", true},
		{vfs.IfAbsent(), true, "1", false},
		{vfs.IfVersion("1"), true, "1", true},
		{vfs.IfVersion("1"), true, "2", false},
		{vfs.IfVersion("1"), false, "", false},
		{vfs.IfVersion(""), false, "", false},
		{vfs.IfVersion(""), true, "", false},
	} {
		if got := c.cond.Holds(c.exists, c.v); got != c.want {
			t.Errorf("%s, exists %t at %q: %t", c.cond, c.exists, c.v, got)
		}
	}
}

func Example() {
	ctx := context.Background()
	f := vfs.New(mem.New(mem.Options{}), "mem:").Sub("demo.example.com")
	e, _ := f.Put(ctx, "config", []byte("kind: Cluster\n"), vfs.IfAbsent(), "")
	_, err := f.Put(ctx, "config", nil, vfs.IfAbsent(), "")
	fmt.Println(err)
	_, err = f.Put(ctx, "config", []byte("kind: Cluster # mine\n"), vfs.IfVersion(e.Version), "")
	fmt.Println(err)
	// Output:
	// put mem:/demo.example.com/config: conflict
	// <nil>
}

// Some services take an empty version for none: a write under one would be done
// whatever is there.
func TestTheEmptyVersionIsNoObjects(t *testing.T) {
	f := vfs.New(judge{t}, "judge://")
	_, put := f.Put(t.Context(), "k", nil, vfs.IfVersion(""), "")
	for _, err := range []error{put, f.Delete(t.Context(), "k", vfs.IfVersion("")), f.BareDelete(t.Context(), "k", "")} {
		if !errors.Is(err, vfs.ErrConflict) {
			t.Error(err)
		}
	}
}

// A tag is sent in a header by most drivers, and means the same with all.
func TestATagThatCannotBeSentIsRefused(t *testing.T) {
	for _, tag := range []string{"a\nb", "\r", "ä", "a\x00", strings.Repeat("t", vfs.MaxTag+1)} {
		if _, err := vfs.New(judge{t}, "judge://").Put(t.Context(), "k", nil, vfs.Cond{}, tag); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%q: %v", tag, err)
		}
	}
}
