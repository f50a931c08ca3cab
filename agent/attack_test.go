//go:build linux

package agent

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/internal/asset"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/file"
)

// TestAttacks is the list of docs/design/0008-attacks.md: what somebody could do
// to a host by way of its store, its disk or its clock, and that it does not get
// them anywhere. What is not on it stands there too.
func TestAttacks(t *testing.T) {
	for _, attack := range []struct {
		name string
		try  func(t *testing.T)
	}{
		{"a thief with read access finds keys only in files of the owner", thief},
		{"a writer without keys, where releases are verified", unverified},
		{"an old release replayed", replayed},
		{"a release frozen", frozen},
		{"a release of another cluster", ofAnotherCluster},
		{"a release without the group", withoutTheGroup},
		{"two releases of one commit", twoOfOneCommit},
		{"a bundle of another commit under the name of this one", mixedBundle},
		{"a bundle cut short", truncatedBundle},
		{"too much in place of a bundle", tooMuch},
		{"a bundle of another group", ofAnotherGroup},
		{"a bundle of another cluster", bundleOfAnotherCluster},
		{"a body without an end", endlessBody},
		{"a body that never comes", slowBody},
		{"an answer that ignores that it is no longer wanted", deafStore},
		{"a compressed bomb", bomb},
		{"a forged redirect", redirected},
		{"a forged report", forgedReport},
		{"a forged request to restore", forgedRestore},
		{"a release issued ten years off", issuedYearsOff},
		{"a clock ten years off", clockYearsOff},
		{"a disk full half-way", fullHalfWay},
		{"a crash at every step of the disk", crashAtEveryStep},
		{"a kill at every act", killedAtEveryAct},
	} {
		t.Run(attack.name, attack.try)
	}
}

// attacked runs an agent until it has confirmed commit 5, lets something happen,
// and wants the host to be left alone, and the next good release to be taken.
func attacked(t *testing.T, attack func(w *world), want string) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.commit = 4
		w.release(testBundle("1.37.2", service("api", "")))
		w.run()
		time.Sleep(2 * time.Minute)
		w.host.told()
		attack(w)
		time.Sleep(time.Minute)
		w.did("")
		if got := w.reported(); !strings.HasPrefix(got, want) {
			t.Errorf("reported %q, want %q", got, want)
		}
		w.commit = 6
		w.release(testBundle("1.37.4", service("api", "")))
		time.Sleep(10 * time.Minute)
		w.expect("confirmed at 7")
	})
}

// forge publishes a release that differs in something from a good one, of a
// bundle that lies ready.
func (w *world) forge(change func(*bundle.Release)) {
	w.t.Helper()
	data, d := testBundle("1.37.3", service("api", "", "--evil")).Encode()
	w.put(bundle.ObjectName(testGroup, d), data)
	r := bundle.Release{Cluster: testCluster, ClusterID: testID, Commit: 6, Groups: map[string]bundle.Digest{testGroup: d}, PollSeconds: 300, Issued: time.Now()}
	change(&r)
	w.put(bundle.ReleaseName, r.Encode())
}

func replayed(t *testing.T) {
	attacked(t, func(w *world) { w.forge(func(r *bundle.Release) { r.Commit = 4 }) },
		"failed at 5; 4 failed:  release refused: release of commit 4 is older than commit 5, which was seen before: ")
}

func ofAnotherCluster(t *testing.T) {
	attacked(t, func(w *world) { w.forge(func(r *bundle.Release) { r.ClusterID = "other" }) },
		`failed at 5; 6 failed:  release refused: release is of cluster id "other", not of "`+testID+`": `)
	attacked(t, func(w *world) { w.forge(func(r *bundle.Release) { r.Cluster = "other.example.com" }) },
		"failed at 5; 6 failed:  release refused: it is of cluster other.example.com, not of demo.example.com: ")
}

func withoutTheGroup(t *testing.T) {
	attacked(t, func(w *world) { w.forge(func(r *bundle.Release) { r.Groups = nil }) },
		"failed at 5; 6 failed:  release refused: it names no bundle for group control-plane-main: ")
}

