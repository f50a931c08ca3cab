package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stateroom/stateroom/vfs"
)

// Options are what a store must be told.
type Options struct {
	// Track says which plain files belong to the state, of those that
	// docs/formats/store-layout.md tracks; nil: all of them. Names are relative
	// to the cluster's folder.
	Track func(name string) bool

	// Keyed says which files get a digest that is good only with a key, since
	// a plain one could be guessed; nil: those below secrets/ and pki/private/.
	Keyed func(name string) bool

	Now    func() time.Time // nil: time.Now
	Author string           // of commits: "Ada <ada@example.com>"
	Log    *slog.Logger     // nil: nothing is logged
	Notice func(Notice)     // what a person should hear of; nil: nobody. Called one at a time
	Settle *Settle          // nil: DefaultSettle

	// SingleWriter is the word of the caller that nobody else writes to the
	// store: a service without conditions is then written to as well, looking
	// before each write; see [vfs.FS.Alone]. One that ignores conditions is not.
	SingleWriter bool

	// Cache may be nil: then each client reads everything for itself.
	Cache *Cache

	// Sign returns the signature of a record's digest: one line. Verify
	// refuses a record by its digest and signature (which may be ""). Both may
	// be nil.
	Sign   func(digest string) (string, error)
	Verify func(digest, signature string) error
}

// Settle says how long what may still be going on is left alone.
type Settle struct {
	Foreign    time.Duration // a file that another tool wrote, before it is imported
	Unfinished time.Duration // a commit of another client, before it is finished for it
}

// DefaultSettle is used where Options name no other.
var DefaultSettle = Settle{Foreign: 10 * time.Second, Unfinished: 2 * time.Second}

// Store is one place that holds clusters. It is safe for concurrent use.
type Store struct {
	f     *vfs.FS
	raw   *vfs.FS // f as the service is, also for a single writer
	place string  // what is found out about the service is kept for this place
	opt   Options

	mu     sync.Mutex
	object storeObject
	known  map[string]*memory

	opening sync.Mutex // what the store says of itself is read once
	read    bool

	beginning sync.Mutex // the first write is prepared once

	noticeMu sync.Mutex
}

const (
	storeFormat = 1
	storeFile   = meta + "/store"
	maxStore    = 4 << 10
)

// Open returns the store in f. It makes no request: what the store says of
// itself is read together with the first thing that is asked of it, and an
// [*OpenError] then says that it cannot be used. An empty f is a store that
// nobody has written to.
func Open(_ context.Context, f *vfs.FS, opt Options) (*Store, error) { return at(f, opt), nil }

// Load reads what the store says of itself, if nothing was asked of it yet.
func (s *Store) Load(ctx context.Context) error {
	s.opening.Lock()
	defer s.opening.Unlock()
	if s.read {
		return nil
	}
	b, _, err := s.raw.Get(ctx, storeFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("open store: %w", err)
	}
	if err == nil {
		o, err := decodeStore(b)
		if newer, ok := errors.AsType[*FormatError](err); ok {
			newer.What = "the store " + s.f.Name()
			return newer
		}
		if err != nil {
			return &OpenError{Place: s.f.Name(), Err: err}
		}
		s.remember(o)
	}
	s.read = true
	return nil
}

// OpenError says that what a store says of itself cannot be read.
type OpenError struct {
	Place string
	Err   error
}

func (e *OpenError) Error() string { return "open store: " + e.Err.Error() }
func (e *OpenError) Unwrap() error { return e.Err }

// Hint says what to do.
func (e *OpenError) Hint() string {
	return "stateroom store fsck --state " + e.Place + " says what is wrong with the store, and with --repair mends it"
}

// at returns the store in f, unread.
func at(f *vfs.FS, opt Options) *Store {
	s := &Store{f: f, raw: f, place: f.Place(), opt: opt.filled(), known: map[string]*memory{}}
	if opt.SingleWriter {
		s.f = f.Alone()
	}
	return s
}

