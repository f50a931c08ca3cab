package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/stateroom/stateroom/vfs"
)

// state is what one look at a history shows.
type state struct {
	head   *head // nil: none
	headAt vfs.Version
	tip    *record   // the newest record; nil: no history
	window []*record // those that the head does not know of, the newest last
	moved  bool      // the release is not at the version that the head says
	early  []*sight  // files that were read along; see History.Reading
	broken error     // why nothing may be written
}

// files returns the newest manifest.
func (st *state) files() map[string]File {
	if st.tip == nil {
		return nil
	}
	return st.tip.Files
}

// living reports whether the newest record describes a cluster.
func (st *state) living() bool { return st.tip != nil && st.tip.Kind != Deleted }

// look reads head and newest records. during, which may be nil, is called
// with the head as soon as that is known, while the records are asked for.
func (h *History) look(ctx context.Context, during func(context.Context, *head) error) (*state, error) {
	if h.bad != nil {
		return nil, h.bad
	}
	st := &state{}
	last, none := h.known.newest(), 0
	reads := []func(context.Context) error{
		h.s.Load,
		func(ctx context.Context) (err error) { st.head, st.headAt, err = h.head(ctx); return err },
	}
	if last > 0 { // a guess that saves a round trip
		reads = append(reads, func(ctx context.Context) error {
			r, err := h.maybe(ctx, last+1)
			if err == nil && r == nil {
				none = last + 1
			}
			return err
		})
	}
	if err := inParallel(ctx, reads...); err != nil {
		return nil, err
	}
	if during == nil || st.head == nil {
		return st, h.climb(ctx, st, none)
	}
	return st, inParallel(ctx,
		func(ctx context.Context) error { return during(ctx, st.head) },
		func(ctx context.Context) error { return h.climb(ctx, st, none) })
}

// climb goes from the head to the newest record. The record of number none is
// known not to be there.
func (h *History) climb(ctx context.Context, st *state, none int) error {
	if st.head == nil {
		return h.search(ctx, st)
	}
	var at, next *record
	n := st.head.Number
	err := inParallel(ctx,
		func(ctx context.Context) (err error) { at, err = h.maybe(ctx, n); return err },
		func(ctx context.Context) (err error) {
			if n+1 != none {
				next, err = h.maybe(ctx, n+1)
			}
			return err
		})
	switch {
	case err != nil:
		return err
	case at == nil:
		h.known.forget()
		st.broken = &DamagedError{h.name, n, fmt.Errorf("the head names it, and it is missing: %w", errRecord)}
		return h.search(ctx, st)
	case at.Digest != st.head.Digest:
		h.known.forget()
		st.broken = &DamagedError{h.name, n, fmt.Errorf("it is not the one that the head names: %w", errRecord)}
	}
	for st.tip = at; next != nil; {
		if err := h.follows(st.tip, next); err != nil {
			return err
		}
		st.tip = next
		st.window = append(st.window, next)
		if next, err = h.maybe(ctx, st.tip.Number+1); err != nil {
			return err
		}
	}
	return nil
}

// follows checks the chain. What came after a record that a void one stands for
// names that record, which nobody has.
func (h *History) follows(r, next *record) error {
	if next.Parent == r.Digest || r.Kind == Void {
		return nil
	}
	return &DamagedError{h.name, next.Number, fmt.Errorf("it does not follow record %d: %w", r.Number, errRecord)}
}

// search finds the newest record without a head. Only that one can be
// unfinished: nobody commits on top of what is not.
func (h *History) search(ctx context.Context, st *state) error {
	below, above := 0, 1 // there is a record `below`, and none `above`
	for {
		r, err := h.maybe(ctx, above)
		if err != nil {
			return err
		}
		if r == nil {
			break
		}
		st.tip, below, above = r, above, above*2
	}
	for above-below > 1 {
		middle := below + (above-below)/2
		r, err := h.maybe(ctx, middle)
		if err != nil {
			return err
		}
		if r == nil {
			above = middle
		} else {
			st.tip, below = r, middle
		}
	}
	if st.tip != nil {
		st.window = []*record{st.tip}
	}
	return nil
}

// lookAround is look and list at once, and sees to the release, which is in no
// list, unless the caller has said that it is about other files (see Reading).
// It is step 1 of an update.
func (h *History) lookAround(ctx context.Context) (st *state, l *listing, err error) {
	if h.bad != nil {
		return nil, nil, h.bad
	}
	guess, guessMoved, moved := h.known.releaseAt(), false, false
	others := len(h.early) > 0
	if others {
		guess = ""
	}
	var early []*sight
	err = inParallel(ctx,
		func(ctx context.Context) (err error) { l, err = h.list(ctx); return err },
		func(ctx context.Context) (err error) { guessMoved, err = h.releaseMoved(ctx, guess); return err },
		func(ctx context.Context) (err error) {
			st, err = h.look(ctx, func(ctx context.Context, hd *head) (err error) {
				return inParallel(ctx,
					func(ctx context.Context) (err error) {
						if v := hd.Versions[releaseFile]; v != guess && !others {
							moved, err = h.releaseMoved(ctx, v)
						}
						return err
					},
					func(ctx context.Context) (err error) { early, err = h.readEarly(ctx, hd); return err })
			})
			return err
		})
	if err != nil {
		return nil, nil, err
	}
	if st.head != nil && st.head.Versions[releaseFile] == guess {
		moved = guessMoved
	}
	st.moved, st.early = moved, early
	return st, l, nil
}

// releaseMoved reports whether the release is at another version than v. If
// none is known, it makes no request.
func (h *History) releaseMoved(ctx context.Context, v vfs.Version) (bool, error) {
	if v == "" {
		return false, nil
	}
	h.known.setReleaseAt(v)
	_, _, err := h.own.GetUnless(ctx, "release", v)
	switch {
	case errors.Is(err, vfs.ErrNotModified):
		return false, nil
	case err == nil || errors.Is(err, fs.ErrNotExist):
		return true, nil
	}
	return false, err
}
