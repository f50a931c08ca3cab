package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
)

type validateOptions struct {
	output
	atFlag
	wait time.Duration
}

func validateClusterCmd(env *Env) *cobra.Command {
	var opt validateOptions
	cmd := &cobra.Command{
		Use:   "cluster [NAME]",
		Short: "Check that the hosts run what is released",
		Long: `Hold what the hosts report against what is released. Where they do not run it,
this says why, in the failing component's own words, and exits with 8.

With --at, check the state of then by itself: that its documents are valid, its
keysets can be read, and the store has what was live. Hosts say only how they are
now. With --draft, check whether the draft is valid and could be published now.`,
		Example: "  stateroom validate cluster\n  stateroom validate cluster demo.example.com --wait=5m\n  stateroom validate cluster --at head~1\n  stateroom validate cluster --draft raise-quota",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runValidateCluster(cmd.Context(), env, opt, args)
		},
	}
	opt.flag(cmd.Flags(), asTable, asYAML, asJSON)
	opt.atFlag.atFlag(cmd.Flags())
	cmd.Flags().DurationVar(&opt.wait, "wait", 0, "wait until they do, so long at most")
	cmd.Flags().Lookup("wait").NoOptDefVal = waitDefault.String()
	return cmd
}

func runValidateCluster(ctx context.Context, env *Env, opt validateOptions, args []string) error {
	if opt.wait < 0 {
		return errNegativeWait
	}
	if opt.at != "" && opt.wait > 0 {
		return usagef("leave out --wait, or --at", "--wait waits for hosts, and --at %s is of the past", opt.at)
	}
	if env.draft != "" && opt.wait > 0 {
		return usagef("leave out --wait, or --draft", "--wait waits for hosts, and they never run a draft")
	}
	s, name, err := opt.openCluster(ctx, env, first(args))
	if err != nil {
		return err
	}
	if opt.at != "" {
		return env.validateThen(ctx, s, name, opt.output)
	}
	if env.draft != "" {
		return env.validateDraft(ctx, s, name, opt.output)
	}
	if opt.wait > 0 {
		show := env.newProgress()
		waiting, cancel := context.WithTimeout(ctx, opt.wait)
		_, err := s.Wait(waiting, name, stateroom.Wait{Progress: show.standing})
		cancel()
		show.done()
		if err != nil && ctx.Err() != nil {
			return err
		}
	}
	st, _, err := env.standing(ctx, s, name)
	if err != nil {
		return err
	}
	if err := env.showHosts(opt.output, st); err != nil {
		return err
	}
	err = st.Err()
	if err == nil && opt.format == asTable {
		_, err = fmt.Fprintf(env.Stdout, "\n%s: commit %d runs on all hosts\n", name, st.Release.Commit)
	}
	return err
}

// validityView is a state by itself, as programs read it.
type validityView struct {
	Cluster   string    `json:"cluster"`
	AsOf      *asOfView `json:"asOf"`
	Documents int       `json:"documents"`
	Problems  []string  `json:"problems"`
	Released  int       `json:"released"`
	Lost      []string  `json:"lost"` // groups whose bundle is not in the store any more
}

// validateThen checks a state by itself.
func (env *Env) validateThen(ctx context.Context, s *stateroom.Store, name cluster.Name, o output) error {
	v, err := s.Validate(ctx, name)
	if err != nil {
		return err
	}
	view := validityView{string(name), viewAsOf(v.Commit), v.Documents, []string{}, v.Released, append([]string{}, v.Lost...)}
	for _, p := range v.Problems {
		view.Problems = append(view.Problems, p.String())
	}
	switch o.format {
	case asJSON:
		err = writeJSON(env.Stdout, view)
	case asYAML:
		err = writeYAML(env.Stdout, view)
	default:
		err = env.showValidity(view)
	}
	if wrong := v.Err(); err == nil && wrong != nil {
		err = advise(wrong, "stateroom get cluster %s --at %d -o yaml shows it; only a newer commit can be better: stateroom edit cluster %[1]s", name, v.Commit.Number)
	}
	return err
}

