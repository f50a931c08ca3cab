package file_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stateroom/stateroom/internal/durable"
	"github.com/stateroom/stateroom/internal/durable/durabletest"
	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/store/storetest"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/file"
)

const (
	cluster = "demo.example.com"
	within  = "srv/states" // the store, in the directory that is recorded
)

// scene is a machine on which things are done until its power is cut.
type scene struct {
	t    testing.TB
	base string
	rec  *durabletest.Recorder
	tool *durabletest.Tool // another program, that syncs
	rude *durabletest.Tool // one that does not
	old  bool              // a system without renameat2

	mu     sync.Mutex
	during map[string]func() // what another program does before a put of this key
	before func(durable.Change) error
	truth  *storetest.Seen // the history when all was done
}

// The notes in a record.
type (
	putBegun struct{ key, data string } // "-": a delete
	putDone  struct{ key, data string }
	acked    struct{ number int } // commits up to this one
	deed     struct {             // of another program
		name, text string
		synced     bool
	}
)

func newScene(t testing.TB, before func(s *scene)) *scene {
	if runtime.GOOS == "windows" {
		t.Skipf("%s syncs no directories", runtime.GOOS)
	}
	s := &scene{t: t, base: fast(t), during: map[string]func(){}}
	if before != nil {
		before(s)
	}
	return s
}

// record begins the record. What was done before is durable.
func (s *scene) record() {
	r, err := durabletest.Record(s.base)
	must(s.t, err)
	s.rec, s.tool, s.rude = r, &durabletest.Tool{R: r, Syncs: true}, &durabletest.Tool{R: r, Serial: 500}
	r.Before = func(c durable.Change) error {
		if s.old && (c.Op == durable.Exchange || c.Op == durable.RenameNew) {
			return errors.ErrUnsupported
		}
		if s.before != nil {
			return s.before(c)
		}
		return nil
	}
}

// end closes the record.
func (s *scene) end() {
	s.t.Helper()
	must(s.t, s.rec.Differs())
	seen, err := storetest.Read(s.t.Context(), openAt(s.t, s.base), cluster)
	must(s.t, err)
	s.truth = seen
}

func openAt(t testing.TB, base string) *vfs.FS { return open(t, filepath.Join(base, within)) }

// client is a process of its own.
func (s *scene) client() *store.History {
	d, err := file.Open(filepath.Join(s.base, within), file.Options{})
	must(s.t, err)
	if s.rec != nil {
		d.Watch(s.rec.Watch)
	}
	return historyOf(s.t, vfs.New(&noted{d, s}, s.base))
}

func historyOf(t testing.TB, f *vfs.FS) *store.History {
	st, err := store.Open(t.Context(), f, store.Options{Author: "Ada <ada@example.com>", Settle: &store.Settle{}})
	must(t, err)
	return st.Cluster(cluster)
}

// files are changes: "-" removes.
type files map[string]string

func (f files) apply(tx *store.Tx) error {
	for name, text := range f {
		if text == "-" {
			tx.Remove(name)
		} else {
			tx.WriteFile(name, []byte(text))
		}
	}
	return nil
}

func (s *scene) commit(message string, f files) { s.update(message, f.apply) }

func (s *scene) update(message string, fn func(*store.Tx) error) {
	s.t.Helper()
	sn, err := s.client().Update(s.t.Context(), message, fn)
	must(s.t, err)
	s.ack(sn.Commit().Number)
}

func (s *scene) deleteCluster() {
	s.t.Helper()
	sn, err := s.client().Delete(s.t.Context(), "delete")
	must(s.t, err)
	s.ack(sn.Commit().Number)
}

func (s *scene) ack(number int) {
	if s.rec != nil {
		s.rec.Note(acked{number})
	}
}

// sed is another program that writes a file.
func (s *scene) sed(tool *durabletest.Tool, name, text string) {
	key := within + "/" + cluster + "/" + name
	if s.rec == nil {
		write(s.t, filepath.Join(s.base, key), text)
		return
	}
	s.rec.Note(deed{name, text, false})
	must(s.t, tool.Write(key, text))
	if tool.Syncs {
		s.rec.Note(deed{name, text, true})
	}
}

// noted notes what a driver was told to do and said to have done.
type noted struct {
	vfs.Driver
	s *scene
}

