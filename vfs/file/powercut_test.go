package file_test

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stateroom/stateroom/internal/durable"
	"github.com/stateroom/stateroom/internal/durable/durabletest"
	"github.com/stateroom/stateroom/store"
)

var (
	long = flag.Bool("long", false, "try far more power cuts")
	seed = flag.Uint64("seed", 0, "draw power cuts from this seed; 0: from the time")
)

// A play is what is done on a scene until the power is cut.
type play struct {
	name   string
	before func(s *scene) // long ago: durable
	do     func(s *scene)
	old    bool // on a system without renameat2
	whole  bool // only where an exchange is whole or lost
}

var start = files{"config": "a: 1\n", "instancegroup/nodes": "min: 0\n", "secrets/admin": "s3cret"}

func began(s *scene) { s.commit("before", start) }

var plays = []play{
	{name: "first commit", do: func(s *scene) { s.commit("create", files{"config": "a: 1\n", "instancegroup/nodes": "min: 0\n"}) }},
	{name: "store in new directories", do: func(s *scene) {
		must(s.t, s.rude.Write(within+"/notes.txt", "made by hand"))
		s.commit("create", files{"config": "a: 1\n"})
	}},
	{name: "edit of 1 file", before: began, do: func(s *scene) { s.commit("edit", files{"config": "a: 2\n"}) }},
	{name: "edit of 2 files", before: began, do: func(s *scene) { s.commit("edit", files{"config": "a: 2\n", "secrets/admin": "n3w"}) }},
	{name: "edit without renameat2", before: began, old: true, do: func(s *scene) { s.commit("edit", files{"config": "a: 2\n", "new/one": "1\n"}) }},
	{name: "two edits", before: began, do: func(s *scene) {
		s.commit("edit", files{"config": "a: 2\n"})
		s.commit("edit again", files{"config": "a: 3\n", "instancegroup/more": "min: 1\n"})
	}},
	{name: "delete of a file", before: began, do: func(s *scene) { s.commit("delete", files{"instancegroup/nodes": "-"}) }},
	{name: "import of a synced edit", before: began, do: func(s *scene) {
		s.sed(s.tool, "config", "a: sed\n")
		s.commit("edit", files{"secrets/admin": "n3w"})
	}},
	{name: "import of an edit that nobody synced", before: began, do: func(s *scene) {
		s.sed(s.rude, "config", "a: sed\n")
		s.sed(s.rude, "instancegroup/by-hand", "min: 7\n")
		s.commit("edit", files{"secrets/admin": "n3w"})
	}},
	{name: "import of a kops store", do: func(s *scene) {
		s.sed(s.rude, "config", "a: kops\n")
		s.sed(s.rude, "instancegroup/nodes", "min: 7\n")
		s.commit("edit", files{"config": "a: 2\n"})
	}},
	{name: "an edit in the way", before: began, do: func(s *scene) {
		s.during[".stateroom/"+cluster+"/log/000000000002"] = func() { s.sed(s.tool, "config", "a: sed\n") }
		s.commit("edit", files{"config": "a: 2\n"})
	}},
	{name: "an edit in the middle of a replace", before: began, whole: true, do: func(s *scene) {
		s.before = func(c durable.Change) error {
			if c.Op == durable.Exchange && c.Name == cluster+"/config" {
				s.before = nil
				s.sed(s.tool, "config", "a: sed\n")
			}
			return nil
		}
		s.commit("edit", files{"config": "a: 2\n"})
	}},
	{name: "release and stage", before: began, do: func(s *scene) {
		s.update("release", func(tx *store.Tx) error {
			tx.Stage("bundles/nodes/abc", []byte("bundle"))
			tx.Release([]byte("release"))
			tx.WriteFile("config", []byte("a: 2\n"))
			return nil
		})
	}},
	{name: "delete the cluster", before: began, do: (*scene).deleteCluster},
	{name: "create it again", before: func(s *scene) { began(s); s.deleteCluster() }, do: func(s *scene) { s.commit("create", files{"config": "a: 5\n"}) }},
}

// figures counts cuts, and the different disks that they leave.
type figures struct {
	cuts, disks, bad int
	first            string // bad one
}

