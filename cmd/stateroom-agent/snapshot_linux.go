package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"text/tabwriter"
	"time"

	"github.com/stateroom/stateroom/agent"
)

const snapshotUsage = `usage:
  stateroom-agent etcd-snapshot list --dir DIR [-o json]                 snapshots of etcd that lie here
  stateroom-agent etcd-snapshot save --dir DIR [-o json]                 take one of every etcd that runs
  stateroom-agent etcd-snapshot restore --dir DIR --snapshot NAME        make one the data of its etcd

Before a release that restarts etcd, the agent takes a snapshot by itself.
`

// etcdSnapshot is the command with the commands below it.
func etcdSnapshot(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	verb := ""
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	output, name, wait := "text", "", 5*time.Minute
	flags := func(f *flag.FlagSet) {
		f.StringVar(&output, "o", output, "text or json")
		if verb == "restore" {
			f.StringVar(&name, "snapshot", "", "`name` of the snapshot (required)")
			f.DurationVar(&wait, "wait", wait, "for the services to be ready again")
		}
	}
	switch verb {
	case "list", "save", "restore":
	case "help", "-h", "--help":
		fmt.Fprint(stdout, snapshotUsage)
		return nil
	default:
		fmt.Fprint(stderr, snapshotUsage)
		return errUsage
	}
	dir, err := parseDir("etcd-snapshot "+verb, args, stderr, flags)
	if err != nil {
		return err
	}
	if output != "text" && output != "json" || verb == "restore" && name == "" {
		fmt.Fprintln(stderr, "stateroom-agent etcd-snapshot "+verb+": -o is text or json, and restore needs --snapshot")
		return errUsage
	}
	memory, err := openMemory(ctx, dir)
	if err != nil {
		return err
	}
	v, err := agent.OpenVault(agent.MachineOptions{Dir: dir, Log: slog.New(slog.DiscardHandler)}, memory)
	if err != nil {
		return err
	}
	defer v.Close()
	switch verb {
	case "restore":
		return restoreSnapshot(ctx, v, name, wait, output, stdout)
	case "save":
		all, err := v.Save(ctx)
		return errors.Join(writeSnapshots(stdout, output, all), err)
	}
	all, err := v.List()
	if err != nil {
		return err
	}
	return writeSnapshots(stdout, output, all)
}

func restoreSnapshot(ctx context.Context, v *agent.Vault, name string, wait time.Duration, output string, stdout io.Writer) error {
	ctx, cancel := context.WithTimeoutCause(ctx, wait, fmt.Errorf("not ready after %v: %w", wait, context.DeadlineExceeded))
	defer cancel()
	done, err := v.Restore(ctx, name)
	if err != nil {
		return err
	}
	if output == "json" {
		return writeJSON(stdout, done)
	}
	fmt.Fprintf(stdout, "%s is restored from %s\n", done.Snapshot.Service, name)
	if done.Before != "" {
		fmt.Fprintf(stdout, "what was there before is kept in %s\n", done.Before)
	}
	if !done.Running {
		fmt.Fprintln(stdout, "no agent runs here, so nothing was started")
	}
	return nil
}

func writeSnapshots(out io.Writer, output string, all []agent.Snapshot) error {
	if output == "json" {
		if all == nil {
			return nil // there is an error instead
		}
		return writeJSON(out, all)
	}
	t := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	if len(all) > 0 {
		fmt.Fprintln(t, "NAME\tTIME\tCOMMIT\tBYTES\tSHA256")
	}
	for _, s := range all {
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%s\n", s.Name, s.Time.Format(time.RFC3339), s.Commit, s.Size, s.SHA256)
	}
	return t.Flush()
}

func writeJSON(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
