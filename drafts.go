package stateroom

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/store"
)

// OnDraft returns the store as a draft of a cluster has it. Reads of clusters
// and documents go by the draft, changes are committed to it, and begin it
// where there is none; a plan is one of the draft published.
func (s *Store) OnDraft(name string) (*Store, error) {
	if err := store.CheckDraft(name); err != nil {
		return nil, err
	}
	draft := *s
	draft.draft = name
	return &draft, nil
}

// Drafts lists the drafts of a cluster, by name: those that are open, or all
// that there ever were.
func (s *Store) Drafts(ctx context.Context, name cluster.Name, all bool) ([]*store.DraftState, error) {
	if _, err := s.headOf(ctx, name); err != nil {
		return nil, err
	}
	var drafts []*store.DraftState
	for d, err := range s.store.Cluster(string(name)).Drafts(ctx) {
		if err != nil {
			return nil, err
		}
		if all || !d.Ended() {
			drafts = append(drafts, d)
		}
	}
	return drafts, nil
}

// onDraft is the draft that the store is on.
func (s *Store) onDraft(name cluster.Name) (*store.Draft, error) {
	return s.store.Cluster(string(name)).Draft(s.draft)
}

// DraftLog lists the commits of the draft that the store is on, newest first.
func (s *Store) DraftLog(ctx context.Context, name cluster.Name) iter.Seq2[*store.Commit, error] {
	d, err := s.onDraft(name)
	if err != nil {
		return func(yield func(*store.Commit, error) bool) { yield(nil, err) }
	}
	return d.Log(ctx)
}

// DraftDiff lists what the draft that the store is on has changed since the
// commit of the cluster that it goes off.
func (s *Store) DraftDiff(ctx context.Context, name cluster.Name) ([]FileChange, error) {
	d, err := s.onDraft(name)
	if err != nil {
		return nil, err
	}
	base, tip, err := d.Ends(ctx)
	if err != nil {
		return nil, err
	}
	return compare(ctx, base, tip)
}

// DropDraft ends the draft that the store is on. What was committed to it stays
// in the store; nobody can commit to it or publish it any more. A commit that
// somebody makes just then is a store.ErrConflict.
func (s *Store) DropDraft(ctx context.Context, name cluster.Name, w Write) error {
	d, err := s.onDraft(name)
	if err != nil {
		return err
	}
	tip, err := d.Head(ctx)
	if err != nil || w.DryRun {
		return err
	}
	return d.Drop(ctx, cmp.Or(w.Message, "delete draft "+s.draft), tip.Commit().Number)
}

// Publish says how the draft that the store is on is published.
type Publish struct {
	// Wins says whose value counts where draft and cluster have both changed
	// the same field since; NobodyWins: that is an *UnpublishedError.
	Wins Side
	// Edited are documents that a person has put right, by file: each is merged
	// instead of what the draft has.
	Edited map[string]Edit
}

// Side is one of the two that are merged.
type Side int

// The sides.
const (
	NobodyWins Side = iota
	DraftWins
	HeadWins
)

// Publish commits to the cluster what the draft that the store is on has
// changed, merged with what was committed to the cluster meanwhile, and ends the
// draft. What cannot be merged, or would be invalid, is an *UnpublishedError,
// and nothing is changed then.
func (s *Store) Publish(ctx context.Context, name cluster.Name, p Publish, w Write) (*Outcome, error) {
	return s.publish(ctx, name, p, w, func(*Store, *recorder) error { return nil })
}

