package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/stateroom/stateroom/vfs"
)

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
// those that no commit in the window, nor the newest one, nor one that is not
// settled (see [History.Conflicts]) names. The records stay, with their
// messages, digests and chain; no number goes. Without write it says what it
// would do. Commits that are not finished are an ErrConflict.
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
	kept, begin, err := h.keptBytes(ctx, w, st)
	if err != nil {
		return nil, err
	}
	var list []Stripped
	for n := 1; n < begin; n++ {
		s, err := h.stripOne(ctx, n, kept, write)
		if err != nil {
			return list, fmt.Errorf("gc %s: commit %d: %w", h.name, n, err)
		}
		if len(s.Names) > 0 {
			list = append(list, s)
		}
	}
	return list, nil
}

// held names bytes: a file in the record that holds them. The foreign half of a
// conflict is another.
type held struct {
	number  int
	name    string
	foreign bool
}

// keptBytes returns the bytes that must stay, and the first commit of the
// window.
func (h *History) keptBytes(ctx context.Context, w Window, st *state) (map[held]bool, int, error) {
	before, err := h.newestAt(ctx, w.Since.Add(-time.Second), st.tip)
	if err != nil {
		return nil, 0, err
	}
	kept := map[held]bool{}
	begin := before + 1
	numbers, err := h.draftBases(ctx)
	if err != nil {
		return nil, 0, err
	}
	numbers = append(numbers, w.Numbers...)
	for n := max(before, 1); n <= st.tip.Number; n++ { // the one before was in force when the window began
		numbers = append(numbers, n)
	}
	for _, n := range numbers {
		r, err := h.record(ctx, n)
		if err != nil {
			return nil, 0, err
		}
		for name, f := range r.Files {
			kept[held{f.Record, name, false}] = true
		}
	}
	open, err := h.Conflicts(ctx)
	for _, c := range open {
		for _, ch := range c.Foreign.Changed {
			kept[held{c.Number, ch.Name, true}] = true
		}
	}
	return kept, min(begin, st.tip.Number), err
}

func (h *History) stripOne(ctx context.Context, n int, kept map[held]bool, write bool) (Stripped, error) {
	s := Stripped{Number: n}
	b, e, err := h.own.Get(ctx, recordName(n))
	if err != nil {
		return s, err
	}
	r, err := decodeRecord(b)
	if err != nil {
		return s, &DamagedError{h.name, n, err}
	}
	for i := range r.Parts {
		foreign := i < len(r.Parts)-1
		for j := range r.Parts[i].Writes {
			w := &r.Parts[i].Writes[j]
			if len(w.Bytes) == 0 || kept[held{n, w.Name, foreign}] {
				continue
			}
			s.Names, s.Bytes = append(s.Names, w.Name), s.Bytes+int64(len(w.Bytes))
			w.Bytes = nil
		}
	}
	if len(s.Names) == 0 || !write {
		return s, nil
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
		return s, err
	}
	if err := h.s.begin(ctx); err != nil {
		return s, err
	}
	// The record is the same one by digest, chain and signature, with and without.
	if _, err = h.own.Put(ctx, recordName(n), stripped, vfs.IfVersion(e.Version), ""); errors.Is(err, vfs.ErrConflict) {
		return Stripped{Number: n}, nil // somebody else is at it
	}
	h.known.forgetRecord(n)
	return s, err
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
