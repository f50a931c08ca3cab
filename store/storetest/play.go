package storetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs"
)

// Play is a random history: some writers that crash, lose replies and leave
// writes behind that land late, and another tool that writes the plain files as
// it likes.
type Play struct {
	Seed    uint64
	Writers int
	Changes int           // of each writer
	Foreign int           // writes and deletes of the other tool
	Unit    time.Duration // a request takes up to this long
	Settle  store.Settle
}

const cluster = "demo.example.com"

var playFiles = []string{"config", "instancegroup/a", "instancegroup/b", "secrets/x"}

// Run plays on d, an empty store, and checks everything at its end. It returns
// when nothing is under way any more.
func (p Play) Run(ctx context.Context, d vfs.Driver) error {
	r := &playing{Play: p, d: d, watched: Watch(d), acknowledged: map[string]bool{}, begun: map[string]bool{}, wrote: map[string]string{}, told: map[string]bool{}, died: map[string]bool{}}
	rnd := rand.New(rand.NewPCG(p.Seed, 0))
	if rnd.IntN(3) == 0 { // a store that the other tool made
		for _, name := range playFiles {
			r.foreign(ctx, rnd, name)
		}
	}
	var wg sync.WaitGroup
	for i := range p.Writers {
		wg.Go(func() { r.writer(ctx, i) })
	}
	wg.Go(func() {
		rnd := rand.New(rand.NewPCG(p.Seed, 1000))
		for range p.Foreign {
			time.Sleep(time.Duration(rnd.Int64N(int64(40*p.Unit) + 1)))
			r.foreign(ctx, rnd, playFiles[rnd.IntN(len(playFiles))])
		}
	})
	wg.Wait()
	r.late.Wait()
	return errors.Join(r.watched.Err(), r.judge(ctx))
}

// playing is one run.
type playing struct {
	Play
	d       vfs.Driver
	watched *Watched
	late    sync.WaitGroup

	mu           sync.Mutex
	begun        map[string]bool // messages of changes
	acknowledged map[string]bool
	wrote        map[string]string // bytes of the other tool: the file they were written to
	deeds        []deed
	told         map[string]bool // files that a client said it had put right or finished
	died         map[string]bool // files that a client wrote, and died before it could say so
}

// deed is one write or delete of the other tool.
type deed struct{ name, text, replaced string } // "-": no file

// foreign does one thing to a file, and notes what it replaced.
func (r *playing) foreign(ctx context.Context, rnd *rand.Rand, name string) {
	key := cluster + "/" + name
	text := fmt.Sprintf("foreign %d\n", rnd.Uint64())
	copies, further := rnd.IntN(3) == 0, rnd.IntN(2) == 0 // metadata carried along, or from elsewhere
	if rnd.IntN(4) == 0 {
		text = "-"
	}
	r.mu.Lock()
	r.wrote[text] = name
	r.mu.Unlock()
	for {
		replaced, cond := "-", vfs.IfAbsent()
		b, e, err := r.d.Get(ctx, key, "")
		if err == nil {
			replaced, cond = string(b), vfs.IfVersion(e.Version)
		} else if !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		switch {
		case text == "-" && replaced == "-":
			return
		case text == "-":
			err = r.d.Delete(ctx, key, cond)
		default:
			_, err = r.d.Put(ctx, key, []byte(text), cond, carried(e.Tag, copies, further))
		}
		if err == nil {
			r.mu.Lock()
			r.deeds = append(r.deeds, deed{name, text, replaced})
			r.mu.Unlock()
			return
		}
	}
}

// carried is the tag that a write of the other tool has: none, that of the
// object it replaced, or one of a later commit.
func carried(tag string, copies, further bool) string {
	if !copies {
		return ""
	}
	if id, _, ok := strings.Cut(tag, "/"); ok && further {
		return id + "/9"
	}
	return tag
}

// writer makes changes, each with a client of its own every few times.
func (r *playing) writer(ctx context.Context, i int) {
	rnd := rand.New(rand.NewPCG(r.Seed, uint64(i)+1))
	var h *store.History
	var d *shaky
	for n := range r.Changes {
		time.Sleep(time.Duration(rnd.Int64N(int64(20*r.Unit) + 1)))
		if h == nil || rnd.IntN(3) == 0 {
			h, d = r.client(ctx, i, rnd)
		}
		if h == nil {
			continue
		}
		message := fmt.Sprintf("writer %d change %d", i, n)
		r.mu.Lock()
		r.begun[message] = true
		r.mu.Unlock()
		var err error
		if rnd.IntN(25) == 0 {
			var sn *store.Snapshot
			if sn, err = h.Delete(ctx, message); err == nil && sn.Commit().Message != message {
				continue // the other tool had deleted the cluster already
			}
		} else {
			other := playFiles[1+rnd.IntN(len(playFiles)-1)]
			act := rnd.IntN(4)
			_, err = h.Update(ctx, message, func(tx *store.Tx) error { return change(ctx, tx, message, other, act) })
		}
		d.mayDie()
		if err == nil {
			r.mu.Lock()
			r.acknowledged[message] = true
			r.mu.Unlock()
		} else {
			h = nil // what this client knows is not to be relied on
		}
	}
}

