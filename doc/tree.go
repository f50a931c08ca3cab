package doc

import (
	"maps"
	"slices"
	"strconv"
)

// at is the value at a path of plain values.
func at(v any, path []string) (any, bool) {
	for _, p := range path {
		switch in := v.(type) {
		case map[string]any:
			w, ok := in[p]
			if !ok {
				return nil, false
			}
			v = w
		case []any:
			i, err := strconv.Atoi(p)
			if err != nil || !isIndex(p) || i >= len(in) {
				return nil, false
			}
			v = in[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// with is a copy of plain values with v at a path. What is missing on the way
// is made as mappings.
func with(in any, path []string, v any) (any, error) {
	if len(path) == 0 {
		return v, nil
	}
	p := path[0]
	switch in := in.(type) {
	case nil:
		below, err := with(nil, path[1:], v)
		return map[string]any{p: below}, err
	case map[string]any:
		below, err := with(in[p], path[1:], v)
		if err != nil {
			return nil, err
		}
		out := maps.Clone(in)
		out[p] = below
		return out, nil
	case []any:
		i, err := strconv.Atoi(p)
		if err != nil || !isIndex(p) || i > len(in) {
			return nil, refuse("", "a list of %d items has no %q", len(in), p)
		}
		out := append(slices.Clone(in), nil)
		if i < len(in) {
			out = out[:len(in)]
		}
		out[i], err = with(out[i], path[1:], v)
		return out, err
	}
	return nil, refuse("", "%q would go below a value that is no mapping", p)
}

// without is a copy of plain values with nothing at a path.
func without(in any, path []string) (any, error) {
	p := path[0]
	switch in := in.(type) {
	case map[string]any:
		out := maps.Clone(in)
		if len(path) == 1 {
			delete(out, p)
			return out, nil
		}
		below, err := without(in[p], path[1:])
		out[p] = below
		return out, err
	case []any:
		i, err := strconv.Atoi(p)
		if err != nil || i >= len(in) {
			return nil, errPlace
		}
		out := slices.Clone(in)
		if len(path) == 1 {
			return slices.Delete(out, i, i+1), nil
		}
		out[i], err = without(in[i], path[1:])
		return out, err
	}
	return nil, errPlace
}
