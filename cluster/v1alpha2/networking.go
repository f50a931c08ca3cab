package v1alpha2

// Networking is the network plug-in: exactly one of these is set.
type Networking struct {
	// Amazon VPC CNI: pods have addresses of the VPC.
	AmazonVPC *AmazonVPC `json:"amazonvpc,omitempty"`
	// Calico: routes by BGP or packets wrapped, and network policies.
	Calico *Calico `json:"calico,omitempty"`
	// Canal: flannel with Calico's policies. Refused by kops of today; kept so that old documents can be read.
	Canal *Canal `json:"canal,omitempty"`
	// Cilium: eBPF for packets and policies, and for services if wanted.
	Cilium *Cilium `json:"cilium,omitempty"`
	// Refused by kops of today: routes set up by Kubernetes itself, long ago.
	Classic *Empty `json:"classic,omitempty"`
	// None is installed: the administrator brings one.
	CNI *CNI `json:"cni,omitempty"`
	// None is installed, and kubelet's kubenet is used. Refused by Kubernetes of today.
	External *Empty `json:"external,omitempty"`
	// flannel: packets wrapped between nodes, no network policies.
	Flannel *Flannel `json:"flannel,omitempty"`
	// Google Cloud's own: pods have alias addresses of the network. {} chooses it.
	GCE *Empty `json:"gce,omitempty"`
	// kindnet: routes between nodes, and a few extras.
	Kindnet *Kindnet `json:"kindnet,omitempty"`
	// Refused by kops of today: Kopeio networking.
	Kopeio *Empty `json:"kopeio,omitempty"`
	// Bridges of kubelet and routes of the cloud. {} chooses it.
	Kubenet *Empty `json:"kubenet,omitempty"`
	// kube-router: routes by BGP.
	KubeRouter *KubeRouter `json:"kuberouter,omitempty"`
	// Refused by kops of today: Lyft's plug-in for VPCs.
	LyftVPC *LyftVPC `json:"lyftvpc,omitempty"`
	// Refused by kops of today: Romana.
	Romana *Romana `json:"romana,omitempty"`
	// Refused by kops of today: Weave Net.
	Weave *Weave `json:"weave,omitempty"`
}

// AmazonVPC is Amazon VPC CNI.
type AmazonVPC struct {
	// Environment variables of its container, such as ENABLE_PREFIX_DELEGATION.
	Env []EnvVar `json:"env,omitempty" list:"map:name"`
	// Image of its container.
	ImageName string `json:"imageName,omitempty" otherwise:"that of the kops version"`
	// Image of the container that prepares the node.
	InitImageName string `json:"initImageName,omitempty" otherwise:"that of the kops version"`
	// Image of the agent that enforces network policies.
	NetworkPolicyAgentImage string `json:"networkPolicyAgentImage,omitempty" otherwise:"that of the kops version"`
}