func (env *Env) showValidity(v validityView) error {
	documents := fmt.Sprintf("%d documents, all valid", v.Documents)
	if n := len(v.Problems); n > 0 {
		documents = fmt.Sprintf("%d documents, %s", v.Documents, count(n, "problem", 0, ""))
	}
	live := "nothing was live"
	switch {
	case len(v.Lost) > 0:
		live = fmt.Sprintf("commit %d was live; its bundle for %s is not in the store any more, and update cluster --yes would make it again", v.Released, strings.Join(v.Lost, ", "))
	case v.Released > 0:
		live = fmt.Sprintf("commit %d was live, and the store has it", v.Released)
	}
	_, err := fmt.Fprintf(env.Stdout, "cluster    %s\nas of      %s\ndocuments  %s\nlive       %s\n", v.Cluster, clean(v.AsOf.text()), documents, live)
	return err
}

// standing is where a cluster stands; of what runs on this machine, this
// machine itself is asked. That is nil where it was never a host of it.
func (env *Env) standing(ctx context.Context, s *stateroom.Store, name cluster.Name) (*stateroom.Standing, *stateroom.Running, error) {
	st, err := s.Standing(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	m, err := env.machine()
	if err != nil || !m.IsHost(name) {
		return st, nil, nil
	}
	running, err := m.Running(ctx, name)
	if err != nil {
		env.sayf("warning: %v", err)
		return st, nil, nil
	}
	st.See(m.Node, running)
	return st, running, nil
}

// hostView is a host as programs read it.
type hostView struct {
	Node      string        `json:"node"`
	Group     string        `json:"group"`
	Address   string        `json:"address,omitempty"`
	State     string        `json:"state"`
	Phase     string        `json:"phase"`
	Commit    int           `json:"commit"`
	Reported  time.Time     `json:"reported"`
	Trouble   string        `json:"trouble,omitempty"`
	LastWords string        `json:"lastWords,omitempty"`
	Services  []serviceView `json:"services"`
	Drift     []driftView   `json:"drift,omitempty"` // put right, the newest first
}

type serviceView struct {
	Name    string    `json:"name"`
	PID     int       `json:"pid,omitempty"`
	Started time.Time `json:"started,omitzero"`
	State   string    `json:"state"`
}

// driftView is what a host put right.
type driftView struct {
	Kind  string    `json:"kind"`
	Name  string    `json:"name"`
	What  string    `json:"what"`
	Count int       `json:"count"`
	Last  time.Time `json:"last"`
}

func viewHosts(st *stateroom.Standing) []hostView {
	views := []hostView{}
	for _, h := range st.Hosts {
		v := hostView{
			Node: h.Node, Group: h.Group, Address: h.Address, State: string(h.State), Phase: h.Phase,
			Commit: h.Commit, Reported: h.Time, Trouble: h.Trouble, Services: []serviceView{},
		}
		if h.Trouble != "" && h.Report.Failed != nil {
			v.LastWords = h.Report.Failed.LastWords
		}
		for _, s := range h.Services {
			v.Services = append(v.Services, serviceView{s.Name, s.PID, s.Started, s.State})
		}
		for _, d := range h.Drift {
			v.Drift = append(v.Drift, driftView{d.Kind, d.Name, d.What, d.Count, d.Last})
		}
		views = append(views, v)
	}
	return views
}

// showHosts prints how the hosts stand, with the last words of what failed.
func (env *Env) showHosts(o output, st *stateroom.Standing) error {
	if asked, err := o.forPrograms(env.Stdout, viewHosts(st)); asked {
		return err
	}
	t := &table{header: []string{"HOST", "GROUP", "STATE", "COMMIT", "REPORTED", "TROUBLE"}}
	for _, h := range st.Hosts {
		commit := ""
		if h.Commit > 0 {
			commit = fmt.Sprint(h.Commit)
		}
		t.add(h.Node, h.Group, string(h.State), commit, when(h.Time), h.Trouble)
	}
	for _, g := range st.Absent {
		t.add("", g, "absent", "", "", "no host of the group reports")
	}
	if len(t.rows) > 0 {
		if err := t.write(env.Stdout, env.width()); err != nil {
			return err
		}
	}
	env.showLastWords(st)
	return nil
}

// showLastWords prints what failing components said last, as they said it.
func (env *Env) showLastWords(st *stateroom.Standing) {
	for _, w := range st.LastWords() {
		fmt.Fprintf(env.Stdout, "\nlast words of %s on %s:\n", clean(w.Service), clean(w.Node))
		for line := range strings.Lines(w.Text) {
			fmt.Fprintf(env.Stdout, "  | %s\n", clean(strings.TrimRight(line, "\n")))
		}
	}
}
