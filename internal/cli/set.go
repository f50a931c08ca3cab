package cli

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
)

const setLong = `
PATH=VALUE sets a field; on a list, it appends. PATH+=VALUE adds what is missing to a
list or a map, PATH-=VALUE takes items away. No other byte of the file changes, and
all the fields become one commit. It is what edit --set does.`

const unsetLong = `
No other byte of the file changes, and all the fields become one commit. What is not
set is no error. It is what edit --unset does.`

func setClusterCmd(env *Env) *cobra.Command {
	return fieldsCmd(env, patchVerb{name: "set"}, &cobra.Command{
		Use:     "cluster [NAME] PATH=VALUE...",
		Short:   "Set fields of a cluster",
		Long:    "Set fields of a cluster.\n" + setLong,
		Example: "  stateroom set cluster spec.kubeAPIServer.maxRequestsInflight=801\n  stateroom set cluster spec.sshAccess+=192.0.2.0/24 spec.channel=alpha",
	})
}

func setGroupCmd(env *Env) *cobra.Command {
	return fieldsCmd(env, patchVerb{name: "set", group: true}, &cobra.Command{
		Use:     "instancegroup GROUP PATH=VALUE...",
		Aliases: []string{"ig", "instancegroups"},
		Short:   "Set fields of an instance group",
		Long:    "Set fields of an instance group.\n" + setLong,
		Example: "  stateroom set instancegroup nodes-main spec.maxSize=3 spec.machineType=large",
	})
}

func unsetClusterCmd(env *Env) *cobra.Command {
	return fieldsCmd(env, patchVerb{name: "unset"}, &cobra.Command{
		Use:     "cluster [NAME] PATH...",
		Short:   "Unset fields of a cluster",
		Long:    "Unset fields of a cluster: it has their default again.\n" + unsetLong,
		Example: "  stateroom unset cluster spec.kubeAPIServer.maxRequestsInflight",
	})
}

func unsetGroupCmd(env *Env) *cobra.Command {
	return fieldsCmd(env, patchVerb{name: "unset", group: true}, &cobra.Command{
		Use:     "instancegroup GROUP PATH...",
		Aliases: []string{"ig", "instancegroups"},
		Short:   "Unset fields of an instance group",
		Long:    "Unset fields of an instance group: it has their default again.\n" + unsetLong,
		Example: "  stateroom unset instancegroup nodes-main spec.machineType",
	})
}

// patchVerb is set or unset, of a cluster or of a group.
type patchVerb struct {
	name  string
	group bool
}

// fieldsCmd completes a command that takes fields as arguments.
func fieldsCmd(env *Env, verb patchVerb, cmd *cobra.Command) *cobra.Command {
	var opt writeFlags
	cmd.Args = noEmpty
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return runFields(cmd.Context(), env, verb, opt, args)
	}
	opt.changeFlags(cmd.Flags())
	return cmd
}

// noEmpty refuses empty arguments, as atMost does.
func noEmpty(cmd *cobra.Command, args []string) error {
	return atMost(len(args))(cmd, args)
}

func runFields(ctx context.Context, env *Env, verb patchVerb, opt writeFlags, args []string) error {
	arg, group, fields, err := verb.split(args)
	if err != nil {
		return err
	}
	sets, unsets := fields, []string(nil)
	if verb.name == "unset" {
		sets, unsets = nil, fields
	}
	patch, err := cluster.ParsePatch(sets, unsets)
	if err != nil {
		return verb.flagless(err)
	}
	s, name, err := env.openCluster(ctx, arg)
	if err != nil {
		return err
	}
	out, err := s.Edit(ctx, name, stateroom.Edit{Group: group, Patch: patch}, opt.write())
	if err != nil {
		return verb.flagless(err)
	}
	return env.showOutcome(out)
}

// split finds the cluster or group among the arguments. The name of a cluster
// may be left out, so it must not look like a field: a cluster called
// spec.example.com is meant by --name alone.
func (v patchVerb) split(args []string) (name, group string, fields []string, err error) {
	named := len(args) > 0 && !isField(args[0])
	switch {
	case v.group && !named:
		return "", "", nil, usagef("stateroom get instancegroups lists them", "which instance group?")
	case v.group:
		group, fields = args[0], args[1:]
	case named:
		name, fields = args[0], args[1:]
	default:
		fields = args
	}
	if len(fields) > 0 {
		return name, group, fields, nil
	}
	example := "spec.channel=alpha"
	if v.group {
		example = "spec.maxSize=3"
	}
	if v.name == "unset" {
		example, _, _ = strings.Cut(example, "=")
	}
	return "", "", nil, usagef("name the field after it, as "+example, "%s which field?", v.name)
}

// isField tells a field from the name of a cluster or group.
func isField(arg string) bool {
	top := arg
	if i := strings.IndexAny(arg, ".[=+"); i >= 0 {
		top = arg[:i]
	}
	if top == "cluster" || top == "instancegroup" { // kops' prefix
		rest := strings.TrimPrefix(arg[len(top):], ".")
		return rest != "" && isField(rest)
	}
	return strings.Contains(arg, "=") || slices.Contains([]string{"spec", "metadata", "kind", "apiVersion", "status"}, top)
}

// flagless is an error of a patch for somebody who gave no --set.
func (v patchVerb) flagless(err error) error {
	if invalid := new(cluster.InvalidError); errors.As(err, &invalid) {
		for i := range invalid.Problems {
			p := &invalid.Problems[i]
			p.File = strings.TrimPrefix(p.File, "--")
		}
	}
	return err
}
