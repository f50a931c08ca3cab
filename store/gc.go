package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/stateroom/stateroom/vfs"
)

// UnderWay is how long a change may take. What was the newest commit so shortly
// ago, a change may be standing on, or a draft be about to go off: a window that
// begins later protects neither.
const UnderWay = 10 * time.Minute

// Stripped is a record whose old bytes are removed, or would be.
type Stripped struct {
	Number int
	Names  []string // of the files whose bytes go
	Bytes  int64
}

// Window is what gc leaves whole: the history since a time.
type Window struct {
	Since   time.Time // commits from here on can be read and gone back to, and the one in force then
	Numbers []int     // and these, whatever their age
}

// Strip removes bytes of files from commits that are older than the window:
// those that no commit in the window names, nor the newest one, nor one that an
// open draft goes off, nor one that is not settled (see [History.Conflicts]).
// The records stay, with their messages, digests and chain; no number goes.
// Without write it says what it would do. Commits that are not finished are an
// ErrConflict. With an error comes what was removed all the same.
func (h *History) Strip(ctx context.Context, w Window, write bool) ([]Stripped, error) {
	st, err := h.look(ctx, nil)
	switch {
	case err != nil:
		return nil, err
	case st.broken != nil:
		return nil, st.broken
	case st.tip == nil:
		return nil, nil
	case len(st.window) > 0 && write:
		return nil, fmt.Errorf("gc %s: commit %d is not finished: %w", h.name, st.tip.Number, ErrConflict)
	}
	numbers, kept, err := h.strippable(ctx, w, st.tip)
	if err != nil {
		return nil, err
	}
	if write && len(numbers) > 0 {
		if err := h.s.begin(ctx); err != nil {
			return nil, err
		}
	}
	each := make([]Stripped, len(numbers))
	err = forEach(ctx, len(numbers), func(ctx context.Context, i int) (err error) {
		if each[i], err = h.stripOne(ctx, numbers[i], kept, write); err != nil {
			return fmt.Errorf("gc %s: commit %d: %w", h.name, numbers[i], err)
		}
		return nil
	})
	return slices.DeleteFunc(each, func(s Stripped) bool { return len(s.Names) == 0 }), err
}

// held names bytes: a file in the record that holds them. The foreign half of a
// conflict is another.
type held struct {
	number  int
	name    string
	foreign bool
}

// strippable lists the records that may lose something, the oldest first, and
// the bytes that must stay. It goes through the history once, from its end: what a record may lose
// is known when all that come after it were seen, since nothing older names it.
func (h *History) strippable(ctx context.Context, w Window, tip *record) (list []int, kept map[held]bool, err error) {
	inForce, err := h.newestAt(ctx, w.Since.Add(-time.Second), tip) // when the window began
	if err != nil {
		return nil, nil, err
	}
	numbers, err := h.draftBases(ctx)
	if err != nil {
		return nil, nil, err
	}
	numbers = append(numbers, w.Numbers...)
	kept = map[held]bool{}
	var open openConflicts
	for r, err := range h.records(ctx, tip) {
		if err != nil {
			return nil, nil, err
		}
		inWindow := r.Number >= inForce || r.Number == tip.Number
		if inWindow || slices.Contains(numbers, r.Number) {
			for name, f := range r.Files {
				kept[held{f.Record, name, false}] = true
			}
		}
		if c := open.see(r.commit()); c != nil {
			for _, ch := range c.Foreign.Changed {
				kept[held{r.Number, ch.Name, true}] = true
			}
		}
		if s, _ := r.spare(kept); !inWindow && len(s.Names) > 0 {
			list = append(list, r.Number)
		}
	}
	slices.Reverse(list)
	return list, kept, nil
}

// spare returns the writes of a record whose bytes are there and not kept.
func (r *record) spare(kept map[held]bool) (s Stripped, writes []*write) {
	s.Number = r.Number
	for i := range r.Parts {
		foreign := i < len(r.Parts)-1
		for j := range r.Parts[i].Writes {
			w := &r.Parts[i].Writes[j]
			if len(w.Bytes) > 0 && !kept[held{r.Number, w.Name, foreign}] {
				s.Names, s.Bytes, writes = append(s.Names, w.Name), s.Bytes+int64(len(w.Bytes)), append(writes, w)
			}
		}
	}
	return s, writes
}

// stripOne takes the bytes out of a record that are not kept, and returns what
// went: nothing where somebody else was faster.
func (h *History) stripOne(ctx context.Context, n int, kept map[held]bool, write bool) (Stripped, error) {
	b, e, err := h.own.Get(ctx, recordName(n)) // what is remembered, or kept elsewhere, may be whole still
	if err != nil {
		return Stripped{}, err
	}
	r, err := decodeRecord(b)
	if err == nil && r.Number != n {
		err = fmt.Errorf("it says that it is number %d: %w", r.Number, errRecord)
	}
	if err != nil {
		return Stripped{}, &DamagedError{h.name, n, err}
	}
	s, writes := r.spare(kept)
	if len(writes) == 0 || !write {
		return s, nil
	}
	for _, w := range writes {
		w.Bytes = nil
	}
	digest := r.Digest
	stripped, err := r.encode(nil)
	if err == nil {
		err = r.check()
	}
	if err == nil && r.Digest != digest {
		err = errors.New("its digest would become another")
	}
	if err != nil {
		return Stripped{}, err
	}
	// The record is the same one by digest, chain and signature, with and without.
	_, err = h.own.Put(ctx, recordName(n), stripped, vfs.IfVersion(e.Version), "")
	h.known.forgetRecord(n)
	switch {
	case errors.Is(err, vfs.ErrConflict):
		return Stripped{}, nil
	case err != nil:
		return Stripped{}, err
	}
	return s, nil
}

// Size is how many objects a history has, of which kind, and how large they are
// together.
type Size struct {
	Records int
	Bytes   int64 // of the records
}

// Size measures the log.
func (h *History) Size(ctx context.Context) (Size, error) {
	var s Size
	for e, err := range h.own.List(ctx, "log/", "") {
		if err != nil {
			return s, err
		}
		if _, err := strconv.Atoi(e.Key[len("log/"):]); err == nil {
			s.Records++
			s.Bytes += e.Size
		}
	}
	return s, nil
}
