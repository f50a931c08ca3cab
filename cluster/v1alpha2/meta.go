package v1alpha2

// Cluster is the document that describes a cluster as a whole: the file config.
type Cluster struct {
	// Version of the format in which the document is written: kops.k8s.io/v1alpha2.
	APIVersion string `json:"apiVersion,omitempty" is:"required"`
	// What the document describes: Cluster, InstanceGroup, Keyset or SSHCredential.
	Kind string `json:"kind,omitempty" is:"required"`
	// Name, labels and dates of the document.
	Metadata *Metadata `json:"metadata,omitempty" is:"required"`
	// What is wanted; everything a person usually changes stands here.
	Spec *ClusterSpec `json:"spec,omitempty" is:"required"`
}

// Metadata is what every document says about itself, as all objects of Kubernetes do.
type Metadata struct {
	// Free notes of people and tools; nothing is selected by them.
	Annotations map[string]string `json:"annotations,omitempty"`
	// When the document was made. Written once, by the tool that made it.
	CreationTimestamp Time `json:"creationTimestamp,omitempty"`
	// Of objects in an API server: seconds left for a graceful deletion. Has no meaning in a store.
	DeletionGracePeriodSeconds *int64 `json:"deletionGracePeriodSeconds,omitempty"`
	// Of objects in an API server: when deletion was asked for. Has no meaning in a store.
	DeletionTimestamp Time `json:"deletionTimestamp,omitempty"`
	// Of objects in an API server: who must agree before the object is gone. Has no meaning in a store.
	Finalizers []string `json:"finalizers,omitempty" list:"set"`
	// Of objects in an API server: prefix from which it makes up a name. A store needs the name itself.
	GenerateName string `json:"generateName,omitempty"`
	// Counts the changes of the spec. Kept as it is; the commit number is what counts here.
	Generation *int64 `json:"generation,omitempty"`
	// Keys and values by which documents are found. kops.k8s.io/cluster says to which cluster an instance group belongs.
	Labels map[string]string `json:"labels,omitempty"`
	// Of objects in an API server: who set which field. Kept, never looked at; blame tells it from the history.
	ManagedFields []any `json:"managedFields,omitempty" list:"atomic"`
	// Name of the cluster or the group. That of a cluster is a DNS name with a dot; it cannot change, since names of hosts, keys and cloud resources are made from it.
	Name string `json:"name,omitempty" is:"immutable"`
	// Of objects in an API server. Has no meaning in a store.
	Namespace string `json:"namespace,omitempty"`
	// Of objects in an API server: objects with which this one is deleted. Has no meaning in a store.
	OwnerReferences []any `json:"ownerReferences,omitempty" list:"atomic"`
	// Of objects in an API server: opaque version for optimistic locking. Has no meaning in a store.
	ResourceVersion string `json:"resourceVersion,omitempty"`
	// Of objects in old API servers: their own URL. Has no meaning in a store.
	SelfLink string `json:"selfLink,omitempty"`
	// Of objects in an API server: an id that is never used again. Has no meaning in a store.
	UID string `json:"uid,omitempty"`
}

// InstanceGroup is the document that describes one group of like nodes: a file below instancegroup/.
type InstanceGroup struct {
	// Version of the format in which the document is written: kops.k8s.io/v1alpha2.
	APIVersion string `json:"apiVersion,omitempty" is:"required"`
	// What the document describes: InstanceGroup.
	Kind string `json:"kind,omitempty" is:"required"`
	// Name, labels and dates of the group; the label kops.k8s.io/cluster names its cluster.
	Metadata *Metadata `json:"metadata,omitempty" is:"required"`
	// What the nodes of the group are and do.
	Spec *InstanceGroupSpec `json:"spec,omitempty" is:"required"`
}

// Keyset is a set of key pairs or tokens of one purpose, with the one in use.
type Keyset struct {
	// Version of the format in which the document is written: kops.k8s.io/v1alpha2.
	APIVersion string `json:"apiVersion,omitempty" is:"required"`
	// What the document describes: Keyset.
	Kind string `json:"kind,omitempty" is:"required"`
	// Name of the keyset, such as kubernetes-ca.
	Metadata *Metadata `json:"metadata,omitempty"`
	// The keys, and which of them signs.
	Spec *KeysetSpec `json:"spec,omitempty" is:"required"`
}

// KeysetSpec is the contents of a keyset.
type KeysetSpec struct {
	// All key pairs that are trusted or were; rotation adds one and later distrusts another.
	Keys []KeysetItem `json:"keys,omitempty" list:"map:id"`
	// Id of the key with which new signatures are made.
	PrimaryID string `json:"primaryId,omitempty"`
	// Keypair: certificates with private keys. Secret: tokens.
	Type string `json:"type,omitempty" enum:"Keypair|Secret"`
}

// KeysetItem is one key pair or token of a keyset.
type KeysetItem struct {
	// Since when signatures of this key count no more. Absent: they count.
	DistrustTimestamp Time `json:"distrustTimestamp,omitempty"`
	// Identifies the key within its set; of a certificate, its serial number in decimal.
	ID string `json:"id,omitempty" is:"required"`
	// The private key or the token, in base64. Secret.
	PrivateMaterial string `json:"privateMaterial,omitempty"`
	// The certificate in PEM, in base64.
	PublicMaterial string `json:"publicMaterial,omitempty"`
}

// SSHCredential is a public key that may log in to the nodes.
type SSHCredential struct {
	// Version of the format in which the document is written: kops.k8s.io/v1alpha2.
	APIVersion string `json:"apiVersion,omitempty" is:"required"`
	// What the document describes: SSHCredential.
	Kind string `json:"kind,omitempty" is:"required"`
	// Name of the login (admin) and, by label, the cluster.
	Metadata *Metadata `json:"metadata,omitempty"`
	// The public key that is let in.
	Spec *SSHCredentialSpec `json:"spec,omitempty" is:"required"`
}

// SSHCredentialSpec is the contents of an SSHCredential.
type SSHCredentialSpec struct {
	// One line as ssh-keygen writes it to a .pub file.
	PublicKey string `json:"publicKey,omitempty" is:"required"`
}
