package asset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// goStub stands for the go command: it notes each call and "compiles" by
// writing a file.
const goStub = `#!/bin/sh
echo "$1" >> "$CALLS"
case "$1" in
env) echo go1.99.0 ;;
list) echo "go: downloading example.com/a v1.0.0" >&2; printf 'a\nb\n' ;;
build)
  [ "$BROKEN" != long ] || head -c 400000 /dev/zero >&2
  [ -z "$BROKEN" ] || { echo "$BROKEN" >&2; exit 1; }
  printf 'a\nb\n' >&2
  while [ "$1" != -o ]; do shift; done
  cat main.go > "$2" ;;
esac
`

type workshop struct {
	t      *testing.T
	cache  *Cache
	source string
	calls  string
}

func newWorkshop(t *testing.T) *workshop {
	t.Helper()
	dir := t.TempDir()
	w := &workshop{t: t, cache: &Cache{Dir: filepath.Join(dir, "cache")}, source: filepath.Join(dir, "kubernetes"), calls: filepath.Join(dir, "calls")}
	w.write(filepath.Join(dir, "bin", "go"), goStub)
	w.write(filepath.Join(w.source, "go.mod"), "module x\n\nrequire (\n\tk8s.io/kubernetes v1.37.2\n)\n")
	w.write(filepath.Join(w.source, "go.sum"), "")
	w.write(filepath.Join(w.source, "main.go"), "package main\n")
	t.Setenv("PATH", filepath.Join(dir, "bin")+":/usr/bin:/bin")
	t.Setenv("CALLS", w.calls)
	return w
}

func (w *workshop) write(path, content string) {
	w.t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o755)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *workshop) builds() int {
	calls, _ := os.ReadFile(w.calls)
	return strings.Count(string(calls), "build")
}

func TestKubernetesIsBuiltOnceForOneSource(t *testing.T) {
	w := newWorkshop(t)
	if _, ok := w.cache.Built(t.Context(), w.source); ok {
		t.Fatal("built before it was built")
	}
	var heard []string
	first, err := w.cache.BuildKubernetes(t.Context(), w.source, func(step string, done, total int64) {
		heard = append(heard, fmt.Sprintf("%s %d/%d", step, done, total))
	})
	if err != nil {
		t.Fatal(err)
	}
	if path, ok := w.cache.Path(first.SHA256); !ok {
		t.Error("the program is not in the cache")
	} else if content, _ := os.ReadFile(path); string(content) != "package main\n" {
		t.Errorf("the cache holds %q", content)
	}
	if got := strings.Join(heard, "; "); !strings.Contains(got, "downloading the source of Kubernetes 1.37.2 1/0") || !strings.Contains(got, "compiling Kubernetes 1.37.2 2/2") {
		t.Errorf("progress: %s", got)
	}
	again, err := w.cache.BuildKubernetes(t.Context(), w.source, nil)
	if err != nil || again.SHA256 != first.SHA256 || w.builds() != 1 {
		t.Errorf("the second time: %v, %v, %d builds", again, err, w.builds())
	}

	// A build that was killed leaves its folder: this one long ago, that one may be going on.
	for name, age := range map[string]time.Duration{"build-1": 25 * time.Hour, "build-2": time.Hour} {
		dir, then := filepath.Join(w.cache.Dir, name), time.Now().Add(-age)
		w.write(filepath.Join(dir, "go-build", "x.a"), "")
		if err := os.Chtimes(dir, then, then); err != nil {
			t.Fatal(err)
		}
	}
	w.write(filepath.Join(w.source, "main.go"), "package main // changed\n")
	if _, ok := w.cache.Built(t.Context(), w.source); ok {
		t.Error("another source counts as built")
	}
	changed, err := w.cache.BuildKubernetes(t.Context(), w.source, nil)
	if err != nil || changed.SHA256 == first.SHA256 || w.builds() != 2 {
		t.Errorf("after a change of the source: %v, %v, %d builds", changed, err, w.builds())
	}
	if left, _ := filepath.Glob(filepath.Join(w.cache.Dir, "build-*")); len(left) != 1 || filepath.Base(left[0]) != "build-2" {
		t.Errorf("left behind: %v", left)
	}
}

func TestAProgramMissingFromTheCacheIsBuiltAgain(t *testing.T) {
	w := newWorkshop(t)
	a, err := w.cache.BuildKubernetes(t.Context(), w.source, nil)
	if err != nil {
		t.Fatal(err)
	}
	path, _ := w.cache.Path(a.SHA256)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := w.cache.BuildKubernetes(t.Context(), w.source, nil); err != nil || w.builds() != 2 {
		t.Errorf("%v, %d builds", err, w.builds())
	}
}

func TestABuildThatFailsSaysWhatToDo(t *testing.T) {
	for _, c := range []struct{ name, broken, path, text, hint string }{
		{"disk full", "write: no space left on device", "", "no space left on device", "about 5 GB"},
		{"out of memory", "link: signal: killed", "", "exit status 1", "memory"},
		{"a line without end", "long", "", "exit status 1", ""},
		{"no Go", "", "/nowhere", "executable file not found", "needs Go on the PATH"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorkshop(t)
			t.Setenv("BROKEN", c.broken)
			if c.path != "" {
				t.Setenv("PATH", c.path)
			}
			_, err := w.cache.BuildKubernetes(t.Context(), w.source, nil)
			var failed *BuildError
			if !errors.As(err, &failed) || !strings.Contains(err.Error(), c.text) || !strings.Contains(failed.Hint(), c.hint) {
				t.Errorf("error %v, hint %q", err, failed.Hint())
			}
		})
	}
	_, err := KubernetesVersion(t.TempDir())
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder without source: %v", err)
	}
}
