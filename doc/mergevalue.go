package doc

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A merge holds what one merge needs everywhere.
type merge struct {
	lists     func(path []string) List
	reading   int // bounds the work for one text, see maxReach
	conflicts []Conflict
	known     map[*any]items // the lists of the result, while conflicts are placed in it
}

// A step is a key of a mapping, or an item of a list with keys: then id tells
// it apart, and name is as people write it.
type step struct{ name, id string }

// sides merges what stands at one place.
func (m *merge) sides(at []step, base, ours, theirs Side) Side {
	switch {
	case m.equalSides(at, ours, theirs), m.equalSides(at, base, ours):
		return theirs
	case m.equalSides(at, base, theirs):
		return ours
	}
	if ours.Present && theirs.Present {
		if v, ok := m.inside(at, base, ours.Value, theirs.Value); ok {
			return Side{v, true}
		}
	}
	m.conflicts = append(m.conflicts, Conflict{
		Path: pathOf(at), Base: base, Ours: ours, Theirs: theirs,
		at: slices.Clone(at), in: &merge{lists: m.lists},
	})
	return ours
}

// inside merges two mappings or two lists that both sides changed, where they
// have parts that can be merged one by one.
func (m *merge) inside(at []step, base Side, ours, theirs any) (any, bool) {
	switch ours := ours.(type) {
	case map[string]any:
		theirs, ok := theirs.(map[string]any)
		was, fits := base.Value.(map[string]any)
		if !ok || base.Value != nil && !fits {
			return nil, false
		}
		out := map[string]any{}
		for _, k := range union(keys(theirs), keys(ours), keys(was)) {
			if s := m.sides(append(at, step{name: k}), sideOf(was, k), sideOf(ours, k), sideOf(theirs, k)); s.Present {
				out[k] = s.Value
			}
		}
		return out, true
	case []any:
		theirs, ok := theirs.([]any)
		was, fits := base.Value.([]any)
		if !ok || base.Value != nil && !fits {
			return nil, false
		}
		rule := m.list(at)
		o, ok1 := rule.items(ours)
		t, ok2 := rule.items(theirs)
		b, ok3 := rule.items(was)
		if !ok1 || !ok2 || !ok3 {
			return nil, false
		}
		out := []any{}
		for _, id := range union(t.ids, o.ids, b.ids) {
			if s := m.item(append(at, rule.step(id, o, t, b)), rule, b.side(id), o.side(id), t.side(id)); s.Present {
				out = append(out, s.Value)
			}
		}
		return out, true
	}
	return nil, false
}

// item merges an item of a list: of a set it is there or not, and two sides
// that changed that agree.
func (m *merge) item(at []step, rule List, base, ours, theirs Side) Side {
	if !rule.Set {
		return m.sides(at, base, ours, theirs)
	}
	if base.Present == ours.Present {
		return theirs
	}
	return ours
}

func sideOf(in map[string]any, k string) Side {
	v, ok := in[k]
	return Side{v, ok}
}

// union lists what is in any of the lists: in the order of the first, the
// others' behind what precedes them there.
func union(first []string, others ...[]string) []string {
	const head = -1 // of the chain: what stands first is next[head]
	var all []string
	next := map[int]int{}
	at := map[string]int{}
	add := func(s string, behind int) {
		i := len(all)
		all, at[s] = append(all, s), i
		if n, ok := next[behind]; ok {
			next[i] = n
		}
		next[behind] = i
	}
	for i, s := range first {
		add(s, i-1)
	}
	for _, list := range others {
		for i, s := range list {
			if _, have := at[s]; have {
				continue
			}
			behind := head
			if i > 0 {
				behind = at[list[i-1]]
			}
			add(s, behind)
		}
	}
	out := make([]string, 0, len(all))
	for i, ok := next[head]; ok; i, ok = next[i] {
		out = append(out, all[i])
	}
	return out
}

// items are those of a list that can be told apart.
type items struct {
	ids    []string
	values map[string]any
	index  map[string]int
}

func (it items) side(id string) Side { return sideOf(it.values, id) }

// list is the rule for the list at a place.
func (m *merge) list(at []step) List {
	if m.lists == nil {
		return List{}
	}
	path := make([]string, len(at))
	for i, s := range at {
		if path[i] = s.name; s.id != "" {
			path[i] = "[]"
		}
	}
	return m.lists(path)
}

