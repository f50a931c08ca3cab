package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/store"
)

// writeFlags are those of every command that writes.
type writeFlags struct {
	message   string
	dryRun    bool
	downgrade bool
}

func (f *writeFlags) flags(fs *pflag.FlagSet) {
	fs.StringVarP(&f.message, "message", "m", "", "why: the message of the commit")
	fs.BoolVar(&f.dryRun, "dry-run", false, "show what would change, and write nothing")
}

// changeFlags are the flags of commands that change documents.
func (f *writeFlags) changeFlags(fs *pflag.FlagSet) {
	f.flags(fs)
	fs.BoolVar(&f.downgrade, "allow-downgrade", false, "allow a lower Kubernetes version")
}

func (f *writeFlags) write() stateroom.Write {
	return stateroom.Write{Message: f.message, DryRun: f.dryRun, Downgrade: f.downgrade}
}

// writeIf is write where --yes was given, and else a dry run.
func (f *writeFlags) writeIf(yes bool) stateroom.Write {
	w := f.write()
	w.DryRun = w.DryRun || !yes
	return w
}

// showOutcome prints what a command changed, and warnings beside it.
func (env *Env) showOutcome(out *stateroom.Outcome) error {
	if out.DryRun {
		return env.showOutcomeIn(out, out.Changes)
	}
	return env.showOutcomeIn(out, withoutNew(out.Changes))
}

// showOutcomeIn is showOutcome with the changes as they are to be shown.
func (env *Env) showOutcomeIn(out *stateroom.Outcome, shown []stateroom.FileChange) error {
	env.sayBeside(out)
	if len(out.Changes) == 0 && out.Commit == 0 {
		_, err := fmt.Fprintf(env.Stdout, "%s: nothing to change\n", out.Cluster)
		return err
	}
	if err := env.showChanges(env.Stdout, shown); err != nil {
		return err
	}
	return env.showMade(out)
}

// sayBeside says what a person should know of a change and did not ask.
func (env *Env) sayBeside(out *stateroom.Outcome) {
	if len(out.Rebased) > 0 && out.Rebased[0].Number != env.rebased {
		env.sayf("%s", rebasedText(out.Rebased))
	}
	for _, w := range out.Warnings {
		env.sayf("warning: %s", w)
	}
}

// showMade prints which commit was made.
func (env *Env) showMade(out *stateroom.Outcome) error {
	if out.DryRun {
		_, err := fmt.Fprintf(env.Stdout, "%s: dry run, nothing was written\n", out.Cluster)
		return err
	}
	if out.Draft != "" {
		_, err := fmt.Fprintf(env.Stdout, "%s: commit %s of draft %s\n", out.Cluster, store.NumberText(out.Commit), out.Draft)
		return err
	}
	_, err := fmt.Fprintf(env.Stdout, "%s: commit %d\n", out.Cluster, out.Commit)
	if slices.ContainsFunc(out.Changes, func(c stateroom.FileChange) bool { return !c.Secret && c.Action != stateroom.Removed }) {
		env.next("nothing runs differently yet; stateroom status %s says what makes it live", out.Cluster)
	}
	return err
}

// withoutNew leaves out the text of files that are new: it is what the person
// asked for, and stateroom show has it.
func withoutNew(changes []stateroom.FileChange) []stateroom.FileChange {
	brief := slices.Clone(changes)
	for i := range brief {
		if brief[i].Action == stateroom.Added {
			brief[i].Diff = ""
		}
	}
	return brief
}

// showChanges prints files that differ, with their differences; secrets only by
// name.
func (env *Env) showChanges(w io.Writer, changes []stateroom.FileChange) error {
	for _, c := range changes {
		line := fmt.Sprintf("%s %s", c.Action, c.Name)
		if c.Secret {
			line += " [secret]"
		}
		if _, err := fmt.Fprintln(w, env.paint(w, actionColor(c.Action), clean(line))); err != nil {
			return err
		}
		if err := env.showDiff(w, c.Diff); err != nil {
			return err
		}
	}
	return nil
}

func actionColor(a stateroom.Action) color {
	switch a {
	case stateroom.Added:
		return green
	case stateroom.Removed:
		return red
	}
	return yellow
}

// showDiff prints the hunks of a unified diff, indented.
func (env *Env) showDiff(w io.Writer, hunks string) error {
	for line := range strings.Lines(hunks) {
		line = clean(strings.TrimSuffix(line, "\n"))
		switch {
		case strings.HasPrefix(line, "+"):
			line = env.paint(w, green, line)
		case strings.HasPrefix(line, "-"):
			line = env.paint(w, red, line)
		case strings.HasPrefix(line, "@"):
			line = env.paint(w, cyan, line)
		}
		if _, err := fmt.Fprintln(w, "  "+line); err != nil {
			return err
		}
	}
	return nil
}
