package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stateroom/stateroom/vfs"
)

// An Answer is what a service does with a condition that does not hold.
type Answer string

// The answers, as they stand in .stateroom/store.
const (
	Honoured Answer = "yes"     // the write is refused
	Ignored  Answer = "no"      // the write is done, and said to be well
	Lacking  Answer = "lacking" // the service says that it has no such condition
	Untried  Answer = "untried"
)

// Checked is what was found out about a service, and is kept in the store.
type Checked struct {
	Place   string // see [vfs.FS.Place]
	Time    time.Time
	Create  Answer // put if absent
	Replace Answer // put if still at a version
	Delete  Answer // delete if still at a version
}

// checks is the folder in meta where checks of the service work. It is no
// cluster's: those have a dot in their names.
const checks = "check"

// maxChecked is how many places a store remembers: it may be reached by more
// than one address, and a copy brings along what was found elsewhere.
const maxChecked = 4

// Usable reports whether commits are safe on the service.
func (c Checked) Usable() bool { return c.Create == Honoured && c.Replace == Honoured }

// Lacking reports whether the service says itself what it cannot do, and does
// not lie about the rest.
func (c Checked) Lacking() bool {
	return c.Create != Ignored && c.Replace != Ignored && (c.Create == Lacking || c.Replace == Lacking)
}

func (c Checked) line() string {
	return fmt.Sprintf("checked %d create=%s replace=%s delete=%s %s\n", c.Time.Unix(), c.Create, c.Replace, c.Delete, quote(c.Place))
}

// parseChecked reads what follows "checked " on its line.
func parseChecked(s string) (c Checked, err error) {
	fields := strings.SplitN(s, " ", 5)
	if len(fields) != 5 {
		return c, errRecord
	}
	seconds, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return c, errRecord
	}
	c.Time = time.Unix(seconds, 0).UTC()
	for i, to := range []*Answer{&c.Create, &c.Replace, &c.Delete} {
		word, ok := strings.CutPrefix(fields[i+1], []string{"create=", "replace=", "delete="}[i])
		if !ok || !slices.Contains([]Answer{Honoured, Ignored, Lacking, Untried}, Answer(word)) {
			return c, errRecord
		}
		*to = Answer(word)
	}
	c.Place, err = unquote(fields[4])
	return c, err
}

// storeObject is what lies in .stateroom/store.
type storeObject struct {
	id      string
	checked []Checked // oldest first; one for each place
}

func (o storeObject) encode() []byte {
	b := fmt.Appendf(nil, "stateroom store %d\nid %s\n", storeFormat, o.id)
	for _, c := range o.checked {
		b = append(b, c.line()...)
	}
	return append(b, "end\n"...)
}

func decodeStore(b []byte) (o storeObject, err error) {
	if len(b) > maxStore {
		return o, fmt.Errorf("%s of %d bytes: %w", storeFile, len(b), errRecord)
	}
	t := &text{rest: b}
	t.header("stateroom store ", storeFormat)
	o.id = t.want("id ")
	for t.err == nil {
		line, ok := t.next("checked ")
		if !ok {
			break
		}
		c, err := parseChecked(line)
		if err != nil {
			t.fail("not what a check found")
		}
		o.checked = append(o.checked, c)
	}
	if t.err != nil {
		return storeObject{}, t.err
	}
	if !isID(o.id) || len(o.checked) > maxChecked || !bytes.Equal(o.encode(), b) {
		return storeObject{}, fmt.Errorf("%s is not in canonical form: %w", storeFile, errRecord)
	}
	return o, nil
}

// at returns what was found at a place.
func (o storeObject) at(place string) (Checked, bool) {
	i := slices.IndexFunc(o.checked, func(c Checked) bool { return c.Place == place })
	if i < 0 {
		return Checked{}, false
	}
	return o.checked[i], true
}

// with returns the object with c in the place of what was known before. Where
// it would become too large, the oldest places are forgotten.
func (o storeObject) with(c Checked) storeObject {
	kept := slices.DeleteFunc(slices.Clone(o.checked), func(old Checked) bool { return old.Place == c.Place })
	o.checked = append(kept, c)
	for len(o.checked) > 1 && (len(o.checked) > maxChecked || len(o.encode()) > maxStore) {
		o.checked = o.checked[1:]
	}
	return o
}

