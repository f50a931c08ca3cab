package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
	"github.com/stateroom/stateroom/vfs/vfstest"
)

const (
	testCluster = "demo.example.com"
	testID      = "6f0c1c7e-0000-4000-8000-000000000001"
	testGroup   = "control-plane-main"
)

// world is one agent on a host in memory, and the store that it follows.
type world struct {
	t      *testing.T
	ctx    context.Context
	host   *fakeHost
	store  *vfs.FS
	count  *vfstest.Counter
	bodies *bodies
	memory *vfs.FS
	data   Data
	mortal *mortal // dies while the next agent runs; nil: nobody
	log    *slog.Logger
	trial  Trial
	commit int
	agent  *Agent
	stop   func()
}

func newWorld(t *testing.T) *world {
	sent := &bodies{Driver: mem.New(mem.Options{})}
	count := vfstest.Count(sent)
	w := &world{
		t: t, ctx: t.Context(), host: newFakeHost(t), count: count, bodies: sent,
		store:  vfs.New(count, "mem://store"),
		memory: vfs.New(mem.New(mem.Options{}), "mem://memory"),
	}
	t.Cleanup(func() {
		if w.stop != nil {
			w.stop()
		}
		w.host.reboot()
	})
	return w
}

// run starts an agent, in place of the one that runs.
func (w *world) run() {
	w.t.Helper()
	if w.stop != nil {
		w.stop()
	}
	host, store, memory := Host(w.host), w.store, w.memory
	if w.mortal != nil {
		host, store, memory = w.mortal.on(w.host, w.store, w.memory)
	}
	a, err := New(w.ctx, Options{
		Bootstrap: bundle.Bootstrap{Store: "mem://store", Cluster: testCluster, ClusterID: testID, Group: testGroup},
		Node:      "a", Host: host, Data: w.data, Store: store, Memory: memory, Poll: time.Second, Log: w.log, Trial: w.trial,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.ctx)
	done := make(chan error)
	go func() { done <- a.Run(ctx) }()
	w.agent = a
	w.stop = func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
		w.stop = nil
	}
}

// service is one service of a test bundle: name, what it comes after, and how
// the fake plays it.
func service(name, after string, args ...string) bundle.Service {
	return bundle.Service{Name: name, Program: name, Args: args, After: strings.Fields(after), Disruption: bundle.DisruptionRestart, StopSeconds: 5}
}

func testBundle(version string, services ...bundle.Service) *bundle.Bundle {
	b := &bundle.Bundle{Cluster: testCluster, ClusterID: testID, Group: testGroup, Version: version, Services: services}
	for _, s := range services {
		b.Assets = append(b.Assets, bundle.Asset{Name: s.Program, Programs: []string{s.Program}, SHA256: strings.Repeat("0", 64)})
	}
	return b
}

// release makes a bundle the one in force.
func (w *world) release(b *bundle.Bundle) bundle.Digest {
	w.t.Helper()
	w.commit++
	data, d := b.Encode()
	w.put(bundle.ObjectName(testGroup, d), data)
	w.publish(w.commit, d)
	return d
}

func (w *world) publish(commit int, d bundle.Digest) {
	w.t.Helper()
	r := bundle.Release{Cluster: testCluster, ClusterID: testID, Commit: commit, Groups: map[string]bundle.Digest{testGroup: d}, PollSeconds: 300, Issued: time.Now()}
	w.put(bundle.ReleaseName, r.Encode())
}

func (w *world) put(key string, data []byte) {
	w.t.Helper()
	if _, err := w.store.Put(w.ctx, key, data, vfs.Cond{}, ""); err != nil {
		w.t.Fatal(err)
	}
}

// reported returns the report that lies in the store, in a line.
func (w *world) reported() string {
	w.t.Helper()
	data, _, err := w.store.Get(w.ctx, bundle.ReportName("a"))
	if err != nil {
		return "no report"
	}
	r, err := bundle.DecodeReport(data)
	if err != nil {
		w.t.Fatal(err)
	}
	s := fmt.Sprintf("%s at %d", r.Phase, r.Commit)
	if f := r.Failed; f != nil {
		s += fmt.Sprintf("; %d failed: %s %s: %s", f.Commit, f.Service, f.Reason, f.LastWords)
	}
	return s
}

