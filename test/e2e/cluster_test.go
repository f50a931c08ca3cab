package e2e

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const demo = "demo.stateroom.internal"

// TestFromNothingToARunningCluster is one person's day: a cluster made from
// nothing, changed, broken three times, looked back at, rolled back, and ended.
func TestFromNothingToARunningCluster(t *testing.T) {
	if testing.Short() {
		t.Skipf("starts a real cluster; left out with -short")
	}
	p := newPerson(t)
	t.Cleanup(func() { p.end(demo) })

	step := func(name string, f func(t *testing.T)) {
		if !t.Failed() {
			t.Run(name, f)
		}
	}
	story := &day{person: p}
	step("up", story.up)
	step("a pod is seen by the scheduler", story.pod)
	step("a changed field restarts one program", story.edit)
	step("ten edits at once all stay", story.tenEdits)
	step("a bad admission plugin", story.badPlugin)
	step("an etcd address nobody listens on", story.badEtcd)
	step("a crash 20 s after ready", story.lateCrash)
	step("looking back and going back", story.history)
	step("git reads the log", story.git)
	step("the agent dies and comes back", story.agent)
	step("down leaves nothing", story.down)
}

// day is the story's state between its steps.
type day struct {
	*person
	before map[string]int // pids at the last look
}

// with makes the person speak to the subtest.
func (d *day) with(t *testing.T) *person { return &person{t, d.home, d.bin, d.env} }

func (d *day) up(t *testing.T) {
	p := d.with(t)
	up := p.must(0, "up")
	t.Logf("FIGURE up, programs cached: %.1f s", up.took.Seconds())
	p.must(0, "kubectl", "--", "get", "--raw", "/readyz").has(t, "ok")
	p.must(0, "kubectl", "--", "get", "serviceaccount", "default").has(t, "default")
	p.must(0, "validate", "cluster", demo)
	d.before = p.pids(demo)
	if len(d.before) != 5 {
		t.Errorf("services: %v, want five", d.before)
	}
	again := p.must(0, "up")
	if now := p.pids(demo); !maps.Equal(now, d.before) {
		t.Errorf("a second up changed the processes from %v to %v", d.before, now)
	}
	t.Logf("FIGURE up again: %.1f s", again.took.Seconds())
}

func (d *day) pod(t *testing.T) {
	p := d.with(t)
	p.must(0, "kubectl", "--", "run", "web", "--image=web")
	p.until(30*time.Second, "no nodes available", "kubectl", "--", "get", "events")
}

func (d *day) edit(t *testing.T) {
	p := d.with(t)
	d.before = p.pids(demo)
	p.must(0, "edit", "cluster", demo, "--set", "spec.kubeAPIServer.maxRequestsInflight=801", "-m", "more requests at once")
	before := p.digest()
	plan := p.must(0, "update", "cluster", demo)
	plan.has(t, "maxRequestsInflight: 801", "kube-apiserver", "--max-requests-inflight", "restart", "--yes")
	p.must(10, "update", "cluster", demo, "--detailed-exitcode")
	if p.digest() != before {
		t.Error("the plan changed the store")
	}
	update := p.must(0, "update", "cluster", demo, "--yes", "--wait")
	t.Logf("FIGURE update --yes --wait: %.1f s", update.took.Seconds())
	d.restarted(t, "kube-apiserver")
	cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", d.before["kube-apiserver"]))
	if err != nil || !bytes.Contains(cmdline, []byte("--max-requests-inflight=801\x00")) {
		t.Errorf("kube-apiserver runs as %q, %v", cmdline, err)
	}
	p.must(0, "kubectl", "--", "get", "--raw", "/readyz").has(t, "ok")
}

// restarted wants exactly these services to have new processes since the last
// look, and looks.
func (d *day) restarted(t *testing.T, services ...string) {
	t.Helper()
	now := d.with(t).pids(demo)
	t.Logf("FIGURE pids before %v, now %v", d.before, now)
	for name, pid := range d.before {
		changed := now[name] != pid
		want := false
		for _, s := range services {
			want = want || s == name
		}
		if changed != want {
			t.Errorf("%s: pid %d before, %d now", name, pid, now[name])
		}
	}
	d.before = now
}

func (d *day) tenEdits(t *testing.T) {
	p := d.with(t)
	codes := make([]int, 10)
	var wg sync.WaitGroup
	for i := range codes {
		wg.Go(func() {
			codes[i] = p.run("edit", "cluster", demo, "--set", fmt.Sprintf("spec.cloudLabels.k%d=v%d", i, i)).code
		})
	}
	wg.Wait()
	labels := p.must(0, "get", "cluster", demo, "-o", "yaml")
	kept := 0
	for i, code := range codes {
		if code != 0 {
			t.Errorf("edit %d: exit %d", i, code)
		}
		if strings.Contains(labels.out, fmt.Sprintf("    k%d: v%d\n", i, i)) {
			kept++
		}
	}
	t.Logf("FIGURE ten edits at once: exit codes %v, labels kept %d of 10", codes, kept)
	if kept != 10 {
		t.Errorf("%d of 10 labels are there", kept)
	}
	p.must(0, "update", "cluster", demo, "--yes", "--wait")
	d.restarted(t)
}

func (d *day) badPlugin(t *testing.T) {
	d.bad(t, "spec.kubeAPIServer.enableAdmissionPlugins=NoSuchPlugin", "NoSuchPlugin")
}

func (d *day) badEtcd(t *testing.T) {
	d.bad(t, "spec.kubeAPIServer.etcdServers=https://127.0.0.1:9", "127.0.0.1:9")
}

