package doc

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestAnnotate(t *testing.T) {
	text := "spec:\r\n  size: 1\r\n  list:\r\n  - a"
	a := Annotate([]byte(text), []Note{
		{2, "spec.size: too small\nat least 3"}, {0, "2 problems"}, {4, "unknown \x1b[31m\u202etext"}, {99, "gone"}, {2, "again"},
	})
	want := "# stateroom: 2 problems\r\n# stateroom: gone\r\nspec:\r\n" +
		"  # stateroom: spec.size: too small\r\n  # stateroom: at least 3\r\n  # stateroom: again\r\n  size: 1\r\n  list:\r\n" +
		"  # stateroom: unknown \ufffd[31m\ufffdtext\r\n  - a"
	if got := string(a.Text); got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if got := string(a.Strip(a.Text)); got != text {
		t.Errorf("stripped: %q", got)
	}
}

// TestStripTakesOnlyOurs lets a person work around the notes.
func TestStripTakesOnlyOurs(t *testing.T) {
	a := Annotate([]byte("# stateroom: mine\na: 1\nb: 2\n"), []Note{{1, "mine"}, {2, "wrong"}, {3, "odd"}})
	if want := "# stateroom: (2) mine\n# stateroom: mine\n# stateroom: wrong\na: 1\n# stateroom: odd\nb: 2\n"; string(a.Text) != want {
		t.Fatalf("%q", a.Text)
	}
	back := "# stateroom: (2) mine\n# stateroom: mine\n\n# stateroom: wrong, is it?\na: 1\n      # stateroom: odd  \r\nb: 3 # stateroom: odd\n#stateroom: odd\n"
	want := "# stateroom: mine\n\n# stateroom: wrong, is it?\na: 1\nb: 3 # stateroom: odd\n#stateroom: odd\n"
	if got := string(a.Strip([]byte(back))); got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
	for i, want := range []bool{true, false, true} {
		if got := a.Stands(i, []byte(back)); got != want {
			t.Errorf("note %d stands: %v", i, got)
		}
	}
}

// FuzzNotes holds that notes come out again: from the text as it was, and from
// one in which lines were typed, taken out and moved.
func FuzzNotes(f *testing.F) {
	for _, b := range seeds(f) {
		f.Add(b, "a note\nof two lines", 3, uint64(7))
	}
	f.Add([]byte("a\rb\n\n\u0085# stateroom: x"), "x", 2, uint64(1))
	f.Add([]byte("\xef\xbb\xbf# stateroom: x\n"), "x", 1, uint64(1))
	f.Fuzz(func(t *testing.T, text []byte, say string, line int, seed uint64) {
		a := Annotate(text, []Note{{line, say}, {line / 2, "too " + say}, {line, say}})
		if got := a.Strip(a.Text); !bytes.Equal(got, text) {
			t.Fatalf("%q came back as %q through %q", text, got, a.Text)
		}
		r := rand.New(rand.NewPCG(seed, 2))
		head, body := cutBOM(a.Text)
		back, want := bytes.Clone(head), bytes.Clone(head)
		for _, row := range rows(body) {
			if r.IntN(4) == 0 {
				back = append(back, "  typed: \"# stateroom: no note\"\n"...)
				want = append(want, "  typed: \"# stateroom: no note\"\n"...)
			}
			note := a.ours[strings.TrimSpace(row)]
			if r.IntN(4) == 0 {
				continue
			}
			back = append(back, row...)
			if !note {
				want = append(want, row...)
			}
		}
		if got := a.Strip(back); !bytes.Equal(got, want) {
			t.Fatalf("%q came back as %q, not %q", back, got, want)
		}
	})
}
