package doc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Limits of a text. A cluster's largest document is a few hundred kilobytes,
// nested some twenty levels.
const (
	MaxSize  = 4 << 20 // bytes of a text
	MaxDepth = 100     // levels of nesting
	maxParts = 10_000  // documents of a text
	maxGrown = 100_000 // values that aliases may add to those written out
)

// Parse reads the documents of a text, YAML or JSON. What it refuses it names
// with line and column, as Errors: every document of the text is looked at, and
// within each all that can be told at once.
//
// A stretch of comments and blanks alone is no document of its own; it belongs
// to the document before it, or at the front to the one after. An empty text
// holds no document, one of comments alone holds one that is null.
//
// Where all that is wrong is keys given twice, the documents are returned with
// the error, so that whoever knows their schema can say in one go what else is
// wrong; they cannot be edited.
func Parse(src []byte) ([]*Document, error) {
	if errs := checkText(src); errs != nil {
		return nil, errs
	}
	parts := split(src)
	if len(parts) > maxParts {
		line, _ := place(src, parts[maxParts].start)
		return nil, Errors{{Line: line, Col: 1, Message: fmt.Sprintf("more than %d documents", maxParts)}}
	}
	var docs []*Document
	var errs Errors
	readable := true
	line := 0 // lines before the document
	for _, p := range parts {
		d := &Document{
			src:  bytes.Clone(src[p.start:p.end]),
			body: p.body - p.start, bodyEnd: p.bodyEnd - p.start,
			line: line,
		}
		d.original = d.src
		var bad Errors
		if d.root, bad = parseBody(d.src[d.body:d.bodyEnd]); bad != nil {
			before := d.bodyLine()
			for _, e := range bad {
				e.Line += before
				if e.first > 0 {
					e.Message += fmt.Sprintf(", first on line %d", e.first+before)
				}
			}
			errs = append(errs, bad...)
			readable = readable && d.root != nil
		}
		docs = append(docs, d)
		line += countLines(d.src)
	}
	switch {
	case errs == nil:
		return docs, nil
	case readable:
		return docs, errs
	}
	return nil, errs
}

// parseBody reads the one document of a body; the lines of errors count within
// it. Keys given twice are an error, but the tree is returned all the same.
func parseBody(body []byte) (*yaml.Node, Errors) {
	if e := checkNesting(body); e != nil {
		return nil, Errors{e}
	}
	root, err := compose(bytes.NewReader(body))
	if err != nil {
		return nil, syntaxErrors(body, err)
	}
	errs := checkTree(root)
	if slices.ContainsFunc(errs, func(e *Error) bool { return e.first == 0 }) {
		return nil, errs
	}
	return root, errs
}

// compose reads exactly one document. The YAML library is not trusted to
// return errors where it should.
func compose(r io.Reader) (root *yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			root, err = nil, fmt.Errorf("%v", p)
		}
	}()
	dec := yaml.NewDecoder(r)
	var n yaml.Node
	if err := dec.Decode(&n); errors.Is(err, io.EOF) {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: 1, Column: 1}, nil
	} else if err != nil {
		return nil, err
	}
	var more yaml.Node
	if err := dec.Decode(&more); err == nil {
		return nil, errors.New("did not find expected <document start>")
	} else if !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(n.Content) != 1 {
		return nil, errors.New("no value")
	}
	return n.Content[0], nil
}

// A counter hands out one byte at a time and so knows how far the library had
// read when it gave up: its own messages name the line where the construct
// began, no column, and for the first line nothing.
type counter struct {
	b []byte
	n int
}

func (c *counter) Read(p []byte) (int, error) {
	if c.n == len(c.b) {
		return 0, io.EOF
	}
	p[0] = c.b[c.n]
	c.n++
	return 1, nil
}

func syntaxErrors(body []byte, err error) Errors {
	c := &counter{b: body}
	if _, again := compose(c); again != nil {
		err = again
	}
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	named := 0
	if m := lineText.FindStringSubmatch(text); m != nil {
		named, _ = strconv.Atoi(m[1])
		text = text[len(m[0]):]
	}
	stop := stoppedAt(body, c.n)
	line, col := place(body, stop)
	if m := unknownAnchor.FindStringSubmatch(text); m != nil {
		if at := bytes.Index(body, []byte("*"+m[1])); at >= 0 {
			line, col = place(body, at)
		}
		return Errors{{Line: line, Col: col, Message: fmt.Sprintf("alias *%s refers to an anchor that is not above it", m[1])}}
	}
	if tabs := tabErrors(body, line); tabs != nil {
		return tabs
	}
	e := &Error{Message: "not valid YAML: " + text}
	for _, m := range messages {
		if strings.Contains(text, m.theirs) {
			e.Message, e.Advice, stop = m.ours, m.advice, stepBack(body, stop, m.at)
			break
		}
	}
	if strings.HasPrefix(e.Message, "a quoted text") && named < line {
		e.Message += fmt.Sprintf("; it begins on line %d", named)
	}
	e.Line, e.Col = place(body, stop)
	return Errors{e}
}

