package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/stateroom/stateroom/vfs"
)

// maxFill is how many numbers a repair fills with void records by itself.
const maxFill = 1000

// voidAll replaces records that cannot be used by void ones.
func voidAll(ctx context.Context, e *examined, o FsckOptions) error {
	for _, n := range slices.Sorted(slices.Values(o.Void)) {
		i := slices.IndexFunc(e.clusters, func(x *examination) bool { return x.h.name == o.Cluster })
		if i < 0 {
			return &NoClusterError{o.Cluster}
		}
		x := e.clusters[i]
		if !x.bad[n] {
			return &NotVoidError{o.Cluster, n}
		}
		if err := x.void(ctx, n); err != nil {
			return fmt.Errorf("fsck %s: make commit %d void: %w", o.Cluster, n, err)
		}
	}
	return nil
}

// NotVoidError refuses to replace a record that is as it should be.
type NotVoidError struct {
	Cluster string
	Number  int
}

func (e *NotVoidError) Error() string {
	return fmt.Sprintf("%s: commit %d is no record that cannot be used", e.Cluster, e.Number)
}

// Unwrap returns fs.ErrInvalid.
func (e *NotVoidError) Unwrap() error { return fs.ErrInvalid }

// Hint says what to do.
func (e *NotVoidError) Hint() string {
	return "`stateroom store fsck` names those that can be made void"
}

// void puts a void record at a number: what stood there is kept in void/.
func (x *examination) void(ctx context.Context, n int) error {
	r := &record{Cluster: x.h.name, Number: n, Transaction: newTransaction(x.h.s.opt.Now()), Kind: Void, Was: map[string]Digest{}, Files: map[string]File{}}
	prev, err := x.full(ctx, n-1)
	if err != nil {
		return err
	}
	if prev != nil {
		r.ClusterID, r.Parent, r.Files = prev.ClusterID, prev.Digest, maps.Clone(prev.Files)
	} else if n > 1 {
		return fmt.Errorf("first the one before it must be there: %w", fs.ErrInvalid)
	}
	r.ClusterID = x.lineage(r.ClusterID, n)
	cond := vfs.IfAbsent()
	if v, ok := x.at[n]; ok {
		b, _, err := x.h.own.Get(ctx, recordName(n))
		if err != nil {
			return err
		}
		if err := x.h.keepVoid(ctx, recordName(n), b); err != nil {
			return err
		}
		cond = vfs.IfVersion(v)
	}
	// If we stop here, nothing has changed.
	b, err := r.encode(x.h.s.opt.Sign)
	if err == nil {
		err = r.check()
	}
	if err != nil {
		return err
	}
	if _, err := x.h.own.Put(ctx, recordName(n), b, cond, ""); err != nil {
		return err
	}
	x.records[n], x.bad[n], x.last = r, false, max(x.last, n)
	return nil
}

// lineage is that of the record before, or else of one after, or of the head.
func (x *examination) lineage(before string, n int) string {
	if before != "" {
		return before
	}
	for m := n + 1; m <= x.last; m++ {
		if r := x.records[m]; r != nil {
			return r.ClusterID
		}
	}
	if x.head != nil {
		return x.head.ClusterID
	}
	return newID()
}

// fill puts void records at the numbers that the head knows of and the log
// lacks, so that no number is used twice, and drops the head.
func (x *examination) fill(ctx context.Context) error {
	switch {
	case !x.solid():
		return errors.New("first the log must be whole")
	case x.head.Number-x.last > maxFill:
		return fmt.Errorf("%d commits are missing: that is not a copy, but another store", x.head.Number-x.last)
	}
	for n := x.last + 1; n <= x.head.Number; n++ {
		if err := x.void(ctx, n); err != nil {
			return err
		}
	}
	// If we stop here, the head names another record than there is: the next repair drops it.
	return x.dropHead(ctx)
}

// repairAll mends what it can. What fails is noted at its finding, and the rest
// goes on.
func repairAll(ctx context.Context, f *vfs.FS, opt Options, only string, e *examined) {
	mendAll(ctx, e.found)
	for _, x := range e.clusters {
		mendAll(ctx, x.found)
	}
	now, err := examineStore(ctx, f, opt, only)
	if err != nil {
		return // it shows when all is looked at again
	}
	for _, x := range now.clusters {
		i := slices.IndexFunc(e.clusters, func(y *examination) bool { return y.h.name == x.h.name })
		if i < 0 {
			continue
		}
		if err := x.finish(ctx); err != nil {
			for j := range e.clusters[i].found {
				if f := &e.clusters[i].found[j]; f.Mend() != "" && f.Trouble == "" {
					f.Trouble = err.Error()
				}
			}
		}
	}
}

func mendAll(ctx context.Context, found []Finding) {
	for i := range found {
		if found[i].mend == nil {
			continue
		}
		if err := found[i].mend(ctx); err != nil {
			found[i].Trouble = err.Error()
		}
	}
}

// finish does what any writer would: finish commits, put stale files right,
// import foreign edits. Before, bytes that only plain files hold get a commit.
func (x *examination) finish(ctx context.Context) error {
	tip := x.tip()
	if len(x.found) == 0 || tip == nil || !x.climbable() {
		return nil
	}
	if err := x.rehold(ctx, tip); err != nil {
		return err
	}
	u := x.h.newUpdate("", func(*Tx) error { return nil })
	u.adopt = func(string) bool { return true }
	_, err := u.commit(ctx)
	return err
}

// climbable reports whether a writer finds the newest record: from the head, or
// without one because there is no gap.
func (x *examination) climbable() bool {
	if x.head == nil {
		return x.solid()
	}
	for n := x.head.Number; n <= x.last; n++ {
		if x.records[n] == nil || x.bad[n] {
			return false
		}
	}
	return x.head.Number <= x.last && x.records[x.head.Number].Digest == x.head.Digest
}

// rehold commits bytes once more that no record holds.
func (x *examination) rehold(ctx context.Context, tip *record) error {
	r := tip.next(Change, newTransaction(x.h.s.opt.Now()))
	p := part{Message: cleanMessage("fsck: take up again what no commit holds"), Seconds: max(x.h.s.opt.Now().Unix(), tip.seconds(), 0)}
	p.Name, p.Mail = cleanAuthor(x.h.s.opt.Author)
	for _, f := range x.found {
		if f.Code != BytesPlainOnly {
			continue
		}
		name := strings.TrimPrefix(f.Object, x.h.name+"/")
		s, old := x.seen[name], tip.Files[name]
		p.Writes = append(p.Writes, write{name, s.bytes})
		r.Was[name], r.Files[name] = old.Digest, File{old.Digest, old.Size, r.Number}
	}
	if len(p.Writes) == 0 {
		return nil
	}
	r.Parts = []part{p}
	_, ours, err := x.h.append(ctx, r)
	if err == nil && !ours {
		return fmt.Errorf("commit %s was made meanwhile: %w", strconv.Itoa(r.Number), ErrConflict)
	}
	return err
}
