package stateroom

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"runtime"
	"slices"
	"sync"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/plan"
	"github.com/stateroom/stateroom/store"
)

// Update is what an update of a cluster does, or did: what goes live and what
// that does to each node.
type Update struct {
	Cluster  cluster.Name
	Draft    string         // it is a plan of this draft, as if it were published; empty: of the cluster
	Cloud    string         // where it runs, and kops makes it live: what is to be committed is all there is; empty: on hosts
	Head     int            // the commit that goes live, before what the update itself adds
	Released int            // the commit that was live before; 0: none
	Commit   int            // the commit that is live now; 0: nothing was released
	Keysets  []string       // that are made
	Changes  []plan.Change  // documents, then group by group
	Ignored  []plan.Ignored // what is set and has no effect on hosts
	Notes    []string       // what a person should know of the nodes
	Warnings []string

	lineage string       // of the cluster
	digest  store.Digest // of the record of Head
}

// Empty says that there is nothing to do.
func (u *Update) Empty() bool {
	return len(u.Changes) == 0 && len(u.Keysets) == 0 && (u.Released == u.Head || u.Cloud != "")
}

// Plan says what Update would do, and writes nothing.
func (s *Store) Plan(ctx context.Context, name cluster.Name, p Programs) (*Update, error) {
	if s.draft != "" {
		return s.planDraft(ctx, name, p)
	}
	var u *Update
	_, err := s.changeAll(ctx, name, Write{DryRun: true}, "", func(r *recorder) error {
		var err error
		u, _, err = s.prepare(ctx, r, name, p.foresee, nil)
		return err
	})
	return u, err
}

