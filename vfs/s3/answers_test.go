package s3_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/s3"
)

// answering opens the driver at a server that answers as the test says.
func answering(t testing.TB, answer http.HandlerFunc) *s3.Driver {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return open(t, s3.Options{Bucket: "state", Endpoint: server.URL, PathStyle: true, Region: "us-east-1", Keys: s3.Keys{ID: "id", Secret: "hunter2"}, DeleteConditions: true})
}

func open(t testing.TB, opt s3.Options) *s3.Driver {
	t.Helper()
	d, err := s3.Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// refuse answers as S3 refuses.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("X-Amz-Request-Id", "REQ1")
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message><RequestId>REQ1</RequestId></Error>", code, message)
}

func hintOf(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

func TestRefusalsSayWhatToDo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status        int
		code, message string
		op            string
		class         error
		text, hint    string
	}{
		{403, "AccessDenied", "Access Denied", "get", fs.ErrPermission, "403 AccessDenied: Access Denied (request REQ1)", "GET of a/b needs s3:GetObject on arn:aws:s3:::state/a/b, and s3:ListBucket"},
		{403, "AccessDenied", "Access Denied", "put", fs.ErrPermission, "403 AccessDenied", "PUT of a/b needs s3:PutObject and s3:GetObject on arn:aws:s3:::state/a/b"},
		{403, "AccessDenied", "Access Denied", "delete", fs.ErrPermission, "403 AccessDenied", "DELETE of a/b needs s3:DeleteObject and s3:GetObject on"},
		{403, "AccessDenied", "Access Denied", "list", fs.ErrPermission, "403 AccessDenied", "LIST needs s3:ListBucket on arn:aws:s3:::state"},
		{403, "AccessDenied", "User is not authorized to perform: kms:GenerateDataKey", "put", fs.ErrPermission, "kms:GenerateDataKey", "encrypted with a KMS key"},
		{403, "AccessDenied", "\u202eDenied by\nnobody", "get", fs.ErrPermission, "403 AccessDenied: Denied by nobody", "GET of a/b"},
		{403, "InvalidAccessKeyId", "x", "get", fs.ErrPermission, "403 InvalidAccessKeyId", "does not know this access key"},
		{403, "SignatureDoesNotMatch", "x", "get", fs.ErrPermission, "403 SignatureDoesNotMatch", "the secret does not fit"},
		{400, "ExpiredToken", "The provided token has expired.", "get", fs.ErrPermission, "400 ExpiredToken: The provided token has expired.", "aws sso login"},
		{404, "NoSuchBucket", "x", "get", nil, "404 NoSuchBucket", "check the name in the address"},
		{404, "NoSuchBucket", "x", "put", nil, "404 NoSuchBucket", "check the name in the address"},
		{404, "NoSuchBucket", "x", "list", nil, "404 NoSuchBucket", "check the name in the address"},
		{501, "NotImplemented", "A header you provided implies functionality that is not implemented.", "put", errors.ErrUnsupported, "501 NotImplemented", "store check"},
		{400, "AccessControlListNotSupported", "The bucket does not allow ACLs", "put", fs.ErrInvalid, "400 AccessControlListNotSupported", "unset KOPS_STATE_S3_ACL"},
		{403, "InvalidObjectState", "x", "get", fs.ErrPermission, "403 InvalidObjectState", "archive class"},
		{403, "RequestTimeTooSkewed", "x", "get", fs.ErrPermission, "403 RequestTimeTooSkewed", "clock of this machine"},
		{403, "", "\x1b]0;evil\aForbidden by policy", "get", fs.ErrPermission, "403 Forbidden", "a proxy in between"},
		{404, "", "", "get", nil, "404 Not Found", "not an S3 service"},
		{404, "", "", "create", nil, "404 Not Found", "not an S3 service"},
		{404, "", "", "delete", nil, "404 Not Found", "not an S3 service"},
	} {
		t.Run(c.code+" "+c.op, func(t *testing.T) {
			d := answering(t, func(w http.ResponseWriter, _ *http.Request) {
				if c.code == "" {
					w.WriteHeader(c.status)
					io.WriteString(w, "<html>"+c.message)
					return
				}
				refuse(w, c.status, c.code, c.message)
			})
			err := do(t.Context(), d, c.op, "a/b")
			if err == nil || !strings.Contains(err.Error(), c.text) || !strings.Contains(hintOf(err), c.hint) {
				t.Errorf("%v\nhint: %s\nwant %s\nhint: %s", err, hintOf(err), c.text, c.hint)
			}
			for _, class := range []error{fs.ErrPermission, fs.ErrInvalid, errors.ErrUnsupported, fs.ErrNotExist, vfs.ErrConflict} {
				if errors.Is(err, class) != (class == c.class) { //nolint:errorlint // the very class
					t.Errorf("%v: is %v: %t", err, class, errors.Is(err, class))
				}
			}
			if strings.ContainsAny(err.Error(), "\x1b\a\u202e\n") || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "Signature=") {
				t.Errorf("%q", err)
			}
		})
	}
}

