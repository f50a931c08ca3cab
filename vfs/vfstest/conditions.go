package vfstest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/stateroom/stateroom/vfs"
)

var conditional = vfs.Traits{Conditions: true}

var conditionRules = []rule{
	{name: "without a condition a write overwrites and a delete deletes", run: func(ctx context.Context, c *check) {
		c.put(ctx, c.f, "k", "one", vfs.Cond{})
		c.put(ctx, c.other, "k", "two", vfs.Cond{})
		c.holds(ctx, "k", "two")
		c.is(c.f.Delete(ctx, "k", vfs.Cond{}), nil, "delete")
		c.absent(ctx, "k")
		c.is(c.f.Delete(ctx, "k", vfs.Cond{}), nil, "delete what is absent")
		c.is(c.f.Delete(ctx, "no/such/folder/k", vfs.Cond{}), nil, "delete in no folder")
	}},
	{name: "create-only: the second is a conflict and changes nothing", need: conditional, run: func(ctx context.Context, c *check) {
		first := c.put(ctx, c.f, "k", "first", vfs.IfAbsent())
		for _, f := range []*vfs.FS{c.f, c.other} {
			_, err := f.Put(ctx, "k", []byte("second"), vfs.IfAbsent(), "")
			c.is(err, vfs.ErrConflict, "create again")
		}
		_, err := c.f.Put(ctx, "k", []byte("first"), vfs.IfAbsent(), "")
		c.is(err, vfs.ErrConflict, "create again with the same bytes")
		if e := c.holds(ctx, "k", "first"); e.Version != first.Version {
			c.broken("version was %q and is %q", first.Version, e.Version)
		}
	}},
	{name: "create-only: what was deleted can be created", need: conditional, run: func(ctx context.Context, c *check) {
		c.put(ctx, c.f, "k", "first", vfs.IfAbsent())
		c.is(c.f.Delete(ctx, "k", vfs.Cond{}), nil, "delete")
		c.put(ctx, c.f, "k", "second", vfs.IfAbsent())
		c.holds(ctx, "k", "second")
	}},
	{name: "create-only: of many writers one wins", need: conditional, run: func(ctx context.Context, c *check) {
		for i := range c.opt.Rounds {
			c.race(ctx, fmt.Sprintf("k%d", i), i, vfs.IfAbsent())
		}
	}},
	{name: "if-version: the right version replaces, and only once", need: conditional, run: func(ctx context.Context, c *check) {
		one := c.put(ctx, c.f, "k", "one", vfs.Cond{})
		c.put(ctx, c.other, "k", "two", vfs.IfVersion(one.Version))
		c.holds(ctx, "k", "two")
		_, err := c.f.Put(ctx, "k", []byte("three"), vfs.IfVersion(one.Version), "")
		c.is(err, vfs.ErrConflict, "replace at a version that is gone")
		c.holds(ctx, "k", "two")
	}},
	{name: "if-version: the version that a list or a get told is the right one", need: conditional, run: func(ctx context.Context, c *check) {
		c.put(ctx, c.f, "k", "one", vfs.Cond{})
		for e, err := range c.other.List(ctx, "", "") {
			if c.is(err, nil, "list") {
				c.put(ctx, c.f, e.Key, "two", vfs.IfVersion(e.Version))
			}
		}
		e := c.holds(ctx, "k", "two")
		c.put(ctx, c.other, "k", "three", vfs.IfVersion(e.Version))
		c.holds(ctx, "k", "three")
	}},
	{name: "if-version: what is absent is a conflict, and stays absent", need: conditional, run: func(ctx context.Context, c *check) {
		e := c.put(ctx, c.f, "k", "one", vfs.Cond{})
		c.is(c.f.Delete(ctx, "k", vfs.Cond{}), nil, "delete")
		_, err := c.f.Put(ctx, "k", []byte("two"), vfs.IfVersion(e.Version), "")
		c.is(err, vfs.ErrConflict, "replace what was deleted")
		_, err = c.f.Put(ctx, "never/was", []byte("two"), vfs.IfVersion(e.Version), "")
		c.is(err, vfs.ErrConflict, "replace what never was")
		c.absent(ctx, "k")
		c.absent(ctx, "never/was")
	}},
	{name: "if-version: of many writers at one version one wins", need: conditional, run: func(ctx context.Context, c *check) {
		e := c.put(ctx, c.f, "k", "start", vfs.Cond{})
		for i := range c.opt.Rounds {
			e = c.race(ctx, "k", i, vfs.IfVersion(e.Version))
		}
	}},
	{name: "if-version: no update is lost among many writers", need: conditional, run: counter},
	{name: "delete if-version: the right version deletes, another does not", need: conditional, run: func(ctx context.Context, c *check) {
		one := c.put(ctx, c.f, "k", "one", vfs.Cond{})
		two := c.put(ctx, c.f, "k", "two", vfs.Cond{})
		c.is(c.other.Delete(ctx, "k", vfs.IfVersion(one.Version)), vfs.ErrConflict, "delete at an old version")
		if e := c.holds(ctx, "k", "two"); e.Version != two.Version {
			c.broken("version was %q and is %q after a delete that was refused", two.Version, e.Version)
		}
		c.echoing(func() { c.is(c.other.Delete(ctx, "k", vfs.IfVersion(two.Version)), nil, "delete at its version") })
		c.absent(ctx, "k")
		c.echoing(func() {
			c.is(c.f.Delete(ctx, "k", vfs.IfVersion(two.Version)), vfs.ErrConflict, "delete what is absent")
		})
	}},
}

