package cli

import (
	"fmt"
	"io"
	"slices"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/plan"
)

// updateView is a plan, or what was done of it, as programs read it.
type updateView struct {
	Cluster  string                  `json:"cluster"`
	Draft    string                  `json:"draft,omitempty"` // as if it were published
	Cloud    string                  `json:"cloud,omitempty"` // where it runs: the changes are those of the commit alone
	Head     int                     `json:"head"`
	Released int                     `json:"released"`
	Commit   int                     `json:"commit,omitempty"`
	Keysets  []string                `json:"keysets"`
	Changes  []stateroom.PlanChange  `json:"changes"`
	Ignored  []stateroom.PlanIgnored `json:"ignored"`
	Notes    []string                `json:"notes"`
}

func viewUpdate(u *stateroom.Update) updateView {
	return updateView{
		Cluster: string(u.Cluster), Draft: u.Draft, Cloud: u.Cloud, Head: u.Head, Released: u.Released, Commit: u.Commit,
		Keysets: slices.Concat([]string{}, u.Keysets), Changes: u.ChangesForPrograms(), Ignored: u.IgnoredForPrograms(),
		Notes: slices.Concat([]string{}, u.Notes),
	}
}

func (env *Env) showUpdate(opt updateOptions, u *stateroom.Update) error {
	for _, w := range u.Warnings {
		env.sayf("warning: %s", w)
	}
	switch opt.format {
	case asJSON:
		return writeJSON(env.Stdout, viewUpdate(u))
	case asYAML:
		return writeYAML(env.Stdout, viewUpdate(u))
	case asMarkdown:
		return env.markdownUpdate(u)
	}
	w := &lines{w: env.Stdout}
	if u.Empty() && u.Cloud != "" {
		w.printf("%s: commit %d has all that draft %s has, there is nothing to publish\n", u.Cluster, u.Head, u.Draft)
		return w.err
	}
	if u.Empty() {
		w.printf("%s: commit %d is live, there is nothing to do\n", u.Cluster, u.Released)
		return w.err
	}
	env.showPlan(w, u)
	switch {
	case opt.stale:
	case u.Draft != "":
		w.printf("\n%s: nothing was written; to commit the draft: %s\n", u.Cluster, env.here(fmt.Sprintf("stateroom publish %s --name %s", u.Draft, u.Cluster)))
	case u.Commit > 0:
		w.printf("\n%s: commit %d is released\n", u.Cluster, u.Commit)
	case opt.yes:
		w.printf("\n%s: dry run, nothing was written\n", u.Cluster)
	default:
		w.printf("\n%s: nothing was written; to make it live: %s\n", u.Cluster, env.here(fmt.Sprintf("stateroom update cluster %s --yes", u.Cluster)))
	}
	return w.err
}

// lines is a writer that remembers its first error.
type lines struct {
	w   io.Writer
	err error
}

func (l *lines) printf(format string, args ...any) {
	if l.err == nil {
		_, l.err = fmt.Fprintf(l.w, format, args...)
	}
}

// showPlan prints the plan group by group: what changes, then what that does to
// the services of a node.
func (env *Env) showPlan(w *lines, u *stateroom.Update) {
	if u.Cloud != "" {
		w.printf("%s: what is committed, on commit %d\n", u.Cluster, u.Head)
	} else if u.Released == 0 {
		w.printf("%s: from nothing to commit %d\n", u.Cluster, u.Head)
	} else {
		w.printf("%s: from commit %d, which is live, to commit %d\n", u.Cluster, u.Released, u.Head)
	}
	if u.Draft != "" {
		w.printf("with draft %s, as it would be if it were published\n", u.Draft)
	}
	for _, name := range u.Keysets {
		w.printf("%s\n", env.paint(env.Stdout, green, "+ keyset "+name+" (made when applied)"))
	}
	group := ""
	for _, c := range u.Changes {
		if c.Group != group {
			group = c.Group
			w.printf("\nnodes of %s:\n", group)
		}
		env.showPlanned(w, c, u.Released == 0 && u.Cloud == "")
	}
	if restarts := effects(u.Changes); u.Cloud != "" {
		w.printf("\n")
	} else if len(restarts) > 0 {
		w.printf("\nwhat that does to a node:\n")
		for _, line := range restarts {
			w.printf("  %s\n", line)
		}
	} else {
		w.printf("\nno service of a node is touched\n")
	}
	for _, note := range u.Notes {
		w.printf("note: %s\n", clean(note))
	}
	env.showIgnored(w, u.Ignored)
}

// showPlanned prints one change. Of a first release, whose every text is new,
// the texts are left out.
func (env *Env) showPlanned(w *lines, c plan.Change, brief bool) {
	sign, col := "~", yellow
	switch c.Action {
	case plan.Add:
		sign, col = "+", green
	case plan.Remove:
		sign, col = "-", red
	}
	indent := ""
	if c.Group != "" {
		indent = "  "
	}
	w.printf("%s%s\n", indent, env.paint(env.Stdout, col, clean(fmt.Sprintf("%s %s %s", sign, c.Kind, c.Name))))
	if c.Text == "" || brief {
		return
	}
	if w.err == nil {
		w.err = env.showDiff(w.w, c.Text)
	}
}

// effects lists the services that start, stop or restart, and why.
func effects(changes []plan.Change) []string {
	var all []string
	for _, c := range changes {
		if c.Kind == plan.KindService && c.Effect != plan.None {
			all = append(all, clean(fmt.Sprintf("%s: %s: %s", c.Group, c.Effect, c.Why)))
		}
	}
	return all
}

// showIgnored names the fields that have no effect. Those that every cluster
// has are only counted.
func (env *Env) showIgnored(w *lines, all []plan.Ignored) {
	usual := 0
	for _, i := range all {
		if i.Usual {
			usual++
			continue
		}
		w.printf("no effect: %s:%d: %s %s\n", i.File, i.Line, clean(i.Path), clean(i.Why))
	}
	if usual > 0 {
		w.printf("(%d usual fields have no effect on hosts: -o json lists them)\n", usual)
	}
}
