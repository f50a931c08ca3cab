package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpWidth is how wide help is printed: it is read on terminals of 80 columns,
// and wider lines read badly anywhere.
const helpWidth = 80

// setHelp makes a command and all below it print help that fits a terminal.
func setHelp(root *cobra.Command) {
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { _ = writeHelp(cmd.OutOrStdout(), cmd) })
	root.SetUsageFunc(func(cmd *cobra.Command) error { return writeUsage(cmd.OutOrStderr(), cmd) })
}

// helpCmd is the command help, which cobra's own one is not: that one answers a
// word it does not know with the help of everything.
func helpCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Say more of a command or a topic",
		Example: "  stateroom help edit cluster\n  stateroom help exit-codes",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			var all []string
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			for _, c := range about.Commands() {
				if (c.IsAvailableCommand() || c.IsAdditionalHelpTopicCommand()) && strings.HasPrefix(c.Name(), typed) {
					all = append(all, c.Name()+"\t"+c.Short)
				}
			}
			return all, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil {
				return err
			}
			if len(rest) > 0 {
				return noSuchCommand(about, rest)
			}
			about.InitDefaultHelpFlag()
			return writeHelp(cmd.OutOrStdout(), about)
		},
	}
}

func writeHelp(w io.Writer, cmd *cobra.Command) error {
	text := cmd.Long
	if text == "" {
		text = cmd.Short
	}
	if _, err := fmt.Fprintln(w, fold(strings.TrimSpace(text), helpWidth)); err != nil {
		return err
	}
	if !cmd.Runnable() && !cmd.HasSubCommands() {
		return nil // a topic
	}
	_, err := fmt.Fprintf(w, "\n%s\n", strings.TrimRight(cmd.UsageString(), "\n"))
	return err
}

// writeUsage prints how a command is called, with examples, what is below it,
// and its flags.
func writeUsage(w io.Writer, cmd *cobra.Command) error {
	var b strings.Builder
	part := func(title, text string) {
		if text = strings.TrimRight(text, "\n "); text != "" {
			fmt.Fprintf(&b, "%s:\n%s\n\n", title, text)
		}
	}
	usage := "  " + cmd.UseLine()
	if cmd.HasAvailableSubCommands() {
		usage += "\n  " + cmd.CommandPath() + " COMMAND"
	}
	part("Usage", usage)
	if len(cmd.Aliases) > 0 {
		part("Aliases", "  "+strings.Join(append([]string{cmd.Name()}, cmd.Aliases...), ", "))
	}
	part("Examples", cmd.Example)
	if cmd.HasParent() {
		part("Commands", commandLines(cmd, (*cobra.Command).IsAvailableCommand))
	} else {
		for _, g := range chapters {
			var rows [][2]string
			for _, name := range g.commands {
				if c := existing(cmd, name); c != nil {
					rows = append(rows, [2]string{fmt.Sprintf("%-10s", name), c.Short}) // all chapters in the same columns
				}
			}
			part(g.title, twoColumns(rows))
		}
	}
	part("Flags", flagLines(cmd.LocalFlags()))
	part("Flags of all commands", flagLines(cmd.InheritedFlags()))
	part("More help", commandLines(cmd, (*cobra.Command).IsAdditionalHelpTopicCommand))
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "%s COMMAND --help says more of each.\n", cmd.CommandPath())
	}
	_, err := fmt.Fprintln(w, strings.TrimRight(b.String(), "\n"))
	return err
}

// chapters are the commands, by what people come for, and in the order in which
// they come to need them.
var chapters = []struct {
	title    string
	commands []string
}{
	{"Run a cluster on this machine", []string{"up", "down", "kubectl", "etcd"}},
	{"See what there is, and how it stands", []string{"get", "status", "log", "show", "diff", "blame", "why", "explain", "schema"}},
	{"Change what is kept", []string{"create", "edit", "set", "unset", "apply", "replace", "rollback", "delete"}},
	{"Make it live, and get in", []string{"update", "validate", "export"}},
	{"Work with others, and with other tools", []string{"draft", "publish", "lease", "adopt", "resolve"}},
	{"Look after stores, and this program", []string{"store", "doctor", "completion", "version"}},
}

// allCommands are the words behind stateroom.
func allCommands() (all []string) {
	for _, g := range chapters {
		all = append(all, g.commands...)
	}
	return all
}

// commandLines lists commands below another, with what they do.
func commandLines(cmd *cobra.Command, which func(*cobra.Command) bool) string {
	var rows [][2]string
	for _, c := range cmd.Commands() {
		if which(c) {
			rows = append(rows, [2]string{c.Name(), c.Short})
		}
	}
	return twoColumns(rows)
}

// flagLines lists flags, with what they are for.
func flagLines(flags *pflag.FlagSet) string {
	var rows [][2]string
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		name := "    --" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", --" + f.Name
		}
		value, usage := pflag.UnquoteUsage(f)
		switch {
		case f.Value.Type() == "bool": // needs no value
		case f.NoOptDefVal != "":
			name += "[=" + strings.ToUpper(value) + "]"
		case value != "":
			name += " " + strings.ToUpper(plainKind(value))
		}
		if def := f.DefValue; !slices.Contains([]string{"", "false", "0", "0s", "[]"}, def) && !strings.Contains(usage, "(default") {
			usage += " (default " + def + ")"
		}
		rows = append(rows, [2]string{name, usage})
	})
	return twoColumns(rows)
}

// plainKind is a word for what a flag takes.
func plainKind(kind string) string {
	switch kind {
	case "stringArray", "strings", "stringSlice":
		return "string"
	case "int", "int32", "int64", "uint":
		return "number"
	}
	return kind
}

// mostLeft is how wide the left of two columns gets; what is wider has a line of
// its own.
const mostLeft = 32

func twoColumns(rows [][2]string) string {
	left := 0
	for _, r := range rows {
		if n := utf8.RuneCountInString(r[0]); n <= mostLeft {
			left = max(left, n)
		}
	}
	var b strings.Builder
	indent := strings.Repeat(" ", left+4)
	for _, r := range rows {
		text := strings.ReplaceAll(fold(r[1], helpWidth-len(indent)), "\n", "\n"+indent)
		if n := utf8.RuneCountInString(r[0]); n <= left {
			fmt.Fprintf(&b, "  %s%s%s\n", r[0], strings.Repeat(" ", left-n+2), text)
		} else {
			fmt.Fprintf(&b, "  %s\n%s%s\n", r[0], indent, text)
		}
	}
	return b.String()
}

// fold breaks the paragraphs of a text into lines of a width. Lines that begin
// with a blank stay as they are, and those before and after an empty line apart.
func fold(text string, width int) string {
	var out []string
	var words []string
	flush := func() {
		line := ""
		for _, word := range words {
			switch {
			case line == "":
				line = word
			case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width:
				out, line = append(out, line), word
			default:
				line += " " + word
			}
		}
		if line != "" {
			out = append(out, line)
		}
		words = nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" || line[0] == ' ' || line[0] == '\t' {
			flush()
			out = append(out, line)
			continue
		}
		words = append(words, strings.Fields(line)...)
	}
	flush()
	return strings.Join(out, "\n")
}
