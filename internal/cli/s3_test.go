package cli_test

import (
	"net/http/httptest"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestScriptsInABucket runs stories whose store is s3://state/team, at a server
// in memory that is fresh for each.
func TestScriptsInABucket(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/s3",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Condition:           condition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": code,
		},
		Setup: func(env *testscript.Env) error {
			memory := s3mem.New()
			if err := memory.CreateBucket("state"); err != nil {
				return err
			}
			server := httptest.NewServer(gofakes3.New(memory, gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
			env.Defer(server.Close)
			env.Setenv("S3_ENDPOINT", server.URL)
			env.Setenv("S3_ACCESS_KEY_ID", "ada")
			env.Setenv("S3_SECRET_ACCESS_KEY", "hunter2")
			env.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			env.Setenv("KOPS_STATE_STORE", "s3://state/team")
			return setup(env)
		},
	})
}
