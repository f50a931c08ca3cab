package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReferenceIsCurrent holds docs/cli and docs/man against the commands.
func TestReferenceIsCurrent(t *testing.T) {
	pages := reference(newRoot(quiet()))
	if len(pages) < 40 {
		t.Errorf("only %d pages", len(pages))
	}
	const again = "; run: go run ./cmd/stateroom reference docs"
	for name, want := range pages {
		got, err := os.ReadFile(filepath.Join("../../docs", name))
		if err != nil {
			t.Errorf("%v%s", err, again)
		} else if !bytes.Equal(got, want) {
			t.Errorf("docs/%s is not what the command says%s", name, again)
		}
	}
	for _, dir := range []string{"cli", "man"} {
		files, err := os.ReadDir(filepath.Join("../../docs", dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if _, ok := pages[dir+"/"+f.Name()]; !ok {
				t.Errorf("docs/%s/%s is of no command%s", dir, f.Name(), again)
			}
		}
	}
}

func TestReferenceCommandWritesAndClearsAway(t *testing.T) {
	dir := t.TempDir()
	stale := filepath.Join(dir, "cli", "stateroom-frobnicate.md")
	other := filepath.Join(dir, "cli", "notes.md")
	for _, path := range []string{stale, other} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := runReference(newRoot(quiet()), dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stale); err == nil {
		t.Error("the page of a command that is gone is still there")
	}
	if _, err := os.Stat(other); err != nil {
		t.Errorf("what is nobody's page is gone: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "man", "stateroom-edit-cluster.1")); err != nil {
		t.Error(err)
	}
}

func TestManualPagesAreTroff(t *testing.T) {
	for name, text := range reference(newRoot(quiet())) {
		if !strings.HasSuffix(name, ".1") {
			continue
		}
		for i, line := range strings.Split(string(text), "\n") {
			if strings.HasPrefix(line, ".") && !strings.HasPrefix(line, ".TH ") && !strings.HasPrefix(line, ".SH ") &&
				!strings.HasPrefix(line, ".B") && line != ".nf" && line != ".fi" && line != ".TP" {
				t.Errorf("%s:%d: a line of text is read as a command: %q", name, i+1, line)
			}
		}
	}
	if _, err := exec.LookPath("groff"); err != nil {
		return
	}
	cmd := exec.Command("groff", "-man", "-ww", "-Tutf8")
	cmd.Stdin = bytes.NewReader(reference(newRoot(quiet()))["man/stateroom-update-cluster.1"])
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("update")) || bytes.Contains(out, []byte("warning")) {
		t.Errorf("groff: %v\n%s", err, out)
	}
}
