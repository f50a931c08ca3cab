//go:build linux

package agent

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/internal/asset"
	"github.com/stateroom/stateroom/internal/durable"
	"github.com/stateroom/stateroom/pki"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
)

// TestMain is also the program of the services in these tests: the test binary
// is an asset of their bundles.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "--play" {
		play(os.Args[2:])
	}
	os.Exit(m.Run())
}

// play is a service: it listens with its certificate and answers "ok" to who
// has one of the same authority. How it misbehaves stands in its arguments.
func play(args []string) {
	opt := map[string]string{}
	for _, a := range args {
		k, v, _ := strings.Cut(strings.TrimPrefix(a, "--"), "=")
		opt[k] = v
	}
	if opt["hold"] != "" {
		linger(opt["hold"])
	}
	fmt.Println("I1122 18:48:00.000000 1 main.go:1] serving")
	if opt["child"] != "" {
		child := exec.Command("/bin/sleep", "1000")
		if err := child.Start(); err != nil {
			panic(err)
		}
	}
	if opt["deaf"] != "" {
		signal.Ignore(syscall.SIGTERM)
	}
	if opt["flag"] != "" {
		fmt.Fprintf(os.Stderr, "Error: enable-admission-plugins plugin %q is unknown\nUsage:\n  api [flags]\n", opt["flag"])
		os.Exit(1)
	}
	ca, err := os.ReadFile(opt["ca"])
	if err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	start := time.Now()
	s := &http.Server{
		Addr:      opt["listen"],
		TLSConfig: &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if opt["never"] != "" {
				w.WriteHeader(http.StatusInternalServerError)
				fmt.Fprintln(w, "[+]ping ok\n[-]etcd failed: reason withheld")
			}
		}),
	}
	if d, err := time.ParseDuration(opt["crash"]); err == nil {
		time.AfterFunc(d, func() {
			fmt.Fprintf(os.Stderr, "panic: out of luck after %v\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:1 +0x1\n", time.Since(start).Round(time.Second))
			os.Exit(2)
		})
	}
	fmt.Fprintln(os.Stderr, s.ListenAndServeTLS(opt["cert"]+".crt", opt["cert"]+".key"))
	os.Exit(1)
}

// site is a directory with a host, and the store that it follows.
type site struct {
	t      *testing.T
	dir    string
	cache  *asset.Cache
	asset  bundle.Asset
	ca     *pki.Keyset
	ports  map[string]string
	store  *vfs.FS
	memory *vfs.FS
	commit int
	step   durable.Step
	trial  Trial
	log    *slog.Logger
}

func newSite(t *testing.T) *site {
	t.Helper()
	dir := t.TempDir()
	s := &site{
		t: t, dir: filepath.Join(dir, "host"), cache: &asset.Cache{Dir: filepath.Join(dir, "cache")}, ports: map[string]string{},
		trial: Trial{Ready: 10 * time.Second, Confirm: 500 * time.Millisecond},
		store: vfs.New(mem.New(mem.Options{}), "mem://store"), memory: vfs.New(mem.New(mem.Options{}), "mem://memory"),
	}
	var said bytes.Buffer
	s.log = slog.New(slog.NewTextHandler(&said, nil))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the agent said:\n%s", &said)
		}
	})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, "program")
	in, err := os.Open(self)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(copied)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	out.Close()
	sum, size, err := s.cache.Add(t.Context(), copied)
	if err != nil {
		t.Fatal(err)
	}
	s.asset = bundle.Asset{Name: "services", Programs: []string{"etcd", "api", "scheduler"}, SHA256: sum, Size: size}
	if s.ca, err = pki.NewCA("test-ca", time.Now(), nil, pki.ECDSAP256); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := StopAll(context.WithoutCancel(t.Context()), MachineOptions{Dir: s.dir}); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
		for p := range marked(mark + s.dir + "#") {
			t.Errorf("process %d was left", p.PID)
		}
	})
	return s
}

// port is the address on which a service listens.
func (s *site) port(name string) string {
	if s.ports[name] == "" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			s.t.Fatal(err)
		}
		defer l.Close()
		_, s.ports[name], _ = net.SplitHostPort(l.Addr().String())
	}
	return s.ports[name]
}

