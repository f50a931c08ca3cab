package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/store"
)

func statusCmd(env *Env) *cobra.Command {
	var opt getOptions
	cmd := &cobra.Command{
		Use:   "status [NAME]",
		Short: "Show where a cluster stands: committed, live, running",
		Long: `Show where a cluster stands: what is committed, what of it is live, and what its
hosts say of themselves. Conflicts are those of the newest 1,000 commits. With
--at, it is what was committed and live then: hosts say only how they are now.`,
		Example: "  stateroom status\n  stateroom status demo.example.com -o json\n  stateroom status --at 2026-01-02T15:04:05Z",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runStatus(cmd.Context(), env, opt, args)
		},
	}
	opt.flag(cmd.Flags(), "text", asYAML, asJSON)
	opt.atFlag.atFlag(cmd.Flags())
	return cmd
}

// statusView is where a cluster stands, as programs read it.
type statusView struct {
	Cluster     string             `json:"cluster"`
	AsOf        *asOfView          `json:"asOf,omitempty"`
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

	cloud string // where it runs, and is not made live from here; empty: on hosts
}

// asOfView is the commit of --at.
type asOfView struct {
	Commit  int       `json:"commit"`
	Time    time.Time `json:"time"`
	Author  string    `json:"author"`
	Message string    `json:"message"`
}

func viewAsOf(c *store.Commit) *asOfView {
	return &asOfView{c.Number, c.Time.UTC(), c.Author, c.Message}
}

func (v *asOfView) text() string {
	subject, _, _ := strings.Cut(v.Message, "\n")
	return fmt.Sprintf("commit %d, %s, %s: %s", v.Commit, when(v.Time), nameOf(v.Author), subject)
}

func runStatus(ctx context.Context, env *Env, opt getOptions, args []string) error {
	s, name, err := opt.openCluster(ctx, env, first(args))
	if err != nil {
		return err
	}
	var st *stateroom.Standing
	var view statusView
	if opt.at != "" {
		st, view, err = viewStatusThen(ctx, s, name)
	} else {
		st, view, err = env.viewStatus(ctx, s, name)
	}
	if err != nil {
		return err
	}
	if asked, err := opt.forPrograms(env.Stdout, view); asked {
		return err
	}
	return env.showStatus(st, view)
}

// viewStatus is where a cluster stands now.
func (env *Env) viewStatus(ctx context.Context, s *stateroom.Store, name cluster.Name) (*stateroom.Standing, statusView, error) {
	var (
		st        *stateroom.Standing
		here      *stateroom.Running
		c         *cluster.Cluster
		conflicts []conflictView
		lease     *leaseView
	)
	g, all := errgroup.WithContext(ctx)
	g.Go(func() (err error) { st, here, err = env.standing(all, s, name); return err })
	g.Go(func() error { c, _ = s.Cluster(all, name); return nil }) // documents that cannot be read are told by others
	g.Go(func() (err error) { conflicts, err = viewConflicts(all, s, name); return err })
	g.Go(func() (err error) { lease, err = viewLease(all, s, name); return err })
	if err := g.Wait(); err != nil {
		return nil, statusView{}, err
	}
	v := viewCommitted(st, s)
	if c != nil && !c.OnHosts() {
		v.cloud = c.Cloud()
	}
	v.Hosts, v.Absent, v.Here, v.Conflicts, v.Lease = viewHosts(st), st.Absent, here, conflicts, lease
	for _, d := range st.Uncommitted {
		v.Uncommitted = append(v.Uncommitted, d.Name)
	}
	return st, v, nil
}

// viewStatusThen is where a cluster stood, as far as commits tell.
func viewStatusThen(ctx context.Context, s *stateroom.Store, name cluster.Name) (*stateroom.Standing, statusView, error) {
	st, err := s.Standing(ctx, name)
	if err != nil {
		return nil, statusView{}, err
	}
	v := viewCommitted(st, s)
	v.AsOf, v.Conflicts = viewAsOf(st.Commit), []conflictView{}
	return st, v, nil
}

// viewCommitted is what commits tell.
func viewCommitted(st *stateroom.Standing, s *stateroom.Store) statusView {
	v := statusView{
		Cluster: string(st.Cluster), ID: st.ClusterID, Store: s.Place(), Head: st.Head, Behind: st.Behind(),
		Uncommitted: []string{}, Hosts: []hostView{},
	}
	if st.Release != nil {
		v.Released = st.Release.Commit
	}
	return v
}

func (env *Env) showStatus(st *stateroom.Standing, v statusView) error {
	fmt.Fprintf(env.Stdout, "cluster  %s\nstore    %s\n%s\n", v.Cluster, v.Store, headLine(v))
	if v.AsOf != nil {
		fmt.Fprintf(env.Stdout, "as of    %s\nhosts    say only how they are now: %s\n", clean(v.AsOf.text()), env.here("stateroom status "+v.Cluster))
	}
	if v.Lease != nil {
		fmt.Fprintf(env.Stdout, "lease    %s\n", clean(v.Lease.text()))
	}
	env.showDrift(st.Uncommitted)
	env.showConflicts(v.Conflicts)
	if v.Here != nil {
		fmt.Fprintf(env.Stdout, "here     %s\n", env.here(hereLine(v)))
	}
	if len(st.Hosts)+len(st.Absent) > 0 {
		fmt.Fprintln(env.Stdout)
	}
	if err := env.showHosts(output{format: asTable}, st); err != nil {
		return err
	}
	if err := env.showServices(v); err != nil {
		return err
	}
	if err := env.showMended(v); err != nil || v.AsOf != nil {
		return err
	}
	return env.showNext(st, v)
}

// showNext says what brings a cluster on, where it is not yet what is wanted.
func (env *Env) showNext(st *stateroom.Standing, v statusView) error {
	next := ""
	switch err := st.Err(); {
	case v.cloud != "":
		next = fmt.Sprintf("what is committed is made live in %s by kops: kops update cluster %s --state %s --yes", v.cloud, v.Cluster, v.Store)
	case v.Behind > 0:
		next = fmt.Sprintf("stateroom update cluster %s shows what would change; with --yes it is made live", v.Cluster)
	case err != nil:
		next = strings.Join(env.hints(err), "; ")
	}
	if next == "" {
		return nil
	}
	_, err := fmt.Fprintf(env.Stdout, "\nnext: %s\n", env.here(next))
	return err
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
		return fmt.Sprintf("stateroom-agent runs (pid %d)\n         after a reboot: stateroom up %s", v.Here.Agent, v.Cluster)
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

// showMended prints what hosts found changed, and put right.
func (env *Env) showMended(v statusView) error {
	t := &table{header: []string{"HOST", "PUT RIGHT", "WHAT WAS WRONG", "TIMES", "LAST"}}
	for _, h := range v.Hosts {
		for _, d := range h.Drift {
			t.add(h.Node, d.Kind+" "+d.Name, d.What, fmt.Sprint(d.Count), when(d.Last))
		}
	}
	if len(t.rows) == 0 {
		return nil
	}
	fmt.Fprintln(env.Stdout)
	return t.write(env.Stdout, env.width())
}
