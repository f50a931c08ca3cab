package plan_test

import (
	"bufio"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestFields follows fields of the documents into the command lines.
func TestFields(t *testing.T) {
	for _, test := range []struct {
		service string
		set     []string
		flag    string
		want    []string // values of the flag
	}{
		{"kube-apiserver", nil, "max-requests-inflight", nil},
		{"kube-apiserver", []string{"spec.kubeAPIServer.maxRequestsInflight=801"}, "max-requests-inflight", []string{"801"}},
		{"kube-apiserver", []string{"spec.kubeAPIServer.featureGates.B=false", "spec.kubeAPIServer.featureGates.A=true"}, "feature-gates", []string{"A=true,B=false"}},
		{"kube-apiserver", []string{"spec.kubeAPIServer.auditWebhookBatchThrottleQps=500m"}, "audit-webhook-batch-throttle-qps", []string{"0.5"}},
		{"kube-apiserver", []string{"spec.kubeAPIServer.requestTimeout=2m0s"}, "request-timeout", []string{"2m0s"}},
		{"kube-apiserver", []string{"spec.kubeAPIServer.logLevel=4"}, "v", []string{"4"}},
		{"kube-apiserver", []string{"spec.kubeAPIServer.anonymousAuth=true"}, "anonymous-auth", []string{"true"}},
		{"kube-apiserver", []string{"spec.kubeAPIServer.etcdServers=https://127.0.0.1:1"}, "etcd-servers", []string{"https://127.0.0.1:1"}},
		{"kube-apiserver", []string{"spec.kubeAPIServer.tlsCipherSuites=A,B"}, "tls-cipher-suites", []string{"A,B"}},
		{"kube-apiserver", []string{"spec.kubeAPIServer.oidcRequiredClaim=a=1", "spec.kubeAPIServer.oidcRequiredClaim=b=2"}, "oidc-required-claim", []string{"a=1", "b=2"}},
		{"kube-apiserver", []string{"spec.kubeAPIServer.auditLogMaxAge=30"}, "audit-log-maxage", []string{"30"}},
		{"kube-apiserver", []string{"spec.authorization.alwaysAllow=", "-spec.authorization.rbac"}, "authorization-mode", []string{"AlwaysAllow"}},
		{"kube-apiserver", []string{"spec.kubeAPIServer.authorizationMode=RBAC"}, "authorization-mode", []string{"RBAC"}},
		{"kube-apiserver", []string{"spec.serviceClusterIPRange=100.72.0.0/16"}, "service-cluster-ip-range", []string{"100.72.0.0/16"}},

		// Admission plugins: a list replaces ours, additions go behind, the old
		// field excludes both.
		{"kube-apiserver", nil, "enable-admission-plugins", []string{"NodeRestriction"}},
		{"kube-apiserver", []string{"spec.kubeAPIServer.enableAdmissionPlugins=AlwaysPullImages"}, "enable-admission-plugins", []string{"AlwaysPullImages"}},
		{"kube-apiserver", []string{"spec.kubeAPIServer.appendAdmissionPlugins=AlwaysPullImages,NodeRestriction"}, "enable-admission-plugins", []string{"NodeRestriction,AlwaysPullImages"}},
		{"kube-apiserver", []string{"spec.kubeAPIServer.admissionControl=NamespaceLifecycle"}, "enable-admission-plugins", nil},
		{"kube-apiserver", []string{"spec.kubeAPIServer.admissionControl=NamespaceLifecycle"}, "admission-control", []string{"NamespaceLifecycle"}},

		// The issuer that signs comes first.
		{"kube-apiserver", nil, "service-account-issuer", []string{"https://api.internal.demo.example.com"}},
		{"kube-apiserver", []string{"spec.kubeAPIServer.additionalServiceAccountIssuers=https://old.example.com"}, "service-account-issuer", []string{"https://api.internal.demo.example.com", "https://old.example.com"}},
		{"kube-apiserver", []string{"spec.kubeAPIServer.serviceAccountIssuer=https://new.example.com"}, "service-account-issuer", []string{"https://new.example.com"}},

		// Fields without effect leave no trace.
		{"kube-apiserver", []string{"spec.kubeAPIServer.image=example.com/kube-apiserver"}, "image", nil},
		{"kube-apiserver", []string{"spec.kubeAPIServer.oidcClientID="}, "oidc-client-id", nil},

		{"kube-controller-manager", nil, "cluster-cidr", []string{"100.96.0.0/11"}},
		{"kube-controller-manager", []string{"spec.kubeControllerManager.clusterCIDR=10.1.0.0/16"}, "cluster-cidr", []string{"10.1.0.0/16"}},
		{"kube-controller-manager", []string{"spec.kubeControllerManager.kubeAPIQPS=30"}, "kube-api-qps", []string{"30"}},
		{"kube-controller-manager", []string{"spec.kubeControllerManager.leaderElection.leaderElect=true"}, "leader-elect", []string{"true"}},
		{"kube-controller-manager", []string{"spec.kubeControllerManager.ClusterSigningDuration=24h0m0s"}, "cluster-signing-duration", []string{"24h0m0s"}},
		{"kube-controller-manager", []string{"spec.kubeControllerManager.controllers=*,tokencleaner"}, "controllers", []string{"*,tokencleaner"}},

		{"kube-scheduler", []string{"spec.kubeScheduler.kubeAPIQPS=30", "spec.kubeScheduler.qps=40"}, "kube-api-qps", []string{"40"}},
		{"kube-scheduler", []string{"spec.kubeScheduler.kubeAPIBurst=30", "spec.kubeScheduler.burst=40"}, "kube-api-burst", []string{"40"}},

		{"etcd-main", nil, "heartbeat-interval", nil},
		{"etcd-main", []string{"spec.etcdClusters[name=main].heartbeatInterval=200ms"}, "heartbeat-interval", []string{"200"}},
		{"etcd-events", []string{"spec.etcdClusters[name=main].heartbeatInterval=200ms"}, "heartbeat-interval", nil},
		{"etcd-main", []string{"spec.etcdClusters[0].manager.env[0].name=ETCD_QUOTA_BACKEND_BYTES", "spec.etcdClusters[0].manager.env[0].value=8589934592"}, "quota-backend-bytes", []string{"8589934592"}},
		{"etcd-main", []string{"spec.etcdClusters[0].manager.env[0].name=ETCD_MANAGER_DAILY_BACKUPS_RETENTION", "spec.etcdClusters[0].manager.env[0].value=90d"}, "manager-daily-backups-retention", nil},
		{"etcd-main", []string{"spec.etcdClusters[0].manager.listenMetricsURLs=http://127.0.0.1:9999"}, "listen-metrics-urls", []string{"https://${ADDRESS}:2383,http://127.0.0.1:9999"}},
	} {
		name := test.service + " " + test.flag + " " + strings.Join(test.set, " ")
		t.Run(name, func(t *testing.T) {
			s := service(t, planned(t, withKeysets(documents(t, test.set...))), test.service)
			if got := values(s, test.flag); !slices.Equal(got, test.want) {
				t.Errorf("--%s is %q, want %q", test.flag, got, test.want)
			}
		})
	}
}

// TestOrderOfEtcds: main serves the API whatever stands first in the document.
func TestOrderOfEtcds(t *testing.T) {
	files := withKeysets(documents(t, "spec.etcdClusters[0].name=events", "spec.etcdClusters[1].name=main"))
	s := service(t, planned(t, files), "kube-apiserver")
	if got := values(s, "etcd-servers"); !slices.Equal(got, []string{"https://${ADDRESS}:2379"}) {
		t.Errorf("etcd-servers are %v", got)
	}
	if !slices.Equal(s.After, []string{"etcd-main", "etcd-events"}) {
		t.Errorf("kube-apiserver starts after %v", s.After)
	}
}

// TestNamesOfTheAPI: an address given for a name goes among the addresses.
func TestNamesOfTheAPI(t *testing.T) {
	files := withKeysets(documents(t, "spec.masterPublicName=192.0.2.7", "spec.additionalSans=k8s.example.com", "spec.serviceClusterIPRange=100.72.0.0/16"))
	for _, c := range planned(t, files).Bundles["control-plane-main"].Certificates {
		if c.Path != "pki/kube-apiserver" {
			continue
		}
		for _, name := range []string{"k8s.example.com", "api.internal.demo.example.com", "kubernetes.default.svc.cluster.local", "localhost"} {
			if !slices.Contains(c.DNSNames, name) {
				t.Errorf("no name %s in %v", name, c.DNSNames)
			}
		}
		if want := []string{"${ADDRESS}", "100.72.0.1", "127.0.0.1", "192.0.2.7"}; !slices.Equal(c.IPs, want) {
			t.Errorf("addresses are %v, want %v", c.IPs, want)
		}
	}
}

// TestOwnFlagsAreReal: what we set ourselves is what the programs have.
func TestOwnFlagsAreReal(t *testing.T) {
	for _, s := range planned(t, withKeysets(documents(t))).Bundles["control-plane-main"].Services {
		f, err := os.Open(filepath.Join("testdata", "flags", s.Program+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		there := map[string]bool{}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			there[lines.Text()] = true
		}
		for _, a := range s.Args {
			flag, _, _ := strings.Cut(strings.TrimPrefix(a, "--"), "=")
			if !there[flag] {
				t.Errorf("%s has no --%s", s.Program, flag)
			}
		}
	}
}

// TestNeeds: a service needs every path that its arguments and kubeconfig name.
func TestNeeds(t *testing.T) {
	p := planned(t, withKeysets(documents(t)))
	for _, test := range []struct {
		service string
		needs   []string
	}{
		{"etcd-main", []string{"pki/etcd-clients-ca.crt", "pki/etcd-main-peer", "pki/etcd-main-server", "pki/etcd-peers-ca-main.crt"}},
		{"kube-scheduler", []string{"kubeconfig/kube-scheduler", "pki/kube-scheduler", "pki/kubernetes-ca.crt"}},
	} {
		if got := service(t, p, test.service).Needs; !slices.Equal(got, test.needs) {
			t.Errorf("%s needs %v, want %v", test.service, got, test.needs)
		}
	}
}

// TestSetPathsOfAPerson: a path of the host's own is passed on and needed by
// nothing in the set.
func TestSetPathsOfAPerson(t *testing.T) {
	p := planned(t, withKeysets(documents(t, "spec.kubeAPIServer.auditPolicyFile=/etc/audit.yaml")))
	s := service(t, p, "kube-apiserver")
	if got := values(s, "audit-policy-file"); !slices.Equal(got, []string{"/etc/audit.yaml"}) || slices.Contains(s.Needs, "/etc/audit.yaml") {
		t.Errorf("audit-policy-file is %v, needs %v", got, s.Needs)
	}
}
