package azblob_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
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

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/azblob"
)

// cloud is an account whose blobs let in those who bring a token, and the
// directory that gives them out.
type cloud struct {
	*httptest.Server
	refuse map[string]string // of a request for a token: the directory's answer

	mu    sync.Mutex
	asked int
	users []string // of the requests to the account, in order
}

func newCloud(t *testing.T) *cloud {
	c := &cloud{}
	c.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		switch {
		case strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"):
			tenant := c.URL + strings.TrimSuffix(r.URL.Path, "/v2.0/.well-known/openid-configuration")
			answer(w, map[string]string{
				"authorization_endpoint": tenant + "/oauth2/v2.0/authorize", "token_endpoint": tenant + "/oauth2/v2.0/token", "issuer": tenant + "/v2.0",
			})
		case strings.HasSuffix(r.URL.Path, "/discovery/instance"):
			answer(w, map[string]any{"tenant_discovery_endpoint": c.URL + "/tenant-1/v2.0/.well-known/openid-configuration", "metadata": []any{}})
		case strings.HasSuffix(r.URL.Path, "/token"):
			c.asked++
			if c.refuse != nil {
				w.WriteHeader(http.StatusUnauthorized)
				answer(w, c.refuse)
				return
			}
			user := "program"
			if r.FormValue("client_assertion") == "token-of-the-pod" {
				user = "pod"
			} else if r.FormValue("client_secret") != "hunter2" {
				t.Errorf("a token was asked for with %v", r.Form)
			}
			answer(w, map[string]any{"access_token": "token-of-" + user, "token_type": "Bearer", "expires_in": 3600})
		case r.URL.Path == "/state":
			user, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer token-of-")
			if !ok {
				user = strings.SplitN(r.Header.Get("Authorization"), ":", 2)[0]
			}
			c.users = append(c.users, user)
			w.Header().Set("Content-Type", "application/xml")
			fmt.Fprint(w, `<?xml version="1.0"?><EnumerationResults><Blobs></Blobs><NextMarker></NextMarker></EnumerationResults>`)
		default:
			t.Errorf("%s %s", r.Method, r.URL)
		}
	}))
	t.Cleanup(c.Close)
	return c
}

func answer(w http.ResponseWriter, v any) { _ = json.NewEncoder(w).Encode(v) }

func list(ctx context.Context, d vfs.Driver) error {
	for _, err := range d.List(ctx, "", "") {
		return err
	}
	return nil
}

// program is the environment of a program with a secret of its own.
func (c *cloud) program() env {
	return env{
		"AZURE_AUTHORITY_HOST": c.URL, "AZURE_TENANT_ID": "tenant-1", "AZURE_CLIENT_ID": "client-1", "AZURE_CLIENT_SECRET": "hunter2",
	}
}

func TestCredentialsAreFound(t *testing.T) {
	c := newCloud(t)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("token-of-the-pod"), 0o600); err != nil {
		t.Fatal(err)
	}
	key := base64.StdEncoding.EncodeToString([]byte("hunter2"))
	for _, find := range []struct {
		how, user string
		env       env
	}{
		{"a key", "SharedKey ours", env{"AZURE_STORAGE_KEY": key}},
		{"a key with its account", "SharedKey ours", env{"AZURE_STORAGE_KEY": key, "AZURE_STORAGE_ACCOUNT": "ours"}},
		{"a connection string", "SharedKey ours", env{"AZURE_STORAGE_CONNECTION_STRING": "AccountName=ours;AccountKey=" + key}},
		{"a signature", "", env{"AZURE_STORAGE_SAS_TOKEN": "sp=rl&sig=hunter2"}},
		{"a program's secret", "program", c.program()},
		{"a program's secret, and keys of another account", "program", merge(c.program(), env{
			"AZURE_STORAGE_CONNECTION_STRING": "AccountName=theirs;AccountKey=" + key, "AZURE_STORAGE_KEY": key, "AZURE_STORAGE_ACCOUNT": "theirs",
		})},
		{"a pod's federated token", "pod", env{
			"AZURE_AUTHORITY_HOST": c.URL, "AZURE_TENANT_ID": "tenant-1", "AZURE_CLIENT_ID": "client-1", "AZURE_FEDERATED_TOKEN_FILE": file,
		}},
	} {
		c.users, c.asked = nil, 0
		d := with(t, c.Server, find.env)
		for range 3 {
			if err := list(t.Context(), d); err != nil {
				t.Errorf("%s: %v", find.how, err)
			}
		}
		if got := strings.Join(c.users, ", "); got != strings.Join([]string{find.user, find.user, find.user}, ", ") {
			t.Errorf("%s: the requests were those of %q, want %q", find.how, c.users, find.user)
		}
		if c.asked > 1 {
			t.Errorf("%s: a token was asked for %d times", find.how, c.asked)
		}
	}
}

func TestADriverDoesNotPrintItsKeys(t *testing.T) {
	c := newCloud(t)
	for _, e := range []env{{"AZURE_STORAGE_SAS_TOKEN": "sp=r&sig=hunter2"}, {"AZURE_STORAGE_KEY": "aHVudGVyMg=="}, c.program()} {
		for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
			if text := fmt.Sprintf(format, with(t, c.Server, e)); strings.Contains(text, "hunter2") || strings.Contains(text, "aHVudGVyMg") {
				t.Errorf("%s: %s", format, text)
			}
		}
	}
}

