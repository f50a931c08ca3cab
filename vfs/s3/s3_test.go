package s3_test

import (
	"errors"
	"maps"
	"sync/atomic"
	"testing"

	"github.com/stateroom/stateroom/test/servers"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/s3"
	"github.com/stateroom/stateroom/vfs/vfstest"
)

// bucket makes a bucket at a server and says how to open it.
func bucket(t testing.TB, server servers.S3) s3.Options {
	t.Helper()
	return s3.Options{
		Bucket: server.Bucket(t), Endpoint: server.Endpoint, PathStyle: true, Region: server.Region,
		Keys: s3.Keys{ID: server.AccessKey, Secret: server.SecretKey},
	}
}

// carriesTags is what gofakes3 does unlike Amazon, even where it is given no
// condition on DELETE to ignore.
var carriesTags = map[string]string{
	"a tag comes back with the object": "metadata of the object that was there is carried over into one written without",
}

// TestConnectionsAreUsedAgain counts them over the suite, which gets all kinds of
// answers. (versitygw ends each itself.)
func TestConnectionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	var dials atomic.Int32
	transport := servers.Dials(&dials)
	defer transport.CloseIdleConnections()
	opt := bucket(t, servers.GoFakeS3(t))
	opt.Transport = transport
	err := vfstest.Test(t.Context(), func() (vfs.Driver, error) { return s3.Open(t.Context(), opt) }, vfstest.Options{})
	judge(t, err, carriesTags)
	if dials.Load() > 32 {
		t.Errorf("%d connections", dials.Load())
	}
}

// TestKeepsTheContract runs the conformance suite on each server. What a
// server is known to do unlike Amazon stands beside it, by rule, with the
// reason; a deviation that is gone must go from here, too.
func TestKeepsTheContract(t *testing.T) {
	for _, c := range []struct {
		name       string
		start      func(testing.TB) servers.S3
		conditions bool // on DELETE
		deviations map[string]string
	}{
		{"gofakes3", servers.GoFakeS3, false, carriesTags},
		{"gofakes3, trusted with DELETE", servers.GoFakeS3, true, map[string]string{
			"a tag comes back with the object":                               "metadata of the object that was there is carried over into one written without",
			"delete if-version: the right version deletes, another does not": "If-Match on DELETE is ignored",
		}},
		{"versitygw", servers.Versity, false, nil},
		{"versitygw, trusted with DELETE", servers.Versity, true, map[string]string{
			"delete if-version: the right version deletes, another does not": "If-Match on DELETE is honoured, but where there is no object the answer is 204",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			opt := bucket(t, c.start(t))
			opt.DeleteConditions = c.conditions
			err := vfstest.Test(t.Context(), func() (vfs.Driver, error) { return s3.Open(t.Context(), opt) }, vfstest.Options{})
			for rule := range judge(t, err, c.deviations) {
				t.Errorf("the server keeps the rule now: %s", rule)
			}
		})
	}
}

// judge holds what the suite found against the deviations that are known, and
// returns those that were not met.
func judge(t *testing.T, err error, known map[string]string) (unmet map[string]string) {
	t.Helper()
	unmet = maps.Clone(known)
	for _, finding := range vfstest.Findings(err) {
		var broken *vfstest.Broken
		if errors.As(finding, &broken) && known[broken.Rule] != "" {
			delete(unmet, broken.Rule)
			continue
		}
		t.Error(finding)
	}
	for rule, reason := range known {
		t.Logf("known deviation: %s: %s", rule, reason)
	}
	return unmet
}