func (n *noted) Traits() vfs.Traits { return vfs.TraitsOf(n.Driver) }

func (n *noted) Lock(ctx context.Context, name string) (func(), error) {
	return vfs.Lock(ctx, n.Driver, name)
}

func (n *noted) ListDir(ctx context.Context, dir string) iter.Seq2[vfs.Entry, error] {
	return vfs.ListDir(ctx, n.Driver, dir)
}

func (n *noted) begin(key, data string) {
	n.s.mu.Lock()
	do := n.s.during[key]
	delete(n.s.during, key)
	n.s.mu.Unlock()
	if do != nil {
		do()
	}
	if n.s.rec != nil {
		n.s.rec.Note(putBegun{key, data})
	}
}

func (n *noted) end(key, data string, err error) {
	if err == nil && n.s.rec != nil {
		n.s.rec.Note(putDone{key, data})
	}
}

func (n *noted) Put(ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
	n.begin(key, string(data))
	e, err := n.Driver.Put(ctx, key, data, c, tag)
	n.end(key, string(data), err)
	return e, err
}

func (n *noted) Delete(ctx context.Context, key string, c vfs.Cond) error {
	n.begin(key, "-")
	err := n.Driver.Delete(ctx, key, c)
	n.end(key, "-", err)
	return err
}

// demands counts the notes among the first n events that ask more of a disk,
// and tells whether the next event is another.
func (s *scene) demands(n int) (count int, next bool) {
	strict := func(note any) bool {
		switch note := note.(type) {
		case putDone, acked:
			return true
		case deed:
			return note.synced
		}
		return false
	}
	notes := s.rec.Notes(n)
	for _, note := range notes {
		if strict(note) {
			count++
		}
	}
	if n < s.rec.Len() {
		if more := s.rec.Notes(n + 1); len(more) > len(notes) {
			next = strict(more[len(notes)])
		}
	}
	return count, next
}

// forgetTemporaries removes temporary files whose names begin so.
func (s *scene) forgetTemporaries(begin ...string) {
	for _, name := range temporaries(s.t, filepath.Join(s.base, within)) {
		if slices.ContainsFunc(begin, func(b string) bool { return strings.HasPrefix(name, b) }) {
			must(s.t, s.rude.Remove(within+"/.stateroom/tmp/"+name))
		}
	}
}

// judge checks what a power cut after n events has left in dir.
func (s *scene) judge(n int, dir string) error {
	ctx := s.t.Context()
	d, err := file.Open(filepath.Join(dir, within), file.Options{})
	if err != nil {
		return err
	}
	d.Watch(func(c durable.Change, do func() error) error {
		if c.Op == durable.Sync || c.Op == durable.SyncDir {
			return nil // takes time, and changes nothing that is looked at
		}
		return do()
	})
	j := &judging{scene: s, notes: s.rec.Notes(n), f: vfs.New(d, dir)}
	if err := j.objects(ctx); err != nil {
		return err
	}
	found, err := storetest.Read(ctx, j.f, cluster)
	if err != nil {
		return fmt.Errorf("as found: %w", err)
	}
	if err := j.history(found); err != nil {
		return err
	}
	seen, err := storetest.Check(ctx, j.f, cluster)
	if err != nil {
		return err
	}
	if err := errors.Join(j.files(found, seen), j.foreign(seen)); err != nil {
		return err
	}
	if err := j.lifeGoesOn(ctx, seen); err != nil {
		return err
	}
	for _, name := range temporaries(s.t, filepath.Join(dir, within)) {
		if kind, _, _ := strings.Cut(name, "."); kind != "new" && kind != "kept" && kind != "lock" && !strings.HasPrefix(kind, "tmp") {
			return fmt.Errorf("recovery left %s", name)
		}
	}
	return nil
}

type judging struct {
	*scene
	notes []any
	f     *vfs.FS
}

