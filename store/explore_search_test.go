package store_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
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
	world           world
	clients         [maxClients]int32
	late            [maxLate]uint16 // writes that will land, or not, sorted; 0: none
	faults, crashes uint8           // so far
	deeds           uint8           // of the other tool, so far
	replaced        uint8           // bits: deeds that the other tool itself has written over
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
	t        *table
	clients  []*explored
	late     []request
	seen     map[[2]uint64]struct{}
	seeds    [2]maphash.Seed
	verdicts map[world]*verdict
	heads    map[uint16]int
	path     []move

	transitions, ends, deepest int
	violations                 []string
	stopAt                     int // violations
}

// play is who takes part.
type play struct {
	service service
	begin   files
	clients func() []*explored
	deeds   []deed
}

// deed is one write of the other tool: blind, and without metadata. "-" is a
// delete.
type deed struct{ name, text string }

type move struct {
	kind   byte // 'r'equest, 'c'rash, 'l'anding, 'd'eed
	who    int
	fate   fate
	asked  request
	answer string
}

type fate byte

const (
	answered fate = iota
	lost          // done, and the reply is lost
	echoed        // done, the reply lost, and the retry below answers
	late          // no reply, and done later, or never
)

func (m move) String() string {
	switch m.kind {
	case 'c':
		return "crash"
	case 'l':
		return "lands: " + m.asked.String()
	case 'd':
		return "writes"
	}
	return m.asked.String() + [...]string{"", " (reply lost)", " (echoed)", " (late)"}[m.fate] + m.answer
}

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
	return &search{
		play: p, bounds: b, t: newTable(p.service), late: make([]request, 1), seen: map[[2]uint64]struct{}{},
		seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, verdicts: map[world]*verdict{}, heads: map[uint16]int{}, stopAt: 3,
	}
}

