package store

import (
	"bytes"
	"context"
)

// Cache is a place of the caller's for what never changes: records, and files
// as a manifest names them. It is given nothing that holds bytes of a keyed
// file ([Options.Keyed]), and asked only for what is known by its digest: a
// record from a newer one that follows it, a file from the manifest. What it
// returns is checked; what does not fit is dropped. Its functions are called
// from many goroutines at once.
type Cache struct {
	Get  func(key string) []byte // nil: it is not there
	Put  func(key string, b []byte)
	Drop func(key string)
}

// keepFile gives the bytes of a file to the cache, if anybody may read them.
func (h *History) keepFile(name string, f File, b []byte) {
	if h.s.opt.Cache != nil && h.cacheable(name, f) {
		h.s.opt.Cache.Put(fileKey(f), bytes.Clone(b))
	}
}

// cachedFile returns the bytes of a file that the cache has; nil: it has not.
func (h *History) cachedFile(name string, f File) []byte {
	if h.s.opt.Cache == nil || !h.cacheable(name, f) {
		return nil
	}
	b := h.s.opt.Cache.Get(fileKey(f))
	if b != nil && (int64(len(b)) != f.Size || digestOf(b) != f.Digest) {
		h.s.opt.Cache.Drop(fileKey(f))
		return nil
	}
	return b
}

func (h *History) cacheable(name string, f File) bool {
	return f.Digest != absent && f.Digest.epoch() == 0 && !hidden(name) && !h.s.opt.Keyed(name)
}

func fileKey(f File) string { return "file " + string(f.Digest) }

// keep gives a record to the cache, if it is one that anybody may read.
func (h *History) keep(r *record, b []byte) {
	cache := h.s.opt.Cache
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
	cached := h.s.opt.Cache != nil && h.s.opt.Verify == nil
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
	cache := h.s.opt.Cache
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