// publish is Publish, and calls then with the cluster's store and the change
// that publishes the draft.
func (s *Store) publish(ctx context.Context, name cluster.Name, p Publish, w Write, then func(*Store, *recorder) error) (*Outcome, error) {
	d, err := s.onDraft(name)
	if err != nil {
		return nil, err
	}
	base, tip, err := d.Ends(ctx)
	if err != nil {
		return nil, err
	}
	words := fmt.Sprintf("publish draft %s: %s", s.draft, tip.Commit().Message)
	head := *s
	head.draft = ""
	var c *cluster.Cluster
	var left []cluster.Problem
	out, err := head.change(ctx, name, w, words, func(r *recorder) error {
		if err := mustExist(r, name); err != nil {
			return err
		}
		_, before, err := inspect(ctx, r, name)
		if err != nil {
			return err
		}
		m := &merging{from: base, to: tip, p: p, draft: s.draft}
		if err := m.into(ctx, r); err != nil {
			return err
		}
		if c, left, err = inspect(ctx, r, name); err != nil {
			return err
		}
		if err := m.judge(added(before, left)); err != nil {
			return err
		}
		return then(&head, r)
	})
	if err != nil || w.DryRun {
		return out, err
	}
	out.Warnings = append(s.warnings(c), stillWrong(left)...)
	err = d.Publish(ctx, fmt.Sprintf("published as commit %d", out.Head), tip.Commit().Number)
	ended := new(store.NoDraftError)
	switch {
	case errors.Is(err, store.ErrConflict):
		out.Warnings = append(out.Warnings, fmt.Sprintf("draft %s has got another commit meanwhile, which is not published; it stays open", s.draft))
		return out, nil
	case errors.As(err, &ended) && ended.Last != nil: // by another who published it at the same time, or gave it up
		out.Warnings = append(out.Warnings, fmt.Sprintf("draft %s had ended already: %s by %s", s.draft, ended.Last.Kind, ended.Last.Author))
		return out, nil
	case err != nil:
		err = fmt.Errorf("commit %d holds what draft %s has; publish it again to end it: %w", out.Head, s.draft, err)
	}
	return out, err
}

// merging is what a draft changed, on its way into the newest state.
type merging struct {
	from, to *store.Snapshot // the commit it goes off, and its newest
	p        Publish
	draft    string
	edits    []*EditError // of the documents that were merged
}

// into makes the changes of the draft in r.
func (m *merging) into(ctx context.Context, r *recorder) error {
	for _, name := range m.changed() {
		base, err := readBefore(ctx, m.from, name)
		if err != nil {
			return err
		}
		draft, err := readBefore(ctx, m.to, name)
		if err != nil {
			return err
		}
		head, err := readNow(ctx, r, name)
		if err != nil {
			return err
		}
		if err := m.file(r, name, base, draft, head); err != nil {
			return err
		}
	}
	return nil
}

// changed lists the files that the draft has changed, in order.
func (m *merging) changed() []string {
	old, new := withApplied(m.from), withApplied(m.to)
	names := map[string]bool{}
	for name, f := range new {
		names[name] = old[name].Digest != f.Digest
	}
	for name := range old {
		if _, there := new[name]; !there {
			names[name] = true
		}
	}
	maps.DeleteFunc(names, func(_ string, changed bool) bool { return !changed })
	return slices.Sorted(maps.Keys(names))
}

// withApplied are the files of people, and what managers applied to them.
func withApplied(sn *store.Snapshot) map[string]store.File {
	all := files(sn)
	for name, f := range sn.Commit().Files {
		if strings.HasPrefix(name, appliedDir) {
			all[name] = f
		}
	}
	return all
}

// file merges one file; nil: it is not there.
func (m *merging) file(r *recorder, name string, base, draft, head []byte) error {
	same := func(a, b []byte) bool { return (a == nil) == (b == nil) && string(a) == string(b) }
	edited, mended := m.p.Edited[name]
	switch {
	case mended || isDocument(name) && base != nil && draft != nil && head != nil:
		if !mended {
			edited = Edit{Group: groupOf(name), Given: base, Edited: draft, Since: m.from.Commit().Number}
		}
		return m.document(r, name, edited, head)
	case strings.HasPrefix(name, appliedDir): // what a manager applied to the draft, it applied
		writeOrRemove(r, name, draft)
	case same(head, draft):
	case same(head, base) || m.p.Wins == DraftWins:
		writeOrRemove(r, name, draft)
	case m.p.Wins == HeadWins:
	default:
		m.edits = append(m.edits, &EditError{
			File: name, Text: draft, Head: head, Commit: r.before().Commit().Number,
			Conflicts: Edit{Given: base, Edited: draft}.everything(head), merged: true,
		})
		if Secret(name) {
			m.edits[len(m.edits)-1].Conflicts = []cluster.Conflict{{Line: 1}}
		}
	}
	return nil
}

