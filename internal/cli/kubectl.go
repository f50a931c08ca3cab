package cli

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

func kubectlCmd(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "kubectl -- ARGS",
		Short: "Run the cluster's own kubectl with its kubeconfig",
		Long: `Run the kubectl of the cluster's version, from the cache of programs, with the
kubeconfig of the cluster that runs on this machine. Exit code and output are
kubectl's.`,
		Example: "  stateroom kubectl -- get namespaces\n  stateroom --name demo.example.com kubectl -- get pods -A",
		RunE: func(cmd *cobra.Command, args []string) error {
			return runKubectl(cmd.Context(), env, args)
		},
	}
	cmd.Flags().SetInterspersed(false) // what follows the first word is kubectl's
	return cmd
}

// kubectlEnds is how long kubectl has to end when this command is told to.
const kubectlEnds = 5 * time.Second

func runKubectl(ctx context.Context, env *Env, args []string) error {
	s, err := env.open(ctx)
	if err != nil {
		return err
	}
	m, name, err := env.host("")
	if err != nil {
		return err
	}
	programs, show, err := env.programs(ctx, programFlags{})
	if err != nil {
		return err
	}
	kubectl, err := s.Kubectl(ctx, name, m, programs)
	show.done()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, kubectl.Path, args...)
	cmd.Args[0] = "kubectl" // a multi-call program goes by its name
	cmd.Env = append(withoutKubeconfig(cmd.Environ()), "KUBECONFIG="+kubectl.Kubeconfig)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = env.Stdin, env.Stdout, env.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it may have to put the terminal right
	cmd.WaitDelay = kubectlEnds
	if env.atTerminal() {
		err = env.lend(cmd.Run)
	} else {
		err = cmd.Run()
	}
	if running, errRunning := m.Running(ctx, name); err != nil && errRunning == nil && !running.Any() {
		env.sayf("hint: %s does not run on this machine; stateroom up %s starts it", name, name)
	}
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return exitStatus(codeOf(exit))
	}
	return err
}

// codeOf is the exit code of a program as a shell gives it: with 128 added, the
// signal that ended it.
func codeOf(exit *exec.ExitError) int {
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return exit.ExitCode()
}

func withoutKubeconfig(environ []string) []string {
	var kept []string
	for _, e := range environ {
		if !strings.HasPrefix(e, "KUBECONFIG=") {
			kept = append(kept, e)
		}
	}
	return kept
}
