// Package agent makes one host run what its cluster's release says: it polls
// the release, fetches the bundle of the host's group, stages it as a set of
// files beside the one in force, switches to it, restarts the services that
// changed, and watches them. A bundle whose services do not become ready, or
// end soon after, is left again for the last one known to be good, and its
// failure is reported in the component's own words.
//
// The decisions ([Converge], the trial) are over a [Host] and can be tried
// without one; [Machine] is the real one. The package knows nothing of cluster
// documents, of how bundles are planned, or of how a store keeps its history.
//
// The usual calls:
//
//	m, err := agent.OpenMachine(ctx, agent.MachineOptions{Dir: dir, …})
//	a, err := agent.New(ctx, agent.Options{Host: m, Store: store, Memory: memory, Bootstrap: b, Node: "a"})
//	err = a.Run(ctx)
package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/vfs"
)

// Options is what an agent is made of.
type Options struct {
	Bootstrap bundle.Bootstrap
	Node      string // name of this host in the cluster
	Address   string // shown in the report
	Version   string // of the agent, shown in the report

	Host   Host
	Data   Data    // nil: nobody looks after the services' data
	Store  *vfs.FS // the folder .stateroom/{cluster} of the store
	Memory *vfs.FS // what this agent keeps over a restart; private, on the host itself

	Poll  time.Duration // between requests for the release; 0: as the release says
	Trial Trial         // zero values are the defaults
	Log   *slog.Logger  // nil: none

	// Verify checks the signature of a release; nil: none is asked for.
	Verify func(*bundle.Release) error
}

// How often an agent looks at its services.
const (
	busyTick  = 100 * time.Millisecond // on the way somewhere
	quietTick = time.Second
)

// An Agent is one node. Its methods are for one goroutine.
type Agent struct {
	opt Options
	log *slog.Logger
	mem memory

	unsaved bool   // mem is newer than what Memory holds
	stored  string // what Memory holds

	// The store.
	version  vfs.Version // of the release read last
	interval time.Duration
	nextPoll time.Time
	away     error // why the store has no release for us
	misses   int
	asking   patient         // for the release
	telling  patient         // with the report
	fetching patient         // a bundle, for the goroutine that stages
	refused  *bundle.Failure // the release that was read last is not to be followed

	// The set in force, as far as this agent brought it there.
	set     *Set
	aim     Aim
	bundle  *bundle.Bundle
	since   time.Time // when it came into force
	arrived bool      // all of it was ready since
	trial   *trial    // nil: it is known to be good
	now     Progress

	staging *staging
	trouble map[bundle.Digest]*trouble // why sets that were wanted could not be staged
	said    map[string]string          // complaints made last, by what they are of
	recheck bool                       // look whether the set in force stands as it should
	mended  []bundle.Drift             // of the set in force, the newest first

	reports reports
}

// New returns an agent that goes on from what Memory holds. It makes no request
// to the store.
func New(ctx context.Context, opt Options) (*Agent, error) {
	if opt.Bootstrap.ReleaseKey != "" && opt.Verify == nil {
		return nil, fmt.Errorf("the bootstrap file asks for signed releases, which this version cannot verify: %w", errors.ErrUnsupported)
	}
	nobody := bundle.Report{Node: opt.Node, Group: opt.Bootstrap.Group, Phase: bundle.PhaseConverging}
	if err := nobody.Validate(); err != nil {
		return nil, err // a report that nobody could read
	}
	a := &Agent{opt: opt, log: opt.Log, interval: 10 * time.Second, said: map[string]string{}, trouble: map[bundle.Digest]*trouble{}}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	a.opt.Trial = opt.Trial.withDefaults()
	var err error
	if a.mem, a.stored, err = recall(ctx, opt.Memory); err != nil {
		return nil, err
	}
	boot := opt.Bootstrap
	if a.mem.ClusterID == "" {
		a.mem.ClusterID, a.mem.Group = boot.ClusterID, boot.Group
	}
	if a.mem.ClusterID != boot.ClusterID || a.mem.Group != boot.Group {
		return nil, &otherError{a.mem, boot, opt.Memory.Name()}
	}
	return a, nil
}

