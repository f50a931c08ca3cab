//go:build linux

package agent

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
)

// TestFilesOfFormat1 reads the files that the first version wrote. They never
// change.
func TestFilesOfFormat1(t *testing.T) {
	digit := func(c string) string { return strings.Repeat(c, 64) }
	digest := func(c string) bundle.Digest { return bundle.Digest("sha256:" + digit(c)) }
	proc := process{PID: 4712, Start: 8234570, Boot: "6f0c1c7e-2f5b-4f0e-9a54-0d6f0a1b2c3d"}
	at := func(second int) time.Time { return time.Date(2026, 1, 2, 3, 4, second, 0, time.UTC) }
	for name, c := range map[string]struct{ got, want any }{
		"agent.json": {&holder{}, &holder{1, process{4711, 8234567, proc.Boot}, at(5), []string{"stateroom-agent", "run", "--bootstrap", "/etc/b", "--dir", "/srv/a"}}},
		"etcd.json": {&record{}, &record{1, Run{
			Name: "etcd", Digest: digit("5"), Program: "/srv/a/current/bin/etcd", Args: []string{"--name=a"}, After: []string{"network"}, Stop: Duration(30 * time.Second),
			Ready: &Ready{"https://127.0.0.1:2379/health", "/srv/a/current/pki/ca.crt", "/srv/a/current/pki/etcd", Duration(90 * time.Second)},
		}, proc, at(6), at(8), 17}},
		"set.json": {&setRecord{}, &setRecord{1, digest("9"), Site{"a", "127.0.0.1", "/srv/a/current", "/srv/a/state"},
			map[string]certificateRecord{"pki/etcd": {digit("0"), digit("1"), digit("2")}}}},
		"memory.json": {&memory{}, &memory{
			1, "6f0c1c7e-0000-4000-8000-000000000001", "control-plane-main", &Aim{4, digest("4")}, &Aim{3, digest("3")},
			&Kept{Aim{2, digest("2")}, map[string]string{"etcd": digit("5")}, ""}, &Kept{Aim{1, digest("1")}, map[string]string{"etcd": digit("5")}, ""},
			[]bundle.Failure{{Commit: 4, Digest: digest("4"), Service: "kube-apiserver", Reason: "ended 3 times: exit status 1", LastWords: "Error: no"}}, "",
		}},
	} {
		text, err := os.ReadFile(filepath.Join("testdata/v1", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, c.got); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(c.want, c.got); d != "" {
			t.Errorf("%s is read otherwise (-want +got):\n%s", name, d)
		}
		if again, err := json.Marshal(c.got); err != nil || !equalJSON(again, text) {
			t.Errorf("%s is written otherwise: %s, %v", name, again, err)
		}
	}
}

func equalJSON(a, b []byte) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && x.String() == y.String()
}

func TestMemoryOfANewerFormatIsRefused(t *testing.T) {
	f := vfs.New(mem.New(mem.Options{}), "mem://memory")
	if _, err := f.Put(t.Context(), memoryName, []byte(`{"format":2,"clusterId":7}`), vfs.Cond{}, ""); err != nil {
		t.Fatal(err)
	}
	_, err := New(t.Context(), Options{Memory: f, Node: "a", Bootstrap: bundle.Bootstrap{Group: testGroup}})
	if err == nil || err.Error() != "memory.json was written by a newer Stateroom (format 2, this one reads 1)" {
		t.Errorf("error: %v", err)
	}
}
