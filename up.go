package stateroom

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/internal/durable"
	"github.com/stateroom/stateroom/plan"
)

// Up says how a cluster is brought up on this machine.
type Up struct {
	Create   Create // for a cluster that is not there yet
	Programs Programs
	Machine  Machine
	Message  string
	Wait     time.Duration                    // for the control plane, at most
	Say      func(format string, args ...any) // hears of each step as it begins; nil: nobody
	Progress func(*Standing)                  // hears of the hosts while they are waited for
}

// upValidity is how long the admin certificate is valid that up puts beside the
// host's state. A shorter one would save nothing: the key that signs it lies
// in the same directory.
const upValidity = 365 * 24 * time.Hour

// Up creates a cluster's state where it is missing, makes it live, makes this
// machine its control plane, and waits until the API server is ready and serves
// the default ServiceAccount. All of it may be run again.
func (s *Store) Up(ctx context.Context, name cluster.Name, up Up) (*Standing, error) {
	if up.Say == nil {
		up.Say = func(string, ...any) {}
	}
	w := Write{Message: up.Message}
	if _, err := s.load(ctx, name); errors.Is(err, fs.ErrNotExist) {
		up.Say("creating cluster %s in %s", name, s.Place())
		up.Create.Name = name
		if _, err := s.Create(ctx, up.Create, w); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	up.Programs.Here = true
	u, err := s.Update(ctx, name, up.Programs, w)
	if err != nil {
		return nil, err
	}
	if u.Commit > 0 {
		up.Say("released commit %d", u.Commit)
	} else {
		up.Say("commit %d is released already", u.Released)
	}
	started := s.opt.Now()
	ended, err := s.join(ctx, name, up)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, up.Wait)
	defer cancel()
	up.Say("waiting for the control plane")
	return s.waitUp(ctx, name, up, started, ended)
}

// waitUp waits for a control plane whose agent must not end meanwhile.
func (s *Store) waitUp(ctx context.Context, name cluster.Name, up Up, started time.Time, ended <-chan error) (*Standing, error) {
	w := Wait{Progress: up.Progress}
	if ended != nil {
		w.Node, w.Since = up.Machine.Node, started
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case err := <-ended:
			cancel(err)
		case <-ctx.Done():
		}
	}()
	st, err := s.Wait(ctx, name, w)
	if err == nil {
		up.Say("waiting for the default ServiceAccount")
		err = s.waitForServiceAccount(ctx, name)
	}
	if agent := new(AgentError); errors.As(context.Cause(ctx), &agent) {
		return st, agent
	}
	return st, err
}

// join makes this machine a host of the cluster's control plane and starts the
// agent, unless it runs. The channel tells when the agent ends.
func (s *Store) join(ctx context.Context, name cluster.Name, up Up) (<-chan error, error) {
	c, err := s.load(ctx, name)
	if err != nil {
		return nil, err
	}
	group, err := controlPlane(c)
	if err != nil {
		return nil, err
	}
	head, err := s.headOf(ctx, name)
	if err != nil {
		return nil, err
	}
	id := head.LineageID()
	b := bundle.Bootstrap{Store: s.address(), Cluster: string(name), ClusterID: id, Group: group}
	data, err := b.Encode()
	if err != nil {
		return nil, err
	}
	m := up.Machine
	if err := os.MkdirAll(m.Dir(name), 0o700); err != nil {
		return nil, fmt.Errorf("make this machine a host of %s: %w", name, err)
	}
	// What is there is not written again: the disk may be full.
	old, err := os.ReadFile(m.bootstrapPath(name))
	if was, bad := bundle.DecodeBootstrap(old); err == nil && bad == nil && was.ClusterID != id {
		return nil, &OtherHostError{Cluster: name, ID: id, Other: was.ClusterID, Dir: m.Dir(name)}
	}
	if err != nil || !bytes.Equal(old, data) {
		if err := WriteSecretFile(m.bootstrapPath(name), data); err != nil {
			return nil, fmt.Errorf("make this machine a host of %s: %w", name, err)
		}
	}
	address := LocalAddress(id)
	server := serverAt(address, plan.APIPort(c))
	if _, err := s.WriteKubeconfig(ctx, name, m, Access{Server: server, Validity: upValidity}); err != nil {
		if !s.goodKubeconfig(m.KubeconfigPath(name), server) {
			return nil, err
		}
		up.Say("%v; the one that is there goes on", err)
	}
	running, err := m.Running(ctx, name)
	if err != nil {
		return nil, err
	}
	if running.Agent > 0 {
		up.Say("stateroom-agent runs (pid %d)", running.Agent)
		return nil, nil
	}
	up.Say("starting stateroom-agent on %s (log: %s)", address, m.AgentLog(name))
	return m.start(name, address, s.pollHere()...)
}

