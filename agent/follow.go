package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/vfs"
)

// poll asks for the release: one request, and no more while it stays the same.
func (a *Agent) poll(ctx context.Context) {
	var data []byte
	var e vfs.Entry
	err := a.asking.do(ctx, patience, func(ctx context.Context) error {
		d, at, err := a.opt.Store.GetUnless(ctx, bundle.ReleaseName, a.version)
		data, e = d, at
		return err
	})
	switch {
	case errors.Is(err, vfs.ErrNotModified):
		a.reachable(ctx, nil)
		return
	case ctx.Err() != nil:
		return
	case errors.Is(err, fs.ErrNotExist):
		// No release yet, or a cluster that was deleted: what runs goes on.
		a.version = ""
		a.reachable(ctx, err)
		return
	case err != nil:
		a.reachable(ctx, err)
		return
	}
	a.reachable(ctx, nil)
	a.version = e.Version
	a.refused = nil
	aim, err := a.accept(ctx, data)
	a.complain(ctx, "release refused", err)
	if err != nil {
		a.refused = &bundle.Failure{Commit: aim.Commit, Digest: aim.Digest, Reason: "release refused: " + err.Error()}
		return
	}
	if a.mem.Seen == nil || *a.mem.Seen != aim {
		a.log.InfoContext(ctx, "release", slog.Int("commit", aim.Commit), slog.String("digest", aim.Digest.Short()))
		a.mem.Seen = &aim
		a.unsaved = true
	}
}

// accept checks a release and returns what it names for this node. With an
// error, it returns what of it could be read.
func (a *Agent) accept(ctx context.Context, data []byte) (Aim, error) {
	r, err := bundle.DecodeRelease(data)
	if err != nil {
		return Aim{}, err
	}
	boot := a.opt.Bootstrap
	aim := Aim{r.Commit, r.Groups[boot.Group]}
	if a.opt.Verify != nil {
		if err := a.opt.Verify(r); err != nil {
			return aim, err
		}
	}
	seen := boot.MinCommit
	if a.mem.Seen != nil {
		seen = max(seen, a.mem.Seen.Commit)
	}
	if err := r.Follows(boot.ClusterID, seen); err != nil {
		return aim, err
	}
	switch {
	case r.Cluster != boot.Cluster:
		return aim, fmt.Errorf("it is of cluster %s, not of %s", r.Cluster, boot.Cluster)
	case aim.Digest == "":
		return aim, fmt.Errorf("it names no bundle for group %s", boot.Group)
	case a.mem.Seen != nil && a.mem.Seen.Commit == r.Commit && a.mem.Seen.Digest != aim.Digest:
		return aim, fmt.Errorf("another release of commit %d was seen before, with bundle %s instead of %s", r.Commit, a.mem.Seen.Digest.Short(), aim.Digest.Short())
	}
	var elsewhere error
	if r.Redirect != "" {
		elsewhere = fmt.Errorf("it is %s, and this version cannot do that: %w", r.Redirect, errors.ErrUnsupported)
	}
	a.complain(ctx, "the release names another store to follow", elsewhere)
	a.interval = time.Duration(r.PollSeconds) * time.Second
	return aim, nil
}

// reachable keeps track of whether the store answers, and says so when that
// changes. It sets when to ask again: later and later while it is away.
func (a *Agent) reachable(ctx context.Context, err error) {
	every := a.opt.Poll
	if every == 0 {
		every = a.interval
	}
	if err == nil {
		if a.away != nil {
			a.log.InfoContext(ctx, "the store answers again", slog.String("store", a.opt.Store.Name()))
		}
		a.away, a.misses = nil, 0
	} else {
		if a.away == nil || alike(a.away) != alike(err) {
			a.log.WarnContext(ctx, "no release; what runs goes on", slog.String("store", a.opt.Store.Name()), slog.Any("err", err))
		}
		a.away = err
		a.misses = min(a.misses+1, 4)
		if !errors.Is(err, fs.ErrNotExist) {
			every <<= a.misses - 1 // nodes waiting for a first release shall not wait long
		}
	}
	every = min(every, max(a.interval, 5*time.Minute))
	a.nextPoll = time.Now().Add(jitter(every))
}

// jitter spreads a duration by a fifth either way, so that thousands of nodes
// do not ask in step.
func jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}
