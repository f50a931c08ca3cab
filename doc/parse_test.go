package doc

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseNamesThePlace(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"key twice", "a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n", "line 5, column 3: b.c: given twice, first on line 3"},
		{"keys twice, all of them", "a: 1\na: 2\n---\nb:\n- {c: 1, c: 2}\n- d: 1\n  d: 2\n", `
line 2, column 1: a: given twice, first on line 1
line 5, column 10: b[0].c: given twice, first on line 5
line 7, column 3: b[1].d: given twice, first on line 6`},
		{"number and text as key", "1: a\n\"1\": b\n", "line 2, column 1: [1]: given twice, first on line 1"},
		{"tab", "a:\n\tb: 1\n  c: 2\n \t d: 3\n", `
line 2, column 1: a tab in the indentation
line 4, column 2: a tab in the indentation`},
		{"colon in a value", "a: b: c\n", `line 1, column 5: a "key:" cannot stand here`},
		{"open quote", "a: \"b\nc: d\n", "line 2, column 4: a quoted text is not closed"},
		{"open bracket", "a: [1,\nb: 2\n", `line 2, column 4: "," or "]" is expected before this`},
		{"open brace", "a: {b: 1\nc: 2\n", `line 2, column 4: "," or "}" is expected before this`},
		{"indentation", "a:\n   b: 1\n  c: 2\n", "line 3, column 3: a key is expected here"},
		{"key in a list", "- a\nb: 1\n", "line 2, column 1: a list item (\"- \") is expected here"},
		{"bad start", "a: @b\n", "line 1, column 4: a value cannot begin with this character"},
		{"bad escape", "a: \"\\q\"\n", "line 1, column 5: not an escape of a double-quoted text"},
		{"unknown alias", "a: *b\n", "line 1, column 4: alias *b refers to an anchor that is not above it"},
		{"alias of itself", "a: &x\n  b: *x\n", "line 2, column 6: alias *x stands within what it refers to"},
		{"list as key", "? [a]\n: b\n", "line 1, column 3: a key must be a plain or quoted text, not a list, a mapping or an alias"},
		{"merge of a text", "<<: a\n", `line 1, column 5: <<: << takes a mapping or a list of mappings`},
		{"two documents wrong", "a: [\n---\nb: ]\n---\nc: 1\n", `
line 1, column 4: a value is expected here
line 3, column 4: a value is expected here`},
		{"NUL and control characters", "a: \x00\nb\x07: \x00\n", `
line 1, column 4: a NUL byte
line 2, column 2: control character U+0007
line 2, column 5: a NUL byte`},
		{"not UTF-8", "a: \xff\xfe\n", `
line 1, column 4: byte 0xff is not UTF-8
line 1, column 5: byte 0xfe is not UTF-8`},
		{"columns are characters", "é: \"ü\" x\n", "line 1, column 8: a key is expected here"},
		{"byte order mark", "\xef\xbb\xbfa: 1\na: 2\n", "line 2, column 1: a: given twice, first on line 1"},
		{"text after the end", "a\n...\nb: 1\nb: 1\n", "line 4, column 1: b: given twice, first on line 3"},
		{"too large", strings.Repeat("#", MaxSize+1), "4194305 bytes are more than the limit of 4194304"},
		{"many documents", strings.Repeat("---\na\n", maxParts+1), "line 20001, column 1: more than 10000 documents"},
		{"deep in blocks", deepBlocks(MaxDepth + 1), "line 101, column 101: nested deeper than 100 levels"},
		{"deep in brackets", strings.Repeat("[", 101) + strings.Repeat("]", 101), "line 1, column 101: nested deeper than 100 levels"},
		{"bomb", bomb(), "line 1, column 1: aliases that grow to more than 100000 values"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse([]byte(c.src))
			if diff := cmp.Diff(strings.TrimPrefix(c.want, "\n"), fmt.Sprint(err)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// bomb grows tenfold with each of its nine lines.
func bomb() string {
	b := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'j'; c++ {
		b += fmt.Sprintf("%c: &%c [%s*%c]\n", c, c, strings.Repeat(fmt.Sprintf("*%c,", c-1), 9), c-1)
	}
	return b
}

func deepBlocks(levels int) string {
	var b strings.Builder
	for i := range levels {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

// TestDeepNestingIsRefusedAtOnce gives 10,000 and more levels of everything that
// nests; none of it may reach the YAML library, which recurses.
func TestDeepNestingIsRefusedAtOnce(t *testing.T) {
	const n = 100_000
	for name, src := range map[string]string{
		"lists in brackets":    strings.Repeat("[", n),
		"mappings in braces":   strings.Repeat("{a: ", n),
		"below a key":          "a:\n  b: [1,\n" + strings.Repeat("[", n),
		"after a quoted text":  "a: \"[\\\"\"\nb: '[''' \nc: " + strings.Repeat("[", n),
		"dashes":               strings.Repeat("- ", n) + "a",
		"explicit keys":        strings.Repeat("? ", n) + "a",
		"dashes after a block": "a: |\n  - - -\nb:\n" + strings.Repeat("- ", n) + "a",
		"blocks":               deepBlocks(2000),
		"after an anchor":      "a: &x !!seq\n " + strings.Repeat("- ", n),
	} {
		if e := checkNesting([]byte(src)); e == nil {
			t.Errorf("%s: not seen before the library reads it", name)
		}
		if _, err := Parse([]byte(src)); err == nil || !strings.Contains(err.Error(), "nested deeper than 100 levels") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestManyBracketsAreNotDeep holds the guard to texts that only look deep.
func TestManyBracketsAreNotDeep(t *testing.T) {
	brackets := strings.Repeat("[", 5000)
	src := "a: |\n  " + brackets + "\n  " + strings.Repeat("- ", 5000) + "\nb: '" + brackets + "'\nc: \"" + brackets + "\"\n# " + brackets +
		"\nd: x" + brackets + "\ne: [x, # " + brackets + "\n y]\nf: [" + strings.Repeat("[],", 5000) + "]\n" + strings.Repeat("g: 1\n- ", 0)
	if _, err := Parse([]byte(src)); err != nil {
		t.Error(err)
	}
}

func TestKeysTwiceLeaveTheDocumentsReadable(t *testing.T) {
	docs, err := Parse([]byte("a: 1\nb: x\na: 2\n---\nc: 1\n"))
	if err == nil || len(docs) != 2 {
		t.Fatal(len(docs), err)
	}
	if v, ok := docs[0].Get("b"); !ok || v != "x" {
		t.Error(v, ok)
	}
	if err := docs[0].Set("y", "b"); err == nil {
		t.Error("a document with a key twice was edited")
	}
	if docs, err := Parse([]byte("a: 1\na: 2\n---\nc: [\n")); docs != nil || err == nil {
		t.Error(docs, err)
	}
}

func TestHints(t *testing.T) {
	_, err := Parse([]byte("a:\n\tb: 1\n"))
	h, ok := err.(interface{ Hint() string })
	if !ok || h.Hint() != "YAML is indented with spaces" {
		t.Error(err)
	}
}

func TestDocumentsOfAText(t *testing.T) {
	for _, c := range []struct {
		src  string
		want []string
	}{
		{"", nil},
		{"# c\n", []string{"# c\n"}},
		{"a: 1\n", []string{"a: 1\n"}},
		{"---\na: 1\n---\nb: 1\n", []string{"---\na: 1\n", "---\nb: 1\n"}},
		{"# head\n---\na\n---\n# none\n---\n\n--- b\n...\n# tail\n", []string{"# head\n---\na\n---\n# none\n---\n\n", "--- b\n...\n# tail\n"}},
		{"---\n---\na\n", []string{"---\n---\na\n"}},
		{"a: |\n  ---\nb: 1\n", []string{"a: |\n  ---\nb: 1\n"}},
		{"%YAML 1.1\n---\na\n...\n%YAML 1.1\n---\nb\n", []string{"%YAML 1.1\n---\na\n...\n", "%YAML 1.1\n---\nb\n"}},
		{"\xef\xbb\xbf---\na\n...\nb\n", []string{"\xef\xbb\xbf---\na\n...\n", "b\n"}},
		{"---\r\na\r\n---\r\nb", []string{"---\r\na\r\n", "---\r\nb"}},
		{"----\n", []string{"----\n"}},
	} {
		docs, err := Parse([]byte(c.src))
		if err != nil {
			t.Errorf("%q: %v", c.src, err)
		}
		var got []string
		for _, d := range docs {
			got = append(got, string(d.Bytes()))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q: -want +got\n%s", c.src, diff)
		}
		if string(Join(docs)) != c.src {
			t.Errorf("%q: joined %q", c.src, Join(docs))
		}
	}
}

func TestJoinSeparatesDocumentsOfDifferentFiles(t *testing.T) {
	a, b := mustParse(t, "a: 1"), mustParse(t, "\xef\xbb\xbfb: 1\n")
	c, d := mustParse(t, "---\nc: 1\n...\n"), mustParse(t, "d: 1\n")
	want := "a: 1\n---\nb: 1\n---\nc: 1\n...\nd: 1\n"
	if got := string(Join([]*Document{a, b, c, d})); got != want {
		t.Errorf("got %q", got)
	}
}

func TestValuesAreThoseOfYAML11(t *testing.T) {
	d := mustParse(t, "a: n\nb: \"n\"\nc: yes\nd: 2026-11-22\ne: 010\nf: 0x10\ng: 1.5\nh: ~\ni:\nj: 18446744073709551615\nk: !!str 1\nl: 1_000\nm: {<<: [{x: 1}, {x: 2, z: 3}], y: 2}\n")
	want := map[string]any{"a": false, "b": "n", "c": true, "d": "2026-11-22", "e": 8, "f": 16, "g": 1.5, "h": nil, "i": nil,
		"j": uint64(18446744073709551615), "k": "1", "l": 1000, "m": map[string]any{"x": 1, "y": 2, "z": 3}}
	got, _ := d.Get()
	if diff := cmp.Diff(any(want), got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestDecodeNamesThePlace(t *testing.T) {
	d := mustParse(t, "# c\nspec:\n  size: many\n  name: x\n  flag: 7\n  unknown: 1\n")
	var v struct {
		Spec struct {
			Size int
			Name string
			Flag bool
		}
	}
	err := d.Decode(&v)
	want := "line 3, column 9: spec.size: a text, where a whole number is expected\nline 5, column 9: spec.flag: a number, where a boolean is expected"
	if fmt.Sprint(err) != want {
		t.Errorf("got %v", err)
	}
	if v.Spec.Name != "x" {
		t.Errorf("what fits is not read: %+v", v)
	}
}

func TestPositionAndWalk(t *testing.T) {
	docs, err := Parse([]byte("a: 1\n---\n# c\nspec:\n  list:\n  - name: x\n    on: y\n"))
	if err != nil {
		t.Fatal(err)
	}
	d := docs[1]
	for want, path := range map[string][]string{
		"4:1": {"spec"}, "5:3": {"spec", "list"}, "6:5": {"spec", "list", "0"}, "7:5": {"spec", "list", "0", "on"},
	} {
		if line, col := d.Position(path...); fmt.Sprintf("%d:%d", line, col) != want {
			t.Errorf("%v: %d:%d, want %s", path, line, col, want)
		}
	}
	if line, col := d.Position("spec", "list", "4", "x"); line != 5 || col != 3 {
		t.Errorf("a place that is not there: %d:%d", line, col)
	}
	var got []string
	d.Walk(func(path []string, n Node) error {
		got = append(got, fmt.Sprintf("%s %v %d:%d %d:%d %s %q %v %d", PathString(path), n.Kind, n.Line, n.Col, n.ValueLine, n.ValueCol, n.Tag, n.Text, n.Quoted, n.Len))
		return nil
	})
	want := []string{
		` mapping 4:1 4:1  "" false 1`,
		`spec mapping 4:1 5:3  "" false 1`,
		`spec.list sequence 5:3 6:3  "" false 1`,
		`spec.list[0] mapping 6:5 6:5  "" false 2`,
		`spec.list[0].name scalar 6:5 6:11 !!str "x" false 0`,
		`spec.list[0].on scalar 7:5 7:9 !!bool "y" false 0`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestFormat(t *testing.T) {
	type sub struct {
		B string `yaml:"b"`
		A int    `yaml:"a,omitempty"`
	}
	for want, v := range map[string]any{
		"{}\n":                         map[string]string{},
		"\"n\"\n":                      "n",
		"- a\n- - b\n- c: 1\n":         []any{"a", []string{"b"}, map[string]int{"c": 1}},
		"a2: 1\na10: 1\nab: 1\nb: 1\n": map[string]int{"a10": 1, "a2": 1, "b": 1, "ab": 1},
		"s:\n  b: |-\n    x\n    y\n":  struct{ S sub }{sub{B: "x\ny"}},
		"a: 2\nb: 2.5\nc: null\n":      map[string]any{"a": 2.0, "b": 2.5, "c": nil},
	} {
		if got := string(Format(v)); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}

func TestOwnCorpusIsFormatted(t *testing.T) {
	for _, name := range []string{"cluster.yaml", "keyset.yaml"} {
		b, err := os.ReadFile("testdata/kops/" + name)
		if err != nil {
			t.Fatal(err)
		}
		v, _ := mustParse(t, string(b)).Get()
		if diff := cmp.Diff(string(b), string(Format(v))); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}
