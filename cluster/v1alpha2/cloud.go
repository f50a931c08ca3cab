package v1alpha2

// CloudConfig is settings of the cloud's integration; each cloud reads its own.
type CloudConfig struct {
	// The driver of EBS volumes.
	AWSEBSCSIDriver *EBSCSIDriver `json:"awsEBSCSIDriver,omitempty" cloud:"aws"`
	// Subscription, tenant and names of resources on Azure.
	Azure *Azure `json:"azure,omitempty" cloud:"azure"`
	// Makes no security group per load balancer of a Service. AWS only; elbSecurityGroup must be given then.
	DisableSecurityGroupIngress *bool `json:"disableSecurityGroupIngress,omitempty" cloud:"aws" default:"false"`
	// Id of the one security group for all load balancers of Services. AWS only.
	ElbSecurityGroup *string `json:"elbSecurityGroup,omitempty" cloud:"aws"`
	// E-mail of the service account that instances run as. Google Cloud only; default: one that is made per role.
	GCEServiceAccount string `json:"gceServiceAccount,omitempty" cloud:"gce"`
	// Starts nodes by a startup script and not by cloud-init user data. Google Cloud only.
	GCEUseStartupScript *bool `json:"gceUseStartupScript,omitempty" cloud:"gce" default:"false"`
	// The driver of persistent disks of Google Cloud.
	GCPPDCSIDriver *PDCSIDriver `json:"gcpPDCSIDriver,omitempty" cloud:"gce"`
	// Makes storage classes, one of them the default, and keeps them up to date. false: they are somebody else's.
	ManageStorageClasses *bool `json:"manageStorageClasses,omitempty" default:"true" since:"1.20"`
	// Lets the cloud controller look for nodes in all zones of the region. Google Cloud only.
	Multizone *bool `json:"multizone,omitempty" cloud:"gce" default:"true"`
	// Managed: network load balancers of Services get security groups of their own. AWS only.
	NlbSecurityGroupMode *string `json:"nlbSecurityGroupMode,omitempty" enum:"Managed"`
	// Families of the addresses that nodes report, in order. AWS only.
	NodeIPFamilies []string `json:"nodeIPFamilies,omitempty" list:"atomic" enum:"ipv4|ipv6"`
	// Beginning of instance names by which the cloud controller knows nodes. Google Cloud only.
	NodeInstancePrefix *string `json:"nodeInstancePrefix,omitempty" cloud:"gce"`
	// Network tag by which firewall rules of load balancers name nodes. Google Cloud only.
	NodeTags *string `json:"nodeTags,omitempty" cloud:"gce"`
	// Networks, router, volumes and load balancers on OpenStack.
	Openstack *OpenStack `json:"openstack,omitempty" cloud:"openstack"`
	// Ignored; it was what Spot Ocean weighed: price, balance or uptime.
	SpotinstOrientation *string `json:"spotinstOrientation,omitempty"`
	// Ignored; it was the operating system as Spot Ocean billed it.
	SpotinstProduct *string `json:"spotinstProduct,omitempty"`
	// Names nodes after the private DNS name of the instance and not after its id. AWS only; running nodes join anew under the other name.
	UseIPBasedNodeNames *bool `json:"useIPBasedNodeNames,omitempty" default:"false" since:"1.37"`
	// Ignored: vSphere is no longer supported. It was the CoreDNS that held names.
	VSphereCoreDNSServer *string `json:"vSphereCoreDNSServer,omitempty"`
	// Ignored: vSphere is no longer supported. It was the data centre of the machines.
	VSphereDatacenter *string `json:"vSphereDatacenter,omitempty"`
	// Ignored: vSphere is no longer supported. It was where disks lay.
	VSphereDatastore *string `json:"vSphereDatastore,omitempty"`
	// Ignored: vSphere is no longer supported. It was a login's password; take it out.
	VSpherePassword *string `json:"vSpherePassword,omitempty"`
	// Ignored: vSphere is no longer supported. It was the pool of the machines.
	VSphereResourcePool *string `json:"vSphereResourcePool,omitempty"`
	// Ignored: vSphere is no longer supported. It was the address of vCenter.
	VSphereServer *string `json:"vSphereServer,omitempty"`
	// Ignored: vSphere is no longer supported. It was a login's name.
	VSphereUsername *string `json:"vSphereUsername,omitempty"`
}

