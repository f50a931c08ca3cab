package store_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/store/storetest"
	"github.com/stateroom/stateroom/vfs"
)

const (
	maxClients = 4
	maxLate    = 2
)

// situation is all that the future depends on: the store, where each client
// is, what is still under way, and what else may still go wrong.
type situation struct {
	world           uint32
	clients         [maxClients]int32
	late            [maxLate]uint32 // requests that will be done, or not, sorted, and 1 added; 0: none
	faults, crashes uint8           // so far
	deeds           uint8           // of the other tool, so far
	replaced        uint8           // bits: deeds that the other tool itself has written over, or that did nothing
}

// bounds say what an exploration leaves out. Within them it is exhaustive.
type bounds struct {
	faults  uint8 // replies that are lost, echoed or late
	crashes uint8
}

// search explores all situations that can come of a play.
type search struct {
	play
	bounds
	u        *universe
	clients  []*explored
	seen     map[situation]struct{}
	verdicts []*verdict // by world
	broken   uint32     // the reply that does not come
	path     []move

	transitions, ends, deepest int
	violations                 []string
	stopAt                     int // violations
}

// play is who takes part.
type play struct {
	service service
	begin   files // what is there before
	plain   bool  // and has no history
	clients func() []*explored
	deeds   []deed
	carries bool // the other tool leaves the metadata of what it writes over
}

// deed is one blind write of the other tool. "-" is a delete.
type deed struct{ name, text string }

// deletesCreated reports whether a deed deletes a file that was not there when
// all began.
func (s *search) deletesCreated(d deed) bool {
	_, there := s.begin[d.name]
	return d.text == "-" && !there
}

type move struct {
	kind byte // 'r'equest, 'c'rash, 'l'anding, 'd'eed
	fate fate
	who  int8
	step
	to int32 // the client's place then
}

type fate byte

const (
	answered fate = iota
	lost          // done, and the reply is lost
	echoed        // done, the reply lost, and the retry below answers
	late          // no reply, and done later, or never
)

// sameBits is a source of randomness without any: clients differ by their
// clocks alone, so that what they ask for is a function of what they hear.
type sameBits struct{}

func (sameBits) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// withoutChance lets all ids be functions of the time until the test ends. It
// is not for tests that run beside others.
func withoutChance(t *testing.T) {
	real := rand.Reader
	rand.Reader = sameBits{}
	t.Cleanup(func() { rand.Reader = real })
}

func newSearch(p play, b bounds) *search {
	return &search{play: p, bounds: b, u: newUniverse(newTable(p.service)), seen: map[situation]struct{}{}, stopAt: 3}
}

// run explores. It must be called in a synctest bubble.
func (s *search) run(ctx context.Context) error {
	l := &live{t: s.u.table}
	if err := s.prepare(ctx, l); err != nil {
		return err
	}
	first := situation{world: s.u.worlds.of(l.w)}
	s.broken = s.u.replies.of(reply{class: broken})
	s.clients = s.play.clients()
	for i := range first.clients {
		first.clients[i] = crashed
	}
	for i, c := range s.clients {
		c.u, c.began, c.number, c.tells = s.u, first.world, i+1, slices.ContainsFunc(s.deeds, s.deletesCreated)
		first.clients[i] = c.begin()
	}
	s.visit(ctx, first)
	for _, c := range s.clients {
		if c.parked != nil {
			c.parked.stop()
		}
	}
	if len(s.violations) > 0 {
		return errors.New(strings.Join(s.violations, "\n"))
	}
	return nil
}

// prepare makes what is there before.
func (s *search) prepare(ctx context.Context, l *live) error {
	if !s.plain {
		_, err := s.calm(ctx, l, nil).Update(ctx, "begin", s.begin.apply)
		return err
	}
	for name, text := range s.begin {
		if _, err := l.driver().Put(ctx, demo+"/"+name, []byte(text), vfs.Cond{}, ""); err != nil {
			return err
		}
	}
	return nil
}

