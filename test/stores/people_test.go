package stores_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/store/storetest"
	"github.com/stateroom/stateroom/test/servers"
	"github.com/stateroom/stateroom/vfs"
)

// program builds the command once for all tests.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "stateroom-test.")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "stateroom")
	out, err := exec.Command("go", "build", "-o", path, "github.com/stateroom/stateroom/cmd/stateroom").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := program(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// person is somebody who works with a store in a bucket by the command.
type person struct {
	bin string
	env map[string]string
}

func newPerson(t testing.TB, s servers.S3, url string) person {
	t.Helper()
	bin, err := program()
	if err != nil {
		t.Fatal(err)
	}
	env := s3Env(s)
	env["STATEROOM_STATE_STORE"] = url
	env["HOME"] = t.TempDir()
	env["PATH"] = os.Getenv("PATH")
	return person{bin, env}
}

// command returns one run of the command as a process.
func (p person) command(args ...string) (*exec.Cmd, *bytes.Buffer) {
	cmd := exec.Command(p.bin, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	for name, value := range p.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd, &out
}

func (p person) run(t testing.TB, args ...string) string {
	t.Helper()
	cmd, out := p.command(args...)
	if err := cmd.Run(); err != nil {
		t.Fatalf("stateroom %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out.String()
}

// clean wants fsck to find nothing.
func (p person) clean(t testing.TB) {
	t.Helper()
	cmd, out := p.command("store", "fsck")
	if err := cmd.Run(); err != nil {
		t.Errorf("store fsck: %v\n%s", err, out)
	}
}

// TestTenEditsAtOnceAllStand lets ten processes set a label each, at the same
// moment, in a bucket.
func TestTenEditsAtOnceAllStand(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB) servers.S3{"gofakes3": servers.GoFakeS3, "versitygw": servers.Versity} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const many = 10
			s := start(t)
			p := newPerson(t, s, "s3://"+s.Bucket(t)+"/clusters")
			p.run(t, "create", "cluster", theCluster)
			var wg sync.WaitGroup
			for i := range many {
				wg.Go(func() {
					cmd, out := p.command("edit", "cluster", "--set", fmt.Sprintf("spec.cloudLabels.label%d=on", i))
					if err := cmd.Run(); err != nil {
						t.Errorf("edit %d: %v\n%s", i, err, out)
					}
				})
			}
			wg.Wait()
			document, labels := p.run(t, "get", "cluster", theCluster, "-o", "yaml"), 0
			for i := range many {
				labels += strings.Count(document, fmt.Sprintf(" label%d: ", i))
			}
			commits := strings.Count(p.run(t, "log"), "\n")
			t.Logf("%d of %d labels, log of %d lines", labels, many, commits)
			if labels != many {
				t.Errorf("%d labels of %d are there", labels, many)
			}
			p.clean(t)
		})
	}
}

// TestKilledWritersLoseNothing kills a process at each of its requests in turn.
// The next one finds a store that works; what was acknowledged is there, and
// nothing is there twice.
func TestKilledWritersLoseNothing(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB) servers.S3{"gofakes3": servers.GoFakeS3, "versitygw": servers.Versity} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			killEach(t, start(t))
		})
	}
}

func killEach(t *testing.T, s servers.S3) {
	url := "s3://" + s.Bucket(t) + "/clusters"
	healthy := newPerson(t, s, url)
	healthy.run(t, "create", "cluster", theCluster)
	var victim atomic.Pointer[os.Process]
	var seen, at atomic.Int64
	through := s
	through.Endpoint = servers.Proxy(t, s.Endpoint, servers.Faults{Seen: func(*http.Request) {
		if n := seen.Add(1); n == at.Load() {
			if v := victim.Load(); v != nil {
				_ = v.Kill()
			}
		}
	}})
	doomed := newPerson(t, through, url)
	kills, acknowledged := 0, []string{}
	for n := int64(1); ; n++ {
		seen.Store(0)
		at.Store(n)
		victim.Store(nil)
		label := fmt.Sprintf("killed%d", n)
		cmd, out := doomed.command("edit", "cluster", "--set", "spec.cloudLabels."+label+"=on")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		victim.Store(cmd.Process)
		err := cmd.Wait()
		if err == nil {
			acknowledged = append(acknowledged, label)
		}
		var ended *exec.ExitError
		if killed := errors.As(err, &ended) && ended.Sys().(syscall.WaitStatus).Signaled(); killed {
			kills++
		} else if err != nil {
			t.Errorf("at request %d: %v\n%s", n, err, out)
		}
		next := fmt.Sprintf("next%d", n)
		healthy.run(t, "edit", "cluster", "--set", "spec.cloudLabels."+next+"=on")
		acknowledged = append(acknowledged, next)
		healthy.clean(t)
		if seen.Load() < n { // it made fewer requests: each was tried
			break
		}
	}
	document := healthy.run(t, "get", "cluster", theCluster, "-o", "yaml")
	for _, label := range acknowledged {
		if strings.Count(document, label+":") != 1 {
			t.Errorf("%s was acknowledged, and is there %d times", label, strings.Count(document, label+":"))
		}
	}
	log := healthy.run(t, "log", "-n", "1000")
	t.Logf("%d kills, one at each request; %d edits acknowledged, all there; log of %d lines", kills, len(acknowledged), strings.Count(log, "\n"))
	if kills < 5 {
		t.Errorf("only %d processes were killed", kills)
	}
}

