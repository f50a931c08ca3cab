package storetest

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/stateroom/stateroom/vfs"
)

// Watched is a driver that judges what clients write below .stateroom/: records
// are only ever created, without gaps, and heads only rise.
type Watched struct {
	vfs.Driver
	mu    sync.Mutex
	heads map[string]int
	found []error
}

// Watch returns d, watched. It belongs below all that strikes calls.
func Watch(d vfs.Driver) *Watched {
	return &Watched{Driver: d, heads: map[string]int{}}
}

// Err returns what was found.
func (w *Watched) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(w.found...)
}

// Traits are those of the driver below.
func (w *Watched) Traits() vfs.Traits { return vfs.TraitsOf(w.Driver) }

// Lock is that of the driver below.
func (w *Watched) Lock(ctx context.Context, name string) (func(), error) {
	return vfs.Lock(ctx, w.Driver, name)
}

func (w *Watched) bad(format string, args ...any) {
	w.found = append(w.found, fmt.Errorf(format, args...))
}

var headNumber = regexp.MustCompile(`\nnumber ([0-9]+)\n`)

// Put judges, and passes on. Puts below .stateroom/ are made one at a time.
func (w *Watched) Put(ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
	if !strings.HasPrefix(key, ".stateroom/") || strings.HasPrefix(key, ".stateroom/tmp/") {
		return w.Driver.Put(ctx, key, data, c, tag)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	dir, name, _ := strings.Cut(strings.TrimPrefix(key, ".stateroom/"), "/")
	if name != "head" && name != "release" && !c.Absent() {
		w.bad("put %s without asking that it be absent", key)
	}
	if c.IsZero() {
		w.bad("put %s without a condition", key)
	}
	if number, ok := strings.CutPrefix(name, "log/"); ok {
		if n, err := strconv.Atoi(number); err != nil || len(number) != 12 {
			w.bad("put %s: no number", key)
		} else if n > 1 {
			before := fmt.Sprintf(".stateroom/%s/log/%012d", dir, n-1)
			if _, _, err := w.Get(ctx, before, ""); err != nil {
				w.bad("put %s: the record before: %w", key, err)
			}
		}
	}
	e, err := w.Driver.Put(ctx, key, data, c, tag)
	if m := headNumber.FindSubmatch(data); name == "head" && err == nil && m != nil {
		n, err := strconv.Atoi(string(m[1]))
		if err != nil || n < w.heads[key] {
			w.bad("the head of %s went from %d back to %d", dir, w.heads[key], n)
		}
		w.heads[key] = n
	}
	return e, err
}

// Delete judges, and passes on.
func (w *Watched) Delete(ctx context.Context, key string, c vfs.Cond) error {
	if strings.HasPrefix(key, ".stateroom/") || c.IsZero() {
		w.mu.Lock()
		w.bad("delete %s %s", key, c)
		w.mu.Unlock()
	}
	return w.Driver.Delete(ctx, key, c)
}
