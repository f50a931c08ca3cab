package cluster

import "github.com/stateroom/stateroom/doc"

// MergeLists says how the lists of a kind are merged, for doc.MergeOptions. A
// list that is named neither in setLists nor in keyedLists is one value, and so
// is every list of an unknown kind.
func MergeLists(kind string) func(path []string) doc.List {
	root := tables()[kind]
	return func(path []string) doc.List {
		f := root.at(path)
		if f == nil || f.Type != List {
			return doc.List{}
		}
		switch name := path[len(path)-1]; {
		case name == "[]" || f.Elem.Type == Any:
		case f.Elem.Type == Object:
			return doc.List{Keys: keyedLists[name]}
		case setLists[name]:
			return doc.List{Set: true}
		case len(path) > 1 && setLists[path[len(path)-2]]: // a map of lists
			return doc.List{Set: true}
		}
		return doc.List{}
	}
}

// at is the field at a path of keys, in which "[]" is an item of a list; nil
// where there is none.
func (f *Field) at(path []string) *Field {
	for _, p := range path {
		switch {
		case f == nil:
			return nil
		case f.Type == Object:
			f = f.child(p)
		case f.Type == Map, f.Type == List && p == "[]":
			f = f.Elem
		default:
			return nil
		}
	}
	return f
}

// keyedLists are the lists of objects that are told apart by some of their
// fields.
var keyedLists = map[string][]string{
	"additionalRoutes":                  {"cidr"},
	"additionalUserData":                {"name"},
	"addons":                            {"manifest"},
	"env":                               {"name"},
	"etcdClusters":                      {"name"},
	"etcdMembers":                       {"name"},
	"fileAssets":                        {"name"},
	"guestAccelerators":                 {"acceleratorType"},
	"hooks":                             {"name"},
	"identityMappings":                  {"arn"},
	"keys":                              {"id"},
	"serviceAccountExternalPermissions": {"name", "namespace"},
	"subnets":                           {"name"},
	"volumeMounts":                      {"path"},
	"volumes":                           {"device"},
}

// setLists are the lists of texts in which order means nothing. Those in which
// it does are one value: commands, name servers, cipher suites, the kinds of
// addresses of a kubelet.
var setLists = map[string]bool{
	"additionalAudiences":              true,
	"additionalImages":                 true,
	"additionalNetworkCIDRs":           true,
	"additionalSans":                   true,
	"additionalSecurityGroups":         true,
	"additionalServiceAccountIssuers":  true,
	"agentLabels":                      true,
	"allowedUnsafeSysctls":             true,
	"appendAdmissionPlugins":           true,
	"authorizationAlwaysAllowPaths":    true,
	"availabilityZoneHints":            true,
	"before":                           true,
	"corsAllowedOrigins":               true,
	"disableAdmissionPlugins":          true,
	"enableAdmissionPlugins":           true,
	"excludedInstanceTypes":            true,
	"experimentalAllowedUnsafeSysctls": true,
	"externalPolicies":                 true,
	"finalizers":                       true,
	"groups":                           true,
	"hostedZoneIDs":                    true,
	"insecureRegistries":               true,
	"ipvsExcludeCidrs":                 true,
	"kubernetesApiAccess":              true,
	"metrics":                          true,
	"nodePortAccess":                   true,
	"nonMasqueradeCIDRs":               true,
	"oidcRequiredClaim":                true,
	"packages":                         true,
	"policyARNs":                       true,
	"requestheaderAllowedNames":        true,
	"requires":                         true,
	"roles":                            true,
	"sshAccess":                        true,
	"subnets":                          true,
	"suspendProcesses":                 true,
	"sysctlParameters":                 true,
	"taints":                           true,
	"watchCacheSizes":                  true,
	"zones":                            true,
}
