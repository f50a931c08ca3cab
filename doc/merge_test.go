package doc

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// someLists are the rules of the tests: "set" and "keyed" as they say, the rest
// one value.
func someLists(path []string) List {
	name := strings.Join(path[max(0, len(path)-1):], "")
	switch {
	case strings.HasPrefix(name, "set"):
		return List{Set: true}
	case strings.HasPrefix(name, "keyed"):
		return List{Keys: []string{"name"}}
	case strings.HasPrefix(name, "pair"):
		return List{Keys: []string{"name", "zone"}}
	}
	return List{}
}

// TestMerges makes the merges of each testdata/merges/*.txtar, whose files are
// base, ours, theirs, merged, and conflicts where there are some: once as they
// are, once with CR LF, once without the last line break. The sides may also
// change places; then only the values of conflicts, and what stands where lines
// met, are others.
func TestMerges(t *testing.T) {
	names, err := filepath.Glob("testdata/merges/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			f := map[string]string{}
			for _, file := range ar.Files {
				f[file.Name] = string(file.Data)
			}
			m := mergeTexts(t, f["base"], f["ours"], f["theirs"])
			merged, conflicts := string(m.Document.Bytes()), conflictText(m)
			if *update {
				ar.Files = append(ar.Files[:3], txtar.File{Name: "merged", Data: []byte(merged)})
				if conflicts != "" {
					ar.Files = append(ar.Files, txtar.File{Name: "conflicts", Data: []byte(conflicts)})
				}
				if err := os.WriteFile(name, txtar.Format(ar), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(f["merged"], merged); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if diff := cmp.Diff(f["conflicts"], conflicts); diff != "" {
				t.Errorf("conflicts: -want +got\n%s", diff)
			}
			crlf := strings.NewReplacer("\n", "\r\n").Replace
			m = mergeTexts(t, crlf(f["base"]), crlf(f["ours"]), crlf(f["theirs"]))
			if diff := cmp.Diff(crlf(f["merged"]), string(m.Document.Bytes())); diff != "" {
				t.Errorf("with CR LF: -want +got\n%s", diff)
			}
			cut := func(s string) string { return strings.TrimSuffix(s, "\n") }
			m = mergeTexts(t, cut(f["base"]), cut(f["ours"]), cut(f["theirs"]))
			if diff := cmp.Diff(cut(f["merged"]), cut(string(m.Document.Bytes()))); diff != "" {
				t.Errorf("without the last line break: -want +got\n%s", diff)
			}
			mirrored(t, m, mergeTexts(t, cut(f["base"]), cut(f["theirs"]), cut(f["ours"])))
		})
	}
}