// bad commits a value that passes validation and cannot work, and wants the
// host back where it was, with the words of the program that failed.
func (d *day) bad(t *testing.T, set, words string) {
	p := d.with(t)
	path, _, _ := strings.Cut(set, "=")
	p.must(0, "edit", "cluster", demo, "--set", set)
	update := p.must(8, "update", "cluster", demo, "--yes", "--wait")
	update.has(t, "kube-apiserver", words)
	d.wentBack(t, "kube-apiserver", words)
	t.Logf("FIGURE %s: failed and went back after %.1f s", path, update.took.Seconds())

	p.must(0, "edit", "cluster", demo, "--unset", path)
	p.must(0, "update", "cluster", demo, "--yes", "--wait")
	p.must(0, "validate", "cluster", demo)
	d.before = p.pids(demo)
}

// wentBack wants the API to answer, and status and validate to say why the
// newest release is not live.
func (d *day) wentBack(t *testing.T, service, words string) {
	p := d.with(t)
	p.until(30*time.Second, "ok", "kubectl", "--", "get", "--raw", "/readyz")
	p.run("status", demo).has(t, service, words)
	p.must(8, "validate", "cluster", demo).has(t, service, words)
}

func (d *day) lateCrash(t *testing.T) {
	p := d.with(t)
	catalogue := crashingScheduler(t, p)
	update := p.must(0, "update", "cluster", demo, "--yes", "--wait", "--catalogue", catalogue)
	t.Logf("FIGURE ready with the program that will crash: %.1f s", update.took.Seconds())
	start := time.Now()
	p.until(90*time.Second, "out of patience", "status", demo)
	t.Logf("FIGURE crash and return: %.1f s after ready", time.Since(start).Seconds())
	d.wentBack(t, "kube-scheduler", "out of patience")

	p.must(0, "edit", "cluster", demo, "--set", "spec.kubeAPIServer.maxRequestsInflight=802")
	p.must(0, "update", "cluster", demo, "--yes", "--wait", "--catalogue", goodCatalogue(t, p))
	p.must(0, "validate", "cluster", demo)
	d.before = p.pids(demo)
}

func (d *day) history(t *testing.T) {
	p := d.with(t)
	p.must(0, "log", demo).has(t, "more requests at once")
	p.must(0, "show", demo, "2")
	p.must(0, "diff", demo, "1", "3").has(t, "+    maxRequestsInflight: 801")
	kubeconfig := p.kubeconfig(demo)
	rollback := p.must(0, "rollback", demo, "--to", "3")
	p.must(0, "diff", demo, "--released")
	p.must(0, "update", "cluster", demo, "--yes", "--wait")
	if after := p.kubeconfig(demo); after != kubeconfig {
		t.Error("the rollback changed the kubeconfig")
	}
	t.Logf("FIGURE rollback: %.2f s", rollback.took.Seconds())
	p.must(0, "kubectl", "--", "get", "--raw", "/readyz").has(t, "ok")
	p.must(0, "get", "cluster", demo, "-o", "yaml").has(t, "maxRequestsInflight: 801")
	d.before = p.pids(demo)
}

func (p *person) kubeconfig(cluster string) string {
	p.t.Helper()
	content, err := os.ReadFile(filepath.Join(p.host(cluster), "kubeconfig"))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(content)
}

func (d *day) git(t *testing.T) {
	p := d.with(t)
	log := filepath.Join(p.store(), ".stateroom", demo, "log")
	script := `set -e; cd "$1"; git init -q -b main; cat "$2"/* | git fast-import --quiet; git fsck --strict; git log --format=%s; git rev-list --count main`
	cmd := exec.Command("sh", "-c", script, "sh", t.TempDir(), log)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, subject := range []string{"more requests at once"} {
		if !bytes.Contains(out, []byte(subject)) {
			t.Errorf("git log lacks %q:\n%s", subject, out)
		}
	}
}

func (d *day) agent(t *testing.T) {
	p := d.with(t)
	pid := p.agent(demo)
	t.Logf("FIGURE agent: %d MB resident", resident(t, pid)>>20)
	if rss := resident(t, pid); rss > 30<<20 {
		t.Errorf("the agent has %d bytes resident", rss)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	p.must(0, "up")
	if p.agent(demo) == pid {
		t.Error("the agent was not started again")
	}
	d.restarted(t)
}

func (p *person) agent(cluster string) int {
	p.t.Helper()
	for _, proc := range p.processes(cluster) {
		if filepath.Base(proc.args[0]) == "stateroom-agent" && proc.args[1] == "run" {
			return proc.pid
		}
	}
	p.t.Fatal("no agent runs")
	return 0
}

func (d *day) down(t *testing.T) {
	p := d.with(t)
	down := p.must(0, "down")
	t.Logf("FIGURE down: %.1f s", down.took.Seconds())
	if left := p.processes(demo); len(left) != 0 {
		t.Errorf("left running: %v", left)
	}
	warm := p.must(0, "up") // and the same cluster comes back
	t.Logf("FIGURE up after down: %.1f s", warm.took.Seconds())
	p.until(20*time.Second, "web", "kubectl", "--", "get", "pods")
	children := p.pids(demo) // of the agent that runs
	p.must(0, "down")
	if left := p.processes(demo); len(left) != 0 {
		t.Errorf("left running: %v", left)
	}
	for name, pid := range children {
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); err == nil {
			t.Errorf("%s (pid %d) is still in the table of processes", name, pid)
		}
	}
}

// end kills what a failed test left.
func (p *person) end(cluster string) {
	for _, proc := range p.processes(cluster) {
		_ = syscall.Kill(proc.pid, syscall.SIGKILL)
	}
}