func twoOfOneCommit(t *testing.T) {
	attacked(t, func(w *world) { w.forge(func(r *bundle.Release) { r.Commit = 5 }) },
		"failed at 5; 5 failed:  release refused: another release of commit 5 was seen before, ")
}

// unverified has no valid signature. Nothing signs releases yet: this holds the
// place where it is asked for.
func unverified(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.release(testBundle("1.37.2", service("api", "")))
		boot := bundle.Bootstrap{Store: "mem://store", Cluster: testCluster, ClusterID: testID, Group: testGroup, ReleaseKey: "key"}
		opt := Options{Bootstrap: boot, Node: "a", Host: w.host, Store: w.store, Memory: w.memory, Poll: time.Second}
		if _, err := New(w.ctx, opt); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("signed releases are asked for, and nobody verifies them: %v", err)
		}
		opt.Verify = func(*bundle.Release) error { return errors.New("the signature is not of the key") }
		a, err := New(w.ctx, opt)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(w.ctx, time.Minute)
		defer cancel()
		if err := a.Run(ctx); err != nil {
			t.Error(err)
		}
		w.did("")
		if got := w.reported(); got != "failed at 0; 1 failed:  release refused: the signature is not of the key: " {
			t.Errorf("reported %q", got)
		}
	})
}

// frozen shows the same release for hours. The agent cannot know: what it runs
// goes on, and each hour it says what that is, where an operator looks.
func frozen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.release(testBundle("1.37.2", service("api", "")))
		w.run()
		time.Sleep(2 * time.Minute)
		w.host.told()
		for range 3 {
			time.Sleep(2 * time.Hour)
			data, _, err := w.store.Get(w.ctx, bundle.ReportName("a"))
			if err != nil {
				t.Fatal(err)
			}
			r, err := bundle.DecodeReport(data)
			if err != nil || r.Commit != 1 || time.Since(r.Time) > bundle.ReportEvery+time.Minute {
				t.Fatalf("the last report is %+v, %v", r, err)
			}
		}
		w.did("")
	})
}

// badBundle puts something else where a release's bundle should lie, and the
// bundle itself later: it may have been the store's fault.
func badBundle(t *testing.T, want string, spoil func(good []byte) []byte) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.release(testBundle("1.37.2", service("api", "")))
		w.run()
		time.Sleep(2 * time.Minute)
		w.host.told()
		data, d := testBundle("1.37.3", service("api", "", "--x")).Encode()
		if bad := spoil(data); bad != nil {
			w.put(bundle.ObjectName(testGroup, d), bad)
		}
		w.publish(2, d)
		time.Sleep(time.Minute)
		w.did("")
		if got := w.reported(); !strings.HasPrefix(got, "failed at 1; 2 failed:  ") || !strings.Contains(got, want) {
			t.Errorf("reported %q, want %q in it", got, want)
		}
		w.put(bundle.ObjectName(testGroup, d), data)
		time.Sleep(4 * time.Minute)
		w.expect("confirmed at 2")
	})
}

func mixedBundle(t *testing.T) {
	badBundle(t, "bundle has digest ", func([]byte) []byte {
		other, _ := testBundle("1.37.2", service("api", "", "--old")).Encode()
		return other
	})
	badBundle(t, "bundle has digest ", func(good []byte) []byte { return bytes.Replace(good, []byte("1.37.3"), []byte("1.37.9"), 1) })
}

func truncatedBundle(t *testing.T) {
	badBundle(t, "bundle has digest ", func(good []byte) []byte { return good[:len(good)-10] })
	badBundle(t, "bundle has digest ", func([]byte) []byte { return []byte{} })
	badBundle(t, "file does not exist", func([]byte) []byte { return nil })
}

// tooMuch is rubbish of a size that no bundle has, in place of one: it is not the
// bundle that is too large.
func tooMuch(t *testing.T) {
	badBundle(t, "bundle has digest ", func([]byte) []byte { return make([]byte, bundle.MaxBundle+1) })
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		store := &hostile{Driver: fsDriver{w.store}}
		w.store = vfs.New(store, "mem://store")
		w.release(testBundle("1.37.2", service("api", "")))
		more := func(_ context.Context, key string) ([]byte, error) {
			if strings.HasPrefix(key, bundle.BundlesDir) {
				return nil, vfs.TooLarge(vfs.MaxObject + 1)
			}
			data, _, err := store.Driver.Get(t.Context(), key, "")
			return data, err
		}
		store.answer.Store(&more)
		w.run()
		time.Sleep(5 * time.Minute)
		w.did("")
		store.answer.Store(nil)
		time.Sleep(5 * time.Minute)
		w.expect("confirmed at 1")
	})
}

