package store

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

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
	Files     map[string]File
	Versions  map[string]vfs.Version // of the plain files; absent: not known
}

func (h *head) encode() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "stateroom head %d\n", headFormat)
	fmt.Fprintf(&b, "cluster %s %s\n", h.ClusterID, quote(h.Cluster))
	fmt.Fprintf(&b, "number %d\ndigest %s\nkind %s\ntime %d\n", h.Number, h.Digest, h.Kind, h.Seconds)
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
	end := quotedEnd(s)
	if end < 0 || end+1 >= len(s) || s[end] != ' ' {
		t.fail("version is not quoted")
		return
	}
	version, err := unquote(s[:end])
	if err != nil {
		t.fail("version: %v", err)
		return
	}
	name := t.name(s[end+1:])
	h.Files[name] = File{t.digest(d, ""), t.int(size), int(t.int(number))}
	if version != "" {
		h.Versions[name] = vfs.Version(version)
	}
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
