// Package retry tries again what may work the next time: with pauses of random
// length (full jitter), so that many clients that failed together do not come
// back together. What is safe to try again, its callers know.
//
//	err := retry.Policy{}.Do(ctx, func(n int) error {
//		err := send()
//		if busy(err) {
//			return retry.Again(err)
//		}
//		return err
//	})
package retry

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Policy says how often and for how long to try. The zero value is what the
// drivers of object stores want.
type Policy struct {
	Tries int           // at most; 0: 8
	First time.Duration // bound of the first pause, doubled for each further one; 0: 100 ms
	Most  time.Duration // bound of every pause; 0: 5 s
	Total time.Duration // no try begins later than this after the first; 0: a minute
}

func (p Policy) orDefault() Policy {
	if p.Tries == 0 {
		p.Tries = 8
	}
	if p.First == 0 {
		p.First = 100 * time.Millisecond
	}
	if p.Most == 0 {
		p.Most = 5 * time.Second
	}
	if p.Total == 0 {
		p.Total = time.Minute
	}
	return p
}

// Do calls try with n = 0, 1, 2 and so on until it returns nil or an error that
// is not from [Again] or [After], and returns that; or until tries or time are
// used up, and returns the last error. If ctx ends during a pause or a further
// try, the error matches that of ctx and the one before, which says why it
// took so long.
func (p Policy) Do(ctx context.Context, try func(n int) error) error {
	p = p.orDefault()
	begin := time.Now()
	var before error // of the last try but this one
	for n := 0; ; n++ {
		err := try(n)
		var a *again
		if !errors.As(err, &a) {
			return ended(ctx, err, before)
		}
		pause := p.pause(n, a.after)
		if n+1 >= p.Tries || time.Since(begin)+pause > p.Total {
			return a.err
		}
		if err := wait(ctx, pause); err != nil {
			return ended(ctx, err, a.err)
		}
		before = a.err
	}
}

// ended adds to err, where it says that ctx has ended, what went wrong before
// that, if anything did.
func ended(ctx context.Context, err, before error) error {
	if before == nil || ctx.Err() == nil || !errors.Is(err, ctx.Err()) {
		return err
	}
	return fmt.Errorf("%w; before that: %w", err, before)
}

// pause is how long to wait after try n, at least as long as the service said.
func (p Policy) pause(n int, least time.Duration) time.Duration {
	bound := p.Most
	if n < 32 {
		bound = min(bound, p.First<<n)
	}
	return max(least, rand.N(bound+1))
}

func wait(ctx context.Context, pause time.Duration) error {
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// again marks an error that is worth another try.
type again struct {
	err   error
	after time.Duration
}

func (a *again) Error() string { return a.err.Error() }
func (a *again) Unwrap() error { return a.err }

// Again marks err, which is not nil, as worth another try.
func Again(err error) error { return &again{err: err} }

// After is [Again] for a service that says how long to leave it alone.
func After(pause time.Duration, err error) error { return &again{err, pause} }
