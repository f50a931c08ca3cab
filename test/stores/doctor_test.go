package stores_test

import (
	"bytes"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stateroom/stateroom/internal/cli"
	"github.com/stateroom/stateroom/test/servers"
)

// TestDoctorSaysWhatIsInTheWay goes through what goes wrong with a bucket, one
// thing at a time. No output holds a secret.
func TestDoctorSaysWhatIsInTheWay(t *testing.T) {
	t.Parallel()
	s := servers.Versity(t)
	good := s3Env(s)
	good["AWS_EC2_METADATA_DISABLED"] = "true"
	bucket := s.Bucket(t)
	url := "s3://" + bucket + "/clusters"
	other := func(name, value string) map[string]string {
		env := maps.Clone(good)
		env[name] = value
		return env
	}
	readOnly := servers.Refuse(t, s.Endpoint, func(r *http.Request) int {
		if r.Method == http.MethodPut || r.Method == http.MethodDelete {
			return http.StatusForbidden
		}
		return 0
	})
	for _, c := range []struct {
		name string
		env  map[string]string
		url  string
		now  time.Duration // that our clock is ahead
		code int
		want []string // in the output, each with what to do where that is said
	}{
		{"all is well", good, url, 0, 0, []string{"ok write permitted", "ok delete permitted", "ok clock ", "ok round trip ", "there is none yet", "nothing is in the way"}},
		{"a wrong secret", other("S3_SECRET_ACCESS_KEY", "wrong-secret-1234"), url, 0, 1, []string{"bad write ", "bad read ", "bad list ", " do "}},
		{"no such key", other("S3_ACCESS_KEY_ID", "nobody"), url, 0, 1, []string{"bad read "}},
		{"no such bucket", good, "s3://no-such-bucket-here", 0, 1, []string{"bad write ", " do "}},
		{"read only", other("S3_ENDPOINT", readOnly), url, 0, 1, []string{"bad write ", "ok list ", "bad delete "}},
		{"a clock that is ahead", good, url, 20 * time.Minute, 1, []string{"bad clock this machine's is 20m", "ahead of the service's", "NTP"}},
		{"a clock that is behind", good, url, -time.Minute, 0, []string{"weak clock this machine's is ", "behind the service's"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			code := cli.Main(t.Context(), cli.Env{
				Args: []string{"stateroom", "doctor", c.url}, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
				Getenv: environment(c.env), Now: func() time.Time { return time.Now().Add(c.now) },
			})
			text := out.String() + errs.String()
			t.Logf("exit %d\n%s", code, text)
			if code != c.code {
				t.Errorf("exit %d, want %d", code, c.code)
			}
			for _, want := range c.want {
				if !strings.Contains(strings.Join(strings.Fields(text), " "), want) {
					t.Errorf("it does not say %q", want)
				}
			}
			if n := strings.Count(text, " clock  "); n > 1 {
				t.Errorf("it speaks of the clock %d times", n)
			}
			for _, secret := range []string{s.SecretKey, "wrong-secret-1234", "Signature="} {
				if strings.Contains(text, secret) {
					t.Errorf("it shows %q", secret)
				}
			}
		})
	}
	// It left nothing behind, and made no store.
	if _, out, errs := stateroom(t, good, "get", "clusters", "--state", url); !strings.Contains(errs, "has no clusters") {
		t.Errorf("%s%s", out, errs)
	}
}
