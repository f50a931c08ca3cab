package file_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stateroom/stateroom/vfs"
	"golang.org/x/sys/unix"
)

// ledger says who has replaced what, told by whoever did it.
type ledger struct {
	mu  sync.Mutex
	out map[string]string // bytes that left the key -> what took their place
}

func (l *ledger) left(t *testing.T, bytes, by string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if before, ok := l.out[bytes]; ok {
		t.Errorf("%q was replaced twice: by %q and by %q", bytes, before, by)
	}
	l.out[bytes] = by
}

// TestForeignWritersAgainstConditionalOnes lets a foreign tool write a key as
// fast as it can, by exchange, so that it can tell what each of its writes has
// displaced, while writers of ours replace and delete it at versions. In the
// end each write ever made is accounted for: it is at the key or among the
// kept, or it was displaced by the foreign tool, or replaced by a writer of
// ours that had read it.
func TestForeignWritersAgainstConditionalOnes(t *testing.T) {
	dir := fast(t)
	l := &ledger{out: map[string]string{}}
	put(t, open(t, dir), key, "start", vfs.Cond{})
	long := 3 * time.Second
	if testing.Short() {
		long = time.Second / 2
	}
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()

	var ours, foreign []string
	var tallied [3]tally
	var wg sync.WaitGroup
	for i := range tallied {
		wg.Go(func() { tallied[i] = conditionalWriter(ctx, t, dir, fmt.Sprintf("ours %d.", i), l) })
	}
	wg.Go(func() { foreign = foreignWriter(ctx, t, dir, l) })
	wg.Wait()

	put(t, open(t, dir), "other", "x", vfs.Cond{}) // recovers, if there were anything
	final, err := os.ReadFile(filepath.Join(dir, key))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	kept := map[string]bool{}
	for _, name := range temporaries(t, dir) {
		if !strings.HasPrefix(name, "kept.") {
			t.Errorf("left: %s", name)
		}
		kept[read(t, filepath.Join(dir, ".stateroom/tmp", name))] = true
	}
	account := func(bytes string) bool {
		_, replaced := l.out[bytes]
		return replaced || kept[bytes] || bytes == string(final)
	}
	var all tally
	for _, y := range tallied {
		ours = append(ours, y.written...)
		all.conflicts += y.conflicts
		all.deleted += y.deleted
	}
	for _, bytes := range append(append([]string{"start"}, foreign...), ours...) {
		if !account(bytes) {
			t.Errorf("lost: %q", bytes)
		}
	}
	t.Logf("%d foreign writes, %d of ours, %d deletes, %d conflicts, %d kept", len(foreign), len(ours), all.deleted, all.conflicts, len(kept))
	if len(ours) == 0 || all.conflicts == 0 || len(foreign) == 0 {
		t.Error("there was no race")
	}
}

type tally struct {
	written            []string
	conflicts, deleted int
}

func conditionalWriter(ctx context.Context, t *testing.T, dir, who string, l *ledger) (y tally) {
	f := open(t, dir)
	for i := 0; ctx.Err() == nil; i++ {
		data, e, err := f.Get(t.Context(), key)
		var next string
		switch {
		case errors.Is(err, fs.ErrNotExist):
			next = fmt.Sprint(who, i)
			_, err = f.Put(t.Context(), key, []byte(next), vfs.IfAbsent(), "")
		case err != nil:
		case i%16 == 0:
			err = f.Delete(t.Context(), key, vfs.IfVersion(e.Version))
			next = "nothing"
		default:
			next = fmt.Sprint(who, i)
			_, err = f.Put(t.Context(), key, []byte(next), vfs.IfVersion(e.Version), "")
		}
		switch {
		case errors.Is(err, vfs.ErrConflict):
			y.conflicts++
			continue
		case err != nil:
			t.Error(err)
			return y
		}
		if data != nil {
			l.left(t, string(data), next)
		}
		if next == "nothing" {
			y.deleted++
		} else {
			y.written = append(y.written, next)
		}
	}
	return y
}

// foreignWriter writes a temporary file beside the key and gives it the key by
// exchange, or create-only where there is nothing.
func foreignWriter(ctx context.Context, t *testing.T, dir string, l *ledger) (written []string) {
	at := filepath.Join(dir, key)
	tmp := filepath.Join(filepath.Dir(at), "tmp2718281828")
	for i := 0; ctx.Err() == nil; i++ {
		bytes := fmt.Sprint("foreign ", i)
		if err := os.MkdirAll(filepath.Dir(tmp), 0o700); err != nil {
			t.Error(err)
			return written
		}
		if err := os.WriteFile(tmp, []byte(bytes), 0o600); err != nil {
			continue // the directory went with the last object in it
		}
		err := unix.Renameat2(unix.AT_FDCWD, tmp, unix.AT_FDCWD, at, unix.RENAME_EXCHANGE)
		if err == nil {
			displaced, err := os.ReadFile(tmp)
			if err != nil {
				t.Error(err)
				return written
			}
			l.left(t, string(displaced), bytes)
		} else if err = unix.Renameat2(unix.AT_FDCWD, tmp, unix.AT_FDCWD, at, unix.RENAME_NOREPLACE); err != nil {
			continue
		}
		written = append(written, bytes)
		time.Sleep(50 * time.Microsecond)
	}
	return written
}
