package cluster

// Spec is a view of the fields of a Cluster that are in use. The document keeps
// all others; Get reaches them.
type Spec struct {
	Channel           string `yaml:"channel"`
	CloudProvider     string `yaml:"cloudProvider"`
	ConfigBase        string `yaml:"configBase"`
	KeyStore          string `yaml:"keyStore"`
	SecretStore       string `yaml:"secretStore"`
	KubernetesVersion string `yaml:"kubernetesVersion"`

	MasterPublicName   string   `yaml:"masterPublicName"`
	MasterInternalName string   `yaml:"masterInternalName"`
	AdditionalSANs     []string `yaml:"additionalSans"`

	NetworkCIDR            string         `yaml:"networkCIDR"`
	AdditionalNetworkCIDRs []string       `yaml:"additionalNetworkCIDRs"`
	NonMasqueradeCIDR      string         `yaml:"nonMasqueradeCIDR"`
	PodCIDR                string         `yaml:"podCIDR"`
	ServiceClusterIPRange  string         `yaml:"serviceClusterIPRange"`
	ClusterDNSDomain       string         `yaml:"clusterDNSDomain"`
	Networking             map[string]any `yaml:"networking"`
	Subnets                []Subnet       `yaml:"subnets"`
	Topology               Topology       `yaml:"topology"`
	KubeDNS                KubeDNS        `yaml:"kubeDNS"`

	KubernetesAPIAccess []string `yaml:"kubernetesApiAccess"`
	SSHAccess           []string `yaml:"sshAccess"`
	NodePortAccess      []string `yaml:"nodePortAccess"`

	EtcdClusters []EtcdCluster     `yaml:"etcdClusters"`
	CloudLabels  map[string]string `yaml:"cloudLabels"`
	Assets       Assets            `yaml:"assets"`

	// The components, by kops' field names.
	KubeAPIServer         map[string]any `yaml:"kubeAPIServer"`
	KubeControllerManager map[string]any `yaml:"kubeControllerManager"`
	KubeScheduler         map[string]any `yaml:"kubeScheduler"`
	KubeProxy             map[string]any `yaml:"kubeProxy"`
	Kubelet               map[string]any `yaml:"kubelet"`
	MasterKubelet         map[string]any `yaml:"masterKubelet"`
}

// Subnet is one of the networks that groups lie in.
type Subnet struct {
	Name     string `yaml:"name"`
	CIDR     string `yaml:"cidr"`
	IPv6CIDR string `yaml:"ipv6CIDR"`
	Zone     string `yaml:"zone"`
	Region   string `yaml:"region"`
	Type     string `yaml:"type"`
	ID       string `yaml:"id"`
}

// Topology says how the cluster is reached.
type Topology struct {
	DNS struct {
		Type string `yaml:"type"`
	} `yaml:"dns"`
}

// KubeDNS is the cluster's own name service.
type KubeDNS struct {
	Domain   string `yaml:"domain"`
	ServerIP string `yaml:"serverIP"`
}

// Assets says where programs and images come from.
type Assets struct {
	ContainerProxy    string `yaml:"containerProxy"`
	ContainerRegistry string `yaml:"containerRegistry"`
	FileRepository    string `yaml:"fileRepository"`
}

// EtcdCluster is one etcd: main, events, leases or cilium.
type EtcdCluster struct {
	Name    string       `yaml:"name"`
	Version string       `yaml:"version"`
	Image   string       `yaml:"image"`
	Members []EtcdMember `yaml:"etcdMembers"`
	Manager EtcdManager  `yaml:"manager"`
}

// EtcdMember is one member, which runs on the host of a group.
type EtcdMember struct {
	Name          string `yaml:"name"`
	InstanceGroup string `yaml:"instanceGroup"`
}

// EtcdManager is what kops' etcd-manager is told; on hosts its environment
// goes to etcd itself.
type EtcdManager struct {
	BackupRetentionDays uint32   `yaml:"backupRetentionDays"`
	Env                 []EnvVar `yaml:"env"`
}

// EnvVar is one variable of a program's environment.
type EnvVar struct {
	Name  string `yaml:"name"`
	Value string `yaml:"value"`
}

// GroupSpec is a view of the fields of an InstanceGroup that are in use.
type GroupSpec struct {
	Role        Role              `yaml:"role"`
	Manager     string            `yaml:"manager"`
	MachineType string            `yaml:"machineType"`
	Image       string            `yaml:"image"`
	MinSize     *int              `yaml:"minSize"`
	MaxSize     *int              `yaml:"maxSize"`
	Zones       []string          `yaml:"zones"`
	Subnets     []string          `yaml:"subnets"`
	NodeLabels  map[string]string `yaml:"nodeLabels"`
	CloudLabels map[string]string `yaml:"cloudLabels"`
	Taints      []string          `yaml:"taints"`
	Kubelet     map[string]any    `yaml:"kubelet"`
}

// Role is what the nodes of a group do, as it stands in the document.
type Role string

// The roles of v1alpha2.
const (
	RoleControlPlane      Role = "Master"
	RoleNode              Role = "Node"
	RoleBastion           Role = "Bastion"
	RoleAPIServer         Role = "APIServer"
	RoleEtcd              Role = "Etcd"
	RoleScheduler         Role = "Scheduler"
	RoleControllerManager Role = "KubeControllerManager"
)

var roleNames = []struct {
	role Role
	name string
}{
	{RoleControlPlane, "control-plane"},
	{RoleNode, "node"},
	{RoleBastion, "bastion"},
	{RoleAPIServer, "apiserver"},
	{RoleEtcd, "etcd"},
	{RoleScheduler, "scheduler"},
	{RoleControllerManager, "kubecontrollermanager"},
}

// String is the role as people say it: control-plane, node. A role that is not
// known is itself.
func (r Role) String() string {
	for _, n := range roleNames {
		if n.role == r {
			return n.name
		}
	}
	return string(r)
}

func (r Role) known() bool {
	for _, n := range roleNames {
		if n.role == r {
			return true
		}
	}
	return false
}

// metadata is a view of what every document begins with.
type metadata struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Metadata   struct {
		Name              string            `yaml:"name"`
		Labels            map[string]string `yaml:"labels"`
		Annotations       map[string]string `yaml:"annotations"`
		CreationTimestamp string            `yaml:"creationTimestamp"`
	} `yaml:"metadata"`
}