// Checked returns what was found out about the service here, and false where
// nothing was.
func (s *Store) Checked() (Checked, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.object.at(s.place)
}

// KeepChecked writes what a thorough check found into the store, which gets an
// id by that if it has none. The place and the time are filled in.
func (s *Store) KeepChecked(ctx context.Context, c Checked) error {
	if err := s.Load(ctx); err != nil {
		return err
	}
	s.beginning.Lock()
	defer s.beginning.Unlock()
	c.Place, c.Time = s.place, s.opt.Now().UTC().Truncate(time.Second)
	if s.ID() == "" {
		if err := s.found(ctx); err != nil {
			return err
		}
	}
	o, version, err := s.readObject(ctx)
	if err != nil {
		return err
	}
	cond := vfs.IfVersion(version)
	if !c.Usable() {
		cond = vfs.Cond{} // what it says of conditions is worth nothing
	}
	if _, err := s.raw.Put(ctx, storeFile, o.with(c).encode(), cond, ""); err != nil {
		return err
	}
	s.remember(o.with(c))
	return nil
}

// begin prepares the first write: it gives the store its id, and tries whether
// a service that may ignore conditions keeps them. An error means that nothing
// is to be written.
func (s *Store) begin(ctx context.Context) error {
	if err := s.Load(ctx); err != nil {
		return err
	}
	s.beginning.Lock()
	defer s.beginning.Unlock()
	if s.ID() == "" {
		if err := s.found(ctx); err != nil {
			return err
		}
	}
	if !s.raw.Traits().Unproven {
		return nil
	}
	c, ok := s.Checked()
	if !ok || !c.tried() {
		var err error
		if c, err = s.prove(ctx); err != nil {
			return fmt.Errorf("try whether the service keeps conditions: %w", err)
		}
	}
	if c.Usable() || s.opt.SingleWriter && c.Lacking() {
		return nil
	}
	return &ServiceError{s.f.Name(), c}
}

// tried reports whether there is nothing more to ask.
func (c Checked) tried() bool {
	return c.Create == Ignored || c.Create != Untried && c.Replace != Untried
}

// found gives the store its id.
func (s *Store) found(ctx context.Context) error {
	o := storeObject{id: newID()}
	_, err := s.f.Put(ctx, storeFile, o.encode(), vfs.IfAbsent(), "")
	if errors.Is(err, errors.ErrUnsupported) { // it has no conditions: looked at when they are tried
		_, err = s.f.Alone().Put(ctx, storeFile, o.encode(), vfs.IfAbsent(), "")
	}
	if err != nil {
		there, _, err2 := s.readObject(ctx)
		if errors.Is(err2, fs.ErrNotExist) {
			return err
		}
		if err2 != nil {
			return err2
		}
		o = there
	}
	s.remember(o)
	return nil
}

func (s *Store) remember(o storeObject) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.object = o
}

func (s *Store) readObject(ctx context.Context) (storeObject, vfs.Version, error) {
	b, e, err := s.raw.Get(ctx, storeFile)
	if err != nil {
		return storeObject{}, "", err
	}
	o, err := decodeStore(b)
	return o, e.Version, err
}

