package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/doc"
)

type whyOptions struct {
	output
	atFlag
	group string
}

func whyCmd(env *Env) *cobra.Command {
	var opt whyOptions
	cmd := &cobra.Command{
		Use:   "why PATH",
		Short: "Show where the value of a field is from",
		Long: `Show what a field holds, or what its default is where it is not set; and with which
commit its line came, by whom, when and why; and which managers list it in the
files that they apply.`,
		Example: "  stateroom why spec.kubeAPIServer.maxRequestsInflight\n  stateroom why spec.maxSize --instancegroup nodes-main\n  stateroom why 'spec.etcdClusters[name=main].version' -o json",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runWhy(cmd.Context(), env, opt, first(args))
		},
	}
	opt.flag(cmd.Flags(), "text", asYAML, asJSON)
	opt.atFlag.atFlag(cmd.Flags())
	cmd.Flags().StringVar(&opt.group, "instancegroup", "", "in the document of this instance group")
	return cmd
}

// whyView is where a value is from, as programs read it.
type whyView struct {
	File     string      `json:"file"`
	Path     string      `json:"path"`
	Set      bool        `json:"set"`
	Value    any         `json:"value,omitempty"`
	Default  string      `json:"default,omitempty"`
	Line     int         `json:"line,omitempty"`
	Commit   *commitView `json:"commit,omitempty"`
	Managers []string    `json:"managers"`
}

func runWhy(ctx context.Context, env *Env, opt whyOptions, path string) error {
	if path == "" {
		return usagef("stateroom why spec.kubernetesVersion; stateroom explain lists the fields", "why which field?")
	}
	s, name, err := opt.openCluster(ctx, env, "")
	if err != nil {
		return err
	}
	reasons, err := s.Why(ctx, name, opt.group, path)
	if invalid := new(cluster.InvalidError); errors.As(err, &invalid) {
		if _, ofGroups := cluster.Explain(cluster.KindInstanceGroup, path); ofGroups && opt.group == "" {
			return advise(err, "stateroom why %s --instancegroup GROUP; stateroom get instancegroups shows them", path)
		}
		return advise(err, "stateroom explain lists the fields that there are")
	}
	if err != nil {
		return err
	}
	views := []whyView{}
	for _, r := range reasons {
		v := whyView{File: r.File, Path: r.Path, Set: r.Set, Value: r.Value, Default: r.Default, Line: r.Line, Managers: append([]string{}, r.Managers...)}
		if r.Commit != nil {
			c := viewCommit(r.Commit, 0)
			v.Commit = &c
		}
		views = append(views, v)
	}
	if asked, err := opt.forPrograms(env.Stdout, views); asked {
		return err
	}
	w := &lines{w: env.Stdout}
	for i, r := range reasons {
		if i > 0 {
			w.printf("\n")
		}
		showReason(w, r)
	}
	return w.err
}

func showReason(w *lines, r stateroom.Reason) {
	if !r.Set {
		w.printf("%s is not set in %s\n", clean(r.Path), r.File)
	} else {
		w.printf("%s\n", clean(fmt.Sprintf("%s: %s", r.Path, doc.Side{Value: r.Value, Present: true})))
	}
	if r.Default != "" {
		w.printf("  default: %s\n", clean(r.Default))
	}
	if r.Doc != "" {
		w.printf("  what it is: %s\n", clean(strings.ReplaceAll(r.Doc, "\n", " ")))
	}
	if c := r.Commit; c != nil {
		subject, _, _ := strings.Cut(c.Message, "\n")
		w.printf("  set in: %s:%d, commit %d by %s, %s: %s\n", r.File, r.Line, c.Number, clean(nameOf(c.Author)), when(c.Time), clean(subject))
	}
	if len(r.Managers) > 0 {
		w.printf("  listed by: %s (stateroom apply)\n", strings.Join(r.Managers, ", "))
	}
}
