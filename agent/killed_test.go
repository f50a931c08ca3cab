package agent

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/vfs"
)

// mortal is an agent's life: it ends at its n-th act, before or after that is
// done, and nothing that the agent wants afterwards happens. It is what kill -9
// does to it.
type mortal struct {
	mu    sync.Mutex
	n     int
	after bool
	dead  bool
	last  string // act
}

var errDead = errors.New("the agent is dead")

func (m *mortal) act(what string, do func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return errDead
	}
	m.last = what
	if m.n--; m.n == 0 && !m.after {
		m.dead = true
		return errDead
	}
	err := do()
	if m.n == 0 {
		m.dead = true
		return errDead
	}
	return err
}

func (m *mortal) isDead() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dead
}

// on puts an agent's hands into mortal's.
func (m *mortal) on(h Host, store, memory *vfs.FS) (Host, *vfs.FS, *vfs.FS) {
	return mortalHost{h, m}, vfs.New(mortalDriver{fsDriver{store}, m, "report"}, store.Name()), vfs.New(mortalDriver{fsDriver{memory}, m, "remember"}, memory.Name())
}

type mortalHost struct {
	Host
	m *mortal
}

func (h mortalHost) Stage(ctx context.Context, want Wanted) (set *Set, err error) {
	if fake := h.Host.(*fakeHost); fake.stands(want.Digest) && !h.m.isDead() {
		return fake.Stage(ctx, want) // a look, as at every poll
	}
	return set, h.m.act("stage", func() error { set, err = h.Host.Stage(ctx, want); return err })
}

func (h mortalHost) Switch(ctx context.Context, s *Set, keep ...bundle.Digest) error {
	return h.m.act("switch", func() error { return h.Host.Switch(ctx, s, keep...) })
}

func (h mortalHost) Start(ctx context.Context, r Run) error {
	return h.m.act("start "+r.Name, func() error { return h.Host.Start(ctx, r) })
}

func (h mortalHost) Stop(ctx context.Context, name string) error {
	return h.m.act("stop "+name, func() error { return h.Host.Stop(ctx, name) })
}

// fsDriver makes a driver of what is made of one.
type fsDriver struct{ *vfs.FS }

func (d fsDriver) Get(ctx context.Context, key string, unless vfs.Version) ([]byte, vfs.Entry, error) {
	return d.GetUnless(ctx, key, unless)
}

type mortalDriver struct {
	vfs.Driver
	m    *mortal
	what string
}

func (d mortalDriver) Put(ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (e vfs.Entry, err error) {
	return e, d.m.act(d.what+" "+key, func() error { e, err = d.Driver.Put(ctx, key, data, c, tag); return err })
}

func (d mortalDriver) Delete(ctx context.Context, key string, c vfs.Cond) error {
	return d.m.act("forget", func() error { return d.Driver.Delete(ctx, key, c) })
}

// killedAtEveryAct is one of the attacks: it kills the agent before and after
// each thing it does on the way to a release, and wants another one to end well.
func killedAtEveryAct(t *testing.T) {
	old := func() *bundle.Bundle {
		return testBundle("1.37.1", service("etcd", ""), service("api", "etcd"), service("scheduler", "api"), service("gone", ""))
	}
	for _, c := range []struct {
		name string
		old  *bundle.Bundle // confirmed before; nil: nothing
		now  *bundle.Bundle
		want string // report
		runs string // services and arguments, then
	}{
		{"the first", nil, testBundle("1.37.2", service("etcd", ""), service("api", "etcd", "--ready=1s")), "confirmed at 1", "map[api:[--ready=1s] etcd:[]]"},
		{"a change", old(), testBundle("1.37.2", service("etcd", "", "--ready=1s"), service("api", "etcd", "--ready=2s"), service("scheduler", "api"), service("new", "api")),
			"confirmed at 2", "map[api:[--ready=2s] etcd:[--ready=1s] new:[] scheduler:[]]"},
		{"one that ends", old(), testBundle("1.37.2", service("etcd", "", "--ready=1s"), service("api", "etcd", "--exit=0s")),
			"failed at 1; 2 failed: api ended 3 times: exit status 1: Error: no such thing", "map[api:[] etcd:[] gone:[] scheduler:[]]"},
		{"one that crashes late", old(), testBundle("1.37.2", service("etcd", ""), service("api", "etcd", "--crash=5s")),
			"failed at 1; 2 failed: api ended after it had been ready: exit status 2: panic: of a sudden", "map[api:[] etcd:[] gone:[] scheduler:[]]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			kills := 0
			for n, lives := 1, false; !lives; n++ {
				for _, after := range []bool{false, true} {
					m := &mortal{n: n, after: after}
					synctest.Test(t, func(t *testing.T) { killed(t, m, c.old, c.now, c.want, c.runs) })
					if lives = !m.dead; !lives {
						kills++
					}
				}
				if n > 60 {
					t.Fatal("it never gets through")
				}
			}
			t.Logf("%d kills", kills)
			if kills < 20 {
				t.Errorf("only %d kills", kills)
			}
		})
	}
}

func killed(t *testing.T, m *mortal, old, now *bundle.Bundle, report, runs string) {
	w := newWorld(t)
	w.trial.Confirm = 10 * time.Second
	if old != nil {
		w.release(old)
		w.run()
		time.Sleep(15 * time.Second)
		w.expect("confirmed at 1")
	}
	w.mortal = m
	w.run()
	w.release(now)
	for range 60 {
		if time.Sleep(time.Second); m.isDead() {
			break
		}
	}
	w.stop()
	w.mortal = nil
	w.run()
	time.Sleep(time.Minute)
	at := fmt.Sprintf("killed at %d (%s, after it: %v): ", m.n, m.last, m.after)
	if got := manyTimes.ReplaceAllString(w.reported(), "ended 3 times"); got != report {
		t.Errorf("%sreported %q, want %q", at, got, report)
	}
	if got := w.running(); got != runs {
		t.Errorf("%sruns %s, want %s", at, got, runs)
	}
	w.host.told()
	w.run() // and there is nothing left to do
	time.Sleep(30 * time.Second)
	if did := w.host.told(); did != "" {
		t.Errorf("%sthe one after that did: %s", at, did)
	}
}

// manyTimes is how often a service ended until somebody looked.
var manyTimes = regexp.MustCompile(`ended \d+ times`)

func (h *fakeHost) stands(d bundle.Digest) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sets[d.Hex()] != nil
}

// running returns the services that are ready, with their arguments.
func (w *world) running() string {
	w.host.mu.Lock()
	defer w.host.mu.Unlock()
	all := map[string][]string{}
	for name, s := range w.host.services {
		if s.st.State == Running {
			all[name] = s.run.Args
		}
	}
	return fmt.Sprint(all)
}
