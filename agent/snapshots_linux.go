package agent

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/internal/durable"
)

const (
	snapshotDir   = "state/snapshots"
	keptSnapshots = 5
	stampLayout   = "20060102T150405Z"
)

var snapshotName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,60}-[0-9]{8}T[0-9]{6}Z-[0-9]{1,9}$`)

var errOtherRecord = fmt.Errorf("its record is of another: %w", fs.ErrInvalid)

// snapshots are those of one host.
type snapshots struct {
	tree *durable.Tree // of the host's directory
	keep int           // of each service
	now  func() time.Time
}

func (s *snapshots) file(name, ending string) string { return path.Join(snapshotDir, name+ending) }

// list returns the snapshots, the newest first. What cannot be read is none.
func (s *snapshots) list() ([]Snapshot, error) {
	all := []Snapshot{}
	dir, err := s.tree.Root().Open(snapshotDir)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	for _, file := range names {
		if name, ok := strings.CutSuffix(file, ".json"); ok && snapshotName.MatchString(name) {
			if one, err := s.read(name); err == nil {
				all = append(all, *one)
			}
		}
	}
	slices.SortFunc(all, func(a, b Snapshot) int {
		return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(b.Name, a.Name))
	})
	return all, nil
}

// read returns a snapshot by name. One that is not there is fs.ErrNotExist.
func (s *snapshots) read(name string) (*Snapshot, error) {
	if !snapshotName.MatchString(name) {
		return nil, fmt.Errorf("snapshot %.80q: %w", name, fs.ErrNotExist)
	}
	text, err := s.tree.Root().ReadFile(s.file(name, ".json"))
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", name, err)
	}
	one := &Snapshot{}
	if err := json.Unmarshal(text, one); err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", name, err)
	}
	if one.Format > 1 {
		return nil, &bundle.FormatError{What: "snapshot " + name, Got: one.Format}
	}
	if one.Name != name || one.Format != 1 {
		return nil, fmt.Errorf("snapshot %s: %w", name, errOtherRecord)
	}
	return one, nil
}

// verify reads all of a snapshot and compares it with its record.
func (s *snapshots) verify(one *Snapshot) error {
	f, err := s.tree.Root().Open(s.file(one.Name, ".db"))
	if err != nil {
		return fmt.Errorf("snapshot %s: %w", one.Name, err)
	}
	defer f.Close()
	in := newSealed(io.Discard)
	_, err = io.Copy(in, f)
	if err != nil {
		return fmt.Errorf("snapshot %s: %w", one.Name, err)
	}
	size, sum, err := in.finish()
	if err == nil && (size != one.Size || hex.EncodeToString(sum) != one.SHA256) {
		err = fmt.Errorf("it is not the file that was written: %w", bundle.ErrDigest)
	}
	if err != nil {
		return fmt.Errorf("snapshot %s: %w", one.Name, err)
	}
	return nil
}

// save takes a snapshot of an etcd and keeps it. of says what it is of.
func (s *snapshots) save(ctx context.Context, e etcd, of Snapshot) (*Snapshot, error) {
	one, err := s.take(ctx, e, of)
	if err != nil {
		return nil, &SnapshotError{e.service, err}
	}
	return one, nil
}

// lock keeps snapshots from being taken, dropped and restored at the same time.
func (s *snapshots) lock(ctx context.Context) (unlock func(), err error) {
	if err := s.tree.MkdirAll(snapshotDir, 0o700); err != nil {
		return nil, err
	}
	return s.tree.Lock(ctx, s.file("", ".lock"), 0o600)
}

func (s *snapshots) take(ctx context.Context, e etcd, of Snapshot) (*Snapshot, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	s.sweep()
	of.Format, of.Service, of.Time = 1, e.service, s.now().UTC().Truncate(time.Second)
	of.Name = fmt.Sprintf("%s-%s-%d", of.Service, of.Time.Format(stampLayout), of.Commit)
	if !snapshotName.MatchString(of.Name) {
		return nil, fmt.Errorf("%.80q cannot name a snapshot", of.Name)
	}
	if same, err := s.read(of.Name); err == nil {
		return same, nil // of this very second
	}
	if err := roomFor(s.tree.Root().Name(), e.size()); err != nil {
		return nil, err
	}
	if err := s.fetch(ctx, e, &of); err != nil {
		return nil, err
	}
	text, err := json.Marshal(of)
	if err != nil {
		return nil, err
	}
	if err := s.tree.WriteFile(s.file(of.Name, ".json"), append(text, '\n'), 0o600); err != nil {
		return nil, err
	}
	return &of, s.prune(of)
}

// fetch writes the file of a snapshot: under another name until it is whole,
// and durable on return.
func (s *snapshots) fetch(ctx context.Context, e etcd, one *Snapshot) error {
	temp := s.file(stagingName+one.Name, "")
	f, err := s.tree.Root().OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	size, sum, err := e.snapshot(ctx, f)
	if err = errors.Join(err, f.Close()); err == nil {
		err = s.tree.SyncFile(temp)
	}
	if err == nil {
		err = s.tree.Rename(temp, s.file(one.Name, ".db"))
	}
	if err == nil {
		err = s.tree.SyncDir(snapshotDir)
	}
	if err != nil {
		_ = s.tree.Root().Remove(temp) // or the next one does
		return err
	}
	one.Size, one.SHA256 = size, hex.EncodeToString(sum)
	return nil
}

// sweep removes what a crash left unfinished, as well as it can.
func (s *snapshots) sweep() {
	root := s.tree.Root()
	dir, err := root.Open(snapshotDir)
	if err != nil {
		return
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for _, n := range names {
		name, ok := strings.CutSuffix(n, ".db")
		if strings.HasPrefix(n, stagingName) || ok && snapshotName.MatchString(name) && !slices.Contains(names, name+".json") {
			_ = root.Remove(path.Join(snapshotDir, n))
		}
	}
}

// prune drops the oldest snapshots of the service that one was just taken of:
// the record first, so that none is listed without its file. The clock does not
// decide what is old where commits can tell: it may have been years ahead.
func (s *snapshots) prune(taken Snapshot) error {
	all, err := s.list()
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(o Snapshot) bool { return o.Service != taken.Service || o.Name == taken.Name })
	slices.SortStableFunc(all, func(a, b Snapshot) int { return cmp.Compare(b.Commit, a.Commit) })
	for _, old := range all[min(len(all), s.keep-1):] {
		for _, ending := range []string{".json", ".db"} {
			if err := s.tree.Remove(s.file(old.Name, ending)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// hasData reports whether an etcd has anything that could be lost.
func (e etcd) hasData() bool {
	_, err := os.Lstat(filepath.Join(e.data, "member", "snap", "db"))
	return !errors.Is(err, fs.ErrNotExist)
}

// size is how large a snapshot will be, in bytes, about: as large as the database
// is now; 0 where that cannot be told.
func (e etcd) size() uint64 {
	fi, err := os.Stat(filepath.Join(e.data, "member", "snap", "db"))
	if err != nil {
		return 0
	}
	return uint64(fi.Size())
}