// stepBack goes from where the library stopped to what it stopped at: the
// beginning of the line ('^'), the last of a character, or of a word (0).
func stepBack(body []byte, stop int, at byte) int {
	begin := stop
	for begin > 0 && body[begin-1] != '\n' && body[begin-1] != '\r' {
		begin--
	}
	line := body[begin : stop+1]
	word := bytes.LastIndexAny(line[:len(line)-1], " \t[]{},") + 1
	switch i := bytes.LastIndexByte(line, at); {
	case at == '^' && !bytes.HasSuffix(bytes.TrimRight(line[:word], " "), []byte{'"'}):
		return begin + len(line) - len(bytes.TrimLeft(line, " \t"))
	case at == 0, at == '^':
		return begin + word
	case i >= 0:
		return begin + i
	}
	return stop
}

var (
	lineText      = regexp.MustCompile(`^line (\d+): `)
	unknownAnchor = regexp.MustCompile(`^unknown anchor '([^']*)' referenced`)
)

// stoppedAt steps back from what was read to the last character that is not
// blank: the library looks a few characters ahead.
func stoppedAt(body []byte, n int) int {
	n = min(n, len(body)) - 1
	for n > 0 && isBlank(body[n]) {
		n--
	}
	for n > 0 && body[n]&0xc0 == 0x80 {
		n--
	}
	return max(n, 0)
}

// messages says in our words what the library's mean; the first that is
// contained counts.
var messages = []struct {
	theirs, ours, advice string
	at                   byte // see stepBack
}{
	{"mapping values are not allowed", "a \"key:\" cannot stand here", "a value that holds \": \" needs quotes; the keys of a mapping need the same indentation", ':'},
	{"did not find expected key", "a key is expected here", "look at the indentation: the keys of a mapping need the same", '^'},
	{"did not find expected '-' indicator", "a list item (\"- \") is expected here", "look at the indentation: the items of a list need the same", '^'},
	{"did not find expected ',' or ']'", "\",\" or \"]\" is expected before this", "", 0},
	{"did not find expected ',' or '}'", "\",\" or \"}\" is expected before this", "", 0},
	{"did not find expected node content", "a value is expected here", "", 0},
	{"could not find expected ':'", "a \":\" is expected after the key", "a key and its \":\" stand on one line", '^'},
	{"block sequence entries are not allowed", "a list item (\"- \") cannot stand here", "begin the list on a line of its own", '-'},
	{"mapping keys are not allowed", "a \"? \" cannot stand here", "", '?'},
	{"cannot start any token", "a value cannot begin with this character", "put the value in quotes", 0},
	{"tab character", "a tab in the indentation", "YAML is indented with spaces", '\t'},
	{"unexpected document indicator", "a quoted text is not closed before the end of the document", "look for a missing quote", '^'},
	{"unexpected end of stream", "a quoted text is not closed", "look for a missing quote", 0},
	{"unknown escape character", "not an escape of a double-quoted text", "use single quotes, or double the backslash", '\\'},
	{"hexdecimal number", "hexadecimal digits are expected in an escape", "", '\\'},
	{"invalid Unicode character escape code", "an escape that is not a character", "write the character itself", '\\'},
	{"incompatible YAML document", "a version of YAML that is not 1.1", "leave the line %YAML out", '^'},
	{"directive", "a line that begins with % and is no directive", "", '^'},
	{"version number", "a %YAML directive without a version", "leave the line out", '^'},
	{"undefined tag handle", "a tag whose handle is not declared", "", '!'},
	{"tag URI", "a tag without a name", "", '!'},
	{"<document start>", "text after the end of the document", "separate documents with a line \"---\"", 0},
	{"comment or line break", "nothing but a comment can follow here", "", 0},
	{"alphabetic or numeric character", "an anchor or alias needs a name of letters and digits", "", 0},
	{"exceeded max depth", "nested too deeply", "", 0},
	{"indentation indicator equal to 0", "an indentation of 0 given for a block of text", "", 0},
}

