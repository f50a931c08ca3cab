package store

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Snapshot is one state of a cluster. It never changes, whatever is committed
// after it, and is safe for concurrent use.
type Snapshot struct {
	h      *History
	c      *Commit
	newest bool // when it was taken: the plain files are the first place to look

	mu   sync.Mutex
	held map[string][]byte // bytes already read
}

func (h *History) snapshot(r *record, newest bool) *Snapshot {
	return &Snapshot{h: h, c: r.commit(), newest: newest, held: map[string][]byte{}}
}

// emptySnapshot stands before the first commit.
func (h *History) emptySnapshot() *Snapshot {
	return &Snapshot{h: h, c: &Commit{Cluster: h.name, Files: map[string]File{}}, held: map[string][]byte{}}
}

// Commit returns what the snapshot's record says. Number 0 is that of plain
// files without a history: all but Cluster and the sizes in Files is zero.
func (sn *Snapshot) Commit() *Commit { return sn.c }

// Cluster returns the name of the cluster.
func (sn *Snapshot) Cluster() string { return sn.h.name }

// LineageID returns the id of the cluster's life, or "" before its first
// commit. A cluster that is created again has another.
func (sn *Snapshot) LineageID() string { return sn.c.LineageID }

// Names returns the names of the plain files, sorted. Those under .stateroom/
// are in Commit().Files alone.
func (sn *Snapshot) Names() []string { return plainNames(sn.c.Files) }

func plainNames(files map[string]File) []string {
	names := slices.Sorted(maps.Keys(files))
	return slices.DeleteFunc(names, hidden)
}

// ReadFile returns the bytes of a file; fs.ErrNotExist if the snapshot has none
// of that name. They are the caller's own. One request as a rule, and one more
// where the plain file has become another.
func (sn *Snapshot) ReadFile(ctx context.Context, name string) ([]byte, error) {
	if b, ok := sn.remembered(name); ok {
		return slices.Clone(b), nil
	}
	f, ok := sn.c.Files[name]
	if !ok {
		return nil, &NoFileError{sn.h.name, sn.c.Number, name}
	}
	b, err := sn.read(ctx, name, f)
	if err != nil {
		return nil, err
	}
	sn.hold(name, b)
	return slices.Clone(b), nil
}

// ReadKept returns the foreign bytes that a conflict keeps (see
// [Commit.Foreign]); fs.ErrNotExist if it keeps none of that name.
func (sn *Snapshot) ReadKept(ctx context.Context, name string) ([]byte, error) {
	if sn.c.Foreign != nil {
		r, err := sn.h.record(ctx, sn.c.Number)
		if err != nil {
			return nil, err
		}
		if c, ok := r.Parts[0].wrote(name); ok && c.exists {
			return slices.Clone(c.bytes), nil
		}
	}
	return nil, &NoFileError{sn.h.name, sn.c.Number, name}
}

func (sn *Snapshot) read(ctx context.Context, name string, f File) ([]byte, error) {
	if b := sn.h.cachedFile(name, f); b != nil {
		return b, nil
	}
	b, err := sn.fetch(ctx, name, f)
	if err == nil {
		sn.h.keepFile(name, f, b)
	}
	return b, err
}

func (sn *Snapshot) fetch(ctx context.Context, name string, f File) ([]byte, error) {
	if sn.newest && onDisk(name) || sn.c.Number == 0 {
		s, err := sn.h.see(ctx, name)
		switch {
		case err != nil && sn.c.Number == 0:
			return nil, err
		case sn.c.Number == 0 && !s.exists:
			return nil, &NoFileError{sn.h.name, 0, name}
		case sn.c.Number == 0:
			return s.bytes, nil
		case err == nil:
			if ok, err := sn.h.isFile(ctx, s, sn.c.Files); ok && err == nil {
				return s.bytes, nil
			}
		}
	}
	c, err := sn.h.bytesOf(ctx, sn.c.Files, name)
	return c.bytes, err
}

func (sn *Snapshot) remembered(name string) ([]byte, bool) {
	sn.mu.Lock()
	defer sn.mu.Unlock()
	b, ok := sn.held[name]
	return b, ok
}

func (sn *Snapshot) hold(name string, b []byte) {
	sn.mu.Lock()
	defer sn.mu.Unlock()
	sn.held[name] = b
}

// FS returns the files as a file system that makes no more requests: what is
// wanted is read now, many at once. Patterns are names, or folders that end in
// "/"; none: every plain file.
func (sn *Snapshot) FS(ctx context.Context, patterns ...string) (fs.FS, error) {
	return fileSystem(ctx, chosen(sn.Names(), patterns), sn.ReadFile)
}

func fileSystem(ctx context.Context, names []string, read func(context.Context, string) ([]byte, error)) (fs.FS, error) {
	contents := make([][]byte, len(names))
	err := forEach(ctx, len(names), func(ctx context.Context, i int) (err error) {
		contents[i], err = read(ctx, names[i])
		return err
	})
	if err != nil {
		return nil, err
	}
	return newTree(names, contents), nil
}

// chosen returns the names that a pattern names; no patterns: all.
func chosen(names, patterns []string) []string {
	if len(patterns) == 0 {
		return names
	}
	var list []string
	for _, name := range names {
		if slices.ContainsFunc(patterns, func(p string) bool {
			return p == name || strings.HasSuffix(p, "/") && strings.HasPrefix(name, p)
		}) {
			list = append(list, name)
		}
	}
	return list
}

