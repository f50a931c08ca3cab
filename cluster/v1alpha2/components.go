package v1alpha2

// KubeControllerManager is flags of kube-controller-manager.
type KubeControllerManager struct {
	// Longest life of certificates issued for CertificateSigningRequests.
	ClusterSigningDuration Duration `json:"ClusterSigningDuration,omitempty" default:"8760h0m0s"`
	// Gives nodes slices of clusterCIDR for their pods.
	AllocateNodeCIDRs *bool `json:"allocateNodeCIDRs,omitempty" otherwise:"by the network plug-in"`
	// How often it compares volumes that should be attached with those that are.
	AttachDetachReconcileSyncPeriod Duration `json:"attachDetachReconcileSyncPeriod,omitempty" default:"1m0s"`
	// File on the node, a kubeconfig, by which it asks who its own callers are.
	AuthenticationKubeconfig string `json:"authenticationKubeconfig,omitempty"`
	// Paths of its own port open to everybody.
	AuthorizationAlwaysAllowPaths []string `json:"authorizationAlwaysAllowPaths,omitempty" list:"set" default:"/healthz,/readyz,/livez"`
	// File on the node, a kubeconfig, by which it asks what its own callers may do.
	AuthorizationKubeconfig string `json:"authorizationKubeconfig,omitempty"`
	// Who picks the slices: RangeAllocator, CloudAllocator, IPAMFromCluster, IPAMFromCloud.
	CIDRAllocatorType *string `json:"cidrAllocatorType,omitempty" default:"RangeAllocator"`
	// Name of the cloud, as the flag takes it; external where a cloud controller manager runs.
	CloudProvider string `json:"cloudProvider,omitempty" cloud:"any" default:"external"`
	// Range of pods that is sliced; two, comma-separated, for two families.
	ClusterCIDR string `json:"clusterCIDR,omitempty" format:"cidr-list"`
	// Beginning of the names of what it makes in the cloud.
	ClusterName string `json:"clusterName,omitempty" otherwise:"name of the cluster"`
	// Deployments it works on at once.
	ConcurrentDeploymentSyncs *int32 `json:"concurrentDeploymentSyncs,omitempty" default:"5"`
	// Endpoints it works on at once.
	ConcurrentEndpointSyncs *int32 `json:"concurrentEndpointSyncs,omitempty" default:"5"`
	// Horizontal pod autoscalers it works on at once.
	ConcurrentHorizontalPodAustoscalerSyncs *int32 `json:"concurrentHorizontalPodAustoscalerSyncs,omitempty" default:"5"`
	// Jobs it works on at once.
	ConcurrentJobSyncs *int32 `json:"concurrentJobSyncs,omitempty" default:"5"`
	// Namespaces it works on at once.
	ConcurrentNamespaceSyncs *int32 `json:"concurrentNamespaceSyncs,omitempty" default:"10"`
	// Replication controllers it works on at once.
	ConcurrentRcSyncs *int32 `json:"concurrentRcSyncs,omitempty" default:"5"`
	// Replica sets it works on at once.
	ConcurrentReplicasetSyncs *int32 `json:"concurrentReplicasetSyncs,omitempty" default:"5"`
	// Quotas it works on at once.
	ConcurrentResourceQuotaSyncs *int32 `json:"concurrentResourceQuotaSyncs,omitempty" default:"5"`
	// Load balancers of Services it works on at once.
	ConcurrentServiceSyncs *int32 `json:"concurrentServiceSyncs,omitempty" default:"1"`
	// Service accounts whose token secrets it works on at once.
	ConcurrentServiceaccountTokenSyncs *int32 `json:"concurrentServiceaccountTokenSyncs,omitempty" default:"5"`
	// Makes routes in the cloud to the slices of nodes.
	ConfigureCloudRoutes *bool `json:"configureCloudRoutes,omitempty" otherwise:"by the network plug-in"`
	// Controllers to run: names, "*" for the usual ones, "-name" for one less.
	Controllers []string `json:"controllers,omitempty" list:"atomic"`
	// Most CPU its container gets.
	CPULimit Quantity `json:"cpuLimit,omitempty"`
	// CPU reserved for its container.
	CPURequest Quantity `json:"cpuRequest,omitempty" default:"100m"`
	// Never compares attached volumes with what should be; pods may then meet volumes that are elsewhere.
	DisableAttachDetachReconcileSync *bool `json:"disableAttachDetachReconcileSync,omitempty" default:"false"`
	// Profiles locks too, where profiling is on.
	EnableContentionProfiling *bool `json:"enableContentionProfiling,omitempty" default:"false"`
	// Lets controllers move to the cloud controller manager without running in both.
	EnableLeaderMigration *bool `json:"enableLeaderMigration,omitempty" default:"false"`
	// Serves profiles at /debug/pprof/.
	EnableProfiling *bool `json:"enableProfiling,omitempty" default:"true"`
	// Time for which changes of pods are gathered before endpoint slices are written.
	EndpointSliceUpdatesBatchPeriod Duration `json:"endpointSliceUpdatesBatchPeriod,omitempty" default:"0s"`
	// Time for which changes of pods are gathered before endpoints are written.
	EndpointUpdatesBatchPeriod Duration `json:"endpointUpdatesBatchPeriod,omitempty" default:"0s"`
	// Ignored by Kubernetes of today: old name of ClusterSigningDuration.
	ExperimentalClusterSigningDuration Duration `json:"experimentalClusterSigningDuration,omitempty"`
	// Ignored by Kubernetes of today: the cloud whose built-in volumes went on working beside an external cloud controller.
	ExternalCloudVolumePlugin string `json:"externalCloudVolumePlugin,omitempty"`
	// Switches of Kubernetes' experiments: name and "true" or "false".
	FeatureGates map[string]string `json:"featureGates,omitempty"`
	// Age of a pod up to which its CPU use may be left out, as that of starting up.
	HorizontalPodAutoscalerCPUInitializationPeriod Duration `json:"horizontalPodAutoscalerCpuInitializationPeriod,omitempty" default:"5m0s"`
	// Ignored by Kubernetes of today: pause after scaling down; see horizontalPodAutoscalerDownscaleStabilization.
	HorizontalPodAutoscalerDownscaleDelay Duration `json:"horizontalPodAutoscalerDownscaleDelay,omitempty"`
	// How far back the autoscaler looks for a higher size before it scales down.
	HorizontalPodAutoscalerDownscaleStabilization Duration `json:"horizontalPodAutoscalerDownscaleStabilization,omitempty" default:"5m0s"`
	// Age of a pod up to which changes of its readiness count as its start.
	HorizontalPodAutoscalerInitialReadinessDelay Duration `json:"horizontalPodAutoscalerInitialReadinessDelay,omitempty" default:"30s"`
	// How often the autoscaler looks at metrics.
	HorizontalPodAutoscalerSyncPeriod Duration `json:"horizontalPodAutoscalerSyncPeriod,omitempty" default:"15s"`
	// Least deviation of the metric from its goal, as a share, that makes the autoscaler act.
	HorizontalPodAutoscalerTolerance Quantity `json:"horizontalPodAutoscalerTolerance,omitempty" default:"0.1"`
	// Ignored by Kubernetes of today: pause after scaling up.
	HorizontalPodAutoscalerUpscaleDelay Duration `json:"horizontalPodAutoscalerUpscaleDelay,omitempty"`
	// Ignored by Kubernetes of today: took metrics from the metrics APIs, as it always does now.
	HorizontalPodAutoscalerUseRestClients *bool `json:"horizontalPodAutoscalerUseRestClients,omitempty"`
	// Image of its container.
	Image string `json:"image,omitempty" otherwise:"that for the Kubernetes version"`
	// Requests to the API server it may send at once above kubeAPIQPS.
	KubeAPIBurst *int32 `json:"kubeAPIBurst,omitempty" default:"30"`
	// Requests per second it sends to the API server in the long run.
	KubeAPIQPS Quantity `json:"kubeAPIQPS,omitempty" default:"20"`
	// How one of several copies becomes the one that works.
	LeaderElection *LeaderElection `json:"leaderElection,omitempty"`
	// Form of log lines: text for people, json for programs.
	LogFormat string `json:"logFormat,omitempty" enum:"text|json" default:"text"`
	// How much it logs, from 0 to 10.
	LogLevel int32 `json:"logLevel,omitempty" default:"2"`
	// URL of the API server, in place of the kubeconfig's.
	Master string `json:"master,omitempty"`
	// Memory beyond which its container is killed.
	MemoryLimit Quantity `json:"memoryLimit,omitempty"`
	// Memory reserved for its container.
	MemoryRequest Quantity `json:"memoryRequest,omitempty"`
	// Least time between two full passes over all objects; the true time is random up to twice that.
	MinResyncPeriod string `json:"minResyncPeriod,omitempty" format:"duration" default:"12h"`
	// Length of the prefix of each node's slice of clusterCIDR.
	NodeCIDRMaskSize *int32 `json:"nodeCIDRMaskSize,omitempty" default:"24"`
	// How long a node may be silent before it counts as not ready.
	NodeMonitorGracePeriod Duration `json:"nodeMonitorGracePeriod,omitempty" default:"50s"`
	// How often it looks at the state of nodes.
	NodeMonitorPeriod Duration `json:"nodeMonitorPeriod,omitempty" default:"5s"`
	// Ignored by Kubernetes of today: how long pods stayed on a failed node; defaultNotReadyTolerationSeconds says it now.
	PodEvictionTimeout Duration `json:"podEvictionTimeout,omitempty" default:"5m0s"`
	// File on the node with the CA that goes into token secrets of service accounts.
	RootCAFile string `json:"rootCAFile,omitempty"`
	// File on the node with the key that signs tokens in secrets.
	ServiceAccountPrivateKeyFile string `json:"serviceAccountPrivateKeyFile,omitempty"`
	// How many ended pods there may be before the oldest are deleted. 0: any number.
	TerminatedPodGCThreshold *int32 `json:"terminatedPodGCThreshold,omitempty" default:"12500"`
	// File on the node with the certificate of its own port.
	TLSCertFile *string `json:"tlsCertFile,omitempty"`
	// TLS ciphers that it offers, by Go's names. Default: Go's choice.
	TLSCipherSuites []string `json:"tlsCipherSuites,omitempty" list:"atomic"`
	// Oldest version of TLS that it speaks.
	TLSMinVersion string `json:"tlsMinVersion,omitempty" enum:"VersionTLS10|VersionTLS11|VersionTLS12|VersionTLS13"`
	// File on the node with the key of that certificate.
	TLSPrivateKeyFile string `json:"tlsPrivateKeyFile,omitempty"`
	// Runs each controller with a service account of its own.
	UseServiceAccountCredentials *bool `json:"useServiceAccountCredentials,omitempty" default:"true"`
}