// tabErrors names every line from the given one on that is indented with a
// tab, if that one is.
func tabErrors(body []byte, line int) Errors {
	var errs Errors
	no := 0
	for at := 0; at < len(body); at = lineEnd(body, at) {
		no++
		text := body[at:lineEnd(body, at)]
		indent := text[:len(text)-len(bytes.TrimLeft(text, " \t"))]
		tab := bytes.IndexByte(indent, '\t')
		if tab < 0 || no < line || len(bytes.TrimSpace(text)) == 0 {
			if no == line {
				return nil
			}
			continue
		}
		errs = append(errs, &Error{Line: no, Col: tab + 1, Message: "a tab in the indentation", Advice: "YAML is indented with spaces"})
	}
	return errs
}

// checkTree finds what the library lets pass: keys given twice, keys that are
// not scalars, too deep nesting, aliases that hold themselves or grow beyond
// measure.
func checkTree(root *yaml.Node) Errors {
	c := treeCheck{size: map[*yaml.Node]int{}}
	c.node(root, nil, 1)
	if !slices.ContainsFunc(c.errs, func(e *Error) bool { return e.first == 0 }) {
		c.grown(root)
	}
	sort.SliceStable(c.errs, func(i, j int) bool {
		a, b := c.errs[i], c.errs[j]
		return a.Line < b.Line || a.Line == b.Line && a.Col < b.Col
	})
	return c.errs
}

type treeCheck struct {
	errs  Errors
	count int
	size  map[*yaml.Node]int // values behind an anchor; -1 while it is being measured
}

func (c *treeCheck) add(n *yaml.Node, path []string, format string, args ...any) {
	if len(c.errs) < 5*maxFindings {
		c.errs = append(c.errs, &Error{Line: n.Line, Col: n.Column, Path: PathString(path), Message: fmt.Sprintf(format, args...)})
	}
}

func (c *treeCheck) twice(k *yaml.Node, path []string, first *yaml.Node) {
	if len(c.errs) < 5*maxFindings {
		c.errs = append(c.errs, &Error{Line: k.Line, Col: k.Column, Path: PathString(path), Message: "given twice", first: first.Line})
	}
}

func (c *treeCheck) node(n *yaml.Node, path []string, depth int) {
	c.count++
	if depth > MaxDepth {
		c.add(n, nil, "nested deeper than %d levels", MaxDepth)
		return
	}
	path = path[:len(path):len(path)]
	switch n.Kind {
	case yaml.SequenceNode:
		for i, item := range n.Content {
			c.node(item, append(path, fmt.Sprint(i)), depth+1)
		}
	case yaml.MappingNode:
		first := map[string]*yaml.Node{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			k, v := n.Content[i], n.Content[i+1]
			if k.Kind != yaml.ScalarNode {
				c.add(k, path, "a key must be a plain or quoted text, not a list, a mapping or an alias")
				continue
			}
			if was := first[k.Value]; was == nil {
				first[k.Value] = k
			} else {
				c.twice(k, append(path, k.Value), was)
			}
			if isMerge(k) && !mergeable(v) {
				c.add(v, append(path, k.Value), "<< takes a mapping or a list of mappings")
			}
			c.node(v, append(path, k.Value), depth+1)
		}
	}
}

// grown measures the tree with its aliases written out.
func (c *treeCheck) grown(root *yaml.Node) {
	limit := c.count + maxGrown
	var measure func(n *yaml.Node, depth int) int
	measure = func(n *yaml.Node, depth int) int {
		if n.Kind == yaml.AliasNode {
			switch size, ok := c.size[n.Alias]; {
			case ok && size < 0:
				c.add(n, nil, "alias *%s stands within what it refers to", n.Value)
				return 1
			case ok:
				return size
			}
			return measure(n.Alias, depth)
		}
		if depth > 2*MaxDepth {
			c.add(n, nil, "nested deeper than %d levels through aliases", 2*MaxDepth)
			return 1
		}
		if n.Anchor != "" {
			c.size[n] = -1
		}
		sum := 1
		for i, child := range n.Content {
			if n.Kind == yaml.MappingNode && i%2 == 0 {
				continue // a key
			}
			if sum += measure(child, depth+1); sum > limit {
				break
			}
		}
		sum = min(sum, limit+1)
		if n.Anchor != "" {
			c.size[n] = sum
		}
		return sum
	}
	if measure(root, 1) > limit {
		c.add(root, nil, "aliases that grow to more than %d values", maxGrown)
	}
}

// isMerge reports whether a key is "<<", which takes in other mappings.
func isMerge(k *yaml.Node) bool { return k.Kind == yaml.ScalarNode && k.Tag == "!!merge" }

func mergeable(v *yaml.Node) bool {
	switch v = target(v); v.Kind {
	case yaml.MappingNode:
		return true
	case yaml.SequenceNode:
		for _, item := range v.Content {
			if target(item).Kind != yaml.MappingNode {
				return false
			}
		}
		return true
	}
	return false
}

// target is the node itself or what it is an alias of.
func target(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}
