package doc

import (
	"slices"
	"strconv"
)

// maxReach bounds the work for one text, in bytes: each trial of an edit reads
// the whole of it again.
const maxReach = 4 << 20

// trials is how often a document may be read again.
func (m *merge) trials(d *Document) int { return 20 + m.reading/(len(d.src)+1) }

// reach edits a document until it means what is wanted. It knows what assign
// does not: the items of which lists belong together.
func (m *merge) reach(d *Document, want any) error {
	left := m.trials(d)
	d.left = &left
	defer func() { d.left = nil }()
	return reacher{m, d}.value(nil, nil, want)
}

type reacher struct {
	*merge
	d *Document
}

func (r reacher) value(at []step, path []string, want any) error {
	cur, ok := r.d.Get(path...)
	if ok && r.equal(at, cur, want) {
		return nil
	}
	if ok && r.d.direct(path) {
		switch cur := cur.(type) {
		case map[string]any:
			if want, ok := want.(map[string]any); ok && len(cur) > 0 && len(want) > 0 {
				return r.mapping(at, path, cur, want)
			}
		case []any:
			want, ok := want.([]any)
			rule := r.list(at)
			have, ok1 := rule.items(cur)
			need, ok2 := rule.items(want)
			if ok && ok1 && ok2 && len(cur) > 0 && len(want) > 0 {
				return r.items(at, path, rule, have, need)
			}
		}
	}
	return r.d.assign(slices.Clone(path), want)
}

// mapping sets what differs and drops what is gone; the new keys first, so that
// the mapping is never empty between.
func (r reacher) mapping(at []step, path []string, cur, want map[string]any) error {
	for _, k := range keys(want) {
		if err := r.value(append(at, step{name: k}), append(path, k), want[k]); err != nil {
			return err
		}
	}
	for _, k := range keys(cur) {
		if _, stays := want[k]; !stays {
			if err := r.d.drop(append(slices.Clone(path), k)); err != nil {
				return err
			}
		}
	}
	return nil
}

// items changes those that stay where they are, adds the new ones behind what
// precedes them, and drops those that are gone.
func (r reacher) items(at []step, path []string, rule List, have, need items) error {
	now := union(have.ids, need.ids)
	for i, id := range now {
		s := need.side(id)
		var err error
		switch {
		case !s.Present:
		case !have.side(id).Present:
			err = r.d.insertItem(slices.Clone(path), i, s.Value)
		default:
			err = r.value(append(at, rule.step(id, have)), append(path, strconv.Itoa(i)), s.Value)
		}
		if err != nil {
			return err
		}
	}
	for i := len(now) - 1; i >= 0; i-- {
		if need.side(now[i]).Present {
			continue
		}
		if err := r.d.drop(append(slices.Clone(path), strconv.Itoa(i))); err != nil {
			return err
		}
	}
	return nil
}