// KubeScheduler is flags of kube-scheduler.
type KubeScheduler struct {
	// File on the node, a kubeconfig, by which it asks who its own callers are.
	AuthenticationKubeconfig string `json:"authenticationKubeconfig,omitempty"`
	// Paths of its own port open to everybody.
	AuthorizationAlwaysAllowPaths []string `json:"authorizationAlwaysAllowPaths,omitempty" list:"set" default:"/healthz,/readyz,/livez"`
	// File on the node, a kubeconfig, by which it asks what its own callers may do.
	AuthorizationKubeconfig string `json:"authorizationKubeconfig,omitempty"`
	// Requests to the API server it may send at once above qps, as its configuration file says it.
	Burst int32 `json:"burst,omitempty" default:"100"`
	// Most CPU its container gets.
	CPULimit Quantity `json:"cpuLimit,omitempty"`
	// CPU reserved for its container.
	CPURequest Quantity `json:"cpuRequest,omitempty" default:"100m"`
	// Profiles locks too, where profiling is on.
	EnableContentionProfiling *bool `json:"enableContentionProfiling,omitempty" default:"false"`
	// Serves profiles at /debug/pprof/.
	EnableProfiling *bool `json:"enableProfiling,omitempty" default:"true"`
	// Switches of Kubernetes' experiments: name and "true" or "false".
	FeatureGates map[string]string `json:"featureGates,omitempty"`
	// Image of its container.
	Image string `json:"image,omitempty" otherwise:"that for the Kubernetes version"`
	// Requests to the API server it may send at once above kubeAPIQPS, as its flag says it.
	KubeAPIBurst *int32 `json:"kubeAPIBurst,omitempty" default:"100"`
	// Requests per second it sends to the API server in the long run, as its flag says it.
	KubeAPIQPS Quantity `json:"kubeAPIQPS,omitempty" default:"50"`
	// How one of several copies becomes the one that works.
	LeaderElection *LeaderElection `json:"leaderElection,omitempty"`
	// Form of log lines: text for people, json for programs.
	LogFormat string `json:"logFormat,omitempty" enum:"text|json" default:"text"`
	// How much it logs, from 0 to 10.
	LogLevel int32 `json:"logLevel,omitempty" default:"2"`
	// URL of the API server, in place of the kubeconfig's.
	Master string `json:"master,omitempty"`
	// Most volumes of the cloud on one node; only for volumes that no CSI driver serves.
	MaxPersistentVolumes *int32 `json:"maxPersistentVolumes,omitempty" otherwise:"by the cloud"`
	// Memory beyond which its container is killed.
	MemoryLimit Quantity `json:"memoryLimit,omitempty"`
	// Memory reserved for its container.
	MemoryRequest Quantity `json:"memoryRequest,omitempty"`
	// Requests per second it sends to the API server in the long run, as its configuration file says it.
	QPS Quantity `json:"qps,omitempty" default:"50"`
	// File on the node with the certificate of its own port.
	TLSCertFile *string `json:"tlsCertFile,omitempty"`
	// File on the node with the key of that certificate.
	TLSPrivateKeyFile string `json:"tlsPrivateKeyFile,omitempty"`
	// Ignored by Kubernetes of today: rules of placement from a ConfigMap.
	UsePolicyConfigMap *bool `json:"usePolicyConfigMap,omitempty"`
}

