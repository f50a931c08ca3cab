package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stateroom/stateroom/bundle"
)

// How long a service of the control plane has, in seconds: from its start until
// it is ready, and from the request to stop until it is killed. Measured on
// four cores: 1 to 3 and 1 to 3.
const (
	readySeconds = 60
	stopSeconds  = 10
)

// controlPlane renders the whole control plane for one host, as processes of
// an ordinary user that listen on the host's own address only.
func (r *render) controlPlane() {
	r.issue("etcd-client", "etcd-clients-ca", bundle.CertificateRequest{CommonName: "etcd-client", Usages: []string{bundle.UsageClient}})
	r.issue("probe", "kubernetes-ca", bundle.CertificateRequest{CommonName: "stateroom-probe", Usages: []string{bundle.UsageClient}})
	for _, e := range r.settings.etcds {
		r.etcd(e)
	}
	r.apiServer()
	r.controllerManager()
	r.scheduler()
}

func (r *render) apiServer() {
	client := []string{bundle.UsageClient}
	s := r.settings
	crt, key := r.issue("kube-apiserver", "kubernetes-ca", ofNode(bundle.CertificateRequest{
		CommonName: "kube-apiserver", Usages: []string{bundle.UsageServer}, DNSNames: s.apiNames, IPs: s.apiIPs,
	}))
	kubeletCrt, kubeletKey := r.issue("kubelet-api", "kubernetes-ca", bundle.CertificateRequest{CommonName: "kubelet-api", Usages: client})
	proxyCrt, proxyKey := r.issue("aggregator", "apiserver-aggregator-ca", bundle.CertificateRequest{CommonName: "aggregator", Usages: client})
	var overrides, after []string
	for _, e := range s.etcds {
		after = append(after, e.service())
		if e.ports.overrides != "" {
			overrides = append(overrides, e.ports.overrides+"#"+e.client())
		}
	}

	f := flags{}
	f.set("advertise-address", "${ADDRESS}")
	f.set("allow-privileged", "true")
	f.set("anonymous-auth", "false")
	f.set("api-audiences", "kubernetes.svc.default")
	f.set("authorization-mode", r.authorizationMode())
	f.set("bind-address", "${ADDRESS}")
	f.set("secure-port", fmt.Sprint(s.apiPort))
	f.set("client-ca-file", r.trust("kubernetes-ca"))
	// The API refuses to list a loopback address among the endpoints of service
	// kubernetes, and a host of its own on 127.0.0.0/8 has no other.
	f.set("endpoint-reconciler-type", "none")
	f.set("etcd-cafile", r.trust("etcd-clients-ca"))
	f.set("etcd-certfile", set+"pki/etcd-client.crt")
	f.set("etcd-keyfile", set+"pki/etcd-client.key")
	f.set("etcd-servers", s.etcds[0].client())
	if len(overrides) > 0 {
		f.set("etcd-servers-overrides", strings.Join(overrides, ","))
	}
	f.set("kubelet-certificate-authority", r.trust("kubernetes-ca"))
	f.set("kubelet-client-certificate", kubeletCrt)
	f.set("kubelet-client-key", kubeletKey)
	f.set("kubelet-preferred-address-types", "InternalIP,Hostname,ExternalIP")
	f.set("proxy-client-cert-file", proxyCrt)
	f.set("proxy-client-key-file", proxyKey)
	f.set("requestheader-allowed-names", "aggregator")
	f.set("requestheader-client-ca-file", r.trust("apiserver-aggregator-ca"))
	f.set("requestheader-extra-headers-prefix", "X-Remote-Extra-")
	f.set("requestheader-group-headers", "X-Remote-Group")
	f.set("requestheader-username-headers", "X-Remote-User")
	f.set("service-account-issuer", "https://"+s.InternalName)
	f.set("service-account-jwks-uri", "https://"+s.InternalName+"/openid/v1/jwks")
	f.set("service-account-key-file", r.trust("service-account"))
	f.set("service-account-signing-key-file", r.signer("service-account"))
	f.set("service-cluster-ip-range", s.services)
	// Without it a restart waits a minute for the watches of all clients to end.
	f.set("shutdown-watch-termination-grace-period", "1s")
	f.set("tls-cert-file", crt)
	f.set("tls-private-key-file", key)
	f.set("v", "2")
	kubeAPIServer.apply(f, r.cluster)
	r.admission(f)
	r.issuers(f)

	r.service(bundle.Service{
		Name: "kube-apiserver", Program: "kube-apiserver", Args: f.args(), After: after,
		Ready: &bundle.Probe{URL: r.apiURL() + "/readyz", CA: "pki/kubernetes-ca.crt", Certificate: "pki/probe"},
	})
}

func (r *render) apiURL() string { return fmt.Sprintf("https://${ADDRESS}:%d", r.settings.apiPort) }

func (r *render) authorizationMode() string {
	if always, _ := get(r.cluster, "authorization", "alwaysAllow").(map[string]any); always != nil {
		return "AlwaysAllow"
	}
	return "Node,RBAC"
}

