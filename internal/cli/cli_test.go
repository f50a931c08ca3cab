package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/store"
)

func quiet() *Env {
	return &Env{
		Args: []string{"stateroom"}, Stdin: strings.NewReader(""), Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{},
		Getenv: func(string) string { return "" }, Now: time.Now,
	}
}

// every calls f for each command that a person can find.
func every(cmd *cobra.Command, f func(*cobra.Command)) {
	if !cmd.Hidden && cmd.Name() != "help" {
		f(cmd)
	}
	for _, c := range cmd.Commands() {
		every(c, f)
	}
}

func TestEveryCommandSaysWhatItIsAndHowToUseIt(t *testing.T) {
	n := 0
	every(newRoot(quiet()), func(c *cobra.Command) {
		n++
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: short text %q", c.CommandPath(), c.Short)
		}
		if c.Runnable() && !strings.Contains(c.Example, "  stateroom ") {
			t.Errorf("%s has no example", c.CommandPath())
		}
		for line := range strings.Lines(c.Long) {
			if len(line) > 86 {
				t.Errorf("%s: a line of %d characters: %q", c.CommandPath(), len(line), line)
			}
		}
	})
	if n < 25 {
		t.Errorf("only %d commands", n)
	}
}

// TestExamplesParse runs each example as far as its flags and arguments.
func TestExamplesParse(t *testing.T) {
	every(newRoot(quiet()), func(c *cobra.Command) {
		for line := range strings.Lines(c.Example) {
			_, line, found := strings.Cut(line, "stateroom ")
			if !found {
				continue
			}
			line = strings.ReplaceAll(line, "'", "")
			root := newRoot(quiet())
			target, rest, err := root.Find(strings.Fields(line))
			if err == nil {
				err = target.ParseFlags(rest)
			}
			if err != nil {
				t.Errorf("%s: example %q: %v", c.CommandPath(), line, err)
			}
		}
	})
}

func TestWhatWritesTakesAMessageAndADryRun(t *testing.T) {
	for _, path := range []string{
		"create", "create cluster", "create instancegroup", "edit cluster", "edit instancegroup", "set cluster", "set instancegroup",
		"unset cluster", "unset instancegroup", "replace", "apply", "rollback", "delete cluster", "delete instancegroup",
		"update cluster", "publish", "draft delete", "adopt", "resolve",
	} {
		c, _, err := newRoot(quiet()).Find(strings.Fields(path))
		if err != nil {
			t.Fatal(err)
		}
		for _, flag := range []string{"message", "dry-run"} {
			if c.Flags().Lookup(flag) == nil {
				t.Errorf("%s has no --%s", path, flag)
			}
		}
	}
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
	}{
		{nil, 0},
		{errors.New("x"), 1},
		{&store.FormatError{Format: 2, Reads: 1}, 1},
		{syscall.ENOSPC, 1},
		{usagef("do y", "x"), 2},
		{errors.ErrUnsupported, 2},
		{&cluster.NameError{}, 2},
		{&stateroom.CloudError{}, 2},
		{fs.ErrNotExist, 3},
		{&stateroom.MissingError{}, 3},
		{&emptyStoreError{}, 3},
		{store.ErrConflict, 4},
		{&stateroom.ExistsError{}, 4},
		{&stateroom.ChangedError{}, 4},
		{fs.ErrPermission, 5},
		{syscall.EACCES, 5},
		{syscall.EROFS, 5},
		{&stateroom.CopyError{}, 5},
		{&cluster.InvalidError{}, 6},
		{&stateroom.NotConvergedError{}, 8},
		{errDifferent, 10},
		{exitStatus(42), 42},
	} {
		if got := exitCode(c.err); got != c.code {
			t.Errorf("%T %v: %d, want %d", c.err, c.err, got, c.code)
		}
		if c.err == nil {
			continue
		}
		if got := exitCode(fmt.Errorf("wrapped: %w", c.err)); got != c.code {
			t.Errorf("%T wrapped: %d, want %d", c.err, got, c.code)
		}
	}
}

func TestInterruptedIs130(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := quiet().fail(ctx, fmt.Errorf("wait: %w", context.Canceled)); got != 130 {
		t.Errorf("interrupted: %d", got)
	}
}

// Whoever interrupts a commit must hear that it may have been made.
func TestInterruptedInACommitIsSaid(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	env := quiet()
	err := fmt.Errorf("update: %w", &store.OutcomeError{Cluster: "demo.example.com", Number: 7, Err: context.Canceled})
	code := env.fail(ctx, err)
	const want = "stateroom: demo.example.com: commit 7: outcome unknown: context canceled\n" +
		"stateroom: hint: see with `stateroom log` whether the change is there before trying again\nstateroom: interrupted\n"
	if said := fmt.Sprint(env.Stderr); code != 130 || said != want {
		t.Errorf("exit code %d: %s", code, said)
	}
}

