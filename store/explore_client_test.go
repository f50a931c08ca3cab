package store_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs"
)

// explored is a client that is explored: the real code, which is a function of
// the replies it hears. All that it can be brought to ask is a tree, and the
// exploration grows it: each run of the code finds what comes after one more
// reply.
type explored struct {
	name  string
	do    func(ctx context.Context, h *store.History) string // how it ended: acknowledged, or why not
	order order
	tells bool // whether what it reports of files is part of how it ended

	u      *universe
	began  uint32 // the world when it opened the store
	number int
	nodes  []node
	ends   []string
	parked *performance // the last run, which can be gone on with
	runs   int
}

// order is the one in which requests that were sent at once are answered.
type order int

const (
	ascending  order = iota // by key
	descending              // by key
	eachOrder
)

// node is one state of a client: what it waits for after some replies.
type node struct {
	parent   int32
	last     step     // after which it came here
	pending  []uint32 // requests
	children map[step]int32
}

// step is a request and the reply to it.
type step struct{ asked, heard uint32 }

// crashed is the place of a client that is no more. Those that ended are at
// lower places, by how.
const crashed = -1

func (c *explored) end(how string) int32 {
	i := slices.Index(c.ends, how)
	if i < 0 {
		i = len(c.ends)
		c.ends = append(c.ends, how)
	}
	return int32(crashed - 1 - i)
}

// ended returns how a client ended, or "".
func (c *explored) ended(place int32) string {
	if place >= crashed {
		return ""
	}
	return c.ends[crashed-1-place]
}

// begin returns the place of the client before its first request.
func (c *explored) begin() int32 {
	p := c.perform()
	return c.arrive(p, -1, step{})
}

// after returns the place of the client at a place when it hears a reply.
func (c *explored) after(place int32, s step) int32 {
	if next, ok := c.nodes[place].children[s]; ok {
		return next
	}
	p := c.parked
	if p == nil || p.at != place {
		p = c.replay(place)
	}
	p.answer(s)
	next := c.arrive(p, place, s)
	if c.nodes[place].children == nil {
		c.nodes[place].children = map[step]int32{}
	}
	c.nodes[place].children[s] = next
	return next
}

// arrive makes the node that a performance has come to.
func (c *explored) arrive(p *performance, from int32, s step) int32 {
	c.parked = nil
	if p.ended {
		return c.end(p.how)
	}
	slices.SortFunc(p.pending, func(a, b *call) int { return cmp.Or(strings.Compare(a.key, b.key), cmp.Compare(a.op, b.op)) })
	if c.order == descending {
		slices.Reverse(p.pending)
	}
	n := node{parent: from, last: s}
	for _, call := range p.pending {
		n.pending = append(n.pending, c.u.requests.of(call.request))
		if c.order != eachOrder {
			break
		}
	}
	c.nodes = append(c.nodes, n)
	p.at = int32(len(c.nodes) - 1)
	c.parked = p
	return p.at
}

// replay runs the code up to a place again.
func (c *explored) replay(place int32) *performance {
	if c.parked != nil {
		c.parked.stop()
	}
	var path []step
	for at := place; c.nodes[at].parent >= 0; at = c.nodes[at].parent {
		path = append(path, c.nodes[at].last)
	}
	p := c.perform()
	for _, s := range slices.Backward(path) {
		p.answer(s)
	}
	return p
}

// performance is one run of the code of a client.
type performance struct {
	c      *explored
	cancel context.CancelFunc
	at     int32

	mu      sync.Mutex
	pending []*call
	opened  bool
	gone    bool
	ended   bool
	how     string
}

type call struct {
	request
	answer chan reply
}

func (c *explored) perform() *performance {
	c.runs++
	ctx, cancel := context.WithCancel(context.Background())
	p := &performance{c: c, cancel: cancel}
	var asked atomic.Int64
	now := func() time.Time { // the only thing in which two transactions differ
		n := asked.Add(1)
		if n > 100 {
			panic("store_test: " + c.name + " asked for the time too often")
		}
		return stopped.Add(time.Duration(100*int64(c.number)+n) * time.Millisecond)
	}
	go func() {
		how, told := "", reports{}
		s, err := store.Open(ctx, vfs.New(port{c.u.table, p.ask}, "explored:"), store.Options{Author: c.name + " <>", Settle: atOnce, Now: now, Notice: told.hear})
		if err == nil {
			err = s.Load(ctx)
		}
		if err != nil {
			how = fmt.Sprint("open: ", err)
		} else {
			how = c.do(ctx, s.Cluster(demo))
		}
		if c.tells {
			how += told.String()
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.ended, p.how = true, how
	}()
	p.settle()
	return p
}

// reports are the files of which a client says that it put them right or
// finished them.
type reports map[string]bool

const reported = "; reports "

func (r reports) hear(n store.Notice) {
	for _, name := range n.Names {
		if n.Kind == store.Righted || n.Kind == store.Finished {
			r[name] = true
		}
	}
}

func (r reports) String() string {
	if len(r) == 0 {
		return ""
	}
	return reported + strings.Join(slices.Sorted(maps.Keys(r)), " ")
}

// ask is a request of the code. The first one, of a client that opens the
// store, is no step: nothing that it reads ever changes.
func (p *performance) ask(r request) reply {
	p.mu.Lock()
	if p.gone {
		p.mu.Unlock()
		return reply{class: dead}
	}
	if !p.opened {
		p.opened = true
		defer p.mu.Unlock()
		p.c.u.mu.Lock()
		defer p.c.u.mu.Unlock()
		_, answer := p.c.u.table.do(p.c.u.worlds.values[p.c.began], r)
		return answer
	}
	c := &call{r, make(chan reply)}
	p.pending = append(p.pending, c)
	p.mu.Unlock()
	return <-c.answer
}

// settle waits until the code waits for nothing but replies: no pause of it
// takes a second, and the time of the bubble goes on only when all wait.
func (p *performance) settle() {
	time.Sleep(time.Second)
	p.mu.Lock() // so that what it has done is seen
	defer p.mu.Unlock()
}

func (p *performance) answer(s step) {
	p.mu.Lock()
	asked := p.c.u.requests.values[s.asked]
	i := slices.IndexFunc(p.pending, func(c *call) bool { return c.request == asked })
	if i < 0 {
		panic(fmt.Sprintf("store_test: %s is no function of what it hears: it does not ask for %s again", p.c.name, asked))
	}
	c := p.pending[i]
	p.pending = slices.Delete(p.pending, i, i+1)
	p.mu.Unlock()
	c.answer <- p.c.u.replies.values[s.heard]
	p.settle()
}

// stop ends the code: nothing that it asks for is done any more.
func (p *performance) stop() {
	p.mu.Lock()
	p.gone = true
	pending := p.pending
	p.pending = nil
	p.mu.Unlock()
	p.cancel()
	for _, c := range pending {
		c.answer <- reply{class: dead}
	}
	for !p.ended {
		p.settle()
	}
}
