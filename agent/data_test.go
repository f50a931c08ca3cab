package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fakeData is the data of services on a host in memory. It fails the test when
// data is replaced while a service uses it.
type fakeData struct {
	host *fakeHost

	mu      sync.Mutex
	err     error // of the next copies, and of restores
	takes   time.Duration
	pending string // a restore that is asked for
}

func (d *fakeData) with(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}

func (d *fakeData) Preserve(ctx context.Context, next *Set, of Snapshot) error {
	d.mu.Lock()
	wait, fault := d.takes, d.err
	d.mu.Unlock()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
	}
	d.host.mu.Lock()
	defer d.host.mu.Unlock()
	for name, s := range d.host.services {
		if r, ok := next.find(name); name == "etcd" && (!ok || r.Digest != s.run.Digest) {
			if fault != nil {
				return &SnapshotError{name, fault}
			}
			d.host.note("copy %s of %d", name, of.Commit)
		}
	}
	return nil
}

func (d *fakeData) Pending(context.Context) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.pending, nil
}

func (d *fakeData) Restore(context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.host.mu.Lock()
	defer d.host.mu.Unlock()
	for name, s := range d.host.services {
		if name == d.pending || name == "api" || name == "scheduler" {
			d.host.t.Errorf("data of %s is replaced while %s is %s", d.pending, name, s.st.State)
		}
	}
	if d.err != nil {
		return d.err
	}
	d.host.note("replace %s", d.pending)
	d.pending = ""
	return nil
}

func withData(t *testing.T) (*world, *fakeData) {
	w := newWorld(t)
	d := &fakeData{host: w.host}
	w.data = d
	w.release(testBundle("1.37.1", service("etcd", ""), service("api", "etcd"), service("scheduler", "api"), service("other", "")))
	w.run()
	time.Sleep(2 * time.Minute)
	w.expect("confirmed at 1")
	w.host.told()
	return w, d
}

func TestWhatIsAtRiskIsKeptBeforeAReleaseComesIntoForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, d := withData(t)
		w.release(testBundle("1.37.2", service("etcd", ""), service("api", "etcd", "--x"), service("scheduler", "api"), service("other", "")))
		time.Sleep(2 * time.Minute)
		w.did("stage 1.37.2, switch, stop api, start api")

		d.with(func() { d.takes = 5 * time.Second })
		w.release(testBundle("1.37.3", service("etcd", "", "--x"), service("api", "etcd", "--x"), service("scheduler", "api"), service("other", "")))
		time.Sleep(2 * time.Minute)
		w.did("stage 1.37.3, copy etcd of 2, switch, stop etcd, start etcd")
		w.expect("confirmed at 3")
	})
}

func TestWithoutACopyAReleaseDoesNotComeIntoForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, d := withData(t)
		// Not even an error that a bundle could have makes the bundle a bad one.
		d.with(func() { d.err = fmt.Errorf("no space left on device: %w", fs.ErrInvalid) })
		before := w.pids()
		w.release(testBundle("1.37.2", service("etcd", "", "--x"), service("api", "etcd"), service("scheduler", "api"), service("other", "")))
		time.Sleep(5 * time.Minute)
		w.did("stage 1.37.2")
		w.expect("failed at 1; 2 failed:  snapshot of etcd: no space left on device: invalid argument: ")
		if after := w.pids(); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("pids before %v, after %v", before, after)
		}
		d.with(func() { d.err = nil })
		time.Sleep(4 * time.Minute)
		w.did("copy etcd of 1, switch, stop etcd, start etcd")
		w.expect("confirmed at 2")
	})
}

func TestANewerReleaseOvertakesACopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, d := withData(t)
		d.with(func() { d.takes = time.Hour })
		w.release(testBundle("1.37.2", service("etcd", "", "--x"), service("api", "etcd"), service("scheduler", "api"), service("other", "")))
		time.Sleep(time.Minute)
		d.with(func() { d.takes = 0 })
		w.release(testBundle("1.37.3", service("etcd", ""), service("api", "etcd", "--y"), service("scheduler", "api"), service("other", "")))
		time.Sleep(2 * time.Minute)
		w.did("stage 1.37.2, stage 1.37.3, switch, stop api, start api")
		w.expect("confirmed at 3")
	})
}

func TestARestoreStopsWhatNeedsTheDataAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, d := withData(t)
		other := w.pids()["other"]
		d.with(func() { d.pending = "etcd" })
		time.Sleep(time.Minute)
		w.did("stop scheduler, stop api, stop etcd, replace etcd, start etcd, start api, start scheduler")
		w.expect("confirmed at 1")
		if now := w.pids()["other"]; now != other {
			t.Errorf("other has pid %d, had %d", now, other)
		}
	})
}

func TestARestoreGoesOnUnderANewAgentAndJudgesNoTrial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, d := withData(t)
		w.release(testBundle("1.37.2", service("etcd", ""), service("api", "etcd", "--ready=1s"), service("scheduler", "api"), service("other", "")))
		time.Sleep(20 * time.Second)
		w.expect("ready at 2")
		w.host.told()
		d.with(func() { d.pending, d.err = "etcd", errors.New("input/output error") })
		for range 20 { // agents come and go, for longer than a trial
			time.Sleep(10 * time.Second)
			w.run()
		}
		if did := w.host.told(); strings.Contains(did, "start") {
			t.Errorf("started while the data is not there: %s", did)
		}
		d.with(func() { d.err = nil })
		time.Sleep(2 * time.Minute)
		w.did("replace etcd, start etcd, start api, start scheduler")
		w.expect("confirmed at 2")
	})
}
