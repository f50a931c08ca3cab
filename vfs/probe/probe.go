// Package probe tries what a service does, as opposed to what it says: whether
// conditions of writes are kept, whether reads and lists see what was written,
// and what else a store needs. Servers that call themselves compatible differ
// in just that.
//
// It works in a folder of a random name, and removes it again, also when it is
// interrupted.
//
// The usual call:
//
//	result, err := probe.Run(ctx, objects.Sub(".stateroom/check"), probe.Options{})
package probe

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stateroom/stateroom/vfs"
)

// Options say how thorough [Run] is.
type Options struct {
	Writers int  // how many race for one key; 0: 16
	Rounds  int  // how often they race; 0: 8
	Quick   bool // leave out the list of more than a thousand keys
}

// A Verdict is what a finding comes to.
type Verdict string

// The verdicts, from good to bad.
const (
	OK      Verdict = "ok"
	Weak    Verdict = "weak"    // a store works here, at a price that the finding names
	Lacking Verdict = "lacking" // the service says that it has no such thing
	Broken  Verdict = "broken"  // the service says one thing and does another
)

// A Finding is what one check saw.
type Finding struct {
	Check   string  `json:"check"` // one word or two: "create-only race"
	Verdict Verdict `json:"verdict"`
	Saw     string  `json:"saw"`
	Means   string  `json:"means,omitempty"` // for the user; empty where all is well
	Do      string  `json:"do,omitempty"`
}

// An Answer is what a service does with a condition that does not hold.
type Answer string

// The answers.
const (
	Honoured Answer = "yes"     // the write is refused
	Ignored  Answer = "no"      // the write is done
	Absent   Answer = "lacking" // the service has no such condition
	Untried  Answer = "untried"
)

// Result is what all checks saw.
type Result struct {
	Findings                []Finding
	Create, Replace, Delete Answer // conditions: put if absent, put and delete if still at a version
}

// Worst is the worst verdict of all findings.
func (r *Result) Worst() Verdict {
	worst := OK
	order := []Verdict{OK, Weak, Lacking, Broken}
	for _, f := range r.Findings {
		if slices.Index(order, f.Verdict) > slices.Index(order, worst) {
			worst = f.Verdict
		}
	}
	return worst
}

// check is one question to the service.
type check struct {
	name string
	run  func(ctx context.Context, b *bench) (saw string, err error)
}

// Run asks the service of f all there is to ask, in a folder of f of its own.
// An error means that it could not be asked: nothing can be written there, or
// ctx ended. What was found until then comes with it.
func Run(ctx context.Context, f *vfs.FS, opt Options) (_ *Result, err error) {
	if opt.Writers == 0 {
		opt.Writers = 16
	}
	if opt.Rounds == 0 {
		opt.Rounds = 8
	}
	b := &bench{opt: opt, written: map[string]bool{}, root: f.Sub(strings.ToLower(rand.Text()[:12]))}
	b.result = Result{Create: Untried, Replace: Untried, Delete: Untried}
	defer func() { err = errors.Join(err, b.sweep(ctx)) }()
	if err := b.reachable(ctx); err != nil {
		return &b.result, err
	}
	for i, c := range checks {
		if c.name == "paging" && opt.Quick {
			continue
		}
		b.dir = fmt.Sprintf("%02d/", i)
		saw, err := c.run(ctx, b)
		if ctx.Err() != nil {
			return &b.result, ctx.Err()
		}
		b.result.Findings = append(b.result.Findings, judge(c.name, saw, err))
	}
	return &b.result, nil
}

var checks = slices.Concat(readChecks, conditionChecks, listChecks)

// A flaw is the error of a check that says what it comes to.
type flaw struct {
	verdict        Verdict
	saw, means, do string
}

func (e *flaw) Error() string { return e.saw }

// judge makes a finding of what a check returned. An error that is no flaw is
// the service's own, in the middle of something that should have worked.
func judge(name, saw string, err error) Finding {
	var bad *flaw
	switch {
	case err == nil:
		return Finding{Check: name, Verdict: OK, Saw: saw}
	case errors.As(err, &bad):
		return Finding{name, bad.verdict, bad.saw, bad.means, bad.do}
	case errors.Is(err, errors.ErrUnsupported):
		return Finding{name, Lacking, err.Error(), "the service has no such thing", "see docs/providers.md for services that have"}
	}
	return Finding{name, Broken, err.Error(), "what a store does all the time fails here", "look at the service's own log, then check again"}
}

// bench is what the checks work with.
type bench struct {
	opt    Options
	root   *vfs.FS
	dir    string // of the check at work, with a slash
	result Result

	mu      sync.Mutex
	written map[string]bool
}

func (b *bench) put(ctx context.Context, key, data string, c vfs.Cond, tag string) (vfs.Entry, error) {
	b.mu.Lock()
	b.written[b.dir+key] = true
	b.mu.Unlock()
	return b.root.Put(ctx, b.dir+key, []byte(data), c, tag)
}

func (b *bench) get(ctx context.Context, key string) (string, vfs.Entry, error) {
	data, e, err := b.root.Get(ctx, b.dir+key)
	return string(data), e, err
}

// holds returns an error unless the object is data.
func (b *bench) holds(ctx context.Context, key, data string) (vfs.Entry, error) {
	got, e, err := b.get(ctx, key)
	if err != nil {
		return e, fmt.Errorf("read after write: %w", err)
	}
	if got != data {
		return e, &flaw{Broken, fmt.Sprintf("a read after a write that said to be done gave %.20q instead of %.20q", got, data),
			"readers see old state, and writers build on it", "turn off whatever caches in between; a store needs reads that see the last write"}
	}
	return e, nil
}

// reachable writes one object, to tell a service that cannot be used at all
// from one with flaws.
func (b *bench) reachable(ctx context.Context) error {
	_, err := b.put(ctx, "first", "x", vfs.Cond{}, "")
	return err
}

// sweep removes what was written, by the keys noted and by a list: a service
// may forget either. It goes on when ctx has ended.
func (b *bench) sweep(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	b.dir = ""
	for e, err := range b.root.List(ctx, "", "") {
		if err != nil {
			break // the keys that are known must do
		}
		b.written[e.Key] = true
	}
	keys := make([]string, 0, len(b.written))
	for key := range b.written {
		keys = append(keys, key)
	}
	err := parallel(len(keys), func(i int) error {
		err := b.root.Delete(ctx, keys[i], vfs.Cond{})
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("clean up: %w", err)
	}
	return nil
}

// parallel does n things, at most 32 at a time, and returns the first error.
func parallel(n int, do func(i int) error) error {
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		first error
		slots = make(chan struct{}, 32)
	)
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := do(i); err != nil {
				mu.Lock()
				first = cmpOr(first, err)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return first
}

func cmpOr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