// KubeProxy is flags of kube-proxy.
type KubeProxy struct {
	// Address of the node as kube-proxy sees it; its family decides whether IPv4 or IPv6 comes first.
	BindAddress string `json:"bindAddress,omitempty" format:"ip"`
	// Range of pods; traffic to services from without it is hidden behind the node's address.
	ClusterCIDR *string `json:"clusterCIDR,omitempty" format:"cidr-list"`
	// Connections tracked per CPU core.
	ConntrackMaxPerCore *int32 `json:"conntrackMaxPerCore,omitempty" default:"131072"`
	// Connections tracked at least, however few cores there are.
	ConntrackMin *int32 `json:"conntrackMin,omitempty" default:"131072"`
	// Most CPU its container gets.
	CPULimit Quantity `json:"cpuLimit,omitempty"`
	// CPU reserved for its container.
	CPURequest Quantity `json:"cpuRequest,omitempty" default:"100m"`
	// false leaves kube-proxy out, where the network plug-in does its work.
	Enabled *bool `json:"enabled,omitempty" default:"true"`
	// Switches of Kubernetes' experiments: name and "true" or "false".
	FeatureGates map[string]string `json:"featureGates,omitempty"`
	// Name of the node, where it is not the host's name.
	HostnameOverride string `json:"hostnameOverride,omitempty"`
	// Image of its container.
	Image string `json:"image,omitempty" otherwise:"that for the Kubernetes version"`
	// Ranges whose IPVS services it leaves alone.
	IPVSExcludeCIDRs []string `json:"ipvsExcludeCidrs,omitempty" list:"set" format:"cidr"`
	// Least time between two rewritings of IPVS rules.
	IPVSMinSyncPeriod Duration `json:"ipvsMinSyncPeriod,omitempty"`
	// How IPVS picks an endpoint: rr, wrr, lc, sh, ...
	IPVSScheduler *string `json:"ipvsScheduler,omitempty" default:"rr"`
	// Longest time between two rewritings of IPVS rules.
	IPVSSyncPeriod Duration `json:"ipvsSyncPeriod,omitempty" default:"30s"`
	// How much it logs, from 0 to 10.
	LogLevel int32 `json:"logLevel,omitempty" default:"2"`
	// URL of the API server, in place of the kubeconfig's.
	Master string `json:"master,omitempty"`
	// Memory beyond which its container is killed.
	MemoryLimit Quantity `json:"memoryLimit,omitempty"`
	// Memory reserved for its container.
	MemoryRequest Quantity `json:"memoryRequest,omitempty"`
	// Address and port at which it exposes metrics.
	MetricsBindAddress *string `json:"metricsBindAddress,omitempty" default:"127.0.0.1:10249"`
	// What it steers traffic to services with.
	ProxyMode string `json:"proxyMode,omitempty" enum:"iptables|ipvs|nftables" default:"iptables"`
}

