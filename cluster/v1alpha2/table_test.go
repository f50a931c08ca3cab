package v1alpha2_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table anew")

const table = "../fields.txt"

const tableHead = `# The fields of kops.k8s.io/v1alpha2, made from the types of package v1alpha2 by
# go generate ./cluster/v1alpha2: kind, then one field a line, below its parent by
# two spaces. Grammar: docs/formats/cluster-documents.md.
`

// TestTableIsCurrent holds the table that package cluster reads against the
// types it is made from.
func TestTableIsCurrent(t *testing.T) {
	types, err := parseTypes(".")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	b.WriteString(tableHead)
	for _, kind := range []string{"Cluster", "InstanceGroup", "Keyset", "SSHCredential"} {
		fmt.Fprintf(&b, "%s object\n", kind)
		if err := types.write(&b, types[kind], 1); err != nil {
			t.Fatal(err)
		}
	}
	if *update {
		if err := os.WriteFile(table, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, b.Bytes()) {
		t.Error("cluster/fields.txt is not what the types say: run go generate ./cluster/v1alpha2")
	}
}

// structs are the types of the package by name.
type structs map[string]*ast.StructType

func parseTypes(dir string) (structs, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	all, set := structs{}, token.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if s, ok := spec.Type.(*ast.StructType); ok {
					all[spec.Name.Name] = s
				}
			}
			return true
		})
	}
	return all, nil
}

// write writes the fields of a struct, sorted by name, and those below them.
func (t structs) write(b *bytes.Buffer, s *ast.StructType, depth int) error {
	fields := slices.Clone(s.Fields.List)
	slices.SortFunc(fields, func(x, y *ast.Field) int { return strings.Compare(jsonName(x), jsonName(y)) })
	for _, f := range fields {
		typ, below, err := t.typeOf(f.Type)
		if err != nil {
			return fmt.Errorf("%s: %w", jsonName(f), err)
		}
		fmt.Fprintf(b, "%s%s %s%s", strings.Repeat("  ", depth), jsonName(f), typ, attributes(f))
		if doc := strings.Join(strings.Fields(f.Doc.Text()), " "); doc != "" {
			fmt.Fprintf(b, " # %s", doc)
		}
		b.WriteByte('\n')
		if below != nil {
			if err := t.write(b, below, depth+1); err != nil {
				return fmt.Errorf("%s.%w", jsonName(f), err)
			}
		}
	}
	return nil
}

// scalars are the types of the table by those of Go.
var scalars = map[string]string{
	"string": "string", "bool": "bool", "any": "any", "int64": "int", "int32": "int32", "int16": "int16", "uint32": "uint32", "uint8": "uint8",
	"Quantity": "quantity", "IntOrString": "int-or-string", "Duration": "duration", "Time": "time",
}

// typeOf is the type of a field as the table has it, and the struct below it.
func (t structs) typeOf(e ast.Expr) (string, *ast.StructType, error) {
	switch e := e.(type) {
	case *ast.StarExpr:
		return t.typeOf(e.X)
	case *ast.ArrayType:
		typ, below, err := t.typeOf(e.Elt)
		return "list " + typ, below, err
	case *ast.MapType:
		typ, below, err := t.typeOf(e.Value)
		return "map " + typ, below, err
	case *ast.Ident:
		if scalar, ok := scalars[e.Name]; ok {
			return scalar, nil, nil
		}
		if s, ok := t[e.Name]; ok {
			return "object", s, nil
		}
	}
	return "", nil, fmt.Errorf("a type that the table does not know: %T", e)
}

// losesZero reports whether a field is left out where it is empty, 0 or false.
func losesZero(f *ast.Field) bool {
	name, scalar := f.Type.(*ast.Ident)
	return scalar && slices.Contains([]string{"string", "bool", "int64", "int32", "int16", "uint32", "uint8"}, name.Name)
}

// attributes are the tags beside json, in the order of the table.
func attributes(f *ast.Field) string {
	tag := tags(f)
	var b strings.Builder
	for _, key := range []string{"list", "enum", "format", "cloud", "since"} {
		if v := tag.Get(key); v != "" {
			fmt.Fprintf(&b, " %s=%s", key, v)
		}
	}
	if is := tag.Get("is"); is != "" {
		b.WriteString(" " + strings.ReplaceAll(is, ",", " "))
	}
	if losesZero(f) {
		b.WriteString(" omit")
	}
	for _, key := range []string{"default", "otherwise"} {
		if v, ok := tag.Lookup(key); ok {
			b.WriteString(" " + key + "=" + strconv.Quote(v))
		}
	}
	return b.String()
}

func tags(f *ast.Field) reflect.StructTag {
	text, err := strconv.Unquote(f.Tag.Value)
	if err != nil {
		panic(err)
	}
	return reflect.StructTag(text)
}

func jsonName(f *ast.Field) string {
	name, _, _ := strings.Cut(tags(f).Get("json"), ",")
	return name
}
