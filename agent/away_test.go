package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/internal/durable"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
)

// fickle is a store, or a disk, that fails while it is told to.
type fickle struct {
	vfs.Driver
	get, put atomic.Pointer[error]
	gets     atomic.Int32
	named    bool // errors of put name a file, another one each time
}

func (f *fickle) Get(ctx context.Context, key string, unless vfs.Version) ([]byte, vfs.Entry, error) {
	f.gets.Add(1)
	if err := f.get.Load(); err != nil {
		return nil, vfs.Entry{}, *err
	}
	return f.Driver.Get(ctx, key, unless)
}

func (f *fickle) Put(ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
	if err := f.put.Load(); err != nil {
		if f.named {
			return vfs.Entry{}, &fs.PathError{Op: "write", Path: "tmp/new." + durable.TempName(), Err: *err}
		}
		return vfs.Entry{}, *err
	}
	return f.Driver.Put(ctx, key, data, c, tag)
}

// lines counts what is logged.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.b.Reset()
	return l.b.String()
}

func TestAStoreThatIsAwayForAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		store := &fickle{Driver: fsDriver{w.store}}
		w.store = vfs.New(store, "mem://store")
		log := &lines{}
		w.log = slog.New(slog.NewTextHandler(log, nil))
		w.release(testBundle("1.37.2", service("etcd", ""), service("api", "etcd")))
		w.run()
		time.Sleep(2 * time.Minute)
		w.host.told()
		before := fmt.Sprint(w.pids())

		err := errors.New("no route to host")
		store.get.Store(&err)
		store.put.Store(&err)
		log.take()
		store.gets.Store(0)
		time.Sleep(30 * time.Minute)
		w.host.crash("api") // so that there is something to report
		time.Sleep(30 * time.Minute)
		if n := store.gets.Load(); n < 12 || n > 600 {
			t.Errorf("%d polls in an hour", n)
		}
		if said := log.take(); strings.Count(said, "\n") > 3 || !strings.Contains(said, "what runs goes on") {
			t.Errorf("an hour's log:\n%s", said)
		}
		w.did("")
		after := fmt.Sprint(w.pids())
		store.get.Store(nil)
		store.put.Store(nil)
		time.Sleep(10 * time.Minute)
		w.expect("confirmed at 1")
		data, _, getErr := w.store.Get(w.ctx, "nodes/a.json")
		if getErr != nil || !strings.Contains(string(data), fmt.Sprint(w.pids()["api"])) || after == before {
			t.Errorf("the report afterwards: %s, %v; pids before %s, after %s", data, getErr, before, after)
		}
		if said := log.take(); !strings.Contains(said, "the store answers again") {
			t.Errorf("log: %s", said)
		}
	})
}

// crash ends the process of a service, and a new one is ready at once.
func (h *fakeHost) crash(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pids++
	h.services[name].st.PID = h.pids
}

func TestADiskThatIsReadOnlyLeavesWhatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		disk := &fickle{Driver: fsDriver{w.memory}}
		w.memory = vfs.New(disk, "mem://memory")
		log := &lines{}
		w.log = slog.New(slog.NewTextHandler(log, nil))
		w.release(testBundle("1.37.2", service("api", "")))
		w.run()
		time.Sleep(2 * time.Minute)
		w.host.told()
		err := error(syscall.EROFS)
		disk.put.Store(&err)
		log.take()
		w.release(testBundle("1.37.2", service("api", "", "--x")))
		time.Sleep(30 * time.Minute)
		w.did("")
		if got := w.reported(); !strings.HasPrefix(got, "failed at 1; 2 failed:") || !strings.Contains(got, "read-only file system") {
			t.Errorf("reported %q", got)
		}
		if said := log.take(); strings.Count(said, "\n") > 5 {
			t.Errorf("half an hour's log:\n%.2000s", said)
		}
		disk.put.Store(nil)
		time.Sleep(3 * time.Minute)
		w.expect("confirmed at 2")
	})
}

// A real disk names the file that it has no room for, another one each time: that
// is one complaint, whatever could not be remembered.
func TestAFullDiskFillsNoLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		disk := &fickle{Driver: fsDriver{w.memory}, named: true}
		w.memory = vfs.New(disk, "mem://memory")
		log := &lines{}
		w.log = slog.New(slog.NewTextHandler(log, nil))
		w.release(testBundle("1.37.2", service("api", "")))
		w.run()
		time.Sleep(10 * time.Second)
		w.expect("ready at 1")
		log.take()
		err := error(syscall.ENOSPC)
		disk.put.Store(&err)
		time.Sleep(2 * time.Minute) // it cannot be confirmed
		w.release(testBundle("1.37.2", service("api", "", "--x")))
		time.Sleep(5 * time.Minute)
		if said := log.take(); strings.Count(said, "\n") > 5 || !strings.Contains(said, "no space left on device") {
			t.Errorf("minutes of log:\n%.2000s", said)
		}
	})
}

// After a reboot nothing new has to be remembered: what ran is brought up on a
// disk that takes not one byte more.
func TestAHostComesUpOnAFullDisk(t *testing.T) {
	for name, since := range map[string]time.Duration{"known to be good": 2 * time.Minute, "on trial": 10 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				disk := &fickle{Driver: fsDriver{w.memory}}
				w.memory = vfs.New(disk, "mem://memory")
				w.release(testBundle("1.37.2", service("api", "")))
				w.run()
				time.Sleep(since)
				w.stop()
				w.host.reboot()
				w.host.told()
				err := error(syscall.ENOSPC)
				disk.put.Store(&err)
				w.run()
				time.Sleep(2 * time.Minute)
				w.did("start api")
				if got := w.reported(); got != "confirmed at 1" && got != "ready at 1" {
					t.Errorf("reported %q", got)
				}
			})
		})
	}
}

// A memory that cannot be read is not forgotten in silence: what it forbids
// would be allowed then.
func TestADamagedMemoryIsAPersonsToRemove(t *testing.T) {
	for _, text := range []string{"", "{", strings.Repeat(" ", maxMemory+1)} {
		f := vfs.New(mem.New(mem.Options{}), "/srv/a/memory")
		if _, err := f.Put(t.Context(), memoryName, []byte(text), vfs.Cond{}, ""); err != nil {
			t.Fatal(err)
		}
		_, err := New(t.Context(), Options{Memory: f, Node: "a", Bootstrap: bundle.Bootstrap{Group: testGroup}})
		hint := interface{ Hint() string }(nil)
		if err == nil || !strings.HasPrefix(err.Error(), "what this host remembers is damaged: read memory.json in /srv/a/memory: ") || !errors.As(err, &hint) {
			t.Errorf("%.10q: %v", text, err)
		}
	}
}
