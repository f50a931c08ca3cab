package v1alpha2

// ClusterSpec is what is wanted of a cluster.
type ClusterSpec struct {
	// Leaves the subnets of AWS without the tags by which load balancers and controllers find them; whoever shares subnets between clusters then tags them by hand.
	DisableSubnetTags *bool `json:"DisableSubnetTags,omitempty" cloud:"aws" default:"false"`
	// Further address ranges of the network besides networkCIDR; on AWS, secondary ranges of the VPC.
	AdditionalNetworkCIDRs []string `json:"additionalNetworkCIDRs,omitempty" list:"set" format:"cidr"`
	// IAM policy statements in JSON to add to the role of instances, by role: master, node, bastion.
	AdditionalPolicies map[string]string `json:"additionalPolicies,omitempty"`
	// Further names and addresses in the certificate of the API server, for those who reach it by another name.
	AdditionalSANs []string `json:"additionalSans,omitempty" list:"set"`
	// Further channels of add-ons that the cluster applies to itself.
	Addons []Addon `json:"addons,omitempty" list:"map:manifest"`
	// How the API server is reached from outside.
	API *API `json:"api,omitempty"`
	// Mirrors from which programs and images come instead of the public places.
	Assets *Assets `json:"assets,omitempty"`
	// How people prove who they are to the API server, besides certificates.
	Authentication *Authentication `json:"authentication,omitempty"`
	// How the API server decides what somebody may do.
	Authorization *Authorization `json:"authorization,omitempty"`
	// The controller that makes AWS load balancers for Ingress and Service objects.
	AWSLoadBalancerController *AWSLoadBalancerController `json:"awsLoadBalancerController,omitempty" cloud:"aws"`
	// cert-manager, which issues certificates within the cluster.
	CertManager *CertManager `json:"certManager,omitempty"`
	// Where recommended versions and images come from: the name of a kops channel (stable, alpha), a URL or a file.
	Channel string `json:"channel,omitempty" default:"stable"`
	// Settings of the cloud's integration.
	CloudConfig *CloudConfig `json:"cloudConfig,omitempty" cloud:"any"`
	// The cloud controller manager, which lets Kubernetes know nodes, routes and load balancers of the cloud.
	CloudControllerManager *CloudControllerManager `json:"cloudControllerManager,omitempty" cloud:"any"`
	// Tags or labels put on every cloud resource that belongs to the cluster.
	CloudLabels map[string]string `json:"cloudLabels,omitempty" cloud:"any"`
	// The cloud in which the cluster runs. Plain hosts have none; they have the label alpha.kops.k8s.io/cloud: metal.
	CloudProvider string `json:"cloudProvider,omitempty" enum:"aws|azure|digitalocean|gce|hetzner|linode|openstack|scaleway" is:"immutable"`
	// The cluster autoscaler, which changes the sizes of instance groups by the load.
	ClusterAutoscaler *ClusterAutoscaler `json:"clusterAutoscaler,omitempty" cloud:"any"`
	// Domain of the names of services and pods within the cluster. Certificates and running pods hold it: to change it later means to roll everything.
	ClusterDNSDomain string `json:"clusterDNSDomain,omitempty" format:"dns" default:"cluster.local"`
	// Where the files that nodes read are kept, as a URL. A store that was moved must change it.
	ConfigBase string `json:"configBase,omitempty" otherwise:"where the document lies"`
	// Ignored; configBase, keyStore and secretStore say where things are.
	ConfigStore string `json:"configStore,omitempty"`
	// Ignored since only containerd is left to choose.
	ContainerRuntime string `json:"containerRuntime,omitempty" default:"containerd"`
	// The container runtime of all nodes; instance groups may override it.
	Containerd *Containerd `json:"containerd,omitempty"`
	// Without effect and to be removed: names by gossip are no longer supported.
	DNSControllerGossipConfig *DNSControllerGossip `json:"dnsControllerGossipConfig,omitempty"`
	// Zone in which records of the cluster are made: its name or its id in the cloud. Default: the zone that the cluster's name lies in.
	DNSZone string `json:"dnsZone,omitempty"`
	// Ignored: Docker as a container runtime was removed. Kept so that old documents can be read.
	Docker *Docker `json:"docker,omitempty"`
	// HTTP proxy through which nodes reach the outside.
	EgressProxy *EgressProxy `json:"egressProxy,omitempty"`
	// Encrypts secrets in etcd by the configuration stored as secret "encryptionconfig", which must be there first.
	EncryptionConfig *bool `json:"encryptionConfig,omitempty" default:"false"`
	// The etcd clusters: main for the API's objects, events for events, and perhaps leases and cilium.
	EtcdClusters []EtcdCluster `json:"etcdClusters,omitempty" list:"map:name" is:"required"`
	// How names of services and of the API get into DNS.
	ExternalDNS *ExternalDNS `json:"externalDns,omitempty"`
	// ARNs of existing IAM policies to attach to the role of instances, by role: master, node, bastion.
	ExternalPolicies map[string][]string `json:"externalPolicies,omitempty" list:"set"`
	// Files to write on nodes before anything starts there.
	FileAssets []FileAsset `json:"fileAssets,omitempty" list:"map:name"`
	// Without effect and to be removed: names by gossip are no longer supported.
	GossipConfig *Gossip `json:"gossipConfig,omitempty"`
	// systemd units or containers to run on nodes as they come up.
	Hooks []Hook `json:"hooks,omitempty" list:"map:name"`
	// Rights of instances and of service accounts in the cloud.
	IAM *IAM `json:"iam,omitempty"`
	// Keeps control-plane nodes off the pod network.
	IsolateMasters *bool `json:"isolateMasters,omitempty" default:"false"`
	// Karpenter, which starts nodes for waiting pods instead of scaling groups.
	Karpenter *Karpenter `json:"karpenter,omitempty" cloud:"aws"`
	// Where keysets are kept, as a URL.
	KeyStore string `json:"keyStore,omitempty" otherwise:"pki below configBase"`
	// Flags of kube-apiserver, which every client and component speaks to.
	KubeAPIServer *KubeAPIServer `json:"kubeAPIServer,omitempty"`
	// Flags of kube-controller-manager, which runs the control loops of built-in objects.
	KubeControllerManager *KubeControllerManager `json:"kubeControllerManager,omitempty"`
	// The name service within the cluster.
	KubeDNS *KubeDNS `json:"kubeDNS,omitempty"`
	// Flags of kube-proxy, which steers traffic to services on every node.
	KubeProxy *KubeProxy `json:"kubeProxy,omitempty"`
	// Flags of kube-scheduler, which places pods on nodes.
	KubeScheduler *KubeScheduler `json:"kubeScheduler,omitempty"`
	// Settings of kubelet on all nodes but those of the control plane; instance groups may override it.
	Kubelet *Kubelet `json:"kubelet,omitempty"`
	// From which addresses the API may be reached: ranges, or AWS prefix lists (pl-...).
	KubernetesAPIAccess []string `json:"kubernetesApiAccess,omitempty" list:"set" format:"cidr-or-list" default:"0.0.0.0/0,::/0"`
	// Version of Kubernetes to run, such as 1.34.1. Nodes take it up one after the other, control plane first.
	KubernetesVersion string `json:"kubernetesVersion,omitempty" format:"version"`
	// Ignored; the internal name is api.internal. before the cluster's name.
	MasterInternalName string `json:"masterInternalName,omitempty"`
	// Settings of kubelet on control-plane nodes; instance groups may override it.
	MasterKubelet *Kubelet `json:"masterKubelet,omitempty"`
	// Name under which the API is reached, as it stands in kubeconfigs and certificates.
	MasterPublicName string `json:"masterPublicName,omitempty" otherwise:"api. before the cluster's name"`
	// metrics-server, which kubectl top and the horizontal pod autoscaler ask.
	MetricsServer *MetricsServer `json:"metricsServer,omitempty"`
	// Address range of the cloud's network (VPC) in which nodes lie. Not the one of pods.
	NetworkCIDR string `json:"networkCIDR,omitempty" format:"cidr"`
	// Existing network of the cloud to use instead of making one: a VPC id, a network name.
	NetworkID string `json:"networkID,omitempty"`
	// The network plug-in: exactly one of these.
	Networking *Networking `json:"networking,omitempty" is:"required"`
	// Ignored; nodes prove themselves to kops-controller by what their cloud says of them.
	NodeAuthorization *NodeAuthorization `json:"nodeAuthorization,omitempty"`
	// From which addresses node ports may be reached; none unless given.
	NodePortAccess []string `json:"nodePortAccess,omitempty" list:"set" format:"cidr-or-list"`
	// node-problem-detector, which reports trouble of kernel and disks as conditions of nodes.
	NodeProblemDetector *NodeProblemDetector `json:"nodeProblemDetector,omitempty"`
	// The handler that drains nodes of AWS before they are taken away.
	NodeTerminationHandler *NodeTerminationHandler `json:"nodeTerminationHandler,omitempty" cloud:"aws"`
	// Range of all addresses within the cluster, of pods and services; traffic to it keeps its source address. It must not overlap the network of the nodes, but where pods have addresses of that network.
	NonMasqueradeCIDR string `json:"nonMasqueradeCIDR,omitempty" format:"cidr" default:"100.64.0.0/10"`
	// Time synchronisation on nodes.
	NTP *NTP `json:"ntp,omitempty"`
	// Packages of the distribution to install on all nodes.
	Packages []string `json:"packages,omitempty" list:"set"`
	// Range from which pods get their addresses; nodes take slices of it.
	PodCIDR string `json:"podCIDR,omitempty" format:"cidr" otherwise:"upper half of nonMasqueradeCIDR"`
	// The webhook that gives pods the rights of an IAM role by annotations of their service account.
	PodIdentityWebhook *PodIdentityWebhook `json:"podIdentityWebhook,omitempty" cloud:"aws"`
	// Project of Google Cloud in which resources are made. Required there.
	Project string `json:"project,omitempty"`
	// How nodes are replaced, for all instance groups that do not say it themselves.
	RollingUpdate *RollingUpdate `json:"rollingUpdate,omitempty"`
	// Where secrets are kept, as a URL.
	SecretStore string `json:"secretStore,omitempty" otherwise:"secrets below configBase"`
	// Publishes the keys of service accounts, so that clouds can trust their tokens.
	ServiceAccountIssuerDiscovery *IssuerDiscovery `json:"serviceAccountIssuerDiscovery,omitempty"`
	// Range from which services get their addresses, within nonMasqueradeCIDR. Services that exist keep theirs, so that a change later is a migration.
	ServiceClusterIPRange string `json:"serviceClusterIPRange,omitempty" format:"cidr" default:"100.64.0.0/13"`
	// The controller behind VolumeSnapshot objects.
	SnapshotController *SnapshotController `json:"snapshotController,omitempty"`
	// From which addresses SSH to nodes is let in: ranges, or AWS prefix lists (pl-...).
	SSHAccess []string `json:"sshAccess,omitempty" list:"set" format:"cidr-or-list" default:"0.0.0.0/0,::/0"`
	// Name of a key pair that the cloud knows already; "" leaves instances without a key.
	SSHKeyName *string `json:"sshKeyName,omitempty"`
	// Subnets of the network in which instance groups lie.
	Subnets []Subnet `json:"subnets,omitempty" list:"map:name"`
	// Kernel parameters to set on all nodes, each as name=value.
	SysctlParameters []string `json:"sysctlParameters,omitempty" list:"set" format:"assignment"`
	// Settings of the output for other tools, such as Terraform.
	Target *Target `json:"target,omitempty"`
	// Whether the API and the nodes are public, and how names are published.
	Topology *Topology `json:"topology,omitempty"`
	// Whether nodes install security updates of the distribution themselves. external: somebody else does.
	UpdatePolicy *string `json:"updatePolicy,omitempty" enum:"automatic|external" default:"automatic"`
	// Mounts the host's CA certificates into containers of the control plane, for clouds whose API has a private CA.
	UseHostCertificates *bool `json:"useHostCertificates,omitempty" default:"false"`
	// Stopped instances that wait to be started, for all groups that do not say it themselves. AWS only.
	WarmPool *WarmPool `json:"warmPool,omitempty" cloud:"aws"`
}

