package stateroom

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs"
)

// GC says what may go.
type GC struct {
	Keep  time.Duration // commits younger than this stay whole, and what they released; reports older than this go; at least store.UnderWay
	Write bool          // do it; else only say what would go
}

// Garbage is what goes of a cluster, or would, and what stays.
type Garbage struct {
	Cluster  cluster.Name
	Stripped []store.Stripped // old bytes in commits
	Bundles  []Object         // that nothing names
	Reports  []Object         // of hosts gone long
	Left     store.Size       // of the log, afterwards
	Aside    []Object         // what repairs kept; it stays, for a person
}

// Object is one by its key in the store.
type Object struct {
	Key   string
	Bytes int64
	Time  time.Time
}

// Bytes is the size of what goes.
func (g *Garbage) Bytes() int64 {
	var n int64
	for _, s := range g.Stripped {
		n += s.Bytes
	}
	for _, o := range slices.Concat(g.Bundles, g.Reports) {
		n += o.Bytes
	}
	return n
}

// GC finds, and with Write removes, what a cluster no longer needs: bytes that
// only commits older than Keep name, bundles that neither the release nor one
// to which a rollback could go names, reports of hosts gone long. The head, the
// release, what open drafts go off, and all commits younger than Keep stay
// whole; no commit goes. With an error comes what went all the same.
func (s *Store) GC(ctx context.Context, name cluster.Name, gc GC) (*Garbage, error) {
	h := s.store.Cluster(string(name))
	defer s.store.Forget(string(name)) // there may be thousands to come
	now := s.opt.Now()
	if gc.Write {
		var err error
		if now, err = s.store.Clock(ctx); err != nil {
			return nil, fmt.Errorf("gc %s: ask for the service's time: %w", name, err)
		}
	}
	since := now.Add(-max(gc.Keep, store.UnderWay))
	g := &Garbage{Cluster: name}
	live, numbers, err := s.liveReleases(ctx, name, since)
	if err != nil {
		return nil, err
	}
	if g.Bundles, err = deadBundles(ctx, h.Sub(), live, now); err != nil {
		return nil, err
	}
	if g.Reports, err = s.deadReports(ctx, name, since); err != nil {
		return nil, err
	}
	if g.Stripped, err = h.Strip(ctx, store.Window{Since: since, Numbers: numbers}, gc.Write); err != nil {
		g.Bundles, g.Reports = nil, nil
		return g, err
	}
	if gc.Write {
		if err := s.sweep(ctx, name, g, since, now); err != nil {
			return g, err
		}
	}
	if g.Left, err = h.Size(ctx); err != nil {
		return g, err
	}
	g.Aside, err = listed(ctx, h.Sub(), "void/")
	return g, err
}

// sweep removes bundles and reports, and leaves in g what went.
func (s *Store) sweep(ctx context.Context, name cluster.Name, g *Garbage, since, now time.Time) error {
	sub := s.store.Cluster(string(name)).Sub()
	reports, _, err := removeAll(ctx, sub, g.Reports, func(b []byte, e vfs.Entry) bool { return isDeadReport(b, e.Time, since) })
	g.Reports = reports
	if err != nil {
		g.Bundles = nil
		return err
	}
	bundles, bytes, err := removeAll(ctx, sub, g.Bundles, func(_ []byte, e vfs.Entry) bool { return !isStagedLately(e.Time, now) })
	back, err2 := s.putBack(ctx, name, bytes, since)
	g.Bundles = slices.DeleteFunc(bundles, func(o Object) bool { return back[o.Key] })
	return errors.Join(err, err2)
}

// removeAll removes objects that are still dead, as they were seen then. It
// returns what went, and the bytes of all that may have.
func removeAll(ctx context.Context, sub *vfs.FS, objects []Object, dead func([]byte, vfs.Entry) bool) (gone []Object, bytes map[string][]byte, err error) {
	bytes = map[string][]byte{}
	for _, o := range objects {
		b, e, err := sub.Get(ctx, o.Key)
		if err == nil && !dead(b, e) {
			continue
		}
		if err == nil {
			err = sub.Delete(ctx, o.Key, vfs.IfVersion(e.Version))
			bytes[o.Key] = b // a conflict may be the echo of it
		}
		switch {
		case err == nil:
			gone = append(gone, o)
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, vfs.ErrConflict):
			return gone, bytes, err
		}
	}
	return gone, bytes, nil
}

