package store

import (
	"bytes"
	"context"
	"iter"
	"slices"
)

// verdict says what a plain file is, seen against the newest record. The
// rules and their order are docs/formats/store-layout.md.
type verdict int

const (
	right         verdict = iota // what the record says
	newer                        // written for a record that was not yet seen
	begun                        // as before one of the records in the window
	stale                        // written by us for an older record, and late
	foreignEdit                  // written by somebody else: foreign
	foreignDelete                // removed by somebody else
)

// judge says what s is. window are the records that may be unfinished.
func (h *History) judge(ctx context.Context, s *sight, tip *record, window []*record) (verdict, error) {
	if ok, err := h.isFile(ctx, s, tip.Files); ok || err != nil {
		return right, err
	}
	n, err := h.believed(ctx, s)
	switch {
	case err != nil:
		return 0, err
	case n > tip.Number:
		return newer, nil
	}
	for _, r := range slices.Backward(window) {
		was, changed := r.Was[s.name]
		if !changed {
			continue
		}
		if r.Kind == Import {
			break // it found its bytes there: what was before it, we did not leave
		}
		if ok, err := h.is(ctx, s, was, 0); ok || err != nil {
			return begun, err
		}
	}
	if n > 0 {
		return stale, nil
	}
	return h.judgeByHistory(ctx, s, tip)
}

// farBack is how many commits a late write of our own can come after the one
// that it is of. What returns to a state from before that is somebody's edit.
const farBack = 1000

// judgeByHistory tells a late write of our own from a foreign one where no tag
// does.
func (h *History) judgeByHistory(ctx context.Context, s *sight, tip *record) (verdict, error) {
	foreign := foreignDelete
	if s.exists {
		foreign = foreignEdit
	}
	traits := h.s.f.Traits()
	if s.exists && traits.Tags || !s.exists && traits.UniqueVersions {
		return foreign, nil // ours has a tag; a late delete of ours is of a version that is no more
	}
	for r, err := range h.changesOf(ctx, s.name, tip, max(tip.Number-farBack, 1)) {
		if err != nil {
			return 0, err
		}
		c, _ := r.wrote(s.name)
		switch {
		case c.exists && len(c.bytes) == 0 && r.Files[s.name].Size > 0: // stripped: it cannot tell
		case c.exists != s.exists:
		case !s.exists:
			if r.Kind != Import { // an import found it gone and deletes nothing
				return stale, nil
			}
		case bytes.Equal(c.bytes, s.bytes):
			return stale, nil
		}
	}
	return foreign, nil
}

// changesOf yields the records from tip down to number last that changed a file.
// The manifests tell where to look, as long as they have it. Who goes on for
// long gets them many at a time.
func (h *History) changesOf(ctx context.Context, name string, tip *record, last int) iter.Seq2[*record, error] {
	return func(yield func(*record, error) bool) {
		for r, read := tip, 0; ; read++ {
			n := r.Number
			if f, ok := r.Files[name]; ok && f.Record < n {
				n = f.Record
			} else if _, changed := r.Was[name]; changed && !yield(r, nil) {
				return
			} else {
				n--
			}
			if n < last {
				return
			}
			if read >= ahead && h.known.record(n) == nil {
				h.fetch(ctx, n, last)
			}
			var err error
			if r, err = h.record(ctx, n); err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// fetch brings records from n down into memory that will be asked for one after
// the other. What cannot be had is told when it is asked for.
func (h *History) fetch(ctx context.Context, n, last int) {
	_ = forEach(ctx, min(n-last+1, maxAhead), func(ctx context.Context, i int) error {
		_, err := h.maybe(ctx, n-i)
		return err
	})
}
