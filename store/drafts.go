package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A Draft is a named line of commits off a commit of a cluster. It has no plain
// files and nothing follows it: what it holds is seen only by who asks for it,
// until somebody publishes it, which is a commit of the cluster like any other.
// Its commits are numbered d1, d2, ...: here -1, -2, ... The format is
// docs/formats/draft.md.
//
// A Draft is safe for concurrent use.
type Draft struct {
	h    *History // of the cluster; it reads the records of the draft, too
	name string
}

// DraftState is where a draft stands.
type DraftState struct {
	Name   string
	Base   int       // the commit of the cluster that it goes off
	Commit *Commit   // its newest
	Began  time.Time // of its first commit
	Count  int       // of its commits, the one that ended it not counted
}

// Ended reports whether the draft was published or dropped.
func (d *DraftState) Ended() bool { return d.Commit.Kind == Published || d.Commit.Kind == Dropped }

var draftName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// CheckDraft says why a draft cannot have this name, or nil.
func CheckDraft(name string) error {
	if draftName.MatchString(name) {
		return nil
	}
	return &DraftNameError{name}
}

// DraftNameError says that no draft can have a name.
type DraftNameError struct{ Name string }

func (e *DraftNameError) Error() string { return "draft " + quote(e.Name) + ": not a name for a draft" }

// Unwrap returns fs.ErrInvalid.
func (e *DraftNameError) Unwrap() error { return fs.ErrInvalid }

// Hint says what a name is.
func (e *DraftNameError) Hint() string {
	return "a draft's name has lower-case letters, digits, - and _, at most 63, and begins with a letter or a digit"
}

// NoDraftError says that there is no draft of a name, or no longer.
type NoDraftError struct {
	Cluster, Name string
	Last          *Commit // that ended the last one of this name; nil: there was none
}

func (e *NoDraftError) Error() string {
	text := fmt.Sprintf("%s has no draft %s", e.Cluster, quote(e.Name))
	if e.Last != nil {
		text += fmt.Sprintf(" (%s %s by %s)", e.Last.Kind, e.Last.Time.Format(time.DateTime), e.Last.Author)
	}
	return text
}

// Unwrap returns fs.ErrNotExist.
func (e *NoDraftError) Unwrap() error { return fs.ErrNotExist }

// Hint says where to look.
func (e *NoDraftError) Hint() string {
	return "stateroom draft list shows the drafts; a change with --draft NAME begins one"
}

// DraftMovedError says that a draft has a newer commit than the caller knows of.
type DraftMovedError struct {
	Cluster, Name string
	Newest        *Commit
}

func (e *DraftMovedError) Error() string {
	return fmt.Sprintf("draft %s of %s has got another commit meanwhile: %s by %s", e.Name, e.Cluster, NumberText(e.Newest.Number), e.Newest.Author)
}

// Unwrap returns ErrConflict.
func (e *DraftMovedError) Unwrap() error { return ErrConflict }

// Hint says what to do.
func (e *DraftMovedError) Hint() string {
	return "look at it, and do it again: stateroom draft show " + e.Name
}

// Draft returns the draft of that name, which need not exist yet.
func (h *History) Draft(name string) (*Draft, error) {
	if err := CheckDraft(name); err != nil {
		return nil, err
	}
	line := *h
	line.known, line.draft = newMemory(), name
	return &Draft{&line, name}, nil
}

// Drafts yields the newest state of every draft that there is or was, by name.
func (h *History) Drafts(ctx context.Context) iter.Seq2[*DraftState, error] {
	return func(yield func(*DraftState, error) bool) {
		names, err := h.draftNames(ctx)
		if err != nil {
			yield(nil, fmt.Errorf("list the drafts of %s: %w", h.name, err))
			return
		}
		states := make([]*DraftState, len(names))
		errs := make([]error, len(names))
		_ = forEach(ctx, len(names), func(ctx context.Context, i int) error {
			states[i], errs[i] = h.draftState(ctx, names[i])
			return nil
		})
		for i := range names {
			if !yield(states[i], errs[i]) {
				return
			}
		}
	}
}

