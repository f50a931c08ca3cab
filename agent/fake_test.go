package agent

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stateroom/stateroom/bundle"
)

// fakeHost is a machine in memory. It fails the test when it is used otherwise
// than Host allows, and it plays services whose behaviour stands in their
// arguments: --ready=2s, --crash=20s (after it was ready), --exit=0s (before).
type fakeHost struct {
	t *testing.T

	mu       sync.Mutex
	sets     map[string]*Set
	current  string
	services map[string]*fakeService
	pids     int
	calls    []string // all that changed something
	stageErr error
	unfit    map[bundle.Digest]error // what cannot be staged, nor put right
	asked    int                     // how often Stage was called
	stageFor time.Duration
}

type fakeService struct {
	run     Run
	st      ServiceState
	stopped chan struct{}
}

func newFakeHost(t *testing.T) *fakeHost {
	return &fakeHost{t: t, sets: map[string]*Set{}, services: map[string]*fakeService{}}
}

func (h *fakeHost) note(format string, args ...any) {
	h.calls = append(h.calls, fmt.Sprintf(format, args...))
}

// told returns what changed since it was asked last.
func (h *fakeHost) told() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := strings.Join(h.calls, ", ")
	h.calls = nil
	return s
}

func (h *fakeHost) Stage(ctx context.Context, want Wanted) (*Set, error) {
	h.mu.Lock()
	h.asked++
	wait, fault, unfit := h.stageFor, h.stageErr, h.unfit[want.Digest]
	h.mu.Unlock()
	if wait > 0 {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.sets[want.Digest.Hex()]; s != nil || unfit != nil {
		return s, unfit
	}
	if fault != nil {
		return nil, fault
	}
	site := Site{Node: "a", Address: "192.0.2.1", Set: "/set", State: "/state"}
	r, err := render(want.Bundle, site)
	if err != nil {
		return nil, err
	}
	digests := map[string]string{}
	for p, f := range r.files {
		digests[p] = digestOf([]byte(f.Content))
	}
	services, err := runs(want.Bundle, site, digests)
	if err != nil {
		return nil, err
	}
	h.note("stage %s", want.Bundle.Version)
	h.sets[want.Digest.Hex()] = &Set{ID: want.Digest.Hex(), Bundle: want.Digest, Services: services}
	return h.sets[want.Digest.Hex()], nil
}

func (h *fakeHost) Switch(_ context.Context, s *Set, keep ...bundle.Digest) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.sets[s.ID] != s {
		h.t.Errorf("switch to the set %s, which is not staged", s.ID)
	}
	if h.current != s.ID {
		h.note("switch")
	}
	h.current = s.ID
	maps.DeleteFunc(h.sets, func(id string, _ *Set) bool {
		return id != s.ID && !slices.ContainsFunc(keep, func(d bundle.Digest) bool { return d.Hex() == id })
	})
	return nil
}

func (h *fakeHost) Services(context.Context) ([]ServiceState, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []ServiceState
	for _, s := range h.services {
		all = append(all, s.st)
	}
	return all, nil
}

func (h *fakeHost) Start(_ context.Context, r Run) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.services[r.Name] != nil {
		h.t.Errorf("start %s, which runs", r.Name)
	}
	if now, ok := h.sets[h.current].find(r.Name); !ok || now.Digest != r.Digest {
		h.t.Errorf("start %s, which is not of the set in force", r.Name)
	}
	for _, a := range r.After {
		if s := h.services[a]; s == nil || s.st.Ready.IsZero() {
			h.t.Errorf("start %s before %s is ready", r.Name, a)
		}
	}
	h.note("start %s", r.Name)
	s := &fakeService{run: r, stopped: make(chan struct{}), st: ServiceState{Name: r.Name, Digest: r.Digest, After: r.After, Since: time.Now()}}
	h.services[r.Name] = s
	go h.play(s)
	return nil
}

func (h *fakeHost) Stop(_ context.Context, name string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.services[name]
	if s == nil || s.st.State == Stopping {
		h.t.Errorf("stop %s, which does not run", name)
		return nil
	}
	h.note("stop %s", name)
	s.st.State, s.st.Ready = Stopping, time.Time{}
	close(s.stopped)
	return nil
}

// play is the life of a service.
func (h *fakeHost) play(s *fakeService) {
	defer func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.services, s.run.Name)
	}()
	set := func(change func()) {
		h.mu.Lock()
		defer h.mu.Unlock()
		if s.st.State != Stopping {
			change()
		}
	}
	wait := func(d time.Duration) bool {
		select {
		case <-s.stopped:
			time.Sleep(100 * time.Millisecond) // to end takes a moment
			return false
		case <-time.After(d):
			return true
		}
	}
	for {
		set(func() { h.pids++; s.st.PID, s.st.Started, s.st.State = h.pids, time.Now(), Starting })
		if d, ok := playArg(s.run, "exit"); ok {
			if !wait(d) {
				return
			}
			set(func() { s.st.Exits++; s.st.LastExit, s.st.LastWords = "exit status 1", "Error: no such thing" })
		} else {
			ready, _ := playArg(s.run, "ready")
			if !wait(ready) {
				return
			}
			set(func() { s.st.Ready, s.st.State = time.Now(), Running })
			crash, ok := playArg(s.run, "crash")
			if !ok {
				crash = 1e6 * time.Hour
			}
			if !wait(crash) {
				return
			}
			set(func() {
				s.st.Exits, s.st.Crashes, s.st.Ready = s.st.Exits+1, s.st.Crashes+1, time.Time{}
				s.st.LastExit, s.st.LastWords = "exit status 2", "panic: of a sudden"
			})
		}
		set(func() { s.st.PID, s.st.State = 0, Waiting })
		if !wait(time.Second) {
			return
		}
	}
}

func playArg(r Run, name string) (time.Duration, bool) {
	for _, a := range r.Args {
		if v, ok := strings.CutPrefix(a, "--"+name+"="); ok {
			d, err := time.ParseDuration(v)
			return d, err == nil
		}
	}
	return 0, false
}
