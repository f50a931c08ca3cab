package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom"
)

func statusCmd(env *Env) *cobra.Command {
	var opt output
	cmd := &cobra.Command{
		Use:     "status [NAME]",
		Short:   "Show where a cluster stands: committed, live, running",
		Example: "  stateroom status\n  stateroom status demo.example.com -o json",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runStatus(cmd.Context(), env, opt, args)
		},
	}
	opt.flag(cmd.Flags(), "text", asYAML, asJSON)
	return cmd
}

// statusView is where a cluster stands, as programs read it.
type statusView struct {
	Cluster     string             `json:"cluster"`
	ID          string             `json:"id"`
	Store       string             `json:"store"`
	Head        int                `json:"head"`
	Released    int                `json:"released"`
	Behind      int                `json:"behind"`
	Uncommitted []string           `json:"uncommitted"`
	Conflicts   []conflictView     `json:"conflicts"` // not settled yet
	Lease       *leaseView         `json:"lease,omitempty"`
	Hosts       []hostView         `json:"hosts"`
	Absent      []string           `json:"absent,omitempty"` // groups without a host
	Here        *stateroom.Running `json:"here,omitempty"`
}

func runStatus(ctx context.Context, env *Env, opt output, args []string) error {
	if err := opt.check(); err != nil {
		return err
	}
	s, name, err := env.openCluster(ctx, first(args))
	if err != nil {
		return err
	}
	st, here, err := env.standing(ctx, s, name)
	if err != nil {
		return err
	}
	view := statusView{
		Cluster: string(name), ID: st.ClusterID, Store: s.Place(), Head: st.Head, Behind: st.Behind(),
		Uncommitted: []string{}, Hosts: viewHosts(st), Absent: st.Absent, Here: here,
	}
	if view.Conflicts, err = viewConflicts(ctx, s, name); err != nil {
		return err
	}
	if view.Lease, err = viewLease(ctx, s, name); err != nil {
		return err
	}
	if st.Release != nil {
		view.Released = st.Release.Commit
	}
	for _, d := range st.Uncommitted {
		view.Uncommitted = append(view.Uncommitted, d.Name)
	}
	switch opt.format {
	case asJSON:
		return writeJSON(env.Stdout, view)
	case asYAML:
		return writeYAML(env.Stdout, view)
	}
	return env.showStatus(st, view)
}

func (env *Env) showStatus(st *stateroom.Standing, v statusView) error {
	fmt.Fprintf(env.Stdout, "cluster  %s\nstore    %s\n%s\n", v.Cluster, v.Store, headLine(v))
	if v.Lease != nil {
		fmt.Fprintf(env.Stdout, "lease    %s\n", clean(v.Lease.text()))
	}
	env.showDrift(st.Uncommitted)
	env.showConflicts(v.Conflicts)
	if v.Here != nil {
		fmt.Fprintf(env.Stdout, "here     %s\n", hereLine(v))
	}
	if len(st.Hosts)+len(st.Absent) > 0 {
		fmt.Fprintln(env.Stdout)
	}
	if err := env.showHosts(output{format: asTable}, st); err != nil {
		return err
	}
	return env.showServices(v)
}

// headLine says what is committed and what is live.
func headLine(v statusView) string {
	switch {
	case v.Released == 0:
		return fmt.Sprintf("head     %d, nothing released yet", v.Head)
	case v.Behind == 1:
		return fmt.Sprintf("head     %d, released %d: 1 commit not live", v.Head, v.Released)
	case v.Behind > 1:
		return fmt.Sprintf("head     %d, released %d: %d commits not live", v.Head, v.Released, v.Behind)
	}
	return fmt.Sprintf("head     %d, released", v.Head)
}

// hereLine says what runs on this machine. Nothing starts by itself after a
// reboot, so where nothing runs it says how to start it.
func hereLine(v statusView) string {
	switch {
	case v.Here.Agent > 0:
		return fmt.Sprintf("stateroom-agent runs (pid %d); after a reboot: stateroom up %s", v.Here.Agent, v.Cluster)
	case len(v.Here.Services) > 0:
		return fmt.Sprintf("%d services run without stateroom-agent; stateroom up %s starts it", len(v.Here.Services), v.Cluster)
	}
	return fmt.Sprintf("nothing runs; stateroom up %s starts it", v.Cluster)
}

func (env *Env) showServices(v statusView) error {
	t := &table{header: []string{"HOST", "SERVICE", "PID", "STARTED", "STATE"}}
	for _, h := range v.Hosts {
		for _, s := range h.Services {
			pid := ""
			if s.PID > 0 {
				pid = fmt.Sprint(s.PID)
			}
			started := ""
			if !s.Started.IsZero() {
				started = when(s.Started)
			}
			t.add(h.Node, s.Name, pid, started, s.State)
		}
	}
	if len(t.rows) == 0 {
		return nil
	}
	fmt.Fprintln(env.Stdout)
	return t.write(env.Stdout, env.width())
}
