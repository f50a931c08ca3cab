package cluster_test

import (
	"errors"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stateroom/stateroom/cluster"
)

// TestNewGroupIsWrittenAsCreateClusterWritesIt, byte for byte.
func TestNewGroupIsWrittenAsCreateClusterWritesIt(t *testing.T) {
	opt := cluster.CreateOptions{Name: "a.example.com", Created: time.Unix(1<<30, 0), NodeCount: 2, NodeSizes: []string{"small"}, Image: "ours"}
	files := create(t, opt)
	c := load(t, files, string(opt.Name))
	two := 2
	for _, g := range []cluster.GroupOptions{
		{Name: "nodes-main", MinSize: &two},
		{Name: "control-plane-main", Role: "control-plane"},
	} {
		g.Created = opt.Created
		f, err := c.NewGroup(g)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(files[f.Name].Data), string(f.Bytes)); diff != "" || path.Base(f.Name) != g.Name {
			t.Errorf("%s differs (-create cluster +NewGroup):\n%s", f.Name, diff)
		}
	}
}

func TestNewGroupRefuses(t *testing.T) {
	c := load(t, create(t, cluster.CreateOptions{Name: "a.example.com"}), "a.example.com")
	five, two := 5, 2
	_, err := c.NewGroup(cluster.GroupOptions{Name: "x", Role: "cook", Subnets: []string{"gone"}, MinSize: &five, MaxSize: &two})
	invalid := new(cluster.InvalidError)
	if !errors.As(err, &invalid) {
		t.Fatalf("got %v", err)
	}
	var flags []string
	for _, p := range invalid.Problems {
		flags = append(flags, p.File)
	}
	if got := strings.Join(flags, " "); got != "--role --subnet --min-size" {
		t.Errorf("got %s\n%v", got, err)
	}
}