// do makes one call of a driver.
func do(ctx context.Context, d vfs.Driver, op, key string) error {
	var err error
	switch op {
	case "get":
		_, _, err = d.Get(ctx, key, "")
	case "put":
		_, err = d.Put(ctx, key, []byte("x"), vfs.IfVersion("1"), "")
	case "create":
		_, err = d.Put(ctx, key, []byte("x"), vfs.IfAbsent(), "")
	case "overwrite":
		_, err = d.Put(ctx, key, []byte("x"), vfs.Cond{}, "")
	case "delete":
		err = d.Delete(ctx, key, vfs.IfVersion("1"))
	case "list":
		for _, err = range d.List(ctx, key, "") {
		}
	}
	return err
}

func TestAConditionThatDoesNotHold(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
	}{{412, "PreconditionFailed"}, {409, "ConditionalRequestConflict"}, {404, "NoSuchKey"}} {
		d := answering(t, func(w http.ResponseWriter, _ *http.Request) { refuse(w, c.status, c.code, "x") })
		for _, op := range []string{"put", "create", "delete"} {
			if err := do(t.Context(), d, op, "k"); !errors.Is(err, vfs.ErrConflict) {
				t.Errorf("%s answered with %d: %v", op, c.status, err)
			}
		}
	}
}

func TestNobodyAnswers(t *testing.T) {
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	clear := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(clear.Close)
	for name, c := range map[string]struct{ endpoint, text, hint string }{
		"nothing listens":     {"http://127.0.0.1:1", "connection refused", "nothing listens there"},
		"a name nobody has":   {"http://nobody.invalid", "nobody.invalid", "no address of the host nobody.invalid is known"},
		"its own certificate": {secure.URL, "certificate", "AWS_CA_BUNDLE"},
		"no TLS where it is":  {strings.Replace(clear.URL, "http:", "https:", 1), "", "begin S3_ENDPOINT with http://"},
		"TLS where it is not": {strings.Replace(secure.URL, "https:", "http:", 1), "400", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t, s3.Options{Bucket: "state", Endpoint: c.endpoint, PathStyle: true, Keys: s3.Keys{ID: "id", Secret: "hunter2"}})
			begin := time.Now()
			err := do(t.Context(), d, "get", "k")
			if err == nil || !strings.Contains(err.Error(), c.text) || !strings.Contains(hintOf(err), c.hint) {
				t.Errorf("%v\nhint: %s", err, hintOf(err))
			}
			if took := time.Since(begin); took > 5*time.Second {
				t.Errorf("a person waits %v to hear of it", took)
			}
		})
	}
}

func TestNoCredentials(t *testing.T) {
	home(t, "")
	d := open(t, s3.Options{Bucket: "state", Endpoint: "http://127.0.0.1:1", PathStyle: true})
	err := do(t.Context(), d, "put", "k")
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "no credentials: none in the environment") || !strings.Contains(hintOf(err), "three usual ways") {
		t.Errorf("%v\nhint: %s", err, hintOf(err))
	}
	_, err = s3.Open(t.Context(), s3.Options{Bucket: "state", Profile: "ops"})
	if !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), `there is no profile "ops"`) || hintOf(err) == "" {
		t.Errorf("%v\nhint: %s", err, hintOf(err))
	}
}

// home gives the SDK nothing but a configuration file.
func home(t testing.TB, config string) {
	t.Helper()
	dir := t.TempDir()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
			os.Unsetenv(name)
		}
	}
	t.Setenv("HOME", dir)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	file := filepath.Join(dir, "config")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", file)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(dir, "credentials"))
}

