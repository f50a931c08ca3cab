package vfstest

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stateroom/stateroom/vfs"
)

// wrapper passes on what is no request: traits and locks.
type wrapper struct{ d vfs.Driver }

func (w wrapper) Traits() vfs.Traits { return vfs.TraitsOf(w.d) }

func (w wrapper) Lock(ctx context.Context, name string) (func(), error) {
	return vfs.Lock(ctx, w.d, name)
}

// Call is one request that a [Counter] saw.
type Call struct {
	Op         string // get, put, delete, list, listdir
	Key        string // or the prefix, or the directory
	Cond       vfs.Cond
	Begin, End time.Time
}

func (c Call) String() string {
	s := c.Op + " " + c.Key
	if !c.Cond.IsZero() {
		s += " " + c.Cond.String()
	}
	return s
}

// Counter counts the requests that reach a driver.
type Counter struct {
	wrapper
	mu    sync.Mutex
	calls []*Call
}

// Count returns d with a Counter before it.
func Count(d vfs.Driver) *Counter { return &Counter{wrapper: wrapper{d}} }

// Calls returns the requests so far, in the order in which they began.
func (c *Counter) Calls() []Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	calls := make([]Call, len(c.calls))
	for i, call := range c.calls {
		calls[i] = *call
	}
	return calls
}

// Total returns the number of requests.
func (c *Counter) Total() int { return len(c.Calls()) }

// Ops returns the number of requests of each kind.
func (c *Counter) Ops() map[string]int {
	ops := map[string]int{}
	for _, call := range c.Calls() {
		ops[call.Op]++
	}
	return ops
}

// Keys returns "op key" of all requests, sorted, each as often as it was made:
// for goldens that do not depend on the order of parallel requests.
func (c *Counter) Keys() []string {
	var keys []string
	for _, call := range c.Calls() {
		keys = append(keys, strings.TrimSuffix(call.Op+" "+call.Key, " "))
	}
	slices.Sort(keys)
	return keys
}

// Rounds returns the length of the longest chain of requests of which each
// began after the one before had ended: round trips in a row. It is exact
// where every request takes its time, as over [Delay] within testing/synctest.
func (c *Counter) Rounds() int {
	calls := c.Calls()
	slices.SortStableFunc(calls, func(a, b Call) int { return a.Begin.Compare(b.Begin) })
	rounds := make([]int, len(calls))
	most := 0
	for i, call := range calls {
		rounds[i] = 1
		for j := range i {
			if !calls[j].End.IsZero() && !calls[j].End.After(call.Begin) {
				rounds[i] = max(rounds[i], rounds[j]+1)
			}
		}
		most = max(most, rounds[i])
	}
	return most
}

// Reset forgets the requests so far.
func (c *Counter) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = nil
}

func (c *Counter) begin(op, key string, cond vfs.Cond) (end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	call := &Call{Op: op, Key: key, Cond: cond, Begin: time.Now()}
	c.calls = append(c.calls, call)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		call.End = time.Now()
	}
}

// Get counts and passes on.
func (c *Counter) Get(ctx context.Context, key string, unless vfs.Version) ([]byte, vfs.Entry, error) {
	defer c.begin("get", key, vfs.Cond{})()
	return c.d.Get(ctx, key, unless)
}

// Put counts and passes on.
func (c *Counter) Put(ctx context.Context, key string, data []byte, cond vfs.Cond, tag string) (vfs.Entry, error) {
	defer c.begin("put", key, cond)()
	return c.d.Put(ctx, key, data, cond, tag)
}

// Delete counts and passes on.
func (c *Counter) Delete(ctx context.Context, key string, cond vfs.Cond) error {
	defer c.begin("delete", key, cond)()
	return c.d.Delete(ctx, key, cond)
}

// List counts one request, however long the list, and passes on.
func (c *Counter) List(ctx context.Context, prefix, after string) iter.Seq2[vfs.Entry, error] {
	return func(yield func(vfs.Entry, error) bool) {
		defer c.begin("list", prefix, vfs.Cond{})()
		c.d.List(ctx, prefix, after)(yield)
	}
}

// ListDir counts one request and passes on.
func (c *Counter) ListDir(ctx context.Context, dir string) iter.Seq2[vfs.Entry, error] {
	return func(yield func(vfs.Entry, error) bool) {
		defer c.begin("listdir", dir, vfs.Cond{})()
		vfs.ListDir(ctx, c.d, dir)(yield)
	}
}

// String lists the calls, one on each line.
func (c *Counter) String() string {
	var b strings.Builder
	for _, call := range c.Calls() {
		fmt.Fprintln(&b, call)
	}
	return b.String()
}

type delayed struct {
	wrapper
	each time.Duration
}

// Delay returns d with every request taking that long before it is done.
func Delay(d vfs.Driver, each time.Duration) vfs.Driver { return delayed{wrapper{d}, each} }

func (d delayed) wait(ctx context.Context) error {
	t := time.NewTimer(d.each)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d delayed) Get(ctx context.Context, key string, unless vfs.Version) ([]byte, vfs.Entry, error) {
	if err := d.wait(ctx); err != nil {
		return nil, vfs.Entry{}, err
	}
	return d.d.Get(ctx, key, unless)
}

func (d delayed) Put(ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
	if err := d.wait(ctx); err != nil {
		return vfs.Entry{}, err
	}
	return d.d.Put(ctx, key, data, c, tag)
}

func (d delayed) Delete(ctx context.Context, key string, c vfs.Cond) error {
	if err := d.wait(ctx); err != nil {
		return err
	}
	return d.d.Delete(ctx, key, c)
}

func (d delayed) List(ctx context.Context, prefix, after string) iter.Seq2[vfs.Entry, error] {
	return d.later(ctx, d.d.List(ctx, prefix, after))
}

func (d delayed) ListDir(ctx context.Context, dir string) iter.Seq2[vfs.Entry, error] {
	return d.later(ctx, vfs.ListDir(ctx, d.d, dir))
}

func (d delayed) later(ctx context.Context, list iter.Seq2[vfs.Entry, error]) iter.Seq2[vfs.Entry, error] {
	return func(yield func(vfs.Entry, error) bool) {
		if err := d.wait(ctx); err != nil {
			yield(vfs.Entry{}, err)
			return
		}
		list(yield)
	}
}
