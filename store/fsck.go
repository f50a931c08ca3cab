package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stateroom/stateroom/vfs"
)

// Finding is one thing in a store that is not as it should be.
type Finding struct {
	Cluster string // empty: the store's own
	Code    Code
	Object  string // its key in the store
	What    string // what was found, in one sentence
	Mended  bool   // it was found, and is no more
	Trouble string // why it could not be mended

	mend func(context.Context) error // what [Fsck] can do about it at once; may be nil
}

// Means says what a finding of this kind means, Mend what a repair does about
// it (empty: nothing), and Advice what else can be done.
func (f *Finding) Means() string  { return meanings[f.Code].means }
func (f *Finding) Mend() string   { return meanings[f.Code].mend }   //nolint:revive // see Means
func (f *Finding) Advice() string { return meanings[f.Code].advice } //nolint:revive // see Means

// FsckOptions say what Fsck may do.
type FsckOptions struct {
	Cluster string // only this one and what is the store's own; empty: all
	Repair  bool   // mend what can be mended without losing anything
	Void    []int  // records of Cluster to be replaced by void ones, with Repair
}

// Fsck looks at all of a store: the log of each cluster with its chain and
// digests, head, plain files, release and keys, and what lies about. Without
// Repair it writes nothing. It opens the store itself, since one that is
// damaged may not open.
//
// A repair loses nothing: what it replaces is kept, and foreign edits become
// commits. It returns what was found at first, with what is mended marked so,
// and what is there only now.
func Fsck(ctx context.Context, f *vfs.FS, opt Options, o FsckOptions) ([]Finding, error) {
	first, err := examineStore(ctx, f, opt, o.Cluster)
	if err != nil || !o.Repair {
		return findings(first), err
	}
	if first.s.ID() != "" { // else there is nothing to lose yet
		if err := first.s.begin(ctx); err != nil {
			return findings(first), err
		}
	}
	if err := voidAll(ctx, first, o); err != nil {
		return findings(first), err
	}
	if len(o.Void) > 0 { // what is to be mended may be another thing now
		if first, err = reexamine(ctx, f, opt, o.Cluster, first); err != nil {
			return nil, err
		}
	}
	repairAll(ctx, f, opt, o.Cluster, first)
	last, err := examineStore(ctx, f, opt, o.Cluster)
	if err != nil {
		return findings(first), err
	}
	return settleFindings(findings(first), findings(last)), nil
}

// reexamine looks again, and takes along what is gone since.
func reexamine(ctx context.Context, f *vfs.FS, opt Options, cluster string, before *examined) (*examined, error) {
	now, err := examineStore(ctx, f, opt, cluster)
	if err != nil {
		return nil, err
	}
	still := marks(findings(now))
	for _, old := range findings(before) {
		if !still[old.mark()] {
			old.Mended, old.mend = true, nil
			now.found = append(now.found, old)
		}
	}
	return now, nil
}

// mark is what tells one finding from another.
type mark struct {
	cluster string
	code    Code
	object  string
}

func (f *Finding) mark() mark { return mark{f.Cluster, f.Code, f.Object} }

func marks(found []Finding) map[mark]bool {
	all := map[mark]bool{}
	for i := range found {
		all[found[i].mark()] = true
	}
	return all
}

// settleFindings marks what is no longer there, and adds what was not there
// before.
func settleFindings(first, last []Finding) []Finding {
	known, left := marks(first), marks(last)
	for i := range first {
		f := &first[i]
		f.Mended = !left[f.mark()]
		if f.Mended {
			f.Trouble = ""
		}
	}
	for _, f := range last {
		if !known[f.mark()] {
			first = append(first, f)
		}
	}
	return first
}

// examined is a store that was looked at.
type examined struct {
	s         *Store
	found     []Finding      // the store's own
	clusters  []*examination // those without findings hold nothing
	leftovers []vfs.Leftover
	recorded  []bool // whether a record holds the bytes of each of them
}

func findings(e *examined) []Finding {
	if e == nil {
		return nil
	}
	all := slices.Clone(e.found)
	for _, c := range e.clusters {
		all = append(all, c.found...)
	}
	slices.SortStableFunc(all, func(a, b Finding) int { return cmp.Compare(a.Cluster, b.Cluster) })
	return all
}