// cutEverywhere cuts the power at each point of a record from the from-th on,
// and judges each disk that this may leave, until three were bad. pick, which
// may be nil, chooses the points.
func (s *scene) cutEverywhere(from int, options []durabletest.Options, pick func(n int) bool) (f figures) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	parent, seen, turns := fast(s.t), map[string]bool{}, make(chan struct{}, 4)
	judge := func(n int, o durabletest.Options, disk *durabletest.Disk) {
		defer func() { <-turns }()
		dir := writeTo(s.t, parent, disk)
		err := s.judge(n, dir)
		must(s.t, os.RemoveAll(dir))
		if err == nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if f.bad++; f.bad == 1 {
			f.first = fmt.Sprintf("on a %s disk: %v\n%s", o.Model, err, disk)
		}
	}
	enough := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return f.bad >= 3
	}
	for n := from; n <= s.rec.Len() && !enough(); n++ {
		if pick != nil && !pick(n) {
			continue
		}
		f.cuts++
		strict, next := s.demands(n)
		if next {
			continue // the next cut leaves the same disks, and more is asked of them
		}
		for _, o := range options {
			for disk := range s.rec.Disks(n, o) {
				id := fmt.Sprint(disk.Digest(), strict)
				if seen[id] {
					continue
				}
				seen[id] = true
				f.disks++
				turns <- struct{}{}
				wg.Go(func() { judge(n, o, disk) })
			}
		}
	}
	wg.Wait()
	return f
}

func drawn(t testing.TB) uint64 {
	n := *seed
	if n == 0 {
		n = uint64(time.Now().UnixNano()/1000) % 1_000_000_000
	}
	t.Logf("-seed %d", n)
	return n
}

func (p play) models(n uint64) []durabletest.Options {
	rnd := rand.New(rand.NewPCG(n, 0))
	posix := durabletest.Options{All: 3, Recent: 3, Random: 1, Rand: rnd}
	if testing.Short() {
		posix = durabletest.Options{}
	}
	if *long {
		posix = durabletest.Options{All: 8, Recent: 1000, Random: 40, Rand: rnd}
	}
	journal, torn := posix, posix
	journal.Model, torn.Model = durabletest.Journal, durabletest.Torn
	if p.whole || !*long {
		return []durabletest.Options{journal, posix}
	}
	return []durabletest.Options{journal, posix, torn}
}

func (p play) record(t testing.TB, drop func(durable.Change) bool) *scene {
	s := newScene(t, p.before)
	s.old = p.old
	s.record()
	s.rec.Drop = drop
	p.do(s)
	s.end()
	return s
}

func TestPowerCuts(t *testing.T) {
	n := drawn(t)
	var mu sync.Mutex
	var all figures
	t.Run("plays", func(t *testing.T) {
		for _, p := range plays {
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				began := time.Now()
				f := p.record(t, nil).cutEverywhere(0, p.models(n), nil)
				if f.bad > 0 {
					t.Error(f.first)
				}
				t.Logf("%4d cuts, %5d disks, %d violations, %.1f s", f.cuts, f.disks, f.bad, time.Since(began).Seconds())
				mu.Lock()
				defer mu.Unlock()
				all.cuts, all.disks, all.bad = all.cuts+f.cuts, all.disks+f.disks, all.bad+f.bad
			})
		}
	})
	t.Logf("%d cuts, %d disks, %d violations", all.cuts, all.disks, all.bad)
}

// TestPowerCutsAfterAWriterCrashed stops a writer before each of its steps,
// lets another one go on from there, and then cuts the power: what the other
// one builds on must not be what only the crashed one would have synced.
func TestPowerCutsAfterAWriterCrashed(t *testing.T) {
	n := drawn(t)
	for _, c := range crashes {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			density := 60
			if testing.Short() {
				density = 1000
			}
			if *long {
				density = 1
			}
			f := c.everywhere(t, n, density, nil)
			if f.bad > 0 {
				t.Error(f.first)
			}
			t.Logf("%d cuts, %d disks, %d violations, %.1f s", f.cuts, f.disks, f.bad, time.Since(began).Seconds())
		})
	}
}

// A crash is a commit that is stopped, and one after it that is not.
type crash struct {
	name   string
	before func(s *scene)
	first  files
	old    bool // on a system without renameat2
}

var crashes = []crash{
	{name: "of a first commit", first: files{"config": "a: 1\n", "instancegroup/nodes": "min: 0\n"}},
	{name: "of an edit", before: began, first: files{"config": "a: 2\n", "new/one": "1\n", "instancegroup/nodes": "-"}},
	{name: "of an edit without renameat2", before: began, first: files{"config": "a: 2\n"}, old: true},
}

var errStopped = errors.New("the process was killed")

// everywhere stops the first commit before each of its steps. between, which
// may be nil, happens after that. density is how many cuts one is picked of; the
// last, when all is acknowledged, always is.
func (c crash) everywhere(t testing.TB, seed uint64, density int, between func(s *scene)) (all figures) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	turns := make(chan struct{}, 4)
	for stop := range c.stopped(newScene(t, c.before), math.MaxInt) {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			if mu.Lock(); all.bad > 0 {
				mu.Unlock()
				return
			}
			mu.Unlock()
			s := newScene(t, c.before)
			c.stopped(s, stop)
			if between != nil {
				between(s)
			}
			from := s.rec.Len()
			s.commit("second", files{"config": "a: 3\n", "more": "more\n"})
			s.end()
			f := s.cutEverywhere(from, []durabletest.Options{{}}, func(n int) bool {
				return n == s.rec.Len() || (n+stop+int(seed%1000))%density == 0
			})
			mu.Lock()
			defer mu.Unlock()
			all.cuts, all.disks, all.bad = all.cuts+f.cuts, all.disks+f.disks, all.bad+f.bad
			if f.bad > 0 {
				all.first = fmt.Sprintf("stopped before step %d: %s", stop, f.first)
			}
		})
	}
	wg.Wait()
	return all
}

