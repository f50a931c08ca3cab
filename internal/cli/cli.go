// Package cli is the command stateroom: arguments, calls of package stateroom,
// and how the results look. There is one file per command; in it, a function
// declares the command, a run function that knows no cobra does it, and a view
// shows it.
package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stateroom/stateroom/cluster"
)

// Env is all of the surroundings that a run of the command touches, besides
// stores and the user's own directories.
type Env struct {
	Args           []string // Args[0] is the program
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	Now            func() time.Time

	// Lend runs a program that has the terminal to itself, such as an editor:
	// Ctrl-C is for that program meanwhile. nil: there is nothing to do for it.
	Lend func(run func() error) error

	state, name string // --state, --name
	alone       bool   // --single-writer
	noCache     bool   // --no-cache
	draft       string // --draft
	rebased     int    // the commit of others that a change was last said to be on top of

	sayable bool // --state is an address without credentials: others are not opened

	// What hints are about.
	running *cobra.Command // nil: none was found yet
	meant   cluster.Name   // the cluster; empty: none is known yet
	given   []string       // files of the command line
}

// Main runs one command to its end and returns the exit code; see exit.go.
func Main(ctx context.Context, env Env) int {
	root := newRoot(&env)
	root.SetArgs(env.Args[1:])
	return env.fail(ctx, root.ExecuteContext(ctx))
}

const rootLong = `Stateroom keeps the state of Kubernetes clusters in a store: plain files in kops'
layout, in a directory or a bucket, with a history of who changed what and why.
From that state it plans, releases and runs clusters.

The store is, in this order: --state, STATEROOM_STATE_STORE, KOPS_STATE_STORE,
kops_state_store in ~/.kops.yaml, and else a directory of your own
($XDG_DATA_HOME/stateroom/store, which is ~/.local/share/stateroom/store).

The cluster is, in this order: the argument, --name, STATEROOM_CLUSTER_NAME,
KOPS_CLUSTER_NAME, and else the only cluster of the store.`

func newRoot(env *Env) *cobra.Command {
	root := &cobra.Command{
		Use:               "stateroom",
		Short:             "The state of Kubernetes clusters, kept, changed and run from a store",
		Long:              rootLong,
		Example:           "  stateroom up\n  stateroom edit cluster --set spec.kubeAPIServer.maxRequestsInflight=801\n  stateroom update cluster --yes --wait",
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		Args:              noSuchCommand,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	root.PersistentPreRunE = func(cmd *cobra.Command, args []string) error {
		env.running = cmd
		if err := cmd.ValidateFlagGroups(); err != nil {
			return usagef(cmd.CommandPath()+" --help says what each is for", "%w", err)
		}
		if err := noEmptyFlag(cmd); err != nil {
			return err
		}
		return noValueApart(cmd, args)
	}
	root.SetFlagErrorFunc(flagError)
	root.PersistentFlags().StringVar(&env.state, "state", "", "the store: a directory, or an address such as s3://bucket (STATEROOM_STATE_STORE, KOPS_STATE_STORE)")
	root.PersistentFlags().StringVar(&env.name, "name", "", "the cluster (STATEROOM_CLUSTER_NAME, KOPS_CLUSTER_NAME)")
	root.PersistentFlags().BoolVar(&env.alone, "single-writer", false, "nobody else writes to this store: write to services without conditional writes, too")
	root.PersistentFlags().BoolVar(&env.noCache, "no-cache", false, "keep nothing of far stores on this machine, and use nothing that is kept (STATEROOM_NO_CACHE)")
	root.AddCommand(
		createCmd(env),
		verb("get", "Show what is in the store", getClustersCmd(env), getClusterCmd(env), getGroupsCmd(env), getKeypairsCmd(env), getAllCmd(env)),
		verb("edit", "Change a document", editClusterCmd(env), editGroupCmd(env)),
		verb("update", "Make what is committed live", updateClusterCmd(env)),
		validateCmd(env),
		verb("set", "Set fields of a document", setClusterCmd(env), setGroupCmd(env)),
		verb("unset", "Unset fields of a document", unsetClusterCmd(env), unsetGroupCmd(env)),
		replaceCmd(env), applyCmd(env), whyCmd(env),
		verb("delete", "Delete a cluster or an instance group", deleteClusterCmd(env), deleteGroupCmd(env)),
		verb("export", "Export what gives access", exportKubeconfigCmd(env)),
		verb("store", "Look after a store as a whole", storeInitCmd(env), storeCheckCmd(env), storeFsckCmd(env), storeGCCmd(env)),
		verb("lease", "Say who is at work on a cluster", leaseTakeCmd(env), leaseShowCmd(env), leaseDropCmd(env)),
		verb("draft", "Look after changes that are not the cluster's yet", draftListCmd(env), draftShowCmd(env), draftDiffCmd(env), draftDeleteCmd(env)),
		publishCmd(env),
		logCmd(env), showCmd(env), diffCmd(env), blameCmd(env), rollbackCmd(env), adoptCmd(env), resolveCmd(env),
		upCmd(env), downCmd(env), statusCmd(env), doctorCmd(env), kubectlCmd(env), etcdCmd(env), explainCmd(env), schemaCmd(env), versionCmd(env),
	)
	addDraftFlags(root, env)
	addAbsent(root)
	root.AddCommand(completionCmd(), referenceCmd())
	root.SetHelpCommand(helpCmd())
	root.AddCommand(append(topics(), compatTopic(root))...)
	addCompletions(root, env)
	setHelp(root)
	return root
}

// verb is a command that only has commands below it.
func verb(name, short string, nouns ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   name,
		Short: short,
		Args:  noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usagef(cmd.CommandPath()+" --help", "%s what? there is: %s", cmd.Name(), strings.Join(nounsOf(cmd), ", "))
		},
	}
	for _, noun := range nouns {
		cmd.Example += noun.Example + "\n"
	}
	cmd.Example = strings.TrimRight(cmd.Example, "\n")
	cmd.AddCommand(nouns...)
	return cmd
}

