//go:build linux

package agent

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestEtcdIsPreservedBeforeItIsRestarted is Machine.Preserve: of which etcds there
// is a snapshot before the next set comes into force, and what stops that set.
func TestEtcdIsPreservedBeforeItIsRestarted(t *testing.T) {
	t.Parallel()
	changed := func(r Run) *Set {
		r.Digest = "other"
		return &Set{ID: "next", Services: []Run{r}}
	}
	serves := func(st *ServiceState) {
		st.State, st.PID, st.Started, st.Ready = Running, 4711, time.Now().Add(-time.Minute), time.Now()
	}
	dead := func(st *ServiceState) { st.State, st.PID = Waiting, 0 }
	stuck := func(st *ServiceState) { st.State, st.PID, st.Started = Starting, 4711, time.Now().Add(-time.Hour) }
	for name, c := range map[string]struct {
		status string // of etcd's answer; "0" is well
		next   func(Run) *Set
		st     func(*ServiceState)
		noData bool
		change func(*Run)
		taken  bool
		want   string // in the error
	}{
		"restarted":                             {status: "0", next: changed, st: serves, taken: true},
		"ended for good":                        {status: "0", next: func(Run) *Set { return &Set{ID: "next"} }, st: serves, taken: true},
		"left alone":                            {status: "0", next: func(r Run) *Set { return &Set{ID: "next", Services: []Run{r}} }, st: serves},
		"without data":                          {status: "0", next: changed, st: serves, noData: true},
		"no etcd":                               {status: "0", next: changed, st: serves, change: func(r *Run) { r.Program = "/set/bin/kube-apiserver" }},
		"stopping already":                      {status: "0", next: changed, st: func(st *ServiceState) { serves(st); st.State = Stopping }},
		"serves, and the snapshot fails":        {status: "14", next: changed, st: serves, want: "snapshot of etcd-main: "},
		"dead: the release may mend it":         {status: "0", next: changed, st: dead},
		"never ready, and answers all the same": {status: "0", next: changed, st: stuck, taken: true},
		"never ready, and does not answer":      {status: "14", next: changed, st: stuck},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPreserved(t, &answers{db: database(3), status: c.status}, !c.noData, c.change)
			c.st(&p.k.st)
			err := p.m.Preserve(t.Context(), c.next(p.run), Snapshot{Cluster: testCluster, ClusterID: testID, Commit: 7})
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if _, isSnapshot := errors.AsType[*SnapshotError](err); err != nil && !isSnapshot {
				t.Errorf("not of a snapshot, so it would condemn the bundle: %v", err)
			}
			p.expect(c.taken)
		})
	}
}

// TestAnEtcdThatIsAboutToServeIsWaitedFor is a release that follows on another
// while etcd starts.
func TestAnEtcdThatIsAboutToServeIsWaitedFor(t *testing.T) {
	t.Parallel()
	starting := func(st *ServiceState) { st.State, st.PID, st.Started = Starting, 4711, time.Now() }
	p := newPreserved(t, &answers{db: database(3), status: "0"}, true, nil)
	starting(&p.k.st)
	time.AfterFunc(300*time.Millisecond, p.k.ready)
	if err := p.m.Preserve(t.Context(), &Set{ID: "next"}, Snapshot{Cluster: testCluster, ClusterID: testID, Commit: 7}); err != nil {
		t.Error(err)
	}
	p.expect(true)

	p = newPreserved(t, &answers{db: database(3), status: "0"}, true, nil)
	starting(&p.k.st)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := p.m.Preserve(ctx, &Set{ID: "next"}, Snapshot{Commit: 7}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a newer release came meanwhile: %v", err)
	}
	p.expect(false)
}

// preserved is a machine with one service, which is played.
type preserved struct {
	t   *testing.T
	m   *Machine
	k   *keeper
	run Run
}

func newPreserved(t *testing.T, a *answers, data bool, change func(*Run)) *preserved {
	t.Helper()
	run := playRun(t, a)
	run.Digest = "now"
	if change != nil {
		change(&run)
	}
	if data {
		db := filepath.Join(strings.TrimPrefix(run.Args[0], "--data-dir="), "member/snap/db")
		if err := errors.Join(os.MkdirAll(filepath.Dir(db), 0o700), os.WriteFile(db, []byte("data"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	m, err := OpenMachine(t.Context(), MachineOptions{Dir: t.TempDir(), Node: "a", Address: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	k := m.newKeeper(run)
	close(k.done) // nobody keeps it: the test says how it is
	m.keepers[run.Name] = k
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return &preserved{t, m, k, run}
}

// expect wants one whole snapshot of what ran, or none.
func (p *preserved) expect(taken bool) {
	p.t.Helper()
	all, err := p.m.snapshots().list()
	if err != nil || len(all) > 0 != taken || len(all) > 1 {
		p.t.Fatalf("snapshots: %+v, %v", all, err)
	}
	if taken && (all[0].Commit != 7 || all[0].ClusterID != testID || p.m.snapshots().verify(&all[0]) != nil) {
		p.t.Errorf("snapshot: %+v", all[0])
	}
}
