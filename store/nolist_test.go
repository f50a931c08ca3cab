package store_test

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"testing"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
)

// unlisted is a service without lists, such as plain HTTP.
type unlisted struct{ *mem.Driver }

// List cannot.
func (unlisted) List(context.Context, string, string) iter.Seq2[vfs.Entry, error] { return cannot }

// ListDir cannot.
func (unlisted) ListDir(context.Context, string) iter.Seq2[vfs.Entry, error] { return cannot }

func cannot(yield func(vfs.Entry, error) bool) { yield(vfs.Entry{}, errors.ErrUnsupported) }

func TestANamedClusterIsReadWithoutLists(t *testing.T) {
	d := mem.New(mem.Options{})
	for _, text := range []string{"a: 1\n", "a: 2\n", "a: 3\n"} {
		commit(t, client(t, d), text, files{"config": text, "instancegroup/nodes": text})
	}
	for _, lost := range []bool{false, true} {
		if lost {
			remove(t, d, own+"/head")
		}
		h := client(t, unlisted{d})
		sn, err := h.Head(t.Context(), "config")
		if err != nil {
			t.Fatalf("head lost: %v: %v", lost, err)
		}
		f, err := sn.FS(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if b, err := fs.ReadFile(f, "instancegroup/nodes"); err != nil || string(b) != "a: 3\n" {
			t.Errorf("%q, %v", b, err)
		}
		expect(t, history(t, h), history(t, client(t, d)))
		if sn, err := h.At(t.Context(), "2"); err != nil || sn.Commit().Message != "a: 2" {
			t.Errorf("%v", err)
		}
		if _, err := h.Drift(t.Context()); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("drift: %v", err)
		}
		if _, err := h.Update(t.Context(), "change", files{"config": "a: 4\n"}.apply); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("update: %v", err)
		}
	}
}

func TestWhatIsNotThereWithoutLists(t *testing.T) {
	d := mem.New(mem.Options{})
	_, err := client(t, unlisted{d}).Head(t.Context())
	if _, missing := errors.AsType[*store.NoClusterError](err); !missing {
		t.Errorf("no cluster: %v", err)
	}
	put(t, d, demo+"/config", "by kops") // and no history
	_, err = client(t, unlisted{d}).Head(t.Context())
	if _, refused := errors.AsType[*store.NoListError](err); !refused || !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("no history: %v", err)
	}
	remove(t, d, demo+"/config")
	commit(t, client(t, d), "create", files{"config": "a: 1\n"})
	if _, err := client(t, d).Delete(t.Context(), "delete"); err != nil {
		t.Fatal(err)
	}
	_, err = client(t, unlisted{d}).Head(t.Context())
	if _, missing := errors.AsType[*store.NoClusterError](err); !missing {
		t.Errorf("deleted: %v", err)
	}
}
