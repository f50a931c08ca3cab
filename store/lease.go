package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stateroom/stateroom/vfs"
)

const (
	leaseFormat = 1
	leaseName   = "lease"
	maxLease    = 4 << 10
	maxReason   = 1 << 10
)

// Lease says who is at work on a cluster; docs/formats/lease.md. It is for
// people: no write is refused because of it.
type Lease struct {
	LineageID    string
	Cluster      string
	Commit       int // the newest when it was taken
	Since, Until time.Time
	Holder       string // "Ada <ada@example.com>"
	Reason       string
}

func (l *Lease) encode() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "stateroom lease %d\ncluster %s %s\ncommit %d\n", leaseFormat, l.LineageID, quote(l.Cluster), l.Commit)
	fmt.Fprintf(&b, "since %d\nuntil %d\n", l.Since.Unix(), l.Until.Unix())
	fmt.Fprintf(&b, "holder %s\nreason %s\nend\n", quote(l.Holder), quote(l.Reason))
	return b.Bytes()
}

func decodeLease(b []byte) (*Lease, error) {
	if len(b) > maxLease {
		return nil, fmt.Errorf("lease of %d bytes: %w", len(b), errRecord)
	}
	t := &text{rest: b}
	l := &Lease{}
	t.header("stateroom lease ", leaseFormat)
	l.LineageID, l.Cluster = t.clusterLine("cluster ")
	l.Commit = int(t.int(t.want("commit ")))
	l.Since = time.Unix(t.int(t.want("since ")), 0).UTC()
	l.Until = time.Unix(t.int(t.want("until ")), 0).UTC()
	l.Holder = t.quoted(t.want("holder "))
	l.Reason = t.quoted(t.want("reason "))
	t.want("end")
	switch {
	case t.err != nil:
		return nil, t.err
	case !bytes.Equal(l.encode(), b):
		return nil, fmt.Errorf("lease is not in canonical form: %w", errRecord)
	}
	return l, nil
}

func (t *text) quoted(s string) string {
	plain, err := unquote(s)
	if err != nil || !utf8.ValidString(plain) {
		t.fail("not quoted as it should be")
	}
	return plain
}

// leaseAt returns what lies there, and the lease if it holds.
func (h *History) leaseAt(ctx context.Context, tip *Commit) (l *Lease, cond vfs.Cond, err error) {
	b, e, err := h.own.Get(ctx, leaseName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, vfs.IfAbsent(), nil
	}
	if err != nil {
		return nil, cond, err
	}
	cond = vfs.IfVersion(e.Version)
	l, err = decodeLease(b)
	if newer, ok := errors.AsType[*FormatError](err); ok {
		newer.What = "the lease of " + h.name
		return nil, cond, newer
	}
	if err != nil || l.Cluster != h.name || l.LineageID != tip.LineageID || l.Commit > tip.Number || !h.s.opt.Now().Before(l.Until) {
		return nil, cond, nil // it holds nothing
	}
	return l, cond, nil
}

// Lease returns the lease in force; nil: there is none.
func (h *History) Lease(ctx context.Context) (*Lease, error) {
	if _, _, err := h.own.Get(ctx, leaseName); errors.Is(err, fs.ErrNotExist) {
		return nil, nil // as a rule, and with one request
	}
	head, err := h.Head(ctx)
	if err != nil {
		return nil, err
	}
	l, _, err := h.leaseAt(ctx, head.Commit())
	return l, err
}

// TakeLease says that the author is at work on the cluster, for so long. One's
// own lease begins anew. That of another is a [*LeaseError], or goes by force.
func (h *History) TakeLease(ctx context.Context, reason string, long time.Duration, force bool) (*Lease, error) {
	head, err := h.Head(ctx)
	if err != nil {
		return nil, err
	}
	tip := head.Commit()
	if tip.Number == 0 {
		return nil, &NoCommitError{h.name, "head", 0}
	}
	if err := h.s.begin(ctx); err != nil {
		return nil, err
	}
	l, cond, err := h.leaseAt(ctx, tip)
	if err != nil {
		return nil, err
	}
	name, mail := cleanAuthor(h.s.opt.Author)
	holder := name + " <" + mail + ">"
	if l != nil && l.Holder != holder && !force {
		return nil, &LeaseError{*l}
	}
	now := h.s.opt.Now().UTC().Truncate(time.Second)
	mine := &Lease{tip.LineageID, h.name, tip.Number, now, now.Add(long.Round(time.Second)), holder, cleanReason(reason)}
	_, err = h.own.Put(ctx, leaseName, mine.encode(), cond, "")
	if errors.Is(err, vfs.ErrConflict) {
		return nil, fmt.Errorf("%s: somebody else took the lease just now: %w", h.name, ErrConflict)
	}
	return mine, err
}

func cleanReason(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	if len(s) > maxReason {
		s = strings.ToValidUTF8(s[:maxReason], "")
	}
	return s
}

// DropLease ends the lease in force and returns it; nil: there was none. That
// of another is a [*LeaseError], or goes by force.
func (h *History) DropLease(ctx context.Context, force bool) (*Lease, error) {
	head, err := h.Head(ctx)
	if err != nil {
		return nil, err
	}
	l, cond, err := h.leaseAt(ctx, head.Commit())
	if err != nil || cond.Absent() {
		return nil, err
	}
	name, mail := cleanAuthor(h.s.opt.Author)
	if l != nil && l.Holder != name+" <"+mail+">" && !force {
		return nil, &LeaseError{*l}
	}
	err = h.own.Delete(ctx, leaseName, cond)
	if errors.Is(err, vfs.ErrConflict) {
		return nil, fmt.Errorf("%s: somebody else took the lease just now: %w", h.name, ErrConflict)
	}
	return l, err
}

// HeldBy reports whether the author of this history's store holds l.
func (h *History) HeldBy(l *Lease) bool {
	name, mail := cleanAuthor(h.s.opt.Author)
	return l.Holder == name+" <"+mail+">"
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
