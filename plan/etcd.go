package plan

import (
	"fmt"
	"strings"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/cluster"
)

// etcd is one etcd of a cluster.
type etcd struct {
	name   string // main, events, leases
	member string // the name of its only member
	flags  flags  // what the document says about it
	ports  etcdPorts
}

// etcdPorts are those of one etcd on the host's address.
type etcdPorts struct {
	client, peer, metrics int
	overrides             string // the resources that the API keeps there; "" for all others
}

// etcds are the etcds that a cluster on hosts can have, by name.
var etcds = map[string]etcdPorts{
	"main":   {2379, 2380, 2383, ""},
	"events": {2381, 2382, 2384, "/events"},
	"leases": {2385, 2386, 2387, "coordination.k8s.io/leases"},
}

func (e etcd) service() string { return "etcd-" + e.name }

func (e etcd) client() string { return fmt.Sprintf("https://${ADDRESS}:%d", e.ports.client) }

// readEtcds reads spec.etcdClusters, main first whatever their order.
func (s *settings) readEtcds(c *cluster.Cluster) (problems []cluster.Problem) {
	refuse := func(format string, path []string, args ...any) {
		problems = append(problems, problem(c, cluster.ConfigFile, format, path, args...))
	}
	main := false
	for i, e := range c.Spec.EtcdClusters {
		path := []string{"spec", "etcdClusters", fmt.Sprint(i)}
		ports, known := etcds[e.Name]
		switch {
		case !known:
			refuse("etcd cluster %q is not supported on hosts: they have main, events and leases", append(path, "name"), e.Name)
			continue
		case len(e.Members) != 1:
			refuse("etcd cluster %q has %d members; more than one is not supported on hosts yet", append(path, "etcdMembers"), e.Name, len(e.Members))
			continue
		}
		one := etcd{e.Name, e.Members[0].Name, etcdFlags(c, i), ports}
		if e.Name == "main" {
			main, s.etcds = true, append([]etcd{one}, s.etcds...)
		} else {
			s.etcds = append(s.etcds, one)
		}
	}
	if !main && len(problems) == 0 {
		refuse("there is no etcd cluster main", []string{"spec", "etcdClusters"})
	}
	return problems
}

// etcdFields are the fields of an etcd that become its flags. Those that take a
// duration give etcd milliseconds.
var etcdFields = map[string]string{
	"heartbeatInterval":            "heartbeat-interval",
	"leaderElectionTimeout":        "election-timeout",
	"manager.listenClientHTTPURLs": "listen-client-http-urls",
	"manager.listenMetricsURLs":    "listen-metrics-urls",
}

// etcdIgnored are the fields of an etcd without effect on hosts, and why.
var etcdIgnored = map[string]string{
	"backups":                        "there are no backups of etcd on hosts yet",
	"cpuRequest":                     ofContainers,
	"enableEtcdTLS":                  "etcd on hosts always speaks TLS",
	"enableTLSAuth":                  "etcd on hosts always asks for a certificate",
	"etcdMembers[].encryptedVolume":  ofVolumes,
	"etcdMembers[].kmsKeyId":         ofVolumes,
	"etcdMembers[].volumeIops":       ofVolumes,
	"etcdMembers[].volumeSize":       ofVolumes,
	"etcdMembers[].volumeThroughput": ofVolumes,
	"etcdMembers[].volumeType":       ofVolumes,
	"image":                          ofContainers,
	"manager.backupInterval":         "there are no backups of etcd on hosts yet",
	"manager.backupRetentionDays":    "there are no backups of etcd on hosts yet",
	"manager.discoveryPollInterval":  ofManager,
	"manager.image":                  ofManager,
	"manager.logLevel":               ofManager,
	"memoryRequest":                  ofContainers,
	"provider":                       ofManager,
	"version":                        "etcd comes with the version of Kubernetes",
}

const (
	ofVolumes = "is about a volume of a cloud"
	ofManager = "is about kops' etcd-manager, which does not run on hosts"
)

// etcdFlags are the flags that the document sets for its i-th etcd. A variable
// ETCD_SOME_FLAG of the manager's environment is etcd's flag --some-flag, as it
// is to etcd itself.
func etcdFlags(c *cluster.Cluster, i int) flags {
	f := flags{}
	at := func(path ...string) any {
		return get(c, append([]string{"etcdClusters", fmt.Sprint(i)}, path...)...)
	}
	for field, flag := range etcdFields {
		if values := words(at(strings.Split(field, ".")...)); len(values) > 0 {
			f.set(flag, strings.Join(values, ","))
		}
	}
	for _, name := range []string{"heartbeat-interval", "election-timeout"} {
		for j, v := range f[name] {
			f[name][j] = milliseconds(v)
		}
	}
	for _, v := range c.Spec.EtcdClusters[i].Manager.Env {
		if flag, ok := etcdVariable(v.Name); ok {
			f.set(flag, v.Value)
		}
	}
	return f
}

func etcdVariable(name string) (flag string, ok bool) {
	rest, ok := strings.CutPrefix(name, "ETCD_")
	if !ok || strings.HasPrefix(rest, "MANAGER_") {
		return "", false
	}
	return strings.ToLower(strings.ReplaceAll(rest, "_", "-")), true
}

// etcd renders one etcd with its only member.
func (r *render) etcd(e etcd) {
	both := []string{bundle.UsageClient, bundle.UsageServer}
	peers := "etcd-peers-ca-" + e.name
	crt, key := r.issue(e.service()+"-server", "etcd-clients-ca", ofNode(bundle.CertificateRequest{CommonName: e.service(), Usages: both}))
	peerCrt, peerKey := r.issue(e.service()+"-peer", peers, ofNode(bundle.CertificateRequest{CommonName: e.service(), Usages: both}))
	peer := fmt.Sprintf("https://${ADDRESS}:%d", e.ports.peer)
	metrics := fmt.Sprintf("https://${ADDRESS}:%d", e.ports.metrics)

	f := flags{}
	f.set("name", e.member)
	f.set("data-dir", "${STATE}/"+e.service())
	f.set("initial-cluster", e.member+"="+peer)
	f.set("initial-cluster-token", r.bundle.Cluster+"-"+e.name)
	f.set("listen-client-urls", e.client())
	f.set("advertise-client-urls", e.client())
	f.set("client-cert-auth", "true")
	f.set("trusted-ca-file", r.trust("etcd-clients-ca"))
	f.set("cert-file", crt)
	f.set("key-file", key)
	f.set("listen-peer-urls", peer)
	f.set("initial-advertise-peer-urls", peer)
	f.set("peer-client-cert-auth", "true")
	f.set("peer-trusted-ca-file", r.trust(peers))
	f.set("peer-cert-file", peerCrt)
	f.set("peer-key-file", peerKey)
	for name, values := range e.flags {
		f.set(name, values...)
	}
	// The probe needs its own address, whatever else a document asks for.
	f.set("listen-metrics-urls", strings.Join(append([]string{metrics}, e.flags["listen-metrics-urls"]...), ","))

	r.service(bundle.Service{
		Name: e.service(), Program: "etcd", Args: f.args(),
		Ready: &bundle.Probe{URL: metrics + "/readyz", CA: "pki/etcd-clients-ca.crt", Certificate: "pki/etcd-client"},
	})
}
