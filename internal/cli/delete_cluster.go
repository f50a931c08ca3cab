package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

type deleteOptions struct {
	writeFlags
	yes bool
}

func deleteClusterCmd(env *Env) *cobra.Command {
	var opt deleteOptions
	cmd := &cobra.Command{
		Use:   "cluster NAME --yes",
		Short: "Delete the state of a cluster; its history stays",
		Long: `Delete the files of a cluster from the store. Its history stays, and the cluster
can be brought back from it. What runs of it on this machine must be stopped
first (stateroom down); what it keeps on disk here is removed too.`,
		Example: "  stateroom delete cluster demo.example.com\n  stateroom delete cluster demo.example.com --yes",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDeleteCluster(cmd.Context(), env, opt, args)
		},
	}
	cmd.Flags().BoolVarP(&opt.yes, "yes", "y", false, "do it; without it, only show what would be deleted")
	opt.flags(cmd.Flags())
	return cmd
}

func runDeleteCluster(ctx context.Context, env *Env, opt deleteOptions, args []string) error {
	s, err := env.open(ctx)
	if err != nil {
		return err
	}
	if len(args) == 0 && env.name == "" {
		return usagef("stateroom delete cluster NAME --yes", "which cluster? a cluster to delete must be named")
	}
	name, err := env.cluster(ctx, s, first(args))
	if err != nil {
		return err
	}
	m, err := env.machine()
	if err != nil {
		return err
	}
	running, err := m.Running(ctx, name)
	if err != nil { // what runs here must not lose its data
		return fmt.Errorf("whether %s runs on this machine cannot be seen: %w", name, err)
	}
	if running.Any() {
		return usagef(fmt.Sprintf("stateroom down %s", name), "cluster %s runs on this machine", name)
	}
	w := opt.writeIf(opt.yes)
	out, err := s.Delete(ctx, name, w)
	if err != nil {
		return err
	}
	switch err := env.showOutcome(out); {
	case err != nil:
		return err
	case !opt.yes:
		env.sayf("hint: with --yes, this deletes %d files of cluster %s", len(out.Changes), name)
		return nil
	case w.DryRun:
		return nil
	}
	if out.Commit > 0 {
		env.next("stateroom rollback %s --to %d --keys brings it back", name, out.Commit-1)
	}
	return m.Forget(name)
}
