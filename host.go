package stateroom

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/cluster"
)

// Machine is this machine as a host of clusters: where things lie on it.
type Machine struct {
	Hosts string // the directory of hosts, one folder per cluster
	Cache string // the directory of programs
	Agent string // the program stateroom-agent
	Node  string // this machine's name among the hosts of a cluster
}

// Dir is the directory of this machine as a host of a cluster.
func (m Machine) Dir(name cluster.Name) string { return filepath.Join(m.Hosts, string(name)) }

// KubeconfigPath is where the kubeconfig of a cluster lies that runs here.
func (m Machine) KubeconfigPath(name cluster.Name) string {
	return filepath.Join(m.Dir(name), "kubeconfig")
}

// AgentLog is where the agent of a cluster prints.
func (m Machine) AgentLog(name cluster.Name) string { return filepath.Join(m.Dir(name), "agent.log") }

func (m Machine) bootstrapPath(name cluster.Name) string {
	return filepath.Join(m.Dir(name), "bootstrap.json")
}

func serverAt(address string, port int) string {
	return "https://" + net.JoinHostPort(address, strconv.Itoa(port))
}

// LocalAddress derives from a cluster's id the loopback address that it runs on
// on this machine, so that several clusters can all have the usual ports. What
// systems use for themselves in 127.0.0.0/12 (127.0.0.1, 127.0.0.53,
// 127.0.1.1) is left out.
func LocalAddress(id string) string {
	h := sha256.Sum256([]byte("stateroom local address 1\n" + id))
	return netip.AddrFrom4([4]byte{127, 16 + h[0]%224, h[1], 1 + h[2]%254}).String()
}

// A Process is a service that runs on this machine.
type Process = bundle.ServiceStatus

// Running says what runs on this machine for one cluster.
type Running struct {
	Agent    int       `json:"agent"` // pid; 0: no agent
	Services []Process `json:"services"`
}

// Any reports whether anything runs.
func (r *Running) Any() bool { return r.Count() > 0 }

// Count is how many processes run, the agent included.
func (r *Running) Count() int {
	n := 0
	if r.Agent > 0 {
		n++
	}
	for _, p := range r.Services {
		if p.PID > 0 {
			n++
		}
	}
	return n
}

// Clusters lists the clusters that this machine is a host of, sorted.
func (m Machine) Clusters() ([]cluster.Name, error) {
	entries, err := os.ReadDir(m.Hosts)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list the clusters of this machine: %w", err)
	}
	var all []cluster.Name
	for _, e := range entries {
		if name, err := cluster.ParseName(e.Name()); err == nil && e.IsDir() {
			all = append(all, name)
		}
	}
	return all, nil
}

// IsHost reports whether this machine is or was a host of a cluster.
func (m Machine) IsHost(name cluster.Name) bool {
	_, err := os.Stat(m.bootstrapPath(name))
	return err == nil
}

// Running asks what runs here for a cluster.
func (m Machine) Running(ctx context.Context, name cluster.Name) (*Running, error) {
	if !m.IsHost(name) {
		return &Running{}, nil
	}
	out, err := m.agent(ctx, "status", "--dir", m.Dir(name), "-o", "json")
	if err != nil {
		return nil, err
	}
	r := &Running{}
	if err := json.Unmarshal(out, r); err != nil {
		return nil, fmt.Errorf("read what stateroom-agent says of %s: %w", m.Dir(name), err)
	}
	return r, nil
}

// Stop stops the agent and all services of a cluster here, and returns when no
// process is left. What they keep on disk stays.
func (m Machine) Stop(ctx context.Context, name cluster.Name) error {
	if !m.IsHost(name) {
		return nil
	}
	_, err := m.agent(ctx, "stop", "--dir", m.Dir(name))
	return err
}

// Forget removes all that a cluster keeps on this machine. It must be stopped.
func (m Machine) Forget(name cluster.Name) error {
	if err := os.RemoveAll(m.Dir(name)); err != nil {
		return fmt.Errorf("remove %s: %w", m.Dir(name), err)
	}
	return nil
}

// agent runs stateroom-agent to its end and returns what it printed.
func (m Machine) agent(ctx context.Context, args ...string) ([]byte, error) {
	if m.Agent == "" {
		return nil, &AgentError{Err: exec.ErrNotFound}
	}
	cmd := exec.CommandContext(ctx, m.Agent, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, &AgentError{Args: args, Err: err, Output: stderr.String()}
	}
	return out, nil
}

// start starts the agent in a session of its own, so that it outlives us, and
// returns a channel that tells when it ends while we are there.
func (m Machine) start(name cluster.Name, address string, flags ...string) (<-chan error, error) {
	if m.Agent == "" {
		return nil, &AgentError{Err: exec.ErrNotFound}
	}
	log, err := os.OpenFile(m.AgentLog(name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start stateroom-agent: %w", err)
	}
	defer log.Close()
	before, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, fmt.Errorf("start stateroom-agent: %w", err)
	}
	args := []string{"run", "--bootstrap", m.bootstrapPath(name), "--dir", m.Dir(name), "--node", m.Node, "--address", address, "--cache", m.Cache}
	args = append(args, flags...)
	cmd := exec.Command(m.Agent, args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Dir = "/" // keep no directory of the caller's in use
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, &AgentError{Args: args, Err: err}
	}
	ended := make(chan error, 1)
	go func() {
		err := cmd.Wait()
		if err == nil {
			err = errors.New("it ended")
		}
		ended <- &AgentError{Args: args, Err: err, Output: m.agentWords(name, before)}
	}()
	return ended, nil
}

// agentWords is the end of what the agent printed since its log had so many bytes.
func (m Machine) agentWords(name cluster.Name, since int64) string {
	b, err := os.ReadFile(m.AgentLog(name))
	if err != nil {
		return ""
	}
	if since <= int64(len(b)) { // else the log was put aside
		b = b[since:]
	}
	return bundle.LastWords(string(b))
}

// AgentError says that the program stateroom-agent did not do what it was asked.
type AgentError struct {
	Args   []string
	Err    error
	Output string // its standard error
}

func (e *AgentError) Error() string {
	what := "stateroom-agent"
	if len(e.Args) > 0 {
		what += " " + e.Args[0]
	}
	if e.Output == "" {
		return fmt.Sprintf("%s: %v", what, e.Err)
	}
	return fmt.Sprintf("%s: %v: %s", what, e.Err, bundle.LastWords(e.Output))
}

func (e *AgentError) Unwrap() error { return e.Err }

// Hint says where the program belongs.
func (e *AgentError) Hint() string {
	if errors.Is(e.Err, exec.ErrNotFound) || errors.Is(e.Err, fs.ErrNotExist) {
		return "stateroom-agent belongs beside stateroom: go build -o bin/ ./cmd/..."
	}
	return ""
}
