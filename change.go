package stateroom

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/store"
)

// Write is what every call that writes is told besides its own options.
type Write struct {
	Message   string // the commit's message; empty: the operation's own words
	DryRun    bool   // do all of it but the commit; nothing at all is written
	Downgrade bool   // a lower Kubernetes version is meant
}

// Outcome is what a call that writes did, or in a dry run would do.
type Outcome struct {
	Cluster  cluster.Name
	Draft    string       // it was committed to; empty: to the cluster
	Commit   int          // the commit made; 0: nothing changed, or a dry run; below 0: of the draft
	Head     int          // the newest commit now
	DryRun   bool         // nothing was written
	Changes  []FileChange // by name; empty: nothing to change
	Warnings []string     // what a person should know and did not ask

	// Rebased are the commits that others made since the document was given to
	// the person who edited it, newest first; the change is on top of them.
	Rebased []*store.Commit
}

// recorder is a transaction that notes what is written through it, to be shown
// afterwards.
type recorder struct {
	*store.Tx
	written map[string][]byte
	removed map[string]bool

	downgrade bool             // a lower Kubernetes version is meant
	was       *cluster.Cluster // as it was found before anything was written; see inspect
	shown     []FileChange     // see end
}

func record(t *store.Tx) *recorder {
	return &recorder{Tx: t, written: map[string][]byte{}, removed: map[string]bool{}}
}

func (r *recorder) WriteFile(name string, b []byte) {
	r.Tx.WriteFile(name, b)
	r.written[name] = b
	delete(r.removed, name)
}

func (r *recorder) Remove(name string) {
	r.Tx.Remove(name)
	r.removed[name] = true
	delete(r.written, name)
}

// before is the state that the change starts from.
func (r *recorder) before() *store.Snapshot { return r.Snapshot }

// exists reports whether the change sees a file of that name.
func (r *recorder) exists(name string) bool { return slices.Contains(r.Names(), name) }

// changes compares what was written with what stood there.
func (r *recorder) changes(ctx context.Context) ([]FileChange, error) {
	var all []FileChange
	for name, b := range r.written {
		if hidden(name) {
			continue
		}
		old, err := readBefore(ctx, r.before(), name)
		if err != nil {
			return nil, err
		}
		all = appendChange(all, name, old, b)
	}
	for name := range r.removed {
		if hidden(name) {
			continue
		}
		old, err := readBefore(ctx, r.before(), name)
		if err != nil {
			return nil, err
		}
		all = appendChange(all, name, old, nil)
	}
	sortChanges(all)
	return all, nil
}

// readBefore reads a file that may not have been there: nil then, as in no
// snapshot at all.
func readBefore(ctx context.Context, sn *store.Snapshot, name string) ([]byte, error) {
	if sn == nil {
		return nil, nil
	}
	b, err := sn.ReadFile(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if b == nil && err == nil {
		b = []byte{} // an empty file is there
	}
	return b, err
}

// errRehearsed ends a dry run: an update whose function fails writes nothing.
var errRehearsed = errors.New("dry run")

// end is what a change ends with before it is committed. What is shown of it is
// read now: a read that fails after the commit would look as if there were none.
func (r *recorder) end(ctx context.Context, w Write) (err error) {
	if r.shown, err = r.changes(ctx); err == nil && w.DryRun {
		err = errRehearsed
	}
	return err
}

// change runs fn as one commit of a cluster's history, or in a dry run as
// none. fn may run more than once, on newer states. It will mostly read
// documents.
func (s *Store) change(ctx context.Context, name cluster.Name, w Write, words string, fn func(*recorder) error) (*Outcome, error) {
	return s.changeReading(ctx, name, documents, w, words, fn)
}

// changeAll is change for a function that reads every file.
func (s *Store) changeAll(ctx context.Context, name cluster.Name, w Write, words string, fn func(*recorder) error) (*Outcome, error) {
	return s.changeReading(ctx, name, nil, w, words, fn)
}

func (s *Store) changeReading(ctx context.Context, name cluster.Name, reads []string, w Write, words string, fn func(*recorder) error) (*Outcome, error) {
	if w.Message == "" {
		w.Message = words
	}
	var rec *recorder
	commit, err := s.committer(name, reads)
	if err != nil {
		return nil, err
	}
	after, err := commit(ctx, w.Message, func(t *store.Tx) error {
		rec = record(t)
		rec.downgrade = w.Downgrade
		if err := fn(rec); err != nil {
			return err
		}
		return rec.end(ctx, w)
	})
	out := &Outcome{Cluster: name, Draft: s.draft, DryRun: w.DryRun}
	switch {
	case errors.Is(err, errRehearsed):
		out.Head = rec.before().Commit().Number
	case errors.As(err, new(*store.NoClusterError)):
		return nil, noCluster(name)
	case err != nil:
		return nil, err
	default:
		if out.Head = after.Commit().Number; out.Head == rec.Number() {
			out.Commit = out.Head
		}
	}
	out.Changes = rec.shown
	return out, nil
}

// committer is what a change is committed with: the cluster's history, or the
// draft that the store is on.
func (s *Store) committer(name cluster.Name, reads []string) (func(context.Context, string, func(*store.Tx) error) (*store.Snapshot, error), error) {
	if s.draft == "" {
		return s.store.Cluster(string(name)).Reading(reads...).Update, nil
	}
	d, err := s.onDraft(name)
	if err != nil {
		return nil, err
	}
	return d.Update, nil
}
