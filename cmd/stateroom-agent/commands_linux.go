package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/stateroom/stateroom/agent"
	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/internal/asset"
	"github.com/stateroom/stateroom/internal/backends"
	"github.com/stateroom/stateroom/vfs"
)

// maxBootstrap is how much of a bootstrap file is read: over its limit by one.
const maxBootstrap = bundle.MaxBootstrap + 1

// shortestPoll is the least time between two requests for the release.
const shortestPoll = 10 * time.Millisecond

// runOptions are the flags of run.
type runOptions struct {
	bootstrap, dir, node, address, cache string
	format                               string
	once, dryRun                         bool
	poll                                 time.Duration
	trial                                agent.Trial
}

func parseRun(args []string, stderr io.Writer) (*runOptions, error) {
	o := &runOptions{}
	f := flag.NewFlagSet("stateroom-agent run", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.bootstrap, "bootstrap", "", "the bootstrap `file` of this host (required)")
	f.StringVar(&o.dir, "dir", "", "the `directory` that all of this host lies in (required)")
	f.StringVar(&o.node, "node", "", "`name` of this host in the cluster (default: the host's name)")
	f.StringVar(&o.address, "address", "127.0.0.1", "`address` that services listen on")
	f.StringVar(&o.cache, "cache", "", "`directory` of programs, shared by all agents of a machine (default: cache below --dir)")
	f.StringVar(&o.format, "log-format", "text", "text or json")
	f.BoolVar(&o.once, "once", false, "follow the release that is there now, until it is known to be good or bad")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would be done, and touch nothing")
	f.DurationVar(&o.poll, "poll", 0, "time between requests for the release (default: 1s for a store in a directory, else as the release says)")
	f.DurationVar(&o.trial.Ready, "ready", 0, "how long a service may take to be ready where its probe does not say (default 90s)")
	f.DurationVar(&o.trial.Confirm, "confirm", 0, "how long all must stay ready before a bundle counts as good (default 60s)")
	if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil, err
	} else if err != nil {
		return nil, errUsage
	}
	if o.bootstrap == "" || o.dir == "" || f.NArg() > 0 || o.format != "text" && o.format != "json" {
		fmt.Fprintln(stderr, "stateroom-agent run: --bootstrap and --dir are required, --log-format is text or json, and there are no other arguments")
		return nil, errUsage
	}
	if a, err := netip.ParseAddr(o.address); err != nil || !a.Is4() {
		fmt.Fprintf(stderr, "stateroom-agent run: --address %q is not an IPv4 address, and hosts have no other yet\n", o.address)
		return nil, errUsage
	}
	if min(o.poll, o.trial.Ready, o.trial.Confirm) < 0 || o.poll > 0 && o.poll < shortestPoll {
		fmt.Fprintf(stderr, "stateroom-agent run: --poll is at least %v, --ready and --confirm are no less than nothing\n", shortestPoll)
		return nil, errUsage
	}
	if o.cache == "" {
		o.cache = filepath.Join(o.dir, "cache")
	}
	if o.node == "" {
		name, err := os.Hostname()
		if err != nil {
			return nil, fmt.Errorf("ask for the host's name: %w", err)
		}
		o.node = strings.ToLower(name)
	}
	return o, nil
}

func runAgent(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parseRun(args, stderr)
	if err != nil {
		return err
	}
	// The agent is idle for nearly all of its life: rather collect more often
	// than hold memory that services could use.
	debug.SetGCPercent(50)
	boot, err := readBootstrap(o.bootstrap)
	if err != nil {
		return err
	}
	store, err := backends.Open(ctx, boot.Store, backends.Options{Getenv: os.Getenv})
	if err != nil {
		return err
	}
	memory, err := openMemory(ctx, o.dir)
	if err != nil {
		return err
	}
	if _, local := backends.Dir(boot.Store); local && o.poll == 0 {
		o.poll = time.Second
	}
	opt := agent.Options{
		Bootstrap: *boot, Node: o.node, Address: o.address, Version: version,
		Store: store.Sub(".stateroom/" + boot.Cluster), Memory: memory,
		Poll: o.poll, Trial: o.trial, Log: logger(stderr, o.format),
	}
	on := machineOptions(o, opt.Log)
	if o.dryRun {
		return preview(ctx, opt, on, stdout)
	}
	m, err := agent.OpenMachine(ctx, on)
	if err != nil {
		return err
	}
	opt.Host, opt.Data = m, m
	following, cancel := signal.NotifyContext(ctx, agent.EndAll)
	defer cancel()
	err = follow(following, opt, o.once)
	if following.Err() != nil && ctx.Err() == nil { // EndAll
		err = m.StopServices(ctx)
	}
	return errors.Join(err, m.Close())
}

func machineOptions(o *runOptions, log *slog.Logger) agent.MachineOptions {
	return agent.MachineOptions{
		Dir: o.dir, Node: o.node, Address: o.address, Cache: &asset.Cache{Dir: o.cache}, Log: log,
		Env: environment(), Command: append([]string{os.Args[0]}, os.Args[1:]...),
	}
}

