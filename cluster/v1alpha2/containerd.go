package v1alpha2

// Containerd is the container runtime.
type Containerd struct {
	// Socket on which containerd listens.
	Address *string `json:"address,omitempty" default:"/run/containerd/containerd.sock"`
	// Entries to add to the generated config.toml: dotted path, as it stands there, and value.
	ConfigAdditions map[string]IntOrString `json:"configAdditions,omitempty"`
	// The whole config.toml; nothing else here is written into it then.
	ConfigOverride *string `json:"configOverride,omitempty"`
	// gVisor, a runtime that puts a kernel in user space between container and host.
	GVisor *GVisor `json:"gvisor,omitempty"`
	// Installs crictl on nodes.
	InstallCriCtl bool `json:"installCriCtl,omitempty" default:"false"`
	// Installs nerdctl on nodes.
	InstallNerdCtl bool `json:"installNerdCtl,omitempty" default:"false"`
	// How much containerd logs.
	LogLevel *string `json:"logLevel,omitempty" enum:"trace|debug|info|warn|error|fatal|panic" default:"info"`
	// Plug-ins that look at containers as they start (Node Resource Interface).
	Nri *NRI `json:"nri,omitempty"`
	// Drivers and runtime of NVIDIA GPUs.
	NvidiaGPU *NvidiaGPU `json:"nvidiaGPU,omitempty"`
	// Other place of the containerd archive.
	Packages *Packages `json:"packages,omitempty"`
	// Mirrors of a registry, tried in order: the registry's host (or "*"), and URLs.
	RegistryMirrors map[string][]string `json:"registryMirrors,omitempty" list:"atomic"`
	// Directory of images and containers, which survives reboots.
	Root *string `json:"root,omitempty" default:"/var/lib/containerd"`
	// The program that starts containers.
	Runc *Runc `json:"runc,omitempty"`
	// Image of the pause container, which holds a pod's network.
	SandboxImage *string `json:"sandboxImage,omitempty" otherwise:"that of the kops version"`
	// Labels containers for SELinux.
	SelinuxEnabled bool `json:"selinuxEnabled,omitempty" default:"false"`
	// Leaves containerd to the image of the node: neither installs nor configures it.
	SkipInstall bool `json:"skipInstall,omitempty" default:"false"`
	// Directory of sockets and the state of running containers.
	State *string `json:"state,omitempty" default:"/run/containerd"`
	// Gives mirrors the credentials of ECR, where ECR itself is a pull-through cache.
	UseECRCredentialsForMirrors bool `json:"useECRCredentialsForMirrors,omitempty" default:"false"`
	// Version of containerd to install.
	Version *string `json:"version,omitempty" otherwise:"that for the Kubernetes version"`
}

// GVisor is the runtime gVisor.
type GVisor struct {
	// Installs it and makes the runtime class.
	Enabled *bool `json:"enabled,omitempty" default:"false"`
	// How it catches system calls: systrap works anywhere, kvm is faster on bare metal.
	Platform string `json:"platform,omitempty" enum:"systrap|kvm" default:"systrap"`
}

// NRI is the Node Resource Interface of containerd.
type NRI struct {
	// Lets plug-ins register with containerd.
	Enabled *bool `json:"enabled,omitempty" default:"false"`
	// How long a plug-in may take to register.
	PluginRegistrationTimeout Duration `json:"pluginRegistrationTimeout,omitempty" default:"5s"`
	// How long a plug-in may take to answer.
	PluginRequestTimeout Duration `json:"pluginRequestTimeout,omitempty" default:"2s"`
}

// NvidiaGPU is support of NVIDIA GPUs.
type NvidiaGPU struct {
	// The exporter of GPU metrics.
	DCGMExporter *DCGMExporter `json:"dcgmExporter,omitempty"`
	// Installs drivers and runtime on nodes that have such a GPU.
	Enabled *bool `json:"enabled,omitempty" default:"false"`
	// Image of the device plug-in.
	Image string `json:"image,omitempty" otherwise:"that of the kops version"`
	// Package of the distribution that holds the driver.
	Package string `json:"package,omitempty" default:"nvidia-driver-535-server"`
}

// DCGMExporter is the exporter of GPU metrics.
type DCGMExporter struct {
	// Installs it on nodes with a GPU.
	Enabled bool `json:"enabled,omitempty" default:"false"`
}

// Packages is another place of a program's archive, with its digest.
type Packages struct {
	// SHA-256 of the archive for amd64, in hex.
	HashAmd64 *string `json:"hashAmd64,omitempty"`
	// SHA-256 of the archive for arm64, in hex.
	HashArm64 *string `json:"hashArm64,omitempty"`
	// URL of the archive for amd64.
	URLAmd64 *string `json:"urlAmd64,omitempty"`
	// URL of the archive for arm64.
	URLArm64 *string `json:"urlArm64,omitempty"`
}

// Runc is the program that starts containers.
type Runc struct {
	// Other place of the runc program.
	Packages *Packages `json:"packages,omitempty"`
	// Version of runc to install.
	Version *string `json:"version,omitempty" otherwise:"that for the containerd version"`
}

