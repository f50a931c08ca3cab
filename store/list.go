package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/stateroom/stateroom/vfs"
)

// listing is what stands in a cluster's folder.
type listing struct {
	files   map[string]vfs.Entry // tracked, by name
	refused map[string]string    // files that cannot be tracked, and why
}

// maxFile is the size of the largest file that a record can hold.
const maxFile = maxRecord - 1<<20

// list lists the tracked files. It stops where the backups begin, of which
// there may be a thousand, and goes on behind them.
func (h *History) list(ctx context.Context) (*listing, error) {
	l := &listing{files: map[string]vfs.Entry{}, refused: map[string]string{}}
	backups, err := h.listRange(ctx, l, "")
	if err == nil && backups {
		err = h.listBackups(ctx, l)
	}
	if err != nil {
		return nil, err
	}
	return l, nil
}

// listRange lists what comes after a key, and reports whether it stopped at
// the backups.
func (h *History) listRange(ctx context.Context, l *listing, after string) (backups bool, err error) {
	for e, err := range h.plain.List(ctx, "", after) {
		if err != nil {
			return false, err
		}
		if strings.HasPrefix(e.Key, backupFolder) {
			return true, nil
		}
		h.take(l, e)
	}
	return false, nil
}

func (h *History) take(l *listing, e vfs.Entry) {
	switch why := badName(e.Key); {
	case !h.s.opt.Track(e.Key):
	case why != "":
		l.refused[e.Key] = why
	case e.Size > maxFile:
		l.refused[e.Key] = fmt.Sprintf("is over %d MiB", maxFile>>20)
	default:
		l.files[e.Key] = e
	}
}

// listBackups goes on behind the backups, and picks from them the few files
// that are tracked.
func (h *History) listBackups(ctx context.Context, l *listing) error {
	behind := &listing{files: map[string]vfs.Entry{}, refused: l.refused}
	specs := &listing{files: map[string]vfs.Entry{}, refused: map[string]string{}}
	err := inParallel(ctx,
		func(ctx context.Context) error {
			_, err := h.listRange(ctx, behind, backupFolder+"\U0010ffff")
			return err
		},
		func(ctx context.Context) error { return h.listSpecs(ctx, specs) })
	for _, more := range []*listing{behind, specs} {
		for name, e := range more.files {
			l.files[name] = e
		}
	}
	return err
}

func (h *History) listSpecs(ctx context.Context, l *listing) error {
	const etcd = backupFolder + "etcd"
	var folders []string
	for e, err := range h.plain.ListDir(ctx, etcd) {
		if err != nil {
			return err
		}
		if strings.HasSuffix(e.Key, "/") {
			folders = append(folders, e.Key)
		}
	}
	found := make([]*vfs.Entry, len(folders))
	err := forEach(ctx, len(folders), func(ctx context.Context, i int) error {
		name := folders[i] + "control/etcd-cluster-spec"
		for e, err := range h.plain.List(ctx, name, "") {
			if err != nil {
				return err
			}
			if e.Key == name {
				found[i] = &e
			}
			break
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, e := range found {
		if e != nil {
			h.take(l, *e)
		}
	}
	return nil
}
