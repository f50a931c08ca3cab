package store

import (
	"context"
	"math/rand/v2"
	"time"
)

// pause waits between attempts, each time about twice as long, and never the
// same for two clients.
type pause struct{ next time.Duration }

const (
	shortestPause = 4 * time.Millisecond
	longestPause  = 400 * time.Millisecond
)

// wait returns how long it waited, or why it stopped.
func (p *pause) wait(ctx context.Context) (time.Duration, error) {
	p.next = min(max(2*p.next, shortestPause), longestPause)
	d := p.next/2 + rand.N(p.next)
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-t.C:
		return d, nil
	}
}