// KubeDNS is the name service within the cluster.
type KubeDNS struct {
	// On which nodes its pods go, in the words of a pod's affinity.
	Affinity *Affinity `json:"affinity,omitempty"`
	// Most questions under way at once. kube-dns only.
	CacheMaxConcurrent int64 `json:"cacheMaxConcurrent,omitempty" default:"150"`
	// Most answers kept. kube-dns only.
	CacheMaxSize int64 `json:"cacheMaxSize,omitempty" default:"1000"`
	// Image that runs in place of the CoreDNS that kops knows to fit.
	CoreDNSImage string `json:"coreDNSImage,omitempty" otherwise:"that of the kops version"`
	// Image of the autoscaler that fits the number of its pods to the number of nodes.
	CPAImage string `json:"cpaImage,omitempty" otherwise:"that of the kops version"`
	// CPU reserved for each of its containers.
	CPURequest Quantity `json:"cpuRequest,omitempty" default:"100m"`
	// Domain of the names within the cluster.
	Domain string `json:"domain,omitempty" format:"dns" otherwise:"clusterDNSDomain"`
	// The whole Corefile of CoreDNS, instead of the one made from the fields here.
	ExternalCoreFile string `json:"externalCoreFile,omitempty"`
	// Ignored; coreDNSImage says it.
	Image string `json:"image,omitempty"`
	// Memory beyond which each of its containers is killed.
	MemoryLimit Quantity `json:"memoryLimit,omitempty" default:"170Mi"`
	// Memory reserved for each of its containers.
	MemoryRequest Quantity `json:"memoryRequest,omitempty" default:"70Mi"`
	// A cache of names on every node.
	NodeLocalDNS *NodeLocalDNS `json:"nodeLocalDNS,omitempty"`
	// Annotations of its pods.
	PodAnnotations map[string]string `json:"podAnnotations,omitempty"`
	// Which program it is.
	Provider string `json:"provider,omitempty" enum:"CoreDNS|KubeDNS" default:"CoreDNS"`
	// Ignored; the autoscaler sets it.
	Replicas int64 `json:"replicas,omitempty"`
	// Address of the service, which pods have as their name server.
	ServerIP string `json:"serverIP,omitempty" format:"ip" otherwise:"tenth address of serviceClusterIPRange"`
	// Other name servers for some domains: the domain, and their addresses.
	StubDomains map[string][]string `json:"stubDomains,omitempty" list:"atomic"`
	// Taints of nodes that keep its pods off no longer.
	Tolerations []Toleration `json:"tolerations,omitempty" list:"atomic"`
	// Name servers for all other names. Default: those of the node.
	UpstreamNameservers []string `json:"upstreamNameservers,omitempty" list:"atomic"`
}

