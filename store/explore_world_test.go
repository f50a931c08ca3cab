package store_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stateroom/stateroom/vfs"
)

// maxKeys is how many keys a store under exploration can have.
const maxKeys = 24

// world is what a store holds: a value that can be copied and compared, and
// means something only together with its table.
type world struct {
	objects [maxKeys]uint16 // by number of the key; 0: absent
	writes  [maxKeys]uint8  // to each key so far, where versions are unique
}

// table numbers keys and objects. It stands for one kind of service.
type table struct {
	unique, tags bool

	mu      sync.Mutex
	keys    []string
	keyAt   map[string]int
	objects []object
	hashes  []string
	at      map[object]uint16
}

// object is what stands at a key: bytes and metadata.
type object struct{ text, tag string }

// service says how the store under exploration behaves, as mem does.
type service struct{ unique, tags bool }

func (s service) String() string {
	name := "content"
	if s.unique {
		name = "unique"
	}
	if !s.tags {
		name += " without tags"
	}
	return name
}

func newTable(s service) *table {
	return &table{unique: s.unique, tags: s.tags, keyAt: map[string]int{}, objects: make([]object, 1), hashes: make([]string, 1), at: map[object]uint16{}}
}

// key returns the number of a key, or maxKeys if there are too many already.
func (t *table) key(key string) int {
	n, ok := t.keyAt[key]
	if !ok {
		if n = len(t.keys); n == maxKeys {
			return n
		}
		t.keys = append(t.keys, key)
		t.keyAt[key] = n
	}
	return n
}

func (t *table) object(o object) uint16 {
	if !t.tags {
		o.tag = ""
	}
	n, ok := t.at[o]
	if !ok {
		n = uint16(len(t.objects))
		if n == 0 {
			panic("store_test: too many objects")
		}
		sum := sha256.Sum256([]byte(o.text))
		t.objects, t.hashes = append(t.objects, o), append(t.hashes, hex.EncodeToString(sum[:16]))
		t.at[o] = n
	}
	return n
}

// copyTo returns the world as it is in another table.
func (t *table) copyTo(to *table, w world) world {
	var copied world
	for i, key := range t.keys {
		if w.objects[i] != 0 || w.writes[i] != 0 {
			n := to.key(key)
			copied.writes[n] = w.writes[i]
			if w.objects[i] != 0 {
				copied.objects[n] = to.object(t.objects[w.objects[i]])
			}
		}
	}
	return copied
}

// request is one call of a driver.
type request struct {
	op            byte // 'g'et, 'p'ut, 'd'elete, 'l'ist
	key           string
	after, unless string
	cond          vfs.Cond
	object        uint16
}

func (r request) writes() bool { return r.op == 'p' || r.op == 'd' }

func (r request) String() string {
	name := map[byte]string{'g': "get", 'p': "put", 'd': "delete", 'l': "list"}[r.op] + " " + strings.ReplaceAll(r.key, ".stateroom/"+demo+"/", "")
	if r.writes() && !r.cond.IsZero() {
		name += " " + r.cond.String()
	}
	return name
}

// reply is what a client hears.
type reply struct {
	class   class
	object  uint16
	version string
	list    string // of a list: "key version size" on each line
}

type class byte

const (
	fine class = iota
	notThere
	notModified
	conflict
	broken // no reply: the connection broke
	dead   // the client itself is gone
	full   // more keys than any sensible client needs
)

var (
	errBroken = errors.New("the connection broke")
	errFull   = errors.New("the log grows without end")
)

func (c class) err() error {
	return [...]error{nil, fs.ErrNotExist, vfs.ErrNotModified, vfs.ErrConflict, errBroken, fs.ErrPermission, errFull}[c]
}

// do does what a request asks for, and returns the world after it.
func (t *table) do(w world, r request) (world, reply) {
	if r.op == 'l' {
		return w, reply{list: t.list(w, r.key, r.after)}
	}
	n := t.key(r.key)
	if n == maxKeys && r.op == 'g' {
		return w, reply{class: notThere}
	} else if n == maxKeys {
		return w, reply{class: full}
	}
	there, version := w.objects[n] != 0, t.version(w, n)
	switch {
	case r.op == 'g' && !there:
		return w, reply{class: notThere}
	case r.op == 'g' && r.unless != "" && r.unless == version:
		return w, reply{class: notModified}
	case r.op == 'g':
		return w, reply{object: w.objects[n], version: version}
	case !r.cond.Holds(there, vfs.Version(version)):
		return w, reply{class: conflict}
	case r.op == 'd':
		w.objects[n] = 0
		return w, reply{}
	}
	w.objects[n] = r.object
	if t.unique {
		w.writes[n]++
	}
	return w, reply{version: t.version(w, n)}
}

func (t *table) version(w world, n int) string {
	switch {
	case w.objects[n] == 0:
		return ""
	case t.unique:
		return strconv.Itoa(int(w.writes[n]))
	}
	return t.hashes[w.objects[n]]
}

