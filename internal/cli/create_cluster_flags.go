package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stateroom/stateroom/cluster"
)

// groups are the flags of create cluster, as --help shows them. Their names are
// kops'.
func (o *createClusterOptions) groups() []flagSet {
	return []flagSet{
		{"Flags", o.clusterFlags()},
		{"Zones and machines", o.machineFlags()},
		{"Network", o.networkFlags()},
		{"Access", o.accessFlags()},
		{"etcd", o.etcdFlags()},
		{"gce, openstack and azure", o.cloudFlags()},
		{"What the cloud would say", o.factsFlags()},
		{"", o.without.flags()},
		{"", o.oldFlags()},
	}
}

func flags() *pflag.FlagSet { return pflag.NewFlagSet("", pflag.ContinueOnError) }

func (o *createClusterOptions) clusterFlags() *pflag.FlagSet {
	f, n := flags(), &o.new
	f.StringVar(&o.cloud, "cloud", "", "where it lies: "+strings.Join(cluster.Clouds(), ", ")+" (default by the store's address where --zones are given, else metal: hosts of your own)")
	f.StringVar(&n.KubernetesVersion, "kubernetes-version", "", "version of Kubernetes (default the channel's; on hosts "+cluster.DefaultKubernetesVersion+")")
	f.StringSliceVar(&n.KubernetesFeatureGates, "kubernetes-feature-gates", nil, "feature gates of Kubernetes: NAME or +NAME on, -NAME off")
	f.StringVar(&n.Authorization, "authorization", "", "RBAC or AlwaysAllow (default RBAC)")
	f.StringArrayVar(&n.Sets, "set", nil, "set a field: PATH=VALUE")
	f.StringArrayVar(&n.Unsets, "unset", nil, "unset a field: PATH")
	f.StringVar(&o.cloudLabels, "cloud-labels", "", "labels of all that is made in the cloud, as KEY=VALUE,...")
	f.StringVar(&n.DiscoveryStore, "discovery-store", "", "public place for the keys of service accounts; in aws they get roles by it")
	f.BoolVarP(&o.yes, "yes", "y", false, "make it live, too: update cluster --yes")
	o.programFlags.flags(f)
	o.changeFlags(f)
	o.documents.flag(f)
	return f
}

func (o *createClusterOptions) machineFlags() *pflag.FlagSet {
	f, n := flags(), &o.new
	f.StringSliceVar(&n.Zones, "zones", nil, "zones; each is a subnet and a group of nodes (on hosts default main)")
	f.StringSliceVar(&n.ControlPlaneZones, "control-plane-zones", nil, "zones of the control plane (default those of --zones)")
	f.IntVar(&n.ControlPlaneCount, "control-plane-count", 0, "hosts of the control plane; odd (default one for each of --control-plane-zones, else 1)")
	f.IntVar(&n.NodeCount, "node-count", 0, "nodes, in all groups together (default one for each zone; on hosts without --zones none)")
	f.IntVar(&n.APIServerCount, "api-server-count", 0, "further API servers, in all zones together")
	f.StringSliceVar(&n.ControlPlaneSizes, "control-plane-size", nil, "machine types of the control plane")
	f.StringSliceVar(&n.NodeSizes, "node-size", nil, "machine types of the nodes")
	f.StringSliceVar(&n.APIServerSizes, "api-server-size", nil, "machine type of the further API servers")
	f.StringVar(&n.Image, "image", "", "image of all machines (default the channel's)")
	f.StringVar(&n.ControlPlaneImage, "control-plane-image", "", "image of the control plane (default --image)")
	f.StringVar(&n.NodeImage, "node-image", "", "image of the nodes (default --image)")
	f.StringVar(&n.BastionImage, "bastion-image", "", "image of the bastion (default --image)")
	f.IntVar(&n.ControlPlaneVolumeSize, "control-plane-volume-size", 0, "root volume of the control plane, in GB")
	f.IntVar(&n.NodeVolumeSize, "node-volume-size", 0, "root volume of the nodes, in GB")
	f.StringVar(&n.ControlPlaneVolumeType, "control-plane-volume-type", "", "type of the control plane's root volumes")
	f.StringVar(&n.NodeVolumeType, "node-volume-type", "", "type of the nodes' root volumes")
	f.StringVar(&n.ControlPlaneTenancy, "control-plane-tenancy", "", "default or dedicated hosts for the control plane (aws)")
	f.StringVar(&n.NodeTenancy, "node-tenancy", "", "default or dedicated hosts for the nodes (aws)")
	f.StringVar(&n.InstanceManager, "instance-manager", "", "who starts nodes: cloudgroups or karpenter (default cloudgroups)")
	return f
}

