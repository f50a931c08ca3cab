package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stateroom/stateroom/vfs"
)

// checkout makes the plain files those of a record, and then the head: for
// one's own commit, or for that of a client that stopped half-way.
type checkout struct {
	h        *History
	head     *head // as it was seen; nil: none
	headAt   vfs.Version
	tip      *record
	window   []*record              // the records whose files may not be written yet; tip is the last
	versions map[string]vfs.Version // of plain files known to be right
	first    map[string]vfs.Cond    // our own commit: what the files must still be
	kept     []string               // names of foreign bytes kept by conflicts
}

// finishing returns the checkout of what the head does not know yet.
func (h *History) finishing(st *state) *checkout {
	c := &checkout{h: h, head: st.head, headAt: st.headAt, tip: st.tip, window: st.window, versions: map[string]vfs.Version{}}
	if st.head == nil {
		return c
	}
	for name, v := range st.head.Versions {
		if f, ok := st.tip.Files[name]; ok && f.Digest == st.head.Files[name].Digest {
			c.versions[name] = v
		}
	}
	return c
}

// files writes every file that the window changed. Foreign bytes that stand in
// the way are kept in a conflict record first. It returns errAgain if somebody
// else has gone on.
func (c *checkout) files(ctx context.Context) error {
	for round := 1; ; round++ {
		foreign, err := c.writeAll(ctx)
		if err != nil || len(foreign) == 0 {
			return err
		}
		if round == conflictTries {
			return fmt.Errorf("%s: another tool keeps writing %s: %w", c.h.name, foreign[0].name, ErrConflict)
		}
		if err := c.keep(ctx, foreign); err != nil {
			return err
		}
		c.first = nil
	}
}

// changed returns the names with a plain file that the window changed.
func (c *checkout) changed() []string {
	names := map[string]bool{}
	for _, r := range c.window {
		for name := range r.Was {
			names[name] = onDisk(name)
		}
	}
	maps.DeleteFunc(names, func(_ string, plain bool) bool { return !plain })
	return slices.Sorted(maps.Keys(names))
}

// writeAll writes the changed files, all at once, and returns the foreign
// files in the way. Where a folder becomes a file or a file a folder, what is
// deleted goes first.
func (c *checkout) writeAll(ctx context.Context) (foreign []*sight, err error) {
	names := c.changed()
	rounds := [][]string{names}
	if folder, _ := folderOfAnother(names); folder != "" {
		gone := func(name string) bool { _, ok := c.tip.Files[name]; return !ok }
		there := func(name string) bool { return !gone(name) }
		rounds = [][]string{slices.DeleteFunc(slices.Clone(names), there), slices.DeleteFunc(names, gone)}
	}
	for _, names := range rounds {
		versions, found := make([]vfs.Version, len(names)), make([]*sight, len(names))
		err := forEach(ctx, len(names), func(ctx context.Context, i int) (err error) {
			versions[i], found[i], err = c.settle(ctx, names[i])
			return err
		})
		if err != nil {
			return nil, err
		}
		for i, name := range names {
			if delete(c.versions, name); versions[i] != "" {
				c.versions[name] = versions[i]
			}
			if found[i] != nil {
				foreign = append(foreign, found[i])
			}
		}
	}
	return foreign, nil
}

const (
	errorTries    = 4
	conflictTries = 100
)

// settle makes one plain file what the tip says. It returns its version ("":
// not known, somebody else is at it), or the foreign file in the way.
func (c *checkout) settle(ctx context.Context, name string) (vfs.Version, *sight, error) {
	want, err := c.h.bytesOf(ctx, c.tip.Files, name)
	if err != nil {
		return "", nil, err
	}
	one := &settling{c: c, name: name, want: want, tag: c.tip.tag(c.tip.Files[name].Record), known: c.versions[name] != ""}
	if cond, ok := c.first[name]; ok {
		v, err := one.write(ctx, cond)
		if err == nil {
			return v, nil, nil
		}
		if final(err) {
			return "", nil, err
		}
	}
	var p pause
	for errs, conflicts := 0, 0; ; {
		v, foreign, err := one.once(ctx)
		switch {
		case err == nil || errors.Is(err, errAgain) || final(err):
			return v, foreign, err
		case errors.Is(err, vfs.ErrConflict):
			conflicts++
		default:
			errs++
		}
		if errs == errorTries || conflicts == conflictTries {
			return "", nil, err
		}
		if _, stop := p.wait(ctx); stop != nil {
			return "", nil, err
		}
	}
}

// settling is one plain file on its way to what the tip says.
type settling struct {
	c     *checkout
	name  string
	want  content
	tag   string
	known bool // it was there before, or may have been: a write had no clear reply
	told  bool
}

func (one *settling) write(ctx context.Context, cond vfs.Cond) (vfs.Version, error) {
	v, err := one.c.h.write(ctx, one.name, one.want, cond, one.tag)
	one.known = one.known || one.want.exists && !notDone(err)
	return v, err
}

// once looks at the file first: only what is known to be ours, or is what the
// record says it replaces, is written over, and only as it was seen.
func (one *settling) once(ctx context.Context) (vfs.Version, *sight, error) {
	c := one.c
	s, err := c.h.see(ctx, one.name)
	if err != nil {
		return "", nil, err
	}
	v, err := c.h.judge(ctx, s, c.tip, c.window)
	if err != nil {
		return "", nil, err
	}
	switch {
	case v == right:
		return s.entry.Version, nil, nil
	case v == newer:
		return "", nil, nil
	case (v == foreignEdit || v == foreignDelete) && one.name == releaseFile:
		// Nobody else may write a release; but a newer one must not go.
		if next, err := c.h.maybe(ctx, c.tip.Number+1); err != nil || next != nil {
			return "", nil, errors.Join(err, errAgain)
		}
	case c.imported(one.name):
		return "", nil, nil // it was foreign already: the next import takes it in
	case v == foreignEdit || v == foreignDelete:
		return "", s, nil
	}
	again := one.known && !s.exists && one.want.exists
	version, err := one.write(ctx, s.cond())
	if (again || v == stale) && !notDone(err) {
		one.tell(ctx, v)
	}
	return version, nil, err
}

