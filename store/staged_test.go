package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
)

// removing is a service on which an object goes just before a commit lands.
type removing struct {
	vfs.Driver
	object string
}

func (d removing) Put(ctx context.Context, key string, b []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
	if strings.Contains(key, "/log/") {
		if err := d.Delete(ctx, d.object, vfs.Cond{}); err != nil {
			return vfs.Entry{}, err
		}
	}
	return d.Driver.Put(ctx, key, b, c, tag)
}

// An object that was there for long, and that nothing named, may be on its way
// out when a commit names it: where versions are hashes, that it was written
// once more is not seen.
func TestACommitHasWhatItStagedThoughItWasOnItsWayOut(t *testing.T) {
	const bundle = own + "/bundles/nodes/abc"
	d := mem.New(mem.Options{Now: func() time.Time { return time.Now().Add(-3 * store.StagedFor) }})
	commit(t, client(t, d), "create", files{"config": "a"})
	put(t, d, bundle, "the bundle")
	_, err := client(t, removing{d, bundle}).Update(t.Context(), "release", func(tx *store.Tx) error {
		tx.Stage("bundles/nodes/abc", []byte("the bundle"))
		tx.Release([]byte("abc"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, get(t, d, bundle), "the bundle")
}
