package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
)

type publishOptions struct {
	writeFlags
	edit                bool
	draftWins, headWins bool
}

func publishCmd(env *Env) *cobra.Command {
	var opt publishOptions
	cmd := &cobra.Command{
		Use:   "publish DRAFT",
		Short: "Commit to the cluster what a draft has changed",
		Long: `Commit to the cluster what a draft has changed, as one commit, and end the draft.
What was committed to the cluster meanwhile is merged with it. Where both have
changed the same field, an editor opens with both values, as with stateroom edit;
where there is no terminal, the conflicts are listed and nothing is published.

Nothing runs differently before stateroom update cluster --yes.`,
		Example: "  stateroom publish raise-quota\n  stateroom publish raise-quota --dry-run\n  stateroom publish raise-quota --head-wins -m 'what is left of it'",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runPublish(cmd.Context(), env, opt, first(args))
		},
	}
	f := cmd.Flags()
	opt.changeFlags(f)
	f.BoolVar(&opt.edit, "edit", false, "settle conflicts in an editor, without a terminal too")
	f.BoolVar(&opt.draftWins, "draft-wins", false, "where both have changed a field, take the draft's value")
	f.BoolVar(&opt.headWins, "head-wins", false, "where both have changed a field, leave the cluster's value")
	cmd.MarkFlagsMutuallyExclusive("edit", "draft-wins", "head-wins")
	return cmd
}

func runPublish(ctx context.Context, env *Env, opt publishOptions, draft string) error {
	s, name, err := env.openDraft(ctx, draft)
	if err != nil {
		return err
	}
	env.draft = "" // the outcome is of the cluster
	p := stateroom.Publish{Edited: map[string]stateroom.Edit{}}
	switch {
	case opt.draftWins:
		p.Wins = stateroom.DraftWins
	case opt.headWins:
		p.Wins = stateroom.HeadWins
	}
	out, err := s.Publish(ctx, name, p, opt.write())
	if un := new(stateroom.UnpublishedError); errors.As(err, &un) && (opt.edit || env.atTerminal()) && editable(un) {
		out, err = env.publishInEditor(ctx, s, name, p, opt.write(), un)
	}
	if out != nil {
		if err := env.showOutcome(out); err != nil {
			return err
		}
	}
	return err
}

// atTerminal reports whether a person sits there.
func (env *Env) atTerminal() bool {
	f, ok := env.Stdin.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(f.Fd()))
}

// editable reports whether all that is in the way is in documents that there
// still are.
func editable(un *stateroom.UnpublishedError) bool {
	for _, d := range un.Documents {
		if d.Text == nil || d.Head == nil || stateroom.Secret(d.File) {
			return false
		}
	}
	return true
}

// publishInEditor opens each document that is in the way in the person's
// editor, until the draft can be published or they give up. What they typed in
// any of them is kept then.
func (env *Env) publishInEditor(ctx context.Context, s *stateroom.Store, name cluster.Name, p stateroom.Publish, w stateroom.Write, un *stateroom.UnpublishedError) (*stateroom.Outcome, error) {
	var open []*editing
	of := map[string]*editing{}
	for {
		for _, why := range un.Documents {
			e := of[why.File]
			if e == nil {
				var err error
				if e, err = env.newEditing(&stateroom.Document{File: why.File}); err != nil {
					return nil, keepAll(ctx, err, open)
				}
				e.by, of[why.File], open = "a commit of the cluster", e, append(open, e)
			}
			e.again(why)
			if _, err := e.round(ctx); err != nil { // left as it is: it gives up
				return nil, keepAll(ctx, err, open)
			}
			p.Edited[why.File] = stateroom.Edit{Given: e.given, Since: e.since, Edited: e.text, Unsettled: e.unsettled}
		}
		out, err := s.Publish(ctx, name, p, w)
		switch {
		case err == nil:
			for _, e := range open {
				e.remove()
			}
			return out, nil
		case !errors.As(err, &un) || !editable(un):
			return out, keepAll(ctx, err, open)
		}
	}
}

// validDraftView is a draft that can be published, as programs read it.
type validDraftView struct {
	Cluster string `json:"cluster"`
	Draft   string `json:"draft"`
	Valid   bool   `json:"valid"`
	Head    int    `json:"head"` // the commit that it can be published on
}

// validateDraft says whether a draft could be published now.
func (env *Env) validateDraft(ctx context.Context, s *stateroom.Store, name cluster.Name, o output) error {
	out, err := s.Publish(ctx, name, stateroom.Publish{}, stateroom.Write{DryRun: true})
	if err != nil {
		return err
	}
	view := validDraftView{string(name), env.draft, true, out.Head}
	if asked, err := o.forPrograms(env.Stdout, view); asked {
		return err
	}
	_, err = fmt.Fprintf(env.Stdout, "%s: draft %s is valid, and can be published on commit %d\n", name, env.draft, out.Head)
	return err
}
