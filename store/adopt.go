package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Adopt imports foreign edits now, fresh ones too: those that chosen picks, by
// the names of the files; nil: all. The message is that of the imports; empty:
// their own words. It returns the newest snapshot.
func (h *History) Adopt(ctx context.Context, message string, chosen func(name string) bool) (*Snapshot, error) {
	return h.adopting(message, chosen, func(*Tx) error { return nil }).commit(ctx)
}

// RehearseAdopt calls fn on the state that Adopt would leave, returns its error,
// and writes nothing.
func (h *History) RehearseAdopt(ctx context.Context, chosen func(name string) bool, fn func(*Tx) error) error {
	return h.adopting("", chosen, fn).rehearse(ctx)
}

func (h *History) adopting(message string, chosen func(name string) bool, fn func(*Tx) error) *update {
	u := h.newUpdate(message, fn)
	u.adoption, u.adopt = message, chosen
	if chosen == nil {
		u.adopt = func(string) bool { return true }
	}
	return u
}

// choose makes of all foreign edits those that are to be imported which adopt
// picks, fresh or not. The others are left alone for now. nil: no choice.
func (sv *survey) choose(adopt func(name string) bool) {
	if adopt == nil || sv.gone {
		return
	}
	all := slices.Concat(sv.foreign, sv.young)
	sv.foreign, sv.young = nil, nil
	for _, s := range all {
		if adopt(s.name) {
			sv.foreign = append(sv.foreign, s)
		} else {
			sv.young = append(sv.young, s)
		}
	}
}

// Conflicts returns the commits that keep foreign bytes and are not settled
// yet, the newest first: of each file, those since the last commit that says
// that they are settled. See [Settled].
func (h *History) Conflicts(ctx context.Context) ([]*Commit, error) {
	settled := map[string]bool{}
	var open []*Commit
	for c, err := range h.Log(ctx) {
		if err != nil {
			return nil, err
		}
		if c.Kind == Deleted {
			break
		}
		for _, name := range settles(c.Message) {
			settled[name] = true
		}
		if c.Foreign != nil && slices.ContainsFunc(c.Foreign.Changed, func(ch Changed) bool { return !settled[ch.Name] }) {
			part := *c.Foreign
			part.Changed = slices.DeleteFunc(slices.Clone(part.Changed), func(ch Changed) bool { return settled[ch.Name] })
			c.Foreign = &part
			open = append(open, c)
		}
	}
	return open, nil
}

// settledTrailer begins the line of a message that settles conflicts.
const settledTrailer = "Settles: "

// Settled is the line of a commit's message which says that the conflicts of a
// file are settled: docs/formats/log-record.md.
func Settled(name string) string { return settledTrailer + quote(name) }

// settles returns the names of files that a message settles.
func settles(message string) []string {
	var names []string
	for line := range strings.SplitSeq(message, "\n") {
		if quoted, ok := strings.CutPrefix(line, settledTrailer); ok {
			if name, err := unquote(quoted); err == nil {
				names = append(names, name)
			}
		}
	}
	return names
}

// Settle commits that the conflicts of a file are settled. change makes the
// file what it is to be; it may change nothing: the commit is made all the same.
func (h *History) Settle(ctx context.Context, message, name string, change func(*Tx) error) (*Snapshot, error) {
	return h.Update(ctx, fmt.Sprintf("%s\n\n%s", message, Settled(name)), func(tx *Tx) error {
		if err := change(tx); err != nil {
			return err
		}
		tx.again = name
		if c, written := tx.writes[name]; written && !c.exists && tx.c.Files[name].Record > 0 {
			return nil // deleted, which shows
		}
		if _, there := tx.c.Files[name]; !there && !tx.writes[name].exists {
			tx.again = configFile // it stays away, and some file must carry the commit
		}
		b, err := tx.ReadFile(ctx, tx.again)
		if err == nil {
			tx.WriteFile(tx.again, b)
		}
		return err
	})
}
