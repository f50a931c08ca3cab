package main

import (
	"flag"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write deps.txt anew")

// TestDependencies holds what the agent is made of, outside of the standard
// library, against the list that was agreed to. It runs on every host of every
// cluster: what is added here is a decision.
func TestDependencies(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".")
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	got := slices.Sorted(slices.Values(strings.Fields(string(out))))
	if *update {
		if err := os.WriteFile("deps.txt", []byte(strings.Join(got, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile("deps.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Fields(string(text))
	for _, p := range got {
		if !slices.Contains(want, p) {
			t.Errorf("the agent has come to depend on %s: is it worth it? (then: go test ./cmd/stateroom-agent -run Dependencies -update)", p)
		}
	}
	for _, p := range want {
		if !slices.Contains(got, p) {
			t.Errorf("the agent no longer depends on %s: take it out of deps.txt", p)
		}
	}
}
