package store

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/stateroom/stateroom/vfs"
)

const headFormat = 1

// head is what a client reads first; docs/formats/head.md.
type head struct {
	ClusterID string
	Cluster   string
	Number    int
	Digest    Digest
	Kind      Kind
	Seconds   int64
	Lease     *Lease // nil: none
	Files     map[string]File
	Versions  map[string]vfs.Version // of the plain files; absent: not known
}

func (h *head) encode() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "stateroom head %d\n", headFormat)
	fmt.Fprintf(&b, "cluster %s %s\n", h.ClusterID, quote(h.Cluster))
	fmt.Fprintf(&b, "number %d\ndigest %s\nkind %s\ntime %d\n", h.Number, h.Digest, h.Kind, h.Seconds)
	if l := h.Lease; l != nil {
		fmt.Fprintf(&b, "lease %d %d %d %s %s\n", l.Since.Unix(), l.Until.Unix(), l.Commit, quote(l.Holder), quote(l.Reason))
	}
	for _, name := range slices.Sorted(maps.Keys(h.Files)) {
		f := h.Files[name]
		fmt.Fprintf(&b, "file %s %d %d %s %s\n", f.Digest, f.Size, f.Record, quote(string(h.Versions[name])), quote(name))
	}
	b.WriteString("end\n")
	return b.Bytes()
}

func decodeHead(b []byte) (*head, error) {
	t := &text{rest: b}
	h := &head{Files: map[string]File{}, Versions: map[string]vfs.Version{}}
	t.header("stateroom head ", headFormat)
	h.ClusterID, h.Cluster = t.clusterLine("cluster ")
	h.Number = int(t.int(t.want("number ")))
	h.Digest = t.digest(t.want("digest "), "")
	h.Kind = Kind(t.want("kind "))
	h.Seconds = t.int(t.want("time "))
	if s, ok := t.next("lease "); ok {
		h.Lease = t.lease(h, s)
	}
	for s, ok := t.next("file "); ok; s, ok = t.next("file ") {
		t.headFile(h, s)
	}
	t.want("end")
	switch {
	case t.err != nil:
		return nil, t.err
	case h.Number < 1 || h.Kind.commits() < 0 || !bytes.Equal(h.encode(), b):
		return nil, fmt.Errorf("head is not in canonical form: %w", errRecord)
	}
	return h, nil
}

func (t *text) headFile(h *head, s string) {
	d, s := t.cut(s)
	size, s := t.cut(s)
	number, s := t.cut(s)
	version, s := t.quoted(s)
	name := t.name(s)
	h.Files[name] = File{t.digest(d, ""), t.int(size), int(t.int(number))}
	if version != "" {
		h.Versions[name] = vfs.Version(version)
	}
}

// lease reads what follows "lease " on its line.
func (t *text) lease(h *head, s string) *Lease {
	since, s := t.cut(s)
	until, s := t.cut(s)
	commit, s := t.cut(s)
	holder, s := t.quoted(s)
	reason, rest := t.quoted(s + " ")
	if rest != "" || len(holder)+len(reason) > maxLease || !utf8.ValidString(holder+reason) {
		t.fail("not a lease")
	}
	return &Lease{
		Cluster: h.Cluster, Commit: int(t.int(commit)),
		Since: time.Unix(t.int(since), 0).UTC(), Until: time.Unix(t.int(until), 0).UTC(),
		Holder: holder, Reason: reason,
	}
}

// quoted cuts the quoted text that s begins with from what follows the space
// behind it.
func (t *text) quoted(s string) (plain, rest string) {
	end := quotedEnd(s)
	if end < 0 || end >= len(s) || s[end] != ' ' {
		t.fail("not quoted as it should be")
		return "", ""
	}
	plain, err := unquote(s[:end])
	if err != nil {
		t.fail("%v", err)
	}
	return plain, s[end+1:]
}

// quotedEnd returns where the quoted text that s begins with ends, or -1.
func quotedEnd(s string) int {
	if s == "" || s[0] != '"' {
		return -1
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}
