package stateroom

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/pki"
	"github.com/stateroom/stateroom/store"
)

// Entry is one cluster of a store's list. A cluster that cannot be read is in
// the list with the reason.
type Entry struct {
	Name    cluster.Name
	Cluster *cluster.Cluster // nil where Err is set
	Err     error
}

// atOnce is how many clusters are read at the same time.
const atOnce = 64

// Clusters lists the clusters of the store, sorted by name: of those there are
// now, the ones that were there at AsOf.
func (s *Store) Clusters(ctx context.Context) ([]Entry, error) {
	var all []Entry
	for name, err := range s.store.Clusters(ctx) {
		if err != nil {
			return nil, err
		}
		if isCluster(name) {
			all = append(all, Entry{Name: cluster.Name(name)})
		}
	}
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i := range all {
		g.Go(func() error {
			all[i].Cluster, all[i].Err = s.load(ctx, all[i].Name)
			s.store.Forget(string(all[i].Name)) // its records are larger than it
			return nil
		})
	}
	_ = g.Wait() // each says for itself

	if s.at != "" { // not there yet, then
		all = slices.DeleteFunc(all, func(e Entry) bool { return errors.Is(e.Err, fs.ErrNotExist) })
	}
	return all, ctx.Err()
}

// ClusterConfigs lists the clusters of the store, sorted by name, each with its
// config alone, without instance groups: of a thousand clusters in a moment, one
// request for each. It shows the files as they lie there; see
// [store.Store.PlainConfigs] for what that means.
func (s *Store) ClusterConfigs(ctx context.Context) ([]Entry, error) {
	var mu sync.Mutex
	var all []Entry
	err := s.store.PlainConfigs(ctx, func(c store.PlainConfig) {
		if !isCluster(c.Cluster) {
			return
		}
		e := Entry{Name: cluster.Name(c.Cluster), Err: c.Err}
		if e.Err == nil {
			e.Cluster, e.Err = cluster.Load(c.Files, e.Name)
		}
		mu.Lock()
		defer mu.Unlock()
		all = append(all, e)
	})
	slices.SortFunc(all, func(a, b Entry) int { return strings.Compare(string(a.Name), string(b.Name)) })
	return all, err
}

// ClusterNames lists the names alone.
func (s *Store) ClusterNames(ctx context.Context) ([]cluster.Name, error) {
	var all []cluster.Name
	for name, err := range s.store.Clusters(ctx) {
		if err != nil {
			return nil, err
		}
		if isCluster(name) {
			all = append(all, cluster.Name(name))
		}
	}
	slices.Sort(all)
	return all, nil
}

// isCluster reports whether a folder that holds a file called config can be a
// cluster: other programs have such files too, src/config for one.
func isCluster(name string) bool {
	_, err := cluster.ParseName(name)
	return err == nil
}

// Cluster returns a cluster with its documents.
func (s *Store) Cluster(ctx context.Context, name cluster.Name) (*cluster.Cluster, error) {
	return s.load(ctx, name)
}

func (s *Store) load(ctx context.Context, name cluster.Name) (*cluster.Cluster, error) {
	head, err := s.headOf(ctx, name, documents...)
	if err != nil {
		return nil, err
	}
	return loadFrom(ctx, head, name)
}

func loadFrom(ctx context.Context, sn *store.Snapshot, name cluster.Name) (*cluster.Cluster, error) {
	files, err := sn.FS(ctx, documents...)
	if err != nil {
		return nil, err
	}
	c, err := cluster.Load(files, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noCluster(name)
	}
	return c, err
}

// Document is a document of a cluster as it is committed, to be edited.
type Document struct {
	File   string
	Bytes  []byte
	Commit int
}

// Document returns the document of a cluster, or of one of its groups. It may
// be one that cannot be read as such.
func (s *Store) Document(ctx context.Context, name cluster.Name, group string) (*Document, error) {
	d := &Document{File: cluster.ConfigFile}
	if group != "" {
		if _, err := cluster.ParseGroupName(group); err != nil {
			return nil, err
		}
		d.File = cluster.GroupFile(group)
	}
	head, err := s.headOf(ctx, name, d.File)
	if err != nil {
		return nil, err
	}
	d.Commit = head.Commit().Number
	d.Bytes, err = head.ReadFile(ctx, d.File)
	switch {
	case errors.Is(err, fs.ErrNotExist) && group != "":
		return nil, missingGroup(head.Names(), name, group)
	case errors.Is(err, fs.ErrNotExist):
		return nil, noCluster(name)
	}
	return d, err
}

// Addons returns the bytes of the cluster's own add-ons; none where there are
// none.
func (s *Store) Addons(ctx context.Context, name cluster.Name) ([]byte, error) {
	head, err := s.headOf(ctx, name, cluster.AddonsFile)
	if err != nil {
		return nil, err
	}
	return readBefore(ctx, head, cluster.AddonsFile)
}

// Keysets returns the keysets of a cluster, sorted by name. They hold private
// keys; see [PublicKeyset] for what may be shown.
func (s *Store) Keysets(ctx context.Context, name cluster.Name) ([]*pki.Keyset, error) {
	head, err := s.headOf(ctx, name)
	if err != nil {
		return nil, err
	}
	files, err := head.FS(ctx, keysetDir)
	if err != nil {
		return nil, err
	}
	var all []*pki.Keyset
	for _, file := range head.Names() {
		if _, ok := keysetName(file); !ok {
			continue
		}
		b, err := fs.ReadFile(files, file)
		if err != nil {
			return nil, err
		}
		ks, err := pki.Parse(b)
		if err != nil {
			return nil, fmt.Errorf("read %s of %s: %w", file, name, err)
		}
		all = append(all, ks)
	}
	return all, nil
}

// PublicKeyset returns a keyset without its private keys: what may be shown.
func PublicKeyset(k *pki.Keyset) *pki.Keyset {
	public := &pki.Keyset{Name: k.Name, Primary: k.Primary, Items: slices.Clone(k.Items)}
	for i := range public.Items {
		public.Items[i].Key = pki.Key{}
	}
	return public
}

// NoKeyset is the error for a keyset that a cluster does not have.
func NoKeyset(name cluster.Name, keyset string) error {
	return &MissingError{What: "keyset", Name: keyset, hint: fmt.Sprintf("stateroom get keypairs --name %s lists those there are", name)}
}

// NoGroup is the error for an instance group that a cluster does not have.
func NoGroup(c *cluster.Cluster, group string) error {
	var groups []string
	for _, g := range c.Groups {
		groups = append(groups, g.Name)
	}
	return &MissingError{What: "instance group", Name: group, hint: fmt.Sprintf("%s has %s", c.Name, strings.Join(groups, ", "))}
}
