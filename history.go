package stateroom

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"strconv"
	"strings"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/store"
)

// Log lists the commits of a cluster, newest first; of AsOf, from that one back.
func (s *Store) Log(ctx context.Context, name cluster.Name) iter.Seq2[*store.Commit, error] {
	h := s.store.Cluster(string(name))
	if s.at == "" {
		return h.Log(ctx)
	}
	return func(yield func(*store.Commit, error) bool) {
		from, err := h.At(ctx, s.at)
		if err != nil {
			yield(nil, err)
			return
		}
		from.Log(ctx)(yield)
	}
}

// Uncommitted lists the files of a cluster that are not those of its newest
// commit: what somebody else wrote, and what a writer did not finish. Of AsOf
// there are none.
func (s *Store) Uncommitted(ctx context.Context, name cluster.Name) ([]store.Drift, error) {
	if s.at != "" {
		return nil, nil
	}
	return s.store.Cluster(string(name)).Drift(ctx)
}

// Released is the commit that is live for nodes; 0: none yet.
func (s *Store) Released(ctx context.Context, name cluster.Name) (int, error) {
	head, err := s.headOf(ctx, name)
	if missing := new(MissingError); errors.As(err, &missing) {
		return 0, nil // a deleted cluster has a history still
	}
	if err != nil {
		return 0, err
	}
	r, err := released(ctx, head)
	if r == nil || err != nil {
		return 0, err
	}
	return r.Commit, nil
}

