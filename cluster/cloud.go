package cluster

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// cloud is what kops knows of a cloud without asking it.
type cloud struct {
	// region is the region of a zone; the error says what zones look like.
	region func(zone string) (string, error)

	zoneFlag   string // what a zone is called there
	oneZone    bool   // a cluster has one
	spreads    bool   // its control plane may lie in others of the region
	zonal      bool   // groups name their zones, since subnets lie in regions
	assigns    bool   // subnets get ranges out of the network's
	networks   bool   // it has networks with ranges of their own
	machines   map[Role]string
	image      string // where the channel has none
	encryption bool   // of etcd's volumes, unless said otherwise
}

var clouds = map[string]*cloud{
	metal: {
		region: anyZone, zoneFlag: "zone", image: "dummy-metal-image", networks: true,
	},
	"aws": {
		region: awsRegion, zoneFlag: "zone", assigns: true, networks: true, encryption: true,
		machines: map[Role]string{RoleControlPlane: "t3.medium", RoleAPIServer: "t3.medium", RoleNode: "t3.medium", RoleBastion: "t3.micro"},
	},
	"gce": {
		region: gceRegion, zoneFlag: "zone", zonal: true,
		machines: map[Role]string{RoleControlPlane: "e2-medium", RoleNode: "e2-medium", RoleBastion: "e2-micro"},
	},
	"azure": {
		region: azureRegion, zoneFlag: "zone", zonal: true, assigns: true, networks: true,
		machines: map[Role]string{RoleControlPlane: "Standard_B2s", RoleNode: "Standard_B2s", RoleBastion: "Standard_B2s"},
	},
	"openstack": {
		region: anyZone, zoneFlag: "zone", assigns: true, networks: true,
	},
	"hetzner": {
		region: hetznerRegion, zoneFlag: "location", oneZone: true, spreads: true, networks: true, image: "ubuntu-24.04",
		machines: map[Role]string{RoleControlPlane: "cx23", RoleNode: "cx23", RoleBastion: "cx23"},
	},
	"digitalocean": {
		region: anyZone, zoneFlag: "region", oneZone: true, networks: true, image: "ubuntu-24-04-x64",
		machines: map[Role]string{RoleControlPlane: "s-2vcpu-4gb-amd", RoleNode: "s-2vcpu-4gb-amd"},
	},
	"scaleway": {
		region: scalewayRegion, zoneFlag: "zone", oneZone: true, networks: true, image: "ubuntu_noble",
		machines: map[Role]string{RoleControlPlane: "DEV1-M", RoleNode: "DEV1-M"},
	},
	"linode": {
		region: anyZone, zoneFlag: "region", oneZone: true, networks: true, image: "linode/ubuntu24.04",
		machines: map[Role]string{RoleControlPlane: "g6-standard-2", RoleNode: "g6-standard-2", RoleBastion: "g6-standard-1"},
	},
}

// Clouds are the values of --cloud, sorted.
func Clouds() []string { return slices.Sorted(maps.Keys(clouds)) }

// GuessCloud is the cloud that kops takes a cluster to lie in, from where its
// store lies; "" where that does not tell. Hetzner and linode have stores that
// speak S3: then the variables in which their tokens stand tell.
func GuessCloud(store string, isSet func(variable string) bool) string {
	scheme, _, _ := strings.Cut(store, "://")
	switch {
	case scheme == "s3" && isSet("HCLOUD_TOKEN"):
		return "hetzner"
	case scheme == "s3" && isSet("LINODE_TOKEN"):
		return "linode"
	}
	return map[string]string{
		"s3": "aws", "gs": "gce", "do": "digitalocean", "hos": "hetzner", "swift": "openstack", "azureblob": "azure", "scw": "scaleway", "linode": "linode",
	}[scheme]
}

func anyZone(zone string) (string, error) { return zone, nil }

var awsZone = regexp.MustCompile(`^([a-z]{2,}(?:-[a-z]+)+-[0-9]+)[a-z]$`)

func awsRegion(zone string) (string, error) {
	if m := awsZone.FindStringSubmatch(zone); m != nil {
		return m[1], nil
	}
	return "", fmt.Errorf("%q is no zone of aws, such as us-east-1a", shorten(zone))
}

func gceRegion(zone string) (string, error) {
	if parts := strings.Split(zone, "-"); len(parts) > 2 && !slices.Contains(parts, "") {
		return parts[0] + "-" + parts[1], nil
	}
	return "", fmt.Errorf("%q is no zone of gce, such as us-central1-a", shorten(zone))
}

func azureRegion(zone string) (string, error) {
	if location, number, ok := strings.Cut(zone, "-"); ok && location != "" && number != "" && !strings.Contains(number, "-") {
		return location, nil
	}
	return "", fmt.Errorf("%q is no zone of azure, such as eastus-1", shorten(zone))
}

var scalewayZone = regexp.MustCompile(`^([a-z]{2}-[a-z]{3})-[1-9]$`)

func scalewayRegion(zone string) (string, error) {
	if m := scalewayZone.FindStringSubmatch(zone); m != nil {
		return m[1], nil
	}
	return "", fmt.Errorf("%q is no zone of scaleway, such as fr-par-1", shorten(zone))
}

// openstackRegion is the region that a zone seems to lie in, for kops' examples
// alone: zones of openstack have names of any form.
func openstackRegion(zone string) string {
	parts := strings.SplitN(zone, "-", 3)
	return strings.Join(parts[:min(len(parts), 2)], "-")
}

func hetznerRegion(zone string) (string, error) {
	switch zone {
	case "fsn1", "nbg1", "hel1":
		return "eu-central", nil
	case "ash":
		return "us-east", nil
	case "hil":
		return "us-west", nil
	}
	return "", fmt.Errorf("%q is no location of hetzner: there are fsn1, nbg1, hel1, ash, hil", shorten(zone))
}
