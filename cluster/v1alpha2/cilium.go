package v1alpha2

// Cilium is Cilium.
type Cilium struct {
	// Leaves out the iptables rules for masquerading and kube-proxy that it installs.
	IPTablesRulesNoinstall *bool `json:"IPTablesRulesNoinstall,omitempty" default:"false"`
	// Ignored: file of requests that L7 policies let through.
	AccessLog string `json:"accessLog,omitempty"`
	// Ignored: labels by which agents knew each other.
	AgentLabels []string `json:"agentLabels,omitempty" list:"set"`
	// Annotations of the agents' pods.
	AgentPodAnnotations map[string]string `json:"agentPodAnnotations,omitempty"`
	// TCP port on each node for metrics of the agent.
	AgentPrometheusPort int64 `json:"agentPrometheusPort,omitempty" default:"9090"`
	// Ignored: whether traffic from the node itself was let through.
	AllowLocalhost string `json:"allowLocalhost,omitempty"`
	// Adds routes to other nodes of the same network segment; with tunnel: disabled.
	AutoDirectNodeRoutes bool `json:"autoDirectNodeRoutes,omitempty" default:"false"`
	// Ignored: routes to other nodes for IPv6.
	AutoIPv6NodeRoutes bool `json:"autoIpv6NodeRoutes,omitempty"`
	// Most connections tracked that are not TCP.
	BPFCTGlobalAnyMax int64 `json:"bpfCTGlobalAnyMax,omitempty" default:"262144"`
	// Most TCP connections tracked.
	BPFCTGlobalTCPMax int64 `json:"bpfCTGlobalTCPMax,omitempty" default:"524288"`
	// How an endpoint of a Service is picked. maglev keeps the choice when nodes fail.
	BPFLBAlgorithm string `json:"bpfLBAlgorithm,omitempty" enum:"random|maglev" default:"random"`
	// Size of each Service's table with maglev: a prime, about a hundred times the endpoints.
	BPFLBMaglevTableSize string `json:"bpfLBMaglevTableSize,omitempty" default:"16381"`
	// Most Services and endpoints in each of its tables.
	BPFLBMapMax int64 `json:"bpfLBMapMax,omitempty" default:"65536"`
	// Translates addresses of Services when a socket connects, not packet by packet.
	BPFLBSock bool `json:"bpfLBSock,omitempty" default:"false"`
	// Does that on the node only and not within pods, as service meshes and VMs need it.
	BPFLBSockHostNSOnly bool `json:"bpfLBSockHostNSOnly,omitempty" default:"false"`
	// Most address translations kept.
	BPFNATGlobalMax int64 `json:"bpfNATGlobalMax,omitempty" default:"524288"`
	// Most neighbours (MAC addresses) kept.
	BPFNeighGlobalMax int64 `json:"bpfNeighGlobalMax,omitempty" default:"524288"`
	// Most policy entries of one pod.
	BPFPolicyMapMax int64 `json:"bpfPolicyMapMax,omitempty" default:"16384"`
	// Ignored: where the BPF file system was mounted.
	BPFRoot string `json:"bpfRoot,omitempty"`
	// Other plug-in that gives pods their network while Cilium adds policies: aws-cni, generic-veth, portmap, none.
	ChainingMode string `json:"chainingMode,omitempty" default:"none"`
	// Number of this cluster in a mesh of clusters, from 1 to 255.
	ClusterID uint8 `json:"clusterID,omitempty" default:"0"`
	// Name of this cluster in a mesh of clusters.
	ClusterName string `json:"clusterName,omitempty" default:"default"`
	// Ignored: directory of CNI programs.
	CNIBinPath string `json:"cniBinPath,omitempty"`
	// Moves configuration of other plug-ins on the node out of the way.
	CNIExclusive *bool `json:"cniExclusive,omitempty" default:"true"`
	// Ignored: runtimes it looked for.
	ContainerRuntime []string `json:"containerRuntime,omitempty" list:"atomic"`
	// Ignored: sockets of those runtimes.
	ContainerRuntimeEndpoint map[string]string `json:"containerRuntimeEndpoint,omitempty"`
	// Ignored: which labels of containers it read.
	ContainerRuntimeLabels string `json:"containerRuntimeLabels,omitempty"`
	// CPU reserved for each container of agent and operator.
	CPURequest Quantity `json:"cpuRequest,omitempty" default:"25m"`
	// Logs much more.
	Debug bool `json:"debug,omitempty" default:"false"`
	// Ignored: parts that logged still more.
	DebugVerbose []string `json:"debugVerbose,omitempty" list:"atomic"`
	// Ignored: network interface to the outside.
	Device string `json:"device,omitempty"`
	// Does not write into policy objects how far nodes have them.
	DisableCNPStatusUpdates *bool `json:"disableCNPStatusUpdates,omitempty" default:"true"`
	// Ignored: switched tracking of connections off.
	DisableConntrack bool `json:"disableConntrack,omitempty"`
	// Keeps no CiliumEndpoint objects, where the state lies in an etcd.
	DisableEndpointCRD bool `json:"disableEndpointCRD,omitempty" default:"false"`
	// Ignored: switched IPv4 off.
	DisableIPv4 bool `json:"disableIpv4,omitempty"`
	// Ignored: left Services to kube-proxy.
	DisableK8sServices bool `json:"disableK8sServices,omitempty"`
	// Does not hide pods behind the node's address.
	DisableMasquerade *bool `json:"disableMasquerade,omitempty" otherwise:"false, true for IPv6"`
	// Hides pods behind the node's address by eBPF and not by iptables.
	EnableBPFMasquerade *bool `json:"enableBPFMasquerade,omitempty" otherwise:"false, true with ipam: eni"`
	// Encrypts traffic of pods between nodes; see encryptionType.
	EnableEncryption bool `json:"enableEncryption,omitempty" default:"false"`
	// Has nodes check each other's network with a made-up pod.
	EnableEndpointHealthChecking *bool `json:"enableEndpointHealthChecking,omitempty" default:"true"`
	// Applies policies to nodes themselves, too.
	EnableHostFirewall *bool `json:"enableHostFirewall,omitempty" default:"false"`
	// Old word for bpfLBSock.
	EnableHostReachableServices bool `json:"enableHostReachableServices,omitempty" default:"false"`
	// Runs the proxy that policies for HTTP, DNS and the like need.
	EnableL7Proxy *bool `json:"enableL7Proxy,omitempty" default:"true"`
	// Lets policies send traffic for some address to a pod of the same node.
	EnableLocalRedirectPolicy *bool `json:"enableLocalRedirectPolicy,omitempty" default:"false"`
	// Does all the work of kube-proxy; needs kubeProxy.enabled: false.
	EnableNodePort bool `json:"enableNodePort,omitempty" default:"false"`
	// default: pods that a policy selects are closed. always: all are. never: none.
	EnablePolicy string `json:"enablePolicy,omitempty" enum:"default|always|never" default:"default"`
	// Exposes metrics of agent and operator.
	EnablePrometheusMetrics bool `json:"enablePrometheusMetrics,omitempty" default:"false"`
	// Tells other nodes from the own one in policies.
	EnableRemoteNodeIdentity *bool `json:"enableRemoteNodeIdentity,omitempty" default:"true"`
	// Prefers endpoints of the same zone, as hints of endpoint slices say.
	EnableServiceTopology bool `json:"enableServiceTopology,omitempty" default:"false"`
	// Ignored: traced policy decisions.
	EnableTracing bool `json:"enableTracing,omitempty"`
	// Answers for pods that are gone at once, instead of letting clients wait.
	EnableUnreachableRoutes *bool `json:"enableUnreachableRoutes,omitempty" default:"false"`
	// Ignored: switched IPv4 on.
	EnableIPv4 bool `json:"enableipv4,omitempty"`
	// Ignored: switched IPv6 on.
	EnableIPv6 bool `json:"enableipv6,omitempty"`
	// With what traffic is encrypted. ipsec needs the secret ciliumpassword.
	EncryptionType string `json:"encryptionType,omitempty" enum:"ipsec|wireguard" default:"ipsec"`
	// Ignored: file of the proxy's log.
	EnvoyLog string `json:"envoyLog,omitempty"`
	// Keeps its state in an etcd of its own (etcdClusters of the name cilium).
	EtcdManaged bool `json:"etcdManaged,omitempty" default:"false"`
	// Further keys of its ConfigMap; they win over those made from the fields here. Values are texts.
	ExtraConfig map[string]string `json:"extraConfig,omitempty"`
	// Whether Cilium serves Gateway and HTTPRoute objects.
	GatewayAPI *CiliumGatewayAPI `json:"gatewayAPI,omitempty"`
	// Hubble, which shows traffic.
	Hubble *Hubble `json:"hubble,omitempty"`
	// Where identities of pods are kept: API objects or etcd.
	IdentityAllocationMode string `json:"identityAllocationMode,omitempty" enum:"crd|kvstore" default:"crd"`
	// How long a pod keeps its old identity after its labels changed.
	IdentityChangeGracePeriod string `json:"identityChangeGracePeriod,omitempty" format:"duration" default:"5s"`
	// Whether and how Cilium serves Ingress objects.
	Ingress *CiliumIngress `json:"ingress,omitempty"`
	// Who gives pods addresses: each node from its slice, or AWS network interfaces (eni).
	IPAM string `json:"ipam,omitempty" enum:"hostscope|kubernetes|crd|eni" default:"kubernetes"`
	// Ignored: length of nodes' prefixes.
	IPv4ClusterCIDRMaskSize int64 `json:"ipv4ClusterCidrMaskSize,omitempty"`
	// Ignored: IPv4 address of the node.
	IPv4Node string `json:"ipv4Node,omitempty"`
	// Ignored: IPv4 range of the node's pods.
	IPv4Range string `json:"ipv4Range,omitempty"`
	// Ignored: IPv4 range of Services.
	IPv4ServiceRange string `json:"ipv4ServiceRange,omitempty"`
	// Ignored: IPv6 range of the cluster's pods.
	IPv6ClusterAllocCIDR string `json:"ipv6ClusterAllocCidr,omitempty"`
	// Ignored: IPv6 address of the node.
	IPv6Node string `json:"ipv6Node,omitempty"`
	// Ignored: IPv6 range of the node's pods.
	IPv6Range string `json:"ipv6Range,omitempty"`
	// Ignored: IPv6 range of Services.
	IPv6ServiceRange string `json:"ipv6ServiceRange,omitempty"`
	// Ignored: URL of the API server.
	K8sAPIServer string `json:"k8sApiServer,omitempty"`
	// Ignored: kubeconfig of the agent.
	K8sKubeconfigPath string `json:"k8sKubeconfigPath,omitempty"`
	// Ignored: kept compiled programs over a restart.
	KeepBPFTemplates bool `json:"keepBpfTemplates,omitempty"`
	// Ignored: kept the old configuration over a restart.
	KeepConfig bool `json:"keepConfig,omitempty"`
	// Ignored: file of labels that make identities.
	LabelPrefixFile string `json:"labelPrefixFile,omitempty"`
	// Ignored: labels that make identities.
	Labels []string `json:"labels,omitempty" list:"atomic"`
	// Ignored: network interface of its load balancer.
	LB string `json:"lb,omitempty"`
	// Ignored: directory of its own files.
	LibDir string `json:"libDir,omitempty"`
	// Ignored: where it logged to.
	LogDriver []string `json:"logDriver,omitempty" list:"atomic"`
	// Ignored: options of that.
	LogOpt map[string]string `json:"logOpt,omitempty"`
	// Ignored: sent flows to Logstash.
	Logstash bool `json:"logstash,omitempty"`
	// Ignored: address of Logstash.
	LogstashAgent string `json:"logstashAgent,omitempty"`
	// Ignored: pause between two tries to reach Logstash.
	LogstashProbeTimer uint32 `json:"logstashProbeTimer,omitempty"`
	// Memory reserved for each container of agent and operator.
	MemoryRequest Quantity `json:"memoryRequest,omitempty" default:"128Mi"`
	// Metrics of the agent to add (+name) or take away (-name).
	Metrics []string `json:"metrics,omitempty" list:"set"`
	// How many packets of a connection the monitor shows; the more it gathers, the fewer.
	MonitorAggregation string `json:"monitorAggregation,omitempty" enum:"low|medium|maximum" default:"medium"`
	// Ignored: range for translating IPv4 into IPv6.
	Nat46Range string `json:"nat46Range,omitempty"`
	// Encrypts traffic between nodes themselves, too.
	NodeEncryption bool `json:"nodeEncryption,omitempty" default:"false"`
	// Ignored: file that said a node is prepared.
	NodeInitBootstrapFile string `json:"nodeInitBootstrapFile,omitempty"`
	// Annotations of the operator's pods.
	OperatorPodAnnotations map[string]string `json:"operatorPodAnnotations,omitempty"`
	// Ignored: served profiles.
	Pprof bool `json:"pprof,omitempty"`
	// Takes memory of its tables at once, so that packets never wait for it.
	PreallocateBPFMaps bool `json:"preallocateBPFMaps,omitempty" default:"true"`
	// Ignored: network interface whose packets were dropped early.
	PrefilterDevice string `json:"prefilterDevice,omitempty"`
	// Ignored: address of metrics; agentPrometheusPort says the port.
	PrometheusServeAddr string `json:"prometheusServeAddr,omitempty"`
	// Ignored: had it change kubelet's flags.
	ReconfigureKubelet bool `json:"reconfigureKubelet,omitempty"`
	// Registry of its images.
	Registry string `json:"registry,omitempty" default:"quay.io"`
	// Ignored: had it remove the bridge cbr0.
	RemoveCbrBridge bool `json:"removeCbrBridge,omitempty"`
	// Ignored: had it restart pods that it did not manage.
	RestartPods bool `json:"restartPods,omitempty"`
	// Ignored: took over pods of the agent before.
	Restore bool `json:"restore,omitempty"`
	// Pattern of the images that are Istio's proxies.
	SidecarIstioProxyImage string `json:"sidecarIstioProxyImage,omitempty" default:"cilium/istio_proxy"`
	// Ignored: one route for all pods.
	SingleClusterRoute bool `json:"singleClusterRoute,omitempty"`
	// Ignored: socket of its API.
	SocketPath string `json:"socketPath,omitempty"`
	// Ignored: directory of its state.
	StateDir string `json:"stateDir,omitempty"`
	// How a question for a name is answered that policies forbid.
	ToFQDNsDNSRejectResponseCode string `json:"toFqdnsDnsRejectResponseCode,omitempty" enum:"nameError|refused" default:"refused"`
	// Finds addresses of names in policies by asking now and then and not by listening. Old.
	ToFQDNsEnablePoller bool `json:"toFqdnsEnablePoller,omitempty" default:"false"`
	// Ignored: bytes of a packet that were traced.
	TracePayloadlen int64 `json:"tracePayloadlen,omitempty"`
	// In what packets between nodes are wrapped.
	Tunnel string `json:"tunnel,omitempty" enum:"vxlan|geneve|disabled" otherwise:"vxlan, disabled for IPv6 and eni"`
	// Tag of its images.
	Version string `json:"version,omitempty" otherwise:"that of the kops version"`
}