func mergeTexts(t *testing.T, base, ours, theirs string) *Merged {
	t.Helper()
	m, err := Merge(mustParse(t, base), mustParse(t, ours), mustParse(t, theirs), MergeOptions{Lists: someLists})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func conflictText(m *Merged) string {
	var b strings.Builder
	for _, c := range m.Conflicts {
		fmt.Fprintf(&b, "%d %s: %s -> ours %s, theirs %s\n", c.Line, c.Path, c.Base, c.Ours, c.Theirs)
	}
	return b.String()
}

// mirrored holds that the sides of a merge may change places.
func mirrored(t *testing.T, m, other *Merged) {
	t.Helper()
	swapped := &Merged{}
	for _, c := range other.Conflicts {
		c.Ours, c.Theirs, c.Line = c.Theirs, c.Ours, 0
		swapped.Conflicts = append(swapped.Conflicts, c)
	}
	straight := &Merged{}
	for _, c := range m.Conflicts {
		c.Line = 0
		straight.Conflicts = append(straight.Conflicts, c)
	}
	sorted := func(m *Merged) string {
		all := slices.Sorted(strings.Lines(conflictText(m)))
		return strings.Join(all, "")
	}
	if diff := cmp.Diff(sorted(straight), sorted(swapped)); diff != "" {
		t.Errorf("other conflicts when the sides change places:\n%s", diff)
	}
	mm := &merge{lists: someLists}
	if len(m.Conflicts) == 0 && !mm.equal(nil, plain(m.Document.root), plain(other.Document.root)) {
		t.Errorf("another meaning when the sides change places:\n%s\n%s", m.Document.src, other.Document.src)
	}
}

// TestMergeLineBreaks lets one side change all line breaks, and the other add
// a line.
func TestMergeLineBreaks(t *testing.T) {
	crlf := strings.NewReplacer("\n", "\r\n").Replace
	base, more := "a: 1\nb: 2\n", "a: 1\nb: 2\nc: 3 # new\n"
	for _, c := range []struct{ base, ours, theirs, want string }{
		{base, crlf(base), more, crlf(more)},
		{base, more, crlf(base), crlf(more)},
		{crlf(base), base, crlf(more), more},
		{base, crlf(strings.Replace(base, "2", "4", 1)), more, crlf(strings.Replace(more, "2", "4", 1))},
		{"a: 1\nb: 2\r\n", "a: 1\nb: 2\r\nd: 4\n", "a: 3\nb: 2\r\n", "a: 3\nb: 2\r\nd: 4\n"}, // each line its own
	} {
		m := mergeTexts(t, c.base, c.ours, c.theirs)
		if got := string(m.Document.Bytes()); got != c.want || len(m.Conflicts) > 0 {
			t.Errorf("got %q\nwant %q", got, c.want)
		}
	}
}

var mergeSeed = flag.Int64("seed", 0, "seed of the random merges; 0: another one each time")

// TestRandomMerges lets two people edit random documents, and holds the laws of
// merging on all they come up with.
func TestRandomMerges(t *testing.T) {
	seed := *mergeSeed
	if seed == 0 {
		seed = time.Now().UnixNano()
	}
	t.Logf("seed %d (go test ./doc -run RandomMerges -seed %d)", seed, seed)
	rounds := 400
	if testing.Short() {
		rounds = 60
	}
	r := rand.New(rand.NewPCG(uint64(seed), 1))
	kinds := map[string]int{}
	for range rounds {
		base := randomText(r)
		if r.IntN(6) == 0 {
			base = strings.ReplaceAll(base, "\n", "\r\n")
		}
		ours, theirs := randomEdits(t, r, base), randomEdits(t, r, base)
		kind := laws(t, base, ours, theirs)
		kinds[kind]++
		if t.Failed() {
			t.Fatalf("seed %d\n--- base\n%s--- ours\n%s--- theirs\n%s", seed, base, ours, theirs)
		}
	}
	t.Log(kinds)
}

// TestRandomCorpusMerges does the same to documents as people have them, of one
// part each.
func TestRandomCorpusMerges(t *testing.T) {
	seed := *mergeSeed
	if seed == 0 {
		seed = time.Now().UnixNano()
	}
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(uint64(seed), 2))
	kinds := map[string]int{}
	for name, b := range corpus(t, true) {
		docs, err := Parse(b)
		if err != nil || len(docs) != 1 {
			continue
		}
		for range 25 {
			base := string(b)
			ours, theirs := randomEdits(t, r, base), randomEdits(t, r, base)
			kinds[laws(t, base, ours, theirs)]++
			if t.Failed() {
				t.Fatalf("seed %d, %s\n--- ours\n%s\n--- theirs\n%s", seed, name, ours, theirs)
			}
		}
	}
	t.Log(kinds)
}

