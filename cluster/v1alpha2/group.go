package v1alpha2

// InstanceGroupSpec is what is wanted of a group of like nodes.
type InstanceGroupSpec struct {
	// Ids of further security groups of the instances. AWS, OpenStack.
	AdditionalSecurityGroups []string `json:"additionalSecurityGroups,omitempty" list:"set"`
	// Further parts of the user data that cloud-init reads.
	AdditionalUserData []UserData `json:"additionalUserData,omitempty" list:"map:name"`
	// Gives instances public addresses.
	AssociatePublicIP *bool `json:"associatePublicIp,omitempty" cloud:"any" otherwise:"by the type of the subnet"`
	// Lets the cluster autoscaler change the size, where it is installed.
	Autoscale *bool `json:"autoscale,omitempty" cloud:"any" default:"true"`
	// Priority of the group for the expander priority of the cluster autoscaler; the highest grows first.
	AutoscalePriority int16 `json:"autoscalePriority,omitempty" cloud:"any" default:"0"`
	// Starts a new spot instance when AWS says that an old one is at risk. AWS only.
	CapacityRebalance *bool `json:"capacityRebalance,omitempty" cloud:"aws" default:"false"`
	// Tags or labels put on instances, disks and the group itself.
	CloudLabels map[string]string `json:"cloudLabels,omitempty" cloud:"any"`
	// Compresses user data, where it is near the cloud's limit.
	CompressUserData *bool `json:"compressUserData,omitempty" cloud:"any" default:"false"`
	// The container runtime of these nodes, where it differs from the cluster's.
	Containerd *Containerd `json:"containerd,omitempty"`
	// What a burstable instance may do when its CPU credits are used up. AWS only.
	CPUCredits *string `json:"cpuCredits,omitempty" enum:"standard|unlimited" cloud:"aws"`
	// Metrics of instances each minute, for money. AWS only.
	DetailedInstanceMonitoring *bool `json:"detailedInstanceMonitoring,omitempty" cloud:"aws" default:"false"`
	// Existing load balancers and target groups to put instances behind.
	ExternalLoadBalancers []ExternalLoadBalancer `json:"externalLoadBalancers,omitempty" list:"atomic" cloud:"aws"`
	// Files to write on these nodes.
	FileAssets []FileAsset `json:"fileAssets,omitempty" list:"map:name"`
	// SPOT: cheap instances that are taken back at will. Google Cloud only.
	GCPProvisioningModel *string `json:"gcpProvisioningModel,omitempty" enum:"STANDARD|SPOT" cloud:"gce" default:"STANDARD"`
	// GPUs and the like to attach. Google Cloud only.
	GuestAccelerators []Accelerator `json:"guestAccelerators,omitempty" list:"map:acceleratorType" cloud:"gce"`
	// systemd units or containers to run on these nodes; one of the name of a cluster's replaces it.
	Hooks []Hook `json:"hooks,omitempty" list:"map:name"`
	// Existing IAM profile to use instead of making one.
	IAM *IAMProfile `json:"iam,omitempty"`
	// Image that instances boot from, as the cloud names it: an AMI id, owner/name, ssm:PATH, project/image.
	Image string `json:"image,omitempty" otherwise:"of the channel"`
	// What becomes of a spot instance that is taken back. AWS only.
	InstanceInterruptionBehavior *string `json:"instanceInterruptionBehavior,omitempty" enum:"hibernate|stop|terminate" cloud:"aws" default:"terminate"`
	// The instance metadata service. AWS only.
	InstanceMetadata *InstanceMetadata `json:"instanceMetadata,omitempty" cloud:"aws"`
	// Keeps AWS from ending instances when it scales in.
	InstanceProtection *bool `json:"instanceProtection,omitempty" cloud:"aws" default:"false"`
	// Settings of kubelet on these nodes, where they differ from the cluster's.
	Kubelet *Kubelet `json:"kubelet,omitempty"`
	// Kind of machine, as the cloud names it: t3.medium, e2-standard-2; several, comma-separated, with Karpenter.
	MachineType string `json:"machineType,omitempty" cloud:"any" otherwise:"by cloud and role"`
	// Who starts instances: the cloud's scaling group, or Karpenter.
	Manager string `json:"manager,omitempty" enum:"CloudGroup|Karpenter" cloud:"any" default:"CloudGroup"`
	// Age at which AWS replaces an instance, a day or more. 0s: none.
	MaxInstanceLifetime Duration `json:"maxInstanceLifetime,omitempty" cloud:"aws" default:"0s"`
	// Makes these spot instances, and is the most to pay, in dollars per hour. AWS only.
	MaxPrice *string `json:"maxPrice,omitempty" cloud:"aws"`
	// Most nodes. A control-plane group has one.
	MaxSize *int32 `json:"maxSize,omitempty"`
	// Least nodes. A control-plane group has one.
	MinSize *int32 `json:"minSize,omitempty"`
	// Several kinds of machines, spot and not, in one group. AWS only.
	MixedInstancesPolicy *MixedInstancesPolicy `json:"mixedInstancesPolicy,omitempty" cloud:"aws"`
	// Labels of the nodes.
	NodeLabels map[string]string `json:"nodeLabels,omitempty"`
	// Packages of the distribution to install on these nodes.
	Packages []string `json:"packages,omitempty" list:"set"`
	// What the nodes do: Master is the control plane, Node runs workloads, Bastion lets SSH in, the others run one part of the control plane.
	Role string `json:"role,omitempty" enum:"Master|Node|Bastion|APIServer|Etcd|Scheduler|KubeControllerManager" is:"required"`
	// How nodes of this group are replaced.
	RollingUpdate *RollingUpdate `json:"rollingUpdate,omitempty"`
	// Ignored; the root disk goes with the instance.
	RootVolumeDeleteOnTermination *bool `json:"rootVolumeDeleteOnTermination,omitempty" cloud:"any"`
	// Encrypts the root disk.
	RootVolumeEncryption *bool `json:"rootVolumeEncryption,omitempty" cloud:"any" otherwise:"true on AWS"`
	// Key with which it is encrypted. Default: the account's own for volumes.
	RootVolumeEncryptionKey *string `json:"rootVolumeEncryptionKey,omitempty" cloud:"any"`
	// I/O operations per second to buy for the root disk, of types that sell them (io1, io2, gp3). AWS only.
	RootVolumeIOPS *int32 `json:"rootVolumeIops,omitempty" cloud:"any" otherwise:"3000 for gp3"`
	// Buys a network of its own to EBS, on old instance types.
	RootVolumeOptimization *bool `json:"rootVolumeOptimization,omitempty" cloud:"aws" default:"false"`
	// Size of the root disk in GiB.
	RootVolumeSize *int32 `json:"rootVolumeSize,omitempty" cloud:"any" otherwise:"by role: 64, 128 or 32"`
	// MiB per second to buy for the root disk (gp3). AWS only.
	RootVolumeThroughput *int32 `json:"rootVolumeThroughput,omitempty" cloud:"any" otherwise:"125 for gp3"`
	// Kind of the root disk, as the cloud names it: gp3, io2, pd-ssd.
	RootVolumeType *string `json:"rootVolumeType,omitempty" cloud:"any" otherwise:"by the cloud"`
	// Id of a security group to use in place of the one that would be made. AWS only.
	SecurityGroupOverride *string `json:"securityGroupOverride,omitempty"`
	// Ignored by AWS of today: minutes for which a spot instance was promised, 60 to 360 by hours.
	SpotDurationInMinutes *int64 `json:"spotDurationInMinutes,omitempty" cloud:"aws"`
	// Names of the subnets (spec.subnets of the cluster) in which nodes lie.
	Subnets []string `json:"subnets,omitempty" list:"set"`
	// Processes of the AWS scaling group to switch off, such as AZRebalance.
	SuspendProcesses []string `json:"suspendProcesses,omitempty" list:"set" cloud:"aws"`
	// Kernel parameters to set on these nodes, each as name=value.
	SysctlParameters []string `json:"sysctlParameters,omitempty" list:"set" format:"assignment"`
	// Taints of the nodes, each as key=value:effect.
	Taints []string `json:"taints,omitempty" list:"set" format:"taint"`
	// Whether the hardware is shared with other accounts. AWS only.
	Tenancy string `json:"tenancy,omitempty" enum:"default|dedicated|host" cloud:"aws"`
	// Whether these nodes install security updates of the distribution themselves.
	UpdatePolicy *string `json:"updatePolicy,omitempty" enum:"automatic|external" otherwise:"the cluster's"`
	// Disks to format and mount.
	VolumeMounts []VolumeMount `json:"volumeMounts,omitempty" list:"map:path"`
	// Further disks of each instance.
	Volumes []Volume `json:"volumes,omitempty" list:"map:device" cloud:"any"`
	// Stopped instances that wait to be started. AWS only.
	WarmPool *WarmPool `json:"warmPool,omitempty" cloud:"aws"`
	// Zones in which nodes lie, where subnets span a region (Google Cloud, Azure).
	Zones []string `json:"zones,omitempty" list:"set"`
}