// calm is a client that nobody schedules and that nothing happens to.
func (s *search) calm(ctx context.Context, l *live, hear func(store.Notice)) *store.History {
	var n atomic.Int64 // its requests may ask for the time at once
	now := func() time.Time { return stopped.Add(-time.Duration(n.Add(1)) * time.Millisecond) }
	opened, err := store.Open(ctx, vfs.New(l.driver(), "explored:"), store.Options{Author: "Calm <>", Settle: atOnce, Now: now, Notice: hear})
	if err != nil {
		panic(err)
	}
	return opened.Cluster(demo)
}

// visit checks a situation and goes on from it in every way.
func (s *search) visit(ctx context.Context, at situation) {
	if _, known := s.seen[at]; known {
		return
	}
	s.seen[at] = struct{}{}
	s.deepest = max(s.deepest, len(s.path))
	err := s.check(ctx, at)
	if s.u.fallen != nil {
		err, s.u.fallen = s.u.fallen, nil
	}
	if err != nil {
		s.violation(err)
		return
	}
	before := s.transitions
	for i := range s.clients {
		if at.clients[i] >= 0 {
			s.visitClient(ctx, at, i)
		}
	}
	for i, n := range at.late {
		if n != 0 {
			next := at
			next.world, _ = s.u.do(at.world, n-1)
			next.late[i] = 0
			slices.Sort(next.late[:])
			s.follow(ctx, next, move{kind: 'l', step: step{asked: n - 1}})
		}
	}
	if int(at.deeds) < len(s.deeds) {
		s.follow(ctx, s.act(at), move{kind: 'd'})
	}
	if s.transitions == before {
		s.ends++
	}
}

// visitClient goes on with what one client does next.
func (s *search) visitClient(ctx context.Context, at situation, i int) {
	for _, asked := range s.clients[i].nodes[at.clients[i]].pending {
		next := at
		var answer uint32
		next.world, answer = s.u.do(at.world, asked)
		s.hear(ctx, next, i, step{asked, answer}, answered)
		if at.faults < s.faults && s.u.requests.values[asked].writes() {
			next.faults++
			s.visitFaults(ctx, at, next, i, asked)
		}
	}
	if at.crashes < s.crashes {
		next := at
		next.crashes++
		next.clients[i] = crashed
		s.follow(ctx, next, move{kind: 'c', who: int8(i)})
	}
}

// visitFaults goes on with what can go wrong with a write: next is how it is
// when the write was done.
func (s *search) visitFaults(ctx context.Context, at, next situation, i int, asked uint32) {
	s.hear(ctx, next, i, step{asked, s.broken}, lost)
	again := next
	var answer uint32
	again.world, answer = s.u.do(next.world, asked)
	s.hear(ctx, again, i, step{asked, answer}, echoed)
	if at.late[0] == 0 {
		next.world, next.late[0] = at.world, asked+1
		slices.Sort(next.late[:])
		s.hear(ctx, next, i, step{asked, s.broken}, late)
	}
}

// hear lets a client hear a reply.
func (s *search) hear(ctx context.Context, next situation, i int, st step, f fate) {
	next.clients[i] = s.clients[i].after(next.clients[i], st)
	s.follow(ctx, next, move{kind: 'r', who: int8(i), fate: f, step: st, to: next.clients[i]})
}

// act lets the other tool do what it does next.
func (s *search) act(at situation) situation {
	d := s.deeds[at.deeds]
	w := s.u.worlds.values[at.world]
	n := s.u.key(demo + "/" + d.name)
	for i, earlier := range s.deeds[:at.deeds] {
		there := "-"
		if o := w.objects[n]; o != 0 {
			there = s.u.objects[o].text
		}
		if earlier.name == d.name && earlier.text == there {
			at.replaced |= 1 << i
		}
	}
	o := object{text: d.text}
	if s.carries {
		o.tag = s.u.objects[w.objects[n]].tag
	}
	r := request{op: 'p', key: demo + "/" + d.name, object: s.u.object(o)}
	if d.text == "-" {
		if r.op, r.object = 'd', 0; w.objects[n] == 0 {
			at.replaced |= 1 << at.deeds // nothing was there
		}
	}
	at.world, _ = s.u.do(at.world, s.u.requests.of(r))
	at.deeds++
	return at
}

