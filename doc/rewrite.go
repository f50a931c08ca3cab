package doc

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"
)

// replaceRoot puts another value in place of the whole document's.
func (l *layout) replaceRoot(n *yaml.Node, v any, st style) []splice {
	s := l.spans[n]
	w := writer{style: st}
	switch {
	case st.json:
		w.flow(v, 0)
	case isBlock(v):
		w.block(v, 0)
	default:
		w.WriteString(scalarOrEmpty(v, st, false, n.Style))
	}
	text := w.String()
	if s.start == s.end { // nothing there yet
		at := s.start
		for line := 0; line < len(l.src); line = lineEnd(l.src, line) {
			if isMarker(l.src[line:], "...") {
				at = line
				break
			}
		}
		if at > 0 && breakOf(l.src[:at]) == nil {
			return []splice{{at, at, st.eol + text}}
		}
		return []splice{{at, at, text + st.eol}}
	}
	if line := l.lineStart(s.start); isBlock(v) && isMarker(l.src[line:], "---") && line < s.start {
		s.start, text = line+len("---"), st.eol+text
	}
	end := s.end
	if es := l.entries[n]; len(es) > 0 && n.Style&yaml.FlowStyle == 0 {
		end = l.extent(es[len(es)-1])
		s.start = l.lineStart(es[0].start)
	}
	return []splice{{s.start, end, text}}
}

// rewrite writes the collection at a path anew, so that the document reads as
// want. Its comments are kept as far as the YAML library keeps them.
func (d *Document) rewrite(l *layout, path []string, want any) error {
	n := d.root
	var parent *yaml.Node
	for _, p := range path {
		f, ok := child(n, p)
		if !ok || f.merged || n.Kind == yaml.AliasNode {
			return errPlace
		}
		parent, n = n, f.val
	}
	v, ok := at(want, path)
	if !ok || parent == nil {
		return errPlace
	}
	e := l.entries[parent][l.index(parent, n)]
	st := d.style(l, parent)
	if parent.Style&yaml.FlowStyle != 0 || !isBlock(v) || st.json {
		return d.apply(l.replace(parent, e, v, st), want)
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(max(st.unit, 2))
	again := reshape(n, v)
	again.Style &^= yaml.FlowStyle
	if err := enc.Encode(again); err != nil {
		return err
	}
	text := strings.TrimRight(b.String(), "\n")
	indent := spaces(l.column(e.start) + max(st.unit, 2))
	var out strings.Builder
	for line := range strings.Lines(text) {
		out.WriteString(st.eol)
		if line = strings.TrimSuffix(line, "\n"); line != "" {
			out.WriteString(indent + line)
		}
	}
	return d.apply(l.put(e, out.String(), st), want)
}

// reshape is a copy of a node that reads as v and keeps what it can of the
// node: order, comments, quotes.
func reshape(n *yaml.Node, v any) *yaml.Node {
	again := *n
	if same(plain(n), v) {
		return &again
	}
	switch v := v.(type) {
	case map[string]any:
		if n.Kind != yaml.MappingNode {
			break
		}
		again.Content = nil
		have := map[string]bool{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			k := n.Content[i]
			w, stays := v[k.Value]
			switch {
			case isMerge(k):
				again.Content = append(again.Content, k, n.Content[i+1])
			case stays:
				again.Content = append(again.Content, k, reshape(n.Content[i+1], w))
			}
			have[k.Value] = true
		}
		for _, k := range keys(v) {
			if !have[k] {
				again.Content = append(again.Content, fresh(k), fresh(v[k]))
			}
		}
		return &again
	case []any:
		if n.Kind != yaml.SequenceNode {
			break
		}
		again.Content = nil
		for i, item := range v {
			if i < len(n.Content) {
				again.Content = append(again.Content, reshape(n.Content[i], item))
			} else {
				again.Content = append(again.Content, fresh(item))
			}
		}
		return &again
	}
	return fresh(v)
}

// fresh is a node for a value, with quotes where YAML 1.1 needs them.
func fresh(v any) *yaml.Node {
	switch v := v.(type) {
	case map[string]any:
		n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		for _, k := range keys(v) {
			n.Content = append(n.Content, fresh(k), fresh(v[k]))
		}
		return n
	case []any:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, item := range v {
			n.Content = append(n.Content, fresh(item))
		}
		return n
	case string:
		n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: v}
		if !isText(v) {
			n.Style = yaml.DoubleQuotedStyle
		}
		return n
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Value: scalarText(v, kops, false, 0)}
}
