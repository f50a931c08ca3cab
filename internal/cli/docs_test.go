package cli_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stateroom/stateroom/internal/doctest"
)

// documents are all texts of the project that people read.
func documents(t *testing.T) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && d.Name() != ".." && path != "../.."):
			return fs.SkipDir
		case strings.HasSuffix(path, ".md"):
			all = append(all, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 40 {
		t.Fatalf("only %d documents", len(all))
	}
	return all
}

// TestDocuments runs every transcript of the documents in an empty home, each
// file in its own, and holds what is printed against what the document says.
// Documents with a running cluster in them are run by test/e2e.
func TestDocuments(t *testing.T) {
	program, err := exec.LookPath("stateroom")
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, path := range documents(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		steps := doctest.Steps(text)
		if len(steps) == 0 || runs(steps) {
			continue
		}
		ran += len(steps)
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			runSteps(t, program, steps)
		})
	}
	if ran == 0 {
		t.Error("no document has a transcript that can be run here")
	}
}

func runs(steps []doctest.Step) bool {
	for _, s := range steps {
		if s.Runs() {
			return true
		}
	}
	return false
}

func runSteps(t *testing.T, program string, steps []doctest.Step) {
	t.Helper()
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program, filepath.Join(home, "bin", "stateroom")); err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", s.Command)
		cmd.Dir = home
		cmd.Env = []string{
			"HOME=" + home, "PATH=" + filepath.Join(home, "bin") + ":" + os.Getenv("PATH"), "TMPDIR=" + home,
			"STATEROOM_AUTHOR=Ada <ada@example.com>", "NO_COLOR=1", "TZ=UTC",
			"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		}
		out, _ := cmd.CombinedOutput() // what it prints says whether it went well
		if why := s.Differs(string(out), home); why != "" {
			t.Error(why)
		}
	}
}

// TestLinksOfDocuments follows every link from one document to another.
func TestLinksOfDocuments(t *testing.T) {
	n := 0
	for _, path := range documents(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range doctest.Links(text) {
			if strings.Contains(l.Target, "://") || strings.HasPrefix(l.Target, "mailto:") {
				continue
			}
			n++
			file, anchor, _ := strings.Cut(l.Target, "#")
			to := path
			if file != "" {
				to = filepath.Join(filepath.Dir(path), file)
			}
			there, err := os.Stat(to)
			if err != nil {
				t.Errorf("%s:%d: %s leads nowhere", path, l.Line, l.Target)
				continue
			}
			if anchor == "" || there.IsDir() {
				continue
			}
			target, err := os.ReadFile(to)
			if err != nil {
				t.Fatal(err)
			}
			if !doctest.Anchors(target)[anchor] {
				t.Errorf("%s:%d: %s has no heading %q", path, l.Line, to, anchor)
			}
		}
	}
	t.Logf("%d links", n)
}
