package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
)

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

func TestExploreTry(t *testing.T) {
	withoutChance(t)
	for _, sv := range services {
		t.Run(sv.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSearch(play{service: sv, begin: exploredFiles, deeds: []deed{{"config", "foreign"}},
					clients: func() []*explored {
						return []*explored{writer("writer 1", writerOne), writer("writer 2", writerTwo)}
					},
				}, bounds{0, 1})
				err := s.run(t.Context())
				s.report(t, err)
			})
		})
	}
}

func (s *search) report(t *testing.T, err error) {
	runs, nodes := 0, 0
	for _, c := range s.clients {
		runs += c.runs
		nodes += len(c.nodes)
	}
	t.Logf("%s: %d states, %d transitions, %d ends, depth %d; %d worlds judged; %d nodes of clients, %d runs; %d violations",
		s.service, len(s.seen), s.transitions, s.ends, s.deepest, len(s.verdicts), nodes, runs, len(s.violations))
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
		for i := range 20000 {
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

var _ = fs.ErrNotExist