// EBSCSIDriver is the driver of EBS volumes.
type EBSCSIDriver struct {
	// Must be true where it is set: nothing else serves EBS volumes.
	Enabled *bool `json:"enabled,omitempty" default:"true"`
	// Runs the node part on the host's network, from where instance metadata is one hop nearer.
	HostNetwork bool `json:"hostNetwork,omitempty" default:"false"`
	// Requests to the API server it may send at once above kubeAPIQPS.
	KubeAPIBurst *int32 `json:"kubeAPIBurst,omitempty" default:"100"`
	// Requests per second it sends to the API server in the long run.
	KubeAPIQPS Quantity `json:"kubeAPIQPS,omitempty" default:"20"`
	// false: somebody else installs and upgrades it.
	Managed *bool `json:"managed,omitempty" default:"true"`
	// Annotations of its pods.
	PodAnnotations map[string]string `json:"podAnnotations,omitempty"`
	// Tag of its image.
	Version *string `json:"version,omitempty" otherwise:"that of the kops version"`
	// Most volumes on one node, for all nodes alike.
	VolumeAttachLimit *int64 `json:"volumeAttachLimit,omitempty" otherwise:"by instance type"`
}

// Azure is settings of Azure.
type Azure struct {
	// Login of the first user on machines.
	AdminUser string `json:"adminUser,omitempty"`
	// Resource group of everything in the cluster; made unless it exists.
	ResourceGroupName string `json:"resourceGroupName,omitempty" otherwise:"name of the cluster"`
	// Route table of the subnets; made unless it exists.
	RouteTableName string `json:"routeTableName,omitempty"`
	// Id of the storage account that holds the store.
	StorageAccountID string `json:"storageAccountID,omitempty"`
	// Id of the subscription that pays.
	SubscriptionID string `json:"subscriptionId,omitempty" is:"required"`
	// Id of the directory (tenant) the subscription belongs to.
	TenantID *string `json:"tenantId,omitempty" is:"required"`
}

// PDCSIDriver is the driver of persistent disks of Google Cloud.
type PDCSIDriver struct {
	// Name of the default storage class that is made for it.
	DefaultStorageClassName *string `json:"defaultStorageClassName,omitempty"`
	// Installs the driver; without it no new disks are made for volumes.
	Enabled *bool `json:"enabled,omitempty" default:"true"`
	// Tag of its image.
	Version *string `json:"version,omitempty" otherwise:"that of the kops version"`
}

// OpenStack is settings of OpenStack.
type OpenStack struct {
	// Volumes (Cinder).
	BlockStorage *OpenStackBlockStorage `json:"blockStorage,omitempty"`
	// Believes any certificate of the cloud's API. Whoever sits between reads the credentials.
	InsecureSkipVerify *bool `json:"insecureSkipVerify,omitempty" default:"false"`
	// Load balancers of the API and of Services (Octavia).
	Loadbalancer *OpenStackLoadBalancer `json:"loadbalancer,omitempty"`
	// How instances learn their user data: service or disk.
	Metadata *OpenStackMetadata `json:"metadata,omitempty"`
	// Health checks of load balancers.
	Monitor *OpenStackMonitor `json:"monitor,omitempty"`
	// Which networks nodes report, and where they are served.
	Network *OpenStackNetwork `json:"network,omitempty"`
	// The router to the outside.
	Router *OpenStackRouter `json:"router,omitempty"`
}

// OpenStackBlockStorage is volumes of OpenStack.
type OpenStackBlockStorage struct {
	// Version of the Cinder API: v1, v2, v3, auto.
	BsVersion *string `json:"bs-version,omitempty" default:"v3"`
	// Name that the driver gives as the cluster in metadata of volumes.
	ClusterName string `json:"clusterName,omitempty" otherwise:"name of the cluster"`
	// Makes a default storage class for Cinder.
	CreateStorageClass *bool `json:"createStorageClass,omitempty" default:"true"`
	// Image of the CSI driver.
	CSIPluginImage string `json:"csiPluginImage,omitempty" otherwise:"that of the kops version"`
	// Binds volumes to the zone of their pod.
	CSITopologySupport *bool `json:"csiTopologySupport,omitempty" default:"true"`
	// Uses volumes of any zone; for clouds whose zones of volumes and machines have different names.
	IgnoreVolumeAZ *bool `json:"ignore-volume-az,omitempty" default:"false"`
	// Lists volumes without newer parts of the Cinder API; for old clouds.
	IgnoreVolumeMicroversion *bool `json:"ignore-volume-microversion,omitempty" default:"false"`
	// Exposes metrics of the CSI driver.
	MetricsEnabled *bool `json:"metricsEnabled,omitempty" default:"false"`
	// Zone in which to make all volumes.
	OverrideVolumeAZ *string `json:"override-volume-az,omitempty"`
}