// bundle is a control plane of two, with more arguments for the api.
func (s *site) bundle(api ...string) *bundle.Bundle {
	item, err := s.ca.PrimaryItem()
	if err != nil {
		s.t.Fatal(err)
	}
	b := &bundle.Bundle{
		Cluster: testCluster, ClusterID: testID, Group: testGroup, Version: "1.37.2",
		Files: []bundle.File{
			{Path: "pki/ca.crt", Mode: 0o644, Content: string(item.Certificate)},
			{Path: "pki/ca.key", Mode: 0o600, Secret: true, Content: string(item.Key.Reveal())},
			{Path: "etc/node.conf", Mode: 0o644, Expand: true, Content: "node ${NODE} at ${ADDRESS}\n"},
		},
		Assets: []bundle.Asset{s.asset},
	}
	after := []string(nil)
	for _, name := range []string{"etcd", "api"} {
		b.Certificates = append(b.Certificates, bundle.CertificateRequest{
			Path: "pki/" + name, Issuer: "pki/ca", CommonName: name, IPs: []string{"${ADDRESS}"}, Usages: []string{"client", "server"}, Days: 30,
		})
		args := []string{"--play", "--listen=${ADDRESS}:" + s.port(name), "--ca=${SET}/pki/ca.crt", "--cert=${SET}/pki/" + name}
		if name == "api" {
			args = append(args, api...)
		}
		b.Services = append(b.Services, bundle.Service{
			Name: name, Program: name, Args: args, Needs: []string{"pki/ca.crt", "pki/" + name}, After: after,
			Ready:      &bundle.Probe{URL: "https://${ADDRESS}:" + s.port(name) + "/readyz", CA: "pki/ca.crt", Certificate: "pki/" + name, TimeoutSeconds: 20},
			Disruption: bundle.DisruptionRestart, StopSeconds: 5,
		})
		after = []string{name}
	}
	return b
}

func (s *site) release(b *bundle.Bundle) {
	s.t.Helper()
	if err := b.Validate(); err != nil {
		s.t.Fatal(err)
	}
	s.commit++
	data, d := b.Encode()
	r := bundle.Release{Cluster: testCluster, ClusterID: testID, Commit: s.commit, Groups: map[string]bundle.Digest{testGroup: d}, PollSeconds: 300, Issued: time.Now()}
	for key, text := range map[string][]byte{bundle.ObjectName(testGroup, d): data, bundle.ReleaseName: r.Encode()} {
		if _, err := s.store.Put(s.t.Context(), key, text, vfs.Cond{}, ""); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *site) options() MachineOptions {
	return MachineOptions{
		Dir: s.dir, Node: "a", Address: "127.0.0.1", Cache: s.cache, Log: s.log, Settle: 100 * time.Millisecond, Step: s.step,
		Restart: Restart{First: 50 * time.Millisecond}, Probe: Probing{Starting: 20 * time.Millisecond, Running: 100 * time.Millisecond},
	}
}

// start starts an agent on the host; the function returned ends it, and not
// the services.
func (s *site) start() (stop func()) {
	s.t.Helper()
	m, err := OpenMachine(s.t.Context(), s.options())
	if err != nil {
		s.t.Fatal(err)
	}
	a, err := New(s.t.Context(), Options{
		Bootstrap: bundle.Bootstrap{Store: "mem://store", Cluster: testCluster, ClusterID: testID, Group: testGroup},
		Node:      "a", Address: "127.0.0.1", Host: m, Data: m, Store: s.store, Memory: s.memory, Poll: 50 * time.Millisecond,
		Trial: s.trial, Log: s.log,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.t.Context())
	done := make(chan error)
	go func() { done <- a.Run(ctx) }()
	ended := false
	stop = func() {
		if ended {
			return
		}
		ended = true
		cancel()
		if err := errors.Join(<-done, m.Close()); err != nil {
			s.t.Error(err)
		}
	}
	s.t.Cleanup(stop)
	return stop
}

// until waits for a report.
func (s *site) until(what string, ok func(*bundle.Report) bool) *bundle.Report {
	s.t.Helper()
	var last *bundle.Report
	for end := time.Now().Add(40 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		data, _, err := s.store.Get(s.t.Context(), bundle.ReportName("a"))
		if err != nil {
			continue
		}
		if last, err = bundle.DecodeReport(data); err == nil && ok(last) {
			return last
		}
	}
	s.t.Fatalf("waited for %s in vain; the last report: %+v", what, last)
	return nil
}

func (s *site) confirmed(commit int) *bundle.Report {
	s.t.Helper()
	return s.until("confirmed", func(r *bundle.Report) bool { return r.Phase == bundle.PhaseConfirmed && r.Commit == commit })
}

func (s *site) failed(commit int) *bundle.Report {
	s.t.Helper()
	return s.until("failed, and back", func(r *bundle.Report) bool {
		up := !slices.ContainsFunc(r.Services, func(st bundle.ServiceStatus) bool { return st.State != string(Running) })
		return r.Phase == bundle.PhaseFailed && r.Failed.Commit == commit && len(r.Services) == 2 && up
	})
}

func pid(r *bundle.Report, name string) int {
	for _, s := range r.Services {
		if s.Name == name {
			return s.PID
		}
	}
	return 0
}

func TestRealServicesAreStartedChangedAndTakenBack(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.trial.Confirm = 1500 * time.Millisecond // the crash below must come within it, on a busy machine too
	s.release(s.bundle())
	s.start()
	first := s.confirmed(1)
	s.checkSet()

	s.release(s.bundle("--max=801"))
	second := s.confirmed(2)
	if pid(first, "etcd") != pid(second, "etcd") || pid(first, "api") == pid(second, "api") {
		t.Errorf("pids: %v, then %v", first.Services, second.Services)
	}
	if line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid(second, "api"))); !strings.Contains(string(line), "--max=801") {
		t.Errorf("the api runs as %q", line)
	}

	for i, c := range []struct{ arg, reason, words string }{
		{"--flag=Nonsense", "ended 3 times: exit status 1", `Error: enable-admission-plugins plugin "Nonsense" is unknown`},
		{"--crash=400ms", "ended after it had been ready: exit status 2", "panic: out of luck after 0s"},
	} {
		s.release(s.bundle(c.arg))
		r := s.failed(3 + i)
		if r.Failed.Service != "api" || r.Failed.Reason != c.reason || r.Failed.LastWords != c.words {
			t.Errorf("%s: %+v", c.arg, r.Failed)
		}
		if pid(r, "etcd") != pid(first, "etcd") || r.Commit != 2 {
			t.Errorf("%s: commit %d, pids %v", c.arg, r.Commit, r.Services)
		}
	}
	s.release(s.bundle("--max=802"))
	s.confirmed(5)
}

