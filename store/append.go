package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"github.com/stateroom/stateroom/vfs"
)

const (
	appendTries = 5               // puts of one record, until its outcome is known
	graceTime   = 5 * time.Second // to find that out when the caller has given up
)

// append puts a record at its number: this is the commit. It returns the
// record that stands there, which may be that of an earlier attempt of the
// same transaction, and whether it is ours.
func (h *History) append(ctx context.Context, r *record) (standing *record, ours bool, err error) {
	b, err := r.encode(h.s.opt.Sign)
	if err != nil {
		return nil, false, err
	}
	if len(b) > maxRecord {
		return nil, false, fmt.Errorf("the change is too large: a record of %d bytes: %w", len(b), fs.ErrInvalid)
	}
	var p pause
	for try := 1; ; try++ {
		e, err := h.own.Put(ctx, h.recordName(r.Number), b, vfs.IfAbsent(), "")
		if err == nil {
			r.put = e.Time
			h.known.remember(r, len(b))
			h.keep(r, b)
			return r, true, nil
		}
		if try == 1 && notDone(err) {
			return nil, false, err
		}
		if errors.Is(err, vfs.ErrNotDurable) {
			return nil, false, &OutcomeError{h.name, r.Number, err} // what would be read back is memory
		}
		// If the put was done and its reply lost, or if it was answered as a
		// conflict with itself, the record there is ours.
		standing, known := h.standing(ctx, r.Number)
		if known && standing != nil {
			return standing, standing.Transaction == r.Transaction, nil
		}
		// Not there: the put may still land. Only the same number can tell.
		if try == appendTries {
			return nil, false, &OutcomeError{h.name, r.Number, err}
		}
		if _, stop := p.wait(ctx); stop != nil {
			return nil, false, &OutcomeError{h.name, r.Number, err}
		}
	}
}

// standing reads back a number; nil: nothing is there. It does so even if the
// caller has given up, for a while: an unknown outcome is worse than a wait.
func (h *History) standing(ctx context.Context, n int) (r *record, known bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), graceTime)
	defer cancel()
	var p pause
	for range 3 {
		r, err := h.maybe(ctx, n)
		if err == nil {
			return r, true
		}
		if _, err := p.wait(ctx); err != nil {
			break
		}
	}
	return nil, false
}

// final reports whether trying again, or reading back, can change nothing of
// the error of a write.
func final(err error) bool { return notDone(err) || errors.Is(err, vfs.ErrNotDurable) }

// notDone reports whether an error says for certain that a write was not done.
func notDone(err error) bool {
	if errors.Is(err, vfs.ErrNotDurable) {
		return false // whatever else it says
	}
	for _, class := range []error{fs.ErrPermission, fs.ErrInvalid, errors.ErrUnsupported, syscall.ENOSPC, syscall.EROFS} {
		if errors.Is(err, class) {
			return true
		}
	}
	return false
}
