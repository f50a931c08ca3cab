package doc

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// plain is the value of a node as plain Go values, with aliases and merges
// written out: string, int, uint64 (beyond int), float64, bool, nil, []any,
// map[string]any.
func plain(n *yaml.Node) any {
	switch n = target(n); n.Kind {
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			list[i] = plain(item)
		}
		return list
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		for _, f := range fields(n) {
			m[f.key.Value] = plain(f.val)
		}
		return m
	}
	return scalar(n)
}

// A field is a key of a mapping with its value; merged when it stands in
// another mapping that "<<" takes in.
type field struct {
	key, val *yaml.Node
	merged   bool
}

// fields lists the keys of a mapping, its own and then those it merges.
func fields(n *yaml.Node) []field {
	var own []field
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if isMerge(k) {
			merges = append(merges, v)
			continue
		}
		own = append(own, field{key: k, val: v})
	}
	if merges == nil {
		return own
	}
	have := map[string]bool{}
	for _, f := range own {
		have[f.key.Value] = true
	}
	for _, m := range merges {
		from := []*yaml.Node{target(m)}
		if from[0].Kind == yaml.SequenceNode {
			from = from[0].Content
		}
		for _, one := range from {
			for _, f := range fields(target(one)) {
				if !have[f.key.Value] {
					have[f.key.Value] = true
					own = append(own, field{f.key, f.val, true})
				}
			}
		}
	}
	return own
}

// scalar is the value of a scalar node.
func scalar(n *yaml.Node) any {
	switch tagOf(n) {
	case "!!null":
		return nil
	case "!!bool":
		switch strings.ToLower(n.Value) {
		case "true", "yes", "y", "on":
			return true
		}
		return false
	case "!!int", "!!float":
		var v any
		if err := n.Decode(&v); err == nil {
			switch v := v.(type) {
			case int64:
				return int(v)
			case int, uint64, float64:
				return v
			}
		}
	}
	return n.Value
}

// tagOf is the type of a scalar as kops sees it: YAML 1.1 for booleans, texts
// for dates. Types of one's own (!x) stay.
func tagOf(n *yaml.Node) string {
	switch n.Tag {
	case "!!timestamp", "!!binary", "!!merge":
		return "!!str"
	case "!!str":
		if n.Style&(yaml.TaggedStyle|quotedStyles) == 0 && boolean11[n.Value] {
			return "!!bool"
		}
	}
	return n.Tag
}

const quotedStyles = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle

// boolean11 holds the words that YAML 1.1 takes for booleans and YAML 1.2 for
// texts.
var boolean11 = map[string]bool{
	"y": true, "Y": true, "yes": true, "Yes": true, "YES": true, "on": true, "On": true, "ON": true,
	"n": true, "N": true, "no": true, "No": true, "NO": true, "off": true, "Off": true, "OFF": true,
}

// same reports whether two plain values are equal; numbers by their value.
func same(a, b any) bool {
	switch a := a.(type) {
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !same(a[i], b[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k, v := range a {
			if w, ok := b[k]; !ok || !same(v, w) {
				return false
			}
		}
		return true
	case float64:
		if b, ok := b.(float64); ok {
			return a == b || math.IsNaN(a) && math.IsNaN(b)
		}
		w := whole(a)
		return w != nil && w == b
	}
	if b, ok := b.(float64); ok {
		w := whole(b)
		return w != nil && w == a
	}
	return a == b
}

// whole is a float without fraction as an integer where it has one.
func whole(f float64) any {
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return int(f)
	}
	return nil
}

// normal turns a value given by a caller into plain Go values, and refuses
// what is none.
func normal(v any) (any, error) {
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Invalid:
		return nil, nil
	case reflect.String:
		if !utf8.ValidString(rv.String()) {
			return nil, refuse("encode bytes as base64", "a text that is not UTF-8")
		}
		return rv.String(), nil
	case reflect.Bool:
		return rv.Bool(), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return int(rv.Int()), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if u := rv.Uint(); u > math.MaxInt {
			return u, nil
		}
		return int(rv.Uint()), nil
	case reflect.Float32, reflect.Float64:
		if w := whole(rv.Float()); w != nil {
			return w, nil
		}
		return rv.Float(), nil
	case reflect.Pointer, reflect.Interface:
		if rv.IsNil() {
			return nil, nil
		}
		return normal(rv.Elem().Interface())
	case reflect.Slice, reflect.Array:
		list := make([]any, rv.Len())
		for i := range list {
			item, err := normal(rv.Index(i).Interface())
			if err != nil {
				return nil, err
			}
			list[i] = item
		}
		return list, nil
	case reflect.Map:
		if rv.Type().Key().Kind() != reflect.String {
			break
		}
		m := make(map[string]any, rv.Len())
		for _, k := range rv.MapKeys() {
			item, err := normal(rv.MapIndex(k).Interface())
			if err != nil {
				return nil, err
			}
			if !utf8.ValidString(k.String()) {
				return nil, refuse("", "a key that is not UTF-8")
			}
			m[k.String()] = item
		}
		return m, nil
	}
	return nil, fmt.Errorf("a %T cannot stand in a document", v)
}
