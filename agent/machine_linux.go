package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/stateroom/stateroom/internal/asset"
	"github.com/stateroom/stateroom/internal/durable"
)

// MachineOptions is what a machine is made of.
type MachineOptions struct {
	Dir     string // all of it lies here; made if need be
	Node    string // for ${NODE}
	Address string // for ${ADDRESS}
	Cache   *asset.Cache
	Env     []string     // of the services, as key=value
	Command []string     // that started the agent, shown by its status
	Log     *slog.Logger // nil: none

	Snapshots int // so many of each etcd are kept; 0: 5

	MaxLog  int64         // bytes of a log before it is put aside; 0: 10 MiB
	Settle  time.Duration // after so long a service without a probe counts as ready; 0: 2 s
	Restart Restart       // zero values are the defaults
	Probe   Probing       // likewise
	Now     func() time.Time
	Step    durable.Step // sees every change of the disk that must last; nil: nobody
}

// Restart says how long a service that ended unasked rests before it is started
// again: First, then twice as long each time until Last, and First again after
// it had been up for Reset.
type Restart struct {
	First time.Duration // default 500 ms
	Last  time.Duration // default 1 minute
	Reset time.Duration // default 1 minute
}

// Probing says how often a service is probed.
type Probing struct {
	Starting time.Duration // until it is ready; default 200 ms
	Running  time.Duration // from then on; default 10 s
}

