package pki

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// MaxKeyset is the size, in bytes, over which a keyset is refused.
const MaxKeyset = 1 << 20

// Parse reads a keyset. Bytes that are none are an fs.ErrInvalid whose text
// says at which line, and never quotes them: they may be a private key. What
// certificates and keys hold is not looked at: see Check.
func Parse(b []byte) (*Keyset, error) {
	if len(b) > MaxKeyset {
		return nil, fmt.Errorf("keyset is larger than %d bytes: %w", MaxKeyset, fs.ErrInvalid)
	}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	var doc, more yaml.Node
	if err := dec.Decode(&doc); err != nil {
		return nil, notYAML(err)
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("keyset has more than one document: %w", fs.ErrInvalid)
	}
	p := &parser{}
	k := p.keyset(doc.Content[0])
	if p.err != nil {
		return nil, p.err
	}
	return k, nil
}

var lineForm = regexp.MustCompile(`line \d+`)

// notYAML keeps the line of an error of the YAML library, and not its words,
// which may quote the file.
func notYAML(err error) error {
	if at := lineForm.FindString(err.Error()); at != "" {
		return fmt.Errorf("keyset is not YAML (%s): %w", at, fs.ErrInvalid)
	}
	return fmt.Errorf("keyset is not YAML: %w", fs.ErrInvalid)
}

// parser reads nodes until the first that is not as it should be.
type parser struct {
	err error
}

func (p *parser) fail(n *yaml.Node, format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("keyset: line %d: %s: %w", n.Line, fmt.Sprintf(format, args...), fs.ErrInvalid)
	}
}

// fields returns the values of a mapping by key. Without known keys, any may stand there.
func (p *parser) fields(n *yaml.Node, what string, known ...string) map[string]*yaml.Node {
	values := map[string]*yaml.Node{}
	if n == nil {
		return values
	}
	if n.Kind != yaml.MappingNode {
		p.fail(n, "%s is not a mapping", what)
		return values
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch {
		case len(known) > 0 && !slices.Contains(known, key.Value):
			p.fail(key, "%s has an unknown field", what)
		case values[key.Value] != nil:
			p.fail(key, "%s has %s twice", what, key.Value)
		}
		values[key.Value] = n.Content[i+1]
	}
	return values
}

func (p *parser) text(n *yaml.Node, what string) string {
	switch {
	case n == nil || n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		return ""
	case n.Kind != yaml.ScalarNode:
		p.fail(n, "%s is not a string", what)
		return ""
	}
	return n.Value
}

func (p *parser) material(n *yaml.Node, what string) []byte {
	b, err := base64.StdEncoding.DecodeString(p.text(n, what))
	if err != nil {
		p.fail(n, "%s is not base64", what)
	}
	return b
}

func (p *parser) keyset(n *yaml.Node) *Keyset {
	top := p.fields(n, "keyset", "apiVersion", "kind", "metadata", "spec", "status")
	version := p.text(top["apiVersion"], "apiVersion")
	if p.text(top["kind"], "kind") != "Keyset" {
		p.fail(n, "kind is not Keyset")
	}
	primary := "primaryId"
	switch version {
	case "kops.k8s.io/v1alpha2", "kops/v1alpha2":
	case "kops.k8s.io/v1alpha3":
		primary = "primaryID"
	default:
		p.fail(n, "apiVersion is neither kops.k8s.io/v1alpha2 nor v1alpha3")
	}
	k := &Keyset{Name: p.text(p.fields(top["metadata"], "metadata")["name"], "name")}
	if k.Name == "" {
		p.fail(n, "metadata.name is missing")
	}
	spec := p.fields(top["spec"], "spec", "keys", primary, "type")
	k.Primary = p.text(spec[primary], primary)
	if kind := p.text(spec["type"], "type"); kind != "Keypair" {
		p.fail(n, "spec.type is not Keypair")
	}
	k.Items = p.items(spec["keys"])
	return k
}

func (p *parser) items(n *yaml.Node) []Item {
	if n == nil || n.Tag == "!!null" {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		p.fail(n, "keys is not a list")
		return nil
	}
	var items []Item
	seen := map[string]bool{}
	for _, c := range n.Content {
		it := p.item(c)
		if seen[it.ID] {
			p.fail(c, "id %.40s is there twice", it.ID)
		}
		seen[it.ID] = true
		items = append(items, it)
	}
	return items
}

func (p *parser) item(n *yaml.Node) Item {
	f := p.fields(n, "key", "distrustTimestamp", "id", "privateMaterial", "publicMaterial")
	it := Item{
		ID:          p.text(f["id"], "id"),
		Certificate: p.material(f["publicMaterial"], "publicMaterial"),
		Key:         NewKey(p.material(f["privateMaterial"], "privateMaterial")),
	}
	if it.ID == "" || len(it.ID) > 64 || strings.ContainsFunc(it.ID, func(r rune) bool { return r <= ' ' || r > '~' }) {
		p.fail(n, "id is not 1 to 64 printable characters")
	}
	if s := p.text(f["distrustTimestamp"], "distrustTimestamp"); s != "" {
		t, err := time.Parse(time.RFC3339, s)
		it.Distrusted = t.UTC().Truncate(time.Second)
		if year := it.Distrusted.Year(); err != nil || it.Trusted() || year < 1 || year > 9999 {
			p.fail(n, "distrustTimestamp is not a time")
		}
	}
	return it
}
