package cluster

import (
	"testing"

	"github.com/stateroom/stateroom/doc"
)

// TestLaterNamesAreTaken: --set by the names of kops' later version changes the
// field of v1alpha2, with its value as that has it.
func TestLaterNamesAreTaken(t *testing.T) {
	for _, tt := range []struct{ kind, set, path, want string }{
		{KindCluster, "spec.networking.subnets[0].cidr=10.0.0.0/24", "spec.subnets", "[{cidr: 10.0.0.0/24}]"},
		{KindCluster, "spec.api.access=10.0.0.0/8,10.1.0.0/16", "spec.kubernetesApiAccess", "[10.0.0.0/8, 10.1.0.0/16]"},
		{KindCluster, "spec.networking.topology.dns=Public", "spec.topology", "{dns: {type: Public}}"},
		{KindCluster, "spec.networking.tagSubnets=false", "spec.DisableSubnetTags", "true"},
		{KindCluster, "spec.networking.cilium.masquerade=true", "spec.networking.cilium.disableMasquerade", "false"},
		{KindCluster, "spec.authentication.oidc.issuerURL=https://x", "spec.kubeAPIServer.oidcIssuerURL", "'https://x'"},
		{KindCluster, "spec.authentication.oidc.groupsClaims=a,b", "spec.kubeAPIServer.oidcGroupsClaim", "'a,b'"},
		{KindCluster, "spec.authentication.oidc.requiredClaims=k=v,w", "spec.kubeAPIServer.oidcRequiredClaim", "['k=v,w']"},
		{KindCluster, "spec.etcdClusters[0].etcdMembers[0].volumeIOPS=100", "spec.etcdClusters", "[{etcdMembers: [{volumeIops: 100}]}]"},
		{KindCluster, "spec.controlPlaneKubelet.authenticationTokenWebhookCacheTTL=1m", "spec.masterKubelet", "{authenticationTokenWebhookCacheTtl: 1m}"},
		{KindCluster, "spec.controlPlaneKubelet.maxPods=7", "spec.masterKubelet", "{maxPods: 7}"},
		{KindInstanceGroup, "spec.rootVolume.size=20", "spec.rootVolumeSize", "20"},
		{KindInstanceGroup, "spec.hooks[0].enabled=false", "spec.hooks", "[{disabled: true}]"},
	} {
		p, err := ParsePatch([]string{tt.set}, nil)
		if err != nil {
			t.Fatal(err)
		}
		d, err := doc.New(map[string]any{"apiVersion": APIVersion, "kind": tt.kind, "spec": map[string]any{}})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Apply(tt.kind, d); err != nil {
			t.Errorf("%s: %v", tt.set, err)
			continue
		}
		steps, _ := parsePath(tt.path)
		var path []string
		for _, s := range steps {
			path = append(path, s.name)
		}
		value, ok := d.Get(path...)
		if got := (doc.Side{Value: value, Present: ok}).String(); got != tt.want {
			t.Errorf("%s: %s is %s, want %s\n%s", tt.set, tt.path, got, tt.want, d.Bytes())
		}
	}
}

// TestEveryMovedFieldIsTaken: no name of the later version leads nowhere.
func TestEveryMovedFieldIsTaken(t *testing.T) {
	for kind, rules := range laterRules() {
		for _, r := range rules {
			if r.to == "" {
				continue
			}
			steps, err := parsePath(r.to)
			if err != nil {
				t.Fatal(err)
			}
			l := line{op: opSet, steps: steps}.in(kind)
			if f, rest := tables()[kind].find(l.steps); len(rest) > 0 || f.Path != r.from {
				t.Errorf("%s %s leads to %s, not %s", kind, r.to, f.Path, r.from)
			}
		}
	}
}

func TestPathsAreReadAsWritten(t *testing.T) {
	for _, path := range []string{"spec", "spec.a[0].b", "spec.list[name=x.y/z].c", "spec.map[a.b/c]", "a[*][1]"} {
		steps, err := parsePath(path)
		if err != nil || joinSteps(steps) != path {
			t.Errorf("%s is read as %s, %v", path, joinSteps(steps), err)
		}
	}
}