// Addon is a channel of add-ons.
type Addon struct {
	// Name or URL of the channel's file, which lists add-ons with their manifests.
	Manifest string `json:"manifest,omitempty" is:"required"`
}

// API says how the API server is reached. Exactly one way is set.
type API struct {
	// By DNS records that point at the control-plane nodes. {} chooses it.
	DNS *Empty `json:"dns,omitempty"`
	// By a load balancer of the cloud.
	LoadBalancer *LoadBalancer `json:"loadBalancer,omitempty"`
}

// LoadBalancer is the cloud's load balancer before the API server.
type LoadBalancer struct {
	// Where the load balancer logs connections. AWS only.
	AccessLog *AccessLog `json:"accessLog,omitempty" cloud:"aws"`
	// Ids of further security groups to put on the load balancer.
	AdditionalSecurityGroups []string `json:"additionalSecurityGroups,omitempty" list:"set"`
	// Kind of load balancer on AWS. Classic ones are refused by now.
	Class string `json:"class,omitempty" enum:"Network" cloud:"aws" default:"Network"`
	// Spreads connections over the targets of all zones and not of the client's only. Traffic between zones costs money.
	CrossZoneLoadBalancing *bool `json:"crossZoneLoadBalancing,omitempty" cloud:"aws" default:"false"`
	// Ignored; it was of Classic load balancers.
	IdleTimeoutSeconds *int64 `json:"idleTimeoutSeconds,omitempty" cloud:"aws"`
	// Id of a security group to use in place of the one that would be made.
	SecurityGroupOverride *string `json:"securityGroupOverride,omitempty" cloud:"aws"`
	// ARN of an ACM certificate with which the load balancer itself speaks TLS, on its own port beside the pass-through one.
	SslCertificate string `json:"sslCertificate,omitempty" cloud:"aws"`
	// Name of the AWS policy of TLS versions and ciphers, where sslCertificate is set.
	SslPolicy *string `json:"sslPolicy,omitempty" cloud:"aws"`
	// The cluster's subnets in which the load balancer has addresses. Default: all that fit its type.
	Subnets []LoadBalancerSubnet `json:"subnets,omitempty" list:"map:name"`
	// Public: reachable from the internet. Internal: from the network only.
	Type string `json:"type,omitempty" enum:"Public|Internal"`
	// Lets nodes, too, reach the API through the load balancer and not by DNS records of control-plane nodes.
	UseForInternalAPI bool `json:"useForInternalApi,omitempty" cloud:"any" default:"false"`
}

