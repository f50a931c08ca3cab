package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
)

type createGroupOptions struct {
	writeFlags
	documents          documentsFlag
	new                cluster.GroupOptions
	count, least, most int
	given              *pflag.FlagSet
	edit               bool
}

func createGroupCmd(env *Env) *cobra.Command {
	var opt createGroupOptions
	cmd := &cobra.Command{
		Use:     "instancegroup GROUP",
		Aliases: []string{"ig"},
		Short:   "Create an instance group",
		Long: `Create an instance group in a cluster. What no flag says is, on hosts, as in the
cluster's other groups of the role, and in a cloud as kops has it. With --edit,
the document opens in an editor before it is committed. Nothing runs before
stateroom update cluster --yes.

A group of the control plane runs etcd only if a member of spec.etcdClusters names it.`,
		Example: "  stateroom create instancegroup nodes-big --machine-type large --max-size 3\n  stateroom create instancegroup gpu --subnet main --edit\n  stateroom create instancegroup gpu --dry-run -o yaml",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opt.given = cmd.Flags()
			opt.new.Name = first(args)
			return runCreateGroup(cmd.Context(), env, opt)
		},
	}
	f := cmd.Flags()
	f.StringVar(&opt.new.Role, "role", "node", "what its hosts do: node, control-plane, apiserver or bastion")
	f.StringSliceVar(&opt.new.Subnets, "subnet", nil, "subnets that it lies in (default all but utility and dualstack subnets)")
	f.StringSliceVar(&opt.new.Zones, "zone", nil, "zones whose subnets it lies in; in gce and azure it names them")
	f.IntVar(&opt.count, "node-count", 0, "how many hosts: --min-size and --max-size in one")
	f.IntVar(&opt.least, "min-size", 0, "how many hosts at least (default 1 for a control plane, and in a cloud for a bastion; else 0 on hosts, 2 in a cloud)")
	f.IntVar(&opt.most, "max-size", 0, "how many hosts at most (default as --min-size)")
	f.StringVar(&opt.new.MachineType, "machine-type", "", "machine type")
	f.StringVar(&opt.new.Image, "image", "", "image")
	f.BoolVar(&opt.edit, "edit", false, "open the document in an editor first")
	opt.flags(f)
	opt.documents.flag(f)
	return cmd
}

// noEmpty refuses flags that are given and empty, as noEmptyFlag does.
func (o *createGroupOptions) noEmpty() (err error) {
	o.given.Visit(func(f *pflag.Flag) {
		switch f.Name {
		case "role", "subnet", "zone", "machine-type", "image":
			if v := f.Value.String(); v == "" || v == "[]" {
				err = usagef("is a variable of the shell not set?", "--%s is empty", f.Name)
			}
		}
	})
	return err
}

// sizes takes over those of the flags that were given.
func (o *createGroupOptions) sizes() error {
	count, least, most := o.given.Changed("node-count"), o.given.Changed("min-size"), o.given.Changed("max-size")
	switch {
	case count && (least || most):
		return usagef("--node-count 3, or --min-size 1 --max-size 3", "--node-count is --min-size and --max-size in one: give it, or them")
	case count:
		o.new.MinSize, o.new.MaxSize = &o.count, &o.count
	}
	if least {
		o.new.MinSize = &o.least
	}
	if most {
		o.new.MaxSize = &o.most
	}
	return nil
}

func runCreateGroup(ctx context.Context, env *Env, opt createGroupOptions) error {
	if opt.new.Name == "" {
		return usagef("stateroom create instancegroup nodes-big", "the instance group has no name")
	}
	if err := errors.Join(opt.documents.check(opt.dryRun), opt.noEmpty(), opt.sizes()); err != nil {
		return err
	}
	s, name, err := env.openCluster(ctx, "")
	if err != nil {
		return err
	}
	if opt.edit {
		return env.createInEditor(ctx, s, name, opt)
	}
	out, err := s.CreateGroup(ctx, name, stateroom.NewGroup{GroupOptions: opt.new}, opt.write())
	if err != nil {
		return err
	}
	return env.showCreated(opt.documents, out)
}

// createInEditor lets the person change the document of a group before it is
// created, until it is valid or they give up.
func (env *Env) createInEditor(ctx context.Context, s *stateroom.Store, name cluster.Name, opt createGroupOptions) error {
	given, err := s.GroupDocument(ctx, name, opt.new)
	if err != nil {
		return err
	}
	e, err := env.newEditing(given)
	if err != nil {
		return err
	}
	for {
		if _, err := e.round(ctx); err != nil {
			return e.keep(ctx, err)
		}
		out, err := s.CreateGroup(ctx, name, stateroom.NewGroup{GroupOptions: opt.new, Edited: e.text}, opt.write())
		if err == nil {
			e.remove()
			return env.showCreated(opt.documents, out)
		}
		invalid := new(cluster.InvalidError)
		if !errors.As(err, &invalid) {
			return e.keep(ctx, fmt.Errorf("create instance group %s: %w", opt.new.Name, err))
		}
		e.again(&stateroom.EditError{File: given.File, Text: e.text, Head: e.given, Problems: invalid.Problems})
	}
}
