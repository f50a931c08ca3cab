package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom"
)

type rollbackOptions struct {
	writeFlags
	to   string
	keys bool
}

func rollbackCmd(env *Env) *cobra.Command {
	var opt rollbackOptions
	cmd := &cobra.Command{
		Use:   "rollback [NAME] --to COMMIT",
		Short: "Go back to the documents of an older commit",
		Long: `Make a new commit with the documents of an older one: the cluster, its instance
groups and add-ons. Keys and secrets stay as they are, since an old authority
would cut the cluster off; --keys brings them back too. Nothing runs differently
before stateroom update cluster --yes.`,
		Example: "  stateroom rollback --to 3\n  stateroom rollback demo.example.com --to head~1 -m 'the quota was wrong'",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runRollback(cmd.Context(), env, opt, args)
		},
	}
	cmd.Flags().StringVar(&opt.to, "to", "", "the commit: a number, head~1, or a time")
	cmd.Flags().BoolVar(&opt.keys, "keys", false, "bring back keys and secrets too")
	opt.flags(cmd.Flags())
	return cmd
}

func runRollback(ctx context.Context, env *Env, opt rollbackOptions, args []string) error {
	if opt.to == "" {
		return usagef("stateroom log lists the commits; then --to COMMIT", "rollback to which commit?")
	}
	if !ref.MatchString(opt.to) {
		return noCommit(opt.to)
	}
	s, name, err := env.openCluster(ctx, first(args))
	if err != nil {
		return err
	}
	out, err := s.Rollback(ctx, name, stateroom.Rollback{To: opt.to, Keys: opt.keys}, opt.write())
	if err != nil {
		return err
	}
	return env.showOutcome(out)
}
