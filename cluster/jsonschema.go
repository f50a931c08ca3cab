package cluster

import (
	"math"
	"slices"
	"strings"
)

// Schema is a schema of documents, to be written as JSON: of JSON Schema's draft
// 2020-12, or of OpenAPI v3.
type Schema struct {
	Dialect     string             `json:"$schema,omitempty"`
	Title       string             `json:"title,omitempty"`
	Description string             `json:"description,omitempty"`
	Type        any                `json:"type,omitempty"` // a text, or several
	Format      string             `json:"format,omitempty"`
	Pattern     string             `json:"pattern,omitempty"`
	Enum        []any              `json:"enum,omitempty"`
	Minimum     *int64             `json:"minimum,omitempty"`
	Maximum     *int64             `json:"maximum,omitempty"`
	Nullable    bool               `json:"nullable,omitempty"`
	Required    []string           `json:"required,omitempty"`
	Properties  map[string]*Schema `json:"properties,omitempty"`
	Items       *Schema            `json:"items,omitempty"`
	Values      any                `json:"additionalProperties,omitempty"` // a *Schema, or false
	OneOf       []*Schema          `json:"oneOf,omitempty"`
	AnyOf       []*Schema          `json:"anyOf,omitempty"`
	Default     any                `json:"default,omitempty"`

	ListType      string   `json:"x-kubernetes-list-type,omitempty"`
	ListKeys      []string `json:"x-kubernetes-list-map-keys,omitempty"`
	IntOrString   bool     `json:"x-kubernetes-int-or-string,omitempty"`
	KeepsUnknowns bool     `json:"x-kubernetes-preserve-unknown-fields,omitempty"`
}

// OpenAPIDocument is a document of OpenAPI with schemas only.
type OpenAPIDocument struct {
	OpenAPI string `json:"openapi"`
	Info    struct {
		Title   string `json:"title"`
		Version string `json:"version"`
	} `json:"info"`
	Paths      struct{} `json:"paths"`
	Components struct {
		Schemas map[string]*Schema `json:"schemas"`
	} `json:"components"`
}

// JSONSchema is the schema of documents of these kinds. It is as strict as
// Check, but for forms that no pattern can say, and wants the fields without
// which kops refuses an object.
func JSONSchema(kinds ...string) *Schema {
	var all []*Schema
	for _, kind := range kinds {
		s := (&schemas{strict: true}).document(kind)
		all = append(all, s)
	}
	root := all[0]
	if len(all) > 1 {
		root = &Schema{Title: strings.Join(kinds, ", ") + " of " + APIVersion, OneOf: all}
	}
	root.Dialect = "https://json-schema.org/draft/2020-12/schema"
	return root
}

// OpenAPI is the schemas of these kinds in the structural form of custom
// resources.
func OpenAPI(kinds ...string) *OpenAPIDocument {
	d := &OpenAPIDocument{OpenAPI: "3.0.3"}
	d.Info.Title, d.Info.Version = APIVersion, "v1alpha2"
	d.Components.Schemas = map[string]*Schema{}
	for _, kind := range kinds {
		d.Components.Schemas[kind] = (&schemas{}).document(kind)
	}
	return d
}

// schemas makes schemas of fields: strict ones of JSON Schema, or structural
// ones of OpenAPI.
type schemas struct{ strict bool }

func (m *schemas) document(kind string) *Schema {
	s := m.object(tables()[kind])
	s.Title, s.Description = kind, kindDocs[kind]
	version, k := s.Properties["apiVersion"], s.Properties["kind"]
	version.Enum, k.Enum = []any{APIVersion, "kops/v1alpha2"}, []any{kind}
	return s
}

func (m *schemas) object(f *Field) *Schema {
	s := &Schema{Type: "object", Properties: map[string]*Schema{}}
	for _, c := range f.fields {
		s.Properties[c.name] = m.field(c)
		if c.Required {
			s.Required = append(s.Required, c.name)
		}
	}
	if m.strict {
		s.Values = false
	}
	return s
}

func (m *schemas) field(f *Field) *Schema {
	s := m.value(f)
	s.Description = f.Doc
	if f.Default != "" {
		s.Description += " Default: " + f.Default + "."
	}
	if f.List != "" && f.Type == List {
		s.ListType, s.ListKeys = f.List, f.Keys
	}
	if f.Required {
		return s
	}
	if types, ok := s.Type.(string); ok && m.strict {
		s.Type = []string{types, "null"}
	} else if types, ok := s.Type.([]string); ok && m.strict {
		s.Type = append(slices.Clone(types), "null")
	}
	if len(s.Enum) > 0 && m.strict {
		s.Enum = append(s.Enum, "", nil)
	}
	s.Nullable = !m.strict
	return s
}

// value is the schema of a field's values, without what is said of the field.
func (m *schemas) value(f *Field) *Schema {
	switch f.Type {
	case Object:
		return m.object(f)
	case Map:
		return &Schema{Type: "object", Values: m.value(f.Elem)}
	case List:
		s := &Schema{Type: "array", Items: m.value(f.Elem)}
		m.keys(f, s.Items)
		return s
	case Bool:
		return &Schema{Type: "boolean"}
	case Int:
		return integer(f)
	case Number:
		return &Schema{Type: "number"}
	case Quantity, IntOrString:
		return m.either(f.Type)
	case Duration:
		return &Schema{Type: "string", Pattern: patterns[FormatDuration]}
	case Time:
		return &Schema{Type: "string", Format: "date-time"}
	case Any:
		if m.strict {
			return &Schema{}
		}
		return &Schema{Type: "object", KeepsUnknowns: true}
	}
	return text(f)
}

// keys gives keys of items that may be absent a default: an API server needs
// one to tell the items apart.
func (m *schemas) keys(f *Field, items *Schema) {
	for _, key := range f.Keys {
		if !m.strict && !slices.Contains(items.Required, key) {
			items.Properties[key].Default = ""
		}
	}
}

func text(f *Field) *Schema {
	s := &Schema{Type: "string"}
	for _, v := range f.Enum {
		s.Enum = append(s.Enum, v)
	}
	if p := patterns[f.Format]; p != "" {
		s.Pattern = "^$|" + p
	}
	return s
}

func integer(f *Field) *Schema {
	s := &Schema{Type: "integer"}
	switch {
	case f.max == math.MaxInt64:
		s.Format = "int64"
	case f.max == math.MaxInt32:
		s.Format = "int32"
	default:
		s.Minimum, s.Maximum = &f.min, &f.max
	}
	return s
}

// either is the schema of quantities, and of whole numbers or texts.
func (m *schemas) either(t Type) *Schema {
	s := &Schema{}
	if t == Quantity {
		s.Pattern = quantity.String()
	}
	switch {
	case m.strict && t == Quantity:
		s.Type = []string{"string", "number"}
	case m.strict:
		s.Type = []string{"string", "integer"}
	default:
		s.IntOrString = true
		s.AnyOf = []*Schema{{Type: "integer"}, {Type: "string"}}
	}
	return s
}

// patterns are the forms that a pattern can say, in the words of all dialects.
var patterns = map[Format]string{
	FormatDNS:        `^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`,
	FormatDuration:   `^[+-]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$`,
	FormatQuantity:   quantity.String(),
	FormatAssignment: `^[^=]*[^=\s][^=]*=`,
	FormatTaint:      `^[^=:]+(=[^:]*)?:(NoSchedule|PreferNoSchedule|NoExecute)$`,
	FormatMode:       `^[0-7]{1,5}$`,
	FormatPortRange:  `^[0-9]{1,5}-[0-9]{1,5}$`,
}
