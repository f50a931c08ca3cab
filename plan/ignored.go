package plan

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/doc"
)

// Ignored is a field that a document sets and that has no effect on hosts.
type Ignored struct {
	File  string // config, instancegroup/nodes-main
	Path  string // spec.etcdClusters[0].cpuRequest
	Line  int
	Why   string // a sentence whose subject is the field
	Usual bool   // every cluster on hosts has it, since kops writes or wants it
}

// Why a field has no effect on a host; more beside the components.
const (
	ofClouds   = "is about what a cloud provides"
	ofMachines = "is about machines that a cloud starts"
	notYet     = "is used by nothing that runs on hosts yet"
	elsewhere  = "is not looked at: keysets and secrets are those beside the documents"
	noKubelet  = "is for kubelet, which does not run on hosts yet"
	noProxy    = "is for kube-proxy, which does not run on hosts yet"
	effect     = "" // it has one
)

// rules say of fields, by their path in the schema, why they have no effect. A
// field without a rule here or below it is notYet.
type rules map[string]string

// clusterRules are those of config, the components' own fields aside.
var clusterRules = rules{
	"spec.additionalNetworkCIDRs":                     ofClouds,
	"spec.additionalPolicies":                         ofClouds,
	"spec.additionalSans":                             effect,
	"spec.api":                                        ofClouds,
	"spec.authorization":                              effect,
	"spec.channel":                                    effect, // on what create cluster writes
	"spec.cloudConfig":                                ofClouds,
	"spec.cloudControllerManager":                     ofClouds,
	"spec.cloudLabels":                                ofClouds,
	"spec.clusterDNSDomain":                           effect,
	"spec.configBase":                                 effect, // on what kops reads
	"spec.etcdClusters[].name":                        effect,
	"spec.etcdClusters[].etcdMembers[].name":          effect,
	"spec.etcdClusters[].etcdMembers[].instanceGroup": effect,
	"spec.externalPolicies":                           ofClouds,
	"spec.iam":                                        ofClouds,
	"spec.isolateMasters":                             ofClouds,
	"spec.keyStore":                                   elsewhere,
	"spec.kubeDNS.domain":                             effect,
	"spec.kubernetesApiAccess":                        ofClouds,
	"spec.kubernetesVersion":                          effect,
	"spec.masterInternalName":                         effect,
	"spec.masterPublicName":                           effect,
	"spec.networkCIDR":                                ofClouds,
	"spec.networkID":                                  ofClouds,
	"spec.nodePortAccess":                             ofClouds,
	"spec.nonMasqueradeCIDR":                          effect,
	"spec.podCIDR":                                    effect,
	"spec.project":                                    ofClouds,
	"spec.secretStore":                                elsewhere,
	"spec.serviceClusterIPRange":                      effect,
	"spec.sshAccess":                                  ofClouds,
	"spec.sshKeyName":                                 ofClouds,
	"spec.subnets":                                    ofClouds,
	"spec.topology":                                   ofClouds,
}

// groupRules are those of an instance group.
var groupRules = rules{
	"spec.additionalSecurityGroups": ofMachines,
	"spec.associatePublicIp":        ofMachines,
	"spec.cloudLabels":              ofMachines,
	"spec.image":                    ofMachines,
	"spec.kubelet":                  noKubelet,
	"spec.machineType":              ofMachines,
	"spec.maxSize":                  ofMachines,
	"spec.minSize":                  ofMachines,
	"spec.role":                     effect,
	"spec.rootVolumeSize":           ofMachines,
	"spec.rootVolumeType":           ofMachines,
	"spec.subnets":                  ofMachines,
	"spec.zones":                    ofMachines,
}

// usual are the fields without effect that kops writes for every cluster on
// hosts, or that its validation asks for.
var usual = []string{
	"spec.api", "spec.iam", "spec.kubelet.anonymousAuth", "spec.kubernetesApiAccess", "spec.networking", "spec.sshAccess", "spec.subnets", "spec.topology",
	"spec.etcdClusters[].cpuRequest", "spec.etcdClusters[].memoryRequest", "spec.etcdClusters[].manager.backupRetentionDays",
	"spec.image", "spec.maxSize", "spec.minSize", "spec.nodeLabels",
}

// ignored lists what the documents of a cluster set to no effect, by file and
// path.
func ignored(c *cluster.Cluster) []Ignored {
	all := walk(cluster.ConfigFile, c, withComponents(clusterRules))
	for _, g := range c.Groups {
		all = append(all, walk(g.File(), g, groupRules)...)
	}
	return all
}

// withComponents adds the rules of the components, field by field.
func withComponents(r rules) rules {
	r = maps.Clone(r)
	for _, f := range cluster.Fields(cluster.KindCluster) {
		object, field, _ := strings.Cut(strings.TrimPrefix(f.Path, "spec."), ".")
		for _, c := range []*component{&kubeAPIServer, &kubeControllerManager, &kubeScheduler} {
			if c.field == object && field != "" && f.Type != cluster.Object {
				_, r[f.Path] = c.flag(field)
			}
		}
		if object == "etcdClusters[]" {
			if why, known := etcdIgnored[field]; known {
				r[f.Path] = why
			} else if etcdFields[field] != "" {
				r[f.Path] = effect
			}
		}
	}
	why := map[string]string{"kubelet": noKubelet, "masterKubelet": noKubelet, "kubeProxy": noProxy}
	for _, f := range cluster.Fields(cluster.KindCluster) {
		if object, field, ok := strings.Cut(strings.TrimPrefix(f.Path, "spec."), "."); ok && why[object] != "" && !strings.Contains(field, ".") {
			r[f.Path] = why[object]
		}
	}
	return r
}

// document is one as v1alpha2 has it, with places in the file: a cluster or a
// group.
type document interface {
	Get(path ...string) (any, bool)
	Position(path ...string) (line, col int)
}

func walk(file string, d document, r rules) (all []Ignored) {
	var visit func(path []string, schema string, value any)
	visit = func(path []string, schema string, value any) {
		why, ruled := r[schema]
		object, isObject := value.(map[string]any)
		list, isList := value.([]any)
		switch {
		case len(words(value)) == 0 && !isObject, schema == "spec.etcdClusters[].manager.env" && etcdVariables(list):
		case !ruled && isObject && r.within(schema):
			for _, name := range slices.Sorted(maps.Keys(object)) {
				visit(append(path, name), schema+"."+name, object[name])
			}
		case !ruled && isList && r.within(schema):
			for i, element := range list {
				visit(append(path, strconv.Itoa(i)), schema+"[]", element)
			}
		case !ruled:
			why = notYet
			fallthrough
		case why != effect:
			line, _ := d.Position(path...)
			all = append(all, Ignored{File: file, Path: doc.PathString(path), Line: line, Why: why, Usual: slices.Contains(usual, schema)})
		}
	}
	spec, _ := d.Get("spec")
	visit([]string{"spec"}, "spec", spec)
	return all
}

// within reports whether a rule is about something in an object or list.
func (r rules) within(schema string) bool {
	for path := range r {
		if strings.HasPrefix(path, schema+".") || strings.HasPrefix(path, schema+"[]") {
			return true
		}
	}
	return false
}

// etcdVariables reports whether all variables of a list are flags of etcd.
func etcdVariables(list []any) bool {
	return !slices.ContainsFunc(list, func(v any) bool {
		variable, _ := v.(map[string]any)
		_, ok := etcdVariable(scalar(variable["name"]))
		return !ok
	})
}
