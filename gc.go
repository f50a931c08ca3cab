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
	Keep  time.Duration // commits younger than this stay whole, and what they released; reports older than this go
	Write bool          // do it; else only say what would go
}

// bundleGrace is how long a bundle that no commit names is left: its writer may
// be about to commit.
const bundleGrace = time.Hour

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
// release, and all commits younger than Keep stay whole; no commit goes.
func (s *Store) GC(ctx context.Context, name cluster.Name, gc GC) (*Garbage, error) {
	h := s.store.Cluster(string(name))
	since := s.opt.Now().Add(-gc.Keep)
	g := &Garbage{Cluster: name}
	live, numbers, err := s.liveReleases(ctx, name, since)
	if err != nil {
		return nil, err
	}
	if g.Bundles, err = s.deadBundles(ctx, h.Sub(), live); err != nil {
		return nil, err
	}
	if g.Reports, err = deadReports(ctx, h.Sub(), since); err != nil {
		return nil, err
	}
	if g.Stripped, err = h.Strip(ctx, store.Window{Since: since, Numbers: numbers}, gc.Write); err != nil {
		return nil, err
	}
	if gc.Write {
		if err := s.sweep(ctx, name, g, since); err != nil {
			return g, err
		}
	}
	if g.Left, err = h.Size(ctx); err != nil {
		return g, err
	}
	g.Aside, err = listed(ctx, h.Sub(), "void/")
	return g, err
}

// sweep removes bundles and reports. A bundle that somebody released again
// meanwhile, because it was there, is put back.
func (s *Store) sweep(ctx context.Context, name cluster.Name, g *Garbage, since time.Time) error {
	sub := s.store.Cluster(string(name)).Sub()
	for _, o := range g.Reports {
		if err := sub.Delete(ctx, o.Key, vfs.Cond{}); err != nil {
			return err
		}
	}
	removed := map[string][]byte{}
	for _, o := range g.Bundles {
		b, e, err := sub.Get(ctx, o.Key)
		if err == nil {
			err = sub.Delete(ctx, o.Key, vfs.IfVersion(e.Version))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		removed[o.Key] = b
	}
	live, _, err := s.liveReleases(ctx, name, since)
	if err != nil || len(removed) == 0 {
		return err
	}
	for key, b := range removed {
		if !live[key] || b == nil {
			continue
		}
		if _, err := sub.Put(ctx, key, b, vfs.IfAbsent(), ""); err != nil && !errors.Is(err, vfs.ErrConflict) {
			return err
		}
	}
	return nil
}

// liveReleases returns the bundles that commits since a time, the one in force
// then, and the newest release name; and the commits that carry these releases.
func (s *Store) liveReleases(ctx context.Context, name cluster.Name, since time.Time) (map[string]bool, []int, error) {
	h := s.store.Cluster(string(name))
	live := map[string]bool{}
	var numbers []int
	seen := map[store.Digest]bool{}
	for c, err := range h.Log(ctx) {
		if err != nil {
			return nil, nil, err
		}
		f, ok := c.Files[releaseName]
		if ok && !seen[f.Digest] {
			seen[f.Digest] = true
			sn, err := h.At(ctx, strconv.Itoa(c.Number))
			if err != nil {
				return nil, nil, err
			}
			r, err := released(ctx, sn)
			if gone := new(store.GoneError); errors.As(err, &gone) {
				break
			}
			if err != nil {
				return nil, nil, err
			}
			for group, digest := range r.Groups {
				live[bundle.ObjectName(group, digest)] = true
			}
			numbers = append(numbers, f.Record)
		}
		if c.Time.Before(since) {
			break // the one in force when the window began
		}
	}
	return live, numbers, nil
}

func (s *Store) deadBundles(ctx context.Context, sub *vfs.FS, live map[string]bool) ([]Object, error) {
	all, err := listed(ctx, sub, bundle.BundlesDir)
	young := s.opt.Now().Add(-bundleGrace)
	return slices.DeleteFunc(all, func(o Object) bool { return live[o.Key] || o.Time.After(young) }), err
}

// deadReports are those that were written, and speak of a time, before since.
func deadReports(ctx context.Context, sub *vfs.FS, since time.Time) ([]Object, error) {
	all, err := listed(ctx, sub, bundle.ReportsDir)
	if err != nil {
		return nil, err
	}
	var dead []Object
	for _, o := range all {
		b, _, err := sub.Get(ctx, o.Key)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		r, err := bundle.DecodeReport(b)
		if o.Time.Before(since) && (err != nil || r.Time.Before(since)) {
			dead = append(dead, o)
		}
	}
	return dead, nil
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
