package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/store/storetest"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
	"github.com/stateroom/stateroom/vfs/vfstest"
)

func draft(t testing.TB, h *store.History, name string) *store.Draft {
	t.Helper()
	d, err := h.Draft(name)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func draftCommit(t testing.TB, d *store.Draft, message string, f files) *store.Snapshot {
	t.Helper()
	sn, err := d.Update(t.Context(), message, f.apply)
	if err != nil {
		t.Fatal(err)
	}
	return sn
}

// objects are all objects of a store but those below a prefix.
func objects(t testing.TB, d vfs.Driver, but string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for e, err := range d.List(context.Background(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(e.Key, but) {
			all[e.Key] = get(t, d, e.Key)
		}
	}
	return all
}

// A draft holds what was committed to it, on top of the commit that it goes
// off, and nothing else of the store shows that it is there.
func TestDraft(t *testing.T) {
	ctx := t.Context()
	m := mem.New(mem.Options{})
	h := client(t, m)
	commit(t, h, "create", start)
	before := objects(t, m, ".stateroom/"+demo+"/drafts/")

	d := draft(t, h, "quota")
	if _, err := d.Head(ctx); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the head of a draft that is not there: %v", err)
	}
	sn := draftCommit(t, d, "one", files{"config": "a: 2\n", "secrets/admin": "n3w"})
	if sn.Commit().Number != -1 || store.NumberText(-1) != "d1" {
		t.Errorf("the first commit is %d", sn.Commit().Number)
	}
	draftCommit(t, d, "two", files{"instancegroup/nodes": "-", "instancegroup/more": "max: 1\n"})
	if sn = draftCommit(t, d, "nothing", files{"config": "a: 2\n"}); sn.Commit().Number != -2 {
		t.Errorf("no change is commit %d", sn.Commit().Number)
	}
	commit(t, h, "meanwhile", files{"config": "a: 3\n"})

	fresh := draft(t, client(t, m), "quota")
	sn, err := fresh.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"config": "a: 2\n", "secrets/admin": "n3w", "instancegroup/more": "max: 1\n"} {
		if b, err := sn.ReadFile(ctx, name); err != nil || string(b) != want {
			t.Errorf("%s = %q, %v, want %q", name, b, err, want)
		}
	}
	if got := sn.Names(); len(got) != 3 {
		t.Errorf("it has %v", got)
	}
	base, _, err := fresh.Ends(ctx)
	if err != nil || base.Commit().Number != 1 {
		t.Fatalf("it goes off %v, %v", base, err)
	}
	var messages []string
	for c, err := range fresh.Log(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, store.NumberText(c.Number)+" "+c.Message)
	}
	if got := strings.Join(messages, ", "); got != "d2 two, d1 one" {
		t.Errorf("log: %s", got)
	}
	after := objects(t, m, ".stateroom/"+demo+"/drafts/")
	after[demo+"/config"] = before[demo+"/config"]
	for key, text := range after {
		if want, there := before[key]; there && want != text && !strings.HasSuffix(key, "/head") {
			t.Errorf("%s was touched", key)
		} else if !there && !strings.HasSuffix(key, "/log/000000000002") && !strings.Contains(key, "/keys/") {
			t.Errorf("%s was made", key)
		}
	}
	sound(t, m)
}

// sound wants nothing wrong with a store.
func sound(t testing.TB, d vfs.Driver) {
	t.Helper()
	found, err := store.Fsck(context.Background(), vfs.New(d, "mem:"), store.Options{}, store.FsckOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Errorf("fsck: %s %s: %s", f.Code, f.Object, f.What)
	}
}

// A draft that was published or dropped takes no more commits of those who
// were at it, and its name can be used again, for another draft off another
// commit.
func TestDraftEnds(t *testing.T) {
	ctx := t.Context()
	m := mem.New(mem.Options{})
	h := client(t, m)
	commit(t, h, "create", start)
	d := draft(t, h, "quota")
	draftCommit(t, d, "one", files{"config": "a: 2\n"})
	draftCommit(t, d, "two", files{"config": "a: 4\n"})
	if err := d.Publish(ctx, "published", -1); !errors.Is(err, store.ErrConflict) {
		t.Errorf("d1 was published, and d2 is there: %v", err)
	}
	if err := d.Publish(ctx, "published", -2); err != nil {
		t.Fatal(err)
	}
	missing := new(store.NoDraftError)
	if _, err := d.Head(ctx); !errors.As(err, &missing) || missing.Last == nil || missing.Last.Kind != store.Published {
		t.Errorf("the head of a published draft: %v", err)
	}
	if err := d.Drop(ctx, "dropped", -3); !errors.As(err, &missing) {
		t.Errorf("dropped after it was published: %v", err)
	}
	commit(t, h, "meanwhile", files{"config": "a: 3\n"})
	sn := draftCommit(t, d, "another", files{"instancegroup/nodes": "-"})
	if b, err := sn.ReadFile(ctx, "config"); err != nil || string(b) != "a: 3\n" {
		t.Errorf("the second draft of the name has %q, %v", b, err)
	}
	s, err := d.State(ctx)
	if err != nil || s.Base != 2 || s.Count != 1 || s.Commit.Number != -4 || s.Ended() {
		t.Errorf("state %+v, %v", s, err)
	}
	if err := d.Drop(ctx, "dropped", -4); err != nil {
		t.Fatal(err)
	}
	for s, err := range h.Drafts(ctx) {
		if err != nil || s.Name != "quota" || s.Commit.Kind != store.Dropped {
			t.Errorf("drafts: %+v, %v", s, err)
		}
	}
	sound(t, m)
}

