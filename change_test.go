package stateroom

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
)

// readless is a store that cannot be read any more once something was committed.
type readless struct {
	vfs.Driver
	committed bool
}

var errGone = errors.New("the connection is gone")

func (d *readless) Put(ctx context.Context, key string, b []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
	d.committed = d.committed || strings.Contains(key, "/log/")
	return d.Driver.Put(ctx, key, b, c, tag)
}

func (d *readless) Get(ctx context.Context, key string, unless vfs.Version) ([]byte, vfs.Entry, error) {
	if d.committed {
		return nil, vfs.Entry{}, errGone
	}
	return d.Driver.Get(ctx, key, unless)
}

// A command whose change is committed does not end with an error because what
// it shows of it cannot be read.
func TestAChangeThatIsCommittedIsNoError(t *testing.T) {
	open := func(d vfs.Driver) *Store {
		s, err := Open(t.Context(), vfs.New(d, "mem:"), Options{Author: "Ada <ada@example.com>", Now: later})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for what, do := range map[string]func(s *Store) (*Outcome, error){
		"edit": func(s *Store) (*Outcome, error) {
			return s.Edit(t.Context(), demo, Edit{Patch: set(t, "spec.channel=alpha")}, Write{})
		},
		"delete": func(s *Store) (*Outcome, error) { return s.Delete(t.Context(), demo, Write{}) },
	} {
		m := mem.New(mem.Options{})
		create(t, open(m))
		out, err := do(open(&readless{Driver: m}))
		if err != nil || out.Commit == 0 || len(out.Changes) == 0 {
			t.Errorf("%s: %+v, %v", what, out, err)
		}
	}
}
