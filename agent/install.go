package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/stateroom/stateroom/bundle"
)

// staging is a set on its way onto the host, in a goroutine of its own: the
// agent goes on meanwhile, and a newer release ends it.
type staging struct {
	aim    Aim
	cancel context.CancelFunc
	done   chan struct{} // closed when the rest is there
	bundle *bundle.Bundle
	set    *Set
	err    error
}

// trouble is a bundle that could not be staged, which may be nobody's fault.
type trouble struct {
	aim   Aim
	err   error
	since time.Time // when it began
	next  time.Time // when to try again
	delay time.Duration
}

const (
	firstRetry = time.Second
	lastRetry  = time.Minute

	// So long a trouble may pass by itself, as where a disk is not there yet,
	// before something older or newer is brought up instead.
	passing = 10 * time.Second
)

// next returns the bundle that this host should run now, or nil.
func (a *Agent) next() *Aim {
	m := &a.mem
	switch {
	case a.set == nil:
		return a.first()
	case m.Seen != nil && m.failure(*m.Seen) == nil:
		return m.Seen
	case m.Trial != nil && m.failure(*m.Trial) == nil:
		return m.Trial
	case m.back() != nil:
		return &m.back().Aim
	}
	return m.Trial // it failed, and there is nothing to go back to
}

// first returns what a host begins with: what ran before, since the newest
// release may be out of reach. What cannot be staged is not waited for while
// there is something else to try.
func (a *Agent) first() *Aim {
	m := &a.mem
	before := []*Aim{m.Trial}
	for _, k := range []*Kept{m.Ready, m.Good} {
		if k != nil && sameMinor(k.Version, m.Version) {
			before = append(before, &k.Aim)
		}
	}
	var all, failed []*Aim
	for _, aim := range append(before, m.Seen) {
		switch {
		case aim == nil:
		case m.failure(*aim) == nil:
			all = append(all, aim)
		case aim != m.Seen:
			failed = append(failed, aim)
		}
	}
	all = append(all, failed...) // rather than nothing
	var best *Aim
	for _, aim := range all {
		t := a.trouble[aim.Digest]
		if t == nil || time.Since(t.since) < passing {
			return aim
		}
		if best == nil || t.next.Before(a.trouble[best.Digest].next) {
			best = aim
		}
	}
	return best
}

// head turns towards the bundle that should run: stages it, and puts it in
// force once it is staged.
func (a *Agent) head(ctx context.Context) {
	want := a.next()
	if s := a.staging; s != nil {
		select {
		case <-s.done:
			a.staging = nil
			a.staged(ctx, s)
			want = a.next()
		default:
			if want != nil && want.Digest == s.aim.Digest {
				s.aim.Commit = want.Commit
				return
			}
			a.giveUpStaging()
		}
	}
	switch {
	case want == nil || a.staging != nil:
	case a.set == nil || want.Digest != a.aim.Digest:
		if t := a.trouble[want.Digest]; t == nil || t.aim != *want || !time.Now().Before(t.next) {
			a.stage(ctx, *want)
		}
	default:
		a.renumber(ctx, *want)
		if t := a.trouble[a.aim.Digest]; a.recheck && (t == nil || !time.Now().Before(t.next)) {
			a.recheck = false
			a.stage(ctx, a.aim)
		}
	}
}

func (a *Agent) stage(ctx context.Context, aim Aim) {
	ctx, cancel := context.WithCancel(ctx)
	s := &staging{aim: aim, cancel: cancel, done: make(chan struct{})}
	a.staging = s
	if a.set != nil && a.aim.Digest == aim.Digest {
		s.bundle = a.bundle
	}
	preserve := a.preserve(aim)
	go func() {
		defer close(s.done)
		defer cancel()
		if s.bundle == nil {
			s.bundle, s.err = a.bundleOf(ctx, aim.Digest)
		}
		if s.err == nil {
			s.set, s.err = a.opt.Host.Stage(ctx, Wanted{aim.Digest, s.bundle})
		}
		if s.err == nil {
			s.err = preserve(ctx, s.set)
		}
	}()
}

// preserve returns what keeps the data that a set puts at risk, while the agent
// goes on.
func (a *Agent) preserve(aim Aim) func(context.Context, *Set) error {
	now, boot, data := a.set, a.opt.Bootstrap, a.opt.Data
	of := Snapshot{Cluster: boot.Cluster, ClusterID: boot.ClusterID, Commit: aim.Commit}
	if now != nil {
		of.Commit = a.aim.Commit // what was in etcd then
	}
	return func(ctx context.Context, next *Set) error {
		if data == nil || now != nil && now.ID == next.ID {
			return nil
		}
		return data.Preserve(ctx, next, of)
	}
}