// TestTheRegionIsFoundOut answers as Amazon does where a bucket is elsewhere.
func TestTheRegionIsFoundOut(t *testing.T) {
	for name, elsewhere := range map[string]func(w http.ResponseWriter){
		"301 with a header": func(w http.ResponseWriter) {
			w.Header().Set("X-Amz-Bucket-Region", "eu-west-1")
			refuse(w, 301, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint.")
		},
		"307 to another host": func(w http.ResponseWriter) {
			w.Header().Set("X-Amz-Bucket-Region", "eu-west-1")
			w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
			refuse(w, 307, "TemporaryRedirect", "Please re-send this request to the specified temporary endpoint.")
		},
		"400 in words": func(w http.ResponseWriter) {
			refuse(w, 400, "AuthorizationHeaderMalformed", "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'")
		},
	} {
		t.Run(name, func(t *testing.T) {
			var wrong, right atomic.Int32
			d := answering(t, func(w http.ResponseWriter, r *http.Request) {
				if !strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/s3/") {
					wrong.Add(1)
					elsewhere(w)
					return
				}
				right.Add(1)
				w.Header().Set("ETag", `"1"`)
			})
			for _, op := range []string{"get", "create", "get"} {
				if err := do(t.Context(), d, op, "k"); err != nil {
					t.Fatal(err)
				}
			}
			if wrong.Load() != 1 || right.Load() != 3 {
				t.Errorf("%d requests to the wrong region, %d to the right one; want 1 and 3", wrong.Load(), right.Load())
			}
		})
	}
}

func TestAWrongClockIsPutRight(t *testing.T) {
	ahead := time.Now().Add(3 * time.Hour).UTC()
	var requests atomic.Int32
	d := answering(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		w.Header().Set("Date", ahead.Format(http.TimeFormat))
		signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
		if err != nil || ahead.Sub(signed).Abs() > 15*time.Minute {
			refuse(w, 403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
			return
		}
		w.Header().Set("ETag", `"1"`)
	})
	for range 2 {
		if err := do(t.Context(), d, "create", "k"); err != nil {
			t.Fatal(err)
		}
	}
	if n := requests.Load(); n != 3 {
		t.Errorf("%d requests, want 3", n)
	}
}

func TestAHangingServer(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/half") {
			w.Header().Set("ETag", `"1"`)
			w.Header().Set("Content-Length", "1000")
			w.Write(make([]byte, 500)) //nolint:errcheck // a test
			w.(http.Flusher).Flush()
		}
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() { close(hang); server.Close() })
	opt := s3.Options{Bucket: "state", Endpoint: server.URL, PathStyle: true, Keys: s3.Keys{ID: "id", Secret: "x"}}

	t.Run("cancel works at once", func(t *testing.T) {
		d := open(t, opt)
		for _, op := range []string{"get", "put", "create", "delete", "list"} {
			for _, key := range []string{"k", "half"} {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(50*time.Millisecond, cancel)
				begin := time.Now()
				err := do(ctx, d, op, key)
				if took := time.Since(begin); !errors.Is(err, context.Canceled) || took > time.Second {
					t.Errorf("%s %s: %v after %v", op, key, err, took)
				}
			}
		}
	})
	t.Run("a call has a deadline of its own", func(t *testing.T) {
		opt := opt
		opt.Timeout = 100 * time.Millisecond
		d := s3.Patient(open(t, opt), 2)
		for _, op := range []string{"get", "put", "delete"} {
			begin := time.Now()
			err := do(t.Context(), d, op, "k")
			if took := time.Since(begin); err == nil || !strings.Contains(err.Error(), "no answer within") || hintOf(err) == "" || took > 15*time.Second {
				t.Errorf("%s: %v after %v, hint %q", op, err, took, hintOf(err))
			}
		}
	})
}

func TestTheOwnAuthority(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 1 {
			t.Errorf("%s", r.Proto)
		}
		w.Header().Set("ETag", `"1"`)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	home(t, "")
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CA_BUNDLE", file)
	d := open(t, s3.Options{Bucket: "state", Endpoint: server.URL, PathStyle: true, Keys: s3.Keys{ID: "id", Secret: "x"}})
	if err := do(t.Context(), d, "create", "k"); err != nil {
		t.Error(err)
	}
}
