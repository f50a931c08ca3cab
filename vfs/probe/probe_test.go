package probe_test

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"strings"
	"sync"
	"testing"

	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
	"github.com/stateroom/stateroom/vfs/probe"
)

// flawed is a memory with one flaw.
type flawed struct {
	vfs.Driver
	put    func(c vfs.Cond) (vfs.Cond, error)
	delete func(c vfs.Cond) (vfs.Cond, error)
	tagged string // a tag that is not given back as it was
	stale  map[string][]byte
	hide   string // keys that end so are not listed
	shown  bool   // not modified is not known

	mu     sync.Mutex
	folded map[string]string // the key that a key in lower case had first; nil: they differ
}

// key is what a disk that folds upper and lower case takes for it.
func (f *flawed) key(key string) string {
	if f.folded == nil {
		return key
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	lower := strings.ToLower(key)
	if f.folded[lower] == "" {
		f.folded[lower] = key
	}
	return f.folded[lower]
}

func (f *flawed) Put(ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
	if f.put != nil {
		var err error
		if c, err = f.put(c); err != nil {
			return vfs.Entry{}, err
		}
	}
	if f.stale != nil {
		if old, _, err := f.Driver.Get(ctx, key, ""); err == nil {
			f.stale[key] = old
		}
	}
	return f.Driver.Put(ctx, f.key(key), data, c, tag+f.tagged)
}

func (f *flawed) Get(ctx context.Context, key string, unless vfs.Version) ([]byte, vfs.Entry, error) {
	if f.shown {
		unless = ""
	}
	data, e, err := f.Driver.Get(ctx, f.key(key), unless)
	if old, ok := f.stale[key]; ok && err == nil {
		delete(f.stale, key)
		return old, e, nil
	}
	return data, e, err
}

func (f *flawed) Delete(ctx context.Context, key string, c vfs.Cond) error {
	if f.delete != nil {
		var err error
		if c, err = f.delete(c); err != nil {
			return err
		}
	}
	return f.Driver.Delete(ctx, f.key(key), c)
}

func (f *flawed) List(ctx context.Context, prefix, after string) iter.Seq2[vfs.Entry, error] {
	return func(yield func(vfs.Entry, error) bool) {
		for e, err := range f.Driver.List(ctx, prefix, after) {
			if f.hide != "" && strings.HasSuffix(e.Key, f.hide) {
				continue
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func ignores(vfs.Cond) (vfs.Cond, error) { return vfs.Cond{}, nil }

func lacks(c vfs.Cond) (vfs.Cond, error) {
	if c.IsZero() {
		return c, nil
	}
	return c, errors.ErrUnsupported
}

func ignoresMatch(c vfs.Cond) (vfs.Cond, error) {
	if c.Absent() {
		return c, nil
	}
	return vfs.Cond{}, nil
}

// TestEachFlawIsFound breaks one thing at a time, and looks for the finding
// that names it.
func TestEachFlawIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		d      *flawed
		check  string
		worst  probe.Verdict
		answer [3]probe.Answer
	}{
		"none":                  {&flawed{}, "", probe.OK, [3]probe.Answer{probe.Honoured, probe.Honoured, probe.Honoured}},
		"ignores conditions":    {&flawed{put: ignores}, "create-only race", probe.Broken, [3]probe.Answer{probe.Ignored, probe.Ignored, probe.Honoured}},
		"ignores if-match":      {&flawed{put: ignoresMatch}, "replace", probe.Broken, [3]probe.Answer{probe.Honoured, probe.Ignored, probe.Honoured}},
		"lacks conditions":      {&flawed{put: lacks}, "create-only", probe.Lacking, [3]probe.Answer{probe.Absent, probe.Absent, probe.Honoured}},
		"ignores it on delete":  {&flawed{delete: ignores}, "delete", probe.Weak, [3]probe.Answer{probe.Honoured, probe.Honoured, probe.Ignored}},
		"lacks it on delete":    {&flawed{delete: lacks}, "delete", probe.Weak, [3]probe.Answer{probe.Honoured, probe.Honoured, probe.Absent}},
		"garbles metadata":      {&flawed{tagged: "x"}, "tag", probe.Weak, [3]probe.Answer{probe.Honoured, probe.Honoured, probe.Honoured}},
		"reads what was before": {&flawed{stale: map[string][]byte{}}, "read after write", probe.Broken, [3]probe.Answer{}},
		"forgets in lists":      {&flawed{hide: "0007"}, "paging", probe.Broken, [3]probe.Answer{probe.Honoured, probe.Honoured, probe.Honoured}},
		"folds upper and lower": {&flawed{folded: map[string]string{}}, "upper and lower case", probe.Weak, [3]probe.Answer{probe.Honoured, probe.Honoured, probe.Honoured}},
		"always in full":        {&flawed{shown: true}, "not modified", probe.Weak, [3]probe.Answer{probe.Honoured, probe.Honoured, probe.Honoured}},
	} {
		t.Run(name, func(t *testing.T) {
			memory := mem.New(mem.Options{UniqueVersions: true})
			c.d.Driver = memory
			writers := probe.Options{}
			if c.d.stale != nil {
				writers.Writers = 1 // its map is no map for many
			}
			r, err := probe.Run(t.Context(), vfs.New(c.d, "test:").Sub("check"), writers)
			if err != nil && c.d.stale == nil {
				t.Fatal(err)
			}
			found := c.check == ""
			for _, f := range r.Findings {
				t.Logf("%-8s %s: %s", f.Verdict, f.Check, f.Saw)
				if f.Check == c.check && f.Verdict != probe.OK {
					found = true
				}
				if (f.Verdict == probe.OK) != (f.Means == "") {
					t.Errorf("%s: a finding says what it means, and nothing else does", f.Check)
				}
			}
			if !found || r.Worst() != c.worst {
				t.Errorf("want a finding of %q, at worst %s; it is %s", c.check, c.worst, r.Worst())
			}
			if got := [3]probe.Answer{r.Create, r.Replace, r.Delete}; c.answer[0] != "" && got != c.answer {
				t.Errorf("answers %v, want %v", got, c.answer)
			}
			leftNothing(t, memory)
		})
	}
}

// TestAnInterruptedCheckCleansUp ends it after each of its writes.
func TestAnInterruptedCheckCleansUp(t *testing.T) {
	for stop := 1; ; stop++ {
		ctx, cancel := context.WithCancel(t.Context())
		memory := mem.New(mem.Options{})
		n := 0
		d := &flawed{Driver: memory, put: func(c vfs.Cond) (vfs.Cond, error) {
			if n++; n == stop {
				cancel()
			}
			return c, nil
		}}
		_, err := probe.Run(ctx, vfs.New(d, "test:"), probe.Options{Writers: 1, Rounds: 1, Quick: true})
		leftNothing(t, memory)
		cancel()
		if n < stop {
			if err != nil || stop < 40 {
				t.Errorf("%d writes in all, %v", n, err)
			}
			return
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("interrupted after write %d: %v", stop, err)
		}
	}
}

// TestAPlaceThatCannotBeWritten is an error, and no finding.
func TestAPlaceThatCannotBeWritten(t *testing.T) {
	d := &flawed{Driver: mem.New(mem.Options{}), put: func(c vfs.Cond) (vfs.Cond, error) { return c, fs.ErrPermission }}
	r, err := probe.Run(t.Context(), vfs.New(d, "test:"), probe.Options{})
	if !errors.Is(err, fs.ErrPermission) || len(r.Findings) > 0 {
		t.Errorf("got %+v, %v", r, err)
	}
}

func leftNothing(t *testing.T, d vfs.Driver) {
	t.Helper()
	for e, err := range d.List(context.WithoutCancel(t.Context()), "", "") {
		t.Fatalf("it left %q behind, %v", e.Key, err)
	}
}
