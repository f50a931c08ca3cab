package servers

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// What npm installs: Azurite and s3rver, with all they need, by digest.
var (
	//go:embed node/package.json
	packageJSON []byte
	//go:embed node/package-lock.json
	packageLock []byte
)

// program returns the path of a server written in Go, built from the module in
// programs.
func program(t testing.TB, name string) string {
	t.Helper()
	dir := programsDir(t)
	sum, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	at := cached(t, "programs", sum, func(into string) *exec.Cmd {
		return exec.Command("go", "build", "-C", dir, "-o", into+"/", "tool")
	})
	return filepath.Join(at, name)
}

// programsDir finds the module in programs beside this package's source.
func programsDir(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOMOD").Output()
	root := filepath.Dir(strings.TrimSpace(string(out)))
	if err != nil || root == "." {
		t.Fatalf("find the module's root: go env GOMOD says %q: %v", out, err)
	}
	return filepath.Join(root, "test", "servers", "programs")
}

// nodeProgram returns the command of a server that npm installed.
func nodeProgram(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	for _, need := range []string{"node", "npm"} {
		if _, err := exec.LookPath(need); err != nil {
			t.Fatalf("%s needs %s: install Node.js 20 or later with npm", name, need)
		}
	}
	at := cached(t, "node", packageLock, func(into string) *exec.Cmd {
		for file, content := range map[string][]byte{"package.json": packageJSON, "package-lock.json": packageLock} {
			if err := os.WriteFile(filepath.Join(into, file), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return exec.Command("npm", "ci", "--prefix", into, "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")
	})
	return exec.Command("node", append([]string{filepath.Join(at, "node_modules", ".bin", name)}, args...)...)
}

// cached returns the folder of the cache that fill fills when nobody has yet.
// Test binaries that run at the same time wait for each other. The folder's
// name holds the digest of the lock file, so what it holds never changes, and
// it appears only when it is complete.
func cached(t testing.TB, name string, lockFile []byte, fill func(into string) *exec.Cmd) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	cache = filepath.Join(cache, "stateroom-test")
	if err := os.MkdirAll(cache, 0o700); err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(lockFile)
	dir := filepath.Join(cache, fmt.Sprintf("%s-%s-%s-%s", name, runtime.GOOS, runtime.GOARCH, hex.EncodeToString(digest[:8])))
	if exists(dir) {
		return dir
	}
	defer locked(t, filepath.Join(cache, name+".lock"))()
	if exists(dir) {
		return dir
	}
	into, err := os.MkdirTemp(cache, name+".part.")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(into) //nolint:errcheck // it is gone when all went well
	if out, err := fill(into).CombinedOutput(); err != nil {
		t.Fatalf("install the servers for tests (%s): %v\n%s", name, err, out)
	}
	if err := os.Rename(into, dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// locked waits for the lock at path and returns what gives it back.
func locked(t testing.TB, path string) (unlock func()) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	return func() { _ = f.Close() }
}
