package gcs_test

import (
	"errors"
	"testing"

	"github.com/stateroom/stateroom/test/servers"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/gcs"
	"github.com/stateroom/stateroom/vfs/vfstest"
)

// deviations are the rules that fake-gcs-server is known to break, and the real
// service is documented to keep. That the driver sends what the rule needs is
// held by TestConditionsAreSent.
var deviations = map[string]string{
	"delete if-version: the right version deletes, another does not": "it ignores ifGenerationMatch on a delete",
}

func TestConformance(t *testing.T) {
	s := servers.FakeGCS(t)
	bucket := s.Bucket(t)
	err := vfstest.Test(t.Context(), func() (vfs.Driver, error) { return open(t, s.Endpoint, bucket), nil }, vfstest.Options{})
	broken := map[string]bool{}
	for _, err := range findings(err) {
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
}

// findings takes a joined error apart.
func findings(err error) []error {
	if many, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // the join itself
		var all []error
		for _, err := range many.Unwrap() {
			all = append(all, findings(err)...)
		}
		return all
	}
	if err == nil {
		return nil
	}
	return []error{err}
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
