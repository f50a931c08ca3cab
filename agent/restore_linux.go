package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"strings"
	"time"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/internal/durable"
)

// restoreName is the file of a restore that is asked for and not done yet.
const restoreName = "restore.json"

// request is a restore. Its format is in docs/formats/host.md.
type request struct {
	Format   int    `json:"format"`
	Service  string `json:"service"`
	Snapshot string `json:"snapshot"`
	Data     string `json:"data"`     // names below the host's directory
	Restored string `json:"restored"` // becomes data
	Before   string `json:"before"`   // what data becomes
}

// pendingRestore reads the request of a host; nil: there is none.
func pendingRestore(tree *durable.Tree) (*request, error) {
	text, err := tree.Root().ReadFile(restoreName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	r := &request{}
	if err == nil {
		err = json.Unmarshal(text, r)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", restoreName, err)
	case r.Format > 1:
		return nil, &bundle.FormatError{What: restoreName, Got: r.Format}
	case r.Service == "":
		return nil, fmt.Errorf("%s names no service: %w", restoreName, fs.ErrInvalid)
	}
	for _, p := range []string{r.Data, r.Restored, r.Before} {
		if rest, ok := strings.CutPrefix(p, "state/"); !ok || !fs.ValidPath(rest) || rest == "." {
			return nil, fmt.Errorf("%s names %.80q: %w", restoreName, p, fs.ErrInvalid)
		}
	}
	return r, nil
}

// Pending implements [Data].
func (m *Machine) Pending(context.Context) (string, error) {
	r, err := pendingRestore(m.tree)
	if r == nil {
		return "", err
	}
	return r.Service, nil
}

// Restore implements [Data]. If we stop anywhere in it, the request stands and
// the next one goes on: a name that is gone says that a step was done.
func (m *Machine) Restore(ctx context.Context) error {
	r, err := pendingRestore(m.tree)
	if r == nil {
		return err
	}
	there := func(name string) bool {
		_, err := m.root.Lstat(name)
		return !errors.Is(err, fs.ErrNotExist)
	}
	switch restored, data := there(r.Restored), there(r.Data); {
	case !restored && !data:
		return fmt.Errorf("%s is gone, and with it what was restored: %w", r.Restored, fs.ErrNotExist)
	case !restored: // done before
	case data:
		if err := m.tree.RenameNew(r.Data, r.Before); err != nil {
			return err
		}
		fallthrough
	default:
		if err := m.tree.Rename(r.Restored, r.Data); err != nil {
			return err
		}
	}
	if err := m.tree.SyncDir(path.Dir(r.Data)); err != nil {
		return err
	}
	if err := m.tree.Remove(restoreName); err != nil {
		return err
	}
	m.log.WarnContext(ctx, "data replaced by a snapshot", slog.String("service", r.Service), slog.String("snapshot", r.Snapshot), slog.String("before", r.Before))
	return m.tree.SyncDir(".")
}

func (m *Machine) snapshots() *snapshots {
	return &snapshots{tree: m.tree, keep: m.opt.Snapshots, now: m.opt.Now}
}

// Preserve implements [Data]: it takes snapshots of etcds.
func (m *Machine) Preserve(ctx context.Context, next *Set, of Snapshot) error {
	for _, k := range m.all() {
		r := k.current()
		e, ok := etcdOf(r)
		if now, stays := next.find(r.Name); !ok || stays && now.Digest == r.Digest || !e.hasData() {
			continue
		}
		if err := m.preserve(ctx, k, e, of); err != nil {
			return err
		}
	}
	return nil
}

// preserve takes a snapshot of an etcd that serves, and waits for one that is
// about to. One that does not serve cannot be asked: the release goes on, which
// may be what mends it, and its files stay.
func (m *Machine) preserve(ctx context.Context, k *keeper, e etcd, of Snapshot) error {
	limit := Trial{}.withDefaults().Ready
	if t := time.Duration(e.ready.Timeout); t > 0 {
		limit = t
	}
	for {
		st := k.state()
		if st.State == Stopping {
			return nil // by the release before, which had one taken
		}
		serves := !st.Ready.IsZero()
		err := error(&SnapshotError{e.service, errors.New("it is not ready")})
		if serves || st.PID != 0 && time.Since(st.Started) > limit {
			var one *Snapshot
			if one, err = m.snapshots().save(ctx, e, of); err == nil {
				m.log.InfoContext(ctx, "snapshot", slog.String("name", one.Name), slog.Int64("bytes", one.Size))
				return nil
			}
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case serves:
			return err
		case st.PID == 0 || time.Since(st.Started) > limit:
			m.log.WarnContext(ctx, "no snapshot: it does not serve", slog.String("service", e.service), slog.Any("err", err))
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(busyTick):
		}
	}
}