func (r *playing) client(ctx context.Context, i int, rnd *rand.Rand) (*store.History, *shaky) {
	d := &shaky{Driver: r.watched, r: r, rnd: rand.New(rand.NewPCG(rnd.Uint64(), 0)), crash: -1, unsaid: map[string]bool{}}
	if rnd.IntN(3) == 0 {
		d.crash = rnd.IntN(30)
	}
	s, err := store.Open(ctx, vfs.New(d, "shaky:"), store.Options{Author: fmt.Sprintf("Writer %d <>", i), Settle: &r.Settle, Notice: r.hear})
	if err != nil {
		return nil, nil
	}
	return s.Cluster(cluster), d
}

func (r *playing) hear(n store.Notice) {
	if n.Kind != store.Righted && n.Kind != store.Finished {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range n.Names {
		r.told[name] = true
	}
}

// change adds a line to config, and often does something to another file.
func change(ctx context.Context, tx *store.Tx, message, other string, act int) error {
	b, err := tx.ReadFile(ctx, "config")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	tx.WriteFile("config", append(b, message+"\n"...))
	switch act {
	case 0:
		tx.WriteFile(other, []byte(message))
	case 1:
		tx.Remove(other)
	case 2:
		tx.WriteFile(other, []byte("the same again and again"))
	}
	return nil
}

// judge checks what is left when all is quiet.
func (r *playing) judge(ctx context.Context) error {
	f := vfs.New(r.watched, "play:")
	seen, err := Check(ctx, f, cluster)
	if err != nil {
		return err
	}
	if err := errors.Join(r.changesHold(seen), r.foreignHolds(seen)); err != nil {
		return err
	}
	h, err := open(ctx, f, cluster, nil)
	if err != nil {
		return err
	}
	if _, err := h.Update(ctx, "life goes on", func(tx *store.Tx) error { tx.WriteFile("config", []byte("after")); return nil }); err != nil {
		return fmt.Errorf("a further update: %w", err)
	}
	seen, err = Check(ctx, f, cluster)
	if err == nil && seen.Newest()["config"] != "after" {
		err = errors.New("a further update is not there")
	}
	return err
}

// changesHold: acknowledged once, never twice, and each made on top of exactly
// what came before it.
func (r *playing) changesHold(seen *Seen) error {
	for message := range r.begun {
		n := seen.Count(message)
		if n > 1 || n == 0 && r.acknowledged[message] {
			return fmt.Errorf("%q is committed %d times, acknowledged: %v", message, n, r.acknowledged[message])
		}
	}
	for i, c := range seen.Commits {
		if !r.begun[c.Message] || c.Kind == store.Deleted {
			continue
		}
		before := ""
		if i > 0 {
			before = seen.Files[i-1]["config"]
		}
		if seen.Files[i]["config"] != before+c.Message+"\n" {
			return fmt.Errorf("commit %d is not made on commit %d", c.Number, c.Number-1)
		}
	}
	return nil
}

// foreignHolds: what the other tool did is in the history, or in the files, or
// was replaced by itself; and nothing of ours is taken for its work.
func (r *playing) foreignHolds(seen *Seen) error {
	found, deleted := map[string]bool{}, map[string]bool{}
	created := map[deed]bool{} // by us, where nothing stood
	for i, c := range seen.Commits {
		for _, ch := range c.Changed {
			text := seen.Files[i][ch.Name]
			if ch.Action == store.Added && c.Kind != store.Import {
				created[deed{ch.Name, text, "-"}] = true
			}
			if ch.Action == store.Removed {
				deleted[ch.Name] = true
			} else if c.Kind == store.Import {
				found[text] = true
				if r.wrote[text] != ch.Name {
					return fmt.Errorf("commit %d imports %q as %s: the other tool did not write that", c.Number, text, ch.Name)
				}
			}
		}
	}
	for name, kept := range seen.Kept {
		for text := range kept {
			found[text] = true
			if text == "-" {
				deleted[name] = true
			} else if r.wrote[text] != name {
				return fmt.Errorf("%q is kept for %s: the other tool did not write that", text, name)
			}
		}
	}
	for i, d := range r.deeds {
		replaced := false
		for _, later := range r.deeds[i+1:] {
			replaced = replaced || later.name == d.name && later.replaced == d.text
		}
		there := found[d.text]
		if d.text == "-" {
			d.replaced = r.before(i, found)
			there = deleted[d.name] || d.replaced == "-" || r.overLateCreate(i, created) ||
				// Where foreign bytes are kept by a conflict, ours stand, whether
				// they were deleted first or not.
				seen.Kept[d.name][d.replaced] ||
				// A create of ours that fills the place of a deleted file
				// undoes the delete, but not in silence.
				r.told[d.name] || seen.Told[d.name] || r.died[d.name]
		}
		if !there && !replaced {
			return fmt.Errorf("%q at %s is lost; %s", strings.TrimSpace(d.text), d.name, r.story(seen, d.name))
		}
	}
	return nil
}

// overLateCreate reports whether the next thing that the other tool did to the
// file of a delete was done to bytes of ours that were created late, in the
// place of the deleted file. Nobody else needs to have seen those, and then
// nothing is left that tells of the delete; what the other tool did next is its
// last word on the file, and must hold by itself.
func (r *playing) overLateCreate(i int, created map[deed]bool) bool {
	for _, next := range r.deeds[i+1:] {
		if next.name == r.deeds[i].name {
			return created[deed{next.name, next.replaced, "-"}]
		}
	}
	return false
}

// story tells all that happened to a file, for who has to find out why.
func (r *playing) story(seen *Seen, name string) string {
	var b strings.Builder
	for i, c := range seen.Commits {
		for _, ch := range c.Changed {
			if ch.Name == name {
				fmt.Fprintf(&b, "\n  commit %d %s %q by %s: %s %q", c.Number, c.Kind, c.Message, c.Author, ch.Action, seen.Files[i][name])
			}
		}
	}
	for _, d := range r.deeds {
		if d.name == name {
			fmt.Fprintf(&b, "\n  the other tool put %q over %q", d.text, d.replaced)
		}
	}
	for text := range seen.Kept[name] {
		fmt.Fprintf(&b, "\n  kept %q", text)
	}
	return b.String()
}

// before returns what stood at the file of a deed before it, as far as the
// history knows: what the other tool wrote and replaced unseen does not count.
func (r *playing) before(i int, found map[string]bool) string {
	text := r.deeds[i].replaced
	for j := i - 1; j >= 0; j-- {
		if d := r.deeds[j]; d.name == r.deeds[i].name && d.text == text && !found[text] {
			text = d.replaced
		}
	}
	return text
}

// shaky is the driver of one client: slow, and now and then worse.
type shaky struct {
	vfs.Driver
	r     *playing
	crash int // the call at which the client dies; -1: none

	mu     sync.Mutex
	rnd    *rand.Rand
	calls  int
	unsaid map[string]bool // plain files written by the update that is under way
}

var errShaky = errors.New("the connection broke")

// fate says how long a call takes and what becomes of it.
func (s *shaky) fate() (wait, more time.Duration, dead bool, what int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.calls
	s.calls++
	unit := int64(s.r.Unit)
	wait, more = time.Duration(s.rnd.Int64N(unit+1)), time.Duration(s.rnd.Int64N(40*unit+1))
	return wait, more, s.dead(n), s.rnd.IntN(40)
}

func (s *shaky) dead(call int) bool { return s.crash >= 0 && call > s.crash }

// writes notes that an update writes a plain file.
func (s *shaky) writes(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name, ok := strings.CutPrefix(key, cluster+"/"); ok {
		s.unsaid[name] = true
	}
}

// mayDie ends an update. If the client died in it, it could not say what it had
// done to the files that it wrote.
func (s *shaky) mayDie() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead(s.calls) {
		s.r.mu.Lock()
		maps.Copy(s.r.died, s.unsaid)
		s.r.mu.Unlock()
	}
	clear(s.unsaid)
}

