package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/stateroom/stateroom/doc"
)

// output is the flag -o of a command that shows things.
type output struct {
	format   string
	allowed  []string
	template jsonPath // of asJSONPath
}

const (
	asTable = "table"
	asWide  = "wide"
	asYAML  = "yaml"
	asJSON  = "json"
	asName  = "name"

	asMarkdown = "markdown" // for a comment on a pull request
	asJSONPath = "jsonpath=TEMPLATE"
)

// flag adds -o, which takes only these formats; the first is the one where
// nothing is said.
func (o *output) flag(f *pflag.FlagSet, formats ...string) {
	o.format, o.allowed = formats[0], formats
	f.VarP((*formatValue)(o), "output", "o", "how to show it: "+strings.Join(formats, "|"))
}

// formatValue is an output as a flag.
type formatValue output

func (v *formatValue) String() string { return v.format }
func (v *formatValue) Type() string   { return "string" }

// Set refuses what the command does not have: before anything is read or done.
func (v *formatValue) Set(text string) (err error) {
	template, isPath := strings.CutPrefix(text, "jsonpath=")
	switch {
	case isPath && slices.Contains(v.allowed, asJSONPath):
		v.format = asJSONPath
		v.template, err = parseJSONPath(template)
		return err
	case !slices.Contains(v.allowed, text):
		return usagef("-o "+strings.Join(v.allowed, "|"), "there is no output format %q here", text)
	}
	v.format = text
	return nil
}

// forPrograms prints a value as JSON or YAML, if that is asked for.
func (o output) forPrograms(w io.Writer, v any) (asked bool, err error) {
	switch o.format {
	case asJSON:
		return true, writeJSON(w, v)
	case asYAML:
		return true, writeYAML(w, v)
	}
	return false, nil
}

// writeJSON prints a value as people and programs read it.
func writeJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write json: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// writeYAML prints a value that json.Marshal understands as YAML.
func writeYAML(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write yaml: %w", err)
	}
	docs, err := doc.Parse(b) // JSON is YAML; keeps whole numbers whole
	if err != nil {
		return fmt.Errorf("write yaml: %w", err)
	}
	value, _ := docs[0].Get()
	_, err = w.Write(doc.Format(value))
	return err
}

// writeDocuments prints documents with their own bytes, parted as kops parts
// them.
func writeDocuments(w io.Writer, documents [][]byte) error {
	_, err := w.Write(bytes.Join(documents, []byte("\n---\n\n")))
	return err
}

// documentsAsJSON prints documents as JSON: one by itself, several as a list.
func documentsAsJSON(w io.Writer, documents [][]byte, list bool) error {
	values, err := documentValues(documents)
	if err != nil {
		return err
	}
	if !list && len(values) == 1 {
		return writeJSON(w, values[0])
	}
	return writeJSON(w, values)
}

func documentValues(documents [][]byte) ([]any, error) {
	values := []any{}
	for _, b := range documents {
		docs, err := doc.Parse(b)
		if err != nil {
			return nil, err
		}
		for _, d := range docs {
			v, _ := d.Get()
			values = append(values, v)
		}
	}
	return values, nil
}

// documentsByPath prints what a template says of documents: of one by itself,
// of several as the items of a list.
func (env *Env) documentsByPath(t jsonPath, documents [][]byte, list bool) error {
	values, err := documentValues(documents)
	if err != nil {
		return err
	}
	var root any = map[string]any{"apiVersion": "v1", "kind": "List", "items": values}
	if !list && len(values) == 1 {
		root = values[0]
	}
	out, err := t.print(root)
	if err != nil {
		return err
	}
	if terminal(env.Stdout) { // others wrote the values; they must not move the cursor
		lines := strings.Split(string(out), "\n")
		for i := range lines {
			lines[i] = clean(lines[i])
		}
		out = []byte(strings.Join(lines, "\n"))
	}
	_, err = env.Stdout.Write(out)
	return err
}