// laws holds what is true of every merge.
func laws(t *testing.T, base, ours, theirs string) string {
	t.Helper()
	b, o, th := mustParse(t, base), mustParse(t, ours), mustParse(t, theirs)
	opt := MergeOptions{Lists: someLists}
	mm := &merge{lists: someLists}
	for _, same := range []struct {
		name          string
		b, o, t, want *Document
	}{
		{"merge(base, x, base)", b, o, b, o}, {"merge(base, base, x)", b, b, th, th}, {"merge(base, x, x)", b, o, o, o},
	} {
		m, err := Merge(same.b, same.o, same.t, opt)
		if err != nil || len(m.Conflicts) > 0 || !bytes.Equal(m.Document.src, same.want.src) {
			t.Errorf("%s is not x: %v %v", same.name, err, m)
		}
	}
	m, err := Merge(b, o, th, opt)
	if err != nil {
		t.Errorf("merge: %v", err)
		return "refused"
	}
	if string(b.src) != base || string(o.src) != ours || string(th.src) != theirs {
		t.Error("a merge changed what it was given")
	}
	if again, err := Parse(m.Document.src); err != nil || len(again) != 1 || !same(plain(again[0].root), plain(m.Document.root)) {
		t.Errorf("the result reads as something else: %v\n%s", err, m.Document.src)
	}
	check(t, m.Document)
	other, err := Merge(b, th, o, opt)
	if err != nil {
		t.Errorf("merge with sides changed: %v", err)
		return "refused"
	}
	mirrored(t, m, other)
	keepsComments(t, b, o, th, m.Document)
	for _, c := range m.Conflicts {
		if c.Ours.Same(c.Theirs) || c.Base.Same(c.Ours) || c.Base.Same(c.Theirs) {
			t.Errorf("no conflict: %+v", c)
		}
		for _, d := range []struct {
			doc  *Document
			want Side
		}{{b, c.Base}, {o, c.Ours}, {th, c.Theirs}, {m.Document, c.Ours}} {
			// The result means ours there; the order of a set means nothing.
			if got, _ := c.In(d.doc); !got.Same(d.want) && (d.doc != m.Document || !mm.equalSides(c.at, got, d.want)) {
				t.Errorf("%s is %v there, not %v", c.Path, got, d.want)
			}
		}
		if c.Line < 1 || c.Line > len(lines(m.Document.src))+1 {
			t.Errorf("%s: no line %d", c.Path, c.Line)
		}
	}
	// A merge made again with its result changes nothing: all of theirs, and
	// all of ours, is in it.
	if len(m.Conflicts) == 0 {
		again, err := Merge(th, m.Document, th, opt)
		if err != nil || !bytes.Equal(again.Document.src, m.Document.src) {
			t.Errorf("not stable: %v", err)
		}
		if again, err := Merge(b, o, m.Document, opt); err != nil || len(again.Conflicts) > 0 || !mm.equal(nil, plain(again.Document.root), plain(m.Document.root)) {
			t.Errorf("ours is not all in it: %v", err)
		}
		return "clean"
	}
	return "conflict"
}

// keepsComments holds that no comment that a side wrote is lost.
func keepsComments(t *testing.T, base, ours, theirs, merged *Document) {
	t.Helper()
	count := func(d *Document) tally {
		n := tally{}
		for _, c := range d.comments() {
			n[c.text]++
		}
		return n
	}
	b, o, th, m := count(base), count(ours), count(theirs), count(merged)
	for _, side := range []tally{o, th} {
		for text := range side {
			if due := dueTimes(b[text], o[text], th[text]); side[text] > b[text] && m[text] < due {
				t.Errorf("the comment %q stands %d times, not %d:\n%s", text, m[text], due, merged.src)
			}
		}
	}
}

