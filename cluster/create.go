package cluster

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/stateroom/stateroom/doc"
)

// CreateOptions is what create cluster is told; the fields are kops' flags.
// Zero values mean the defaults given; what a cloud would be asked for comes
// from Facts and Defaults.
type CreateOptions struct {
	Name       Name
	ConfigBase string    // where the cluster's files lie; "" writes none: where config lies
	Created    time.Time // written in whole seconds, UTC
	Cloud      string    // metal; see Clouds
	Labels     map[string]string

	Channel  string   // spec.channel; DefaultChannel
	Defaults *Channel // what the channel says; BuiltinChannel
	Facts    *Facts   // what the cloud would say; nothing

	KubernetesVersion      string   // on hosts DefaultKubernetesVersion, in a cloud the channel's
	KubernetesFeatureGates []string // Name or +Name: on, -Name: off
	Authorization          string   // RBAC; also AlwaysAllow

	Zones             []string // on hosts main, in a cloud there is no default
	ControlPlaneZones []string // Zones
	ControlPlaneCount int      // one per ControlPlaneZones where these are given, else 1; odd
	NodeCount         int      // one per zone; on hosts without Zones none
	NoNodes           bool     // on hosts: groups with no nodes
	APIServerCount    int      // none
	Bastion           bool     // in private topology

	Image             string // the channel's
	ControlPlaneImage string // Image
	NodeImage         string // Image
	BastionImage      string // Image

	// Machine types. In aws the first one counts, and several make a policy of
	// mixed instances; elsewhere all but the first are of no use.
	ControlPlaneSizes []string
	NodeSizes         []string
	APIServerSizes    []string // one at most

	ControlPlaneVolumeSize, NodeVolumeSize int // of the root volume, in GB; the cloud's
	ControlPlaneVolumeType, NodeVolumeType string
	ControlPlaneTenancy, NodeTenancy       string // aws: default, dedicated
	ControlPlaneSecurityGroups             []string
	NodeSecurityGroups                     []string
	AssociatePublicIP                      *bool

	EtcdClusters       []string // main, events
	EtcdStorageType    string
	EncryptEtcdStorage *bool // in aws true

	Networking       string   // cni on hosts, cilium in a cloud
	Topology         string   // public, with IPv6 private
	IPv6             bool     // aws
	NetworkCIDRs     []string // the first is the cluster's network, the others are added to it
	NetworkID        string
	SubnetIDs        []string
	UtilitySubnetIDs []string
	Egress           string
	NoSubnetTags     bool

	DNSType             string // None, with DNSZone Public; also Private
	DNSZone             string
	APIPublicName       string // api.NAME where DNS is public
	APILoadBalancerType string // public; also internal
	APILoadBalancer     string // class, aws: Network; also Classic
	APISSLCertificate   string
	AdminAccess         []string // 0.0.0.0/0 and ::/0
	SSHAccess           []string // AdminAccess
	CloudLabels         map[string]string

	DiscoveryStore  string // URL of a folder; the cluster's name is added
	InstanceManager string // cloudgroups; also karpenter

	Project           string // gce
	GCEServiceAccount string
	OpenStack         OpenStackOptions
	Azure             AzureOptions

	Sets, Unsets []string // of the Cluster, as --set and --unset

	controlPlaneZonesGiven bool
}

// OpenStackOptions are those of openstack alone.
type OpenStackOptions struct {
	ExternalNet, ExternalSubnet, LBSubnet string
	DNSServers                            string
	IgnoreAZ                              bool // attach volumes across zones
	Octavia                               bool
	OctaviaProvider                       string // octavia
}

// AzureOptions are those of azure alone.
type AzureOptions struct {
	SubscriptionID, TenantID string
	ResourceGroup            string
	RouteTable               string
	AdminUser                string // kops
}

// File is a document with its name in the cluster's folder.
type File struct {
	Name  string
	Bytes []byte
}

// NewCluster makes the documents of a new cluster as kops would write them:
// config, the instance groups, and no add-ons. What is wrong with the options
// is an *InvalidError whose problems name the flag.
func NewCluster(opt CreateOptions) ([]File, error) {
	opt.complete()
	if err := opt.check(); err != nil {
		return nil, err
	}
	n := &newCluster{opt: opt, cloud: clouds[opt.Cloud], spec: map[string]any{}}
	n.compose()
	if err := Invalid(n.problems); err != nil {
		return nil, err
	}
	config, err := n.assigned()
	if err != nil {
		return nil, err
	}
	files := []File{{Name: ConfigFile, Bytes: config}}
	for _, g := range n.groups {
		files = append(files, File{Name: GroupFile(g.name), Bytes: doc.Format(g.document(opt))})
	}
	return append(files, File{Name: AddonsFile, Bytes: []byte{}}), nil
}

