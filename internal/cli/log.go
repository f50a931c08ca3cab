package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom/store"
)

type logOptions struct {
	output
	atFlag
	most int
}

func logCmd(env *Env) *cobra.Command {
	var opt logOptions
	cmd := &cobra.Command{
		Use:     "log [NAME]",
		Short:   "Show the commits of a cluster, newest first",
		Example: "  stateroom log\n  stateroom log demo.example.com -n 5 -o json\n  stateroom log --at head~10",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runLog(cmd.Context(), env, opt, args)
		},
	}
	opt.flag(cmd.Flags(), asTable, asWide, asYAML, asJSON)
	opt.atFlag.atFlag(cmd.Flags())
	cmd.Flags().IntVarP(&opt.most, "number", "n", 0, "at most so many commits (default all)")
	return cmd
}

// commitView is a commit as it is shown.
type commitView struct {
	Number   int       `json:"number"`
	Kind     string    `json:"kind"`
	Time     time.Time `json:"time,omitzero"` // of one that was given up it is not known
	Author   string    `json:"author"`
	Message  string    `json:"message"`
	Released bool      `json:"released,omitempty"`
	Changed  []string  `json:"changed"` // "M config"
	Digest   string    `json:"digest"`
}

func viewCommit(c *store.Commit, released int) commitView {
	v := commitView{
		Number: c.Number, Kind: string(c.Kind), Time: c.Time.UTC(), Author: c.Author, Message: c.Message,
		Released: c.Number == released, Changed: []string{}, Digest: string(c.Digest),
	}
	for _, ch := range c.Changed {
		v.Changed = append(v.Changed, ch.Action.String()+" "+ch.Name)
	}
	return v
}

func runLog(ctx context.Context, env *Env, opt logOptions, args []string) error {
	if opt.most < 0 {
		return usagef("-n 10 shows the newest ten; without -n all are shown", "-n %d: there is no such number of commits", opt.most)
	}
	s, name, err := opt.openCluster(ctx, env, first(args))
	if err != nil {
		return err
	}
	drifts, err := s.Uncommitted(ctx, name)
	if errors.Is(err, errors.ErrUnsupported) { // a store that cannot be listed has a log all the same
		env.sayf("warning: whether other tools have changed files cannot be seen here")
	} else if err != nil {
		return err
	}
	released, err := s.Released(ctx, name)
	if err != nil {
		return err
	}
	commits := []commitView{}
	for c, err := range s.Log(ctx, name) {
		if err != nil {
			return err
		}
		if commits = append(commits, viewCommit(c, released)); len(commits) == opt.most {
			break
		}
	}
	if len(commits) == 0 {
		if _, err := s.Cluster(ctx, name); err != nil {
			return err
		}
		env.sayf("%s has no commits yet: its files are another tool's, and the first write imports them", name)
	}
	return env.showLog(opt, commits, drifts)
}

func (env *Env) showLog(opt logOptions, commits []commitView, drifts []store.Drift) error {
	if asked, err := opt.forPrograms(env.Stdout, commits); asked {
		return err
	}
	env.showDrift(drifts)
	t := &table{header: []string{"COMMIT", "WHEN", "AUTHOR", "KIND", "MESSAGE"}}
	if opt.format == asWide {
		t.header = append(t.header, "CHANGED")
	}
	for _, c := range commits {
		number := fmt.Sprint(c.Number)
		if c.Released {
			number += " (live)"
		}
		subject, _, _ := strings.Cut(c.Message, "\n")
		row := []string{number, when(c.Time), nameOf(c.Author), c.Kind, subject}
		if opt.format == asWide {
			row = append(row, strings.Join(c.Changed, ", "))
		}
		t.add(row...)
	}
	width := env.width()
	if opt.format == asWide {
		width = 0
	}
	return t.write(env.Stdout, width)
}

// showDrift prints what is not committed, above the commits as git would.
func (env *Env) showDrift(drifts []store.Drift) {
	for _, d := range drifts {
		fmt.Fprintf(env.Stdout, "%s\n", env.paint(env.Stdout, yellow, clean("uncommitted: "+driftText(d))))
	}
}

// driftText says what a file is that differs from the newest commit.
func driftText(d store.Drift) string {
	switch d.Kind {
	case store.DriftForeign:
		return d.Name + " (changed by another tool; the next write imports it)"
	case store.DriftMissing:
		return d.Name + " (deleted by another tool; the next write imports that)"
	case store.DriftStale:
		return d.Name + " (holds what an earlier commit wrote; the next write puts it right)"
	case store.DriftUnfinished:
		return d.Name + " (committed, not written out yet; the next write finishes it)"
	}
	return d.Name
}

// when is a time for people; that of a commit that was given up is not known.
func when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.DateTime)
}

// nameOf is an author without the address.
func nameOf(author string) string {
	name, _, _ := strings.Cut(author, " <")
	return name
}
