package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/store/storetest"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
)

func TestRecordsAreSignedAndVerifiedWhereAsked(t *testing.T) {
	d := mem.New(mem.Options{})
	signing := func(o *store.Options) {
		o.Sign = func(digest string) (string, error) { return "signed " + digest, nil }
	}
	refused := errors.New("nobody signed this")
	verifying := func(o *store.Options) {
		o.Verify = func(digest, signature string) error {
			if signature != "signed "+digest {
				return refused
			}
			return nil
		}
	}
	commit(t, client(t, d, signing, verifying), "create", files{"config": "a: 1\n"})
	if _, err := client(t, d, verifying).Head(t.Context()); err != nil {
		t.Error(err)
	}
	commit(t, client(t, d), "not signed", files{"config": "a: 2\n"})
	if _, err := client(t, d, verifying).Head(t.Context()); !errors.Is(err, refused) {
		t.Errorf("%v", err)
	}
}

func TestLargeForeignStoresAreImportedInParts(t *testing.T) {
	d := mem.New(mem.Options{})
	put(t, d, demo+"/config", "x")
	for i := range 4 {
		put(t, d, fmt.Sprintf("%s/addons/%d", demo, i), strings.Repeat("x", 10<<20))
	}
	put(t, d, demo+"/manifests/huge", strings.Repeat("x", 32<<20))
	var notices []string
	h := client(t, d, func(o *store.Options) {
		o.Notice = func(n store.Notice) { notices = append(notices, fmt.Sprint(n.Kind, " ", n.Names)) }
	})
	commit(t, h, "first", files{"clusteraddons/default": "x"})
	expect(t, kinds(t, client(t, d)), "import import import import change")
	expect(t, notices[0], "refused [manifests/huge]")
	_, err := h.Update(t.Context(), "too large", func(tx *store.Tx) error {
		for i := range 4 {
			tx.WriteFile(fmt.Sprintf("addons/%d", i), bytes.Repeat([]byte{byte(i)}, 10<<20))
		}
		return nil
	})
	if !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("a change over the limit: %v", err)
	}
}

// TestWhatAnObjectStoreAllowsAndGitDoesNot: a file that is a folder too.
func TestWhatAnObjectStoreAllowsAndGitDoesNot(t *testing.T) {
	d := mem.New(mem.Options{})
	h := client(t, d)
	commit(t, h, "create", files{"config": "x", "addons/a": "a file"})
	put(t, d, demo+"/addons/a/b", "makes a folder of it")
	put(t, d, demo+"/new", "1")
	put(t, d, demo+"/new/file", "2")
	put(t, d, demo+"/tmp0123", "a temporary of kops")
	put(t, d, demo+"/.gitmodules", "no")
	commit(t, h, "edit", files{"config": "y"})
	expect(t, history(t, h), "1 change A addons/a A config\n2 import A new/file\n3 change M config")
	drift, err := h.Drift(t.Context())
	var refused []string
	for _, d := range drift {
		refused = append(refused, string(d.Kind)+" "+d.Name)
	}
	if err != nil {
		t.Error(err)
	}
	expect(t, strings.Join(refused, ", "), "foreign addons/a/b, foreign new, refused .gitmodules")
}

func TestPeopleHearOfWhatHappenedBeside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := mem.New(mem.Options{NoTags: true, UniqueVersions: true})
		var heard []string
		listening := func(o *store.Options) {
			o.Settle = &store.DefaultSettle
			o.Notice = func(n store.Notice) { heard = append(heard, fmt.Sprint(n.Kind, " ", n.Number, " ", n.Names)) }
		}
		commit(t, client(t, d), "create", files{"config": "a: 1\n", "x": "1"})
		commit(t, client(t, d), "raise", files{"config": "a: 2\n"})
		put(t, d, demo+"/config", "a: 1\n") // by hand, exactly as it was: on a disk nobody can tell
		put(t, d, demo+"/x", "sed")
		time.Sleep(time.Minute)
		put(t, d, demo+"/young", "sed")
		commit(t, client(t, d, listening), "edit", files{"y": "1"})
		expect(t, strings.Join(heard, "\n"), "young 0 [young]\nrighted 2 [config]\nimported 3 [x]")
		expect(t, get(t, d, demo+"/config"), "a: 2\n")
	})
}

func TestStagedObjectsAreImmutable(t *testing.T) {
	d := mem.New(mem.Options{})
	h := client(t, d)
	stage := func(text string) error {
		_, err := h.Update(t.Context(), "stage "+text, func(tx *store.Tx) error {
			tx.Stage("bundles/nodes/abc", []byte(text))
			tx.WriteFile("config", []byte(fmt.Sprint(tx.Number())))
			return nil
		})
		return err
	}
	if err := errors.Join(stage("one"), stage("one")); err != nil {
		t.Error(err)
	}
	if err := stage("two"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("another object under the same name: %v", err)
	}
	expect(t, get(t, d, own+"/bundles/nodes/abc"), "one")
}

func TestClusterThatAnotherToolDeletedWholeCanBeDeletedAndMadeAgain(t *testing.T) {
	memories(t, func(t *testing.T, d *mem.Driver) {
		h := client(t, d)
		commit(t, h, "create", files{"config": "a: 1\n", "x": "1"})
		remove(t, d, demo+"/config")
		remove(t, d, demo+"/x")
		if _, err := h.Delete(t.Context(), "delete"); err != nil {
			t.Error(err)
		}
		put(t, d, demo+"/config", "kops again")
		commit(t, client(t, d), "edit", files{"x": "2"})
		expect(t, history(t, h), "1 change A config A x\n2 deleted D config D x\n3 import A config\n4 change A x")
		if _, err := storetest.Check(t.Context(), vfs.New(d, "mem:"), demo); err != nil {
			t.Error(err)
		}
	})
}

// A name that another tool gives a file ends no line of the message of its
// import, and settles nothing.
func TestNoNameSettlesAConflict(t *testing.T) {
	d := mem.New(mem.Options{UniqueVersions: true})
	whole(t, d)
	keptSecret(t, d)
	put(t, d, demo+"/x\n\n"+store.Settled("secrets/token")+"\ny", "by another tool")
	commit(t, client(t, d), "next", files{"config": "next"})
	if open, _, err := client(t, d).Conflicts(t.Context(), 0); err != nil || len(open) != 1 {
		t.Errorf("conflicts: %v, %v", open, err)
	}
}

// However long a message is, the line that settles a conflict is in the commit.
func TestALongMessageSettlesAConflict(t *testing.T) {
	d := mem.New(mem.Options{UniqueVersions: true})
	whole(t, d)
	keptSecret(t, d)
	if _, err := client(t, d).Settle(t.Context(), strings.Repeat("words ", 20_000), "secrets/token", func(*store.Tx) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if open, _, err := client(t, d).Conflicts(t.Context(), 0); err != nil || len(open) != 0 {
		t.Errorf("conflicts: %v, %v", open, err)
	}
}
