package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/stateroom/stateroom/cluster"
)

// TestEveryFlagOfCreateClusterMeansSomethingInARerun: a flag that a re-run
// passed over in silence would look as if it had been done.
func TestEveryFlagOfCreateClusterMeansSomethingInARerun(t *testing.T) {
	neutral := strings.Fields("set unset cloud-facts ssh-public-key yes message output dry-run allow-downgrade catalogue kubernetes-source os-network help")
	cmd := createClusterCmd(&Env{})
	known := cluster.RerunFlags()
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		_, without := withoutHints[f.Name]
		_, old := oldNames[f.Name]
		for _, role := range noGroups {
			without = without || f.Name == role+"-count" || f.Name == role+"-size"
		}
		if !without && !old && !slices.Contains(known, f.Name) && !slices.Contains(neutral, f.Name) {
			t.Errorf("--%s does nothing in a re-run", f.Name)
		}
	})
	for _, name := range known {
		if cmd.Flags().Lookup(name) == nil {
			t.Errorf("a re-run knows --%s, create cluster does not", name)
		}
	}
	for old, now := range oldNames {
		if cmd.Flags().Lookup(old) == nil || cmd.Flags().Lookup(now) == nil {
			t.Errorf("--%s or --%s is no flag", old, now)
		}
	}
}
