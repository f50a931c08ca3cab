//go:build linux

package agent

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/pki"
)

// stager is a machine of which only the sets are looked at.
type stager struct {
	*site
	m   *Machine
	now time.Time
}

func newStager(t *testing.T) *stager {
	s := &stager{site: newSite(t), now: time.Now()}
	s.open()
	return s
}

func (s *stager) open() {
	s.t.Helper()
	opt := s.options()
	opt.Now = func() time.Time { return s.now }
	m, err := OpenMachine(s.t.Context(), opt)
	if err != nil {
		s.t.Fatal(err)
	}
	s.m = m
	s.t.Cleanup(func() {
		if s.m == m {
			s.close()
		}
	})
}

func (s *stager) close() {
	s.t.Helper()
	if err := s.m.Close(); err != nil {
		s.t.Error(err)
	}
	s.m = nil
}

func (s *stager) stage(b *bundle.Bundle) *Set {
	s.t.Helper()
	_, d := b.Encode()
	set, err := s.m.Stage(s.t.Context(), Wanted{d, b})
	if err == nil {
		err = s.m.Switch(s.t.Context(), set)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return set
}

func (s *stager) read(name string) []byte {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "current", name))
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

func TestStagingAgainChangesNothing(t *testing.T) {
	t.Parallel()
	s := newStager(t)
	first := s.stage(s.bundle())
	before := tree(t, filepath.Join(s.dir, "sets"))
	if again := s.stage(s.bundle()); again.ID != first.ID || tree(t, filepath.Join(s.dir, "sets")) != before {
		t.Error("the same machine wrote something")
	}
	s.close()
	s.open()
	again := s.stage(s.bundle())
	if d := cmp.Diff(first, again); d != "" || tree(t, filepath.Join(s.dir, "sets")) != before {
		t.Errorf("another machine on the same directory wrote something, or differs (-first +again):\n%s", d)
	}
}

