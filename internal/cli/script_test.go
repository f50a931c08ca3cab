package cli_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/internal/cli"
)

var update = flag.Bool("update", false, "write what the commands print into the scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"stateroom": func() {
		os.Exit(cli.Main(context.Background(), cli.Env{
			Args: os.Args, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv, Now: clock,
		}))
	}})
}

// clock is this machine's, or as far from it as a script says: env CLOCK=-2h.
func clock() time.Time {
	off, _ := time.ParseDuration(os.Getenv("CLOCK"))
	return time.Now().Add(off)
}

// TestScripts runs the stories in testdata: each is what a person types and
// sees. HOME is an empty directory, and the store is that of the person.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setup,
		Condition:           condition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":      code,
			"old":       old,
			"report":    report,
			"remember":  remember,
			"unchanged": unchanged,
			"live":      live,
			"hides":     hides,
			"withagent": withAgent,
		},
	})
}

func setup(env *testscript.Env) error {
	home := filepath.Join(env.WorkDir, "home")
	env.Setenv("HOME", home)
	env.Setenv("STORE", filepath.Join(home, ".local/share/stateroom/store"))
	env.Setenv("STATEROOM_AUTHOR", "Ada <ada@example.com>")
	env.Setenv("KOPS_DATA", kopsData())
	env.Setenv("GORACE", "atexit_sleep_ms=10") // else each command ends with a second of sleep under -race
	return os.MkdirAll(home, 0o700)
}

// kopsData is where stores lie that real kops wrote, if anywhere.
func kopsData() string {
	dir := os.Getenv("STATEROOM_KOPS_DATA")
	if dir == "" {
		dir, _ = filepath.Abs("../../../shared/kops")
	}
	return dir
}

func condition(name string) (bool, error) {
	if shell, ok := strings.CutPrefix(name, "shell:"); ok {
		_, err := exec.LookPath(shell)
		if err != nil && os.Getenv("CI") == "true" {
			return false, err // .ci/run installs them
		}
		return err == nil, nil
	}
	switch name {
	case "kopsdata":
		_, err := os.Stat(filepath.Join(kopsData(), "stores"))
		return err == nil, nil
	case "unshare":
		return exec.Command("unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", os.TempDir()).Run() == nil, nil
	case "user":
		return os.Getuid() != 0, nil
	}
	return false, fmt.Errorf("no condition %q", name)
}

// code N COMMAND ARGS...: the command ends with that exit code.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND ARGS...")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit := new(exec.ExitError)
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit code %d, want %s\n%s%s", got, args[0], ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

var agentBuilt sync.Once

// withAgent builds the program stateroom-agent beside stateroom, as it is when
// both were installed.
func withAgent(ts *testscript.TestScript, _ bool, _ []string) {
	agentBuilt.Do(func() {
		self, err := exec.LookPath(filepath.Join(strings.Split(ts.Getenv("PATH"), string(os.PathListSeparator))[0], "stateroom"))
		ts.Check(err)
		build := exec.Command("go", "build", "-o", filepath.Join(filepath.Dir(self), "stateroom-agent"), "../../cmd/stateroom-agent")
		if out, err := build.CombinedOutput(); err != nil {
			ts.Fatalf("build stateroom-agent: %v\n%s", err, out)
		}
	})
}

// old FILE...: nobody has written the files in the last minute, so that a
// foreign edit of them counts as finished.
func old(ts *testscript.TestScript, neg bool, args []string) {
	then := time.Now().Add(-time.Minute)
	for _, file := range args {
		ts.Check(os.Chtimes(ts.MkAbs(file), then, then))
	}
}

