package doc

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write what comes out into testdata/edits")

// TestEdits makes the edits of each testdata/edits/*.txtar, once with LF, once
// with CR LF, and once without the last line break.
func TestEdits(t *testing.T) {
	names, err := filepath.Glob("testdata/edits/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files := map[string]string{}
			for _, f := range ar.Files {
				files[f.Name] = string(f.Data)
			}
			got := runEdits(t, files["before"], files["edit"])
			if *update && got != files["after"] {
				ar.Files[2].Data = []byte(got)
				if err := os.WriteFile(name, txtar.Format(ar), 0o666); err != nil {
					t.Fatal(err)
				}
			} else if diff := cmp.Diff(files["after"], got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			crlf := strings.NewReplacer("\n", "\r\n")
			if diff := cmp.Diff(crlf.Replace(files["after"]), runEdits(t, crlf.Replace(files["before"]), files["edit"])); diff != "" {
				t.Errorf("with CR LF: -want +got\n%s", diff)
			}
			cut, want := strings.TrimSuffix(files["before"], "\n"), strings.TrimSuffix(files["after"], "\n")
			if diff := cmp.Diff(want, strings.TrimSuffix(runEdits(t, cut, files["edit"]), "\n")); diff != "" {
				t.Errorf("without the last line break: -want +got\n%s", diff)
			}
		})
	}
}

// runEdits makes edits on the last document of a text, each a line: set PATH
// JSON, or unset PATH.
func runEdits(t *testing.T, before, edits string) string {
	t.Helper()
	docs, err := Parse([]byte(before))
	if err != nil {
		t.Fatal(err)
	}
	d := docs[len(docs)-1]
	for line := range strings.Lines(edits) {
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		name, value, _ := strings.Cut(rest, " ")
		path := strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune(".[]", r) })
		if strings.Contains(name, "/") { // the rest of a key with slash and dot
			i := strings.LastIndexByte(name[:strings.IndexByte(name, '/')], '.')
			path = append(strings.FieldsFunc(name[:max(i, 0)], func(r rune) bool { return r == '.' }), name[i+1:])
		}
		if verb == "unset" {
			if err := d.Unset(path...); err != nil {
				t.Error(err)
			}
			continue
		}
		var v any
		if err := json.Unmarshal([]byte(value), &v); err != nil {
			v = value
		}
		c := d.again(t)
		setAndUnset(t, c, path, v)
		if err := d.Set(v, path...); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		check(t, d)
	}
	return string(Join(docs))
}

func mustParse(t *testing.T, src string) *Document {
	t.Helper()
	docs, err := Parse([]byte(src))
	if err != nil || len(docs) == 0 {
		t.Fatal(len(docs), err)
	}
	return docs[0]
}

func TestRefusedEditsChangeNothing(t *testing.T) {
	src := "a: &x\n  b: 1\nc: *x\nd:\n  <<: *x\nl: [1]\ns: text\n"
	for _, c := range []struct {
		edit func(d *Document) error
		want string
	}{
		{func(d *Document) error { return d.Set(2, "a", "b") }, `line 2, column 3: a.b: set: the value on line 1 is used as *x on line 3, 5 too`},
		{func(d *Document) error { return d.Set(2, "a") }, `line 1, column 1: a: set: the value on line 1 is used as *x on line 3, 5 too`},
		{func(d *Document) error { return d.Unset("a") }, `line 1, column 1: a: unset: the value on line 1 is used as *x on line 3, 5 too`},
		{func(d *Document) error { return d.Unset("d", "b") }, `line 2, column 3: d.b: unset: d.b comes in by a merge (<<) from line 2`},
		{func(d *Document) error { return d.Set(1, "s", "t") }, `line 7, column 1: s.t: set: s holds a text, not a mapping`},
		{func(d *Document) error { return d.Set(1, "l", "7") }, `line 6, column 1: l[7]: set: l is a list of 1 items, it has no "7"`},
		{func(d *Document) error { return d.Set(make(chan int), "s") }, `line 7, column 1: s: set: a chan int cannot stand in a document`},
		{func(d *Document) error { return d.Unset() }, `line 1, column 1: unset: a document cannot be removed from itself`},
	} {
		d := mustParse(t, src)
		err := c.edit(d)
		if err == nil || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
		if string(d.Bytes()) != src || d.Changed() != nil {
			t.Errorf("%s: changed %+v", c.want, d.Changed())
		}
	}
}

// TestRewriteIsTheLastResort: where no splice fits, the smallest collection
// around is written anew, with its comments.
func TestRewriteIsTheLastResort(t *testing.T) {
	d := mustParse(t, "# c\nk:\n  e: [one: 1, two] # why\n  f:   'x'\nz:   1\n")
	if err := d.Set(2, "k", "e", "0", "x"); err != nil {
		t.Fatal(err)
	}
	want := "# c\nk:\n  e: [{one: 1, x: 2}, two] # why\n  f:   'x'\nz:   1\n"
	if diff := cmp.Diff(want, string(d.Bytes())); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	check(t, d)
	// The text ends without a line break, which an item behind it would add.
	d = mustParse(t, "z:   1\nk:\n# one\n- a # two\n- |\n  x")
	if err := d.Set("n", "k", "2"); err != nil {
		t.Fatal(err)
	}
	want = "z:   1\nk:\n  # one\n  - a # two\n  - |-\n    x\n  - \"n\""
	if diff := cmp.Diff(want, string(d.Bytes())); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	check(t, d)
}