// AccessLog is where a load balancer of AWS logs connections.
type AccessLog struct {
	// S3 bucket to write logs to; its policy must let the load balancer in.
	Bucket *string `json:"bucket,omitempty"`
	// Folder in the bucket. Default: its root.
	BucketPrefix *string `json:"bucketPrefix,omitempty"`
	// Ignored; it was the interval of Classic load balancers in minutes.
	Interval int64 `json:"interval,omitempty"`
}

// LoadBalancerSubnet is one subnet of the load balancer and the address it has there.
type LoadBalancerSubnet struct {
	// Id of an Elastic IP to use as the public address in this subnet.
	AllocationID *string `json:"allocationId,omitempty"`
	// Name of the subnet in spec.subnets.
	Name string `json:"name,omitempty" is:"required"`
	// Private address to use in this subnet, of an internal load balancer.
	PrivateIPv4Address *string `json:"privateIPv4Address,omitempty" format:"ip"`
}

// Assets are mirrors of programs and images.
type Assets struct {
	// Host of a pull-through cache; names of images are rewritten to go through it. Excludes containerRegistry.
	ContainerProxy *string `json:"containerProxy,omitempty"`
	// Registry that holds copies of all images; names of images are rewritten to it. Excludes containerProxy.
	ContainerRegistry *string `json:"containerRegistry,omitempty"`
	// URL of a copy of the files that nodes download, with the same paths.
	FileRepository *string `json:"fileRepository,omitempty"`
}

