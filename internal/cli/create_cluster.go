package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
)

type createClusterOptions struct {
	writeFlags
	programFlags
	documents documentsFlag
	new       cluster.CreateOptions
	given     []string // names of the flags on the command line
	old       []string // warnings about those by names that kops gave up

	cloud       string
	channel     string
	facts       string
	sshKey      string
	cloudLabels string
	publicIP    bool
	encryptEtcd bool
	osNetwork   string
	without     withoutFlags
	yes         bool
}

func createClusterCmd(env *Env) *cobra.Command {
	var opt createClusterOptions
	cmd := &cobra.Command{
		Use:   "cluster [NAME]",
		Short: "Create the state of a cluster",
		Long: `Create the documents of a cluster as kops writes them, with kops' flags: on
hosts of your own (--cloud metal), or in a cloud. What kops would ask the cloud
comes from --cloud-facts, images and versions come from the channel. Nothing
runs before stateroom update cluster --yes; clusters in a cloud are made live
by kops.

For a cluster that is there already, only the flags that are given change it.`,
		Example: "  stateroom create cluster demo.example.com\n" +
			"  stateroom create cluster demo.example.com --kubernetes-version 1.37.2\n" +
			"  stateroom create cluster prod.example.com --cloud aws \\\n" +
			"    --zones us-east-1a,us-east-1b,us-east-1c --control-plane-count 3\n" +
			"  stateroom create cluster prod.example.com --node-count 8",
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cmd.Flags().Visit(func(f *pflag.Flag) { opt.give(f.Name) })
			return runCreateCluster(cmd.Context(), env, opt, args)
		},
	}
	groupFlags(cmd, opt.groups())
	return cmd
}

func runCreateCluster(ctx context.Context, env *Env, opt createClusterOptions, args []string) error {
	if err := opt.check(); err != nil {
		return err
	}
	if opt.yes && env.draft != "" {
		return usagef("leave one of them out; stateroom publish "+env.draft+" commits the draft", "--yes makes it live, and a draft cannot go live")
	}
	s, err := env.open(ctx)
	if err != nil {
		return err
	}
	if opt.new.Name, err = env.newName(first(args)); err != nil {
		return err
	}
	if err := env.readCreateFiles(ctx, &opt, s.Place()); err != nil {
		return err
	}
	cr := stateroom.Create{CreateOptions: opt.new, Given: opt.given}
	if opt.sshKey != "" {
		if cr.SSHKey, err = env.readSSHKey(ctx, opt.sshKey); err != nil {
			return err
		}
	}
	out, err := s.Create(ctx, cr, opt.write())
	if env.draft != "" && errors.Is(err, fs.ErrNotExist) {
		return advise(err, "a draft changes a cluster that is there; make this one without --draft")
	}
	if err != nil {
		return err
	}
	out.Warnings = append(out.Warnings, append(opt.old, opt.without.warnings()...)...)
	if err := env.showCreated(opt.documents, out); err != nil || !opt.yes {
		return err
	}
	return env.updateCreated(ctx, opt)
}

// newName is the name of a cluster that may not be there yet: it must be said.
func (env *Env) newName(arg string) (cluster.Name, error) {
	given, err := env.namedCluster(arg)
	if err == nil && given == "" {
		err = usagef("stateroom create cluster demo.example.com", "the cluster has no name")
	}
	if err != nil {
		return "", err
	}
	return cluster.ParseName(given)
}

// check reads the flags that are texts of their own, and refuses what kops does
// beside writing documents.
func (o *createClusterOptions) check() error {
	if err := o.documents.check(o.dryRun); err != nil {
		return err
	}
	if err := o.without.check(o); err != nil {
		return err
	}
	var err error
	if o.new.CloudLabels, err = cluster.ParseCloudLabels(o.cloudLabels); err != nil {
		return err
	}
	n := &o.new
	if o.gave("associate-public-ip") {
		n.AssociatePublicIP = &o.publicIP
	}
	if o.gave("encrypt-etcd-storage") {
		n.EncryptEtcdStorage = &o.encryptEtcd
	}
	n.NoNodes = o.gave("node-count") && n.NodeCount == 0
	if o.osNetwork != "" {
		n.NetworkID = o.osNetwork
		o.given = append(o.given, "network-id")
	}
	for _, flag := range []string{"project", "zones", "image", "control-plane-size", "node-size", "kubernetes-version", "networking"} {
		if err := o.noEmpty(flag); err != nil {
			return err
		}
	}
	if o.yes && o.dryRun {
		return usagef("leave one of them out", "--yes makes it live and --dry-run writes nothing")
	}
	return nil
}

// give notes that a flag is on the command line.
func (o *createClusterOptions) give(name string) {
	if now, old := oldNames[name]; old {
		o.old = append(o.old, fmt.Sprintf("--%s is called --%s now", name, now))
		name = now
	}
	o.given = append(o.given, name)
}

func (o *createClusterOptions) gave(flag string) bool { return slices.Contains(o.given, flag) }

// noEmpty refuses a flag that is given and empty: a variable of the shell that
// is not set must not mean the default.
func (o *createClusterOptions) noEmpty(flag string) error {
	n := &o.new
	value := map[string]string{
		"project": n.Project, "zones": strings.Join(n.Zones, ""), "image": n.Image,
		"control-plane-size": strings.Join(n.ControlPlaneSizes, ""), "node-size": strings.Join(n.NodeSizes, ""),
		"kubernetes-version": n.KubernetesVersion, "networking": n.Networking,
	}[flag]
	if o.gave(flag) && value == "" {
		return usagef("is a variable of the shell not set?", "--%s is empty", flag)
	}
	return nil
}

// updateCreated is the update of --yes. A cluster in a cloud is made live by
// kops: it is created all the same, and the person is told.
func (env *Env) updateCreated(ctx context.Context, opt createClusterOptions) error {
	update := updateOptions{writeFlags: writeFlags{message: opt.message}, programFlags: opt.programFlags, output: output{format: "text"}, yes: true}
	err := runUpdateCluster(ctx, env, update, []string{string(opt.new.Name)})
	var cloud *stateroom.CloudError
	if !errors.As(err, &cloud) {
		return err
	}
	env.sayf("%s", cloud)
	env.sayf("hint: %s", cloud.Hint())
	return exitStatus(exitNotConverged)
}