// checkSet looks at the set in force from outside.
func (s *site) checkSet() {
	s.t.Helper()
	set := filepath.Join(s.dir, "current")
	text, err := os.ReadFile(filepath.Join(set, "etc/node.conf"))
	if err != nil || string(text) != "node a at 127.0.0.1\n" {
		s.t.Errorf("%q, %v", text, err)
	}
	for _, name := range []string{"pki/ca.key", "pki/api.key"} {
		if st, err := os.Stat(filepath.Join(set, name)); err != nil || st.Mode().Perm() != 0o600 {
			s.t.Errorf("%s: %v, %v", name, st.Mode(), err)
		}
	}
	if _, err := tls.LoadX509KeyPair(filepath.Join(set, "pki/api.crt"), filepath.Join(set, "pki/api.key")); err != nil {
		s.t.Error(err)
	}
}

func TestNeverReadyNamesTheFailingCheck(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.release(s.bundle())
	s.start()
	s.confirmed(1)
	b := s.bundle("--never=1")
	b.Services[1].Ready.TimeoutSeconds = 4
	s.release(b)
	r := s.failed(2)
	if !strings.Contains(r.Failed.Reason, "not ready after 4s: GET https://127.0.0.1:") || !strings.Contains(r.Failed.Reason, "[-]etcd failed: reason withheld") {
		t.Errorf("%+v", r.Failed)
	}
}

func TestANewAgentTakesUpWhatRuns(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.release(s.bundle("--child=1"))
	stop := s.start()
	first := s.confirmed(1)
	stop()
	stop = s.start()
	s.until("a word of the new agent", func(r *bundle.Report) bool { return r.Phase == bundle.PhaseConfirmed })
	time.Sleep(300 * time.Millisecond)
	if again := s.confirmed(1); pid(first, "api") != pid(again, "api") || pid(first, "etcd") != pid(again, "etcd") {
		t.Errorf("pids: %v, then %v", first.Services, again.Services)
	}

	// What ends under the eyes of an agent that did not start it is started again.
	if err := syscall.Kill(pid(first, "api"), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	r := s.until("another api", func(r *bundle.Report) bool {
		return r.Phase == bundle.PhaseConfirmed && pid(r, "api") != pid(first, "api")
	})

	// As is what ends while there is none.
	stop()
	if err := syscall.Kill(pid(r, "etcd"), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.start()
	s.until("another etcd", func(n *bundle.Report) bool {
		return n.Phase == bundle.PhaseConfirmed && pid(n, "etcd") != pid(r, "etcd") && pid(n, "api") == pid(r, "api")
	})
}

// A record that the disk had no room for is written when it has: else the next
// agent would end what runs well.
func TestARecordIsWrittenOnceThereIsRoom(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	full := filepath.Join(s.dir, recordName("api")+".new")
	if err := os.MkdirAll(full, 0o700); err != nil {
		t.Fatal(err)
	}
	s.release(s.bundle())
	stop := s.start()
	first := s.confirmed(1)
	if err := os.Remove(full); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(s.dir, recordName("api"))); err == nil {
			break
		}
	}
	stop()
	s.start()
	time.Sleep(300 * time.Millisecond)
	if again := s.confirmed(1); pid(first, "api") == 0 || pid(first, "api") != pid(again, "api") {
		t.Errorf("pids: %v, then %v", first.Services, again.Services)
	}
}