// Authentication is how people prove who they are.
type Authentication struct {
	// AWS IAM authenticator: users of AWS IAM are users of the cluster.
	AWS *AWSAuthentication `json:"aws,omitempty"`
	// Ignored; the Kopeio authenticator is gone.
	Kopeio *Empty `json:"kopeio,omitempty"`
}

// AWSAuthentication is the AWS IAM authenticator.
type AWSAuthentication struct {
	// From where it takes its mappings, comma-separated in order: MountedFile, EKSConfigMap, CRD.
	BackendMode string `json:"backendMode,omitempty" default:"MountedFile"`
	// Id that tokens must name, so that one for another cluster does not count here.
	ClusterID string `json:"clusterID,omitempty" otherwise:"masterPublicName"`
	// Most CPU its container gets.
	CPULimit Quantity `json:"cpuLimit,omitempty"`
	// CPU reserved for its container.
	CPURequest Quantity `json:"cpuRequest,omitempty" default:"10m"`
	// Users and roles of IAM with the names and groups they have in the cluster; needs the backend CRD.
	IdentityMappings []IdentityMapping `json:"identityMappings,omitempty" list:"map:arn"`
	// Image of its container.
	Image string `json:"image,omitempty" otherwise:"that of the kops version"`
	// Memory beyond which its container is killed.
	MemoryLimit Quantity `json:"memoryLimit,omitempty" default:"20Mi"`
	// Memory reserved for its container.
	MemoryRequest Quantity `json:"memoryRequest,omitempty" default:"20Mi"`
}