func (s *search) follow(ctx context.Context, next situation, m move) {
	if len(s.violations) >= s.stopAt {
		return
	}
	s.transitions++
	s.path = append(s.path, m)
	s.visit(ctx, next)
	s.path = s.path[:len(s.path)-1]
}

// violation notes what was found and how to get there.
func (s *search) violation(err error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%v, after", err)
	deeds := 0
	for _, m := range s.path {
		asked := s.u.requests.values[m.asked].String()
		switch m.kind {
		case 'd':
			fmt.Fprintf(&b, "\n    %-12s writes %q at %s", "other tool", s.deeds[deeds].text, s.deeds[deeds].name)
			deeds++
		case 'l':
			fmt.Fprintf(&b, "\n    %-12s %s", "late", asked)
		case 'c':
			fmt.Fprintf(&b, "\n    %-12s crashes", s.clients[m.who].name)
		case 'r':
			answer := s.u.replies.values[m.heard]
			fmt.Fprintf(&b, "\n    %-12s %s%s", s.clients[m.who].name, asked, [...]string{"", " (reply lost)", " (echoed)", " (late)"}[m.fate])
			if answer.class != fine {
				fmt.Fprintf(&b, ": %v", answer.class.err())
			}
			if how := s.clients[m.who].ended(m.to); how != "" {
				fmt.Fprintf(&b, "; ends: %s", how)
			}
		}
	}
	s.violations = append(s.violations, b.String())
}

// verdict is what becomes of a world when nobody works on it any more but a
// client that has just come.
type verdict struct {
	err   error
	count [maxClients]int // of each client's commits
	found uint8           // bits: the other tool's deeds that are kept
	texts map[string]bool // of the files of each commit, as a reader tells them
	told  reports         // of whoever finished
}

const finish, lifeGoesOn = "finish", "life goes on"

func (s *search) verdict(ctx context.Context, w uint32) *verdict {
	if grow := len(s.u.worlds.values) - len(s.verdicts); grow > 0 {
		s.verdicts = append(s.verdicts, make([]*verdict, grow)...)
	}
	if s.verdicts[w] == nil {
		v := &verdict{told: reports{}}
		v.err = s.judge(ctx, s.u.worlds.values[w], v)
		s.verdicts[w] = v
	}
	return s.verdicts[w]
}

// judge checks a world from outside: as it is found, after a client has
// finished what it found, and after a further update.
func (s *search) judge(ctx context.Context, w world, v *verdict) (err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute) // of the bubble's time: repair ends
	defer cancel()
	l := &live{t: newTable(s.service)}
	l.w = s.u.copyTo(l.t, w)
	f := vfs.New(l.driver(), "explored:")
	before, err := storetest.Read(ctx, f, demo)
	if err != nil {
		return fmt.Errorf("as found: %w", err)
	}
	h := s.calm(ctx, l, v.told.hear)
	if _, err := h.Update(ctx, finish, func(*store.Tx) error { return nil }); err != nil {
		return fmt.Errorf("finish: %w", err)
	}
	seen, err := storetest.Check(ctx, f, demo)
	if err == nil {
		err = errors.Join(grown(before, seen), s.foreign(seen, v))
	}
	if err != nil {
		return err
	}
	for i, c := range s.clients {
		v.count[i] = seen.Count(c.name)
	}
	v.texts = map[string]bool{}
	for _, f := range seen.Files {
		v.texts[told(f["config"], f["nodes"])] = true
	}
	if _, err := h.Update(ctx, lifeGoesOn, files{"config": lifeGoesOn}.apply); err != nil {
		return fmt.Errorf("a further update: %w", err)
	}
	after, err := storetest.Read(ctx, f, demo)
	if err != nil {
		return fmt.Errorf("after a further update: %w", err)
	}
	if after.Count(lifeGoesOn) != 1 || after.Newest()["config"] != lifeGoesOn || textIn(l, "config") != lifeGoesOn {
		return errors.New("a further update is not there")
	}
	return nil
}

func textIn(l *live, name string) string {
	return l.t.objects[l.w.objects[l.t.key(demo+"/"+name)]].text
}

