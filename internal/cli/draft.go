package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/store"
)

// onDrafts are the commands that take --draft: they read a draft, or commit to
// it, as they do with the cluster without it.
var onDrafts = []string{
	"edit cluster", "edit instancegroup", "set cluster", "set instancegroup", "unset cluster", "unset instancegroup",
	"replace", "apply", "create cluster", "create instancegroup", "delete instancegroup", "rollback",
	"get cluster", "get instancegroups", "get all", "update cluster", "validate", "validate cluster",
}

// addDraftFlags gives those commands their flag.
func addDraftFlags(root *cobra.Command, env *Env) {
	for _, path := range onDrafts {
		if cmd, _, err := root.Find(strings.Fields(path)); err == nil && cmd != root {
			usage := "of a draft: changes are committed to it, and the cluster is not touched"
			if verb, _, _ := strings.Cut(path, " "); verb == "get" || verb == "update" || verb == "validate" {
				usage = "of a draft, and not of the cluster itself"
			}
			cmd.Flags().StringVar(&env.draft, "draft", "", usage)
		}
	}
}

// draftView is a draft as it is shown.
type draftView struct {
	Name    string    `json:"name"`
	State   string    `json:"state"` // open, published, dropped
	Base    int       `json:"base"`  // the commit of the cluster that it goes off
	Commits int       `json:"commits"`
	Began   time.Time `json:"began"`
	Time    time.Time `json:"time"` // of its newest commit
	Author  string    `json:"author"`
	Message string    `json:"message"`
}

func viewDraft(d *store.DraftState) draftView {
	v := draftView{
		Name: d.Name, State: "open", Base: d.Base, Commits: d.Count, Began: d.Began.UTC(),
		Time: d.Commit.Time.UTC(), Author: d.Commit.Author, Message: d.Commit.Message,
	}
	if d.Ended() {
		v.State = string(d.Commit.Kind)
	}
	return v
}

func draftListCmd(env *Env) *cobra.Command {
	var out output
	var all bool
	cmd := &cobra.Command{
		Use:     "list [NAME]",
		Short:   "List the drafts of a cluster",
		Example: "  stateroom draft list\n  stateroom draft list demo.example.com --all -o json",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDraftList(cmd.Context(), env, out, all, first(args))
		},
	}
	out.flag(cmd.Flags(), asTable, asYAML, asJSON, asName)
	cmd.Flags().BoolVar(&all, "all", false, "those that have ended too")
	return cmd
}

func runDraftList(ctx context.Context, env *Env, out output, all bool, arg string) error {
	s, name, err := env.openCluster(ctx, arg)
	if err != nil {
		return err
	}
	drafts, err := s.Drafts(ctx, name, all)
	if err != nil {
		return err
	}
	views := []draftView{}
	for _, d := range drafts {
		views = append(views, viewDraft(d))
	}
	switch out.format {
	case asJSON:
		return writeJSON(env.Stdout, views)
	case asYAML:
		return writeYAML(env.Stdout, views)
	case asName:
		for _, v := range views {
			if _, err := fmt.Fprintln(env.Stdout, v.Name); err != nil {
				return err
			}
		}
		return nil
	}
	if len(views) == 0 {
		env.sayf("%s has no open drafts; a change with --draft NAME begins one", name)
		return nil
	}
	t := &table{header: []string{"DRAFT", "STATE", "OFF", "COMMITS", "WHEN", "AUTHOR", "MESSAGE"}}
	for _, v := range views {
		subject, _, _ := strings.Cut(v.Message, "\n")
		t.add(v.Name, v.State, fmt.Sprint(v.Base), fmt.Sprint(v.Commits), when(v.Time), nameOf(v.Author), subject)
	}
	return t.write(env.Stdout, env.width())
}

func draftShowCmd(env *Env) *cobra.Command {
	var out output
	cmd := &cobra.Command{
		Use:     "show DRAFT",
		Short:   "Show the commits of a draft and what it changes",
		Example: "  stateroom draft show raise-quota",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDraftShow(cmd.Context(), env, out, first(args))
		},
	}
	out.flag(cmd.Flags(), "text", asYAML, asJSON)
	return cmd
}

