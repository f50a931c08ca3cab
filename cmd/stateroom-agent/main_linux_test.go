package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stateroom/stateroom/agent"
	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/internal/asset"
	"github.com/stateroom/stateroom/internal/backends"
	"github.com/stateroom/stateroom/vfs"
)

// TestMain is also the program itself, and the service that it runs.
func TestMain(m *testing.M) {
	switch os.Getenv("STATEROOM_AGENT_TEST") {
	case "agent":
		_ = os.Unsetenv("STATEROOM_AGENT_TEST")
		main()
	}
	if len(os.Args) > 1 && strings.HasPrefix(os.Args[1], "--serve=") {
		serve(strings.TrimPrefix(os.Args[1], "--serve="))
	}
	os.Exit(m.Run())
}

func serve(address string) {
	if slices.Contains(os.Args, "--bad") {
		fmt.Fprintln(os.Stderr, "Error: unknown flag: --bad")
		os.Exit(1)
	}
	err := http.ListenAndServe(address, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

const (
	clusterName = "demo.example.com"
	clusterID   = "6f0c1c7e-0000-4000-8000-000000000001"
	group       = "control-plane-main"
)

// host is a directory with all that an agent needs.
type host struct {
	t      *testing.T
	dir    string // of the host
	boot   string // the bootstrap file
	cache  string
	store  *vfs.FS
	asset  bundle.Asset
	commit int
	// address is this host's own among all tests that run at the same time.
	address string
}

var hosts atomic.Int32

func newHost(t *testing.T) *host {
	t.Helper()
	dir := t.TempDir()
	h := &host{t: t, dir: filepath.Join(dir, "host"), boot: filepath.Join(dir, "bootstrap.json"), cache: filepath.Join(dir, "cache")}
	h.address = fmt.Sprintf("127.%d.%d.%d", 64+os.Getpid()>>8%64, os.Getpid()%256, hosts.Add(1))
	place := filepath.Join(dir, "store")
	f, err := backends.Open(t.Context(), place, backends.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h.store = f.Sub(".stateroom/" + clusterName)
	b := bundle.Bootstrap{Store: place, Cluster: clusterName, ClusterID: clusterID, Group: group}
	data, err := b.Encode()
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "program")
	if err := errors.Join(os.WriteFile(h.boot, data, 0o600), os.WriteFile(program, text, 0o700)); err != nil {
		t.Fatal(err)
	}
	sum, size, err := (&asset.Cache{Dir: h.cache}).Add(t.Context(), program)
	if err != nil {
		t.Fatal(err)
	}
	h.asset = bundle.Asset{Name: "services", Programs: []string{"one", "two"}, SHA256: sum, Size: size}
	t.Cleanup(func() {
		if out, err := h.run("stop", "--dir", h.dir); err != nil && !strings.Contains(out, "no such file") {
			t.Errorf("stop: %v: %s", err, out)
		}
	})
	return h
}

func (h *host) release(more ...string) {
	h.t.Helper()
	b := &bundle.Bundle{Cluster: clusterName, ClusterID: clusterID, Group: group, Version: "1.37.2", Assets: []bundle.Asset{h.asset},
		Files: []bundle.File{{Path: "etc/conf", Mode: 0o644, Content: "conf"}}}
	for i, name := range []string{"one", "two"} {
		port := fmt.Sprintf("${ADDRESS}:%d", 20001+i)
		args := []string{"--serve=" + port}
		if name == "two" {
			args = append(args, more...)
		}
		b.Services = append(b.Services, bundle.Service{Name: name, Program: name, Args: args, Disruption: "restart", StopSeconds: 5,
			Ready: &bundle.Probe{URL: "http://" + port + "/", TimeoutSeconds: 20}})
	}
	if err := b.Validate(); err != nil {
		h.t.Fatal(err)
	}
	h.commit++
	data, d := b.Encode()
	r := bundle.Release{Cluster: clusterName, ClusterID: clusterID, Commit: h.commit, Groups: map[string]bundle.Digest{group: d}, PollSeconds: 1, Issued: time.Now()}
	h.put(bundle.ObjectName(group, d), data)
	h.put(bundle.ReleaseName, r.Encode())
}

func (h *host) put(key string, data []byte) {
	h.t.Helper()
	if _, err := h.store.Put(h.t.Context(), key, data, vfs.Cond{}, ""); err != nil {
		h.t.Fatal(err)
	}
}

// run runs the program to its end.
func (h *host) run(args ...string) (string, error) {
	cmd := h.command(args...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (h *host) command(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "STATEROOM_AGENT_TEST=agent")
	return cmd
}

func (h *host) runArgs(more ...string) []string {
	return append([]string{"run", "--bootstrap", h.boot, "--dir", h.dir, "--node", "a", "--address", h.address, "--cache", h.cache, "--confirm", "1s", "--poll", "100ms"}, more...)
}

// start starts the agent in the background.
func (h *host) start() *exec.Cmd {
	h.t.Helper()
	cmd := h.command(h.runArgs()...)
	log := &bytes.Buffer{}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if h.t.Failed() {
			h.t.Logf("the agent said:\n%s", log)
		}
	})
	return cmd
}

// status asks the program.
func (h *host) status() *agent.Status {
	h.t.Helper()
	out, err := h.command("status", "--dir", h.dir, "-o", "json").Output()
	if err != nil {
		h.t.Fatal(err)
	}
	var s agent.Status
	if err := json.Unmarshal(out, &s); err != nil {
		h.t.Fatal(err)
	}
	return &s
}

// look sees what status does, without a process for it.
func (h *host) look() *agent.Status {
	h.t.Helper()
	memory, err := openMemory(h.t.Context(), h.dir)
	if err != nil {
		h.t.Fatal(err)
	}
	s, err := agent.ReadStatus(h.t.Context(), h.dir, memory)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

func (h *host) until(what string, ok func(*agent.Status) bool) *agent.Status {
	h.t.Helper()
	var last *agent.Status
	for end := time.Now().Add(40 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if _, err := os.Stat(h.dir); err != nil {
			continue
		}
		if last = h.look(); ok(last) {
			return last
		}
	}
	h.t.Fatalf("waited for %s in vain: %+v", what, last)
	return nil
}

func confirmed(commit int) func(*agent.Status) bool {
	return func(s *agent.Status) bool {
		return s.Report != nil && s.Report.Phase == bundle.PhaseConfirmed && s.Report.Commit == commit
	}
}

func pids(s *agent.Status) string {
	var all []string
	for _, p := range s.Services {
		all = append(all, fmt.Sprintf("%s %d", p.Name, p.PID))
	}
	return strings.Join(all, ", ")
}

func TestKilledAgentsServicesLiveOnAndAreTakenUp(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.release()
	first := h.start()
	before := h.until("confirmed", confirmed(1))
	if before.Agent != first.Process.Pid || len(before.Services) != 2 {
		t.Errorf("status: %+v", before)
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait()
	between := h.status()
	if between.Agent != 0 || pids(between) != pids(before) {
		t.Errorf("without an agent: %+v, before: %+v", between, before)
	}
	text, err := h.run("status", "--dir", h.dir)
	if err != nil || !strings.Contains(text, "agent: not running") || !strings.Contains(text, "Nothing starts this after a reboot but: ") {
		t.Errorf("status: %v\n%s", err, text)
	}

	second := h.start()
	h.until("taken up", func(s *agent.Status) bool { return s.Agent == second.Process.Pid && confirmed(1)(s) })
	time.Sleep(500 * time.Millisecond)
	if after := h.status(); pids(after) != pids(before) {
		t.Errorf("pids before %s, after %s", pids(before), pids(after))
	}

	out, err := h.run(h.runArgs()...)
	if err == nil || !strings.Contains(out, fmt.Sprintf("another agent (pid %d) runs on", second.Process.Pid)) {
		t.Errorf("a second agent: %v: %s", err, out)
	}

	if out, err := h.run("stop", "--dir", h.dir); err != nil {
		t.Fatalf("stop: %v: %s", err, out)
	}
	if err := second.Wait(); err != nil {
		t.Errorf("the agent that was stopped: %v", err)
	}
	for _, p := range before.Services {
		// One that ended and that process 1 has not taken note of yet is gone.
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.PID)); err == nil && !strings.Contains(string(stat), ") Z ") {
			t.Errorf("%s is left: %s", p.Name, stat)
		}
	}
	if s := h.status(); s.Agent != 0 || len(s.Services) != 0 {
		t.Errorf("after stop: %+v", s)
	}
}

func TestOnceEndsWhenTheBundleIsJudged(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	out, err := h.run(h.runArgs("--once")...)
	if exitCode(err) != 3 || !strings.Contains(out, "no such file") && !strings.Contains(out, "not exist") {
		t.Errorf("no release: %v\n%s", err, out)
	}
	h.release()
	if out, err := h.run(h.runArgs("--once")...); err != nil {
		t.Fatalf("a good one: %v\n%s", err, out)
	}
	before := h.status()
	h.release("--bad")
	out, err = h.run(h.runArgs("--once")...)
	if exitCode(err) != 8 || !strings.Contains(out, "Error: unknown flag: --bad") {
		t.Errorf("a bad one: %v\n%s", err, out)
	}
	after := h.until("two is up again", func(s *agent.Status) bool { return len(s.Services) == 2 && s.Services[1].PID > 0 })
	if s := after.Services[0]; s.PID != before.Services[0].PID {
		t.Errorf("one was touched: %+v, before %+v", s, before.Services[0])
	}
	text, err := h.run("status", "--dir", h.dir)
	if err != nil || !strings.Contains(text, "commit 2 failed: two ended 3 times: exit status 1\n  Error: unknown flag: --bad\n") {
		t.Errorf("status: %v\n%s", err, text)
	}
}

func TestDryRunTouchesNothing(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	root := filepath.Dir(h.dir)
	h.release()
	dry := func(want string) {
		t.Helper()
		before := tree(t, root)
		out, err := h.run(h.runArgs("--dry-run")...)
		if err != nil || out != want {
			t.Errorf("%v\n%s\nwant:\n%s", err, out, want)
		}
		if after := tree(t, root); after != before {
			t.Errorf("something was touched:\n%s\nbefore:\n%s", after, before)
		}
	}
	dry("add file etc/conf\nstart one\nstart two\n")
	if out, err := h.run(h.runArgs("--once")...); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	dry("nothing: this host is as it should be\n")
	h.release("--more")
	dry("restart two\n")
}

func TestWrongCallsAreUsage(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	for _, args := range [][]string{{}, {"frobnicate"}, {"run"}, {"run", "--dir", h.dir}, {"status"}, {"stop", "--dir", h.dir, "more"}, {"run", "--no-such-flag"}} {
		if out, err := h.run(args...); exitCode(err) != 2 || out == "" {
			t.Errorf("%v: %v: %s", args, err, out)
		}
	}
	if _, err := os.Stat(h.dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a wrong call made the directory: %v", err)
	}
}

func exitCode(err error) int {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	return 0
}

// tree lists all that is below a directory, times and content included.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var out strings.Builder
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(&out, "%s %v %d %v", p, fi.Mode(), fi.Size(), fi.ModTime().UnixNano())
		if d.Type().IsRegular() && fi.Size() < 1<<20 {
			text, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			fmt.Fprintf(&out, " %q", text)
		}
		out.WriteByte('\n')
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestAnIdleAgentIsSmall runs the program as it is shipped, through as many
// polls as minutes of idling make.
func TestAnIdleAgentIsSmall(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skipf("builds the program")
	}
	h := newHost(t)
	program := filepath.Join(filepath.Dir(h.dir), "stateroom-agent")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	h.release()
	cmd := exec.Command(program, h.runArgs("--poll", "20ms")...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	h.until("confirmed", confirmed(1))
	time.Sleep(6 * time.Second)
	rss := 0
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	for line := range strings.Lines(string(status)) {
		if _, scanErr := fmt.Sscanf(line, "VmRSS: %d kB", &rss); scanErr == nil {
			break
		}
	}
	t.Logf("%d kB resident", rss)
	if err != nil || rss == 0 || rss > 30<<10 {
		t.Errorf("%d kB resident (%v), over 30 MB", rss, err)
	}
}

// Flags that would keep the agent spinning, or make services listen nowhere.
func TestFlagsThatCannotBeMeant(t *testing.T) {
	for _, flag := range []string{"--poll=-1s", "--poll=1ns", "--ready=-1s", "--confirm=-1s", "--address=::1", "--address=localhost", "--log-format=xml"} {
		var stderr bytes.Buffer
		_, err := parseRun([]string{"--bootstrap", "b", "--dir", "d", flag}, &stderr)
		if name, _, _ := strings.Cut(flag, "="); !errors.Is(err, errUsage) || !strings.Contains(stderr.String(), name) {
			t.Errorf("%s: %v, %s", flag, err, &stderr)
		}
	}
	var stderr bytes.Buffer
	if o, err := parseRun([]string{"--bootstrap", "b", "--dir", "d", "--poll=10ms", "--address=127.1.2.3"}, &stderr); err != nil || o.poll != 10*time.Millisecond {
		t.Errorf("%v, %s", err, &stderr)
	}
}