// prove tries the conditions of writes on .stateroom/store itself, so that
// nothing is left behind wherever it stops, and keeps there what it found. It
// creates what is there already, and replaces what has been replaced: a service
// that answers well to either has ignored the condition. Whatever gets through
// leaves a store with its id.
func (s *Store) prove(ctx context.Context) (Checked, error) {
	for range 5 {
		o, version, err := s.readObject(ctx)
		if err != nil {
			return Checked{}, err
		}
		s.remember(o)
		if c, ok := o.at(s.place); ok && c.tried() {
			return c, nil // another writer was faster
		}
		c := Checked{Place: s.place, Time: s.opt.Now().UTC().Truncate(time.Second), Replace: Untried, Delete: Untried}
		_, err = s.raw.Put(ctx, storeFile, o.encode(), vfs.IfAbsent(), "")
		if c.Create, err = answer(err); err != nil {
			return Checked{}, err
		}
		if c.Create == Ignored { // it has another version now, perhaps, and there is nothing more to ask
			return c, s.note(ctx, o.with(c), vfs.Cond{})
		}
		if bytes.Equal(o.with(c).encode(), o.encode()) { // a prover was cut off here this very second
			c.Time = c.Time.Add(time.Second) // other bytes, lest a hash make the stale version right again
		}
		e, err := s.raw.Put(ctx, storeFile, o.with(c).encode(), vfs.IfVersion(version), "")
		switch {
		case errors.Is(err, vfs.ErrConflict):
			continue // another writer is at it
		case errors.Is(err, errors.ErrUnsupported):
			c.Replace = Lacking
			return c, s.note(ctx, o.with(c), vfs.Cond{})
		case err != nil:
			return Checked{}, err
		}
		_, err = s.raw.Put(ctx, storeFile, o.encode(), vfs.IfVersion(version), "")
		if c.Replace, err = answer(err); err != nil {
			return Checked{}, err
		}
		cond := vfs.Cond{}
		if c.Usable() {
			cond = vfs.IfVersion(e.Version)
		}
		return c, s.note(ctx, o.with(c), cond)
	}
	return Checked{}, fmt.Errorf("%s changes all the time: %w", storeFile, ErrConflict)
}

// note keeps what was found, under a condition where those are kept. Another
// prover at the same time found the same, and keeps it instead.
func (s *Store) note(ctx context.Context, o storeObject, c vfs.Cond) error {
	s.remember(o)
	_, err := s.raw.Put(ctx, storeFile, o.encode(), c, "")
	if !c.IsZero() && errors.Is(err, vfs.ErrConflict) {
		return nil
	}
	return err
}

// answer reads what became of a write whose condition did not hold.
func answer(err error) (Answer, error) {
	switch {
	case err == nil:
		return Ignored, nil
	case errors.Is(err, vfs.ErrConflict):
		return Honoured, nil
	case errors.Is(err, errors.ErrUnsupported):
		return Lacking, nil
	}
	return Untried, err
}

// ServiceError is the refusal to write to a service on which two writers could
// overwrite each other unseen.
type ServiceError struct {
	Place string
	Found Checked
}

func (e *ServiceError) Error() string {
	if e.Found.Lacking() {
		return e.Place + ": the service has no conditional writes, without which two writers overwrite each other unseen; nothing was written"
	}
	what := "replaced an object that was no longer at the version asked for"
	if e.Found.Create == Ignored {
		what = "created an object a second time"
	}
	return fmt.Sprintf("%s: the service accepts conditions and ignores them: it %s, and said that all went well; "+
		"two writers would overwrite each other unseen, so no commit is written to it", e.Place, what)
}

// Is makes it an fs.ErrPermission.
func (e *ServiceError) Is(target error) bool { return target == fs.ErrPermission }

// Hint says what can be done.
func (e *ServiceError) Hint() string {
	if e.Found.Lacking() {
		return "reading works; if nobody else ever writes to this store: --single-writer (two writers at a time then lose commits unseen)"
	}
	return "reading works; to write, copy the store to a service that keeps conditions, or upgrade this one and run: stateroom store check"
}

// Clock returns the time: the service's, or this machine's where that is the
// earlier, so that nothing is taken for old because one of the two is wrong. To
// be told the service's, it writes a small object, and removes it again.
func (s *Store) Clock(ctx context.Context) (time.Time, error) {
	now, key := s.opt.Now(), meta+"/"+checks+"/"+newID()+"/clock"
	e, err := s.f.Put(ctx, key, []byte("clock\n"), vfs.Cond{}, "")
	if err == nil && e.Time.IsZero() {
		_, e, err = s.f.Get(ctx, key)
	}
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), graceTime)
	defer cancel()
	err = errors.Join(err, s.f.Delete(clean, key, vfs.Cond{}))
	if err == nil && !e.Time.IsZero() && e.Time.Before(now) {
		now = e.Time
	}
	return now, err
}