// Calico is Calico.
type Calico struct {
	// Lets containers forward packets.
	AllowIPForwarding bool `json:"allowIPForwarding,omitempty" default:"false"`
	// Whether AWS drops packets of instances that bear another's address, as routed ones of pods do. AWS only.
	AWSSrcDstCheck string `json:"awsSrcDstCheck,omitempty" enum:"Enable|Disable|DoNothing" otherwise:"Disable, DoNothing for IPv6"`
	// Moves packets by eBPF and without kube-proxy; needs kubeProxy.enabled: false.
	BPFEnabled bool `json:"bpfEnabled,omitempty" default:"false"`
	// How answers go to clients outside: back through the node they came by, or straight (DSR).
	BPFExternalServiceMode string `json:"bpfExternalServiceMode,omitempty" enum:"Tunnel|DSR" default:"Tunnel"`
	// Removes kube-proxy's iptables rules.
	BPFKubeProxyIptablesCleanupEnabled bool `json:"bpfKubeProxyIptablesCleanupEnabled,omitempty" default:"false"`
	// How much the eBPF programs write to the kernel's trace pipe.
	BPFLogLevel string `json:"bpfLogLevel,omitempty" enum:"Off|Info|Debug" default:"Off"`
	// Whether its rules stand before or after others in iptables.
	ChainInsertMode string `json:"chainInsertMode,omitempty" enum:"insert|append" default:"insert"`
	// CPU reserved for each of its containers.
	CPURequest Quantity `json:"cpuRequest,omitempty" default:"100m"`
	// Ignored; encapsulationMode with ipipMode or vxlanMode: CrossSubnet says it.
	CrossSubnet *bool `json:"crossSubnet,omitempty"`
	// In what packets between nodes are wrapped.
	EncapsulationMode string `json:"encapsulationMode,omitempty" enum:"ipip|vxlan|none" otherwise:"ipip, none for IPv6"`
	// When packets are wrapped in IP, where that is how they are wrapped.
	IPIPMode string `json:"ipipMode,omitempty" enum:"Always|CrossSubnet|Never" default:"CrossSubnet"`
	// Which iptables program it uses.
	IptablesBackend string `json:"iptablesBackend,omitempty" enum:"Auto|Legacy|NFT" default:"Auto"`
	// Which IPv4 address of a node others route to: first-found, can-reach=ADDRESS, interface=PATTERN, skip-interface=PATTERN, cidr=RANGE.
	IPv4AutoDetectionMethod string `json:"ipv4AutoDetectionMethod,omitempty" default:"first-found"`
	// Which IPv6 address of a node others route to, in the same words.
	IPv6AutoDetectionMethod string `json:"ipv6AutoDetectionMethod,omitempty" default:"first-found"`
	// How much it logs: none, debug, info, warning, error, fatal.
	LogSeverityScreen string `json:"logSeverityScreen,omitempty" default:"info"`
	// Ignored; only version 3 is left.
	MajorVersion string `json:"majorVersion,omitempty"`
	// Largest packet of pods, in bytes.
	MTU *int32 `json:"mtu,omitempty" otherwise:"found out"`
	// Whether it uses nftables in place of iptables.
	NftablesMode string `json:"nftablesMode,omitempty" enum:"Disabled|Enabled|Auto"`
	// Adds figures of the Go runtime to its metrics.
	PrometheusGoMetricsEnabled bool `json:"prometheusGoMetricsEnabled,omitempty" default:"true"`
	// Exposes metrics of Felix, its agent.
	PrometheusMetricsEnabled bool `json:"prometheusMetricsEnabled,omitempty" default:"false"`
	// TCP port on each node for Felix's metrics.
	PrometheusMetricsPort int32 `json:"prometheusMetricsPort,omitempty" default:"9091"`
	// Adds figures of the process to its metrics.
	PrometheusProcessMetricsEnabled bool `json:"prometheusProcessMetricsEnabled,omitempty" default:"true"`
	// Registry of its images.
	Registry string `json:"registry,omitempty"`
	// Lets monitoring read figures of Typha.
	TyphaPrometheusMetricsEnabled bool `json:"typhaPrometheusMetricsEnabled,omitempty" default:"false"`
	// TCP port for the figures of Typha.
	TyphaPrometheusMetricsPort int32 `json:"typhaPrometheusMetricsPort,omitempty" default:"9093"`
	// Copies of Typha, which stands between agents and API server. Some are good from 50 nodes on.
	TyphaReplicas int32 `json:"typhaReplicas,omitempty" default:"0"`
	// Tag of its images.
	Version string `json:"version,omitempty" otherwise:"that of the kops version"`
	// When packets are wrapped in VXLAN, where that is how they are wrapped.
	VXLANMode string `json:"vxlanMode,omitempty" enum:"Always|CrossSubnet|Never" default:"CrossSubnet"`
	// Encrypts traffic of pods between nodes with WireGuard.
	WireguardEnabled *bool `json:"wireguardEnabled,omitempty" default:"false"`
}

