package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/doc"
	"github.com/stateroom/stateroom/store"
)

type exportOptions struct {
	atFlag
	file  string
	admin time.Duration
	user  string
}

func exportKubeconfigCmd(env *Env) *cobra.Command {
	var opt exportOptions
	cmd := &cobra.Command{
		Use:     "kubeconfig [NAME]",
		Aliases: []string{"kubecfg"},
		Short:   "Write a kubeconfig with an admin's certificate",
		Long: `Issue an admin's client certificate from the keys in the store, and write a
kubeconfig with it. It goes to a file of its own, mode 0600. A file that is there
is replaced if it gives access to this cluster and nothing else.`,
		Example: "  stateroom export kubeconfig --kubeconfig ./kubeconfig\n  stateroom export kubeconfig --admin=1h --kubeconfig -",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runExportKubeconfig(cmd.Context(), env, opt, args)
		},
	}
	f := cmd.Flags()
	opt.atFlag.atFlag(f)
	f.DurationVar(&opt.admin, "admin", stateroom.AdminValidity, "how long the certificate is valid")
	f.Lookup("admin").NoOptDefVal = stateroom.AdminValidity.String()
	f.StringVar(&opt.user, "user", "", "name of the admin, for audit logs (default the login)")
	f.StringVar(&opt.file, "kubeconfig", "", "the file; - is standard output (default NAME.kubeconfig here)")
	return cmd
}

func runExportKubeconfig(ctx context.Context, env *Env, opt exportOptions, args []string) error {
	if opt.admin <= 0 {
		return usagef("write --admin=18h for eighteen hours", "a certificate cannot be valid for %s", opt.admin)
	}
	if opt.file == "-" && terminal(env.Stdout) {
		return usagef("write it to a file, or into a pipe", "the kubeconfig holds a private key, and standard output is a terminal")
	}
	s, name, err := opt.openCluster(ctx, env, first(args))
	if err != nil {
		return err
	}
	if opt.user == "" {
		opt.user = env.login()
	}
	b, err := s.Kubeconfig(ctx, name, stateroom.Access{User: opt.user, Validity: opt.admin})
	if err != nil {
		return err
	}
	if opt.file == "-" {
		_, err := env.Stdout.Write(b)
		return err
	}
	if opt.file == "" {
		opt.file = string(name) + ".kubeconfig"
	}
	if err := replaceable(ctx, opt.file, name); err != nil {
		return err
	}
	if err := stateroom.WriteSecretFile(opt.file, b); err != nil {
		return fmt.Errorf("write %s: %w", opt.file, err)
	}
	_, err = fmt.Fprintf(env.Stdout, "wrote %s, valid for %s\nexport KUBECONFIG=%s\n", opt.file, opt.admin, shellQuote(absolute(opt.file)))
	return err
}

// maxKubeconfig bounds a kubeconfig that is to be replaced, in bytes.
const maxKubeconfig = 4 << 20

// replaceable refuses to write over a file that is more than a kubeconfig of
// this cluster: people keep the access to all of theirs in one.
func replaceable(ctx context.Context, file string, name cluster.Name) error {
	b, err := readOld(ctx, file, maxKubeconfig)
	if err != nil || len(bytes.TrimSpace(b)) == 0 {
		return err
	}
	occupied := func(what string) error {
		return &occupiedError{file, what, "name another file with --kubeconfig; with KUBECONFIG=A:B kubectl reads both"}
	}
	docs, err := doc.Parse(b)
	if err != nil || len(docs) != 1 {
		return occupied("is no kubeconfig")
	}
	if kind, _ := docs[0].Get("kind"); kind != "Config" {
		return occupied("is no kubeconfig")
	}
	clusters, _ := docs[0].Get("clusters")
	list, _ := clusters.([]any)
	for _, c := range list {
		m, _ := c.(map[string]any)
		if other, _ := m["name"].(string); other != string(name) {
			return occupied("gives access to " + other + ", too")
		}
	}
	return nil
}

// readOld reads a file that is to be replaced; none is empty.
func readOld(ctx context.Context, file string, most int64) ([]byte, error) {
	st, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err == nil && !st.Mode().IsRegular(): // nor is there an end to reading some
		return nil, &occupiedError{file, "is no regular file", "name another file"}
	}
	return readNamed(ctx, file, most)
}

// occupiedError says that a file is somebody's.
type occupiedError struct{ file, what, hint string }

func (e *occupiedError) Error() string {
	return fmt.Sprintf("write %s: it %s, and would be replaced", e.file, e.what)
}

// Unwrap returns store.ErrConflict: somebody else made the same.
func (e *occupiedError) Unwrap() error { return store.ErrConflict }

// Hint says where it goes instead.
func (e *occupiedError) Hint() string { return e.hint }
