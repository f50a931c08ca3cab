package cli

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
)

type editOptions struct {
	writeFlags
	sets, unsets []string
}

func (o *editOptions) flags(f *pflag.FlagSet) {
	o.changeFlags(f)
	f.StringArrayVar(&o.sets, "set", nil, "set a field: PATH=VALUE; PATH+=VALUE and PATH-=VALUE for lists")
	f.StringArrayVar(&o.unsets, "unset", nil, "unset a field: PATH")
}

const editLong = `
With --set or --unset only those fields change, and no other byte of the file.
Without them, the document opens in an editor (STATEROOM_EDITOR, KUBE_EDITOR,
VISUAL, EDITOR; arguments may follow). One that opens a window must be told to
wait until you close the file, as in EDITOR='code --wait'.

What somebody else commits meanwhile is merged with what you typed. Where both
changed the same, or something is wrong, the editor opens again, with comments
that say it above each line. Leave the text as it is to give up: nothing is
committed then, and what you typed is kept in a file.

An edit is committed at once, and nothing runs differently before
stateroom update cluster --yes.`

func editClusterCmd(env *Env) *cobra.Command {
	var opt editOptions
	cmd := &cobra.Command{
		Use:     "cluster [NAME]",
		Short:   "Change the document of a cluster",
		Long:    "Change the document of a cluster.\n" + editLong,
		Example: "  stateroom edit cluster\n  stateroom edit cluster demo.example.com --set spec.channel=alpha -m 'try alpha'",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runEdit(cmd.Context(), env, opt, first(args), "")
		},
	}
	opt.flags(cmd.Flags())
	return cmd
}

func editGroupCmd(env *Env) *cobra.Command {
	var opt editOptions
	cmd := &cobra.Command{
		Use:     "instancegroup GROUP",
		Aliases: []string{"ig", "instancegroups"},
		Short:   "Change the document of an instance group",
		Long:    "Change the document of an instance group.\n" + editLong,
		Example: "  stateroom edit instancegroup nodes-main --set spec.maxSize=3",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("stateroom get instancegroups lists them", "which instance group?")
			}
			return runEdit(cmd.Context(), env, opt, "", args[0])
		},
	}
	opt.flags(cmd.Flags())
	return cmd
}

func runEdit(ctx context.Context, env *Env, opt editOptions, arg, group string) error {
	s, name, err := env.openCluster(ctx, arg)
	if err != nil {
		return err
	}
	if len(opt.sets)+len(opt.unsets) == 0 {
		return env.editInEditor(ctx, s, name, group, opt.write())
	}
	patch, err := cluster.ParsePatch(opt.sets, opt.unsets)
	if err != nil {
		return err
	}
	out, err := s.Edit(ctx, name, stateroom.Edit{Group: group, Patch: patch}, opt.write())
	if err != nil {
		return err
	}
	return env.showOutcome(out)
}