// CiliumGatewayAPI is Gateway API objects in Cilium.
type CiliumGatewayAPI struct {
	// Copies certificates of gateways into a namespace that the proxy reads.
	EnableSecretsSync *bool `json:"enableSecretsSync,omitempty" default:"true"`
	// Serves them. Needs enableNodePort and the objects' definitions.
	Enabled *bool `json:"enabled,omitempty" default:"false"`
}

// Hubble is what shows traffic.
type Hubble struct {
	// Switches it on. Needs cert-manager.
	Enabled *bool `json:"enabled,omitempty" default:"false"`
	// What is counted: dns, drop, tcp, flow, http, ... Empty: nothing.
	Metrics []string `json:"metrics,omitempty" list:"set"`
}

// CiliumIngress is Ingress objects in Cilium.
type CiliumIngress struct {
	// One load balancer for all Ingress objects, or one each.
	DefaultLoadBalancerMode string `json:"defaultLoadBalancerMode,omitempty" enum:"shared|dedicated" default:"dedicated"`
	// Copies certificates of Ingress objects into a namespace that the proxy reads.
	EnableSecretsSync *bool `json:"enableSecretsSync,omitempty" default:"true"`
	// Serves them. Needs enableNodePort.
	Enabled *bool `json:"enabled,omitempty" default:"false"`
	// Sends plain HTTP to HTTPS where an Ingress has a certificate.
	EnforceHTTPS *bool `json:"enforceHttps,omitempty" default:"true"`
	// Beginnings of annotations that go from an Ingress to its load balancer, by spaces.
	LoadBalancerAnnotationPrefixes string `json:"loadBalancerAnnotationPrefixes,omitempty" default:"service.beta.kubernetes.io service.kubernetes.io cloud.google.com"`
	// Name of the Service of the shared load balancer.
	SharedLoadBalancerServiceName string `json:"sharedLoadBalancerServiceName,omitempty" default:"cilium-ingress"`
}