func (o Options) filled() Options {
	track := o.Track
	o.Track = func(name string) bool { return tracked(name) && (track == nil || track(name)) }
	if o.Keyed == nil {
		o.Keyed = keyed
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Settle == nil {
		o.Settle = &DefaultSettle
	}
	return o
}

// fresh reports whether something was written less than settle ago by the
// service's clock. A clock that is far ahead makes nothing fresh for ever.
func (o *Options) fresh(t time.Time, settle time.Duration) bool {
	return o.Now().Sub(t).Abs() < settle
}

// ID returns the store's own id, or "" if nobody has written to it, or nothing
// was asked of it yet.
func (s *Store) ID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.object.id
}

// FS returns where the store lies.
func (s *Store) FS() *vfs.FS { return s.f }

// Cluster returns the history of the cluster of that name, which need not
// exist yet.
func (s *Store) Cluster(name string) *History {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.known[name]
	if m == nil {
		m = newMemory()
		s.known[name] = m
	}
	return &History{s: s, name: name, plain: s.f.Sub(name), own: s.f.Sub(meta + "/" + name), known: m, bad: checkCluster(name)}
}

// Forget drops what is remembered of a cluster, for who goes through many.
func (s *Store) Forget(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.known, name)
}

// Clusters yields the names of the clusters, sorted: folders that hold
// `config`, and those with a history that does not end in their deletion.
func (s *Store) Clusters(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		names, err := s.clusters(ctx)
		if err != nil {
			yield("", fmt.Errorf("list clusters: %w", err))
			return
		}
		for _, name := range names {
			if !yield(name, nil) {
				return
			}
		}
	}
}

func (s *Store) clusters(ctx context.Context) ([]string, error) {
	var folders, histories []string
	err := inParallel(ctx,
		s.Load,
		func(ctx context.Context) (err error) { folders, err = s.folders(ctx, ""); return err },
		func(ctx context.Context) (err error) { histories, err = s.folders(ctx, meta); return err })
	if err != nil {
		return nil, err
	}
	names := slices.Concat(folders, histories)
	slices.Sort(names)
	names = slices.Compact(names)
	live := make([]bool, len(names))
	err = forEach(ctx, len(names), func(ctx context.Context, i int) (err error) {
		_, old := slices.BinarySearch(histories, names[i])
		live[i], err = s.Cluster(names[i]).lives(ctx, old)
		return err
	})
	if err != nil {
		return nil, err
	}
	kept := names[:0]
	for i, name := range names {
		if live[i] {
			kept = append(kept, name)
		}
	}
	return kept, nil
}

// folders returns the folders in dir that may be clusters.
func (s *Store) folders(ctx context.Context, dir string) ([]string, error) {
	var names []string
	for e, err := range s.f.ListDir(ctx, dir) {
		if err != nil {
			return nil, err
		}
		name, folder := strings.CutSuffix(e.Key, "/")
		if dir != "" {
			name = strings.TrimPrefix(name, dir+"/")
		}
		if folder && checkCluster(name) == nil && (dir != meta || name != "tmp" && name != checks) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// lives reports whether there is a cluster, at the price of one request as a
// rule. A history that was deleted a moment ago may count as living until its
// head is written.
func (h *History) lives(ctx context.Context, history bool) (bool, error) {
	if history {
		hd, _, err := h.head(ctx)
		if err != nil {
			return exists(err)
		}
		if hd != nil && hd.Kind != Deleted {
			return true, nil
		}
		_, err = h.Head(ctx)
		return exists(err)
	}
	_, _, err := h.plain.Get(ctx, configFile)
	return exists(err)
}

// exists reports what the error of a read says: a cluster that cannot be read
// is one, and must not hide the others.
func exists(err error) (bool, error) {
	_, damaged := errors.AsType[*DamagedError](err)
	_, newer := errors.AsType[*FormatError](err)
	switch {
	case err == nil || damaged || newer:
		return true, nil
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	}
	return false, err
}