func randomText(r *rand.Rand) string {
	var b strings.Builder
	remark := func(indent string) {
		if r.IntN(4) == 0 {
			fmt.Fprintf(&b, "%s# remark %d\n", indent, r.IntN(20))
		}
	}
	tail := func() string {
		if r.IntN(5) == 0 {
			return fmt.Sprintf("  # tail %d", r.IntN(20))
		}
		return ""
	}
	remark("")
	for _, k := range []string{"alpha", "beta", "keyed", "list", "mapping", "omega", "set", "text"} {
		if r.IntN(4) == 0 {
			continue
		}
		remark("")
		switch k {
		case "keyed":
			b.WriteString(k + ":" + tail() + "\n")
			for _, name := range someOf(r, "main", "events", "cilium") {
				remark("")
				fmt.Fprintf(&b, "- name: %s%s\n  size: %d%s\n", name, tail(), r.IntN(5), tail())
				if r.IntN(2) == 0 {
					fmt.Fprintf(&b, "  setOf: [%s]\n", strings.Join(someOf(r, "a", "b", "c"), ", "))
				}
			}
		case "list", "set":
			b.WriteString(k + ":" + tail() + "\n")
			for _, item := range someOf(r, "a", "b", "c", "d", "e") {
				remark("  ")
				b.WriteString("  - " + item + tail() + "\n")
			}
		case "mapping":
			b.WriteString(k + ":" + tail() + "\n")
			for _, k := range someOf(r, "x", "y", "z.w") {
				remark("    ")
				fmt.Fprintf(&b, "    %s: %d%s\n", k, r.IntN(5), tail())
			}
		case "text":
			fmt.Fprintf(&b, "text: |\n  one\n  # no comment %d\n  two\n", r.IntN(3))
		default:
			fmt.Fprintf(&b, "%s: %d%s\n", k, r.IntN(5), tail())
		}
		if r.IntN(8) == 0 {
			b.WriteString("\n")
		}
	}
	if b.Len() == 0 {
		return "alpha: 1\n"
	}
	text := b.String()
	if r.IntN(8) == 0 {
		text = strings.TrimSuffix(text, "\n")
	}
	if _, err := Parse([]byte(text)); err != nil {
		return "alpha: 1\n"
	}
	return text
}

// someOf are at least one of some words, in their order.
func someOf(r *rand.Rand, words ...string) []string {
	out := words[:0:0]
	for _, w := range words {
		if r.IntN(3) > 0 {
			out = append(out, w)
		}
	}
	if len(out) == 0 {
		return words[:1]
	}
	return out
}

// randomEdits is what a person makes of a text: fields set and removed, lines
// moved, comments written and rubbed out.
func randomEdits(t *testing.T, r *rand.Rand, text string) string {
	t.Helper()
	for range 1 + r.IntN(4) {
		var next string
		if r.IntN(2) == 0 {
			next = randomField(r, text)
		} else {
			next = randomLine(r, text)
		}
		if docs, err := Parse([]byte(next)); err == nil && len(docs) == 1 {
			text = next
		}
	}
	return text
}

func randomField(r *rand.Rand, text string) string {
	docs, _ := Parse([]byte(text))
	d := docs[0]
	var paths [][]string
	d.Walk(func(path []string, n Node) error {
		if len(path) > 0 {
			paths = append(paths, slices.Clone(path))
		}
		return nil
	})
	if len(paths) == 0 {
		return text
	}
	path := paths[r.IntN(len(paths))]
	values := []any{r.IntN(5), "n", map[string]any{"q": r.IntN(3)}, []any{"a", "f"}, nil,
		[]any{map[string]any{"name": "main", "size": r.IntN(5)}, map[string]any{"name": "new"}}}
	switch r.IntN(6) {
	case 0:
		d.Unset(path...)
	case 1:
		d.Set(r.IntN(3), append(path[:len(path)-1:len(path)-1], fmt.Sprintf("new%d", r.IntN(3)))...)
	case 2:
		if list, ok := d.Get(path...); ok {
			if list, ok := list.([]any); ok {
				d.Set([]any{"f", "g", map[string]any{"name": fmt.Sprint("n", r.IntN(3)), "size": 1}}[r.IntN(3)], append(path, fmt.Sprint(len(list)))...)
			}
		}
	case 3:
		d.Set(values[r.IntN(len(values))], path...)
	default:
		d.Set(r.IntN(9), path...)
	}
	return string(d.Bytes())
}

