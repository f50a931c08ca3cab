package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/doc"
	"github.com/stateroom/stateroom/store"
)

// editInEditor opens a document in the person's editor until it can be
// committed, or until they give up by leaving it as it is. What was typed stays
// in a file when it is not committed.
func (env *Env) editInEditor(ctx context.Context, s *stateroom.Store, name cluster.Name, group string, w stateroom.Write) error {
	given, err := s.Document(ctx, name, group)
	if err != nil {
		return err
	}
	e, err := env.newEditing(given)
	if err != nil {
		return err
	}
	for {
		switch changed, err := e.round(ctx); {
		case err != nil:
			return e.keep(ctx, err)
		case !changed:
			e.remove()
			if e.took < glance {
				env.sayf("hint: the editor came back at once; one that opens a window needs a flag to wait, as in EDITOR='code --wait'")
			}
			_, err := fmt.Fprintf(env.Stdout, "%s: nothing to change\n", name)
			return err
		}
		out, err := s.Edit(ctx, name, stateroom.Edit{
			Group: group, Given: e.given, Since: e.since, Edited: e.text, Unsettled: e.unsettled,
		}, w)
		if err == nil {
			e.remove()
			out.Rebased = append(out.Rebased, e.others...)
			return env.showOutcome(out)
		}
		why := new(stateroom.EditError)
		if !errors.As(err, &why) {
			return e.keep(ctx, err)
		}
		e.again(why)
	}
}

// editing is one document on its way through an editor. Each round begins with
// the text and ends with what came back.
type editing struct {
	env   *Env
	file  string
	text  []byte        // without notes
	given []byte        // the committed document that the text goes on from
	since int           // its commit
	took  time.Duration // how long the editor was open

	why       *stateroom.EditError // it was not committed; nil at first
	others    []*store.Commit      // what others committed until then, newest first
	by        string               // who committed what conflicts
	unsettled []cluster.Conflict   // of those in why, after the round
}

// glance is less than it takes to look at a document and leave.
const glance = 300 * time.Millisecond

func (env *Env) newEditing(given *stateroom.Document) (*editing, error) {
	if _, err := env.editor(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "stateroom-edit-")
	if err != nil {
		return nil, fmt.Errorf("make a file to edit: %w", err)
	}
	return &editing{
		env: env, file: filepath.Join(dir, path.Base(given.File)+".yaml"),
		text: given.Bytes, given: given.Bytes, since: given.Commit, by: "somebody else",
	}, nil
}

// again takes in why the text was not committed.
func (e *editing) again(why *stateroom.EditError) {
	e.why, e.text, e.given, e.since = why, why.Text, why.Head, why.Commit
	e.others = append(why.Others, e.others...)
	for _, c := range why.Others {
		if slices.ContainsFunc(c.Changed, func(f store.Changed) bool { return f.Name == why.File }) {
			e.by = fmt.Sprintf("%s (commit %d)", nameOf(c.Author), c.Number)
			break
		}
	}
}

// round lets the person edit the text once. If they changed nothing in a text
// that was given to them as it is committed, there is nothing to do; in one
// that could not be committed, they give up, and the error is why it could not.
func (e *editing) round(ctx context.Context) (changed bool, err error) {
	shown := doc.Annotate(e.text, e.notes())
	if err := os.WriteFile(e.file, shown.Text, 0o600); err != nil {
		return false, fmt.Errorf("write the file to edit: %w", err)
	}
	begun := time.Now()
	failed := e.env.runEditor(e.file)
	e.took = time.Since(begun)
	back, err := readCapped(e.file, maxFile)
	if err != nil {
		return false, errors.Join(failed, err)
	}
	text := shown.Strip(back)
	if len(bytes.TrimSpace(text)) == 0 && len(bytes.TrimSpace(e.text)) > 0 {
		return false, errors.Join(failed, errors.New("the text came back empty, and nothing was committed"))
	}
	before := e.text
	e.text, e.unsettled = text, e.open(shown, back, text)
	switch {
	case failed != nil:
		return false, failed
	case ctx.Err() != nil:
		return false, ctx.Err()
	case !bytes.Equal(text, before):
		return true, nil
	case e.why == nil:
		return false, nil
	case len(e.unsettled) < len(e.why.Conflicts):
		return true, nil
	}
	return false, e.why
}