// IdentityMapping lets one identity of IAM in.
type IdentityMapping struct {
	// ARN of the IAM user or role.
	ARN string `json:"arn,omitempty" is:"required"`
	// Groups it belongs to in the cluster, as RBAC binds them.
	Groups []string `json:"groups,omitempty" list:"set"`
	// Name it has in the cluster.
	Username string `json:"username,omitempty"`
}

// Authorization is how the API server decides. Exactly one way is set.
type Authorization struct {
	// Everybody who is known may do everything. {} chooses it.
	AlwaysAllow *Empty `json:"alwaysAllow,omitempty"`
	// By roles and role bindings. {} chooses it.
	RBAC *Empty `json:"rbac,omitempty"`
}

// AWSLoadBalancerController is the AWS Load Balancer Controller.
type AWSLoadBalancerController struct {
	// Most CPU its container gets.
	CPULimit Quantity `json:"cpuLimit,omitempty" default:"200m"`
	// CPU reserved for its container.
	CPURequest Quantity `json:"cpuRequest,omitempty" default:"100m"`
	// Lets it switch on Shield Advanced for load balancers.
	EnableShield bool `json:"enableShield,omitempty" default:"false"`
	// Lets it attach web ACLs of the old regional WAF.
	EnableWAF bool `json:"enableWAF,omitempty" default:"false"`
	// Lets it attach web ACLs of WAFv2.
	EnableWAFv2 bool `json:"enableWAFv2,omitempty" default:"false"`
	// Installs it. Needs cert-manager.
	Enabled *bool `json:"enabled,omitempty" default:"false"`
	// Memory beyond which its container is killed.
	MemoryLimit Quantity `json:"memoryLimit,omitempty" default:"500Mi"`
	// Memory reserved for its container.
	MemoryRequest Quantity `json:"memoryRequest,omitempty" default:"200Mi"`
	// Tag of its image.
	Version *string `json:"version,omitempty" otherwise:"that of the kops version"`
}

// CertManager is cert-manager.
type CertManager struct {
	// Name of the ClusterIssuer that is meant where an Ingress names none.
	DefaultIssuer *string `json:"defaultIssuer,omitempty"`
	// Installs it, or says that it is there (see managed).
	Enabled *bool `json:"enabled,omitempty" default:"false"`
	// Switches of cert-manager's experiments, by name.
	FeatureGates map[string]bool `json:"featureGates,omitempty"`
	// Route 53 zones whose records it may change, to answer dns-01 challenges.
	HostedZoneIDs []string `json:"hostedZoneIDs,omitempty" list:"set"`
	// Image of its controller.
	Image *string `json:"image,omitempty" otherwise:"that of the kops version"`
	// false: somebody else installs and upgrades it; kops only relies on it.
	Managed *bool `json:"managed,omitempty" default:"true"`
	// Name servers (host:port) to ask when it checks dns-01 challenges, instead of those of the pod.
	Nameservers []string `json:"nameservers,omitempty" list:"atomic"`
}

// EgressProxy is the HTTP proxy to the outside.
type EgressProxy struct {
	// Names, domains and ranges to reach directly, comma-separated, as in NO_PROXY. Those of the cluster itself are added.
	Excludes string `json:"excludes,omitempty"`
	// The proxy's address.
	HTTPProxy *HTTPProxy `json:"httpProxy,omitempty"`
}

// HTTPProxy is the address of a proxy.
type HTTPProxy struct {
	// Its host name or address.
	Host string `json:"host,omitempty"`
	// Its TCP port.
	Port int64 `json:"port,omitempty"`
}

