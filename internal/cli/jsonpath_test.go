package cli

import (
	"errors"
	"strings"
	"testing"

	"github.com/stateroom/stateroom/doc"
)

const pathStore = `apiVersion: v1
kind: List
items:
- kind: Cluster
  metadata:
    name: demo.example.com
    labels: {example.com/team: red, size: "3"}
  spec:
    count: 3
    ratio: 0.5
    on: true
    none: null
    etcdClusters:
    - {name: main, etcdMembers: [{name: a}, {name: b}]}
    - {name: events, etcdMembers: [{name: a}]}
- kind: InstanceGroup
  metadata: {name: nodes}
  spec: {role: Node, minSize: 1, image: "a&b"}
- kind: InstanceGroup
  metadata: {name: control-plane}
  spec: {role: Master, minSize: 3}
`

func pathValue(t testing.TB) any {
	docs, err := doc.Parse([]byte(pathStore))
	if err != nil {
		t.Fatal(err)
	}
	v, _ := docs[0].Get()
	return v
}

func TestJSONPath(t *testing.T) {
	root := pathValue(t)
	for _, c := range []struct{ template, want string }{
		// Names.
		{`{.kind}`, "List"},
		{`{$.kind}`, "List"},
		{`{@.kind}`, "List"},
		{`{['kind']}`, "List"},
		{`{ .kind }`, "List"},
		{`kind={.kind}, {.apiVersion}!`, "kind=List, v1!"},
		{`{.items[0].metadata.labels['example.com/team']}`, "red"},
		{`{.items[0].metadata.labels["example.com/team"]}`, "red"},
		{`{.items[0].metadata.labels.example\.com/team}`, "red"},
		{`{.items[0].metadata.labels['example.com/team','size']}`, "red 3"},
		// What is not there prints nothing.
		{`{.nothing}`, ""},
		{`{.nothing.below[3]..it}`, ""},
		{`{.items.metadata}`, ""},
		{`{.kind[0]}`, ""},
		{`[{.items[7].kind}]`, "[]"},
		// Lists.
		{`{.items[0].kind}`, "Cluster"},
		{`{.items[-1].metadata.name}`, "control-plane"},
		{`{.items[-4].metadata.name}`, ""},
		{`{.items[*].metadata.name}`, "demo.example.com nodes control-plane"},
		{`{.items[0,2].kind}`, "Cluster InstanceGroup"},
		{`{.items[1:].metadata.name}`, "nodes control-plane"},
		{`{.items[:2].metadata.name}`, "demo.example.com nodes"},
		{`{.items[-2:-1].metadata.name}`, "nodes"},
		{`{.items[::2].metadata.name}`, "demo.example.com control-plane"},
		{`{.items[-9:9:2].metadata.name}`, "demo.example.com control-plane"},
		{`{.items[0].metadata.labels.*}`, "red 3"},
		// Kinds of values.
		{`{.items[0].spec.count}`, "3"},
		{`{.items[0].spec.ratio}`, "0.5"},
		{`{.items[0].spec.on}`, "true"},
		{`{.items[0].spec.none}`, "null"},
		{`{.items[1].spec}`, `{"image":"a&b","minSize":1,"role":"Node"}`},
		{`{.items[0].spec.etcdClusters[1].etcdMembers}`, `[{"name":"a"}]`},
		// At any depth, parents first.
		{`{..name}`, "demo.example.com main a b events a nodes control-plane"},
		{`{.items[0].spec..name}`, "main a b events a"},
		{`{..etcdMembers[*].name}`, "a b a"},
		{`{..['role']}`, "Node Master"},
		{`{.items[1]..*}`, `InstanceGroup {"name":"nodes"} {"image":"a&b","minSize":1,"role":"Node"} nodes a&b 1 Node`},
		// Ranges.
		{`{range .items[*]}{.metadata.name}{"\n"}{end}`, "demo.example.com\nnodes\ncontrol-plane\n"},
		{`{range .items[*]}{.metadata.name}{"\t"}{.spec.role}{'\n'}{end}done`, "demo.example.com\t\nnodes\tNode\ncontrol-plane\tMaster\ndone"},
		{`{range .items[*]}{$.kind} {@.kind};{end}`, "List Cluster;List InstanceGroup;List InstanceGroup;"},
		{`{range .items[0].spec.etcdClusters[*]}{.name}:{range .etcdMembers[*]} {.name}{end};{end}`, "main: a b;events: a;"},
		{`{range .nothing}x{end}`, ""},
		{`{range .items[*].metadata.name}<{.}>{end}`, "<demo.example.com><nodes><control-plane>"},
		{`{range .items[*].metadata.name}<{@}>{end}`, "<demo.example.com><nodes><control-plane>"},
		// Filters.
		{`{.items[?(@.spec.role=="Node")].metadata.name}`, "nodes"},
		{`{.items[?(@.spec.role == 'Node')].metadata.name}`, "nodes"},
		{`{.items[?(.spec.role=="Node")].metadata.name}`, "nodes"},
		{`{.items[?(@.spec.role!="Node")].metadata.name}`, "demo.example.com control-plane"},
		{`{.items[?(@.spec.role)].metadata.name}`, "nodes control-plane"},
		{`{.items[?( @.spec.none )].metadata.name}`, "demo.example.com"},
		{`{.items[?(@.spec.none==null)].metadata.name}`, "demo.example.com"},
		{`{.items[?(@.spec.minSize>1)].metadata.name}`, "control-plane"},
		{`{.items[?(@.spec.minSize<=1)].metadata.name}`, "nodes"},
		{`{.items[?(@.spec.minSize<3.5)].metadata.name}`, "nodes control-plane"},
		{`{.items[?(@.spec.minSize>=-1)].metadata.name}`, "nodes control-plane"},
		{`{.items[?(@.spec.on==true)].kind}`, "Cluster"},
		{`{.items[?(@.spec.on!=false)].kind}`, "Cluster InstanceGroup InstanceGroup"},
		{`{.items[?(@.metadata.labels.size=="3")].kind}`, "Cluster"},
		{`{.items[?(@.metadata.labels.size==3)].kind}`, ""},
		{`{.items[?(@.spec.minSize==$.items[0].spec.count)].metadata.name}`, "control-plane"},
		{`{.items[?(@.metadata.labels["example.com/team"]=="red")].kind}`, "Cluster"},
		{`{.items[?(@.kind=="InstanceGroup")][?(@.x)].kind}`, ""},
		{`{.items[0].spec.etcdClusters[?(@.etcdMembers[?(@.name=="b")])].name}`, "main"},
		{`{.kind[?(@.x)]}`, ""},
		// Texts.
		{`{"a \"b\" {c}\\"}`, `a "b" {c}\`},
		{`{'it'}`, "it"},
		{`} {"x"}`, "} x"},
		{`größe {.kind}`, "größe List"},
	} {
		parsed, err := parseJSONPath(c.template)
		if err != nil {
			t.Errorf("%s: %v", c.template, err)
			continue
		}
		got, err := parsed.print(root)
		if err != nil || string(got) != c.want {
			t.Errorf("%s:\n%q, %v; want\n%q", c.template, got, err, c.want)
		}
	}
}

func TestJSONPathSaysWhereItIsWrong(t *testing.T) {
	for template, want := range map[string]string{
		"":                          "column 1: the template is empty",
		" ":                         "column 1: the template is empty",
		".metadata.name":            "column 1: there is nothing in braces",
		"{.a":                       "column 4: expected }, found the end",
		"{":                         "column 2: the template ends within braces",
		"{}":                        `column 2: expected a path, found "}"`,
		"{metadata}":                `column 2: expected a path, found "m"`,
		"{.a}{.b":                   "column 8: expected }",
		"{.a.}":                     `column 5: expected a name, found "}"`,
		"{..}":                      `column 4: expected a name, found "}"`,
		"{.a b}":                    `column 5: expected }, found "b"`,
		"{.a[}":                     `column 5: expected an index, found "}"`,
		"{.a[":                      "column 5: expected ], found the end",
		"{.a[b]}":                   `column 5: expected an index, found "b"`,
		"{.a[0}":                    `column 6: expected ], found "}"`,
		"{.a[-]}":                   `column 5: "-" is no index`,
		"{.a[99999999999]}":         `column 5: "99999999999" is no index`,
		"{.a[0:3:0]}":               "column 10: a step of 0",
		"{.a['b]}":                  "column 5: a text whose quotes are not closed",
		`{"x}`:                      "column 2: a text whose quotes are not closed",
		"{.a[?@.b]}":                "column 5: behind ? stands what is to hold",
		"{.a[?(@.b=1)]}":            `column 10: expected a comparison or ")", found "="`,
		"{.a[?(@.b==)]}":            `column 12: expected a path, a text in quotes or a number, found ")"`,
		"{.a[?(@.b==x)]}":           `column 12: expected a path, a text in quotes or a number, found "x"`,
		`{.a[?(@.b=="x" && @.c)]}`:  `column 16: expected a comparison or ")", found "&"`,
		"{.a[?(@.b==1)}":            `column 14: expected ], found "}"`,
		"{end}":                     "an {end} that ends no {range}",
		"ä{range .a}x":              "column 2: a {range} without its {end}",
		"{range}x{end}":             `column 7: expected a path, found "}"`,
		`{range "x"}{end}`:          `column 8: expected a path, found "\""`,
		"{range .a}{range .b}{end}": "column 1: a {range} without its {end}",
		"{.größe.ü!}":               `column 10: expected }, found "!"`,
		"\xff{.a}":                  "no UTF-8",
		strings.Repeat("{range .a}", 30) + strings.Repeat("{end}", 30):      "more than 20 ranges",
		"{" + strings.Repeat(".a[?(@", 30) + strings.Repeat(")]", 30) + "}": "more than 20 filters",
		"{.a}" + strings.Repeat("x", maxJSONPath):                           "at most 16384 are read",
	} {
		_, err := parseJSONPath(template)
		var usage *usageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), want) || usage.hint == "" {
			t.Errorf("%.60q: %v, want %s", template, err, want)
		}
	}
}

