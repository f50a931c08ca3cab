package e2e

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stateroom/stateroom/internal/asset"
)

var buildOnce = sync.OnceValues(func() (string, error) {
	caches, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(caches, "stateroom", "assets"), nil
})

// builtKubernetes returns a cache of programs with Kubernetes in it; the first
// run on a machine builds it, which takes minutes.
func builtKubernetes(t *testing.T) string {
	t.Helper()
	dir, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	last := int64(-1)
	cache := &asset.Cache{Dir: dir}
	_, err = cache.BuildKubernetes(t.Context(), "../../kubernetes", func(step string, done, total int64) {
		if done/200 != last {
			last = done / 200
			t.Logf("%s: %d of %d", step, done, total)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func copyTree(t *testing.T, to, from string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

func chownTree(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, nobody, nobody)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// openParents lets everybody pass through the directories that testing made
// for root alone.
func openParents(t *testing.T, dir string) {
	t.Helper()
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// TestEveryProgramAnswersToItsName builds the multi-call program, or takes it
// from the cache, and asks each program in it for its version.
func TestEveryProgramAnswersToItsName(t *testing.T) {
	if testing.Short() {
		t.Skipf("builds Kubernetes where the cache does not have it; left out with -short")
	}
	a := built(t)
	path, ok := (&asset.Cache{Dir: builtKubernetes(t)}).Path(a.SHA256)
	if !ok {
		t.Fatal("what was built is not in the cache")
	}
	version := strings.TrimPrefix(a.URL, "source:kubernetes@")
	for _, program := range a.Programs {
		args, want := []string{"--version"}, version
		switch program {
		case "kubectl":
			args = []string{"version", "--client"}
		case "etcd":
			want = "etcd Version: 3."
		case "etcdutl":
			args, want = []string{"version"}, "etcdutl version: 3."
		}
		link := filepath.Join(t.TempDir(), program)
		if err := os.Symlink(path, link); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(link, args...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s %v: %v\n%s", program, args, err, out)
		}
	}
	if out, err := exec.Command(path, "kube-nothing").CombinedOutput(); err == nil || !strings.Contains(string(out), `no program "kube-nothing"`) {
		t.Errorf("a program that is not there: %v\n%s", err, out)
	}
}