// run explores. It must be called in a synctest bubble.
func (s *search) run(ctx context.Context) error {
	l := &live{t: s.t}
	if _, err := s.calm(ctx, l).Update(ctx, "begin", s.begin.apply); err != nil {
		return err
	}
	first := situation{world: l.w}
	s.clients = s.play.clients()
	for i := range first.clients {
		first.clients[i] = crashed
	}
	for i, c := range s.clients {
		c.t, c.began, c.number = s.t, l.w, i+1
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

// calm is a client that nobody schedules and that nothing happens to.
func (s *search) calm(ctx context.Context, l *live) *store.History {
	n := 0
	now := func() time.Time { n++; return stopped.Add(-time.Duration(n) * time.Millisecond) }
	opened, err := store.Open(ctx, vfs.New(l.driver(), "explored:"), store.Options{Author: "Calm <>", Settle: atOnce, Now: now})
	if err != nil {
		panic(err)
	}
	return opened.Cluster(demo)
}

func (s *search) known(at situation) bool {
	key := [2]uint64{maphash.Comparable(s.seeds[0], at), maphash.Comparable(s.seeds[1], at)}
	if _, ok := s.seen[key]; ok {
		return true
	}
	s.seen[key] = struct{}{}
	return false
}

// visit checks a situation and goes on from it in every way.
func (s *search) visit(ctx context.Context, at situation) {
	if s.known(at) {
		return
	}
	s.deepest = max(s.deepest, len(s.path))
	if err := s.check(ctx, at); err != nil {
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
			next.world, _ = s.t.do(at.world, s.late[n])
			next.late[i] = 0
			slices.Sort(next.late[:])
			s.follow(ctx, at, next, move{kind: 'l', asked: s.late[n]})
		}
	}
	if int(at.deeds) < len(s.deeds) {
		s.follow(ctx, at, s.act(at), move{kind: 'd'})
	}
	if s.transitions == before {
		s.ends++
	}
}

func (s *search) visitClient(ctx context.Context, at situation, i int) {
	c := s.clients[i]
	for _, asked := range c.nodes[at.clients[i]].pending {
		w, answer := s.t.do(at.world, asked)
		next := at
		next.world = w
		s.hear(ctx, at, next, i, asked, answer, answered)
		if !asked.writes() || at.faults == s.faults {
			continue
		}
		next.faults++
		s.hear(ctx, at, next, i, asked, reply{class: broken}, lost)
		again := next
		again.world, answer = s.t.do(next.world, asked)
		s.hear(ctx, at, again, i, asked, answer, echoed)
		if at.late[0] == 0 {
			next.world = at.world
			next.late[0] = s.under(asked)
			slices.Sort(next.late[:])
			s.hear(ctx, at, next, i, asked, reply{class: broken}, late)
		}
	}
	if at.crashes < s.crashes {
		next := at
		next.crashes++
		next.clients[i] = crashed
		s.follow(ctx, at, next, move{kind: 'c', who: i})
	}
}

// under numbers a write that is under way.
func (s *search) under(r request) uint16 {
	i := slices.Index(s.late, r)
	if i < 0 {
		i = len(s.late)
		s.late = append(s.late, r)
	}
	return uint16(i)
}

// hear lets a client hear a reply.
func (s *search) hear(ctx context.Context, at, next situation, i int, asked request, answer reply, f fate) {
	next.clients[i] = s.clients[i].after(at.clients[i], step{asked, answer})
	m := move{kind: 'r', who: i, fate: f, asked: asked}
	if answer.class != fine {
		m.answer = ": " + answer.class.err().Error()
	}
	if how := s.clients[i].ended(next.clients[i]); how != "" {
		m.answer += "; ends: " + how
	}
	s.follow(ctx, at, next, m)
}

// act lets the other tool do what it does next.
func (s *search) act(at situation) situation {
	d := s.deeds[at.deeds]
	n := s.t.key(demo + "/" + d.name)
	for i, earlier := range s.deeds[:at.deeds] {
		there := "-"
		if o := at.world.objects[n]; o != 0 {
			there = s.t.objects[o].text
		}
		if earlier.name == d.name && earlier.text == there {
			at.replaced |= 1 << i
		}
	}
	r := request{op: 'p', key: demo + "/" + d.name, object: s.t.object(object{text: d.text})}
	if d.text == "-" {
		r.op = 'd'
	}
	at.world, _ = s.t.do(at.world, r)
	at.deeds++
	return at
}

func (s *search) follow(ctx context.Context, at, next situation, m move) {
	if len(s.violations) >= s.stopAt {
		return
	}
	s.transitions++
	s.path = append(s.path, m)
	defer func() { s.path = s.path[:len(s.path)-1] }()
	if err := s.headRises(at.world, next.world); err != nil {
		s.violation(err)
		return
	}
	s.visit(ctx, next)
}

func (s *search) headRises(before, after world) error {
	n := s.t.key(".stateroom/" + demo + "/head")
	if before.objects[n] == after.objects[n] {
		return nil
	}
	if from, to := s.number(before.objects[n]), s.number(after.objects[n]); to < from {
		return fmt.Errorf("the head went from %d back to %d", from, to)
	}
	return nil
}

// number is the one that a head says.
func (s *search) number(head uint16) int {
	n, ok := s.heads[head]
	if !ok {
		_, text, _ := strings.Cut(s.t.objects[head].text, "\nnumber ")
		_, _ = fmt.Sscan(text, &n) // 0: no head
		s.heads[head] = n
	}
	return n
}

// violation notes what was found and how to get there.
func (s *search) violation(err error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%v, after", err)
	for _, m := range s.path {
		who := "the other tool"
		if m.kind == 'l' {
			who = "late"
		} else if m.kind != 'd' {
			who = s.clients[m.who].name
		}
		fmt.Fprintf(&b, "\n    %-14s %s", who, m)
	}
	s.violations = append(s.violations, b.String())
}

// verdict is what becomes of a world when nobody works on it any more but a
// client that has just come.
type verdict struct {
	err   error
	seen  *storetest.Seen
	found map[deed]bool // what is kept of the other tool's deeds
}

const finish, lifeGoesOn = "finish", "life goes on"

func (s *search) verdict(ctx context.Context, w world) *verdict {
	v := s.verdicts[w]
	if v == nil {
		v = &verdict{found: map[deed]bool{}}
		v.err = s.judge(ctx, w, v)
		s.verdicts[w] = v
	}
	return v
}

// judge checks a world from outside: as it is found, after a client has
// finished what it found, and after a further update.
func (s *search) judge(ctx context.Context, w world, v *verdict) (err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Hour) // of the bubble's time: repair ends
	defer cancel()
	l := &live{t: newTable(s.service)}
	l.w = s.t.copyTo(l.t, w)
	f := vfs.New(l.driver(), "explored:")
	before, err := storetest.Read(ctx, f, demo)
	if err != nil {
		return fmt.Errorf("as found: %w", err)
	}
	h := s.calm(ctx, l)
	if _, err := h.Update(ctx, finish, func(*store.Tx) error { return nil }); err != nil {
		return fmt.Errorf("finish: %w", err)
	}
	if v.seen, err = storetest.Check(ctx, f, demo); err != nil {
		return err
	}
	if err := grown(before, v.seen); err != nil {
		return err
	}
	if err := s.foreign(v); err != nil {
		return err
	}
	if _, err := h.Update(ctx, lifeGoesOn, files{"config": lifeGoesOn}.apply); err != nil {
		return fmt.Errorf("a further update: %w", err)
	}
	after, err := storetest.Read(ctx, f, demo)
	if err != nil {
		return fmt.Errorf("after a further update: %w", err)
	}
	if after.Count(lifeGoesOn) != 1 || after.Newest()["config"] != lifeGoesOn || get2(l, "config") != lifeGoesOn {
		return errors.New("a further update is not there")
	}
	return nil
}

