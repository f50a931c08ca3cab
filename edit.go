package stateroom

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/doc"
	"github.com/stateroom/stateroom/store"
)

// Edit is a change of one document: a patch, or what came back from an editor.
type Edit struct {
	Group string // the instance group; empty: the cluster's own document
	Patch *cluster.Patch

	// Given is the document that the editor got, of commit Since, and Edited
	// what it made of it. They count where Patch is nil.
	Given, Edited []byte
	Since         int
	// Unsettled are conflicts of an EditError that the person has seen and not
	// settled: there is no commit before they are.
	Unsettled []cluster.Conflict
}

func (e Edit) file() (name, kind string) {
	if e.Group == "" {
		return cluster.ConfigFile, cluster.KindCluster
	}
	return cluster.GroupFile(e.Group), cluster.KindInstanceGroup
}

// Edit changes one document of a cluster. A document that would become invalid
// is a *cluster.InvalidError, one that somebody else changed meanwhile in the
// same places a *ChangedError; for what came back from an editor, an *EditError
// holds either, or both.
func (s *Store) Edit(ctx context.Context, name cluster.Name, e Edit, w Write) (*Outcome, error) {
	var c *cluster.Cluster
	var left []cluster.Problem
	out, err := s.change(ctx, name, w, e.words(name), func(r *recorder) error {
		if err := mustExist(r, name); err != nil {
			return err
		}
		file, _ := e.file()
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
		now, back, err := e.apply(old)
		if err != nil {
			return err
		}
		if !bytes.Equal(old, now) {
			r.WriteFile(file, now)
		}
		if c, left, err = inspect(ctx, r, name); err != nil {
			return err
		}
		problems := added(before, left)
		if e.Patch != nil {
			return cluster.Invalid(problems)
		}
		return back.judge(e, problems, old, r.before().Commit().Number)
	})
	if back := new(EditError); errors.As(err, &back) {
		back.Others = s.others(ctx, name, e, back.Commit)
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	until := out.Head
	if out.Commit != 0 {
		until--
	}
	out.Rebased = s.others(ctx, name, e, until)
	out.Warnings = append(s.warnings(c), stillWrong(left)...)
	return out, nil
}

// words are the message of a commit that is given none.
func (e Edit) words(name cluster.Name) string {
	words := "edit cluster " + string(name)
	if e.Group != "" {
		words = fmt.Sprintf("edit instancegroup %s of %s", e.Group, name)
	}
	if e.Patch != nil {
		words += ": " + e.Patch.String()
	}
	return words
}

// apply returns the document after the edit. What it says of what came back
// from an editor is for the next round.
func (e Edit) apply(old []byte) (now []byte, back *EditError, err error) {
	file, kind := e.file()
	if e.Patch != nil {
		now, err = patched(old, file, kind, e.Patch)
		return now, nil, err
	}
	back = &EditError{File: file, Text: e.Edited, Head: e.Given, Commit: e.Since}
	docs, err := doc.Parse(e.Edited)
	if err != nil || len(docs) != 1 {
		return e.Edited, back, nil // what is wrong with it is found by whoever reads it
	}
	back.merged = true
	back.Text, back.Conflicts, err = cluster.MergeFile(kind, e.Given, e.Edited, old)
	if err != nil { // there is no way to bring together what both changed
		back.Text, back.Conflicts = e.Edited, e.everything(old)
	}
	if docs, err = doc.Parse(back.Text); err != nil || len(docs) != 1 {
		return nil, nil, fmt.Errorf("merge %s: the result cannot be read", file)
	}
	for _, c := range e.Unsettled {
		if slices.ContainsFunc(back.Conflicts, func(d cluster.Conflict) bool { return d.Path == c.Path }) {
			continue
		}
		if c.Path != "" {
			_, c.Line = c.In(docs[0])
		}
		back.Conflicts = append(back.Conflicts, c)
	}
	return back.Text, back, nil
}

// everything is the conflict of two documents as a whole.
func (e Edit) everything(old []byte) []cluster.Conflict {
	whole := func(text []byte) doc.Side { return doc.Side{Value: string(text), Present: true} }
	return []cluster.Conflict{{Line: 1, Base: whole(e.Given), Ours: whole(e.Edited), Theirs: whole(old)}}
}

// judge is nil for what can be committed on top of the document old.
func (back *EditError) judge(e Edit, problems []cluster.Problem, old []byte, commit int) error {
	back.Problems = problems
	if !back.merged && len(problems) == 0 && !bytes.Equal(old, e.Given) {
		back.Conflicts, back.merged = e.everything(old), true // no worse than it was, and not to be laid over that
	}
	if len(problems)+len(back.Conflicts) == 0 {
		return nil
	}
	if back.merged {
		back.Head, back.Commit = old, commit
	}
	return back
}

// others lists the commits of others to a cluster since a document was given to
// an editor, newest first. It is for people: where it cannot be read, there are
// none.
func (s *Store) others(ctx context.Context, name cluster.Name, e Edit, until int) []*store.Commit {
	var all []*store.Commit
	if e.Patch != nil || until <= e.Since {
		return nil
	}
	for c, err := range s.Log(ctx, name) {
		if err != nil || c.Number <= e.Since {
			break
		}
		if c.Number <= until {
			all = append(all, c)
		}
	}
	return all
}

// EditError says why what came back from an editor is not committed, and with
// what the editor goes on.
type EditError struct {
	File      string
	Text      []byte // what came back, with what was committed meanwhile
	Conflicts []cluster.Conflict
	Problems  []cluster.Problem // lines of both count in Text
	Head      []byte            // the committed document that Text goes on from: the next Given
	Commit    int               // of Head: the next Since
	Others    []*store.Commit   // what others committed meanwhile, newest first

	merged bool
}

func (e *EditError) Error() string {
	var lines []string
	for _, err := range e.Unwrap() {
		lines = append(lines, err.Error())
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the conflicts as a *ChangedError, and the problems as a
// *cluster.InvalidError.
func (e *EditError) Unwrap() []error {
	var errs []error
	if len(e.Conflicts) > 0 {
		changed := &ChangedError{File: e.File}
		for _, c := range e.Conflicts {
			changed.Paths = append(changed.Paths, cmp.Or(c.Path, "the whole document"))
		}
		errs = append(errs, changed)
	}
	if err := cluster.Invalid(e.Problems); err != nil {
		errs = append(errs, err)
	}
	return errs
}

// ChangedError says that somebody else changed the same places of a document,
// and in another way.
type ChangedError struct {
	File  string
	Paths []string
}

func (e *ChangedError) Error() string {
	return fmt.Sprintf("%s was changed by somebody else meanwhile: %s", e.File, strings.Join(e.Paths, ", "))
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
	return missingGroup(r.Names(), name, group)
}

func missingGroup(files []string, name cluster.Name, group string) error {
	var groups []string
	for _, n := range files {
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
// Documents that cannot be read at all have problems and no view. After
// something was written, what the change itself may not do is among them, where
// the documents were looked at before.
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
	if len(r.written)+len(r.removed) == 0 {
		r.was = c
	}
	problems := c.Validate()
	for _, p := range r.forbidden(c) {
		if !slices.ContainsFunc(problems, func(q cluster.Problem) bool { return p.File == q.File && p.Path == q.Path }) {
			problems = append(problems, p)
		}
	}
	return c, problems, nil
}

// forbidden is what a change may not do to a cluster that has run: see
// cluster.ValidateUpdate. One without a keyset never has: keysets are made with
// the first update --yes, by kops and here.
func (r *recorder) forbidden(c *cluster.Cluster) []cluster.Problem {
	keyset := func(name string) bool { return strings.HasPrefix(name, "pki/private/") }
	if r.was == nil || r.was == c || !slices.ContainsFunc(r.before().Names(), keyset) {
		return nil
	}
	problems := cluster.ValidateUpdate(r.was, c)
	if lower := cluster.Downgrade(r.was, c); lower != nil && r.downgrade {
		problems = slices.DeleteFunc(problems, func(p cluster.Problem) bool { return sameProblem(p, *lower) })
	}
	return problems
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
