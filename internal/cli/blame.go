package cli

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
)

type blameOptions struct {
	output
	atFlag
}

func blameCmd(env *Env) *cobra.Command {
	var opt blameOptions
	cmd := &cobra.Command{
		Use:   "blame cluster|instancegroup GROUP|FILE",
		Short: "Show who wrote each line of a document, and when",
		Long: `Show of each line of a document with which commit it came, by whom and when. What
another tool wrote is by foreign, with the commit that imported it. FILE is a
file of the cluster, as stateroom log -o wide names them.`,
		Example: "  stateroom blame cluster\n  stateroom blame instancegroup nodes-main\n  stateroom blame clusteraddons/default",
		Args:    atMost(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runBlame(cmd.Context(), env, opt, args)
		},
	}
	opt.flag(cmd.Flags(), "text", asYAML, asJSON)
	opt.atFlag.atFlag(cmd.Flags())
	return cmd
}

// blamed is the file that the arguments name.
func blamed(args []string) (string, error) {
	switch {
	case len(args) == 1 && args[0] == "cluster":
		return cluster.ConfigFile, nil
	case len(args) == 2 && (args[0] == "instancegroup" || args[0] == "ig"):
		if _, err := cluster.ParseGroupName(args[1]); err != nil {
			return "", err
		}
		return cluster.GroupFile(args[1]), nil
	case len(args) == 1 && args[0] != "instancegroup" && args[0] != "ig":
		return args[0], nil
	}
	return "", usagef("stateroom blame cluster, stateroom blame instancegroup GROUP, or stateroom blame FILE", "blame what?")
}

// blameView is a line as programs read it.
type blameView struct {
	Line   int       `json:"line"`
	Commit int       `json:"commit"`
	Kind   string    `json:"kind"`
	Author string    `json:"author"`
	Time   time.Time `json:"time"`
	Text   string    `json:"text"`
}

func runBlame(ctx context.Context, env *Env, opt blameOptions, args []string) error {
	file, err := blamed(args)
	if err != nil {
		return err
	}
	s, name, err := opt.openCluster(ctx, env, "")
	if err != nil {
		return err
	}
	lines, err := s.Blame(ctx, name, file)
	if err != nil {
		return err
	}
	return env.showBlame(opt.output, lines)
}

func (env *Env) showBlame(opt output, lines []stateroom.BlameLine) error {
	views := []blameView{}
	author, digits := 0, len(strconv.Itoa(len(lines)))
	for _, l := range lines {
		views = append(views, blameView{l.Number, l.Commit.Number, string(l.Commit.Kind), l.Commit.Author, l.Commit.Time.UTC(), l.Text})
		author = max(author, len([]rune(clean(nameOf(l.Commit.Author)))))
	}
	if asked, err := opt.forPrograms(env.Stdout, views); asked {
		return err
	}
	for _, v := range views {
		who := clean(nameOf(v.Author))
		if _, err := fmt.Fprintf(env.Stdout, "%4d  %-*s  %s  %*d  %s\n", v.Commit, author, who, when(v.Time), digits, v.Line, clean(v.Text)); err != nil {
			return err
		}
	}
	return nil
}
