package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// runner runs commands on stores of the server and says what they took.
type runner struct {
	options
	server *server
	home   string
	rows   [][]string
}

// figures are what one run of a command took.
type figures struct {
	seconds  time.Duration
	requests int
	row      int   // requests one after the other
	memory   int64 // bytes, the most that were resident
}

// run runs the command on a bucket. Its words go nowhere unless it fails.
func (b *runner) run(ctx context.Context, bucket string, args ...string) (figures, error) {
	b.server.taken()
	cmd := exec.CommandContext(ctx, b.program, args...)
	cmd.Env = []string{
		"HOME=" + b.home, "PATH=" + os.Getenv("PATH"), "STATEROOM_AUTHOR=Bench <bench@example.com>", "AWS_EC2_METADATA_DISABLED=true",
		"S3_ENDPOINT=" + b.server.url, "S3_REGION=us-east-1", "S3_ACCESS_KEY_ID=bench", "S3_SECRET_ACCESS_KEY=benchbench",
	}
	if bucket != "" {
		cmd.Env = append(cmd.Env, "KOPS_STATE_STORE=s3://"+bucket)
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	begun := time.Now()
	err := cmd.Start()
	var memory func() int64
	if err == nil {
		memory = watchMemory(cmd.Process.Pid)
		err = cmd.Wait()
	}
	f := figures{seconds: time.Since(begun)}
	if err != nil {
		return figures{}, fmt.Errorf("stateroom %s: %w\n%s", strings.Join(args, " "), err, out.Bytes())
	}
	requests := b.server.taken()
	f.requests, f.row, f.memory = len(requests), inARow(requests), memory()
	return f, nil
}

// watchMemory looks, until the process has ended, how much it has had resident
// at most, in bytes; 0 where the system does not say. What wait4 says is of no
// use: it begins with what this process had when it forked.
func watchMemory(pid int) func() int64 {
	done := make(chan int64)
	go func() {
		most := int64(0)
		for {
			b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			_, rest, ok := strings.Cut(string(b), "VmHWM:")
			if err != nil || !ok {
				done <- most
				return
			}
			var kib int64
			if _, err := fmt.Sscan(rest, &kib); err == nil {
				most = max(most, kib<<10)
			}
			time.Sleep(time.Millisecond)
		}
	}()
	return func() int64 { return <-done }
}

// job is a command that is measured.
type job struct {
	what, promised string
	bucket         string
	args           func(run int) []string
	before         func(run int) error // prepares a run; it may be nil
}

// always are the same arguments in each run.
func always(args ...string) func(int) []string { return func(int) []string { return args } }

// measure runs a command several times and adds a row with the medians.
func (b *runner) measure(ctx context.Context, j job) error {
	var all []figures
	for i := range b.runs {
		if j.before != nil {
			if err := j.before(i); err != nil {
				return err
			}
		}
		f, err := b.run(ctx, j.bucket, j.args(i)...)
		if err != nil {
			return err
		}
		all = append(all, f)
	}
	of := func(value func(figures) int64) int64 {
		var values []int64
		for _, f := range all {
			values = append(values, value(f))
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	b.rows = append(b.rows, []string{
		j.what,
		fmt.Sprintf("%.3f", time.Duration(of(func(f figures) int64 { return int64(f.seconds) })).Seconds()),
		fmt.Sprint(of(func(f figures) int64 { return int64(f.requests) })),
		fmt.Sprint(of(func(f figures) int64 { return int64(f.row) })),
		fmt.Sprint(of(func(f figures) int64 { return f.memory }) >> 20),
		j.promised,
	})
	return nil
}

// all runs every workload and prints the table.
func (b *runner) all(ctx context.Context) error {
	for _, workload := range []func(context.Context) error{b.version, b.list, b.oneCluster} {
		if err := workload(ctx); err != nil {
			return err
		}
	}
	b.rows = append([][]string{{"what", "seconds", "requests", "in a row", "MiB", "promised"}}, b.rows...)
	widths := make([]int, len(b.rows[0]))
	for _, row := range b.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell))
		}
	}
	for _, row := range b.rows {
		for i, cell := range row {
			fmt.Printf("%-*s  ", widths[i], cell)
		}
		fmt.Println()
	}
	return nil
}

// version is a run of the command that needs no store, and how large it is.
func (b *runner) version(ctx context.Context) error {
	st, err := os.Stat(b.program)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %.1f MB\n\n", filepath.Base(b.program), float64(st.Size())/1e6)
	return b.measure(ctx, job{what: "version", promised: "< 0.030 s", args: always("version")})
}