// race lets many writers put under the same condition, and wants one to win
// and all others to be told of a conflict. It returns the winner's entry. No
// bytes are written twice in two rounds, lest a hash make an old version right
// again.
func (c *check) race(ctx context.Context, key string, round int, cond vfs.Cond) vfs.Entry {
	data := func(writer int) string { return fmt.Sprintf("round %d, writer %d", round, writer) }
	type answer struct {
		entry vfs.Entry
		err   error
	}
	answers := make([]answer, c.opt.Writers)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range answers {
		f := []*vfs.FS{c.f, c.other}[i%2]
		wg.Go(func() {
			<-start
			e, err := f.Put(ctx, key, []byte(data(i)), cond, "")
			answers[i] = answer{e, err}
		})
	}
	close(start)
	wg.Wait()

	winner := -1
	for i, a := range answers {
		switch {
		case a.err == nil && winner >= 0:
			c.broken("writers %d and %d both won", winner, i)
		case a.err == nil:
			winner = i
		default:
			c.is(a.err, vfs.ErrConflict, "a writer that lost")
		}
	}
	if winner < 0 {
		c.broken("none of %d writers won", len(answers))
		return vfs.Entry{}
	}
	if e := c.holds(ctx, key, data(winner)); e.Version != answers[winner].entry.Version {
		c.broken("the winner was told version %q, but it is %q", answers[winner].entry.Version, e.Version)
	}
	return answers[winner].entry
}

// counter lets several writers count up one number, each by get, add one, put
// if still at that version.
func counter(ctx context.Context, c *check) {
	const writers, each = 4, 8
	c.put(ctx, c.f, "n", "0", vfs.Cond{})
	var wg sync.WaitGroup
	errs := make([]error, writers)
	for i := range writers {
		f := []*vfs.FS{c.f, c.other}[i%2]
		wg.Go(func() {
			for range each {
				if errs[i] = increment(ctx, f, "n"); errs[i] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	c.echoing(func() {
		for _, err := range errs {
			c.is(err, nil, "count")
		}
		c.holds(ctx, "n", strconv.Itoa(writers*each))
	})
}

// increment adds one to the number at key, however often that takes.
func increment(ctx context.Context, f *vfs.FS, key string) error {
	for {
		data, e, err := f.Get(ctx, key)
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(string(data))
		if err != nil {
			return err
		}
		_, err = f.Put(ctx, key, []byte(strconv.Itoa(n+1)), vfs.IfVersion(e.Version), "")
		if !errors.Is(err, vfs.ErrConflict) {
			return err
		}
	}
}
