package gcs_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/gcs"
)

// cloud is a bucket that lets in those who bring a token, and all that gives
// out tokens: the token service, the metadata server, and the exchange of
// federated identities.
type cloud struct {
	*httptest.Server
	mu    sync.Mutex
	asked map[string]int // by path
	users []string       // of the requests to the bucket, in order
	bills []string       // X-Goog-User-Project of them
}

func newCloud(t *testing.T) *cloud {
	c := &cloud{asked: map[string]int{}}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.asked[r.URL.Path]++
		give := func(user string) {
			reply(w, map[string]any{"access_token": "token-of-" + user, "token_type": "Bearer", "expires_in": 3600})
		}
		switch {
		case r.URL.Path == "/token" && r.FormValue("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer":
			give("robot")
		case r.URL.Path == "/computeMetadata/v1/instance/service-accounts/default/token" && r.Header.Get("Metadata-Flavor") == "Google":
			w.Header().Set("Metadata-Flavor", "Google")
			give("machine")
		case r.URL.Path == "/sts" && r.FormValue("subject_token") == "token-of-the-pod":
			reply(w, map[string]any{
				"access_token": "token-of-pod", "token_type": "Bearer", "expires_in": 3600,
				"issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
			})
		case strings.HasPrefix(r.URL.Path, "/storage/v1/b/state/o"):
			user, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer token-of-")
			if !ok {
				t.Errorf("a request with Authorization %q", r.Header.Get("Authorization"))
			}
			c.users = append(c.users, user)
			c.bills = append(c.bills, r.Header.Get("X-Goog-User-Project"))
			reply(w, map[string]any{})
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// key is a fresh key of a service account: making one takes a while.
var key = sync.OnceValue(func() string {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	b, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: b}))
})

// write writes v as a file of credentials and returns its name.
func write(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "credentials.json")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func (c *cloud) robot(t *testing.T) string {
	return write(t, map[string]string{
		"type": "service_account", "client_email": "robot@ours.iam.gserviceaccount.com", "private_key_id": "1",
		"private_key": key(), "token_uri": c.URL + "/token",
	})
}

func (c *cloud) pod(t *testing.T) string {
	subject := filepath.Join(t.TempDir(), "subject")
	if err := os.WriteFile(subject, []byte("token-of-the-pod"), 0o600); err != nil {
		t.Fatal(err)
	}
	return write(t, map[string]any{
		"type": "external_account", "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
		"subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "token_url": c.URL + "/sts",
		"credential_source": map[string]any{"file": subject},
		"quota_project_id":  "who-pays",
	})
}

func list(ctx context.Context, d vfs.Driver) error {
	for _, err := range d.List(ctx, "", "") {
		return err
	}
	return nil
}