// Docker is Docker as a container runtime, which was removed. All of it is ignored.
type Docker struct {
	// Ignored: plug-ins that were asked before each request.
	AuthorizationPlugins []string `json:"authorizationPlugins,omitempty" list:"atomic"`
	// Ignored: network interface that containers were attached to.
	Bridge *string `json:"bridge,omitempty"`
	// Ignored: address and mask of docker0.
	BridgeIP *string `json:"bridgeIP,omitempty"`
	// Ignored: directory of images and containers.
	DataRoot *string `json:"dataRoot,omitempty"`
	// Ignored: runtime of containers that named none.
	DefaultRuntime *string `json:"defaultRuntime,omitempty"`
	// Ignored: resource limits of containers.
	DefaultUlimit []string `json:"defaultUlimit,omitempty" list:"atomic"`
	// Ignored: name servers of containers.
	DNS []string `json:"dns,omitempty" list:"atomic"`
	// Ignored: options of the runtime, such as its cgroup driver.
	ExecOpt []string `json:"execOpt,omitempty" list:"atomic"`
	// Ignored: directory of the state of running containers.
	ExecRoot *string `json:"execRoot,omitempty"`
	// Ignored: switched on what was unfinished, such as metrics.
	Experimental *bool `json:"experimental,omitempty"`
	// Ignored: had a timer restart a Docker that hung.
	HealthCheck bool `json:"healthCheck,omitempty"`
	// Ignored: sockets on which Docker listened.
	Hosts []string `json:"hosts,omitempty" list:"atomic"`
	// Ignored: registries spoken to without checked TLS.
	InsecureRegistries []string `json:"insecureRegistries,omitempty" list:"set"`
	// Ignored: one registry spoken to without checked TLS.
	InsecureRegistry *string `json:"insecureRegistry,omitempty"`
	// Ignored: hid containers behind the host's address.
	IPMasq *bool `json:"ipMasq,omitempty"`
	// Ignored: let Docker write iptables rules.
	IPTables *bool `json:"ipTables,omitempty"`
	// Ignored: kept containers running while Docker restarted.
	LiveRestore *bool `json:"liveRestore,omitempty"`
	// Ignored: where the output of containers went.
	LogDriver *string `json:"logDriver,omitempty"`
	// Ignored: how much Docker logged.
	LogLevel *string `json:"logLevel,omitempty"`
	// Ignored: options of logDriver, such as sizes.
	LogOpt []string `json:"logOpt,omitempty" list:"atomic"`
	// Ignored: layers pulled at once.
	MaxConcurrentDownloads *int32 `json:"maxConcurrentDownloads,omitempty"`
	// Ignored: layers pushed at once.
	MaxConcurrentUploads *int32 `json:"maxConcurrentUploads,omitempty"`
	// Ignored: tries per layer.
	MaxDownloadAttempts *int32 `json:"maxDownloadAttempts,omitempty"`
	// Ignored: where Docker exposed metrics.
	MetricsAddress *string `json:"metricsAddress,omitempty"`
	// Ignored: largest packet on the bridge.
	MTU *int32 `json:"mtu,omitempty"`
	// Ignored: other place of the Docker archive.
	Packages *Packages `json:"packages,omitempty"`
	// Ignored: mirrors of Docker Hub.
	RegistryMirrors []string `json:"registryMirrors,omitempty" list:"atomic"`
	// Ignored: further OCI runtimes.
	Runtimes []string `json:"runtimes,omitempty" list:"atomic"`
	// Ignored: labelled containers for SELinux.
	SelinuxEnabled *bool `json:"selinuxEnabled,omitempty"`
	// Ignored: left Docker to the image of the node.
	SkipInstall bool `json:"skipInstall,omitempty"`
	// Ignored: storage driver, such as overlay2.
	Storage *string `json:"storage,omitempty"`
	// Ignored: options of the storage driver.
	StorageOpts []string `json:"storageOpts,omitempty" list:"atomic"`
	// Ignored: user whose ids containers ran under.
	UserNamespaceRemap string `json:"userNamespaceRemap,omitempty"`
	// Ignored: version of Docker.
	Version *string `json:"version,omitempty"`
}

// DNSControllerGossip is names by gossip in dns-controller, which were removed. Without effect.
type DNSControllerGossip struct {
	// Without effect: address on which gossip was heard.
	Listen *string `json:"listen,omitempty"`
	// Without effect: mesh or memberlist.
	Protocol *string `json:"protocol,omitempty"`
	// Without effect: a second protocol, for moving from one to the other.
	Secondary *DNSControllerGossipSecondary `json:"secondary,omitempty"`
	// Without effect: shared key of those who gossiped; take it out.
	Secret *string `json:"secret,omitempty"`
	// Without effect: first peer to talk to.
	Seed *string `json:"seed,omitempty"`
}

// DNSControllerGossipSecondary is the second protocol of removed gossip. Without effect.
type DNSControllerGossipSecondary struct {
	// Without effect: address of the second protocol.
	Listen *string `json:"listen,omitempty"`
	// Without effect: mesh or memberlist, as the second.
	Protocol *string `json:"protocol,omitempty"`
	// Without effect: key of the second protocol; take it out.
	Secret *string `json:"secret,omitempty"`
	// Without effect: first peer of the second protocol.
	Seed *string `json:"seed,omitempty"`
}

// Gossip is names by gossip between nodes, which were removed. Without effect.
type Gossip struct {
	// Without effect: address on which nodes gossiped.
	Listen *string `json:"listen,omitempty"`
	// Without effect: mesh or memberlist.
	Protocol *string `json:"protocol,omitempty"`
	// Without effect: a second protocol, for moving from one to the other.
	Secondary *GossipSecondary `json:"secondary,omitempty"`
	// Without effect: shared key of the nodes; take it out.
	Secret *string `json:"secret,omitempty"`
}

// GossipSecondary is the second protocol of removed gossip. Without effect.
type GossipSecondary struct {
	// Without effect: address of the nodes' second protocol.
	Listen *string `json:"listen,omitempty"`
	// Without effect: mesh or memberlist, as the nodes' second.
	Protocol *string `json:"protocol,omitempty"`
	// Without effect: key of the nodes' second protocol; take it out.
	Secret *string `json:"secret,omitempty"`
}
