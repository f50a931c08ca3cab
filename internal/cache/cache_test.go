package cache

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func TestWhatIsPutIsThereAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	New(dir, 1<<20).Put("sha256:1", []byte("record"))
	if got := New(dir, 1<<20).Get("sha256:1"); string(got) != "record" {
		t.Errorf("%q", got)
	}
	if got := New(dir, 1<<20).Get("sha256:2"); got != nil {
		t.Errorf("%q", got)
	}
	fi, err := os.Stat(dir)
	if err != nil || fi.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", fi.Mode(), err)
	}
	fi, err = os.Stat(filepath.Join(dir, name("sha256:1")))
	if err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", fi, err)
	}
}

func TestADamagedEntryIsDropped(t *testing.T) {
	for what, damaged := range map[string]func([]byte) []byte{
		"flipped": func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"cut":     func(b []byte) []byte { return b[:40] },
		"empty":   func([]byte) []byte { return nil },
		"longer":  func(b []byte) []byte { return append(b, 'x') },
	} {
		dir := t.TempDir()
		c := New(dir, 1<<20)
		c.Put("d", []byte("a record of some length"))
		file := filepath.Join(dir, name("d"))
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, damaged(b), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := c.Get("d"); got != nil {
			t.Errorf("%s: %q", what, got)
		}
		if _, err := os.Stat(file); err == nil {
			t.Errorf("%s: it is still there", what)
		}
		c.Put("d", []byte("again"))
		if got := c.Get("d"); string(got) != "again" {
			t.Errorf("%s: %q", what, got)
		}
	}
}

// A cache that cannot be is none, and nobody fails for it.
func TestNoCacheIsNoError(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, where := range []string{file, file + "/below", "/dev/null/x", "/proc/nothing"} {
		c := New(where, 1<<20)
		c.Put("d", []byte("x"))
		c.Drop("d")
		if got := c.Get("d"); got != nil {
			t.Errorf("%s: %q", where, got)
		}
	}
	// A folder where an entry should be.
	c := New(dir, 1<<20)
	if err := os.Mkdir(filepath.Join(dir, name("d")), 0o700); err != nil {
		t.Fatal(err)
	}
	c.Put("d", []byte("x"))
	if got := c.Get("d"); got != nil {
		t.Errorf("%q", got)
	}
}

func TestADirectoryForOthersIsClosedToThem(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // that is what is tried
		t.Fatal(err)
	}
	New(dir, 1<<20).Put("d", []byte("x"))
	if fi, err := os.Stat(dir); err != nil || fi.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", fi.Mode(), err)
	}
}

func TestItStaysWithinItsSize(t *testing.T) {
	dir := t.TempDir()
	record := bytes.Repeat([]byte("x"), 10_000)
	for i := range 30 { // a process each
		c := New(dir, 100_000)
		c.Put(fmt.Sprint(i), record)
		c.Get("0")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(entries); n > 10 || n < 4 {
		t.Errorf("%d entries", n)
	}
	New(dir, 100_000).Put("huge", make([]byte, maxEntry+1))
	if New(dir, 100_000).Get("huge") != nil {
		t.Error("a huge record is kept")
	}
}

func TestManyAtOnce(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			c := New(dir, 50_000)
			for j := range 100 {
				digest := fmt.Sprint(j % 20)
				want := bytes.Repeat([]byte(digest), 1000)
				if got := c.Get(digest); got != nil && !bytes.Equal(got, want) {
					t.Errorf("%d: another record", i)
				}
				c.Put(digest, want)
				if j%10 == 0 {
					c.Drop(digest)
				}
			}
		})
	}
	wg.Wait()
}
