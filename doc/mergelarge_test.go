package doc

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestMergeOfMuchEnds: texts in which nearly all lines differ on both sides are
// merged, or refused, in seconds: the edits tried are bounded, and not only the
// places edited.
func TestMergeOfMuchEnds(t *testing.T) {
	var b strings.Builder
	b.WriteString("keyed:\n")
	for i := range 800 {
		fmt.Fprintf(&b, "- name: item%04d\n  size: %d # why %d\n", i, i, i)
	}
	base := b.String()
	for name, sides := range map[string][2]string{
		"one wrote it in another form": {strings.Replace(base, "size: 77 ", "size: 0 ", 1), strings.ReplaceAll(base, ": ", ":  ")},
		"both changed every value":     {strings.ReplaceAll(base, "size: ", "size: 1"), strings.ReplaceAll(base, "size: ", "size: 2")},
		"both rephrased every comment": {strings.ReplaceAll(base, "why", "ours"), strings.ReplaceAll(base, "why", "theirs")},
		"one reordered it":             {reordered(base), strings.ReplaceAll(base, "size: ", "size: 2")},
	} {
		begun := time.Now()
		m, err := Merge(mustParse(t, base), mustParse(t, sides[0]), mustParse(t, sides[1]), MergeOptions{Lists: someLists, reading: 256 << 10})
		took := time.Since(begun)
		t.Logf("%s: %v, %v", name, took.Round(time.Millisecond), err)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if took > time.Minute { // without bounds these take minutes, and longer texts hours
			t.Errorf("%s: it took %v", name, took)
		}
		if name == "both rephrased every comment" && err == nil {
			if n := strings.Count(string(m.Document.Bytes()), "# ours "); n != 800 {
				t.Errorf("%d of 800 comments are there", n)
			}
		}
	}
}

// reordered puts the second half of a list of items before the first.
func reordered(text string) string {
	head, items, _ := strings.Cut(text, "\n")
	all := strings.SplitAfter(items, "\n")
	half := len(all) / 4 * 2
	return head + "\n" + strings.Join(append(append([]string{}, all[half:len(all)-1]...), all[:half]...), "")
}
