package stores_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/test/servers"
	"github.com/stateroom/stateroom/vfs"
)

var (
	duration = flag.Duration("stores.duration", 5*time.Second, "how long the random operations of TestHistoriesAreLinearizable go on")
	seedFlag = flag.Uint64("stores.seed", 0, "of the random operations and faults; 0: a new one")
)

const (
	theCluster = "demo.example.com"
	writers    = 8
	readers    = 4
	faultShare = 0.05 // of requests that fail, and as many whose reply is lost
	lateShare  = 0.01 // of requests whose connection is cut, and which are done later
	groups     = 3
)

// An operation of the model: what a client asks of a cluster's history.
type operation struct {
	kind  string // append, remove, nothing, read
	id    string // of an append or remove
	group int    // that it writes or removes, besides the config
}

// A state of the model, and what an operation gave back of it.
type state struct {
	number int
	config string
	groups [groups]string // "": there is none
}

// after is the state after a commit of o: the config is a chain of all commits,
// so that one which was lost, or is there twice, shows in all that follow.
func (s state) after(o operation) state {
	switch o.kind {
	case "append":
		s.groups[o.group] = o.id
	case "remove":
		s.groups[o.group] = ""
	default:
		return s
	}
	sum := sha256.Sum256([]byte(s.config + o.id))
	s.config = o.id + " " + hex.EncodeToString(sum[:12])
	s.number++
	return s
}

// model is a history as one client alone would see it. A write gives back its
// number, a read all that there is.
var model = porcupine.Model{
	Init: func() any { return first },
	Step: func(s, in, out any) (bool, any) {
		o, was, gave := in.(operation), s.(state), out.(state)
		if o.kind == "read" {
			return gave == was, was
		}
		now := was.after(o)
		return gave.number == now.number, now
	},
	DescribeOperation: func(in, out any) string {
		o, gave := in.(operation), out.(state)
		return fmt.Sprintf("%s %s %d -> %d %s", o.kind, o.id, o.group, gave.number, gave.config)
	},
}

var first = state{number: 1, config: "first"}

// TestHistoriesAreLinearizable lets many clients commit and read at once,
// where requests fail and replies are lost, and holds all that they were told
// against one order of events. `-stores.seed N` plays the operations of a seed
// again; what goes on at once does so in no fixed order.
func TestHistoriesAreLinearizable(t *testing.T) {
	t.Parallel()
	for _, p := range []place{at("file"), at("S3 gofakes3"), {"GCS", onGCS(honestGCS)}, at("Azure"), at("SFTP")} {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			play(t, p)
		})
	}
}

