package cluster

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stateroom/stateroom/doc"
)

// earlier is a document of v1alpha3 as v1alpha2 would say it. What is wrong in
// it, and what v1alpha2 has no word for, is left out.
func earlier(kind string, d *doc.Document) (*doc.Document, error) {
	c := &conversion{kind: kind, out: map[string]any{"apiVersion": APIVersion, "kind": kind}}
	value, _ := d.Get()
	root := laterTables()[kind]
	if root == nil {
		return doc.New(value)
	}
	c.value(root, nil, value)
	c.cloud(value)
	return doc.New(c.out)
}

type conversion struct {
	kind string
	out  map[string]any
}

// value converts what stands at a path; what is no object is put where its field
// stands in v1alpha2.
func (c *conversion) value(f *Field, indexes []int, value any) {
	object, isObject := value.(map[string]any)
	list, isList := value.([]any)
	switch {
	case f.Type == Object && isObject:
		if f.twin != nil && f.twin.Type == Object {
			c.put(f.twin, indexes, map[string]any{})
		}
		for _, name := range slices.Sorted(maps.Keys(object)) {
			if child := f.child(name); child != nil {
				c.value(child, indexes, object[name])
			}
		}
	case f.Type == List && f.Elem.Type == Object && isList:
		c.put(f.twin, indexes, make([]any, len(list)))
		for i, item := range list {
			at := append(slices.Clone(indexes), i)
			if fields, ok := item.(map[string]any); ok {
				c.put(f.twin.Elem, at, map[string]any{})
				for _, name := range slices.Sorted(maps.Keys(fields)) {
					if child := f.Elem.child(name); child != nil {
						c.value(child, at, fields[name])
					}
				}
			}
		}
	case f.twin != nil && f.name != "apiVersion" && f.name != "kind":
		c.put(f.twin, indexes, inEarlierWords(f, value))
	}
}

// put sets a value at a field's place. Indexes are those of the lists above it.
// An object is not put over one that is there.
func (c *conversion) put(f *Field, indexes []int, value any) {
	var at any = c.out
	names := strings.Split(f.Path, ".")
	for i, name := range names {
		name, isList := strings.CutSuffix(name, "[]")
		last := i == len(names)-1
		object := at.(map[string]any)
		switch {
		case isList:
			list, _ := object[name].([]any)
			if len(indexes) == 0 || indexes[0] >= len(list) {
				return
			}
			n := indexes[0]
			indexes = indexes[1:]
			if last {
				list[n] = value
				return
			}
			at = list[n]
		case last:
			if _, isObject := value.(map[string]any); !isObject || object[name] == nil {
				object[name] = value
			}
			return
		default:
			if object[name] == nil {
				object[name] = map[string]any{}
			}
			at = object[name]
		}
		if _, ok := at.(map[string]any); !ok {
			return // another value stands there, which the check of types tells
		}
	}
}

// inEarlierWords is a value as v1alpha2 says it.
func inEarlierWords(f *Field, value any) any {
	switch v := value.(type) {
	case bool:
		return v != (f.rule.op == "not")
	case string:
		if v == laterControlPlane && slices.Contains(f.Enum, laterControlPlane) {
			return string(RoleControlPlane)
		}
	case []any:
		if f.rule.op == "join" {
			return strings.Join(inWords(v), ",")
		}
		words := slices.Clone(v)
		for i := range words {
			words[i] = inEarlierWords(f, words[i])
		}
		return words
	case map[string]any:
		return earlierMap(f, v)
	}
	return value
}

// earlierMap is a map as v1alpha2 has it: as a list of pairs, or by the older
// name of the control plane's role.
func earlierMap(f *Field, m map[string]any) any {
	if f.rule.op == "pairs" {
		pairs := []any{}
		for _, key := range slices.Sorted(maps.Keys(m)) {
			pairs = append(pairs, fmt.Sprintf("%s=%v", key, m[key]))
		}
		return pairs
	}
	if policies, ok := m["control-plane"]; ok && strings.HasSuffix(f.name, "Policies") {
		m = maps.Clone(m)
		delete(m, "control-plane")
		m["master"] = policies
	}
	return m
}

func inWords(list []any) []string {
	words := make([]string, len(list))
	for i, v := range list {
		words[i] = fmt.Sprint(v)
	}
	return words
}

// cloud names the cloud, which in v1alpha3 is the field that is there.
func (c *conversion) cloud(value any) {
	root, _ := value.(map[string]any)
	spec, _ := root["spec"].(map[string]any)
	clouds, _ := spec["cloudProvider"].(map[string]any)
	into, _ := c.out["spec"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(clouds)) {
		if clouds[name] != nil && into != nil {
			into["cloudProvider"] = strings.Replace(name, "do", "digitalocean", 1)
			return
		}
	}
}

// laterPosition is the path in a v1alpha3 document of what stands at a path of
// its view.
func laterPosition(kind string, path []string) []string {
	var shape strings.Builder
	var keys []string // what stands for [] and {} in it, in order
	for f := tables()[kind]; f != nil && len(path) > 0; path = path[1:] {
		switch {
		case f.Elem != nil:
			shape.WriteString(f.Elem.Path[len(f.Path):])
			keys = append(keys, path[0])
			f = f.Elem
		default:
			if f = f.child(path[0]); f != nil {
				shape.WriteString("." + f.name)
			}
		}
		if f == nil {
			break
		}
	}
	here := strings.TrimPrefix(shape.String(), ".")
	later, _ := laterPath(kind, here)
	if later == "" {
		later = here
	}
	var out []string
	for part := range strings.SplitSeq(later, ".") {
		name := strings.TrimRight(part, "[]{}")
		if name != "" {
			out = append(out, name)
		}
		for range strings.Count(part, "[]") + strings.Count(part, "{}") {
			if len(keys) > 0 {
				out, keys = append(out, keys[0]), keys[1:]
			}
		}
	}
	return out
}
