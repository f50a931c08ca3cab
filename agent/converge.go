package agent

import (
	"context"
	"fmt"
	"slices"
)

// Progress is how far a host is from a set.
type Progress struct {
	Services []ServiceState // of the host, in the order of the set, others last
	Missing  []string       // services that the set has and the host does not run yet
	Leaving  []string       // services that must end first: not of the set, or changed
	Done     bool           // runs exactly the set, all of it ready
}

// Converge takes a host, on which the set is in force, as near to it as can be
// done now, without waiting: it stops services that are gone or changed, those
// that come after them first, and starts those whose predecessors are ready.
// It is called again and again; on a host that is as it should be it does
// nothing. A service of the same digest is not touched.
func Converge(ctx context.Context, h Host, want *Set) (Progress, error) {
	states, err := h.Services(ctx)
	if err != nil {
		return Progress{}, fmt.Errorf("look at the services: %w", err)
	}
	p := survey(states, want)
	for _, s := range p.Services {
		if !slices.Contains(p.Leaving, s.Name) || s.State == Stopping || p.leans(s.Name) {
			continue
		}
		if err := h.Stop(ctx, s.Name); err != nil {
			return p, fmt.Errorf("stop %s: %w", s.Name, err)
		}
	}
	for _, r := range want.Services {
		if !slices.Contains(p.Missing, r.Name) || !p.ready(want, r.After) {
			continue
		}
		if err := h.Start(ctx, r); err != nil {
			return p, fmt.Errorf("start %s: %w", r.Name, err)
		}
	}
	return p, nil
}

// restore does what can be done now of a restore that is pending, while set is
// otherwise in force. It returns false when none is.
func restore(ctx context.Context, h Host, d Data, set *Set) (Progress, bool, error) {
	service, err := d.Pending(ctx)
	if service == "" {
		return Progress{}, false, err
	}
	rest := set.without(service)
	p, err := Converge(ctx, h, rest)
	p.Done = false
	if err != nil || slices.ContainsFunc(p.Services, func(s ServiceState) bool { _, stays := rest.find(s.Name); return !stays }) {
		return p, true, err
	}
	if err := d.Restore(ctx); err != nil {
		return p, true, fmt.Errorf("restore %s: %w", service, err)
	}
	return p, true, nil
}

// without returns a set that lacks a service and all that come after it.
func (s *Set) without(name string) *Set {
	gone := []string{name}
	rest := &Set{ID: s.ID, Bundle: s.Bundle}
	for _, r := range s.Services { // in the order in which they start
		if r.Name == name || slices.ContainsFunc(r.After, func(a string) bool { return slices.Contains(gone, a) }) {
			gone = append(gone, r.Name)
		} else {
			rest.Services = append(rest.Services, r)
		}
	}
	return rest
}

// survey compares and does nothing.
func survey(states []ServiceState, want *Set) Progress {
	p := Progress{Done: true}
	at := func(name string) int {
		i := slices.IndexFunc(want.Services, func(r Run) bool { return r.Name == name })
		if i < 0 {
			return len(want.Services)
		}
		return i
	}
	p.Services = slices.SortedStableFunc(slices.Values(states), func(a, b ServiceState) int {
		if d := at(a.Name) - at(b.Name); d != 0 {
			return d
		}
		return compareNames(a.Name, b.Name)
	})
	there := map[string]bool{}
	for _, s := range p.Services {
		there[s.Name] = true
		r, wanted := want.find(s.Name)
		if !wanted || r.Digest != s.Digest || s.State == Stopping {
			p.Leaving = append(p.Leaving, s.Name)
		}
		if !wanted || r.Digest != s.Digest || s.Ready.IsZero() {
			p.Done = false
		}
	}
	for _, r := range want.Services {
		if !there[r.Name] {
			p.Missing = append(p.Missing, r.Name)
			p.Done = false
		}
	}
	return p
}

// leans reports whether a service that is leaving as well comes after name: it
// has to be gone first.
func (p *Progress) leans(name string) bool {
	return slices.ContainsFunc(p.Services, func(s ServiceState) bool {
		return slices.Contains(p.Leaving, s.Name) && slices.Contains(s.After, name)
	})
}

// ready reports whether all of names run as the set wants them, and are ready.
func (p *Progress) ready(want *Set, names []string) bool {
	for _, name := range names {
		r, _ := want.find(name)
		ok := slices.ContainsFunc(p.Services, func(s ServiceState) bool {
			return s.Name == name && s.Digest == r.Digest && s.State != Stopping && !s.Ready.IsZero()
		})
		if !ok {
			return false
		}
	}
	return true
}

func compareNames(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