// objects: each holds what a put was acknowledged for, or something later.
func (j *judging) objects(ctx context.Context) error {
	may := map[string]map[string]bool{}
	for _, note := range j.notes {
		switch note := note.(type) {
		case putBegun:
			if may[note.key] == nil {
				may[note.key] = nil
			} else {
				may[note.key][note.data] = true
			}
		case putDone:
			may[note.key] = map[string]bool{note.data: true}
		case deed:
			if key := cluster + "/" + note.name; may[key] != nil {
				may[key] = nil
			}
		}
	}
	for key, texts := range may {
		if texts == nil {
			continue
		}
		b, _, err := j.f.Get(ctx, key)
		if errors.Is(err, fs.ErrNotExist) {
			b, err = []byte("-"), nil
		}
		if err != nil {
			return err
		}
		if !texts[string(b)] {
			return fmt.Errorf("%s holds %.40q, which no put acknowledged or begun later put there", key, b)
		}
	}
	return nil
}

// history: what was acknowledged is there, and nothing that never was.
func (j *judging) history(found *storetest.Seen) error {
	need := 0
	for _, note := range j.notes {
		if a, ok := note.(acked); ok {
			need = a.number
		}
	}
	if len(found.Commits) < need {
		return fmt.Errorf("%d commits were acknowledged, there are %d", need, len(found.Commits))
	}
	for i, c := range found.Commits {
		if i >= len(j.truth.Commits) || j.truth.Commits[i].Digest != c.Digest {
			return fmt.Errorf("commit %d is not the one that was made", c.Number)
		}
	}
	return nil
}

// files: those of the newest commit, but for what another program wrote since.
func (j *judging) files(found, seen *storetest.Seen) error {
	for _, c := range seen.Commits[len(found.Commits):] {
		if c.Kind != store.Import && c.Kind != store.Conflict {
			return fmt.Errorf("recovery made commit %d, of kind %s: %s", c.Number, c.Kind, c.Message)
		}
	}
	want := map[string]string{}
	if n := len(found.Commits); n > 0 {
		want = j.truth.Files[n-1]
	}
	deeds := j.uncommitted(found)
	for _, name := range slices.Concat(slices.Collect(maps.Keys(want)), slices.Collect(maps.Keys(seen.Newest()))) {
		text, ok := seen.Newest()[name]
		if wanted, known := want[name]; known && ok && text == wanted || !known && !ok {
			continue
		}
		ours := false
		for _, d := range deeds {
			ours = ours || d.name == name && (d.text == text || !d.synced)
		}
		if !ours {
			return fmt.Errorf("%s is %q (%v), the newest commit made it %q", name, text, ok, want[name])
		}
	}
	return nil
}

// uncommitted are the deeds of other programs that no commit holds.
func (j *judging) uncommitted(found *storetest.Seen) []deed {
	var list []deed
	for i, note := range j.notes {
		d, ok := note.(deed)
		if !ok || holds(found, d) {
			continue
		}
		for _, later := range j.notes[i:] {
			if l, ok := later.(deed); ok && l.name == d.name && l.text == d.text {
				d.synced = d.synced || l.synced
			}
		}
		list = append(list, d)
	}
	return list
}

func holds(seen *storetest.Seen, d deed) bool {
	if seen.Kept[d.name][d.text] {
		return true
	}
	return slices.ContainsFunc(seen.Files, func(f map[string]string) bool { return f[d.name] == d.text })
}

// foreign: what another program wrote and synced is somewhere.
func (j *judging) foreign(seen *storetest.Seen) error {
	for _, note := range j.notes {
		if d, ok := note.(deed); ok && d.synced && !holds(seen, d) {
			return fmt.Errorf("%q, which another program wrote to %s and synced, is lost", d.text, d.name)
		}
	}
	return nil
}

func (j *judging) lifeGoesOn(ctx context.Context, seen *storetest.Seen) error {
	h := historyOf(j.t, j.f)
	sn, err := h.Update(ctx, "life goes on", files{"config": "after"}.apply)
	if err != nil {
		return fmt.Errorf("a further update: %w", err)
	}
	if n := sn.Commit().Number; n != len(seen.Commits)+1 {
		return fmt.Errorf("a further update is commit %d, on %d", n, len(seen.Commits))
	}
	b, _, err := j.f.Get(ctx, cluster+"/config")
	if err == nil && string(b) != "after" {
		err = fmt.Errorf("after a further update there is %q", b)
	}
	return err
}

// writeTo makes a disk in a directory of its own.
func writeTo(t testing.TB, parent string, d *durabletest.Disk) string {
	dir, err := os.MkdirTemp(parent, "disk-")
	must(t, err)
	must(t, d.Write(dir))
	must(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(within)), 0o700))
	return dir
}