func play(t *testing.T, p place) {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("%s: -stores.seed %d -stores.duration %s", p.name, seed, *duration)
	g := &game{t: t, begin: time.Now(), seed: seed, site: p.start(t), notices: map[store.NoticeKind]int{}, failures: map[string]int{}}
	if g.site.through != nil {
		g.proxy = servers.Proxy(t, g.site.endpoint, servers.Faults{Fail: faultShare, Lose: faultShare, Late: lateShare, Seed: seed})
	}
	h := g.client("Healthy", nil)
	if _, err := h.Update(t.Context(), "first", func(tx *store.Tx) error {
		tx.WriteFile("config", []byte(first.config))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	g.run()
	g.judge()
}

// game is one run of many clients.
type game struct {
	t     *testing.T
	site  site
	proxy string
	begin time.Time
	seed  uint64

	mu       sync.Mutex
	done     []porcupine.Operation // whose outcome is known
	open     []porcupine.Operation // writes whose outcome is not
	notices  map[store.NoticeKind]int
	failures map[string]int
}

// client opens the store as another machine would: by a driver of its own,
// through faults where random is given.
func (g *game) client(author string, random *rand.Rand) *store.History {
	g.t.Helper()
	driver := g.site.open
	if random != nil && g.site.through != nil {
		driver = func() (vfs.Driver, error) { return g.site.through(g.proxy) }
	}
	d := open(g.t, driver)
	if random != nil && g.site.through == nil {
		d = &flaky{Driver: d, random: random}
	}
	return g.openStore(d, author)
}

func (g *game) openStore(d vfs.Driver, author string) *store.History {
	g.t.Helper()
	opt := store.Options{
		Author: author + " <" + strings.ToLower(author) + "@example.com>", Notice: g.hear,
		Settle: &store.Settle{Foreign: store.DefaultSettle.Foreign, Unfinished: 100 * time.Millisecond},
	}
	for try := 0; ; try++ {
		s, err := store.Open(g.t.Context(), vfs.New(d, "test:"), opt)
		if err == nil {
			return s.Cluster(theCluster)
		}
		if try == 50 {
			g.t.Error(err)
			return nil
		}
	}
}

func (g *game) hear(n store.Notice) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.notices[n.Kind]++
}

// run plays until the time is up.
func (g *game) run() {
	ctx, cancel := context.WithTimeout(g.t.Context(), *duration)
	defer cancel()
	var wg sync.WaitGroup
	for i := range writers + readers {
		random := rand.New(rand.NewPCG(g.seed, uint64(i)))
		h := g.client(fmt.Sprintf("Client%d", i), rand.New(rand.NewPCG(g.seed, uint64(1000+i))))
		if h == nil {
			return
		}
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				o := operation{kind: "read"}
				if i < writers {
					o = someWrite(random, fmt.Sprintf("%d.%d", i, n))
				}
				g.operate(h, i, o)
				time.Sleep(time.Duration(random.IntN(20)) * time.Millisecond)
			}
		})
	}
	wg.Wait()
}

func someWrite(random *rand.Rand, id string) operation {
	o := operation{kind: "append", id: id, group: random.IntN(groups)}
	switch x := random.IntN(10); {
	case x == 0:
		o.kind = "nothing"
	case x < 3:
		o.kind = "remove"
	}
	return o
}

// operate does one operation to its end, and writes down what it gave. The
// clients stop between operations, so none is cut off.
func (g *game) operate(h *store.History, client int, o operation) {
	ctx := g.t.Context()
	op := porcupine.Operation{ClientId: client, Input: o, Call: g.now()}
	var gave state
	var err error
	if o.kind == "read" {
		gave, err = read(ctx, h)
	} else {
		gave, err = write(ctx, h, o)
	}
	op.Output, op.Return = gave, g.now()
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil {
		kind := classify(err)
		if o.kind == "read" {
			kind = "read " + kind
		}
		if g.failures[kind]++; g.failures[kind] == 1 {
			g.t.Logf("%s: for example: %v", kind, err)
		}
	}
	switch {
	case err == nil:
		g.done = append(g.done, op)
	case o.kind == "append" || o.kind == "remove":
		g.open = append(g.open, op)
	}
}

func (g *game) now() int64 { return int64(time.Since(g.begin)) }

func classify(err error) string {
	var outcome *store.OutcomeError
	switch {
	case errors.As(err, &outcome):
		return "outcome unknown"
	case errors.Is(err, store.ErrConflict):
		return "conflict"
	}
	return "failed"
}

func read(ctx context.Context, h *store.History) (s state, err error) {
	sn, err := h.Head(ctx)
	if err != nil {
		return s, err
	}
	s.number = sn.Commit().Number
	b, err := sn.ReadFile(ctx, "config")
	if err != nil {
		return s, err
	}
	s.config = string(b)
	for i := range s.groups {
		b, err := sn.ReadFile(ctx, groupFile(i))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return s, err
		}
		s.groups[i] = string(b)
	}
	return s, nil
}

func groupFile(i int) string { return fmt.Sprintf("instancegroup/nodes-%d", i) }