func randomLine(r *rand.Rand, text string) string {
	all := lines([]byte(text))
	i, j := r.IntN(len(all)), r.IntN(len(all))
	eol := "\n"
	if strings.HasSuffix(all[0], "\r\n") {
		eol = "\r\n"
	}
	switch r.IntN(7) {
	case 0:
		all = slices.Insert(all, i, fmt.Sprintf("# said %d%s", r.IntN(9), eol))
	case 1:
		all = slices.Insert(all, i, eol)
	case 2:
		all = slices.Delete(all, i, i+1)
	case 3:
		all[i], all[j] = all[j], all[i]
	case 4:
		all[i] = bare(all[i]) + fmt.Sprintf(" # beside %d%s", r.IntN(9), eol)
	case 5:
		all[i] = strings.ReplaceAll(all[i], ": ", ":   ")
	case 6:
		all[i] = strings.NewReplacer("remark", "rephrased", "tail", "retold").Replace(all[i])
	}
	return strings.Join(all, "")
}

func FuzzMerge(f *testing.F) {
	for _, b := range seeds(f) {
		f.Add(string(b), string(b), string(b))
	}
	f.Add("a: 1\nb: 2\n", "a: 2 # x\nb: 2\n", "# y\na: 1\nb: 3\n")
	f.Add("set: [a]\n", "set:\n- a\n- b\n", "set: [c] # z\n")
	f.Add("keyed:\n- name: a\n  x: 1\n", "keyed:\n- name: b\n- name: a\n  x: 1\n", "keyed:\n- {name: a, x: 2}\n")
	f.Add("a: &x {b: 1}\nc: *x\n", "a: &x {b: 2}\nc: *x\n", "a: &x {b: 1}\nc: {b: 3}\n")
	f.Fuzz(func(t *testing.T, base, ours, theirs string) {
		if len(base)+len(ours)+len(theirs) > 1<<12 {
			return
		}
		var docs []*Document
		for _, text := range []string{base, ours, theirs} {
			d, err := Parse([]byte(text))
			if err != nil || len(d) != 1 {
				return
			}
			docs = append(docs, d[0])
		}
		opt := MergeOptions{Lists: someLists}
		m, err := Merge(docs[0], docs[1], docs[2], opt)
		if err != nil {
			return // the other laws would not hold either
		}
		check(t, m.Document)
		mm := &merge{lists: someLists}
		if len(m.Conflicts) == 0 {
			want := mm.sides(nil, Side{plain(docs[0].root), true}, Side{plain(docs[1].root), true}, Side{plain(docs[2].root), true})
			if !mm.equal(nil, want.Value, plain(m.Document.root)) {
				t.Fatalf("means %v, not %v", plain(m.Document.root), want.Value)
			}
		}
	})
}

// TestMergeLarge bounds the time for a document far larger than any: some
// 8,000 lines, with changes all over it, on the same lines too.
func TestMergeLarge(t *testing.T) {
	text := func(changed func(i int) int) string {
		var b strings.Builder
		b.WriteString("keyed:\n")
		for i := range 2000 {
			fmt.Fprintf(&b, "- name: n%d\n  size: %d # as it was\n  # about the zone\n  zone: %d\n", i, changed(i), i)
		}
		return b.String()
	}
	base := text(func(i int) int { return i })
	ours := text(func(i int) int { return i + i%97/96 })
	theirs := strings.Replace(text(func(i int) int { return i + i%89/88 }), "size: 96 # as", "size: 96 # just as", 1)
	begun := time.Now()
	m := mergeTexts(t, base, ours, theirs)
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("%v for %d bytes", took, len(base))
	}
	if v, _ := m.Document.Get("keyed", "96", "size"); v != 97 || len(m.Conflicts) > 0 {
		t.Errorf("%v, conflicts %v", v, m.Conflicts)
	}
	want := text(func(i int) int { return i + i%97/96 + i%89/88 })
	if got := string(m.Document.Bytes()); strings.Count(got, "# as it was") != 1999 || strings.Count(got, "just as it was") != 1 {
		t.Errorf("%d bytes of %d", len(got), len(want))
	}
}
