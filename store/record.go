package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
)

const (
	recordFormat = 1
	maxRecord    = 32 << 20
	maxMessage   = 64 << 10
)

// record is one log record; docs/formats/log-record.md is its specification.
type record struct {
	ClusterID   string
	Cluster     string
	Draft       string // of a draft: its name
	Base        int    // of a draft: the commit of the cluster that it goes off
	Number      int    // in a draft: -1, -2, ...
	Parent      Digest // absent in record 1
	Transaction string
	Kind        Kind
	Was         map[string]Digest // what each changed file held before
	Parts       []part
	Files       map[string]File
	Digest      Digest // made by encode
	Signature   string

	put time.Time // when the service got it
}

// part is one commit command.
type part struct {
	Name, Mail string
	Seconds    int64
	Message    string // ends in LF unless empty
	Deletes    []string
	Writes     []write
}

type write struct {
	Name  string
	Bytes []byte
}

// content is what a record leaves at one of the names it changes.
type content struct {
	exists bool
	bytes  []byte
}

// wrote returns what the record leaves at a name it changes.
func (r *record) wrote(name string) (content, bool) {
	if len(r.Parts) == 0 {
		return content{}, false
	}
	return r.Parts[len(r.Parts)-1].wrote(name)
}

func (p *part) wrote(name string) (content, bool) {
	if i, ok := slices.BinarySearchFunc(p.Writes, name, func(w write, n string) int { return strings.Compare(w.Name, n) }); ok {
		return content{true, p.Writes[i].Bytes}, true
	}
	_, ok := slices.BinarySearch(p.Deletes, name)
	return content{}, ok
}

func (p *part) sort() {
	slices.Sort(p.Deletes)
	slices.SortFunc(p.Writes, func(a, b write) int { return strings.Compare(a.Name, b.Name) })
}

// seconds is the time of the record; void and moved ones have none.
func (r *record) seconds() int64 {
	if len(r.Parts) == 0 {
		return 0
	}
	return r.Parts[len(r.Parts)-1].Seconds
}

// encode returns the record's bytes and sets its digest. sign may be nil.
func (r *record) encode(sign func(digest string) (string, error)) ([]byte, error) {
	e := &recordText{}
	e.linef("# stateroom log %d", recordFormat)
	e.linef("# cluster %s %s", r.ClusterID, quote(r.Cluster))
	if r.Draft != "" {
		e.linef("# draft %d %s", r.Base, quote(r.Draft))
	}
	e.linef("# number %s", NumberText(r.Number))
	e.linef("# parent %s", orWord(r.Parent, "none"))
	e.linef("# transaction %s", r.Transaction)
	e.linef("# kind %s", r.Kind)
	for _, name := range slices.Sorted(maps.Keys(r.Was)) {
		e.linef("# was %s %s", orWord(r.Was[name], "absent"), quote(name))
	}
	for i := range r.Parts {
		r.Parts[i].sort()
		e.part(&r.Parts[i])
	}
	for _, name := range slices.Sorted(maps.Keys(r.Files)) {
		f := r.Files[name]
		e.linef("# file %s %d %s %s", f.Digest, f.Size, NumberText(f.Record), quote(name))
	}
	r.Digest = e.digest()
	e.linef("# digest %s", r.Digest)
	if sign != nil {
		signature, err := sign(string(r.Digest))
		if err != nil {
			return nil, fmt.Errorf("sign: %w", err)
		}
		r.Signature = signature
	}
	if r.Signature != "" {
		e.linef("# signature %s", r.Signature)
	}
	return e.all.Bytes(), nil
}

// recordText holds the bytes of a record, and apart from them those that its
// digest is over.
type recordText struct {
	all, bound bytes.Buffer
}

func (e *recordText) linef(format string, args ...any) {
	line := fmt.Sprintf(format, args...) + "\n"
	e.all.WriteString(line)
	e.bound.WriteString(line)
}

func (e *recordText) part(p *part) {
	e.linef("commit refs/heads/main")
	e.linef("committer %s <%s> %d +0000", p.Name, p.Mail, p.Seconds)
	e.linef("data %d", len(p.Message))
	e.linef("%s", p.Message)
	for _, name := range p.Deletes {
		e.linef("D %s", quote(name))
	}
	for _, w := range p.Writes {
		e.linef("M 100644 inline %s", quote(w.Name))
		fmt.Fprintf(&e.all, "data %d\n", len(w.Bytes))
		e.all.Write(w.Bytes)
		e.all.WriteByte('\n')
	}
}

func (e *recordText) digest() Digest {
	sum := sha256.Sum256(e.bound.Bytes())
	return Digest("sha256:" + hex.EncodeToString(sum[:]))
}

func orWord(d Digest, word string) string {
	if d == absent {
		return word
	}
	return string(d)
}

// cleanAuthor returns name and mail of "Ada <ada@example.com>" as git can
// carry them.
func cleanAuthor(author string) (name, mail string) {
	name, mail, _ = strings.Cut(author, "<")
	clean := func(s string) string {
		s = strings.Map(func(r rune) rune {
			if r == '<' || r == '>' || r == unicode.ReplacementChar || unicode.IsControl(r) {
				return -1
			}
			return r
		}, strings.ToValidUTF8(s, ""))
		return strings.Trim(s, " ")
	}
	if name = clean(name); name == "" {
		name = "unknown"
	}
	return name, clean(mail)
}

// cleanMessage returns a message as a record holds it.
func cleanMessage(m string) string {
	m = strings.ReplaceAll(strings.ToValidUTF8(m, "\ufffd"), "\x00", "")
	if len(m) > maxMessage-1 {
		m = strings.ToValidUTF8(m[:maxMessage-1], "")
	}
	if m = strings.TrimRight(m, " \r\n\t"); m == "" {
		return ""
	}
	return m + "\n"
}
