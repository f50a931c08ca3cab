package stateroom

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/internal/asset"
	"github.com/stateroom/stateroom/internal/backends"
)

// made is a catalogue of programs that nobody can fetch.
func made() *bundle.Catalogue {
	return catalogueOf("1.37.2", bundle.Asset{
		Name: "kubernetes", URL: "https://example.com/kubernetes", SHA256: strings.Repeat("0", 64),
		Programs: []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"},
	})
}

// machine returns a machine whose stateroom-agent is a shell script.
func machine(t *testing.T, agent string) Machine {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the agent here is a shell script")
	}
	m := Machine{Hosts: t.TempDir(), Cache: t.TempDir(), Agent: filepath.Join(t.TempDir(), "stateroom-agent"), Node: "host-1"}
	if err := os.WriteFile(m.Agent, []byte("#!/bin/sh\n"+agent), 0o700); err != nil {
		t.Fatal(err)
	}
	return m
}

// onDisk returns a store in a directory, where an agent can find it.
func onDisk(t *testing.T) *Store {
	t.Helper()
	f, err := backends.Open(t.Context(), t.TempDir(), backends.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), f, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestUpSaysWhyTheAgentEnded(t *testing.T) {
	m := machine(t, `case $1 in status) echo '{"agent":0}';; *) echo "address in use" >&2; exit 1;; esac`)
	began := time.Now()
	_, err := onDisk(t).Up(t.Context(), demo, Up{Programs: Programs{Catalogue: made()}, Machine: m, Wait: time.Minute})
	agent := new(AgentError)
	if !errors.As(err, &agent) || !strings.Contains(err.Error(), "address in use") {
		t.Errorf("up with an agent that ends at once: %v", err)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %s to notice", took)
	}
	for _, file := range []string{m.bootstrapPath(demo), m.KubeconfigPath(demo), m.AgentLog(demo)} {
		st, err := os.Stat(file)
		if err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file, st, err)
		}
	}
	b, err := os.ReadFile(m.bootstrapPath(demo))
	if err != nil {
		t.Fatal(err)
	}
	if boot, err := bundle.DecodeBootstrap(b); err != nil || boot.Group != "control-plane-main" || boot.ClusterID == "" {
		t.Errorf("bootstrap %+v, %v", boot, err)
	}
}

