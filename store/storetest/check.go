// Package storetest checks a store from outside: that what it promises holds,
// whatever was done to it. It is not for what a single call returns.
//
// The usual calls:
//
//	seen, err := storetest.Check(ctx, f, "demo.example.com")   // reads, finishes, compares
//	d = storetest.Watch(d)                                    // judges every write on its way
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs"
)

// Seen is a whole history, as a client saw it that had just come.
type Seen struct {
	Commits []*store.Commit            // the oldest first
	Files   []map[string]string        // after each of them
	Kept    map[string]map[string]bool // name: bytes of other tools that a conflict keeps; "-": that it was gone
	Told    map[string]bool            // files that Check, while it finished, said it put right or finished
}

// Count returns how many commits have this message.
func (s *Seen) Count(message string) int {
	n := 0
	for _, c := range s.Commits {
		if c.Message == message {
			n++
		}
	}
	return n
}

// Newest returns the files of the newest commit.
func (s *Seen) Newest() map[string]string {
	if len(s.Files) == 0 {
		return map[string]string{}
	}
	return s.Files[len(s.Files)-1]
}

// Read reads the whole history of a cluster with a client of its own, and
// writes nothing. It checks that everything can be read, that the numbers have
// no gap, that no transaction is there twice, and that time does not go back.
func Read(ctx context.Context, f *vfs.FS, cluster string) (*Seen, error) {
	h, err := open(ctx, f, cluster, nil)
	if err != nil {
		return nil, err
	}
	seen := &Seen{Kept: map[string]map[string]bool{}}
	for c, err := range h.Log(ctx) {
		if err != nil {
			return nil, err
		}
		seen.Commits = append([]*store.Commit{c}, seen.Commits...)
	}
	transactions := map[string]int{}
	for i, c := range seen.Commits {
		if c.Number != i+1 {
			return nil, fmt.Errorf("commit %d stands at number %d", c.Number, i+1)
		}
		if n := transactions[c.Transaction]; n > 0 {
			return nil, fmt.Errorf("commits %d and %d are the same transaction", n, c.Number)
		}
		transactions[c.Transaction] = c.Number
		if i > 0 && c.Time.Before(seen.Commits[i-1].Time) {
			return nil, fmt.Errorf("commit %d is older than the one before", c.Number)
		}
		if err := seen.read(ctx, h, c); err != nil {
			return nil, fmt.Errorf("commit %d: %w", c.Number, err)
		}
	}
	return seen, seen.matchesHead(ctx, h)
}

func open(ctx context.Context, f *vfs.FS, cluster string, hear func(store.Notice)) (*store.History, error) {
	s, err := store.Open(ctx, f, store.Options{Author: "Check <check@example.com>", Settle: &store.Settle{}, Notice: hear})
	if err != nil {
		return nil, err
	}
	return s.Cluster(cluster), nil
}

func (s *Seen) read(ctx context.Context, h *store.History, c *store.Commit) error {
	sn, err := h.At(ctx, fmt.Sprint(c.Number))
	if err != nil {
		return err
	}
	files := map[string]string{}
	for name := range c.Files {
		b, err := sn.ReadFile(ctx, name)
		if err != nil {
			return err
		}
		files[name] = string(b)
	}
	s.Files = append(s.Files, files)
	if c.Foreign == nil {
		return nil
	}
	for _, ch := range c.Foreign.Changed {
		b, err := sn.ReadKept(ctx, ch.Name)
		if ch.Action == store.Removed {
			b, err = []byte("-"), nil
		}
		if err != nil {
			return err
		}
		if s.Kept[ch.Name] == nil {
			s.Kept[ch.Name] = map[string]bool{}
		}
		s.Kept[ch.Name][string(b)] = true
	}
	return nil
}

