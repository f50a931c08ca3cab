package doc

import (
	"slices"
	"strings"
)

// A hunk says that lines a0 to a1 of one text are b0 to b1 of another.
type hunk struct{ a0, a1, b0, b1 int }

// lines splits a text into its lines, breaks included.
func lines(src []byte) []string {
	var all []string
	for at := 0; at < len(src); {
		end := lineEnd(src, at)
		all = append(all, string(src[at:end]))
		at = end
	}
	return all
}

// bare is a line without its break.
func bare(line string) string { return strings.TrimRight(line, "\r\n") }

// maxApart bounds the work of compare: texts that differ in more lines are
// compared at their ends only.
const maxApart = 1500

// compare finds the lines in which two texts differ, by Myers' algorithm. The
// breaks of lines do not count.
func compare(a, b []string) []hunk {
	number := map[string]int{}
	name := func(text []string) []int {
		ids := make([]int, len(text))
		for i, line := range text {
			id, ok := number[bare(line)]
			if !ok {
				id = len(number)
				number[bare(line)] = id
			}
			ids[i] = id
		}
		return ids
	}
	x, y := name(a), name(b)
	head := 0
	for head < len(x) && head < len(y) && x[head] == y[head] {
		head++
	}
	tail := 0
	for tail < len(x)-head && tail < len(y)-head && x[len(x)-1-tail] == y[len(y)-1-tail] {
		tail++
	}
	var all []hunk
	at := hunk{head, head, head, head}
	flush := func() {
		if at.a1 > at.a0 || at.b1 > at.b0 {
			all = append(all, at)
		}
	}
	for _, p := range matches(x[head:len(x)-tail], y[head:len(y)-tail]) {
		i, j := head+p[0], head+p[1]
		if at.a1, at.b1 = i, j; i > at.a0 || j > at.b0 {
			flush()
		}
		at = hunk{i + 1, i + 1, j + 1, j + 1}
	}
	at.a1, at.b1 = len(x)-tail, len(y)-tail
	flush()
	return all
}

// matches are the pairs of a longest common subsequence.
func matches(a, b []int) [][2]int {
	var trace []frontier
	last := frontier{0, []int32{0, 0, 0}}
	for d := 0; d <= min(len(a)+len(b), maxApart); d++ {
		now := frontier{d, make([]int32, 2*d+3)}
		for k := -d; k <= d; k += 2 {
			i := last.at(last.from(k, d))
			if last.from(k, d) < k {
				i++
			}
			j := i - k
			for i < len(a) && j < len(b) && a[i] == b[j] {
				i, j = i+1, j+1
			}
			now.reach[k+d+1] = int32(i)
			if i >= len(a) && j >= len(b) {
				return backtrack(trace, a, b)
			}
		}
		trace = append(trace, now)
		last = now
	}
	return nil
}

// A frontier is how far d edits lead in the first text, by diagonal.
type frontier struct {
	d     int
	reach []int32
}

func (f frontier) at(k int) int { return int(f.reach[k+f.d+1]) }

// from is the diagonal from which the d-th edit leads to diagonal k; it comes
// from below where it takes a line of the first text out.
func (f frontier) from(k, d int) int {
	switch {
	case d == 0:
		return 0
	case k == -d || k != d && f.at(k-1) < f.at(k+1):
		return k + 1
	}
	return k - 1
}

func backtrack(trace []frontier, a, b []int) (pairs [][2]int) {
	i, j := len(a), len(b)
	for d := len(trace); d >= 0; d-- {
		fromI, fromJ := 0, 0
		if d > 0 {
			k := trace[d-1].from(i-j, d)
			fromI = trace[d-1].at(k)
			fromJ = fromI - k
		}
		for i > fromI && j > fromJ && a[i-1] == b[j-1] {
			i, j = i-1, j-1
			pairs = append(pairs, [2]int{i, j})
		}
		i, j = fromI, fromJ
	}
	slices.Reverse(pairs)
	return pairs
}

// A region is a stretch of lines that one side changed, or that both changed
// so that their changes overlap.
type region struct {
	base          [2]int
	first, second [2]int
	both          bool
}

// regions lays the changes of two sides side by side. Changes that touch do not
// overlap, but for lines that both sides put at the same place.
func regions(first, second []hunk) []region {
	var all []region
	shiftX, shiftY := 0, 0 // how much longer the sides are before what is looked at
	for len(first) > 0 || len(second) > 0 {
		var r region
		var x, y []hunk
		if len(second) == 0 || len(first) > 0 && before(first[0], second[0]) {
			r.base = [2]int{first[0].a0, first[0].a1}
		} else {
			r.base = [2]int{second[0].a0, second[0].a1}
		}
		for grown := true; grown; {
			n := len(x) + len(y)
			x, first = r.take(x, first)
			y, second = r.take(y, second)
			grown = len(x)+len(y) > n
		}
		r.both = len(x) > 0 && len(y) > 0
		r.first, shiftX = r.lines(x, shiftX)
		r.second, shiftY = r.lines(y, shiftY)
		all = append(all, r)
	}
	return all
}

// take moves the next hunk into a region if it belongs there.
func (r *region) take(in, from []hunk) ([]hunk, []hunk) {
	if len(from) == 0 || !r.overlaps(from[0]) {
		return in, from
	}
	r.base[1] = max(r.base[1], from[0].a1)
	return append(in, from[0]), from[1:]
}

// before orders hunks: an insertion comes before a change of the line it
// stands at.
func before(a, b hunk) bool {
	return a.a0 < b.a0 || a.a0 == b.a0 && a.a1 <= b.a1
}

// overlaps reports whether a hunk, which does not begin before the region,
// changes some of it.
func (r *region) overlaps(h hunk) bool {
	if r.base[0] == r.base[1] {
		return h.a0 == r.base[0] && h.a1 == h.a0
	}
	return h.a0 < r.base[1]
}

// lines are those of a side that stand for the region.
func (r *region) lines(in []hunk, shift int) ([2]int, int) {
	start := r.base[0] + shift
	for _, h := range in {
		shift += (h.b1 - h.b0) - (h.a1 - h.a0)
	}
	return [2]int{start, r.base[1] + shift}, shift
}