// UserData is one part of the user data.
type UserData struct {
	// The text of the part.
	Content string `json:"content,omitempty" is:"required"`
	// File name of the part.
	Name string `json:"name,omitempty" is:"required"`
	// What cloud-init takes it for.
	Type string `json:"type,omitempty" enum:"text/x-include-once-url|text/x-include-url|text/cloud-config-archive|text/upstart-job|text/cloud-config|text/part-handler|text/x-shellscript|text/cloud-boothook" is:"required"`
}

// ExternalLoadBalancer is an existing load balancer. Exactly one way is set.
type ExternalLoadBalancer struct {
	// Name of a Classic load balancer of AWS.
	LoadBalancerName *string `json:"loadBalancerName,omitempty"`
	// ARN of a target group, of a network or application load balancer of AWS.
	TargetGroupARN *string `json:"targetGroupArn,omitempty"`
}

// Accelerator is GPUs and the like to attach.
type Accelerator struct {
	// How many per instance.
	AcceleratorCount int64 `json:"acceleratorCount,omitempty" default:"1"`
	// Kind, as the cloud names it: nvidia-tesla-t4.
	AcceleratorType string `json:"acceleratorType,omitempty" is:"required"`
}

// IAMProfile is an existing IAM profile.
type IAMProfile struct {
	// ARN of the instance profile.
	Profile *string `json:"profile,omitempty" is:"required"`
}