func merge(a, b env) env {
	for k, v := range b {
		a[k] = v
	}
	return a
}

func TestTwoAccountsInOneProcessDoNotMix(t *testing.T) {
	c := newCloud(t)
	program := with(t, c.Server, c.program())
	key := with(t, c.Server, env{"AZURE_STORAGE_KEY": base64.StdEncoding.EncodeToString([]byte("hunter2"))})
	var wg sync.WaitGroup
	for range 16 {
		for _, d := range []vfs.Driver{program, key} {
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
	if count["program"] != 16 || count["SharedKey ours"] != 16 {
		t.Errorf("requests by who made them: %v", count)
	}
}

func TestNoTokenIsSaidInWords(t *testing.T) {
	c := newCloud(t)
	for _, refusal := range []struct{ description, words, hint string }{
		{"AADSTS7000222: The provided client secret keys for app 'client-1' are expired. Visit the portal.\r\nTrace ID: 1",
			"AZURE_CLIENT_SECRET got no token: AADSTS7000222: The provided client secret keys", "the secret in AZURE_CLIENT_SECRET has expired"},
		{"AADSTS700016: Application with identifier 'client-1' was not found in the directory", "AADSTS700016", "there is no application AZURE_CLIENT_ID"},
		{"something else", "AZURE_CLIENT_SECRET got no token: 401", "sign in with `az login`"},
	} {
		c.refuse = map[string]string{"error": "invalid_client", "error_description": refusal.description, "secret": "hunter2"}
		c.asked = 0
		err := list(t.Context(), with(t, c.Server, c.program()))
		said(t, err, fs.ErrPermission, refusal.words, refusal.hint)
		if c.asked != 1 {
			t.Errorf("asked %d times for what is refused", c.asked)
		}
	}
}

func TestBadSettingsAreRefusedInWords(t *testing.T) {
	for _, c := range []struct {
		env   env
		words string
	}{
		{env{"AZURE_STORAGE_KEY": "hunter2!"}, "the key in AZURE_STORAGE_KEY is not base64"},
		{env{"AZURE_STORAGE_SAS_TOKEN": "sig=hunter2&%zz"}, "the signature in AZURE_STORAGE_SAS_TOKEN is not one"},
		{env{"AZURE_STORAGE_CONNECTION_STRING": "hunter2"}, "AZURE_STORAGE_CONNECTION_STRING is not a list of NAME=VALUE;"},
		{env{"AZURE_STORAGE_CONNECTION_STRING": "AccountName=ours;AccountKey="}, "neither an AccountKey nor a SharedAccessSignature"},
		{env{"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_CERTIFICATE_PATH": "/nowhere/hunter"}, "AZURE_CLIENT_CERTIFICATE_PATH"},
	} {
		_, err := azblob.Open(t.Context(), azblob.Options{Account: "ours", Container: "state", Getenv: c.env.get})
		said(t, err, fs.ErrPermission, c.words, "sign in with `az login`")
	}
}

// The endpoint is the one of the address, else the connection string's, else
// the environment's, else Microsoft's.
func TestEndpoints(t *testing.T) {
	for _, c := range []struct {
		endpoint, want string
		env            env
	}{
		{"", "azureblob ours.blob.core.windows.net/state", env{"AZURE_STORAGE_SAS_TOKEN": "sig=x"}},
		{"", "azureblob ours.blob.core.usgovcloudapi.net/state", env{"AZURE_STORAGE_SAS_TOKEN": "sig=x", "AZURE_STORAGE_SERVICE_ENDPOINT": "https://ours.blob.core.usgovcloudapi.net/"}},
		{"", "azureblob ours.blob.core.chinacloudapi.cn/state", env{"AZURE_STORAGE_CONNECTION_STRING": "AccountName=ours;AccountKey=eA==;EndpointSuffix=core.chinacloudapi.cn"}},
		{"", "azureblob 127.0.0.1:10000/ours/state", env{"AZURE_STORAGE_CONNECTION_STRING": "AccountName=ours;AccountKey=eA==;BlobEndpoint=http://127.0.0.1:10000/ours;"}},
		{"https://blobs.example.com", "azureblob blobs.example.com/state", env{"AZURE_STORAGE_CONNECTION_STRING": "AccountName=ours;AccountKey=eA=="}},
	} {
		d, err := azblob.Open(t.Context(), azblob.Options{Account: "ours", Container: "state", Endpoint: c.endpoint, Getenv: c.env.get})
		if err != nil {
			t.Error(err)
			continue
		}
		if d.Place() != c.want || d.Traits().Unproven == strings.Contains(c.want, ".core.") {
			t.Errorf("Place() = %q, unproven %t, want %q", d.Place(), d.Traits().Unproven, c.want)
		}
	}
}

// slow is a credential that takes its time: who gives up does not wait for it.
type slow struct{}

func (slow) GetToken(ctx context.Context, _ policy.TokenRequestOptions) (azcore.AccessToken, error) {
	<-ctx.Done()
	return azcore.AccessToken{}, ctx.Err()
}

func TestGivingUpDoesNotWaitForAToken(t *testing.T) {
	c := newCloud(t)
	d, err := azblob.Open(t.Context(), azblob.Options{
		Account: "ours", Container: "state", Endpoint: c.URL, Credential: slow{}, Transport: c.Client().Transport,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := list(ctx, d); err == nil || ctx.Err() == nil {
		t.Errorf("%v, want that time is over", err)
	}
}