// report CLUSTER NODE PHASE [FILE WHAT | SERVICE REASON WORDS]: a host of
// control-plane-main reports on what is released: with a file, that it put it
// right; with a reason, that a service failed.
func report(ts *testscript.TestScript, neg bool, args []string) {
	own := filepath.Join(ts.Getenv("STORE"), ".stateroom", args[0])
	b, err := os.ReadFile(filepath.Join(own, bundle.ReleaseName))
	ts.Check(err)
	release, err := bundle.DecodeRelease(b)
	ts.Check(err)
	const group = "control-plane-main"
	r := bundle.Report{
		Node: args[1], Group: group, Address: "127.16.0.1", Time: time.Now(),
		Commit: release.Commit, Digest: release.Groups[group], Phase: args[2],
		Services: []bundle.ServiceStatus{{Name: "kube-apiserver", PID: 4711, Started: time.Now(), State: "running"}},
	}
	switch len(args) {
	case 5: // a file that it put right, and what was wrong
		r.Drift = []bundle.Drift{{Kind: bundle.DriftFile, Name: args[3], What: args[4], Count: 2, Last: time.Now()}}
	case 6:
		r.Failed = &bundle.Failure{Commit: r.Commit, Digest: r.Digest, Service: args[3], Reason: args[4], LastWords: args[5]}
		r.Commit, r.Digest = 1, bundle.DigestOf(nil)
	}
	path := filepath.Join(own, bundle.ReportName(r.Node))
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o700))
	ts.Check(os.WriteFile(path, r.Encode(), 0o600))
}

// remember DIR and unchanged DIR: no name and no byte below it is another.
func remember(ts *testscript.TestScript, neg bool, args []string) {
	ts.Setenv("REMEMBERED", treeSum(ts, ts.MkAbs(args[0])))
}

func unchanged(ts *testscript.TestScript, neg bool, args []string) {
	if treeSum(ts, ts.MkAbs(args[0])) != ts.Getenv("REMEMBERED") {
		ts.Fatalf("%s is not what it was", args[0])
	}
}

// live FILE: lists every object of the store with its digest, those of drafts
// apart.
func live(ts *testscript.TestScript, neg bool, args []string) {
	var list strings.Builder
	ts.Check(filepath.WalkDir(ts.Getenv("STORE"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(path, "/drafts/") {
			return err
		}
		b, err := os.ReadFile(path)
		fmt.Fprintf(&list, "%x %s\n", sha256.Sum256(b), path)
		return err
	}))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(list.String()), 0o600))
}

func treeSum(ts *testscript.TestScript, dir string) string {
	sum := sha256.New()
	ts.Check(filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		fmt.Fprintf(sum, "%s %x\n", path, sha256.Sum256(b))
		return err
	}))
	return fmt.Sprintf("%x", sum.Sum(nil))
}

// hides COMMAND ARGS...: what the command prints holds no secret of any
// cluster of the store, in none of the forms it could have.
func hides(ts *testscript.TestScript, neg bool, args []string) {
	_ = ts.Exec(args[0], args[1:]...) // whatever its exit code
	printed := ts.ReadFile("stdout") + ts.ReadFile("stderr")
	if printed == "" {
		ts.Fatalf("it prints nothing, so this shows nothing")
	}
	all := secretsOf(ts, ts.Getenv("STORE"))
	if len(all) < 20 {
		ts.Fatalf("the store has only %d secrets to look for", len(all))
	}
	for _, s := range all {
		if strings.Contains(printed, s) {
			ts.Fatalf("%q prints the secret %.12q...", args, s)
		}
	}
}

var material = regexp.MustCompile(`(?:privateMaterial: |"Data":")([A-Za-z0-9+/=]+)`)

// secretsOf collects what must not show: the base64 in files and history, and
// each line of what it stands for.
func secretsOf(ts *testscript.TestScript, store string) []string {
	var all []string
	ts.Check(filepath.WalkDir(store, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		for _, m := range material.FindAllSubmatch(b, -1) {
			plain, err := base64.StdEncoding.DecodeString(string(m[1]))
			if err != nil {
				return err
			}
			all = append(all, string(m[1]))
			for _, line := range bytes.Split(plain, []byte("\n")) {
				if len(line) >= 16 && !bytes.HasPrefix(line, []byte("-----")) {
					all = append(all, string(line))
				}
			}
		}
		return err
	}))
	return all
}
