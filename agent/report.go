package agent

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/vfs"
)

// When reports are made, besides every [bundle.ReportEvery].
const (
	breath      = time.Second     // between two, though much changes
	firstResend = 5 * time.Second // after one that was not taken
	lastResend  = 5 * time.Minute
)

// reports is what was said last, where, and when.
type reports struct {
	kept  string    // on the host: the report without its time
	sent  string    // to the store
	next  time.Time // not before
	due   time.Time // at the latest
	delay time.Duration
}

// failed returns why the newest release is not what runs here, or nil.
func (a *Agent) failed() *bundle.Failure {
	if a.refused != nil {
		return a.refused
	}
	if s := a.mem.Seen; s != nil {
		if f := a.mem.failure(*s); f != nil {
			return f
		}
	}
	for _, aim := range []*Aim{a.mem.Seen, a.next()} { // the newest says more, where neither could be staged
		if aim == nil || a.set != nil && aim.Digest == a.aim.Digest {
			continue
		}
		if t := a.trouble[aim.Digest]; t != nil && a.blocked() {
			return &bundle.Failure{Commit: t.aim.Commit, Digest: t.aim.Digest, Reason: alike(t.err)}
		}
	}
	return nil
}

// worn returns why the set in force cannot be put right, or its certificates not
// renewed, once that has been so for a while; or nil. What runs goes on until
// they end.
func (a *Agent) worn() *bundle.Failure {
	if a.set == nil {
		return nil
	}
	t := a.trouble[a.aim.Digest]
	if t == nil || time.Since(t.since) < lastRetry {
		return nil
	}
	return &bundle.Failure{Commit: t.aim.Commit, Digest: t.aim.Digest, Reason: "cannot be put right: " + alike(t.err)}
}

// blocked reports whether the bundle that should run could not be staged.
func (a *Agent) blocked() bool {
	want := a.next()
	return want != nil && a.trouble[want.Digest] != nil
}

// still reports whether the agent is on the way nowhere.
func (a *Agent) still() bool {
	want := a.next()
	return a.trial == nil && (want == nil || a.set != nil && want.Digest == a.aim.Digest || a.blocked() && a.staging == nil)
}

// phase sums up how the host is.
func (a *Agent) phase() string {
	want := a.next()
	switch {
	case a.failed() != nil:
		return bundle.PhaseFailed
	case a.set == nil, want != nil && want.Digest != a.aim.Digest:
		return bundle.PhaseConverging
	case a.worn() != nil:
		return bundle.PhaseDegraded
	case a.trial != nil && a.now.Done:
		return bundle.PhaseReady
	case a.now.Done:
		return bundle.PhaseConfirmed
	case a.arrived && a.trial == nil, time.Since(a.since) > a.opt.Trial.Ready && a.trial == nil:
		return bundle.PhaseDegraded
	}
	return bundle.PhaseConverging
}

// Report returns how the node is now.
func (a *Agent) Report() *bundle.Report {
	r := &bundle.Report{
		Node: a.opt.Node, Group: a.opt.Bootstrap.Group, Address: a.opt.Address, Time: time.Now(),
		Phase: a.phase(), Failed: cmp.Or(a.failed(), a.worn()), AgentVersion: a.opt.Version,
	}
	if a.set != nil {
		r.Commit, r.Digest = a.aim.Commit, a.aim.Digest
	}
	for _, s := range a.now.Services {
		r.Services = append(r.Services, bundle.ServiceStatus{Name: s.Name, PID: s.PID, Started: s.Started, State: string(s.State)})
	}
	r.Drift = a.drift()
	return r
}

// report says how the node is, on change and hourly: to the host at once, to
// the store not more than once in a breath, and later where it is away.
func (a *Agent) report(ctx context.Context) {
	if a.set == nil && len(a.trouble) == 0 && a.next() != nil && a.next() != a.mem.Seen {
		return // taking up what ran before: nothing to say yet
	}
	r := a.Report()
	timeless := *r
	timeless.Time = time.Time{}
	text := string(timeless.Encode())
	now := time.Now()
	if text != a.reports.kept {
		if _, err := a.opt.Memory.Put(ctx, reportName, r.Encode(), vfs.Cond{}, ""); err == nil {
			a.reports.kept = text
		}
	}
	if now.Before(a.reports.next) || text == a.reports.sent && now.Before(a.reports.due) {
		return
	}
	err := a.telling.do(ctx, patience, func(ctx context.Context) error {
		_, err := a.opt.Store.Put(ctx, bundle.ReportName(a.opt.Node), r.Encode(), vfs.Cond{}, "")
		return err
	})
	if err != nil {
		if a.reports.delay == 0 && !errors.Is(err, context.Canceled) {
			a.log.WarnContext(ctx, "cannot report", slog.Any("err", err))
		}
		a.reports.delay = min(max(firstResend, 2*a.reports.delay), lastResend)
		a.reports.next = now.Add(jitter(a.reports.delay))
		return
	}
	a.reports.sent, a.reports.delay = text, 0
	a.reports.next, a.reports.due = now.Add(breath), now.Add(bundle.ReportEvery)
}