func (o *createClusterOptions) networkFlags() *pflag.FlagSet {
	f, n := flags(), &o.new
	f.StringVar(&n.Networking, "networking", "", "network of the pods: "+strings.Join(cluster.NetworkingNames(), ", ")+" (default cilium; on hosts cni)")
	f.StringVarP(&n.Topology, "topology", "t", "", "public or private (default public, with --ipv6 private)")
	f.BoolVar(&n.IPv6, "ipv6", false, "IPv6 for the pods (aws)")
	f.StringSliceVar(&n.NetworkCIDRs, "network-cidr", nil, "network of the cluster, and networks added to it")
	f.StringVar(&n.NetworkID, "network-id", "", "network that is there already")
	f.StringSliceVar(&n.SubnetIDs, "subnets", nil, "subnets that are there already, one for each zone")
	f.StringSliceVar(&n.UtilitySubnetIDs, "utility-subnets", nil, "utility subnets that are there already, one for each zone")
	f.StringVar(&n.Egress, "egress", "", "how private subnets reach the world: an id such as nat-..., or External")
	f.BoolVar(&n.NoSubnetTags, "disable-subnet-tags", false, "leave the tags of subnets alone")
	return f
}

func (o *createClusterOptions) accessFlags() *pflag.FlagSet {
	f, n := flags(), &o.new
	f.StringSliceVar(&n.AdminAccess, "admin-access", nil, "networks that may reach the API (default all)")
	f.StringSliceVar(&n.SSHAccess, "ssh-access", nil, "networks that may reach SSH (default those of --admin-access)")
	f.StringVar(&o.sshKey, "ssh-public-key", "", "file of the SSH key that people get in with")
	f.BoolVar(&n.Bastion, "bastion", false, "a host through which people reach the others, in private topology")
	f.StringVar(&n.DNSType, "dns", "", "public, private or none (default none, with --dns-zone public)")
	f.StringVar(&n.DNSZone, "dns-zone", "", "zone of DNS that names are made in")
	f.StringVar(&n.APIPublicName, "api-public-name", "", "name under which the API is reached (default api.NAME where DNS is public)")
	f.StringVar(&n.APILoadBalancerType, "api-loadbalancer-type", "", "load balancer of the API: public or internal")
	f.StringVar(&n.APILoadBalancer, "api-loadbalancer-class", "", "its class: network (aws, the default)")
	f.StringVar(&n.APISSLCertificate, "api-ssl-certificate", "", "its certificate (aws)")
	f.BoolVar(&o.publicIP, "associate-public-ip", false, "whether machines get a public address")
	f.StringSliceVar(&n.ControlPlaneSecurityGroups, "control-plane-security-groups", nil, "further security groups of the control plane")
	f.StringSliceVar(&n.NodeSecurityGroups, "node-security-groups", nil, "further security groups of the nodes")
	return f
}

func (o *createClusterOptions) etcdFlags() *pflag.FlagSet {
	f, n := flags(), &o.new
	f.StringSliceVar(&n.EtcdClusters, "etcd-clusters", nil, "etcd clusters: main, events, leases (default main,events)")
	f.StringVar(&n.EtcdStorageType, "etcd-storage-type", "", "type of etcd's volumes")
	f.BoolVar(&o.encryptEtcd, "encrypt-etcd-storage", false, "encrypt etcd's volumes (default in aws)")
	return f
}