func (w *world) pids() map[string]int {
	pids := map[string]int{}
	states, _ := w.host.Services(w.ctx)
	for _, s := range states {
		pids[s.Name] = s.PID
	}
	return pids
}

func (w *world) expect(what string) {
	w.t.Helper()
	if got := w.reported(); got != what {
		w.t.Errorf("reported %q, want %q", got, what)
	}
}

func (w *world) did(what string) {
	w.t.Helper()
	if got := w.host.told(); got != what {
		w.t.Errorf("the host was told: %s\nwant: %s", got, what)
	}
}

func controlPlane(version string, api ...string) *bundle.Bundle {
	return testBundle(version, service("etcd", "", "--ready=1s"), service("api", "etcd", append([]string{"--ready=4s"}, api...)...), service("scheduler", "api", "--ready=2s"))
}

func TestFirstBundleIsStartedInOrderAndConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run()
		time.Sleep(3 * time.Second)
		w.expect("converging at 0")
		w.release(controlPlane("1.37.2"))
		time.Sleep(5 * time.Second)
		w.expect("converging at 1")
		time.Sleep(6 * time.Second)
		w.did("stage 1.37.2, switch, start etcd, start api, start scheduler")
		w.expect("ready at 1")
		time.Sleep(time.Minute)
		w.expect("confirmed at 1")
	})
}

func TestOnlyWhatChangedIsRestarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.release(controlPlane("1.37.2"))
		w.run()
		time.Sleep(2 * time.Minute)
		w.host.told()
		before := w.pids()
		w.release(controlPlane("1.37.2", "--max-requests-inflight=801"))
		time.Sleep(2 * time.Minute)
		w.did("stage 1.37.2, switch, stop api, start api")
		w.expect("confirmed at 2")
		after := w.pids()
		if before["api"] == after["api"] || before["etcd"] != after["etcd"] || before["scheduler"] != after["scheduler"] {
			t.Errorf("pids before %v, after %v", before, after)
		}
	})
}

func TestServicesThatDependOnEachOtherStopInReverse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.release(controlPlane("1.37.2"))
		w.run()
		time.Sleep(2 * time.Minute)
		w.host.told()
		w.release(testBundle("1.37.2", service("etcd", "", "--ready=1s", "--quota=1"), service("api", "etcd", "--ready=1s", "--v=1"), service("proxy", "")))
		time.Sleep(2 * time.Minute)
		w.did("stage 1.37.2, switch, stop scheduler, start proxy, stop api, stop etcd, start etcd, start api")
		w.expect("confirmed at 2")
	})
}

func TestBadBundlesAreLeftAgain(t *testing.T) {
	for _, c := range []struct{ name, arg, want string }{
		{"exits at once", "--exit=0s", "confirmed at 1; 2 failed: api ended 3 times: exit status 1: Error: no such thing"},
		{"never ready", "--ready=100000h", "confirmed at 1; 2 failed: api not ready after 1m30s: "},
		{"crashes 20 s after it was ready", "--crash=20s", "confirmed at 1; 2 failed: api ended after it had been ready: exit status 2: panic: of a sudden"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.release(testBundle("1.37.2", service("etcd", ""), service("api", "etcd")))
				w.run()
				time.Sleep(2 * time.Minute)
				w.host.told()
				before := w.pids()
				bad := w.release(testBundle("1.37.2", service("etcd", ""), service("api", "etcd", c.arg)))
				time.Sleep(3 * time.Minute)
				w.did("stage 1.37.2, switch, stop api, start api, switch, stop api, start api")
				w.expect(strings.Replace(c.want, "confirmed", "failed", 1))
				if after := w.pids(); before["etcd"] != after["etcd"] || after["api"] == 0 {
					t.Errorf("pids before %v, after %v", before, after)
				}

				// Not again by itself, and not by a new agent either.
				w.run()
				time.Sleep(10 * time.Minute)
				w.did("")
				w.expect(strings.Replace(c.want, "confirmed", "failed", 1))

				// A newer commit that names it again is another chance.
				w.commit++
				w.publish(w.commit, bad)
				time.Sleep(3 * time.Minute)
				w.did("stage 1.37.2, switch, stop api, start api, switch, stop api, start api")

				w.release(testBundle("1.37.2", service("etcd", ""), service("api", "etcd", "--good")))
				time.Sleep(2 * time.Minute)
				w.expect("confirmed at 4")
			})
		})
	}
}

