package s3_test

import (
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/stateroom/stateroom/test/servers"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/s3"
	"github.com/stateroom/stateroom/vfs/vfstest"
)

// TestKeepsTheContractOverABadLine loses every tenth request before and every
// tenth reply after the server did it.
func TestKeepsTheContractOverABadLine(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	server := servers.GoFakeS3(t)
	opt := bucket(t, server)
	opt.Endpoint = servers.Proxy(t, server.Endpoint, servers.Faults{Fail: 0.1, Lose: 0.1, Seed: seed})
	err := vfstest.Test(t.Context(), func() (vfs.Driver, error) { return s3.Patient(open(t, opt), 8), nil }, vfstest.Options{Rounds: 4})
	known := maps.Clone(carriesTags)
	known["if-version: no update is lost among many writers"] = "a write that was done, whose reply was lost and that " +
		"was overwritten before it was looked for is answered with a conflict, so that one is counted twice"
	judge(t, err, known)
}
