package stateroom

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/stateroom/stateroom/plan"
	"github.com/stateroom/stateroom/store"
)

// FileChange is one file that differs between two states.
type FileChange struct {
	Name   string
	Action Action
	Secret bool   // its content is never shown
	Diff   string // unified, without a header; empty for secrets
	After  []byte // the content; nil for secrets and for what is removed
}

// Action is what became of a file.
type Action string

// What can become of a file.
const (
	Added   Action = "added"
	Changed Action = "changed"
	Removed Action = "removed"
)

// appendChange adds the difference of two contents of a file, where nil is "not
// there", and nothing when there is none.
func appendChange(all []FileChange, name string, old, new []byte) []FileChange {
	c := FileChange{Name: name, Action: Changed, Secret: Secret(name)}
	switch {
	case old == nil && new == nil, old != nil && new != nil && bytes.Equal(old, new):
		return all
	case old == nil:
		c.Action = Added
	case new == nil:
		c.Action = Removed
	}
	if !c.Secret {
		c.Diff, c.After = plan.Unified(string(old), string(new)), new
	}
	return append(all, c)
}

func sortChanges(all []FileChange) {
	slices.SortFunc(all, func(a, b FileChange) int { return cmp.Compare(a.Name, b.Name) })
}

// compare lists what differs between two snapshots, nil being one without
// files. What lies under .stateroom/ is left out: it is not a file of a person.
func compare(ctx context.Context, from, to *store.Snapshot) ([]FileChange, error) {
	before, after := files(from), files(to)
	var all []FileChange
	for name, f := range after {
		if old, there := before[name]; there && old.Digest == f.Digest {
			continue
		}
		old, err := readShown(ctx, from, name)
		if err != nil {
			return nil, err
		}
		new, err := readShown(ctx, to, name)
		if err != nil {
			return nil, err
		}
		all = appendChange(all, name, old, new)
	}
	for name := range before {
		if _, there := after[name]; there {
			continue
		}
		old, err := readShown(ctx, from, name)
		if err != nil {
			return nil, err
		}
		all = appendChange(all, name, old, nil)
	}
	sortChanges(all)
	return all, nil
}

// goneText stands for bytes that gc removed from an old commit.
const goneText = "(removed from the history by gc)\n"

// readShown is readBefore for what is only shown.
func readShown(ctx context.Context, sn *store.Snapshot, name string) ([]byte, error) {
	b, err := readBefore(ctx, sn, name)
	if gone := new(store.GoneError); errors.As(err, &gone) {
		return []byte(goneText), nil
	}
	return b, err
}

// files returns the files of people in a snapshot.
func files(sn *store.Snapshot) map[string]store.File {
	all := map[string]store.File{}
	if sn == nil {
		return all
	}
	for name, f := range sn.Commit().Files {
		if !hidden(name) {
			all[name] = f
		}
	}
	return all
}

// hidden reports whether a name is in records only and no file of a person.
func hidden(name string) bool { return strings.HasPrefix(name, ".stateroom/") }
