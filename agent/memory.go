package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/vfs"
)

// Names of what an agent remembers, in Options.Memory.
const (
	memoryName = "memory.json"
	reportName = "report.json" // the newest report, for who asks on the host
	bundleDir  = "bundles/"    // verified bundles by digest, for a start without network
)

// Limits of what an agent remembers.
const (
	maxMemory = 1 << 20 // bytes
	maxBad    = 16      // bundles that failed
)

// An Aim is a bundle that a release names.
type Aim struct {
	Commit int           `json:"commit"`
	Digest bundle.Digest `json:"digest"`
}

// Kept is a bundle that can be gone back to, with the digests of its services.
type Kept struct {
	Aim
	Services map[string]string `json:"services"`
	Version  string            `json:"version,omitempty"` // of Kubernetes
}

// memory is what an agent must not forget over a crash. Its format is in
// docs/formats/host.md.
type memory struct {
	Format    int    `json:"format"`
	ClusterID string `json:"clusterId"`
	Group     string `json:"group"`

	Seen  *Aim  `json:"seen,omitempty"`  // what the newest release names
	Trial *Aim  `json:"trial,omitempty"` // in force, not yet known to be good
	Ready *Kept `json:"ready,omitempty"` // was on trial, and all ready, when Trial took its place
	Good  *Kept `json:"good,omitempty"`  // last known good

	Bad []bundle.Failure `json:"bad,omitempty"` // bundles that failed, oldest first

	Version string `json:"version,omitempty"` // of Kubernetes: of what came into force last
}

// recall reads the memory, and its text without the last line feed; none is an
// empty one.
func recall(ctx context.Context, f *vfs.FS) (memory, string, error) {
	data, _, err := f.Get(ctx, memoryName)
	if errors.Is(err, fs.ErrNotExist) {
		return memory{Format: 1}, "", nil
	}
	if err != nil {
		return memory{}, "", err
	}
	if len(data) > maxMemory {
		return memory{}, "", &memoryError{f.Name(), fmt.Errorf("it is larger than %d bytes: %w", maxMemory, fs.ErrInvalid)}
	}
	var head struct{ Format int }
	err = json.Unmarshal(data, &head)
	if err == nil && head.Format > 1 {
		return memory{}, "", &bundle.FormatError{What: memoryName, Got: head.Format}
	}
	var m memory
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	if err != nil {
		return memory{}, "", &memoryError{f.Name(), err}
	}
	return m, strings.TrimSuffix(string(data), "\n"), nil
}

// A memoryError says that what a host remembers cannot be read. To go on without
// would let an old release pass for a new one, so a person decides that.
type memoryError struct {
	place string
	err   error
}

func (e *memoryError) Error() string {
	return fmt.Sprintf("what this host remembers is damaged: read %s in %s: %v", memoryName, e.place, e.err)
}
func (e *memoryError) Unwrap() error { return e.err }
func (e *memoryError) Hint() string {
	return "what runs goes on; without " + memoryName + " the agent takes the release that is there now for the newest: look at that one, then remove the file"
}

// keep writes a memory, unless it is what was written or read last: a host whose
// disk is full still has all that it remembers.
func (a *Agent) keep(ctx context.Context, m memory) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil || string(text) == a.stored {
		return err
	}
	if _, err = a.opt.Memory.Put(ctx, memoryName, append(text, '\n'), vfs.Cond{}, ""); err == nil {
		a.stored = string(text)
	}
	return err
}

// back returns what to go back to when the bundle on trial fails, or nil. Nothing
// goes back by itself to another minor version of Kubernetes: the newer one may
// have written what the older one cannot read, and etcd with it.
func (m *memory) back() *Kept {
	for _, k := range []*Kept{m.Ready, m.Good} {
		if k != nil && sameMinor(k.Version, m.Version) {
			return k
		}
	}
	return nil
}

