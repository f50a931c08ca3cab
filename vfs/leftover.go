package vfs

import (
	"context"
	"errors"
	"strings"
	"time"
)

// Leftover is what a driver set aside in the middle of a write and has not
// cleared away: a crash came in between, or it holds bytes of another tool that
// have no place in the store any more.
type Leftover struct {
	Name string // means something to the driver alone
	Key  string // of the object that it was, or was to be; "": not known
	Kept bool   // for a person to look at: nobody removes it by himself
	Data []byte
	Time time.Time
}

// Keeper is a [Driver] that sets things aside.
type Keeper interface {
	// Leftovers returns them all, sorted by name. It writes nothing.
	Leftovers(ctx context.Context) ([]Leftover, error)

	// Drop removes one that is kept, by its name.
	Drop(ctx context.Context, name string) error
}

// Leftovers returns what the driver set aside of the objects in f; none where
// it does no such thing. Those of no known key are the whole store's.
func (f *FS) Leftovers(ctx context.Context) ([]Leftover, error) {
	k, ok := ability[Keeper](f.d)
	if !ok {
		return nil, nil
	}
	all, err := k.Leftovers(ctx)
	if err != nil {
		return nil, f.wrap("look for leftovers in", "", err)
	}
	var list []Leftover
	for _, l := range all {
		key, below := strings.CutPrefix(l.Key, f.dir)
		if below || l.Key == "" && f.dir == "" {
			l.Key = key
			list = append(list, l)
		}
	}
	return list, nil
}

// DropLeftover removes what was kept, by the name that Leftovers gave it.
func (f *FS) DropLeftover(ctx context.Context, name string) error {
	k, ok := ability[Keeper](f.d)
	if !ok {
		return f.wrap("remove", name, errors.ErrUnsupported)
	}
	if err := k.Drop(ctx, name); err != nil {
		return f.wrap("remove", name, err)
	}
	return nil
}
