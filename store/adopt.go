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

// RecentConflicts is how many of the newest commits a look at a cluster asks
// for conflicts that are not settled: a history may have a hundred thousand.
const RecentConflicts = 1000

// Conflicts returns the commits that keep foreign bytes and are not settled
// yet, the newest first: of each file, those since the last commit that says
// that they are settled. See [Settled]. It looks at so many commits, the newest,
// and says whether there are more; 0: at all of them.
func (h *History) Conflicts(ctx context.Context, most int) (list []*Commit, more bool, err error) {
	var open openConflicts
	for c, err := range h.Log(ctx) {
		if err != nil {
			return nil, false, err
		}
		if most > 0 && open.seen == most {
			return list, !open.ended, nil
		}
		if c := open.see(c); c != nil {
			list = append(list, c)
		}
	}
	return list, false, nil
}

// openConflicts goes through a history from its end, and finds the conflicts
// that nobody has settled.
type openConflicts struct {
	seen    int
	settled map[string]bool
	ended   bool // what comes now was before the cluster was deleted
}

// see returns the commit with what it keeps and nobody has settled; nil: there
// is nothing of that.
func (o *openConflicts) see(c *Commit) *Commit {
	o.seen++
	o.ended = o.ended || c.Kind == Deleted
	if o.ended {
		return nil
	}
	for _, name := range settles(c.Message) {
		if o.settled == nil {
			o.settled = map[string]bool{}
		}
		o.settled[name] = true
	}
	if c.Foreign == nil {
		return nil
	}
	part := *c.Foreign
	part.Changed = slices.DeleteFunc(slices.Clone(part.Changed), func(ch Changed) bool { return o.settled[ch.Name] })
	if len(part.Changed) == 0 {
		return nil
	}
	c.Foreign = &part
	return c
}

// settledTrailer begins the line of a message that settles conflicts.
const settledTrailer = "Settles: "

// maxTrailer is more than that line has, with what parts it from the rest: a name
// has four bytes for each of its own, at most, when it is quoted.
const maxTrailer = 4*maxName + 64

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
	if most := maxMessage - maxTrailer; len(message) > most {
		message = message[:most] // the line that settles must not be what is cut off
	}
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
