// Command stateroom keeps the state of Kubernetes clusters in a store, changes
// it, and runs clusters from it.
package main

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/stateroom/stateroom/internal/cli"
)

func main() {
	ctx, lend := interruptible(context.Background())
	os.Exit(cli.Main(ctx, cli.Env{
		Args:   os.Args,
		Stdin:  os.Stdin,
		Stdout: os.Stdout,
		Stderr: os.Stderr,
		Getenv: os.Getenv,
		Now:    time.Now,
		Lend:   lend,
	}))
}

// oneKey is how long signals count as one: a program that runs this one may pass
// on the Ctrl-C that the terminal has sent to both.
const oneKey = time.Second

// interruptible returns a context that ends with the first Ctrl-C or SIGTERM;
// the next one ends the process, whatever it waits for. While a program runs
// that lend was given, Ctrl-C is for that program: a terminal sends it to both.
func interruptible(ctx context.Context) (_ context.Context, lend func(run func() error) error) {
	ctx, cancel := context.WithCancel(ctx)
	var lent atomic.Bool
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		for s := range signals {
			if s == os.Interrupt && lent.Load() {
				continue
			}
			cancel()
			time.Sleep(oneKey)
			signal.Stop(signals)
			return
		}
	}()
	return ctx, func(run func() error) error {
		lent.Store(true)
		defer lent.Store(false)
		return run()
	}
}
