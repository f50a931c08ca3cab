package stateroom

import (
	"context"
	"errors"
	"fmt"

	"github.com/stateroom/stateroom/cluster"
)

// NewGroup is an instance group to be made.
type NewGroup struct {
	cluster.GroupOptions
	Edited []byte // the document, where the person changed what NewGroup made; else nil
}

// GroupDocument returns the document that CreateGroup would write.
func (s *Store) GroupDocument(ctx context.Context, name cluster.Name, opt cluster.GroupOptions) (*Document, error) {
	c, err := s.load(ctx, name)
	if err != nil {
		return nil, err
	}
	f, err := s.newGroup(c, opt)
	if err != nil {
		return nil, err
	}
	if c.Group(opt.Name) != nil {
		return nil, &ExistsError{Cluster: name, File: f.Name}
	}
	return &Document{File: f.Name, Bytes: f.Bytes}, nil
}

func (s *Store) newGroup(c *cluster.Cluster, opt cluster.GroupOptions) (cluster.File, error) {
	if _, err := cluster.ParseGroupName(opt.Name); err != nil {
		return cluster.File{}, err
	}
	if opt.Created.IsZero() {
		opt.Created = s.opt.Now()
	}
	return c.NewGroup(opt)
}

// CreateGroup adds an instance group to a cluster. One of that name is an
// *ExistsError.
func (s *Store) CreateGroup(ctx context.Context, name cluster.Name, g NewGroup, w Write) (*Outcome, error) {
	return s.changeGroups(ctx, name, w, fmt.Sprintf("create instancegroup %s of %s", g.Name, name), func(r *recorder, c *cluster.Cluster, before []cluster.Problem) error {
		if c == nil {
			return cluster.Invalid(before)
		}
		f, err := s.newGroup(c, g.GroupOptions)
		if err != nil {
			return err
		}
		if r.exists(f.Name) {
			return &ExistsError{Cluster: name, File: f.Name}
		}
		if g.Edited != nil {
			f.Bytes = g.Edited
		}
		r.WriteFile(f.Name, f.Bytes)
		return nil
	})
}

// DeleteGroup removes the document of an instance group. Where what is left
// would not be valid, because it was the last of its kind or etcd runs in it,
// that is a *NeededError.
func (s *Store) DeleteGroup(ctx context.Context, name cluster.Name, group string, w Write) (*Outcome, error) {
	if _, err := cluster.ParseGroupName(group); err != nil {
		return nil, err
	}
	words := fmt.Sprintf("delete instancegroup %s of %s", group, name)
	out, err := s.changeGroups(ctx, name, w, words, func(r *recorder, _ *cluster.Cluster, _ []cluster.Problem) error {
		file := cluster.GroupFile(group)
		if !r.exists(file) {
			return noGroup(r, name, group)
		}
		r.Remove(file)
		return nil
	})
	if invalid := new(cluster.InvalidError); errors.As(err, &invalid) {
		return nil, &NeededError{Cluster: name, Group: group, invalid: invalid}
	}
	return out, err
}

// changeGroups is a change of which groups there are. fn gets the cluster, nil
// where it cannot be read, and what is wrong with it already.
func (s *Store) changeGroups(ctx context.Context, name cluster.Name, w Write, words string, fn func(*recorder, *cluster.Cluster, []cluster.Problem) error) (*Outcome, error) {
	var c *cluster.Cluster
	var left []cluster.Problem
	out, err := s.change(ctx, name, w, words, func(r *recorder) error {
		if err := mustExist(r, name); err != nil {
			return err
		}
		old, before, err := inspect(ctx, r, name)
		if err != nil {
			return err
		}
		if err := fn(r, old, before); err != nil {
			return err
		}
		if c, left, err = inspect(ctx, r, name); err != nil {
			return err
		}
		return cluster.Invalid(added(before, left))
	})
	if err != nil {
		return nil, err
	}
	out.Warnings = append(s.warnings(c), stillWrong(left)...)
	return out, nil
}

// NeededError says that an instance group cannot go, and why.
type NeededError struct {
	Cluster cluster.Name
	Group   string

	invalid *cluster.InvalidError
}

func (e *NeededError) Error() string {
	return fmt.Sprintf("instance group %q is needed; without it cluster %s would be invalid:\n%s", e.Group, e.Cluster, e.invalid)
}

// Unwrap gives what would be wrong.
func (e *NeededError) Unwrap() error { return e.invalid }

// Hint says how to get on.
func (e *NeededError) Hint() string {
	return "make another group that takes its place first (stateroom create instancegroup), and name that in the cluster's document"
}
