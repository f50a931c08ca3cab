package cli_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScriptsOnAWebServer runs stories about a directory, $STORE, that a web
// server publishes at $WEB.
func TestScriptsOnAWebServer(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/http",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Condition:           condition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": code,
		},
		Setup: func(env *testscript.Env) error {
			dir := filepath.Join(env.WorkDir, "published")
			server := httptest.NewServer(http.FileServer(http.Dir(dir)))
			env.Defer(server.Close)
			if err := setup(env); err != nil {
				return err
			}
			env.Setenv("STORE", dir)
			env.Setenv("WEB", server.URL)
			env.Setenv("KOPS_STATE_STORE", dir)
			return nil
		},
	})
}
