package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// nobody is the user the programs run as when the tests run as root.
const nobody = 65534

// person is somebody with a home directory and the two programs.
type person struct {
	t    *testing.T
	home string
	bin  string
	env  []string
}

// result is what one command did.
type result struct {
	out, err string
	code     int
	took     time.Duration
}

// newPerson makes a home, puts the programs and the source of Kubernetes into
// it, and lends it the cache of programs, so that Kubernetes is built once.
func newPerson(t *testing.T) *person {
	t.Helper()
	home := t.TempDir()
	p := &person{t: t, home: home, bin: filepath.Join(home, "bin")}
	p.env = []string{
		"HOME=" + home, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + home, "NO_COLOR=1",
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GOFLAGS=-buildvcs=false",
	}
	build := exec.Command("go", "build", "-buildvcs=false", "-o", p.bin+"/", "./cmd/...")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	copyTree(t, filepath.Join(home, "kubernetes"), "../../kubernetes")
	copyTree(t, filepath.Join(home, ".cache", "stateroom", "assets"), builtKubernetes(t))
	if os.Getuid() == 0 {
		openParents(t, home)
		chownTree(t, home)
	}
	return p
}

// run runs stateroom and waits for its end.
func (p *person) run(args ...string) result {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(p.bin, "stateroom"), args...)
	return p.finish(cmd)
}

func (p *person) finish(cmd *exec.Cmd) result {
	p.t.Helper()
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	cmd.Dir, cmd.Env = p.home, p.env
	cmd.WaitDelay = 5 * time.Second // services must not hold our pipes
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	start := time.Now()
	err := cmd.Run()
	r := result{out: out.String(), err: stderr.String(), took: time.Since(start)}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		r.code = exit.ExitCode()
	case err != nil:
		p.t.Fatalf("%s: %v\n%s%s", cmd, err, r.out, r.err)
	}
	p.t.Logf("$ %s   (exit %d, %.1f s)\n%s%s", strings.Join(cmd.Args, " "), r.code, r.took.Seconds(), r.out, r.err)
	return r
}

// must runs stateroom and wants one exit code.
func (p *person) must(code int, args ...string) result {
	p.t.Helper()
	r := p.run(args...)
	if r.code != code {
		p.t.Fatalf("stateroom %s: exit %d, want %d", strings.Join(args, " "), r.code, code)
	}
	return r
}

// until repeats a command until its output holds a text.
func (p *person) until(within time.Duration, want string, args ...string) result {
	p.t.Helper()
	deadline := time.Now().Add(within)
	for {
		r := p.run(args...)
		if strings.Contains(r.out+r.err, want) {
			return r
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("stateroom %s: no %q within %v", strings.Join(args, " "), want, within)
		}
		time.Sleep(time.Second)
	}
}

func (r result) has(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(r.out+r.err, text) {
			t.Errorf("output lacks %q", text)
		}
	}
}

// store is the directory of the default store.
func (p *person) store() string {
	return filepath.Join(p.home, ".local", "share", "stateroom", "store")
}

// host is the directory of the cluster's agent on this machine.
func (p *person) host(cluster string) string {
	return filepath.Join(p.home, ".local", "share", "stateroom", "hosts", cluster)
}

// pids tells the process of each running service of the host.
func (p *person) pids(cluster string) map[string]int {
	p.t.Helper()
	pids := map[string]int{}
	for _, proc := range p.processes(cluster) {
		if name := filepath.Base(proc.args[0]); name != "stateroom-agent" {
			for _, a := range proc.args { // two etcds: told apart by their data
				if strings.Contains(a, "etcd-events") && name == "etcd" {
					name = "etcd-events"
				}
			}
			pids[name] = proc.pid
		}
	}
	return pids
}

type process struct {
	pid  int
	args []string
}

// processes are those that name the host's directory in their arguments.
func (p *person) processes(cluster string) []process {
	p.t.Helper()
	var all []process
	entries, err := os.ReadDir("/proc")
	if err != nil {
		p.t.Fatal(err)
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		cmdline, err := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		if err != nil || !bytes.Contains(cmdline, []byte(p.host(cluster))) {
			continue
		}
		all = append(all, process{pid, strings.Split(strings.TrimSuffix(string(cmdline), "\x00"), "\x00")})
	}
	return all
}

// digest is over every object of the store: names and bytes.
func (p *person) digest() string {
	p.t.Helper()
	h := sha256.New()
	err := filepath.WalkDir(p.store(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.Contains(path, "/nodes/") || strings.Contains(path, ".stateroom/tmp") {
			return err
		}
		content, err := os.ReadFile(path)
		h.Write([]byte(path + "\x00" + strconv.Itoa(len(content)) + "\x00"))
		h.Write(content)
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// resident is the memory of a process in bytes.
func resident(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if kb, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, _ := strconv.Atoi(strings.Fields(kb)[0])
			return n << 10
		}
	}
	t.Fatalf("process %d has no VmRSS", pid)
	return 0
}
