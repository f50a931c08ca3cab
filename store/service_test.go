package store

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
	"github.com/stateroom/stateroom/vfs/vfstest"
)

func exampleChecked() storeObject {
	return storeObject{id: exampleID}.with(Checked{
		Place: "s3 minio.example.com:9000/clusters", Time: time.Unix(1790000042, 0).UTC(),
		Create: Honoured, Replace: Honoured, Delete: Ignored,
	})
}

// service is a memory that says that it is unproven, and treats conditions as
// it is told to.
type service struct {
	vfs.Driver
	create, replace Answer
	place           string
}

func (s *service) Traits() vfs.Traits {
	return vfs.Traits{Conditions: true, UniqueVersions: true, Tags: true, Unproven: true}
}

func (s *service) Place() string { return s.place }

func (s *service) Put(ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
	does := Honoured
	if c.Absent() {
		does = s.create
	} else if !c.IsZero() {
		does = s.replace
	}
	switch does {
	case Ignored:
		c = vfs.Cond{}
	case Lacking:
		return vfs.Entry{}, errors.ErrUnsupported
	}
	return s.Driver.Put(ctx, key, data, c, tag)
}

func commitTo(t *testing.T, d vfs.Driver, opt Options, content string) (*Store, error) {
	t.Helper()
	s, err := Open(t.Context(), vfs.New(d, "test:"), opt)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Cluster("demo.example.com").Update(t.Context(), "write "+content, func(tx *Tx) error {
		tx.WriteFile("config", []byte(content))
		return nil
	})
	return s, err
}

// TestServicesAreTriedBeforeTheFirstWrite writes to services of each kind.
func TestServicesAreTriedBeforeTheFirstWrite(t *testing.T) {
	for _, c := range []struct {
		name            string
		create, replace Answer
		alone           bool
		want            string // in the error; empty: it is written
	}{
		{"honest", Honoured, Honoured, false, ""},
		{"ignores create-only", Ignored, Ignored, false, "created an object a second time"},
		{"ignores if-match", Honoured, Ignored, false, "no longer at the version"},
		{"ignores all, and the writer is alone", Ignored, Ignored, true, "created an object a second time"},
		{"has none", Lacking, Lacking, false, "no conditional writes"},
		{"has only create-only", Honoured, Lacking, false, "no conditional writes"},
		{"has none, and the writer is alone", Lacking, Lacking, true, ""},
		{"lacks one and ignores the other", Ignored, Lacking, true, "created an object a second time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &service{mem.New(mem.Options{UniqueVersions: true}), c.create, c.replace, "mem one"}
			for again := range 2 { // the second time by what was kept
				n := vfstest.Count(d)
				_, err := commitTo(t, n, Options{SingleWriter: c.alone}, "one")
				if puts := n.Ops()["put"]; again == 1 && puts > 0 {
					t.Errorf("it was tried again: %s", n)
				}
				if c.want == "" && err != nil {
					t.Fatal(err)
				}
				if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !errors.Is(err, fs.ErrPermission)) {
					t.Fatalf("got %v, want %q", err, c.want)
				}
			}
			s, err := Open(t.Context(), vfs.New(vfstest.Count(d), "test:"), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, ok := s.Checked(); !ok || s.ID() == "" {
				t.Errorf("the result was not kept: %+v", s.object)
			}
			if _, _, err := d.Get(t.Context(), "demo.example.com/config", ""); (err == nil) != (c.want == "") {
				t.Errorf("get config: %v", err)
			}
		})
	}
}

// TestServicesAreTriedOnce counts what the trial costs, then and later.
func TestServicesAreTriedOnce(t *testing.T) {
	base := &service{mem.New(mem.Options{UniqueVersions: true}), Honoured, Honoured, "mem one"}
	storePuts := func(opt Options, content string) int {
		n := vfstest.Count(base)
		if _, err := commitTo(t, n, opt, content); err != nil {
			t.Fatal(err)
		}
		return strings.Count(strings.Join(n.Keys(), "\n"), "put "+storeFile)
	}
	if n := storePuts(Options{}, "one"); n != 5 {
		t.Errorf("the first commit writes %s %d times, want 5", storeFile, n)
	}
	if n := storePuts(Options{}, "two"); n != 0 {
		t.Errorf("the second commit writes %s %d times", storeFile, n)
	}
}

// between lets another writer in right before the n-th write of the store's
// object.
type between struct {
	*service
	n     int
	other func()
}