// Show returns a commit and what it changed; of a conflict, what the other tool
// wrote against what stands.
func (s *Store) Show(ctx context.Context, name cluster.Name, ref string) (*store.Commit, []FileChange, error) {
	h := s.store.Cluster(string(name))
	sn, err := h.At(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	c := sn.Commit()
	if c.Foreign != nil {
		changes, err := keptChanges(ctx, sn)
		return c, changes, err
	}
	var before *store.Snapshot
	if c.Number > 1 {
		if before, err = h.At(ctx, strconv.Itoa(c.Number-1)); err != nil {
			return nil, nil, err
		}
	}
	changes, err := compare(ctx, before, sn)
	return c, changes, err
}

// keptChanges are what a conflict keeps: from what stands to what the other
// tool wrote, as resolving it for that tool would make it.
func keptChanges(ctx context.Context, sn *store.Snapshot) ([]FileChange, error) {
	var all []FileChange
	for _, ch := range sn.Commit().Foreign.Changed {
		old, err := readShown(ctx, sn, ch.Name)
		if err != nil {
			return nil, err
		}
		var new []byte
		if ch.Action != store.Removed {
			new, err = sn.ReadKept(ctx, ch.Name)
			if errors.Is(err, fs.ErrNotExist) {
				new, err = []byte(goneText), nil
			}
			if err != nil {
				return nil, err
			}
		}
		all = appendChange(all, ch.Name, old, new)
	}
	sortChanges(all)
	return all, nil
}

// Diff lists what differs between two commits.
func (s *Store) Diff(ctx context.Context, name cluster.Name, from, to string) ([]FileChange, error) {
	h := s.store.Cluster(string(name))
	a, err := h.At(ctx, from)
	if err != nil {
		return nil, err
	}
	b, err := h.At(ctx, to)
	if err != nil {
		return nil, err
	}
	return compare(ctx, a, b)
}

// DiffUncommitted lists what differs between the newest commit and the plain
// files as they lie there.
func (s *Store) DiffUncommitted(ctx context.Context, name cluster.Name) ([]FileChange, error) {
	drifts, err := s.Uncommitted(ctx, name)
	if newer := new(store.FormatError); errors.Is(err, errors.ErrUnsupported) && !errors.As(err, &newer) {
		return nil, &UnseenError{
			"whether other tools have changed files of " + string(name), err,
			"stateroom diff COMMIT, which compares with the newest commit, works here; what lies in files is seen on the bucket or directory itself, by its own address",
		}
	}
	if err != nil {
		return nil, err
	}
	head, err := s.headOf(ctx, name)
	if err != nil {
		return nil, err
	}
	plain := s.objects.Sub(string(name))
	var all []FileChange
	for _, d := range drifts {
		old, err := readBefore(ctx, head, d.Name)
		if err != nil {
			return nil, err
		}
		new, _, err := plain.Get(ctx, d.Name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			new = nil
		case err != nil:
			return nil, err
		case new == nil:
			new = []byte{}
		}
		all = appendChange(all, d.Name, old, new)
	}
	sortChanges(all)
	return all, nil
}

// Rollback says how far to go back.
type Rollback struct {
	To   string // the commit: a number, head~2, a time
	Keys bool   // keys and secrets too; otherwise documents only
}

// Rollback makes a new commit in which the documents are those of an older
// one. Nothing is taken out of the history, and what is released does not move.
func (s *Store) Rollback(ctx context.Context, name cluster.Name, rb Rollback, w Write) (*Outcome, error) {
	target, err := s.store.Cluster(string(name)).At(ctx, rb.To)
	if err != nil {
		return nil, err
	}
	number := target.Commit().Number
	var c *cluster.Cluster
	out, err := s.change(ctx, name, w, fmt.Sprintf("rollback to commit %d", number), func(r *recorder) error {
		if err := restore(ctx, r, target, rb.Keys); err != nil {
			return err
		}
		var left []cluster.Problem
		var err error
		if c, left, err = inspect(ctx, r, name); err != nil {
			return err
		}
		if c == nil {
			return cluster.Invalid(left)
		}
		if rb.Keys {
			return s.copied(c, "rollback --keys")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.Warnings = append(out.Warnings, s.warnings(c)...)
	return out, nil
}

// restore writes the files of target over what is there.
func restore(ctx context.Context, r *recorder, target *store.Snapshot, keys bool) error {
	brings := func(name string) bool {
		return isDocument(name) || keys && (Secret(name) || strings.HasPrefix(name, "pki/"))
	}
	wanted := map[string]bool{}
	for _, name := range target.Names() {
		if !brings(name) {
			continue
		}
		b, err := target.ReadFile(ctx, name)
		if err != nil {
			return err
		}
		wanted[name] = true
		r.WriteFile(name, b)
	}
	if !wanted[cluster.ConfigFile] {
		return fmt.Errorf("commit %d has no cluster to go back to: %w", target.Commit().Number, fs.ErrInvalid)
	}
	for _, name := range r.Names() {
		if brings(name) && !wanted[name] {
			r.Remove(name)
		}
	}
	return nil
}

// Delete ends the history of a cluster and removes its files. The history
// stays, and the cluster can be brought back from it.
func (s *Store) Delete(ctx context.Context, name cluster.Name, w Write) (*Outcome, error) {
	h := s.store.Cluster(string(name))
	head, err := s.headOf(ctx, name)
	if err != nil {
		return nil, err
	}
	if c, err := s.load(ctx, name); err == nil {
		if err := s.copied(c, "delete cluster"); err != nil {
			return nil, err
		}
	} else if invalid := new(cluster.InvalidError); !errors.As(err, &invalid) {
		return nil, err
	}
	out := &Outcome{Cluster: name, Head: head.Commit().Number, DryRun: w.DryRun}
	for name := range files(head) {
		out.Changes = append(out.Changes, FileChange{Name: name, Action: Removed, Secret: Secret(name)})
	}
	sortChanges(out.Changes)
	if w.DryRun {
		return out, nil
	}
	if w.Message == "" {
		w.Message = "delete cluster " + string(name)
	}
	after, err := h.Delete(ctx, w.Message)
	if err != nil {
		return nil, err
	}
	out.Commit, out.Head = after.Commit().Number, after.Commit().Number
	return out, nil
}
