package stateroom

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
	"time"

	"github.com/stateroom/stateroom/cluster"
)

// EtcdSnapshot is a snapshot of an etcd of a cluster, which lies on this machine.
type EtcdSnapshot struct {
	Name      string    `json:"name"`
	Service   string    `json:"service"`
	Time      time.Time `json:"time"`
	Commit    int       `json:"commit"` // that ran when it was taken
	Cluster   string    `json:"cluster"`
	ClusterID string    `json:"clusterId"`
	Size      int64     `json:"size"`   // bytes
	SHA256    string    `json:"sha256"` // hex
}

// EtcdRestored is what the restore of a snapshot did.
type EtcdRestored struct {
	Snapshot EtcdSnapshot `json:"snapshot"`
	Before   string       `json:"before"`  // the directory that keeps the data of until then; "": there was none
	Running  bool         `json:"running"` // the services are ready again; false: nothing ran, and nothing was started
}

// A HostError is what the agent of this machine could not do, in its words.
type HostError struct {
	Message string
	Code    int // exit code of the agent
	hint    string
}

func (e *HostError) Error() string { return e.Message }

// Hint says what a person can do.
func (e *HostError) Hint() string { return e.hint }

// Is gives the agent's exit codes their meaning.
func (e *HostError) Is(target error) bool {
	return e.Code == 3 && target == fs.ErrNotExist || e.Code == 5 && target == fs.ErrPermission || e.Code == 6 && target == fs.ErrInvalid
}

// EtcdSnapshots lists the snapshots of a cluster's etcds here, the newest first.
func (m Machine) EtcdSnapshots(ctx context.Context, name cluster.Name) ([]EtcdSnapshot, error) {
	var all []EtcdSnapshot
	return all, m.etcdSnapshot(ctx, name, &all, "list")
}

// SaveEtcd takes a snapshot of each of a cluster's etcds that run here.
func (m Machine) SaveEtcd(ctx context.Context, name cluster.Name) ([]EtcdSnapshot, error) {
	var all []EtcdSnapshot
	return all, m.etcdSnapshot(ctx, name, &all, "save")
}

// RestoreEtcd makes a snapshot the data of its etcd, and waits until the
// services that were stopped for it are ready again.
func (m Machine) RestoreEtcd(ctx context.Context, name cluster.Name, snapshot string, wait time.Duration) (*EtcdRestored, error) {
	r := &EtcdRestored{}
	return r, m.etcdSnapshot(ctx, name, r, "restore", "--snapshot", snapshot, "--wait", wait.String())
}

func (m Machine) etcdSnapshot(ctx context.Context, name cluster.Name, into any, verb string, more ...string) error {
	if !m.IsHost(name) {
		return &MissingError{What: "on this machine, a host of cluster", Name: string(name), hint: fmt.Sprintf("stateroom up %s makes this machine one; snapshots are on the hosts themselves", name)}
	}
	args := append([]string{"etcd-snapshot", verb, "--dir", m.Dir(name), "-o", "json"}, more...)
	out, err := m.agent(ctx, args...)
	if err != nil {
		return inItsWords(err)
	}
	if err := json.Unmarshal(out, into); err != nil {
		return fmt.Errorf("read what stateroom-agent says of %s: %w", m.Dir(name), err)
	}
	return nil
}

// inItsWords makes of the failure of an agent that said what is wrong an error
// that says that and nothing more.
func inItsWords(err error) error {
	const name = "stateroom-agent: "
	e, exit := new(AgentError), new(exec.ExitError)
	if !errors.As(err, &e) || !errors.As(err, &exit) || !strings.HasPrefix(e.Output, name) {
		return err
	}
	said := &HostError{Code: exit.ExitCode()}
	for line := range strings.Lines(e.Output) {
		line = strings.TrimSpace(strings.TrimPrefix(line, name))
		if hint, ok := strings.CutPrefix(line, "hint: "); ok {
			said.hint = hint
			continue
		}
		said.Message = strings.TrimSpace(said.Message + "\n" + line)
	}
	return said
}