func TestTableFitsTheScreen(t *testing.T) {
	tab := &table{header: []string{"NAME", "MESSAGE"}}
	tab.add("a.example.com", strings.Repeat("long ", 30))
	tab.add("b", "with\x1b[31m colour\x07")
	tab.add("c", "")
	var wide, narrow bytes.Buffer
	if err := errors.Join(tab.write(&wide, 0), tab.write(&narrow, 40)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(wide.String(), strings.TrimRight(strings.Repeat("long ", 30), " ")) {
		t.Errorf("without a screen, text is cut:\n%s", wide.String())
	}
	for line := range strings.Lines(narrow.String()) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 40 {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	if strings.ContainsAny(wide.String(), "\x1b\x07") {
		t.Error("control characters reach the screen")
	}
	if !strings.Contains(wide.String(), "c              -\n") {
		t.Errorf("an empty cell:\n%s", wide.String())
	}
}

func TestProgressSaysEachStepOnceInAWhileWhereThereIsNoScreen(t *testing.T) {
	env := quiet()
	now := time.Unix(0, 0)
	env.Now = func() time.Time { return now }
	p := env.newProgress()
	for i := range int64(600) { // a minute, ten times a second
		p.at("compiling", i, 600)
		now = now.Add(100 * time.Millisecond)
	}
	p.at("linking", 0, 0)
	out := env.Stderr.(*bytes.Buffer).String()
	if got := strings.Count(out, "\n"); got != 7 {
		t.Errorf("%d lines in a minute and two steps:\n%s", got, out)
	}
	if !strings.Contains(out, "stateroom: compiling (50%)\n") || !strings.HasSuffix(out, "stateroom: linking\n") {
		t.Errorf("printed:\n%s", out)
	}
}

func TestStoreIsTheFirstThatIsGiven(t *testing.T) {
	given := map[string]string{"HOME": t.TempDir(), "XDG_DATA_HOME": "relative"}
	env := quiet()
	env.Getenv = func(name string) string { return given[name] }
	want := func(url string) {
		t.Helper()
		if got, err := env.storeURL(); err != nil || got != url {
			t.Errorf("store %q (%v), want %q", got, err, url)
		}
	}
	want(given["HOME"] + "/.local/share/stateroom/store")
	given["XDG_DATA_HOME"] = "/data"
	want("/data/stateroom/store")
	given["KOPS_STATE_STORE"] = "/kops/"
	want("/kops")
	given["STATEROOM_STATE_STORE"] = "/ours//"
	want("/ours")
	env.state = "/"
	want("/")
}

func TestAuthor(t *testing.T) {
	given := map[string]string{"USER": "ada"}
	env := quiet()
	env.Getenv = func(name string) string { return given[name] }
	if got := env.author(); got != "ada <ada@"+hostname()+">" {
		t.Errorf("author %q", got)
	}
	given["GIT_AUTHOR_NAME"], given["GIT_AUTHOR_EMAIL"] = "Ada L", "ada@example.com"
	if got := env.author(); got != "Ada L <ada@example.com>" {
		t.Errorf("author %q", got)
	}
	given["STATEROOM_AUTHOR"] = "CI <ci@example.com>"
	if got := env.author(); got != "CI <ci@example.com>" {
		t.Errorf("author %q", got)
	}
}

func TestRefsAndNames(t *testing.T) {
	for _, c := range []struct {
		args []string
		name string
		refs string
		ok   bool
	}{
		{nil, "", "", true},
		{[]string{"1", "3"}, "", "1 3", true},
		{[]string{"a.example.com", "head~2"}, "a.example.com", "head~2", true},
		{[]string{"2026-01-02T03:04:05Z"}, "", "2026-01-02T03:04:05Z", true},
		{[]string{"a.example.com", "b.example.com"}, "", "", false},
		{[]string{"1", "2", "3"}, "", "", false},
	} {
		name, refs, err := splitRefs(c.args, 2)
		if (err == nil) != c.ok || name != c.name || strings.Join(refs, " ") != c.refs {
			t.Errorf("splitRefs(%q) = %q %q %v", c.args, name, refs, err)
		}
	}
}

// TestTopicsAreWhole holds the topics of help against what there is.
func TestTopicsAreWhole(t *testing.T) {
	formats, err := filepath.Glob("../../docs/formats/*.md")
	if err != nil || len(formats) < 20 {
		t.Fatal(len(formats), err)
	}
	words := strings.FieldsFunc(formatsTopic, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r == '-') })
	for _, path := range formats {
		if name := strings.TrimSuffix(filepath.Base(path), ".md"); !slices.Contains(words, name) {
			t.Errorf("help formats does not name %s", name)
		}
	}
	read := regexp.MustCompile(`(?i)getenv\("([A-Z][A-Z0-9_]+)"\)`)
	elsewhere := []string{"APPDATA", "USERPROFILE", "USERNAME", "PATH"} // where other systems have what is named
	for _, dir := range []string{".", "../backends", "../../vfs/s3", "../../vfs/gcs", "../../vfs/azblob", "../../vfs/sftp"} {
		files, err := filepath.Glob(dir + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatal(dir, err)
		}
		for _, path := range files {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			for _, m := range read.FindAllStringSubmatch(string(text), -1) {
				family, _, _ := strings.Cut(m[1], "STORAGE_")
				if !strings.Contains(environmentTopic, m[1]) && !slices.Contains(elsewhere, m[1]) && !strings.Contains(environmentTopic, family+"STORAGE_...") {
					t.Errorf("%s reads %s, and help environment does not name it", path, m[1])
				}
			}
		}
	}
}

