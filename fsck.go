package stateroom

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/plan"
	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs"
)

// Fsck looks at all of the store in f, which may be too damaged to be opened:
// see [store.Fsck]. Besides what that finds, it looks at releases, the bundles
// they name, and the reports of hosts.
func Fsck(ctx context.Context, f *vfs.FS, opt Options, o store.FsckOptions) ([]store.Finding, error) {
	opt = opt.filled()
	found, err := store.Fsck(ctx, f, opt.forStore(), o)
	if err != nil {
		return found, err
	}
	s, err := Open(ctx, f, opt)
	if err != nil {
		return found, nil // what keeps it from opening is among the findings
	}
	names, err := s.ClusterNames(ctx)
	if err != nil {
		return found, err
	}
	for _, name := range names {
		if o.Cluster != "" && o.Cluster != string(name) {
			continue
		}
		more, err := s.fsckReleased(ctx, name, o.Repair)
		if err != nil {
			return found, fmt.Errorf("fsck %s: %w", name, err)
		}
		found = append(found, more...)
	}
	return found, nil
}

// fsckReleased looks at what hosts read and write of a cluster.
func (s *Store) fsckReleased(ctx context.Context, name cluster.Name, repair bool) ([]store.Finding, error) {
	found, err := s.fsckReports(ctx, name)
	if err != nil {
		return nil, err
	}
	head, err := s.store.Cluster(string(name)).Head(ctx)
	if err != nil {
		return found, nil //nolint:nilerr // the store has said what is wrong with it
	}
	b, err := readBefore(ctx, head, releaseName)
	if b == nil || err != nil {
		return found, nil //nolint:nilerr // the store has said that its bytes are gone
	}
	release, err := bundle.DecodeRelease(b)
	if err == nil && (release.Cluster != string(name) || release.Commit > head.Commit().Number) {
		err = fmt.Errorf("it is commit %d of %s", release.Commit, release.Cluster)
	}
	if err != nil {
		return append(found, finding(name, store.ReleaseForm, releaseName, err.Error())), nil
	}
	bundles, err := s.fsckBundles(ctx, name, release, repair)
	return append(found, bundles...), err
}

func finding(name cluster.Name, code store.Code, object, what string) store.Finding {
	object = strings.TrimPrefix(object, ".stateroom/")
	return store.Finding{Cluster: string(name), Code: code, Object: ".stateroom/" + string(name) + "/" + object, What: what}
}

func (s *Store) fsckReports(ctx context.Context, name cluster.Name) ([]store.Finding, error) {
	var found []store.Finding
	sub := s.store.Cluster(string(name)).Sub()
	for e, err := range sub.List(ctx, bundle.ReportsDir, "") {
		if err != nil {
			return nil, err
		}
		if !strings.HasSuffix(e.Key, ".json") {
			found = append(found, finding(name, store.ObjectStray, e.Key, "no report has such a name"))
		}
	}
	all, err := s.reports(ctx, name)
	for _, r := range all {
		report, err := bundle.DecodeReport(r.text)
		if err == nil && report.Node != r.node {
			err = fmt.Errorf("it names the node %q", report.Node)
		}
		if err != nil {
			found = append(found, finding(name, store.ReportForm, bundle.ReportName(r.node), err.Error()))
		}
	}
	return found, err
}

// fsckBundles looks at the bundles that a release names, and in a repair makes
// those again that are missing or damaged.
func (s *Store) fsckBundles(ctx context.Context, name cluster.Name, release *bundle.Release, repair bool) ([]store.Finding, error) {
	sub := s.store.Cluster(string(name)).Sub()
	var found []store.Finding
	var again map[string][]byte // made once, where it is needed
	for _, group := range slices.Sorted(maps.Keys(release.Groups)) {
		digest := release.Groups[group]
		object := bundle.ObjectName(group, digest)
		data, entry, err := sub.Get(ctx, object)
		cond := vfs.IfVersion(entry.Version)
		var f store.Finding
		switch {
		case errors.Is(err, fs.ErrNotExist):
			f, cond = finding(name, store.BundleMissing, object, fmt.Sprintf("the release of commit %d names it for group %s", release.Commit, group)), vfs.IfAbsent()
		case err != nil:
			return nil, err
		default:
			if _, err := bundle.Decode(data, digest); err == nil {
				continue
			}
			f = finding(name, store.BundleDamaged, object, fmt.Sprintf("its bytes are not those that the release of commit %d names for group %s", release.Commit, group))
		}
		if repair {
			if again == nil {
				again, err = s.renderAgain(ctx, name, release)
			}
			if err == nil && again[group] == nil {
				err = errors.New("this version makes another bundle of that commit")
			}
			if err == nil {
				_, err = sub.Put(ctx, object, again[group], cond, "")
			}
			if f.Mended = err == nil; err != nil {
				f.Trouble = err.Error()
			}
		}
		found = append(found, f)
	}
	return found, nil
}

// renderAgain makes the bundles of a release from its commit: those that come
// out with the very digest that was released, by group.
func (s *Store) renderAgain(ctx context.Context, name cluster.Name, release *bundle.Release) (map[string][]byte, error) {
	from, err := s.store.Cluster(string(name)).At(ctx, strconv.Itoa(release.Commit))
	if err != nil {
		return nil, err
	}
	catalogue, err := recordedCatalogue(ctx, from)
	if err != nil {
		return nil, err
	}
	files, err := from.FS(ctx)
	if err != nil {
		return nil, err
	}
	made, err := plan.Make(files, name, plan.Options{Catalogue: catalogue, ClusterID: release.ClusterID, OS: runtime.GOOS, Arch: runtime.GOARCH})
	if err != nil {
		return nil, err
	}
	again := map[string][]byte{}
	for group, b := range made.Bundles {
		if data, digest := b.Encode(); digest == release.Groups[group] {
			again[group] = data
		}
	}
	return again, nil
}
