package store

import (
	"context"
	"fmt"
	"iter"
	"sort"
	"strconv"
	"strings"
	"time"
)

// ahead is how many records Log asks for at once: few at first, for who wants
// the newest alone.
const ahead, maxAhead = 16, 64

// Log yields the commits, the newest first, those of earlier clusters of this
// name too. It checks that each is what the next one says it follows. No
// history: it yields nothing.
func (h *History) Log(ctx context.Context) iter.Seq2[*Commit, error] {
	return func(yield func(*Commit, error) bool) {
		st, err := h.look(ctx, nil)
		if err != nil {
			yield(nil, err)
			return
		}
		commits(h.records(ctx, st.tip))(yield)
	}
}

// Log yields the snapshot's commit and those before it, as [History.Log] does.
func (sn *Snapshot) Log(ctx context.Context) iter.Seq2[*Commit, error] {
	return func(yield func(*Commit, error) bool) {
		if sn.c.Number < 1 {
			return
		}
		r, err := sn.h.record(ctx, sn.c.Number)
		if err != nil {
			yield(nil, err)
			return
		}
		commits(sn.h.records(ctx, r))(yield)
	}
}

// Changes yields the snapshots of the commits up to this one that changed a file,
// the newest first: those that deleted it, too. What a manifest tells of the
// file is believed, so that a file seldom changed costs few requests.
func (sn *Snapshot) Changes(ctx context.Context, name string) iter.Seq2[*Snapshot, error] {
	return func(yield func(*Snapshot, error) bool) {
		if sn.c.Number < 1 {
			return
		}
		r, err := sn.h.record(ctx, sn.c.Number)
		if err != nil {
			yield(nil, err)
			return
		}
		for r, err := range sn.h.changesOf(ctx, name, r, 1) {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(sn.h.snapshot(r, false), nil) {
				return
			}
		}
	}
}

func commits(records iter.Seq2[*record, error]) iter.Seq2[*Commit, error] {
	return func(yield func(*Commit, error) bool) {
		for r, err := range records {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(r.commit(), nil) {
				return
			}
		}
	}
}

// records yields a record and all before it, and checks that each is the one
// that the next one follows. After an error it ends. nil: it yields nothing.
func (h *History) records(ctx context.Context, from *record) iter.Seq2[*record, error] {
	return func(yield func(*record, error) bool) {
		if from == nil {
			return
		}
		most := ahead
		for next, n := from, from.Number; n > 0; most = min(2*most, maxAhead) {
			count := min(n, most)
			batch := make([]*record, count) // numbers n, n-1, ...
			forget := h.passing(from.Number, n, count)
			h.recall(ctx, next, n, n-count+1)
			err := forEach(ctx, count, func(ctx context.Context, i int) (err error) {
				batch[i], err = h.record(ctx, n-i)
				return err
			})
			if err != nil {
				yield(nil, fmt.Errorf("log of %s: %w", h.name, err))
				return
			}
			for _, r := range batch {
				if r.Number < next.Number {
					if err := h.follows(r, next); err != nil {
						yield(nil, err)
						return
					}
				}
				if !yield(r, nil) {
					return
				}
				next = r
			}
			forget()
			n -= count
		}
	}
}

// passing returns what forgets again, of so many records up to n, those that are
// not remembered yet: a long history need not stay in memory because somebody
// went through it. The newest stay.
func (h *History) passing(newest, n, count int) (forget func()) {
	var passed []int
	for i := range count {
		if n-i <= newest-maxAhead && h.known.record(n-i) == nil {
			passed = append(passed, n-i)
		}
	}
	return func() {
		for _, n := range passed {
			h.known.forgetRecord(n)
		}
	}
}

// At returns an earlier snapshot: "7" is a number, "head" the newest, "head~2"
// two before it, and a time as of RFC 3339 what was newest then. Unlike Head it
// returns the last, empty snapshot of a deleted cluster as well.
func (h *History) At(ctx context.Context, ref string) (*Snapshot, error) {
	st, err := h.look(ctx, nil)
	if err != nil {
		return nil, err
	}
	if st.tip == nil {
		return nil, &NoCommitError{h.name, ref, 0}
	}
	n, err := h.resolve(ctx, ref, st.tip)
	if err != nil {
		return nil, err
	}
	if n < 1 || n > st.tip.Number {
		return nil, &NoCommitError{h.name, ref, st.tip.Number}
	}
	r, err := h.recordIn(ctx, n, st.tip)
	if err != nil {
		return nil, err
	}
	return h.snapshot(r, n == st.tip.Number), nil
}

// Earlier returns the snapshot of commit n of the same history, or of this one:
// for who has a snapshot already, at the price of that record.
func (sn *Snapshot) Earlier(ctx context.Context, n int) (*Snapshot, error) {
	if n < 1 || n > sn.c.Number {
		return nil, &NoCommitError{sn.h.name, strconv.Itoa(n), sn.c.Number}
	}
	if n == sn.c.Number {
		return sn, nil
	}
	r, err := sn.h.recordIn(ctx, n, &record{Number: sn.c.Number})
	if err != nil {
		return nil, err
	}
	return sn.h.snapshot(r, false), nil
}

// recordIn returns a record of the history that ends with tip, and checks that
// it is the one that the next record names: all that one of its own can tell is
// that it is whole.
func (h *History) recordIn(ctx context.Context, n int, tip *record) (*record, error) {
	var r, next *record
	err := inParallel(ctx,
		func(ctx context.Context) (err error) { r, err = h.record(ctx, n); return err },
		func(ctx context.Context) error {
			if n < tip.Number {
				next, _ = h.maybe(ctx, n+1) // that one may be damaged itself: no fault of this one
			}
			return nil
		})
	if err != nil || next == nil || h.follows(r, next) == nil {
		return r, err
	}
	if next.Number < tip.Number { // whose fault it is, the one after that tells
		if after, _ := h.maybe(ctx, n+2); after == nil || h.follows(next, after) != nil {
			return r, nil
		}
	}
	return nil, &DamagedError{h.name, n, fmt.Errorf("it is not the one that record %d follows: %w", n+1, errRecord)}
}

func (h *History) resolve(ctx context.Context, ref string, tip *record) (int, error) {
	if n, err := strconv.Atoi(ref); err == nil {
		return n, nil
	}
	if ref == "head" {
		return tip.Number, nil
	}
	if back, ok := strings.CutPrefix(ref, "head~"); ok {
		if n, err := strconv.Atoi(back); err == nil && n >= 0 {
			return tip.Number - n, nil
		}
	}
	if t, err := time.Parse(time.RFC3339, ref); err == nil {
		return h.newestAt(ctx, t, tip)
	}
	return 0, &RefError{ref}
}

// newestAt returns the last commit made at t or before; 0: none. The times of
// commits never go back.
func (h *History) newestAt(ctx context.Context, t time.Time, tip *record) (int, error) {
	var failed error
	after := sort.Search(tip.Number, func(i int) bool {
		r, err := h.record(ctx, i+1)
		for err == nil && len(r.Parts) == 0 && r.Number > 1 { // void: it has no time
			r, err = h.record(ctx, r.Number-1)
		}
		if err != nil {
			failed = err
			return true
		}
		return r.seconds() > t.Unix()
	})
	return after, failed
}