// TestWhatOtherToolsWriteIsKept lets a tool that knows nothing of us write over
// plain files all the while others commit to them. Whatever it wrote, and did
// not itself write over, is in a commit or in the file.
func TestWhatOtherToolsWriteIsKept(t *testing.T) {
	t.Parallel()
	for _, p := range []place{at("S3 gofakes3"), at("S3 versitygw"), {"GCS", onGCS(honestGCS)}, at("Azure")} {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			keepForeign(t, p.start(t))
		})
	}
}

const foreignFor = 4 * time.Second

func keepForeign(t *testing.T, place site) {
	files := []string{"config", "instancegroup/a", "instancegroup/b"}
	commit := func(h *store.History, message string, names ...string) error {
		_, err := h.Update(t.Context(), message, func(tx *store.Tx) error {
			for _, name := range names {
				tx.WriteFile(name, []byte(message+"\n"))
			}
			return nil
		})
		return err
	}
	first := ours(t, place, "First")
	if err := commit(first, "first", files...); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), foreignFor) // from here: on a busy machine the above takes as long
	defer cancel()
	var wg sync.WaitGroup
	for i := range 3 {
		h := ours(t, place, fmt.Sprintf("Writer%d", i))
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if err := commit(h, fmt.Sprintf("ours %d.%d", i, n), files[(i+n)%len(files)], files[(i+n+1)%len(files)]); err != nil && !errors.Is(err, store.ErrConflict) {
					t.Errorf("writer %d: %v", i, err)
				}
			}
		})
	}
	mustKeep := make([]map[string]bool, len(files))
	for i, name := range files {
		mustKeep[i] = map[string]bool{}
		d := open(t, place.open)
		wg.Go(func() { overwrite(ctx, t, d, theCluster+"/"+name, mustKeep[i]) })
	}
	wg.Wait()

	f := vfs.New(open(t, place.open), "test:")
	if err := commit(first, "last", "config"); err != nil { // finishes, and takes in what stands in config
		t.Fatal(err)
	}
	seen, err := storetest.Read(t.Context(), f, theCluster)
	if err != nil {
		t.Fatal(err)
	}
	values, lost := 0, 0
	for i, name := range files {
		in := map[string]bool{}
		for _, state := range seen.Files {
			in[state[name]] = true
		}
		if b, _, err := f.Get(t.Context(), theCluster+"/"+name); err == nil {
			in[string(b)] = true
		}
		for value := range mustKeep[i] {
			values++
			if !in[value] && !seen.Kept[name][value] {
				lost++
				t.Errorf("%s: %q is neither in a commit nor in the file", name, value)
			}
		}
	}
	t.Logf("%d commits; %d values of another tool had to be kept, %d are lost", len(seen.Commits), values, lost)
	if values == 0 {
		t.Error("nothing of another tool had to be kept: it was no race")
	}
}

func ours(t *testing.T, place site, author string) *store.History {
	t.Helper()
	s, err := store.Open(t.Context(), vfs.New(open(t, place.open), "test:"), store.Options{
		Author: author + " <x@example.com>", Settle: &store.Settle{Unfinished: 100 * time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s.Cluster(theCluster)
}

// overwrite writes to an object again and again as kops does: no conditions,
// no metadata. It notes which of its values were replaced by somebody else, and
// the last: those must be kept.
func overwrite(ctx context.Context, t *testing.T, d vfs.Driver, key string, mustKeep map[string]bool) {
	last := ""
	for n := 0; n == 0 || ctx.Err() == nil; n++ {
		b, _, err := d.Get(t.Context(), key, "")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
			return
		}
		if last != "" && string(b) != last {
			mustKeep[last] = true
		}
		last = fmt.Sprintf("foreign %d\n", n)
		if _, err := d.Put(t.Context(), key, []byte(last), vfs.Cond{}, ""); err != nil {
			t.Error(err)
			return
		}
		time.Sleep(30 * time.Millisecond)
	}
	mustKeep[last] = true
}
