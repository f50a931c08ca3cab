package stateroom

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/stateroom/stateroom/cluster"
)

// TestReplacedAddonsKeepTheOthers to the byte.
func TestReplacedAddonsKeepTheOthers(t *testing.T) {
	const one, two = "kind: A\napiVersion: x/v1\nmetadata: {name: one}\n", "kind: A # two\napiVersion: x/v1\nmetadata: {name: two}\n"
	const newer = "kind: A\napiVersion: x/v2\nmetadata: {name: one}\nspec: {}\n"
	for _, tt := range []struct{ name, old, file, want, missing string }{
		{"the first", one + "---\n" + two, newer, newer + "---\n" + two, ""},
		{"the last", two + "---\n" + one, newer, two + "---\n" + newer, ""},
		{"with comments between", "# begins\n---\n" + two + "\n# between\n---\n\n" + one + "# ends\n", newer, "# begins\n---\n" + two + "\n# between\n---\n\n" + newer, ""},
		{"the same", one + "\n---\n\n" + two, one, one + "\n---\n\n" + two, ""},
		{"of another group", one, strings.Replace(newer, "x/v2", "y/v1", 1), one + "---\n" + strings.Replace(newer, "x/v2", "y/v1", 1), "A/one"},
		{"of which there is none", "", one, one, "A/one"},
		{"behind what has no end of line", strings.TrimSpace(two), one, two + "---\n" + one, "A/one"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, err := sortInto("f", []byte(tt.file), demo)
			if err != nil || len(n) != 1 {
				t.Fatalf("%v, %v", n, err)
			}
			got, missing := replaceAddons([]byte(tt.old), n[0].addons)
			var names []string
			for _, a := range missing {
				names = append(names, a.String())
			}
			if string(got) != tt.want || strings.Join(names, " ") != tt.missing {
				t.Errorf("missing %q, got\n%s\nwant\n%s", names, got, tt.want)
			}
		})
	}
}

// TestReplaceKeepsBytesWhoseMeaningStays, but for comments: they are words of
// people.
func TestReplaceKeepsBytesWhoseMeaningStays(t *testing.T) {
	const old = "\n---\na: 1 # why\nb: x\n"
	for text, same := range map[string]bool{
		"a: 1 # why\nb: x\n":           true,
		"---\na: 1 # why\nb: x\n\n\n":  true,
		`{"b": "x", "a": 1}`:           true,
		`{"b": "x", "a": 2}`:           false,
		"a: 1\nb: x\n":                 false,
		"a: 1 # why not\nb: x\n":       false,
		"a: 1 # why\nb: |+\n  x\n\n\n": false,
		"a: [\n":                       false,
	} {
		if got := sameDocument([]byte(old), []byte(text)); got != same {
			t.Errorf("%q: %v", text, got)
		}
	}
	for in, want := range map[string]string{
		"a: 1\n\n\n":              "a: 1\n",
		"a: 1\r\n\r\n":            "a: 1\r\n",
		"a: |+\n  x\n\n\n":        "a: |+\n  x\n\n\n",
		"a: 1\n# the end\n\n":     "a: 1\n# the end\n",
		"a: |\n  x\n\n":           "a: |\n  x\n",
		"a: 1\n":                  "a: 1\n",
		"a: |+\n  x\n\n# end\n\n": "a: |+\n  x\n\n# end\n",
	} {
		if got := withoutEnd([]byte(in)); string(got) != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// TestReplaceOfSeveralClustersIsAllOrNothing: the second cluster of a file is
// wrong, and the first stays as it was.
func TestReplaceOfSeveralClustersIsAllOrNothing(t *testing.T) {
	s := opened(t)
	head := create(t, s).Head
	text := strings.Replace(gpu, "NAME", "nodes-main", 1)
	other := strings.Replace(text, string(demo), "other.example.com", 1)
	_, err := s.ReplaceFrom(t.Context(), Replace{File: "f", Text: []byte(text + "---\n" + other)}, Write{})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a cluster that is not there: %v", err)
	}
	_, err = s.ReplaceFrom(t.Context(), Replace{File: "f", Text: []byte(text), Cluster: "other.example.com", Only: true}, Write{})
	if invalid := new(cluster.InvalidError); !errors.As(err, &invalid) {
		t.Errorf("a cluster that is not meant: %v", err)
	}
	out, err := s.ReplaceFrom(t.Context(), Replace{File: "f", Text: []byte(text)}, Write{DryRun: true})
	if err != nil || len(out) != 1 || out[0].Head != head {
		t.Errorf("%+v, %v: the head was %d", out, err, head)
	}
}
