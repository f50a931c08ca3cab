package store_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
)

// Both pairs of services have one of each kind of versions, and one with tags.
var pairOne, pairTwo = []service{services[0], services[3]}, services[1:3]

// writer makes one commit.
func writer(name string, f files) *explored {
	return &explored{name: name, do: func(ctx context.Context, h *store.History) string {
		_, err := h.Update(ctx, name, f.apply)
		return how(err)
	}}
}

// finisher changes nothing, and finishes what it finds.
func finisher() *explored {
	return &explored{name: "finisher", do: func(ctx context.Context, h *store.History) string {
		_, err := h.Update(ctx, "finisher", func(*store.Tx) error { return nil })
		return how(err)
	}}
}

// holder takes the lease, which stands in the head too, and drops it.
func holder() *explored {
	return &explored{name: "holder", do: func(ctx context.Context, h *store.History) string {
		_, err := h.TakeLease(ctx, "why", time.Hour, true)
		if err == nil {
			_, err = h.DropLease(ctx, true)
		}
		return how(err)
	}}
}

// reader reads both files of what is newest.
func reader() *explored {
	return &explored{name: "reader", do: func(ctx context.Context, h *store.History) string {
		sn, err := h.Head(ctx)
		if err != nil {
			return how(err)
		}
		config, err := sn.ReadFile(ctx, "config")
		if err != nil {
			return how(err)
		}
		nodes, err := sn.ReadFile(ctx, "nodes")
		if err != nil {
			return how(err)
		}
		return told(string(config), string(nodes))
	}}
}

func how(err error) string {
	_, isUnknown := errors.AsType[*store.OutcomeError](err)
	switch {
	case err == nil:
		return acknowledged
	case isUnknown:
		return unknown
	}
	return "error: " + err.Error()
}

var services = []service{{unique: false, tags: true}, {unique: true, tags: true}, {unique: false, tags: false}, {unique: true, tags: false}}

// two files, which both writers write; the second one brings back what stood
// in one of them before.
var (
	exploredFiles = files{"config": "0", "nodes": "0"}
	writerOne     = files{"config": "1", "nodes": "1"}
	writerTwo     = files{"config": "0", "nodes": "2"}
)

var wide = flag.Bool("explore.wide", false, "explore with wider bounds: for the night, takes hours and many GB")

// exploration is one play, explored on some services within some bounds.
type exploration struct {
	name     string
	services []service
	play
	bounds
}

func two() []*explored {
	return []*explored{writer("writer 1", writerOne), writer("writer 2", writerTwo)}
}

func heldTwo() []*explored { return append(two(), holder()) }

func three() []*explored { return append(two(), finisher()) }

func helped() []*explored { return []*explored{writer("writer 1", writerOne), finisher()} }

var (
	sed       = []deed{{"config", "foreign"}}
	sedBoth   = []deed{{"config", "foreign"}, {"nodes", "foreign too"}}
	sedRm     = []deed{{"config", "foreign"}, {"nodes", "-"}}
	sedSed    = []deed{{"config", "foreign"}, {"config", "foreign again"}}
	rm        = []deed{{"nodes", "-"}}
	rmSed     = []deed{{"nodes", "-"}, {"nodes", "foreign"}}
	sedThenRm = []deed{{"nodes", "foreign"}, {"nodes", "-"}}
)

// creating clients make a file that was not there.
func creating() []*explored { return []*explored{writer("writer 1", files{"nodes": "1"})} }

func helpedCreating() []*explored { return append(creating(), finisher()) }

func changing() []*explored { return []*explored{writer("writer 1", files{"config": "1"})} }

func changingTwice() []*explored {
	return append(creating(), writer("writer 2", files{"nodes": "2"}))
}

// busy is one client that makes a file, changes it, and finishes what it finds.
func busy() []*explored {
	return []*explored{{name: "writer 1", do: func(ctx context.Context, h *store.History) string {
		_, err := h.Update(ctx, "writer 1", files{"nodes": "1"}.apply)
		if err == nil {
			_, err = h.Update(ctx, "again", files{"nodes": "2"}.apply)
		}
		if err == nil {
			_, err = h.Update(ctx, "look", func(*store.Tx) error { return nil })
		}
		if err != nil {
			return unknown // it may be in the log, all the same
		}
		return acknowledged
	}}}
}

var oneFile = files{"config": "0"}