// grown: what stood in the log stands there, and finishing adds nothing but
// imports and conflicts.
func grown(before, after *storetest.Seen) error {
	for i, c := range after.Commits {
		switch {
		case i < len(before.Commits) && before.Commits[i].Digest != c.Digest:
			return fmt.Errorf("commit %d has become another", c.Number)
		case i >= len(before.Commits) && c.Kind != store.Import && c.Kind != store.Conflict:
			return fmt.Errorf("finishing made commit %d of kind %s", c.Number, c.Kind)
		}
	}
	if len(after.Commits) < len(before.Commits) {
		return errors.New("commits are gone")
	}
	return nil
}

// foreign finds the other tool's deeds in the history, and nothing else that
// is said to be its.
func (s *search) foreign(seen *storetest.Seen, v *verdict) error {
	var found []deed
	for i, c := range seen.Commits {
		if c.Kind == store.Deleted {
			return fmt.Errorf("commit %d deletes the cluster, and nobody did", c.Number)
		}
		if c.Kind != store.Import {
			continue
		}
		for _, ch := range c.Changed {
			text := "-"
			if ch.Action != store.Removed {
				text = seen.Files[i][ch.Name]
			}
			found = append(found, deed{ch.Name, text})
		}
	}
	for name, kept := range seen.Kept {
		for text := range kept {
			found = append(found, deed{name, text})
		}
	}
	for _, d := range found {
		i := slices.Index(s.deeds, d)
		if s.plain && s.begin[d.name] == d.text {
			continue
		}
		if i < 0 {
			return fmt.Errorf("%q is taken in at %s, and the other tool never wrote that", d.text, d.name)
		}
		v.found |= 1 << i
	}
	return nil
}

// How clients end.
const (
	acknowledged = "acknowledged"
	unknown      = "outcome unknown"
	readAs       = "read "
)

// told is how a reader ends.
func told(config, nodes string) string { return readAs + config + " and " + nodes }

// check holds a situation against what a store promises, as if all clients
// were gone now and one came that finishes what it finds.
func (s *search) check(ctx context.Context, at situation) error {
	v := s.verdict(ctx, at.world)
	if v.err != nil {
		return v.err
	}
	for i, c := range s.clients {
		n := v.count[i]
		how, _, _ := strings.Cut(c.ended(at.clients[i]), reported)
		switch {
		case n > 1:
			return fmt.Errorf("%s is committed %d times", c.name, n)
		case how == acknowledged && n == 0 && strings.HasPrefix(c.name, "writer"):
			return fmt.Errorf("%s was acknowledged, and is not in the log", c.name)
		case strings.HasPrefix(how, readAs):
			if !v.texts[how] {
				return fmt.Errorf("%s %s: no commit has that", c.name, how)
			}
		case how != "" && how != acknowledged && how != unknown && n > 0:
			return fmt.Errorf("%s ended with %q, and is in the log", c.name, how)
		case how != "" && how != acknowledged && at.faults == 0:
			return fmt.Errorf("%s ended with %q though nothing failed", c.name, how)
		}
	}
	for i, d := range s.deeds[:at.deeds] {
		if (v.found|at.replaced)&(1<<i) == 0 && !(s.deletesCreated(d) && s.excused(at, v, i)) {
			return fmt.Errorf("%q, which the other tool left at %s, is lost", d.text, d.name)
		}
	}
	return nil
}

// excused reports whether a delete may have been undone: where a file is
// created, its absence can mean that it is not there yet. But whoever creates
// it then says so, unless it dies before. It is no loss either if the file was
// the other tool's own, and nobody had taken it in, nor if it has written the
// file since: see overLateCreate in storetest.
func (s *search) excused(at situation, v *verdict, i int) bool {
	name := s.deeds[i].name
	for j, d := range s.deeds[:i] {
		if d.name == name && at.replaced&(1<<j) != 0 && v.found&(1<<j) == 0 {
			return true
		}
	}
	if slices.ContainsFunc(s.deeds[i+1:at.deeds], func(d deed) bool { return d.name == name }) {
		return true
	}
	told := v.told[name]
	for i, c := range s.clients {
		_, reports, _ := strings.Cut(c.ended(at.clients[i]), reported)
		told = told || at.clients[i] >= crashed || slices.Contains(strings.Fields(reports), name)
	}
	return told
}
