package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/stateroom/stateroom/vfs"
)

// update is one transaction, through all its attempts.
type update struct {
	h           *History
	message     string
	fn          func(*Tx) error
	fnErr       error // what fn returned
	transaction string
	lineage     string // for a cluster that begins with it
	digests     *digester
	staged      map[string]bool
	renewed     []string               // of those, the objects that had been there for long
	own         map[string]bool        // transactions of records that it put
	waited      map[int]time.Duration  // for the writers of unfinished records
	adopt       func(name string) bool // which foreign edits to import, fresh ones too; nil: what is not fresh
	adoption    string                 // the message of imports; empty: their own
	toldLease   bool
}

// Update commits what fn writes to its Tx, and returns the snapshot with that
// commit. It first finishes what another client left unfinished. Foreign edits
// become a commit of their own before it. If fn writes nothing new, there is
// no commit, and the snapshot is the newest.
//
// fn is called again on the new state if somebody else commits first; it must
// do nothing but read and write through its Tx. If it returns an error, Update
// returns that, and nothing is written.
//
// An error of Update means that the change was not committed; if that cannot
// be known, it is an [*OutcomeError]. No error means that the commit stands,
// though its plain files may have to be finished later (see [Unfinished]).
// Update goes on against other writers until ctx is done: [ErrConflict].
func (h *History) Update(ctx context.Context, message string, fn func(*Tx) error) (*Snapshot, error) {
	return h.newUpdate(message, fn).commit(ctx)
}

func (h *History) newUpdate(message string, fn func(*Tx) error) *update {
	return &update{
		h: h, message: message, fn: fn, transaction: newTransaction(h.s.opt.Now()), lineage: newID(),
		staged: map[string]bool{}, own: map[string]bool{}, waited: map[int]time.Duration{},
	}
}

func (u *update) commit(ctx context.Context) (*Snapshot, error) {
	sn, err := u.run(ctx)
	if err != nil && u.fnErr != nil && errors.Is(err, u.fnErr) {
		return nil, err
	}
	if err != nil {
		return nil, u.h.updating(err)
	}
	return sn, nil
}

// updating says what was attempted, and the cluster once.
func (h *History) updating(err error) error {
	if strings.HasPrefix(err.Error(), h.name) {
		return fmt.Errorf("update %w", err)
	}
	return fmt.Errorf("update %s: %w", h.name, err)
}

// Rehearse calls fn as Update would, on the newest state with the foreign edits
// that would be imported, and returns its error. It writes nothing at all, and
// leaves unfinished what is unfinished.
func (h *History) Rehearse(ctx context.Context, fn func(*Tx) error) error {
	return h.newUpdate("", fn).rehearse(ctx)
}

func (u *update) rehearse(ctx context.Context) error {
	h := u.h
	u.digests = &digester{h: h}
	for try := 1; ; try++ {
		st, l, err := u.read(ctx)
		if err != nil {
			return err
		}
		sv, err := h.survey(ctx, st, l)
		if err != nil {
			return err
		}
		if !sv.later || try == 5 {
			sv.choose(u.adopt)
			_, err = u.draw(ctx, st, sv)
			return err
		}
	}
}

// Delete ends the history of the cluster with a commit that deletes every
// file. The history stays, and a cluster created under this name goes on at
// its next number.
func (h *History) Delete(ctx context.Context, message string) (*Snapshot, error) {
	return h.Update(ctx, message, func(tx *Tx) error {
		if len(tx.c.Files) == 0 && !tx.ended {
			return &NoClusterError{h.name}
		}
		for name := range tx.c.Files {
			tx.Remove(name)
		}
		return nil
	})
}

// run makes attempts until one of them succeeds or fails for good.
func (u *update) run(ctx context.Context) (*Snapshot, error) {
	switch t := u.h.s.f.Traits(); {
	case t.ReadOnly != nil:
		return nil, fmt.Errorf("%s: %w", u.h.s.f.Name(), t.ReadOnly)
	case !t.Conditions:
		return nil, &ServiceError{u.h.s.f.Name(), Checked{Create: Lacking, Replace: Lacking}}
	}
	var p pause
	for attempt := 0; ; attempt++ {
		sn, unfinished, err := u.attempt(ctx, attempt > 0)
		if !errors.Is(err, errAgain) {
			return sn, err
		}
		waited, stop := p.wait(ctx)
		if stop != nil {
			return nil, fmt.Errorf("after %d attempts: %w: %w", attempt+1, ErrConflict, stop)
		}
		u.waited[unfinished] += waited
	}
}

