// Package doctest reads the console transcripts of Markdown files, so that
// tests can run what the documents say, and compare what is printed with what
// they promise. It runs nothing itself.
package doctest

import (
	"bufio"
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

// Step is one command of a transcript and what it prints there.
type Step struct {
	Line    int    // of the command in its file
	Command string // as a shell takes it
	Want    string // lines; "..." stands for any number of them
}

// Steps returns the commands of all blocks of a document that are fenced as
// console, in order: lines that begin with "$ ", "> " for those that go on.
func Steps(text []byte) []Step {
	var steps []Step
	in, number := false, 0
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		number++
		switch {
		case strings.HasPrefix(line, "```"):
			in = !in && strings.TrimSpace(line) == "```console"
		case !in:
		case strings.HasPrefix(line, "$ "):
			steps = append(steps, Step{Line: number, Command: line[2:]})
		case len(steps) > 0 && strings.HasPrefix(line, "> ") && steps[len(steps)-1].Want == "":
			steps[len(steps)-1].Command += "\n" + line[2:]
		case len(steps) > 0:
			steps[len(steps)-1].Want += line + "\n"
		}
	}
	return steps
}

// Runs reports whether a command is one of stateroom that brings up a cluster
// or speaks to one that runs.
func (s Step) Runs() bool {
	return regexp.MustCompile(`^(bin/)?stateroom (up|down|kubectl|update cluster.*--wait)\b`).MatchString(s.Command)
}

// varies are what no two runs print alike, and what stands for them.
var varies = []struct {
	what *regexp.Regexp
	by   string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\dZ?`), "TIME"},
	{regexp.MustCompile(`sha256:[0-9a-f]{64}|\b[0-9a-f]{64}\b`), "DIGEST"},
	{regexp.MustCompile(`\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`), "ID"},
	{regexp.MustCompile(`\b127\.\d+\.\d+\.\d+\b`), "ADDRESS"},
	{regexp.MustCompile(`\b\d+(\.\d+)?m?s\b`), "DURATION"},
	{regexp.MustCompile(`\b(pid|PID) ?\d+`), "PID"},
	{regexp.MustCompile(`go1\.[0-9.]+[^ ,)]*`), "GO"},
	{regexp.MustCompile(`linux/[a-z0-9]+`), "PLATFORM"},
	{regexp.MustCompile(` {2,}`), "  "},
	{regexp.MustCompile(`(?m) +$`), ""},
}

// Normal returns what is printed without what differs from run to run: times,
// digests, addresses, durations, the home directory, the width of columns.
func Normal(text, home string) string {
	if home != "" {
		text = strings.ReplaceAll(text, home, "/home/ada")
	}
	for _, v := range varies {
		text = v.what.ReplaceAllString(text, v.by)
	}
	return text
}

// Differs says where what a step printed is not what its document says, or
// nothing.
func (s Step) Differs(got, home string) string {
	want := strings.Split(strings.TrimRight(Normal(s.Want, ""), "\n"), "\n")
	have := strings.Split(strings.TrimRight(Normal(got, home), "\n"), "\n")
	if matches(want, have) {
		return ""
	}
	return fmt.Sprintf("line %d: $ %s\nprints\n%s\nand the document says\n%s", s.Line, s.Command, indent(have), indent(want))
}

// matches compares lines, where "..." stands for any number of them.
func matches(want, have []string) bool {
	for i, line := range want {
		switch {
		case strings.TrimSpace(line) == "...":
			for skip := 0; skip <= len(have)-i; skip++ {
				if matches(want[i+1:], have[i+skip:]) {
					return true
				}
			}
			return false
		case i >= len(have) || line != have[i]:
			return false
		}
	}
	return len(want) == len(have)
}

func indent(lines []string) string { return "    " + strings.Join(lines, "\n    ") }