// foreignBundle is whole and of the digest that the release names, and is not
// meant for this host.
func foreignBundle(t *testing.T, want string, change func(*bundle.Bundle)) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.release(testBundle("1.37.2", service("api", "")))
		w.run()
		time.Sleep(2 * time.Minute)
		w.host.told()
		b := testBundle("1.37.2", service("api", "", "--x"))
		change(b)
		w.release(b)
		time.Sleep(time.Minute)
		w.did("")
		if got := w.reported(); !strings.HasPrefix(got, "failed at 1; 2 failed:  bundle ") || !strings.Contains(got, want) {
			t.Errorf("reported %q, want %q in it", got, want)
		}
	})
}

func ofAnotherGroup(t *testing.T) {
	foreignBundle(t, "is of group nodes-main", func(b *bundle.Bundle) { b.Group = "nodes-main" })
}

func bundleOfAnotherCluster(t *testing.T) {
	foreignBundle(t, "of cluster other.example.com", func(b *bundle.Bundle) { b.Cluster = "other.example.com" })
	foreignBundle(t, "(other)", func(b *bundle.Bundle) { b.ClusterID = "other" })
}

// hostile is a store that answers as it is told to.
type hostile struct {
	vfs.Driver
	answer atomic.Pointer[func(ctx context.Context, key string) ([]byte, error)] // nil: well
}

func (h *hostile) Get(ctx context.Context, key string, unless vfs.Version) ([]byte, vfs.Entry, error) {
	if answer := h.answer.Load(); answer != nil {
		data, err := (*answer)(ctx, key)
		return data, vfs.Entry{Key: key, Version: "x", Size: int64(len(data))}, err
	}
	return h.Driver.Get(ctx, key, unless)
}

// besieged runs an agent under a store that answers badly for half an hour, in
// which a service crashes, and wants the host to be looked after all the time:
// the crash is seen within the patience that the store is shown.
func besieged(t *testing.T, answer func(ctx context.Context, key string) ([]byte, error)) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		store := &hostile{Driver: fsDriver{w.store}}
		w.store = vfs.New(store, "mem://store")
		log := &lines{}
		w.log = slog.New(slog.NewTextHandler(log, nil))
		w.release(testBundle("1.37.2", service("etcd", ""), service("api", "etcd")))
		w.run()
		time.Sleep(2 * time.Minute)
		w.host.told()
		log.take()
		store.answer.Store(&answer)
		time.Sleep(10 * time.Minute)
		// A service that is gone altogether comes back: the agent's turns go on.
		if err := w.host.Stop(w.ctx, "api"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * patience)
		if got := w.host.told(); got != "stop api, start api" {
			t.Errorf("the host was told: %s", got)
		}
		time.Sleep(20 * time.Minute)
		if said := log.take(); strings.Count(said, "\n") > 12 || !strings.Contains(said, "what runs goes on") && !strings.Contains(said, "release refused") {
			t.Errorf("half an hour's log:\n%s", said)
		}
		store.answer.Store(nil)
		w.release(testBundle("1.37.3", service("etcd", ""), service("api", "etcd", "--x")))
		time.Sleep(15 * time.Minute)
		w.expect("confirmed at 2")
	})
}

// endlessBody is as much as a driver lets through.
func endlessBody(t *testing.T) {
	huge := bytes.Repeat([]byte("x"), vfs.MaxObject)
	besieged(t, func(context.Context, string) ([]byte, error) { return huge, nil })
}

