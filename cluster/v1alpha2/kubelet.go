package v1alpha2

// Kubelet is settings of kubelet.
type Kubelet struct {
	// Ignored by Kubernetes of today: let containers run privileged; policies say it now.
	AllowPrivileged *bool `json:"allowPrivileged,omitempty"`
	// Kernel parameters beyond the safe ones that pods may set; names, or beginnings with "*".
	AllowedUnsafeSysctls []string `json:"allowedUnsafeSysctls,omitempty" list:"set"`
	// Answers requests without credentials as user system:anonymous.
	AnonymousAuth *bool `json:"anonymousAuth,omitempty" default:"false"`
	// Refused by kops: URLs of API servers, a flag removed in Kubernetes 1.6.
	APIServers string `json:"apiServers,omitempty"`
	// Asks the API server whose a bearer token is.
	AuthenticationTokenWebhook *bool `json:"authenticationTokenWebhook,omitempty" default:"true"`
	// How long that answer is believed.
	AuthenticationTokenWebhookCacheTTL Duration `json:"authenticationTokenWebhookCacheTtl,omitempty" default:"2m0s"`
	// Webhook: the API server says who may do what here. AlwaysAllow: everybody may do everything.
	AuthorizationMode string `json:"authorizationMode,omitempty" enum:"Webhook|AlwaysAllow" default:"Webhook"`
	// Ignored by Kubernetes of today: that something watches over Docker and kubelet.
	BabysitDaemons *bool `json:"babysitDaemons,omitempty"`
	// Refused by kops: a kubeconfig to get the first certificate with; kops-controller issues it.
	BootstrapKubeconfig string `json:"bootstrapKubeconfig,omitempty"`
	// Who manages cgroups; containerd must do it the same way. Kubernetes finds it out by itself by now.
	CgroupDriver string `json:"cgroupDriver,omitempty" enum:"systemd|cgroupfs" default:"systemd"`
	// Cgroup below which all pods are put.
	CgroupRoot string `json:"cgroupRoot,omitempty"`
	// File on the node with the CAs whose client certificates count.
	ClientCAFile string `json:"clientCaFile,omitempty"`
	// Name of the cloud, as the flag takes it; external where a cloud controller manager runs.
	CloudProvider string `json:"cloudProvider,omitempty" cloud:"any" default:"external"`
	// Address of the name server that pods are given. Default: that of kubeDNS, or the cache on the node.
	ClusterDNS string `json:"clusterDNS,omitempty" format:"ip-list"`
	// Domain in which pods look up short names.
	ClusterDomain string `json:"clusterDomain,omitempty" format:"dns" otherwise:"clusterDNSDomain"`
	// Refused by kops: a bridge set up by kubelet, a flag removed in Kubernetes 1.5.
	ConfigureCbr0 *bool `json:"configureCbr0,omitempty"`
	// Most log files per container, 2 or more.
	ContainerLogMaxFiles *int32 `json:"containerLogMaxFiles,omitempty" default:"5"`
	// Size at which a container's log is closed and the next begun.
	ContainerLogMaxSize string `json:"containerLogMaxSize,omitempty" format:"quantity" default:"10Mi"`
	// Holds containers to their CPU limits.
	CPUCFSQuota *bool `json:"cpuCFSQuota,omitempty" default:"true"`
	// Refused by kops: the kernel's period in which CPU limits are counted.
	CPUCFSQuotaPeriod Duration `json:"cpuCFSQuotaPeriod,omitempty"`
	// static gives pods of guaranteed quality whole CPUs of their own.
	CPUManagerPolicy string `json:"cpuManagerPolicy,omitempty" enum:"none|static" default:"none"`
	// Longest pause before a container that keeps failing is started again, from 1s to 300s.
	CrashLoopBackOffMaxContainerRestartPeriod Duration `json:"crashLoopBackOffMaxContainerRestartPeriod,omitempty"`
	// Ignored: separate process ids of containers in a pod, of Docker.
	DockerDisableSharedPID *bool `json:"dockerDisableSharedPID,omitempty"`
	// Refused by kops: old JSON statistics, of Kubernetes 1.18 to 1.20.
	EnableCadvisorJSONEndpoints *bool `json:"enableCadvisorJsonEndpoints,omitempty"`
	// Ignored by Kubernetes of today: metrics that containers offered themselves.
	EnableCustomMetrics *bool `json:"enableCustomMetrics,omitempty"`
	// Serves logs, exec, attach and port forwarding, which kubectl needs.
	EnableDebuggingHandlers *bool `json:"enableDebuggingHandlers,omitempty" default:"true"`
	// What is held to the node's budget, comma-separated: pods, kube-reserved, system-reserved.
	EnforceNodeAllocatable string `json:"enforceNodeAllocatable,omitempty" default:"pods"`
	// Events it may write at once above eventQPS.
	EventBurst *int32 `json:"eventBurst,omitempty" default:"100" since:"1.19"`
	// Events it writes per second in the long run. 0: any number.
	EventQPS *int32 `json:"eventQPS,omitempty" default:"50" since:"1.19"`
	// Events it writes per second, in the configuration file's word. 0: any number.
	EventRecordQPS *int32 `json:"eventRecordQPS,omitempty" default:"50"`
	// Thresholds beyond which pods are killed at once, comma-separated, such as memory.available<300Mi.
	EvictionHard *string `json:"evictionHard,omitempty" otherwise:"memory.available<100Mi and shares of the disks"`
	// Most seconds a pod has to end at a soft threshold.
	EvictionMaxPodGracePeriod int32 `json:"evictionMaxPodGracePeriod,omitempty" default:"0"`
	// How far beyond the threshold is freed, comma-separated, such as imagefs.available=2Gi.
	EvictionMinimumReclaim string `json:"evictionMinimumReclaim,omitempty"`
	// How long a node still counts as under pressure after it is not.
	EvictionPressureTransitionPeriod Duration `json:"evictionPressureTransitionPeriod,omitempty" default:"5m0s"`
	// Thresholds beyond which pods are ended after a while, comma-separated, such as memory.available<500Mi.
	EvictionSoft string `json:"evictionSoft,omitempty"`
	// How long each soft threshold may be passed, comma-separated, such as memory.available=1m30s.
	EvictionSoftGracePeriod string `json:"evictionSoftGracePeriod,omitempty"`
	// Leaves hard thresholds out of the node's budget for pods.
	ExperimentalAllocatableIgnoreEviction *bool `json:"experimentalAllocatableIgnoreEviction,omitempty" default:"false"`
	// Refused by kops: old name of allowedUnsafeSysctls.
	ExperimentalAllowedUnsafeSysctls []string `json:"experimentalAllowedUnsafeSysctls,omitempty" list:"set"`
	// Does not start where the node swaps.
	FailSwapOn *bool `json:"failSwapOn,omitempty" default:"true"`
	// Switches of Kubernetes' experiments: name and "true" or "false".
	FeatureGates map[string]string `json:"featureGates,omitempty"`
	// How a pod reaches itself through its own Service, on bridges.
	HairpinMode string `json:"hairpinMode,omitempty" enum:"promiscuous-bridge|hairpin-veth|none" default:"promiscuous-bridge"`
	// Name of the node. Default: what the cloud calls the instance, or the host's name.
	HostnameOverride string `json:"hostnameOverride,omitempty"`
	// How often use of containers is measured.
	HousekeepingInterval Duration `json:"housekeepingInterval,omitempty" default:"10s" since:"1.19"`
	// Use of the disk, in percent, from which images are removed.
	ImageGCHighThresholdPercent *int32 `json:"imageGCHighThresholdPercent,omitempty" default:"85"`
	// Use of the disk, in percent, down to which images are removed.
	ImageGCLowThresholdPercent *int32 `json:"imageGCLowThresholdPercent,omitempty" default:"80"`
	// Age at which an image not in use is removed in any case. 0s: none.
	ImageMaximumGCAge Duration `json:"imageMaximumGCAge,omitempty" default:"0s"`
	// Age below which an image is never removed.
	ImageMinimumGCAge Duration `json:"imageMinimumGCAge,omitempty" default:"2m0s"`
	// Ignored by Kubernetes of today: time without progress after which Docker gave up a pull.
	ImagePullProgressDeadline Duration `json:"imagePullProgressDeadline,omitempty"`
	// Lets the kernel tell of memory thresholds instead of looking now and then.
	KernelMemcgNotification *bool `json:"kernelMemcgNotification,omitempty" default:"false"`
	// Requests per second it sends to the API server in the long run.
	KubeAPIQPS *int32 `json:"kubeAPIQPS,omitempty" default:"50"`
	// What is set aside for kubelet and the container runtime: cpu, memory, ephemeral-storage, pid, and how much.
	KubeReserved map[string]string `json:"kubeReserved,omitempty"`
	// Cgroup of those programs, to hold them to it.
	KubeReservedCgroup string `json:"kubeReservedCgroup,omitempty"`
	// File on the node with its kubeconfig.
	KubeconfigPath string `json:"kubeconfigPath,omitempty"`
	// Cgroup in which kubelet itself is put.
	KubeletCgroups string `json:"kubeletCgroups,omitempty"`
	// Form of log lines: text for people, json for programs.
	LogFormat string `json:"logFormat,omitempty" enum:"text|json" default:"text"`
	// How much it logs, from 0 to 10.
	LogLevel *int32 `json:"logLevel,omitempty" default:"2"`
	// Most images pulled at once; needs serializeImagePulls: false.
	MaxParallelImagePulls *int32 `json:"maxParallelImagePulls,omitempty"`
	// Most pods on the node. On Amazon VPC networking: what the instance's addresses allow.
	MaxPods *int32 `json:"maxPods,omitempty" default:"110"`
	// How containers may use swap, where the node has it.
	MemorySwapBehavior string `json:"memorySwapBehavior,omitempty" enum:"LimitedSwap|UnlimitedSwap"`
	// Refused by kops: largest packet of the network plug-in, a flag removed in Kubernetes 1.24.
	NetworkPluginMTU *int32 `json:"networkPluginMTU,omitempty"`
	// Refused by kops: network plug-in, a flag removed in Kubernetes 1.24.
	NetworkPluginName *string `json:"networkPluginName,omitempty"`
	// Labels with which the node joins. Those of an instance group belong into its spec.nodeLabels.
	NodeLabels map[string]string `json:"nodeLabels,omitempty"`
	// Seconds after its last renewal that the node's lease ends.
	NodeLeaseDurationSeconds *int32 `json:"nodeLeaseDurationSeconds,omitempty" default:"40"`
	// How often it looks at its own state; less than the nodeMonitorGracePeriod of the controller manager.
	NodeStatusUpdateFrequency Duration `json:"nodeStatusUpdateFrequency,omitempty" default:"10s"`
	// Refused by kops: range of addresses that are not hidden behind the node, a flag removed in Kubernetes 1.24.
	NonMasqueradeCIDR *string `json:"nonMasqueradeCIDR,omitempty"`
	// Ignored by Kubernetes of today: number of GPUs; the device plug-in finds them.
	NvidiaGPUs int32 `json:"nvidiaGPUs,omitempty"`
	// Range of pods of a kubelet that has no API server. Others are told theirs.
	PodCIDR string `json:"podCIDR,omitempty" format:"cidr"`
	// Refused by kops: image of the pause container; containerd.sandboxImage says it.
	PodInfraContainerImage string `json:"podInfraContainerImage,omitempty"`
	// Directory on the node from which static pods are run.
	PodManifestPath string `json:"podManifestPath,omitempty" default:"/etc/kubernetes/manifests"`
	// Most processes in one pod. -1: any number.
	PodPidsLimit *int64 `json:"podPidsLimit,omitempty" default:"-1" since:"1.22"`
	// Does not start where kernel parameters are not what it wants, instead of setting them.
	ProtectKernelDefaults *bool `json:"protectKernelDefaults,omitempty" default:"true" since:"1.18"`
	// Port that tells everybody about pods, without credentials. 0: none.
	ReadOnlyPort *int32 `json:"readOnlyPort,omitempty" default:"0"`
	// Ignored by Kubernetes of today: kept the bridge's range that of the node.
	ReconcileCIDR *bool `json:"reconcileCIDR,omitempty"`
	// Makes the node's object in the API server.
	RegisterNode *bool `json:"registerNode,omitempty" default:"true"`
	// Ignored by Kubernetes of today: let pods be placed on the node from the start; taints say it now.
	RegisterSchedulable *bool `json:"registerSchedulable,omitempty" default:"true"`
	// Pulls of images at once above registryPullQPS.
	RegistryBurst *int32 `json:"registryBurst,omitempty" default:"10"`
	// Pulls of images per second in the long run. 0: any number.
	RegistryPullQPS *int32 `json:"registryPullQPS,omitempty" default:"5"`
	// Refused by kops: that a kubeconfig must be there, a flag removed in Kubernetes 1.10.
	RequireKubeconfig *bool `json:"requireKubeconfig,omitempty"`
	// File on the node from which pods with DNS policy Default get their name servers.
	ResolvConf *string `json:"resolvConf,omitempty" otherwise:"by the distribution"`
	// Directory of volumes and state of pods.
	RootDir string `json:"rootDir,omitempty" default:"/var/lib/kubelet"`
	// Renews its client certificate before it ends.
	RotateCertificates *bool `json:"rotateCertificates,omitempty" default:"true"`
	// Cgroup in which the container runtime runs, for measuring it.
	RuntimeCgroups string `json:"runtimeCgroups,omitempty"`
	// Longest time an order to the container runtime may take, but for long ones such as exec.
	RuntimeRequestTimeout Duration `json:"runtimeRequestTimeout,omitempty" default:"2m0s"`
	// Gives all pods that say nothing the runtime's seccomp profile.
	SeccompDefault *bool `json:"seccompDefault,omitempty" default:"false" since:"1.23"`
	// Ignored by Kubernetes of today: directory of seccomp profiles; it lies below rootDir.
	SeccompProfileRoot *string `json:"seccompProfileRoot,omitempty"`
	// Pulls one image after the other.
	SerializeImagePulls *bool `json:"serializeImagePulls,omitempty" default:"true"`
	// How long a shutdown of the node is held back for pods to end.
	ShutdownGracePeriod Duration `json:"shutdownGracePeriod,omitempty" otherwise:"30s, 0s with Amazon VPC networking" since:"1.23"`
	// Part of that time that belongs to critical pods, which end last.
	ShutdownGracePeriodCriticalPods Duration `json:"shutdownGracePeriodCriticalPods,omitempty" otherwise:"10s, 0s with Amazon VPC networking" since:"1.23"`
	// Idle time after which exec, attach and port forwarding are cut. 0: never.
	StreamingConnectionIdleTimeout Duration `json:"streamingConnectionIdleTimeout,omitempty" default:"4h0m0s"`
	// Cgroup for the processes of the system that are in none.
	SystemCgroups string `json:"systemCgroups,omitempty"`
	// What is set aside for the system's own programs: cpu, memory, ephemeral-storage, pid, and how much.
	SystemReserved map[string]string `json:"systemReserved,omitempty"`
	// Cgroup of those programs of the system, to hold them to it.
	SystemReservedCgroup string `json:"systemReservedCgroup,omitempty"`
	// Taints with which the node joins, each as key=value:effect.
	Taints []string `json:"taints,omitempty" list:"set" format:"taint"`
	// File on the node with the certificate of its own port.
	TLSCertFile string `json:"tlsCertFile,omitempty"`
	// TLS ciphers that it offers, by Go's names. Default: Go's choice.
	TLSCipherSuites []string `json:"tlsCipherSuites,omitempty" list:"atomic"`
	// Oldest version of TLS that it speaks.
	TLSMinVersion string `json:"tlsMinVersion,omitempty" enum:"VersionTLS10|VersionTLS11|VersionTLS12|VersionTLS13"`
	// File on the node with the key of that certificate.
	TLSPrivateKeyFile string `json:"tlsPrivateKeyFile,omitempty"`
	// How strictly CPUs, memory and devices of a pod must lie near each other.
	TopologyManagerPolicy string `json:"topologyManagerPolicy,omitempty" enum:"none|best-effort|restricted|single-numa-node" default:"none"`
	// Directory on the node in which FlexVolume plug-ins are found.
	VolumePluginDirectory string `json:"volumePluginDirectory,omitempty" otherwise:"by the distribution"`
	// How often disk use of volumes is measured. 0s: never.
	VolumeStatsAggPeriod Duration `json:"volumeStatsAggPeriod,omitempty" default:"1m0s"`
}
