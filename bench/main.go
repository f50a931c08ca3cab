// Bench measures what Stateroom asks of an object store and how long that
// takes: it starts an S3 server in its own memory, holds back every request for
// as long as a far one would take, runs the command on it as a person would, and
// prints a table.
//
//	go run ./bench
//	go run ./bench -clusters 1000 -objects 43 -delay 20ms -runs 5
//
// Seconds are those of this machine; requests, and how many of them come one
// after the other, are the same everywhere.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"
)

type options struct {
	clusters, objects int
	delay             time.Duration
	runs              int
	program           string
}

func main() {
	var opt options
	flag.IntVar(&opt.clusters, "clusters", 1000, "clusters in the store that is listed")
	flag.IntVar(&opt.objects, "objects", 43, "plain files of each of them")
	flag.DurationVar(&opt.delay, "delay", 20*time.Millisecond, "how long each request is held back")
	flag.IntVar(&opt.runs, "runs", 3, "how often each command runs; the median is shown")
	flag.StringVar(&opt.program, "stateroom", "", "the program to measure (default: built from this checkout)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := bench(ctx, opt); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, opt options) (err error) {
	if opt.clusters < 1 || opt.objects < 3 || opt.runs < 1 || opt.delay < 0 || flag.NArg() > 0 {
		return errors.New("there must be a cluster, 3 objects of it and a run at least, and no arguments")
	}
	dir, err := os.MkdirTemp("", "stateroom-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if opt.program == "" {
		opt.program = filepath.Join(dir, "stateroom")
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", opt.program, "./cmd/stateroom")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build the command (run this from the root of a checkout): %w\n%s", err, out)
		}
	}
	s, err := startServer(opt.delay)
	if err != nil {
		return err
	}
	defer s.close()
	b := &runner{options: opt, server: s, home: dir}
	fmt.Printf("each request is held back %s; %d runs, the median is shown\n\n", opt.delay, opt.runs)
	return b.all(ctx)
}
