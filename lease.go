package stateroom

import (
	"context"
	"time"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/store"
)

// Lease returns the lease of a cluster that is in force; nil: there is none.
func (s *Store) Lease(ctx context.Context, name cluster.Name) (*store.Lease, error) {
	return s.store.Cluster(string(name)).Lease(ctx)
}

// TakeLease says that the author is at work on a cluster, for so long and for
// that reason. Nobody is refused by it; see [store.History.TakeLease].
func (s *Store) TakeLease(ctx context.Context, name cluster.Name, reason string, long time.Duration, force bool) (*store.Lease, error) {
	return s.store.Cluster(string(name)).TakeLease(ctx, reason, long, force)
}

// DropLease ends the lease of a cluster and returns it; nil: there was none.
func (s *Store) DropLease(ctx context.Context, name cluster.Name, force bool) (*store.Lease, error) {
	return s.store.Cluster(string(name)).DropLease(ctx, force)
}
