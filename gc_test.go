package stateroom

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
	"github.com/stateroom/stateroom/vfs/vfstest"
)

// A world is a store at a moment of its own time.
type world struct {
	d   *mem.Driver
	now *atomic.Int64 // seconds
}

func newWorld(opt mem.Options, now int64) world {
	w := world{now: new(atomic.Int64)}
	w.now.Store(now)
	opt.Now = w.time
	w.d = mem.New(opt)
	return w
}

func (w world) time() time.Time { return time.Unix(w.now.Load(), 0).UTC() }

func (w world) later(d time.Duration) { w.now.Add(int64(d / time.Second)) }

// on opens the world's store over d: the world's own, or one around it.
func (w world) on(t testing.TB, d vfs.Driver) *Store {
	t.Helper()
	s, err := Open(t.Context(), vfs.New(d, "mem://test"), Options{Author: "Ada <ada@example.com>", Now: w.time})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// copy returns a world of its own that begins as w is.
func (w world) copy(t testing.TB, opt mem.Options) world {
	t.Helper()
	c := newWorld(opt, 0)
	for e, err := range w.d.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		b, e, err := w.d.Get(t.Context(), e.Key, "")
		if err != nil {
			t.Fatal(err)
		}
		c.now.Store(e.Time.Unix())
		if _, err := c.d.Put(t.Context(), e.Key, b, vfs.Cond{}, e.Tag); err != nil {
			t.Fatal(err)
		}
	}
	c.now.Store(w.now.Load())
	return c
}

const day = 24 * time.Hour

var gcAll = GC{Keep: 30 * day, Write: true}

// aged is a store with something of all that gc must leave: a release with its
// bundles, a draft that is open and goes off an old commit, what a conflict
// keeps of another tool, a month of commits; and of all that it may take: old
// bytes in commits, bundles that were released once, the report of a host that
// is gone.
func aged(t testing.TB) world {
	t.Helper()
	w := newWorld(mem.Options{}, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Unix())
	s := w.on(t, w.d)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	edit := func(s *Store, text string) {
		t.Helper()
		w.later(day)
		_, err := s.Edit(t.Context(), demo, Edit{Patch: set(t, text)}, Write{})
		must(err)
	}
	release := func() {
		t.Helper()
		w.later(day)
		_, err := s.Update(t.Context(), demo, Programs{Catalogue: made()}, Write{})
		must(err)
	}
	_, err := s.Create(t.Context(), Create{CreateOptions: options()}, Write{})
	must(err)
	release() // commit 2
	edit(s, "spec.kubeAPIServer.maxRequestsInflight=801")
	release() // commit 4
	for _, name := range []string{"old", "dropped"} {
		draft, err := s.OnDraft(name)
		must(err)
		edit(draft, "spec.channel=alpha")
		edit(draft, "spec.cloudLabels.from="+name)
		if name == "dropped" {
			must(draft.DropDraft(t.Context(), demo, Write{}))
		}
	}
	foreign := w.on(t, &overtakenAfter{Driver: w.d, by: func() {
		_, err := w.d.Put(t.Context(), string(demo)+"/config", []byte("kops was here\n"), vfs.Cond{}, "")
		must(err)
	}})
	edit(foreign, "spec.cloudLabels.k=1") // commit 5, and 6 keeps what kops wrote
	edit(s, "spec.kubeAPIServer.maxRequestsInflight=802")
	release() // commit 8
	sub := s.store.Cluster(string(demo)).Sub()
	r := &bundle.Report{Node: "gone", Group: group, Phase: bundle.PhaseReady, Time: w.time(), Digest: bundle.DigestOf(nil), Commit: 1}
	_, err = sub.Put(t.Context(), bundle.ReportName(r.Node), r.Encode(), vfs.Cond{}, "")
	must(err)
	w.later(40 * day)
	edit(s, "spec.cloudLabels.k=2")
	edit(s, "spec.cloudLabels.k=3")
	w.later(day)
	return w
}

