package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stateroom/stateroom"
)

// referenceCmd writes what docs/cli and docs/man hold. It is for those who
// build and package this program.
func referenceCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "reference DIR",
		Short:   "Write the pages of all commands into DIR/cli (Markdown) and DIR/man (troff)",
		Example: "  stateroom reference docs",
		Hidden:  true,
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runReference(cmd.Root(), args[0]) },
	}
}

func runReference(root *cobra.Command, dir string) error {
	for _, old := range []string{"cli/stateroom*.md", "man/stateroom*.1"} {
		found, err := filepath.Glob(filepath.Join(dir, old))
		if err != nil {
			return err
		}
		for _, path := range found {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	for name, text := range reference(root) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, text, 0o644); err != nil { //nolint:gosec // for everybody
			return err
		}
	}
	return nil
}

// reference returns the pages of a command and all below it that people can
// find: cli/NAME.md and man/NAME.1 by name.
func reference(root *cobra.Command) map[string][]byte {
	pages := map[string][]byte{}
	var index bytes.Buffer
	index.WriteString("# The commands of stateroom\n\nWritten by `stateroom reference docs`; `stateroom help` says the same.\n\n| command | |\n| --- | --- |\n")
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Hidden || c.Name() == "help" {
			return
		}
		name := strings.ReplaceAll(c.CommandPath(), " ", "-")
		pages["cli/"+name+".md"] = markdown(c)
		pages["man/"+name+".1"] = manual(c)
		fmt.Fprintf(&index, "| [%s](%s.md) | %s |\n", c.CommandPath(), name, c.Short)
		for _, child := range c.Commands() {
			walk(child)
		}
	}
	walk(root)
	pages["cli/README.md"] = index.Bytes()
	return pages
}

// topic reports whether a command only explains something.
func topic(c *cobra.Command) bool { return !c.Runnable() }

func longOf(c *cobra.Command) string {
	if c.Long != "" {
		return strings.TrimSpace(c.Long)
	}
	return c.Short + "."
}

// markdown is the page of a command for docs/cli.
func markdown(c *cobra.Command) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n\n%s\n", c.CommandPath(), c.Short)
	if topic(c) {
		fmt.Fprintf(&b, "\n```text\n%s\n```\n", longOf(c))
		return b.Bytes()
	}
	fmt.Fprintf(&b, "\n    %s\n", c.UseLine())
	if c.Long != "" {
		fmt.Fprintf(&b, "\n```text\n%s\n```\n", longOf(c))
	}
	if len(c.Aliases) > 0 {
		fmt.Fprintf(&b, "\nAlso: `%s`\n", strings.Join(c.Aliases, "`, `"))
	}
	if below := visible(c); len(below) > 0 {
		b.WriteString("\n## Commands\n\n")
		for _, child := range below {
			fmt.Fprintf(&b, "- [%s](%s.md): %s\n", child.Name(), strings.ReplaceAll(child.CommandPath(), " ", "-"), child.Short)
		}
	}
	if c.Example != "" {
		fmt.Fprintf(&b, "\n## Examples\n\n```sh\n%s\n```\n", unindented(c.Example))
	}
	for _, set := range flagSets(c) {
		fmt.Fprintf(&b, "\n## %s\n\n| | |\n| --- | --- |\n", set.title)
		set.flags.VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				fmt.Fprintf(&b, "| `%s` | %s |\n", flagNames(f), strings.ReplaceAll(flagUsage(f), "|", "\\|"))
			}
		})
	}
	return b.Bytes()
}

type flagSet struct {
	title string
	flags *pflag.FlagSet
}

func flagSets(c *cobra.Command) []flagSet {
	var sets []flagSet
	if topic(c) {
		return nil
	}
	for _, s := range []flagSet{{"Flags", c.NonInheritedFlags()}, {"Flags of all commands", c.InheritedFlags()}} {
		if s.flags.HasAvailableFlags() {
			sets = append(sets, s)
		}
	}
	return sets
}

func visible(c *cobra.Command) []*cobra.Command {
	return slices.DeleteFunc(slices.Clone(c.Commands()), func(child *cobra.Command) bool {
		return child.Hidden || child.Name() == "help"
	})
}

func flagNames(f *pflag.Flag) string {
	names := "--" + f.Name
	if f.Shorthand != "" {
		names = "-" + f.Shorthand + ", " + names
	}
	if kind, _ := pflag.UnquoteUsage(f); kind != "" {
		names += " " + kind
	}
	return names
}

// flagUsage is what a flag is for, with its default where that says something.
func flagUsage(f *pflag.Flag) string {
	_, usage := pflag.UnquoteUsage(f)
	switch f.DefValue {
	case "", "false", "0", "0s", "[]", "map[]":
		return usage
	}
	if strings.Contains(usage, "default") {
		return usage
	}
	return usage + " (default " + f.DefValue + ")"
}

func unindented(s string) string {
	return strings.TrimSpace(strings.ReplaceAll("\n"+s, "\n  ", "\n"))
}

// manual is the page of a command for man(1).
func manual(c *cobra.Command) []byte {
	var b bytes.Buffer
	name := strings.ReplaceAll(c.CommandPath(), " ", "-")
	fmt.Fprintf(&b, ".TH %q 1 \"\" %q \"Stateroom\"\n", strings.ToUpper(name), "stateroom "+stateroom.Version)
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(name), roff(c.Short))
	if !topic(c) {
		fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n", roff(c.UseLine()))
	}
	fmt.Fprintf(&b, ".SH DESCRIPTION\n.nf\n%s\n.fi\n", roff(longOf(c)))
	if below := visible(c); len(below) > 0 {
		b.WriteString(".SH COMMANDS\n")
		for _, child := range below {
			fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(child.Name()), roff(child.Short))
		}
	}
	for _, set := range flagSets(c) {
		fmt.Fprintf(&b, ".SH %s\n", strings.ToUpper(set.title))
		set.flags.VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(flagNames(f)), roff(flagUsage(f)))
			}
		})
	}
	if c.Example != "" {
		fmt.Fprintf(&b, ".SH EXAMPLES\n.nf\n%s\n.fi\n", roff(unindented(c.Example)))
	}
	b.WriteString(".SH SEE ALSO\n")
	if c.HasParent() {
		fmt.Fprintf(&b, ".BR %s (1)\n", roff(strings.ReplaceAll(c.Parent().CommandPath(), " ", "-")))
	} else {
		b.WriteString("stateroom help exit-codes, stateroom help environment\n")
	}
	return b.Bytes()
}

// roff keeps text from being read as commands of troff.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, `-`, `\-`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}
