package cluster

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stateroom/stateroom/doc"
)

// CreateOptions is what create cluster --cloud metal is told; the fields are
// kops' flags. Zero values mean the defaults given.
type CreateOptions struct {
	Name              Name
	ConfigBase        string    // where the cluster's files lie; "" writes none: where config lies
	Created           time.Time // written in whole seconds, UTC
	KubernetesVersion string    // DefaultKubernetesVersion
	Channel           string    // DefaultChannel

	Zones             []string // main; each is a subnet and a group of nodes
	ControlPlaneZones []string // the first of Zones, as many as there are hosts
	ControlPlaneCount int      // one per ControlPlaneZones where these are given, else 1; odd
	NodeCount         int      // of all groups of nodes together; 0: groups with no nodes

	Image             string // dummy-metal-image, as kops has it
	ControlPlaneImage string // Image
	NodeImage         string // Image
	ControlPlaneSize  string // machineType, none
	NodeSize          string // machineType, none

	Networking    string   // cni; also kubenet, calico, cilium, flannel, kindnet, kube-router, kopeio
	NetworkCIDRs  []string // none
	DNSType       string   // None; also Public, Private
	APIPublicName string   // none
	AdminAccess   []string // 0.0.0.0/0 and ::/0
	SSHAccess     []string // AdminAccess
	CloudLabels   map[string]string
	Labels        map[string]string // metadata.labels of the cluster, beside the one that says metal

	Sets, Unsets []string // of the Cluster, as --set and --unset
}

// File is a document with its name in the cluster's folder.
type File struct {
	Name  string
	Bytes []byte
}

// NewCluster makes the documents of a new cluster on plain hosts, as kops
// would write them: config, one control-plane group per host, one group of
// nodes per zone, and no add-ons. What is wrong with the options is an
// *InvalidError whose problems name the flag.
func NewCluster(opt CreateOptions) ([]File, error) {
	opt.complete()
	if err := opt.check(); err != nil {
		return nil, err
	}
	networking, err := networkingOf(opt.Networking)
	if err != nil {
		return nil, err
	}
	controlPlanes, nodes := opt.groups(RoleControlPlane), opt.groups(RoleNode)
	config, err := opt.patched(doc.Format(opt.config(networking, controlPlanes)))
	if err != nil {
		return nil, err
	}
	files := []File{{Name: ConfigFile, Bytes: config}}
	for _, g := range append(controlPlanes, nodes...) {
		files = append(files, File{Name: GroupFile(g.name), Bytes: doc.Format(g.document(opt))})
	}
	return append(files, File{Name: AddonsFile, Bytes: []byte{}}), nil
}

// complete fills in the defaults.
func (o *CreateOptions) complete() {
	o.KubernetesVersion = cmp.Or(o.KubernetesVersion, DefaultKubernetesVersion)
	o.Channel = cmp.Or(o.Channel, DefaultChannel)
	o.Networking = cmp.Or(o.Networking, "cni")
	o.DNSType = cmp.Or(o.DNSType, "None")
	if len(o.Zones) == 0 {
		o.Zones = []string{"main"}
	}
	if o.ControlPlaneCount == 0 {
		o.ControlPlaneCount = max(1, len(o.ControlPlaneZones))
	}
	if len(o.ControlPlaneZones) == 0 {
		o.ControlPlaneZones = o.Zones[:min(len(o.Zones), max(1, o.ControlPlaneCount))]
	}
	if len(o.AdminAccess) == 0 {
		o.AdminAccess = []string{"0.0.0.0/0", "::/0"}
	}
	if len(o.SSHAccess) == 0 {
		o.SSHAccess = o.AdminAccess
	}
}

// check refuses what cannot be, by the names of the flags, and brings the DNS
// type into the document's spelling.
func (o *CreateOptions) check() error {
	var problems []Problem
	wrong := func(flag, format string, args ...any) {
		problems = append(problems, Problem{File: "--" + flag, Message: fmt.Sprintf(format, args...)})
	}
	if _, err := ParseName(string(o.Name)); err != nil {
		wrong("name", "%s", err)
	}
	if _, err := ParseVersion(o.KubernetesVersion); err != nil {
		wrong("kubernetes-version", "%s", err)
	}
	if t, err := dnsType(o.DNSType); err != nil {
		wrong("dns", "%s", err)
	} else {
		o.DNSType = t
	}
	switch n := o.ControlPlaneCount; {
	case n < 0 || n%2 == 0 || n > maxGroups:
		wrong("control-plane-count", "%d: it must be odd, so that etcd has a majority, and at most %d", n, maxGroups)
	case n < len(o.ControlPlaneZones):
		wrong("control-plane-count", "%d for %d control-plane zones", n, len(o.ControlPlaneZones))
	}
	if o.NodeCount < 0 || o.NodeCount > maxNodes {
		wrong("node-count", "%d: it must be from 0 to %d", o.NodeCount, maxNodes)
	}
	for _, zone := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(o.Zones, o.ControlPlaneZones)))) {
		if _, err := ParseGroupName("nodes-" + zone); err != nil {
			wrong("zones", "%s", err)
		}
	}
	for _, ranges := range []struct {
		flag string
		list []string
	}{{"admin-access", o.AdminAccess}, {"ssh-access", o.SSHAccess}, {"network-cidr", o.NetworkCIDRs}} {
		for _, text := range ranges.list {
			if _, err := parseCIDR(text); err != nil {
				wrong(ranges.flag, "%s", err)
			}
		}
	}
	return Invalid(problems)
}

const (
	maxGroups = 99
	maxNodes  = 5000
)

// dnsType is a value of --dns as it stands in the document.
func dnsType(text string) (string, error) {
	for _, t := range []string{"Public", "Private", "None"} {
		if strings.EqualFold(t, text) {
			return t, nil
		}
	}
	return "", fmt.Errorf("%q is none of public, private, none", shorten(text))
}

// newGroup is a group that is to be made.
type newGroup struct {
	name, zone string
	role       Role
	size       int
}

// groups spreads hosts over zones as kops does: control-plane hosts get a
// group each, nodes one group per zone.
func (o *CreateOptions) groups(role Role) []newGroup {
	var groups []newGroup
	if role == RoleNode {
		sizes := spread(o.NodeCount, len(o.Zones))
		for i, zone := range o.Zones {
			groups = append(groups, newGroup{name: "nodes-" + zone, zone: zone, role: role, size: sizes[i]})
		}
		return groups
	}
	zones := o.ControlPlaneZones
	for i := range o.ControlPlaneCount {
		name := "control-plane-" + zones[i%len(zones)]
		if o.ControlPlaneCount > len(zones) {
			name += "-" + strconv.Itoa(1+i/len(zones))
		}
		groups = append(groups, newGroup{name: name, zone: zones[i%len(zones)], role: role, size: 1})
	}
	return groups
}

// spread divides count over n places, the first ones getting what remains.
func spread(count, n int) []int {
	sizes := make([]int, n)
	for i := range sizes {
		sizes[i] = count / n
		if i < count%n {
			sizes[i]++
		}
	}
	return sizes
}

// patched applies Sets and Unsets to the new config.
func (o *CreateOptions) patched(config []byte) ([]byte, error) {
	patch, err := ParsePatch(o.Sets, o.Unsets)
	if err != nil {
		return nil, err
	}
	docs, err := doc.Parse(config)
	if err != nil {
		return nil, err
	}
	if err := patch.Apply(KindCluster, docs[0]); err != nil {
		return nil, err
	}
	return docs[0].Bytes(), nil
}