// planDraft is Plan of a cluster in which the draft that the store is on is
// published; in a cloud, of the commit that publishes it.
func (s *Store) planDraft(ctx context.Context, name cluster.Name, p Programs) (*Update, error) {
	var u *Update
	_, err := s.publish(ctx, name, Publish{}, Write{DryRun: true}, func(head *Store, r *recorder) error {
		c, _, err := inspect(ctx, r, name)
		switch {
		case err != nil:
		case c != nil && !c.OnHosts():
			u, err = head.planCloud(ctx, r, c)
		default:
			u, _, err = head.prepare(ctx, r, name, p.foresee, nil)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	u.Draft = s.draft
	return u, nil
}

// Update makes what is committed live: as one commit, missing keysets are made,
// bundles are rendered and staged, and the release moves. Where there is
// nothing to do, there is no commit.
func (s *Store) Update(ctx context.Context, name cluster.Name, p Programs, w Write) (*Update, error) {
	return s.release(ctx, name, p, w, func(*Update) error { return nil })
}

// release is Update, if what it is going to do is agreed to.
func (s *Store) release(ctx context.Context, name cluster.Name, p Programs, w Write, agree func(*Update) error) (*Update, error) {
	if s.draft != "" && !w.DryRun {
		return nil, &DraftError{Cluster: name, Draft: s.draft}
	}
	if w.DryRun {
		u, err := s.Plan(ctx, name, p)
		if err == nil {
			err = agree(u)
		}
		return u, err
	}
	made := &keyMaker{now: s.opt.Now(), rand: s.opt.Rand, made: map[string][]byte{}}
	var u *Update
	out, err := s.changeAll(ctx, name, w, "update cluster "+string(name), func(r *recorder) error {
		var next *bundle.Release
		var err error
		if u, next, err = s.prepare(ctx, r, name, p.choose, made); err != nil {
			return err
		}
		if err := agree(u); err != nil || u.Empty() {
			return err
		}
		next.Commit, next.Issued = r.Number(), s.opt.Now()
		if err := next.Validate(); err != nil {
			return fmt.Errorf("release of %s: %w", name, err)
		}
		r.Release(next.Encode())
		return nil
	})
	if err != nil {
		return nil, err
	}
	u.Commit = out.Commit
	return u, nil
}

// headOf reads the newest snapshot of a cluster that must be there.
func (s *Store) headOf(ctx context.Context, name cluster.Name, early ...string) (*store.Snapshot, error) {
	if s.at != "" {
		return s.then(ctx, name)
	}
	if s.draft != "" {
		d, err := s.onDraft(name)
		if err != nil {
			return nil, err
		}
		return d.Head(ctx)
	}
	head, err := s.store.Cluster(string(name)).Head(ctx, early...)
	if missing := new(store.NoClusterError); errors.As(err, &missing) {
		return nil, noCluster(name)
	}
	return head, err
}

// programSource finds the programs for a version; recorded is the catalogue of
// the last release.
type programSource func(ctx context.Context, version string, recorded *bundle.Catalogue) (*bundle.Catalogue, error)

// prepare writes into the change all that an update writes but the release,
// which it returns without number and time. With no keys to make, keysets that
// are missing stay unknown: that is a plan.
func (s *Store) prepare(ctx context.Context, r *recorder, name cluster.Name, programs programSource, keys *keyMaker) (*Update, *bundle.Release, error) {
	c, err := s.updatable(ctx, r, name)
	if err != nil {
		return nil, nil, err
	}
	u := &Update{
		Cluster: name, Head: r.Number() - 1, Warnings: s.warnings(c),
		lineage: r.LineageID(), digest: r.before().Commit().Digest,
	}
	if keys != nil {
		if err := s.copied(c, "update cluster --yes"); err != nil {
			return nil, nil, err
		}
	}
	old, err := s.inForce(ctx, r, name)
	if err != nil {
		return nil, nil, err
	}
	u.Released = old.commit
	for _, group := range slices.Sorted(slices.Values(old.lost)) {
		u.Warnings = append(u.Warnings, fmt.Sprintf("the bundle in force of group %s is gone; all of it counts as new", group))
	}
	catalogue, err := programs(ctx, kubernetesVersion(c), old.catalogue)
	if err != nil {
		return nil, nil, err
	}
	if u.Keysets, err = keys.fill(ctx, r, c); err != nil {
		return nil, nil, err
	}
	files, err := r.FS(ctx)
	if err != nil {
		return nil, nil, err
	}
	made, err := plan.Make(files, name, plan.Options{
		Catalogue: catalogue, ClusterID: r.LineageID(), OS: runtime.GOOS, Arch: runtime.GOARCH,
	})
	if err != nil {
		return nil, nil, err
	}
	if err := cluster.Invalid(made.Problems); err != nil {
		return nil, nil, err
	}
	u.Ignored, u.Notes = made.Ignored, append(made.Notes, old.leaves(made)...)
	u.Changes = slices.DeleteFunc(plan.Diff(old.plan, made), func(c plan.Change) bool { return c.Kind == plan.KindKeyset })
	if keys == nil {
		return u, nil, nil
	}
	if !made.Final() {
		return nil, nil, fmt.Errorf("update cluster %s: the plan leaves open what must be known", name)
	}
	r.WriteFile(catalogueName, catalogue.Encode())
	return u, &bundle.Release{
		Cluster: string(name), ClusterID: r.LineageID(), PollSeconds: pollSeconds, Groups: stage(r, made, old.plan),
	}, nil
}

// pollSeconds is how often nodes look for a new release: nodes.md §4. On a
// directory they look every second, whatever this says.
const pollSeconds = 300

// stage puts the bundles of a plan beside the record, but those in force, and
// names them all.
func stage(r *recorder, p, inForce *plan.Plan) map[string]bundle.Digest {
	groups := map[string]bundle.Digest{}
	for group, b := range p.Bundles {
		data, digest := b.Encode()
		groups[group] = digest
		if inForce != nil && inForce.Bundles[group] != nil {
			if _, same := inForce.Bundles[group].Encode(); same == digest {
				continue // read a moment ago
			}
		}
		r.Stage(bundle.ObjectName(group, digest), data)
	}
	return groups
}

// updatable loads a cluster that can be made live from here.
func (s *Store) updatable(ctx context.Context, r *recorder, name cluster.Name) (*cluster.Cluster, error) {
	if err := mustExist(r, name); err != nil {
		return nil, err
	}
	c, wrong, err := inspect(ctx, r, name)
	if err != nil {
		return nil, err
	}
	if c != nil && !c.OnHosts() {
		return nil, &CloudError{Cluster: name, Cloud: c.Cloud()}
	}
	return c, cluster.Invalid(wrong)
}

// CloudError is the refusal to make a cluster live that runs in a cloud: kops
// does that.
type CloudError struct {
	Cluster cluster.Name
	Cloud   string
}

func (e *CloudError) Error() string {
	return fmt.Sprintf("update cluster %s: it runs in a cloud (%s), not on hosts that Stateroom runs", e.Cluster, e.Cloud)
}

// Is makes a CloudError an errors.ErrUnsupported.
func (e *CloudError) Is(target error) bool { return target == errors.ErrUnsupported }

// Hint says who does it.
func (e *CloudError) Hint() string {
	return fmt.Sprintf("kops does that from the same store: kops update cluster %s --yes", e.Cluster)
}

func kubernetesVersion(c *cluster.Cluster) string {
	if v, err := cluster.ParseVersion(c.Spec.KubernetesVersion); err == nil {
		return v.String()
	}
	return c.Spec.KubernetesVersion
}

// live is what is released before an update.
type live struct {
	commit    int
	plan      *plan.Plan        // as it would look if it were made now; nil: nothing is released
	catalogue *bundle.Catalogue // nil: none is recorded
	lost      []string          // groups whose bundle is gone
}

// inForce reads what is released: from the bundles themselves, since they are
// what nodes run.
func (s *Store) inForce(ctx context.Context, r *recorder, name cluster.Name) (*live, error) {
	release, err := released(ctx, r.before())
	if err != nil || release == nil {
		return &live{}, err
	}
	l := &live{commit: release.Commit, plan: &plan.Plan{Cluster: name, Documents: map[string]string{}, Bundles: map[string]*bundle.Bundle{}}}
	var wg sync.WaitGroup
	var bundlesErr error
	wg.Go(func() { bundlesErr = s.readBundles(ctx, name, release, l) })
	err = l.readState(ctx, r.before())
	wg.Wait()
	return l, errors.Join(err, bundlesErr)
}

// leaves says of the groups that are released and no longer planned what becomes
// of their hosts.
func (l *live) leaves(next *plan.Plan) []string {
	var all []string
	if l.plan == nil {
		return nil
	}
	for _, group := range slices.Sorted(maps.Keys(l.plan.Bundles)) {
		if next.Bundles[group] == nil && len(l.plan.Bundles[group].Services) > 0 {
			all = append(all, fmt.Sprintf("group %s is gone: its hosts go on with what they run, and no release reaches them; stateroom-agent stop ends that on each", group))
		}
	}
	return all
}

// readState reads the documents and the catalogue of what is released.
func (l *live) readState(ctx context.Context, newest *store.Snapshot) error {
	from, err := newest.Earlier(ctx, l.commit)
	if err != nil {
		return err
	}
	files, err := from.FS(ctx, documents...)
	if err != nil {
		return err
	}
	for _, file := range from.Names() {
		if !isDocument(file) {
			continue
		}
		b, err := fs.ReadFile(files, file)
		if err != nil {
			return err
		}
		l.plan.Documents[file] = string(b)
	}
	l.catalogue, err = recordedCatalogue(ctx, from)
	return err
}

// readBundles reads the bundles of a release, all at once.
func (s *Store) readBundles(ctx context.Context, name cluster.Name, release *bundle.Release, l *live) error {
	own := s.store.Cluster(string(name)).Sub()
	var mu sync.Mutex
	var wg sync.WaitGroup
	var failed []error
	for group, digest := range release.Groups {
		wg.Go(func() {
			object := bundle.ObjectName(group, digest)
			data, _, err := own.Get(ctx, object)
			mu.Lock()
			defer mu.Unlock()
			if errors.Is(err, fs.ErrNotExist) {
				l.lost = append(l.lost, group)
				return
			}
			if err == nil {
				if l.plan.Bundles[group], err = bundle.Decode(data, digest); err != nil {
					err = &BundleError{Cluster: name, Group: group, Object: own.Name() + "/" + object, Err: err}
				}
			}
			if err != nil {
				delete(l.plan.Bundles, group)
				failed = append(failed, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(failed...)
}

// recordedCatalogue reads the catalogue that a snapshot carries; nil: none.
func recordedCatalogue(ctx context.Context, sn *store.Snapshot) (*bundle.Catalogue, error) {
	b, err := readBefore(ctx, sn, catalogueName)
	if b == nil || err != nil {
		return nil, err
	}
	c, err := bundle.ParseCatalogue(b)
	if err != nil {
		return nil, fmt.Errorf("catalogue of %s: %w", sn.Cluster(), err)
	}
	return c, nil
}

// BundleError says that what is live for a group cannot be read in the store.
type BundleError struct {
	Cluster cluster.Name
	Group   string
	Object  string // where it lies
	Err     error
}

func (e *BundleError) Error() string {
	return fmt.Sprintf("bundle in force of group %s of %s: %v", e.Group, e.Cluster, e.Err)
}

func (e *BundleError) Unwrap() error { return e.Err }

// Hint says how it is made again.
func (e *BundleError) Hint() string {
	return fmt.Sprintf("stateroom store fsck %s --repair makes it again", e.Cluster)
}

// DraftError is the refusal to make a draft live.
type DraftError struct {
	Cluster cluster.Name
	Draft   string
}

func (e *DraftError) Error() string {
	return fmt.Sprintf("update cluster %s: draft %s cannot go live: hosts follow what is committed to the cluster", e.Cluster, e.Draft)
}

// Is makes a DraftError an errors.ErrUnsupported.
func (e *DraftError) Is(target error) bool { return target == errors.ErrUnsupported }

// Hint says what to do first.
func (e *DraftError) Hint() string {
	return fmt.Sprintf("stateroom publish %s --name %s commits it to the cluster; then update cluster --yes", e.Draft, e.Cluster)
}