// explorations are those of each run. What they leave out, the wide ones have:
// a fault and a crash, or a fault and another tool, beside two writers, and
// three clients. With the race detector or -short only the small ones run.
var explorations = []exploration{
	{"small: a writer, a finisher, one fault, one crash", services, play{clients: helped}, bounds{faults: 1, crashes: 1}},
	{"small: a writer, another tool, one fault, one crash", services, play{clients: one, deeds: sed}, bounds{faults: 1, crashes: 1}},
	{"small: a writer, another tool that overwrites itself, one fault, one crash", services, play{clients: one, deeds: sedSed}, bounds{faults: 1, crashes: 1}},
	{"small: a writer, another tool that deletes, one fault, one crash", services, play{clients: one, deeds: sedRm}, bounds{faults: 1, crashes: 1}},
	{"small: a writer, another tool that carries metadata along, one crash", services[:2], play{clients: one, deeds: sedBoth, carries: true}, bounds{crashes: 1}},
	{"small: a writer, another tool that makes a file and removes it, one fault, one crash", services, play{clients: changing, deeds: sedThenRm, begin: oneFile}, bounds{faults: 1, crashes: 1}},
	{"small: a writer that creates a file, another tool that deletes it, two faults", services, play{clients: creating, deeds: rm, begin: oneFile}, bounds{faults: 2}},
	{"small: a client that creates a file, changes it and looks, another tool that deletes it, two faults", services, play{clients: busy, deeds: rm, begin: oneFile}, bounds{faults: 2}},
	{"small: the same, another tool that deletes the file and makes it anew, one fault", services, play{clients: busy, deeds: rmSed, begin: oneFile}, bounds{faults: 1}},
	{"small: a writer, another tool, a reader", services, play{clients: watched, deeds: sed}, bounds{}},
	{"small: a writer, a holder of the lease, one fault, one crash", services, play{clients: held}, bounds{faults: 1, crashes: 1}},
	{"two writers begin a history", pairTwo, play{clients: two, plain: true}, bounds{}},
	{"a writer, a finisher, two faults, one crash", pairTwo, play{clients: helped}, bounds{faults: 2, crashes: 1}},
	{"a writer, another tool at both files, two faults, one crash", pairTwo, play{clients: one, deeds: sedBoth}, bounds{faults: 2, crashes: 1}},
	{"two writers, another tool, one crash", pairOne, play{clients: two, deeds: sed}, bounds{crashes: 1}},
	{"two writers, one fault", pairTwo, play{clients: two}, bounds{faults: 1}},
	{"a writer that creates a file, a finisher, another tool that deletes it, two faults", pairOne, play{clients: helpedCreating, deeds: rm, begin: oneFile}, bounds{faults: 2}},
	{"a writer, a finisher, another tool, one crash", pairOne, play{clients: helped, deeds: sed}, bounds{crashes: 1}},
}

var wideExplorations = []exploration{
	{"two writers, a holder of the lease", pairOne, play{clients: heldTwo}, bounds{}},
	{"two writers, another tool, one crash, everywhere", services, play{clients: two, deeds: sed}, bounds{crashes: 1}},
	{"two writers, one fault, one crash", services, play{clients: two}, bounds{faults: 1, crashes: 1}},
	{"a writer, a finisher, another tool, two faults, one crash", services, play{clients: helped, deeds: sed}, bounds{faults: 2, crashes: 1}},
	{"two writers, another tool, one fault, one crash", services, play{clients: two, deeds: sed}, bounds{faults: 1, crashes: 1}},
	{"two writers, another tool at both files, one crash", services, play{clients: two, deeds: sedBoth}, bounds{crashes: 1}},
	{"two writers, another tool that deletes, one crash", services, play{clients: two, deeds: sedRm}, bounds{crashes: 1}},
	{"two writers of a new file, another tool that deletes it, one fault", services, play{clients: changingTwice, deeds: rm, begin: oneFile}, bounds{faults: 1}},
	{"two writers, a finisher, one crash", services, play{clients: three}, bounds{crashes: 1}},
}

func watched() []*explored { return []*explored{writer("writer 1", writerOne), reader()} }

func held() []*explored { return []*explored{writer("writer 1", writerOne), holder()} }

func one() []*explored { return []*explored{writer("writer 1", writerOne)} }