func follow(ctx context.Context, opt agent.Options, once bool) error {
	a, err := agent.New(ctx, opt)
	if err != nil {
		return err
	}
	opt.Log.InfoContext(ctx, "agent runs", slog.String("cluster", opt.Bootstrap.Cluster), slog.String("group", opt.Bootstrap.Group),
		slog.String("node", opt.Node), slog.String("store", opt.Store.Name()))
	if once {
		return a.Once(ctx)
	}
	return a.Run(ctx)
}

func preview(ctx context.Context, opt agent.Options, on agent.MachineOptions, stdout io.Writer) error {
	lines, err := agent.Preview(ctx, opt, on)
	for _, l := range lines {
		fmt.Fprintln(stdout, l)
	}
	return err
}

func readBootstrap(path string) (*bundle.Bootstrap, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the bootstrap file: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxBootstrap))
	if err != nil {
		return nil, fmt.Errorf("read the bootstrap file: %w", err)
	}
	b, err := bundle.DecodeBootstrap(text)
	if err != nil {
		return nil, fmt.Errorf("bootstrap file %s: %w", path, err)
	}
	return b, nil
}

// openMemory opens what the agent of a directory remembers.
func openMemory(ctx context.Context, dir string) (*vfs.FS, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	return backends.Open(ctx, filepath.Join(dir, "memory"), backends.Options{})
}

// environment is that of the services: what programs cannot do without, and
// nothing of who started the agent.
func environment() []string {
	env := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	for _, name := range []string{"HOME", "TMPDIR", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

func logger(w io.Writer, format string) *slog.Logger {
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, nil))
	}
	return slog.New(slog.NewTextHandler(w, nil))
}

// parseDir reads the flags of a command that needs a directory.
func parseDir(name string, args []string, stderr io.Writer, more func(*flag.FlagSet)) (string, error) {
	f := flag.NewFlagSet("stateroom-agent "+name, flag.ContinueOnError)
	f.SetOutput(stderr)
	dir := f.String("dir", "", "the `directory` of the host (required)")
	if more != nil {
		more(f)
	}
	if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
		return "", err
	} else if err != nil {
		return "", errUsage
	}
	if *dir == "" || f.NArg() > 0 {
		fmt.Fprintf(stderr, "stateroom-agent %s: --dir is required, and there are no other arguments\n", name)
		return "", errUsage
	}
	return *dir, nil
}

func stopAll(ctx context.Context, args []string, stderr io.Writer) error {
	dir, err := parseDir("stop", args, stderr, nil)
	if err != nil {
		return err
	}
	return agent.StopAll(ctx, agent.MachineOptions{Dir: dir, Log: slog.New(slog.DiscardHandler)})
}

func showStatus(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	output := "text"
	dir, err := parseDir("status", args, stderr, func(f *flag.FlagSet) { f.StringVar(&output, "o", output, "text or json") })
	if err != nil {
		return err
	}
	memory, err := openMemory(ctx, dir)
	if err != nil {
		return err
	}
	s, err := agent.ReadStatus(ctx, dir, memory)
	if err != nil {
		return err
	}
	switch output {
	case "json":
		return writeJSON(stdout, s)
	case "text":
		return writeStatus(stdout, s)
	}
	fmt.Fprintln(stderr, "stateroom-agent status: -o is text or json")
	return errUsage
}

func writeStatus(out io.Writer, s *agent.Status) error {
	if s.Agent > 0 {
		fmt.Fprintf(out, "agent: pid %d, since %s\n", s.Agent, s.Started.Format(time.RFC3339))
	} else {
		fmt.Fprintln(out, "agent: not running")
	}
	if r := s.Report; r != nil {
		fmt.Fprintf(out, "node %s: %s, commit %d, bundle %s\n", r.Node, r.Phase, r.Commit, r.Digest.Short())
		if f := r.Failed; f != nil {
			fmt.Fprintf(out, "commit %d failed: %s\n", f.Commit, strings.TrimSpace(f.Service+" "+f.Reason))
			for line := range strings.Lines(f.LastWords) {
				fmt.Fprint(out, "  "+line)
			}
			if f.LastWords != "" {
				fmt.Fprintln(out)
			}
		}
	}
	t := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	if len(s.Services) > 0 {
		fmt.Fprintln(t, "SERVICE\tPID\tSINCE\tSTATE")
	}
	for _, p := range s.Services {
		since := "-"
		if !p.Started.IsZero() {
			since = p.Started.Format(time.RFC3339)
		}
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\n", p.Name, p.PID, since, p.State)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if len(s.Command) > 0 {
		fmt.Fprintf(out, "Nothing starts this after a reboot but: %s\n", quoted(s.Command))
	}
	return nil
}

// quoted is a command as a shell reads it.
func quoted(command []string) string {
	var words []string
	for _, w := range command {
		if w == "" || strings.Trim(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./:,@+") != "" {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		words = append(words, w)
	}
	return strings.Join(words, " ")
}

// code is the exit code of an error, as all of Stateroom's programs have it.
func code(err error) int {
	switch _, failed := errors.AsType[*agent.FailedError](err); {
	case failed:
		return 8
	case errors.Is(err, context.Canceled):
		return 130
	case errors.Is(err, fs.ErrNotExist):
		return 3
	case errors.Is(err, fs.ErrPermission):
		return 5
	case errors.Is(err, fs.ErrInvalid):
		return 6
	}
	return 1
}
