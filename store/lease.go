package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stateroom/stateroom/vfs"
)

const (
	maxLease  = 4 << 10 // bytes of its words
	maxReason = 1 << 10
)

// Lease says who is at work on a cluster. It is for people: no write is refused
// because of it. It stands in the head (docs/formats/head.md), which everybody
// reads anyhow.
type Lease struct {
	Cluster      string
	Commit       int // the newest when it was taken
	Since, Until time.Time
	Holder       string // "Ada <ada@example.com>"
	Reason       string
}

// lease returns the lease of a head that is in force; nil: there is none.
func (h *History) lease(hd *head) *Lease {
	if hd == nil || hd.Lease == nil || !h.s.opt.Now().Before(hd.Lease.Until) {
		return nil
	}
	return hd.Lease
}

// Lease returns the lease in force; nil: there is none. It costs one request.
func (h *History) Lease(ctx context.Context) (*Lease, error) {
	if h.bad != nil {
		return nil, h.bad
	}
	hd, _, err := h.head(ctx)
	if err != nil {
		return nil, err
	}
	return h.lease(hd), nil
}

// TakeLease says that the author is at work on the cluster, for so long. One's
// own lease begins anew. That of another is a [*LeaseError], or goes by force.
func (h *History) TakeLease(ctx context.Context, reason string, long time.Duration, force bool) (*Lease, error) {
	var mine *Lease
	_, err := h.putLease(ctx, force, func(number int) *Lease {
		now := h.s.opt.Now().UTC().Truncate(time.Second)
		mine = &Lease{h.name, number, now, now.Add(long.Round(time.Second)), h.author(), cleanReason(reason)}
		return mine
	})
	if err != nil {
		return nil, err
	}
	return mine, nil
}

// DropLease ends the lease in force and returns it; nil: there was none. That
// of another is a [*LeaseError], or goes by force.
func (h *History) DropLease(ctx context.Context, force bool) (*Lease, error) {
	return h.putLease(ctx, force, func(int) *Lease { return nil })
}

// putLease writes another lease into the head, whatever commits meanwhile, and
// returns the one that was in force.
func (h *History) putLease(ctx context.Context, force bool, next func(number int) *Lease) (*Lease, error) {
	if err := h.s.begin(ctx); err != nil {
		return nil, err
	}
	var p pause
	for {
		hd, at, err := h.headToHold(ctx)
		if err != nil {
			return nil, err
		}
		was := h.lease(hd)
		if was != nil && !h.HeldBy(was) && !force {
			return nil, &LeaseError{*was}
		}
		now := *hd
		if now.Lease = next(hd.Number); now.Lease == nil && hd.Lease == nil {
			return nil, nil
		}
		_, err = h.own.Put(ctx, headName, now.encode(), vfs.IfVersion(at), "")
		if !errors.Is(err, vfs.ErrConflict) {
			return was, err
		}
		if _, stop := p.wait(ctx); stop != nil {
			return nil, fmt.Errorf("%s: the head changes all the time: %w: %w", h.name, ErrConflict, stop)
		}
	}
}

// headToHold returns the head of a cluster that has commits. A head that was
// lost is made again.
func (h *History) headToHold(ctx context.Context) (*head, vfs.Version, error) {
	st, err := h.look(ctx, nil)
	if err == nil && st.living() && st.head == nil {
		if _, err = h.Update(ctx, "", func(*Tx) error { return nil }); err == nil {
			st, err = h.look(ctx, nil)
		}
	}
	switch {
	case err != nil:
		return nil, "", err
	case st.broken != nil:
		return nil, "", st.broken
	case st.living() && st.head != nil:
		return st.head, st.headAt, nil
	}
	if _, err := h.Head(ctx); err != nil {
		return nil, "", err
	}
	return nil, "", &NoCommitError{h.name, "head", 0}
}

// tellLease tells a person who writes, once, that somebody else is at work.
func (u *update) tellLease(ctx context.Context, st *state) {
	l := u.h.lease(st.head)
	if l == nil || u.toldLease || u.h.HeldBy(l) {
		return
	}
	u.toldLease = true
	u.h.notice(ctx, Notice{Kind: Leased, Number: l.Commit, Author: l.Holder, Message: l.Reason})
}

func cleanReason(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	if len(s) > maxReason {
		s = strings.ToValidUTF8(s[:maxReason], "")
	}
	return s
}

// HeldBy reports whether the author of this history's store holds l.
func (h *History) HeldBy(l *Lease) bool { return l.Holder == h.author() }

// author is the author as a record would name them.
func (h *History) author() string {
	name, mail := cleanAuthor(h.s.opt.Author)
	return name + " <" + mail + ">"
}

// LeaseError says that somebody else is at work on a cluster.
type LeaseError struct{ Lease Lease }

func (e *LeaseError) Error() string {
	return fmt.Sprintf("%s: %s has the lease until %s: %s", e.Lease.Cluster, e.Lease.Holder, e.Lease.Until.Format(time.RFC3339), e.Lease.Reason)
}

// Unwrap returns ErrConflict.
func (e *LeaseError) Unwrap() error { return ErrConflict }

// Hint says what to do.
func (e *LeaseError) Hint() string { return "ask them; or with --force" }
