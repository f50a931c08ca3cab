package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
)

// editInEditor opens a document in the person's editor until it is right or
// left as it was. What was typed stays in a file when it is not committed.
func (env *Env) editInEditor(ctx context.Context, s *stateroom.Store, name cluster.Name, group string, w stateroom.Write) error {
	given, err := document(ctx, s, name, group)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "stateroom-edit-")
	if err != nil {
		return fmt.Errorf("make a file to edit: %w", err)
	}
	kept := false
	defer func() {
		if !kept {
			os.RemoveAll(dir)
		}
	}()
	e := &editing{env: env, file: filepath.Join(dir, "document.yaml")}
	for shown := given; ; {
		edited, err := e.run(ctx, shown)
		if err != nil {
			return err
		}
		edited = withoutComplaints(edited)
		if bytes.Equal(edited, given) {
			_, err := fmt.Fprintf(env.Stdout, "%s: nothing to change\n", name)
			return err
		}
		out, err := s.Edit(ctx, name, stateroom.Edit{Group: group, Given: given, Edited: edited}, w)
		if err == nil {
			return env.showOutcome(out)
		}
		kept = true
		invalid := new(cluster.InvalidError)
		again := withComplaints(edited, err)
		if !errors.As(err, &invalid) || bytes.Equal(again, shown) {
			return &keptError{err: err, file: e.file}
		}
		shown = again
	}
}

// document returns the bytes of the document to edit.
func document(ctx context.Context, s *stateroom.Store, name cluster.Name, group string) ([]byte, error) {
	c, err := s.Cluster(ctx, name)
	if err != nil {
		return nil, err
	}
	if group == "" {
		return c.Document.Bytes(), nil
	}
	g := c.Group(group)
	if g == nil {
		return nil, stateroom.NoGroup(c, group)
	}
	return g.Document.Bytes(), nil
}

// editing is one document in an editor.
type editing struct {
	env  *Env
	file string
}

// run lets the person edit a text, and returns what came of it.
func (e *editing) run(ctx context.Context, text []byte) ([]byte, error) {
	if err := os.WriteFile(e.file, text, 0o600); err != nil {
		return nil, fmt.Errorf("write the file to edit: %w", err)
	}
	words := e.env.editor()
	if len(words) == 0 {
		return nil, usagef("set EDITOR, or change fields with --set", "there is no editor")
	}
	cmd := exec.CommandContext(ctx, words[0], append(words[1:], e.file)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = e.env.Stdin, e.env.Stdout, e.env.Stderr
	if err := cmd.Run(); err != nil {
		return nil, &keptError{err: fmt.Errorf("run the editor %s: %w", words[0], err), file: e.file}
	}
	return readCapped(e.file, maxFile)
}

// editor is the person's editor with its arguments.
func (env *Env) editor() []string {
	for _, variable := range []string{"STATEROOM_EDITOR", "KUBE_EDITOR", "VISUAL", "EDITOR"} {
		if words := strings.Fields(env.Getenv(variable)); len(words) > 0 {
			return words
		}
	}
	if path, err := exec.LookPath("vi"); err == nil {
		return []string{path}
	}
	return nil
}

// complaint begins each line that we put into the text, and that is taken out
// again.
const complaint = "#! "

func withComplaints(text []byte, err error) []byte {
	var out bytes.Buffer
	for line := range strings.SplitSeq(err.Error(), "\n") {
		out.WriteString(complaint + clean(line) + "\n")
	}
	out.WriteString(complaint + "leave the file as it is to give up\n")
	out.Write(text)
	return out.Bytes()
}

func withoutComplaints(text []byte) []byte {
	var out []byte
	for line := range bytes.Lines(text) {
		if !bytes.HasPrefix(line, []byte(complaint)) {
			out = append(out, line...)
		}
	}
	return out
}

// keptError says where the text is that could not be committed.
type keptError struct {
	err  error
	file string
}

func (e *keptError) Error() string { return e.err.Error() }
func (e *keptError) Unwrap() error { return e.err }

// Hint says where it is.
func (e *keptError) Hint() string { return "what you typed is kept in " + e.file }
