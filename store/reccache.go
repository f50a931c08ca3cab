package store

import (
	"bytes"
	"context"
)

// Records is a place of the caller's for records that were read: they never
// change. It is given none that holds bytes of a keyed file ([Options.Keyed]),
// and asked only for records that are known by their digest, from a newer one
// that follows them. What it returns is checked; what does not fit is dropped.
// Its functions are called from many goroutines at once.
type Records struct {
	Get  func(digest string) []byte // nil: it is not there
	Put  func(digest string, record []byte)
	Drop func(digest string)
}

// keep gives a record to the cache, if it is one that anybody may read.
func (h *History) keep(r *record, b []byte) {
	cache := h.s.opt.Records
	if cache == nil || r.Number < 1 || h.s.opt.Verify != nil {
		return
	}
	for _, p := range r.Parts {
		for _, w := range p.Writes {
			if h.s.opt.Keyed(w.Name) {
				return
			}
		}
	}
	cache.Put(string(r.Digest), bytes.Clone(b))
}

// recall takes the records from n down to number last into memory, as far as
// the cache has them without a gap. next is the one that follows n: each record
// names the digest of the one before. It makes no request.
func (h *History) recall(ctx context.Context, next *record, n, last int) {
	cached := h.s.opt.Records != nil && h.s.opt.Verify == nil
	for ; cached && n >= last && ctx.Err() == nil; n-- {
		r := h.known.record(n)
		if r == nil {
			if r = h.fromCache(n, next.Parent); r == nil {
				return
			}
		}
		next = r
	}
}

func (h *History) fromCache(n int, digest Digest) *record {
	cache := h.s.opt.Records
	if digest == absent {
		return nil
	}
	b := cache.Get(string(digest))
	if b == nil {
		return nil
	}
	r, err := decodeRecord(b)
	if err != nil || r.Digest != digest || r.Number != n {
		cache.Drop(string(digest))
		return nil
	}
	h.known.remember(r, len(b))
	return r
}