// ExternalDNS is what publishes names in DNS.
type ExternalDNS struct {
	// Installs nothing that publishes names; provider: none is the newer way to say it.
	Disable bool `json:"disable,omitempty" default:"false"`
	// Priority class of the dns-controller pod.
	PriorityClassName *string `json:"priorityClassName,omitempty" default:"system-cluster-critical"`
	// Which program publishes names: kops' own dns-controller, external-dns, or none.
	Provider string `json:"provider,omitempty" enum:"dns-controller|external-dns|none" default:"dns-controller"`
	// Makes records for Ingress objects too. Default: yes with external-dns, no with dns-controller.
	WatchIngress *bool `json:"watchIngress,omitempty"`
	// Only namespace whose objects may get records. Default: all.
	WatchNamespace string `json:"watchNamespace,omitempty"`
}

// FileAsset is a file to write on nodes.
type FileAsset struct {
	// The bytes of the file, as text, or in base64 with isBase64.
	Content string `json:"content,omitempty" is:"required"`
	// Says that content is base64 and is to be decoded.
	IsBase64 bool `json:"isBase64,omitempty" default:"false"`
	// Permission bits of the file in octal.
	Mode string `json:"mode,omitempty" format:"mode" default:"0440" since:"1.24"`
	// Short name by which the file is told from others.
	Name string `json:"name,omitempty" is:"required"`
	// Absolute path of the file. Default: below /srv/kubernetes/assets, by its name.
	Path string `json:"path,omitempty"`
	// Roles of the nodes that get it. Default: all.
	Roles []string `json:"roles,omitempty" list:"set" enum:"Master|Node|Bastion|APIServer|Etcd|Scheduler|KubeControllerManager|ControlPlane"`
}

// Hook is a systemd unit that runs on nodes as they come up.
type Hook struct {
	// Units that wait for this one.
	Before []string `json:"before,omitempty" list:"set"`
	// Writes no unit; in an instance group, switches off the cluster's hook of this name.
	Disabled *bool `json:"disabled,omitempty" default:"false"`
	// Runs a container, once.
	ExecContainer *ExecContainer `json:"execContainer,omitempty"`
	// Body of the unit, the [Service] section; or all of it with useRawManifest.
	Manifest string `json:"manifest,omitempty"`
	// Name of the unit.
	Name string `json:"name,omitempty" otherwise:"kops-hook-INDEX"`
	// Units that must run for this one to start.
	Requires []string `json:"requires,omitempty" list:"set"`
	// Roles of the nodes that run it. Default: all.
	Roles []string `json:"roles,omitempty" list:"set" enum:"Master|Node|Bastion|APIServer|Etcd|Scheduler|KubeControllerManager|ControlPlane"`
	// Takes manifest for the whole unit file, to which before and requires add nothing.
	UseRawManifest bool `json:"useRawManifest,omitempty" default:"false"`
}

// ExecContainer is a container that a hook runs.
type ExecContainer struct {
	// Program and arguments to run in the container.
	Command []string `json:"command,omitempty" list:"atomic"`
	// Environment variables of the container.
	Environment map[string]string `json:"environment,omitempty"`
	// Image of the container.
	Image string `json:"image,omitempty" is:"required"`
}

// IAM is what instances and service accounts may do in the cloud.
type IAM struct {
	// Lets nodes pull from the account's container registry (ECR).
	AllowContainerRegistry bool `json:"allowContainerRegistry,omitempty" default:"false"`
	// Ignored; it kept the wide rights of old versions.
	Legacy *bool `json:"legacy,omitempty"`
	// ARN of a policy that bounds every role made for the cluster.
	PermissionsBoundary *string `json:"permissionsBoundary,omitempty"`
	// Rights in the cloud for service accounts of one's own.
	ServiceAccountExternalPermissions []ServiceAccountPermission `json:"serviceAccountExternalPermissions,omitempty" list:"map:name,namespace"`
	// Gives add-ons their rights through their service accounts and not through the instances they run on. AWS, with serviceAccountIssuerDiscovery.
	UseServiceAccountExternalPermissions *bool `json:"useServiceAccountExternalPermissions,omitempty"`
}