// overtakenAfter lets somebody else write just after the next record was put.
type overtakenAfter struct {
	vfs.Driver
	by func()
}

func (o *overtakenAfter) Put(ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
	e, err := o.Driver.Put(ctx, key, data, c, tag)
	if by := o.by; by != nil && strings.Contains(key, "/log/") {
		o.by = nil
		by()
	}
	return e, err
}

// before is a driver that does something before its n-th request.
type before struct {
	vfs.Driver
	n  atomic.Int64
	do func()
}

func (b *before) request() {
	if b.n.Add(-1) == -1 {
		b.do()
	}
}

func (b *before) Get(ctx context.Context, key string, unless vfs.Version) ([]byte, vfs.Entry, error) {
	b.request()
	return b.Driver.Get(ctx, key, unless)
}

func (b *before) Put(ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
	b.request()
	return b.Driver.Put(ctx, key, data, c, tag)
}

func (b *before) Delete(ctx context.Context, key string, c vfs.Cond) error {
	b.request()
	return b.Driver.Delete(ctx, key, c)
}

// Traits are those of the driver below.
func (b *before) Traits() vfs.Traits { return vfs.TraitsOf(b.Driver) }

// needed says what of a store that somebody needs cannot be had: the newest
// commit and all of the last month, what is released with its bundles, each open
// draft and the commit that it goes off, and what conflicts keep.
func needed(ctx context.Context, w world, t testing.TB, keep time.Duration) error {
	s := w.on(t, w.d)
	h := s.store.Cluster(string(demo))
	newest, err := h.Head(ctx)
	if err != nil {
		return fmt.Errorf("head: %w", err)
	}
	for c, err := range h.Log(ctx) {
		if err != nil {
			return err
		}
		sn, err := h.At(ctx, strconv.Itoa(c.Number))
		if err != nil {
			return err
		}
		if err := readable(ctx, sn); err != nil {
			return fmt.Errorf("a commit of the last month: %w", err)
		}
		if c.Time.Before(w.time().Add(-keep)) {
			break // it was in force when the month began
		}
	}
	r, err := released(ctx, newest)
	if err != nil {
		return err
	}
	for group, digest := range r.Groups {
		b, _, err := h.Sub().Get(ctx, bundle.ObjectName(group, digest))
		if err == nil {
			_, err = bundle.Decode(b, digest)
		}
		if err != nil {
			return fmt.Errorf("what is released: %w", err)
		}
	}
	drafts, err := s.Drafts(ctx, demo, false)
	if err != nil {
		return err
	}
	for _, d := range drafts {
		draft, err := h.Draft(d.Name)
		if err != nil {
			return err
		}
		base, tip, err := draft.Ends(ctx)
		if err == nil {
			err = errors.Join(readable(ctx, base), readable(ctx, tip))
		}
		if err != nil {
			return fmt.Errorf("draft %s: %w", d.Name, err)
		}
	}
	open, err := s.Conflicts(ctx, demo)
	if err != nil || len(open) != 1 {
		return fmt.Errorf("conflicts: %v, %w", open, err)
	}
	kept, err := h.At(ctx, strconv.Itoa(open[0].Commit))
	if err == nil {
		_, err = kept.ReadKept(ctx, open[0].Name)
	}
	if err != nil {
		return fmt.Errorf("what a conflict keeps: %w", err)
	}
	found, err := store.Fsck(ctx, vfs.New(w.d, "mem://test"), store.Options{Now: w.time}, store.FsckOptions{})
	for _, f := range found {
		err = errors.Join(err, fmt.Errorf("%s %s: %s", f.Code, f.Object, f.What))
	}
	return err
}

