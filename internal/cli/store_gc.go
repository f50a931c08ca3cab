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

type gcOptions struct {
	output
	keep time.Duration
	yes  bool
}

const gcKeep = 30 * 24 * time.Hour

func storeGCCmd(env *Env) *cobra.Command {
	var opt gcOptions
	cmd := &cobra.Command{
		Use:   "gc [NAME]",
		Short: "Remove from a store what is not needed any more",
		Long: `Show, and with --yes remove, what a cluster, or each of them, no longer needs:
bytes that only commits older than --keep name, bundles that no release in that
time names, reports of hosts gone as long.

The newest commit, what is released, and all commits younger than --keep stay
whole. No commit goes: of older ones, author, message, names and digests stay,
and the chain still verifies; stateroom show says what is gone.`,
		Example: "  stateroom store gc\n  stateroom store gc demo.example.com --keep 2160h --yes",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runStoreGC(cmd.Context(), env, opt, args)
		},
	}
	opt.flag(cmd.Flags(), "text", asYAML, asJSON)
	cmd.Flags().DurationVar(&opt.keep, "keep", gcKeep, "commits younger than this stay whole")
	cmd.Flags().BoolVarP(&opt.yes, "yes", "y", false, "do it; without it, only show what would go")
	cmd.Flags().Bool("dry-run", false, "only show what would go, as without --yes")
	cmd.MarkFlagsMutuallyExclusive("yes", "dry-run")
	return cmd
}

// garbageView is what goes and stays of a cluster, as programs read it.
type garbageView struct {
	Cluster string         `json:"cluster"`
	Removed bool           `json:"removed"` // false: it was only looked at
	Bytes   int64          `json:"bytes"`
	Commits []strippedView `json:"commits"`
	Bundles []string       `json:"bundles"`
	Reports []string       `json:"reports"`
	Left    leftView       `json:"left"`

	Unfinished bool `json:"unfinished,omitempty"` // an error ended it: nothing is said of what is left
}

type strippedView struct {
	Number int      `json:"number"`
	Names  []string `json:"names"`
	Bytes  int64    `json:"bytes"`
}

type leftView struct {
	Commits  int      `json:"commits"`
	LogBytes int64    `json:"logBytes"`
	Aside    []string `json:"aside"`
}

func runStoreGC(ctx context.Context, env *Env, opt gcOptions, args []string) error {
	if opt.keep < 0 {
		return usagef("--keep 720h", "there is no such time as --keep %s", opt.keep)
	}
	s, err := env.open(ctx)
	if err != nil {
		return err
	}
	given, err := env.namedCluster(first(args))
	if err != nil {
		return err
	}
	var names []cluster.Name
	if given == "" {
		if names, err = s.ClusterNames(ctx); err == nil && len(names) == 0 {
			err = &emptyStoreError{s.Place()}
		}
	} else {
		var name cluster.Name
		name, err = env.cluster(ctx, s, given)
		names = append(names, name)
	}
	if err != nil {
		return err
	}
	views := []garbageView{}
	for _, name := range names {
		g, err := s.GC(ctx, name, stateroom.GC{Keep: opt.keep, Write: opt.yes})
		if g != nil {
			v := viewGarbage(g, opt.yes)
			v.Unfinished = err != nil
			views = append(views, v)
		}
		if err != nil && opt.yes && len(views) > 0 { // what went, went
			_ = env.showGarbage(opt, views)
		}
		if err != nil {
			return err
		}
	}
	return env.showGarbage(opt, views)
}

func viewGarbage(g *stateroom.Garbage, removed bool) garbageView {
	v := garbageView{
		Cluster: string(g.Cluster), Removed: removed, Bytes: g.Bytes(), Commits: []strippedView{},
		Bundles: keysOf(g.Bundles), Reports: keysOf(g.Reports), Left: leftView{g.Left.Records, g.Left.Bytes, keysOf(g.Aside)},
	}
	for _, s := range g.Stripped {
		v.Commits = append(v.Commits, strippedView(s))
	}
	return v
}

func keysOf(objects []stateroom.Object) []string {
	keys := []string{}
	for _, o := range objects {
		keys = append(keys, o.Key)
	}
	return keys
}

func (env *Env) showGarbage(opt gcOptions, views []garbageView) error {
	if asked, err := opt.forPrograms(env.Stdout, views); asked {
		return err
	}
	w := &lines{w: env.Stdout}
	for _, v := range views {
		opt.showOne(env, w, v)
	}
	return w.err
}

// showOne prints what goes of a cluster, and what stays.
func (o gcOptions) showOne(env *Env, w *lines, v garbageView) {
	for _, c := range v.Commits {
		w.printf("commit %d: %d bytes of %s\n", c.Number, c.Bytes, clean(shortList(c.Names, 4)))
	}
	for _, key := range append(v.Bundles, v.Reports...) {
		w.printf("%s\n", clean(strings.Replace(key, "/", " ", 1)))
	}
	switch {
	case v.Unfinished:
		w.printf("%s: %d bytes are gone, and it was not finished\n", v.Cluster, v.Bytes)
		return
	case v.Bytes == 0:
		w.printf("%s: nothing to remove\n", v.Cluster)
		return
	}
	word := "are gone"
	if !v.Removed {
		word = "would go; to do it: stateroom store gc " + v.Cluster + " --yes"
		if o.keep != gcKeep {
			word += " --keep " + o.keep.String()
		}
		word = env.here(word)
	}
	w.printf("%s: %d bytes %s\n", v.Cluster, v.Bytes, word)
	w.printf("%s: %s, %d bytes of log, the plain files", v.Cluster, commitsLeft(v), v.Left.LogBytes)
	if len(v.Left.Aside) > 0 {
		w.printf(", %d objects that repairs kept in void/", len(v.Left.Aside))
	}
	w.printf("; copies, snapshots and older versions of a bucket keep what they have\n")
}

func commitsLeft(v garbageView) string {
	if v.Left.Commits == 1 {
		return "1 commit stays"
	}
	return fmt.Sprintf("%d commits stay", v.Left.Commits)
}