func runDraftShow(ctx context.Context, env *Env, out output, draft string) error {
	s, name, err := env.openDraft(ctx, draft)
	if err != nil {
		return err
	}
	commits := []commitView{}
	for c, err := range s.DraftLog(ctx, name) {
		if err != nil {
			return err
		}
		commits = append(commits, viewCommit(c, 0))
	}
	changes, err := s.DraftDiff(ctx, name)
	if err != nil {
		return err
	}
	view := struct {
		Name    string       `json:"name"`
		Cluster string       `json:"cluster"`
		Commits []commitView `json:"commits"`
		Changes []changeView `json:"changes"`
	}{draft, string(name), commits, viewChanges(changes)}
	if asked, err := out.forPrograms(env.Stdout, view); asked {
		return err
	}
	t := &table{header: []string{"COMMIT", "WHEN", "AUTHOR", "MESSAGE"}}
	for _, c := range commits {
		subject, _, _ := strings.Cut(c.Message, "\n")
		t.add(store.NumberText(c.Number), when(c.Time), nameOf(c.Author), subject)
	}
	if err := t.write(env.Stdout, env.width()); err != nil {
		return err
	}
	if len(changes) > 0 {
		if _, err := io.WriteString(env.Stdout, "\n"); err != nil {
			return err
		}
	}
	return env.showChanges(env.Stdout, changes)
}

func draftDiffCmd(env *Env) *cobra.Command {
	var out output
	var exitCode bool
	cmd := &cobra.Command{
		Use:     "diff DRAFT",
		Short:   "Show what a draft changes",
		Long:    "Show what a draft has changed since the commit of the cluster that it goes off.",
		Example: "  stateroom draft diff raise-quota",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDraftDiff(cmd.Context(), env, out, exitCode, first(args))
		},
	}
	out.flag(cmd.Flags(), "text", asYAML, asJSON, asName)
	cmd.Flags().BoolVar(&exitCode, "detailed-exitcode", false, "exit with 10 where there are differences")
	return cmd
}

func runDraftDiff(ctx context.Context, env *Env, out output, exitCode bool, draft string) error {
	s, name, err := env.openDraft(ctx, draft)
	if err != nil {
		return err
	}
	changes, err := s.DraftDiff(ctx, name)
	if err != nil {
		return err
	}
	if err := env.showDifferences(out, changes); err != nil {
		return err
	}
	if exitCode && len(changes) > 0 {
		return errDifferent
	}
	return nil
}

func draftDeleteCmd(env *Env) *cobra.Command {
	var opt writeFlags
	cmd := &cobra.Command{
		Use:   "delete DRAFT",
		Short: "End a draft without publishing it",
		Long: `End a draft without publishing it. Nobody can commit to it or publish it any more,
and its name is free for another.`,
		Example: "  stateroom draft delete raise-quota -m 'not needed any more'",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDraftDelete(cmd.Context(), env, opt, first(args))
		},
	}
	opt.flags(cmd.Flags())
	return cmd
}

func runDraftDelete(ctx context.Context, env *Env, opt writeFlags, draft string) error {
	s, name, err := env.openDraft(ctx, draft)
	if err != nil {
		return err
	}
	if err := s.DropDraft(ctx, name, opt.write()); err != nil {
		return err
	}
	text := "draft %s of %s is deleted\n"
	if opt.dryRun {
		text = "draft %s of %s would be deleted; dry run, nothing was written\n"
	}
	_, err = fmt.Fprintf(env.Stdout, text, draft, name)
	return err
}

// openDraft opens the store on a draft, and says which cluster is meant.
func (env *Env) openDraft(ctx context.Context, draft string) (*stateroom.Store, cluster.Name, error) {
	if draft == "" {
		return nil, "", usagef("stateroom draft list shows them", "which draft?")
	}
	if err := store.CheckDraft(draft); err != nil {
		return nil, "", err
	}
	env.draft = draft
	return env.openCluster(ctx, "")
}