// admission settles which admission plugins are on, as kops does: a list in the
// document replaces ours, one to append is put behind either. The older
// admissionControl excludes both.
func (r *render) admission(f flags) {
	list := words(get(r.cluster, "kubeAPIServer", "enableAdmissionPlugins"))
	added := words(get(r.cluster, "kubeAPIServer", "appendAdmissionPlugins"))
	if len(list) == 0 && len(added) == 0 && len(f["admission-control"]) > 0 {
		return
	}
	if len(list) == 0 {
		list = []string{"NodeRestriction"}
	}
	for _, name := range added {
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	f.set("enable-admission-plugins", strings.Join(list, ","))
}

// issuers puts the issuers that are only accepted behind the one that signs,
// which kube-apiserver wants first.
func (r *render) issuers(f flags) {
	first := "https://" + r.settings.InternalName
	if own := words(get(r.cluster, "kubeAPIServer", "serviceAccountIssuer")); len(own) > 0 {
		first = own[0]
	}
	f.set("service-account-issuer", append([]string{first}, words(get(r.cluster, "kubeAPIServer", "additionalServiceAccountIssuers"))...)...)
}

func (r *render) controllerManager() {
	f := r.apiClient("kube-controller-manager", 10257)
	f.set("allocate-node-cidrs", fmt.Sprint(r.settings.PodCIDR.IsValid()))
	if r.settings.PodCIDR.IsValid() {
		f.set("cluster-cidr", r.settings.PodCIDR.String())
	}
	f.set("cluster-name", r.bundle.Cluster)
	f.set("cluster-signing-cert-file", r.primary("kubernetes-ca"))
	f.set("cluster-signing-key-file", r.signer("kubernetes-ca"))
	f.set("configure-cloud-routes", "false")
	// Its place by default is a directory of the system's, made at every start.
	f.set("flex-volume-plugin-dir", "${STATE}/flexvolume")
	// At the 20 requests a second that are the default, the controllers of an
	// empty cluster need five seconds to start; at this rate, less than one.
	f.set("kube-api-qps", "100")
	f.set("kube-api-burst", "200")
	f.set("root-ca-file", r.trust("kubernetes-ca"))
	f.set("service-account-private-key-file", r.signer("service-account"))
	f.set("service-cluster-ip-range", r.settings.services)
	f.set("use-service-account-credentials", "true")
	kubeControllerManager.apply(f, r.cluster)
	r.apiClientService("kube-controller-manager", 10257, "/healthz", f)
}

func (r *render) scheduler() {
	f := r.apiClient("kube-scheduler", 10259)
	kubeScheduler.apply(f, r.cluster)
	r.apiClientService("kube-scheduler", 10259, "/readyz", f)
}

// apiClient begins the flags of a program that works on the API and serves its
// own health and metrics.
func (r *render) apiClient(name string, port int) flags {
	kubeconfig := r.kubeconfig(name)
	crt, key := r.issue(name, "kubernetes-ca", ofNode(bundle.CertificateRequest{
		CommonName: "system:" + name, Usages: []string{bundle.UsageClient, bundle.UsageServer},
	}))
	f := flags{}
	f.set("authentication-kubeconfig", kubeconfig)
	f.set("authorization-kubeconfig", kubeconfig)
	f.set("kubeconfig", kubeconfig)
	f.set("bind-address", "${ADDRESS}")
	f.set("secure-port", fmt.Sprint(port))
	// There is one of it, and one that leads gives up when the API restarts.
	f.set("leader-elect", "false")
	f.set("tls-cert-file", crt)
	f.set("tls-private-key-file", key)
	f.set("v", "2")
	return f
}

func (r *render) apiClientService(name string, port int, health string, f flags) {
	r.service(bundle.Service{
		Name: name, Program: name, Args: f.args(), After: []string{"kube-apiserver"},
		Needs: []string{"pki/kubernetes-ca.crt", "pki/" + name},
		Ready: &bundle.Probe{URL: fmt.Sprintf("https://${ADDRESS}:%d%s", port, health), CA: "pki/kubernetes-ca.crt"},
	})
}

// kubeconfig adds the file by which a program finds the API and says who it is.
func (r *render) kubeconfig(name string) string {
	return r.file(bundle.File{Path: "kubeconfig/" + name, Mode: 0o644, Expand: true, Content: fmt.Sprintf(`apiVersion: v1
kind: Config
clusters:
- name: %[1]s
  cluster:
    server: %[2]s
    certificate-authority: ../pki/kubernetes-ca.crt
users:
- name: %[3]s
  user:
    client-certificate: ../pki/%[3]s.crt
    client-key: ../pki/%[3]s.key
contexts:
- name: %[1]s
  context:
    cluster: %[1]s
    user: %[3]s
current-context: %[1]s
`, r.bundle.Cluster, r.apiURL(), name)})
}

// service adds a service. It needs every file and certificate that its
// arguments name, besides those it is given.
func (r *render) service(s bundle.Service) {
	for _, arg := range s.Args {
		_, value, _ := strings.Cut(arg, "=")
		p, ok := strings.CutPrefix(value, set)
		if !ok {
			continue
		}
		if request := strings.TrimSuffix(strings.TrimSuffix(p, ".crt"), ".key"); r.requested(request) {
			p = request
		}
		s.Needs = append(s.Needs, p)
	}
	slices.Sort(s.Needs)
	s.Needs = slices.Compact(s.Needs)
	s.Disruption, s.StopSeconds, s.Ready.TimeoutSeconds = bundle.DisruptionRestart, stopSeconds, readySeconds
	r.bundle.Services = append(r.bundle.Services, s)
}

func (r *render) requested(path string) bool {
	return slices.ContainsFunc(r.bundle.Certificates, func(c bundle.CertificateRequest) bool { return c.Path == path })
}
