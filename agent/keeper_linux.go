package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// mark is the variable in the environment of every service that says whose it
// is: of which directory, under which name. It finds processes that no record
// tells of.
const mark = "STATEROOM_SERVICE="

// record is run/{service}.json: a process that runs, for the next agent to take
// up. Its format is in docs/formats/host.md.
type record struct {
	Format  int       `json:"format"`
	Run     Run       `json:"run"`
	Process process   `json:"process"`
	Started time.Time `json:"started"`
	Ready   time.Time `json:"ready,omitzero"` // when it first was
	Log     int64     `json:"log"`            // where its words begin in its log, bytes
}

func recordName(service string) string { return "run/" + service + ".json" }

// keeper keeps one service running until it is told to stop, or to let go.
type keeper struct {
	m    *Machine
	stop chan struct{} // closed: end the service
	done chan struct{} // closed: the keeper does nothing any more

	mu   sync.Mutex
	run  Run
	st   ServiceState
	rec  record
	asks bool // stop is closed

	unnoted error // why the record that is on the disk is not rec; nil: it is
}

// live is a process under a keeper's eyes.
type live struct {
	process
	gone <-chan string // says once how it ended
}

func (m *Machine) newKeeper(r Run) *keeper {
	return &keeper{
		m: m, run: r, stop: make(chan struct{}), done: make(chan struct{}),
		st: ServiceState{Name: r.Name, Digest: r.Digest, After: r.After, State: Starting, Since: time.Now()},
	}
}

func (k *keeper) state() ServiceState {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.st
}

func (k *keeper) current() Run {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.run
}

func (k *keeper) askToStop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.asks {
		k.asks, k.st.State, k.st.Ready = true, Stopping, time.Time{}
		close(k.stop)
	}
}

// keep is the life of a keeper. It begins with a process that runs already, or
// with none.
func (k *keeper) keep(p *live) {
	defer close(k.done)
	delay := k.m.opt.Restart.First
	for {
		began := time.Now()
		if p == nil {
			var err error
			if p, err = k.start(); err != nil {
				k.ended("could not be started: " + err.Error())
			}
		}
		if p != nil {
			if !k.watch(p) {
				return
			}
			p = nil
		}
		if time.Since(began) >= k.m.opt.Restart.Reset {
			delay = k.m.opt.Restart.First
		}
		select {
		case <-k.m.letGo:
			return
		case <-k.stop:
			k.forget()
			return
		case <-time.After(delay):
		}
		delay = min(2*delay, k.m.opt.Restart.Last)
	}
}

// watch looks after a process until it ends, and returns true then. False says
// that there is nothing more to do for the keeper.
func (k *keeper) watch(p *live) bool {
	ctx, cancel := context.WithCancel(k.m.ctx)
	probed := make(chan struct{})
	go func() {
		defer close(probed)
		k.probe(ctx)
	}()
	defer func() { cancel(); <-probed }()
	size := time.NewTicker(logTick)
	defer size.Stop()
	for {
		select {
		case <-k.m.letGo:
			return false
		case <-k.stop:
			cancel()
			k.terminate(p)
			k.forget()
			return false
		case how := <-p.gone:
			cancel()
			<-probed
			p.killSession() // what it left behind may hold its ports
			k.ended(how)
			return true
		case <-size.C:
			if err := k.m.trimLog(logName(k.st.Name)); err != nil {
				k.m.log.WarnContext(ctx, "cannot trim a log", slog.String("service", k.st.Name), slog.Any("err", err))
			}
		}
	}
}

// start starts the service in a session of its own, its output straight into
// its log.
func (k *keeper) start() (*live, error) {
	k.mu.Lock()
	r := k.run
	k.mu.Unlock()
	log, from, err := k.m.openLog(r.Name)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(r.Program, r.Args...)
	cmd.Dir = k.m.site.State
	cmd.Env = append(append([]string(nil), k.m.opt.Env...), mark+k.m.dir+"#"+r.Name)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p, err := processOf(cmd.Process.Pid)
	if err != nil { // nobody could end it later
		_ = cmd.Process.Kill()
		return nil, errors.Join(err, cmd.Wait())
	}
	gone := make(chan string, 1)
	k.took(record{Format: 1, Run: r, Process: p, Started: time.Now(), Log: from})
	go func() { gone <- exitText(cmd.Wait()) }()
	k.mu.Lock()
	k.note()
	k.mu.Unlock()
	k.m.log.InfoContext(k.m.ctx, "started", slog.String("service", r.Name), slog.Int("pid", p.PID))
	return &live{p, gone}, nil
}

// took notes a process as that of the service.
func (k *keeper) took(rec record) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.rec = rec
	k.st.PID, k.st.Started, k.st.Ready, k.st.Probe = rec.Process.PID, rec.Started, time.Time{}, ""
	if k.st.State != Stopping {
		k.st.State = Starting
	}
}