func (o *createClusterOptions) cloudFlags() *pflag.FlagSet {
	f, n := flags(), &o.new
	f.StringVar(&n.Project, "project", "", "gce: the project")
	f.StringVar(&n.GCEServiceAccount, "gce-service-account", "", "gce: service account of the machines")
	f.StringVar(&n.OpenStack.ExternalNet, "os-ext-net", "", "openstack: external network of the router")
	f.StringVar(&n.OpenStack.ExternalSubnet, "os-ext-subnet", "", "openstack: external subnet of the router")
	f.StringVar(&n.OpenStack.LBSubnet, "os-lb-floating-subnet", "", "openstack: external subnet of the API")
	f.StringVar(&n.OpenStack.DNSServers, "os-dns-servers", "", "openstack: DNS servers of the network, with commas")
	f.BoolVar(&n.OpenStack.IgnoreAZ, "os-kubelet-ignore-az", false, "openstack: attach volumes across zones")
	f.BoolVar(&n.OpenStack.Octavia, "os-octavia", false, "openstack: use octavia for load balancers")
	f.StringVar(&n.OpenStack.OctaviaProvider, "os-octavia-provider", "", "openstack: provider of octavia")
	f.StringVar(&o.osNetwork, "os-network", "", "openstack: network that is there already, as --network-id")
	f.StringVar(&n.Azure.SubscriptionID, "azure-subscription-id", "", "azure: the subscription (AZURE_SUBSCRIPTION_ID)")
	f.StringVar(&n.Azure.TenantID, "azure-tenant-id", "", "azure: the tenant")
	f.StringVar(&n.Azure.ResourceGroup, "azure-resource-group-name", "", "azure: the resource group")
	f.StringVar(&n.Azure.RouteTable, "azure-route-table-name", "", "azure: the route table")
	f.StringVar(&n.Azure.AdminUser, "azure-admin-user", "", "azure: user on the machines (default kops)")
	return f
}

func (o *createClusterOptions) factsFlags() *pflag.FlagSet {
	f := flags()
	f.StringVar(&o.facts, "cloud-facts", "", "file of what the cloud would answer: networks, zones, images, machine types")
	f.StringVar(&o.channel, "channel", "", "channel of images and versions: stable, a file or a URL (default stable, which comes with stateroom)")
	return f
}

// oldNames are flags by the names that kops gave up.
var oldNames = map[string]string{
	"master-zones": "control-plane-zones", "master-count": "control-plane-count", "master-image": "control-plane-image", "master-size": "control-plane-size",
	"master-volume-size": "control-plane-volume-size", "master-security-groups": "control-plane-security-groups", "master-tenancy": "control-plane-tenancy",
	"master-public-name": "api-public-name", "vpc": "network-id", "override": "set",
}

func (o *createClusterOptions) oldFlags() *pflag.FlagSet {
	f, n := flags(), &o.new
	f.StringSliceVar(&n.ControlPlaneZones, "master-zones", nil, "")
	f.IntVar(&n.ControlPlaneCount, "master-count", 0, "")
	f.StringVar(&n.ControlPlaneImage, "master-image", "", "")
	f.StringSliceVar(&n.ControlPlaneSizes, "master-size", nil, "")
	f.IntVar(&n.ControlPlaneVolumeSize, "master-volume-size", 0, "")
	f.StringSliceVar(&n.ControlPlaneSecurityGroups, "master-security-groups", nil, "")
	f.StringVar(&n.ControlPlaneTenancy, "master-tenancy", "", "")
	f.StringVar(&n.APIPublicName, "master-public-name", "", "")
	f.StringVar(&n.NetworkID, "vpc", "", "")
	f.StringArrayVar(&n.Sets, "override", nil, "")
	f.VisitAll(func(f *pflag.Flag) { f.Hidden = true })
	return f
}