// ServiceAccountPermission gives one service account rights in the cloud.
type ServiceAccountPermission struct {
	// Policies of an IAM role that is made for the account.
	AWS *AWSPermission `json:"aws,omitempty"`
	// Name of the service account.
	Name *string `json:"name,omitempty" is:"required"`
	// Namespace in which the service account lives; it need not exist yet.
	Namespace *string `json:"namespace,omitempty" is:"required"`
}

// AWSPermission is rights on AWS. Exactly one way is set.
type AWSPermission struct {
	// Statements of an IAM policy in JSON, for a role made for this account.
	InlinePolicy string `json:"inlinePolicy,omitempty"`
	// ARNs of existing policies to attach to that role.
	PolicyARNs []string `json:"policyARNs,omitempty" list:"set"`
}

// NodeAuthorization is a way for nodes to join that is gone.
type NodeAuthorization struct {
	// Ignored: settings of the node authorizer.
	NodeAuthorizer *NodeAuthorizer `json:"nodeAuthorizer,omitempty"`
}

// NodeAuthorizer is the removed service that let nodes join. All of it is ignored.
type NodeAuthorizer struct {
	// Ignored: name of the check that was used.
	Authorizer string `json:"authorizer,omitempty"`
	// Ignored: parts of the check that were on or off.
	Features []string `json:"features,omitempty" list:"atomic"`
	// Ignored: image of its container.
	Image string `json:"image,omitempty"`
	// Ignored: pause between two tries to join.
	Interval Duration `json:"interval,omitempty"`
	// Ignored: where it was reached.
	NodeURL string `json:"nodeURL,omitempty"`
	// Ignored: its port on control-plane nodes.
	Port int64 `json:"port,omitempty"`
	// Ignored: longest time a node tried to join.
	Timeout Duration `json:"timeout,omitempty"`
	// Ignored: life of the tokens it issued.
	TokenTTL Duration `json:"tokenTTL,omitempty"`
}

// NTP is time synchronisation on nodes.
type NTP struct {
	// Sets up a time service on nodes; false leaves what the image has.
	Managed *bool `json:"managed,omitempty" default:"true"`
}

// RollingUpdate is how the nodes of a group are replaced.
type RollingUpdate struct {
	// Drains and ends old nodes. false: only new ones start, and somebody else ends the old.
	DrainAndTerminate *bool `json:"drainAndTerminate,omitempty" default:"true"`
	// How many nodes more than wanted there may be meanwhile, as a number or a percentage rounded up. 0: old nodes go before new ones come.
	MaxSurge *IntOrString `json:"maxSurge,omitempty" otherwise:"1 on AWS"`
	// How many nodes may be missing at a time, as a number or a percentage rounded down.
	MaxUnavailable *IntOrString `json:"maxUnavailable,omitempty" otherwise:"1 where maxSurge is 0, else 0"`
}

// IssuerDiscovery publishes the keys of service accounts.
type IssuerDiscovery struct {
	// Further audiences that the OIDC provider of AWS accepts.
	AdditionalAudiences []string `json:"additionalAudiences,omitempty" list:"set"`
	// Has a hosted service publish the documents.
	DiscoveryService *DiscoveryService `json:"discoveryService,omitempty"`
	// Public place (an object store URL) to which the discovery documents are written; its HTTPS address becomes the issuer. Changing it makes tokens already issued invalid.
	DiscoveryStore string `json:"discoveryStore,omitempty"`
	// Makes an OIDC provider in AWS IAM that trusts this issuer.
	EnableAWSOIDCProvider bool `json:"enableAWSOIDCProvider,omitempty" default:"false"`
}

// DiscoveryService is a hosted service that publishes discovery documents.
type DiscoveryService struct {
	// Where the service lives; a universe's id belongs to it where it has several.
	URL string `json:"url,omitempty"`
}

