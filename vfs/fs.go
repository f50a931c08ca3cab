package vfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"strconv"
	"strings"
)

// FS is a folder of a [Driver]. Its keys are relative to the folder, are
// checked before the driver sees them, and stand in every error. It is safe
// for concurrent use.
type FS struct {
	d    Driver
	name string // of the folder, as shown to people
	dir  string // "" or "a/b/"
}

// New returns all of d. The name is its URL as shown to people, without
// credentials.
func New(d Driver, name string) *FS {
	return &FS{d: d, name: strings.TrimSuffix(name, "/")}
}

// Name returns the URL of the folder as shown to people.
func (f *FS) Name() string { return f.name }

// Traits returns what the driver says of itself.
func (f *FS) Traits() Traits { return TraitsOf(f.d) }

// Sub returns the folder dir of f; "" is f itself. No request is made, and dir
// need not exist. A dir that is not a valid key makes all keys below it
// invalid.
func (f *FS) Sub(dir string) *FS {
	if dir == "" {
		return f
	}
	sub := &FS{d: f.d, name: dir, dir: f.dir + dir + "/"}
	if f.name != "" {
		sub.name = f.name + "/" + dir
	}
	return sub
}

// Get returns the object at key.
func (f *FS) Get(ctx context.Context, key string) ([]byte, Entry, error) {
	return f.GetUnless(ctx, key, "")
}

// GetUnless returns the object at key, or [ErrNotModified] if it is still at
// the version given.
func (f *FS) GetUnless(ctx context.Context, key string, unless Version) ([]byte, Entry, error) {
	if err := f.check(key); err != nil {
		return nil, Entry{}, f.wrap("get", key, err)
	}
	data, e, err := f.d.Get(ctx, f.dir+key, unless)
	if err != nil {
		return nil, Entry{}, f.wrap("get", key, err)
	}
	e.Key = key
	return data, e, nil
}

// Put writes data at key if c holds, and else returns [ErrConflict]. Where the
// service has metadata, the tag is kept beside the object. Any error but those
// named at [Driver] leaves the outcome unknown.
func (f *FS) Put(ctx context.Context, key string, data []byte, c Cond, tag string) (Entry, error) {
	err := f.checkWrite(key, c)
	if err == nil && len(data) > MaxObject {
		err = TooLarge(int64(len(data)))
	}
	if err == nil && !validTag(tag) {
		err = fmt.Errorf("tag %.80q cannot stand in a header: %w", tag, fs.ErrInvalid)
	}
	if err != nil {
		return Entry{}, f.wrap("put", key, err)
	}
	e, err := f.d.Put(ctx, f.dir+key, data, c, tag)
	if err != nil {
		return Entry{}, f.wrap("put", key, err)
	}
	e.Key = key
	return e, nil
}

// Delete removes the object at key if c holds. Without a condition it is no
// error if the object is absent; under [IfVersion] that is an [ErrConflict].
func (f *FS) Delete(ctx context.Context, key string, c Cond) error {
	err := f.checkWrite(key, c)
	if err == nil && c.Absent() {
		err = fmt.Errorf("delete what is absent: %w", fs.ErrInvalid)
	}
	if err == nil {
		err = f.d.Delete(ctx, f.dir+key, c)
	}
	return f.wrap("delete", key, err)
}

// List yields the objects whose keys begin with prefix and are greater than
// after, sorted by the bytes of the whole key. The prefix need not end at a
// slash. Keys that no Get would accept are left out: other tools can make
// them, such as the "folder/" markers of bucket consoles. An error ends the
// list.
func (f *FS) List(ctx context.Context, prefix, after string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if !validPrefix(f.dir + prefix) {
			yield(Entry{}, f.wrap("list", prefix, errInvalidKey))
			return
		}
		if after != "" {
			after = f.dir + after
		}
		for e, err := range f.d.List(ctx, f.dir+prefix, after) {
			if err == nil && !ValidKey(e.Key) {
				continue
			}
			if !f.pass(prefix, e, err, yield) {
				return
			}
		}
	}
}

// ListDir yields the objects directly in the folder dir ("" is f itself, "a/b"
// a folder of it), and for each folder in it one entry of which only Key is
// set and ends in "/". It is sorted by key. A folder that does not exist is
// empty.
func (f *FS) ListDir(ctx context.Context, dir string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		full := strings.TrimSuffix(f.dir+dir, "/")
		if full != "" && !ValidKey(full) || strings.HasSuffix(dir, "/") {
			yield(Entry{}, f.wrap("list", dir, errInvalidKey))
			return
		}
		for e, err := range ListDir(ctx, f.d, full) {
			if err == nil && !ValidKey(strings.TrimSuffix(e.Key, "/")) {
				continue
			}
			if !f.pass(dir, e, err, yield) {
				return
			}
		}
	}
}

// pass yields what a driver listed, with the keys and errors of f, and reports
// whether to go on.
func (f *FS) pass(key string, e Entry, err error, yield func(Entry, error) bool) bool {
	if err != nil {
		yield(Entry{}, f.wrap("list", key, err))
		return false
	}
	e.Key = strings.TrimPrefix(e.Key, f.dir)
	return yield(e, nil)
}

// Lock takes the lock of that name among the processes of this machine, where
// the driver has locks, and waits for it until ctx is done. It saves wasted
// work; nothing is correct because of it. The unlock function may be called
// more than once.
func (f *FS) Lock(ctx context.Context, name string) (unlock func(), err error) {
	if err := f.check(name); err != nil {
		return nil, f.wrap("lock", name, err)
	}
	unlock, err = Lock(ctx, f.d, f.dir+name)
	if err != nil {
		return nil, f.wrap("lock", name, err)
	}
	return unlock, nil
}

var errInvalidKey = fmt.Errorf("not a valid key: %w", fs.ErrInvalid)

// TooLarge is the error for an object of size bytes, which is over
// [MaxObject].
func TooLarge(size int64) error {
	return fmt.Errorf("object of %d bytes is over the limit of %d: %w", size, MaxObject, fs.ErrInvalid)
}

func (f *FS) check(key string) error {
	if key == "" || !ValidKey(f.dir+key) {
		return errInvalidKey
	}
	return nil
}

// checkWrite is check for what changes an object. The empty version is that of
// none, but services differ in what they take it for.
func (f *FS) checkWrite(key string, c Cond) error {
	if err := f.check(key); err != nil {
		return err
	}
	if v, ok := c.Version(); ok && v == "" {
		return ErrConflict
	}
	return nil
}

// Error says what was attempted on which object.
type Error struct {
	Op    string // get, put, delete, list, lock
	Store string // name of the FS
	Key   string // within the FS; a prefix, for list
	Err   error
}

func (f *FS) wrap(op, key string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, Store: f.name, Key: key, Err: err}
}

func (e *Error) Error() string {
	where := e.Store
	if e.Key != "" || e.Op != "list" {
		if where != "" {
			where += "/"
		}
		where += printable(e.Key)
	}
	return strings.TrimSuffix(e.Op+" "+where, " ") + ": " + e.Err.Error()
}

// printable returns key, quoted if it is empty or could upset a terminal, and
// cut if it is longer than a key can be.
func printable(key string) string {
	if len(key) > MaxKey {
		key = key[:MaxKey/8] + "..."
	}
	if q := strconv.Quote(key); key == "" || len(q) != len(key)+2 {
		return q
	}
	return key
}

func (e *Error) Unwrap() error { return e.Err }

// Hint returns what a person can do about it, or "".
func (e *Error) Hint() string {
	var h interface{ Hint() string }
	if errors.As(e.Err, &h) {
		return h.Hint()
	}
	return ""
}
