package cluster

import (
	"fmt"
	"strings"
)

const maxPath = 1024

// step is one step of a path: a name behind a dot, or what stands in brackets.
type step struct {
	name    string
	bracket bool
}

// parsePath reads the PATH of docs/formats/cluster-documents.md section 5,
// without its prefix. The paths of the table, with [] and {}, are read too.
func parsePath(path string) ([]step, error) {
	if path == "" {
		return nil, fmt.Errorf("the path is empty")
	}
	if len(path) > maxPath {
		return nil, fmt.Errorf("the path has %d characters, at most %d are allowed", len(path), maxPath)
	}
	if i := strings.IndexFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }); i >= 0 {
		return nil, fmt.Errorf("the path has a control character or is no UTF-8 at byte %d", i)
	}
	var steps []step
	for rest, first := path, true; rest != ""; first = false {
		if rest[0] == '[' {
			name, after, ok := bracket(rest)
			if !ok || first {
				return nil, fmt.Errorf("%q: a bracket that is not closed, or has no name before it", path)
			}
			steps = append(steps, step{name: name, bracket: true})
			rest = after
			continue
		}
		if !first {
			if rest[0] != '.' {
				return nil, fmt.Errorf("%q: a dot or a bracket must follow ]", path)
			}
			rest = rest[1:]
		}
		name := rest
		if i := strings.IndexAny(rest, ".["); i >= 0 {
			name = rest[:i]
		}
		rest = rest[len(name):]
		name, element := strings.CutSuffix(name, "{}")
		if name == "" || strings.ContainsAny(name, "]{}=") {
			return nil, fmt.Errorf("%q: %q is no name", path, name)
		}
		steps = append(steps, step{name: name})
		if element {
			steps = append(steps, step{bracket: true})
		}
	}
	return steps, nil
}

// bracket reads [SELECTOR], which may be quoted as messages do: ["a.b"].
func bracket(text string) (selector, after string, ok bool) {
	if quoted, ok := strings.CutPrefix(text, `["`); ok {
		return strings.Cut(quoted, `"]`)
	}
	return strings.Cut(text[1:], "]")
}

// joinSteps is the text of a path again.
func joinSteps(steps []step) string {
	var b strings.Builder
	for i, s := range steps {
		switch {
		case s.bracket:
			b.WriteString("[" + s.name + "]")
		case i > 0:
			b.WriteString("." + s.name)
		default:
			b.WriteString(s.name)
		}
	}
	return b.String()
}

// later maps, per kind, the paths that kops' later API version has moved to
// where they stand in v1alpha2, since kops itself takes the later ones in
// --set. What follows a path stays: spec.networking.subnets[0].name.
var later = map[string][]struct{ from, to string }{
	KindCluster: {
		{"spec.api.access", "spec.kubernetesApiAccess"},
		{"spec.api.additionalSANs", "spec.additionalSans"},
		{"spec.api.publicName", "spec.masterPublicName"},
		{"spec.cloudProvider.aws.ebsCSIDriver", "spec.cloudConfig.awsEBSCSIDriver"},
		{"spec.cloudProvider.aws.loadBalancerController", "spec.awsLoadBalancerController"},
		{"spec.cloudProvider.aws.nodeTerminationHandler", "spec.nodeTerminationHandler"},
		{"spec.cloudProvider.aws.podIdentityWebhook", "spec.podIdentityWebhook"},
		{"spec.cloudProvider.aws.warmPool", "spec.warmPool"},
		{"spec.configStore.base", "spec.configBase"},
		{"spec.configStore.keypairs", "spec.keyStore"},
		{"spec.configStore.secrets", "spec.secretStore"},
		{"spec.controlPlaneKubelet", "spec.masterKubelet"},
		{"spec.externalDNS", "spec.externalDns"},
		{"spec.networking.additionalNetworkCIDRs", "spec.additionalNetworkCIDRs"},
		{"spec.networking.amazonVPC", "spec.networking.amazonvpc"},
		{"spec.networking.egressProxy", "spec.egressProxy"},
		{"spec.networking.networkCIDR", "spec.networkCIDR"},
		{"spec.networking.networkID", "spec.networkID"},
		{"spec.networking.nonMasqueradeCIDR", "spec.nonMasqueradeCIDR"},
		{"spec.networking.podCIDR", "spec.podCIDR"},
		{"spec.networking.serviceClusterIPRange", "spec.serviceClusterIPRange"},
		{"spec.networking.subnets", "spec.subnets"},
		{"spec.networking.topology.bastion", "spec.topology.bastion"},
		{"spec.networking.topology.dns", "spec.topology.dns.type"},
	},
	KindInstanceGroup: {
		{"spec.rootVolume.encryption", "spec.rootVolumeEncryption"},
		{"spec.rootVolume.encryptionKey", "spec.rootVolumeEncryptionKey"},
		{"spec.rootVolume.iops", "spec.rootVolumeIops"},
		{"spec.rootVolume.optimization", "spec.rootVolumeOptimization"},
		{"spec.rootVolume.size", "spec.rootVolumeSize"},
		{"spec.rootVolume.throughput", "spec.rootVolumeThroughput"},
		{"spec.rootVolume.type", "spec.rootVolumeType"},
	},
}

// toV1alpha2 is the path under which v1alpha2 has what a later version has
// under path.
func toV1alpha2(kind, path string) string {
	for _, m := range later[kind] {
		rest, ok := strings.CutPrefix(path, m.from)
		if ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return m.to + rest
		}
	}
	return path
}
