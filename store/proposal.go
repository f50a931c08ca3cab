package store

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"slices"
	"time"

	"github.com/stateroom/stateroom/vfs"
)

// proposal is what an attempt is going to write. Nothing of it is sent yet.
type proposal struct {
	tip     *record // the newest record that stands; nil: none
	imports []*record
	from    *Snapshot // what fn was given: the tip with the imports
	mine    *record   // nil: fn changed nothing
	objects map[string][]byte
}

// writes reports whether there is anything to write.
func (d *proposal) writes(sv *survey) bool {
	return d.mine != nil || len(d.imports) > 0 || len(sv.stale) > 0
}

// draw runs fn on the newest state, foreign edits included, and draws up the
// records. If fn changes a file that another tool wrote a moment ago, that is
// taken in as well, and fn runs again on it.
func (u *update) draw(ctx context.Context, st *state, sv *survey) (*proposal, error) {
	for {
		imports, err := u.imports(ctx, st, sv)
		if err != nil {
			return nil, err
		}
		d := &proposal{tip: st.tip, imports: imports}
		if d.from, err = u.snapshotFor(ctx, st, d, sv); err != nil {
			return nil, err
		}
		tx := u.begin(d)
		u.fnErr = u.fn(tx)
		if err := u.refuse(st, sv, tx); err != nil {
			return nil, err
		}
		changes, err := tx.changes(ctx)
		if err != nil {
			return nil, err
		}
		if sv.take(changes) {
			continue
		}
		d.objects = tx.objects
		if len(changes.Deletes)+len(changes.Writes) == 0 {
			return d, nil
		}
		d.mine, err = u.change(ctx, d, tx, changes)
		return d, err
	}
}

// newest returns the record that the change comes after; nil: it is the first.
func (d *proposal) newest() *record {
	if len(d.imports) > 0 {
		return d.imports[len(d.imports)-1]
	}
	return d.tip
}

// snapshotFor returns the snapshot that fn is to change.
func (u *update) snapshotFor(ctx context.Context, st *state, d *proposal, sv *survey) (*Snapshot, error) {
	after := d.newest()
	if after == nil || after.Kind == Deleted {
		return u.h.emptySnapshot(), nil
	}
	sn := u.h.snapshot(after, true)
	if err := sn.holdKnown(ctx, st); err != nil {
		return nil, err
	}
	for name, s := range sv.seen { // what was read already, and what no record in the store holds yet
		imported := len(d.imports) > 0 && sn.c.Files[name].Record >= d.imports[0].Number
		if imported || sv.versions[name] != "" {
			sn.held[name] = s.bytes
		}
	}
	return sn, nil
}

func (u *update) begin(d *proposal) *Tx {
	number := 1
	lineage := u.lineage
	if after := d.newest(); after != nil {
		number = after.Number + 1
		if after.Kind != Deleted {
			lineage = after.ClusterID
		}
	}
	return &Tx{
		Snapshot: d.from, number: number, lineage: lineage, ended: len(d.imports) > 0 && d.newest().Kind == Deleted,
		writes: map[string]content{}, objects: map[string][]byte{},
	}
}

// refuse says why nothing may come of what fn did.
func (u *update) refuse(st *state, sv *survey, tx *Tx) error {
	_, had := st.files()[configFile]
	_, has := tx.c.Files[configFile]
	lost := had && !has && !sv.gone && !tx.writes[configFile].exists && !tx.emptied()
	switch {
	case lost:
		return &MissingError{u.h.name, u.fnErr}
	case u.fnErr != nil:
		return u.fnErr
	}
	return tx.err
}

// emptied reports whether the change leaves no file.
func (tx *Tx) emptied() bool {
	return len(tx.c.Files) > 0 && len(tx.Names()) == 0
}

// change returns the record of the change, not yet put.
func (u *update) change(ctx context.Context, d *proposal, tx *Tx, p part) (*record, error) {
	after := d.newest()
	r := u.following(after)
	r.Kind, r.Transaction = Change, u.transaction
	if _, ok := p.wrote(releaseFile); ok && tx.released {
		r.Kind = Released
	}
	if tx.emptied() {
		r.Kind = Deleted
		p.Deletes = p.Deletes[:0]
		for name := range tx.c.Files { // those without a plain file go, too
			p.Deletes = append(p.Deletes, name)
		}
		p.Writes = nil
	}
	for _, name := range p.Deletes {
		r.Was[name] = r.Files[name].Digest
		delete(r.Files, name)
	}
	for _, w := range p.Writes {
		r.Was[w.Name] = r.Files[w.Name].Digest
		digest, err := u.digests.digest(ctx, r.Files, w.Name, w.Bytes)
		if err != nil {
			return nil, err
		}
		r.Files[w.Name] = File{digest, int64(len(w.Bytes)), r.Number}
	}
	p.Name, p.Mail = cleanAuthor(u.h.s.opt.Author)
	p.Message = cleanMessage(u.message)
	p.Seconds = max(u.h.s.opt.Now().Unix(), after.lastSeconds(), 0)
	r.Parts = []part{p}
	if _, err := r.encode(nil); err != nil {
		return nil, err
	}
	return r, r.check()
}

