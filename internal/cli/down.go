package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

func downCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:   "down [NAME]",
		Short: "Stop a cluster on this machine; its state and data stay",
		Long: `Stop stateroom-agent and every service of a cluster on this machine, and return
when no process is left. The state in the store and the data on disk stay:
stateroom up goes on from there.`,
		Example: "  stateroom down",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDown(cmd.Context(), env, args)
		},
	}
}

func runDown(ctx context.Context, env *Env, args []string) error {
	m, name, err := env.host(first(args))
	if err != nil {
		return err
	}
	running, err := m.Running(ctx, name)
	if err != nil {
		return err
	}
	if !running.Any() {
		_, err := fmt.Fprintf(env.Stdout, "%s does not run on this machine\n", name)
		return err
	}
	env.sayf("stopping %d processes of %s", running.Count(), name)
	if err := m.Stop(ctx, name); err != nil {
		if ctx.Err() != nil {
			env.sayf("hint: a part of it may be stopped; stateroom down %s stops the rest, stateroom up %s starts all of it", name, name)
		}
		return err
	}
	_, err = fmt.Fprintf(env.Stdout, "%s is down; %s starts it again\n", name, env.here("stateroom up "+string(name)))
	return err
}
