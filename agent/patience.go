package agent

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// How long a store may take to answer. What it does with its services must not
// wait for that: a server that sends a byte a minute, or a network disk that
// hangs, is a store that is away.
const (
	patience       = 10 * time.Second // something small: the release, a report
	bundlePatience = 2 * time.Minute  // at most 8 MiB
)

var errUnanswered = errors.New("the last request has not been answered yet")

// patient makes requests one at a time and gives up those that take too long.
// A request that was given up and does not end with its context goes on by
// itself; no other begins before it ended. The zero value is ready for use, by
// one goroutine.
type patient struct {
	busy chan struct{} // closed when the last request ended; nil: none was made
}

func (p *patient) do(ctx context.Context, long time.Duration, request func(context.Context) error) error {
	if p.busy != nil {
		select {
		case <-p.busy:
		case <-time.After(time.Second): // it was told to end, and may be about to
			return errUnanswered
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, long, fmt.Errorf("no answer for %v: %w", long, context.DeadlineExceeded))
	defer cancel()
	busy, done := make(chan struct{}), make(chan error, 1)
	p.busy = busy
	go func() {
		defer close(busy)
		done <- request(ctx)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
