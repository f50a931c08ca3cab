package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stateroom/stateroom"
)

// TestEtcdDestroyedComesBackFromASnapshot loses what only etcd has, and gets it
// back: while the cluster runs, and while it does not.
func TestEtcdDestroyedComesBackFromASnapshot(t *testing.T) {
	if testing.Short() {
		t.Skipf("starts a real cluster; left out with -short")
	}
	p := newPerson(t)
	t.Cleanup(func() { p.end(demo) })
	p.must(0, "up")
	p.must(0, "kubectl", "--", "create", "configmap", "before", "--from-literal=kept=yes")
	p.must(0, "etcd", "snapshot", "save").has(t, "etcd-main-", "etcd-events-")

	// A release that restarts etcd takes one by itself; one that does not, does not.
	p.must(0, "edit", "cluster", demo, "--set", "spec.kubeAPIServer.maxRequestsInflight=801")
	p.must(0, "update", "cluster", demo, "--yes", "--wait")
	if all := p.snapshots(); len(all) != 2 {
		t.Errorf("a release that leaves etcd alone: %d snapshots", len(all))
	}
	p.must(0, "edit", "cluster", demo, "--set", "spec.etcdClusters[0].heartbeatInterval=200ms")
	p.must(0, "update", "cluster", demo, "--yes", "--wait")
	all := p.snapshots()
	if len(all) != 3 || all[0].Service != "etcd-main" || all[0].Cluster != demo || all[0].Commit == 0 {
		t.Fatalf("before a release that restarts etcd-main: %+v", all)
	}
	snapshot := all[0].Name
	p.must(0, "kubectl", "--", "create", "configmap", "after", "--from-literal=kept=no")

	// Lost, and nobody noticed: a new, empty etcd serves.
	p.must(0, "down")
	data := filepath.Join(p.host(demo), "state", "etcd-main")
	if err := os.RemoveAll(data); err != nil {
		t.Fatal(err)
	}
	p.must(0, "up")
	if r := p.run("kubectl", "--", "get", "configmap", "before"); r.code == 0 || !strings.Contains(r.err, "not found") {
		t.Error("what was lost is there")
	}
	pids := p.pids(demo)
	restore := p.must(0, "etcd", "snapshot", "restore", snapshot)
	t.Logf("FIGURE restore until all is ready: %.1f s", restore.took.Seconds())
	p.must(0, "kubectl", "--", "get", "configmap", "before", "-o", "jsonpath={.data.kept}").has(t, "yes")
	if r := p.run("kubectl", "--", "get", "configmap", "after"); r.code == 0 || !strings.Contains(r.err, "not found") {
		t.Error("what was made after the snapshot is there")
	}
	if now := p.pids(demo); now["etcd-events"] != pids["etcd-events"] || now["kube-apiserver"] == pids["kube-apiserver"] {
		t.Errorf("pids before %v, now %v", pids, now)
	}
	if kept, err := filepath.Glob(data + ".before-*/member/snap/db"); err != nil || len(kept) != 1 {
		t.Errorf("the data from before the restore: %v, %v", kept, err)
	}
	p.must(0, "kubectl", "--", "create", "configmap", "again", "--from-literal=kept=yes") // and life goes on

	// Where nothing runs, nothing is started.
	p.must(0, "down")
	if err := os.RemoveAll(data); err != nil {
		t.Fatal(err)
	}
	p.must(0, "etcd", "snapshot", "restore", snapshot)
	if left := p.processes(demo); len(left) != 0 {
		t.Errorf("running: %v", left)
	}
	p.must(0, "up")
	p.until(20*time.Second, "yes", "kubectl", "--", "get", "configmap", "before", "-o", "jsonpath={.data.kept}")
	p.must(3, "etcd", "snapshot", "restore", "etcd-main-20260102T030405Z-1")
	p.must(0, "down")
}

func (p *person) snapshots() []stateroom.EtcdSnapshot {
	p.t.Helper()
	var all []stateroom.EtcdSnapshot
	if err := json.Unmarshal([]byte(p.must(0, "etcd", "snapshot", "list", "-o", "json").out), &all); err != nil {
		p.t.Fatal(err)
	}
	return all
}
