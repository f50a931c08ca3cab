package cli_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stateroom/stateroom/internal/cli"
)

// badCases is how many cases the scripts in testdata/bad hold at least: a case
// must not get lost unseen.
const badCases = 540

// refusals counts the cases.
var refusals atomic.Int64

// TestBadInput runs the matrix of bad input, testdata/bad: each case with its
// exit code and its message, and the whole store unchanged after it.
func TestBadInput(t *testing.T) {
	t.Run("scripts", func(t *testing.T) {
		testscript.Run(t, testscript.Params{
			Dir:                 "testdata/bad",
			RequireExplicitExec: true,
			RequireUniqueNames:  true,
			Setup:               badSetup,
			Condition:           condition,
			Cmds: map[string]func(*testscript.TestScript, bool, []string){
				"refuse": refuse,
				"code":   code,
				"old":    old,
				"gen":    gen,
				"cut":    cutFile,
				"flip":   flipBit,
				"subst":  subst,
				"at":     at,
				"keep":   keep,
				"kept":   kept,
			},
		})
	})
	n := refusals.Load()
	t.Logf("bad input: %d cases refused", n)
	some := strings.Contains(flag.Lookup("test.run").Value.String(), "/") // not all scripts were asked for
	if n < badCases && !t.Failed() && !some {
		t.Errorf("%d cases, there were %d", n, badCases)
	}
}

// badSetup is a person with a store of one cluster, which has been released and
// edited since, and names for characters that a script cannot hold.
func badSetup(env *testscript.Env) error {
	if err := setup(env); err != nil {
		return err
	}
	for name, value := range map[string]string{
		"NL": "\n", "BIDI": "\u202e", "ZERO": "\u200b", "JOIN": "\u2060", "BYTE": "\xff", "ESC": "\x1b[31m", "BELL": "\a",
		"LONG": strings.Repeat("a.", 140) + "com", "QUOTE": `"`, "WIDE": "\uff41", "OWN": ".stateroom/demo.example.com",
	} {
		env.Setenv(name, value)
	}
	return nil
}

// refuse CODE ARGS...: stateroom with these arguments ends with that exit code
// and says why, in lines that begin with its name and cannot move a cursor or
// hide text, and last what to do about it; and no byte of $STORE is another. With
// !, nothing needs to be said on the error output.
func refuse(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: refuse CODE ARGS...")
	}
	refusals.Add(1)
	before := digestOf(ts, ts.Getenv("STORE"))
	start := time.Now()
	code(ts, false, append([]string{args[0], "stateroom"}, args[1:]...))
	if took := time.Since(start); took > 20*time.Second {
		ts.Fatalf("it took %v to say no", took)
	}
	if after := digestOf(ts, ts.Getenv("STORE")); after != before {
		ts.Fatalf("the store is not what it was; %s", firstDifference(before, after))
	}
	said := ts.ReadFile("stderr")
	if why := unreadable(said + ts.ReadFile("stdout")); why != "" {
		ts.Fatalf("what it says %s:\n%q", why, said)
	}
	if said == "" && !neg {
		ts.Fatalf("it says nothing")
	}
	for line := range strings.Lines(said) {
		if !strings.HasPrefix(line, "stateroom: ") || len(line) > 1000 {
			ts.Fatalf("not a line for people: %q", line)
		}
	}
	if why := unhelpful(said); why != "" && !neg {
		ts.Fatalf("%s:\n%s", why, said)
	}
}

// empty are hints that say nothing.
var empty = regexp.MustCompile(`hint: (try again|check your input|see the documentation|invalid|)\.?$`)

// unhelpful says why a refusal leaves a person alone: each ends with what to do
// about it.
func unhelpful(said string) string {
	lines := strings.Split(strings.TrimSuffix(said, "\n"), "\n")
	last, ok := strings.CutPrefix(lines[len(lines)-1], "stateroom: hint: ")
	switch {
	case !ok:
		return "it does not end with a hint"
	case empty.MatchString(lines[len(lines)-1]) || len(strings.Fields(last)) < 2:
		return "its hint says nothing"
	}
	return ""
}

// noise are words of Go programs that no person should have to read.
var noise = regexp.MustCompile(`panic|goroutine|runtime error|<nil>|%!|\*errors\.|&\{|0xc0[0-9a-f]{8}`)

// unreadable says why a text is not fit for a person's screen.
func unreadable(s string) string {
	if !utf8.ValidString(s) {
		return "is not UTF-8"
	}
	if m := noise.FindString(s); m != "" {
		return fmt.Sprintf("holds %q", m)
	}
	for _, r := range s {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029') {
			return fmt.Sprintf("holds the character %U", r)
		}
	}
	return ""
}