// attempt does it all once. Whoever met another writer the time before keeps
// them out for all of it, where the driver has locks. unfinished is the number
// of a record that was left to its writer.
func (u *update) attempt(ctx context.Context, alone bool) (sn *Snapshot, unfinished int, err error) {
	unlock := func() {}
	defer func() { unlock() }()
	if alone {
		if unlock, err = u.lock(ctx); err != nil {
			return nil, 0, err
		}
	}
	st, l, err := u.read(ctx)
	if err != nil {
		return nil, 0, err
	}
	if len(st.window) > 0 {
		return nil, st.tip.Number, u.finish(ctx, st, alone)
	}
	u.tellLease(ctx, st)
	sv, err := u.h.survey(ctx, st, l)
	switch {
	case err != nil:
		return nil, 0, err
	case sv.later:
		return nil, 0, errAgain
	}
	sv.choose(u.adopt)
	u.digests = &digester{h: u.h}
	d, err := u.draw(ctx, st, sv)
	if err != nil {
		return nil, 0, err
	}
	if !alone && d.writes(sv) {
		if unlock, err = u.lock(ctx); err != nil {
			return nil, 0, err
		}
	}
	sn, err = u.carryOut(ctx, st, sv, d, l)
	return sn, 0, err
}

func (u *update) lock(ctx context.Context) (func(), error) {
	unlock, err := u.h.s.f.Lock(ctx, u.h.name)
	if err != nil {
		return func() {}, err
	}
	return unlock, nil
}

// read is step 1: head, list and newest records.
func (u *update) read(ctx context.Context) (st *state, l *listing, err error) {
	if st, l, err = u.h.lookAround(ctx); err != nil {
		return nil, nil, err
	}
	if st.broken != nil {
		return nil, nil, st.broken
	}
	if st.tip != nil && (st.tip.Kind == Sealed || st.tip.Kind == Moved) {
		return nil, nil, &ClosedError{u.h.name, st.tip.Kind}
	}
	return st, l, nil
}

// finish is step 2: it does what is left of the commits that the head does not
// know, unless their writer may still be at it. Whatever comes of it, the
// attempt begins again.
func (u *update) finish(ctx context.Context, st *state, alone bool) error {
	settle := u.h.s.opt.Settle.Unfinished
	ours := u.own[st.tip.Transaction]
	if !alone && !ours {
		return errAgain // with the lock, if there is one, its writer is not at it
	}
	young := u.h.s.opt.fresh(st.tip.put, settle) && u.waited[st.tip.Number] < settle
	if young && !ours {
		return errAgain
	}
	if err := u.h.finishNow(ctx, st, !ours); err != nil {
		return err
	}
	return errAgain
}

func (h *History) finishNow(ctx context.Context, st *state, others bool) error {
	c := h.finishing(st)
	if err := c.files(ctx); err != nil {
		return err
	}
	if err := c.putHead(ctx); err != nil {
		return err
	}
	if others {
		done := st.tip.commit()
		h.notice(ctx, Notice{Kind: Finished, Number: done.Number, Names: c.changed(), Author: done.Author, Message: done.Message})
	}
	return nil
}

// carryOut writes what was drawn up, in the order that makes every point a
// safe one to stop at.
func (u *update) carryOut(ctx context.Context, st *state, sv *survey, d *proposal, l *listing) (*Snapshot, error) {
	u.tell(ctx, sv, l)
	if !d.writes(sv) {
		return d.from, nil
	}
	if err := u.prepare(ctx, sv, d); err != nil {
		return nil, err
	}
	// If we stop here, nothing has changed but what was stale.
	tip := st.tip
	for _, r := range d.imports {
		if err := u.put(ctx, r); err != nil {
			return nil, err
		}
		tip = r
		u.h.notice(ctx, Notice{Kind: Imported, Number: r.Number, Names: r.commit().names(), Author: "foreign", Message: r.commit().Message})
	}
	sv.noteImported()
	c := &checkout{h: u.h, head: st.head, headAt: st.headAt, tip: tip, versions: sv.versions}
	if d.mine == nil {
		return u.h.snapshot(tip, true), c.putHead(ctx)
	}
	standing, ours, err := u.h.append(ctx, d.mine)
	if err != nil {
		return nil, err
	}
	if !ours {
		u.met(ctx, standing)
		return nil, errAgain
	}
	// If we stop here, the commit stands, and whoever comes next finishes it.
	committed := u.h.s.opt.Now()
	u.own[u.transaction] = true
	u.stageAgain(ctx, d.objects)
	c.tip, c.window, c.first = standing, []*record{standing}, d.conditions(standing, sv, l)
	u.checkOut(ctx, c, committed)
	return d.committed(standing), nil
}