// InstanceMetadata is the instance metadata service. AWS only.
type InstanceMetadata struct {
	// How many hops away, from 1 to 64, it still hands out a token; containers on a network of their own are 2 away.
	HTTPPutResponseHopLimit *int64 `json:"httpPutResponseHopLimit,omitempty" default:"1"`
	// required: only callers with a token are answered (IMDSv2).
	HTTPTokens *string `json:"httpTokens,omitempty" enum:"optional|required" default:"required"`
}

// MixedInstancesPolicy is several kinds of machines in one group.
type MixedInstancesPolicy struct {
	// What machines must have, instead of a list of kinds.
	InstanceRequirements *InstanceRequirements `json:"instanceRequirements,omitempty"`
	// Kinds of machines that will do, in order of preference.
	Instances []string `json:"instances,omitempty" list:"atomic"`
	// Percentage of the nodes above onDemandBase that are not spot.
	OnDemandAboveBase *int64 `json:"onDemandAboveBase,omitempty" default:"100"`
	// How kinds are picked for nodes that are not spot: prioritized, lowest-price.
	OnDemandAllocationStrategy *string `json:"onDemandAllocationStrategy,omitempty" default:"prioritized"`
	// Nodes that are in no case spot.
	OnDemandBase *int64 `json:"onDemandBase,omitempty" default:"0"`
	// How kinds are picked for spot nodes.
	SpotAllocationStrategy *string `json:"spotAllocationStrategy,omitempty" enum:"lowest-price|diversified|capacity-optimized|capacity-optimized-prioritized|price-capacity-optimized"`
	// Over how many of the cheapest kinds spot nodes are spread, with lowest-price.
	SpotInstancePools *int64 `json:"spotInstancePools,omitempty" default:"2"`
}

// InstanceRequirements is what machines must have.
type InstanceRequirements struct {
	// How many virtual CPUs.
	CPU *MinMax `json:"cpu,omitempty"`
	// Kinds of machines that will not do; "*" stands for anything.
	ExcludedInstanceTypes []string `json:"excludedInstanceTypes,omitempty" list:"set"`
	// How much memory.
	Memory *MinMax `json:"memory,omitempty"`
}

// MinMax is a range of amounts.
type MinMax struct {
	// Greatest amount that will do. Absent: any.
	Max Quantity `json:"max,omitempty"`
	// Least amount that will do.
	Min Quantity `json:"min,omitempty"`
}

// VolumeMount is a disk to format and mount.
type VolumeMount struct {
	// Device as the node sees it: /dev/nvme1n1.
	Device string `json:"device,omitempty" is:"required"`
	// File system to make, where there is none.
	Filesystem string `json:"filesystem,omitempty" enum:"btfs|ext4|xfs" is:"required"`
	// Further arguments of mkfs when the file system is made.
	FormatOptions []string `json:"formatOptions,omitempty" list:"atomic"`
	// What stands behind -o of mount: noatime, ...
	MountOptions []string `json:"mountOptions,omitempty" list:"atomic"`
	// Directory to mount it on.
	Path string `json:"path,omitempty" is:"required"`
}

// Volume is a further disk of each instance.
type Volume struct {
	// Lets the disk go with its instance. Those kept are not found by delete cluster.
	DeleteOnTermination *bool `json:"deleteOnTermination,omitempty" default:"true"`
	// Device by which the cloud attaches it: /dev/xvdd.
	Device string `json:"device,omitempty" is:"required"`
	// Has the cloud encrypt the disk.
	Encrypted *bool `json:"encrypted,omitempty" otherwise:"true on AWS"`
	// I/O operations per second to buy, of types that sell them (io1, io2, gp3). AWS only.
	IOPS *int64 `json:"iops,omitempty"`
	// Key with which it is encrypted. Default: the account's own for volumes.
	Key *string `json:"key,omitempty"`
	// How large the disk is, in GB.
	Size int64 `json:"size,omitempty" is:"required"`
	// MB per second to buy (gp3). AWS only.
	Throughput *int64 `json:"throughput,omitempty"`
	// Kind of disk, as the cloud names it: gp3, pd-ssd.
	Type string `json:"type,omitempty"`
}
