package stateroom

import (
	"context"
	"errors"
	"fmt"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/probe"
)

// checkDir is where a check of a service works: see docs/formats/store-layout.md.
const checkDir = ".stateroom/check"

// Check tries what the service of f does with all that a store needs of it,
// and cleans up after itself. Where a store with an id lies in f, what was
// found is kept in it, for writers to go by. An error means that the check
// could not be made, or its result not kept; findings are no errors.
func Check(ctx context.Context, f *vfs.FS, opt Options, how probe.Options) (*probe.Result, error) {
	r, err := probe.Run(ctx, f.Sub(checkDir), how)
	if err != nil {
		return r, fmt.Errorf("check %s: %w", f.Name(), err)
	}
	s, err := store.Open(ctx, f, opt.filled().forStore())
	if err == nil {
		err = s.Load(ctx)
	}
	if err == nil && s.ID() != "" {
		err = s.KeepChecked(ctx, checked(r))
	}
	if err != nil {
		return r, fmt.Errorf("keep what the check found: %w", err)
	}
	return r, nil
}

func checked(r *probe.Result) store.Checked {
	return store.Checked{Create: store.Answer(r.Create), Replace: store.Answer(r.Replace), Delete: store.Answer(r.Delete)}
}

// initChecked checks a service that may ignore conditions, makes the store only
// where it may be written to, and keeps what was found.
func initChecked(ctx context.Context, f *vfs.FS, s *store.Store, opt Options) error {
	r, err := probe.Run(ctx, f.Sub(checkDir), probe.Options{Quick: true})
	if err != nil {
		return err
	}
	refused := &store.ServiceError{Place: f.Name(), Found: checked(r)}
	if !refused.Found.Usable() && !(opt.SingleWriter && refused.Found.Lacking()) {
		return refused
	}
	return errors.Join(s.KeepChecked(ctx, refused.Found), s.Init(ctx))
}
