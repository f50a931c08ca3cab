// Package vfstest checks that a driver keeps the contract of [vfs.Driver], and
// wraps drivers for tests of what stands above them: [Fault] strikes one call,
// [Count] counts requests, [Delay] gives every request a duration.
//
// [Test] is an ordinary function that returns an error, so that it can be run
// against a user's own bucket as well as from a test:
//
//	err := vfstest.Test(ctx, func() (vfs.Driver, error) { return open(url) }, vfstest.Options{})
package vfstest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stateroom/stateroom/vfs"
)

// Options say how thorough [Test] is.
type Options struct {
	Dir     string // folder to work in; a folder of a random name is made below it and removed again
	Writers int    // how many race for one key; 0: 8
	Rounds  int    // how often they race; 0: 8
}

// Broken is one finding of [Test]: a rule and how the driver broke it.
type Broken struct {
	Rule string // as in "create-only: of many writers one wins"
	Err  error
	echo bool // see Echo
}

func (b *Broken) Error() string { return b.Rule + ": " + b.Err.Error() }

func (b *Broken) Unwrap() error { return b.Err }

// Findings takes apart what [Test] returned: each is a [*Broken], or why the
// suite could not run.
func Findings(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error }) //nolint:errorlint // the join itself
	if !ok {
		return []error{err}
	}
	var all []error
	for _, err := range joined.Unwrap() {
		all = append(all, Findings(err)...)
	}
	return all
}

// Echo reports whether a finding can come of lost replies alone: the conflict
// that a writer is told of may be the echo of its own write, which another writer
// has replaced meanwhile; and an object that is gone may have been so before the
// delete whose reply was lost.
func Echo(finding error) bool {
	var b *Broken
	return errors.As(finding, &b) && b.echo
}

// Test runs every rule of the contract against the drivers that open returns,
// and joins what it finds into one error of [*Broken]. It calls open twice:
// the two are to reach the same objects, as two machines would. Rules about
// what [vfs.Traits] say is missing are left out. It writes in a folder of a
// random name only, and removes what it wrote.
func Test(ctx context.Context, open func() (vfs.Driver, error), opt Options) (err error) {
	if opt.Writers == 0 {
		opt.Writers = 8
	}
	if opt.Rounds == 0 {
		opt.Rounds = 8
	}
	dir := "vfstest-" + strings.ToLower(rand.Text()[:12])
	if opt.Dir != "" {
		dir = opt.Dir + "/" + dir
	}
	var machines [2]*vfs.FS
	for i := range machines {
		d, err := open()
		if err != nil {
			return fmt.Errorf("open: %w", err)
		}
		machines[i] = vfs.New(d, "").Sub(dir)
	}
	defer func() { err = errors.Join(err, sweep(ctx, machines[0])) }()

	var findings []error
	for i, r := range rules {
		if !r.applies(machines[0].Traits()) {
			continue
		}
		c := &check{opt: opt, traits: machines[0].Traits(), rule: r.name}
		folder := fmt.Sprintf("%02d", i)
		c.f, c.other = machines[0].Sub(folder), machines[1].Sub(folder)
		r.run(ctx, c)
		findings = append(findings, c.findings...)
		if ctx.Err() != nil {
			return errors.Join(append(findings, ctx.Err())...)
		}
	}
	return errors.Join(findings...)
}

// sweep removes all that lies below f, also when the test was interrupted.
func sweep(ctx context.Context, f *vfs.FS) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	var keys []string
	for e, err := range f.List(ctx, "", "") {
		if err != nil {
			return fmt.Errorf("clean up: %w", err)
		}
		keys = append(keys, e.Key)
	}
	for _, key := range keys {
		if err := f.Delete(ctx, key, vfs.Cond{}); err != nil {
			return fmt.Errorf("clean up: %w", err)
		}
	}
	return nil
}

// A rule is one sentence of the contract and the code that tries it.
type rule struct {
	name string
	need vfs.Traits // traits without which the rule does not apply
	run  func(ctx context.Context, c *check)
}

func (r rule) applies(have vfs.Traits) bool {
	return (have.Conditions || !r.need.Conditions) &&
		(have.UniqueVersions || !r.need.UniqueVersions) &&
		(have.Tags || !r.need.Tags)
}

var rules = slices.Concat(objectRules, conditionRules, listRules)

// check is the bench of one rule: two machines that see the same empty folder.
type check struct {
	opt      Options
	traits   vfs.Traits
	rule     string
	f, other *vfs.FS
	echo     bool // see echoing
	findings []error
}

// broken records that the rule does not hold.
func (c *check) broken(format string, args ...any) {
	c.findings = append(c.findings, &Broken{c.rule, fmt.Errorf(format, args...), c.echo})
}

// echoing does what may end otherwise where replies are lost; see Echo.
func (c *check) echoing(do func()) {
	c.echo = true
	do()
	c.echo = false
}

// is records a finding if err is not what it is to be; want nil is no error.
func (c *check) is(err, want error, doing string) bool {
	if want == nil && err == nil || want != nil && errors.Is(err, want) {
		return true
	}
	if err == nil {
		c.broken("%s: no error, want %v", doing, want)
	} else {
		c.broken("%s: got %w, want %v", doing, err, want)
	}
	return false
}

// put writes and records a finding if that is an error.
func (c *check) put(ctx context.Context, f *vfs.FS, key, data string, cond vfs.Cond) vfs.Entry {
	e, err := f.Put(ctx, key, []byte(data), cond, "")
	c.is(err, nil, "put "+cond.String())
	return e
}

// holds records a finding if the object is not data, for either machine.
func (c *check) holds(ctx context.Context, key, data string) vfs.Entry {
	var e vfs.Entry
	for _, f := range []*vfs.FS{c.other, c.f} {
		got, entry, err := f.Get(ctx, key)
		if c.is(err, nil, "get") && string(got) != data {
			c.broken("%s holds %.40q (%d bytes), want %.40q (%d bytes)", key, got, len(got), data, len(data))
		}
		e = entry
	}
	return e
}

// absent records a finding if there is an object.
func (c *check) absent(ctx context.Context, key string) {
	_, _, err := c.other.Get(ctx, key)
	c.is(err, errNotExist, "get what is absent")
}
