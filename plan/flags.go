package plan

import (
	"maps"
	"slices"
)

// flags is a command line in the making: the values of each flag, more than one
// for a flag that is given several times.
type flags map[string][]string

func (f flags) set(name string, values ...string) { f[name] = values }

// args writes the flags sorted by name, so that equal flags are equal bytes.
func (f flags) args() []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(f)) {
		for _, v := range f[name] {
			list = append(list, "--"+name+"="+v)
		}
	}
	return list
}

// A component is a program whose flags are fields of one object of a document.
type component struct {
	field   string            // the object, below spec
	program string            // whose flags they are
	renamed map[string]string // fields whose flag is not their name in kebab-case
	ignored map[string]string // fields without effect on hosts, and why
	repeat  []string          // fields whose flag is given once per element
}

// Why a field has no effect on a host.
const (
	ofContainers = "sets up a container, and on hosts programs are plain processes"
	removed      = "the program no longer has this setting"
	inConfig     = "only the program's own configuration file has this setting, and none is written yet"
	byStateroom  = "is decided when the program is set up on the host"
)

var (
	kubeAPIServer = component{
		field: "kubeAPIServer", program: "kube-apiserver",
		renamed: map[string]string{
			"additionalServiceAccountIssuers":  "service-account-issuer",
			"appendAdmissionPlugins":           "enable-admission-plugins",
			"auditLogMaxAge":                   "audit-log-maxage",
			"auditLogMaxBackups":               "audit-log-maxbackup",
			"auditLogMaxSize":                  "audit-log-maxsize",
			"authenticationConfigFile":         "authentication-config",
			"compactionInterval":               "etcd-compaction-interval",
			"enableContentionProfiling":        "contention-profiling",
			"enableProfiling":                  "profiling",
			"etcdCaFile":                       "etcd-cafile",
			"etcdCertFile":                     "etcd-certfile",
			"etcdKeyFile":                      "etcd-keyfile",
			"logFormat":                        "logging-format",
			"logLevel":                         "v",
			"requestheaderExtraHeaderPrefixes": "requestheader-extra-headers-prefix",
			"serviceAccountJWKSURI":            "service-account-jwks-uri",
		},
		ignored: map[string]string{
			"apiServerCount":                       byStateroom,
			"address":                              removed,
			"auditDynamicConfiguration":            removed,
			"authorizationRbacSuperUser":           removed,
			"basicAuthFile":                        removed,
			"cloudProvider":                        removed,
			"cpuLimit":                             ofContainers,
			"cpuRequest":                           ofContainers,
			"disableBasicAuth":                     removed,
			"env":                                  ofContainers,
			"etcdQuorumRead":                       removed,
			"experimentalEncryptionProviderConfig": removed,
			"image":                                ofContainers,
			"insecureBindAddress":                  removed,
			"insecurePort":                         removed,
			"memoryLimit":                          ofContainers,
			"memoryRequest":                        ofContainers,
		},
		repeat: []string{"additionalServiceAccountIssuers", "oidcRequiredClaim", "serviceAccountKeyFile"},
	}

	kubeControllerManager = component{
		field: "kubeControllerManager", program: "kube-controller-manager",
		renamed: with(leaderElection, map[string]string{
			"concurrentHorizontalPodAustoscalerSyncs": "concurrent-horizontal-pod-autoscaler-syncs",
			"enableContentionProfiling":               "contention-profiling",
			"enableProfiling":                         "profiling",
			"endpointSliceUpdatesBatchPeriod":         "endpointslice-updates-batch-period",
			"kubeAPIQPS":                              "kube-api-qps",
			"logFormat":                               "logging-format",
			"logLevel":                                "v",
		}),
		ignored: map[string]string{
			"concurrentServiceSyncs":                removed,
			"cpuLimit":                              ofContainers,
			"cpuRequest":                            ofContainers,
			"experimentalClusterSigningDuration":    removed,
			"horizontalPodAutoscalerDownscaleDelay": removed,
			"horizontalPodAutoscalerUpscaleDelay":   removed,
			"horizontalPodAutoscalerUseRestClients": removed,
			"image":                                 ofContainers,
			"memoryLimit":                           ofContainers,
			"memoryRequest":                         ofContainers,
			"podEvictionTimeout":                    removed,
		},
	}

	kubeScheduler = component{
		field: "kubeScheduler", program: "kube-scheduler",
		renamed: with(leaderElection, map[string]string{
			"burst":                     "kube-api-burst",
			"enableContentionProfiling": "contention-profiling",
			"enableProfiling":           "profiling",
			"kubeAPIQPS":                "kube-api-qps",
			"logFormat":                 "logging-format",
			"logLevel":                  "v",
			"qps":                       "kube-api-qps",
		}),
		ignored: map[string]string{
			"cpuLimit":             ofContainers,
			"cpuRequest":           ofContainers,
			"image":                ofContainers,
			"maxPersistentVolumes": removed,
			"memoryLimit":          ofContainers,
			"memoryRequest":        ofContainers,
			"usePolicyConfigMap":   removed,
		},
	}

	kubeProxy = component{
		field: "kubeProxy", program: "kube-proxy",
		renamed: map[string]string{"logLevel": "v"},
		ignored: map[string]string{
			"cpuLimit":      ofContainers,
			"cpuRequest":    ofContainers,
			"enabled":       byStateroom,
			"image":         ofContainers,
			"memoryLimit":   ofContainers,
			"memoryRequest": ofContainers,
		},
	}

	kubelet = component{
		field: "kubelet", program: "kubelet",
		renamed: map[string]string{
			"eventRecordQPS":              "event-qps",
			"imageGCHighThresholdPercent": "image-gc-high-threshold",
			"imageGCLowThresholdPercent":  "image-gc-low-threshold",
			"imageMinimumGCAge":           "minimum-image-ttl-duration",
			"kubeAPIQPS":                  "kube-api-qps",
			"kubeconfigPath":              "kubeconfig",
			"logFormat":                   "logging-format",
			"logLevel":                    "v",
			"podPidsLimit":                "pod-max-pids",
			"registryPullQPS":             "registry-qps",
			"taints":                      "register-with-taints",
			"volumePluginDirectory":       "volume-plugin-dir",
		},
		ignored: map[string]string{
			"allowPrivileged": removed,
			"apiServers":      removed,
			"babysitDaemons":  removed,
			"configureCbr0":   removed,
			"crashLoopBackOffMaxContainerRestartPeriod": inConfig,
			"dockerDisableSharedPID":                    removed,
			"enableCadvisorJsonEndpoints":               removed,
			"enableCustomMetrics":                       removed,
			"experimentalAllowedUnsafeSysctls":          removed,
			"imageMaximumGCAge":                         inConfig,
			"imagePullProgressDeadline":                 removed,
			"maxParallelImagePulls":                     inConfig,
			"memorySwapBehavior":                        inConfig,
			"networkPluginMTU":                          removed,
			"networkPluginName":                         removed,
			"nodeLeaseDurationSeconds":                  inConfig,
			"nonMasqueradeCIDR":                         removed,
			"nvidiaGPUs":                                removed,
			"podInfraContainerImage":                    removed,
			"reconcileCIDR":                             removed,
			"registerSchedulable":                       removed,
			"requireKubeconfig":                         removed,
			"seccompProfileRoot":                        removed,
			"shutdownGracePeriod":                       inConfig,
			"shutdownGracePeriodCriticalPods":           inConfig,
		},
	}
)

// leaderElection is an object that two components have.
var leaderElection = map[string]string{
	"leaderElection.leaderElect":                      "leader-elect",
	"leaderElection.leaderElectLeaseDuration":         "leader-elect-lease-duration",
	"leaderElection.leaderElectRenewDeadlineDuration": "leader-elect-renew-deadline",
	"leaderElection.leaderElectResourceLock":          "leader-elect-resource-lock",
	"leaderElection.leaderElectResourceName":          "leader-elect-resource-name",
	"leaderElection.leaderElectResourceNamespace":     "leader-elect-resource-namespace",
	"leaderElection.leaderElectRetryPeriod":           "leader-elect-retry-period",
}

func with(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// flag is the flag of a field, or why the field has none.
func (c *component) flag(field string) (name, why string) {
	if why := c.ignored[field]; why != "" {
		return "", why
	}
	if name := c.renamed[field]; name != "" {
		return name, ""
	}
	return kebab(field), ""
}
