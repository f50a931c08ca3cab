package doc

import (
	"slices"
	"strconv"
)

// assignList keeps the items that stay, with their comments: those of a longest
// common subsequence. Between two of them, items are changed one by one as far
// as there are some on both sides, and then added or removed.
func (d *Document) assignList(path []string, cur, v []any) error {
	stay := common(cur, v)
	stay = append(stay, [2]int{len(cur), len(v)})
	// From the end, so that the indexes before an edit hold.
	for k := len(stay) - 1; k >= 0; k-- {
		i, j := 0, 0 // where the gap before the common item begins
		if k > 0 {
			i, j = stay[k-1][0]+1, stay[k-1][1]+1
		}
		if err := d.assignGap(path, i, cur[i:stay[k][0]], v[j:stay[k][1]]); err != nil {
			return err
		}
	}
	return nil
}

// assignGap makes the items old, which stand at index i of a list, those of now.
func (d *Document) assignGap(path []string, i int, old, now []any) error {
	both := min(len(old), len(now))
	for k := range both {
		if err := d.assign(append(path, strconv.Itoa(i+k)), now[k]); err != nil {
			return err
		}
	}
	for k := both; k < len(now); k++ {
		if err := d.insertItem(path, i+k, now[k]); err != nil {
			return err
		}
	}
	for k := len(old) - 1; k >= both; k-- {
		if err := d.drop(append(path, strconv.Itoa(i+k))); err != nil {
			return err
		}
	}
	return nil
}

// maxCommon bounds the work of common; larger lists are compared at their ends
// only.
const maxCommon = 1 << 20

// common is a longest common subsequence of two lists, as pairs of indexes.
func common(a, b []any) (pairs [][2]int) {
	head := 0
	for head < len(a) && head < len(b) && same(a[head], b[head]) {
		pairs = append(pairs, [2]int{head, head})
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && same(a[len(a)-1-tail], b[len(b)-1-tail]) {
		tail++
	}
	x, y := a[head:len(a)-tail], b[head:len(b)-tail]
	if len(x)*len(y) <= maxCommon {
		for _, p := range longest(x, y) {
			pairs = append(pairs, [2]int{head + p[0], head + p[1]})
		}
	}
	for ; tail > 0; tail-- {
		pairs = append(pairs, [2]int{len(a) - tail, len(b) - tail})
	}
	return pairs
}

func longest(a, b []any) (pairs [][2]int) {
	n := make([][]int, len(a)+1) // the length for a[i:], b[j:]
	for i := range n {
		n[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if n[i][j] = max(n[i+1][j], n[i][j+1]); same(a[i], b[j]) {
				n[i][j] = n[i+1][j+1] + 1
			}
		}
	}
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case same(a[i], b[j]):
			pairs = append(pairs, [2]int{i, j})
			i, j = i+1, j+1
		case n[i+1][j] >= n[i][j+1]:
			i++
		default:
			j++
		}
	}
	return pairs
}

// insertItem adds an item to a list before the one at index i.
func (d *Document) insertItem(path []string, i int, v any) error {
	list, _ := d.Get(path...)
	items, ok := list.([]any)
	if !ok {
		return errPlace
	}
	all := slices.Insert(slices.Clone(items), i, v)
	if !d.direct(path) {
		return d.write(path, all)
	}
	n := d.root
	for _, p := range path {
		f, _ := child(n, p)
		if err := d.guard(n, false); err != nil {
			return err
		}
		n = f.val
	}
	if err := d.guard(n, false); err != nil {
		return err
	}
	if len(items) == 0 && !d.inFlow(path) {
		return d.write(path, all)
	}
	want, err := with(plain(d.root), path, all)
	if err != nil {
		return err
	}
	return d.try(append(path, strconv.Itoa(i)), want, n, func(l *layout, st style) ([][]splice, error) {
		return l.candidates(n, i-1, "", v, st)
	})
}
