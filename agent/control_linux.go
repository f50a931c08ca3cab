package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/vfs"
)

// Status is what runs on a directory, as seen from outside.
type Status struct {
	Dir      string                 `json:"dir"`
	Agent    int                    `json:"agent"`             // pid; 0: none runs
	Started  time.Time              `json:"started,omitzero"`  // of the agent
	Command  []string               `json:"command,omitempty"` // that started the agent, also one that runs no more
	Services []bundle.ServiceStatus `json:"services"`
	Report   *bundle.Report         `json:"report,omitempty"` // what the agent said last; nil: nothing yet
}

// ReadStatus looks at a directory and leaves no trace. Its memory is where the
// agent keeps what it remembers. A directory that is none is fs.ErrNotExist.
func ReadStatus(ctx context.Context, dir string, memory *vfs.FS) (*Status, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	s := &Status{Dir: dir, Services: []bundle.ServiceStatus{}}
	h, running, err := held(root)
	if err != nil {
		return nil, err
	}
	if running {
		s.Agent, s.Started = h.Process.PID, h.Started.Truncate(time.Second)
	}
	s.Command = h.Command
	if data, _, err := memory.Get(ctx, reportName); err == nil {
		s.Report, _ = bundle.DecodeReport(data) // of another version: as if there were none
	}
	recs, err := records(root)
	if err != nil {
		return nil, err
	}
	for _, rec := range recs {
		s.Services = append(s.Services, serviceStatus(rec, s.Report, running))
	}
	slices.SortFunc(s.Services, func(a, b bundle.ServiceStatus) int { return cmp.Compare(a.Name, b.Name) })
	return s, nil
}

// serviceStatus says what a recorded process does. Whether it is ready, only a
// running agent knows.
func serviceStatus(rec record, r *bundle.Report, running bool) bundle.ServiceStatus {
	st := bundle.ServiceStatus{Name: rec.Run.Name, State: "stopped"}
	if !rec.Process.alive() {
		if running {
			st.State = string(Waiting)
		}
		return st
	}
	st.PID, st.Started, st.State = rec.Process.PID, rec.Started.Truncate(time.Second), string(Running)
	if rec.Ready.IsZero() {
		st.State = string(Starting)
	}
	if r != nil && running {
		for _, said := range r.Services {
			if said.Name == st.Name && said.PID == st.PID {
				st.State = said.State
			}
		}
	}
	return st
}

// EndAll is the signal by which a running agent is asked to stop its services
// and then to end: it is their parent, and sees to it that nothing of them
// stays in the table of processes. An agent that does not know it just ends.
const EndAll = syscall.SIGUSR1

const (
	endAllGrace = 2 * time.Minute  // for an agent to stop its services and end
	agentGrace  = 10 * time.Second // for it to end without them, before it is killed
)

// StopAll ends the agent of a directory and then all its services, and returns
// when no process is left. A directory where nothing runs is no error.
func StopAll(ctx context.Context, opt MachineOptions) error {
	if _, err := os.Stat(opt.Dir); err != nil {
		return err
	}
	m, err := takeOver(ctx, opt)
	if err != nil {
		return err
	}
	err = m.StopServices(ctx)
	return errors.Join(err, m.Close())
}

// takeOver opens a machine in place of the agent that has it, and returns when
// that one has ended: it lets go of the machine a moment before. One that its own
// parent has not looked after yet, a zombie, has ended.
func takeOver(ctx context.Context, opt MachineOptions) (*Machine, error) {
	steps := []struct {
		signal syscall.Signal
		grace  time.Duration
	}{{EndAll, endAllGrace}, {syscall.SIGTERM, agentGrace}, {syscall.SIGKILL, agentGrace}}
	var next, giveUp time.Time
	var before process
	for {
		m, err := OpenMachine(ctx, opt)
		busy, ok := errors.AsType[*BusyError](err)
		if !ok {
			before.end(ctx)
			return m, err
		}
		switch p, now := busy.holder, time.Now(); {
		case !p.alive() && giveUp.IsZero(): // it has just ended, or no agent has the lock
			giveUp = now.Add(agentGrace)
		case p.alive() && len(steps) > 0 && now.After(next):
			p.signal(steps[0].signal)
			before, giveUp = p, time.Time{}
			if next, steps = now.Add(steps[0].grace), steps[1:]; len(steps) == 0 {
				giveUp = next
			}
		}
		if !giveUp.IsZero() && time.Now().After(giveUp) {
			return nil, fmt.Errorf("it does not end: %w", busy)
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// end waits until an agent that was asked to end has done so, and kills it when
// that takes too long.
func (p process) end(ctx context.Context) {
	if p.PID == os.Getpid() {
		return
	}
	for end := time.Now().Add(agentGrace); p.PID != 0 && p.alive() && ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			p.signal(syscall.SIGKILL)
		}
	}
}

// StopServices stops every service, in the reverse of their order, and returns
// when none is left.
func (m *Machine) StopServices(ctx context.Context) error {
	for {
		p, err := Converge(ctx, m, &Set{})
		if err != nil {
			return err
		}
		if len(p.Services) == 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	for p := range marked(mark + m.dir + "#") {
		m.log.WarnContext(ctx, "killing what a service left behind", slog.Int("pid", p.PID))
		p.signal(syscall.SIGKILL)
	}
	for rec := range m.lost {
		if err := m.root.Remove(recordName(rec)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			m.log.WarnContext(ctx, "cannot drop a record", slog.String("service", rec), slog.Any("err", err))
		}
	}
	return nil
}