// conditions are what the plain files must still be when a commit of ours is
// checked out: as they were seen when it was made.
func (d *proposal) conditions(standing *record, sv *survey, l *listing) map[string]vfs.Cond {
	conds := map[string]vfs.Cond{}
	for name := range standing.Was {
		if v, ok := sv.versions[name]; ok && onDisk(name) {
			conds[name] = vfs.IfVersion(v)
		} else if s, ok := sv.seen[name]; ok {
			conds[name] = s.cond()
		} else if _, listed := l.files[name]; !listed && onDisk(name) && (name != releaseFile || standing.Was[name] == absent) {
			conds[name] = vfs.IfAbsent()
		}
	}
	return conds
}

// committed returns the snapshot of the commit that stands.
func (d *proposal) committed(standing *record) *Snapshot {
	sn := d.from.h.snapshot(standing, true)
	if len(standing.Parts) > 0 {
		for _, w := range standing.Parts[len(standing.Parts)-1].Writes {
			sn.held[w.Name] = w.Bytes
			sn.h.keepFile(w.Name, sn.c.Files[w.Name], w.Bytes)
		}
	}
	return sn
}

// StagedFor is how long a staged object that no commit names is left alone: the
// commit that names it may be about to be made.
const StagedFor = time.Hour

// stage puts immutable objects. One that is there already must be the same, and
// is written once more if it has been there for long.
func (u *update) stage(ctx context.Context, objects map[string][]byte) error {
	var names []string
	for name := range objects {
		if !u.staged[name+"\x00"+string(digestOf(objects[name]))] {
			names = append(names, name)
		}
	}
	old := make([]bool, len(names))
	err := forEach(ctx, len(names), func(ctx context.Context, i int) (err error) {
		old[i], err = u.h.stageOne(ctx, names[i], objects[names[i]])
		return err
	})
	if err != nil {
		return err
	}
	for i, name := range names {
		u.staged[name+"\x00"+string(digestOf(objects[name]))] = true
		if old[i] {
			u.renewed = append(u.renewed, name)
		}
	}
	return nil
}

// stageOne puts one object, and reports whether it had been there for long.
func (h *History) stageOne(ctx context.Context, name string, b []byte) (old bool, err error) {
	var p pause
	for try := 1; ; try++ {
		_, err := h.own.Put(ctx, name, b, vfs.IfAbsent(), "")
		if err == nil || final(err) {
			return false, err
		}
		there, e, err2 := h.own.Get(ctx, name)
		switch {
		case err2 == nil && !bytes.Equal(there, b):
			return false, &NotSameError{h.name, name}
		case err2 == nil && h.s.opt.fresh(e.Time, StagedFor/2):
			return false, nil
		case err2 == nil: // it is old enough to be removed as what nothing names
			_, err = h.own.Put(ctx, name, b, vfs.IfVersion(e.Version), "")
			if err == nil || notDone(err) { // it is there all the same
				return true, nil
			}
			if final(err) {
				return false, err
			}
		}
		if try == errorTries {
			return false, err
		}
		if _, stop := p.wait(ctx); stop != nil {
			return false, err
		}
	}
}

// stageAgain puts the objects once more that had been there for long, now that a
// commit names them. Where versions are hashes, what removes objects that
// nothing names cannot see that one was written anew just then.
func (u *update) stageAgain(ctx context.Context, objects map[string][]byte) {
	err := forEach(ctx, len(u.renewed), func(ctx context.Context, i int) error {
		b, ok := objects[u.renewed[i]]
		if !ok {
			return nil
		}
		_, err := u.h.own.Put(ctx, u.renewed[i], b, vfs.IfAbsent(), "")
		if errors.Is(err, vfs.ErrConflict) {
			return nil // as it should be
		}
		return err
	})
	if err != nil {
		u.h.s.opt.Log.WarnContext(ctx, "objects of the commit could not be seen to", slog.String("cluster", u.h.name), slog.Any("err", err))
	}
}

// NotSameError says that an immutable object is there with other bytes.
type NotSameError struct{ Cluster, Name string }

func (e *NotSameError) Error() string {
	return e.Cluster + ": " + e.Name + " is there already, with other bytes"
}

// Unwrap returns fs.ErrExist.
func (e *NotSameError) Unwrap() error { return fs.ErrExist }

// tell says what was left as it is.
func (u *update) tell(ctx context.Context, sv *survey, l *listing) {
	if len(sv.young) > 0 {
		u.h.notice(ctx, Notice{Kind: Young, Names: namesOf(sv.young), Message: "written a moment ago by another tool; left alone for now"})
	}
	if len(l.refused) > 0 {
		names := make([]string, 0, len(l.refused))
		for name := range l.refused {
			names = append(names, name)
		}
		slices.Sort(names)
		u.h.notice(ctx, Notice{Kind: Refused, Names: names, Message: "not tracked: " + names[0] + " " + l.refused[names[0]]})
	}
}

func (c *Commit) names() []string {
	names := make([]string, len(c.Changed))
	for i, ch := range c.Changed {
		names[i] = ch.Name
	}
	return names
}