func write(ctx context.Context, h *store.History, o operation) (s state, err error) {
	sn, err := h.Update(ctx, o.id, func(tx *store.Tx) error {
		if o.kind == "nothing" {
			return nil
		}
		b, err := tx.ReadFile(ctx, "config")
		if err != nil {
			return err
		}
		tx.WriteFile("config", []byte(state{config: string(b)}.after(o).config))
		if o.kind == "remove" {
			tx.Remove(groupFile(o.group))
		} else {
			tx.WriteFile(groupFile(o.group), []byte(o.id))
		}
		return nil
	})
	if err != nil {
		return s, err
	}
	return state{number: sn.Commit().Number}, nil
}

// judge looks at the store with a healthy client, and then at what all clients
// were told.
func (g *game) judge() {
	t, ctx := g.t, g.t.Context()
	t.Helper()
	time.Sleep(servers.Latest) // what the proxy still does is done then
	healthy := g.client("Judge", nil)
	if _, err := healthy.Update(ctx, "nothing", func(*store.Tx) error { return nil }); err != nil { // finishes what others began
		t.Fatalf("a further update: %v", err)
	}
	numbers := g.log(ctx, healthy)
	unknown := g.settle(numbers)
	last, err := read(ctx, healthy)
	if err != nil {
		t.Fatal(err)
	}
	g.done = append(g.done, porcupine.Operation{ClientId: writers + readers, Input: operation{kind: "read"}, Output: last, Call: math.MaxInt64 - 1, Return: math.MaxInt64})
	result, info := porcupine.CheckOperationsVerbose(model, g.done, 2*time.Minute)
	if result != porcupine.Ok {
		path := filepath.Join(os.TempDir(), fmt.Sprintf("history-%d.html", g.seed))
		if err := porcupine.VisualizePath(model, info, path); err == nil {
			t.Logf("the history: %s", path)
		}
		t.Errorf("no order of events explains what the clients were told: %s", result)
	}
	found, err := store.Fsck(ctx, vfs.New(open(t, g.site.open), "test:"), store.Options{}, store.FsckOptions{})
	if err != nil {
		t.Error(err)
	}
	for _, f := range found {
		t.Errorf("fsck: %s %s: %s", f.Code, f.Object, f.What)
	}
	t.Logf("%d commits, %d operations explained, %d writes of unknown outcome (%d of them committed); failures %v, notices %v; %s, %d findings of fsck",
		len(numbers), len(g.done), len(g.open), unknown, g.failures, g.notices, result, len(found))
}

// log reads which commit stands at which number. Each is there once, and none
// was made by anybody but the clients.
func (g *game) log(ctx context.Context, h *store.History) map[string]int {
	numbers := map[string]int{}
	for c, err := range h.Log(ctx) {
		if err != nil {
			g.t.Fatal(err)
		}
		if c.Kind != store.Change {
			g.t.Errorf("commit %d is of kind %s: something of our own was taken for another tool's: %v", c.Number, c.Kind, c.Changed)
		}
		if n, twice := numbers[c.Message]; twice {
			g.t.Errorf("%s is committed twice, as %d and %d", c.Message, c.Number, n)
		}
		numbers[c.Message] = c.Number
	}
	return numbers
}

// settle wants every acknowledged commit in the log, at the number told, and
// takes in those of unknown outcome that the log shows: they were made at some
// time after they were begun. It returns how many.
func (g *game) settle(numbers map[string]int) (committed int) {
	lost := 0
	for _, op := range g.done {
		o, gave := op.Input.(operation), op.Output.(state)
		if o.kind != "read" && o.kind != "nothing" && numbers[o.id] != gave.number {
			lost++
			g.t.Errorf("commit %s was acknowledged as %d, and is %d", o.id, gave.number, numbers[o.id])
		}
	}
	if lost == 0 && len(g.done) == 0 {
		g.t.Error("nothing was acknowledged")
	}
	for _, op := range g.open {
		n, ok := numbers[op.Input.(operation).id]
		if !ok {
			continue
		}
		committed++
		op.Output, op.Return = state{number: n}, math.MaxInt64-2
		g.done = append(g.done, op)
	}
	slices.SortFunc(g.done, func(a, b porcupine.Operation) int { return int(min(max(a.Call-b.Call, -1), 1)) })
	return committed
}