// OtherHostError says that this machine is a host of a cluster of the same name
// that was another: its store is not here any more, or it was deleted.
type OtherHostError struct {
	Cluster   cluster.Name
	ID, Other string // of the histories of the two
	Dir       string // of the other, on this machine
}

func (e *OtherHostError) Error() string {
	return fmt.Sprintf("this machine is a host of another cluster %s (%s, and not %s)", e.Cluster, e.Other, e.ID)
}

// Is makes an OtherHostError an fs.ErrPermission: what belongs to another is
// left alone.
func (e *OtherHostError) Is(target error) bool { return target == fs.ErrPermission }

// Hint says what to do with what is there.
func (e *OtherHostError) Hint() string {
	return fmt.Sprintf("its keys and its etcd are in %s: if nobody needs them, stateroom down %s, and move that folder away", e.Dir, e.Cluster)
}

// pollHere are the flags of the agent of a machine where a person waits for it:
// a store that is some way off is asked every few seconds, and not when the
// release says. In a directory it looks every second by itself.
func (s *Store) pollHere() []string {
	if !strings.Contains(s.address(), "://") || strings.HasPrefix(s.address(), "file://") {
		return nil
	}
	return []string{"--poll", "3s"}
}

// controlPlane is the group that this machine becomes a host of.
func controlPlane(c *cluster.Cluster) (string, error) {
	for _, g := range c.Groups {
		if g.Spec.Role == cluster.RoleControlPlane {
			return g.Name, nil
		}
	}
	return "", &MissingError{What: "control-plane group of", Name: string(c.Name)}
}

// WriteKubeconfig writes the kubeconfig of a cluster that runs on this machine
// into its directory, mode 0600, and returns its path.
func (s *Store) WriteKubeconfig(ctx context.Context, name cluster.Name, m Machine, a Access) (string, error) {
	b, err := s.Kubeconfig(ctx, name, a)
	if err != nil {
		return "", err
	}
	path := m.KubeconfigPath(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("write the kubeconfig of %s: %w", name, err)
	}
	if err := WriteSecretFile(path, b); err != nil {
		return "", fmt.Errorf("write the kubeconfig of %s: %w", name, err)
	}
	return path, nil
}

// WriteSecretFile writes a file of mode 0600 that readers see whole or not at
// all, also after a crash of the machine.
func WriteSecretFile(path string, b []byte) error {
	dir, err := durable.Open(filepath.Dir(path), nil)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.WriteFile(filepath.Base(path), b, 0o600)
}

// Kubectl is a kubectl that talks to a cluster.
type Kubectl struct {
	Path       string // of the program; a multi-call one goes by the name it is started under
	Kubeconfig string // path
}

// Kubectl finds the kubectl of the released version, and writes the kubeconfig
// of the cluster where it is missing, about to expire, or of another port.
func (s *Store) Kubectl(ctx context.Context, name cluster.Name, m Machine, p Programs) (*Kubectl, error) {
	c, sn, err := s.asReleased(ctx, name)
	if err != nil {
		return nil, err
	}
	catalogue, err := recordedCatalogue(ctx, sn)
	if err != nil {
		return nil, err
	}
	if catalogue == nil {
		return nil, &NotConvergedError{Standing: &Standing{Cluster: name}}
	}
	k := &Kubectl{Kubeconfig: m.KubeconfigPath(name)}
	if k.Path, err = p.program(ctx, catalogue, kubernetesVersion(c), "kubectl"); err != nil {
		return nil, err
	}
	server := serverAt(LocalAddress(sn.LineageID()), plan.APIPort(c))
	if s.goodKubeconfig(k.Kubeconfig, server) {
		return k, nil
	}
	_, err = s.WriteKubeconfig(ctx, name, m, Access{Server: server, Validity: upValidity})
	return k, err
}

// goodKubeconfig reports whether a kubeconfig that up wrote leads to server and
// is not in the last third of its life.
func (s *Store) goodKubeconfig(path, server string) bool {
	st, err := os.Stat(path)
	if err != nil {
		return false
	}
	// One of the future was written while the clock was ahead, and begins then.
	if age := s.opt.Now().Sub(st.ModTime()); age < -time.Hour || age >= upValidity*2/3 {
		return false
	}
	b, err := os.ReadFile(path)
	return err == nil && bytes.Contains(b, []byte(" "+server+"\n"))
}
