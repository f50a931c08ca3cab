package store

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

var (
	errRecord   = errors.New("not a log record")
	errStripped = errors.New("its bytes were removed from the history")
)

// decodeRecord reads what encode wrote and nothing else. Keyed digests it
// cannot check: whoever has the key does.
func decodeRecord(b []byte) (*record, error) {
	if len(b) > maxRecord {
		return nil, fmt.Errorf("%w: %d bytes", errRecord, len(b))
	}
	t := &text{rest: b}
	r := t.record()
	if t.err != nil {
		return nil, t.err
	}
	written := r.Digest
	again, err := r.encode(nil)
	switch {
	case err != nil:
		return nil, err
	case r.Digest != written:
		return nil, fmt.Errorf("digest is %s, not %s as written: %w", r.Digest, written, errRecord)
	case !bytes.Equal(again, b):
		return nil, fmt.Errorf("not in canonical form: %w", errRecord)
	}
	return r, r.check()
}

// text is what is left of a record or head, and the first thing wrong with it.
// Errors quote nothing: where a length is wrong, a line may be part of a
// secret.
type text struct {
	rest []byte
	line int
	err  error
}

func (t *text) fail(format string, args ...any) {
	if t.err == nil {
		t.err = fmt.Errorf("line %d: %s: %w", t.line, fmt.Sprintf(format, args...), errRecord)
	}
}

// next returns the next line if it begins with prefix: what follows it.
func (t *text) next(prefix string) (string, bool) {
	line, rest, ok := bytes.Cut(t.rest, []byte("\n"))
	if t.err != nil || !ok || !bytes.HasPrefix(line, []byte(prefix)) {
		return "", false
	}
	t.rest = rest
	t.line++
	return string(line[len(prefix):]), true
}

// want is next for a line that must be there.
func (t *text) want(prefix string) string {
	s, ok := t.next(prefix)
	if !ok {
		t.line++
		t.fail("want %q", strings.TrimSpace(prefix))
	}
	return s
}

// header checks the first line: the format and its number.
func (t *text) header(prefix string, reads int) {
	s := t.want(prefix)
	if t.err != nil {
		return
	}
	n, err := strconv.Atoi(s)
	switch {
	case err != nil || n < 1:
		t.fail("no format number")
	case n != reads:
		t.err = &FormatError{Format: n, Reads: reads}
	}
}

func (t *text) int(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != s {
		t.fail("not a number")
	}
	return n
}

// number reads the number of a commit: 42, or d2 for -2.
func (t *text) number(s string) int {
	if s, ok := strings.CutPrefix(s, "d"); ok {
		return -int(t.int(s))
	}
	return int(t.int(s))
}

func (t *text) name(s string) string {
	name, err := unquote(s)
	if err == nil {
		err = CheckName(name)
	}
	if err != nil {
		t.fail("name: %v", err)
	}
	return name
}

func (t *text) digest(s, word string) Digest {
	if word != "" && s == word {
		return absent
	}
	if d := Digest(s); d.valid() {
		return d
	}
	t.fail("not a digest")
	return ""
}

// cut cuts s at its first space.
func (t *text) cut(s string) (string, string) {
	a, b, ok := strings.Cut(s, " ")
	if !ok {
		t.fail("too short")
	}
	return a, b
}

// bytes reads a data command: its bytes and the line feed behind them.
func (t *text) bytes() []byte {
	n := t.int(t.want("data "))
	if t.err != nil || n >= int64(len(t.rest)) || t.rest[n] != '\n' {
		t.fail("data is cut short")
		return nil
	}
	b := t.rest[:n:n]
	t.rest = t.rest[n+1:]
	t.line += bytes.Count(b, []byte("\n")) + 1
	return b
}

func (t *text) clusterLine(prefix string) (id, name string) {
	id, quoted := t.cut(t.want(prefix))
	if !isID(id) {
		t.fail("not an id")
	}
	name = t.name(quoted)
	if err := checkCluster(name); err != nil {
		t.fail("%v", err)
	}
	return id, name
}

func (t *text) record() *record {
	r := &record{Was: map[string]Digest{}, Files: map[string]File{}}
	t.header("# stateroom log ", recordFormat)
	r.ClusterID, r.Cluster = t.clusterLine("# cluster ")
	if s, ok := t.next("# draft "); ok {
		base, name := t.cut(s)
		r.Base, r.Draft = int(t.int(base)), t.name(name)
	}
	r.Number = t.number(t.want("# number "))
	r.Parent = t.digest(t.want("# parent "), "none")
	r.Transaction = t.want("# transaction ")
	r.Kind = Kind(t.want("# kind "))
	for s, ok := t.next("# was "); ok; s, ok = t.next("# was ") {
		d, name := t.cut(s)
		r.Was[t.name(name)] = t.digest(d, "absent")
	}
	for _, ok := t.next("commit refs/heads/main"); ok; _, ok = t.next("commit refs/heads/main") {
		r.Parts = append(r.Parts, t.part())
	}
	for s, ok := t.next("# file "); ok; s, ok = t.next("# file ") {
		d, s := t.cut(s)
		size, s := t.cut(s)
		number, name := t.cut(s)
		r.Files[t.name(name)] = File{t.digest(d, ""), t.int(size), t.number(number)}
	}
	r.Digest = t.digest(t.want("# digest "), "")
	r.Signature, _ = t.next("# signature ")
	if len(t.rest) > 0 {
		t.fail("more after the end")
	}
	return r
}

func (t *text) part() part {
	var p part
	s, ok := strings.CutSuffix(t.want("committer "), " +0000")
	i := strings.LastIndexByte(s, ' ')
	if !ok || i < 0 {
		t.fail("committer")
		return p
	}
	p.Seconds = t.int(s[i+1:])
	p.Name, p.Mail = cleanAuthor(s[:i])
	if p.author() != s[:i] {
		t.fail("committer is not clean")
	}
	p.Message = string(t.bytes())
	if !utf8.ValidString(p.Message) || cleanMessage(p.Message) != p.Message {
		t.fail("message is not clean")
	}
	for s, ok := t.next("D "); ok; s, ok = t.next("D ") {
		p.Deletes = append(p.Deletes, t.name(s))
	}
	for s, ok := t.next("M 100644 inline "); ok; s, ok = t.next("M 100644 inline ") {
		p.Writes = append(p.Writes, write{t.name(s), t.bytes()})
	}
	return p
}
