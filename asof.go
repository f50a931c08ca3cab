package stateroom

import (
	"context"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/store"
)

// AsOf returns the store as it was at a commit of a cluster: a number, head~2, or
// a time. It is for reading: a cluster and its documents, keysets, access, blame.
func (s *Store) AsOf(ref string) *Store {
	then := *s
	then.at = ref
	return &then
}

// then reads the snapshot that AsOf asks for.
func (s *Store) then(ctx context.Context, name cluster.Name) (*store.Snapshot, error) {
	sn, err := s.store.Cluster(string(name)).At(ctx, s.at)
	if err == nil && len(sn.Names()) == 0 {
		return nil, noCluster(name) // deleted by then
	}
	return sn, err
}