func TestACrashWhileNoAgentWatchesCountsInATrial(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.release(s.bundle())
	stop := s.start()
	s.confirmed(1)
	stop()
	s.trial.Confirm = time.Minute
	stop = s.start()
	s.release(s.bundle("--max=801"))
	r := s.until("ready", func(r *bundle.Report) bool { return r.Phase == bundle.PhaseReady && r.Commit == 2 })
	stop()
	if err := syscall.Kill(pid(r, "api"), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.start()
	if r := s.failed(2); r.Commit != 1 || !strings.HasPrefix(r.Failed.Reason, "ended after it had been ready: ") {
		t.Errorf("%+v, %+v", r, r.Failed)
	}
}

// A container that is stopped takes the agent and all services with it, and the
// machine is not started anew: that says nothing of a bundle on trial.
func TestTheEndOfAllIsNoCrash(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.release(s.bundle())
	stop := s.start()
	s.confirmed(1)
	stop()
	s.trial.Confirm = time.Minute
	stop = s.start()
	s.release(s.bundle("--max=801"))
	r := s.until("in force", func(r *bundle.Report) bool { return r.Phase == bundle.PhaseReady && r.Commit == 2 })
	s.trial.Confirm = time.Second
	stop()
	for _, name := range []string{"api", "etcd"} {
		p, err := processOf(pid(r, name))
		if err != nil {
			t.Fatal(err)
		}
		for ; p.alive(); time.Sleep(time.Millisecond) {
			p.signal(syscall.SIGKILL)
		}
	}
	s.start()
	again := s.until("judged", func(r *bundle.Report) bool { return r.Phase == bundle.PhaseConfirmed || r.Phase == bundle.PhaseFailed })
	if again.Phase != bundle.PhaseConfirmed || again.Commit != 2 || pid(again, "api") == pid(r, "api") {
		t.Errorf("%+v, %+v", again, again.Failed)
	}
}

func TestWhatAServiceLeavesBehindIsEnded(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.release(s.bundle("--child=1"))
	s.start()
	s.confirmed(1)
	count := func() (n int) {
		for range marked(mark + s.dir + "#api") {
			n++
		}
		return n
	}
	if n := count(); n != 2 {
		t.Errorf("%d processes of the api, want it and its child", n)
	}
	s.release(s.bundle("--max=801"))
	s.confirmed(2)
	if n := count(); n != 1 {
		t.Errorf("%d processes of the api after it was restarted", n)
	}
	s.release(s.bundle("--child=2"))
	r := s.confirmed(3)
	if err := syscall.Kill(pid(r, "api"), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.until("another api", func(n *bundle.Report) bool { return n.Phase == bundle.PhaseConfirmed && pid(n, "api") != pid(r, "api") })
	if n := count(); n != 2 {
		t.Errorf("%d processes of the api after it was killed", n)
	}
}

func TestStopLeavesNoProcess(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.bundle("--deaf=1", "--child=1")
	b.Services[1].StopSeconds = 1
	s.release(b)
	stop := s.start()
	r := s.confirmed(1)
	stop()
	if err := StopAll(t.Context(), MachineOptions{Dir: s.dir}); err != nil {
		t.Fatal(err)
	}
	for p := range marked(mark + s.dir + "#") {
		t.Errorf("process %d was left", p.PID)
	}
	st, err := ReadStatus(t.Context(), s.dir, s.memory)
	if err != nil || st.Agent != 0 || len(st.Services) != 0 {
		t.Errorf("%+v, %v", st, err)
	}

	// And nothing is lost by it.
	s.start()
	again := s.until("up again", func(n *bundle.Report) bool { return n.Phase == bundle.PhaseConfirmed && pid(n, "api") != pid(r, "api") })
	if again.Commit != 1 {
		t.Errorf("%+v", again)
	}
}

// linger is an agent that lets go of its directory a while before it ends.
func linger(dir string) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		panic(err)
	}
	ask := make(chan os.Signal, 1)
	signal.Notify(ask, EndAll)
	lock, err := hold(root, nil)
	if err != nil {
		panic(err)
	}
	<-ask
	if err := release(lock); err != nil {
		panic(err)
	}
	time.Sleep(time.Second)
	os.Exit(0)
}

