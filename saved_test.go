package stateroom

import (
	"errors"
	"strings"
	"testing"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/plan"
	"github.com/stateroom/stateroom/store"
)

// keep makes a plan with the programs given, and keeps it.
func keep(t *testing.T, s *Store, programs *bundle.Catalogue) *SavedPlan {
	t.Helper()
	u, err := s.Plan(t.Context(), demo, Programs{Catalogue: programs})
	if err != nil {
		t.Fatal(err)
	}
	text, err := s.Save(u)
	if err != nil {
		t.Fatal(err)
	}
	p, err := ParseSavedPlan(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A plan that was agreed to does what it shows, whatever programs are at hand
// when it is done.
func TestASavedPlanDoesNothingElse(t *testing.T) {
	s := released2(t)
	if _, err := s.Edit(t.Context(), demo, Edit{Patch: set(t, "spec.kubeAPIServer.maxRequestsInflight=801")}, Write{}); err != nil {
		t.Fatal(err)
	}
	p, others := keep(t, s, made()), made()
	others.Versions[0].Assets[0].SHA256 = strings.Repeat("1", 64)
	_, err := s.UpdateSaved(t.Context(), p, Programs{Catalogue: others}, Write{})
	stale := new(StaleError)
	if !errors.As(err, &stale) || !errors.Is(err, store.ErrConflict) || !strings.Contains(err.Error(), "it does not show what would be done by now: asset kubernetes is changed") {
		t.Errorf("with other programs: %v", err)
	}
	if _, err := s.UpdateSaved(t.Context(), keep(t, s, others), Programs{Catalogue: made()}, Write{}); !errors.As(err, &stale) ||
		!strings.Contains(err.Error(), "something else would be done by now: kube-apiserver restarts: --max-requests-inflight") {
		t.Errorf("without the programs it shows: %v", err)
	}
	if head, err := s.headOf(t.Context(), demo); err != nil || head.Commit().Number != 3 {
		t.Errorf("something was done: %v", err)
	}
	if u, err := s.UpdateSaved(t.Context(), p, Programs{Catalogue: made()}, Write{}); err != nil || u.Commit != 4 {
		t.Errorf("as it was planned: %v", err)
	}
}

// What a plan could not know yet, programs to be built and keysets to be made, is
// known when it is done, and is no difference.
func TestASavedPlanMayLeaveThingsOpen(t *testing.T) {
	s := opened(t)
	create(t, s)
	unbuilt := made()
	unbuilt.Versions[0].Assets[0].SHA256 = ""
	u, err := s.UpdateSaved(t.Context(), keep(t, s, unbuilt), Programs{Catalogue: made()}, Write{})
	if err != nil || u.Commit != 2 {
		t.Fatal(err)
	}

	// The same where something runs already.
	others := made()
	others.Versions[0].Assets[0].SHA256 = strings.Repeat("1", 64)
	if u, err := s.UpdateSaved(t.Context(), keep(t, s, unbuilt), Programs{Catalogue: others}, Write{}); err != nil || u.Commit != 3 {
		t.Errorf("%v", err)
	}

	// Built anew, they turn out to be the same: that is less than the plan shows.
	p := keep(t, s, unbuilt)
	if len(p.Changes) == 0 {
		t.Error("the plan leaves nothing open")
	}
	if u, err := s.UpdateSaved(t.Context(), p, Programs{Catalogue: others}, Write{}); err != nil || u.Commit != 0 {
		t.Errorf("%+v, %v", u, err)
	}
}

// A group that is deleted may have hosts, and what they run does not end by that.
func TestAnUpdateSaysWhatBecomesOfTheHostsOfAGroupThatIsGone(t *testing.T) {
	released := &live{plan: &plan.Plan{Bundles: map[string]*bundle.Bundle{
		"control-plane-a": {Services: []bundle.Service{{Name: "etcd-main"}}},
		"control-plane-b": {Services: []bundle.Service{{Name: "etcd-main"}}},
		"nodes":           {},
	}}}
	got := released.leaves(&plan.Plan{Bundles: map[string]*bundle.Bundle{"control-plane-b": {}}})
	if len(got) != 1 || !strings.HasPrefix(got[0], "group control-plane-a is gone: its hosts go on with what they run") {
		t.Errorf("notes: %q", got)
	}
	if got := new(live).leaves(&plan.Plan{}); len(got) > 0 {
		t.Errorf("notes where nothing is released: %q", got)
	}
}
