package stores_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stateroom/stateroom/internal/cli"
	"github.com/stateroom/stateroom/test/servers"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/probe"
)

// TestStoreCheckTellsWhatServersDo checks each kind of place, and s3rver, and
// prints what was found of each that is not as it should be.
func TestStoreCheckTellsWhatServersDo(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	told := map[string]string{}
	all := append([]place{{"S3 s3rver", onS3(servers.S3rver)}}, places...)
	t.Run("places", func(t *testing.T) {
		for _, p := range all {
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				driver := p.start(t).open
				f := vfs.New(open(t, driver), "test:")
				long := p.name == "mem" || p.name == "GCS" || p.name == "S3 gofakes3" // the others take seconds for a thousand objects
				r, err := probe.Run(t.Context(), f.Sub("check"), probe.Options{Rounds: 4, Quick: !long})
				if err != nil {
					t.Fatal(err)
				}
				var text strings.Builder
				fmt.Fprintf(&text, "%-13s %s; create %s, replace %s, delete %s\n", p.name, r.Worst(), r.Create, r.Replace, r.Delete)
				for _, found := range r.Findings {
					if found.Verdict != probe.OK {
						fmt.Fprintf(&text, "    %-7s %s: %s\n", found.Verdict, found.Check, found.Saw)
					}
				}
				judgeCheck(t, p.name, r)
				for e, err := range f.List(t.Context(), "", "") {
					t.Errorf("it left %s behind, %v", e.Key, err)
				}
				mu.Lock()
				defer mu.Unlock()
				told[p.name] = text.String()
			})
		}
	})
	var table strings.Builder
	for _, p := range all {
		table.WriteString(told[p.name])
	}
	t.Logf("what store check sees:\n%s", table.String())
}

// judgeCheck wants the lies found that are known, and no others.
func judgeCheck(t *testing.T, place string, r *probe.Result) {
	t.Helper()
	want := [3]probe.Answer{probe.Honoured, probe.Honoured, probe.Honoured}
	switch place {
	case "S3 s3rver":
		want = [3]probe.Answer{probe.Ignored, probe.Ignored, probe.Ignored}
	case "S3 gofakes3", "GCS":
		want[2] = probe.Ignored
	}
	if got := [3]probe.Answer{r.Create, r.Replace, r.Delete}; got != want {
		t.Errorf("create, replace, delete: %v, want %v", got, want)
	}
	if broken := r.Worst() == probe.Broken; broken != (place == "S3 s3rver") {
		t.Errorf("the worst is %s: %+v", r.Worst(), r.Findings)
	}
}

// s3Env is how a person reaches a server by the variables of kops.
func s3Env(s servers.S3) map[string]string {
	return map[string]string{
		"S3_ENDPOINT": s.Endpoint, "S3_REGION": s.Region,
		"S3_ACCESS_KEY_ID": s.AccessKey, "S3_SECRET_ACCESS_KEY": s.SecretKey,
	}
}

// stateroom runs the command and returns its code and what it printed.
func stateroom(t testing.TB, env map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = cli.Main(t.Context(), cli.Env{
		Args: append([]string{"stateroom"}, args...), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
		Getenv: environment(env), Now: time.Now,
	})
	return code, out.String(), errs.String()
}

// TestNothingIsCommittedOnAServerThatLies goes through what a person would do
// with s3rver, which accepts every condition and ignores it.
func TestNothingIsCommittedOnAServerThatLies(t *testing.T) {
	t.Parallel()
	s := servers.S3rver(t)
	env, url := s3Env(s), "s3://"+s.Bucket(t)+"/clusters"

	code, out, errs := stateroom(t, env, "store", "check", "--quick", url)
	if code != 1 || !strings.Contains(out, "an object that was there was created again: the service accepts the condition and ignores it") {
		t.Errorf("store check: exit %d\n%s%s", code, out, errs)
	}
	t.Logf("store check:\n%s", out)
	for _, args := range [][]string{
		{"store", "init", url},
		{"create", "cluster", "demo.example.com", "--state", url},
		{"create", "cluster", "demo.example.com", "--state", url}, // by what was kept
		{"create", "cluster", "demo.example.com", "--state", url, "--single-writer"},
	} {
		code, out, errs := stateroom(t, env, args...)
		if code != 5 || !strings.Contains(errs, "accepts conditions and ignores them") || !strings.Contains(errs, "hint: reading works") {
			t.Errorf("%q: exit %d\n%s%s", args, code, out, errs)
		}
	}
	_, _, errs = stateroom(t, env, "create", "cluster", "demo.example.com", "--state", url)
	t.Logf("a write:\n%s", errs)
	if code, out, errs := stateroom(t, env, "get", "clusters", "--state", url); code != 3 || !strings.Contains(errs, "has no clusters") {
		t.Errorf("get clusters: exit %d\n%s%s", code, out, errs)
	}
	code, out, _ = stateroom(t, env, "doctor", url, "-o", "json")
	if code != 1 || !strings.Contains(out, `"what": "conditions"`) {
		t.Errorf("doctor: exit %d\n%s", code, out)
	}
}

