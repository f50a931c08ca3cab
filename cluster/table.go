package cluster

import (
	_ "embed"
	"math"
	"strconv"
	"strings"
	"sync"
)

//go:embed fields.txt
var fieldTable string

// tables holds the root of each kind. Parsed when it is first asked for, and
// once; nobody changes it.
var tables = sync.OnceValue(func() map[string]*Field {
	kinds := map[string]*Field{}
	var open []*Field // the field whose children stand at indent len(open)
	for line := range strings.Lines(fieldTable) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		text := strings.TrimLeft(line, " ")
		depth := (len(line) - len(text)) / 2
		name, rest, _ := strings.Cut(text, " ")
		open = open[:depth]
		if depth == 0 {
			f := newField("", "", rest)
			kinds[name] = f
			open = append(open, f)
			continue
		}
		parent := open[depth-1]
		f := newField(strings.TrimPrefix(parent.Path+"."+name, "."), name, rest)
		parent.fields = append(parent.fields, f)
		open = append(open, f.leaf())
	}
	return kinds
})

// newField reads what stands behind a name: TYPE, ATTRIBUTES, documentation.
func newField(path, name, text string) *Field {
	word, rest, _ := strings.Cut(text, " ")
	f := &Field{Path: path, Type: Type(word), name: name}
	switch f.Type {
	case List, Map:
		element := map[Type]string{List: "[]", Map: "{}"}[f.Type]
		f.Elem = newField(path+element, "", rest)
		f.Doc, f.Default, f.Since, f.Enum, f.Format = f.Elem.Doc, f.Elem.Default, f.Elem.Since, f.Elem.Enum, f.Elem.Format
		f.Fixed, f.Clouds = f.Elem.Fixed, f.Elem.Clouds
		f.Required, f.Immutable = f.Elem.Required, f.Elem.Immutable
		f.List, f.Keys = f.Elem.List, f.Elem.Keys
		f.Elem.Doc, f.Elem.Default, f.Elem.Since, f.Elem.Fixed, f.Elem.Required, f.Elem.Immutable = "", "", "", false, false, false
		if f.Type == List {
			f.Elem.List, f.Elem.Keys = "", nil
		}
		return f
	}
	if low, high, ok := intRange(word); ok {
		f.Type, f.min, f.max = Int, low, high
	}
	f.attributes(rest)
	return f
}

// attributes reads KEY=VALUE and words up to the documentation.
func (f *Field) attributes(text string) {
	for text != "" {
		if doc, ok := strings.CutPrefix(text, "# "); ok {
			f.Doc = doc
			return
		}
		key, quoted, _ := strings.Cut(text, "=")
		if key == "default" || key == "otherwise" {
			q, err := strconv.QuotedPrefix(quoted)
			if err != nil {
				return // TestTableIsCurrent would have said so
			}
			f.Default, _ = strconv.Unquote(q)
			f.Fixed = key == "default"
			text = strings.TrimPrefix(quoted[len(q):], " ")
			continue
		}
		word, rest, _ := strings.Cut(text, " ")
		f.attribute(word)
		text = rest
	}
}

func (f *Field) attribute(word string) {
	key, value, _ := strings.Cut(word, "=")
	switch key {
	case "list":
		kind, keys, _ := strings.Cut(value, ":")
		f.List = kind
		if keys != "" {
			f.Keys = strings.Split(keys, ",")
		}
	case "enum":
		f.Enum = strings.Split(value, "|")
	case "format":
		f.Format = Format(value)
	case "cloud":
		f.Clouds = strings.Split(value, "|")
	case "since":
		f.Since = value
	case "omit":
		f.Omit = true
	case "required":
		f.Required = true
	case "immutable":
		f.Immutable = true
	}
}

// intRange reads int, int32, uint8 and the like.
func intRange(word string) (low, high int64, ok bool) {
	bits, unsigned := strings.CutPrefix(word, "uint")
	if !unsigned {
		if bits, ok = strings.CutPrefix(word, "int"); !ok {
			return 0, 0, false
		}
	}
	n := 64
	if bits != "" {
		var err error
		if n, err = strconv.Atoi(bits); err != nil {
			return 0, 0, false
		}
	}
	switch {
	case n == 64:
		return math.MinInt64, math.MaxInt64, true
	case unsigned:
		return 0, 1<<n - 1, true
	}
	return -1 << (n - 1), 1<<(n-1) - 1, true
}
