package agent

import (
	"context"
	"time"

	"github.com/stateroom/stateroom/bundle"
)

// A Host is the machine that a node runs on. The real one is [Machine]; the
// fake of the tests judges that it is used as written here.
type Host interface {
	// Stage brings the whole set of a bundle onto the machine, beside the set
	// in force, durable on return. If the machine has it as it should be, it
	// writes nothing and returns it; files of it that were changed by others
	// are put right. A set whose certificates are due is staged anew.
	// It may take minutes (programs are fetched) and ends with ctx.
	Stage(ctx context.Context, want Wanted) (*Set, error)

	// Switch puts a staged set in force, in one atomic step. After it, sets of
	// other bundles than its own and those of keep may be gone.
	Switch(ctx context.Context, s *Set, keep ...bundle.Digest) error

	// Services tells of every service that the machine runs or keeps trying to
	// run, in no particular order.
	Services(ctx context.Context) ([]ServiceState, error)

	// Start makes the machine keep a service running, which it must not do
	// yet. It returns at once.
	Start(ctx context.Context, r Run) error

	// Stop makes the machine end a service and forget it. It returns at once:
	// the service is gone when Services no longer tells of it.
	Stop(ctx context.Context, name string) error
}

// Wanted is a verified bundle.
type Wanted struct {
	Digest bundle.Digest
	Bundle *bundle.Bundle
}

// A Set is a bundle as it stands on a machine: placeholders filled,
// certificates made, programs at hand.
type Set struct {
	ID       string // names the set on its machine; two with one ID are the same
	Bundle   bundle.Digest
	Services []Run  // in the order in which they start
	Mended   []Mend // what this Stage found changed by others, and put right
}

// A Mend is something of a set that others had changed.
type Mend struct {
	Kind string // bundle.DriftFile or DriftLink
	Name string // path in the set
	What string // had become of it
}

// find returns the service of that name.
func (s *Set) find(name string) (Run, bool) {
	if s != nil {
		for _, r := range s.Services {
			if r.Name == name {
				return r, true
			}
		}
	}
	return Run{}, false
}

// digests returns the digests of the services by name.
func (s *Set) digests() map[string]string {
	d := map[string]string{}
	for _, r := range s.Services {
		d[r.Name] = r.Digest
	}
	return d
}

// A Run says how to run a service. Its Digest is over all that a running
// process was made from: the program, its arguments, the files and
// certificates that it needs. Two of the same digest are the same process.
type Run struct {
	Name    string   `json:"name"`
	Digest  string   `json:"digest"`
	Program string   `json:"program"` // absolute path
	Args    []string `json:"args"`
	After   []string `json:"after,omitempty"`
	Ready   *Ready   `json:"ready,omitempty"` // nil: ready once it runs
	Stop    Duration `json:"stop"`            // from the request to stop to the kill
}

// Ready is a probe with all its paths absolute.
type Ready struct {
	URL         string   `json:"url"`
	CA          string   `json:"ca,omitempty"`
	Certificate string   `json:"certificate,omitempty"` // path without .crt and .key
	Timeout     Duration `json:"timeout"`               // from the start to ready
}

// A Duration is written as text, such as "1m30s".
type Duration time.Duration

// MarshalText returns the text of a time.Duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads the text of a time.Duration.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// A ServiceState is one service as it is now.
type ServiceState struct {
	Name   string
	Digest string   // of the Run
	After  []string // of the Run
	State  State

	PID     int       // 0: no process now
	Started time.Time // of the process
	Since   time.Time // of the first process of this Run
	Ready   time.Time // since when its probe says ready; zero: it does not

	Exits     int       // how often a process of this Run ended unasked
	Crashes   int       // those among them that had been ready
	LastExit  string    // how the last one ended
	Exited    time.Time // when
	LastWords string    // what it printed last, ended or not ready
	Probe     string    // what the last probe said, if not ready
}

// State is what a service does, in a word for people.
type State string

// The states of a service.
const (
	Starting State = "starting" // runs, not ready
	Running  State = "running"  // and ready
	Waiting  State = "waiting"  // ended unasked; will be started again
	Stopping State = "stopping"
)