// withoutFlags are flags of kops that mean nothing here, and what to do instead.
type withoutFlags struct {
	set    *pflag.FlagSet
	values map[string]*string
}

// withoutHints say what to do instead of each.
var withoutHints = map[string]string{
	"target":               "stateroom writes documents; kops makes Terraform of them: kops update cluster NAME --target terraform",
	"out":                  "kops update cluster NAME --target terraform --out DIR reads the same store",
	"container-runtime":    "containerd is all there is; leave the flag out",
	"config-base":          "it is where the cluster lies in the store; --set spec.configBase=URL for another place",
	"add":                  "stateroom create -f FILE adds objects to a cluster",
	"discovery-service":    "--discovery-store URL, or --set spec.serviceAccountIssuerDiscovery.discoveryService.url=URL",
	"spotinst-product":     "--set spec.cloudConfig.spotinstProduct=VALUE",
	"spotinst-orientation": "--set spec.cloudConfig.spotinstOrientation=VALUE",
}

// allowed are the values of such flags that ask for nothing.
var allowed = map[string][]string{"target": {"", "direct"}, "container-runtime": {"containerd"}}

// noGroups are roles whose flags kops takes without making a group.
var noGroups = []string{"etcd", "scheduler", "kcm"}

func (w *withoutFlags) flags() *pflag.FlagSet {
	w.set, w.values = flags(), map[string]*string{}
	names := []string{}
	for name := range withoutHints {
		names = append(names, name)
	}
	for _, role := range noGroups {
		names = append(names, role+"-count", role+"-size")
	}
	slices.Sort(names)
	for _, name := range names {
		w.values[name] = w.set.String(name, "", "")
		w.set.Lookup(name).Hidden = true
	}
	return w.set
}

func (w *withoutFlags) check(o *createClusterOptions) error {
	for name, hint := range withoutHints {
		value := *w.values[name]
		switch {
		case !o.gave(name) || slices.Contains(allowed[name], value):
		case name == "target" && value == "dryrun":
			o.dryRun = true
		default:
			return usagef(hint, "--%s %s is not for stateroom", name, value)
		}
	}
	return nil
}

// warnings tell of flags that kops takes without a word.
func (w *withoutFlags) warnings() (all []string) {
	for _, role := range noGroups {
		if *w.values[role+"-count"] != "" || *w.values[role+"-size"] != "" {
			all = append(all, fmt.Sprintf("--%s-count and --%s-size make no group: kops takes them and makes none; stateroom create instancegroup makes one", role, role))
		}
	}
	return all
}

// groupFlags gives a command its flags, and a help that shows them by group.
func groupFlags(cmd *cobra.Command, groups []flagSet) {
	for _, g := range groups {
		cmd.Flags().AddFlagSet(g.flags)
	}
	cmd.SetUsageFunc(func(cmd *cobra.Command) error {
		var b strings.Builder
		fmt.Fprintf(&b, "Usage:\n  %s\n\nExamples:\n%s\n", cmd.UseLine(), cmd.Example)
		shown := append([]flagSet{{groups[0].title, withOthers(cmd, groups)}}, groups[1:]...)
		for _, g := range append(shown, flagSet{"Flags of all commands", cmd.InheritedFlags()}) {
			if lines := flagLines(g.flags); g.title != "" && lines != "" {
				fmt.Fprintf(&b, "\n%s:\n%s", g.title, lines)
			}
		}
		_, err := cmd.OutOrStderr().Write([]byte(b.String()))
		return err
	})
}

// withOthers is the first group, with the command's flags that are in none:
// what it has of all commands like it.
func withOthers(cmd *cobra.Command, groups []flagSet) *pflag.FlagSet {
	all := flags()
	all.AddFlagSet(groups[0].flags)
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if !slices.ContainsFunc(groups, func(g flagSet) bool { return g.flags.Lookup(f.Name) != nil }) {
			all.AddFlag(f)
		}
	})
	return all
}
