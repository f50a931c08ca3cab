//go:build linux

package agent

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stateroom/stateroom/bundle"
)

// TestDriftIsMendedWithinAPoll changes things under a running agent: files come
// back, a killed service too, and what is somebody else's stays.
func TestDriftIsMendedWithinAPoll(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.release(s.bundle())
	stop := s.start()
	defer stop()
	before := s.confirmed(1)
	conf, mine := filepath.Join(s.dir, "current/etc/node.conf"), filepath.Join(s.dir, "current/etc/mine")
	want, err := os.ReadFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(mine, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, harm := range map[string]func() error{
		"edited":  func() error { return os.WriteFile(conf, []byte("edited by hand\n"), 0o644) },
		"removed": func() error { return os.Remove(conf) },
		"mode":    func() error { return os.Chmod(conf, 0o600) },
	} {
		if err := harm(); err != nil {
			t.Fatal(err)
		}
		mended := func() bool {
			text, err := os.ReadFile(conf)
			fi, statErr := os.Stat(conf)
			return err == nil && statErr == nil && string(text) == string(want) && fi.Mode() == 0o644
		}
		for end := time.Now().Add(15 * time.Second); !mended(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: not mended", name)
			}
		}
	}
	if err := syscall.Kill(pid(before, "api"), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	after := s.until("the killed service is back", func(r *bundle.Report) bool {
		return r.Phase == bundle.PhaseConfirmed && pid(r, "api") != 0 && pid(r, "api") != pid(before, "api")
	})
	reported := s.until("the report tells of both", func(r *bundle.Report) bool {
		return slices.ContainsFunc(r.Drift, func(d bundle.Drift) bool { return d.Kind == bundle.DriftService && d.Name == "api" }) &&
			slices.ContainsFunc(r.Drift, func(d bundle.Drift) bool { return d.Name == "etc/node.conf" && d.Count == 3 })
	})
	for _, d := range reported.Drift {
		if d.What == "" || d.Last.IsZero() || d.Kind == bundle.DriftService && (d.Count != 1 || !strings.Contains(d.What, "kill")) {
			t.Errorf("drift: %+v", d)
		}
	}
	if pid(after, "etcd") != pid(before, "etcd") {
		t.Errorf("etcd was touched: %+v, before %+v", after, before)
	}
	if text, err := os.ReadFile(mine); err != nil || string(text) != "mine" {
		t.Errorf("a foreign file: %q, %v", text, err)
	}
}