// met says who was first; the change is made again on top of it.
func (u *update) met(ctx context.Context, standing *record) {
	who := standing.commit()
	u.h.notice(ctx, Notice{Kind: Rebased, Number: who.Number, Names: who.names(), Author: who.Author, Message: who.Message})
}

// put commits an import. Whoever was first with another commit matters only to
// a person who adopts: other imports are made beside what was asked.
func (u *update) put(ctx context.Context, r *record) error {
	u.own[r.Transaction] = true
	standing, ours, err := u.h.append(ctx, r)
	if err == nil && !ours {
		if u.adopt != nil {
			u.met(ctx, standing)
		}
		return errAgain
	}
	return err
}

// checkOut is steps 5 and 6. What fails here is said and left to the next
// client: the commit stands.
func (u *update) checkOut(ctx context.Context, c *checkout, committed time.Time) {
	own := c.tip
	err := c.files(ctx)
	if err == nil {
		err = inParallel(ctx, c.putHead, func(ctx context.Context) error { return u.goOn(ctx, c.tip.Number+1, committed) })
	}
	if err != nil && !errors.Is(err, errAgain) { // errAgain: somebody else finishes
		u.h.notice(ctx, Notice{Kind: Unfinished, Number: own.Number, Names: c.changed(), Author: own.commit().Author, Message: err.Error()})
		u.h.s.opt.Log.WarnContext(ctx, "checkout left unfinished", slog.String("cluster", u.h.name), slog.Int("commit", own.Number), slog.Any("err", err))
	}
}

// goOn looks at the number behind ours: somebody may have committed there
// while ours was unfinished, and stopped. Another client would see to it in
// time; we are here already. What was put within the time that it is left to
// its writer is none of our business, so a quick checkout need not look.
func (u *update) goOn(ctx context.Context, n int, committed time.Time) error {
	if u.h.s.opt.fresh(committed, u.h.s.opt.Settle.Unfinished) {
		return nil
	}
	r, err := u.h.maybe(ctx, n)
	if err != nil || r == nil {
		return nil
	}
	if u.h.s.opt.fresh(r.put, u.h.s.opt.Settle.Unfinished) {
		return nil
	}
	st, err := u.h.look(ctx, nil)
	if err != nil || st.broken != nil || len(st.window) == 0 {
		return nil
	}
	return u.h.finishNow(ctx, st, true)
}

// prepare does what must be there before the commit, and puts right what is
// stale.
func (u *update) prepare(ctx context.Context, sv *survey, d *proposal) error {
	if err := u.h.s.begin(ctx); err != nil {
		return err
	}
	return inParallel(ctx,
		u.digests.put,
		func(ctx context.Context) error { return u.stage(ctx, d.objects) },
		func(ctx context.Context) error { return u.putRight(ctx, sv, d) })
}

// putRight writes over our own late writes.
func (u *update) putRight(ctx context.Context, sv *survey, d *proposal) error {
	if len(sv.stale) == 0 {
		return nil
	}
	if next, err := u.h.maybe(ctx, d.tip.Number+1); err != nil || next != nil {
		return errors.Join(err, errAgain) // it may be that one's work
	}
	versions, done := make([]vfs.Version, len(sv.stale)), make([]bool, len(sv.stale))
	err := forEach(ctx, len(sv.stale), func(ctx context.Context, i int) error {
		s := sv.stale[i]
		want, err := u.h.bytesOf(ctx, d.tip.Files, s.name)
		if err != nil {
			return err
		}
		versions[i], err = u.h.write(ctx, s.name, want, s.cond(), d.tip.tag(d.tip.Files[s.name].Record))
		done[i] = !notDone(err) // a conflict may be the echo of it
		if errors.Is(err, vfs.ErrConflict) {
			return errAgain
		}
		return err
	})
	var righted []string
	for i, s := range sv.stale {
		if done[i] {
			righted = append(righted, s.name)
		}
	}
	u.h.noticeRighted(ctx, d.tip.Number, righted)
	if err != nil {
		return err
	}
	for i, s := range sv.stale {
		if versions[i] != "" {
			sv.versions[s.name] = versions[i]
		}
		delete(sv.seen, s.name)
	}
	return nil
}