func TestFilesChangedByOthersArePutRight(t *testing.T) {
	t.Parallel()
	s := newStager(t)
	b := s.bundle()
	first := s.stage(b)
	at := func(name string) string { return filepath.Join(s.dir, "current", name) }
	for name, harm := range map[string]func() error{
		"edited":        func() error { return os.WriteFile(at("etc/node.conf"), []byte("node b\n"), 0o644) },
		"removed":       func() error { return os.RemoveAll(at("etc")) },
		"made readable": func() error { return os.Chmod(at("pki/ca.key"), 0o644) },
		"a link": func() error {
			return os.Remove(at("bin/api"))
		},
		"a link to elsewhere": func() error {
			return errors.Join(os.Remove(at("bin/api")), os.Symlink("/bin/true", at("bin/api")))
		},
		"the set in force": func() error {
			current := filepath.Join(s.dir, currentName)
			return errors.Join(os.Remove(current), os.Symlink("sets/other", current))
		},
		"the set in force, gone": func() error { return os.Remove(filepath.Join(s.dir, currentName)) },
		"made a link": func() error {
			if err := os.Remove(at("etc/node.conf")); err != nil {
				return err
			}
			return os.Symlink("/etc/passwd", at("etc/node.conf"))
		},
	} {
		if err := harm(); err != nil {
			t.Fatal(err)
		}
		if again := s.stage(b); again.ID != first.ID {
			t.Errorf("%s: staged anew", name)
		}
		s.checkSet()
		if target, err := os.Readlink(at("bin/api")); err != nil || target == "/bin/true" {
			t.Errorf("%s: bin/api leads to %s, %v", name, target, err)
		}
	}
	// What nobody gave us to own is left alone.
	if err := os.WriteFile(at("etc/mine"), []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	s.stage(b)
	if string(s.read("etc/mine")) != "mine" {
		t.Error("a foreign file was touched")
	}
	// A key that only this host had cannot be put right: there is a new one.
	if err := os.WriteFile(at("pki/api.key"), []byte("gone"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.close()
	s.open()
	again := s.stage(b)
	if again.ID == first.ID || again.Services[0].Digest != first.Services[0].Digest || again.Services[1].Digest == first.Services[1].Digest {
		t.Errorf("after a lost key: %+v, before %+v", again, first)
	}
	s.checkSet()
}

func TestCertificatesAreTakenOverUntilTheirLastThird(t *testing.T) {
	t.Parallel()
	s := newStager(t)
	first := s.stage(s.bundle())
	crt, key := s.read("pki/api.crt"), s.read("pki/api.key")
	second := s.stage(s.bundle("--max=801"))
	if !bytes.Equal(crt, s.read("pki/api.crt")) || !bytes.Equal(key, s.read("pki/api.key")) || first.Services[0].Digest != second.Services[0].Digest {
		t.Error("a certificate was made anew without need")
	}

	c, err := pki.ParseCertificate(crt)
	if err != nil {
		t.Fatal(err)
	}
	if c.Subject.CommonName != "api" || len(c.IPAddresses) != 1 || c.IPAddresses[0].String() != "127.0.0.1" || len(c.ExtKeyUsage) != 2 || c.ExtKeyUsage[0] != x509.ExtKeyUsageClientAuth {
		t.Errorf("certificate: %v %v %v", c.Subject, c.IPAddresses, c.ExtKeyUsage)
	}
	s.now = pki.RenewAt(c).Add(-time.Minute)
	if again := s.stage(s.bundle("--max=801")); again.ID != second.ID {
		t.Error("renewed too early")
	}
	s.now = pki.RenewAt(c)
	third := s.stage(s.bundle("--max=801"))
	if third.ID != second.ID+".1" || bytes.Equal(crt, s.read("pki/api.crt")) || bytes.Equal(key, s.read("pki/api.key")) || third.Services[1].Digest == second.Services[1].Digest {
		t.Errorf("not renewed: %+v, before %+v", third, second)
	}

	// Another authority, another certificate.
	if s.ca, err = pki.NewCA("test-ca", s.now, nil, pki.ECDSAP256); err != nil {
		t.Fatal(err)
	}
	crt = s.read("pki/api.crt")
	s.stage(s.bundle("--max=801"))
	if bytes.Equal(crt, s.read("pki/api.crt")) {
		t.Error("a certificate of the old authority was kept")
	}
	s.checkSet()
}

// Where an authority is about to end, nothing that it signs lasts longer: a
// certificate for its last days is not made anew, and nothing restarts.
func TestCertificatesThatEndWithTheirAuthorityAreNotRenewed(t *testing.T) {
	t.Parallel()
	s := newStager(t)
	end, err := s.ca.Expires()
	if err != nil {
		t.Fatal(err)
	}
	s.now = end.Add(-20 * time.Hour)
	first := s.stage(s.bundle())
	for _, left := range []time.Duration{19 * time.Hour, time.Minute, -time.Hour} {
		s.now = end.Add(-left)
		if again := s.stage(s.bundle()); again.ID != first.ID {
			t.Fatalf("%v before the authority ends: the set %s instead of %s", left, again.ID, first.ID)
		}
	}

	// Another authority helps.
	if s.ca, err = pki.NewCA("test-ca", s.now, nil, pki.ECDSAP256); err != nil {
		t.Fatal(err)
	}
	s.stage(s.bundle())
	if c, err := pki.ParseCertificate(s.read("pki/api.crt")); err != nil || !c.NotAfter.After(end) {
		t.Error("no certificate of the new authority")
	}
}

// A clock that was years ahead, within the life of the authority, leaves
// certificates that begin in the future.
func TestCertificatesOfTheFutureAreMadeAnew(t *testing.T) {
	t.Parallel()
	for _, anew := range []bool{false, true} { // the agent, after the clock is right again
		s := newStager(t)
		right := s.now
		s.now = right.AddDate(5, 0, 0)
		first := s.stage(s.bundle())
		s.now = right
		if anew {
			s.close()
			s.open()
		}
		if again := s.stage(s.bundle()); again.ID == first.ID {
			t.Error("the set with certificates of the future is used")
		}
		if c, err := pki.ParseCertificate(s.read("pki/api.crt")); err != nil || c.NotBefore.After(right) {
			t.Errorf("the certificate begins %v, and it is %v", c.NotBefore, right)
		}
	}
}

func TestOldSetsAreSwept(t *testing.T) {
	t.Parallel()
	s := newStager(t)
	_, first := s.bundle("--max=1").Encode()
	s.stage(s.bundle("--max=1"))
	b := s.bundle("--max=2")
	_, d := b.Encode()
	set, err := s.m.Stage(t.Context(), Wanted{d, b})
	if err != nil {
		t.Fatal(err)
	}
	count := func() int {
		names, err := s.m.names(setsDir)
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	if err := s.m.Switch(t.Context(), set, first); err != nil || count() != 2 {
		t.Errorf("%v, %d sets", err, count())
	}
	if err := s.m.Switch(t.Context(), set); err != nil || count() != 1 {
		t.Errorf("%v, %d sets", err, count())
	}

	// One of the same bundle with older keys goes, though the bundle is kept.
	s.now = s.now.AddDate(0, 9, 0)
	if set, err = s.m.Stage(t.Context(), Wanted{d, b}); err != nil {
		t.Fatal(err)
	}
	if err := s.m.Switch(t.Context(), set, d); err != nil || count() != 1 {
		t.Errorf("%v, %d sets", err, count())
	}
}

func TestAnUnrecordedServiceIsEnded(t *testing.T) {
	t.Parallel()
	s := newStager(t)
	s.close()
	cmd := exec.Command("/bin/sleep", "1000")
	cmd.Env = []string{mark + s.dir + "#etcd"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	s.open()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Error("it runs on")
	}
}

func TestARecordOfAnotherBootOrProcessIsNotBelieved(t *testing.T) {
	t.Parallel()
	self, err := processOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]process{
		"another boot":  {self.PID, self.Start, "00000000-0000-0000-0000-000000000000"},
		"another start": {self.PID, self.Start + 1, self.Boot},
		"no process":    {1 << 22, self.Start, self.Boot},
	} {
		if p.alive() || len(p.session()) > 0 && name != "another boot" {
			t.Errorf("%s: alive", name)
		}
		p.signal(syscall.SIGKILL) // would be the end of this test
	}
	if !self.alive() {
		t.Error("this process is not alive")
	}
}

func TestLogsArePutAside(t *testing.T) {
	t.Parallel()
	s := newStager(t)
	s.m.opt.MaxLog = 1000
	name := filepath.Join(s.dir, logName("api"))
	f, from, err := s.m.openLog("api")
	if err != nil || from != 0 {
		t.Fatal(from, err)
	}
	defer f.Close()
	for i := range 5 {
		fmt.Fprintf(f, "%d %s\n", i, strings.Repeat("x", 1100))
		if err := s.m.trimLog(logName("api")); err != nil {
			t.Fatal(err)
		}
	}
	// The service goes on writing to the file that it has open.
	fmt.Fprintln(f, "Error: the end")
	if got, _ := os.ReadFile(name); string(got) != "Error: the end\n" {
		t.Errorf("log: %q", got)
	}
	for suffix, first := range map[string]string{".1": "4 x", ".2": "3 x"} {
		if got, err := os.ReadFile(name + suffix); err != nil || !strings.HasPrefix(string(got), first) {
			t.Errorf("%s: %.10q, %v", suffix, got, err)
		}
	}
	if _, err := os.Stat(name + ".3"); err == nil {
		t.Error("a third old log")
	}
	if got := s.m.words("api", 5000); got != "Error: the end" {
		t.Errorf("last words: %q", got)
	}

	// One that is too large when the service starts is renamed.
	fmt.Fprintln(f, strings.Repeat("y", 1100))
	again, from, err := s.m.openLog("api")
	if err != nil || from != 0 {
		t.Fatal(from, err)
	}
	again.Close()
	if got, err := os.ReadFile(name + ".1"); err != nil || !strings.HasPrefix(string(got), "Error: the end") {
		t.Errorf("%.20q, %v", got, err)
	}
}

// The agent's own log is one more, and what is kept of a log is its end.
func TestALogKeepsItsEnd(t *testing.T) {
	t.Parallel()
	s := newStager(t)
	s.close()
	name := filepath.Join(s.dir, agentLog)
	if err := os.WriteFile(name, []byte(strings.Repeat("old\n", 6<<20)+"the end\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.open()
	for range 100 {
		if fi, err := os.Stat(name); err != nil || fi.Size() == 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	aside, err := os.ReadFile(name + ".1")
	if now, _ := os.ReadFile(name); len(now) > 0 || err != nil || len(aside) != 2*defaultMaxLog || !bytes.HasSuffix(aside, []byte("old\nthe end\n")) {
		t.Errorf("left are %d bytes, and aside %d, %v", len(now), len(aside), err)
	}
}

// A service that was started while the clock was ahead does not begin in the
// future for the agent that takes it up.
func TestNothingTakenUpIsOfTheFuture(t *testing.T) {
	t.Parallel()
	s := newStager(t)
	s.close()
	cmd := exec.Command("/bin/sleep", "1000")
	cmd.Env = []string{mark + s.dir + "#etcd"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = cmd.Wait() }()
	p, err := processOf(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(record{Format: 1, Run: Run{Name: "etcd"}, Process: p, Started: time.Now().AddDate(10, 0, 0)})
	if err == nil {
		err = os.WriteFile(filepath.Join(s.dir, recordName("etcd")), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.open()
	all, err := s.m.Services(t.Context())
	if err != nil || len(all) != 1 || all[0].PID != p.PID || all[0].Since.After(time.Now()) || all[0].Started.After(time.Now()) {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestADamagedProgramIsNotRun(t *testing.T) {
	t.Parallel()
	s := newStager(t)
	path, ok := s.cache.Program(s.asset)
	if !ok {
		t.Fatal("no program")
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, whole[:len(whole)/2], 0o755); err != nil {
		t.Fatal(err)
	}
	b := s.bundle()
	_, d := b.Encode()
	if _, err := s.m.Stage(context.WithoutCancel(t.Context()), Wanted{d, b}); err == nil {
		t.Error("staged with half a program")
	}
}

// TestAFileChangedWhileItIsPutRightIsPutRightAgain changes it between the
// writing of the right one and the end of that look.
func TestAFileChangedWhileItIsPutRightIsPutRightAgain(t *testing.T) {
	t.Parallel()
	s := &stager{site: newSite(t), now: time.Now()}
	conf := filepath.Join(s.dir, "current/etc/node.conf")
	armed := false
	s.step = func(string, string) error {
		if text, err := os.ReadFile(conf); armed && err == nil && string(text) == "node a at 127.0.0.1\n" {
			armed = false
			return os.Chmod(conf, 0o600)
		}
		return nil
	}
	s.open()
	s.stage(s.bundle())
	if err := os.WriteFile(conf, []byte("edited"), 0o644); err != nil {
		t.Fatal(err)
	}
	armed = true
	set := s.stage(s.bundle())
	if armed || len(set.Mended) != 1 {
		t.Fatalf("it was not changed in between: armed %v, mended %+v", armed, set.Mended)
	}
	if set = s.stage(s.bundle()); len(set.Mended) != 1 || set.Mended[0].What != "its mode was 0600 instead of 0644" {
		t.Errorf("mended %+v", set.Mended)
	}
	s.checkSet()
	if set = s.stage(s.bundle()); len(set.Mended) != 0 {
		t.Errorf("mended once more: %+v", set.Mended)
	}
}
