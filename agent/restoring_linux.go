package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/internal/durable"
	"github.com/stateroom/stateroom/vfs"
)

// A Vault is the snapshots of a host's directory, seen from outside of the
// agent, which may run or not.
type Vault struct {
	opt    MachineOptions
	dir    string
	tree   *durable.Tree
	memory *vfs.FS
}

// OpenVault opens the directory of a host, which must be there. Its memory is
// where its agent keeps what it remembers.
func OpenVault(opt MachineOptions, memory *vfs.FS) (*Vault, error) {
	opt = opt.withDefaults()
	dir, err := filepath.Abs(opt.Dir)
	if err != nil {
		return nil, err
	}
	tree, err := durable.Open(dir, opt.Step)
	if err != nil {
		return nil, err
	}
	return &Vault{opt, dir, tree, memory}, nil
}

// Close closes the directory.
func (v *Vault) Close() { v.tree.Close() }

func (v *Vault) snapshots() *snapshots {
	return &snapshots{tree: v.tree, keep: v.opt.Snapshots, now: v.opt.Now}
}

// List returns the snapshots, the newest first.
func (v *Vault) List() ([]Snapshot, error) { return v.snapshots().list() }

// Save takes a snapshot of every etcd that runs now.
func (v *Vault) Save(ctx context.Context) ([]Snapshot, error) {
	now, err := v.inForce(ctx)
	if err != nil {
		return nil, err
	}
	all := []Snapshot{}
	recs, err := records(v.tree.Root())
	if err != nil {
		return nil, err
	}
	for _, rec := range recs {
		if e, ok := etcdOf(rec.Run); ok && rec.Process.alive() {
			one, err := v.snapshots().save(ctx, e, now.of)
			if err != nil {
				return all, err
			}
			all = append(all, *one)
		}
	}
	if len(all) == 0 {
		return nil, &idleError{v.dir}
	}
	return all, nil
}

// idleError says that there is no etcd to take a snapshot of.
type idleError struct{ dir string }

func (e *idleError) Error() string        { return "no etcd runs on " + e.dir }
func (e *idleError) Is(target error) bool { return target == fs.ErrNotExist }
func (e *idleError) Hint() string {
	return "stateroom up starts it; stateroom etcd snapshot list shows what was taken before"
}

// inForce is the set in force, as its files tell of it.
type inForce struct {
	of       Snapshot // what a snapshot of now is of
	services []Run
}

func (v *Vault) inForce(ctx context.Context) (*inForce, error) {
	m := &Machine{root: v.tree.Root()}
	id, err := m.current()
	if err == nil && id == "" {
		err = &unreleasedError{v.dir}
	}
	if err != nil {
		return nil, err
	}
	rec, err := m.readRecord(id)
	if err != nil {
		return nil, err
	}
	text, _, err := v.memory.Get(ctx, bundleDir+rec.Bundle.Hex())
	if err != nil {
		return nil, err
	}
	b, err := bundle.Decode(text, rec.Bundle)
	if err != nil {
		return nil, err
	}
	mem, _, err := recall(ctx, v.memory)
	if err != nil {
		return nil, err
	}
	now := &inForce{of: Snapshot{Cluster: b.Cluster, ClusterID: b.ClusterID, Commit: mem.commitOf(rec.Bundle)}}
	now.services, err = runs(b, rec.Site, nil) // without digests: nothing is started from them
	return now, err
}

// commitOf returns the newest commit that is remembered to have named a bundle.
func (m *memory) commitOf(d bundle.Digest) int {
	aims := []*Aim{m.Trial, m.Seen}
	for _, k := range []*Kept{m.Ready, m.Good} {
		if k != nil {
			aims = append(aims, &k.Aim)
		}
	}
	commit := 0
	for _, a := range aims {
		if a != nil && a.Digest == d {
			commit = max(commit, a.Commit)
		}
	}
	return commit
}

// A RestoreError says why a snapshot cannot be restored. Nothing was changed.
type RestoreError struct {
	Name string
	Err  error
	hint string
}

func (e *RestoreError) Error() string {
	return "restore " + e.Name + ": " + strings.TrimPrefix(e.Err.Error(), "snapshot "+e.Name+": ")
}

// Unwrap returns the cause.
func (e *RestoreError) Unwrap() error { return e.Err }

// Hint says what a person can do.
func (e *RestoreError) Hint() string { return e.hint }

// Restored is what a restore did.
type Restored struct {
	Snapshot Snapshot `json:"snapshot"`
	Before   string   `json:"before"` // the data that was there until then; "" where there was none
	Running  bool     `json:"running"`
}