func (h *History) draftNames(ctx context.Context) ([]string, error) {
	if h.bad != nil {
		return nil, h.bad
	}
	var names []string
	for e, err := range h.own.ListDir(ctx, "drafts") {
		if err != nil {
			return nil, err
		}
		name, folder := strings.CutSuffix(strings.TrimPrefix(e.Key, "drafts/"), "/")
		if folder && CheckDraft(name) == nil {
			names = append(names, name)
		}
	}
	return names, nil
}

func (h *History) draftState(ctx context.Context, name string) (*DraftState, error) {
	d, err := h.Draft(name)
	if err != nil {
		return nil, err
	}
	return d.State(ctx)
}

// State returns where the draft stands, or stood when it ended; a
// [*NoDraftError] if there never was one.
func (d *Draft) State(ctx context.Context) (*DraftState, error) {
	tip, err := d.tip(ctx)
	if err != nil {
		return nil, fmt.Errorf("draft %s of %s: %w", d.name, d.h.name, err)
	}
	if tip == nil {
		return nil, &NoDraftError{Cluster: d.h.name, Name: d.name}
	}
	s := &DraftState{Name: d.name, Base: tip.Base, Commit: tip.commit()}
	for r, err := range d.records(ctx, tip) {
		if err != nil {
			return nil, fmt.Errorf("draft %s of %s: %w", d.name, d.h.name, err)
		}
		s.Began = r.commit().Time
		if !r.ended() {
			s.Count++
		}
	}
	return s, nil
}

// records yields a record and those of the same draft before it, the newest
// first.
func (d *Draft) records(ctx context.Context, tip *record) iter.Seq2[*record, error] {
	return func(yield func(*record, error) bool) {
		next := tip
		for n := tip.Number; n < 0; n += ahead {
			batch := make([]*record, min(ahead, -n)) // numbers n, n+1, ... -1
			err := forEach(ctx, len(batch), func(ctx context.Context, i int) (err error) {
				batch[i], err = d.h.record(ctx, n+i)
				return err
			})
			if err != nil {
				yield(nil, err)
				return
			}
			for _, r := range batch {
				if r.Number != tip.Number && r.ended() {
					return // another draft of this name
				}
				if r.Number != tip.Number {
					if err := d.h.follows(r, next); err != nil {
						yield(nil, err)
						return
					}
				}
				if !yield(r, nil) {
					return
				}
				next = r
			}
		}
	}
}

// tip returns the newest record; nil: there is none.
func (d *Draft) tip(ctx context.Context) (*record, error) {
	if d.h.bad != nil {
		return nil, d.h.bad
	}
	newest, err := d.newest(ctx)
	if err != nil || newest == 0 {
		return nil, err
	}
	return d.h.record(ctx, newest)
}

// newest returns the number of the newest record; 0: there is none.
func (d *Draft) newest(ctx context.Context) (int, error) {
	newest, dir := 0, "drafts/"+d.name+"/log/"
	for e, err := range d.h.own.List(ctx, dir, "") {
		if err != nil {
			return 0, err
		}
		if n, err := strconv.Atoi(e.Key[len(dir):]); err == nil && n > 0 && d.h.recordName(-n) == e.Key {
			newest = min(newest, -n)
		}
	}
	return newest, nil
}

// open returns the newest record of a draft that has not ended.
func (d *Draft) open(ctx context.Context) (*record, error) {
	tip, err := d.tip(ctx)
	if err != nil {
		return nil, fmt.Errorf("draft %s of %s: %w", d.name, d.h.name, err)
	}
	if tip.ended() {
		missing := &NoDraftError{Cluster: d.h.name, Name: d.name}
		if tip != nil {
			missing.Last = tip.commit()
		}
		return nil, missing
	}
	return tip, nil
}

func (r *record) ended() bool { return r == nil || r.Kind == Published || r.Kind == Dropped }

// Head returns the newest snapshot of the draft. A draft that is not there is a
// [*NoDraftError].
func (d *Draft) Head(ctx context.Context) (*Snapshot, error) {
	tip, err := d.open(ctx)
	if err != nil {
		return nil, err
	}
	return d.h.snapshot(tip, false), nil
}