// OpenStackLoadBalancer is load balancers of OpenStack.
type OpenStackLoadBalancer struct {
	// Gives Services a host name instead of an address, so that PROXY protocol works from within.
	EnableIngressHostname *bool `json:"enableIngressHostname,omitempty" default:"false"`
	// Id of the Octavia flavor of load balancers.
	FlavorID *string `json:"flavorID,omitempty"`
	// Name of the external network from which public addresses come.
	FloatingNetwork *string `json:"floatingNetwork,omitempty"`
	// Id of the external network; found by its name where it is not given.
	FloatingNetworkID *string `json:"floatingNetworkID,omitempty"`
	// Name of the external network's subnet from which public addresses come.
	FloatingSubnet *string `json:"floatingSubnet,omitempty"`
	// Domain of the host names of enableIngressHostname.
	IngressHostnameSuffix *string `json:"ingressHostnameSuffix,omitempty" default:"nip.io"`
	// Opens node ports to load balancers by security groups.
	ManageSecurityGroups *bool `json:"manageSecurityGroups,omitempty" default:"true"`
	// How connections are spread: ROUND_ROBIN, LEAST_CONNECTIONS, SOURCE_IP, SOURCE_IP_PORT.
	Method *string `json:"method,omitempty" default:"ROUND_ROBIN"`
	// Driver of Octavia: amphora, octavia, ovn, ...
	Provider *string `json:"provider,omitempty" default:"octavia"`
	// Id of the subnet in which load balancers have their addresses.
	SubnetID *string `json:"subnetID,omitempty"`
	// Speaks to Octavia; false speaks to the load balancers of Neutron, which are gone from new clouds.
	UseOctavia *bool `json:"useOctavia,omitempty" default:"true"`
}

// OpenStackMetadata is how instances learn their user data.
type OpenStackMetadata struct {
	// By a disk attached to them and not by the metadata service.
	ConfigDrive *bool `json:"configDrive,omitempty" default:"false"`
}

// OpenStackMonitor is health checks of load balancers.
type OpenStackMonitor struct {
	// Pause between two checks.
	Delay *string `json:"delay,omitempty" format:"duration" default:"15s"`
	// Checks that fail before a target is left out.
	MaxRetries *int64 `json:"maxRetries,omitempty" default:"3"`
	// Longest time a check may take.
	Timeout *string `json:"timeout,omitempty" format:"duration" default:"10s"`
}

// OpenStackNetwork is networks of OpenStack.
type OpenStackNetwork struct {
	// Ranges, comma-separated, by which addresses of nodes are put in order.
	AddressSortOrder *string `json:"addressSortOrder,omitempty"`
	// Zones in which the network should be served.
	AvailabilityZoneHints []string `json:"availabilityZoneHints,omitempty" list:"set"`
	// Names of networks whose addresses are internal ones of nodes.
	InternalNetworkNames []string `json:"internalNetworkNames,omitempty" list:"atomic"`
	// Leaves IPv6 addresses of nodes out.
	IPv6SupportDisabled *bool `json:"ipv6SupportDisabled,omitempty" default:"false"`
	// Names of networks whose addresses are external ones of nodes.
	PublicNetworkNames []string `json:"publicNetworkNames,omitempty" list:"atomic"`
}

// OpenStackRouter is the router to the outside.
type OpenStackRouter struct {
	// Zones in which the router should be served.
	AvailabilityZoneHints []string `json:"availabilityZoneHints,omitempty" list:"set"`
	// Name servers of the subnets, comma-separated.
	DNSServers *string `json:"dnsServers,omitempty"`
	// Name of the network to the outside.
	ExternalNetwork *string `json:"externalNetwork,omitempty" is:"required"`
	// Name of that network's subnet, from which the router has its address.
	ExternalSubnet *string `json:"externalSubnet,omitempty"`
}

