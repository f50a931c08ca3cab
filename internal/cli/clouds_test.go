package cli_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stateroom/stateroom/test/servers"
)

// TestScriptsInClouds runs stories whose store is a folder of a bucket of
// Google Cloud Storage, and then of a container of Azure Blob Storage, a fresh
// folder for each.
func TestScriptsInClouds(t *testing.T) {
	t.Run("gs", func(t *testing.T) {
		s := servers.FakeGCS(t)
		inCloud(t, "gs://"+s.Bucket(t), "gs://none-of-ours", map[string]string{
			"STORAGE_EMULATOR_HOST": s.Endpoint,
			"GCE_METADATA_HOST":     "127.0.0.1:1", // nobody's
		})
	})
	t.Run("azureblob", func(t *testing.T) {
		s := servers.Azurite(t)
		account := "azureblob://" + s.Account + "/"
		inCloud(t, account+s.Container(t), account+"none-of-ours", map[string]string{
			"AZURE_STORAGE_CONNECTION_STRING": s.ConnectionString(),
			"SECRET":                          s.Key,
		})
	})
}

// inCloud runs the stories with stores below root. There is nothing at none.
func inCloud(t *testing.T, root, none string, settings map[string]string) {
	var stories atomic.Int32
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/clouds",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Condition: func(name string) (bool, error) {
			if name == "gs" || name == "azureblob" {
				return strings.HasPrefix(root, name), nil
			}
			return condition(name)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": code,
		},
		Setup: func(env *testscript.Env) error {
			for name, value := range settings {
				env.Setenv(name, value)
			}
			env.Setenv("NONE", none)
			env.Setenv("KOPS_STATE_STORE", fmt.Sprintf("%s/story%d", root, stories.Add(1)))
			return setup(env)
		},
	})
}
