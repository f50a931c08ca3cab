package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain is the program itself where a test started it as that.
func TestMain(m *testing.M) {
	if os.Getenv("STATEROOM_TEST_RUN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// command is the program in an empty home, with what it says.
func command(t *testing.T, home string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = []string{"STATEROOM_TEST_RUN=1", "HOME=" + home, "TMPDIR=" + home, "PATH=" + os.Getenv("PATH"), "STATEROOM_AUTHOR=Ada <ada@example.com>"}
	said := &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = said, said
	return cmd, said
}

// Ctrl-C ends a command that waits for somebody to type, or to open the other
// end of a pipe.
func TestWaitingForInputCanBeInterrupted(t *testing.T) {
	home := t.TempDir()
	pipe := filepath.Join(home, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"create", "-f", "-"}, {"replace", "-f", "-"}, {"apply", "-f", "-"}, {"validate", "-f", "-"}, {"apply", "-f", pipe},
		{"create", "cluster", "demo.example.com", "--cloud-facts", pipe}, {"create", "cluster", "demo.example.com", "--channel", pipe},
		{"create", "cluster", "demo.example.com", "--ssh-public-key", pipe}, {"resolve", "config", "--file", pipe},
		{"update", "cluster", "--catalogue", pipe, "demo.example.com"}, {"update", "cluster", pipe},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			t.Parallel()
			for begins := 300 * time.Millisecond; ; begins *= 4 {
				state, said := interrupt(t, home, begins, args...)
				if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signal() == syscall.SIGINT && begins < 10*time.Second {
					continue // it had not begun yet
				}
				if state.ExitCode() != 130 || said != "stateroom: interrupted\n" {
					t.Errorf("%v: %s", state, said)
				}
				return
			}
		})
	}
}

// interrupt runs a command for which nobody types anything, and interrupts it
// after a time.
func interrupt(t *testing.T, home string, after time.Duration, args ...string) (*os.ProcessState, string) {
	t.Helper()
	cmd, said := command(t, home, args...)
	typing, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer typing.Close()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	signal := time.AfterFunc(after, func() { _ = cmd.Process.Signal(os.Interrupt) })
	kill := time.AfterFunc(after+10*time.Second, func() { _ = cmd.Process.Kill() })
	defer signal.Stop()
	defer kill.Stop()
	_ = cmd.Wait()
	return cmd.ProcessState, said.String()
}

// Ctrl-C that is meant for the editor does not throw away what is typed in it.
func TestCtrlCInAnEditorIsTheEditors(t *testing.T) {
	home := t.TempDir()
	create, said := command(t, home, "create", "cluster", "demo.example.com")
	if err := create.Run(); err != nil {
		t.Fatal(err, said)
	}
	edit, said := command(t, home, "edit", "cluster")
	edit.Env = append(edit.Env, `EDITOR=sh -c 'kill -INT $PPID; sleep 0.3; sed -i s/stable/alpha/ "$0"'`)
	if err := edit.Run(); err != nil || !bytes.Contains(said.Bytes(), []byte("demo.example.com: commit 2\n")) {
		t.Errorf("%v: %s", err, said)
	}
}

// The second Ctrl-C ends what the first did not.
func TestTheSecondCtrlCEndsTheProcess(t *testing.T) {
	if os.Getenv("STATEROOM_TEST_DEAF") != "" {
		ctx, _ := interruptible(t.Context())
		os.Stdout.WriteString("ready\n")
		<-ctx.Done()
		os.Stdout.WriteString("heard\n")
		time.Sleep(oneKey / 2)
		os.Stdout.WriteString("there\n")
		time.Sleep(time.Minute)
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "STATEROOM_TEST_DEAF=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	there := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		switch lines.Text() {
		case "ready":
			_ = cmd.Process.Signal(os.Interrupt)
		case "heard":
			_ = cmd.Process.Signal(os.Interrupt) // still the same Ctrl-C
		case "there":
			there = true
			time.Sleep(oneKey)
			_ = cmd.Process.Signal(os.Interrupt)
		}
	}
	_ = cmd.Wait()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !there || !ok || status.Signal() != syscall.SIGINT {
		t.Errorf("it ended with %v; after the first: %v", cmd.ProcessState, there)
	}
}