// document merges a document that there is on all sides.
func (m *merging) document(r *recorder, name string, e Edit, head []byte) error {
	back := &EditError{File: name, Text: e.Edited, Head: head, Commit: r.before().Commit().Number, merged: true}
	kind := kindOf(name)
	ours, theirs := e.Edited, head
	if m.p.Wins == HeadWins {
		ours, theirs = head, e.Edited
	}
	text, conflicts, err := cluster.MergeFile(kind, e.Given, ours, theirs)
	switch {
	case err != nil && m.p.Wins == HeadWins:
		return nil
	case err != nil && m.p.Wins == NobodyWins:
		back.Conflicts = e.everything(head)
	case err == nil:
		back.Text = text
	}
	if m.p.Wins == NobodyWins {
		back.Conflicts = append(back.Conflicts, conflicts...)
		for _, c := range e.Unsettled {
			if !slices.ContainsFunc(back.Conflicts, func(d cluster.Conflict) bool { return d.Path == c.Path }) {
				back.Conflicts = append(back.Conflicts, c)
			}
		}
	}
	m.edits = append(m.edits, back)
	if string(back.Text) != string(head) {
		r.WriteFile(name, back.Text)
	}
	return nil
}

// judge says why what was merged cannot be committed; nil: it can.
func (m *merging) judge(problems []cluster.Problem) error {
	un := &UnpublishedError{Draft: m.draft}
	for _, e := range m.edits {
		e.Problems = nil
		for _, p := range problems {
			if p.File == e.File {
				e.Problems = append(e.Problems, p)
			}
		}
		if len(e.Conflicts)+len(e.Problems) > 0 {
			un.Documents = append(un.Documents, e)
		}
	}
	if len(un.Documents) == 0 {
		return cluster.Invalid(problems)
	}
	return un
}

// readNow reads a file as a change has it so far; nil: it is not there.
func readNow(ctx context.Context, r *recorder, name string) ([]byte, error) {
	if !r.exists(name) {
		return nil, nil
	}
	b, err := r.ReadFile(ctx, name)
	if b == nil && err == nil {
		b = []byte{}
	}
	return b, err
}

func writeOrRemove(r *recorder, name string, b []byte) {
	if b == nil {
		r.Remove(name)
		return
	}
	r.WriteFile(name, b)
}

// groupOf is the instance group whose document lies under a name, or "".
func groupOf(name string) string {
	group, ok := strings.CutPrefix(name, cluster.GroupDir+"/")
	if !ok {
		return ""
	}
	return group
}

// kindOf is the kind of the documents under a name; "": not known.
func kindOf(name string) string {
	switch {
	case name == cluster.ConfigFile:
		return cluster.KindCluster
	case groupOf(name) != "":
		return cluster.KindInstanceGroup
	}
	return ""
}

// UnpublishedError says which documents of a draft cannot be published as they
// are, and why: each with its conflicts, problems, and what an editor goes on
// with.
type UnpublishedError struct {
	Draft     string
	Documents []*EditError
}

func (e *UnpublishedError) Error() string {
	lines := []string{fmt.Sprintf("draft %s cannot be published as it is", e.Draft)}
	for _, d := range e.Documents {
		for _, c := range d.Conflicts {
			lines = append(lines, conflictLine(d.File, c))
		}
		for _, p := range d.Problems {
			lines = append(lines, p.String())
		}
	}
	return strings.Join(lines, "\n")
}

func conflictLine(file string, c cluster.Conflict) string {
	if Secret(file) {
		return file + ": the draft and the cluster have both changed it [secret]"
	}
	if c.Path == "" {
		return file + ": the draft and the cluster have both changed it, and the two cannot be brought together"
	}
	return fmt.Sprintf("%s: %s: it was %s; the draft has %s; the cluster has %s by now", file, c.Path, c.Base, c.Ours, c.Theirs)
}

// Unwrap gives what is wrong with each document.
func (e *UnpublishedError) Unwrap() []error {
	var all []error
	for _, d := range e.Documents {
		all = append(all, d)
	}
	return all
}

// Hint says how to get on.
func (e *UnpublishedError) Hint() string {
	for _, d := range e.Documents {
		if len(d.Problems) > 0 {
			return fmt.Sprintf("mend it in the draft: stateroom edit cluster --draft %s", e.Draft)
		}
	}
	return "settle it in an editor (--edit), or for all of them --draft-wins or --head-wins; or give the field the cluster's value in the draft"
}
