package stateroom

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/store"
)

// Adopt imports what other tools changed, now and however fresh it is: the
// files of these names or below these folders; none: all. Each becomes part of
// a commit by foreign, with the message given.
func (s *Store) Adopt(ctx context.Context, name cluster.Name, paths []string, w Write) (*Outcome, error) {
	h := s.store.Cluster(string(name))
	chosen := func(file string) bool {
		return len(paths) == 0 || slices.ContainsFunc(paths, func(p string) bool {
			p = strings.TrimSuffix(p, "/")
			return file == p || strings.HasPrefix(file, p+"/")
		})
	}
	all, err := s.DiffUncommitted(ctx, name)
	if err != nil {
		return nil, err
	}
	out := &Outcome{Cluster: name, DryRun: w.DryRun}
	for _, c := range all {
		if chosen(c.Name) && !hidden(c.Name) {
			out.Changes = append(out.Changes, c)
		}
	}
	for _, p := range paths {
		p = strings.TrimSuffix(p, "/")
		if !slices.ContainsFunc(out.Changes, func(c FileChange) bool { return c.Name == p || strings.HasPrefix(c.Name, p+"/") }) {
			return nil, &MissingError{What: "foreign edit of", Name: p, hint: fmt.Sprintf("stateroom status %s lists what is uncommitted; files are named as there", name)}
		}
	}
	if len(out.Changes) == 0 {
		return out, nil
	}
	if w.DryRun {
		err := h.RehearseAdopt(ctx, chosen, func(tx *store.Tx) error { out.Head = tx.Number() - 1; return errRehearsed })
		if !errors.Is(err, errRehearsed) {
			return nil, err
		}
		return out, nil
	}
	after, err := h.Adopt(ctx, w.Message, chosen)
	if err != nil {
		return nil, err
	}
	out.Commit, out.Head = after.Commit().Number, after.Commit().Number
	return out, nil
}

// Conflict is a file of which a commit keeps what another tool wrote at the
// same time, and that nobody has settled yet.
type Conflict struct {
	Commit  int // that keeps it
	Name    string
	Deleted bool // the other tool deleted the file
}

// Conflicts lists the conflicts of a cluster that are not settled, newest first.
func (s *Store) Conflicts(ctx context.Context, name cluster.Name) ([]Conflict, error) {
	all, _, err := s.conflicts(ctx, name, 0)
	return all, err
}

// RecentConflicts is Conflicts of the newest commits, [store.RecentConflicts] of
// them, and says whether there are older ones that were not looked at.
func (s *Store) RecentConflicts(ctx context.Context, name cluster.Name) (all []Conflict, more bool, err error) {
	return s.conflicts(ctx, name, store.RecentConflicts)
}

func (s *Store) conflicts(ctx context.Context, name cluster.Name, most int) (all []Conflict, more bool, err error) {
	commits, more, err := s.store.Cluster(string(name)).Conflicts(ctx, most)
	for _, c := range commits {
		for _, ch := range c.Foreign.Changed {
			all = append(all, Conflict{c.Number, ch.Name, ch.Action == store.Removed})
		}
	}
	return all, more, err
}

// Resolve says how conflicts of one file are settled.
type Resolve struct {
	File   string
	Theirs bool   // take what the other tool wrote last; else what stands now, or:
	Bytes  []byte // take this; nil: no
}

// Resolve settles the conflicts of a file with a commit that says so. A
// document that would become invalid is a *cluster.InvalidError.
func (s *Store) Resolve(ctx context.Context, name cluster.Name, rs Resolve, w Write) (*Outcome, error) {
	open, err := s.Conflicts(ctx, name)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(open, func(c Conflict) bool { return c.Name == rs.File })
	if i < 0 {
		return nil, &MissingError{What: "open conflict of", Name: rs.File, hint: fmt.Sprintf("stateroom status %s lists those there are", name)}
	}
	h := s.store.Cluster(string(name))
	if w.Message == "" {
		w.Message = rs.words(open[i].Commit)
	}
	kept, err := h.At(ctx, fmt.Sprint(open[i].Commit))
	if err != nil {
		return nil, err
	}
	var rec *recorder
	after, err := h.Settle(ctx, w.Message, rs.File, func(t *store.Tx) error {
		rec = record(t)
		if err := rs.apply(ctx, rec, name, kept, open[i].Deleted); err != nil {
			return err
		}
		return rec.end(ctx, w)
	})
	out := &Outcome{Cluster: name, DryRun: w.DryRun}
	switch {
	case errors.Is(err, errRehearsed):
		out.Head = rec.before().Commit().Number
	case err != nil:
		return nil, err
	default:
		out.Commit, out.Head = after.Commit().Number, after.Commit().Number
	}
	out.Changes = rec.shown
	return out, nil
}

func (rs Resolve) words(commit int) string {
	switch {
	case rs.Bytes != nil:
		return fmt.Sprintf("resolve the conflict of commit %d: %s written anew", commit, rs.File)
	case rs.Theirs:
		return fmt.Sprintf("resolve the conflict of commit %d: %s as the other tool wrote it", commit, rs.File)
	}
	return fmt.Sprintf("resolve the conflict of commit %d: %s stays", commit, rs.File)
}

func (rs Resolve) apply(ctx context.Context, r *recorder, name cluster.Name, kept *store.Snapshot, deleted bool) error {
	_, before, err := inspect(ctx, r, name)
	if err != nil {
		return err
	}
	switch {
	case rs.Bytes != nil:
		r.WriteFile(rs.File, rs.Bytes)
	case rs.Theirs && deleted:
		r.Remove(rs.File)
	case rs.Theirs:
		b, err := kept.ReadKept(ctx, rs.File)
		if err != nil {
			return err
		}
		r.WriteFile(rs.File, b)
	}
	_, left, err := inspect(ctx, r, name)
	if err != nil {
		return err
	}
	return cluster.Invalid(added(before, left))
}
