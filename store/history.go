package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/stateroom/stateroom/vfs"
)

// History is one cluster of a store. It is safe for concurrent use.
type History struct {
	s     *Store
	name  string
	plain *vfs.FS // {store}/{cluster}
	own   *vfs.FS // {store}/.stateroom/{cluster}
	known *memory
	draft string   // whose records have the negative numbers
	bad   error    // of the name
	early []string // see Reading; nil: none
}

// Name returns the cluster's name.
func (h *History) Name() string { return h.name }

// Sub returns {store}/.stateroom/{cluster}, where bundles, reports and the
// release lie.
func (h *History) Sub() *vfs.FS { return h.own }

func recordName(n int) string { return fmt.Sprintf("log/%012d", n) }

// recordName returns where a record lies, one of the draft too.
func (h *History) recordName(n int) string {
	if n < 0 {
		return "drafts/" + h.draft + "/" + recordName(-n)
	}
	return recordName(n)
}

const headName = "head"

// record returns a record that must be there.
func (h *History) record(ctx context.Context, n int) (*record, error) {
	r, err := h.maybe(ctx, n)
	if err == nil && r == nil {
		return nil, &DamagedError{h.name, n, fmt.Errorf("it is missing: %w", errRecord)}
	}
	return r, err
}

// maybe returns a record, or nil if there is none of that number.
func (h *History) maybe(ctx context.Context, n int) (*record, error) {
	if r := h.known.record(n); r != nil {
		return r, nil
	}
	defer h.known.turn(ctx, recordName(n))()
	if r := h.known.record(n); r != nil { // somebody else asked for it meanwhile
		return r, nil
	}
	b, e, err := h.own.Get(ctx, h.recordName(n))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r, err := decodeRecord(b)
	if err == nil && r.Number != n {
		err = fmt.Errorf("it says that it is number %s: %w", NumberText(r.Number), errRecord)
	}
	if err == nil && n < 0 && r.Draft != h.draft {
		err = fmt.Errorf("it is of draft %s: %w", quote(r.Draft), errRecord)
	}
	if err == nil && h.s.opt.Verify != nil {
		err = h.s.opt.Verify(string(r.Digest), r.Signature)
	}
	if newer, ok := errors.AsType[*FormatError](err); ok {
		newer.What = fmt.Sprintf("log record %s of %s", NumberText(n), h.name)
		return nil, newer
	}
	if err != nil {
		return nil, &DamagedError{h.name, n, err}
	}
	r.put = e.Time
	h.known.remember(r, len(b))
	h.keep(r, b)
	return r, nil
}

// head returns the head and its version; nil and "" if there is none. One that
// cannot be read is nil, too: the log says all that it says.
func (h *History) head(ctx context.Context) (*head, vfs.Version, error) {
	b, e, err := h.own.Get(ctx, headName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	hd, err := decodeHead(b)
	if newer, ok := errors.AsType[*FormatError](err); ok {
		newer.What = "the head of " + h.name
		return nil, "", newer
	}
	if err != nil {
		h.s.opt.Log.WarnContext(ctx, "head cannot be read", slog.String("cluster", h.name), slog.Any("err", err))
	}
	return hd, e.Version, nil
}

// object returns where the plain file of a name of a snapshot lies.
func (h *History) object(name string) (*vfs.FS, string) {
	if name == releaseFile {
		return h.own, "release"
	}
	return h.plain, name
}

// onDisk reports whether a name of a snapshot has a plain file.
func onDisk(name string) bool { return !hidden(name) || name == releaseFile }