// otherError says that a host was one of another cluster, or group.
type otherError struct {
	was   memory
	boot  bundle.Bootstrap
	place string // of the memory
}

func (e *otherError) Error() string {
	return fmt.Sprintf("this host is of group %s of the cluster with id %s, not of group %s of %s", e.was.Group, e.was.ClusterID, e.boot.Group, e.boot.ClusterID)
}

func (e *otherError) Hint() string {
	return "what it keeps of the other is beside " + e.place + ": move that away, or give this agent a directory of its own"
}

// Run follows the release until ctx ends, and leaves all services running then.
func (a *Agent) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		a.turn(ctx)
		a.wait(ctx)
	}
	a.giveUpStaging()
	return nil
}

// Once follows the release that is there now until the host runs it and it is
// known to be good, or until it is known to be bad, which is a *FailedError.
// Without a store it brings up what ran before, and returns why there is none.
func (a *Agent) Once(ctx context.Context) error {
	defer a.giveUpStaging()
	for ctx.Err() == nil {
		a.turn(ctx)
		if a.away != nil && a.mem.Seen == nil {
			return a.away
		}
		if f := a.failed(); f != nil && a.rests() {
			return &FailedError{*f}
		}
		if a.phase() == bundle.PhaseConfirmed {
			return a.away
		}
		a.wait(ctx)
	}
	return context.Cause(ctx)
}

// rests reports whether a host whose newest bundle failed is as well again as
// it will be.
func (a *Agent) rests() bool {
	if a.trial != nil && a.trial.lost {
		return true
	}
	return a.still() && (a.set == nil || a.now.Done || time.Since(a.since) > a.opt.Trial.Ready)
}

// A FailedError is the failure of a bundle.
type FailedError struct{ Failure bundle.Failure }

func (e *FailedError) Error() string {
	f := e.Failure
	s := fmt.Sprintf("bundle of commit %d: ", f.Commit)
	if f.Service != "" {
		s += f.Service + " "
	}
	s += f.Reason
	if f.LastWords != "" {
		s += "\n" + f.LastWords
	}
	return s
}

// turn does all that can be done now.
func (a *Agent) turn(ctx context.Context) {
	if !time.Now().Before(a.nextPoll) {
		a.poll(ctx)
		a.recheck = true
	}
	a.head(ctx)
	a.converge(ctx)
	a.remember(ctx)
	a.report(ctx)
}

// wait sleeps until there may be something to do.
func (a *Agent) wait(ctx context.Context) {
	tick := busyTick
	if a.still() && a.now.Done {
		tick = quietTick
	}
	t := time.NewTimer(min(tick, max(0, time.Until(a.nextPoll))))
	defer t.Stop()
	var staged <-chan struct{}
	if a.staging != nil {
		staged = a.staging.done
	}
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-staged:
	}
}

// complain logs what goes wrong at turn after turn once, until it goes well or
// goes wrong otherwise.
func (a *Agent) complain(ctx context.Context, what string, err error) {
	said := alike(err)
	if said != "" && said != a.said[what] && ctx.Err() == nil {
		a.log.WarnContext(ctx, what, slog.Any("err", err))
	}
	a.said[what] = said
}

// madeUp are names of files that are being written: others with each try.
var madeUp = regexp.MustCompile(`(\bnew[.-]|\.tmp-)[A-Za-z0-9]+`)

// alike returns a text that is the same for errors that say the same to people;
// "" for none.
func alike(err error) string {
	if err == nil {
		return ""
	}
	return madeUp.ReplaceAllString(err.Error(), "${1}*")
}

// remember writes the memory where it changed. What cannot be written is tried
// again at the next turn: the host goes on with what it knows.
func (a *Agent) remember(ctx context.Context) {
	if !a.unsaved {
		return
	}
	err := a.keep(ctx, a.mem)
	if a.complain(ctx, "cannot remember", err); err != nil {
		return
	}
	a.unsaved = false
	if err := a.forget(ctx); err != nil {
		a.log.WarnContext(ctx, "cannot forget old bundles", slog.Any("err", err))
	}
}