// items takes a list apart; not ok for one that is a single value.
func (r List) items(list []any) (it items, ok bool) {
	if !r.Set && len(r.Keys) == 0 {
		return it, false
	}
	it.values, it.index = make(map[string]any, len(list)), make(map[string]int, len(list))
	for i, v := range list {
		id, ok := r.id(v)
		if _, twice := it.values[id]; !ok || twice {
			return it, false
		}
		it.ids = append(it.ids, id)
		it.values[id], it.index[id] = v, i
	}
	return it, true
}

// id tells an item from the others of its list. Of several keys, only the first
// must be there.
func (r List) id(v any) (string, bool) {
	m, isMap := v.(map[string]any)
	if r.Set {
		return scalarID(v)
	}
	if !isMap {
		return "", false
	}
	var id strings.Builder
	for i, k := range r.Keys {
		v, ok := m[k]
		one, isScalar := scalarID(v)
		if !isScalar || i == 0 && (!ok || v == nil) {
			return "", false
		}
		fmt.Fprintf(&id, "%q", one)
	}
	return id.String(), true
}

// scalarID is the same for scalars that are the same.
func scalarID(v any) (string, bool) {
	switch w := v.(type) {
	case map[string]any, []any:
		return "", false
	case float64:
		if n := whole(w); n != nil {
			v = n
		}
	}
	return fmt.Sprintf("%T %v", v, v), true
}

// step names an item that one of the lists holds.
func (r List) step(id string, in ...items) step {
	var v any
	for _, it := range in {
		if s := it.side(id); s.Present {
			v = s.Value
		}
	}
	if r.Set {
		return step{fmt.Sprint(v), id}
	}
	var parts []string
	for _, k := range r.Keys {
		if w, ok := v.(map[string]any)[k]; ok {
			parts = append(parts, fmt.Sprintf("%s=%v", k, w))
		}
	}
	return step{strings.Join(parts, ","), id}
}

func (m *merge) equalSides(at []step, a, b Side) bool {
	return a.Present == b.Present && m.equal(at, a.Value, b.Value)
}

// equal reports whether two values at a place mean the same.
func (m *merge) equal(at []step, a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k, v := range a {
			if w, ok := b[k]; !ok || !m.equal(append(at, step{name: k}), v, w) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		return ok && len(a) == len(b) && m.equalLists(at, a, b)
	}
	return same(a, b)
}

func (m *merge) equalLists(at []step, a, b []any) bool {
	rule := m.list(at)
	x, ok1 := rule.items(a)
	y, ok2 := rule.items(b)
	if !ok1 || !ok2 {
		for i := range a {
			if !m.equal(append(at, anyItem), a[i], b[i]) {
				return false
			}
		}
		return true
	}
	for id, v := range x.values {
		if w, ok := y.values[id]; !ok || !m.equal(append(at, anyItem), v, w) {
			return false
		}
	}
	return true
}

// anyItem stands for an item where it does not matter which.
var anyItem = step{id: "[]"}

// pathOf writes a place for people.
func pathOf(at []step) string {
	var b strings.Builder
	for _, s := range at {
		if s.id != "" {
			b.WriteString("[" + s.name + "]")
			continue
		}
		name := PathString([]string{s.name})
		if b.Len() > 0 && name[0] != '[' {
			b.WriteByte('.')
		}
		b.WriteString(name)
	}
	return b.String()
}

// itemsOf are the items of the list at a place; none where it is one value.
func (m *merge) itemsOf(at []step, list []any) items {
	if len(list) == 0 {
		return items{}
	}
	it, seen := m.known[&list[0]]
	if !seen {
		it, _ = m.list(at).items(list)
	}
	if m.known != nil {
		m.known[&list[0]] = it
	}
	return it
}

// indexes is the path of a place in a value, as far as it is there.
func (m *merge) indexes(v any, at []step) []string {
	var path []string
	for i, s := range at {
		switch in := v.(type) {
		case map[string]any:
			v = in[s.name]
			path = append(path, s.name)
		case []any:
			n, ok := m.itemsOf(at[:i], in).index[s.id]
			if !ok {
				return path
			}
			v = in[n]
			path = append(path, strconv.Itoa(n))
		default:
			return path
		}
	}
	return path
}