func (c *cloud) open(t *testing.T, e env) *gcs.Driver {
	t.Helper()
	d, err := gcs.Open(t.Context(), gcs.Options{Bucket: "state", Endpoint: c.URL, Getenv: e.get})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestCredentialsAreFound(t *testing.T) {
	c := newCloud(t)
	home := t.TempDir()
	gcloud := filepath.Join(home, ".config", "gcloud")
	if err := os.MkdirAll(gcloud, 0o700); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(c.robot(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(gcloud, "application_default_credentials.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, find := range []struct {
		how, user, bill string
		env             env
	}{
		{"a key file", "robot", "", env{"GOOGLE_APPLICATION_CREDENTIALS": c.robot(t)}},
		{"what gcloud left", "robot", "", env{"HOME": home}},
		{"what gcloud left elsewhere", "robot", "", env{"CLOUDSDK_CONFIG": gcloud}},
		{"the machine's account", "machine", "", env{"HOME": t.TempDir(), "GCE_METADATA_HOST": strings.TrimPrefix(c.URL, "http://")}},
		{"a federated identity", "pod", "who-pays", env{"GOOGLE_APPLICATION_CREDENTIALS": c.pod(t)}},
		{"another who pays", "pod", "they", env{"GOOGLE_APPLICATION_CREDENTIALS": c.pod(t), "GOOGLE_CLOUD_QUOTA_PROJECT": "they"}},
	} {
		c.users, c.bills = nil, nil
		d := c.open(t, find.env)
		for range 3 {
			if err := list(t.Context(), d); err != nil {
				t.Errorf("%s: %v", find.how, err)
			}
		}
		if want := strings.Repeat(find.user+" ", 3); strings.Join(c.users, " ")+" " != want {
			t.Errorf("%s: the requests were those of %q, want %q", find.how, c.users, want)
		}
		if len(c.bills) > 0 && c.bills[0] != find.bill {
			t.Errorf("%s: %q pays, want %q", find.how, c.bills[0], find.bill)
		}
	}
	if c.asked["/sts"] != 2 || c.asked["/token"] != 3 {
		t.Errorf("a token was asked for once more than it ends: %v", c.asked)
	}
}

func TestTwoAccountsInOneProcessDoNotMix(t *testing.T) {
	c := newCloud(t)
	robot := c.open(t, env{"GOOGLE_APPLICATION_CREDENTIALS": c.robot(t)})
	machine := c.open(t, env{"GCE_METADATA_HOST": strings.TrimPrefix(c.URL, "http://")})
	var wg sync.WaitGroup
	for range 16 {
		for _, d := range []vfs.Driver{robot, machine} {
			wg.Go(func() {
				if err := list(t.Context(), d); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	count := map[string]int{}
	for _, u := range c.users {
		count[u]++
	}
	if count["robot"] != 16 || count["machine"] != 16 {
		t.Errorf("requests by account: %v", count)
	}
}

func TestBadCredentialsAreRefusedInWords(t *testing.T) {
	c := newCloud(t)
	dir := t.TempDir()
	junk := filepath.Join(dir, "junk.json")
	if err := os.WriteFile(junk, []byte(`{"private_key": "hunter2"`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		filepath.Join(dir, "none.json"):          "no such file",
		junk:                                     "no JSON",
		write(t, map[string]string{"type": "x"}): `their type is "x"`,
		write(t, map[string]string{"type": ""}):  `their type is ""`,
		dir:                                      "is a directory",
		write(t, map[string]any{"type": "impersonated_service_account", "private_key": "hunter2"}): "not as a file of type impersonated_service_account is",
	} {
		_, err := gcs.Open(t.Context(), gcs.Options{Bucket: "state", Endpoint: c.URL, Getenv: env{"GOOGLE_APPLICATION_CREDENTIALS": name}.get})
		said(t, err, fs.ErrPermission, want, "gcloud auth application-default login")
	}
}

// said holds an error to its class, words and hint, and to hiding secrets.
func said(t *testing.T, err, class error, words, hint string) {
	t.Helper()
	if err == nil || class != nil && !errors.Is(err, class) {
		t.Errorf("%v, want %v", err, class)
		return
	}
	var h interface{ Hint() string }
	got := ""
	if errors.As(err, &h) {
		got = h.Hint()
	}
	if !strings.Contains(err.Error(), words) || !strings.Contains(got, hint) {
		t.Errorf("%v\nhint: %s\nwant %q, hint %q", err, got, words, hint)
	}
	for _, secret := range []string{"hunter2", "token-of-", "PRIVATE KEY"} {
		if strings.Contains(err.Error()+got, secret) {
			t.Errorf("%q shows %s", err.Error()+got, secret)
		}
	}
}

func TestNoTokenIsSaidInWords(t *testing.T) {
	var answer func(w http.ResponseWriter)
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		answer(w)
	}))
	defer s.Close()
	c := &cloud{Server: s}
	deny := func(status int, code, description string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"error": %q, "error_description": %q, "secret": "hunter2"}`, code, description)
		}
	}
	for _, refusal := range []struct {
		answer      func(http.ResponseWriter)
		words, hint string
	}{
		{deny(400, "invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim."),
			"reasonable timeframe", "this machine's clock is probably wrong"},
		{deny(400, "invalid_grant", "Invalid JWT Signature."), "400 invalid_grant Invalid JWT Signature", "the key was removed"},
		{deny(400, "invalid_grant", "Token has been expired or revoked."), "expired or revoked", "gcloud auth application-default login"},
		{deny(401, "invalid_client", "The OAuth client was deleted."), "401 invalid_client", "on Google's machines attach a service account"},
	} {
		answer = refusal.answer
		asked = 0
		err := list(t.Context(), c.open(t, env{"GOOGLE_APPLICATION_CREDENTIALS": c.robot(t)}))
		said(t, err, fs.ErrPermission, refusal.words, refusal.hint)
		if asked != 1 {
			t.Errorf("asked %d times for what is refused", asked)
		}
	}
	s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	said(t, list(ctx, c.open(t, env{"GCE_METADATA_HOST": strings.TrimPrefix(s.URL, "http://")})), fs.ErrPermission,
		"no file of credentials, and this machine has no account attached", "gcloud auth application-default login")
}
