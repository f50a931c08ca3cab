package cli

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/store"
)

type showOptions struct {
	output
	atFlag
}

func showCmd(env *Env) *cobra.Command {
	var opt showOptions
	cmd := &cobra.Command{
		Use:   "show [NAME] [COMMIT]",
		Short: "Show a commit and what it changed",
		Long: `Show a commit and what it changed. COMMIT is a number, head, head~2, or a time
(2026-01-02T15:04:05Z: the newest commit then). Secrets and keysets are named,
never shown.`,
		Example: "  stateroom show\n  stateroom show demo.example.com 3",
		Args:    atMost(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runShow(cmd.Context(), env, opt, args)
		},
	}
	opt.flag(cmd.Flags(), "text", asYAML, asJSON)
	opt.atFlag.atFlag(cmd.Flags())
	return cmd
}

// changeView is a file that differs, as programs read it.
type changeView struct {
	Name   string `json:"name"`
	Action string `json:"action"`
	Secret bool   `json:"secret,omitempty"`
	Diff   string `json:"diff,omitempty"`
}

func viewChanges(changes []stateroom.FileChange) []changeView {
	views := []changeView{}
	for _, c := range changes {
		views = append(views, changeView{Name: c.Name, Action: string(c.Action), Secret: c.Secret, Diff: c.Diff})
	}
	return views
}

func runShow(ctx context.Context, env *Env, opt showOptions, args []string) error {
	arg, refs, err := splitRefs(args, 1)
	if err != nil {
		return err
	}
	s, name, err := env.openCluster(ctx, arg)
	if err != nil {
		return err
	}
	if opt.at != "" {
		refs = append(refs, opt.at)
	}
	switch {
	case len(refs) > 1:
		return usagef("stateroom show "+refs[0]+", or stateroom diff "+refs[0]+" "+refs[1]+" for what lies between", "which commit, %q or %q?", refs[0], refs[1])
	case len(refs) == 0:
		refs = []string{"head"}
	case !ref.MatchString(refs[0]):
		return noCommit(refs[0])
	}
	c, changes, err := s.Show(ctx, name, refs[0])
	if err != nil {
		return err
	}
	released, err := s.Released(ctx, name)
	if err != nil {
		return err
	}
	return env.showCommit(opt.output, c, released, changes)
}

func (env *Env) showCommit(opt output, c *store.Commit, released int, changes []stateroom.FileChange) error {
	view := struct {
		commitView
		Changes []changeView `json:"changes"`
	}{viewCommit(c, released), viewChanges(changes)}
	if asked, err := opt.forPrograms(env.Stdout, view); asked {
		return err
	}
	var out strings.Builder
	fmt.Fprintf(&out, "commit %d (%s)", view.Number, view.Kind)
	if view.Released {
		out.WriteString(", live")
	}
	fmt.Fprintf(&out, "\nauthor %s\ndate   %s\n\n", clean(view.Author), when(view.Time))
	for line := range strings.SplitSeq(view.Message, "\n") {
		fmt.Fprintf(&out, "    %s\n", clean(line))
	}
	out.WriteString("\n")
	if c.Foreign != nil {
		out.WriteString("what the other tool wrote, against what stands:\n")
	}
	if _, err := fmt.Fprint(env.Stdout, out.String()); err != nil {
		return err
	}
	if err := env.showChanges(env.Stdout, changes); err != nil {
		return err
	}
	for _, ch := range c.Changed { // what has no text of its own: the release, the catalogue
		if !slices.ContainsFunc(changes, func(f stateroom.FileChange) bool { return f.Name == ch.Name }) {
			fmt.Fprintln(env.Stdout, clean(ch.Action.String()+" "+ch.Name))
		}
	}
	return nil
}

// ref is what names a commit: a number, head and what is before it, a time.
var ref = regexp.MustCompile(`^([0-9]+|head(~[0-9]*)?|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ].*)$`)

// splitRefs parts the name of a cluster, which may come first, from at most
// that many names of commits.
func splitRefs(args []string, most int) (name string, refs []string, err error) {
	for i, arg := range args {
		switch {
		case ref.MatchString(arg):
			refs = append(refs, arg)
		case i == 0:
			name = arg
		default:
			return "", nil, noCommit(arg)
		}
	}
	if len(refs) > most {
		return "", nil, usagef("one after the other; stateroom log lists the commits", "%q is one commit too many", refs[most])
	}
	return name, refs, nil
}