// Subnet is a subnet of the cluster's network.
type Subnet struct {
	// Further routes of the subnet's route table. AWS only.
	AdditionalRoutes []Route `json:"additionalRoutes,omitempty" list:"map:cidr" since:"1.24"`
	// Its IPv4 range, within the network's. Of a subnet that exists, the range it has.
	CIDR string `json:"cidr,omitempty" format:"cidr"`
	// How traffic leaves a private subnet: an existing NAT gateway (nat-...), NAT instance (i-...), transit gateway (tgw-...), External, or a gateway that is made.
	Egress string `json:"egress,omitempty"`
	// Id of an existing subnet to use instead of making one.
	ID string `json:"id,omitempty"`
	// Its IPv6 range; "/64#N" is the Nth such part of the range the cloud gave the network, N in hex.
	IPv6CIDR string `json:"ipv6CIDR,omitempty" format:"cidr-or-part"`
	// Name by which instance groups say that they lie in it.
	Name string `json:"name,omitempty" is:"required"`
	// Elastic IP for the NAT gateway of the subnet, which stays the same then.
	PublicIP string `json:"publicIP,omitempty"`
	// Region it lies in, where subnets span one (Google Cloud, Azure).
	Region string `json:"region,omitempty"`
	// Public: nodes have public addresses. Private and DualStack: behind NAT. Utility: for load balancers and bastions only.
	Type string `json:"type,omitempty" enum:"Public|Private|DualStack|Utility"`
	// Availability zone it lies in.
	Zone string `json:"zone,omitempty"`
}

// Route is one route out of a subnet.
type Route struct {
	// Range of destinations to which the route leads.
	CIDR string `json:"cidr,omitempty" format:"cidr" is:"required"`
	// Where packets go: a peering (pcx-...), instance (i-...), NAT gateway (nat-...), transit gateway (tgw-...), internet gateway (igw-...) or egress-only one (eigw-...).
	Target string `json:"target,omitempty" is:"required"`
}

// Target is settings of output for other tools.
type Target struct {
	// Further arguments for the files that kops writes for Terraform.
	Terraform *Terraform `json:"terraform,omitempty"`
}

// Terraform is settings of the Terraform files that kops writes.
type Terraform struct {
	// Further arguments of the provider block with which the store's objects are written.
	FilesProviderExtraConfig map[string]string `json:"filesProviderExtraConfig,omitempty"`
	// Further arguments of the main provider block.
	ProviderExtraConfig map[string]string `json:"providerExtraConfig,omitempty"`
}

// Topology says what is public.
type Topology struct {
	// A host through which private nodes are reached by SSH.
	Bastion *Bastion `json:"bastion,omitempty"`
	// Which kind of zone holds the cluster's names.
	DNS *TopologyDNS `json:"dns,omitempty"`
	// Ignored; the types of subnets say whether control-plane nodes are public.
	Masters string `json:"masters,omitempty"`
	// Ignored; the types of subnets say whether nodes are public.
	Nodes string `json:"nodes,omitempty"`
}

// Bastion is the way in by SSH.
type Bastion struct {
	// DNS name of the bastion.
	BastionPublicName string `json:"bastionPublicName,omitempty" format:"dns"`
	// Ignored; it was of Classic load balancers.
	IdleTimeoutSeconds *int64 `json:"idleTimeoutSeconds,omitempty"`
	// The load balancer before the bastion.
	LoadBalancer *BastionLoadBalancer `json:"loadBalancer,omitempty"`
}

// BastionLoadBalancer is the load balancer before the bastion.
type BastionLoadBalancer struct {
	// Ids of further security groups to put on it.
	AdditionalSecurityGroups []string `json:"additionalSecurityGroups,omitempty" list:"set"`
	// Public: reachable from the internet. Internal: from the network only.
	Type string `json:"type,omitempty" enum:"Public|Internal" default:"Public"`
}

// TopologyDNS is where the cluster's names are published.
type TopologyDNS struct {
	// Public zone, private zone, or None: no zone, and the API is found by its load balancer.
	Type string `json:"type,omitempty" enum:"Public|Private|None" default:"Public"`
}

// WarmPool is stopped instances that wait to be started. AWS only.
type WarmPool struct {
	// Further container images to pull into waiting instances.
	AdditionalImages []string `json:"additionalImages,omitempty" list:"set"`
	// Holds an instance until it is set up completely before it is stopped or put to work.
	EnableLifecycleHook bool `json:"enableLifecycleHook,omitempty" default:"false"`
	// Seconds after which an instance is given up that is not set up.
	LifecycleHookTimeout *int32 `json:"lifecycleHookTimeout,omitempty" default:"600"`
	// Most instances to hold, those at work included; 0 switches the pool off.
	MaxSize *int64 `json:"maxSize,omitempty" otherwise:"the maximum of the group"`
	// Instances that wait at least.
	MinSize int64 `json:"minSize,omitempty" default:"0"`
}