func TestCrashAfterConfirmationIsDegradedNotUndone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.release(testBundle("1.37.2", service("api", "", "--ready=3s", "--crash=70s")))
		w.run()
		time.Sleep(69 * time.Second)
		w.expect("confirmed at 1")
		time.Sleep(6 * time.Second)
		w.expect("degraded at 1")
		time.Sleep(6 * time.Second)
		w.expect("confirmed at 1")
	})
}

func TestFirstBundleBadStaysAndTakesTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.release(testBundle("1.37.2", service("api", "", "--exit=0s")))
		w.run()
		time.Sleep(time.Minute)
		w.did("stage 1.37.2, switch, start api")
		w.expect("failed at 1; 1 failed: api ended 3 times: exit status 1: Error: no such thing")
		w.run()
		time.Sleep(time.Minute)
		w.did("")
		w.release(testBundle("1.37.2", service("api", "")))
		time.Sleep(2 * time.Minute)
		w.did("stage 1.37.2, switch, stop api, start api")
		w.expect("confirmed at 2")
	})
}

func TestNewerCommitIsTakenWhileConverging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.release(testBundle("1.37.1", service("api", "", "--ready=50s")))
		w.run()
		time.Sleep(10 * time.Second)
		w.release(testBundle("1.37.2", service("api", "")))
		time.Sleep(3 * time.Second)
		w.expect("ready at 2")
		w.host.told()

		// Also while a set is being staged: that is given up.
		w.host.mu.Lock()
		w.host.stageFor = time.Hour
		w.host.mu.Unlock()
		w.release(testBundle("1.37.3", service("api", "", "--x")))
		time.Sleep(time.Minute)
		w.expect("converging at 2")
		w.host.mu.Lock()
		w.host.stageFor = 0
		w.host.mu.Unlock()
		w.release(testBundle("1.37.4", service("api", "", "--y")))
		time.Sleep(2 * time.Minute)
		w.did("stage 1.37.4, switch, stop api, start api")
		w.expect("confirmed at 4")
	})
}

func TestWhatWasReadyIsGoneBackToBeforeItIsConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.release(testBundle("1.37.0", service("etcd", ""), service("api", "", "--first")))
		w.run()
		time.Sleep(10 * time.Second)
		w.release(testBundle("1.37.1", service("etcd", ""), service("api", "", "--second", "--crash=100s")))
		time.Sleep(10 * time.Second)
		w.expect("ready at 2")
		etcd := w.pids()["etcd"]
		w.host.told()

		// The first minute is not over for anything yet.
		w.release(testBundle("1.37.2", service("etcd", ""), service("api", "", "--exit=0s")))
		time.Sleep(20 * time.Second)
		w.did("stage 1.37.2, switch, stop api, start api, switch, stop api, start api")
		const why = "failed at 2; 3 failed: api ended 3 times: exit status 1: Error: no such thing"
		w.expect(why)
		if w.pids()["etcd"] != etcd {
			t.Error("etcd was restarted")
		}

		// A new agent stays with it, and it is confirmed in time.
		w.run()
		time.Sleep(70 * time.Second)
		w.did("")
		w.expect(why)
		w.release(testBundle("1.37.3", service("etcd", ""), service("api", "", "--exit=1s")))
		time.Sleep(20 * time.Second)
		w.expect("failed at 2; 4 failed: api ended 3 times: exit status 1: Error: no such thing")
	})
}

func TestWhatWasReadyCanFailAfterAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.release(testBundle("1.37.0", service("api", "")))
		w.run()
		time.Sleep(2 * time.Minute)
		w.release(testBundle("1.37.1", service("api", "", "--crash=30s")))
		time.Sleep(10 * time.Second)
		w.release(testBundle("1.37.2", service("api", "", "--exit=0s")))
		time.Sleep(10 * time.Second)
		w.expect("failed at 2; 3 failed: api ended 3 times: exit status 1: Error: no such thing")
		time.Sleep(time.Minute)
		w.expect("failed at 1; 3 failed: api ended 3 times: exit status 1: Error: no such thing")
		if w.pids()["api"] == 0 {
			t.Error("the api does not run")
		}
	})
}

func TestRollbackIsANewCommitWithOldContent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		first := w.release(testBundle("1.37.1", service("api", "")))
		w.run()
		time.Sleep(2 * time.Minute)
		w.release(testBundle("1.37.2", service("api", "", "--x")))
		time.Sleep(30 * time.Second)
		w.expect("ready at 2")
		w.commit++
		w.publish(3, first)
		time.Sleep(30 * time.Second)
		w.expect("confirmed at 3")

		// Nothing of this group changed: only the number does.
		w.host.told()
		w.publish(4, first)
		time.Sleep(10 * time.Second)
		w.did("")
		w.expect("confirmed at 4")
	})
}

func TestAnIdleAgentAsksOnceAPollAndWritesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.release(controlPlane("1.37.2"))
		w.run()
		time.Sleep(3 * time.Minute)
		w.count.Reset()
		w.bodies.n.Store(0)
		time.Sleep(10 * time.Minute)
		calls := w.count.Calls()
		for _, c := range calls {
			if !strings.HasSuffix(fmt.Sprint(c), "release") {
				t.Errorf("idle, and yet: %v", c)
			}
		}
		if n := w.bodies.n.Load(); n > 0 {
			t.Errorf("%d polls brought a body, and nothing had changed", n)
		}
		if n := len(calls); n < 490 || n > 760 { // every second, give or take a fifth
			t.Errorf("%d requests in 10 minutes", n)
		}
		time.Sleep(time.Hour)
		if n := w.count.Ops()["put"]; n != 1 {
			t.Errorf("%d reports in an hour, want 1", n)
		}
	})
}

func TestAFullDiskIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.release(testBundle("1.37.2", service("api", "")))
		w.run()
		time.Sleep(2 * time.Minute)
		w.host.mu.Lock()
		w.host.stageErr = fmt.Errorf("stage: %w", syscall.ENOSPC)
		w.host.mu.Unlock()
		w.release(testBundle("1.37.2", service("api", "", "--x")))
		time.Sleep(10 * time.Minute)
		w.expect("failed at 1; 2 failed:  stage: no space left on device: ")
		w.host.mu.Lock()
		w.host.stageErr = nil
		w.host.mu.Unlock()
		time.Sleep(3 * time.Minute)
		w.expect("confirmed at 2")
	})
}

// A newer minor version may have written what the older one cannot read.
func TestNothingGoesBackAcrossAMinorVersionByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		old := w.release(testBundle("1.37.2", service("etcd", ""), service("api", "etcd")))
		w.run()
		time.Sleep(2 * time.Minute)
		w.host.told()
		w.release(testBundle("1.38.0", service("etcd", "", "--newer"), service("api", "etcd", "--exit=0s")))
		time.Sleep(5 * time.Minute)
		const failed = "failed at 2; 2 failed: api ended 3 times: exit status 1 (no host goes back from 1.38.0 to 1.37.2 by itself): Error: no such thing"
		w.did("stage 1.38.0, switch, stop api, stop etcd, start etcd, start api")
		w.expect(failed)
		w.run()
		time.Sleep(5 * time.Minute)
		w.did("")
		w.expect(failed)

		// A patch of it is taken, and one that fails leads back to no older minor either.
		w.release(testBundle("1.38.1", service("etcd", "", "--newer"), service("api", "etcd", "--exit=1s")))
		time.Sleep(5 * time.Minute)
		w.did("stage 1.38.1, switch, stop api, start api")

		// A person may decide it.
		w.commit++
		w.publish(w.commit, old)
		time.Sleep(2 * time.Minute)
		w.did("switch, stop api, stop etcd, start etcd, start api")
		w.expect("confirmed at 4")
	})
}

