package cli

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
)

// completionTime is how long a person waits at most after pressing the key. A
// store that is slower than that completes nothing.
const completionTime = time.Second

// completionCommits is how many commits are offered.
const completionCommits = 20

func completionCmd() *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print what lets a shell complete names and fields",
		Long: `Print what makes a shell complete this command: its commands and flags, the names
of clusters, instance groups and commits, and the fields behind --set and --unset.

  bash        source <(stateroom completion bash)
  zsh         source <(stateroom completion zsh)
  fish        stateroom completion fish | source
  powershell  stateroom completion powershell | Out-String | Invoke-Expression

Put that line into the file that the shell reads when it starts: ~/.bashrc, ~/.zshrc
(after compinit), ~/.config/fish/config.fish, $PROFILE.`,
		Example:   "  stateroom completion bash\n  stateroom completion zsh > _stateroom",
		ValidArgs: shells,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(shells, args[0]) {
				return usagef("stateroom completion bash", "completion for which shell? there is: %s", strings.Join(shells, ", "))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			root, w := cmd.Root(), cmd.OutOrStdout()
			var script string
			var err error
			switch args[0] {
			case "bash":
				script, err = bashScript(root)
			case "fish":
				script, err = fishScript(root)
			case "zsh":
				return root.GenZshCompletion(w)
			default:
				return root.GenPowerShellCompletionWithDesc(w)
			}
			if err != nil {
				return err
			}
			_, err = io.WriteString(w, script)
			return err
		},
	}
}

// completer finds what can stand where. It reads the store, never for longer
// than a second, says nothing on errors and writes nothing.
type completer struct{ env *Env }

// lookup is what a completer finds for an argument or flag.
type lookup func(ctx context.Context, cmd *cobra.Command, args []string, typed string) []string

// more stands for any number of what is before it.
const more = "more"

// completes says what each argument of a command is; the last entry counts for
// all that follow where it is repeated, or where more follows it.
var completes = map[string][]string{
	"get instancegroups":   {"group", "group"},
	"get keypairs":         {"keyset", "keyset"},
	"edit instancegroup":   {"group"},
	"delete instancegroup": {"group"},
	"set cluster":          {"cluster setting", "setting", "more"},
	"set instancegroup":    {"group", "setting", "more"},
	"unset cluster":        {"cluster field", "field", "more"},
	"unset instancegroup":  {"group", "field", "more"},
	"show":                 {"cluster commit", "commit"},
	"diff":                 {"cluster commit", "commit", "commit"},
	"blame":                {"document", "group"},
	"draft show":           {"draft"},
	"draft diff":           {"draft"},
	"draft delete":         {"draft"},
	"publish":              {"draft"},
	"why":                  {"field"},
}

// addCompletions tells every command what its arguments and flags can be.
func addCompletions(root *cobra.Command, env *Env) {
	c := &completer{env}
	c.flag(root, "name", c.clusters)
	_ = root.MarkPersistentFlagDirname("state") // fails only where there is no such flag
	c.command(root)
}