func (t *table) list(w world, prefix, after string) string {
	var lines []string
	for n, key := range t.keys {
		if w.objects[n] != 0 && strings.HasPrefix(key, prefix) && key > after {
			lines = append(lines, key+" "+t.version(w, n)+" "+strconv.Itoa(len(t.objects[w.objects[n]].text)))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// numbers gives each value a number, in the order in which they come up.
type numbers[T comparable] struct {
	values []T
	at     map[T]uint32
}

func (n *numbers[T]) of(v T) uint32 {
	i, ok := n.at[v]
	if !ok {
		if n.at == nil {
			n.at = map[T]uint32{}
		}
		i = uint32(len(n.values))
		n.values = append(n.values, v)
		n.at[v] = i
	}
	return i
}

// universe numbers the worlds of a table, what is asked of them and what they
// answer, and remembers what comes of what.
type universe struct {
	*table
	worlds   numbers[world]
	requests numbers[request]
	replies  numbers[reply]
	done     map[exchange]exchange
	fallen   error // a head that was written over a higher one
}

// exchange is a request to a world; or the world after it, and the reply.
type exchange struct{ world, text uint32 }

func newUniverse(t *table) *universe {
	return &universe{table: t, done: map[exchange]exchange{}}
}

// do does request r in world w.
func (u *universe) do(w, r uint32) (after, answer uint32) {
	x, ok := u.done[exchange{w, r}]
	if !ok {
		next, answer := u.table.do(u.worlds.values[w], u.requests.values[r])
		x = exchange{u.worlds.of(next), u.replies.of(answer)}
		u.done[exchange{w, r}] = x
		if from, to := u.head(w), u.head(x.world); to < from && to > 0 {
			u.fallen = fmt.Errorf("the head went from %d back to %d", from, to)
		}
	}
	return x.world, x.text
}

// head is the number that the head says; 0: there is none.
func (u *universe) head(w uint32) (number int) {
	o := u.worlds.values[w].objects[u.key(".stateroom/"+demo+"/head")]
	if _, text, ok := strings.Cut(u.objects[o].text, "\nnumber "); ok {
		_, _ = fmt.Sscan(text, &number)
	}
	return number
}

// port is a driver whose every call is a request to somebody.
type port struct {
	t   *table
	ask func(request) reply
}

// clock of a store under exploration: it stands still.
var stopped = time.Unix(1_790_000_000, 0)

// Traits are those of the table's service.
func (p port) Traits() vfs.Traits {
	return vfs.Traits{Conditions: true, UniqueVersions: p.t.unique, Tags: p.t.tags}
}

// Get is a request.
func (p port) Get(_ context.Context, key string, unless vfs.Version) ([]byte, vfs.Entry, error) {
	r := p.ask(request{op: 'g', key: key, unless: string(unless)})
	if r.class != fine {
		return nil, vfs.Entry{}, r.class.err()
	}
	p.t.mu.Lock()
	o := p.t.objects[r.object]
	p.t.mu.Unlock()
	return []byte(o.text), vfs.Entry{Key: key, Version: vfs.Version(r.version), Tag: o.tag, Size: int64(len(o.text)), Time: stopped}, nil
}

// Put is a request.
func (p port) Put(_ context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
	p.t.mu.Lock()
	n := p.t.object(object{string(data), tag})
	p.t.mu.Unlock()
	r := p.ask(request{op: 'p', key: key, cond: c, object: n})
	if r.class != fine {
		return vfs.Entry{}, r.class.err()
	}
	return vfs.Entry{Key: key, Version: vfs.Version(r.version), Size: int64(len(data)), Time: stopped}, nil
}

// Delete is a request.
func (p port) Delete(_ context.Context, key string, c vfs.Cond) error {
	return p.ask(request{op: 'd', key: key, cond: c}).class.err()
}

// List is one request.
func (p port) List(_ context.Context, prefix, after string) iter.Seq2[vfs.Entry, error] {
	return func(yield func(vfs.Entry, error) bool) {
		r := p.ask(request{op: 'l', key: prefix, after: after})
		if r.class != fine {
			yield(vfs.Entry{}, r.class.err())
			return
		}
		for line := range strings.SplitSeq(r.list, "\n") {
			if line == "" {
				return
			}
			f := strings.Fields(line)
			size, err := strconv.ParseInt(f[2], 10, 64)
			if err != nil || !yield(vfs.Entry{Key: f[0], Version: vfs.Version(f[1]), Size: size, Time: stopped}, nil) {
				return
			}
		}
	}
}

// live is a world that changes with each request, for clients that nobody
// schedules.
type live struct {
	mu sync.Mutex
	t  *table
	w  world
}

func (l *live) driver() vfs.Driver { return port{l.t, l.ask} }

func (l *live) ask(r request) (answer reply) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.t.mu.Lock()
	defer l.t.mu.Unlock()
	l.w, answer = l.t.do(l.w, r)
	return answer
}
