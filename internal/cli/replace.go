package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
)

type replaceOptions struct {
	writeFlags
	file  string
	force bool
}

func replaceCmd(env *Env) *cobra.Command {
	var opt replaceOptions
	cmd := &cobra.Command{
		Use:   "replace -f FILE",
		Short: "Replace whole documents",
		Long: `Put the documents in a file in the place of those in the store, and show what that
changes: clusters, instance groups, SSH keys, and other Kubernetes objects, which
are add-ons. All documents of a cluster become one commit, or none does.

Documents that do not name their cluster belong to the one that --name says, or to
the only one of the store. What the file does not hold stays as it is: replace
deletes nothing. What is not there yet is refused, but for --force.`,
		Example: "  stateroom get instancegroups -o yaml >groups.yaml\n  stateroom replace -f groups.yaml -m 'bigger nodes'\n  stateroom replace -f - --dry-run <cluster.yaml",
		Args:    noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runReplace(cmd.Context(), env, opt)
		},
	}
	cmd.Flags().StringVarP(&opt.file, "filename", "f", "", "the file; - is standard input")
	cmd.Flags().BoolVar(&opt.force, "force", false, "create what is not there")
	opt.changeFlags(cmd.Flags())
	return cmd
}

func runReplace(ctx context.Context, env *Env, opt replaceOptions) error {
	if opt.file == "" {
		return usagef("stateroom replace -f FILE", "replace what?")
	}
	text, err := env.readFile(ctx, opt.file)
	if err != nil {
		return err
	}
	s, home, err := env.openHome(ctx)
	if err != nil {
		return err
	}
	done, err := s.ReplaceFrom(ctx, stateroom.Replace{File: opt.file, Text: text, Cluster: home, Only: env.name != "", Force: opt.force}, opt.write())
	for _, out := range done {
		if err := env.showOutcomeIn(out, out.Changes); err != nil {
			return err
		}
	}
	return err
}

// openHome opens the store, and says which cluster is that of documents that do
// not say theirs; empty where there are several and none is named.
func (env *Env) openHome(ctx context.Context) (*stateroom.Store, cluster.Name, error) {
	s, err := env.open(ctx)
	if err != nil {
		return nil, "", err
	}
	given, err := env.namedCluster("")
	if err != nil {
		return nil, "", err
	}
	if given != "" {
		name, err := cluster.ParseName(given)
		return s, name, err
	}
	names, err := s.ClusterNames(ctx)
	if err != nil || len(names) != 1 {
		return s, "", err
	}
	return s, names[0], nil
}
