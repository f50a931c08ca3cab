package cli

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
)

type createClusterOptions struct {
	writeFlags
	documents documentsFlag
	cloud     string
	new       cluster.CreateOptions
	given     []string // names of the flags on the command line
}

func createClusterCmd(env *Env) *cobra.Command {
	var opt createClusterOptions
	cmd := &cobra.Command{
		Use:   "cluster [NAME]",
		Short: "Create the state of a cluster on hosts",
		Long: `Create the documents of a cluster on hosts, as kops writes them (--cloud metal).
Nothing runs before stateroom update cluster --yes.

For a cluster that is there already, only the flags that are given change it.`,
		Example: "  stateroom create cluster demo.example.com\n  stateroom create cluster demo.example.com --kubernetes-version 1.37.2 --set spec.kubeAPIServer.maxRequestsInflight=800",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cmd.Flags().Visit(func(f *pflag.Flag) { opt.given = append(opt.given, f.Name) })
			return runCreateCluster(cmd.Context(), env, opt, args)
		},
	}
	opt.clusterFlags(cmd.Flags())
	opt.flags(cmd.Flags())
	opt.documents.flag(cmd.Flags())
	return cmd
}

func (o *createClusterOptions) clusterFlags(f *pflag.FlagSet) {
	n := &o.new
	f.StringVar(&o.cloud, "cloud", "metal", "where the hosts are; metal is plain hosts")
	f.StringVar(&n.KubernetesVersion, "kubernetes-version", "", "version of Kubernetes (default "+cluster.DefaultKubernetesVersion+")")
	f.StringVar(&n.Channel, "channel", "", "channel that kops takes defaults from")
	f.StringSliceVar(&n.Zones, "zones", nil, "zones; each is a subnet and a group of nodes (default main)")
	f.StringSliceVar(&n.ControlPlaneZones, "control-plane-zones", nil, "zones of the control plane (default those of --zones)")
	f.IntVar(&n.ControlPlaneCount, "control-plane-count", 0, "hosts of the control plane; odd (default 1)")
	f.IntVar(&n.NodeCount, "node-count", 0, "nodes, in all groups together")
	f.StringVar(&n.Image, "image", "", "image of all hosts")
	f.StringVar(&n.ControlPlaneImage, "control-plane-image", "", "image of the control plane")
	f.StringVar(&n.NodeImage, "node-image", "", "image of the nodes")
	f.StringVar(&n.ControlPlaneSize, "control-plane-size", "", "machine type of the control plane")
	f.StringVar(&n.NodeSize, "node-size", "", "machine type of the nodes")
	f.StringVar(&n.Networking, "networking", "", "network of the pods (default cni)")
	f.StringSliceVar(&n.NetworkCIDRs, "network-cidr", nil, "network of the hosts")
	f.StringVar(&n.DNSType, "dns", "", "public, private or none (default none)")
	f.StringVar(&n.APIPublicName, "api-public-name", "", "name under which the API is reached")
	f.StringSliceVar(&n.AdminAccess, "admin-access", nil, "networks that may reach the API (default all)")
	f.StringSliceVar(&n.SSHAccess, "ssh-access", nil, "networks that may reach SSH (default those of --admin-access)")
	f.StringToStringVar(&n.CloudLabels, "cloud-labels", nil, "labels, as KEY=VALUE,...")
	f.StringArrayVar(&n.Sets, "set", nil, "set a field: PATH=VALUE")
	f.StringArrayVar(&n.Unsets, "unset", nil, "unset a field: PATH")
}

func runCreateCluster(ctx context.Context, env *Env, opt createClusterOptions, args []string) error {
	if opt.cloud != "metal" {
		return usagef("kops create cluster --cloud "+opt.cloud+" --dry-run -o yaml | stateroom create -f -",
			"create cluster --cloud %s is not in this version yet: it creates clusters on hosts (--cloud metal)", opt.cloud)
	}
	if err := opt.documents.check(opt.dryRun); err != nil {
		return err
	}
	s, err := env.open(ctx)
	if err != nil {
		return err
	}
	if opt.new.Name, err = env.newName(first(args)); err != nil {
		return err
	}
	out, err := s.Create(ctx, stateroom.Create{CreateOptions: opt.new, Given: opt.given}, opt.write())
	if err != nil {
		return err
	}
	return env.showCreated(opt.documents, out)
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
