package file_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/file"
)

// victimOf names the store that a process started by TestWritersThatAreKilled
// writes to, until it is killed.
const victimOf = "STATEROOM_TEST_VICTIM_OF"

func TestMain(m *testing.M) {
	if dir := os.Getenv(victimOf); dir != "" {
		fmt.Fprintln(os.Stderr, victim(context.Background(), dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// victim replaces one object at its version, without end. Each object says what
// it replaced.
func victim(ctx context.Context, dir string) error {
	d, err := file.Open(dir, file.Options{})
	if err != nil {
		return err
	}
	f := vfs.New(d, dir)
	for i := 0; ; i++ {
		data, e, err := f.Get(ctx, key)
		if err == nil {
			_, err = f.Put(ctx, key, fmt.Appendf(nil, "victim %d over %.4096s", i, data), vfs.IfVersion(e.Version), "")
		}
		if err != nil && !errors.Is(err, vfs.ErrConflict) {
			return err
		}
	}
}

// TestWritersThatAreKilled kills processes in the middle of their work, with a
// foreign tool at the same key. The next writer is not held up, and what the
// foreign tool wrote is there, or was replaced by a victim that had read it.
func TestWritersThatAreKilled(t *testing.T) {
	self, err := os.Executable()
	must(t, err)
	dir := fast(t)
	at := filepath.Join(dir, key)
	runs := 40
	if testing.Short() {
		runs = 6
	}
	for i := range runs {
		put(t, open(t, dir), key, "before", vfs.Cond{})
		c := exec.CommandContext(t.Context(), self)
		c.Env = append(os.Environ(), victimOf+"="+dir)
		c.Stderr = os.Stderr
		must(t, c.Start())
		started := time.Now()
		for read(t, at) == "before" && time.Since(started) < 10*time.Second {
			time.Sleep(time.Millisecond / 2)
		}
		foreign := fmt.Sprintf("[foreign %d]", i)
		tmp := filepath.Join(filepath.Dir(at), "tmp1")
		write(t, tmp, foreign)
		kill := func() { must(t, c.Process.Kill()); _ = c.Wait() }
		if i%2 == 0 { // the victim may still read it and replace it
			must(t, os.Rename(tmp, at))
			kill()
		} else {
			kill()
			must(t, os.Rename(tmp, at))
		}
		put(t, open(t, dir), "other", "x", vfs.Cond{}) // held up by nothing, and recovers
		if got := read(t, at); !strings.HasSuffix(got, foreign) && !strings.Contains(got, "over "+foreign) {
			t.Errorf("run %d: %s is gone, there is %q", i, foreign, got)
		}
		if got := temporaries(t, dir); slices.ContainsFunc(got, func(name string) bool { return !strings.HasPrefix(name, "new.") && !strings.HasPrefix(name, "kept.") }) {
			t.Errorf("run %d left %q", i, got)
		}
	}
}