// stopped does the first commit up to a step, and returns how many were done.
func (c crash) stopped(s *scene, stop int) int {
	s.old = c.old
	s.record()
	var steps atomic.Int64
	s.before = func(durable.Change) error {
		if steps.Add(1) > int64(stop) {
			return errStopped
		}
		return nil
	}
	_, _ = s.client().Update(s.t.Context(), "first", c.first.apply) // what it says, nobody hears
	s.before = nil
	return min(stop, int(steps.Load()))
}

// TestEverySyncIsNeeded leaves out one ingredient at a time, and sees power
// cuts find it.
func TestEverySyncIsNeeded(t *testing.T) {
	if testing.Short() {
		t.Skipf("takes its time")
	}
	for _, m := range []struct {
		name, play string
		drop       func() func(durable.Change) bool
	}{
		{"fsync of files", "edit of 1 file", func() func(durable.Change) bool {
			return func(c durable.Change) bool { return c.Op == durable.Sync }
		}},
		{"fsync of directories", "edit of 1 file", func() func(durable.Change) bool {
			made := mkdirs()
			return func(c durable.Change) bool { return !made(c) && c.Op == durable.SyncDir }
		}},
		{"fsync of directories after a delete", "delete of a file", func() func(durable.Change) bool {
			made := mkdirs()
			return func(c durable.Change) bool {
				return !made(c) && c.Op == durable.SyncDir && c.Name == cluster+"/instancegroup"
			}
		}},
		{"fsync above new directories", "first commit", func() func(durable.Change) bool {
			made := mkdirs()
			return func(c durable.Change) bool { return made(c) }
		}},
		{"fsync above the store", "store in new directories", func() func(durable.Change) bool {
			return func(c durable.Change) bool { return c.Op == durable.SyncDir && !strings.HasSuffix(c.Dir, within) }
		}},
		{"fsync of what another program wrote", "import of an edit that nobody synced", func() func(durable.Change) bool {
			return func(c durable.Change) bool { return c.Op == durable.Sync && strings.HasPrefix(c.Name, cluster) }
		}},
		{"fsync above what another program made", "import of a kops store", func() func(durable.Change) bool {
			return func(c durable.Change) bool { return c.Op == durable.SyncDir && c.Name == "." }
		}},
	} {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			p := plays[slices.IndexFunc(plays, func(p play) bool { return p.name == m.play })]
			f := p.record(t, m.drop()).cutEverywhere(0, p.models(1), nil)
			told(t, f, m.play, began)
		})
	}
	for _, m := range []struct {
		name    string
		crash   crash
		between func(s *scene)
	}{
		{"marks of what a crashed writer has not synced, in a replace without renameat2", crashes[2], func(s *scene) { s.forgetTemporaries("sync.") }},
		{"marks of what a crashed writer has not synced", crashes[1], func(s *scene) { s.forgetTemporaries("sync.", "swap.", "gone.") }},
		{"fsync above directories that are there already", crashes[0], func(s *scene) {
			made := mkdirs()
			s.rec.Drop = func(c durable.Change) bool { return !made(c) && c.Op == durable.SyncDir && c.Name == "." }
		}},
	} {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			told(t, m.crash.everywhere(t, 0, 2, m.between), "a crash "+m.crash.name, began)
		})
	}
}

func told(t *testing.T, f figures, where string, began time.Time) {
	t.Helper()
	if f.bad == 0 {
		t.Errorf("left out, and not found by %q: %d cuts, %d disks", where, f.cuts, f.disks)
		return
	}
	why, _, _ := strings.Cut(f.first, "\n")
	t.Logf("found by %q after %d disks, %.1f s: %.150s", where, f.disks, time.Since(began).Seconds(), why)
}

// mkdirs tells of the syncs of directories right after one was made in them.
func mkdirs() func(durable.Change) bool {
	var mu sync.Mutex
	made := map[string]bool{}
	return func(c durable.Change) bool {
		mu.Lock()
		defer mu.Unlock()
		switch name := filepath.Join(c.Dir, c.Name); {
		case c.Op == durable.Mkdir:
			made[filepath.Dir(name)] = true
		case c.Op == durable.SyncDir && made[name]:
			delete(made, name)
			return true
		}
		return false
	}
}
