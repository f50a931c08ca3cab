package e2e

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stateroom/stateroom/internal/doctest"
)

// TestTranscriptsWithARunningCluster runs README.md and the pages of docs that
// bring up a cluster, each from an empty home, and holds what is printed
// against what they say. The other pages are run by the tests of internal/cli.
func TestTranscriptsWithARunningCluster(t *testing.T) {
	if testing.Short() {
		t.Skipf("starts a real cluster; left out with -short")
	}
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		steps := doctest.Steps(text)
		needed := false
		for _, s := range steps {
			needed = needed || s.Runs()
		}
		if !needed {
			continue
		}
		ran++
		t.Run(filepath.Base(page), func(t *testing.T) {
			p := newPerson(t)
			t.Cleanup(func() { p.end(demo) })
			p.env = append(p.env, "USER=ada")
			for _, s := range steps {
				if why := s.Differs(p.shell(s.Command), p.home); why != "" {
					t.Errorf("%s: %s", page, why)
				}
			}
		})
	}
	if ran == 0 {
		t.Error("no page brings up a cluster, and the README should")
	}
}

// shell runs a line as the person would type it, and returns all that is
// printed.
func (p *person) shell(line string) string {
	p.t.Helper()
	var out bytes.Buffer
	cmd := exec.CommandContext(p.t.Context(), "sh", "-c", line)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Dir, cmd.Env = p.home, p.env
	cmd.WaitDelay = 5 * time.Second // services must not hold our pipes
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		p.t.Fatalf("%s: %v", line, err)
	}
	p.t.Logf("$ %s\n%s", line, out.Bytes())
	return out.String()
}