// TestExplore brings clients, another tool and the network together in every
// way there is within the bounds that each name says. Clients are the real
// code; each request is a step, after any of which others may go on. From
// every situation, not only the last ones, a client that has just come must
// find and leave all as docs/formats promises. A fault is a write whose reply
// is lost, is echoed by a retry, or that is done only later or never.
//
// Two situations are the same if the store is, if each client heard the same
// replies, and if the same may still go wrong. Requests that a client sends at
// once are answered in the order of their keys, each a step of its own. Reads
// do not fail, lists are of one piece, and the clock stands still.
func TestExplore(t *testing.T) {
	withoutChance(t)
	list := explorations
	if *wide {
		list = append(slices.Clone(list), wideExplorations...)
	}
	for _, e := range list {
		if (testing.Short() || raced) && !strings.HasPrefix(e.name, "small") {
			continue
		}
		t.Run(e.name, func(t *testing.T) {
			for _, sv := range e.services {
				t.Run(sv.String(), func(t *testing.T) {
					t.Parallel()
					p := e.play
					if p.service = sv; p.begin == nil {
						p.begin = exploredFiles
					}
					explore(t, newSearch(p, e.bounds))
				})
			}
		})
	}
}

func explore(t *testing.T, s *search) {
	began := time.Now()
	if *wide {
		debug.SetGCPercent(50) // what is known fills the memory
	}
	var err error
	synctest.Test(t, func(t *testing.T) { err = s.run(t.Context()) })
	places, runs := 0, 0
	for _, c := range s.clients {
		places, runs = places+len(c.nodes), runs+c.runs
	}
	t.Logf("%d states, %d transitions, %d ends, at most %d steps; %d stores judged; %d places of clients, %d runs of them; %.1f s; %d violations",
		len(s.seen), s.transitions, s.ends, s.deepest, len(s.verdicts), places, runs, time.Since(began).Seconds(), len(s.violations))
	if err != nil {
		t.Error(err)
	}
}

// TestExploredStoreBehavesAsMem does random things to both.
func TestExploredStoreBehavesAsMem(t *testing.T) {
	for _, sv := range services {
		ctx, rnd := t.Context(), rand.New(rand.NewPCG(1, 2))
		m := mem.New(mem.Options{UniqueVersions: sv.unique, NoTags: !sv.tags, Now: func() time.Time { return stopped }})
		l := &live{t: newTable(sv)}
		same := map[string]vfs.Version{} // a version of the one: that of the other
		versions := map[string][]vfs.Version{}
		for i := range 100000 {
			if i%200 == 0 {
				l, same, versions = &live{t: newTable(sv)}, map[string]vfs.Version{}, map[string][]vfs.Version{}
				m = mem.New(mem.Options{UniqueVersions: sv.unique, NoTags: !sv.tags, Now: func() time.Time { return stopped }})
			}
			key := []string{"a", "a/b", "c"}[rnd.IntN(3)]
			text := []string{"x", "y", ""}[rnd.IntN(3)]
			cond, condThere := vfs.Cond{}, vfs.Cond{}
			switch old := versions[key]; {
			case rnd.IntN(3) == 0:
				cond, condThere = vfs.IfAbsent(), vfs.IfAbsent()
			case rnd.IntN(2) == 0 && len(old) > 0:
				v := old[max(len(old)-1-rnd.IntN(3), 0)]
				cond, condThere = vfs.IfVersion(v), vfs.IfVersion(same[key+string(v)])
			}
			var e, there vfs.Entry
			var err, err2 error
			var b, b2 []byte
			switch rnd.IntN(4) {
			case 0:
				b, e, err = l.driver().Get(ctx, key, "")
				b2, there, err2 = m.Get(ctx, key, "")
			case 1:
				if cond.Absent() {
					continue
				}
				err, err2 = l.driver().Delete(ctx, key, cond), m.Delete(ctx, key, condThere)
			case 2:
				e, err = l.driver().Put(ctx, key, []byte(text), cond, text)
				there, err2 = m.Put(ctx, key, []byte(text), condThere, text)
			case 3:
				list, list2 := keysOf(ctx, l.driver()), keysOf(ctx, m)
				if !slices.Equal(list, list2) {
					t.Fatalf("%s, %d: lists %q, %q", sv, i, list, list2)
				}
			}
			if !errors.Is(err2, err) || string(b) != string(b2) || b != nil && e.Tag != there.Tag {
				t.Fatalf("%s, %d: %v %v, %v %v", sv, i, e, err, there, err2)
			}
			if e.Version == "" {
				continue
			}
			if v, ok := same[key+string(e.Version)]; ok && v != there.Version {
				t.Fatalf("%s, %d: version %s is %s and %s", sv, i, e.Version, v, there.Version)
			} else if !ok {
				same[key+string(e.Version)] = there.Version
				versions[key] = append(versions[key], e.Version)
			}
		}
	}
}

func keysOf(ctx context.Context, d vfs.Driver) []string {
	var keys []string
	for e, err := range d.List(ctx, "a", "") {
		keys = append(keys, fmt.Sprint(e.Key, e.Size, err))
	}
	return keys
}