func TestUpGivesUpInTime(t *testing.T) {
	m := machine(t, `case $1 in status) echo '{"agent":0}';; *) echo $$ > $5/pid; exec sleep 60;; esac`)
	t.Cleanup(func() {
		b, err := os.ReadFile(filepath.Join(m.Dir(demo), "pid"))
		pid, bad := strconv.Atoi(strings.TrimSpace(string(b)))
		if err == nil && bad == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	_, err := onDisk(t).Up(t.Context(), demo, Up{Programs: Programs{Catalogue: made()}, Machine: m, Wait: 2 * time.Second})
	behind := new(NotConvergedError)
	if !errors.As(err, &behind) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("up with an agent that does nothing: %v", err)
	}
}

func TestWithoutAnAgentNothingIsStarted(t *testing.T) {
	m := machine(t, "")
	m.Agent = ""
	_, err := onDisk(t).Up(t.Context(), demo, Up{Programs: Programs{Catalogue: made()}, Machine: m, Wait: time.Second})
	agent := new(AgentError)
	if !errors.As(err, &agent) || agent.Hint() == "" {
		t.Errorf("up without an agent: %v", err)
	}
}

// The words of an agent are those of this one, not of the one before.
func TestUpSaysWhatThisAgentSaid(t *testing.T) {
	m := machine(t, `case $1 in status) echo '{"agent":0}';; *) echo "address in use" >&2; exit 1;; esac`)
	if err := os.MkdirAll(m.Dir(demo), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(m.AgentLog(demo), []byte("a word of long ago\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := onDisk(t).Up(t.Context(), demo, Up{Programs: Programs{Catalogue: made()}, Machine: m, Wait: time.Minute})
	if err == nil || !strings.Contains(err.Error(), "address in use") || strings.Contains(err.Error(), "long ago") {
		t.Errorf("up: %v", err)
	}
}

// A cluster that is made again in another store is another one, and what this
// machine keeps of the first is not taken for its own.
func TestUpLeavesTheHostOfAnotherAlone(t *testing.T) {
	m := machine(t, `case $1 in status) echo '{"agent":0}';; *) exit 1;; esac`)
	up := Up{Programs: Programs{Catalogue: made()}, Machine: m, Wait: time.Second}
	_, _ = onDisk(t).Up(t.Context(), demo, up) // the first one, whose agent ends
	before, err := os.ReadFile(m.bootstrapPath(demo))
	if err != nil {
		t.Fatal(err)
	}
	_, err = onDisk(t).Up(t.Context(), demo, up)
	other := new(OtherHostError)
	if !errors.As(err, &other) || !errors.Is(err, fs.ErrPermission) || !strings.Contains(other.Hint(), m.Dir(demo)) {
		t.Errorf("up: %v", err)
	}
	if now, err := os.ReadFile(m.bootstrapPath(demo)); err != nil || string(now) != string(before) {
		t.Errorf("the bootstrap file is another: %v", err)
	}
}

func TestStopAsksTheAgentProgram(t *testing.T) {
	m := machine(t, `case $1 in
status) echo '{"agent":7,"services":[{"name":"etcd-main","pid":8,"state":"running"},{"name":"x","state":"waiting"}]}';;
stop) echo "$@" > $3/stopped;;
esac`)
	if r, err := m.Running(t.Context(), demo); err != nil || r.Any() {
		t.Errorf("a machine that was never a host: %+v, %v", r, err)
	}
	if err := m.Stop(t.Context(), demo); err != nil {
		t.Error(err)
	}
	if names, err := m.Clusters(); err != nil || len(names) != 0 {
		t.Errorf("clusters %q, %v", names, err)
	}
	if err := os.MkdirAll(m.Dir(demo), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(m.bootstrapPath(demo), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := m.Running(t.Context(), demo)
	if err != nil || r.Agent != 7 || r.Count() != 2 {
		t.Errorf("running %+v, %v", r, err)
	}
	if err := m.Stop(t.Context(), demo); err != nil {
		t.Error(err)
	}
	if b, err := os.ReadFile(filepath.Join(m.Dir(demo), "stopped")); err != nil || !strings.HasPrefix(string(b), "stop --dir ") {
		t.Errorf("stop said %q, %v", b, err)
	}
	if names, err := m.Clusters(); err != nil || len(names) != 1 || names[0] != demo {
		t.Errorf("clusters %q, %v", names, err)
	}
	if err := m.Forget(demo); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(m.Dir(demo)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("forgotten: %v", err)
	}
}

func TestProgramsAreAskedForInOrder(t *testing.T) {
	source := t.TempDir()
	if err := os.WriteFile(filepath.Join(source, "go.mod"), []byte("module x\n\nrequire k8s.io/kubernetes v1.37.2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	recorded, given := made(), made()
	given.Versions[0].Assets[0].SHA256 = strings.Repeat("1", 64)
	unreachable := made()
	unreachable.Versions[0].Assets[0].URL = ""
	built := made() // as of a program that was built here, and whose cache was emptied since
	built.Versions[0].Assets[0].URL = "source:kubernetes@v1.37.2"
	for what, c := range map[string]struct {
		programs Programs
		recorded *bundle.Catalogue
		version  string
		want     string // digest; "": not built yet
		refused  bool
	}{
		"the one that is given":                      {Programs{Catalogue: given}, recorded, "1.37.2", given.Versions[0].Assets[0].SHA256, false},
		"a given one without the version":            {Programs{Catalogue: given}, recorded, "1.36.0", "", true},
		"the recorded one":                           {Programs{Source: source}, recorded, "1.37.2", recorded.Versions[0].Assets[0].SHA256, false},
		"source before what is recorded":             {Programs{Source: source, Rebuild: true}, recorded, "1.37.2", "", false},
		"source, as what is recorded is not at hand": {Programs{Source: source}, unreachable, "1.37.2", "", false},
		"source, as what was built is gone here":     {Programs{Source: source, Here: true}, built, "1.37.2", "", false},
		"what was built elsewhere":                   {Programs{Source: source}, built, "1.37.2", built.Versions[0].Assets[0].SHA256, false},
		"source, as nothing is recorded":             {Programs{Source: source}, nil, "1.37.2", "", false},
		"a version that nobody has":                  {Programs{Source: source}, recorded, "1.36.0", "", true},
		"no source":                                  {Programs{Source: filepath.Join(source, "x")}, nil, "1.37.2", "", true},
	} {
		c.programs.Cache = t.TempDir()
		got, err := c.programs.foresee(t.Context(), c.version, c.recorded)
		if c.refused {
			refused := new(bundle.VersionError)
			if !errors.As(err, &refused) {
				t.Errorf("%s: %+v, %v", what, got, err)
			}
			continue
		}
		if err != nil || got.Versions[0].Assets[0].SHA256 != c.want {
			t.Errorf("%s: %+v, %v", what, got, err)
		}
	}
}

// Between an edit and the update, what runs is what is released: its kubectl is
// the one to use, and its port the one to ask.
func TestAccessIsToWhatIsReleased(t *testing.T) {
	m := machine(t, "exit 1")
	program := filepath.Join(t.TempDir(), "kubectl")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	sum, _, err := (&asset.Cache{Dir: m.Cache}).Add(t.Context(), program)
	if err != nil {
		t.Fatal(err)
	}
	programs := made()
	programs.Versions[0].Assets[0].SHA256 = sum
	s := opened(t)
	create(t, s, "cluster.spec.kubeAPIServer.securePort=7443")
	if _, err := s.Update(t.Context(), demo, Programs{Catalogue: programs}, Write{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Edit(t.Context(), demo, Edit{Patch: set(t, "spec.kubernetesVersion=1.37.3", "spec.kubeAPIServer.securePort=8443")}, Write{}); err != nil {
		t.Fatal(err)
	}
	k, err := s.Kubectl(t.Context(), demo, m, Programs{Cache: m.Cache})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(k.Kubeconfig)
	if err != nil || !strings.Contains(string(text), ":7443\n") || filepath.Base(k.Path) != sum {
		t.Errorf("%v, kubectl %s, kubeconfig:\n%.300s", err, k.Path, text)
	}

	// It is used again while it is good, and follows the port once that is live.
	if _, err := s.Kubectl(t.Context(), demo, m, Programs{Cache: m.Cache}); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(k.Kubeconfig); err != nil || string(again) != string(text) {
		t.Errorf("written again: %v", err)
	}
	for _, years := range []int{-1, 1} { // and while it is of now
		then := time.Now().AddDate(years, 0, 0)
		if err := os.Chtimes(k.Kubeconfig, then, then); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Kubectl(t.Context(), demo, m, Programs{Cache: m.Cache}); err != nil {
			t.Fatal(err)
		}
		if st, err := os.Stat(k.Kubeconfig); err != nil || time.Since(st.ModTime()).Abs() > time.Minute {
			t.Errorf("%d years: %v, %v", years, st.ModTime(), err)
		}
	}
	programs.Versions[0].Version = "1.37.3"
	if _, err := s.Update(t.Context(), demo, Programs{Catalogue: programs}, Write{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Kubectl(t.Context(), demo, m, Programs{Cache: m.Cache}); err != nil {
		t.Fatal(err)
	}
	if text, err = os.ReadFile(k.Kubeconfig); err != nil || !strings.Contains(string(text), ":8443\n") {
		t.Errorf("%v, kubeconfig:\n%.300s", err, text)
	}
}
