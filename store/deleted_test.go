package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/store/storetest"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
)

// Deletes by another tool have no bytes of their own that could be found again,
// so each way in which one was once lost is told here.

// meddled lets a test do something before or after the calls of a client.
type meddled struct {
	*mem.Driver
	before func(op, key string) error
	after  func(op, key string) error
}

func (m *meddled) around(op, key string, call func() error) error {
	if m.before != nil {
		if err := m.before(op, key); err != nil {
			return err
		}
	}
	err := call()
	if m.after != nil && err == nil {
		err = m.after(op, key)
	}
	return err
}

// Get passes on.
func (m *meddled) Get(ctx context.Context, key string, unless vfs.Version) (b []byte, e vfs.Entry, err error) {
	err = m.around("get", key, func() (err error) { b, e, err = m.Driver.Get(ctx, key, unless); return err })
	return b, e, err
}

// Put passes on.
func (m *meddled) Put(ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (e vfs.Entry, err error) {
	err = m.around("put", key, func() (err error) { e, err = m.Driver.Put(ctx, key, data, c, tag); return err })
	return e, err
}

// once returns a function that does do at the first call that op and key name.
func once(op, key string, do func() error) func(string, string) error {
	var done atomic.Bool // calls come at the same time
	return func(o, k string) error {
		if o != op || k != demo+"/"+key || done.Swap(true) {
			return nil
		}
		return do()
	}
}

func hearing(heard *[]string) func(*store.Options) {
	return func(o *store.Options) {
		o.Notice = func(n store.Notice) {
			*heard = append(*heard, strings.TrimSpace(fmt.Sprint(n.Kind, " ", n.Number, " ", n.Names)))
		}
	}
}

// Another tool makes a file and removes it again while a client is between its
// LIST and its GET. One file is missing, and the cluster has one file: but it is
// not that one.
func TestAForeignFileThatVanishesIsNotTheWholeCluster(t *testing.T) {
	memories(t, func(t *testing.T, d *mem.Driver) {
		commit(t, client(t, d), "create", files{"config": "a: 1\n"})
		put(t, d, demo+"/x", "sed")
		m := &meddled{Driver: d}
		m.before = once("get", "x", func() error { remove(t, d, demo+"/x"); return nil })
		commit(t, client(t, m), "change", files{"config": "a: 2\n"})
		expect(t, history(t, client(t, d)), "1 change A config\n2 change M config")
		if _, err := storetest.Check(t.Context(), vfs.New(d, "mem:"), demo); err != nil {
			t.Error(err)
		}
	})
}

// Another tool deletes a file, and a create of ours that was under way all the
// time fills its place with old bytes. The client that puts those right hears
// no clear reply to that, and has to say all the same that it did so.
func TestALateCreateThatIsPutRightIsReportedWhateverTheReply(t *testing.T) {
	lost := errors.New("the reply is lost")
	for name, reply := range map[string]error{"done": nil, "echoed": vfs.ErrConflict, "lost": lost} {
		t.Run(name, func(t *testing.T) {
			d := mem.New(mem.Options{})
			commit(t, client(t, d), "create", files{"config": "a: 1\n", "x": "old"})
			_, created, err := d.Get(t.Context(), demo+"/x", "")
			if err != nil {
				t.Fatal(err)
			}
			commit(t, client(t, d), "change", files{"x": "new"})
			remove(t, d, demo+"/x") // by the other tool
			if _, err := d.Put(t.Context(), demo+"/x", []byte("old"), vfs.IfAbsent(), tagOf(t, d, created)); err != nil {
				t.Fatal(err)
			}
			var heard []string
			m := &meddled{Driver: d}
			m.after = once("put", "x", func() error { return reply })
			_, err = client(t, m, hearing(&heard)).Update(t.Context(), "change", files{"config": "a: 2\n"}.apply)
			if name != "lost" && err != nil || name == "lost" && !errors.Is(err, lost) {
				t.Fatal(err)
			}
			expect(t, get(t, d, demo+"/x"), "new")
			expect(t, strings.Join(heard, "\n"), "righted 2 [x]")
		})
	}
}

func tagOf(t *testing.T, d *mem.Driver, e vfs.Entry) string {
	t.Helper()
	if e.Tag == "" {
		t.Fatal("no tag")
	}
	return e.Tag
}

// A create has no clear reply, and then the file is missing: either it was not
// made, or another tool deleted it. The client makes it, and says so.
func TestACreateThatIsMadeAgainIsReported(t *testing.T) {
	memories(t, func(t *testing.T, d *mem.Driver) {
		commit(t, client(t, d), "create", files{"config": "a: 1\n"})
		var heard []string
		m := &meddled{Driver: d}
		m.after = once("put", "x", func() error {
			remove(t, d, demo+"/x") // by the other tool
			return errors.New("the reply is lost")
		})
		commit(t, client(t, m, hearing(&heard)), "change", files{"x": "new"})
		expect(t, get(t, d, demo+"/x"), "new")
		expect(t, strings.Join(heard, "\n"), "righted 2 [x]")
	})
}

// A file of a commit is written, another tool deletes it, and then a conflict
// over another file makes the client go over all files once more.
func TestAFileThatIsDeletedDuringAConflictIsReported(t *testing.T) {
	memories(t, func(t *testing.T, d *mem.Driver) {
		commit(t, client(t, d), "create", files{"config": "a: 1\n"})
		var heard []string
		m := &meddled{Driver: d}
		m.before = once("put", "config", func() error { put(t, d, demo+"/config", "sed"); return nil })
		m.after = func(op, key string) error {
			if op == "put" && strings.HasSuffix(key, "/log/000000000003") { // the conflict
				remove(t, d, demo+"/x")
			}
			return nil
		}
		commit(t, client(t, m, hearing(&heard)), "change", files{"config": "a: 2\n", "x": "new"})
		expect(t, get(t, d, demo+"/x"), "new")
		expect(t, strings.Join(heard, "\n"), "kept 3 [config]\nrighted 3 [x]")
	})
}

// Where no version comes twice, a late delete of our own cannot hit: a file
// that is missing was deleted by another tool, though we once deleted it too.
func TestAMissingFileIsAForeignDeleteWhereVersionsAreUnique(t *testing.T) {
	for _, unique := range []bool{true, false} {
		d := mem.New(mem.Options{UniqueVersions: unique})
		for _, text := range []string{"1", "-", "1"} {
			commit(t, client(t, d), "x "+text, files{"config": "a: 1\n", "x": text})
		}
		remove(t, d, demo+"/x")
		commit(t, client(t, d), "change", files{"config": "a: 2\n"})
		want := "1 change A config A x\n2 change D x\n3 change A x\n"
		if unique {
			want += "4 import D x\n5 change M config"
		} else {
			want += "4 change M config" // and x is put right, and reported
		}
		expect(t, history(t, client(t, d)), want)
	}
}