func (s *shaky) Traits() vfs.Traits { return vfs.TraitsOf(s.Driver) }

func (s *shaky) Lock(ctx context.Context, name string) (func(), error) {
	return vfs.Lock(ctx, s.Driver, name)
}

func (s *shaky) Get(ctx context.Context, key string, unless vfs.Version) ([]byte, vfs.Entry, error) {
	wait, _, dead, what := s.fate()
	time.Sleep(wait)
	if dead || what == 0 {
		return nil, vfs.Entry{}, errShaky
	}
	return s.Driver.Get(ctx, key, unless)
}

func (s *shaky) Put(ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
	s.writes(key)
	answers := make(chan vfs.Entry, 2) // a write that lands late answers nobody
	err := s.write(ctx, func(ctx context.Context) error {
		e, err := s.Driver.Put(ctx, key, data, c, tag)
		if err == nil {
			answers <- e
		}
		return err
	})
	if err != nil {
		return vfs.Entry{}, err
	}
	return <-answers, nil
}

func (s *shaky) Delete(ctx context.Context, key string, c vfs.Cond) error {
	return s.write(ctx, func(ctx context.Context) error { return s.Driver.Delete(ctx, key, c) })
}

func (s *shaky) write(ctx context.Context, call func(context.Context) error) error {
	wait, more, dead, what := s.fate()
	time.Sleep(wait)
	switch {
	case dead || what == 0:
		return errShaky
	case what == 1: // done, and the reply is lost
		call(ctx) //nolint:errcheck // nobody hears it
		return errShaky
	case what == 2: // done, the reply lost, and done again
		call(ctx) //nolint:errcheck // nobody hears it
		return call(ctx)
	case what == 3: // failed now, done later
		ctx = context.WithoutCancel(ctx)
		s.r.late.Go(func() {
			time.Sleep(more)
			call(ctx) //nolint:errcheck // nobody hears it
		})
		return errShaky
	}
	err := call(ctx)
	time.Sleep(wait / 2) // the reply is on its way
	return err
}
