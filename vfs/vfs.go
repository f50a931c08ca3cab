// Package vfs is what Stateroom needs of a place that keeps objects: bytes
// under keys, with versions, conditional writes and sorted listings. A [Driver]
// brings one service (a bucket, a directory, memory); an [FS] is what callers
// hold: a driver with a name and a folder, keys checked, errors explained.
//
// It is not a file system: there are no open files, no renames, no directories
// and no partial writes, because object stores can honour none of them.
//
// The usual calls:
//
//	f := vfs.New(driver, "file:///srv/state").Sub("demo.example.com")
//	b, e, err := f.Get(ctx, "config")
//	e, err = f.Put(ctx, "config", b, vfs.IfVersion(e.Version), "")
package vfs

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits that every driver and every caller can rely on.
const (
	MaxObject = 32 << 20 // bytes in one object
	MaxKey    = 512      // bytes in one key, folders included
	MaxTag    = 1024     // bytes in one tag, which are printable ASCII
)

// What a driver answers besides the classes of package fs: not found is
// [fs.ErrNotExist], no permission [fs.ErrPermission], a bad key or an object
// that is too large [fs.ErrInvalid], what a service cannot do
// [errors.ErrUnsupported].
var (
	// ErrConflict says that the condition of a write does not hold. It may be
	// the echo of one's own write that was retried after a lost reply.
	ErrConflict = errors.New("conflict")

	// ErrNotModified says that the object is still at the version given.
	ErrNotModified = errors.New("not modified")

	// ErrNotDurable says that a write was made, but that the disk failed to
	// keep it: it may be gone after a power cut. To read it back proves
	// nothing.
	ErrNotDurable = errors.New("written, but not durable")
)

// A Version names one state of one object. It is opaque and means something
// only in comparison with another version of the same key. The empty version
// is never that of an object. A service whose versions are hashes of the
// content gives an object that returns to old bytes its old version again; see
// [Traits].
type Version string

// Entry describes an object without its bytes.
type Entry struct {
	Key     string
	Version Version
	Tag     string    // what Put was given; from Get, and from List only where it is free
	Size    int64     // bytes
	Time    time.Time // of the last write, by the service's clock
}

// A Driver keeps objects on one service. Its methods may be called at the same
// time from many goroutines, by many processes on many machines.
//
// Transient failures are retried inside, but a conditional write whose reply
// was lost is not retried blindly. Readers see all of an object or nothing of
// it. A write that returned nil is durable, and is seen by every Get and List
// that begins later. The bytes given and returned are the caller's own.
//
// An error of Put or Delete other than [ErrConflict], [fs.ErrPermission],
// [fs.ErrInvalid] or [errors.ErrUnsupported] leaves the outcome unknown: the
// write was done, was not done, or will still be done. ErrConflict itself may
// be an echo of one's own write.
//
// Drivers return bare causes; [FS] adds what was attempted and where.
type Driver interface {
	// Get returns an object. If unless is not empty and is the object's
	// version, it returns [ErrNotModified] and no bytes.
	Get(ctx context.Context, key string, unless Version) ([]byte, Entry, error)

	// Put writes an object if c holds. The tag is kept beside it where the
	// service has metadata, and dropped where it has none.
	Put(ctx context.Context, key string, data []byte, c Cond, tag string) (Entry, error)

	// Delete removes an object if c holds. If the object is absent, an
	// unconditional Delete does nothing, and one under [IfVersion] is an
	// [ErrConflict].
	Delete(ctx context.Context, key string, c Cond) error

	// List yields the objects whose keys begin with prefix and are greater
	// than after, sorted by the bytes of the whole key. After an error it ends.
	List(ctx context.Context, prefix, after string) iter.Seq2[Entry, error]
}

// DirLister is a [Driver] that can list one level without going through all
// that lies below. A dir is "" or a key without a trailing slash; see
// [FS.ListDir] for what is yielded.
type DirLister interface {
	ListDir(ctx context.Context, dir string) iter.Seq2[Entry, error]
}

// Locker is a [Driver] with locks among the processes of one machine. They
// save wasted work; nothing is correct because of them.
type Locker interface {
	Lock(ctx context.Context, name string) (unlock func(), err error)
}

// Describer is a [Driver] that lacks some trait.
type Describer interface {
	Traits() Traits
}

// Traits are what services differ in.
type Traits struct {
	Conditions     bool // Put and Delete honour conditions
	UniqueVersions bool // every write gets a version the key never had before
	Tags           bool // Get returns the tag that Put was given

	// Unproven: that Conditions are honoured is what such services say. Some
	// servers take a condition, ignore it, and answer that all went well: to
	// be tried before the first write.
	Unproven bool

	// ReadOnly is the error of every write, where there are none: it says why,
	// and in its hint what to do. It is nil where there are writes.
	ReadOnly error
}

// TraitsOf returns what d says of itself. One that says nothing has all there
// is, and is believed.
func TraitsOf(d Driver) Traits {
	if d, ok := d.(Describer); ok {
		return d.Traits()
	}
	return Traits{Conditions: true, UniqueVersions: true, Tags: true}
}

// Lock takes d's lock of that name and waits for it. Where d has no locks it
// does nothing.
func Lock(ctx context.Context, d Driver, name string) (unlock func(), err error) {
	if d, ok := ability[Locker](d); ok {
		return d.Lock(ctx, name)
	}
	return func() {}, ctx.Err()
}

// ListDir lists one level of d as [FS.ListDir] does: by its own means where it
// is a [DirLister], else from its List.
func ListDir(ctx context.Context, d Driver, dir string) iter.Seq2[Entry, error] {
	if d, ok := ability[DirLister](d); ok {
		return d.ListDir(ctx, dir)
	}
	prefix := ""
	if dir != "" {
		prefix = dir + "/"
	}
	return func(yield func(Entry, error) bool) {
		folder := ""
		for e, err := range d.List(ctx, prefix, "") {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if folder != "" && strings.HasPrefix(e.Key, folder) {
				continue
			}
			if name, _, ok := strings.Cut(strings.TrimPrefix(e.Key, prefix), "/"); ok {
				folder = prefix + name + "/"
				e = Entry{Key: folder}
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// ValidKey reports whether a key can name an object: valid for
// [fs.ValidPath], not ".", without NUL, at most [MaxKey] bytes.
func ValidKey(key string) bool {
	return len(key) <= MaxKey && key != "." && fs.ValidPath(key) && !strings.Contains(key, "\x00")
}

func validTag(tag string) bool {
	return len(tag) <= MaxTag && !strings.ContainsFunc(tag, func(r rune) bool { return r < ' ' || r > '~' })
}

// validPrefix reports whether prefix can begin a valid key.
func validPrefix(prefix string) bool {
	if len(prefix) > MaxKey || strings.Contains(prefix, "\x00") {
		return false
	}
	i := strings.LastIndexByte(prefix, '/')
	if i < 0 {
		return true // the last element may be cut anywhere, within a character too
	}
	dir := prefix[:i]
	return utf8.ValidString(dir) && dir != "." && fs.ValidPath(dir)
}
