package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/cluster"
)

type updateOptions struct {
	writeFlags
	output
	programFlags
	yes      bool
	wait     time.Duration
	exitCode bool
	out      string // file for the plan
	stale    bool   // what is shown is a saved plan that cannot be done
}

// waitDefault is how long hosts are waited for where no time is given.
const waitDefault = 10 * time.Minute

var errNegativeWait = usagef("write --wait=10m, or --wait alone for the default", "--wait takes a time to wait, from now on")

func updateClusterCmd(env *Env) *cobra.Command {
	var opt updateOptions
	cmd := &cobra.Command{
		Use:   "cluster [NAME|PLAN]",
		Short: "Show what would go live; with --yes, make it live",
		Long: `Show what making the newest commit live does: the documents that differ from what
is live, the files and certificates of each group of nodes, and which services
restart and why. Nothing is changed.

With --yes it is done as one commit: missing keysets are made, bundles rendered
and staged, and the release moves, which is what hosts follow. With --wait, the
command ends when all hosts run it, or with exit code 8 when one cannot.

With --out FILE the plan is kept. Given that file instead of a name, --yes does
just that plan, if nothing has been committed or made live since; a plan that is
stale is shown, and refused with exit code 4. With --draft, the plan is of the
cluster as it would be with the draft published; of one in a cloud, which kops
makes live, it is what would be committed.`,
		Example: "  stateroom update cluster\n  stateroom update cluster demo.example.com --yes --wait -m 'raise the limits'\n" +
			"  stateroom update cluster --out plan.json\n  stateroom update cluster ./plan.json --yes\n" +
			"  stateroom update cluster --draft raise-quota -o markdown",
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runUpdateCluster(cmd.Context(), env, opt, args)
		},
	}
	f := cmd.Flags()
	opt.flag(f, "text", asYAML, asJSON, asMarkdown)
	opt.writeFlags.flags(f)
	opt.programFlags.flags(f)
	f.BoolVarP(&opt.yes, "yes", "y", false, "do it")
	f.DurationVar(&opt.wait, "wait", 0, "wait until the hosts run it, so long at most")
	f.Lookup("wait").NoOptDefVal = waitDefault.String()
	f.BoolVar(&opt.exitCode, "detailed-exitcode", false, "exit with 10 where there is something to do")
	f.StringVar(&opt.out, "out", "", "keep the plan in a file, to be done later")
	return cmd
}

// programFlags say where the programs of Kubernetes come from.
type programFlags struct {
	catalogue string
	source    string
}

func (p *programFlags) flags(f *pflag.FlagSet) {
	f.StringVar(&p.catalogue, "catalogue", "", "a file that says where the programs of each version are")
	f.StringVar(&p.source, "kubernetes-source", "", "the Go module that builds the programs (default ./kubernetes)")
}

// programs turns the flags into what the operations take. It comes with what
// shows how far they are with the programs, which the caller ends.
func (env *Env) programs(ctx context.Context, p programFlags) (out stateroom.Programs, show *progress, err error) {
	show = env.newProgress()
	if p.catalogue != "" && p.source != "" {
		return out, show, usagef("give one of them", "--catalogue says where programs are, --kubernetes-source what builds them: which is meant?")
	}
	out = stateroom.Programs{Progress: show.at, Source: p.source, Rebuild: p.source != ""}
	if out.Cache, err = env.cacheDir("assets"); err != nil {
		return out, show, err
	}
	if out.Source == "" {
		out.Source = defaultSource()
	}
	if p.catalogue == "" {
		return out, show, nil
	}
	b, err := env.readFile(ctx, p.catalogue)
	if err != nil {
		return out, show, err
	}
	if out.Catalogue, err = bundle.ParseCatalogue(b); err != nil {
		err = mendText(p.catalogue, fmt.Errorf("read %s: %w", p.catalogue, err), "what a catalogue holds is in docs/formats/catalogue.md")
	}
	return out, show, err
}

func runUpdateCluster(ctx context.Context, env *Env, opt updateOptions, args []string) error {
	if opt.wait < 0 {
		return errNegativeWait
	}
	if opt.wait > 0 && (!opt.yes || opt.dryRun) {
		return usagef("add --yes", "--wait waits for what --yes does")
	}
	if opt.out != "" && opt.yes {
		return usagef("leave out one of the two", "--out keeps a plan for later, and --yes does it now")
	}
	if opt.out != "" && env.draft != "" {
		return usagef("publish the draft first: stateroom publish "+env.draft, "--out keeps a plan that can be done, and one of a draft cannot")
	}
	if arg := first(args); arg != "" && isPlanFile(arg) {
		if opt.out != "" || env.draft != "" {
			return usagef("stateroom update cluster "+arg+" --yes", "%s is a plan already", arg)
		}
		return runSavedPlan(ctx, env, opt, arg)
	}
	s, name, err := env.openCluster(ctx, first(args))
	if err != nil {
		return err
	}
	programs, show, err := env.programs(ctx, opt.programFlags)
	if err != nil {
		return err
	}
	defer show.done()
	w := opt.writeIf(opt.yes)
	u, err := s.Update(ctx, name, programs, w)
	show.done()
	if err != nil {
		return err
	}
	if err := env.showUpdate(opt, u); err != nil {
		return err
	}
	if opt.out != "" {
		if err := env.savePlan(ctx, s, u, opt.out); err != nil {
			return err
		}
	}
	return env.afterUpdate(ctx, s, opt, u, show)
}

// afterUpdate waits where that was asked for, and ends with what the flags say.
func (env *Env) afterUpdate(ctx context.Context, s *stateroom.Store, opt updateOptions, u *stateroom.Update, show *progress) error {
	if opt.wait > 0 {
		return env.waitFor(ctx, s, u.Cluster, opt.wait, show)
	}
	if opt.exitCode && !u.Empty() {
		return errDifferent
	}
	return nil
}

// waitFor waits until the hosts of a cluster run what is released.
func (env *Env) waitFor(ctx context.Context, s *stateroom.Store, name cluster.Name, most time.Duration, show *progress) error {
	waiting, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	st, err := s.Wait(waiting, name, stateroom.Wait{Progress: show.standing})
	show.done()
	if err != nil {
		if ctx.Err() != nil {
			env.sayf("hint: what is released stays released; stateroom validate cluster %s --wait goes on waiting", name)
		}
		if st != nil {
			env.showLastWords(st)
		}
		return err
	}
	_, err = fmt.Fprintf(env.Stdout, "%s: commit %d runs on all hosts\n", name, st.Release.Commit)
	return err
}

// standing shows how far the hosts are, and what they are waiting for.
func (p *progress) standing(st *stateroom.Standing) {
	there := 0
	var starting []string
	for _, h := range st.Hosts {
		if h.State == stateroom.Converged {
			there++
			continue
		}
		for _, s := range h.Services {
			if s.State != "running" {
				starting = append(starting, s.Name+" "+s.State)
			}
		}
	}
	text := fmt.Sprintf("waiting for hosts: %d of %d run commit %d", there, len(st.Hosts)+len(st.Absent), st.Release.Commit)
	if len(starting) > 0 {
		text += " (" + shortList(starting, 3) + ")"
	}
	p.at(text, 0, 0)
}
