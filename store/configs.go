package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// PlainConfig is the config of one cluster as it lies in the store.
type PlainConfig struct {
	Cluster string
	Files   fs.FS // the config alone
	Err     error // why it cannot be read
}

// PlainConfigs reads the config of every cluster, at the price of one list and
// one request for each, whatever lies beside them: the plain files, as they are.
// No history is looked at. So another tool's edit that no commit has yet shows,
// and a commit whose files are not written yet does not: its writer, or whoever
// comes next, does that.
//
// It calls each for every cluster, in no order and from many goroutines at
// once. A cluster that cannot be read has its reason in Err; an error of
// PlainConfigs is one of the list.
func (s *Store) PlainConfigs(ctx context.Context, each func(PlainConfig)) error {
	var names []string
	err := inParallel(ctx, s.Load, func(ctx context.Context) (err error) { names, err = s.folders(ctx, ""); return err })
	if err == nil {
		err = forSome(ctx, len(names), configsAtOnce, func(ctx context.Context, i int) error {
			h := s.Cluster(names[i])
			b, _, err := h.plain.Get(ctx, configFile)
			if !errors.Is(err, fs.ErrNotExist) { // some other folder
				each(PlainConfig{h.name, newTree([]string{configFile}, [][]byte{b}), err})
			}
			return ctx.Err()
		})
	}
	if err != nil {
		return fmt.Errorf("list clusters: %w", err)
	}
	return nil
}
