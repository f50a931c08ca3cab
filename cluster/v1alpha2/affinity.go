package v1alpha2

// Affinity is on which nodes pods go.
type Affinity struct {
	// By labels of nodes.
	NodeAffinity *NodeAffinity `json:"nodeAffinity,omitempty"`
	// Near other pods.
	PodAffinity *PodAffinity `json:"podAffinity,omitempty"`
	// Away from other pods.
	PodAntiAffinity *PodAffinity `json:"podAntiAffinity,omitempty"`
}

// NodeAffinity is on which nodes pods go by labels of nodes.
type NodeAffinity struct {
	// Nodes to prefer, with weights.
	PreferredDuringSchedulingIgnoredDuringExecution []PreferredNodes `json:"preferredDuringSchedulingIgnoredDuringExecution,omitempty" list:"atomic"`
	// Nodes that alone will do.
	RequiredDuringSchedulingIgnoredDuringExecution *RequiredNodes `json:"requiredDuringSchedulingIgnoredDuringExecution,omitempty"`
}

// PreferredNodes is nodes to prefer.
type PreferredNodes struct {
	// Which nodes.
	Preference *NodeTerm `json:"preference,omitempty" is:"required"`
	// How much to prefer them, from 1 to 100.
	Weight *int32 `json:"weight,omitempty" is:"required"`
}

// NodeTerm chooses nodes; all of its requirements must hold.
type NodeTerm struct {
	// Requirements of labels.
	MatchExpressions []Requirement `json:"matchExpressions,omitempty" list:"atomic"`
	// Requirements of fields of the node, such as metadata.name.
	MatchFields []Requirement `json:"matchFields,omitempty" list:"atomic"`
}

// Requirement is one requirement of a label.
type Requirement struct {
	// Key of the label.
	Key string `json:"key,omitempty" is:"required"`
	// How the label's value is held against values.
	Operator string `json:"operator,omitempty" enum:"In|NotIn|Exists|DoesNotExist|Gt|Lt" is:"required"`
	// Values to compare with: some for In and NotIn, none for Exists and DoesNotExist, one number for Gt and Lt.
	Values []string `json:"values,omitempty" list:"atomic"`
}

// RequiredNodes is nodes that alone will do.
type RequiredNodes struct {
	// Choices of nodes, of which one must hold.
	NodeSelectorTerms []NodeTerm `json:"nodeSelectorTerms,omitempty" list:"atomic" is:"required"`
}

// PodAffinity is to which other pods a pod goes near, or from which it keeps away.
type PodAffinity struct {
	// Places to prefer, with weights.
	PreferredDuringSchedulingIgnoredDuringExecution []WeightedPodTerm `json:"preferredDuringSchedulingIgnoredDuringExecution,omitempty" list:"atomic"`
	// Places that alone will do; all of them must hold.
	RequiredDuringSchedulingIgnoredDuringExecution []PodTerm `json:"requiredDuringSchedulingIgnoredDuringExecution,omitempty" list:"atomic"`
}

// WeightedPodTerm is places to prefer.
type WeightedPodTerm struct {
	// Which places.
	PodAffinityTerm *PodTerm `json:"podAffinityTerm,omitempty" is:"required"`
	// How much to prefer them, from 1 to 100.
	Weight *int32 `json:"weight,omitempty" is:"required"`
}

// PodTerm chooses places by the pods that are there.
type PodTerm struct {
	// Labels of those pods. Absent: none.
	LabelSelector *LabelSelector `json:"labelSelector,omitempty"`
	// Labels that those pods must share with the new one.
	MatchLabelKeys []string `json:"matchLabelKeys,omitempty" list:"atomic"`
	// Labels that those pods must have unlike the new one.
	MismatchLabelKeys []string `json:"mismatchLabelKeys,omitempty" list:"atomic"`
	// Labels of the namespaces of those pods; {} is all namespaces.
	NamespaceSelector *LabelSelector `json:"namespaceSelector,omitempty"`
	// Namespaces of those pods. Default: that of the new one.
	Namespaces []string `json:"namespaces,omitempty" list:"atomic"`
	// Label of nodes that says what one place is: kubernetes.io/hostname, topology.kubernetes.io/zone.
	TopologyKey string `json:"topologyKey,omitempty" is:"required"`
}

// LabelSelector chooses by labels; all that it says must hold.
type LabelSelector struct {
	// Requirements of labels.
	MatchExpressions []Requirement `json:"matchExpressions,omitempty" list:"atomic"`
	// Labels with exactly these values.
	MatchLabels map[string]string `json:"matchLabels,omitempty"`
}
