package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom"
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
kubeconfig with it. It goes to a file of its own, mode 0600: never into
~/.kube/config unless that is the file you name.`,
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
	if err := stateroom.WriteSecretFile(opt.file, b); err != nil {
		return fmt.Errorf("write %s: %w", opt.file, err)
	}
	_, err = fmt.Fprintf(env.Stdout, "wrote %s, valid for %s\nexport KUBECONFIG=%s\n", opt.file, opt.admin, shellQuote(absolute(opt.file)))
	return err
}
