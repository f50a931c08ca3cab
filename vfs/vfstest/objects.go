package vfstest

import (
	"context"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/stateroom/stateroom/vfs"
)

var errNotExist = fs.ErrNotExist

var objectRules = []rule{
	{name: "what was never written is not found", run: func(ctx context.Context, c *check) {
		c.absent(ctx, "nothing")
		c.absent(ctx, "no/such/folder")
		_, _, err := c.f.GetUnless(ctx, "nothing", "1")
		c.is(err, fs.ErrNotExist, "get unless at a version")
		c.put(ctx, c.f, "folder/object", "x", vfs.Cond{})
		c.absent(ctx, "folder")
		c.absent(ctx, "folder/object/below")
	}},
	{name: "a read after a write sees it, from anywhere", run: func(ctx context.Context, c *check) {
		for _, data := range []string{"one", "two", "three is longer", "4"} {
			put := c.put(ctx, c.f, "a/b/c", data, vfs.Cond{})
			got := c.holds(ctx, "a/b/c", data)
			if put.Version == "" || put.Version != got.Version {
				c.broken("put answers version %q, get %q", put.Version, got.Version)
			}
			if put.Key != "a/b/c" || got.Key != "a/b/c" || put.Size != int64(len(data)) || got.Size != int64(len(data)) {
				c.broken("put answers %+v, get %+v, for %d bytes at a/b/c", put, got, len(data))
			}
			if got.Time.IsZero() {
				c.broken("get answers no time")
			}
		}
	}},
	{name: "any bytes come back as they were: none, all values, 1 MiB", run: func(ctx context.Context, c *check) {
		var all [256]byte
		for i := range all {
			all[i] = byte(i)
		}
		for key, data := range map[string]string{
			"empty": "", "binary": string(all[:]), "lines": "a\r\nb\n\x00", "large": strings.Repeat(string(all[:]), 4096),
		} {
			c.put(ctx, c.f, key, data, vfs.Cond{})
			c.holds(ctx, key, data)
		}
	}},
	{name: "an object over the limit is refused and leaves nothing", run: func(ctx context.Context, c *check) {
		_, err := c.f.Put(ctx, "huge", make([]byte, vfs.MaxObject+1), vfs.Cond{}, "")
		c.is(err, fs.ErrInvalid, "put 32 MiB and a byte")
		c.absent(ctx, "huge")
	}},
	{name: "bad keys are refused", run: badKeys},
	{name: "unusual keys are kept apart", run: func(ctx context.Context, c *check) {
		keys := []string{
			"a b", "a+b", "a%20b", "a%2Bb", "a%2Fb", "a%b", "%00", "%2e%2e/b", "a:b", "a@b", "a=b&c", "a,b", "~a", "-a", "ä/ö/ü", "日本", "😀",
			"a.b", ".a", "a..b", "a?b", "a#b", "a*b", "a\"b'", "a<b>", "a|b", "a;b", "a!b()", "$a", "a^b`{}[]", "a\tb", " a", "a ", "b/ c/d ",
			"kube-proxy:v1", strings.Repeat("long/", 60) + "x",
		}
		for _, key := range keys {
			c.put(ctx, c.f, key, "at "+key, vfs.Cond{})
		}
		for _, key := range keys {
			c.holds(ctx, key, "at "+key)
			c.lists(startingAt(c.other.List(ctx, key, "")), []string{key}, fmt.Sprintf("list %q", key))
		}
		c.lists(c.f.List(ctx, "", ""), slices.Sorted(slices.Values(keys)), "list all")
		for _, key := range keys {
			c.is(c.f.Delete(ctx, key, vfs.Cond{}), nil, "delete")
		}
		c.lists(c.f.List(ctx, "", ""), nil, "list after all were deleted")
	}},
	{name: "bytes given and returned are the caller's own", run: func(ctx context.Context, c *check) {
		given := []byte("given")
		_, err := c.f.Put(ctx, "k", given, vfs.Cond{}, "")
		c.is(err, nil, "put")
		given[0] = 'X'
		got, _, err := c.f.Get(ctx, "k")
		if c.is(err, nil, "get") && len(got) > 0 {
			got[0] = 'Y'
		}
		c.holds(ctx, "k", "given")
	}},
	{name: "get unless: not modified while at the version, else the object", run: func(ctx context.Context, c *check) {
		one := c.put(ctx, c.f, "k", "one", vfs.Cond{})
		data, _, err := c.other.GetUnless(ctx, "k", one.Version)
		c.is(err, vfs.ErrNotModified, "get unless still at it")
		if data != nil {
			c.broken("not modified, but %d bytes came", len(data))
		}
		two := c.put(ctx, c.f, "k", "two", vfs.Cond{})
		data, e, err := c.other.GetUnless(ctx, "k", one.Version)
		if c.is(err, nil, "get unless at an older version") && (string(data) != "two" || e.Version != two.Version) {
			c.broken("got %q at %q, want the new object", data, e.Version)
		}
	}},
	{name: "a version changes with the bytes, and is never empty", run: func(ctx context.Context, c *check) {
		seen := map[vfs.Version]string{}
		for i := range 32 { // the same length each time, as fast as it goes
			data := string(rune('A' + i))
			e := c.put(ctx, c.f, "k", data, vfs.Cond{})
			if before, ok := seen[e.Version]; ok || e.Version == "" {
				c.broken("version %q for %q, and before for %q", e.Version, data, before)
				return
			}
			seen[e.Version] = data
		}
	}},
	{name: "a version is never used twice", need: vfs.Traits{UniqueVersions: true}, run: func(ctx context.Context, c *check) {
		seen := map[vfs.Version]bool{}
		for range 16 {
			e := c.put(ctx, c.f, "k", "same", vfs.Cond{})
			if seen[e.Version] {
				c.broken("version %q came back for the same bytes", e.Version)
				return
			}
			seen[e.Version] = true
			if len(seen)%4 == 0 {
				c.is(c.f.Delete(ctx, "k", vfs.Cond{}), nil, "delete")
			}
		}
	}},
	{name: "a tag comes back with the object", need: vfs.Traits{Tags: true}, run: func(ctx context.Context, c *check) {
		const tag = "6f0c1c7e-8d07-4b2f-9a55-2d3c6b3f1c11 42"
		_, err := c.f.Put(ctx, "k", []byte("x"), vfs.Cond{}, tag)
		c.is(err, nil, "put with a tag")
		if e := c.holds(ctx, "k", "x"); e.Tag != tag {
			c.broken("tag %q, want %q", e.Tag, tag)
		}
		c.put(ctx, c.f, "k", "y", vfs.Cond{})
		if e := c.holds(ctx, "k", "y"); e.Tag != "" {
			c.broken("tag %q after a write without one", e.Tag)
		}
	}},
	{name: "readers see all of an object or nothing of it", run: allOrNothing},
	{name: "a cancelled call says so and writes nothing", run: func(ctx context.Context, c *check) {
		c.put(ctx, c.f, "k", "old", vfs.Cond{})
		canceled, cancel := context.WithCancel(ctx)
		cancel()
		_, err := c.f.Put(canceled, "k", []byte("new"), vfs.Cond{}, "")
		c.is(err, context.Canceled, "put")
		_, _, err = c.f.Get(canceled, "k")
		c.is(err, context.Canceled, "get")
		c.is(c.f.Delete(canceled, "k", vfs.Cond{}), context.Canceled, "delete")
		var last error
		for _, err := range c.f.List(canceled, "", "") {
			last = err
		}
		c.is(last, context.Canceled, "list")
		c.holds(ctx, "k", "old")
	}},
}

