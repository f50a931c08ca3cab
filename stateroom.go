// Package stateroom is what the command stateroom can do, as calls: create a
// cluster's state in a store, change it, plan and release it, look back and go
// back, and run it on this machine. It stands over the packages below it
// (store, cluster, plan, ...) and adds no format of its own.
//
// It prints nothing and reads no environment: what a person should see comes
// back as values, what was found on the way comes through Options.Notice.
//
// The usual calls:
//
//	s, err := stateroom.Open(ctx, objects, stateroom.Options{Author: "Ada <ada@example.com>"})
//	out, err := s.Edit(ctx, "demo.example.com", edit, stateroom.Write{Message: "more requests"})
//	up, err := s.Update(ctx, "demo.example.com", stateroom.UpdateOptions{...})
package stateroom

import (
	"cmp"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs"
)

// Version is the version of this program.
const Version = "0.1.0"

// Options says how a store is worked on. The zero value is of use: nobody is
// the author, and notices go nowhere.
type Options struct {
	// Address is what the store was opened by, with parameters that Place leaves
	// out; empty: Place says all. The agents of this machine's hosts open it by
	// that.
	Address string

	Author string             // who makes the commits: "Ada <ada@example.com>"
	Now    func() time.Time   // nil: time.Now
	Rand   io.Reader          // nil: crypto/rand
	Log    *slog.Logger       // nil: discarded
	Notice func(store.Notice) // what a person should hear of; nil: nobody does

	Cache *store.Cache // where what never changes is kept between commands; nil: nowhere

	// SingleWriter is the word of the caller that nobody else writes to the
	// store; see [store.Options].
	SingleWriter bool
}

// Store is a store opened by one who knows what lies in it. Its methods may be
// called at the same time.
type Store struct {
	objects *vfs.FS
	store   *store.Store
	opt     Options
	at      string // see AsOf
	draft   string // see OnDraft
}

// Open opens the store in f. It reads only; a place where nothing lies yet is
// an empty store.
func Open(ctx context.Context, f *vfs.FS, opt Options) (*Store, error) {
	opt = opt.filled()
	s, err := store.Open(ctx, f, opt.forStore())
	if err != nil {
		return nil, err
	}
	return &Store{objects: f, store: s, opt: opt}, nil
}

func (o Options) filled() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	return o
}

// forStore are the options of the store below.
func (o Options) forStore() store.Options {
	return store.Options{Keyed: Secret, Now: o.Now, Author: o.Author, Log: o.Log, Notice: o.Notice, Cache: o.Cache, SingleWriter: o.SingleWriter}
}

// address is what another program opens the store by.
func (s *Store) address() string { return cmp.Or(s.opt.Address, s.Place()) }

// Place is the address of the store, as shown to people.
func (s *Store) Place() string { return s.objects.Name() }

// Secret reports whether what lies under a name of a snapshot must never be
// shown: secrets, and keysets with their private keys.
func Secret(name string) bool {
	return strings.HasPrefix(name, "secrets/") || strings.HasPrefix(name, "pki/private/")
}

// The names that this package writes besides those of package cluster. What
// lies under .stateroom/ is in records only and never checked out.
const (
	keysetDir     = "pki/private/"
	keysetFile    = "/keyset.yaml"
	sshKeyDir     = "pki/ssh/public/admin/"
	catalogueName = ".stateroom/catalogue"
	releaseName   = ".stateroom/release"
)

// documents are the patterns of what people write, for FS of a snapshot.
var documents = []string{cluster.ConfigFile, cluster.GroupDir + "/", cluster.AddonsFile}

// isDocument reports whether a name holds what people write: that which a
// rollback brings back.
func isDocument(name string) bool {
	return name == cluster.ConfigFile || name == cluster.AddonsFile || strings.HasPrefix(name, cluster.GroupDir+"/")
}

// keysetName returns the keyset that lies under a name, if one does.
func keysetName(name string) (string, bool) {
	inner, ok := strings.CutPrefix(name, keysetDir)
	if !ok {
		return "", false
	}
	keyset, ok := strings.CutSuffix(inner, keysetFile)
	return keyset, ok && !strings.Contains(keyset, "/")
}
