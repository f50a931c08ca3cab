package stateroom

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/stateroom/stateroom/cluster"
)

// Edit is a change of one document: a patch, or what came back from an editor.
type Edit struct {
	Group string // the instance group; empty: the cluster's own document
	Patch *cluster.Patch

	// Given is the document that the editor got, and Edited what it made of it.
	// They count where Patch is nil.
	Given, Edited []byte
}

func (e Edit) file() (name, kind string) {
	if e.Group == "" {
		return cluster.ConfigFile, cluster.KindCluster
	}
	return cluster.GroupFile(e.Group), cluster.KindInstanceGroup
}

// Edit changes one document of a cluster. A document that would become invalid
// is a *cluster.InvalidError, one that changed meanwhile a *ChangedError.
func (s *Store) Edit(ctx context.Context, name cluster.Name, e Edit, w Write) (*Outcome, error) {
	file, _ := e.file()
	words := "edit cluster " + string(name)
	if e.Group != "" {
		words = fmt.Sprintf("edit instancegroup %s of %s", e.Group, name)
	}
	if e.Patch != nil {
		words += ": " + e.Patch.String()
	}
	var c *cluster.Cluster
	var left []cluster.Problem
	out, err := s.change(ctx, name, w, words, func(r *recorder) error {
		if err := mustExist(r, name); err != nil {
			return err
		}
		old, err := r.ReadFile(ctx, file)
		if errors.Is(err, fs.ErrNotExist) && e.Group != "" {
			return noGroup(r, name, e.Group)
		}
		if err != nil {
			return err
		}
		_, before, err := inspect(ctx, r, name)
		if err != nil {
			return err
		}
		new, err := e.apply(old)
		if err != nil {
			return err
		}
		if !bytes.Equal(old, new) {
			r.WriteFile(file, new)
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

// apply returns the document after the edit.
func (e Edit) apply(old []byte) ([]byte, error) {
	file, kind := e.file()
	if e.Patch == nil {
		if !bytes.Equal(old, e.Given) {
			return nil, &ChangedError{File: file}
		}
		return e.Edited, nil
	}
	return patched(old, file, kind, e.Patch)
}

// ChangedError says that a document is no longer what an editor was given.
type ChangedError struct{ File string }

func (e *ChangedError) Error() string {
	return fmt.Sprintf("%s was changed by somebody else meanwhile", e.File)
}

// Hint says how to get on.
func (e *ChangedError) Hint() string { return "edit it again; stateroom log shows who changed it" }

// mustExist is not-found for a change of a cluster that is not there.
func mustExist(r *recorder, name cluster.Name) error {
	if !r.exists(cluster.ConfigFile) {
		return noCluster(name)
	}
	return nil
}

func noCluster(name cluster.Name) error {
	return &MissingError{What: "cluster", Name: string(name), hint: "stateroom get clusters lists those of the store"}
}

func noGroup(r *recorder, name cluster.Name, group string) error {
	var groups []string
	for _, n := range r.Names() {
		if g, ok := strings.CutPrefix(n, cluster.GroupDir+"/"); ok {
			groups = append(groups, g)
		}
	}
	return &MissingError{What: "instance group", Name: group, hint: fmt.Sprintf("%s has %s", name, strings.Join(groups, ", "))}
}

// MissingError says that something of a name is not there.
type MissingError struct {
	What, Name string
	hint       string
}

func (e *MissingError) Error() string { return fmt.Sprintf("%s %q: not found", e.What, e.Name) }

// Is makes a MissingError an fs.ErrNotExist.
func (e *MissingError) Is(target error) bool { return target == fs.ErrNotExist }

// Hint says where to look.
func (e *MissingError) Hint() string { return e.hint }

// inspect reads the documents of a cluster and lists what is wrong with them.
// Documents that cannot be read at all have problems and no view.
func inspect(ctx context.Context, r *recorder, name cluster.Name) (*cluster.Cluster, []cluster.Problem, error) {
	files, err := r.FS(ctx, documents...)
	if err != nil {
		return nil, nil, err
	}
	c, err := cluster.Load(files, name)
	var invalid *cluster.InvalidError
	if errors.As(err, &invalid) {
		return nil, invalid.Problems, nil
	}
	if err != nil {
		return nil, nil, err
	}
	return c, c.Validate(), nil
}

// added lists the problems that a change brings. Those which were there before
// do not stop it: it may be one step of several towards mending them.
func added(before, after []cluster.Problem) []cluster.Problem {
	return slices.DeleteFunc(slices.Clone(after), func(p cluster.Problem) bool {
		return slices.ContainsFunc(before, func(q cluster.Problem) bool { return sameProblem(p, q) })
	})
}

func sameProblem(p, q cluster.Problem) bool {
	return p.File == q.File && p.Path == q.Path && p.Message == q.Message
}

func stillWrong(left []cluster.Problem) []string {
	var all []string
	for _, p := range left {
		all = append(all, "it was wrong before and still is: "+p.String())
	}
	return all
}
