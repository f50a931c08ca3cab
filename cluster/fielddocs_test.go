package cluster_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/stateroom/stateroom/cluster"
)

// TestEveryFieldIsDocumented wants a sentence about each field that says more
// than its name does.
func TestEveryFieldIsDocumented(t *testing.T) {
	count := 0
	for _, kind := range cluster.Kinds() {
		for _, f := range cluster.Fields(kind) {
			count++
			switch {
			case len(f.Doc) < 12:
				t.Errorf("%s %s: not documented: %q", kind, f.Path, f.Doc)
			case !strings.HasSuffix(f.Doc, ".") && !strings.HasSuffix(f.Doc, "..."):
				t.Errorf("%s %s: no sentence: %q", kind, f.Path, f.Doc)
			case saysNothing(f.Name(), f.Doc):
				t.Errorf("%s %s: says only its name: %q", kind, f.Path, f.Doc)
			}
		}
	}
	t.Logf("%d fields, all documented", count)
}

// saysNothing reports whether a text has hardly a word that is not in the name.
func saysNothing(name, doc string) bool {
	more := 0
	for _, word := range words(doc) {
		if len(word) > 2 && !strings.Contains(strings.ToLower(name), word) {
			more++
		}
	}
	return more < 2
}

func words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// TestDocumentationIsOurOwn wants no run of words in common with the
// descriptions of kops' schema.
func TestDocumentationIsOurOwn(t *testing.T) {
	const run = 7
	theirs := map[string]string{} // run of words -> where
	for kind, schema := range crds(t) {
		var walk func(path string, s map[string]any)
		walk = func(path string, s map[string]any) {
			if text, ok := s["description"].(string); ok {
				all := words(text)
				for i := 0; i+run <= len(all); i++ {
					theirs[strings.Join(all[i:i+run], " ")] = kind + " " + path
				}
			}
			for key, v := range s {
				if m, ok := v.(map[string]any); ok && key != "description" {
					walk(path+"."+key, m)
				}
			}
		}
		walk("", schema)
	}
	for _, kind := range cluster.Kinds() {
		for _, f := range cluster.Fields(kind) {
			all := words(f.Doc)
			for i := 0; i+run <= len(all); i++ {
				if where := theirs[strings.Join(all[i:i+run], " ")]; where != "" {
					t.Errorf("%s %s: %q stands in %s too", kind, f.Path, strings.Join(all[i:i+run], " "), where)
				}
			}
		}
	}
	t.Logf("%d runs of %d words there, none here", len(theirs), run)
}

// TestValuesOfFieldsAreSound wants lists with keys that exist, defaults that
// the enumeration holds, and enumerations only where texts stand.
func TestValuesOfFieldsAreSound(t *testing.T) {
	for _, kind := range cluster.Kinds() {
		for _, f := range cluster.Fields(kind) {
			inner := &f
			for inner.Elem != nil {
				if inner.Type == cluster.List && inner.List == "" {
					t.Errorf("%s %s: a list that does not say how it merges", kind, f.Path)
				}
				inner = inner.Elem
			}
			if (len(f.Enum) > 0 || f.Format != "") && inner.Type != cluster.String {
				t.Errorf("%s %s: an enumeration or format of no text", kind, f.Path)
			}
			for _, key := range f.Keys {
				if _, ok := cluster.FieldFor(kind, f.Path+"[]."+key); !ok {
					t.Errorf("%s %s: its items have no field %q", kind, f.Path, key)
				}
			}
		}
	}
}