// putBackTime is how long the bundles that somebody needs may take to be put
// back, even if the caller has given up.
const putBackTime = time.Minute

// putBack puts bundles back that somebody has released again meanwhile, because
// they were there. Where that cannot be told, it puts all of them back. It
// returns those that it did.
func (s *Store) putBack(ctx context.Context, name cluster.Name, removed map[string][]byte, since time.Time) (map[string]bool, error) {
	if len(removed) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), putBackTime)
	defer cancel()
	live, _, err := s.liveReleases(ctx, name, since)
	sub, back := s.store.Cluster(string(name)).Sub(), map[string]bool{}
	for key, b := range removed {
		if err == nil && !live[key] {
			continue
		}
		_, put := sub.Put(ctx, key, b, vfs.IfAbsent(), "")
		if put != nil && !errors.Is(put, vfs.ErrConflict) {
			return back, errors.Join(err, put)
		}
		back[key] = true
	}
	return back, err
}

// liveReleases returns the bundles that commits since a time, the one in force
// then, and the newest release name; and the commits that these releases need.
func (s *Store) liveReleases(ctx context.Context, name cluster.Name, since time.Time) (map[string]bool, []int, error) {
	h := s.store.Cluster(string(name))
	live := map[string]bool{}
	var numbers []int
	var newest *store.Snapshot
	seen := map[store.Digest]bool{}
	for c, err := range h.Log(ctx) {
		if err == nil && newest == nil {
			newest, err = h.At(ctx, strconv.Itoa(c.Number))
		}
		if err != nil {
			return nil, nil, err
		}
		if f, ok := c.Files[releaseName]; ok && !seen[f.Digest] {
			seen[f.Digest] = true
			r, err := releasedAt(ctx, newest, c.Number)
			if gone := new(store.GoneError); errors.As(err, &gone) && c.Number < newest.Commit().Number {
				break
			}
			if err != nil {
				return nil, nil, err
			}
			for group, digest := range r.Groups {
				live[bundle.ObjectName(group, digest)] = true
			}
			numbers = append(numbers, f.Record, r.Commit)
		}
		if c.Time.Before(since) {
			break // the one in force when the window began
		}
	}
	return live, numbers, nil
}

// releasedAt reads the release that a commit carries.
func releasedAt(ctx context.Context, newest *store.Snapshot, n int) (*bundle.Release, error) {
	sn, err := newest.Earlier(ctx, n)
	if err != nil {
		return nil, err
	}
	return released(ctx, sn)
}

func deadBundles(ctx context.Context, sub *vfs.FS, live map[string]bool, now time.Time) ([]Object, error) {
	all, err := listed(ctx, sub, bundle.BundlesDir)
	return slices.DeleteFunc(all, func(o Object) bool { return live[o.Key] || isStagedLately(o.Time, now) }), err
}

// isStagedLately reports whether the writer of a bundle may be about to commit.
func isStagedLately(t, now time.Time) bool { return t.After(now.Add(-store.StagedFor)) }

// deadReports are those that were written, and speak of a time, before since.
func (s *Store) deadReports(ctx context.Context, name cluster.Name, since time.Time) ([]Object, error) {
	all, err := s.reports(ctx, name)
	var dead []Object
	for _, r := range all {
		if isDeadReport(r.text, r.put, since) {
			dead = append(dead, Object{bundle.ReportName(r.node), int64(len(r.text)), r.put})
		}
	}
	return dead, err
}

func isDeadReport(b []byte, written, since time.Time) bool {
	r, err := bundle.DecodeReport(b)
	return written.Before(since) && (err != nil || r.Time.Before(since))
}

func listed(ctx context.Context, sub *vfs.FS, dir string) ([]Object, error) {
	var all []Object
	dir = strings.TrimSuffix(dir, "/") + "/"
	for e, err := range sub.List(ctx, dir, "") {
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", dir, err)
		}
		all = append(all, Object{e.Key, e.Size, e.Time})
	}
	return all, nil
}
