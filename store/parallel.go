package store

import (
	"context"
	"sync"
)

// atOnce is how many requests are under way at the same time.
const atOnce = 64

// configsAtOnce is how many small files of different clusters are read at the
// same time: as many as drivers have connections.
const configsAtOnce = 128

// forEach calls f for 0 to n-1, many at once. The first error ends it; it is
// returned when all have returned.
func forEach(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	return forSome(ctx, n, atOnce, f)
}

// forSome is forEach with so many at once.
func forSome(ctx context.Context, n, most int, f func(ctx context.Context, i int) error) error {
	if n == 1 {
		return f(ctx, 0)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		wg    sync.WaitGroup
		once  sync.Once
		first error
		slots = make(chan struct{}, most)
	)
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := f(ctx, i); err != nil {
				once.Do(func() { first = err })
				cancel()
			}
		})
	}
	wg.Wait()
	return first
}

// inParallel calls all fs at once.
func inParallel(ctx context.Context, fs ...func(context.Context) error) error {
	return forEach(ctx, len(fs), func(ctx context.Context, i int) error { return fs[i](ctx) })
}