// What ran before a reboot may need a program that is gone from the cache. A
// newer release that can be brought up is not kept waiting for it.
func TestAHostIsNotStuckOnWhatRanBefore(t *testing.T) {
	for name, confirmed := range map[string]bool{"known to be good": true, "on trial": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				old := w.release(testBundle("1.37.2", service("api", "")))
				w.run()
				time.Sleep(10 * time.Second)
				if confirmed {
					time.Sleep(2 * time.Minute)
				}
				w.stop()
				w.host.reboot()
				w.host.told()
				w.host.sets = map[string]*Set{}
				w.host.unfit = map[bundle.Digest]error{old: errors.New("asset services is not in the cache")}
				w.run()
				time.Sleep(10 * time.Minute)
				w.did("")
				w.expect("failed at 0; 1 failed:  asset services is not in the cache: ")
				w.release(testBundle("1.37.3", service("api", "", "--x")))
				time.Sleep(5 * time.Minute)
				w.did("stage 1.37.3, switch, start api")
				w.expect("confirmed at 2")
			})
		})
	}
}

// A set in force whose certificates cannot be renewed goes on, until they end:
// a person is told before.
func TestASetThatCannotBePutRightIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		log := &lines{}
		w.log = slog.New(slog.NewTextHandler(log, nil))
		d := w.release(testBundle("1.37.2", service("api", "")))
		w.run()
		time.Sleep(2 * time.Minute)
		w.host.told()
		log.take()
		unfit := func(err error) {
			w.host.mu.Lock()
			defer w.host.mu.Unlock()
			w.host.asked, w.host.unfit = 0, map[bundle.Digest]error{d: err}
		}
		unfit(errors.New("certificate pki/api: no space left on device"))
		time.Sleep(30 * time.Second)
		w.expect("confirmed at 1")
		time.Sleep(10 * time.Minute)
		w.expect("degraded at 1; 1 failed:  cannot be put right: certificate pki/api: no space left on device: ")
		w.host.mu.Lock()
		if n := w.host.asked; n < 8 || n > 30 {
			t.Errorf("tried %d times in ten minutes", n)
		}
		w.host.mu.Unlock()
		w.did("")
		if said := log.take(); strings.Count(said, "\n") != 1 {
			t.Errorf("log:\n%s", said)
		}
		unfit(nil)
		time.Sleep(2 * time.Minute)
		w.expect("confirmed at 1")

		// And it keeps nothing from coming.
		unfit(errors.New("certificate pki/api: no space left on device"))
		time.Sleep(5 * time.Minute)
		w.release(testBundle("1.37.3", service("api", "", "--x")))
		time.Sleep(2 * time.Minute)
		w.expect("confirmed at 2")
	})
}

// A trouble that passes in a moment brings up nothing else.
func TestWhatRanBeforeIsGivenAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.release(testBundle("1.37.2", service("api", "")))
		w.run()
		time.Sleep(2 * time.Minute)
		now := w.release(testBundle("1.37.3", service("api", "", "--x")))
		time.Sleep(10 * time.Second)
		w.expect("ready at 2")
		w.stop()
		w.host.reboot()
		w.host.told()
		w.host.unfit = map[bundle.Digest]error{now: errors.New("the disk is not there yet")}
		w.run()
		time.Sleep(3 * time.Second)
		w.host.mu.Lock()
		w.host.unfit = nil
		w.host.mu.Unlock()
		time.Sleep(2 * time.Minute)
		w.did("start api")
		w.expect("confirmed at 2")
	})
}