// Canal is Canal: flannel with Calico's policies.
type Canal struct {
	// Whether its rules stand before or after others in iptables: insert or append.
	ChainInsertMode string `json:"chainInsertMode,omitempty" default:"insert"`
	// CPU reserved for each of its containers.
	CPURequest Quantity `json:"cpuRequest,omitempty" default:"100m"`
	// What becomes of traffic from a pod to its node that no rule took: ACCEPT, DROP, RETURN.
	DefaultEndpointToHostAction string `json:"defaultEndpointToHostAction,omitempty" default:"ACCEPT"`
	// Leaves out the rules by which flannel lets everything be forwarded.
	DisableFlannelForwardRules *bool `json:"disableFlannelForwardRules,omitempty" default:"false"`
	// Ignored; it worked around a fault of old kernels.
	DisableTxChecksumOffloading bool `json:"disableTxChecksumOffloading,omitempty"`
	// Which iptables program it uses: Auto, Legacy, NFT.
	IptablesBackend string `json:"iptablesBackend,omitempty" default:"Auto"`
	// How much it logs to syslog: DEBUG, INFO, WARNING, ERROR, CRITICAL, NONE.
	LogSeveritySys string `json:"logSeveritySys,omitempty" default:"INFO"`
	// Largest packet of pods, in bytes.
	MTU *int32 `json:"mtu,omitempty" default:"1500"`
	// Adds figures of the Go runtime to its metrics.
	PrometheusGoMetricsEnabled bool `json:"prometheusGoMetricsEnabled,omitempty" default:"true"`
	// Exposes metrics of Felix, its agent.
	PrometheusMetricsEnabled bool `json:"prometheusMetricsEnabled,omitempty" default:"false"`
	// TCP port on each node for Felix's metrics.
	PrometheusMetricsPort int32 `json:"prometheusMetricsPort,omitempty" default:"9091"`
	// Adds figures of the process to its metrics.
	PrometheusProcessMetricsEnabled bool `json:"prometheusProcessMetricsEnabled,omitempty" default:"true"`
	// Lets monitoring read figures of Typha.
	TyphaPrometheusMetricsEnabled bool `json:"typhaPrometheusMetricsEnabled,omitempty" default:"false"`
	// TCP port for the figures of Typha.
	TyphaPrometheusMetricsPort int32 `json:"typhaPrometheusMetricsPort,omitempty" default:"9093"`
	// Copies of Typha, which stands between agents and API server.
	TyphaReplicas int32 `json:"typhaReplicas,omitempty" default:"0"`
}

// CNI is a plug-in that the administrator brings.
type CNI struct {
	// Pods have secondary addresses of the instance's network interfaces, so that rules of the network let them through.
	UsesSecondaryIP bool `json:"usesSecondaryIP,omitempty" default:"false"`
}

// Flannel is flannel.
type Flannel struct {
	// In what packets between nodes are wrapped. udp is slow and for old kernels.
	Backend string `json:"backend,omitempty" enum:"udp|vxlan" default:"vxlan"`
	// Ignored; it worked around a fault of old kernels.
	DisableTxChecksumOffloading bool `json:"disableTxChecksumOffloading,omitempty"`
	// Seconds between two looks at its iptables rules.
	IptablesResyncSeconds *int32 `json:"iptablesResyncSeconds,omitempty" default:"5"`
}