func get2(l *live, name string) string {
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
func (s *search) foreign(v *verdict) error {
	for i, c := range v.seen.Commits {
		if c.Kind != store.Import {
			continue
		}
		for _, ch := range c.Changed {
			text := "-"
			if ch.Action != store.Removed {
				text = v.seen.Files[i][ch.Name]
			}
			v.found[deed{ch.Name, text}] = true
		}
	}
	for name, kept := range v.seen.Kept {
		for text := range kept {
			v.found[deed{name, text}] = true
		}
	}
	for d := range v.found {
		if !slices.Contains(s.deeds, d) {
			return fmt.Errorf("%q is taken in at %s, and the other tool never wrote that", d.text, d.name)
		}
	}
	return nil
}

// How clients end.
const (
	acknowledged = "acknowledged"
	unknown      = "outcome unknown"
)

// check holds a situation against what a store promises, as if all clients
// were gone now and one came that finishes what it finds.
func (s *search) check(ctx context.Context, at situation) error {
	v := s.verdict(ctx, at.world)
	if v.err != nil {
		return v.err
	}
	for i, c := range s.clients {
		n, how := v.seen.Count(c.name), c.ended(at.clients[i])
		switch {
		case n > 1:
			return fmt.Errorf("%s is committed %d times", c.name, n)
		case how == acknowledged && n == 0 && strings.HasPrefix(c.name, "writer"):
			return fmt.Errorf("%s was acknowledged, and is not in the log", c.name)
		case how != "" && how != acknowledged && how != unknown && n > 0:
			return fmt.Errorf("%s ended with %q, and is in the log", c.name, how)
		case how != "" && how != acknowledged && at.faults == 0:
			return fmt.Errorf("%s ended with %q though nothing failed", c.name, how)
		}
	}
	for i, d := range s.deeds[:at.deeds] {
		if !v.found[d] && at.replaced&(1<<i) == 0 {
			return fmt.Errorf("%q, which the other tool left at %s, is lost", d.text, d.name)
		}
	}
	return nil
}