// digestOf has a line for all that lies in a directory: names, kinds, modes,
// digests. Locks are left out: they hold nothing.
func digestOf(ts *testscript.TestScript, dir string) string {
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if os.IsNotExist(err) || os.IsPermission(err) {
				fmt.Fprintf(&b, "%s cannot be read\n", path)
				return nil
			}
			return err
		}
		if strings.Contains(path, ".stateroom/tmp") && (d.IsDir() || strings.HasPrefix(d.Name(), "lock")) {
			return nil
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		content := ""
		switch {
		case fi.Mode()&fs.ModeSymlink != 0:
			content, err = os.Readlink(path)
		case fi.Mode().IsRegular():
			var data []byte
			if data, err = os.ReadFile(path); os.IsPermission(err) {
				err = nil
			}
			sum := sha256.Sum256(data)
			content = hex.EncodeToString(sum[:])
		}
		fmt.Fprintf(&b, "%s %v %s\n", path, fi.Mode(), content)
		return err
	})
	ts.Check(err)
	return b.String()
}

func firstDifference(a, b string) string {
	old, new := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(old), len(new)) {
		if old[i] != new[i] {
			return old[i] + " is now " + new[i]
		}
	}
	return "lines were added or removed"
}

// keep DIR and kept DIR: what lies in a directory is what it was; for commands
// that may succeed.
func keep(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv("KEPT", digestOf(ts, ts.MkAbs(args[0])))
}

func kept(ts *testscript.TestScript, _ bool, args []string) {
	if now := digestOf(ts, ts.MkAbs(args[0])); now != ts.Getenv("KEPT") {
		ts.Fatalf("%s is not what it was: %s", args[0], firstDifference(ts.Getenv("KEPT"), now))
	}
}

// clusterText begins the documents that gen makes; five lines.
const clusterText = "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\nmetadata:\n  name: other.example.com\nspec:\n"

// gen WHAT FILE: writes a file that a script cannot hold, or should not.
func gen(ts *testscript.TestScript, _ bool, args []string) {
	text := ""
	switch args[0] {
	case "50MB":
		text = clusterText + strings.Repeat("# a comment of thirty-two bytes\n", 50<<20/32)
	case "5MB":
		text = clusterText + strings.Repeat("# a comment of thirty-two bytes\n", 5<<20/32)
	case "bomb":
		text = clusterText + "  a: &a [x, x, x, x, x, x, x, x, x, x]\n"
		for c := 'b'; c <= 'j'; c++ {
			text += fmt.Sprintf("  %c: &%c [%s*%c]\n", c, c, strings.Repeat(fmt.Sprintf("*%c, ", c-1), 9), c-1)
		}
	case "lists":
		text = clusterText + "  a: " + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + "\n"
	case "mappings":
		text = strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000)
	case "blocks":
		var b strings.Builder
		b.WriteString(clusterText)
		for i := range 2000 {
			b.WriteString(strings.Repeat(" ", 2+i) + "a:\n")
		}
		text = b.String()
	case "dashes":
		text = clusterText + "  a:\n  " + strings.Repeat("- ", 10_000) + "x\n"
	case "documents":
		text = strings.Repeat("---\na: b\n", 20_000)
	case "nul":
		text = clusterText + "  channel: sta\x00ble\n"
	case "bytes":
		text = clusterText + "  channel: sta\xffble\n"
	case "surrogate":
		text = clusterText + "  channel: \xed\xa0\x80\n"
	case "overlong":
		text = clusterText + "  channel: \xc0\xaf\n"
	case "utf16":
		for _, r := range "\ufeff" + clusterText {
			text += string([]byte{byte(r), byte(r >> 8)})
		}
	case "escape":
		text = clusterText + "  channel: \x1b]0;title\x07\n"
	case "random":
		sum := sha256.Sum256([]byte("noise"))
		for len(text) < 4096 {
			sum = sha256.Sum256(sum[:])
			text += string(sum[:])
		}
	case "key":
		text = clusterText + "  " + strings.Repeat("k", 2000) + ": x\n"
	default:
		ts.Fatalf("gen: no %q", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

// cut FILE SIZE keeps the first bytes of a file.
func cutFile(ts *testscript.TestScript, _ bool, args []string) {
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), size))
}

// flip FILE OFFSET turns one bit; an offset below 0 counts from the end.
func flipBit(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	b, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	if n < 0 {
		n += len(b)
	}
	b[n] ^= 0x04
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}

// subst FILE OLD NEW replaces the first of a text in a file, which must be there.
func subst(ts *testscript.TestScript, _ bool, args []string) {
	b, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	if !bytes.Contains(b, []byte(args[1])) {
		ts.Fatalf("%s holds no %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), bytes.Replace(b, []byte(args[1]), []byte(args[2]), 1), 0o600))
}

// at TIME CODE ARGS...: stateroom run by somebody whose clock says that time.
func at(ts *testscript.TestScript, _ bool, args []string) {
	now, err := time.Parse(time.RFC3339, args[0])
	ts.Check(err)
	got := cli.Main(context.Background(), cli.Env{
		Args: append([]string{"stateroom"}, args[2:]...), Stdin: strings.NewReader(""), Stdout: ts.Stdout(), Stderr: ts.Stderr(),
		Getenv: ts.Getenv, Now: func() time.Time { return now },
	})
	if strconv.Itoa(got) != args[1] {
		ts.Fatalf("exit code %d, want %s", got, args[1])
	}
}