// TestStopReturnsWhenTheAgentHasEnded plays one whose parent looks after it late,
// so that it stays as a zombie: that has ended.
func TestStopReturnsWhenTheAgentHasEnded(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "--play", "--hold="+s.dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if h, running, err := held(root); err == nil && running && h.Process.PID == cmd.Process.Pid {
			break
		}
		if time.Now().After(end) {
			t.Fatal("nobody takes the lock")
		}
	}
	if err := StopAll(t.Context(), MachineOptions{Dir: s.dir}); err != nil {
		t.Fatal(err)
	}
	if st, err := statusOf(cmd.Process.Pid); err != nil || st.state != 'Z' {
		t.Errorf("the agent is in state %c, %v", st.state, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// A lock that is held by what does not say who it is, and a process that has by
// now the number of an agent that ended: nobody is signalled, and stop says so.
func TestStopEndsNobodyElse(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	other := exec.Command("/bin/sleep", "1000")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Process.Kill(); _ = other.Wait() }()
	p, err := processOf(other.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(s.dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err == nil {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
	}
	if err == nil {
		err = writeHolder(f, holder{Format: 1, Process: process{p.PID, p.Start - 1, p.Boot}})
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ctx, cancel := context.WithTimeout(t.Context(), agentGrace+5*time.Second)
	defer cancel()
	err = StopAll(ctx, MachineOptions{Dir: s.dir})
	if _, busy := errors.AsType[*BusyError](err); !busy || !strings.HasPrefix(err.Error(), "it does not end: another agent") {
		t.Errorf("error: %v", err)
	}
	if !p.alive() {
		t.Error("a stranger was ended")
	}
}

func TestASecondAgentIsRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m, err := OpenMachine(t.Context(), s.options())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	_, err = OpenMachine(t.Context(), s.options())
	if busy, ok := errors.AsType[*BusyError](err); !ok || busy.PID != os.Getpid() || !strings.Contains(err.Error(), "another agent (pid ") {
		t.Errorf("error: %v", err)
	}
}

// fullHalfWay is one of the attacks: a disk that is full at any step leaves what
// runs.
func fullHalfWay(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var full func(op, name string) bool
	s.step = func(op, name string) error {
		if full != nil && full(op, name) {
			return &os.PathError{Op: op, Path: name, Err: syscall.ENOSPC}
		}
		return nil
	}
	s.release(s.bundle())
	b := s.bundle("--max=801")
	_, d := b.Encode()
	m, err := OpenMachine(t.Context(), s.options())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	one := s.bundle()
	_, oneDigest := one.Encode()
	set, err := m.Stage(t.Context(), Wanted{oneDigest, one})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Switch(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	before := tree(t, s.dir)
	steps := 0
	for n := 0; ; n++ {
		at := 0
		full = func(string, string) bool { at++; return at == n+1 }
		_, err := m.Stage(t.Context(), Wanted{d, b})
		full = nil
		if err == nil {
			steps = n
			break
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("step %d: %v", n, err)
		}
		// After the rename the set may stand, and is found again: before, nothing may.
		if now := tree(t, s.dir); now != before && len(m.standing) == 1 && strings.Contains(now, stagingName) {
			t.Fatalf("step %d left something:\n%s\nbefore:\n%s", n, now, before)
		}
		if id, _ := m.current(); id != set.ID {
			t.Fatalf("step %d: in force is %s", n, id)
		}
	}
	if steps < 20 {
		t.Errorf("only %d steps were struck", steps)
	}
}

// tree lists all that is below a directory, content included.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var out strings.Builder
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		fmt.Fprintf(&out, "%s %v %d %v", rel, fi.Mode(), fi.Size(), fi.ModTime().UnixNano())
		if d.Type().IsRegular() {
			text, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			fmt.Fprintf(&out, " %s", digestOf(text))
		}
		out.WriteByte('\n')
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}
