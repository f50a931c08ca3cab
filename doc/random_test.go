package doc

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

var (
	editSeed  = flag.Int64("editseed", 0, "seed of the random edits; 0: another one each time")
	editCount = flag.Int("edits", 4000, "random edits")
)

// TestRandomEdits sets and unsets random places of random documents, and holds
// what is true of every edit: no byte changes outside the spans it says, set and
// then unset is the identity, and nothing else of the meaning moves.
func TestRandomEdits(t *testing.T) {
	seed := *editSeed
	if seed == 0 {
		seed = time.Now().UnixNano()
	}
	t.Logf("-editseed %d -edits %d", seed, *editCount)
	const groups = 4
	var refused, done atomic.Int64
	for g := range groups {
		t.Run(fmt.Sprint("group=", g), func(t *testing.T) {
			t.Parallel()
			for i := g; i < *editCount && !t.Failed(); i += groups {
				r := rand.New(rand.NewPCG(uint64(seed), uint64(i)))
				if randomEdit(t, r) {
					done.Add(1)
				} else {
					refused.Add(1)
				}
				if t.Failed() {
					t.Logf("edit %d of seed %d", i, seed)
				}
			}
		})
	}
	t.Cleanup(func() { t.Logf("%d edits done, %d refused without a change", done.Load(), refused.Load()) })
}

// randomEdit makes one edit and holds it to the laws; false: it was refused.
func randomEdit(t *testing.T, r *rand.Rand) bool {
	t.Helper()
	text := randomText(r)
	if r.IntN(6) == 0 {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	docs, err := Parse([]byte(text))
	if err != nil || len(docs) == 0 {
		t.Fatalf("a random document cannot be read: %v", err)
	}
	d := docs[r.IntN(len(docs))]
	var paths [][]string
	d.Walk(func(path []string, n Node) error {
		if n.Kind == Scalar && r.IntN(8) > 0 || r.IntN(2) == 0 {
			paths = append(paths, slices.Clone(path))
		} else {
			paths = append(paths, append(slices.Clone(path), []string{"new", "a b", "y", "0", "1", "x.y", "é", "#"}[r.IntN(8)]))
		}
		return nil
	})
	path := paths[r.IntN(len(paths))]
	if r.IntN(4) == 0 {
		path = append(path, "deeper")
	}
	before := string(d.Bytes())
	setAndUnset(t, d, path, randomValue(r, 3))
	return string(d.Bytes()) != before || len(d.Changed()) > 0
}

// randomValue is a value of any shape, that is easy to get wrong in YAML.
func randomValue(r *rand.Rand, depth int) any {
	kinds := 9
	if depth == 0 {
		kinds = 7
	}
	switch r.IntN(kinds) {
	case 0:
		return r.IntN(2000) - 1000
	case 1:
		return r.IntN(2) == 0
	case 2:
		return nil
	case 3:
		return []string{"n", "on", "0x1F", "1e3", "null", "~", "", " ", "-", "?", "01", "1_000", "2026-11-22", "12:30:45"}[r.IntN(14)]
	case 4:
		return []string{"a: b #c", "'q'", "\"", "l\nm\n", "tab\tx", "\u2028", "é", "&a", "*a", "!t", "%", "@x", "`", "{", "]", "- a", "|", "> x"}[r.IntN(18)]
	case 5:
		return fmt.Sprint("text ", r.IntN(1000))
	case 6:
		return float64(r.IntN(1000)) / 8
	case 7:
		list := make([]any, r.IntN(4))
		for i := range list {
			list[i] = randomValue(r, depth-1)
		}
		return list
	}
	m := map[string]any{}
	for range r.IntN(4) {
		m[[]string{"a", "b", "on", "x y", "z", "1", "é"}[r.IntN(7)]] = randomValue(r, depth-1)
	}
	return m
}