// matchesHead: readers see the newest record, all of it.
func (s *Seen) matchesHead(ctx context.Context, h *store.History) error {
	if len(s.Commits) == 0 {
		return nil
	}
	newest := s.Commits[len(s.Commits)-1]
	sn, err := h.Head(ctx)
	if newest.Kind == store.Deleted && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if sn.Commit().Number != newest.Number && sn.Commit().Number != 0 {
		return fmt.Errorf("the head is commit %d, the newest %d", sn.Commit().Number, newest.Number)
	}
	if sn.Commit().Number == 0 {
		return nil // made again by another tool
	}
	for name, want := range s.Newest() {
		b, err := sn.ReadFile(ctx, name)
		if err != nil {
			return err
		}
		if string(b) != want {
			return fmt.Errorf("%s reads as %q, its record says %q", name, b, want)
		}
	}
	return nil
}

const restored = "restore config"

// Check reads the history, lets a client finish whatever is unfinished, and
// checks that the history only grew by imports and conflicts, and that then the
// plain files are those of the newest commit, byte for byte, the release too.
// A config that another tool deleted it restores.
func Check(ctx context.Context, f *vfs.FS, cluster string) (*Seen, error) {
	before, err := Read(ctx, f, cluster)
	if err != nil {
		return nil, fmt.Errorf("as found: %w", err)
	}
	told := map[string]bool{}
	h, err := open(ctx, f, cluster, func(n store.Notice) {
		for _, name := range n.Names {
			told[name] = told[name] || n.Kind == store.Righted || n.Kind == store.Finished
		}
	})
	if err != nil {
		return nil, err
	}
	_, err = h.Update(ctx, "finish", func(*store.Tx) error { return nil })
	if _, missing := errors.AsType[*store.MissingError](err); missing { // a person has to decide: this one restores
		_, err = h.Update(ctx, restored, func(tx *store.Tx) error { tx.WriteFile("config", []byte(restored)); return nil })
	}
	if err != nil {
		return nil, fmt.Errorf("finish: %w", err)
	}
	after, err := Read(ctx, f, cluster)
	if err != nil {
		return nil, fmt.Errorf("finished: %w", err)
	}
	after.Told = told
	if err := grown(before, after); err != nil {
		return nil, err
	}
	if drift, err := h.Drift(ctx); err != nil || len(drift) > 0 {
		return nil, fmt.Errorf("finished, and still there is drift: %v, %w", drift, err)
	}
	return after, plain(ctx, f, cluster, after.Newest())
}

func grown(before, after *Seen) error {
	for i, c := range after.Commits {
		if i < len(before.Commits) {
			if before.Commits[i].Digest != c.Digest {
				return fmt.Errorf("commit %d has become another", c.Number)
			}
			continue
		}
		ended := c.Kind == store.Deleted && c.Author == "foreign <>"
		if c.Kind != store.Import && c.Kind != store.Conflict && !ended && c.Message != restored {
			return fmt.Errorf("finishing made commit %d of kind %s", c.Number, c.Kind)
		}
	}
	if len(after.Commits) < len(before.Commits) {
		return errors.New("commits are gone")
	}
	return nil
}

// plain compares the plain files with a manifest, without the store's help.
func plain(ctx context.Context, f *vfs.FS, cluster string, want map[string]string) error {
	left := map[string]bool{}
	for name := range want {
		left[name] = true
	}
	for e, err := range f.Sub(cluster).List(ctx, "", "") {
		if err != nil {
			return err
		}
		text, ok := want[e.Key]
		if !ok && strings.HasPrefix(e.Key, "backups/") {
			continue
		}
		b, _, err := f.Sub(cluster).Get(ctx, e.Key)
		if err != nil {
			return err
		}
		if !ok || text != string(b) {
			return fmt.Errorf("plain file %s is %q, the newest commit says %q (%v)", e.Key, b, text, ok)
		}
		delete(left, e.Key)
	}
	const release = ".stateroom/release"
	if text, ok := want[release]; ok {
		b, _, err := f.Get(ctx, ".stateroom/"+cluster+"/release")
		if err != nil {
			return err
		}
		if !bytes.Equal(b, []byte(text)) {
			return fmt.Errorf("release is %q, the newest commit says %q", b, text)
		}
	}
	for name := range left {
		if !strings.HasPrefix(name, ".stateroom/") {
			return fmt.Errorf("plain file %s is missing", name)
		}
	}
	return nil
}