// Kindnet is kindnet.
type Kindnet struct {
	// Enforces AdminNetworkPolicy objects.
	AdminNetworkPolicies *bool `json:"adminNetworkPolicies,omitempty" default:"false"`
	// Enforces BaselineAdminNetworkPolicy objects.
	BaselineAdminNetworkPolicies *bool `json:"baselineAdminNetworkPolicies,omitempty" default:"false"`
	// Answers names that were asked before from memory on the node.
	DNSCaching *bool `json:"dnsCaching,omitempty" default:"false"`
	// Packets of a connection after which it takes a short cut through the kernel. 0: never.
	FastPathThreshold *int32 `json:"fastPathThreshold,omitempty" default:"0"`
	// How much it logs, from 0 to 10.
	LogLevel *int32 `json:"logLevel,omitempty" default:"2"`
	// Which traffic is hidden behind the node's address.
	Masquerade *KindnetMasquerade `json:"masquerade,omitempty"`
	// Lets pods with IPv6 only reach IPv4 addresses.
	Nat64 *bool `json:"nat64,omitempty" otherwise:"true for IPv6"`
	// Enforces NetworkPolicy objects.
	NetworkPolicies *bool `json:"networkPolicies,omitempty" default:"true"`
	// Tag of its image.
	Version string `json:"version,omitempty" otherwise:"that of the kops version"`
}

// KindnetMasquerade is which traffic is hidden behind the node's address.
type KindnetMasquerade struct {
	// Hides traffic of pods to the outside.
	Enabled *bool `json:"enabled,omitempty" default:"true"`
	// Ranges to which traffic is not hidden.
	NonMasqueradeCIDRs []string `json:"nonMasqueradeCIDRs,omitempty" list:"set" format:"cidr"`
}

// KubeRouter is kube-router.
type KubeRouter struct {
	// Enforces network policies with nftables in place of iptables and ipsets.
	UseNFTablesForNetpol *bool `json:"useNFTablesForNetpol,omitempty" default:"false"`
}

// LyftVPC is Lyft's plug-in for VPCs, which was removed.
type LyftVPC struct {
	// Tags of the subnets whose addresses pods had.
	SubnetTags map[string]string `json:"subnetTags,omitempty"`
}

// Romana is Romana, which was removed.
type Romana struct {
	// Address of the service of its daemon.
	DaemonServiceIP string `json:"daemonServiceIP,omitempty"`
	// Address of the service of its etcd.
	EtcdServiceIP string `json:"etcdServiceIP,omitempty"`
}

// Weave is Weave Net, which was removed.
type Weave struct {
	// Most connections to other nodes.
	ConnLimit *int32 `json:"connLimit,omitempty" default:"100"`
	// Most CPU its router's container got.
	CPULimit Quantity `json:"cpuLimit,omitempty"`
	// CPU reserved for its router's container.
	CPURequest Quantity `json:"cpuRequest,omitempty" default:"50m"`
	// Memory beyond which its router's container was killed.
	MemoryLimit Quantity `json:"memoryLimit,omitempty" default:"200Mi"`
	// Memory reserved for its router's container.
	MemoryRequest Quantity `json:"memoryRequest,omitempty" default:"200Mi"`
	// Largest packet of pods, in bytes.
	MTU *int32 `json:"mtu,omitempty" default:"1376"`
	// Further arguments of the router.
	NetExtraArgs string `json:"netExtraArgs,omitempty"`
	// 1 kept the sender's address of traffic to pods of the same node.
	NoMasqLocal *int32 `json:"noMasqLocal,omitempty"`
	// Most CPU the container of its policy controller got.
	NPCCPULimit Quantity `json:"npcCPULimit,omitempty"`
	// CPU reserved for the container of its policy controller.
	NPCCPURequest Quantity `json:"npcCPURequest,omitempty" default:"50m"`
	// Further arguments of the policy controller.
	NPCExtraArgs string `json:"npcExtraArgs,omitempty"`
	// Memory beyond which the container of its policy controller was killed.
	NPCMemoryLimit Quantity `json:"npcMemoryLimit,omitempty" default:"200Mi"`
	// Memory reserved for the container of its policy controller.
	NPCMemoryRequest Quantity `json:"npcMemoryRequest,omitempty" default:"200Mi"`
	// Tag of its images.
	Version string `json:"version,omitempty"`
}
