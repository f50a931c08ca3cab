package store

import (
	"context"
	"log/slog"
)

// NoticeKind says what a [Notice] is about.
type NoticeKind string

// The kinds of notices.
const (
	Imported   NoticeKind = "imported"   // foreign edits became commit Number
	Finished   NoticeKind = "finished"   // commit Number of a writer that stopped half-way was finished for it
	Rebased    NoticeKind = "rebased"    // somebody else committed Number first; the change was made again on top
	Righted    NoticeKind = "righted"    // stale bytes of our own stood in the files, or a late delete, and were put right
	Kept       NoticeKind = "kept"       // foreign bytes stood in the way of a checkout; commit Number keeps them
	Young      NoticeKind = "young"      // foreign edits too fresh to be imported were left alone
	Refused    NoticeKind = "refused"    // files whose names cannot be imported were left alone
	Leased     NoticeKind = "leased"     // Author has the lease, for the reason in Message
	Unfinished NoticeKind = "unfinished" // commit Number stands, but not all of its files could be written yet
)

// Notice is something that happened beside what was asked for and that a
// person should hear of.
type Notice struct {
	Kind    NoticeKind
	Cluster string
	Number  int      // of the commit it is about; 0: none
	Names   []string // of the files it is about
	Author  string   // of that commit
	Message string   // of that commit, or why
}

func (h *History) notice(ctx context.Context, n Notice) {
	n.Cluster = h.name
	h.s.opt.Log.InfoContext(ctx, string(n.Kind), slog.String("cluster", h.name), slog.Int("commit", n.Number), slog.Int("names", len(n.Names)))
	if h.s.opt.Notice == nil {
		return
	}
	h.s.noticeMu.Lock()
	defer h.s.noticeMu.Unlock()
	h.s.opt.Notice(n)
}

// noticeRighted reports what was taken for a late write of our own: on a disk,
// or where a late write filled the place of a file that another tool deleted,
// that can be wrong.
func (h *History) noticeRighted(ctx context.Context, number int, names []string) {
	if len(names) > 0 {
		h.notice(ctx, Notice{Kind: Righted, Number: number, Names: names, Message: "late writes of an older commit were put right"})
	}
}

// noticeAgain reports a file of a commit that was written once more because it
// was missing after it may have been there: that cannot be told from a file
// that was deleted by another tool in between.
func (h *History) noticeAgain(ctx context.Context, number int, name string) {
	h.notice(ctx, Notice{
		Kind: Righted, Number: number, Names: []string{name},
		Message: "written once more: it was missing after it had been written, or may have been; if another tool deleted it, that is undone",
	})
}
