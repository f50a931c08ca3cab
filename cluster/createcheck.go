package cluster

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Limits of a new cluster.
const (
	maxGroups = 99
	maxNodes  = 5000
	maxVolume = 65536 // GB
)

// check refuses what cannot be, by the names of the flags, and brings words
// into the document's spelling.
func (o *CreateOptions) check() error {
	c := &createCheck{o: o}
	c.cluster()
	if c.cloud(); clouds[o.Cloud] != nil {
		c.zones()
		c.counts()
		c.machines()
		c.networks()
		c.access()
		c.onlyIn()
	}
	return Invalid(c.problems)
}

type createCheck struct {
	o        *CreateOptions
	problems []Problem
}

func (c *createCheck) wrong(flag, hint, format string, args ...any) {
	c.problems = append(c.problems, Problem{File: "--" + flag, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// oneOf refuses a word that is none of those; "" is left to the default.
func (c *createCheck) oneOf(flag string, word *string, words ...string) {
	if *word == "" {
		return
	}
	for _, w := range words {
		if strings.EqualFold(w, *word) {
			*word = w
			return
		}
	}
	c.wrong(flag, "", "%q is none of %s", shorten(*word), strings.Join(words, ", "))
}

func (c *createCheck) cluster() {
	o := c.o
	if _, err := ParseName(string(o.Name)); err != nil {
		c.wrong("name", "", "%s", err)
	}
	switch _, err := ParseVersion(o.KubernetesVersion); {
	case o.KubernetesVersion == "":
		c.wrong("kubernetes-version", "give one", "the channel names no version")
	case err != nil:
		c.wrong("kubernetes-version", "", "%s", err)
	}
	c.oneOf("authorization", &o.Authorization, "RBAC", "AlwaysAllow")
	c.oneOf("topology", &o.Topology, topologyPublic, topologyPrivate)
	c.oneOf("instance-manager", &o.InstanceManager, "cloudgroups", "karpenter")
	c.oneOf("api-loadbalancer-type", &o.APILoadBalancerType, "public", "internal")
	if strings.EqualFold(o.APILoadBalancer, "classic") {
		c.wrong("api-loadbalancer-class", "leave it out: network is all there is", "kops took classic load balancers away with 1.37")
	} else {
		c.oneOf("api-loadbalancer-class", &o.APILoadBalancer, "network")
	}
	c.oneOf("control-plane-tenancy", &o.ControlPlaneTenancy, "default", "dedicated", "host")
	c.oneOf("node-tenancy", &o.NodeTenancy, "default", "dedicated", "host")
	if t, err := dnsType(o.DNSType); err != nil {
		c.wrong("dns", "", "%s", err)
	} else {
		o.DNSType = t
	}
	for _, gate := range o.KubernetesFeatureGates {
		if name, _ := featureGate(gate); !gateName.MatchString(name) {
			c.wrong("kubernetes-feature-gates", "a name, +name or -name", "%q is no feature gate", shorten(gate))
		}
	}
	for i, name := range o.EtcdClusters {
		if !slices.Contains([]string{"main", "events", "leases", "cilium"}, name) {
			c.wrong("etcd-clusters", "there are main, events and leases", "%q is no etcd cluster", shorten(name))
		} else if slices.Index(o.EtcdClusters, name) < i {
			c.wrong("etcd-clusters", "", "%s is there twice", name)
		}
	}
}

var gateName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*$`)

func (c *createCheck) cloud() {
	if o := c.o; clouds[o.Cloud] == nil {
		c.wrong("cloud", nearestWord(o.Cloud, Clouds()), "%q is none of %s", shorten(o.Cloud), strings.Join(Clouds(), ", "))
	}
}

// nearestWord is a hint, or "".
func nearestWord(word string, words []string) string {
	for _, w := range words {
		if len(word) > 1 && (strings.HasPrefix(w, strings.ToLower(word)) || strings.HasPrefix(strings.ToLower(word), w)) {
			return "did you mean " + w + "?"
		}
	}
	return map[string]string{"gcp": "did you mean gce?", "google": "did you mean gce?", "do": "did you mean digitalocean?", "akamai": "did you mean linode?", "spotinst": "did you mean aws?", "baremetal": "did you mean metal?", "none": "did you mean metal?"}[strings.ToLower(word)]
}

func (c *createCheck) zones() {
	o, where := c.o, clouds[c.o.Cloud]
	if len(o.Zones) == 0 {
		c.wrong("zones", "such as --zones "+exampleZone[o.Cloud], "in %s a cluster needs a %s", o.Cloud, where.zoneFlag)
		return
	}
	in := o.Zones
	if !where.spreads {
		in = o.allZones()
	}
	if where.oneZone && len(in) > 1 {
		c.wrong("zones", "", "in %s a cluster lies in one %s, here are %s", o.Cloud, where.zoneFlag, strings.Join(in, ", "))
	}
	regions := map[string]string{}
	for _, zone := range o.allZones() {
		region, err := where.region(zone)
		if _, name := ParseGroupName("nodes-" + zone); name != nil {
			err = name
		}
		switch {
		case err != nil:
			c.wrong("zones", otherCloud(zone, o.Cloud), "%s", err)
			continue
		case len(o.Facts.Zones) > 0 && !slices.Contains(o.Facts.Zones, zone):
			c.wrong("zones", "there are "+strings.Join(o.Facts.Zones, ", "), "%s has no zone %q", o.Cloud, zone)
		}
		regions[region] = zone
	}
	if o.Cloud != metal && o.Cloud != "openstack" && (!where.oneZone || where.spreads) && len(regions) > 1 {
		c.wrong("zones", "", "a cluster lies in one region, these are of %d: %s", len(regions), strings.Join(o.allZones(), ", "))
	}
	for i, zone := range o.Zones {
		if slices.Index(o.Zones, zone) < i {
			c.wrong("zones", "", "%s is there twice", zone)
		}
	}
}

// exampleZone is a zone of each cloud.
var exampleZone = map[string]string{
	"aws": "us-east-1a", "gce": "us-central1-a", "azure": "eastus-1", "openstack": "nova", "hetzner": "fsn1", "digitalocean": "nyc1", "scaleway": "fr-par-1", "linode": "us-ord", metal: "main",
}

// otherCloud says which cloud a zone looks like; hosts have zones of any name.
func otherCloud(zone, cloud string) string {
	for _, name := range []string{"aws", "scaleway", "gce", "azure", "hetzner"} {
		if _, err := clouds[name].region(zone); err == nil && name != cloud {
			return fmt.Sprintf("it looks like one of %s: --cloud %s", name, name)
		}
	}
	if cloud == metal {
		return ""
	}
	return "such as " + exampleZone[cloud] + "; for hosts of your own: --cloud metal"
}

func (c *createCheck) counts() {
	o := c.o
	switch n := o.ControlPlaneCount; {
	case n%2 == 0 && o.controlPlaneZonesGiven && n == len(o.ControlPlaneZones):
		c.wrong("control-plane-zones", "one zone fewer or more, or an odd --control-plane-count above it", "%d zones make %d hosts of the control plane: it must be an odd number, so that etcd has a majority", n, n)
	case n < 0 || n%2 == 0 || n > maxGroups:
		c.wrong("control-plane-count", "such as 1, 3 or 5", "%d: it must be odd, so that etcd has a majority, and at most %d", n, maxGroups)
	case n < len(o.ControlPlaneZones) && o.controlPlaneZonesGiven:
		c.wrong("control-plane-count", "one for each zone, or more", "%d for %d control-plane zones", n, len(o.ControlPlaneZones))
	}
	for _, count := range []struct {
		flag  string
		value int
	}{{"node-count", o.NodeCount}, {"api-server-count", o.APIServerCount}} {
		if count.value < 0 || count.value > maxNodes {
			c.wrong(count.flag, "", "%d: it must be from 0 to %d", count.value, maxNodes)
		}
	}
	for _, size := range []struct {
		flag  string
		value int
	}{{"control-plane-volume-size", o.ControlPlaneVolumeSize}, {"node-volume-size", o.NodeVolumeSize}} {
		if size.value < 0 || size.value > maxVolume {
			c.wrong(size.flag, "", "%d GB: it must be from 1 to %d", size.value, maxVolume)
		}
	}
}

// onlyIn refuses flags in clouds that do not know what they speak of.
func (c *createCheck) onlyIn() {
	o := c.o
	for _, f := range []struct {
		flag   string
		given  bool
		clouds string
	}{
		{"ipv6", o.IPv6, "aws"},
		{"network-cidr", len(o.NetworkCIDRs) > 0, "aws azure openstack hetzner digitalocean scaleway linode metal"},
		{"network-id", o.NetworkID != "", "aws azure gce openstack hetzner digitalocean scaleway linode"},
		{"subnets", len(o.SubnetIDs) > 0, "aws gce openstack"},
		{"utility-subnets", len(o.UtilitySubnetIDs) > 0, "aws openstack"},
		{"node-security-groups", len(o.NodeSecurityGroups) > 0, "aws openstack"},
		{"control-plane-security-groups", len(o.ControlPlaneSecurityGroups) > 0, "aws openstack"},
		{"control-plane-tenancy", o.ControlPlaneTenancy != "", "aws"},
		{"node-tenancy", o.NodeTenancy != "", "aws"},
		{"api-ssl-certificate", o.APISSLCertificate != "", "aws"},
		{"api-loadbalancer-class", o.APILoadBalancer != "", "aws"},
		{"instance-manager", o.InstanceManager == "karpenter", "aws"},
		{"project", o.Project != "", "gce"},
		{"gce-service-account", o.GCEServiceAccount != "", "gce"},
		{"os-ext-net", o.OpenStack.ExternalNet != "", "openstack"},
		{"os-ext-subnet", o.OpenStack.ExternalSubnet != "", "openstack"},
		{"os-lb-floating-subnet", o.OpenStack.LBSubnet != "", "openstack"},
		{"os-dns-servers", o.OpenStack.DNSServers != "", "openstack"},
		{"os-kubelet-ignore-az", o.OpenStack.IgnoreAZ, "openstack"},
		{"os-octavia", o.OpenStack.Octavia, "openstack"},
		{"os-octavia-provider", o.OpenStack.OctaviaProvider != "", "openstack"},
		{"azure-subscription-id", o.Azure.SubscriptionID != "", "azure"},
		{"azure-tenant-id", o.Azure.TenantID != "", "azure"},
		{"azure-resource-group-name", o.Azure.ResourceGroup != "", "azure"},
		{"azure-route-table-name", o.Azure.RouteTable != "", "azure"},
	} {
		if f.given && !slices.Contains(strings.Fields(f.clouds), o.Cloud) {
			c.wrong(f.flag, "", "it is for %s, this cluster is for %s", strings.ReplaceAll(f.clouds, " ", ", "), o.Cloud)
		}
	}
	switch {
	case o.Cloud == "gce" && o.Project == "":
		c.wrong("project", "gcloud config get-value project says yours", "in gce a cluster belongs to a project")
	case o.Cloud == "azure" && o.Azure.SubscriptionID == "":
		c.wrong("azure-subscription-id", "az account show says yours", "in azure a cluster belongs to a subscription")
	}
}

// dnsType is a value of --dns as it stands in the document.
func dnsType(text string) (string, error) {
	for _, t := range []string{dnsPublic, dnsPrivate, dnsNone} {
		if strings.EqualFold(t, text) {
			return t, nil
		}
	}
	return "", errors.New(fmt.Sprintf("%q", shorten(text)) + " is none of public, private, none")
}
