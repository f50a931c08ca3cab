package s3_test

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stateroom/stateroom/vfs/s3"
)

// issuer plays the services that hand out credentials: STS, single sign-on,
// and those of hosts and containers.
func issuer(t testing.TB) string {
	const expires = "2099-01-01T00:00:00Z"
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{$}", func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm() //nolint:errcheck // the action says
		action := r.Form.Get("Action")
		fmt.Fprintf(w, "<%[1]sResponse><%[1]sResult><Credentials><AccessKeyId>%[1]s</AccessKeyId><SecretAccessKey>x</SecretAccessKey>"+
			"<SessionToken>token</SessionToken><Expiration>"+expires+"</Expiration></Credentials></%[1]sResult></%[1]sResponse>", action)
	})
	mux.HandleFunc("GET /federation/credentials", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Amz-Sso_bearer_token") != "logged-in" {
			w.WriteHeader(401)
		}
		io.WriteString(w, `{"roleCredentials":{"accessKeyId":"SSO","secretAccessKey":"x","sessionToken":"token","expiration":4070908800000}}`)
	})
	mux.HandleFunc("GET /container", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"AccessKeyId":"CONTAINER","SecretAccessKey":"x","Token":"token","Expiration":"`+expires+`"}`)
	})
	mux.HandleFunc("PUT /latest/api/token", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "600")
		io.WriteString(w, "metadata-token")
	})
	mux.HandleFunc("GET /latest/meta-data/iam/security-credentials/{role...}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("role") == "" {
			io.WriteString(w, "node")
			return
		}
		io.WriteString(w, `{"Code":"Success","AccessKeyId":"HOST","SecretAccessKey":"x","Token":"token","Expiration":"`+expires+`"}`)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// TestCredentialsAreFoundAsByOtherTools goes through the ways in which tools of
// Amazon find credentials, each with the others out of the way.
func TestCredentialsAreFoundAsByOtherTools(t *testing.T) {
	url := issuer(t)
	for name, c := range map[string]struct {
		config string
		env    []string
		key    string // that signs
		token  bool   // is sent
		source string // that doctor shows
	}{
		"environment":        {"", []string{"AWS_ACCESS_KEY_ID=ENV", "AWS_SECRET_ACCESS_KEY=x", "AWS_SESSION_TOKEN=token"}, "ENV", true, "environment (AWS_ACCESS_KEY_ID)"},
		"default profile":    {"[default]\naws_access_key_id=FILE\naws_secret_access_key=x\n", nil, "FILE", false, "file "},
		"AWS_PROFILE":        {"[profile ops]\naws_access_key_id=OPS\naws_secret_access_key=x\n", []string{"AWS_PROFILE=ops"}, "OPS", false, "file "},
		"credential_process": {"[default]\ncredential_process=echo '{\"Version\":1,\"AccessKeyId\":\"PROGRAM\",\"SecretAccessKey\":\"x\",\"SessionToken\":\"token\"}'\n", nil, "PROGRAM", true, "a program of the profile"},
		"a role taken on":    {"[default]\nrole_arn=arn:aws:iam::1:role/state\nsource_profile=me\n[profile me]\naws_access_key_id=ME\naws_secret_access_key=x\n", nil, "AssumeRole", true, "a role that the profile takes on"},
		"web identity":       {"", []string{"AWS_WEB_IDENTITY_TOKEN_FILE=HOME/jwt", "AWS_ROLE_ARN=arn:aws:iam::1:role/state"}, "AssumeRoleWithWebIdentity", true, "web identity"},
		"single sign-on":     {"[default]\nsso_session=corp\nsso_account_id=1\nsso_role_name=ops\n[sso-session corp]\nsso_region=us-east-1\nsso_start_url=https://corp.invalid/start\n", nil, "SSO", true, "single sign-on"},
		"container":          {"", []string{"AWS_CONTAINER_CREDENTIALS_FULL_URI=" + url + "/container"}, "CONTAINER", true, "the role of this container"},
		"host":               {"", []string{"AWS_EC2_METADATA_DISABLED=false", "AWS_EC2_METADATA_SERVICE_ENDPOINT=" + url}, "HOST", true, "the role of this host"},
	} {
		t.Run(name, func(t *testing.T) {
			home(t, c.config)
			dir := os.Getenv("HOME")
			write(t, filepath.Join(dir, "jwt"), "web-identity-token")
			session := sha1.Sum([]byte("corp"))
			write(t, filepath.Join(dir, ".aws/sso/cache", hex.EncodeToString(session[:])+".json"),
				`{"accessToken":"logged-in","expiresAt":"2099-01-01T00:00:00Z","region":"us-east-1","startUrl":"https://corp.invalid/start"}`)
			for _, pair := range append(c.env, "AWS_ENDPOINT_URL_STS="+url, "AWS_ENDPOINT_URL_SSO="+url, "AWS_REGION=eu-west-1") {
				name, value, _ := strings.Cut(pair, "=")
				t.Setenv(name, strings.Replace(value, "HOME", dir, 1))
			}
			var signed, token string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				signed, token = r.Header.Get("Authorization"), r.Header.Get("X-Amz-Security-Token")
				w.Header().Set("ETag", `"1"`)
			}))
			t.Cleanup(server.Close)
			d := open(t, s3.Options{Bucket: "state", Endpoint: server.URL, PathStyle: true})
			if err := do(t.Context(), d, "create", "k"); err != nil {
				t.Fatalf("%v\nhint: %s", err, hintOf(err))
			}
			if !strings.Contains(signed, "Credential="+c.key+"/") || (token != "") != c.token {
				t.Errorf("signed by %s, token %q", signed, token)
			}
			if source := d.About(t.Context()).Credentials.Value; !strings.HasPrefix(source, c.source) {
				t.Errorf("source %q, want %s", source, c.source)
			}
		})
	}
}

// TestALoginThatExpired has a token of single sign-on that is no longer good.
func TestALoginThatExpired(t *testing.T) {
	home(t, "[default]\nsso_session=corp\nsso_account_id=1\nsso_role_name=ops\n[sso-session corp]\nsso_region=us-east-1\nsso_start_url=https://corp.invalid/start\n")
	err := do(t.Context(), open(t, s3.Options{Bucket: "state", Endpoint: "http://127.0.0.1:1", PathStyle: true}), "get", "k")
	if err == nil || !strings.Contains(hintOf(err), "aws sso login") {
		t.Errorf("%v\nhint: %s", err, hintOf(err))
	}
}

// What the service that gives out credentials refuses is not a refusal of the
// bucket; and what passes is no want of permission.
func TestRefusalsOfCredentialsAreSaidInWords(t *testing.T) {
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	refusing := func(status int, code string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprintf(w, "<ErrorResponse><Error><Code>%s</Code><Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error></ErrorResponse>", code)
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	for name, c := range map[string]struct {
		sts, text, hint string
		class           error
	}{
		"refused":      {refusing(403, "AccessDenied"), "no credentials: ", "three usual ways", fs.ErrPermission},
		"in trouble":   {refusing(503, "ServiceUnavailable"), "no credentials: ", "gives out credentials", nil},
		"not reached":  {dead.URL, "connection refused", "gives out credentials", nil},
		"another time": {refusing(400, "ExpiredTokenException"), "no credentials: ", "three usual ways", fs.ErrPermission},
	} {
		home(t, "")
		write(t, filepath.Join(os.Getenv("HOME"), "jwt"), "web-identity-token")
		for name, value := range map[string]string{
			"AWS_WEB_IDENTITY_TOKEN_FILE": filepath.Join(os.Getenv("HOME"), "jwt"), "AWS_ROLE_ARN": "arn:aws:iam::1:role/state",
			"AWS_ENDPOINT_URL_STS": c.sts, "AWS_REGION": "eu-west-1", "AWS_MAX_ATTEMPTS": "1",
		} {
			t.Setenv(name, value)
		}
		asked := 0
		bucket := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
		t.Cleanup(bucket.Close)
		err := do(t.Context(), s3.Patient(open(t, s3.Options{Bucket: "state", Endpoint: bucket.URL, PathStyle: true}), 2), "create", "k")
		if err == nil || !strings.Contains(err.Error(), c.text) || !strings.Contains(hintOf(err), c.hint) || asked > 0 {
			t.Errorf("%s: %v\nhint: %s", name, err, hintOf(err))
		}
		if errors.Is(err, fs.ErrPermission) != (c.class != nil) || strings.Contains(err.Error(), "web-identity-token") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What a program for credentials prints is not shown, whatever it is.
func TestWhatACredentialProcessPrintsIsNotShown(t *testing.T) {
	home(t, "[default]\ncredential_process=echo 'old key' '{\"Version\":1,\"AccessKeyId\":\"PROGRAM\",\"SecretAccessKey\":\"hunter2\"}'\n")
	err := do(t.Context(), open(t, s3.Options{Bucket: "state", Endpoint: "http://127.0.0.1:1", PathStyle: true}), "get", "k")
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "credential_process") || strings.Contains(err.Error()+hintOf(err), "hunter2") {
		t.Errorf("%v\nhint: %s", err, hintOf(err))
	}
}

func TestADriverDoesNotPrintItsKeys(t *testing.T) {
	opt := s3.Options{Bucket: "state", Endpoint: "http://127.0.0.1:1", PathStyle: true, Keys: s3.Keys{ID: "id", Secret: "hunter2"}}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(format+format, open(t, opt), opt); strings.Contains(text, "hunter2") {
			t.Errorf("%s: %s", format, text)
		}
	}
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
