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
	var opt leaseOptions
	cmd := &cobra.Command{
		Use:     "take [NAME] --reason R",
		Short:   "Say that you are at work on a cluster",
		Long:    leaseLong,
		Example: "  stateroom lease take --reason 'change freeze' --for 2h",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runLeaseTake(cmd.Context(), env, opt, args)
		},
	}
	cmd.Flags().StringVar(&opt.reason, "reason", "", "why: what others read")
	cmd.Flags().DurationVar(&opt.long, "for", 30*time.Minute, "how long it holds")
	cmd.Flags().BoolVar(&opt.force, "force", false, "take it from somebody else")
	return cmd
}

func leaseShowCmd(env *Env) *cobra.Command {
	var opt leaseOptions
	cmd := &cobra.Command{
		Use:     "show [NAME]",
		Short:   "Show who is at work on a cluster",
		Long:    leaseLong,
		Example: "  stateroom lease show",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runLeaseShow(cmd.Context(), env, opt, args)
		},
	}
	opt.flag(cmd.Flags(), "text", asYAML, asJSON)
	return cmd
}

func leaseDropCmd(env *Env) *cobra.Command {
	var opt leaseOptions
	cmd := &cobra.Command{
		Use:     "drop [NAME]",
		Short:   "Say that you are done with a cluster",
		Long:    leaseLong,
		Example: "  stateroom lease drop\n  stateroom lease drop demo.example.com --force",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runLeaseDrop(cmd.Context(), env, opt, args)
		},
	}
	cmd.Flags().BoolVar(&opt.force, "force", false, "drop that of somebody else")
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
	switch {
	case opt.format == asJSON:
		return writeJSON(env.Stdout, v)
	case opt.format == asYAML:
		return writeYAML(env.Stdout, v)
	case v == nil:
		_, err = fmt.Fprintf(env.Stdout, "%s: nobody has the lease\n", name)
	default:
		_, err = fmt.Fprintf(env.Stdout, "%s: %s\n", name, clean(v.text()))
	}
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