// CloudControllerManager is flags of the cloud controller manager.
type CloudControllerManager struct {
	// Gives nodes slices of clusterCIDR and, with configureCloudRoutes, routes to them.
	AllocateNodeCIDRs *bool `json:"allocateNodeCIDRs,omitempty"`
	// Runs where instances bear no tag of a cluster. AWS only; it then takes all for its own.
	AllowUntaggedCloud *bool `json:"allowUntaggedCloud,omitempty" default:"false"`
	// Image of the part that runs on each node of Azure and tells its addresses and zone.
	AzureNodeManagerImage string `json:"azureNodeManagerImage,omitempty"`
	// Who picks the slices: RangeAllocator, CloudAllocator, IPAMFromCluster, IPAMFromCloud.
	CIDRAllocatorType *string `json:"cidrAllocatorType,omitempty" default:"RangeAllocator"`
	// Name of the cloud, as the flag takes it.
	CloudProvider string `json:"cloudProvider,omitempty"`
	// Range of pods that is sliced, where allocateNodeCIDRs is on; two, comma-separated, for two families.
	ClusterCIDR string `json:"clusterCIDR,omitempty"`
	// Beginning of the names of resources that it makes.
	ClusterName string `json:"clusterName,omitempty" otherwise:"name of the cluster"`
	// Nodes it looks at at once.
	ConcurrentNodeSyncs *int32 `json:"concurrentNodeSyncs,omitempty" default:"1"`
	// Makes routes in the cloud to the slices of nodes.
	ConfigureCloudRoutes *bool `json:"configureCloudRoutes,omitempty"`
	// Controllers to run: names, "*" for the usual ones, "-name" for one less.
	Controllers []string `json:"controllers,omitempty" list:"atomic"`
	// CPU reserved for its container.
	CPURequest Quantity `json:"cpuRequest,omitempty" default:"200m"`
	// Lets controllers move from kube-controller-manager to it without running in both.
	EnableLeaderMigration *bool `json:"enableLeaderMigration,omitempty" default:"false"`
	// Image of its container.
	Image string `json:"image,omitempty" otherwise:"that of the kops version"`
	// How one of several copies becomes the one that works.
	LeaderElection *LeaderElection `json:"leaderElection,omitempty"`
	// How much it logs, from 0 to 10.
	LogLevel int32 `json:"logLevel,omitempty"`
	// URL of the API server.
	Master string `json:"master,omitempty"`
	// How often it asks the cloud about nodes.
	NodeStatusUpdateFrequency Duration `json:"nodeStatusUpdateFrequency,omitempty" default:"5m0s"`
	// Runs each controller with a service account of its own.
	UseServiceAccountCredentials *bool `json:"useServiceAccountCredentials,omitempty"`
}

// LeaderElection is how one of several copies becomes the one that works.
type LeaderElection struct {
	// Elects a leader before work begins. Needed where more than one copy runs.
	LeaderElect *bool `json:"leaderElect,omitempty" default:"true"`
	// How long others wait after the last renewal before one of them takes over.
	LeaderElectLeaseDuration Duration `json:"leaderElectLeaseDuration,omitempty" default:"15s"`
	// How long the leader tries to renew before it stops; less than the lease.
	LeaderElectRenewDeadlineDuration Duration `json:"leaderElectRenewDeadlineDuration,omitempty" default:"10s"`
	// Kind of object that holds the lock. All but leases are gone from newer versions.
	LeaderElectResourceLock *string `json:"leaderElectResourceLock,omitempty" enum:"leases|endpoints|configmaps|endpointsleases|configmapsleases" default:"leases"`
	// Name of that object.
	LeaderElectResourceName *string `json:"leaderElectResourceName,omitempty"`
	// Namespace of that object.
	LeaderElectResourceNamespace *string `json:"leaderElectResourceNamespace,omitempty" default:"kube-system"`
	// Pause between two tries to get or renew the lock.
	LeaderElectRetryPeriod Duration `json:"leaderElectRetryPeriod,omitempty" default:"2s"`
}
