package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stateroom/stateroom"
)

type createOptions struct {
	writeFlags
	documents documentsFlag
	file      string
}

func createCmd(env *Env) *cobra.Command {
	var opt createOptions
	cluster, group := createClusterCmd(env), createGroupCmd(env)
	cmd := &cobra.Command{
		Use:   "create -f FILE",
		Short: "Create clusters and instance groups",
		Long: `Create what the documents in a file say: clusters, instance groups, SSH keys, and
any other Kubernetes object as an add-on of the cluster. Each cluster gets one
commit. What is there already is not touched: that is a conflict.`,
		Example: "  stateroom create -f cluster.yaml\n  kops create cluster ... --dry-run -o yaml | stateroom create -f -\n" + cluster.Example + "\n" + group.Example,
		Args:    noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runCreate(cmd.Context(), env, opt)
		},
	}
	cmd.Flags().StringVarP(&opt.file, "filename", "f", "", "the file; - is standard input")
	opt.flags(cmd.Flags())
	opt.documents.flag(cmd.Flags())
	cmd.AddCommand(cluster, group)
	return cmd
}

func runCreate(ctx context.Context, env *Env, opt createOptions) error {
	if opt.file == "" {
		return usagef("stateroom create cluster NAME, or stateroom create -f FILE", "create what?")
	}
	if err := opt.documents.check(opt.dryRun); err != nil {
		return err
	}
	src, err := env.readFile(ctx, opt.file)
	if err != nil {
		return err
	}
	s, err := env.open(ctx)
	if err != nil {
		return err
	}
	made, err := s.CreateFrom(ctx, opt.file, src, opt.write())
	for _, out := range made {
		if err := env.showCreated(opt.documents, out); err != nil {
			return err
		}
	}
	return err
}

// documentsFlag is -o of a create: with --dry-run, the documents themselves.
type documentsFlag struct{ format string }

func (d *documentsFlag) flag(f *pflag.FlagSet) {
	f.StringVarP(&d.format, "output", "o", "", "with --dry-run, print the documents: yaml|json")
}

func (d documentsFlag) check(dryRun bool) error {
	switch {
	case d.format != "" && d.format != asYAML && d.format != asJSON:
		return usagef("-o yaml|json", "there is no output format %q here", d.format)
	case d.format != "" && !dryRun:
		return usagef("add --dry-run", "-o prints the documents of a dry run")
	}
	return nil
}

// showCreated prints what a create did, or the documents that it would write.
func (env *Env) showCreated(d documentsFlag, out *stateroom.Outcome) error {
	if d.format == "" {
		return env.showOutcome(out)
	}
	for _, w := range out.Warnings {
		env.sayf("warning: %s", w)
	}
	var documents [][]byte
	for _, c := range out.Changes {
		if key := stateroom.SSHCredential(out.Cluster, c.Name, c.After); key != nil {
			documents = append(documents, key)
		} else if len(c.After) > 0 {
			documents = append(documents, c.After)
		}
	}
	return env.showDocuments(output{format: d.format}, nil, documents, true)
}

// maxFile bounds what is read from files that people name, in bytes.
const maxFile = 32 << 20

// readFile reads a file that the command line names; - is standard input.
func (env *Env) readFile(ctx context.Context, name string) ([]byte, error) {
	env.given = append(env.given, name)
	if name != "-" {
		return readNamed(ctx, name, maxFile)
	}
	return orGiveUp(ctx, func() ([]byte, error) { return readAll("standard input", env.Stdin, maxFile) })
}

// readNamed reads a file of at most that many bytes that the command line names.
func readNamed(ctx context.Context, name string, most int64) ([]byte, error) {
	b, err := orGiveUp(ctx, func() ([]byte, error) { return readCapped(name, most) })
	if err != nil {
		return nil, noFile(name, err)
	}
	return b, nil
}

// orGiveUp reads until ctx is done: a pipe or a terminal can be waited for
// without end, and nothing else ends a read.
func orGiveUp(ctx context.Context, read func() ([]byte, error)) ([]byte, error) {
	done := make(chan func() ([]byte, error), 1)
	go func() {
		b, err := read()
		done <- func() ([]byte, error) { return b, err }
	}()
	select {
	case result := <-done:
		return result()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// readCapped reads a file of at most that many bytes.
func readCapped(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(name, f, most)
}

// readAll reads at most that many bytes of what people call by that name.
func readAll(name string, r io.Reader, most int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if path := new(fs.PathError); errors.As(err, &path) {
		return nil, err // it says the name
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if int64(len(b)) > most {
		return nil, &tooLargeError{name, most}
	}
	return b, nil
}

// tooLargeError refuses a file that no document of a person can be.
type tooLargeError struct {
	name string
	most int64
}

func (e *tooLargeError) Error() string {
	return fmt.Sprintf("read %s: it is over %d MiB", e.name, e.most>>20)
}
func (e *tooLargeError) Is(target error) bool { return target == fs.ErrInvalid }
func (e *tooLargeError) Hint() string {
	return "a document is a few hundred kilobytes at most: is this the right file?"
}