// startingAt is the first entry of a list.
func startingAt(list iter.Seq2[vfs.Entry, error]) iter.Seq2[vfs.Entry, error] {
	return func(yield func(vfs.Entry, error) bool) {
		for e, err := range list {
			yield(e, err)
			return
		}
	}
}

func badKeys(ctx context.Context, c *check) {
	for _, key := range []string{
		"", "/", ".", "..", "../x", "a/..", "a/../b", "./a", "a//b", "/a", "a/", "a\x00b", "a\xff", strings.Repeat("k", vfs.MaxKey+1),
	} {
		_, err := c.f.Put(ctx, key, []byte("x"), vfs.Cond{}, "")
		c.is(err, fs.ErrInvalid, "put")
		_, _, err = c.f.Get(ctx, key)
		c.is(err, fs.ErrInvalid, "get")
		c.is(c.f.Delete(ctx, key, vfs.Cond{}), fs.ErrInvalid, "delete")
	}
	for e, err := range c.f.List(ctx, "", "") {
		c.broken("list yields %q, %v after refused writes", e.Key, err)
	}
}

// allOrNothing overwrites an object again and again, each time with one letter
// many times over, and reads it meanwhile from the other machine.
func allOrNothing(ctx context.Context, c *check) {
	const size = 64 << 10
	c.put(ctx, c.f, "k", strings.Repeat("a", size), vfs.Cond{})
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(done)
		for i := range 4 * c.opt.Rounds {
			_, err := c.f.Put(ctx, "k", []byte(strings.Repeat(string(rune('a'+i%26)), size-i)), vfs.Cond{}, "")
			if err != nil {
				return // other rules tell
			}
		}
	})
	defer wg.Wait()
	for {
		data, e, err := c.other.Get(ctx, "k")
		if !c.is(err, nil, "get while it is overwritten") {
			return
		}
		if len(data) < size/2 || e.Size != int64(len(data)) || strings.Count(string(data), string(data[:1])) != len(data) {
			c.broken("a read of %d bytes (size said %d) is a mixture", len(data), e.Size)
			return
		}
		select {
		case <-done:
			return
		default:
		}
	}
}