func examineStore(ctx context.Context, f *vfs.FS, opt Options, only string) (*examined, error) {
	e := &examined{s: at(f, opt)}
	folders, err := e.s.folders(ctx, "")
	if err != nil {
		return nil, err
	}
	histories, err := e.s.folders(ctx, meta)
	if err != nil {
		return nil, err
	}
	if err := e.storeObject(ctx, len(histories) > 0); err != nil {
		return nil, err
	}
	names := slices.Compact(slices.Sorted(slices.Values(slices.Concat(folders, histories))))
	if only != "" {
		if !slices.Contains(names, only) {
			return nil, &NoClusterError{only}
		}
		names = []string{only}
	}
	if e.leftovers, err = e.s.f.Leftovers(ctx); err != nil {
		return nil, err
	}
	e.recorded, e.clusters = make([]bool, len(e.leftovers)), make([]*examination, len(names))
	var mu sync.Mutex
	err = forSome(ctx, len(names), clustersAtOnce, func(ctx context.Context, n int) error {
		name := names[n]
		_, history := slices.BinarySearch(histories, name)
		x, err := e.s.examineCluster(ctx, name, history)
		if err != nil {
			return fmt.Errorf("fsck %s: %w", name, err)
		}
		mu.Lock()
		defer mu.Unlock()
		for i, l := range e.leftovers {
			if cluster, file, _ := strings.Cut(l.Key, "/"); cluster == name && x.holds(file, l.Data) {
				e.recorded[i] = true
			}
		}
		if len(x.found) == 0 { // of ten thousand clusters, few have more to be told
			x = &examination{h: x.h}
			e.s.Forget(name)
		}
		e.clusters[n] = x
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := e.checksLeft(ctx); err != nil {
		return nil, err
	}
	e.addLeftovers(only)
	return e, nil
}

// clustersAtOnce is how many clusters are looked at at the same time: what each
// of them asks for is many requests by itself.
const clustersAtOnce = 8

// checksLeft looks for what a check of the service did not clean up. One that
// is at work now is left alone.
func (e *examined) checksLeft(ctx context.Context) error {
	for o, err := range e.s.f.List(ctx, meta+"/"+checks+"/", "") {
		if err != nil {
			return err
		}
		if e.s.opt.fresh(o.Time, time.Hour) {
			continue
		}
		e.add(CheckLeft, o.Key, fmt.Sprintf("%d bytes of a check of the service that was cut off", o.Size), func(ctx context.Context) error {
			return e.s.f.Delete(ctx, o.Key, vfs.Cond{})
		})
	}
	return nil
}

// examineTries is how often a cluster is looked at again while others write.
const examineTries = 5

// examineCluster looks at one cluster. Where something seems wrong and somebody
// has committed meanwhile, it looks again: what was seen is not of one moment.
func (s *Store) examineCluster(ctx context.Context, name string, history bool) (*examination, error) {
	for try := 1; ; try++ {
		x := &examination{h: s.Cluster(name)}
		if err := x.examine(ctx, history); err != nil {
			return nil, err
		}
		if len(x.found) == 0 || !history {
			return x, nil
		}
		_, _, err := x.h.own.Get(ctx, recordName(x.last+1))
		if errors.Is(err, fs.ErrNotExist) {
			return x, nil
		}
		if err != nil {
			return nil, err
		}
		if try == examineTries {
			x.found = slices.DeleteFunc(x.found, momentary)
			return x, nil
		}
	}
}

// momentary reports whether a finding holds the log against what changes with
// each commit: while somebody commits, it means nothing.
func momentary(f Finding) bool {
	kind, _, _ := strings.Cut(string(f.Code), "-")
	return slices.Contains([]string{"head", "file", "config", "bytes", "release"}, kind)
}

func (e *examined) add(code Code, object, what string, mend func(context.Context) error) {
	e.found = append(e.found, Finding{Code: code, Object: object, What: what, mend: mend})
}

// storeObject looks at .stateroom/store.
func (e *examined) storeObject(ctx context.Context, used bool) error {
	b, entry, err := e.s.f.Get(ctx, storeFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if used {
			e.add(StoreMissing, storeFile, "the store has histories and no id", e.s.begin)
		}
		return nil
	case err != nil:
		return err
	}
	o, err := decodeStore(b)
	if newer, ok := errors.AsType[*FormatError](err); ok {
		newer.What = "the store " + e.s.f.Name()
		return newer
	}
	if err != nil {
		e.add(StoreUnreadable, storeFile, err.Error(), func(ctx context.Context) error {
			_, err := e.s.f.Put(ctx, storeFile, storeObject{id: newID()}.encode(), vfs.IfVersion(entry.Version), "")
			return err
		})
		return nil
	}
	e.s.object = o
	return nil
}

// addLeftovers tells what the driver set aside.
func (e *examined) addLeftovers(only string) {
	for i, l := range e.leftovers {
		name, _, _ := strings.Cut(strings.TrimPrefix(l.Key, meta+"/"), "/")
		if only != "" && name != only {
			continue
		}
		object := meta + "/tmp/" + l.Name
		if !l.Kept {
			e.add(TmpLeft, object, "a crash came in the middle of a write of "+orUnknown(l.Key), func(ctx context.Context) error {
				unlock, err := e.s.f.Lock(ctx, "fsck") // whoever takes it, puts right what crashed
				if err == nil {
					unlock()
				}
				return err
			})
			continue
		}
		if e.recorded[i] {
			e.add(TmpRecorded, object, "bytes of another tool at "+l.Key+", which a commit holds too", func(ctx context.Context) error {
				return e.s.f.DropLeftover(ctx, l.Name)
			})
			continue
		}
		e.add(TmpKept, object, fmt.Sprintf("%d bytes that another tool wrote to %s, written over before they could be imported", len(l.Data), l.Key), nil)
	}
}

func orUnknown(key string) string {
	if key == "" {
		return "an object"
	}
	return key
}
