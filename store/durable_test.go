package store_test

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"syscall"
	"testing"

	"github.com/stateroom/stateroom/internal/durable"
	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs"
)

// failingSync returns a step whose syncs of one directory fail, as a disk does.
func failingSync(dir string, with error) func(op, name string) error {
	return func(op, name string) error {
		if op == durable.SyncDir && path.Clean(name) == dir {
			return &fs.PathError{Op: "sync", Path: name, Err: with}
		}
		return nil
	}
}

// A record that the disk failed to keep can be read back, from memory. That is
// no proof, and the client must not say that the commit stands.
func TestACommitWhoseSyncFailsIsNotAcknowledged(t *testing.T) {
	for _, with := range []error{syscall.EIO, syscall.EROFS, syscall.ENOSPC} {
		dir := t.TempDir()
		commit(t, client(t, directory(t, dir, nil)), "create", files{"config": "a: 1\n"})
		failing := directory(t, dir, failingSync(".stateroom/"+demo+"/log", with))
		_, err := client(t, failing).Update(t.Context(), "change", files{"config": "a: 2\n"}.apply)
		unknown, ok := errors.AsType[*store.OutcomeError](err)
		if !ok || unknown.Number != 2 || !errors.Is(err, vfs.ErrNotDurable) || !errors.Is(err, with) {
			t.Errorf("%v: %v", with, err)
		}
		// The disk is well again: whatever it kept, the next client goes on.
		commit(t, client(t, directory(t, dir, nil)), "again", files{"config": "a: 3\n"})
		expect(t, get(t, directory(t, dir, nil), demo+"/config"), "a: 3\n")
	}
}

// What a record needs must be durable before it: a key, a bundle.
func TestNothingIsCommittedOnTopOfWhatTheDiskDidNotKeep(t *testing.T) {
	for _, folder := range []string{"keys/manifest", "bundles/nodes"} {
		dir := t.TempDir()
		commit(t, client(t, directory(t, dir, nil)), "create", files{"config": "a: 1\n"})
		failing := directory(t, dir, failingSync(".stateroom/"+demo+"/"+folder, syscall.EIO))
		_, err := client(t, failing).Update(t.Context(), "change", func(tx *store.Tx) error {
			tx.WriteFile("secrets/token", []byte("x"))
			tx.Stage("bundles/nodes/1", []byte("bundle"))
			return nil
		})
		if _, unknown := errors.AsType[*store.OutcomeError](err); unknown || !errors.Is(err, vfs.ErrNotDurable) {
			t.Errorf("%s: %v", folder, err)
		}
		expect(t, history(t, client(t, directory(t, dir, nil))), "1 change A config")
	}
}

// A plain file or a head that the disk did not keep leaves the commit
// unfinished, and says so; the next client finishes it.
func TestACommitWhoseFilesAreNotDurableIsUnfinished(t *testing.T) {
	for _, folder := range []string{demo, ".stateroom/" + demo} {
		dir := t.TempDir()
		commit(t, client(t, directory(t, dir, nil)), "create", files{"config": "a: 1\n"})
		var heard []string
		failing := directory(t, dir, failingSync(folder, syscall.EIO))
		commit(t, client(t, failing, hearing(&heard)), "change", files{"config": "a: 2\n"})
		expect(t, strings.Join(heard, "\n"), "unfinished 2 [config]")
		heard = nil
		h := client(t, directory(t, dir, nil), hearing(&heard))
		if _, err := h.Update(t.Context(), "look", func(*store.Tx) error { return nil }); err != nil {
			t.Error(err)
		}
		if folder == demo {
			expect(t, strings.Join(heard, "\n"), "finished 2 [config]")
		}
	}
}