// tell reports, once, a write that may undo what another tool did. It need not
// have been this one that did it: earlier ones may still be on their way, and a
// conflict may be the echo of this one.
func (one *settling) tell(ctx context.Context, v verdict) {
	switch h, n := one.c.h, one.c.tip.Number; {
	case one.told:
	case v == stale:
		h.noticeRighted(ctx, n, []string{one.name})
	default:
		h.noticeAgain(ctx, n, one.name)
	}
	one.told = true
}

// imported reports whether the last record to change a file found it so.
func (c *checkout) imported(name string) bool {
	for _, r := range slices.Backward(c.window) {
		if _, ok := r.Was[name]; ok {
			return r.Kind == Import
		}
	}
	return false
}

// keep commits a conflict record: the foreign bytes first, then ours again.
func (c *checkout) keep(ctx context.Context, foreign []*sight) error {
	hd, _, err := c.h.head(ctx)
	if err != nil {
		return err
	}
	if hd != nil && hd.Number >= c.tip.Number {
		return errAgain // somebody else finished: what stands there now came after
	}
	r, err := c.conflict(ctx, foreign)
	if err != nil {
		return err
	}
	standing, ours, err := c.h.append(ctx, r)
	if err != nil {
		return err
	}
	if !ours {
		return errAgain
	}
	c.tip, c.window = standing, append(slices.Clone(c.window), standing)
	names := slices.Sorted(maps.Keys(standing.Was))
	c.kept = append(c.kept, names...)
	c.h.notice(ctx, Notice{Kind: Kept, Number: standing.Number, Names: names, Author: "foreign", Message: strings.TrimSpace(r.Parts[1].Message)})
	return nil
}

func (c *checkout) conflict(ctx context.Context, foreign []*sight) (*record, error) {
	name, mail := cleanAuthor(c.tip.commit().Author)
	now := max(c.h.s.opt.Now().Unix(), c.tip.seconds(), 0)
	r := c.tip.next(Conflict, newTransaction(c.h.s.opt.Now()))
	theirs := part{Name: "foreign", Seconds: now, Message: cleanMessage(fmt.Sprintf("conflict: keep what another tool wrote while commit %d was made", c.tip.Number))}
	ours := part{Name: name, Mail: mail, Seconds: now, Message: cleanMessage(fmt.Sprintf("conflict: commit %d stands", c.tip.Number))}
	d := &digester{h: c.h}
	for _, s := range foreign {
		was := absent
		if theirs.add(s.name, s.content); s.exists {
			var err error
			if was, err = d.digest(ctx, c.tip.Files, s.name, s.bytes); err != nil {
				return nil, err
			}
		}
		want, err := c.h.bytesOf(ctx, c.tip.Files, s.name)
		if err != nil {
			return nil, err
		}
		r.Was[s.name] = was
		if ours.add(s.name, want); want.exists {
			f := r.Files[s.name]
			f.Record = r.Number
			r.Files[s.name] = f
		}
	}
	r.Parts = []part{theirs, ours}
	return r, d.put(ctx)
}

// next returns a record to come after r, with the same files.
func (r *record) next(kind Kind, transaction string) *record {
	return &record{
		ClusterID: r.ClusterID, Cluster: r.Cluster, Number: r.Number + 1, Parent: r.Digest,
		Transaction: transaction, Kind: kind, Was: map[string]Digest{}, Files: maps.Clone(r.Files),
	}
}

// add lets p write or delete a file.
func (p *part) add(name string, c content) {
	if c.exists {
		p.Writes = append(p.Writes, write{name, c.bytes})
	} else {
		p.Deletes = append(p.Deletes, name)
	}
}

// putHead moves the head up to the tip: never down, whoever else writes it.
func (c *checkout) putHead(ctx context.Context) error {
	next := &head{
		ClusterID: c.tip.ClusterID, Cluster: c.tip.Cluster, Number: c.tip.Number, Digest: c.tip.Digest,
		Kind: c.tip.Kind, Seconds: c.tip.seconds(), Files: c.tip.Files, Versions: map[string]vfs.Version{},
	}
	for name, v := range c.versions {
		if _, ok := c.tip.Files[name]; ok {
			next.Versions[name] = v
		}
	}
	var p pause
	for errs, conflicts := 0, 0; ; {
		if c.head != nil && c.head.Number >= c.tip.Number {
			return nil
		}
		cond := vfs.IfAbsent()
		if c.headAt != "" { // readable or not
			cond = vfs.IfVersion(c.headAt)
		}
		if next.Kind != Deleted {
			next.Lease = c.h.lease(c.head)
		}
		_, err := c.h.own.Put(ctx, headName, next.encode(), cond, "")
		switch {
		case err == nil || final(err):
			return err
		case errors.Is(err, vfs.ErrConflict):
			conflicts++
		default:
			errs++
		}
		if errs == errorTries || conflicts == conflictTries {
			return err
		}
		if errs > 0 {
			if _, stop := p.wait(ctx); stop != nil {
				return err
			}
		}
		if c.head, c.headAt, err = c.h.head(ctx); err != nil {
			return err
		}
	}
}
