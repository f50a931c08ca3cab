package cluster_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stateroom/stateroom/cluster"
)

// TestListsInJSONAreDocuments: each element is one, on the lines where it stood.
func TestListsInJSONAreDocuments(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		want string // LINE: of each document, and its text b
	}{
		"none":              {"[]", ""},
		"one":               {`[{"b":"1"}]`, "1: 1"},
		"on one line":       {`[{"b":"1"},{"b":"2"}]`, "1: 1\n2: 2"},
		"as get prints it":  {"[\n  {\n    \"b\": \"1\"\n  },\n  {\n    \"b\": \"2\"\n  }\n]\n", "3: 1\n6: 2"},
		"CRLF":              {"[\r\n {\"b\": \"1\"},\r\n\r\n {\"b\": \"2\"}\r\n]\r\n", "2: 1\n4: 2"},
		"commas in it":      {`[{"b":"],[{\"},\\","c":[1,2]},{"b":"2","c":{"d":[{}]}}]`, "1: ],[{\"},\\\n2: 2"},
		"no list":           {`{"b":"1"}`, "1: 1"},
		"a list in YAML":    {"[{b: 1}]", "1: -"},
		"blank lines first": {"\n\n[\n{\"b\":\"1\"}]", "4: 1"},
	} {
		t.Run(name, func(t *testing.T) {
			docs, problems := cluster.Parse("a", []byte(tt.text))
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			var got []string
			for _, d := range docs {
				text, ok := d.Get("b")
				if !ok {
					text = "-"
				}
				line, _ := d.Position("b")
				got = append(got, fmt.Sprintf("%d: %s", line, text))
			}
			if s := strings.Join(got, "\n"); s != tt.want {
				t.Errorf("got\n%s\nwant\n%s", s, tt.want)
			}
		})
	}
}
