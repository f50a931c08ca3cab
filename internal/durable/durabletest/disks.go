package durabletest

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stateroom/stateroom/internal/durable"
)

// A Model says what a file system promises.
//
// In all of them, what was written to a file before a sync of it is durable.
// Of what was written later there is all, nothing, the first half, or zeroes.
// A change of a mode may be lost until the file or directory is synced.
type Model int

const (
	// Posix promises no more than the standard says: a sync of a directory makes
	// durable the changes of names in it before, and nothing else. Each
	// other change of names is there or lost for itself, in any combination. A
	// rename or exchange between two directories is whole or lost, though: all
	// file systems with a journal, and those that copy on write, keep that.
	Posix Model = iota

	// Torn is Posix, but of a rename or an exchange one half may be lost: a
	// file has both names, or none.
	Torn

	// Journal is what ext4, XFS and the like do: changes of names become
	// durable in their order, and each sync, of whatever, makes durable all of
	// them before it. Only data of files is delayed.
	Journal
)

func (m Model) String() string { return [...]string{"posix", "torn", "journal"}[m] }

// Options of Disks.
type Options struct {
	Model  Model
	All    int        // so many changes of names, or fewer, are lost in all combinations
	Recent int        // of more, each of the last so many is lost alone, and is there alone
	Random int        // and so many combinations are drawn
	Rand   *rand.Rand // from this
}

// Disk is what a power cut may leave.
type Disk struct {
	r      *Recorder
	names  map[int]map[string]int
	inodes []inode
	story  func() string
}

// fate is what becomes of data that was not synced.
type fate int

const (
	whole fate = iota
	lost
	half
	zeroes
	fates
)

// String tells what was lost.
func (d *Disk) String() string { return d.story() }

// cut is a point of the record.
type cut struct {
	r      *Recorder
	n      int
	forced []unit
	free   []unit
	unsure []int // files that were written and not synced
}

// unit is what of an event is there or lost for itself.
type unit struct {
	event int
	sets  []set
	at    int // among the free ones
}

// Disks yields the disks that a power cut after the first n events may leave,
// some of them more than once. Where they are too many to enumerate: that with
// all changes of names and that with none, those with one of them lost or one
// there, and random ones.
func (r *Recorder) Disks(n int, o Options) iter.Seq[*Disk] {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.cutAt(n, o.Model)
	return func(yield func(*Disk) bool) {
		there := func(unit) bool { return true }
		for f := range c.fates() {
			if !yield(c.disk(there, func(int) fate { return f })) {
				return
			}
		}
		if o.Model == Journal {
			c.orders(yield)
			return
		}
		if len(c.free) <= o.All {
			c.combinations(yield)
			return
		}
		c.some(o, yield)
	}
}

func (r *Recorder) cutAt(n int, m Model) *cut {
	c := &cut{r: r, n: n}
	synced, last := map[int]int{}, -1
	for i, e := range r.events[:n] {
		if e.change.Op == durable.Sync || e.change.Op == durable.SyncDir {
			synced[e.inode], last = i, i
		}
	}
	wrote := map[int]int{}
	for i, e := range r.events[:n] {
		if e.change.Op == durable.Write || e.change.Op == durable.Chmod {
			wrote[e.inode] = i
		}
		for _, u := range units(i, e, m) {
			durably := m == Journal && i < last
			for _, s := range u.sets {
				at, ok := synced[s.dir]
				durably = durably || ok && at > i
			}
			if durably {
				c.forced = append(c.forced, u)
			} else {
				u.at = len(c.free)
				c.free = append(c.free, u)
			}
		}
	}
	for id, i := range wrote {
		if at, ok := synced[id]; !ok || at < i {
			c.unsure = append(c.unsure, id)
		}
	}
	slices.Sort(c.unsure)
	return c
}

func units(i int, e event, m Model) []unit {
	if m != Torn {
		if len(e.sets) == 0 {
			return nil
		}
		return []unit{{event: i, sets: e.sets}}
	}
	var list []unit
	for _, s := range e.sets {
		list = append(list, unit{event: i, sets: []set{s}})
	}
	return list
}

