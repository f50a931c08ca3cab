package stateroom

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/store"
)

// Validity is what can be said of a state by itself, without its hosts.
type Validity struct {
	Cluster   cluster.Name
	Commit    *store.Commit
	Documents int // how many of them there are
	Problems  []cluster.Problem
	Released  int      // the commit that was live; 0: none
	Lost      []string // groups whose bundle of then is not in the store any more
}

// Err is nil for a state whose documents are valid, else all that is wrong.
func (v *Validity) Err() error { return cluster.Invalid(v.Problems) }

// Validate checks the state of a cluster, as of AsOf: its documents by the
// rules of the schema and of each other, that its keysets can be read, and that
// the store has the bundles of what was live. A bundle that cannot be believed
// is a *BundleError.
func (s *Store) Validate(ctx context.Context, name cluster.Name) (*Validity, error) {
	head, err := s.headOf(ctx, name)
	if err != nil {
		return nil, err
	}
	v := &Validity{Cluster: name, Commit: head.Commit()}
	for file := range files(head) {
		if isDocument(file) {
			v.Documents++
		}
	}
	c, err := s.load(ctx, name)
	var invalid *cluster.InvalidError
	switch {
	case errors.As(err, &invalid):
		v.Problems = invalid.Problems
	case err != nil:
		return nil, err
	default:
		v.Problems = c.Validate()
	}
	if _, err := s.Keysets(ctx, name); err != nil {
		return nil, err
	}
	return v, v.findBundles(ctx, s, head)
}

// findBundles looks for what was live at a commit.
func (v *Validity) findBundles(ctx context.Context, s *Store, head *store.Snapshot) error {
	r, err := released(ctx, head)
	if r == nil || err != nil {
		return err
	}
	v.Released = r.Commit
	sub := s.store.Cluster(string(v.Cluster)).Sub()
	for _, group := range slices.Sorted(maps.Keys(r.Groups)) {
		object := bundle.ObjectName(group, r.Groups[group])
		b, _, err := sub.Get(ctx, object)
		if errors.Is(err, fs.ErrNotExist) {
			v.Lost = append(v.Lost, group)
			continue
		}
		if err != nil {
			return fmt.Errorf("validate %s: %w", v.Cluster, err)
		}
		if _, err := bundle.Decode(b, r.Groups[group]); err != nil {
			return &BundleError{Cluster: v.Cluster, Group: group, Object: sub.Name() + "/" + object, Err: err}
		}
	}
	return nil
}
