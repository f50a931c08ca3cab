package cli

import (
	"fmt"
	"html"
	"slices"
	"strings"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/plan"
)

// markdownUpdate prints a plan for a comment on a pull request: what happens to
// the nodes first, then each difference, folded. Nothing that stands in a
// document can end a block or become markup.
func (env *Env) markdownUpdate(u *stateroom.Update) error {
	w := &lines{w: env.Stdout}
	from := fmt.Sprintf("from commit %d, which is live, ", u.Released)
	if u.Released == 0 {
		from = ""
	}
	to := fmt.Sprintf("to commit %d", u.Head)
	if u.Draft != "" {
		to += " and draft `" + u.Draft + "`"
	}
	w.printf("### Plan of %s: %s%s\n\n", code(string(u.Cluster)), from, to)
	if u.Empty() {
		w.printf("There is nothing to do.\n")
		return w.err
	}
	if u.Cloud == "" {
		markdownEffects(w, u)
	}
	for _, name := range u.Keysets {
		w.printf("- keyset %s is made\n", code(name))
	}
	if len(u.Keysets) > 0 {
		w.printf("\n")
	}
	for i := 0; i < len(u.Changes); {
		n := i
		for n < len(u.Changes) && u.Changes[n].Group == u.Changes[i].Group {
			n++
		}
		markdownGroup(w, u.Changes[i:n], u.Released == 0 && u.Cloud == "")
		i = n
	}
	for _, note := range u.Notes {
		w.printf("> %s\n", escaped(note))
	}
	for _, i := range u.Ignored {
		if !i.Usual {
			w.printf("> no effect: %s %s\n", code(fmt.Sprintf("%s:%d: %s", i.File, i.Line, i.Path)), escaped(i.Why))
		}
	}
	return w.err
}

// markdownEffects is the table of what the nodes go through.
func markdownEffects(w *lines, u *stateroom.Update) {
	touched := slices.ContainsFunc(u.Changes, func(c plan.Change) bool { return c.Kind == plan.KindService && c.Effect != plan.None })
	if !touched {
		w.printf("No service of a node is touched.\n\n")
		return
	}
	w.printf("| nodes of | service | what happens | why |\n| --- | --- | --- | --- |\n")
	for _, c := range u.Changes {
		if c.Kind == plan.KindService && c.Effect != plan.None {
			w.printf("| %s | %s | **%s** | %s |\n", code(c.Group), code(c.Name), c.Effect, escaped(c.Why))
		}
	}
	w.printf("\n")
}

// markdownGroup is the differences of one group, or of the documents. Of a
// first release, whose every text is new, the texts are left out.
func markdownGroup(w *lines, changes []plan.Change, brief bool) {
	title := "Documents"
	if group := changes[0].Group; group != "" {
		title = "Nodes of " + html.EscapeString(clean(group))
	}
	w.printf("<details><summary>%s: %s</summary>\n\n", title, count(len(changes), "change", 0, ""))
	for _, c := range changes {
		w.printf("- %s %s %s\n", c.Action, c.Kind, code(c.Name))
		if c.Text == "" || brief {
			continue
		}
		fence := "```"
		for strings.Contains(c.Text, fence) {
			fence += "`"
		}
		w.printf("\n%sdiff\n", fence)
		for line := range strings.Lines(c.Text) {
			w.printf("%s\n", clean(strings.TrimSuffix(line, "\n")))
		}
		w.printf("%s\n", fence)
	}
	w.printf("\n</details>\n\n")
}

// code is text between backquotes: more of them than stand in it.
func code(s string) string {
	s = strings.ReplaceAll(clean(s), "|", "\\|")
	quote := "`"
	for strings.Contains(s, quote) {
		quote += "`"
	}
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return quote + s + quote
}

// escaped is text in which no character means anything.
func escaped(s string) string {
	var b strings.Builder
	for _, r := range clean(s) {
		if strings.ContainsRune("\\`*_{}[]<>()#|!~&@", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
