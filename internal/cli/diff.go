package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
)

type diffOptions struct {
	output
	atFlag
	released bool
	exitCode bool
}

func diffCmd(env *Env) *cobra.Command {
	var opt diffOptions
	cmd := &cobra.Command{
		Use:   "diff [NAME] [COMMIT [COMMIT]]",
		Short: "Show what differs between two commits",
		Long: `Show what differs between two commits, or between one and the newest. Without a
commit: between the newest commit and the files as they lie in the store. With
--released: between what is live and the newest commit. With --at, that commit
stands for the newest.`,
		Example: "  stateroom diff 1 3\n  stateroom diff head~1\n  stateroom diff --released",
		Args:    atMost(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDiff(cmd.Context(), env, opt, args)
		},
	}
	opt.flag(cmd.Flags(), "text", asYAML, asJSON, asName)
	opt.atFlag.atFlag(cmd.Flags())
	cmd.Flags().BoolVar(&opt.released, "released", false, "from what is live")
	cmd.Flags().BoolVar(&opt.exitCode, "detailed-exitcode", false, "exit with 10 where there are differences")
	return cmd
}

func runDiff(ctx context.Context, env *Env, opt diffOptions, args []string) error {
	arg, refs, err := splitRefs(args, 2)
	if err != nil {
		return err
	}
	s, name, err := env.openCluster(ctx, arg)
	if err != nil {
		return err
	}
	changes, err := opt.changes(ctx, s, name, refs)
	if err != nil {
		return err
	}
	if err := env.showDifferences(opt.output, changes); err != nil {
		return err
	}
	if len(changes) == 0 {
		env.next("there are no differences")
	}
	if opt.exitCode && len(changes) > 0 {
		return errDifferent
	}
	return nil
}

func (o diffOptions) changes(ctx context.Context, s *stateroom.Store, name cluster.Name, refs []string) ([]stateroom.FileChange, error) {
	if o.released {
		if len(refs) > 0 {
			return nil, usagef("stateroom diff --released, or stateroom diff "+refs[0], "--released says what to compare; %q does too", refs[0])
		}
		live, err := s.Released(ctx, name)
		if err != nil {
			return nil, err
		}
		if live == 0 {
			return nil, &stateroom.NotConvergedError{Standing: &stateroom.Standing{Cluster: name}}
		}
		refs = []string{fmt.Sprint(live)}
	}
	newest := "head"
	if o.at != "" {
		if !ref.MatchString(o.at) {
			return nil, noCommit(o.at)
		}
		if len(refs) != 1 {
			return nil, usagef("stateroom diff COMMIT --at COMMIT; stateroom show COMMIT shows what one changed", "--at is the second of two commits")
		}
		newest = o.at
	}
	switch len(refs) {
	case 0:
		return s.DiffUncommitted(ctx, name)
	case 1:
		refs = append(refs, newest)
	}
	return s.Diff(ctx, name, refs[0], refs[1])
}

func (env *Env) showDifferences(o output, changes []stateroom.FileChange) error {
	switch o.format {
	case asJSON:
		return writeJSON(env.Stdout, viewChanges(changes))
	case asYAML:
		return writeYAML(env.Stdout, viewChanges(changes))
	case asName:
		for _, c := range changes {
			if _, err := fmt.Fprintln(env.Stdout, clean(c.Name)); err != nil {
				return err
			}
		}
		return nil
	}
	return env.showChanges(env.Stdout, changes)
}
