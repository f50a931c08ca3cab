package v1alpha2

// ClusterAutoscaler is the cluster autoscaler.
type ClusterAutoscaler struct {
	// Knows instance types from a list of its own and asks AWS for none.
	AWSUseStaticInstanceList *bool `json:"awsUseStaticInstanceList,omitempty" default:"false"`
	// Keeps groups alike in size whose nodes are alike.
	BalanceSimilarNodeGroups *bool `json:"balanceSimilarNodeGroups,omitempty" default:"false"`
	// Marks a node unschedulable before it is taken away.
	CordonNodeBeforeTerminating *bool `json:"cordonNodeBeforeTerminating,omitempty" default:"false"`
	// CPU reserved for its container.
	CPURequest Quantity `json:"cpuRequest,omitempty" default:"100m"`
	// Writes the priorities of groups (autoscalePriority) for the expander priority.
	CreatePriorityExpanderConfig *bool `json:"createPriorityExpanderConfig,omitempty" default:"true"`
	// Priorities for the expander priority, given here whole: a number and the patterns of group names that have it.
	CustomPriorityExpanderConfig map[string][]string `json:"customPriorityExpanderConfig,omitempty" list:"atomic"`
	// Exposes least and most size of each group as metrics.
	EmitPerNodegroupMetrics *bool `json:"emitPerNodegroupMetrics,omitempty" default:"false"`
	// Installs the autoscaler, for all groups that do not say autoscale: false.
	Enabled *bool `json:"enabled,omitempty" default:"false"`
	// Which of several groups that would do grows.
	Expander string `json:"expander,omitempty" enum:"least-waste|most-pods|priority|price|random" default:"random"`
	// Leaves pods of DaemonSets out when it judges how idle a node is.
	IgnoreDaemonSetsUtilization *bool `json:"ignoreDaemonSetsUtilization,omitempty" default:"false"`
	// Image of its container.
	Image *string `json:"image,omitempty" otherwise:"that for the Kubernetes version"`
	// How long it waits for a new node before it counts it as failed.
	MaxNodeProvisionTime string `json:"maxNodeProvisionTime,omitempty" format:"duration" default:"15m0s"`
	// Memory reserved for its container.
	MemoryRequest Quantity `json:"memoryRequest,omitempty" default:"300Mi"`
	// Age a waiting pod must have before a node is started for it.
	NewPodScaleUpDelay *string `json:"newPodScaleUpDelay,omitempty" format:"duration" default:"0s"`
	// Annotations of its pods.
	PodAnnotations map[string]string `json:"podAnnotations,omitempty"`
	// How long after a node was added none is taken away.
	ScaleDownDelayAfterAdd *string `json:"scaleDownDelayAfterAdd,omitempty" format:"duration" default:"10m0s"`
	// How long a node must be idle to be taken away.
	ScaleDownUnneededTime *string `json:"scaleDownUnneededTime,omitempty" format:"duration" default:"10m0s"`
	// How long a node must be unready to be taken away.
	ScaleDownUnreadyTime *string `json:"scaleDownUnreadyTime,omitempty" format:"duration" default:"20m0s"`
	// Share of a node's CPU or memory in use, from 0 to 1, below which it is idle.
	ScaleDownUtilizationThreshold *string `json:"scaleDownUtilizationThreshold,omitempty" default:"0.5"`
	// Keeps nodes whose pods belong to controllers it does not know.
	SkipNodesWithCustomControllerPods *bool `json:"skipNodesWithCustomControllerPods,omitempty" default:"true"`
	// Keeps nodes whose pods have data on the node (emptyDir, hostPath).
	SkipNodesWithLocalStorage *bool `json:"skipNodesWithLocalStorage,omitempty" default:"true"`
	// Keeps nodes with pods of kube-system that are of no DaemonSet.
	SkipNodesWithSystemPods *bool `json:"skipNodesWithSystemPods,omitempty" default:"true"`
}

// Karpenter is Karpenter.
type Karpenter struct {
	// CPU reserved for its container.
	CPURequest Quantity `json:"cpuRequest,omitempty" default:"500m"`
	// Installs it; groups with manager: Karpenter are served by it.
	Enabled bool `json:"enabled,omitempty" default:"false"`
	// Switches of its experiments, as Name=true, comma-separated.
	FeatureGates string `json:"featureGates,omitempty"`
	// Image of its container.
	Image string `json:"image,omitempty" otherwise:"that of the kops version"`
	// How it logs: console or json.
	LogEncoding string `json:"logEncoding,omitempty" default:"console"`
	// How much it logs: debug, info, error.
	LogLevel string `json:"logLevel,omitempty" default:"info"`
	// Memory beyond which its container is killed.
	MemoryLimit Quantity `json:"memoryLimit,omitempty" default:"1Gi"`
	// Memory reserved for its container.
	MemoryRequest Quantity `json:"memoryRequest,omitempty" default:"1Gi"`
}

