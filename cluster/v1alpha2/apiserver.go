package v1alpha2

// KubeAPIServer is flags of kube-apiserver.
type KubeAPIServer struct {
	// Further issuers whose service account tokens count, for moving from one issuer to another.
	AdditionalServiceAccountIssuers []string `json:"additionalServiceAccountIssuers,omitempty" list:"set"`
	// Ignored by Kubernetes of today: address of the port without TLS; use bindAddress.
	Address string `json:"address,omitempty"`
	// Ignored by Kubernetes of today: admission plug-ins, the whole list; use enableAdmissionPlugins.
	AdmissionControl []string `json:"admissionControl,omitempty" list:"atomic"`
	// File on the node with the configuration of admission plug-ins.
	AdmissionControlConfigFile string `json:"admissionControlConfigFile,omitempty"`
	// Address under which others in the cluster reach this API server. Default: that of the node.
	AdvertiseAddress string `json:"advertiseAddress,omitempty" format:"ip"`
	// Lets pods run privileged containers.
	AllowPrivileged *bool `json:"allowPrivileged,omitempty" default:"true"`
	// Takes requests without credentials as user system:anonymous.
	AnonymousAuth *bool `json:"anonymousAuth,omitempty" default:"false"`
	// Audiences of which a service account token must name one.
	APIAudiences []string `json:"apiAudiences,omitempty" list:"atomic" otherwise:"the issuer"`
	// Ignored by Kubernetes of today: how many API servers there are; they count themselves by leases.
	APIServerCount *int32 `json:"apiServerCount,omitempty"`
	// Admission plug-ins on top of those that are on anyway.
	AppendAdmissionPlugins []string `json:"appendAdmissionPlugins,omitempty" list:"set"`
	// Ignored by Kubernetes of today: audit settings by API objects.
	AuditDynamicConfiguration *bool `json:"auditDynamicConfiguration,omitempty"`
	// Form of lines of the audit log.
	AuditLogFormat *string `json:"auditLogFormat,omitempty" enum:"json|legacy" default:"json"`
	// Days for which old audit logs are kept.
	AuditLogMaxAge *int32 `json:"auditLogMaxAge,omitempty" default:"10"`
	// How many old audit logs are kept.
	AuditLogMaxBackups *int32 `json:"auditLogMaxBackups,omitempty" default:"1"`
	// MB at which an audit log is closed and the next begun.
	AuditLogMaxSize *int32 `json:"auditLogMaxSize,omitempty" default:"100"`
	// File of the audit log; "-" is standard output. Absent: there is none. Needs auditPolicyFile.
	AuditLogPath *string `json:"auditLogPath,omitempty"`
	// File on the node that says which requests are logged how fully; fileAssets can bring it.
	AuditPolicyFile string `json:"auditPolicyFile,omitempty"`
	// Events held back before they go to the webhook; what comes on top is lost.
	AuditWebhookBatchBufferSize *int32 `json:"auditWebhookBatchBufferSize,omitempty" default:"10000"`
	// Most events of one call of the webhook.
	AuditWebhookBatchMaxSize *int32 `json:"auditWebhookBatchMaxSize,omitempty" default:"400"`
	// Longest time an event waits for others to go with.
	AuditWebhookBatchMaxWait Duration `json:"auditWebhookBatchMaxWait,omitempty" default:"30s"`
	// Calls of the webhook at once above auditWebhookBatchThrottleQps.
	AuditWebhookBatchThrottleBurst *int32 `json:"auditWebhookBatchThrottleBurst,omitempty" default:"15"`
	// Limits calls of the webhook.
	AuditWebhookBatchThrottleEnable *bool `json:"auditWebhookBatchThrottleEnable,omitempty" default:"true"`
	// Calls of the webhook per second in the long run.
	AuditWebhookBatchThrottleQPS Quantity `json:"auditWebhookBatchThrottleQps,omitempty" default:"10"`
	// File on the node, a kubeconfig, that says to which webhook audit events go. It lies beside auditPolicyFile.
	AuditWebhookConfigFile string `json:"auditWebhookConfigFile,omitempty"`
	// Pause before a failed first call is tried again.
	AuditWebhookInitialBackoff Duration `json:"auditWebhookInitialBackoff,omitempty" default:"10s"`
	// Whether requests wait until the webhook has the event.
	AuditWebhookMode string `json:"auditWebhookMode,omitempty" enum:"batch|blocking|blocking-strict" default:"batch"`
	// File on the node with issuers whose tokens count, in the newer form; no oidc field may be set beside it.
	AuthenticationConfigFile string `json:"authenticationConfigFile,omitempty"`
	// How long the webhook's answer about a token is believed.
	AuthenticationTokenWebhookCacheTTL Duration `json:"authenticationTokenWebhookCacheTtl,omitempty" default:"2m0s"`
	// File on the node, a kubeconfig, that says which webhook is asked whose a token is.
	AuthenticationTokenWebhookConfigFile *string `json:"authenticationTokenWebhookConfigFile,omitempty"`
	// Ways to decide, comma-separated and asked in order: Node, RBAC, Webhook, ABAC, AlwaysAllow, AlwaysDeny.
	AuthorizationMode *string `json:"authorizationMode,omitempty" default:"Node,RBAC"`
	// Ignored by Kubernetes of today: user whom RBAC let do everything.
	AuthorizationRBACSuperUser *string `json:"authorizationRbacSuperUser,omitempty"`
	// How long the webhook's yes is believed.
	AuthorizationWebhookCacheAuthorizedTTL Duration `json:"authorizationWebhookCacheAuthorizedTtl,omitempty" default:"5m0s"`
	// How long the webhook's no is believed.
	AuthorizationWebhookCacheUnauthorizedTTL Duration `json:"authorizationWebhookCacheUnauthorizedTtl,omitempty" default:"30s"`
	// File on the node, a kubeconfig, that says which webhook decides. Needs Webhook in authorizationMode.
	AuthorizationWebhookConfigFile *string `json:"authorizationWebhookConfigFile,omitempty"`
	// Ignored by Kubernetes of today: file of passwords.
	BasicAuthFile string `json:"basicAuthFile,omitempty"`
	// Address on which the API server listens.
	BindAddress string `json:"bindAddress,omitempty" format:"ip" default:"0.0.0.0"`
	// File on the node with the CAs whose client certificates count.
	ClientCAFile string `json:"clientCAFile,omitempty" default:"/srv/kubernetes/ca.crt"`
	// Ignored by Kubernetes of today: name of the cloud; the cloud controller manager has taken over.
	CloudProvider string `json:"cloudProvider,omitempty" cloud:"any" default:"external"`
	// How often old revisions are dropped from etcd. 0: never.
	CompactionInterval Duration `json:"compactionInterval,omitempty" default:"5m0s"`
	// Web sites (regular expressions) whose scripts may call the API from a browser.
	CORSAllowedOrigins []string `json:"corsAllowedOrigins,omitempty" list:"set"`
	// Most CPU its container gets.
	CPULimit Quantity `json:"cpuLimit,omitempty"`
	// CPU reserved for its container.
	CPURequest Quantity `json:"cpuRequest,omitempty" default:"150m"`
	// Seconds a pod stays on a node that is not ready, where the pod does not say it itself.
	DefaultNotReadyTolerationSeconds *int64 `json:"defaultNotReadyTolerationSeconds,omitempty" default:"300"`
	// Seconds a pod stays on a node that cannot be reached, where the pod does not say it itself.
	DefaultUnreachableTolerationSeconds *int64 `json:"defaultUnreachableTolerationSeconds,omitempty" default:"300"`
	// Objects deleted at once when a whole collection goes, such as all of a namespace.
	DeleteCollectionWorkers int64 `json:"deleteCollectionWorkers,omitempty" default:"1"`
	// Admission plug-ins to switch off though they are on by default.
	DisableAdmissionPlugins []string `json:"disableAdmissionPlugins,omitempty" list:"set"`
	// Ignored: leaves out the file of passwords, which no version takes any more.
	DisableBasicAuth *bool `json:"disableBasicAuth,omitempty"`
	// Admission plug-ins to switch on; together with the usual ones of kops only by appendAdmissionPlugins.
	EnableAdmissionPlugins []string `json:"enableAdmissionPlugins,omitempty" list:"set"`
	// Sends requests for aggregated APIs to endpoints and not to the service's address.
	EnableAggregatorRouting *bool `json:"enableAggregatorRouting,omitempty" default:"false"`
	// Lets nodes join by bootstrap tokens, secrets of kube-system.
	EnableBootstrapTokenAuth *bool `json:"enableBootstrapTokenAuth,omitempty" default:"true"`
	// Profiles locks too, where profiling is on.
	EnableContentionProfiling *bool `json:"enableContentionProfiling,omitempty" default:"false"`
	// Serves profiles at /debug/pprof/.
	EnableProfiling *bool `json:"enableProfiling,omitempty" default:"true" since:"1.18"`
	// File on the node that says how secrets are encrypted in etcd. encryptionConfig sets it.
	EncryptionProviderConfig *string `json:"encryptionProviderConfig,omitempty"`
	// Environment variables of its container, such as GOGC.
	Env []EnvVarSource `json:"env,omitempty" list:"map:name"`
	// File on the node with the CA of etcd.
	EtcdCAFile string `json:"etcdCaFile,omitempty"`
	// File on the node with the client certificate for etcd.
	EtcdCertFile string `json:"etcdCertFile,omitempty"`
	// File on the node with the client key for etcd.
	EtcdKeyFile string `json:"etcdKeyFile,omitempty"`
	// Ignored by Kubernetes of today: reads that a majority agrees on; all are.
	EtcdQuorumRead *bool `json:"etcdQuorumRead,omitempty"`
	// URLs of etcd main.
	EtcdServers []string `json:"etcdServers,omitempty" list:"atomic" default:"https://127.0.0.1:4001"`
	// Other etcds for some kinds of objects, each as group/resource#URL;URL.
	EtcdServersOverrides []string `json:"etcdServersOverrides,omitempty" list:"atomic" otherwise:"events to etcd events"`
	// How long events are kept.
	EventTTL Duration `json:"eventTTL,omitempty" default:"1h0m0s"`
	// Ignored by Kubernetes of today: old name of encryptionProviderConfig.
	ExperimentalEncryptionProviderConfig *string `json:"experimentalEncryptionProviderConfig,omitempty"`
	// Switches of Kubernetes' experiments: name and "true" or "false".
	FeatureGates map[string]string `json:"featureGates,omitempty"`
	// Chance, from 0 to 0.02, that a client is told to connect anew, so that load spreads over several API servers.
	GoawayChance string `json:"goawayChance,omitempty" default:"0"`
	// Most requests that a client may have open on one connection.
	HTTP2MaxStreamsPerConnection *int32 `json:"http2MaxStreamsPerConnection,omitempty" default:"100"`
	// Image of its container.
	Image string `json:"image,omitempty" otherwise:"that for the Kubernetes version"`
	// Ignored by Kubernetes of today: address of the port without TLS.
	InsecureBindAddress string `json:"insecureBindAddress,omitempty"`
	// Ignored by Kubernetes of today: number of the port without TLS.
	InsecurePort *int32 `json:"insecurePort,omitempty"`
	// File on the node with the CA by which certificates of kubelets are checked.
	KubeletCertificateAuthority string `json:"kubeletCertificateAuthority,omitempty"`
	// File on the node with the certificate it shows to kubelets.
	KubeletClientCertificate string `json:"kubeletClientCertificate,omitempty"`
	// File on the node with the key of that certificate.
	KubeletClientKey string `json:"kubeletClientKey,omitempty"`
	// By which kind of address it reaches kubelets, in order of preference.
	KubeletPreferredAddressTypes []string `json:"kubeletPreferredAddressTypes,omitempty" list:"atomic" default:"InternalIP,Hostname,ExternalIP"`
	// Form of log lines: text for people, json for programs.
	LogFormat string `json:"logFormat,omitempty" enum:"text|json" default:"text"`
	// How much it logs, from 0 to 10.
	LogLevel int32 `json:"logLevel,omitempty" default:"2"`
	// Most writing requests served at once; more are answered "too many requests". With priority and fairness on, the sum with maxRequestsInflight is what is shared.
	MaxMutatingRequestsInflight int32 `json:"maxMutatingRequestsInflight,omitempty" default:"200"`
	// Most reading requests served at once; more are answered "too many requests". 0: no limit.
	MaxRequestsInflight int32 `json:"maxRequestsInflight,omitempty" default:"400"`
	// Memory beyond which its container is killed.
	MemoryLimit Quantity `json:"memoryLimit,omitempty"`
	// Memory reserved for its container.
	MemoryRequest Quantity `json:"memoryRequest,omitempty"`
	// Least seconds for which a watch is kept open; the true time is random above it.
	MinRequestTimeout *int32 `json:"minRequestTimeout,omitempty" default:"1800"`
	// File on the node with the CA of the OIDC issuer. Default: the host's CAs.
	OIDCCAFile *string `json:"oidcCAFile,omitempty"`
	// Client id for which tokens of the issuer must be made.
	OIDCClientID *string `json:"oidcClientID,omitempty"`
	// Claim of the token that holds the user's groups.
	OIDCGroupsClaim *string `json:"oidcGroupsClaim,omitempty"`
	// Put before each group, so that none of the issuer's is one of Kubernetes'.
	OIDCGroupsPrefix *string `json:"oidcGroupsPrefix,omitempty"`
	// HTTPS URL of the OIDC issuer whose tokens count.
	OIDCIssuerURL *string `json:"oidcIssuerURL,omitempty"`
	// Claims that a token must have, each as key=value.
	OIDCRequiredClaim []string `json:"oidcRequiredClaim,omitempty" list:"set" format:"assignment"`
	// Claim of the token that holds the user's name.
	OIDCUsernameClaim *string `json:"oidcUsernameClaim,omitempty" default:"sub"`
	// Put before each user name; "-" puts nothing.
	OIDCUsernamePrefix *string `json:"oidcUsernamePrefix,omitempty" otherwise:"the issuer's URL and #"`
	// File on the node with the certificate it shows to aggregated APIs and webhooks.
	ProxyClientCertFile *string `json:"proxyClientCertFile,omitempty"`
	// File on the node with the key of that certificate, for aggregated APIs and webhooks.
	ProxyClientKeyFile *string `json:"proxyClientKeyFile,omitempty"`
	// Longest time a request may take, watches and the like aside.
	RequestTimeout Duration `json:"requestTimeout,omitempty" default:"1m0s" since:"1.19"`
	// Common names of client certificates that may name users in headers. Empty: any signed by requestheaderClientCAFile.
	RequestheaderAllowedNames []string `json:"requestheaderAllowedNames,omitempty" list:"set"`
	// File on the node with the CA of proxies that may name users in headers.
	RequestheaderClientCAFile string `json:"requestheaderClientCAFile,omitempty"`
	// Beginning of headers in which a proxy tells more of the user.
	RequestheaderExtraHeaderPrefixes []string `json:"requestheaderExtraHeaderPrefixes,omitempty" list:"atomic" default:"X-Remote-Extra-"`
	// Headers in which a proxy names groups.
	RequestheaderGroupHeaders []string `json:"requestheaderGroupHeaders,omitempty" list:"atomic" default:"X-Remote-Group"`
	// Headers in which a proxy names the user.
	RequestheaderUsernameHeaders []string `json:"requestheaderUsernameHeaders,omitempty" list:"atomic" default:"X-Remote-User"`
	// API versions to switch on or off: "group/version" or "api/all", and "true" or "false".
	RuntimeConfig map[string]string `json:"runtimeConfig,omitempty"`
	// Port on which the API server listens.
	SecurePort int32 `json:"securePort,omitempty" default:"443"`
	// Issuer named in service account tokens. Changing it makes those already issued invalid; see additionalServiceAccountIssuers.
	ServiceAccountIssuer *string `json:"serviceAccountIssuer,omitempty" otherwise:"https://api.internal. before the cluster's name"`
	// URL of the keys of service accounts as the discovery document says it.
	ServiceAccountJWKSURI *string `json:"serviceAccountJWKSURI,omitempty"`
	// Files on the node with keys by which service account tokens are checked.
	ServiceAccountKeyFile []string `json:"serviceAccountKeyFile,omitempty" list:"atomic"`
	// File on the node with the key that signs service account tokens.
	ServiceAccountSigningKeyFile *string `json:"serviceAccountSigningKeyFile,omitempty"`
	// Range of services as the flag takes it. Must be spec.serviceClusterIPRange where it is set.
	ServiceClusterIPRange string `json:"serviceClusterIPRange,omitempty" format:"cidr-list"`
	// Ports of which Services of type NodePort get theirs.
	ServiceNodePortRange string `json:"serviceNodePortRange,omitempty" format:"port-range" default:"30000-32767"`
	// Kind of storage; only etcd3 is left.
	StorageBackend *string `json:"storageBackend,omitempty" default:"etcd3"`
	// How long it waits for etcd at its start before it says that it is ready.
	StorageInitializationTimeout Duration `json:"storageInitializationTimeout,omitempty" default:"1m0s"`
	// Directives of the HSTS header. Empty: no such header.
	StrictTransportSecurityDirectives []string `json:"strictTransportSecurityDirectives,omitempty" list:"atomic"`
	// File on the node with its certificate.
	TLSCertFile string `json:"tlsCertFile,omitempty"`
	// TLS ciphers that it offers, by Go's names. Default: Go's choice.
	TLSCipherSuites []string `json:"tlsCipherSuites,omitempty" list:"atomic"`
	// Oldest version of TLS that it speaks.
	TLSMinVersion string `json:"tlsMinVersion,omitempty" enum:"VersionTLS10|VersionTLS11|VersionTLS12|VersionTLS13"`
	// File on the node with the key of its certificate.
	TLSPrivateKeyFile string `json:"tlsPrivateKeyFile,omitempty"`
	// File on the node with fixed tokens and whose they are.
	TokenAuthFile string `json:"tokenAuthFile,omitempty"`
	// Answers watches and lists from memory.
	WatchCache *bool `json:"watchCache,omitempty" default:"true"`
	// Sizes of that memory, each as resource#size; only 0, which switches it off for a resource, still counts.
	WatchCacheSizes []string `json:"watchCacheSizes,omitempty" list:"set"`
}