func slowBody(t *testing.T) {
	besieged(t, func(ctx context.Context, _ string) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
}

// deafStore is a disk of the network that hangs: a request on it does not end
// when it is told to.
func deafStore(t *testing.T) {
	besieged(t, func(context.Context, string) ([]byte, error) {
		time.Sleep(20 * time.Minute)
		return nil, errors.New("input/output error")
	})
}

// bomb is an archive of a few bytes that says it holds more than a disk.
func bomb(t *testing.T) {
	var archive bytes.Buffer
	z := gzip.NewWriter(&archive)
	w := tar.NewWriter(z)
	if err := w.WriteHeader(&tar.Header{Name: "etcd", Mode: 0o755, Size: 1 << 50, Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, 16<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "etcd.tar.gz")
	if err := os.WriteFile(file, archive.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(archive.Bytes())
	c := &asset.Cache{Dir: t.TempDir()}
	_, err := c.Fetch(t.Context(), bundle.Asset{Name: "etcd", Programs: []string{"etcd"}, URL: "file://" + file, SHA256: hex.EncodeToString(sum[:]), Size: int64(archive.Len()), Member: "etcd"}, nil)
	if !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), "more than the limit") {
		t.Errorf("%v", err)
	}
	var kept int64
	if err := filepath.WalkDir(c.Dir, func(_ string, d fs.DirEntry, err error) error {
		if fi, infoErr := d.Info(); err == nil && infoErr == nil && fi.Mode().IsRegular() {
			kept += fi.Size()
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if kept > 1<<20 {
		t.Errorf("%d bytes were kept", kept)
	}
}

// redirected names another store. No agent follows that yet; the rest of the
// release holds.
func redirected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		log := &lines{}
		w.log = slog.New(slog.NewTextHandler(log, nil))
		w.release(testBundle("1.37.2", service("api", "")))
		w.run()
		time.Sleep(2 * time.Minute)
		_, d := testBundle("1.37.2", service("api", "")).Encode()
		r := bundle.Release{
			Cluster: testCluster, ClusterID: testID, Commit: 2, Groups: map[string]bundle.Digest{testGroup: d},
			PollSeconds: 300, Issued: time.Now(), Redirect: "https://evil.example.com/state",
		}
		w.put(bundle.ReleaseName, r.Encode())
		time.Sleep(5 * time.Minute)
		w.expect("confirmed at 2")
		if said := log.take(); strings.Count(said, "names another store") != 1 {
			t.Errorf("log: %s", said)
		}
		w.release(testBundle("1.37.2", service("api", ""))) // of the store that it knows
		w.commit = 2
		w.release(testBundle("1.37.3", service("api", "")))
		time.Sleep(5 * time.Minute)
		w.expect("confirmed at 3")
	})
}

// forgedReport puts words into the host's mouth: with its next report they are
// gone, in an hour at the latest, and the agent itself never reads them.
func forgedReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.release(testBundle("1.37.2", service("api", "")))
		w.run()
		time.Sleep(2 * time.Minute)
		w.host.told()
		forged := bundle.Report{Node: "a", Group: testGroup, Time: time.Now().AddDate(10, 0, 0), Phase: bundle.PhaseConfirmed, Commit: 99}
		w.put(bundle.ReportName("a"), forged.Encode())
		time.Sleep(bundle.ReportEvery + time.Minute)
		w.expect("confirmed at 1")
		w.did("")
	})
}

// issuedYearsOff differs from the host's clock by ten years: the commit decides,
// and not the time.
func issuedYearsOff(t *testing.T) {
	for _, years := range []int{-10, 10} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			data, d := testBundle("1.37.2", service("api", "")).Encode()
			w.put(bundle.ObjectName(testGroup, d), data)
			r := bundle.Release{Cluster: testCluster, ClusterID: testID, Commit: 1, Groups: map[string]bundle.Digest{testGroup: d}, PollSeconds: 300, Issued: time.Now().AddDate(years, 0, 0)}
			w.put(bundle.ReleaseName, r.Encode())
			w.run()
			time.Sleep(5 * time.Minute)
			w.expect("confirmed at 1")
		})
	}
}