func (o MachineOptions) withDefaults() MachineOptions {
	or := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	or(&o.Settle, 2*time.Second)
	or(&o.Restart.First, 500*time.Millisecond)
	or(&o.Restart.Last, time.Minute)
	or(&o.Restart.Reset, time.Minute)
	or(&o.Probe.Starting, 200*time.Millisecond)
	or(&o.Probe.Running, 10*time.Second)
	if o.Snapshots == 0 {
		o.Snapshots = keptSnapshots
	}
	if o.MaxLog == 0 {
		o.MaxLog = defaultMaxLog
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Machine is the [Host] that this program runs on: sets of files below one
// directory, and services as processes of its own supervision. The services
// outlive it; the next Machine on the directory takes them up again. One at a
// time can be open on a directory.
type Machine struct {
	opt  MachineOptions
	log  *slog.Logger
	dir  string // absolute
	root *os.Root
	tree *durable.Tree // of root, for what must last
	lock *os.File
	site Site

	ctx    context.Context // of the goroutines that watch services; ends with Close
	cancel context.CancelFunc
	letGo  chan struct{}
	tend   sync.WaitGroup // the goroutine that tends the agent's own log

	mu      sync.Mutex
	keepers map[string]*keeper
	lost    map[string]record // what ended while nobody watched
	blame   bool              // that is held against it: something else went on

	sets     sync.Mutex           // over sets/ and these
	standing map[string]*standing // sets that were looked at, by ID
	staged   string               // ID of the set that was staged last
	inForce  string               // ID of the set that was switched to last; "": none yet
	mended   []Mend               // what no Stage has told of yet

	checked map[string]bool // programs whose bytes were checked, by path; for Stage alone
}

// folders of a machine's directory.
var folders = []string{"sets", "state", "log", "run"}

// OpenMachine opens a directory as a host, takes its lock, and takes up the
// services that run there. Another agent on it is a *BusyError.
func OpenMachine(ctx context.Context, opt MachineOptions) (*Machine, error) {
	opt = opt.withDefaults()
	dir, err := filepath.Abs(opt.Dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	m := &Machine{
		opt: opt, log: opt.Log, dir: dir, root: root, tree: durable.New(root, opt.Step), letGo: make(chan struct{}),
		site:    siteOf(opt, dir),
		keepers: map[string]*keeper{}, lost: map[string]record{},
		standing: map[string]*standing{}, checked: map[string]bool{},
	}
	if m.lock, err = hold(root, opt.Command); err != nil {
		root.Close()
		return nil, err
	}
	m.ctx, m.cancel = context.WithCancel(context.WithoutCancel(ctx))
	for _, f := range folders {
		if err := root.MkdirAll(f, 0o700); err != nil {
			return nil, errors.Join(err, m.Close())
		}
	}
	if err := m.takeUp(); err != nil {
		return nil, errors.Join(fmt.Errorf("take up running services: %w", err), m.Close())
	}
	m.tend.Go(m.tendOwnLog)
	return m, nil
}

func siteOf(opt MachineOptions, dir string) Site {
	return Site{Node: opt.Node, Address: opt.Address, Set: filepath.Join(dir, currentName), State: filepath.Join(dir, "state")}
}

// Close lets go of the machine. Its services go on running.
func (m *Machine) Close() error {
	close(m.letGo)
	m.cancel()
	for _, k := range m.all() {
		<-k.done
	}
	m.tend.Wait()
	return errors.Join(m.root.Close(), release(m.lock))
}

// takeUp finds the processes that an earlier agent left running.
func (m *Machine) takeUp() error {
	records, err := records(m.root)
	if err != nil {
		return err
	}
	known := map[process]bool{}
	for _, rec := range records {
		if !rec.Process.alive() {
			if rec.Process.thisBoot() {
				rec.Process.endSession() // what it left behind may hold its ports
			}
			m.lost[rec.Run.Name] = rec
			continue
		}
		known[rec.Process] = true
		if now := time.Now(); rec.Started.After(now) {
			rec.Started = now // by a clock that was ahead: nothing may wait for that time
		}
		k := m.newKeeper(rec.Run)
		k.st.Since = rec.Started
		k.took(rec)
		m.keepers[rec.Run.Name] = k
		m.log.InfoContext(m.ctx, "taken up", slog.String("service", rec.Run.Name), slog.Int("pid", rec.Process.PID))
		go k.keep(&live{rec.Process, m.watchOther(rec.Process)})
	}
	// Where all of it ended, that was the end of a container, or of a unit, and no
	// service's doing.
	m.blame = len(known) > 0
	for p := range marked(mark + m.dir + "#") {
		if st, err := statusOf(p.PID); err == nil && st.session == p.PID && !known[p] {
			// An agent died between starting a service and recording it.
			m.log.WarnContext(m.ctx, "killing a service that no record tells of", slog.Int("pid", p.PID))
			p.killSession()
			p.endSession()
		}
	}
	return nil
}

// records reads what is in run/. What cannot be read tells of no process.
func records(root *os.Root) ([]record, error) {
	dir, err := root.Open("run")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	var all []record
	for _, name := range names {
		service, ok := strings.CutSuffix(name, ".json")
		if !ok {
			continue
		}
		text, err := root.ReadFile("run/" + name)
		if err != nil {
			return nil, err
		}
		var rec record
		if json.Unmarshal(text, &rec) == nil && rec.Run.Name == service && rec.Process.PID > 1 {
			all = append(all, rec)
		}
	}
	return all, nil
}

// watchOther watches a process that is no child of ours.
func (m *Machine) watchOther(p process) <-chan string {
	gone := make(chan string, 1)
	go func() {
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for p.lasts() {
			select {
			case <-m.letGo:
				return
			case <-tick.C:
			}
		}
		gone <- "ended, an earlier agent had started it"
	}()
	return gone
}

func (m *Machine) all() []*keeper {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []*keeper
	for _, k := range m.keepers {
		all = append(all, k)
	}
	return all
}

// Services implements [Host].
func (m *Machine) Services(ctx context.Context) ([]ServiceState, error) {
	var states []ServiceState
	for _, k := range m.all() {
		states = append(states, k.state())
	}
	return states, ctx.Err()
}

// Start implements [Host].
func (m *Machine) Start(ctx context.Context, r Run) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.keepers[r.Name] != nil {
		return fmt.Errorf("it runs already: %w", fs.ErrExist)
	}
	k := m.newKeeper(r)
	if rec, ok := m.lost[r.Name]; ok && m.blame && rec.Run.Digest == r.Digest && rec.Process.thisBoot() {
		k.rec = rec
		k.ended("ended while no agent was there")
	}
	delete(m.lost, r.Name)
	m.keepers[r.Name] = k
	go k.keep(nil)
	return nil
}

// Stop implements [Host].
func (m *Machine) Stop(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	k := m.keepers[name]
	m.mu.Unlock()
	if k == nil {
		return fmt.Errorf("it does not run: %w", fs.ErrNotExist)
	}
	k.askToStop()
	return nil
}

// drop takes a keeper out that has stopped its service.
func (m *Machine) drop(k *keeper) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.keepers, k.st.Name)
}