// EnvVarSource is one environment variable, which may come from elsewhere.
type EnvVarSource struct {
	// Name of the variable.
	Name string `json:"name,omitempty" is:"required"`
	// What the variable holds; $(NAME) stands for a variable above it.
	Value string `json:"value,omitempty"`
	// Where the value comes from, instead of value.
	ValueFrom *ValueFrom `json:"valueFrom,omitempty"`
}

// ValueFrom is where the value of a variable comes from. Exactly one way is set.
type ValueFrom struct {
	// Takes the value from one key of a ConfigMap.
	ConfigMapKeyRef *KeyRef `json:"configMapKeyRef,omitempty"`
	// Takes the value from what the pod says of itself.
	FieldRef *FieldRef `json:"fieldRef,omitempty"`
	// Takes the value from a file of variables in a volume.
	FileKeyRef *FileKeyRef `json:"fileKeyRef,omitempty"`
	// Takes the value from a limit or request of a container.
	ResourceFieldRef *ResourceFieldRef `json:"resourceFieldRef,omitempty"`
	// Takes the value from one key of a Secret beside the pod.
	SecretKeyRef *KeyRef `json:"secretKeyRef,omitempty"`
}

// KeyRef is a key of a ConfigMap or Secret.
type KeyRef struct {
	// Which of the keys of the object.
	Key string `json:"key,omitempty" is:"required"`
	// Name of the object.
	Name string `json:"name,omitempty"`
	// Goes on without the variable where object or key is missing.
	Optional *bool `json:"optional,omitempty" default:"false"`
}

// FieldRef is a field of the pod.
type FieldRef struct {
	// API version in which fieldPath is meant.
	APIVersion string `json:"apiVersion,omitempty" default:"v1"`
	// Path of the field: metadata.name, status.podIP, ...
	FieldPath string `json:"fieldPath,omitempty" is:"required"`
}

// FileKeyRef is a key of a file of variables.
type FileKeyRef struct {
	// Name of the variable within the file.
	Key string `json:"key,omitempty" is:"required"`
	// Goes on without the variable where file or key is missing.
	Optional *bool `json:"optional,omitempty" default:"false"`
	// Path of the file within the volume.
	Path string `json:"path,omitempty" is:"required"`
	// Volume of the pod in which the file lies.
	VolumeName string `json:"volumeName,omitempty" is:"required"`
}

// ResourceFieldRef is a limit or request of a container.
type ResourceFieldRef struct {
	// The container. Default: the one whose variable it is.
	ContainerName string `json:"containerName,omitempty"`
	// Unit in which the number is given, such as 1Mi.
	Divisor Quantity `json:"divisor,omitempty" default:"1"`
	// Which one: limits.cpu, requests.memory, ...
	Resource string `json:"resource,omitempty" is:"required"`
}
