package cluster_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stateroom/stateroom/cluster"
)

// TestNumbersThatNoFieldCanHold writes each into a document and behind --set.
func TestNumbersThatNoFieldCanHold(t *testing.T) {
	const text = "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\nmetadata:\n  name: demo.example.com\nspec:\n  etcdClusters:\n  - %s: %s\n    backups: {}\n"
	for _, c := range []struct {
		field, value string
		fits         bool
	}{
		{"cpuRequest", "200m", true},
		{"cpuRequest", "1.5", true},
		{"cpuRequest", "2", true},
		{"cpuRequest", `"1e3"`, true},
		{"cpuRequest", "1e999", false},
		{"cpuRequest", ".nan", false},
		{"cpuRequest", "-.inf", false},
		{"cpuRequest", `"1e999"`, false},
		{"cpuRequest", `"1e10000000"`, false},
		{"memoryRequest", "1Zi", false},
		{"leaderElectionTimeout", `"1e9"`, false},
	} {
		_, problems := cluster.Check("config", fmt.Appendf(nil, text, c.field, c.value))
		if (len(problems) == 0) != c.fits {
			t.Errorf("%s: %s: %v", c.field, c.value, problems)
		}
		for _, p := range problems {
			if p.Line != 7 || p.Col != len(c.field)+7 {
				t.Errorf("%s: %s: told of at %d:%d", c.field, c.value, p.Line, p.Col)
			}
		}
		given := "spec.etcdClusters[0]." + c.field + "=" + strings.Trim(c.value, `"`)
		p, err := cluster.ParsePatch([]string{given}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Apply(cluster.KindCluster, parse(t, fmt.Sprintf(text, "name", "x"))); (err == nil) != c.fits {
			t.Errorf("--set %s: %v", given, err)
		}
	}
}
