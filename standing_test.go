package stateroom

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/vfs"
)

const group = "control-plane-main"

// released2 returns a store with a cluster whose commit 2 is released.
func released2(t *testing.T) *Store {
	t.Helper()
	s := opened(t)
	create(t, s)
	u, err := s.Update(t.Context(), demo, Programs{Catalogue: made()}, Write{})
	if err != nil {
		t.Fatal(err)
	}
	if u.Commit != 2 || len(u.Keysets) != 8 {
		t.Fatalf("the first update: commit %d, keysets %q", u.Commit, u.Keysets)
	}
	return s
}

// says puts a host's report on what is released; change may alter it.
func says(t *testing.T, s *Store, change func(*bundle.Report)) {
	t.Helper()
	st, err := s.Standing(t.Context(), demo)
	if err != nil {
		t.Fatal(err)
	}
	r := &bundle.Report{
		Node: "host-1", Group: group, Phase: bundle.PhaseReady, Time: time.Now(),
		Commit: st.Release.Commit, Digest: st.Release.Groups[group],
		Services: []Process{{Name: "kube-apiserver", PID: 7, State: "running"}},
	}
	change(r)
	sub := s.store.Cluster(string(demo)).Sub()
	if _, err := sub.Put(t.Context(), bundle.ReportName(r.Node), r.Encode(), vfs.Cond{}, ""); err != nil {
		t.Fatal(err)
	}
}

func failed(r *bundle.Report) {
	r.Phase, r.Failed = bundle.PhaseFailed, &bundle.Failure{Commit: r.Commit, Digest: r.Digest, Service: "kube-apiserver", Reason: "ended"}
	r.Digest, r.Commit = bundle.DigestOf(nil), 1
}

func TestReportsAreHeldAgainstTheRelease(t *testing.T) {
	s := released2(t)
	for what, c := range map[string]struct {
		change func(*bundle.Report)
		want   HostState
	}{
		"ready":                       {func(*bundle.Report) {}, Converged},
		"confirmed":                   {func(r *bundle.Report) { r.Phase = bundle.PhaseConfirmed }, Converged},
		"on the way":                  {func(r *bundle.Report) { r.Phase = bundle.PhaseConverging }, Converging},
		"ready with another bundle":   {func(r *bundle.Report) { r.Digest = bundle.DigestOf(nil) }, Converging},
		"went back":                   {failed, Failed},
		"failed with an older bundle": {func(r *bundle.Report) { r.Failed = &bundle.Failure{Commit: 1, Digest: bundle.DigestOf(nil)} }, Converged},
		"no longer ready":             {func(r *bundle.Report) { r.Phase = bundle.PhaseDegraded }, Degraded},
		"of another group":            {func(r *bundle.Report) { r.Group = "x" }, Failed},
	} {
		says(t, s, c.change)
		st, err := s.Standing(t.Context(), demo)
		if err != nil {
			t.Fatal(err)
		}
		if got := st.Hosts[0].State; got != c.want {
			t.Errorf("%s: %s, want %s", what, got, c.want)
		}
		if behind := new(NotConvergedError); errors.As(st.Err(), &behind) == (c.want == Converged) {
			t.Errorf("%s: error %v", what, st.Err())
		}
	}
}

func TestThisMachineIsBelievedBeforeItsReport(t *testing.T) {
	s := released2(t)
	says(t, s, func(*bundle.Report) {})
	see := func(r *Running) *Standing {
		st, err := s.Standing(t.Context(), demo)
		if err != nil {
			t.Fatal(err)
		}
		st.See("host-1", r)
		return st
	}
	if st := see(&Running{}); st.Err() == nil || st.Hosts[0].State != Stopped || len(st.Hosts[0].Services) != 0 {
		t.Errorf("nothing runs: %+v", st.Hosts[0])
	}
	alone := &Running{Services: []Process{{Name: "etcd-main", PID: 8, State: "running"}}}
	if st := see(alone); st.Hosts[0].Trouble == "" || st.Hosts[0].Services[0].Name != "etcd-main" {
		t.Errorf("services without an agent: %+v", st.Hosts[0])
	}
	alone.Agent = 9
	if st := see(alone); st.Err() != nil || st.Hosts[0].Trouble != "" {
		t.Errorf("all runs: %+v", st.Hosts[0])
	}
}

func TestWaitDoesNotTakeAnOldReportForAnAnswer(t *testing.T) {
	s := released2(t)
	says(t, s, func(r *bundle.Report) { failed(r); r.Time = time.Now().Add(-time.Minute) })
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	looks := 0
	_, err := s.Wait(ctx, demo, Wait{Node: "host-1", Since: time.Now(), Progress: func(*Standing) {
		if looks++; looks == 2 {
			says(t, s, func(*bundle.Report) {})
		}
	}})
	if err != nil || looks < 3 {
		t.Errorf("after %d looks: %v", looks, err)
	}
}

func TestWaitEndsOnceAHostThatFailedIsBack(t *testing.T) {
	s := released2(t)
	starting := func(r *bundle.Report) { failed(r); r.Services[0].State = "starting" }
	says(t, s, starting)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	looks := 0
	st, err := s.Wait(ctx, demo, Wait{Progress: func(*Standing) {
		if looks++; looks == 3 {
			says(t, s, failed)
		}
	}})
	behind := new(NotConvergedError)
	if !errors.As(err, &behind) || ctx.Err() != nil || looks < 4 || st.Hosts[0].Services[0].State != "running" {
		t.Errorf("after %d looks: %v", looks, err)
	}
}