func TestNoSnapshotsAreAnEmptyList(t *testing.T) {
	for format, want := range map[string]string{asJSON: "[]\n", asYAML: "[]\n"} {
		env := quiet()
		if err := env.showSnapshots(output{format: format}, nil); err != nil || fmt.Sprint(env.Stdout) != want {
			t.Errorf("%s: %q, %v", format, env.Stdout, err)
		}
	}
}

func TestGCIsRepeatedAsItWasAsked(t *testing.T) {
	for keep, want := range map[time.Duration]string{gcKeep: "store gc a.example.com --yes", time.Hour: "store gc a.example.com --yes --keep 1h0m0s"} {
		env := quiet()
		err := env.showGarbage(gcOptions{keep: keep}, []garbageView{{Cluster: "a.example.com", Bytes: 1}})
		if err != nil || !strings.Contains(fmt.Sprint(env.Stdout), "to do it: stateroom "+want+"\n") {
			t.Errorf("%v: %v, %s", keep, err, env.Stdout)
		}
	}
}

// What is advised must do in the store that the command was given.
func TestAdviceIsForTheStoreOfTheCommand(t *testing.T) {
	env := quiet()
	env.sayable = true
	for advice, want := range map[string]string{
		"stateroom log lists the commits; then stateroom show N": "stateroom --state 'my store' log lists the commits; then stateroom --state 'my store' show N",
		"see with `stateroom log`":                               "see with `stateroom --state 'my store' log`",
		"upgrade stateroom":                                      "upgrade stateroom",
		"stateroom up makes one; another store: --state DIR":     "stateroom --state 'my store' up makes one; another store: --state DIR",
		"stateroom store fsck --state /srv/s mends it":           "stateroom store fsck --state /srv/s mends it",
		"kops update cluster NAME; stateroom-agent status":       "kops update cluster NAME; stateroom-agent status",
		"stateroom has no command":                               "stateroom has no command",
	} {
		env.state = ""
		if got := env.here(advice); got != advice {
			t.Errorf("without --state: %s", got)
		}
		env.state = "my store"
		if got := env.here(advice); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestAPasswordInAnAddressIsNotSaid(t *testing.T) {
	for _, args := range [][]string{
		{"--state", "sftp://ada:hunter2@127.0.0.1:1/state", "status"}, {"--state", "sftp:/ada:hunter2@127.0.0.1:1/state", "status"},
		{"--state", "s3://ada:hunter2@bucket/state", "status"}, {"--state", "sftp://ada:hunter2@127.0.0.1:1/\x01", "status"},
		{"store", "check", "https://ada:hunter2@127.0.0.1:1/"}, {"doctor", "gs://ada:hunter2@bucket"},
		{"store", "check", "sftp://ada:hunter2@127.0.0.1:1/a", "--state", "sftp://ada:hunter2@127.0.0.1:1/b"}, {"store", "init", "azureblob://ada:hunter2@account/x"},
		{"store", "fsck", "--state", "http://ada:hunter2@127.0.0.1:1/"},
	} {
		refusesQuietly(t, "hunter2", args)
	}
}

// refusesQuietly runs a command that must fail, and must not say the secret.
func refusesQuietly(t *testing.T, secret string, args []string) {
	t.Helper()
	said := &bytes.Buffer{}
	code := Main(t.Context(), Env{
		Args: append([]string{"stateroom"}, args...), Stdin: strings.NewReader(""), Stdout: said, Stderr: said,
		Getenv: func(string) string { return "" }, Now: time.Now,
	})
	if code == 0 || said.Len() == 0 || strings.Contains(said.String(), secret) {
		t.Errorf("%q: exit code %d: %s", args, code, said)
	}
}