// Head returns the newest commit, whether its plain files are written yet or
// not. Plain files that no commit describes yet are a snapshot of number 0. No
// cluster, or a deleted one: fs.ErrNotExist.
//
// Files that will be read can be named, as for FS: they are fetched in the
// same round trip as the records.
func (h *History) Head(ctx context.Context, early ...string) (*Snapshot, error) {
	if len(early) > 0 {
		h = h.Reading(early...)
	}
	var seen []*sight
	st, err := h.look(ctx, func(ctx context.Context, hd *head) (err error) {
		seen, err = h.readEarly(ctx, hd)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !st.living() {
		return h.plainSnapshot(ctx, st)
	}
	st.early = seen
	sn := h.snapshot(st.tip, true)
	return sn, sn.holdKnown(ctx, st)
}

// Reading returns the history for somebody who is going to read these files in
// an update; patterns are those of [Snapshot.FS], none: every plain file, and the
// release. They are fetched in the same round trip as the records, with the key
// of their digests. An update that names its files leaves it to others to see
// whether the release is as it should be.
func (h *History) Reading(patterns ...string) *History {
	reading := *h
	if reading.early = patterns; len(patterns) == 0 {
		reading.early = []string{}
	}
	return &reading
}

// readEarly reads the files that will be asked for, but those that the newest
// record holds: that is being fetched anyway. What the cache has needs no
// request.
func (h *History) readEarly(ctx context.Context, hd *head) (seen []*sight, err error) {
	if h.early == nil {
		return nil, nil
	}
	epoch := 0
	var names []string
	var cached []*sight
	wanted := chosen(plainNames(hd.Files), h.early)
	if _, released := hd.Files[releaseFile]; released && len(h.early) == 0 {
		wanted = append(wanted, releaseFile)
	}
	for _, name := range wanted {
		f := hd.Files[name]
		if epoch = max(epoch, f.Digest.epoch()); f.Record == hd.Number {
			continue
		}
		if b := h.cachedFile(name, f); b != nil {
			cached = append(cached, &sight{name: name, content: content{true, b}, plain: f.Digest})
		} else {
			names = append(names, name)
		}
	}
	err = inParallel(ctx,
		func(ctx context.Context) (err error) { seen, err = h.seeAll(ctx, names); return err },
		func(ctx context.Context) (err error) {
			if epoch > 0 {
				_, err = h.key(ctx, epoch)
			}
			return err
		})
	return append(seen, cached...), err
}

// holdKnown lets the snapshot hold what is in memory already: what the newest
// record wrote, and files that were read along, where they are the snapshot's.
func (sn *Snapshot) holdKnown(ctx context.Context, st *state) error {
	if st.tip == nil {
		return nil
	}
	for name, f := range sn.c.Files {
		c, ok := st.tip.wrote(name)
		if epoch := f.Digest.epoch(); epoch > 0 { // its record could not check it
			key := sn.h.known.key(epoch)
			ok = ok && key != nil && digestKeyed(epoch, key, name, c.bytes) == f.Digest
		}
		if ok && c.exists && f.Record == st.tip.Number && int64(len(c.bytes)) == f.Size {
			sn.hold(name, c.bytes)
			sn.h.keepFile(name, f, c.bytes)
		}
	}
	for _, s := range st.early {
		ok, err := sn.h.isFile(ctx, s, sn.c.Files)
		if err != nil {
			return err
		}
		if ok && s.exists {
			sn.hold(s.name, s.bytes)
			sn.h.keepFile(s.name, sn.c.Files[s.name], s.bytes)
		}
	}
	return nil
}

func (h *History) seeAll(ctx context.Context, names []string) ([]*sight, error) {
	seen := make([]*sight, len(names))
	err := forEach(ctx, len(names), func(ctx context.Context, i int) (err error) {
		seen[i], err = h.see(ctx, names[i])
		return err
	})
	return seen, err
}

// plainSnapshot is the head of a cluster that another tool made, and that has
// no history, or has one that ended.
func (h *History) plainSnapshot(ctx context.Context, st *state) (*Snapshot, error) {
	missing := &NoClusterError{h.name}
	l, err := h.list(ctx)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil, h.withoutList(ctx, st)
	}
	if err != nil {
		return nil, err
	}
	if _, ok := l.files[configFile]; !ok {
		return nil, missing
	}
	if st.tip != nil {
		s, err := h.see(ctx, configFile)
		if err != nil {
			return nil, err
		}
		v, err := h.judge(ctx, s, st.tip, []*record{st.tip})
		if err != nil {
			return nil, err
		}
		if v != foreignEdit {
			return nil, missing // deleted, and the files are on their way out
		}
	}
	sn := h.emptySnapshot()
	for name, e := range l.files {
		sn.c.Files[name] = File{Size: e.Size}
	}
	return sn, nil
}

// withoutList says why a cluster that no record describes cannot be read where
// the service has no lists. One with a history can: the head names its files,
// and where that is lost, its records are found by their numbers.
func (h *History) withoutList(ctx context.Context, st *state) error {
	if st.tip == nil {
		if s, err := h.see(ctx, configFile); err != nil || s.exists {
			return errors.Join(err, &NoListError{h.name})
		}
	}
	return &NoClusterError{h.name}
}

// NoListError says that the files of a cluster cannot be found: it has no
// history, and the service no lists.
type NoListError struct{ Cluster string }

func (e *NoListError) Error() string {
	return "the files of " + e.Cluster + " cannot be found: it has no history, and the store cannot be listed"
}

// Unwrap returns errors.ErrUnsupported.
func (e *NoListError) Unwrap() error { return errors.ErrUnsupported }

// Hint says what to do.
func (e *NoListError) Hint() string {
	return "read it where it can be listed; any change made there begins a history"
}

// NoClusterError says that there is no cluster of that name.
type NoClusterError struct{ Cluster string }

func (e *NoClusterError) Error() string { return "no cluster " + e.Cluster + " in this store" }

// Unwrap returns fs.ErrNotExist.
func (e *NoClusterError) Unwrap() error { return fs.ErrNotExist }
