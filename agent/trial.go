package agent

import (
	"fmt"
	"time"

	"github.com/stateroom/stateroom/bundle"
)

// Trial says how long a new bundle is on probation, and what ends it.
type Trial struct {
	Ready   time.Duration // from a service's start to its being ready, where its probe does not say; default 90 s
	Confirm time.Duration // from all being ready to the bundle counting as good; default 60 s
	Exits   int           // so often may no service end before it was ready; default 3
}

func (t Trial) withDefaults() Trial {
	if t.Ready == 0 {
		t.Ready = 90 * time.Second
	}
	if t.Confirm == 0 {
		t.Confirm = 60 * time.Second
	}
	if t.Exits == 0 {
		t.Exits = 3
	}
	return t
}

// trial is the probation of one set. It keeps only what a new agent can do
// without: its clocks begin again then.
type trial struct {
	rules      Trial
	began      time.Time
	fresh      map[string]bool         // services that the set brings or changes
	before     map[string]ServiceState // those that ran as the set wants them when it began
	readySince time.Time               // all ready, without a break
	lost       bool                    // it failed, and there is nothing to go back to: it can only prove good yet
}

// begin puts a set on probation. good has the digests of the services of the
// set to go back to: a service that differs from it may not end once it was
// ready, while one that the set did not touch has the benefit of the doubt.
// states are those of the services before the set came into force; what they
// did until then is not held against it.
func begin(rules Trial, now time.Time, want *Set, good map[string]string, states []ServiceState) *trial {
	t := &trial{rules: rules, began: now, fresh: map[string]bool{}, before: map[string]ServiceState{}}
	for _, r := range want.Services {
		t.fresh[r.Name] = good[r.Name] != r.Digest
	}
	for _, s := range states {
		if r, ok := want.find(s.Name); ok && r.Digest == s.Digest {
			t.before[s.Name] = s
		}
	}
	return t
}

// judge returns why the set is bad, or whether it has proved good. It says
// neither while that is open.
func (t *trial) judge(now time.Time, want *Set, p Progress) (bad *bundle.Failure, good bool) {
	for _, s := range p.Services {
		r, ok := want.find(s.Name)
		if !ok || r.Digest != s.Digest || s.State == Stopping {
			continue
		}
		if why := t.fault(now, r, s); why != "" && !t.lost {
			return &bundle.Failure{Service: s.Name, Reason: why, LastWords: s.LastWords}, false
		}
	}
	if !p.Done {
		t.readySince = time.Time{}
		return nil, false
	}
	if t.readySince.IsZero() {
		t.readySince = now
	}
	return nil, now.Sub(t.readySince) >= t.rules.Confirm
}

// fault says what is wrong with a service, if its trial is over.
func (t *trial) fault(now time.Time, r Run, s ServiceState) string {
	was := t.before[s.Name]
	exits := s.Exits - was.Exits
	if t.fresh[s.Name] && s.Crashes > was.Crashes {
		return "ended after it had been ready: " + s.LastExit
	}
	if exits >= t.rules.Exits {
		return fmt.Sprintf("ended %d times: %s", exits, s.LastExit)
	}
	limit := t.rules.Ready
	if r.Ready != nil && r.Ready.Timeout > 0 {
		limit = time.Duration(r.Ready.Timeout)
	}
	from := t.began
	if s.Since.After(from) {
		from = s.Since
	}
	if s.Ready.IsZero() && now.Sub(from) >= limit {
		why := fmt.Sprintf("not ready after %v", limit)
		if s.Probe != "" {
			why += ": " + s.Probe
		}
		return why
	}
	return ""
}