// Where neither can be brought up, each is tried again after a rest of its own.
func TestTwoBundlesThatCannotBeStagedRestInTurn(t *testing.T) {
	for name, err := range map[string]error{"nobody's fault": syscall.ENOSPC, "their own": fs.ErrInvalid} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				log := &lines{}
				w.log = slog.New(slog.NewTextHandler(log, nil))
				old := w.release(testBundle("1.37.2", service("api", "")))
				w.run()
				time.Sleep(2 * time.Minute)
				w.stop()
				w.host.reboot()
				w.host.told()
				log.take()
				w.host.sets = map[string]*Set{}
				bad := w.release(testBundle("1.37.3", service("api", "", "--x")))
				w.host.unfit = map[bundle.Digest]error{old: err, bad: err}
				w.host.asked = 0
				w.run()
				time.Sleep(10 * time.Minute)
				w.did("")
				if got := w.reported(); !strings.HasPrefix(got, "failed at 0; 2 failed:") {
					t.Errorf("reported %q", got)
				}
				w.host.mu.Lock()
				if n := w.host.asked; n < 10 || n > 60 {
					t.Errorf("staged %d times in ten minutes", n)
				}
				w.host.unfit = map[bundle.Digest]error{bad: err}
				w.host.mu.Unlock()
				if said := log.take(); strings.Count(said, "\n") > 12 {
					t.Errorf("ten minutes' log:\n%.3000s", said)
				}
				time.Sleep(3 * time.Minute)
				w.did("stage 1.37.2, start api")
			})
		})
	}
}

func TestAnAgentGoesOnWhereAnotherStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.release(testBundle("1.37.2", service("etcd", ""), service("api", "")))
		w.run()
		time.Sleep(2 * time.Minute)
		w.host.told()
		before := w.pids()
		w.run()
		time.Sleep(2 * time.Minute)
		w.did("")
		w.expect("confirmed at 1")
		if after := w.pids(); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("pids before %v, after %v", before, after)
		}

		// In the middle of a trial.
		w.release(testBundle("1.37.2", service("etcd", ""), service("api", "", "--crash=50s")))
		time.Sleep(20 * time.Second)
		w.run()
		time.Sleep(time.Second)
		w.expect("ready at 2")
		time.Sleep(time.Minute)
		w.expect("failed at 1; 2 failed: api ended after it had been ready: exit status 2: panic: of a sudden")
	})
}

func TestAStoreThatIsAwayStopsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.release(testBundle("1.37.2", service("api", "")))
		w.run()
		time.Sleep(2 * time.Minute)
		w.host.told()
		before := w.pids()
		here := w.store
		w.stop()
		w.store = vfs.New(away{}, "mem://away")
		w.run()
		time.Sleep(10 * time.Minute)
		w.did("")
		data, _, err := w.memory.Get(w.ctx, reportName)
		if err != nil {
			t.Fatal(err)
		}
		r, err := bundle.DecodeReport(data)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Phase; got != bundle.PhaseConfirmed || fmt.Sprint(w.pids()) != fmt.Sprint(before) {
			t.Errorf("phase %s, pids %v, before %v", got, w.pids(), before)
		}

		// Nor does a start after a reboot need it.
		w.stop()
		w.host.reboot()
		w.run()
		time.Sleep(10 * time.Second)
		w.did("start api")
		w.stop()
		w.store = here
		w.run()
		time.Sleep(10 * time.Second)
		w.expect("confirmed at 1")
	})
}

// reboot ends all services and forgets them, as a reboot does.
func (h *fakeHost) reboot() {
	h.mu.Lock()
	for _, s := range h.services {
		if s.st.State != Stopping {
			s.st.State = Stopping
			close(s.stopped)
		}
	}
	h.mu.Unlock()
	time.Sleep(time.Second)
}

// bodies counts the objects that were sent.
type bodies struct {
	vfs.Driver
	n atomic.Int32
}

func (b *bodies) Get(ctx context.Context, key string, unless vfs.Version) ([]byte, vfs.Entry, error) {
	data, e, err := b.Driver.Get(ctx, key, unless)
	if err == nil {
		b.n.Add(1)
	}
	return data, e, err
}

// away is a store out of reach.
type away struct{ vfs.Driver }

func (away) Get(context.Context, string, vfs.Version) ([]byte, vfs.Entry, error) {
	return nil, vfs.Entry{}, errors.New("no route to host")
}

func (away) Put(context.Context, string, []byte, vfs.Cond, string) (vfs.Entry, error) {
	return vfs.Entry{}, errors.New("no route to host")
}