func (c *completer) command(cmd *cobra.Command) {
	for _, child := range cmd.Commands() {
		c.command(child)
	}
	if cmd.ValidArgsFunction == nil && len(cmd.ValidArgs) == 0 {
		cmd.ValidArgsFunction = c.arguments(argumentsOf(cmd))
	}
	c.flag(cmd, "to", c.commits)
	c.flag(cmd, "at", c.commits)
	c.flag(cmd, "set", c.settings)
	c.flag(cmd, "unset", c.fields)
	c.flag(cmd, "subnet", c.subnets)
	c.flag(cmd, "draft", c.drafts)
	c.flag(cmd, "zone", c.zones)
	c.flag(cmd, "instancegroup", c.groups)
	for name, values := range map[string]string{
		"role":  "node control-plane apiserver bastion",
		"cloud": strings.Join(cluster.Clouds(), " "), "dns": "none private public", "networking": strings.Join(cluster.NetworkingNames(), " "),
		"kubernetes-version": cluster.DefaultKubernetesVersion, "topology": "public private", "authorization": "RBAC AlwaysAllow",
		"instance-manager": "cloudgroups karpenter", "api-loadbalancer-type": "public internal", "api-loadbalancer-class": "network",
		"control-plane-tenancy": "default dedicated", "node-tenancy": "default dedicated", "etcd-clusters": "main events leases",
	} {
		c.flag(cmd, name, func(context.Context, *cobra.Command, []string, string) []string { return strings.Fields(values) })
	}
	if f := cmd.Flags().Lookup("output"); f != nil {
		if _, list, ok := strings.Cut(f.Usage, ": "); ok {
			c.flag(cmd, "output", func(context.Context, *cobra.Command, []string, string) []string {
				return strings.Split(strings.ReplaceAll(list, asJSONPath, "jsonpath="), "|")
			})
		}
	}
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		switch f.Name { // each fails only where there is already what it adds
		case "filename", "catalogue", "cloud-facts", "channel":
			_ = cmd.MarkFlagFilename(f.Name, "yaml", "yml", "json")
		case "ssh-public-key":
			_ = cmd.MarkFlagFilename(f.Name, "pub")
		case "kubernetes-source", "state":
			_ = cmd.MarkFlagDirname(f.Name)
		case "file", "out", "kubeconfig": // any file
		default: // no other flag takes one
			_ = cmd.RegisterFlagCompletionFunc(f.Name, cobra.NoFileCompletions)
		}
	})
}

// argumentsOf is what completes says of a command; one that takes a NAME first
// takes that of a cluster.
func argumentsOf(cmd *cobra.Command) []string {
	if kinds, ok := completes[strings.TrimPrefix(cmd.CommandPath(), "stateroom ")]; ok {
		return kinds
	}
	if words := strings.Fields(cmd.Use); len(words) > 1 {
		switch strings.Trim(words[1], "[]") {
		case "NAME", "CLUSTER", "NAME|PLAN":
			return []string{"cluster"}
		}
	}
	return nil
}

// arguments completes by position.
func (c *completer) arguments(kinds []string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		var all []string
		kind := ""
		switch n := len(kinds); {
		case len(args) < n && kinds[len(args)] != more:
			kind = kinds[len(args)]
		case n > 1 && (kinds[n-1] == kinds[0] || kinds[n-1] == more):
			kind = kinds[max(0, n-2)] // any number of them
		}
		for word := range strings.FieldsSeq(kind) {
			all = append(all, c.found(c.kind(word), cmd, args, typed)...)
		}
		all = slices.DeleteFunc(all, func(s string) bool {
			word, _, _ := strings.Cut(s, "\t")
			return slices.Contains(args, word)
		})
		return all, directive(all)
	}
}

func (c *completer) kind(word string) lookup {
	switch word {
	case "cluster":
		return c.clusters
	case "group":
		return c.groups
	case "keyset":
		return c.keysets
	case "document":
		return func(context.Context, *cobra.Command, []string, string) []string {
			return []string{"cluster", "instancegroup"}
		}
	case "draft":
		return c.drafts
	case "setting":
		return c.settings
	case "field":
		return c.fields
	}
	return c.commits
}

func (c *completer) flag(cmd *cobra.Command, name string, find lookup) {
	if cmd.LocalFlags().Lookup(name) == nil {
		return
	}
	_ = cmd.RegisterFlagCompletionFunc(name, func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		all := c.found(find, cmd, args, typed)
		return all, directive(all)
	})
}

// directive keeps the shell from offering files, and from ending a word that
// can go on: a path of fields.
func directive(all []string) cobra.ShellCompDirective {
	for _, s := range all {
		word, _, _ := strings.Cut(s, "\t")
		if strings.HasSuffix(word, ".") || strings.HasSuffix(word, "=") || strings.HasSuffix(word, "[") {
			return cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		}
	}
	return cobra.ShellCompDirectiveNoFileComp
}