func (b *between) Put(ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
	if key == storeFile {
		if b.n--; b.n == 0 {
			b.other()
		}
	}
	return b.service.Put(ctx, key, data, c, tag)
}

// TestProversDoNotOverwriteEachOther has another prover keep its result before
// the last write of the first, which then leaves it there.
func TestProversDoNotOverwriteEachOther(t *testing.T) {
	base := &service{mem.New(mem.Options{UniqueVersions: true}), Honoured, Honoured, "mem one"}
	elsewhere := &service{base.Driver, Honoured, Honoured, "mem by another address"}
	d := &between{service: base, n: 5, other: func() {
		if _, err := commitTo(t, elsewhere, Options{}, "theirs"); err != nil {
			t.Error(err)
		}
	}}
	if _, err := commitTo(t, d, Options{}, "ours"); err != nil {
		t.Fatal(err)
	}
	b, _, err := base.Get(t.Context(), storeFile, "")
	if err != nil {
		t.Fatal(err)
	}
	if o, err := decodeStore(b); err != nil || len(o.checked) != 2 || !o.checked[1].Usable() {
		t.Errorf("kept is %+v, %v, want the other's result too", o.checked, err)
	}
}

// TestTheResultStaysWithItsPlace copies a store to a service that lies: what was
// found at the first says nothing about the second.
func TestTheResultStaysWithItsPlace(t *testing.T) {
	one := &service{mem.New(mem.Options{UniqueVersions: true}), Honoured, Honoured, "mem one"}
	if _, err := commitTo(t, one, Options{}, "one"); err != nil {
		t.Fatal(err)
	}
	two := &service{one.Driver, Ignored, Ignored, "mem two"}
	var refused *ServiceError
	if _, err := commitTo(t, two, Options{}, "two"); !errors.As(err, &refused) {
		t.Fatalf("got %v, want a ServiceError", err)
	}
	if _, err := commitTo(t, one, Options{}, "three"); err != nil {
		t.Errorf("and the first forgot that it was well: %v", err)
	}
}

// TestStoreObjectForgetsTheOldestPlace keeps it below its limit.
func TestStoreObjectForgetsTheOldestPlace(t *testing.T) {
	o := storeObject{id: exampleID}
	for i := range 9 {
		o = o.with(Checked{Place: strings.Repeat("p", 900) + string(rune('0'+i)), Create: Honoured, Replace: Honoured, Delete: Untried, Time: time.Unix(int64(i), 0).UTC()})
		got, err := decodeStore(o.encode())
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := got.at(strings.Repeat("p", 900) + string(rune('0'+i))); !ok || c.Time.Unix() != int64(i) {
			t.Fatalf("the newest place is not in %d", i)
		}
	}
}

// TestFsckRemovesWhatAKilledCheckLeft, but not what belongs to one at work.
func TestFsckRemovesWhatAKilledCheckLeft(t *testing.T) {
	now := time.Unix(1790000042, 0)
	d := mem.New(mem.Options{UniqueVersions: true, Now: func() time.Time { return now }})
	opt := Options{Now: func() time.Time { return now }}
	if _, err := commitTo(t, d, opt, "one"); err != nil {
		t.Fatal(err)
	}
	left := meta + "/check/abc/one"
	if _, err := d.Put(t.Context(), left, []byte("x"), vfs.Cond{}, ""); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{0, 1} {
		found, err := Fsck(t.Context(), vfs.New(d, "test:"), opt, FsckOptions{Repair: true})
		if err != nil || len(found) != want || want == 1 && (found[0].Code != CheckLeft || !found[0].Mended) {
			t.Fatalf("want %d findings, got %+v, %v", want, found, err)
		}
		now = now.Add(2 * time.Hour)
	}
	if _, _, err := d.Get(t.Context(), left, ""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

// TestAProverThatWasCutOffAccusesNobody leaves the store as a killed prover
// does, on a service whose versions are hashes: writing the same bytes again
// makes no new version, and the old one is not stale.
func TestAProverThatWasCutOffAccusesNobody(t *testing.T) {
	now := time.Unix(1790000042, 0).UTC()
	d := &service{mem.New(mem.Options{}), Honoured, Honoured, "mem one"}
	left := storeObject{id: exampleID}.with(Checked{Place: "mem one", Time: now, Create: Honoured, Replace: Untried, Delete: Untried})
	if _, err := d.Put(t.Context(), storeFile, left.encode(), vfs.Cond{}, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := commitTo(t, d, Options{Now: func() time.Time { return now }}, "one"); err != nil {
		t.Fatal(err)
	}
}
