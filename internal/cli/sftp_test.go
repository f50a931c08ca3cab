package cli_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/stateroom/stateroom/test/servers"
)

// TestScriptsOverSFTP runs stories whose store is a directory of a real sshd,
// a fresh one for each. Each command is a process that logs in anew.
func TestScriptsOverSFTP(t *testing.T) {
	server := servers.SSHD(t)
	other := otherKey(t, server.Address)
	var stories atomic.Int32
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/sftp",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Condition:           condition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": code,
		},
		Setup: func(env *testscript.Env) error {
			dir := fmt.Sprintf("%s/%d", server.Dir, stories.Add(1))
			env.Setenv("STATE", dir)
			env.Setenv("HOST", server.User+"@"+server.Address)
			env.Setenv("ID", server.KeyFile)
			env.Setenv("KNOWN", server.KnownHosts)
			env.Setenv("OTHER", other)
			env.Setenv("KOPS_STATE_STORE", "sftp://"+server.User+"@"+server.Address+dir+"?identity="+server.KeyFile+"&known_hosts="+server.KnownHosts)
			return setup(env)
		},
	})
}

// otherKey returns a file of host keys that holds another one for an address.
func otherKey(t *testing.T, address string) string {
	t.Helper()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(file, []byte(knownhosts.Line([]string{address}, key)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
