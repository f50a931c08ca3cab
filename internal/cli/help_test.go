package cli

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestHelpFitsATerminal reads the help of every command on 80 columns. Examples
// are lines to copy, and may be longer.
func TestHelpFitsATerminal(t *testing.T) {
	env := &Env{Getenv: func(string) string { return "" }}
	root := newRoot(env)
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, c := range cmd.Commands() {
			walk(c)
		}
		if cmd.Hidden {
			return
		}
		var out bytes.Buffer
		cmd.SetOut(&out)
		cmd.SetErr(&out)
		if err := cmd.Help(); err != nil {
			t.Errorf("%s: %v", cmd.CommandPath(), err)
		}
		part := ""
		for line := range strings.Lines(out.String()) {
			line = strings.TrimRight(line, "\n")
			if strings.HasSuffix(line, ":") && !strings.HasPrefix(line, " ") {
				part = line
			}
			copied := strings.HasPrefix(line, "  ") && (part == "Examples:" || part == "")
			if utf8.RuneCountInString(line) > helpWidth && !copied && cmd.Runnable() {
				t.Errorf("%s: a line of %d columns: %s", cmd.CommandPath(), utf8.RuneCountInString(line), line)
			}
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && !strings.Contains(out.String(), "--"+f.Name) {
				t.Errorf("%s: its help does not have --%s", cmd.CommandPath(), f.Name)
			}
		})
		if cmd.Runnable() && !strings.Contains(out.String(), "Usage:\n") {
			t.Errorf("%s: its help does not say how it is called:\n%s", cmd.CommandPath(), &out)
		}
	}
	walk(root)
}

func TestNamesAndTimesOfATableAreNotCut(t *testing.T) {
	tab := &table{header: []string{"HOST", "GROUP", "REPORTED", "TROUBLE"}}
	tab.add("host-in-a-far-away-place", "control-plane-main", "2026-01-02 15:04:05", strings.Repeat("trouble ", 20))
	var out bytes.Buffer
	if err := tab.write(&out, 80); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if utf8.RuneCountInString(strings.TrimRight(line, "\n")) > 80 {
			t.Errorf("too wide: %s", line)
		}
	}
	if !strings.Contains(out.String(), "host-in-a-far-away-place") || !strings.Contains(out.String(), "2026-01-02 15:04:05") {
		t.Error(out.String())
	}
}

func TestEveryCommandIsInAChapterOfTheHelp(t *testing.T) {
	root := newRoot(quiet())
	times := map[string]int{}
	for _, g := range chapters {
		for _, name := range g.commands {
			times[name]++
		}
	}
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() && times[c.Name()] != 1 {
			t.Errorf("%s stands in %d chapters", c.Name(), times[c.Name()])
		}
		delete(times, c.Name())
	}
	if len(times) > 0 {
		t.Errorf("there is none of %v", times)
	}
}