// Writers of one draft do not lose each other's changes.
func TestDraftOfMany(t *testing.T) {
	m := mem.New(mem.Options{})
	commit(t, client(t, m), "create", start)
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			_, err := draft(t, client(t, m), "quota").Update(t.Context(), fmt.Sprint(i), func(tx *store.Tx) error {
				b, err := tx.ReadFile(t.Context(), "config")
				tx.WriteFile("config", fmt.Appendf(b, "k%d: 1\n", i))
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	sn, err := draft(t, client(t, m), "quota").Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b, err := sn.ReadFile(t.Context(), "config")
	for i := range 10 {
		if err != nil || !strings.Contains(string(b), fmt.Sprintf("k%d: 1\n", i)) {
			t.Errorf("change %d is lost: %q, %v", i, b, err)
		}
	}
	if sn.Commit().Number != -10 {
		t.Errorf("%d commits", -sn.Commit().Number)
	}
	sound(t, m)
}

// Whatever call of a commit to a draft fails, and however: what was said to be
// committed is, once, and the next commit goes through.
func TestDraftFaults(t *testing.T) {
	runs := 0
	for _, outcome := range vfstest.Outcomes {
		for n := 0; ; n++ {
			hit := false
			synctest.Test(t, func(t *testing.T) { hit = draftStruck(t, n, outcome) })
			if !hit {
				break
			}
			runs++
		}
	}
	t.Logf("%d runs", runs)
	if runs < 30 {
		t.Errorf("only %d runs", runs)
	}
}

func draftStruck(t *testing.T, n int, outcome vfstest.Outcome) bool {
	w := storetest.Watch(mem.New(mem.Options{}))
	commit(t, client(t, w), "create", start)
	draftCommit(t, draft(t, client(t, w), "quota"), "one", files{"config": "a: 2\n"})
	time.Sleep(time.Minute)
	f := vfstest.Fault(w, n, outcome)
	s, err := store.Open(t.Context(), vfs.New(f, "mem:"), store.Options{Settle: atOnce})
	if err == nil {
		_, err = draft(t, s.Cluster(demo), "quota").Update(t.Context(), "struck", files{"secrets/admin": "n3w"}.apply)
	}
	if !f.Hit() {
		return false
	}
	draftCommit(t, draft(t, client(t, w), "quota"), "after", files{"config": "a: 5\n"})
	d, seen := draft(t, client(t, w), "quota"), 0
	for c, err := range d.Log(t.Context()) {
		if err != nil {
			t.Fatalf("call %d %v: %v", n, outcome, err)
		}
		if c.Message == "struck" {
			seen++
		}
	}
	crashed := outcome == vfstest.Crashed || outcome == vfstest.CrashedAfter
	if seen > 1 || err == nil && seen == 0 || err != nil && seen == 1 && !crashed {
		t.Errorf("call %d %v: the commit is there %d times, and it said %v", n, outcome, seen, err)
	}
	sound(t, w.Driver)
	return true
}

// Who drops a draft drops what he has seen: a commit that somebody else makes
// just then keeps it open.
func TestDropLeavesWhatNobodySaw(t *testing.T) {
	for n := int64(0); ; n++ {
		m := mem.New(mem.Options{})
		commit(t, client(t, m), "create", start)
		draftCommit(t, draft(t, client(t, m), "quota"), "one", files{"config": "a: 2\n"})
		d := &beforeCall{Driver: m, n: n, do: func() {
			draftCommit(t, draft(t, client(t, m), "quota"), "two", files{"config": "a: 3\n"})
		}}
		err := draft(t, client(t, d), "quota").Drop(t.Context(), "dropped", -1)
		if d.made.Load() <= n {
			return
		}
		moved := new(store.DraftMovedError)
		if !errors.As(err, &moved) || !errors.Is(err, store.ErrConflict) || moved.Newest.Message != "two" {
			t.Errorf("before request %d: dropped unseen: %v", n, err)
		}
		if sn, err := draft(t, client(t, m), "quota").Head(t.Context()); err != nil || sn.Commit().Number != -2 {
			t.Errorf("before request %d: the draft: %v", n, err)
		}
	}
}

// Whatever call of the drop of a draft fails, and however: it is dropped or it is
// open, all of it can be read, and who was told that it is dropped was told so
// rightly.
func TestDropFaults(t *testing.T) {
	for _, outcome := range append([]vfstest.Outcome{vfstest.Late}, vfstest.Outcomes...) {
		for n := 0; ; n++ {
			hit := false
			synctest.Test(t, func(t *testing.T) { hit = dropStruck(t, n, outcome) })
			if !hit {
				break
			}
		}
	}
}

func dropStruck(t *testing.T, n int, outcome vfstest.Outcome) bool {
	m := mem.New(mem.Options{})
	commit(t, client(t, m), "create", start)
	draftCommit(t, draft(t, client(t, m), "quota"), "one", files{"config": "a: 2\n"})
	was := objects(t, m, "none")
	f := vfstest.Fault(m, n, outcome)
	err := draft(t, client(t, f), "quota").Drop(t.Context(), "dropped", -1)
	if !f.Hit() {
		return false
	}
	f.Land(t.Context())
	s, err2 := draft(t, client(t, m), "quota").State(t.Context())
	if err2 != nil || err == nil && !s.Ended() {
		t.Errorf("call %d %v: it said %v, and stands at %+v, %v", n, outcome, err, s, err2)
	}
	for key, text := range was {
		if get(t, m, key) != text {
			t.Errorf("call %d %v: %s has become another", n, outcome, key)
		}
	}
	sound(t, m)
	return true
}

// The bytes that an open draft stands on are not removed.
func TestDraftKeepsItsBase(t *testing.T) {
	ctx := t.Context()
	m := mem.New(mem.Options{})
	h := client(t, m)
	commit(t, h, "create", start)
	d := draft(t, h, "quota")
	draftCommit(t, d, "one", files{"config": "a: 2\n"})
	for i := range 4 {
		commit(t, h, "more", files{"instancegroup/nodes": fmt.Sprint("min: ", i), "config": fmt.Sprint("a: 1", i)})
	}
	late := time.Now().Add(time.Hour)
	if _, err := h.Strip(ctx, store.Window{Since: late}, true); err != nil {
		t.Fatal(err)
	}
	sn, err := draft(t, client(t, m), "quota").Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := sn.ReadFile(ctx, "instancegroup/nodes"); err != nil || string(b) != "min: 0\n" {
		t.Errorf("a file of its base: %q, %v", b, err)
	}
	if err := d.Drop(ctx, "dropped", -1); err != nil {
		t.Fatal(err)
	}
	list, err := client(t, m).Strip(ctx, store.Window{Since: late}, true)
	if err != nil || len(list) == 0 {
		t.Errorf("nothing was removed when the draft was gone: %v", err)
	}
}

func TestDraftNames(t *testing.T) {
	for name, good := range map[string]bool{
		"a": true, "pr-42": true, "x_1": true, "": false, "A": false, "a/b": false, "..": false, "-a": false, "config.": false,
		strings.Repeat("a", 63): true, strings.Repeat("a", 64): false, "a\n": false,
	} {
		if err := store.CheckDraft(name); (err == nil) != good {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// Fsck names what is wrong with a draft.
func TestFsckDrafts(t *testing.T) {
	m := mem.New(mem.Options{})
	h := client(t, m)
	commit(t, h, "create", start)
	draftCommit(t, draft(t, h, "quota"), "one", files{"config": "a: 2\n"})
	draftCommit(t, draft(t, h, "quota"), "two", files{"config": "a: 3\n"})
	draftCommit(t, draft(t, h, "other"), "one", files{"config": "a: 4\n"})
	dir := ".stateroom/" + demo + "/drafts/"
	put(t, m, dir+"quota/log/000000000001", get(t, m, dir+"other/log/000000000001"))
	put(t, m, dir+"other/log/000000000001", "x")
	found, err := store.Fsck(t.Context(), vfs.New(m, "mem:"), store.Options{}, store.FsckOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, f := range found {
		codes = append(codes, fmt.Sprint(f.Code, " ", f.Object))
	}
	want := "draft-unreadable " + dir + "other/log/000000000001, draft-unreadable " + dir + "quota/log/000000000001"
	if got := strings.Join(codes, ", "); got != want {
		t.Errorf("found %s\nwant %s", got, want)
	}
}
