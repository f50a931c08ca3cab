package cli

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom"
)

func etcdCmd(env *Env) *cobra.Command {
	return verb("etcd", "Keep and bring back what is in etcd on this machine",
		verb("snapshot", "Snapshots of etcd: list, take, restore", snapshotListCmd(env), snapshotSaveCmd(env), snapshotRestoreCmd(env)))
}

func snapshotListCmd(env *Env) *cobra.Command {
	var out output
	cmd := &cobra.Command{
		Use:   "list [CLUSTER]",
		Short: "List the snapshots of etcd on this machine",
		Long: `List the snapshots of a cluster's etcds on this machine, the newest first: when
they were taken, their size, the commit that ran, and with -o wide their sha256.
The agent takes one before a release that restarts etcd, and keeps the last five.`,
		Example: "  stateroom etcd snapshot list",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runSnapshotList(cmd.Context(), env, out, args)
		},
	}
	out.flag(cmd.Flags(), asTable, asWide, asYAML, asJSON, asName)
	return cmd
}

func runSnapshotList(ctx context.Context, env *Env, out output, args []string) error {
	m, name, err := env.host(first(args))
	if err != nil {
		return err
	}
	all, err := m.EtcdSnapshots(ctx, name)
	if err != nil {
		return err
	}
	return env.showSnapshots(out, all)
}

func (env *Env) showSnapshots(o output, all []stateroom.EtcdSnapshot) error {
	all = append([]stateroom.EtcdSnapshot{}, all...) // none are [], not null
	if asked, err := o.forPrograms(env.Stdout, all); asked {
		return err
	}
	t := &table{header: []string{"NAME", "TIME", "BYTES", "COMMIT"}}
	width := env.width()
	if o.format == asWide {
		t.header, width = append(t.header, "CLUSTER", "SHA256"), 0
	}
	for _, s := range all {
		if o.format == asName {
			if _, err := fmt.Fprintln(env.Stdout, clean(s.Name)); err != nil {
				return err
			}
			continue
		}
		row := []string{s.Name, when(s.Time), strconv.FormatInt(s.Size, 10), strconv.Itoa(s.Commit)}
		if o.format == asWide {
			row = append(row, s.Cluster, s.SHA256)
		}
		t.add(row...)
	}
	if o.format == asName {
		return nil
	}
	if len(all) == 0 {
		env.sayf("there are no snapshots yet; stateroom etcd snapshot save takes one")
		return nil
	}
	return t.write(env.Stdout, width)
}

func snapshotSaveCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:   "save [CLUSTER]",
		Short: "Take a snapshot of etcd on this machine now",
		Long: `Take a snapshot of each etcd of a cluster that runs on this machine, and keep it
beside the host's data, mode 0600: it holds all secrets of the cluster. Of each
etcd the newest five stay.`,
		Example: "  stateroom etcd snapshot save",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runSnapshotSave(cmd.Context(), env, args)
		},
	}
}

func runSnapshotSave(ctx context.Context, env *Env, args []string) error {
	m, name, err := env.host(first(args))
	if err != nil {
		return err
	}
	all, err := m.SaveEtcd(ctx, name)
	if err != nil {
		return err
	}
	return env.showSnapshots(output{format: asTable}, all)
}

func snapshotRestoreCmd(env *Env) *cobra.Command {
	var cluster string
	wait := 5 * time.Minute
	cmd := &cobra.Command{
		Use:   "restore SNAPSHOT [CLUSTER]",
		Short: "Make a snapshot the data of its etcd",
		Long: `Make a snapshot the data of its etcd on this machine. That etcd and all that
needs it are stopped, the data that is there is put aside and kept, and all is
started again; the command returns when that is ready. What was written since
the snapshot is in the data that was put aside, and no longer in the cluster.

Where nothing runs, nothing is started: stateroom up does.`,
		Example: "  stateroom etcd snapshot restore etcd-main-20260102T030405Z-4",
		Args:    atMost(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("stateroom etcd snapshot list", "which snapshot?")
			}
			if len(args) == 2 {
				cluster = args[1]
			}
			if wait <= 0 {
				return usagef("--wait 5m", "the services cannot be ready within %s", wait)
			}
			return runSnapshotRestore(cmd.Context(), env, args[0], cluster, wait)
		},
	}
	cmd.Flags().DurationVar(&wait, "wait", wait, "for the services to be ready again, at most")
	return cmd
}

func runSnapshotRestore(ctx context.Context, env *Env, snapshot, cluster string, wait time.Duration) error {
	m, name, err := env.host(cluster)
	if err != nil {
		return err
	}
	env.sayf("restoring %s", snapshot)
	r, err := m.RestoreEtcd(ctx, name, snapshot, wait)
	if ctx.Err() != nil {
		env.sayf("hint: what has begun goes on without this command; stateroom status %s says how the services are", name)
	}
	if err != nil {
		return err
	}
	if r.Before != "" {
		env.sayf("the data that was there is kept in %s", r.Before)
	}
	if !r.Running {
		env.sayf("%s does not run on this machine; stateroom up %s starts it", name, name)
	}
	_, err = fmt.Fprintf(env.Stdout, "%s is restored from %s\n", r.Snapshot.Service, snapshot)
	return err
}
