package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
)

type resolveOptions struct {
	writeFlags
	ours, theirs bool
	file         string
}

func resolveCmd(env *Env) *cobra.Command {
	var opt resolveOptions
	cmd := &cobra.Command{
		Use:   "resolve FILE --ours|--theirs|--file F",
		Short: "Settle a conflict with another tool",
		Long: `Another tool wrote a file while a commit was being made. The commit stands, and a
conflict record keeps what the other tool wrote; stateroom status shows it (of the
newest 1,000 commits), and stateroom show N what it is, until it is settled:

  --ours    the file stays as it is
  --theirs  the file becomes what the other tool wrote
  --file F  the file becomes F

Each is a commit that says so.`,
		Example: "  stateroom resolve config --ours\n  stateroom resolve instancegroup/nodes-main --theirs -m 'kops was right'",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runResolve(cmd.Context(), env, opt, args)
		},
	}
	cmd.Flags().BoolVar(&opt.ours, "ours", false, "the file stays as it is")
	cmd.Flags().BoolVar(&opt.theirs, "theirs", false, "the file becomes what the other tool wrote")
	cmd.Flags().StringVar(&opt.file, "file", "", "the file becomes this one")
	opt.changeFlags(cmd.Flags())
	return cmd
}

func runResolve(ctx context.Context, env *Env, opt resolveOptions, args []string) error {
	given := 0
	for _, is := range []bool{opt.ours, opt.theirs, opt.file != ""} {
		if is {
			given++
		}
	}
	if len(args) == 0 || given != 1 {
		return usagef("stateroom resolve FILE --ours, or --theirs, or --file F", "say which file, and what it is to be")
	}
	rs := stateroom.Resolve{File: args[0], Theirs: opt.theirs}
	if opt.file != "" {
		b, err := env.readFile(ctx, opt.file)
		if err != nil {
			return err
		}
		rs.Bytes = append([]byte{}, b...)
	}
	s, name, err := env.openCluster(ctx, "")
	if err != nil {
		return err
	}
	out, err := s.Resolve(ctx, name, rs, opt.write())
	if err != nil {
		return err
	}
	return env.showOutcome(out)
}

// conflictView is a conflict as programs read it.
type conflictView struct {
	Commit  int    `json:"commit"`
	Name    string `json:"name"`
	Deleted bool   `json:"deleted,omitempty"`
}

// viewConflicts reads what is not settled of the newest commits.
func viewConflicts(ctx context.Context, s *stateroom.Store, name cluster.Name) ([]conflictView, error) {
	open, _, err := s.RecentConflicts(ctx, name)
	views := []conflictView{}
	for _, c := range open {
		views = append(views, conflictView(c))
	}
	return views, err
}

// showConflicts prints what is not settled, and how it is.
func (env *Env) showConflicts(open []conflictView) {
	for _, c := range open {
		word := "wrote"
		if c.Deleted {
			word = "deleted"
		}
		line := fmt.Sprintf("conflict: %s (another tool %s it at the same time, commit %d keeps that; stateroom show %d, then stateroom resolve %s --ours or --theirs)",
			c.Name, word, c.Commit, c.Commit, c.Name)
		fmt.Fprintf(env.Stdout, "%s\n", env.paint(env.Stdout, red, clean(line)))
	}
}