// TestBlocksOfTextAtTheEnd: without a last line break, a block of text that ends
// a document does not hold one.
func TestBlocksOfTextAtTheEnd(t *testing.T) {
	for _, c := range []struct{ src, key, value, want string }{
		{"a: |\n  x", "b", "1", "b: \"1\"\na: |\n  x"},
		{"a: 1", "b", "y\nz\n", "a: 1\nb: \"y\\nz\\n\""},
		{"a: 1", "b", "y\nz", "a: 1\nb: |-\n  y\n  z"},
		{"b: 1", "a", "y\nz\n", "a: |\n  y\n  z\nb: 1"},
	} {
		d := mustParse(t, c.src)
		if err := d.Set(c.value, c.key); err != nil || string(d.Bytes()) != c.want {
			t.Errorf("got %q, %v; want %q", d.Bytes(), err, c.want)
		}
		check(t, d)
	}
}

func TestRootIsSet(t *testing.T) {
	for _, c := range [][2]string{
		{"{}\n", "a: 1\n"}, {"--- {} # c\n", "---\na: 1 # c\n"}, {"---\ntext\n...\n", "---\na: 1\n...\n"}, {"# c", "# c\na: 1"},
		{"- x\n- y\n# c\n", "a: 1\n# c\n"}, {"", ""},
	} {
		docs, err := Parse([]byte(c[0]))
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range docs {
			if err := d.Set(map[string]int{"a": 1}); err != nil {
				t.Errorf("%q: %v", c[0], err)
			}
		}
		if got := string(Join(docs)); got != c[1] {
			t.Errorf("%q: got %q, want %q", c[0], got, c[1])
		}
	}
}

func TestJSONStaysJSON(t *testing.T) {
	d := mustParse(t, `{"a": 1}`)
	if err := d.Set(math.Inf(1), "a"); err == nil || string(d.Bytes()) != `{"a": 1}` {
		t.Errorf("%q, %v", d.Bytes(), err)
	}
}

func TestNew(t *testing.T) {
	d, err := New(map[string]any{"kind": "Cluster", "n": "n"})
	if err != nil || string(d.Bytes()) != "kind: Cluster\n\"n\": \"n\"\n" {
		t.Errorf("%q, %v", d.Bytes(), err)
	}
	if _, err := New(make(chan int)); err == nil {
		t.Error("a channel became a document")
	}
}

func TestOrderPlacesNewKeys(t *testing.T) {
	d := mustParse(t, "kind: x\nspec:\n  z: 1\n  a: 2\n")
	d.Order = func(parent, keys []string, key string) string {
		switch {
		case key == "apiVersion":
			return ""
		case len(parent) == 1 && key == "m":
			return "z"
		}
		return "unknown"
	}
	for _, p := range [][]string{{"spec", "m"}, {"apiVersion"}, {"spec", "last"}} {
		if err := d.Set(1, p...); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff("apiVersion: 1\nkind: x\nspec:\n  z: 1\n  m: 1\n  a: 2\n  last: 1\n", string(d.Bytes())); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestUnsetTakesBackWhatSetMade: parents that Set made on the way go with the
// key, others stay as {}.
func TestUnsetTakesBackWhatSetMade(t *testing.T) {
	src := "a:\n  rbac: {}\nb:   # nothing yet\n"
	d := mustParse(t, src)
	set := func(path ...string) {
		t.Helper()
		if err := d.Set(1, path...); err != nil {
			t.Fatal(err)
		}
	}
	unset := func(path ...string) {
		t.Helper()
		if err := d.Unset(path...); err != nil {
			t.Fatal(err)
		}
	}
	set("a", "rbac", "x")
	set("c", "d", "e")
	set("b", "k")
	unset("c", "d", "e")
	unset("a", "rbac", "x")
	if diff := cmp.Diff("a:\n  rbac: {}\nb:   # nothing yet\n  k: 1\n", string(d.Bytes())); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	unset("b", "k")
	if diff := cmp.Diff("a:\n  rbac: {}\nb: {}   # nothing yet\n", string(d.Bytes())); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	d = mustParse(t, src)
	set("b", "k", "l")
	unset("b", "k", "l")
	if !bytes.Equal(d.Bytes(), []byte(src)) || d.Changed() != nil {
		t.Errorf("set and unset is not the identity: %q", d.Bytes())
	}
}

func BenchmarkSet(b *testing.B) {
	src, err := os.ReadFile("testdata/kops/cluster.yaml")
	if err != nil {
		b.Fatal(err)
	}
	docs, err := Parse(src)
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		if err := docs[0].Set(i, "spec", "kubeAPIServer", "maxRequestsInflight"); err != nil {
			b.Fatal(err)
		}
	}
}

// TestEditsStayWithinTheLimit: what would make a document too large is refused,
// with the reason.
func TestEditsStayWithinTheLimit(t *testing.T) {
	d := mustParse(t, "a: 1\nb: 2\n")
	err := d.Set(strings.Repeat("x", MaxSize), "a")
	var e *Error
	if !errors.As(err, &e) || !strings.Contains(e.Message, "more than the limit of 4194304 bytes") || e.Advice == "" || string(d.Bytes()) != "a: 1\nb: 2\n" {
		t.Errorf("got %v, %d bytes", err, len(d.Bytes()))
	}
}
