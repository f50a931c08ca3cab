package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/store"
)

type fsckOptions struct {
	output
	repair bool
	void   []int
}

func storeFsckCmd(env *Env) *cobra.Command {
	var opt fsckOptions
	cmd := &cobra.Command{
		Use:   "fsck [NAME]",
		Short: "Look for what is wrong with a store, and mend it",
		Long: `Look at all of a store, or of one cluster: the commits and their chain, the head,
the plain files, the release with its bundles, reports, keys, and what lies
about. Nothing is written. Each finding says what it means, and what --repair
would do about it.

--repair mends what can be mended without losing anything: what it replaces is
kept in .stateroom/NAME/void, and what another tool wrote becomes a commit.
--void N gives up a commit that cannot be read: its number stays.

It exits with 0 where nothing is wrong (any more), and with 1 where something is.`,
		Example: "  stateroom store fsck\n  stateroom store fsck --repair\n  stateroom store fsck demo.example.com --repair --void 7",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runStoreFsck(cmd.Context(), env, opt, args)
		},
	}
	opt.flag(cmd.Flags(), "text", asYAML, asJSON)
	cmd.Flags().BoolVar(&opt.repair, "repair", false, "mend what can be mended without losing anything")
	cmd.Flags().IntSliceVar(&opt.void, "void", nil, "with --repair: give up the commit of that number, which cannot be read")
	return cmd
}

// findingView is a finding as programs read it.
type findingView struct {
	Cluster string `json:"cluster,omitempty"`
	Code    string `json:"code"`
	Object  string `json:"object"`
	What    string `json:"what"`
	Means   string `json:"means"`
	Repair  string `json:"repair,omitempty"` // what --repair does
	Advice  string `json:"advice,omitempty"`
	Mended  bool   `json:"mended"`
	Trouble string `json:"trouble,omitempty"`
}

func runStoreFsck(ctx context.Context, env *Env, opt fsckOptions, args []string) error {
	given, err := env.namedCluster(first(args))
	if err != nil {
		return err
	}
	if given != "" {
		if _, err := cluster.ParseName(given); err != nil {
			return err
		}
	}
	if len(opt.void) > 0 && (given == "" || !opt.repair) {
		return usagef("stateroom store fsck NAME --repair --void N", "--void needs --repair and the name of a cluster")
	}
	url, err := env.storeURL()
	if err != nil {
		return err
	}
	objects, err := env.objects(ctx, url)
	if err != nil {
		return err
	}
	found, err := stateroom.Fsck(ctx, objects, env.options(),
		store.FsckOptions{Cluster: given, Repair: opt.repair, Void: opt.void})
	if err != nil {
		return err
	}
	if err := env.showFindings(opt, objects.Name(), found); err != nil {
		return err
	}
	if slices.ContainsFunc(found, func(f store.Finding) bool { return !f.Mended }) {
		return exitStatus(exitError)
	}
	return nil
}

func (env *Env) showFindings(opt fsckOptions, place string, found []store.Finding) error {
	views := []findingView{}
	for _, f := range found {
		views = append(views, findingView{f.Cluster, string(f.Code), f.Object, f.What, f.Means(), f.Mend(), f.Advice(), f.Mended, f.Trouble})
	}
	if asked, err := opt.forPrograms(env.Stdout, views); asked {
		return err
	}
	mended, mendable := 0, 0
	for _, v := range views {
		color, word := red, ""
		switch {
		case v.Mended:
			mended++
			color, word = green, ", mended"
		case v.Repair != "":
			mendable++
			color = yellow
		}
		fmt.Fprintf(env.Stdout, "%s\n", env.paint(env.Stdout, color, clean(v.Code+word+"  "+v.Object)))
		fmt.Fprintf(env.Stdout, "  found    %s\n  means    %s\n", clean(v.What), clean(v.Means))
		for _, line := range opt.next(v) {
			fmt.Fprintf(env.Stdout, "  %s\n", clean(line))
		}
	}
	return env.sumUp(opt, place, len(found), mended, mendable)
}

// next says what becomes of a finding.
func (o fsckOptions) next(v findingView) []string {
	var lines []string
	switch {
	case v.Mended:
		return nil
	case v.Trouble != "":
		lines = append(lines, "trouble  "+v.Trouble)
	case v.Repair != "" && !o.repair:
		lines = append(lines, "--repair "+v.Repair)
	}
	if v.Advice != "" {
		lines = append(lines, "advice   "+v.Advice)
	}
	return lines
}

func (env *Env) sumUp(opt fsckOptions, place string, all, mended, mendable int) error {
	line := "nothing is wrong"
	switch {
	case all > 0 && opt.repair:
		line = fmt.Sprintf("%s, %d mended", findingsCount(all), mended)
	case all > 0:
		line = fmt.Sprintf("%s, nothing was written; --repair mends %d", findingsCount(all), mendable)
	}
	_, err := fmt.Fprintf(env.Stdout, "%s: %s\n", place, line)
	return err
}

func findingsCount(n int) string {
	if n == 1 {
		return "1 finding"
	}
	return fmt.Sprintf("%d findings", n)
}
