package cluster

import (
	"slices"
	"strings"
)

// machines: machine types, images and volumes.
func (c *createCheck) machines() {
	o := c.o
	if len(o.APIServerSizes) > 1 {
		c.wrong("api-server-size", "", "one machine type, here are %d", len(o.APIServerSizes))
	}
	for _, sizes := range []struct {
		flag string
		list []string
	}{{"control-plane-size", o.ControlPlaneSizes}, {"node-size", o.NodeSizes}, {"api-server-size", o.APIServerSizes}} {
		for _, size := range sizes.list {
			switch {
			case size == "" || !cleanText(size):
				c.wrong(sizes.flag, "", "%q is no machine type", shorten(size))
			case len(o.Facts.MachineTypes) > 0 && o.Facts.machine(size) == nil:
				c.wrong(sizes.flag, "see the file of --cloud-facts", "%s has no machine type %q", o.Cloud, shorten(size))
			}
		}
	}
	for _, image := range []struct{ flag, name string }{
		{"image", o.Image}, {"control-plane-image", o.ControlPlaneImage}, {"node-image", o.NodeImage}, {"bastion-image", o.BastionImage},
	} {
		known := slices.ContainsFunc(o.Facts.Images, func(i Image) bool { return i.Name == image.name })
		if image.name != "" && len(o.Facts.Images) > 0 && !known {
			c.wrong(image.flag, "see the file of --cloud-facts", "%s has no image %q", o.Cloud, shorten(image.name))
		}
	}
	c.awsMachines()
	for _, t := range []struct {
		flag, tenancy string
		sizes         []string
	}{{"control-plane-tenancy", o.ControlPlaneTenancy, o.ControlPlaneSizes}, {"node-tenancy", o.NodeTenancy, o.NodeSizes}} {
		if t.tenancy != "" && t.tenancy != "default" && len(t.sizes) > 0 && strings.HasPrefix(t.sizes[0], "t2.") {
			c.wrong(t.flag, "choose another machine type", "%s does not come on hosts of one's own", t.sizes[0])
		}
	}
}

// awsMachines holds names against what aws' look like.
func (c *createCheck) awsMachines() {
	o := c.o
	if o.Cloud != "aws" {
		return
	}
	for _, groups := range []struct {
		flag string
		list []string
	}{{"control-plane-security-groups", o.ControlPlaneSecurityGroups}, {"node-security-groups", o.NodeSecurityGroups}} {
		for i, id := range groups.list {
			switch {
			case !strings.HasPrefix(id, "sg-"):
				c.wrong(groups.flag, "such as sg-0123456789abcdef0", "%q is no security group of aws", shorten(id))
			case slices.Index(groups.list, id) < i:
				c.wrong(groups.flag, "", "%s is there twice", shorten(id))
			}
		}
	}
	c.oneOf("control-plane-volume-type", &o.ControlPlaneVolumeType, awsVolumes...)
	c.oneOf("node-volume-type", &o.NodeVolumeType, awsVolumes...)
	c.oneOf("etcd-storage-type", &o.EtcdStorageType, awsVolumes...)
}

var awsVolumes = []string{"gp3", "gp2", "io1", "io2", "standard"}