func readable(ctx context.Context, sn *store.Snapshot) error {
	for name := range sn.Commit().Files {
		if _, err := sn.ReadFile(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// TestGCTakesWhatNobodyNeeds, so that the tests below have something to lose.
func TestGCTakesWhatNobodyNeeds(t *testing.T) {
	w := aged(t)
	if err := needed(t.Context(), w, t, gcAll.Keep); err != nil {
		t.Fatal(err)
	}
	g, err := w.on(t, w.d).GC(t.Context(), demo, gcAll)
	if err != nil {
		t.Fatal(err)
	}
	var gone []string
	for _, s := range g.Stripped {
		gone = append(gone, fmt.Sprint(s.Number, s.Names))
	}
	if got := strings.Join(gone, " "); got != "1 [config] 2 [.stateroom/release] 5 [config] 6 [config]" {
		t.Errorf("stripped %s", got)
	}
	if len(g.Bundles) != 2 || len(g.Reports) != 1 {
		t.Errorf("bundles %v, reports %v", g.Bundles, g.Reports)
	}
	if err := needed(t.Context(), w, t, gcAll.Keep); err != nil {
		t.Error(err)
	}
}

// actor does something in a world, through a store that is open on it.
type actor func(ctx context.Context, t testing.TB, w world, s *Store) error

// actors do what somebody else may do while gc is at work.
var actors = map[string]actor{
	"begins a draft": func(ctx context.Context, t testing.TB, _ world, s *Store) error {
		draft, err := s.OnDraft("new")
		if err == nil {
			_, err = draft.Edit(ctx, demo, Edit{Patch: set(t, "spec.channel=alpha")}, Write{})
		}
		return err
	},
	"goes on with a draft": func(ctx context.Context, t testing.TB, _ world, s *Store) error {
		draft, err := s.OnDraft("old")
		if err == nil {
			_, err = draft.Edit(ctx, demo, Edit{Patch: set(t, "spec.cloudLabels.more=yes")}, Write{})
		}
		return err
	},
	"publishes a draft": func(ctx context.Context, _ testing.TB, _ world, s *Store) error {
		draft, err := s.OnDraft("old")
		if err == nil {
			_, err = draft.Publish(ctx, demo, Publish{Wins: DraftWins}, Write{})
		}
		return err
	},
	"drops a draft": func(ctx context.Context, _ testing.TB, _ world, s *Store) error {
		draft, err := s.OnDraft("old")
		if err == nil {
			err = draft.DropDraft(ctx, demo, Write{})
		}
		return err
	},
	"releases what was released once": func(ctx context.Context, t testing.TB, _ world, s *Store) error {
		_, err := s.Edit(ctx, demo, Edit{Patch: set(t, "spec.kubeAPIServer.maxRequestsInflight=801")}, Write{})
		if err != nil {
			return err
		}
		_, err = s.Update(ctx, demo, Programs{Catalogue: made()}, Write{})
		return err
	},
	"does a saved plan": func(ctx context.Context, _ testing.TB, _ world, s *Store) error {
		u, err := s.Plan(ctx, demo, Programs{Catalogue: made()})
		if err != nil {
			return err
		}
		b, err := s.Save(u)
		if err != nil {
			return err
		}
		p, err := ParseSavedPlan(b)
		if err != nil {
			return err
		}
		_, err = s.UpdateSaved(ctx, p, Programs{Catalogue: made()}, Write{})
		return err
	},
	"runs gc, too": func(ctx context.Context, _ testing.TB, _ world, s *Store) error {
		_, err := s.GC(ctx, demo, gcAll)
		if errors.Is(err, store.ErrConflict) {
			return nil // somebody is in the middle of a commit: said, and nothing is removed
		}
		return err
	},
}

// TestGCBesideAnother lets another client do all that it does before each
// request of a gc, and lets a gc run before each request of the other: nothing
// goes that is needed afterwards, and the other is told of no failure.
func TestGCBesideAnother(t *testing.T) {
	origin := aged(t)
	gc := actors["runs gc, too"]
	for name, act := range actors {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			between(t, origin, mem.Options{}, gcAll.Keep, gc, act) // versions that come again are the harder case for who removes
			between(t, origin, mem.Options{UniqueVersions: true}, gcAll.Keep, act, gc)
		})
	}
}

// TestGCLeavesWhatADraftIsAboutToGoOff: before each request of somebody who
// begins a draft, somebody else commits and removes all that is old, however
// young. The commit that was the newest for the first stays whole.
func TestGCLeavesWhatADraftIsAboutToGoOff(t *testing.T) {
	between(t, aged(t), mem.Options{}, 0, actors["begins a draft"], func(ctx context.Context, t testing.TB, w world, s *Store) error {
		_, err := s.Edit(ctx, demo, Edit{Patch: set(t, "spec.cloudLabels.k=4")}, Write{})
		w.later(time.Minute)
		if err == nil {
			_, err = s.GC(ctx, demo, GC{Write: true})
		}
		return err
	})
}

// long tries every request; else a third of them, another on each run.
var long = flag.Bool("long", false, "let gc and others meet at each of their requests")

// between does one thing before each request of another.
func between(t *testing.T, origin world, opt mem.Options, keep time.Duration, outer, inner actor) {
	t.Helper()
	ctx := t.Context()
	first, step := time.Now().UnixNano()%3, int64(3)
	if *long {
		first, step = 0, 1
	}
	for n, hit := first, true; hit; n += step {
		w := origin.copy(t, opt)
		hit = false
		d := &before{Driver: w.d}
		d.n.Store(n)
		var innerErr error
		d.do = func() { hit = true; innerErr = inner(ctx, t, w, w.on(t, w.d)) }
		err := outer(ctx, t, w, w.on(t, d))
		if err := errors.Join(innerErr, err, needed(ctx, w, t, keep)); err != nil {
			t.Errorf("before request %d: %v", n, err)
		}
		if n > 500 {
			t.Fatal("it does not end")
		}
	}
}

// TestGCStruckAtEachRequest lets each request of a gc go wrong in each way. What
// is needed is there afterwards, and the next gc ends as if nothing had been.
func TestGCStruckAtEachRequest(t *testing.T) {
	origin := aged(t)
	clean := origin.copy(t, mem.Options{})
	if err := actors["runs gc, too"](t.Context(), t, clean, clean.on(t, clean.d)); err != nil {
		t.Fatal(err)
	}
	want := contents(t, clean.d)
	for _, outcome := range append(slices.Clone(vfstest.Outcomes), vfstest.Late) {
		t.Run(outcome.String(), func(t *testing.T) {
			t.Parallel()
			for n := 0; ; n++ {
				w := origin.copy(t, mem.Options{})
				f := vfstest.Fault(w.d, n, outcome)
				_, err := w.on(t, f).GC(t.Context(), demo, gcAll)
				if !f.Hit() {
					return
				}
				if err == nil && (outcome == vfstest.Crashed || outcome == vfstest.CrashedAfter) {
					t.Errorf("request %d: crashed, and all is well", n)
				}
				f.Land(t.Context())
				if err := needed(t.Context(), w, t, gcAll.Keep); err != nil {
					t.Errorf("request %d: %v", n, err)
				}
				w.later(2 * store.StagedFor) // what was put back counts as staged just now
				if _, err := w.on(t, w.d).GC(t.Context(), demo, gcAll); err != nil {
					t.Errorf("request %d: the next gc: %v", n, err)
				}
				if got := contents(t, w.d); got != want {
					t.Errorf("request %d: the next gc leaves another store:\n%s", n, got)
				}
			}
		})
	}
}

// contents lists the objects of a store with their digests, but those that a
// check leaves when it is cut off.
func contents(t testing.TB, d vfs.Driver) string {
	t.Helper()
	var all bytes.Buffer
	for e, err := range d.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		if b, _, err := d.Get(t.Context(), e.Key, ""); err != nil {
			t.Fatal(err)
		} else if !strings.HasPrefix(e.Key, checkDir+"/") {
			fmt.Fprintln(&all, e.Key, bundle.DigestOf(b))
		}
	}
	return all.String()
}

func options() cluster.CreateOptions {
	return cluster.CreateOptions{Name: demo, Created: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
}