func TestRollbackLeavesKeysAloneUnlessAsked(t *testing.T) {
	s := released2(t)
	const secret, key = "secrets/dockerconfig", "pki/private/kubernetes-ca/keyset.yaml"
	before, err := s.headOf(t.Context(), demo)
	if err != nil {
		t.Fatal(err)
	}
	old, err := before.ReadFile(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.change(t.Context(), demo, Write{}, "new keys", func(r *recorder) error {
		r.WriteFile(secret, []byte(`{"Data":"eA=="}`))
		r.WriteFile(key, append(slices.Clone(old), '\n'))
		r.WriteFile(cluster.AddonsFile, []byte("a: 1\n"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		head, err := s.headOf(t.Context(), demo)
		if err != nil {
			t.Fatal(err)
		}
		b, err := readBefore(t.Context(), head, name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if _, err := s.Rollback(t.Context(), demo, Rollback{To: "2"}, Write{}); err != nil {
		t.Fatal(err)
	}
	if read(cluster.AddonsFile) != "" || read(secret) == "" || read(key) == string(old) {
		t.Error("a rollback must bring back documents and nothing else")
	}
	if _, err := s.Rollback(t.Context(), demo, Rollback{To: "2", Keys: true}, Write{}); err != nil {
		t.Fatal(err)
	}
	if read(secret) != "" || read(key) != string(old) {
		t.Error("a rollback with keys must bring back keys and secrets")
	}
	if st, err := s.Standing(t.Context(), demo); err != nil || st.Release.Commit != 2 {
		t.Errorf("a rollback moved the release: %+v, %v", st, err)
	}
}

func TestKeysAreMadeOnceHoweverOftenTheChangeRuns(t *testing.T) {
	k := &keyMaker{now: time.Now(), made: map[string][]byte{}}
	a, err := k.make("kubernetes-ca")
	if err != nil {
		t.Fatal(err)
	}
	b, err := k.make("kubernetes-ca")
	if err != nil || string(a) != string(b) {
		t.Errorf("made twice (%v)", err)
	}
}

func TestAFailureNamesTheCommitToGoBackTo(t *testing.T) {
	host := func(s HostState, commit int) Host { return Host{State: s, Report: &bundle.Report{Commit: commit}} }
	for want, hosts := range map[string][]Host{
		"--to 6,": {host(Failed, 6), host(Converged, 8)},
		"--to N,": {host(Failed, 6), host(Failed, 5)}, // nobody can say for all of them
		"--wait":  {host(Converging, 6)},
	} {
		err := &NotConvergedError{&Standing{Cluster: demo, Release: &bundle.Release{Commit: 8}, Hosts: hosts}}
		if !strings.Contains(err.Hint(), want) {
			t.Errorf("%v: %s", hosts, err.Hint())
		}
	}
	for _, alone := range []Host{host(Failed, 8), host(Failed, 0)} {
		err := &NotConvergedError{&Standing{Cluster: demo, Release: &bundle.Release{Commit: 8}, Hosts: []Host{alone}}}
		if !strings.Contains(err.Hint(), "--to N,") {
			t.Errorf("%v: %s", alone, err.Hint())
		}
	}
}

// A host that died says nothing, least of all that it is not well.
func TestAHostThatIsSilentIsNotWell(t *testing.T) {
	s := released2(t)
	says(t, s, func(*bundle.Report) {})
	look := func(later time.Duration, here *Running) Host {
		t.Helper()
		s.opt.Now = func() time.Time { return time.Now().Add(later) }
		st, err := s.Standing(t.Context(), demo)
		if err != nil {
			t.Fatal(err)
		}
		if here != nil {
			st.See("host-1", here)
		}
		if (st.Err() == nil) != (st.Hosts[0].State == Converged) {
			t.Errorf("%s: %v", st.Hosts[0].State, st.Err())
		}
		return st.Hosts[0]
	}
	for later, want := range map[time.Duration]HostState{
		2 * bundle.ReportEvery: Converged, -time.Hour: Converged, 4 * bundle.ReportEvery: Silent, 10000 * time.Hour: Silent,
	} {
		if h := look(later, nil); h.State != want || (h.Trouble != "") != (want == Silent) {
			t.Errorf("after %v: %s %q", later, h.State, h.Trouble)
		}
	}
	if h := look(4*bundle.ReportEvery, &Running{Agent: 7, Services: []Process{{Name: "etcd-main", PID: 8, State: "running"}}}); h.State != Converged || h.Trouble != "" {
		t.Errorf("the agent runs here: %s %q", h.State, h.Trouble)
	}
	if h := look(4*bundle.ReportEvery, &Running{Services: []Process{{Name: "etcd-main", PID: 8, State: "running"}}}); h.State != Silent || h.Trouble != "stateroom-agent does not run" {
		t.Errorf("without the agent: %s %q", h.State, h.Trouble)
	}
	says(t, s, failed)
	if h := look(4*bundle.ReportEvery, nil); h.State != Failed {
		t.Errorf("what failed last is said: %s", h.State)
	}
}
