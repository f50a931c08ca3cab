package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
)

// demo is the cluster that up makes where none is named.
const demo = "demo.stateroom.internal"

type upOptions struct {
	programFlags
	message string
	wait    time.Duration
}

func upCmd(env *Env) *cobra.Command {
	var opt upOptions
	cmd := &cobra.Command{
		Use:   "up [NAME]",
		Short: "Run a cluster's control plane on this machine",
		Long: `Run a cluster's control plane on this machine, as the user you are: create the
cluster's state where there is none (` + demo + ` where no name is given),
get the programs of Kubernetes, make the newest commit live, start
stateroom-agent in the background, and wait until the API is there.

Run it again at any time. stateroom down stops all of it and keeps the state.`,
		Example: "  stateroom up\n  stateroom up demo.example.com",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runUp(cmd.Context(), env, opt, args)
		},
	}
	opt.flags(cmd.Flags())
	cmd.Flags().StringVarP(&opt.message, "message", "m", "", "why: the message of the commit")
	cmd.Flags().DurationVar(&opt.wait, "wait", waitDefault, "how long to wait for the control plane")
	return cmd
}

func runUp(ctx context.Context, env *Env, opt upOptions, args []string) error {
	if opt.wait <= 0 {
		return errNegativeWait
	}
	s, err := env.open(ctx)
	if err != nil {
		return err
	}
	name, err := env.upName(first(args))
	if err != nil {
		return err
	}
	m, err := env.machine()
	if err != nil {
		return err
	}
	programs, show, err := env.programs(ctx, opt.programFlags)
	if err != nil {
		return err
	}
	defer show.done()
	began := env.Now()
	st, err := s.Up(ctx, name, stateroom.Up{
		Programs: programs, Machine: m, Message: opt.message, Wait: opt.wait, Say: show.say, Progress: show.standing,
	})
	show.done()
	if err != nil {
		if st != nil {
			env.showLastWords(st)
		}
		if running, unseen := m.Running(context.WithoutCancel(ctx), name); ctx.Err() != nil && unseen == nil && running.Any() {
			env.sayf("hint: %s goes on starting; stateroom status %s says how far it is, and stateroom down %s ends it", name, name, name)
		}
		return err
	}
	took := env.Now().Sub(began)
	names, err := s.ClusterNames(ctx)
	if err != nil {
		return err
	}
	return env.showUp(name, len(names) == 1, m, took)
}

// upName is the cluster to run: unlike elsewhere, one that need not be there.
func (env *Env) upName(arg string) (cluster.Name, error) {
	given, err := env.namedCluster(arg)
	if err != nil || given == "" {
		return demo, err
	}
	return cluster.ParseName(given)
}

// showUp says what can be done now; a cluster that is alone in its store need
// not be named for it.
func (env *Env) showUp(name cluster.Name, alone bool, m stateroom.Machine, took time.Duration) error {
	program := "stateroom"
	if env.state != "" {
		program += " --state " + shellQuote(env.state)
	}
	if !alone {
		program += " --name " + string(name)
	}
	w := &lines{w: env.Stdout}
	w.printf("%s is up (%s)\n\n", name, took.Round(100*time.Millisecond))
	w.printf("  export KUBECONFIG=%s\n\n", shellQuote(m.KubeconfigPath(name)))
	for _, next := range []struct{ what, command string }{
		{"use it", "kubectl -- get namespaces"},
		{"change it", "edit cluster --set spec.kubeAPIServer.maxRequestsInflight=801"},
		{"see what that does", "update cluster"},
		{"make it live", "update cluster --yes --wait"},
		{"look back", "log"},
		{"stop it", "down"},
	} {
		w.printf("  %-20s %s %s\n", next.what, program, next.command)
	}
	return w.err
}
