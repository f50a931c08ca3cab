package cluster

// composeCloud writes what tells the clouds apart.
func (n *newCluster) composeCloud() {
	o := n.opt
	if o.Cloud != metal {
		n.spec["cloudProvider"] = o.Cloud
	}
	switch o.Cloud {
	case "gce":
		config := n.component("cloudConfig")
		if o.GCEServiceAccount != "" {
			config["gceServiceAccount"] = o.GCEServiceAccount
		}
		n.spec["project"] = o.Project
	case "azure":
		n.component("cloudConfig")["azure"] = o.azure()
	case "openstack":
		n.component("cloudConfig")["openstack"] = o.openstack()
		n.component("cloudControllerManager")["clusterName"] = string(o.Name)
	}
	if o.IPv6 {
		n.component("cloudControllerManager")
		n.spec["nonMasqueradeCIDR"] = anyIPv6
	}
	if o.InstanceManager == "karpenter" {
		n.component("karpenter")["enabled"] = true
	}
	n.findNetwork()
}

const anyIPv6 = "::/0"

func (o *CreateOptions) azure() map[string]any {
	a := map[string]any{"adminUser": o.Azure.AdminUser, "tenantId": o.Azure.TenantID}
	for field, text := range map[string]string{
		"subscriptionId": o.Azure.SubscriptionID, "resourceGroupName": o.Azure.ResourceGroup, "routeTableName": o.Azure.RouteTable,
		"storageAccountID": o.Facts.StorageAccount,
	} {
		if text != "" {
			a[field] = text
		}
	}
	return a
}

func (o *CreateOptions) openstack() map[string]any {
	s := o.OpenStack
	router := map[string]any{"externalNetwork": s.ExternalNet}
	if s.DNSServers != "" {
		router["dnsServers"] = s.DNSServers
	}
	if s.ExternalSubnet != "" {
		router["externalSubnet"] = s.ExternalSubnet
	}
	spec := map[string]any{
		"blockStorage": map[string]any{"bs-version": "v3", "clusterName": string(o.Name), "ignore-volume-az": s.IgnoreAZ},
		"monitor":      map[string]any{"delay": "15s", "maxRetries": 3, "timeout": "10s"},
		"router":       router,
	}
	if o.APILoadBalancerType != "" {
		spec["loadbalancer"] = s.balancer()
	}
	return spec
}

func (s OpenStackOptions) balancer() map[string]any {
	provider, method := "haproxy", "ROUND_ROBIN"
	if s.Octavia {
		provider = "octavia"
		if s.OctaviaProvider != "" {
			provider = s.OctaviaProvider
		}
	}
	if provider == "ovn" {
		method = "SOURCE_IP_PORT"
	}
	b := map[string]any{"floatingNetwork": s.ExternalNet, "method": method, "provider": provider, "useOctavia": s.Octavia}
	if s.LBSubnet != "" {
		b["floatingSubnet"] = s.LBSubnet
	}
	return b
}