// NodeLocalDNS is a cache of names on every node.
type NodeLocalDNS struct {
	// Lines to add to its Corefile.
	AdditionalConfig string `json:"additionalConfig,omitempty"`
	// CPU reserved for each of its containers.
	CPURequest Quantity `json:"cpuRequest,omitempty" default:"25m"`
	// Runs the cache; pods then ask it and not the service.
	Enabled *bool `json:"enabled,omitempty" default:"false"`
	// Its whole Corefile, instead of the one made from the fields here.
	ExternalCoreFile string `json:"externalCoreFile,omitempty"`
	// Asks the cluster's name service for names outside the cluster too, instead of the node's name servers.
	ForwardToKubeDNS *bool `json:"forwardToKubeDNS,omitempty" default:"false"`
	// Image of its container.
	Image *string `json:"image,omitempty" otherwise:"that of the kops version"`
	// Address on which it listens on each node; one that nothing else has.
	LocalIP string `json:"localIP,omitempty" format:"ip" default:"169.254.20.10"`
	// Memory reserved for each of its containers.
	MemoryRequest Quantity `json:"memoryRequest,omitempty" default:"5Mi"`
	// Annotations of its pods.
	PodAnnotations map[string]string `json:"podAnnotations,omitempty"`
}

// Toleration is taints that do not keep a pod off a node.
type Toleration struct {
	// Effect of the taint. Absent: any.
	Effect string `json:"effect,omitempty" enum:"NoSchedule|PreferNoSchedule|NoExecute"`
	// Key of the taint. Absent, with operator Exists: any.
	Key string `json:"key,omitempty"`
	// How key and value are held against the taint.
	Operator string `json:"operator,omitempty" enum:"Exists|Equal|Lt|Gt" default:"Equal"`
	// Seconds for which a NoExecute taint is tolerated. Absent: for ever.
	TolerationSeconds *int64 `json:"tolerationSeconds,omitempty"`
	// Value of the taint, but for Exists.
	Value string `json:"value,omitempty"`
}