// giveUpStaging ends a staging and waits for it: two at a time would be in each
// other's way.
func (a *Agent) giveUpStaging() {
	if a.staging != nil {
		a.staging.cancel()
		<-a.staging.done
		a.staging = nil
	}
}

// staged takes what came of a staging.
func (a *Agent) staged(ctx context.Context, s *staging) {
	err := s.err
	if err == nil {
		err = a.install(ctx, s)
	}
	if ctx.Err() != nil {
		return
	}
	if err == nil {
		delete(a.trouble, s.aim.Digest)
		return
	}
	t := a.trouble[s.aim.Digest]
	if t == nil || alike(t.err) != alike(err) {
		a.log.WarnContext(ctx, "cannot stage", slog.Int("commit", s.aim.Commit), slog.String("digest", s.aim.Digest.Short()), slog.Any("err", err))
	}
	if errors.Is(err, fs.ErrInvalid) && (a.set == nil || s.aim.Digest != a.aim.Digest) && a.mem.failure(s.aim) == nil {
		a.condemn(ctx, bundle.Failure{Commit: s.aim.Commit, Digest: s.aim.Digest, Reason: err.Error()})
		return
	}
	delay, since := firstRetry, time.Now()
	if t != nil && t.aim == s.aim {
		delay, since = min(2*t.delay, lastRetry), t.since
	}
	needed := a.needed()
	maps.DeleteFunc(a.trouble, func(d bundle.Digest, _ *trouble) bool { return !slices.Contains(needed, d) })
	a.trouble[s.aim.Digest] = &trouble{aim: s.aim, err: err, since: since, delay: delay, next: time.Now().Add(jitter(delay))}
}

// install puts a staged set in force. What it is, on trial or known to be good,
// is remembered before: if we stop here, the next agent goes on from there.
func (a *Agent) install(ctx context.Context, s *staging) error {
	aim, set := s.aim, s.set
	if a.set != nil && a.aim.Digest == aim.Digest {
		a.mend(set.Mended)
	}
	if a.set != nil && a.set.ID == set.ID {
		return nil // it was only looked at
	}
	again := a.set != nil && aim.Digest == a.aim.Digest // files renewed
	resumed := a.set == nil && a.mem.Trial != nil && a.mem.Trial.Digest == aim.Digest
	good := a.mem.isGood(aim.Digest)
	switch {
	case again:
	case good:
		a.mem.Trial, a.mem.Ready = nil, nil
		a.mem.Good.Commit = max(a.mem.Good.Commit, aim.Commit)
	default:
		a.mem.Ready = a.held(aim)
		a.mem.Trial = &aim
	}
	a.mem.Version = s.bundle.Version
	if err := a.keep(ctx, a.mem); err != nil {
		return fmt.Errorf("remember what is in force: %w", err)
	}
	if err := a.opt.Host.Switch(ctx, set, a.kept()...); err != nil {
		return fmt.Errorf("switch to the set %s: %w", set.ID, err)
	}
	a.log.InfoContext(ctx, "in force", slog.Int("commit", aim.Commit), slog.String("digest", aim.Digest.Short()), slog.Bool("trial", !good))
	a.set, a.aim, a.bundle = set, aim, s.bundle
	if again {
		return nil
	}
	a.since, a.arrived, a.trial, a.mended = time.Now(), false, nil, nil
	a.mend(set.Mended)
	if !good {
		a.try(ctx, resumed)
	}
	return nil
}

// try begins the trial of the set in force.
func (a *Agent) try(ctx context.Context, resumed bool) {
	var before []ServiceState
	if !resumed {
		// An error shows again, and is seen to, when the agent converges.
		before, _ = a.opt.Host.Services(ctx)
	}
	var back map[string]string
	if k := a.mem.before(); k != nil {
		back = k.Services
	}
	a.trial = begin(a.opt.Trial, time.Now(), a.set, back, before)
	a.trial.lost = a.mem.back() == nil && a.mem.failure(a.aim) != nil
}

// held returns the bundle that is to be gone back to before the last known good
// one, when aim takes the place of what is in force. People change a thing
// again before a minute is over: what was ready until then is more than nothing,
// and nearer to what they want than what was good before.
func (a *Agent) held(aim Aim) *Kept {
	if k := a.mem.Ready; k != nil && (k.Digest == aim.Digest || a.mem.failure(k.Aim) != nil) {
		a.mem.Ready = nil
	}
	if a.set == nil || a.trial == nil || a.trial.lost || !a.now.Done {
		return a.mem.Ready
	}
	return a.asKept()
}

