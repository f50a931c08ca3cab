package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/store"
)

type leaseOptions struct {
	output
	reason string
	long   time.Duration
	force  bool
}

const leaseLong = `A lease says who is at work on a cluster, and why. It is advice: whoever writes
meanwhile is told, and not refused. It ends by itself.`

func leaseTakeCmd(env *Env) *cobra.Command {
	opt := &leaseOptions{}
	cmd := leaseCmd(env, opt, runLeaseTake, &cobra.Command{
		Use:     "take [NAME] --reason R",
		Short:   "Say that you are at work on a cluster",
		Example: "  stateroom lease take --reason 'change freeze' --for 2h",
	})
	cmd.Flags().StringVar(&opt.reason, "reason", "", "why: what others read")
	cmd.Flags().DurationVar(&opt.long, "for", 30*time.Minute, "how long it holds")
	cmd.Flags().BoolVar(&opt.force, "force", false, "take it from somebody else")
	return cmd
}

func leaseShowCmd(env *Env) *cobra.Command {
	opt := &leaseOptions{}
	cmd := leaseCmd(env, opt, runLeaseShow, &cobra.Command{
		Use:     "show [NAME]",
		Short:   "Show who is at work on a cluster",
		Example: "  stateroom lease show",
	})
	opt.flag(cmd.Flags(), "text", asYAML, asJSON)
	return cmd
}

func leaseDropCmd(env *Env) *cobra.Command {
	opt := &leaseOptions{}
	cmd := leaseCmd(env, opt, runLeaseDrop, &cobra.Command{
		Use:     "drop [NAME]",
		Short:   "Say that you are done with a cluster",
		Example: "  stateroom lease drop\n  stateroom lease drop demo.example.com --force",
	})
	cmd.Flags().BoolVar(&opt.force, "force", false, "drop that of somebody else")
	return cmd
}

// leaseCmd completes a command about the lease of a cluster.
func leaseCmd(env *Env, opt *leaseOptions, run func(context.Context, *Env, leaseOptions, []string) error, cmd *cobra.Command) *cobra.Command {
	cmd.Long, cmd.Args = leaseLong, atMost(1)
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return run(cmd.Context(), env, *opt, args) }
	return cmd
}

// leaseView is a lease as programs read it.
type leaseView struct {
	Holder string    `json:"holder"`
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"`
	Commit int       `json:"commit"`
}

func viewOfLease(l *store.Lease) *leaseView {
	if l == nil {
		return nil
	}
	return &leaseView{l.Holder, l.Reason, l.Since, l.Until, l.Commit}
}

func viewLease(ctx context.Context, s *stateroom.Store, name cluster.Name) (*leaseView, error) {
	l, err := s.Lease(ctx, name)
	return viewOfLease(l), err
}

func (v *leaseView) text() string {
	return fmt.Sprintf("%s until %s: %s", v.Holder, when(v.Until), v.Reason)
}

func runLeaseTake(ctx context.Context, env *Env, opt leaseOptions, args []string) error {
	switch {
	case opt.reason == "":
		return usagef("--reason 'change freeze'", "a lease without a reason tells nobody anything")
	case opt.long < time.Second:
		return usagef("--for 30m", "a lease cannot hold for %s", opt.long)
	}
	s, name, err := env.openCluster(ctx, first(args))
	if err != nil {
		return err
	}
	l, err := s.TakeLease(ctx, name, opt.reason, opt.long, opt.force)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.Stdout, "%s: %s\n", name, clean(viewOfLease(l).text()))
	return err
}

func runLeaseShow(ctx context.Context, env *Env, opt leaseOptions, args []string) error {
	s, name, err := env.openCluster(ctx, first(args))
	if err != nil {
		return err
	}
	v, err := viewLease(ctx, s, name)
	if err != nil {
		return err
	}
	if asked, err := opt.forPrograms(env.Stdout, v); asked {
		return err
	}
	word := "nobody has the lease"
	if v != nil {
		word = v.text()
	}
	_, err = fmt.Fprintf(env.Stdout, "%s: %s\n", name, clean(word))
	return err
}

func runLeaseDrop(ctx context.Context, env *Env, opt leaseOptions, args []string) error {
	s, name, err := env.openCluster(ctx, first(args))
	if err != nil {
		return err
	}
	l, err := s.DropLease(ctx, name, opt.force)
	if err != nil {
		return err
	}
	word := "nobody had the lease"
	if l != nil {
		word = fmt.Sprintf("the lease of %s is dropped", l.Holder)
	}
	_, err = fmt.Fprintf(env.Stdout, "%s: %s\n", name, clean(word))
	return err
}
