package store

import "context"

// Init gives the store its id now, unless it has one. The first commit would do
// it, too.
func (s *Store) Init(ctx context.Context) error { return s.begin(ctx) }
