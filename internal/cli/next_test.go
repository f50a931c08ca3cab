//go:build linux

package cli_test

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stateroom/stateroom/internal/cli"
)

// pty opens a terminal: what is written to screen can be read from its other end.
func pty(t *testing.T) (screen, end *os.File) {
	t.Helper()
	end, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end.Close() })
	if err := unix.IoctlSetPointerInt(int(end.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(end.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	screen, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return screen, end
}

// A person at a terminal is told what comes next; a program is not.
func TestAtATerminalTheNextStepIsTold(t *testing.T) {
	home := t.TempDir()
	run := func(stderr io.Writer, args ...string) {
		t.Helper()
		code := cli.Main(t.Context(), cli.Env{
			Args: append([]string{"stateroom"}, args...), Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: stderr, Now: time.Now,
			Getenv: func(name string) string {
				return map[string]string{"HOME": home, "STATEROOM_AUTHOR": "Ada <ada@example.com>"}[name]
			},
		})
		if code != 0 {
			t.Errorf("%v: exit code %d", args, code)
		}
	}
	var piped strings.Builder
	run(&piped, "create", "cluster", "demo.example.com")
	run(&piped, "diff")
	if strings.Contains(piped.String(), "hint") {
		t.Errorf("piped: %s", &piped)
	}
	screen, end := pty(t)
	said := make(chan string)
	go func() {
		text, _ := io.ReadAll(end) // ends with EIO when the screen is closed
		said <- string(text)
	}()
	run(screen, "edit", "cluster", "--set", "spec.channel=alpha")
	run(screen, "diff")
	screen.Close()
	text := <-said
	for _, want := range []string{"hint: nothing runs differently yet; stateroom status demo.example.com says what makes it live", "hint: there are no differences"} {
		if !strings.Contains(text, want) {
			t.Errorf("the screen shows %q, want %q in it", text, want)
		}
	}
}
