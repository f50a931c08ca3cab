package cli

import (
	"context"
	"math"

	"github.com/spf13/cobra"
)

func adoptCmd(env *Env) *cobra.Command {
	var opt writeFlags
	cmd := &cobra.Command{
		Use:   "adopt [FILE...]",
		Short: "Take in now what another tool changed",
		Long: `Import what another tool, or a person, changed in the files of a cluster: all of
it, or the files and folders named, as stateroom status names them. The commit is
by foreign; -m says what it was for. Without adopt, the next write imports it.`,
		Example: "  stateroom adopt -m 'kops raised the quota'\n  stateroom adopt config --name demo.example.com --dry-run",
		Args:    atMost(math.MaxInt),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runAdopt(cmd.Context(), env, opt, args)
		},
	}
	opt.flags(cmd.Flags())
	return cmd
}

func runAdopt(ctx context.Context, env *Env, opt writeFlags, args []string) error {
	s, name, err := env.openCluster(ctx, "")
	if err != nil {
		return err
	}
	out, err := s.Adopt(ctx, name, args, opt.write())
	if err != nil {
		return err
	}
	return env.showOutcome(out)
}