func nounsOf(cmd *cobra.Command) []string {
	var all []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			all = append(all, c.Name())
		}
	}
	return all
}

// noSuchCommand refuses arguments where a command should stand.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.Flags().Lookup("filename") != nil && (!cmd.HasSubCommands() || strings.ContainsAny(args[0], "./")) {
		return usagef(cmd.CommandPath()+" -f "+shellQuote(args[0]), "%q: the files of %s are named with -f", args[0], cmd.CommandPath())
	}
	hint := cmd.CommandPath() + " --help lists its commands"
	if nouns := nounsOf(cmd); cmd.HasParent() && len(nouns) < 12 {
		hint = "there is: " + strings.Join(nouns, ", ")
	}
	cmd.SuggestionsMinimumDistance = min(2, len(args[0])/3) // of a short word, two letters are nearly all
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return usagef(hint, "%s has no command %q", cmd.CommandPath(), args[0])
}

// noEmptyFlag refuses flags that name something and are empty, for the same
// reason as empty arguments.
func noEmptyFlag(cmd *cobra.Command) error {
	for _, name := range []string{
		"state", "name", "draft", "at", "instancegroup", "out", "catalogue", "kubernetes-source", "kubeconfig", "user",
		"cloud", "cloud-facts", "channel", "ssh-public-key",
	} {
		if f := cmd.Flags().Lookup(name); f != nil && f.Changed && f.Value.String() == "" {
			return usagef("is a variable of the shell not set?", "--%s is empty", name)
		}
	}
	return nil
}

// noValueApart refuses a time behind a flag that stands without one, too:
// "--wait 5m" is a flag and an argument, and not what was meant.
func noValueApart(cmd *cobra.Command, args []string) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		for _, arg := range args {
			if _, no := time.ParseDuration(arg); f.Value.Type() == "duration" && f.NoOptDefVal != "" && no == nil && f.Value.String() == f.NoOptDefVal {
				err = usagef(fmt.Sprintf("write --%s=%s", f.Name, arg), "--%s and %s are two words", f.Name, arg)
			}
		}
	})
	return err
}

// atMost refuses more arguments than a command takes, and empty ones: a
// variable that is not set must not mean the only cluster there is.
func atMost(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if i := slices.Index(args, ""); i >= 0 {
			return usagef("is a variable of the shell not set?", "argument %d is empty", i+1)
		}
		if len(args) > n {
			return usagef("stateroom "+strings.TrimPrefix(cmd.UseLine(), "stateroom "), "%q is one argument too many", args[n])
		}
		return nil
	}
}
