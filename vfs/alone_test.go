package vfs_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
)

// service is one in memory that does with conditions what it is told to.
type service struct {
	*mem.Driver
	conditions string // kept, ignored, refused, missing
	unproven   bool
}

func (s *service) Traits() vfs.Traits {
	return vfs.Traits{Conditions: s.conditions != "missing", Tags: true, Unproven: s.unproven}
}

func (s *service) Put(ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
	c, err := s.cond(c)
	if err != nil {
		return vfs.Entry{}, err
	}
	return s.Driver.Put(ctx, key, data, c, tag)
}

func (s *service) Delete(ctx context.Context, key string, c vfs.Cond) error {
	c, err := s.cond(c)
	if err != nil {
		return err
	}
	return s.Driver.Delete(ctx, key, c)
}

func (s *service) cond(c vfs.Cond) (vfs.Cond, error) {
	switch {
	case s.conditions == "ignored":
		return vfs.Cond{}, nil
	case s.conditions != "kept" && !c.IsZero():
		return c, errors.ErrUnsupported
	}
	return c, nil
}

func (s *service) Place() string { return "memory here" }
func (s *service) About(context.Context) vfs.About {
	return vfs.About{Service: vfs.Told{Value: "memory"}}
}
func (s *service) Drop(context.Context, string) error { return nil }
func (s *service) BareDelete(ctx context.Context, key string, v vfs.Version) error {
	return s.Delete(ctx, key, vfs.IfVersion(v))
}

func (s *service) Leftovers(context.Context) ([]vfs.Leftover, error) {
	return []vfs.Leftover{{Name: "1", Key: "k"}}, nil
}

// A single writer's conditions are looked at, whatever the service makes of
// them: what another tool wrote meanwhile is not written over.
func TestASingleWriterLooksFirst(t *testing.T) {
	ctx := t.Context()
	for _, s := range []*service{
		{conditions: "kept"}, {conditions: "kept", unproven: true}, {conditions: "ignored", unproven: true},
		{conditions: "refused"}, {conditions: "refused", unproven: true}, {conditions: "missing"},
	} {
		s.Driver = mem.New(mem.Options{})
		f := vfs.New(s, "mem://").Alone()
		if !f.Traits().Conditions {
			t.Errorf("%+v: no conditions", s)
		}
		old, err := f.Put(ctx, "k", []byte("mine"), vfs.IfAbsent(), "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Driver.Put(ctx, "k", []byte("foreign"), vfs.Cond{}, ""); err != nil {
			t.Fatal(err)
		}
		_, err1 := f.Put(ctx, "k", []byte("mine again"), vfs.IfVersion(old.Version), "")
		_, err2 := f.Put(ctx, "k", []byte("mine again"), vfs.IfAbsent(), "")
		err3 := f.Delete(ctx, "k", vfs.IfVersion(old.Version))
		for _, err := range []error{err1, err2, err3} {
			if !errors.Is(err, vfs.ErrConflict) {
				t.Errorf("conditions that are %s, unproven %t: %v", s.conditions, s.unproven, err)
			}
		}
		data, now, err := f.Get(ctx, "k")
		if err != nil || string(data) != "foreign" {
			t.Errorf("conditions that are %s: stored %q, %v", s.conditions, data, err)
		}
		if err := f.Delete(ctx, "k", vfs.IfVersion(now.Version)); err != nil {
			t.Error(err)
		}
	}
}

// What the driver can do besides, it can do for a single writer.
func TestASingleWriterLosesNothing(t *testing.T) {
	ctx := t.Context()
	f := vfs.New(&service{Driver: mem.New(mem.Options{}), conditions: "kept"}, "mem://").Alone().Alone()
	if got := f.Sub("a").Place(); got != "memory here/a" {
		t.Errorf("Place() = %q", got)
	}
	if about, ok := f.About(ctx); !ok || about.Service.Value != "memory" {
		t.Errorf("About: %+v, %t", about, ok)
	}
	if left, err := f.Leftovers(ctx); len(left) != 1 || err != nil {
		t.Errorf("Leftovers: %v, %v", left, err)
	}
	if err := f.DropLeftover(ctx, "1"); err != nil {
		t.Errorf("DropLeftover: %v", err)
	}
	e, err := f.Put(ctx, "k", nil, vfs.IfAbsent(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.BareDelete(ctx, "k", e.Version); err != nil {
		t.Errorf("BareDelete: %v", err)
	}
}

// Who waits for another goroutine's write to the same key can give up.
func TestASingleWriterCanGiveUp(t *testing.T) {
	s := &hanging{service: service{Driver: mem.New(mem.Options{}), conditions: "missing"}, entered: make(chan struct{}), leave: make(chan struct{})}
	f := vfs.New(s, "mem://").Alone()
	done := make(chan error)
	go func() {
		_, err := f.Put(t.Context(), "k", nil, vfs.IfAbsent(), "")
		done <- err
	}()
	<-s.entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Put(ctx, "k", nil, vfs.IfAbsent(), ""); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	close(s.leave)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// hanging is a service whose Get takes until it may leave.
type hanging struct {
	service
	entered, leave chan struct{}
}

func (h *hanging) Get(ctx context.Context, key string, unless vfs.Version) ([]byte, vfs.Entry, error) {
	close(h.entered)
	<-h.leave
	return h.Driver.Get(ctx, key, unless)
}