// TestJSONPathEnds holds that a short template cannot keep a machine busy.
func TestJSONPathEnds(t *testing.T) {
	root := pathValue(t)
	for _, template := range []string{
		"{" + strings.Repeat("..*", 1000) + "}",
		"{.items" + strings.Repeat("[*,*,*,*]", 100) + "}",
		"{.items[" + strings.Repeat(":,", 4000) + ":]" + strings.Repeat("[?(@)]", 100) + "}",
		strings.Repeat("{range $..*}", 20) + "{$}" + strings.Repeat("{end}", 20),
	} {
		parsed, err := parseJSONPath(template)
		if err != nil {
			t.Fatal(err)
		}
		if out, err := parsed.print(root); len(out) > maxPrinted || err != nil && exitCode(err) != exitUsage {
			t.Errorf("%.40s: %d bytes, %v", template, len(out), err)
		}
	}
}

// FuzzJSONPath holds that any template is either refused in words, with a hint,
// or printed within bounds.
func FuzzJSONPath(f *testing.F) {
	for _, s := range []string{`{.items[*].metadata.name}`, `{range .items[?(@.a["x"]>=1.5)]}{..b[-1:3:2]}{"\n"}{end}`, `a{'b'}`, `{$['a','b'][0,1]}`, `{@.a\.b.*}`} {
		f.Add(s)
	}
	root := pathValue(f)
	f.Fuzz(func(t *testing.T, template string) {
		parsed, err := parseJSONPath(template)
		if err == nil {
			_, err = parsed.print(root)
		}
		var usage *usageError
		if err != nil && (!errors.As(err, &usage) || usage.hint == "") {
			t.Errorf("%q: %v", template, err)
		}
	})
}