// asKept is what is in force, to be gone back to.
func (a *Agent) asKept() *Kept { return &Kept{a.aim, a.set.digests(), a.bundle.Version} }

// kept are the bundles whose sets must stay on the host.
func (a *Agent) kept() []bundle.Digest {
	var keep []bundle.Digest
	for _, k := range []*Kept{a.mem.Good, a.mem.Ready} {
		if k != nil {
			keep = append(keep, k.Digest)
		}
	}
	return keep
}

// needed are the bundles that this host may yet have to bring into force.
func (a *Agent) needed() []bundle.Digest {
	all := a.kept()
	for _, aim := range []*Aim{a.mem.Seen, a.mem.Trial} {
		if aim != nil {
			all = append(all, aim.Digest)
		}
	}
	return all
}

// renumber takes a newer commit that names the bundle which is in force.
func (a *Agent) renumber(ctx context.Context, want Aim) {
	if want.Commit <= a.aim.Commit {
		return
	}
	a.aim, a.unsaved = want, true
	if a.mem.isGood(want.Digest) {
		a.mem.Good.Commit = want.Commit
		return
	}
	a.mem.Trial = &want
	if a.trial != nil && a.trial.lost {
		a.try(ctx, false) // another chance
	}
}

// converge brings the services to the set in force and judges it.
func (a *Agent) converge(ctx context.Context) {
	if a.set == nil {
		return
	}
	if a.restore(ctx) {
		return
	}
	p, err := Converge(ctx, a.opt.Host, a.set)
	a.complain(ctx, "cannot converge", err)
	a.now = p
	if p.Done && !a.arrived {
		a.arrived = true
		a.log.InfoContext(ctx, "ready", slog.Int("commit", a.aim.Commit), slog.Duration("elapsed", time.Since(a.since)))
	}
	if a.trial == nil || err != nil {
		return
	}
	bad, good := a.trial.judge(time.Now(), a.set, p)
	switch {
	case bad != nil:
		bad.Commit, bad.Digest = a.aim.Commit, a.aim.Digest
		a.condemn(ctx, *bad)
	case good:
		a.confirm(ctx)
	}
}

// restore goes on with a restore of a service's data, if one is pending: ends
// the service and what comes after it, then has the data replaced. It reports
// whether it is not done yet. The bundle is not judged meanwhile.
func (a *Agent) restore(ctx context.Context) bool {
	if a.opt.Data == nil {
		return false
	}
	p, pending, err := restore(ctx, a.opt.Host, a.opt.Data, a.set)
	a.complain(ctx, "cannot restore", err)
	if pending {
		a.now = p
		if a.trial != nil {
			a.trial.readySince = time.Time{}
		}
	}
	return pending
}

// condemn remembers a bundle that failed. The next turn goes back to what was
// before it; where there is nothing, the host stays with what it has.
func (a *Agent) condemn(ctx context.Context, f bundle.Failure) {
	f.LastWords = bundle.LastWords(f.LastWords)
	onTrial := a.trial != nil && a.aim.Digest == f.Digest
	if k := a.mem.before(); onTrial && k != nil && a.mem.back() == nil {
		f.Reason += fmt.Sprintf(" (no host goes back from %s to %s by itself)", a.bundle.Version, k.Version)
	}
	a.log.ErrorContext(ctx, "the bundle failed", slog.Int("commit", f.Commit), slog.String("digest", f.Digest.Short()),
		slog.String("service", f.Service), slog.String("reason", f.Reason), slog.String("lastWords", f.LastWords))
	a.mem.condemn(f)
	a.unsaved = true
	if !onTrial {
		return
	}
	if a.mem.back() == nil {
		a.trial.lost = true
		return
	}
	a.mem.Trial, a.trial = nil, nil
}

// confirm makes the set in force the last known good one.
func (a *Agent) confirm(ctx context.Context) {
	m := a.mem
	m.Good, m.Ready, m.Trial = a.asKept(), nil, nil
	m.Bad = append([]bundle.Failure(nil), m.Bad...)
	m.forgive(a.aim.Digest)
	err := a.keep(ctx, m)
	if a.complain(ctx, "cannot remember", err); err != nil {
		return // and try again at the next turn
	}
	a.mem, a.trial = m, nil
	a.log.InfoContext(ctx, "confirmed", slog.Int("commit", a.aim.Commit), slog.String("digest", a.aim.Digest.Short()))
	if err := a.opt.Host.Switch(ctx, a.set); err != nil {
		a.log.WarnContext(ctx, "cannot sweep old sets", slog.Any("err", err))
	}
	if err := a.forget(ctx); err != nil {
		a.log.WarnContext(ctx, "cannot forget old bundles", slog.Any("err", err))
	}
}
