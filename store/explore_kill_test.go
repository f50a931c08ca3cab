package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/store/storetest"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/file"
)

// What a process that is going to be killed is told: the store, its commit
// message, and before which step on the disk it stops and waits for that.
const (
	victimStore   = "STATEROOM_TEST_VICTIM_STORE"
	victimMessage = "STATEROOM_TEST_VICTIM_MESSAGE"
	victimStep    = "STATEROOM_TEST_VICTIM_STEP"
)

// window is how far a commit had come when its writer was killed.
type window int

const (
	beforeRecord  window = iota
	recordToFiles        // the record is there, and not all files
	filesToHead          // all files are there, and not the head
	afterHead
	windows
)

func (w window) String() string {
	return [...]string{"before the record", "record to files", "files to head", "after the head"}[w]
}

// TestVictim is the process that is killed. It makes one commit.
func TestVictim(t *testing.T) {
	dir := os.Getenv(victimStore)
	if dir == "" {
		t.Skip("it is for TestWritersKilledInEachWindow")
	}
	var stop, steps int64
	if _, err := fmt.Sscan(os.Getenv(victimStep), &stop); err != nil {
		t.Fatal(err)
	}
	d, err := file.Open(dir, file.Options{Step: func(op, name string) error {
		if atomic.AddInt64(&steps, 1) == stop {
			fmt.Println("stopped")
			select {}
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := commitAs(t.Context(), d, os.Getenv(victimMessage)); err != nil {
		t.Fatal(err)
	}
	fmt.Println("acknowledged", atomic.LoadInt64(&steps))
	select {}
}

// commitAs adds a line to one file, writes another and makes a third one.
func commitAs(ctx context.Context, d vfs.Driver, message string) error {
	s, err := store.Open(ctx, vfs.New(d, "file:"), store.Options{Author: "Ada <ada@example.com>", Settle: atOnce})
	if err != nil {
		return err
	}
	_, err = s.Cluster(demo).Update(ctx, message, func(tx *store.Tx) error {
		b, err := tx.ReadFile(ctx, "config")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		tx.WriteFile("config", append(b, message+"\n"...))
		tx.WriteFile("instancegroup/nodes", []byte(message))
		if strings.HasPrefix(message, "victim") {
			tx.WriteFile("instancegroup/new", []byte(message))
		} else {
			tx.Remove("instancegroup/new")
		}
		return nil
	})
	return err
}

// killing is a store whose writers are killed.
type killing struct {
	t      *testing.T
	dir    string
	d      vfs.Driver
	number int            // of the newest commit
	want   map[string]int // how often each message is in the history
}

// newKilling begins a store. It is on a file system in memory where there is
// one: a kill leaves what the kernel knows.
func newKilling(t *testing.T) *killing {
	dir, err := os.MkdirTemp("/dev/shm", "stateroom-test-")
	if err == nil {
		t.Cleanup(func() { os.RemoveAll(dir) })
	} else {
		dir = t.TempDir()
	}
	d, err := file.Open(dir, file.Options{})
	if err != nil {
		t.Fatal(err)
	}
	k := &killing{t: t, dir: dir, d: d, want: map[string]int{}}
	k.next("begin")
	return k
}

// next is the command after a kill.
func (k *killing) next(message string) {
	k.t.Helper()
	if err := commitAs(k.t.Context(), k.d, message); err != nil {
		k.t.Errorf("%s: %v", message, err)
	}
	k.number++
	k.want[message] = 1
}

// kill starts a writer and kills it before its n-th step, or when it is done.
func (k *killing) kill(n int, message string) (acked bool, steps int) {
	k.t.Helper()
	self, err := os.Executable()
	if err != nil {
		k.t.Fatal(err)
	}
	c := exec.CommandContext(k.t.Context(), self, "-test.run", "^TestVictim$", "-test.timeout", "60s")
	c.Env = append(os.Environ(), victimStore+"="+k.dir, victimMessage+"="+message, fmt.Sprintf("%s=%d", victimStep, n))
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		k.t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		k.t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if kerr := c.Process.Kill(); err != nil || kerr != nil {
		k.t.Fatalf("%s before step %d: %q, %v, %v", message, n, line, err, kerr)
	}
	_ = c.Wait() // it was killed
	rest, acked := strings.CutPrefix(line, "acknowledged ")
	if acked {
		_, err = fmt.Sscan(rest, &steps)
	} else if line != "stopped\n" {
		err = errors.New(line)
	}
	if err != nil {
		k.t.Fatalf("%s before step %d: %v", message, n, err)
	}
	return acked, steps
}

// found is how far the commit of that message came, seen from outside.
func (k *killing) found(message string) window {
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(k.dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			k.t.Error(err)
		}
		return string(b)
	}
	switch {
	case !strings.Contains(read(fmt.Sprintf(".stateroom/%s/log/%012d", demo, k.number+1)), message):
		return beforeRecord
	case !strings.HasSuffix(read(demo+"/config"), message+"\n") || read(demo+"/instancegroup/nodes") != message || read(demo+"/instancegroup/new") != message:
		return recordToFiles
	case !strings.Contains(read(".stateroom/"+demo+"/head"), fmt.Sprintf("\nnumber %d\n", k.number+1)):
		return filesToHead
	}
	return afterHead
}

// verify checks the whole history and the files: every acknowledged commit,
// and every one that was there when its writer was killed, is there once.
func (k *killing) verify() error {
	seen, err := storetest.Check(k.t.Context(), vfs.New(k.d, "file:"), demo)
	if err != nil {
		return err
	}
	for message, n := range k.want {
		if got := seen.Count(message); got != n {
			return fmt.Errorf("%q is committed %d times, not %d", message, got, n)
		}
	}
	if n := len(seen.Commits); n != k.number {
		return fmt.Errorf("%d commits, not %d", n, k.number)
	}
	var lines []string
	for _, c := range seen.Commits {
		lines = append(lines, c.Message+"\n")
	}
	if got := seen.Newest()["config"]; got != strings.Join(lines, "") {
		return fmt.Errorf("config is %q, the commits are %q", got, lines)
	}
	return k.fsck()
}

// fsck wants a store in which nothing is wrong.
func (k *killing) fsck() error {
	found, err := store.Fsck(k.t.Context(), vfs.New(k.d, "file:"), store.Options{}, store.FsckOptions{})
	if err == nil && len(found) > 0 {
		err = fmt.Errorf("fsck finds %d: %s: %s", len(found), found[0].Code, found[0].What)
	}
	return err
}

// TestWritersKilledInEachWindow kills processes with SIGKILL in the middle of a
// commit in a directory, before each of their steps on the disk, until enough
// died in each window. After each the next command succeeds, and history and
// files are whole. The window is what is found on the disk afterwards.
func TestWritersKilledInEachWindow(t *testing.T) {
	enough := 40
	if testing.Short() {
		enough = 3
	}
	began := time.Now()
	rnd := rand.New(rand.NewPCG(1, 2))
	var kills, acks [windows]int
	steps := [windows][]int{} // before which the writers died
	k := newKilling(t)
	total, longest := 0, 40
	for slices.Min(kills[:]) < enough && !t.Failed() {
		n := total + 1 // each once, and then where most are missing
		if total >= longest {
			fewest := slices.Index(kills[:], slices.Min(kills[:]))
			n = 1 + rnd.IntN(longest+1)
			switch list := steps[fewest]; {
			case fewest == int(afterHead) && rnd.IntN(4) == 0:
				n = longest + 1 // after it was acknowledged
			case len(list) > 0:
				n = list[rnd.IntN(len(list))]
			}
		}
		message := fmt.Sprintf("victim %d", total)
		total++
		acked, all := k.kill(n, message)
		if acked {
			longest = max(all, 10)
		}
		w := k.found(message)
		if acked && w != afterHead {
			t.Errorf("%s was acknowledged, and is found %s", message, w)
		}
		kills[w]++
		if acked {
			acks[w]++
		} else {
			steps[w] = append(steps[w], n)
		}
		if k.want[message] = 0; w != beforeRecord {
			k.want[message] = 1
			k.number++
		}
		k.next(fmt.Sprintf("next %d", total))
		if err := k.verify(); err != nil {
			t.Errorf("killed %s, before step %d: %v", w, n, err)
		}
		if total%40 == 0 {
			k = newKilling(t)
		}
	}
	for w := range windows {
		slices.Sort(steps[w])
		t.Logf("%-18s %3d kills (%d acknowledged), before steps %v", w, kills[w], acks[w], slices.Compact(steps[w]))
	}
	t.Logf("%d kills in %.1f s", total, time.Since(began).Seconds())
}