// TestStoreCheckNamesTheDeleteOfGofakes3 has one sentence for a server whose
// DELETE takes no notice of its condition, and lets people write to it.
func TestStoreCheckNamesTheDeleteOfGofakes3(t *testing.T) {
	t.Parallel()
	s := servers.GoFakeS3(t)
	env, url := s3Env(s), "s3://"+s.Bucket(t)
	if code, out, errs := stateroom(t, env, "store", "init", url); code != 0 {
		t.Fatalf("store init: exit %d\n%s%s", code, out, errs)
	}
	code, out, errs := stateroom(t, env, "store", "check", url, "-o", "json")
	if code != 0 || !strings.Contains(out, "accepts the condition on DELETE and ignores it") {
		t.Errorf("store check: exit %d\n%s%s", code, out, errs)
	}
	var view struct {
		Writable   bool
		Verdict    string
		Conditions map[string]string
	}
	if err := json.Unmarshal([]byte(out), &view); err != nil || !view.Writable || view.Verdict != "weak" || view.Conditions["delete"] != "no" {
		t.Errorf("%+v, %v", view, err)
	}
	if code, out, errs := stateroom(t, env, "create", "cluster", "demo.example.com", "--state", url); code != 0 {
		t.Errorf("create cluster: exit %d\n%s%s", code, out, errs)
	}
}

// TestAServiceWithoutConditionsIsWrittenByOneWriter lets a proxy answer like
// services that have no conditional writes.
func TestAServiceWithoutConditionsIsWrittenByOneWriter(t *testing.T) {
	t.Parallel()
	s := servers.GoFakeS3(t)
	env, url := s3Env(s), "s3://"+s.Bucket(t)
	env["S3_ENDPOINT"] = withoutConditions(t, s.Endpoint)
	create := []string{"create", "cluster", "demo.example.com", "--state", url}
	code, out, errs := stateroom(t, env, create...)
	if code != 5 || !strings.Contains(errs, "no conditional writes") || !strings.Contains(errs, "--single-writer") {
		t.Errorf("create: exit %d\n%s%s", code, out, errs)
	}
	t.Logf("without --single-writer:\n%s", errs)
	if code, out, errs := stateroom(t, env, append(create, "--single-writer")...); code != 0 {
		t.Fatalf("create --single-writer: exit %d\n%s%s", code, out, errs)
	}
	if code, out, errs := stateroom(t, env, "edit", "cluster", "--set", "spec.channel=alpha", "--state", url, "--single-writer"); code != 0 {
		t.Errorf("edit --single-writer: exit %d\n%s%s", code, out, errs)
	}
	if code, out, errs := stateroom(t, env, "log", "--state", url); code != 0 || strings.Count(out, "\n") < 2 {
		t.Errorf("log: exit %d\n%s%s", code, out, errs)
	}
	if code, _, errs := stateroom(t, env, "edit", "cluster", "--set", "spec.channel=beta", "--state", url); code != 5 {
		t.Errorf("edit without the flag: exit %d, want 5\n%s", code, errs)
	}
}

// withoutConditions is a proxy that refuses conditional writes as some services
// do.
func withoutConditions(t testing.TB, target string) string {
	t.Helper()
	return servers.Refuse(t, target, func(r *http.Request) int {
		if r.Method == http.MethodPut && (r.Header.Get("If-None-Match") != "" || r.Header.Get("If-Match") != "") {
			return http.StatusNotImplemented
		}
		return 0
	})
}

// TestAKilledCheckIsCleanedUpByFsck leaves what a check leaves that was killed.
func TestAKilledCheckIsCleanedUpByFsck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	env := map[string]string{}
	if code, out, errs := stateroom(t, env, "store", "init", dir); code != 0 {
		t.Fatal(code, out, errs)
	}
	left := filepath.Join(dir, ".stateroom", "check", "abc")
	long := time.Now().Add(-2 * time.Hour)
	for _, err := range []error{os.MkdirAll(left, 0o700), os.WriteFile(filepath.Join(left, "k"), []byte("x"), 0o600), os.Chtimes(filepath.Join(left, "k"), long, long)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if code, out, errs := stateroom(t, env, "store", "fsck", "--state", dir); code != 1 || !strings.Contains(out, "check-left") {
		t.Errorf("fsck: exit %d\n%s%s", code, out, errs)
	}
	if code, out, errs := stateroom(t, env, "store", "fsck", "--repair", "--state", dir); code != 0 {
		t.Errorf("fsck --repair: exit %d\n%s%s", code, out, errs)
	}
	if _, err := os.Stat(filepath.Join(left, "k")); err == nil {
		t.Error("it is still there")
	}
}