// ended notes that the process ended unasked.
func (k *keeper) ended(how string) {
	words := k.m.words(k.st.Name, k.rec.Log)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.st.Exits++
	if !k.rec.Ready.IsZero() {
		k.st.Crashes++
	}
	k.st.LastExit, k.st.Exited, k.st.LastWords, k.st.PID = how, k.m.opt.Now(), words, 0
	k.st.Ready, k.st.Started = time.Time{}, time.Time{}
	if k.st.State != Stopping {
		k.st.State = Waiting
	}
	k.m.log.WarnContext(k.m.ctx, "ended unasked", slog.String("service", k.st.Name), slog.String("how", how))
}

// terminate asks a process to end and makes it end in time, and with it all
// that it left in its session.
func (k *keeper) terminate(p *live) {
	k.mu.Lock()
	grace := time.Duration(k.run.Stop)
	k.mu.Unlock()
	p.signal(syscall.SIGTERM)
	select {
	case <-p.gone:
	case <-time.After(grace):
		k.m.log.WarnContext(k.m.ctx, "does not end, killed", slog.String("service", k.st.Name))
		p.killSession()
		select {
		case <-p.gone:
		case <-k.m.letGo: // not even that helped, and the agent must go
			return
		}
	}
	p.endSession()
	k.m.log.InfoContext(k.m.ctx, "stopped", slog.String("service", k.st.Name), slog.Int("pid", p.PID))
}

// endSession kills what is left of a session and waits until it is gone.
func (p process) endSession() {
	for range 100 {
		if len(p.session()) == 0 {
			return
		}
		p.killSession()
		time.Sleep(20 * time.Millisecond)
	}
}

// forget drops the record of a service that was stopped, and the service.
func (k *keeper) forget() {
	if err := k.m.root.Remove(recordName(k.st.Name)); err != nil && !os.IsNotExist(err) {
		k.m.log.WarnContext(k.m.ctx, "cannot drop a record", slog.String("service", k.st.Name), slog.Any("err", err))
	}
	k.m.drop(k)
}

// probe asks the service whether it is ready, often until it is and then now
// and again, until ctx ends.
func (k *keeper) probe(ctx context.Context) {
	began, misses, worded := time.Now(), 0, time.Time{}
	for ctx.Err() == nil {
		k.mu.Lock()
		ready := k.run.Ready
		k.mu.Unlock()
		var err error
		if ready != nil {
			err = probe(ctx, ready)
		} else if d := k.m.opt.Settle - time.Since(began); d > 0 {
			err = fmt.Errorf("up for less than %v", k.m.opt.Settle)
		}
		if ctx.Err() != nil {
			return
		}
		wait := k.m.opt.Probe.Starting
		switch isReady := !k.state().Ready.IsZero(); {
		case err == nil:
			k.ready()
			misses, wait = 0, k.m.opt.Probe.Running
		case isReady && misses+1 < probeMisses:
			misses, wait = misses+1, min(time.Second, k.m.opt.Probe.Running)
		default:
			words := ""
			if time.Since(worded) > 2*time.Second {
				worded, words = time.Now(), k.m.words(k.st.Name, k.rec.Log)
			}
			k.unready(err, words)
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

func (k *keeper) ready() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.st.State == Stopping {
		return
	}
	if k.st.Ready.IsZero() {
		k.st.Ready, k.st.State, k.st.Probe = time.Now(), Running, ""
	}
	if k.rec.Ready.IsZero() {
		k.rec.Ready = k.st.Ready
		k.note()
	} else if k.unnoted != nil {
		k.note()
	}
}

// note writes the record of the process, and says once that it cannot. Without
// one the next agent would end a service that is well; so it is tried again with
// the next good answer of its probe.
func (k *keeper) note() {
	err := k.m.putRecord(k.rec)
	if err != nil && k.unnoted == nil {
		k.m.log.WarnContext(k.m.ctx, "cannot record a service", slog.String("service", k.st.Name), slog.Any("err", err))
	}
	k.unnoted = err
}

func (k *keeper) unready(err error, words string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.st.State == Stopping {
		return
	}
	k.st.Ready, k.st.State, k.st.Probe = time.Time{}, Starting, err.Error()
	if words != "" {
		k.st.LastWords = words
	}
}

// putRecord writes a record in one step. It need not outlast a crash of the
// machine: no process does.
func (m *Machine) putRecord(rec record) error {
	text, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	name := recordName(rec.Run.Name)
	if err := m.root.WriteFile(name+".new", append(text, '\n'), 0o600); err != nil {
		return err
	}
	return m.root.Rename(name+".new", name)
}
