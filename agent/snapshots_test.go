//go:build linux

package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stateroom/stateroom/internal/durable"
)

// vaultAt opens the snapshots of an empty directory; its clock moves on by a
// minute with each look.
func vaultAt(t *testing.T, step durable.Step) *snapshots {
	t.Helper()
	tree, err := durable.Open(t.TempDir(), step)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tree.Close)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return &snapshots{tree: tree, keep: 3, now: func() time.Time { now = now.Add(time.Minute); return now }}
}

func (s *snapshots) files(t *testing.T) string {
	t.Helper()
	entries, err := fs.ReadDir(s.tree.Root().FS(), snapshotDir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		fi, err := e.Info()
		if err != nil || fi.Mode() != 0o600 {
			t.Errorf("%s has mode %v, %v", e.Name(), fi.Mode(), err)
		}
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func TestTheNewestSnapshotsOfEachServiceAreKept(t *testing.T) {
	t.Parallel()
	s := vaultAt(t, nil)
	e := playEtcd(t, &answers{db: database(3), status: "0"})
	events := e
	events.service = "etcd-events"
	if _, err := s.save(t.Context(), events, Snapshot{Commit: 1}); err != nil {
		t.Fatal(err)
	}
	for commit := range 5 {
		one, err := s.save(t.Context(), e, Snapshot{Commit: commit, Cluster: "demo.example.com", ClusterID: testID})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.verify(one); err != nil {
			t.Error(err)
		}
	}
	if got, want := s.files(t), ".lock etcd-events-20260102T030505Z-1.db etcd-events-20260102T030505Z-1.json "+
		"etcd-main-20260102T030805Z-2.db etcd-main-20260102T030805Z-2.json etcd-main-20260102T030905Z-3.db etcd-main-20260102T030905Z-3.json "+
		"etcd-main-20260102T031005Z-4.db etcd-main-20260102T031005Z-4.json"; got != want {
		t.Errorf("files: %s\nwant: %s", got, want)
	}
	all, err := s.list()
	if err != nil || len(all) != 4 || all[0].Commit != 4 || all[3].Service != "etcd-events" || all[0].Cluster != "demo.example.com" {
		t.Errorf("%+v, %v", all, err)
	}
}

// A clock that was ten years ahead leaves snapshots that are newer than any to
// come, by their times.
func TestTheSnapshotJustTakenStaysWhateverTheClockSays(t *testing.T) {
	t.Parallel()
	s := vaultAt(t, nil)
	e := playEtcd(t, &answers{db: database(3), status: "0"})
	right, ahead := s.now, s.now().AddDate(10, 0, 0)
	s.now = func() time.Time { ahead = ahead.Add(time.Minute); return ahead }
	for commit := range 3 {
		if _, err := s.save(t.Context(), e, Snapshot{Commit: commit}); err != nil {
			t.Fatal(err)
		}
	}
	s.now = right
	for commit := 3; commit < 5; commit++ {
		one, err := s.save(t.Context(), e, Snapshot{Commit: commit})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.verify(one); err != nil {
			t.Errorf("the snapshot of commit %d: %v", commit, err)
		}
	}
	all, err := s.list()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{2, 4, 3} { // by time
		if len(all) != 3 || all[i].Commit != want {
			t.Errorf("kept: %+v", all)
			break
		}
	}
}

func TestADiskThatFailsLeavesNoHalfSnapshot(t *testing.T) {
	t.Parallel()
	e := playEtcd(t, &answers{db: database(3), status: "0"})
	for n := 0; ; n++ {
		at := 0
		s := vaultAt(t, func(op, name string) error {
			if at++; at == n+1 {
				return &fs.PathError{Op: op, Path: name, Err: syscall.ENOSPC}
			}
			return nil
		})
		_, err := s.save(t.Context(), e, Snapshot{Commit: 1})
		if at <= n {
			if err != nil || n < 6 {
				t.Errorf("after %d steps: %v", n, err)
			}
			return
		}
		if _, ok := errors.AsType[*SnapshotError](err); err != nil && (!ok || errors.Is(err, syscall.ENOSPC)) {
			t.Errorf("step %d: %v", n, err)
		}
		all, listErr := s.list()
		if listErr != nil || err == nil && len(all) != 1 {
			t.Errorf("step %d: %v: %v, %v", n, err, all, listErr)
		}
		for _, one := range all { // what is listed is whole
			if err := s.verify(&one); err != nil {
				t.Errorf("step %d: %v", n, err)
			}
		}
		// And the next one finds room.
		at = n + 1
		if _, err := s.save(t.Context(), e, Snapshot{Commit: 2}); err != nil {
			t.Errorf("step %d, after it: %v", n, err)
		}
		if files := s.files(t); strings.Contains(files, stagingName) {
			t.Errorf("step %d: left %s", n, files)
		}
	}
}

// A snapshot lies on the disk that etcd writes to, and etcd ends where that is
// full: what has no room is not begun.
func TestASnapshotThatHasNoRoomIsNotBegun(t *testing.T) {
	t.Parallel()
	s := vaultAt(t, nil)
	e := playEtcd(t, &answers{db: database(3), status: "0"})
	e.data = t.TempDir()
	db := filepath.Join(e.data, "member", "snap", "db")
	if err := errors.Join(os.MkdirAll(filepath.Dir(db), 0o700), os.WriteFile(db, nil, 0o600), os.Truncate(db, 8<<40)); err != nil {
		t.Fatal(err)
	}
	_, err := s.save(t.Context(), e, Snapshot{Commit: 1})
	if err == nil || !strings.Contains(err.Error(), "MiB free, and 8388624 are needed: no space left on device") {
		t.Errorf("error: %v", err)
	}
	if got := s.files(t); got != ".lock" {
		t.Errorf("left: %s", got)
	}
}

func TestASnapshotThatWasChangedIsNotUsed(t *testing.T) {
	t.Parallel()
	s := vaultAt(t, nil)
	one, err := s.save(t.Context(), playEtcd(t, &answers{db: database(3), status: "0"}), Snapshot{Commit: 1})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(s.tree.Root().Name(), snapshotDir, one.Name+".db")
	for name, db := range map[string][]byte{"another": database(2), "cut": database(3)[:512], "empty": nil} {
		if err := os.WriteFile(file, db, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := s.verify(one); err == nil || !strings.Contains(err.Error(), one.Name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", "../agent", "etcd-main-20260102T030505Z-9", "x/../" + one.Name, strings.Repeat("a", 9000)} {
		if _, err := s.read(name); !errors.Is(err, fs.ErrNotExist) || len(err.Error()) > 200 {
			t.Errorf("%.20q: %v", name, err)
		}
	}
}

// asked is a machine whose etcd is to be restored.
func asked(t *testing.T, data bool) *site {
	t.Helper()
	s := newSite(t)
	put := func(name, text string) {
		path := filepath.Join(s.dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	put("state/etcd-main.restored-1/member/snap/db", "restored")
	if data {
		put("state/etcd-main/member/snap/db", "old")
	}
	text, err := json.Marshal(request{Format: 1, Service: "etcd-main", Snapshot: "s", Data: "state/etcd-main", Restored: "state/etcd-main.restored-1", Before: "state/etcd-main.before-1"})
	if err != nil {
		t.Fatal(err)
	}
	put(restoreName, string(text))
	return s
}

func TestARestoreThatIsStruckIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	for _, data := range []bool{true, false} {
		for n, hit := 0, true; hit; n++ {
			s := asked(t, data)
			hit = false
			at := 0
			s.step = func(op, name string) error {
				if at++; at >= n+1 { // and nothing after it
					hit = true
					return &fs.PathError{Op: op, Path: name, Err: syscall.EIO}
				}
				return nil
			}
			restored := func(again bool) error {
				m, err := OpenMachine(t.Context(), s.options())
				if err != nil {
					return err
				}
				defer m.Close()
				service, err := m.Pending(t.Context())
				if err != nil || service == "" && !again || service != "" && service != "etcd-main" {
					return fmt.Errorf("pending: %q, %w", service, err)
				}
				return m.Restore(t.Context())
			}
			if err := restored(false); hit != (err != nil) || hit && !errors.Is(err, syscall.EIO) {
				t.Errorf("step %d: %v", n, err)
			}
			s.step = nil
			if err := restored(true); err != nil {
				t.Errorf("step %d, again: %v", n, err)
			}
			now, err := os.ReadFile(filepath.Join(s.dir, "state/etcd-main/member/snap/db"))
			if err != nil || !bytes.Equal(now, []byte("restored")) {
				t.Errorf("step %d: the data is %q, %v", n, now, err)
			}
			old, err := os.ReadFile(filepath.Join(s.dir, "state/etcd-main.before-1/member/snap/db"))
			if data && string(old) != "old" || !data && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("step %d: what was there is %q, %v", n, old, err)
			}
			if _, err := os.Lstat(filepath.Join(s.dir, restoreName)); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("step %d: the request stands: %v", n, err)
			}
		}
	}
}

// forgedRestore is one of the attacks.
func forgedRestore(t *testing.T) {
	t.Parallel()
	s := asked(t, true)
	m, err := OpenMachine(t.Context(), s.options())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for name, text := range map[string]string{
		"cut":          `{"format":1,"serv`,
		"newer":        `{"format":2}`,
		"of nothing":   `{"format":1}`,
		"out of state": `{"format":1,"service":"etcd-main","data":"state/etcd-main","restored":"memory","before":"state/x"}`,
		"out of all":   `{"format":1,"service":"etcd-main","data":"state/../../x","restored":"state/y","before":"state/x"}`,
	} {
		if err := os.WriteFile(filepath.Join(s.dir, restoreName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if service, err := m.Pending(t.Context()); service != "" || err == nil {
			t.Errorf("%s: pending %q, %v", name, service, err)
		}
		if err := m.Restore(t.Context()); err == nil {
			t.Errorf("%s: restored", name)
		}
	}
}

func TestWhatARestoreNeedsIsCheckedBeforeAnythingStops(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.release(s.bundle())
	stop := s.start()
	defer stop()
	before := s.confirmed(1)
	v, err := OpenVault(s.options(), s.memory)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if _, err := v.Restore(t.Context(), "etcd-main-20260102T030505Z-9"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such snapshot: %v", err)
	}
	if _, err := v.Save(t.Context()); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "no etcd runs") {
		t.Errorf("no etcd: %v", err)
	}
	played := playEtcd(t, &answers{db: database(3), status: "0"})
	of := Snapshot{Commit: 1, Cluster: "other.example.com", ClusterID: "another"}
	one, err := v.snapshots().save(t.Context(), played, of)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Restore(t.Context(), one.Name); !errors.Is(err, fs.ErrInvalid) || !strings.HasSuffix(err.Error(), ": it is of cluster other.example.com (another), not of demo.example.com ("+testID+")") {
		t.Errorf("another cluster's: %v", err)
	}
	of.ClusterID = testID
	played.service = "etcd-other"
	if one, err = v.snapshots().save(t.Context(), played, of); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Restore(t.Context(), one.Name); err == nil || !strings.Contains(err.Error(), "has no etcd etcd-other") {
		t.Errorf("an etcd that is not here: %v", err)
	}
	if after := s.confirmed(1); pid(after, "api") != pid(before, "api") {
		t.Errorf("restarted: %+v, before %+v", after, before)
	}
}

// Two restores at once would each make a data directory, and one would be told
// that the other's was its own.
func TestOneRestoreAtATime(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	left, other := filepath.Join(s.dir, "state/etcd-main.restored-20260102T030405Z"), filepath.Join(s.dir, "state/etcd-main.before-20260102T030405Z")
	if err := errors.Join(os.MkdirAll(filepath.Join(left, "member"), 0o700), os.MkdirAll(other, 0o700)); err != nil {
		t.Fatal(err)
	}
	v, err := OpenVault(s.options(), s.memory)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	unlock, err := v.snapshots().lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := v.Restore(ctx, "etcd-main-20260102T030505Z-9"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("beside another: %v", err)
	}
	unlock()
	v.sweep() // what one left that was killed
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("left: %v", err)
	}
	if _, err := os.Stat(other); err != nil {
		t.Errorf("the data of before: %v", err)
	}
}