// notes say in the text why it was not committed.
func (e *editing) notes() []doc.Note {
	if e.why == nil {
		return nil
	}
	head := doc.Note{Text: fmt.Sprintf("not committed yet: %s; what is wrong stands above the line it is about\n"+
		"save it put right, or leave it as it is to give up: nothing is committed then, and what you typed is kept",
		count(len(e.why.Conflicts), "conflict", len(e.why.Problems), "problem"))}
	notes := append([]doc.Note{head}, cluster.ConflictNotes(e.why.Conflicts, e.by)...)
	return append(notes, cluster.ProblemNotes(e.why.File, e.why.Problems)...)
}

// rebasedText says what an edit came to lie on top of; the newest is the first.
func rebasedText(others []*store.Commit) string {
	c := others[0]
	text := rebasedOnto(c.Number, c.Author, c.Message)
	if n := len(others) - 1; n > 0 {
		text += fmt.Sprintf(" (and %d before it)", n)
	}
	return text
}

// rebasedOnto says which commit a change came to lie on top of.
func rebasedOnto(number int, author, message string) string {
	message, _, _ = strings.Cut(message, "\n")
	return fmt.Sprintf("rebased onto %d by %s: %s", number, nameOf(author), message)
}

// count says how many there are of two things.
func count(n int, thing string, m int, other string) string {
	say := func(n int, thing string) string {
		if n == 1 {
			return "1 " + thing
		}
		return fmt.Sprintf("%d %ss", n, thing)
	}
	switch {
	case m == 0:
		return say(n, thing)
	case n == 0:
		return say(m, other)
	}
	return say(n, thing) + " and " + say(m, other)
}

// open lists the conflicts that the person has not settled: the note stands,
// and the value is what was shown.
func (e *editing) open(shown *doc.Annotated, back, text []byte) []cluster.Conflict {
	if e.why == nil {
		return nil
	}
	was, now := one(e.text), one(text)
	var open []cluster.Conflict
	for i, c := range e.why.Conflicts {
		if !shown.Stands(1+i, back) { // the first note is the head
			continue
		}
		if c.Path != "" && was != nil && now != nil {
			a, _ := c.In(was)
			if b, _ := c.In(now); !a.Same(b) {
				continue
			}
		}
		open = append(open, c)
	}
	return open
}

// one is the document of a text, nil if it cannot be read.
func one(text []byte) *doc.Document {
	docs, err := doc.Parse(text)
	if err != nil || len(docs) != 1 {
		return nil
	}
	return docs[0]
}

// remove takes the file away; one that stays is a temporary one.
func (e *editing) remove() { _ = os.RemoveAll(filepath.Dir(e.file)) }

// keep ends the editing with an error and leaves what was typed in the file,
// without our notes.
func (e *editing) keep(ctx context.Context, err error) error {
	return keepAll(ctx, err, []*editing{e})
}

// keepAll is keep for several documents that are edited together.
func keepAll(ctx context.Context, err error, all []*editing) error {
	kept := &keptError{err: err}
	for _, e := range all {
		next := e.file + ".new"
		if os.WriteFile(next, e.text, 0o600) == nil {
			_ = os.Rename(next, e.file) // else what the editor left is there
		}
		kept.files = append(kept.files, e.file)
	}
	if ctx.Err() != nil && len(all) > 0 {
		all[0].env.sayf("hint: %s", kept.Hint())
	}
	return kept
}

// keptError says where the texts are that could not be committed.
type keptError struct {
	err   error
	files []string
}

func (e *keptError) Error() string { return e.err.Error() }
func (e *keptError) Unwrap() error { return e.err }

// Hint says where they are.
func (e *keptError) Hint() string {
	if len(e.files) == 0 {
		return ""
	}
	return "what you typed is kept in " + strings.Join(e.files, " and ")
}
