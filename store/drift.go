package store

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/stateroom/stateroom/vfs"
)

// DriftKind says how a plain file differs from the newest commit.
type DriftKind string

// The kinds of drift.
const (
	DriftForeign    DriftKind = "foreign"    // another tool wrote it
	DriftMissing    DriftKind = "missing"    // another tool deleted it
	DriftUnfinished DriftKind = "unfinished" // the commit's own writer has not got to it yet
	DriftStale      DriftKind = "stale"      // a late write of an older commit; the next update puts it right
	DriftRefused    DriftKind = "refused"    // it cannot be tracked; see Why
)

// Drift is a plain file that differs from the newest commit.
type Drift struct {
	Name string
	Kind DriftKind
	Size int64     // of the plain file
	Time time.Time // of the plain file; zero: not known
	Why  string    // for refused ones
}

// Drift returns the plain files that differ from the newest commit, sorted,
// however fresh they are, and .stateroom/release if the object there is not the
// newest commit's. It writes nothing. Plain files without a history do
// not differ from anything.
func (h *History) Drift(ctx context.Context) ([]Drift, error) {
	for try := 1; ; try++ {
		list, err := h.drift(ctx)
		if !errors.Is(err, errAgain) || try == 5 {
			return list, err
		}
	}
}

func (h *History) drift(ctx context.Context) ([]Drift, error) {
	st, l, err := h.lookAround(ctx)
	if err != nil {
		return nil, err
	}
	if st.tip == nil {
		return nil, nil
	}
	seen, err := h.seeAll(ctx, h.suspects(st, l, map[string]vfs.Version{}))
	if err != nil {
		return nil, err
	}
	found := make([]*Drift, len(seen))
	err = forEach(ctx, len(seen), func(ctx context.Context, i int) (err error) {
		found[i], err = h.differs(ctx, seen[i], st)
		return err
	})
	if err != nil {
		return nil, err
	}
	var list []Drift
	for _, d := range found {
		if d != nil {
			list = append(list, *d)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.refused)) {
		list = append(list, Drift{Name: name, Kind: DriftRefused, Why: l.refused[name]})
	}
	return list, nil
}

func (h *History) differs(ctx context.Context, s *sight, st *state) (*Drift, error) {
	v, err := h.judge(ctx, s, st.tip, st.window)
	if err != nil {
		return nil, err
	}
	d := &Drift{Name: s.name, Size: int64(len(s.bytes)), Time: s.entry.Time}
	switch v {
	case right:
		return nil, nil
	case newer:
		return nil, errAgain
	case begun:
		d.Kind = DriftUnfinished
	case stale:
		d.Kind = DriftStale
	case foreignEdit:
		d.Kind = DriftForeign
	case foreignDelete:
		d.Kind = DriftMissing
	}
	return d, nil
}
