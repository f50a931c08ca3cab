package vfstest

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/stateroom/stateroom/vfs"
)

// listed holds keys whose order by bytes is not that of a walk through
// directories: "a-b" and "a.b" sort before "a/b", since '-' and '.' sort before '/'.
var listed = []string{
	"A", "a!", "a-b", "a-c/d", "a.b", "a/a", "a/b-c", "a/b.c", "a/b/c", "a/b/d/e", "a0", "aa/1", "b", "c/d", "é/x",
}

var listRules = []rule{
	{name: "a list is sorted by the bytes of the whole key", run: func(ctx context.Context, c *check) {
		c.fill(ctx)
		c.lists(c.f.List(ctx, "", ""), listed, "list all")
		c.lists(c.other.List(ctx, "", ""), listed, "list all from elsewhere")
	}},
	{name: "a list keeps to its prefix and begins after the key given", run: func(ctx context.Context, c *check) {
		c.fill(ctx)
		prefixes := []string{"", "a", "a/", "a/b", "a/b/", "a-", "aa/1", "b", "b/", "nothing", "no/such/folder/", "\xc3"}
		afters := []string{"", "a", "a-b", "a.", "a/b", "a/b/c", "a/b/zzz", "a0", "b", "é/x", "\xff"}
		for _, prefix := range prefixes {
			for _, after := range afters {
				var want []string
				for _, key := range listed {
					if strings.HasPrefix(key, prefix) && key > after {
						want = append(want, key)
					}
				}
				c.lists(c.f.List(ctx, prefix, after), want, fmt.Sprintf("list %q after %q", prefix, after))
			}
		}
	}},
	{name: "a list after a write or a delete knows of it", run: func(ctx context.Context, c *check) {
		for i := range 8 {
			e := c.put(ctx, c.f, "dir/k", strings.Repeat("x", i), vfs.Cond{})
			n := 0
			for got, err := range c.other.List(ctx, "dir/", "") {
				n++
				if c.is(err, nil, "list") && (got.Version != e.Version || got.Size != int64(i) || got.Time.IsZero()) {
					c.broken("list says %+v after put said %+v", got, e)
				}
			}
			if n != 1 {
				c.broken("list yields %d objects, want 1", n)
			}
			c.is(c.f.Delete(ctx, "dir/k", vfs.Cond{}), nil, "delete")
			c.lists(c.other.List(ctx, "dir/", ""), nil, "list after delete")
		}
	}},
	{name: "a list of one level names objects and folders", run: func(ctx context.Context, c *check) {
		c.fill(ctx)
		for dir, want := range map[string][]string{
			"":          {"A", "a!", "a-b", "a-c/", "a.b", "a/", "a0", "aa/", "b", "c/", "é/"},
			"a":         {"a/a", "a/b-c", "a/b.c", "a/b/"},
			"a/b":       {"a/b/c", "a/b/d/"},
			"b":         nil,
			"no/such":   nil,
			"a/b/d":     {"a/b/d/e"},
			"a/b/d/e/f": nil,
		} {
			c.lists(c.f.ListDir(ctx, dir), want, fmt.Sprintf("list directory %q", dir))
		}
	}},
	{name: "a list can be left at any point and taken again", run: func(ctx context.Context, c *check) {
		c.fill(ctx)
		all := c.f.List(ctx, "", "")
		for stop := range len(listed) {
			n := 0
			for _, err := range all {
				c.is(err, nil, "list")
				if n++; n > stop {
					break
				}
			}
		}
		c.lists(all, listed, "list again")
	}},
}

// fill writes the keys of listed, in an order of their own.
func (c *check) fill(ctx context.Context) {
	for i := range listed {
		key := listed[(i*7+3)%len(listed)]
		c.put(ctx, c.f, key, key, vfs.Cond{})
	}
}

// lists records a finding if a list does not yield just the keys wanted, in order.
func (c *check) lists(list iter.Seq2[vfs.Entry, error], want []string, doing string) {
	var got []string
	for e, err := range list {
		if !c.is(err, nil, doing) {
			return
		}
		got = append(got, e.Key)
	}
	if !slices.Equal(got, want) {
		c.broken("%s yields %q, want %q", doing, got, want)
	}
}
