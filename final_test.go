package stateroom

import (
	"strings"
	"testing"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/internal/asset"
)

// TestAnUpdateOfWhatIsNotKnownYetReleasesNothing: a catalogue whose program has
// no digest is good enough for a plan, and hosts could not check what they get.
func TestAnUpdateOfWhatIsNotKnownYetReleasesNothing(t *testing.T) {
	s := opened(t)
	create(t, s)
	unbuilt := Programs{Catalogue: catalogueOf("1.37.2", bundle.Asset{Name: "kubernetes", Programs: asset.KubernetesPrograms()})}
	if _, err := s.Plan(t.Context(), demo, unbuilt); err != nil {
		t.Errorf("a plan: %v", err)
	}
	u, err := s.Update(t.Context(), demo, unbuilt, Write{})
	if err == nil || !strings.Contains(err.Error(), "the plan leaves open what must be known") {
		t.Errorf("%+v, %v", u, err)
	}
	for e, err := range s.objects.List(t.Context(), ".stateroom/", "") {
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{"/bundles/", "/release", "/log/000000000002"} {
			if strings.Contains(e.Key, part) {
				t.Errorf("%s is there", e.Key)
			}
		}
	}
}