// before returns what was there before the bundle on trial, or nil.
func (m *memory) before() *Kept {
	if m.Ready != nil {
		return m.Ready
	}
	return m.Good
}

// sameMinor compares versions up to their minor number. One that was not noted
// is no reason against anything.
func sameMinor(a, b string) bool {
	minor := func(v string) string {
		major, rest, _ := strings.Cut(v, ".")
		minor, _, _ := strings.Cut(rest, ".")
		return major + "." + minor
	}
	return a == "" || b == "" || minor(a) == minor(b)
}

// isGood reports whether a bundle is the last known good one.
func (m *memory) isGood(d bundle.Digest) bool { return m.Good != nil && m.Good.Digest == d }

// failure returns why a bundle is known to be bad, or nil. A newer commit that
// names it again gives it another chance.
func (m *memory) failure(a Aim) *bundle.Failure {
	for i := len(m.Bad) - 1; i >= 0; i-- {
		if m.Bad[i].Digest == a.Digest && m.Bad[i].Commit >= a.Commit {
			return &m.Bad[i]
		}
	}
	return nil
}

func (m *memory) condemn(f bundle.Failure) {
	m.forgive(f.Digest)
	m.Bad = append(m.Bad, f)
	m.Bad = m.Bad[max(0, len(m.Bad)-maxBad):]
}

func (m *memory) forgive(d bundle.Digest) {
	m.Bad = slices.DeleteFunc(m.Bad, func(f bundle.Failure) bool { return f.Digest == d })
}

// bundleOf returns a verified bundle: from memory, else from the store, and
// then it is remembered.
func (a *Agent) bundleOf(ctx context.Context, d bundle.Digest) (*bundle.Bundle, error) {
	data, _, err := a.opt.Memory.Get(ctx, bundleDir+d.Hex())
	if err == nil {
		if b, err := a.check(data, d); err == nil {
			return b, nil
		}
	}
	err = a.fetching.do(ctx, bundlePatience, func(ctx context.Context) (err error) {
		data, _, err = a.opt.Store.Get(ctx, bundle.ObjectName(a.opt.Bootstrap.Group, d))
		return err
	})
	if err != nil {
		return nil, &fetchError{d, err}
	}
	b, err := a.check(data, d)
	if err != nil {
		return nil, err
	}
	_, err = a.opt.Memory.Put(ctx, bundleDir+d.Hex(), data, vfs.Cond{}, "")
	return b, err
}

// A fetchError says why a bundle cannot be had. It hides what kind of error that
// was: nothing of it is the fault of the bundle.
type fetchError struct {
	bundle bundle.Digest
	err    error
}

func (e *fetchError) Error() string { return "fetch bundle " + e.bundle.Short() + ": " + e.err.Error() }

// check verifies that the bytes are the bundle asked for and that it is meant
// for this node: it may be a whole bundle of another cluster or group.
func (a *Agent) check(data []byte, d bundle.Digest) (*bundle.Bundle, error) {
	b, err := bundle.Decode(data, d)
	if err != nil {
		return nil, err
	}
	boot := a.opt.Bootstrap
	if b.Cluster != boot.Cluster || b.ClusterID != boot.ClusterID || b.Group != boot.Group {
		return nil, fmt.Errorf("bundle %s is of group %s of cluster %s (%s), not of group %s of %s (%s): %w",
			d.Short(), b.Group, b.Cluster, b.ClusterID, boot.Group, boot.Cluster, boot.ClusterID, fs.ErrInvalid)
	}
	return b, nil
}

// forget drops remembered bundles that are of no more use.
func (a *Agent) forget(ctx context.Context) error {
	keep := a.needed()
	for e, err := range a.opt.Memory.List(ctx, bundleDir, "") {
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(keep, func(d bundle.Digest) bool { return bundleDir+d.Hex() == e.Key }) {
			if err := a.opt.Memory.Delete(ctx, e.Key, vfs.Cond{}); err != nil {
				return err
			}
		}
	}
	return nil
}