// MetricsServer is metrics-server.
type MetricsServer struct {
	// Installs metrics-server; without it kubectl top and scaling by CPU do not work.
	Enabled *bool `json:"enabled,omitempty" default:"false"`
	// Image of its container.
	Image *string `json:"image,omitempty" otherwise:"that for the Kubernetes version"`
	// The API server does not check its certificate. false needs cert-manager.
	Insecure *bool `json:"insecure,omitempty" default:"true"`
}

// NodeProblemDetector is node-problem-detector.
type NodeProblemDetector struct {
	// Most CPU its container gets.
	CPULimit Quantity `json:"cpuLimit,omitempty"`
	// CPU reserved for its container.
	CPURequest Quantity `json:"cpuRequest,omitempty" default:"10m"`
	// Runs the detector on every node.
	Enabled *bool `json:"enabled,omitempty" default:"false"`
	// Image of its container.
	Image *string `json:"image,omitempty" otherwise:"that of the kops version"`
	// Memory beyond which its container is killed.
	MemoryLimit Quantity `json:"memoryLimit,omitempty" default:"80Mi"`
	// Memory reserved for its container.
	MemoryRequest Quantity `json:"memoryRequest,omitempty" default:"80Mi"`
}

// NodeTerminationHandler is the AWS node termination handler.
type NodeTerminationHandler struct {
	// CPU reserved for its container.
	CPURequest Quantity `json:"cpuRequest,omitempty" default:"50m"`
	// Drops messages from the queue whose node is not of the cluster, instead of leaving them to others.
	DeleteSQSMsgIfNodeNotFound *bool `json:"deleteSQSMsgIfNodeNotFound,omitempty" default:"false"`
	// Taints nodes that went down without drain as out of service, so that their volumes are freed.
	EnableOutOfServiceTaint *bool `json:"enableOutOfServiceTaint,omitempty" default:"false"`
	// Drains nodes when AWS recommends to rebalance.
	EnableRebalanceDraining *bool `json:"enableRebalanceDraining,omitempty" default:"false"`
	// Cordons nodes when AWS recommends to rebalance.
	EnableRebalanceMonitoring *bool `json:"enableRebalanceMonitoring,omitempty" default:"false"`
	// Listens on a queue (SQS) to which AWS writes what it is going to end, and drains those nodes.
	EnableSQSTerminationDraining *bool `json:"enableSQSTerminationDraining,omitempty" default:"true"`
	// Drains nodes before a maintenance that AWS has announced.
	EnableScheduledEventDraining *bool `json:"enableScheduledEventDraining,omitempty" default:"true"`
	// Drains nodes when AWS takes a spot instance back.
	EnableSpotInterruptionDraining *bool `json:"enableSpotInterruptionDraining,omitempty" default:"true"`
	// Runs the handler; false leaves nodes to be ended without being drained.
	Enabled *bool `json:"enabled,omitempty" default:"true"`
	// Takes nodes out of load balancers before they are cordoned.
	ExcludeFromLoadBalancers *bool `json:"excludeFromLoadBalancers,omitempty" default:"true"`
	// Tag of the instances that it may act on.
	ManagedASGTag *string `json:"managedASGTag,omitempty" default:"aws-node-termination-handler/managed"`
	// Memory beyond which its container is killed.
	MemoryLimit Quantity `json:"memoryLimit,omitempty"`
	// Memory reserved for its container.
	MemoryRequest Quantity `json:"memoryRequest,omitempty" default:"64Mi"`
	// Seconds each pod has to end. Negative: what the pod says itself.
	PodTerminationGracePeriod *int32 `json:"podTerminationGracePeriod,omitempty" default:"-1"`
	// Exposes metrics.
	PrometheusEnable *bool `json:"prometheusEnable,omitempty" default:"false"`
	// Taints a node as soon as an event for it comes in.
	TaintNode *bool `json:"taintNode,omitempty" default:"false"`
	// Tag of its image.
	Version *string `json:"version,omitempty" otherwise:"that of the kops version"`
	// Text of the message to webhookURL, as a Go template.
	WebhookTemplate *string `json:"webhookTemplate,omitempty"`
	// Where a message is posted when a node is ended: a chat's webhook.
	WebhookURL *string `json:"webhookURL,omitempty"`
}

// PodIdentityWebhook is the webhook that gives pods the rights of an IAM role.
type PodIdentityWebhook struct {
	// Installs it. Needs cert-manager.
	Enabled bool `json:"enabled,omitempty" default:"false"`
	// How many copies run.
	Replicas int64 `json:"replicas,omitempty" default:"2"`
}

// SnapshotController is the controller of volume snapshots.
type SnapshotController struct {
	// Installs it. Needs cert-manager.
	Enabled *bool `json:"enabled,omitempty" default:"false"`
	// Makes a default VolumeSnapshotClass.
	InstallDefaultClass bool `json:"installDefaultClass,omitempty" default:"false"`
}
