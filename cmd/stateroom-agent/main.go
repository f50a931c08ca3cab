// Command stateroom-agent makes this host run what its cluster's release says.
// See stateroom-agent help.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// version is set at build time.
var version = "dev"

const usage = `usage:
  stateroom-agent run --bootstrap FILE --dir DIR [flags]   follow the release, in the foreground
  stateroom-agent status --dir DIR [-o json]               what runs here
  stateroom-agent stop --dir DIR                           stop the agent, then every service
  stateroom-agent etcd-snapshot list|save|restore ...      snapshots of etcd on this host
  stateroom-agent version

Services go on running when the agent ends, and a new agent takes them up.
stateroom-agent run -h lists the flags.
`

// errUsage is a wrong call; what is wrong with it has been said.
var errUsage = errors.New("usage")

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	os.Exit(exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr)))
}

// run is the whole program.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	command := ""
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	switch command {
	case "run":
		return runAgent(ctx, args, stdout, stderr)
	case "status":
		return showStatus(ctx, args, stdout, stderr)
	case "stop":
		return stopAll(ctx, args, stderr)
	case "etcd-snapshot":
		return etcdSnapshot(ctx, args, stdout, stderr)
	case "version", "--version":
		fmt.Fprintln(stdout, "stateroom-agent", version)
		return nil
	case "help", "-h", "--help":
		fmt.Fprint(stdout, usage)
		return nil
	}
	fmt.Fprint(stderr, usage)
	return errUsage
}

// exit prints an error for people and returns the exit code for it.
func exit(err error) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return 2
	}
	fmt.Fprintln(os.Stderr, "stateroom-agent:", err)
	if h, ok := errors.AsType[interface {
		error
		Hint() string
	}](err); ok && h.Hint() != "" {
		fmt.Fprintln(os.Stderr, "stateroom-agent: hint:", h.Hint())
	}
	return code(err)
}