// complete fills in the defaults.
func (o *CreateOptions) complete() {
	o.Cloud = cmp.Or(o.Cloud, metal)
	if o.Defaults == nil {
		o.Defaults = BuiltinChannel()
	}
	if o.Facts == nil {
		o.Facts = &Facts{}
	}
	o.Channel = cmp.Or(o.Channel, DefaultChannel)
	o.EtcdClusters = orList(o.EtcdClusters, "main", "events")
	o.AdminAccess = orList(o.AdminAccess, "0.0.0.0/0", "::/0")
	o.SSHAccess = orList(o.SSHAccess, o.AdminAccess...)
	o.InstanceManager = cmp.Or(o.InstanceManager, "cloudgroups")
	o.Azure.AdminUser = cmp.Or(o.Azure.AdminUser, "kops")
	o.Project = cmp.Or(o.Project, o.Facts.Project)
	if o.Cloud == metal {
		o.completeMetal()
	} else {
		o.Networking = cmp.Or(o.Networking, "cilium")
		o.KubernetesVersion = cmp.Or(o.KubernetesVersion, o.Defaults.KubernetesVersion())
		if o.InstanceManager != "karpenter" {
			o.NodeCount = cmp.Or(o.NodeCount, len(o.Zones))
		}
	}
	o.completeTopology()
	if o.ControlPlaneCount == 0 {
		o.ControlPlaneCount = max(1, len(o.ControlPlaneZones))
	}
	o.controlPlaneZonesGiven = len(o.ControlPlaneZones) > 0
	o.ControlPlaneZones = orList(o.ControlPlaneZones, o.Zones...)
}

// completeMetal: hosts have names of racks rather than zones, and need none.
func (o *CreateOptions) completeMetal() {
	o.Networking = cmp.Or(o.Networking, "cni")
	o.KubernetesVersion = cmp.Or(o.KubernetesVersion, DefaultKubernetesVersion)
	if o.NodeCount == 0 && !o.NoNodes {
		o.NodeCount = len(o.Zones)
	}
	o.Zones = orList(o.Zones, "main")
}

func (o *CreateOptions) completeTopology() {
	if o.Topology == "" {
		o.Topology = topologyPublic
		if o.IPv6 {
			o.Topology = topologyPrivate
		}
	}
	if o.DNSType == "" {
		o.DNSType = dnsNone
		if o.DNSZone != "" {
			o.DNSType = dnsPublic
		}
	}
}

func orList(have []string, or ...string) []string {
	if len(have) > 0 {
		return have
	}
	return or
}

// allZones are those of nodes and of the control plane, sorted.
func (o *CreateOptions) allZones() []string {
	zones := map[string]bool{}
	for _, z := range slices.Concat(o.Zones, o.ControlPlaneZones) {
		zones[z] = true
	}
	return slices.Sorted(maps.Keys(zones))
}

// Values of topology and DNS.
const (
	topologyPublic, topologyPrivate = "public", "private"

	dnsPublic, dnsPrivate, dnsNone = "Public", "Private", "None"
)

// newCluster is a cluster on its way to documents.
type newCluster struct {
	opt      CreateOptions
	cloud    *cloud
	spec     map[string]any
	subnets  []*newSubnet
	inZone   map[string][]*newSubnet // subnets by zone, the main one first
	groups   []*newGroup
	problems []Problem
}

func (n *newCluster) wrong(flag, hint, message string) {
	p := Problem{File: "--" + flag, Message: message, Hint: hint}
	if !slices.Contains(n.problems, p) { // of several groups alike, one says it
		n.problems = append(n.problems, p)
	}
}

// compose does what kops does before the fields that --set gives, in its order.
func (n *newCluster) compose() {
	n.composeSpec()
	n.composeCloud()
	n.composeZones()
	n.composeTopology()
	n.composeControlPlane()
	n.composeAPIServers()
	n.composeNodes()
	n.composeAPI()
	for _, g := range n.groups {
		n.completeGroup(g)
	}
	n.spec["subnets"] = n.subnetList()
}
