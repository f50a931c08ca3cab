package cli

import (
	"context"

	"github.com/spf13/cobra"
)

func deleteGroupCmd(env *Env) *cobra.Command {
	var opt deleteOptions
	cmd := &cobra.Command{
		Use:     "instancegroup GROUP --yes",
		Aliases: []string{"ig"},
		Short:   "Delete an instance group",
		Long: `Delete the document of an instance group. The history keeps it. A group that the
cluster cannot be without is refused: the last of the control plane, the last
beside it, and one that runs a member of etcd.

Its hosts are not stopped: end them first.`,
		Example: "  stateroom delete instancegroup nodes-big\n  stateroom delete instancegroup nodes-big --yes",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDeleteGroup(cmd.Context(), env, opt, first(args))
		},
	}
	cmd.Flags().BoolVarP(&opt.yes, "yes", "y", false, "do it; without it, only show what would be deleted")
	opt.flags(cmd.Flags())
	return cmd
}

func runDeleteGroup(ctx context.Context, env *Env, opt deleteOptions, group string) error {
	if group == "" {
		return usagef("stateroom get instancegroups lists them", "which instance group?")
	}
	s, name, err := env.openCluster(ctx, "")
	if err != nil {
		return err
	}
	w := opt.writeIf(opt.yes)
	out, err := s.DeleteGroup(ctx, name, group, w)
	if err != nil {
		return err
	}
	if err := env.showOutcome(out); err != nil || opt.yes {
		return err
	}
	env.sayf("hint: with --yes, this deletes instance group %s of cluster %s", group, name)
	return nil
}
