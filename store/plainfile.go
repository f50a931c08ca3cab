package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/stateroom/stateroom/vfs"
)

// sight is one look at a plain file.
type sight struct {
	name string
	content
	entry vfs.Entry
	plain Digest // of the bytes, made when first asked for
}

func (h *History) see(ctx context.Context, name string) (*sight, error) {
	f, key := h.object(name)
	b, e, err := f.Get(ctx, key)
	if errors.Is(err, fs.ErrNotExist) {
		return &sight{name: name}, nil
	}
	if err != nil {
		return nil, err
	}
	return &sight{name: name, content: content{true, b}, entry: e}, nil
}

// cond is the condition that the file is still as it was seen.
func (s *sight) cond() vfs.Cond {
	if !s.exists {
		return vfs.IfAbsent()
	}
	return vfs.IfVersion(s.entry.Version)
}

// is reports whether the file is what d says; absent: that it is not there.
// holder, if not 0, is a record that holds the bytes of d: what to compare with
// where the key of d is lost.
func (h *History) is(ctx context.Context, s *sight, d Digest, holder int) (bool, error) {
	switch {
	case d == absent || !s.exists:
		return !s.exists && d == absent, nil
	case d.epoch() == 0:
		if s.plain == "" {
			s.plain = digestOf(s.bytes)
		}
		return s.plain == d, nil
	}
	key, err := h.key(ctx, d.epoch())
	if err != nil {
		return false, err
	}
	if key != nil {
		return digestKeyed(d.epoch(), key, s.name, s.bytes) == d, nil
	}
	if holder == 0 {
		return false, nil
	}
	r, err := h.record(ctx, holder)
	if err != nil {
		return false, err
	}
	c, ok := r.wrote(s.name)
	return ok && bytes.Equal(c.bytes, s.bytes), nil
}

// isFile is is for an entry of a manifest; no entry: absent.
func (h *History) isFile(ctx context.Context, s *sight, files map[string]File) (bool, error) {
	f, ok := files[s.name]
	if ok && s.exists && f.Size != int64(len(s.bytes)) {
		return false, nil
	}
	return h.is(ctx, s, f.Digest, f.Record)
}

// bytesOf returns what a manifest says of a name, from the record that holds
// it.
func (h *History) bytesOf(ctx context.Context, files map[string]File, name string) (content, error) {
	f, ok := files[name]
	if !ok {
		return content{}, nil
	}
	r, err := h.record(ctx, f.Record)
	if err != nil {
		return content{}, err
	}
	c, ok := r.wrote(name)
	switch {
	case !ok || !c.exists:
		return c, &DamagedError{h.name, f.Record, fmt.Errorf("it does not hold %s: %w", quote(name), errRecord)}
	case len(c.bytes) == 0 && f.Size > 0:
		return h.again(ctx, name, f)
	}
	return c, h.fits(ctx, name, f, c.bytes)
}

// fits checks that bytes out of a record are those that a manifest means: the
// record can be another than the one that the manifest was made with, and it
// cannot check keyed digests itself.
func (h *History) fits(ctx context.Context, name string, f File, b []byte) error {
	ok := int64(len(b)) == f.Size
	if epoch := f.Digest.epoch(); ok && epoch > 0 {
		key, err := h.key(ctx, epoch)
		if err != nil {
			return err
		}
		ok = key == nil || digestKeyed(epoch, key, name, b) == f.Digest
	} else if ok {
		ok = digestOf(b) == f.Digest
	}
	if !ok {
		return &DamagedError{h.name, f.Record, fmt.Errorf("its bytes of %s are not those of the manifest: %w", quote(name), errRecord)}
	}
	return nil
}

// again looks for bytes that were stripped from the record of a manifest: a
// newer record may hold them.
func (h *History) again(ctx context.Context, name string, f File) (content, error) {
	gone := &GoneError{h.name, f.Record, name}
	st, err := h.look(ctx, nil)
	if err != nil || st.files()[name].Digest != f.Digest {
		return content{}, errors.Join(err, gone)
	}
	newer := st.files()[name]
	r, err := h.record(ctx, newer.Record)
	if err != nil {
		return content{}, errors.Join(err, gone)
	}
	if c, ok := r.wrote(name); ok && c.exists && len(c.bytes) > 0 {
		return c, h.fits(ctx, name, newer, c.bytes)
	}
	return content{}, gone
}

func (r *record) tag(number int) string { return r.ClusterID + "/" + strconv.Itoa(number) }

// write makes a plain file what it should be, if c holds, and returns its
// version.
func (h *History) write(ctx context.Context, name string, want content, c vfs.Cond, tag string) (vfs.Version, error) {
	f, key := h.object(name)
	if !want.exists {
		return "", f.Delete(ctx, key, c)
	}
	e, err := f.Put(ctx, key, want.bytes, c, tag)
	return e.Version, err
}

// believed returns the number in the tag of a plain file: that of the record
// of ours that wrote it. 0: no tag, or one that was carried along with a copy.
func (h *History) believed(ctx context.Context, s *sight) (int, error) {
	id, number, ok := strings.Cut(s.entry.Tag, "/")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n < 1 {
		return 0, nil
	}
	r, err := h.maybe(ctx, n)
	if err != nil || r == nil || r.ClusterID != id {
		return 0, err
	}
	if f, ok := r.Files[s.name]; !ok || f.Record != n {
		return 0, nil
	}
	same, err := h.isFile(ctx, s, r.Files)
	if err != nil || !same {
		return 0, err
	}
	return n, nil
}