// thief can read what others than the owner may: on the disk, in the processes,
// in the log, and in the report. The keys of a control plane lie in the clear on
// its hosts and in its store, so all that keeps them is the modes of files.
func thief(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	log := &lines{}
	s.log = slog.New(slog.NewTextHandler(log, nil))
	d, err := file.Open(filepath.Join(s.dir, "memory"), file.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.memory = vfs.New(d, s.dir+"/memory")
	s.release(s.bundle())
	stop := s.start()
	report := s.confirmed(1)
	item, err := s.ca.PrimaryItem()
	if err != nil {
		t.Fatal(err)
	}
	secret := func(text []byte) bool {
		return bytes.Contains(text, []byte("PRIVATE KEY")) || bytes.Contains(text, bytes.TrimSpace(item.Key.Reveal())) ||
			bytes.Contains(text, bytes.Split(bytes.TrimSpace(item.Key.Reveal()), []byte("\n"))[1])
	}
	kept := 0
	err = filepath.WalkDir(s.dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		if d.IsDir() && fi.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %04o", p, fi.Mode().Perm())
		}
		if !fi.Mode().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(p)
		if err != nil || !secret(text) {
			return err
		}
		if kept++; fi.Mode().Perm() != 0o600 {
			t.Errorf("%s holds a key and has mode %04o", p, fi.Mode().Perm())
		}
		return nil
	})
	if err != nil || kept < 4 { // the authority's, two certificates', the remembered bundle
		t.Errorf("%d files with keys, %v", kept, err)
	}
	for _, service := range report.Services {
		for _, of := range []string{"cmdline", "environ"} {
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", service.PID, of))
			if err != nil || secret(text) {
				t.Errorf("%s of %s holds a key, or: %v", of, service.Name, err)
			}
		}
	}
	stop()
	if secret(report.Encode()) || secret([]byte(log.take())) {
		t.Error("the report or the log holds a key")
	}
}

// clockYearsOff is the host's own. What would need certificates that nobody can
// issue then is refused with the clock named, and what stands stays.
func clockYearsOff(t *testing.T) {
	t.Parallel()
	for _, years := range []int{-10, 20} { // the authority is good for ten
		s := newStager(t)
		first := s.stage(s.bundle())
		next := s.bundle("--max=801")
		_, d := next.Encode()
		before := tree(t, s.dir)
		right := s.now
		s.now = s.now.AddDate(years, 0, 0)
		_, err := s.m.Stage(t.Context(), Wanted{d, next})
		if hint := interface{ Hint() string }(nil); err == nil || !errors.As(err, &hint) || !strings.Contains(hint.Hint(), "clock") {
			t.Errorf("%d years: %v", years, err)
		}
		if now := tree(t, s.dir); now != before {
			t.Errorf("%d years: something changed on the disk:\n%s\nbefore:\n%s", years, now, before)
		}
		s.now = right
		if again := s.stage(s.bundle()); again.ID != first.ID {
			t.Errorf("%d years, and right again: set %s, before %s", years, again.ID, first.ID)
		}
	}
}

// crashAtEveryStep ends a machine at each change of its disk and each sync, and
// wants the next one to bring the set into force, whole.
func crashAtEveryStep(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.bundle()
	_, d := b.Encode()
	bring := func() error {
		m, err := OpenMachine(t.Context(), s.options())
		if err != nil {
			return err
		}
		defer m.Close()
		set, err := m.Stage(t.Context(), Wanted{d, b})
		if err != nil {
			return err
		}
		return m.Switch(t.Context(), set)
	}
	steps := 0
	for crashed := true; crashed; steps++ {
		if err := os.RemoveAll(s.dir); err != nil {
			t.Fatal(err)
		}
		at := 0
		crashed = false
		s.step = func(string, string) error {
			if at++; at > steps {
				crashed = true
				return errDead
			}
			return nil
		}
		if err := bring(); crashed && !errors.Is(err, errDead) {
			t.Fatalf("step %d: %v", steps, err)
		}
		s.step = nil
		if err := bring(); err != nil {
			t.Fatalf("after a crash at step %d: %v", steps, err)
		}
		text, err := os.ReadFile(filepath.Join(s.dir, "current/etc/node.conf"))
		if err != nil || string(text) != "node a at 127.0.0.1\n" {
			t.Fatalf("after a crash at step %d: %q, %v", steps, text, err)
		}
		if left, _ := filepath.Glob(filepath.Join(s.dir, "sets", stagingName+"*")); len(left) > 0 {
			t.Fatalf("after a crash at step %d: %v is left", steps, left)
		}
	}
	if steps < 20 {
		t.Errorf("only %d steps", steps)
	}
}