// revisions is by how much the revision of etcd is moved on by a restore, so
// that it is beyond all that any client has seen: what Kubernetes advises.
const revisions = "1000000000"

// Restore makes a snapshot the data of its etcd. The agent that runs carries it
// out, and starts all again; Restore returns when that is ready, or when ctx
// ends. Where no agent runs, nothing does afterwards either.
func (v *Vault) Restore(ctx context.Context, name string) (*Restored, error) {
	asked := v.opt.Now()
	r, done, err := v.ask(ctx, name)
	if err != nil {
		re := &RestoreError{Name: name, Err: err}
		re.hint = restoreHint(err)
		return nil, re
	}
	if err := v.await(ctx, r, asked, done); err != nil {
		return nil, fmt.Errorf("restore %s: it is under way on %s, and not done: %w", name, v.dir, err)
	}
	if _, err := v.tree.Root().Lstat(r.Before); err == nil {
		done.Before = filepath.Join(v.dir, r.Before)
	}
	return done, nil
}

// restoreHint says what a person can do about a restore that was refused.
func restoreHint(err error) string {
	switch {
	case errors.Is(err, errNoEtcdutl):
		return "release a version whose programs have etcdutl, or run etcd's own snapshot restore"
	case errors.Is(err, bundle.ErrDigest), errors.Is(err, errOtherRecord):
		return "nothing was changed; stateroom etcd snapshot list shows the others"
	case errors.As(err, new(*foreignError)):
		return "restore it on a host of that cluster; stateroom etcd snapshot list shows those of this one"
	case errors.Is(err, fs.ErrExist):
		return "stateroom status shows when it is done"
	case errors.Is(err, fs.ErrNotExist) && !errors.As(err, new(*unreleasedError)):
		return "stateroom etcd snapshot list shows what there is"
	}
	if h := interface{ Hint() string }(nil); errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

// foreignError says that a snapshot is of another cluster than the host.
type foreignError struct{ is, wanted Snapshot }

func (e *foreignError) Error() string {
	return fmt.Sprintf("it is of cluster %s (%s), not of %s (%s)", e.is.Cluster, e.is.ClusterID, e.wanted.Cluster, e.wanted.ClusterID)
}
func (e *foreignError) Is(target error) bool { return target == fs.ErrInvalid }

// unreleasedError says that a host has nothing to run yet.
type unreleasedError struct{ dir string }

func (e *unreleasedError) Error() string        { return "nothing was released to " + e.dir + " yet" }
func (e *unreleasedError) Is(target error) bool { return target == fs.ErrNotExist }
func (e *unreleasedError) Hint() string         { return "stateroom up starts what is released" }

var errNoEtcdutl = errors.New("the release that is in force brings no program etcdutl")

// ask checks all there is to check, makes the new data directory beside the old
// one, and leaves the request.
func (v *Vault) ask(ctx context.Context, name string) (*request, *Restored, error) {
	unlock, err := v.snapshots().lock(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer unlock()
	if pending, err := pendingRestore(v.tree); err != nil || pending != nil {
		if err == nil {
			err = fmt.Errorf("a restore of %s is under way: %w", pending.Snapshot, fs.ErrExist)
		}
		return nil, nil, err
	}
	one, err := v.snapshots().read(name)
	if err != nil {
		return nil, nil, err
	}
	if err := v.snapshots().verify(one); err != nil {
		return nil, nil, err
	}
	now, err := v.inForce(ctx)
	if err != nil {
		return nil, nil, err
	}
	if now.of.ClusterID != one.ClusterID {
		return nil, nil, &foreignError{*one, now.of}
	}
	e, err := now.etcd(one.Service)
	if err != nil {
		return nil, nil, err
	}
	data, err := filepath.Rel(v.dir, e.data)
	if err != nil || !strings.HasPrefix(data, "state/") || e.flags["wal-dir"] != "" {
		return nil, nil, fmt.Errorf("the data of %s is not below %s/state alone: %w", e.service, v.dir, errors.ErrUnsupported)
	}
	v.sweep()
	stamp := v.opt.Now().UTC().Format(stampLayout)
	r := &request{Format: 1, Service: e.service, Snapshot: name, Data: data, Restored: data + ".restored-" + stamp, Before: data + ".before-" + stamp}
	err = v.unpack(ctx, e, one, r.Restored)
	if err == nil {
		err = v.leave(r)
	}
	if err != nil {
		return nil, nil, errors.Join(err, v.tree.Root().RemoveAll(r.Restored))
	}
	return r, &Restored{Snapshot: *one}, nil
}

// restoredName is a data directory that was made of a snapshot.
var restoredName = regexp.MustCompile(`\.restored-[0-9]{8}T[0-9]{6}Z$`)

// sweep removes, as well as it can, data directories that were made for requests
// which were never left. No request is pending, and nobody else makes one.
func (v *Vault) sweep() {
	all, _ := fs.ReadDir(v.tree.Root().FS(), "state") // what could be read
	for _, e := range all {
		if restoredName.MatchString(e.Name()) {
			_ = v.tree.Root().RemoveAll(path.Join("state", e.Name()))
		}
	}
}

func (n *inForce) etcd(service string) (etcd, error) {
	for _, r := range n.services {
		if e, ok := etcdOf(r); ok && r.Name == service {
			return e, nil
		}
	}
	return etcd{}, fmt.Errorf("the release that is in force has no etcd %s: %w", service, fs.ErrNotExist)
}

// unpack makes a data directory of a snapshot, durable on return.
func (v *Vault) unpack(ctx context.Context, e etcd, one *Snapshot, to string) error {
	program := filepath.Join(v.dir, currentName, binDir, etcdutl)
	if _, err := os.Stat(program); err != nil {
		return errNoEtcdutl
	}
	cmd := exec.CommandContext(ctx, program, "snapshot", "restore", filepath.Join(v.dir, snapshotDir, one.Name+".db"),
		"--data-dir="+filepath.Join(v.dir, to), "--bump-revision="+revisions, "--mark-compacted",
		"--name="+e.flags["name"], "--initial-cluster="+e.flags["initial-cluster"],
		"--initial-cluster-token="+e.flags["initial-cluster-token"], "--initial-advertise-peer-urls="+e.flags["initial-advertise-peer-urls"])
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("etcdutl: %w: %s", err, lastWords(string(out)))
	}
	return fs.WalkDir(v.tree.Root().FS(), to, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return errors.Join(err, v.tree.SyncFile(p))
		}
		return v.tree.SyncDir(p)
	})
}

