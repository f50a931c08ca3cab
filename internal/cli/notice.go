package cli

import (
	"fmt"

	"github.com/stateroom/stateroom/store"
)

// noticeText says what a store found and did beside what was asked.
func noticeText(n store.Notice) string {
	names := shortList(n.Names, 4)
	switch n.Kind {
	case store.Imported:
		return fmt.Sprintf("imported what another tool changed: %s (commit %d)", names, n.Number)
	case store.Finished:
		return fmt.Sprintf("finished commit %d, whose writer stopped half-way", n.Number)
	case store.Rebased:
		return rebasedOnto(n.Number, n.Author, n.Message)
	case store.Righted:
		return fmt.Sprintf("put right what a late write had left behind: %s", names)
	case store.Kept:
		return fmt.Sprintf("another tool wrote %s at the same time; commit %d keeps what it wrote", names, n.Number)
	case store.Young:
		return fmt.Sprintf("left alone for now, another tool has only just changed it: %s", names)
	case store.Refused:
		return fmt.Sprintf("left alone, the name cannot be kept: %s", names)
	case store.Leased:
		return fmt.Sprintf("warning: %s has the lease of %s: %s", n.Author, n.Cluster, n.Message)
	case store.Unfinished:
		return fmt.Sprintf("commit %d stands, and not all of its files are written yet: %s", n.Number, n.Message)
	}
	return fmt.Sprintf("%s: %s", n.Kind, names)
}