// fates yields what may become of unsynced data; if there is none, one stands
// for all.
func (c *cut) fates() iter.Seq[fate] {
	return func(yield func(fate) bool) {
		for f := range fates {
			if !yield(f) || len(c.unsure) == 0 {
				return
			}
		}
	}
}

// orders yields the disks with some first of the changes, and no later ones.
func (c *cut) orders(yield func(*Disk) bool) {
	for i := range c.free {
		for f := range c.fates() {
			if !yield(c.disk(func(u unit) bool { return u.event < c.free[i].event }, func(int) fate { return f })) {
				return
			}
		}
	}
}

func (c *cut) combinations(yield func(*Disk) bool) {
	for mask := range 1 << len(c.free) {
		for f := range c.fates() {
			if !yield(c.disk(c.chosen(func(i int) bool { return mask>>i&1 == 1 }), func(int) fate { return f })) {
				return
			}
		}
	}
}

// chosen tells of a unit by its number among the free ones.
func (c *cut) chosen(there func(i int) bool) func(unit) bool {
	return func(u unit) bool { return there(u.at) }
}

func (c *cut) some(o Options, yield func(*Disk) bool) {
	if !yield(c.disk(func(unit) bool { return false }, func(int) fate { return lost })) {
		return
	}
	for one := max(0, len(c.free)-o.Recent); one < len(c.free); one++ {
		if !yield(c.disk(c.chosen(func(i int) bool { return i != one }), func(int) fate { return whole })) ||
			!yield(c.disk(c.chosen(func(i int) bool { return i == one }), func(int) fate { return lost })) {
			return
		}
	}
	for range o.Random {
		draw := make([]bool, len(c.free))
		for i := range draw {
			draw[i] = o.Rand.IntN(2) == 0
		}
		data := map[int]fate{}
		for _, id := range c.unsure {
			data[id] = fate(o.Rand.IntN(int(fates)))
		}
		if !yield(c.disk(c.chosen(func(i int) bool { return draw[i] }), func(id int) fate { return data[id] })) {
			return
		}
	}
}

// disk is what is left of the free changes that are there, of all forced ones,
// and of unsynced data.
func (c *cut) disk(there func(unit) bool, data func(id int) fate) *Disk {
	d := &Disk{r: c.r, names: map[int]map[string]int{}, inodes: slices.Clone(c.r.start)}
	for dir, names := range c.r.first {
		d.names[dir] = maps.Clone(names)
	}
	var left, gone []int
	units := slices.Clone(c.forced)
	for _, u := range c.free {
		if there(u) {
			units, left = append(units, u), append(left, u.event)
		} else {
			gone = append(gone, u.event)
		}
	}
	slices.SortStableFunc(units, func(a, b unit) int { return a.event - b.event })
	for _, u := range units {
		for _, s := range u.sets {
			if d.names[s.dir] == nil {
				d.names[s.dir] = map[string]int{}
			}
			d.names[s.dir][s.name] = s.to
		}
	}
	c.fill(d, data)
	d.story = func() string { return c.story(left, gone, data) }
	return d
}

// fill gives files and directories what they hold.
func (c *cut) fill(d *Disk, data func(id int) fate) {
	for _, e := range c.r.events[:c.n] {
		if e.change.Op == durable.Create || e.change.Op == durable.Mkdir {
			for len(d.inodes) <= e.sets[0].to {
				d.inodes = append(d.inodes, inode{})
			}
			d.inodes[e.sets[0].to] = inode{dir: e.change.Op == durable.Mkdir, perm: e.change.Perm.Perm()}
		}
	}
	synced := map[int]int{}
	for i, e := range c.r.events[:c.n] {
		if e.change.Op == durable.Sync || e.change.Op == durable.SyncDir {
			synced[e.inode] = i
		}
	}
	for i, e := range c.r.events[:c.n] {
		f := whole
		if at, ok := synced[e.inode]; !ok || at < i {
			f = data(e.inode)
		}
		switch {
		case f == lost:
		case e.change.Op == durable.Chmod:
			d.inodes[e.inode].perm = e.change.Perm.Perm()
		case e.change.Op == durable.Write && f == whole:
			d.inodes[e.inode].data = e.change.Data
		case e.change.Op == durable.Write && f == half:
			d.inodes[e.inode].data = e.change.Data[:len(e.change.Data)/2]
		case e.change.Op == durable.Write && f == zeroes:
			d.inodes[e.inode].data = make([]byte, len(e.change.Data))
		}
	}
}