// leave writes the request, in one step.
func (v *Vault) leave(r *request) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := v.tree.SyncDir(path.Dir(r.Restored)); err != nil {
		return err
	}
	return v.tree.WriteFile(restoreName, append(text, '\n'), 0o600)
}

// await sees a request carried out: by the agent, or here where none runs.
func (v *Vault) await(ctx context.Context, r *request, asked time.Time, done *Restored) error {
	for {
		_, running, err := held(v.tree.Root())
		if err != nil {
			return err
		}
		if !running {
			if err := v.carryOut(ctx); err != nil {
				if _, busy := errors.AsType[*BusyError](err); !busy {
					return err
				}
			}
		}
		pending, err := pendingRestore(v.tree)
		if err != nil {
			return err
		}
		if pending == nil && (!running || v.served(ctx, r.Service, asked)) {
			done.Running = running
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(busyTick):
		}
	}
}

// carryOut does what an agent would do of a request, but starts nothing.
func (v *Vault) carryOut(ctx context.Context) error {
	m, err := OpenMachine(ctx, v.opt)
	if err != nil {
		return err
	}
	for pending := true; pending && err == nil; {
		set := &Set{}
		for _, k := range m.all() {
			set.Services = append(set.Services, k.current())
		}
		set.Services = byAfter(set.Services)
		if _, pending, err = restore(ctx, m, m, set); pending && err == nil {
			time.Sleep(20 * time.Millisecond)
		}
	}
	return errors.Join(err, m.Close())
}

// byAfter sorts services so that each stands behind those it comes after.
func byAfter(all []Run) []Run {
	var sorted []Run
	for range all {
		for _, r := range all {
			waits := false
			for _, a := range all {
				if _, placed := (&Set{Services: sorted}).find(a.Name); !placed && slices.Contains(r.After, a.Name) {
					waits = true
				}
			}
			if _, placed := (&Set{Services: sorted}).find(r.Name); !placed && !waits {
				sorted = append(sorted, r)
			}
		}
	}
	return sorted
}

// served reports whether a service was started after a time, and all services
// are ready.
func (v *Vault) served(ctx context.Context, service string, after time.Time) bool {
	recs, err := records(v.tree.Root())
	if err != nil {
		return false
	}
	started := false
	for _, rec := range recs {
		if !rec.Process.alive() || rec.Ready.IsZero() {
			return false
		}
		started = started || rec.Run.Name == service && rec.Started.After(after)
	}
	now, err := v.inForce(ctx)
	return err == nil && started && len(recs) >= len(now.services)
}
