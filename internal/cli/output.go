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
	format  string
	allowed []string
}

const (
	asTable = "table"
	asWide  = "wide"
	asYAML  = "yaml"
	asJSON  = "json"
	asName  = "name"

	asMarkdown = "markdown" // for a comment on a pull request
)

func (o *output) flag(f *pflag.FlagSet, formats ...string) {
	o.allowed = formats
	f.StringVarP(&o.format, "output", "o", formats[0], "how to show it: "+strings.Join(formats, "|"))
}

func (o *output) check() error {
	if !slices.Contains(o.allowed, o.format) {
		return usagef("-o "+strings.Join(o.allowed, "|"), "there is no output format %q here", o.format)
	}
	return nil
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
	values := []any{}
	for _, b := range documents {
		docs, err := doc.Parse(b)
		if err != nil {
			return err
		}
		for _, d := range docs {
			v, _ := d.Get()
			values = append(values, v)
		}
	}
	if !list && len(values) == 1 {
		return writeJSON(w, values[0])
	}
	return writeJSON(w, values)
}
