package stateroom

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
	"github.com/stateroom/stateroom/vfs/vfstest"
)

// TestAThousandClustersAreListedInASecond: each of 43 objects, on a service that
// takes 20 ms for a request.
func TestAThousandClustersAreListedInASecond(t *testing.T) {
	const clusters = 1000
	model := opened(t)
	create(t, model)
	config, _, err := model.objects.Get(t.Context(), string(demo)+"/config")
	if err != nil {
		t.Fatal(err)
	}
	d := mem.New(mem.Options{})
	for i := range clusters {
		name := fmt.Sprintf("c%04d.example.com", i)
		write := func(key, text string) {
			if _, err := d.Put(t.Context(), key, []byte(text), vfs.Cond{}, ""); err != nil {
				t.Fatal(err)
			}
		}
		write(name+"/config", strings.ReplaceAll(string(config), string(demo), name))
		for j := range 40 {
			write(fmt.Sprintf("%s/pki/private/set-%02d/keyset.yaml", name, j), "x")
		}
		write(name+"/backups/etcd/main/2026-01-01/etcd.backup.gz", "x")
		write(".stateroom/"+name+"/head", "x")
	}
	counter := vfstest.Count(vfstest.Delay(d, 20*time.Millisecond))
	s, err := Open(t.Context(), vfs.New(counter, "mem:"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	counter.Reset()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	began := time.Now()
	entries, err := s.ClusterConfigs(t.Context())
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	if err != nil || len(entries) != clusters {
		t.Fatalf("%d clusters, %v", len(entries), err)
	}
	for _, e := range entries {
		if e.Err != nil || e.Cluster.Cloud() == "" {
			t.Fatalf("%s: %v", e.Name, e.Err)
		}
	}
	ops := counter.Ops()
	if ops["listdir"] != 1 || ops["get"] != clusters+1 || counter.Total() != clusters+2 { // one opens the store
		t.Errorf("requests: %v", ops)
	}
	for _, key := range counter.Keys() {
		if strings.Contains(key, "backups/") {
			t.Errorf("it asks for %s", key)
		}
	}
	t.Logf("%d clusters in %v, %d round trips, %d MB allocated in all", clusters, took, counter.Rounds(), (after.TotalAlloc-before.TotalAlloc)>>20)
	if took > 5*time.Second { // a second, on a machine that does nothing else
		t.Errorf("it took %v", took)
	}
}