// Ends returns the snapshot of the cluster that the draft goes off, and its
// newest, both of one moment.
func (d *Draft) Ends(ctx context.Context) (base, newest *Snapshot, err error) {
	tip, err := d.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	r, err := d.h.record(ctx, tip.Base)
	if err != nil {
		return nil, nil, fmt.Errorf("draft %s of %s: %w", d.name, d.h.name, err)
	}
	return d.h.snapshot(r, false), d.h.snapshot(tip, false), nil
}

// Log yields the commits of the draft, the newest first, down to its base,
// which is not one of them.
func (d *Draft) Log(ctx context.Context) iter.Seq2[*Commit, error] {
	return func(yield func(*Commit, error) bool) {
		tip, err := d.open(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		commits(d.records(ctx, tip))(yield)
	}
}

// Update commits what fn writes to its Tx to the draft, as [History.Update]
// does to the cluster. A draft that is not there begins at the newest commit of
// the cluster. fn must neither stage nor release anything.
func (d *Draft) Update(ctx context.Context, message string, fn func(*Tx) error) (*Snapshot, error) {
	u := &draftUpdate{d: d, kind: Change, message: message, fn: fn, transaction: newTransaction(d.h.s.opt.Now())}
	return u.run(ctx)
}

// Drop ends the draft: nobody can commit to it any more. Its commits stay. at is
// the number of the newest that the caller knows of: if there is a newer one by
// now, it is an [ErrConflict].
func (d *Draft) Drop(ctx context.Context, message string, at int) error {
	return d.end(ctx, Dropped, message, at)
}

// Publish ends the draft after what it holds was committed to the cluster. at
// is the number of its newest commit that was: if there is a newer one by now,
// it is an [ErrConflict].
func (d *Draft) Publish(ctx context.Context, message string, at int) error {
	return d.end(ctx, Published, message, at)
}

func (d *Draft) end(ctx context.Context, kind Kind, message string, at int) error {
	u := &draftUpdate{d: d, kind: kind, message: message, at: at, transaction: newTransaction(d.h.s.opt.Now())}
	_, err := u.run(ctx)
	return err
}

// draftUpdate is one transaction of a draft.
type draftUpdate struct {
	d           *Draft
	kind        Kind
	message     string
	at          int             // where the draft ends: the newest commit must be this
	fn          func(*Tx) error // nil: the draft ends
	transaction string
}

func (u *draftUpdate) run(ctx context.Context) (*Snapshot, error) {
	var p pause
	for {
		sn, err := u.attempt(ctx)
		if !errors.Is(err, errAgain) {
			return sn, err
		}
		if _, stop := p.wait(ctx); stop != nil {
			return nil, fmt.Errorf("draft %s of %s: %w: %w", u.d.name, u.d.h.name, ErrConflict, stop)
		}
	}
}

func (u *draftUpdate) attempt(ctx context.Context) (*Snapshot, error) {
	tip, base, err := u.begin(ctx)
	if err != nil {
		return nil, err
	}
	from := base
	if !tip.ended() {
		from = tip
	}
	r := from.next(u.kind, u.transaction)
	r.Draft, r.Base, r.Number, r.Parent = u.d.name, base.Number, -1, base.Digest
	if tip != nil {
		r.Number = tip.Number - 1
	}
	if !tip.ended() {
		r.Parent = tip.Digest
	}
	p := part{Message: cleanMessage(u.message), Seconds: max(u.d.h.s.opt.Now().Unix(), from.lastSeconds(), 0)}
	p.Name, p.Mail = cleanAuthor(u.d.h.s.opt.Author)
	digests := &digester{h: u.d.h}
	before := u.d.h.snapshot(from, false)
	if u.fn != nil {
		changed, err := u.fill(ctx, before, r, &p, digests)
		if err != nil || !changed {
			return before, err
		}
	}
	r.Parts = []part{p}
	if _, err := r.encode(nil); err != nil {
		return nil, err
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return u.put(ctx, r, digests)
}

// begin returns the newest record of the draft, which may have ended, and the
// one of the cluster that it goes off, or will.
func (u *draftUpdate) begin(ctx context.Context) (tip, base *record, err error) {
	d := u.d
	switch tip, err = d.tip(ctx); {
	case err != nil:
		return nil, nil, fmt.Errorf("draft %s of %s: %w", d.name, d.h.name, err)
	case u.fn == nil && tip.ended():
		_, err = d.open(ctx)
		return nil, nil, err
	case u.fn == nil && tip.Number != u.at:
		return nil, nil, &DraftMovedError{d.h.name, d.name, tip.commit()}
	case !tip.ended():
		base, err = d.h.record(ctx, tip.Base)
		return tip, base, err
	}
	head, err := d.h.Head(ctx)
	if err == nil && head.c.Number == 0 { // plain files of another tool: the first commit takes them in
		head, err = d.h.Adopt(ctx, "", nil)
	}
	if err != nil {
		return nil, nil, err
	}
	base, err = d.h.record(ctx, head.c.Number)
	return tip, base, err
}

// fill runs the change on the snapshot before and writes into the record what
// comes of it.
func (u *draftUpdate) fill(ctx context.Context, before *Snapshot, r *record, p *part, digests *digester) (changed bool, err error) {
	tx := &Tx{Snapshot: before, number: r.Number, lineage: r.ClusterID, writes: map[string]content{}, objects: map[string][]byte{}}
	if err := u.fn(tx); err != nil {
		return false, err
	}
	if tx.err != nil {
		return false, tx.err
	}
	if tx.released || len(tx.objects) > 0 {
		return false, fmt.Errorf("a draft releases nothing: %w", fs.ErrInvalid)
	}
	changes, err := tx.changes(ctx)
	if err != nil || len(changes.Deletes)+len(changes.Writes) == 0 {
		return false, err
	}
	for _, name := range changes.Deletes {
		r.Was[name] = r.Files[name].Digest
		delete(r.Files, name)
	}
	for _, w := range changes.Writes {
		r.Was[w.Name] = r.Files[w.Name].Digest
		digest, err := digests.digest(ctx, r.Files, w.Name, w.Bytes)
		if err != nil {
			return false, err
		}
		r.Files[w.Name] = File{digest, int64(len(w.Bytes)), r.Number}
	}
	p.Deletes, p.Writes = changes.Deletes, changes.Writes
	return true, nil
}

func (u *draftUpdate) put(ctx context.Context, r *record, digests *digester) (*Snapshot, error) {
	h := u.d.h
	if err := h.s.begin(ctx); err != nil {
		return nil, err
	}
	if err := digests.put(ctx); err != nil {
		return nil, err
	}
	standing, ours, err := h.append(ctx, r)
	if err != nil {
		return nil, err
	}
	if !ours {
		who := standing.commit()
		h.notice(ctx, Notice{Kind: Rebased, Number: who.Number, Names: who.names(), Author: who.Author, Message: who.Message})
		return nil, errAgain
	}
	return h.snapshot(standing, false), nil
}

// NumberText writes the number of a commit as people do: 42, or d2 for one of a
// draft.
func NumberText(n int) string {
	if n < 0 {
		return "d" + strconv.Itoa(-n)
	}
	return strconv.Itoa(n)
}

// draftBases returns the commits that open drafts go off: their bytes stay.
func (h *History) draftBases(ctx context.Context) ([]int, error) {
	names, err := h.draftNames(ctx)
	if err != nil {
		return nil, err
	}
	bases := make([]int, len(names))
	err = forEach(ctx, len(names), func(ctx context.Context, i int) error {
		d, err := h.Draft(names[i])
		if err != nil {
			return err
		}
		tip, err := d.tip(ctx)
		if err != nil {
			return fmt.Errorf("draft %s of %s: %w", names[i], h.name, err)
		}
		if !tip.ended() {
			bases[i] = tip.Base
		}
		return nil
	})
	return bases, err
}
