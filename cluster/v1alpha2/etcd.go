package v1alpha2

// EtcdCluster is one etcd: main, events, leases or cilium.
type EtcdCluster struct {
	// Where its backups go.
	Backups *EtcdBackups `json:"backups,omitempty"`
	// CPU reserved for each member's container.
	CPURequest Quantity `json:"cpuRequest,omitempty" otherwise:"200m for main, 100m for others"`
	// Ignored: etcd always speaks TLS.
	EnableEtcdTLS bool `json:"enableEtcdTLS,omitempty"`
	// Ignored: clients of etcd always prove who they are.
	EnableTLSAuth bool `json:"enableTLSAuth,omitempty"`
	// Its members, odd in number, each on the node of one instance group. A member that exists cannot move.
	EtcdMembers []EtcdMember `json:"etcdMembers,omitempty" list:"map:name" is:"required"`
	// How often the leader tells others that it is there. Raise it with leaderElectionTimeout where members are far apart.
	HeartbeatInterval Duration `json:"heartbeatInterval,omitempty" default:"100ms"`
	// Image of etcd; version counts no more then. Chosen when the cluster is made.
	Image string `json:"image,omitempty" is:"immutable"`
	// How long members wait without a leader before they vote; about ten heartbeats.
	LeaderElectionTimeout Duration `json:"leaderElectionTimeout,omitempty" default:"1s"`
	// The program that runs etcd.
	Manager *EtcdManager `json:"manager,omitempty"`
	// Memory reserved for each member's container.
	MemoryRequest Quantity `json:"memoryRequest,omitempty" default:"100Mi"`
	// Which objects it holds: main all others, events events, leases leases, cilium state of Cilium.
	Name string `json:"name,omitempty" enum:"main|events|leases|cilium" is:"required"`
	// What runs etcd: etcd-manager. Nothing else is left.
	Provider string `json:"provider,omitempty" enum:"Manager" default:"Manager"`
	// Version of etcd to run, such as 3.5.21. It goes up by one minor version at a time, and not down.
	Version string `json:"version,omitempty" otherwise:"that for the Kubernetes version"`
}

// EtcdBackups is where backups of an etcd go.
type EtcdBackups struct {
	// URL of the folder of backups. A store that was moved must change it.
	BackupStore string `json:"backupStore,omitempty" otherwise:"backups/etcd/NAME below configBase"`
	// Image of a backup container beside etcd, of old versions.
	Image string `json:"image,omitempty"`
}

// EtcdMember is one member and its volume.
type EtcdMember struct {
	// Encrypts the volume. Chosen when the volume is made.
	EncryptedVolume *bool `json:"encryptedVolume,omitempty" cloud:"any" default:"true"`
	// Instance group on whose node it runs: of the control plane, of one node.
	InstanceGroup *string `json:"instanceGroup,omitempty" is:"required,immutable"`
	// KMS key with which the volume is encrypted. Default: the account's own for volumes.
	KMSKeyID *string `json:"kmsKeyId,omitempty" cloud:"any"`
	// Name of the member within its etcd, which is part of the volume's name.
	Name string `json:"name,omitempty" is:"required"`
	// I/O operations per second to buy for the volume, of types that sell them (io1, io2, gp3).
	VolumeIOPS *int32 `json:"volumeIops,omitempty" cloud:"any"`
	// Size of the volume in GiB.
	VolumeSize *int32 `json:"volumeSize,omitempty" cloud:"any" default:"20"`
	// MiB per second to buy for the volume (gp3).
	VolumeThroughput *int32 `json:"volumeThroughput,omitempty" cloud:"any"`
	// Kind of volume as the cloud calls it: gp3, pd-ssd, ...
	VolumeType *string `json:"volumeType,omitempty" cloud:"any"`
}

// EtcdManager is the program that runs etcd.
type EtcdManager struct {
	// Pause between two backups.
	BackupInterval Duration `json:"backupInterval,omitempty" default:"15m0s" since:"1.24"`
	// Days for which backups are kept; older ones are thinned out, then removed.
	BackupRetentionDays *uint32 `json:"backupRetentionDays,omitempty" default:"90" since:"1.18"`
	// How often it looks for other members.
	DiscoveryPollInterval Duration `json:"discoveryPollInterval,omitempty" default:"1m0s"`
	// Environment variables of its container. Those that begin with ETCD_ are settings of etcd itself.
	Env []EnvVar `json:"env,omitempty" list:"map:name"`
	// Image of its container.
	Image string `json:"image,omitempty" otherwise:"that of the kops version"`
	// URLs at which etcd answers clients over HTTP only.
	ListenClientHTTPURLs []string `json:"listenClientHTTPURLs,omitempty" list:"atomic"`
	// URLs at which etcd exposes metrics and health.
	ListenMetricsURLs []string `json:"listenMetricsURLs,omitempty" list:"atomic" since:"1.18"`
	// How much it logs, from 0 to 10.
	LogLevel *int32 `json:"logLevel,omitempty" default:"6"`
}

// EnvVar is one environment variable.
type EnvVar struct {
	// Name of the variable.
	Name *string `json:"name,omitempty" is:"required"`
	// What the variable holds; $(NAME) stands for a variable above it.
	Value string `json:"value,omitempty"`
}
