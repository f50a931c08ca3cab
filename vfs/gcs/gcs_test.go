package gcs_test

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/stateroom/stateroom/test/servers"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/gcs"
	"github.com/stateroom/stateroom/vfs/vfstest"
)

// deviations are the rules that fake-gcs-server is known to break, and the real
// service is documented to keep. That the driver sends what the rule needs is
// held by the judge.
var deviations = map[string]string{
	"delete if-version: the right version deletes, another does not": "it ignores ifGenerationMatch on a delete",
}

// TestConformance also holds that connections are used again, after all kinds of
// answers.
func TestConformance(t *testing.T) {
	s := servers.FakeGCS(t)
	bucket := s.Bucket(t)
	var dials atomic.Int32
	transport := servers.Dials(&dials)
	defer transport.CloseIdleConnections()
	open := func() (vfs.Driver, error) {
		return gcs.Open(t.Context(), gcs.Options{Bucket: bucket, Transport: transport, Getenv: env{"STORAGE_EMULATOR_HOST": s.Endpoint}.get})
	}
	broken := map[string]bool{}
	for _, err := range vfstest.Findings(vfstest.Test(t.Context(), open, vfstest.Options{})) {
		var b *vfstest.Broken
		if !errors.As(err, &b) || deviations[b.Rule] == "" {
			t.Error(err)
			continue
		}
		broken[b.Rule] = true
	}
	for rule, why := range deviations {
		if !broken[rule] {
			t.Errorf("fake-gcs-server keeps this rule now, take it from the list: %s", rule)
		}
		t.Logf("fake-gcs-server deviates | %s | %s", rule, why)
	}
	if dials.Load() > 32 {
		t.Errorf("%d connections", dials.Load())
	}
}

func TestConformanceBeforeTheJudge(t *testing.T) {
	j, endpoint := newJudge(t, nil)
	j.page = 3
	for _, err := range conform(t, endpoint, "state", vfstest.Options{}) {
		t.Error(err)
	}
}

// TestConformanceWhenRepliesAreLost lets one in twelve requests not arrive and
// the reply of one in twelve be lost. All other rules hold all the same.
func TestConformanceWhenRepliesAreLost(t *testing.T) {
	_, endpoint := newJudge(t, nil)
	endpoint = servers.Proxy(t, endpoint, servers.Faults{Fail: 1. / 12, Lose: 1. / 12, Seed: 7})
	for _, err := range conform(t, endpoint, "state", vfstest.Options{Rounds: 3}) {
		if vfstest.Echo(err) {
			t.Log(err)
		} else {
			t.Error(err)
		}
	}
}

// conform runs the conformance suite and takes what it finds apart.
func conform(t *testing.T, endpoint, bucket string, opt vfstest.Options) []error {
	t.Helper()
	return vfstest.Findings(vfstest.Test(t.Context(), func() (vfs.Driver, error) { return open(t, endpoint, bucket), nil }, opt))
}

func open(t testing.TB, endpoint, bucket string) *gcs.Driver {
	t.Helper()
	d, err := gcs.Open(t.Context(), gcs.Options{Bucket: bucket, Getenv: env{"STORAGE_EMULATOR_HOST": endpoint}.get})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

type env map[string]string

func (e env) get(name string) string { return e[name] }
