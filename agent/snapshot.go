package agent

import (
	"context"
	"time"
)

// Data looks after what services keep on a host over their restarts. The real
// one is [Machine].
type Data interface {
	// Preserve keeps a copy of what is at risk when next comes into force: of
	// the data of services that run and would be restarted or ended. of says
	// what it is of. An error is a [SnapshotError]: next must not come into
	// force then.
	Preserve(ctx context.Context, next *Set, of Snapshot) error

	// Pending returns the service whose data is to be replaced, or "". It must
	// not run, nor any service that comes after it.
	Pending(ctx context.Context) (service string, err error)

	// Restore replaces the data of the service that is pending. Nothing is
	// pending afterwards, or there is an error.
	Restore(ctx context.Context) error
}

// Snapshot is a snapshot of an etcd that lies on this host. Its format is in
// docs/formats/host.md.
type Snapshot struct {
	Format    int       `json:"format"`
	Name      string    `json:"name"`
	Service   string    `json:"service"`
	Time      time.Time `json:"time"`
	Commit    int       `json:"commit"` // that ran
	Cluster   string    `json:"cluster"`
	ClusterID string    `json:"clusterId"`
	Size      int64     `json:"size"`   // bytes
	SHA256    string    `json:"sha256"` // hex, of the whole file
}

// A SnapshotError says why there is no snapshot of a service. It hides what kind
// of error that was: nothing of it is the fault of a bundle.
type SnapshotError struct {
	Service string
	Err     error
}

func (e *SnapshotError) Error() string { return "snapshot of " + e.Service + ": " + e.Err.Error() }