func (c *cut) story(left, gone []int, data func(int) fate) string {
	var b strings.Builder
	fmt.Fprintf(&b, "cut after %d events of\n", c.n)
	for i, e := range c.r.events[:c.n] {
		why := ""
		switch {
		case e.note != nil:
			fmt.Fprintf(&b, "%4d -- %.80q\n", i, fmt.Sprint(e.note))
			continue
		case slices.Contains(gone, i) && slices.Contains(left, i):
			why = "half of it lost"
		case slices.Contains(gone, i):
			why = "lost"
		case slices.Contains(left, i):
			why = "not synced, but there"
		case e.change.Op == durable.Write && slices.Contains(c.unsure, e.inode):
			why = "not synced: " + [...]string{"there", "lost", "half there", "zeroes"}[data(e.inode)]
		}
		fmt.Fprintf(&b, "%4d %-16s %s %s  %s\n", i, e.change.Op, e.change.From, e.name, why)
	}
	return b.String()
}

// walk calls do for each name, from above.
func (d *Disk) walk(do func(name string, id int) error) error {
	var down func(dir int, above string) error
	down = func(dir int, above string) error {
		for _, name := range slices.Sorted(maps.Keys(d.names[dir])) {
			id := d.names[dir][name]
			if id == none {
				continue
			}
			if err := do(filepath.Join(above, name), id); err != nil {
				return err
			}
			if d.inodes[id].dir {
				if err := down(id, filepath.Join(above, name)); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return down(0, "")
}

// Digest is the same for disks that are the same.
func (d *Disk) Digest() [32]byte {
	h := sha256.New()
	_ = d.walk(func(name string, id int) error {
		node := d.inodes[id]
		fmt.Fprintf(h, "%s %v %o %d\n", name, node.dir, node.perm, len(node.data))
		h.Write(node.data)
		return nil
	})
	return [32]byte(h.Sum(nil))
}

// Write makes the disk in an empty directory.
func (d *Disk) Write(dir string) error {
	links := map[int]string{}
	return d.walk(func(name string, id int) error {
		full, node := filepath.Join(dir, name), d.inodes[id]
		if node.dir {
			return os.Mkdir(full, node.perm|0o700) // one that we must be able to remove
		}
		if other := links[id]; other != "" {
			return os.Link(other, full)
		}
		links[id] = full
		return os.WriteFile(full, node.data, node.perm|0o600)
	})
}

// Differs compares the record with the directory as it is, and says what was
// not recorded: then the record is not to be believed.
func (r *Recorder) Differs() error {
	var last *Disk
	for d := range r.Disks(r.Len(), Options{}) { // the first has everything
		last = d
		break
	}
	want, have := map[string]string{}, map[string]string{}
	_ = last.walk(func(name string, id int) error {
		node := last.inodes[id]
		want[name] = fmt.Sprintf("%v %o %x", node.dir, node.perm, node.data)
		return nil
	})
	err := filepath.WalkDir(r.base, func(name string, e fs.DirEntry, err error) error {
		if err != nil || name == r.base {
			return err
		}
		fi, err := e.Info()
		if err != nil {
			return err
		}
		var data []byte
		if !e.IsDir() {
			if data, err = os.ReadFile(name); err != nil {
				return err
			}
		}
		rel, err := filepath.Rel(r.base, name)
		have[rel] = fmt.Sprintf("%v %o %x", e.IsDir(), fi.Mode().Perm(), data)
		return err
	})
	if err != nil {
		return err
	}
	for name := range have {
		if want[name] != have[name] {
			return fmt.Errorf("%s is %.60q, the record says %.60q", name, have[name], want[name])
		}
	}
	for name := range want {
		if have[name] == "" {
			return fmt.Errorf("%s is not there, the record says %.60q", name, want[name])
		}
	}
	return nil
}
