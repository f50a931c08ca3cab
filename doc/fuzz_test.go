package doc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func seeds(f *testing.F) [][]byte {
	f.Helper()
	names, err := filepath.Glob("testdata/kops/*")
	if err != nil {
		f.Fatal(err)
	}
	all := [][]byte{
		nil, []byte("# nothing\n"), []byte("a: 1"), []byte("{}"), []byte("a:\r\n- b\r\n"), bytes.Clone(bom),
		[]byte("a: &x {b: 1}\nc: *x\nd:\n  <<: *x\n  e: 2\n"), []byte("--- |\n text\n...\n---\n? a\n: - b\n"),
		[]byte("{\"a\": [1, {\"b\": null}],\n \"c\": \"d\"}\n"), []byte("a: 'x\n\n  y'\nb: >-\n  z\n\n# end\n"),
		[]byte("- - a\n  - b: |+\n      c\n\n-\n- !!str 1\n"), []byte("k: [a, 'b', {c: d, e}, f: g,]\n"),
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}

func FuzzParse(f *testing.F) {
	for _, b := range seeds(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<14 {
			return
		}
		docs, err := Parse(b)
		if err != nil {
			var errs Errors
			if !errors.As(err, &errs) {
				t.Fatalf("not Errors: %v", err)
			}
			for _, e := range errs {
				if e.Line < 1 || e.Col < 1 || e.Line > countLines(b)+1 {
					t.Errorf("no place in %q", e)
				}
				if strings.Contains(e.Error(), "yaml:") {
					t.Errorf("not our own words: %q", e)
				}
			}
			return
		}
		if got := Join(docs); !bytes.Equal(got, b) {
			t.Fatalf("joined: %q\nwant %q", got, b)
		}
		for _, d := range docs {
			check(t, d)
		}
	})
}

// check holds what is true of every document.
func check(t *testing.T, d *Document) {
	t.Helper()
	again, err := Parse(d.src)
	if err != nil || len(again) != 1 || !same(plain(again[0].root), plain(d.root)) {
		t.Fatalf("does not parse alone: %d documents, %v", len(again), err)
	}
	d.Walk(func(path []string, n Node) error {
		if _, ok := d.Get(path...); !ok {
			t.Fatalf("%q: walked, but not got", path)
		}
		if line, col := d.Position(path...); line != n.Line || col != n.Col {
			t.Fatalf("%q: position %d:%d, walked at %d:%d", path, line, col, n.Line, n.Col)
		}
		return nil
	})
	at := 0
	var b []byte
	for _, s := range d.Changed() {
		if s.Start < at || s.End < s.Start {
			t.Fatalf("spans overlap: %+v", d.Changed())
		}
		b = append(append(b, d.original[at:s.Start]...), s.Text...)
		at = s.End
	}
	if b = append(b, d.original[at:]...); !bytes.Equal(b, d.src) {
		t.Fatalf("spans %+v do not make of\n%q\nwhat stands there\n%q", d.Changed(), d.original, d.src)
	}
}

func FuzzSet(f *testing.F) {
	for i, b := range seeds(f) {
		for _, v := range []string{`1`, `"n"`, `"a: b #c"`, `{"x": [1, {"y": null}], "z": "l\nm\n"}`, `[]`, `["q", {"r": 1.5}]`} {
			f.Add(b, uint16(i), "new", v)
			f.Add(b, uint16(i*3), "", v)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, pick uint16, key, value string) {
		if len(b) > 1<<12 || len(value) > 1<<10 {
			return
		}
		docs, err := Parse(b)
		if err != nil || len(docs) == 0 {
			return
		}
		var v any
		if json.Unmarshal([]byte(value), &v) != nil {
			v = value
		}
		d := docs[int(pick)%len(docs)]
		var paths [][]string
		d.Walk(func(path []string, n Node) error {
			paths = append(paths, slices.Clone(path))
			return nil
		})
		path := paths[int(pick)%len(paths)]
		if key != "" {
			path = append(path, key)
		}
		setAndUnset(t, d, path, v)
		// And what piles up: further edits at other places, some of them refused.
		for i := range 6 {
			path := paths[(int(pick)+i*7)%len(paths)]
			switch i % 3 {
			case 0:
				d.Set(v, append(slices.Clone(path), "k"+key)...)
			case 1:
				d.Set([]any{key, i}, path...)
			case 2:
				d.Unset(path...)
			}
			check(t, d)
		}
		if len(docs) > 1 && docs[0] == d {
			if again, err := Parse(Join(docs)); err != nil || len(again) != len(docs) {
				t.Fatalf("the file is spoilt: %d documents, %v", len(again), err)
			}
		}
	})
}

// setAndUnset holds what is true of every edit.
func setAndUnset(t *testing.T, d *Document, path []string, v any) {
	t.Helper()
	was := d.Bytes()
	old, had := d.Get(path...)
	tree, _ := d.Get()
	err := d.Set(v, path...)
	if err != nil {
		if !bytes.Equal(was, d.Bytes()) {
			t.Fatalf("a refused edit changed bytes: %v", err)
		}
		return
	}
	check(t, d)
	n, _ := normal(v)
	if got, ok := d.Get(path...); !ok || !same(got, n) {
		t.Fatalf("set %q to %#v, got %#v", path, n, got)
	}
	want, err := with(tree, path, n)
	if now, _ := d.Get(); err != nil || !same(now, want) {
		t.Fatalf("set %q changed something else: %v\nfrom %q\n  to %q", path, err, was, d.src)
	}
	if had && same(old, n) && !bytes.Equal(was, d.Bytes()) {
		t.Fatalf("set %q to what it was changed bytes: %+v", path, d.Changed())
	}
	now := d.Bytes()
	if err := d.Set(v, path...); err != nil || !bytes.Equal(now, d.Bytes()) {
		t.Fatalf("set again changed bytes: %v\nfrom %q\n  to %q", err, now, d.src)
	}
	reread := d.again(t)
	if err := d.Unset(path...); err != nil {
		return
	}
	check(t, d)
	if !had && !bytes.Equal(was, d.Bytes()) {
		t.Fatalf("set and unset of %q is not the identity:\nfrom %q\n via %q\n  to %q", path, was, now, d.src)
	}
	if err := reread.Unset(path...); err != nil {
		if !bytes.Equal(now, reread.src) {
			t.Fatalf("a refused edit changed bytes: %v", err)
		}
		return
	}
	check(t, reread)
	if len(path) > 0 {
		if _, ok := reread.Get(path...); ok && !isIndex(path[len(path)-1]) {
			t.Fatalf("%q is still there: %q", path, reread.src)
		}
	}
}

// again is the document as the next process reads it.
func (d *Document) again(t *testing.T) *Document {
	t.Helper()
	docs, err := Parse(d.Bytes())
	if err != nil || len(docs) != 1 {
		t.Fatal(fmt.Errorf("%d documents: %w", len(docs), err))
	}
	return docs[0]
}
