package plan

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"unicode"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/doc"
)

// settings is what several programs must agree on.
type settings struct {
	cluster.Effective
	services string   // ranges of service addresses, as kube-apiserver takes them
	apiNames []string // of the API, cluster-internal ones included
	apiIPs   []string
	apiPort  int
	etcds    []etcd
}

const defaultAPIPort = 6443

// APIPort is the port of the API on the hosts of a control plane.
func APIPort(c *cluster.Cluster) int {
	if port, ok := get(c, "kubeAPIServer", "securePort").(int); ok && port != 0 {
		return port
	}
	return defaultAPIPort
}

// settingsOf reads the settings, or says why the documents cannot be rendered.
func settingsOf(c *cluster.Cluster) (settings, []cluster.Problem) {
	if problems := c.Validate(); len(problems) > 0 {
		return settings{}, problems
	}
	e, err := c.Effective()
	if err != nil {
		return settings{}, []cluster.Problem{{File: cluster.ConfigFile, Message: err.Error()}}
	}
	s := settings{Effective: e, apiPort: APIPort(c), services: e.ServiceClusterIPRange.String()}
	if own, ok := get(c, "kubeAPIServer", "serviceClusterIPRange").(string); ok && own != "" {
		s.services = own
	}
	problems := slices.Concat(s.addresses(c), s.readEtcds(c), unsupported(c), unwritable(c))
	return s, problems
}

// addresses gathers the names and addresses that the API's certificate is for,
// those of the node itself aside.
func (s *settings) addresses(c *cluster.Cluster) []cluster.Problem {
	names := []string{
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc." + s.ClusterDNSDomain,
		"api." + string(c.Name), "api.internal." + string(c.Name),
	}
	for _, name := range append(names, s.APINames...) {
		to := &s.apiNames
		if _, err := netip.ParseAddr(name); err == nil {
			to = &s.apiIPs
		}
		if !slices.Contains(*to, name) {
			*to = append(*to, name)
		}
	}
	for text := range strings.SplitSeq(s.services, ",") {
		prefix, err := netip.ParsePrefix(strings.TrimSpace(text))
		if err != nil {
			return []cluster.Problem{problem(c, cluster.ConfigFile, "%q is no range of addresses", []string{"spec", "kubeAPIServer", "serviceClusterIPRange"}, text)}
		}
		s.apiIPs = append(s.apiIPs, prefix.Masked().Addr().Next().String())
	}
	return nil
}

// unsupported finds what must not be passed over, since what would run is not
// what the documents promise.
func unsupported(c *cluster.Cluster) (all []cluster.Problem) {
	if !c.OnHosts() {
		all = append(all, cluster.Problem{File: cluster.ConfigFile, Line: 1, Message: fmt.Sprintf("cluster %s is not on hosts: %s is for kops to run", c.Name, c.Cloud())})
	}
	if get(c, "encryptionConfig") == true {
		all = append(all, problem(c, cluster.ConfigFile, "encryption of what etcd holds is not supported on hosts yet: it would stand there in the clear", []string{"spec", "encryptionConfig"}))
	}
	controlPlanes := 0
	for _, g := range c.Groups {
		switch g.Spec.Role {
		case cluster.RoleNode:
		case cluster.RoleControlPlane:
			if controlPlanes++; controlPlanes > 1 {
				all = append(all, problem(g, g.File(), "a second control-plane group is not supported on hosts yet", []string{"spec", "role"}))
			}
		default:
			all = append(all, problem(g, g.File(), "role %s is not supported on hosts yet", []string{"spec", "role"}, g.Spec.Role))
		}
	}
	return all
}

// unwritable finds values that cannot stand in a command line, or that a node
// would take for a placeholder that it does not know.
func unwritable(c *cluster.Cluster) (all []cluster.Problem) {
	look := func(program string, path, values []string) {
		for _, word := range values {
			if strings.ContainsFunc(word, unicode.IsControl) {
				all = append(all, problem(c, cluster.ConfigFile, "a value with control characters cannot be a flag of %s", path, program))
			} else if _, err := (bundle.Placeholders{}).Expand(word); err != nil {
				all = append(all, problem(c, cluster.ConfigFile, "a node knows ${NODE}, ${ADDRESS}, ${SET} and ${STATE}, and takes ${ for one of them", path))
			}
		}
	}
	for _, object := range []*component{&kubeAPIServer, &kubeControllerManager, &kubeScheduler} {
		fields := object.fields(c)
		for _, field := range slices.Sorted(maps.Keys(fields)) {
			look(object.program, append([]string{"spec", object.field}, strings.Split(field, ".")...), words(fields[field]))
		}
	}
	for i := range c.Spec.EtcdClusters {
		flags := etcdFlags(c, i)
		for _, name := range slices.Sorted(maps.Keys(flags)) {
			look("etcd", []string{"spec", "etcdClusters", fmt.Sprint(i), "manager"}, flags[name])
		}
	}
	return all
}

func problem(d document, file, format string, path []string, args ...any) cluster.Problem {
	line, col := d.Position(path...)
	return cluster.Problem{File: file, Line: line, Col: col, Path: doc.PathString(path), Message: fmt.Sprintf(format, args...)}
}

// get reads a field below spec: nil where it is not set.
func get(c *cluster.Cluster, path ...string) any {
	value, _ := c.Get(append([]string{"spec"}, path...)...)
	return value
}