// found runs a lookup for a second at most, whatever it waits for.
func (c *completer) found(find lookup, cmd *cobra.Command, args []string, typed string) []string {
	ctx := cmd.Context()
	if ctx == nil { // where completion was asked for before a command ran
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	answer := make(chan []string, 1)
	go func() { answer <- find(ctx, cmd, args, typed) }()
	select {
	case all := <-answer:
		return slices.DeleteFunc(all, func(s string) bool { return !strings.HasPrefix(s, typed) })
	case <-ctx.Done():
		return nil
	}
}

// open opens the store without a word to anybody.
func (c *completer) open(ctx context.Context) (*stateroom.Store, error) {
	quiet := *c.env
	quiet.Stderr, quiet.Stdout, quiet.draft = io.Discard, io.Discard, ""
	return quiet.open(ctx)
}

func (c *completer) clusters(ctx context.Context, _ *cobra.Command, _ []string, _ string) []string {
	s, err := c.open(ctx)
	if err != nil {
		return nil
	}
	names, _ := s.ClusterNames(ctx)
	var all []string
	for _, n := range names {
		all = append(all, string(n))
	}
	return all
}

// cluster loads the cluster that the line speaks of so far.
func (c *completer) cluster(ctx context.Context, cmd *cobra.Command, args []string) (*stateroom.Store, *cluster.Cluster) {
	s, err := c.open(ctx)
	if err != nil {
		return nil, nil
	}
	arg := ""
	if kinds := argumentsOf(cmd); len(args) > 0 && len(kinds) > 0 && strings.HasPrefix(kinds[0], "cluster") && !ref.MatchString(args[0]) && !isField(args[0]) {
		arg = args[0]
	}
	name, err := c.env.cluster(ctx, s, arg)
	if err != nil {
		return nil, nil
	}
	found, err := s.Cluster(ctx, name)
	if err != nil {
		return nil, nil
	}
	return s, found
}

func (c *completer) groups(ctx context.Context, cmd *cobra.Command, args []string, _ string) []string {
	_, found := c.cluster(ctx, cmd, args)
	if found == nil {
		return nil
	}
	var all []string
	for _, g := range found.Groups {
		all = append(all, g.Name+"\t"+g.Spec.Role.String())
	}
	return all
}

func (c *completer) subnets(ctx context.Context, cmd *cobra.Command, _ []string, _ string) []string {
	_, found := c.cluster(ctx, cmd, nil)
	if found == nil {
		return nil
	}
	var all []string
	for _, s := range found.Spec.Subnets {
		all = append(all, s.Name)
	}
	return all
}

func (c *completer) zones(ctx context.Context, cmd *cobra.Command, _ []string, _ string) []string {
	_, found := c.cluster(ctx, cmd, nil)
	if found == nil {
		return nil
	}
	return zones(found)
}

func (c *completer) keysets(ctx context.Context, cmd *cobra.Command, args []string, _ string) []string {
	s, found := c.cluster(ctx, cmd, args)
	if found == nil {
		return nil
	}
	keysets, _ := s.Keysets(ctx, found.Name)
	var all []string
	for _, k := range keysets {
		all = append(all, k.Name)
	}
	return all
}

func (c *completer) drafts(ctx context.Context, cmd *cobra.Command, _ []string, _ string) []string {
	s, found := c.cluster(ctx, cmd, nil)
	if found == nil {
		return nil
	}
	drafts, _ := s.Drafts(ctx, found.Name, false)
	var all []string
	for _, d := range drafts {
		subject, _, _ := strings.Cut(clean(d.Commit.Message), "\n")
		all = append(all, d.Name+"\t"+cut(subject, 60))
	}
	return all
}

func (c *completer) commits(ctx context.Context, cmd *cobra.Command, args []string, _ string) []string {
	s, found := c.cluster(ctx, cmd, args)
	if found == nil {
		return nil
	}
	all := []string{"head\tthe newest commit", "head~1\tthe one before it"}
	for commit, err := range s.Log(ctx, found.Name) {
		if err != nil || len(all) == completionCommits {
			break
		}
		v := viewCommit(commit, 0)
		subject, _, _ := strings.Cut(clean(v.Message), "\n")
		all = append(all, clean(number(&v.Number)+"\t"+cut(subject, 60)))
	}
	return all
}
