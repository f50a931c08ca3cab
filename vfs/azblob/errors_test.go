package azblob_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/azblob"
)

// service is a server of the test's own, and a driver with a key for it.
func service(t *testing.T, h http.HandlerFunc) *azblob.Driver {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return with(t, s, env{"AZURE_STORAGE_KEY": base64.StdEncoding.EncodeToString([]byte("hunter2"))})
}

func with(t *testing.T, s *httptest.Server, e env) *azblob.Driver {
	t.Helper()
	return over(t, s, e, s.Client().Transport)
}

func over(t *testing.T, s *httptest.Server, e env, network http.RoundTripper) *azblob.Driver {
	t.Helper()
	d, err := azblob.Open(t.Context(), azblob.Options{
		Account: "ours", Container: "state", Endpoint: s.URL, Getenv: e.get, Transport: network,
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// second does something when the second request comes.
type second struct {
	http.RoundTripper
	do func()
	n  atomic.Int32
}

func (s *second) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.n.Add(1) == 2 {
		s.do()
	}
	return s.RoundTripper.RoundTrip(r)
}

// refuse answers as the service does.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("x-ms-error-code", code)
	w.Header().Set("x-ms-request-id", "2d6a8d1e")
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "\ufeff<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>%s</Code><Message>%s\nRequestId:2d6a8d1e\nTime:2026-03-01T12:00:00Z</Message>"+
		"<AuthenticationErrorDetail>string to sign was hunter2</AuthenticationErrorDetail></Error>", code, message)
}

func calls(d *azblob.Driver) map[string]func(ctx context.Context) error {
	return map[string]func(ctx context.Context) error{
		"get": func(ctx context.Context) error { _, _, err := d.Get(ctx, "k", ""); return err },
		"put": func(ctx context.Context) error {
			_, err := d.Put(ctx, "k", []byte("x"), vfs.IfAbsent(), "")
			return err
		},
		"rewrite": func(ctx context.Context) error { _, err := d.Put(ctx, "k", []byte("x"), vfs.Cond{}, ""); return err },
		"delete":  func(ctx context.Context) error { return d.Delete(ctx, "k", vfs.IfVersion("0x1")) },
		"list": func(ctx context.Context) error {
			for _, err := range d.List(ctx, "", "") {
				return err
			}
			return nil
		},
		"level": func(ctx context.Context) error {
			for _, err := range d.ListDir(ctx, "a") {
				return err
			}
			return nil
		},
	}
}

// What people read when the service refuses: by the class that the caller acts
// on, the service's own words, and what to do.
func TestRefusalsAreSaidInWords(t *testing.T) {
	var answer func(w http.ResponseWriter)
	d := service(t, func(w http.ResponseWriter, _ *http.Request) { answer(w) })
	plain := func(status int, code, message string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { refuse(w, status, code, message) }
	}
	const noContainer = "there is no container state in account ours"
	for _, c := range []struct {
		call        string
		answer      func(http.ResponseWriter)
		class       error
		words, hint string
	}{
		{"get", plain(404, "BlobNotFound", "The specified blob does not exist."), fs.ErrNotExist,
			"404 Not Found (BlobNotFound): The specified blob does not exist., request 2d6a8d1e", ""},
		{"get", plain(404, "ContainerNotFound", "The specified container does not exist."), nil, "ContainerNotFound", noContainer},
		{"put", plain(404, "ContainerNotFound", "The specified container does not exist."), fs.ErrInvalid, "ContainerNotFound", noContainer},
		{"delete", plain(404, "ContainerNotFound", "The specified container does not exist."), fs.ErrInvalid, "ContainerNotFound", noContainer},
		{"list", plain(404, "ContainerNotFound", "The specified container does not exist."), nil, "ContainerNotFound", noContainer},
		{"delete", plain(404, "BlobNotFound", "The specified blob does not exist."), vfs.ErrConflict, "conflict", ""},
		{"put", plain(409, "BlobAlreadyExists", "The specified blob already exists."), vfs.ErrConflict, "conflict", ""},
		{"put", plain(412, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met."), vfs.ErrConflict, "conflict", ""},
		{"rewrite", plain(412, "LeaseIdMissing", "There is currently a lease on the blob."), fs.ErrPermission, "LeaseIdMissing", "az storage blob lease break"},
		{"put", plain(409, "BlobImmutableDueToPolicy", "This operation is not permitted as the blob is immutable."), fs.ErrPermission, "Immutable", "a policy of the container"},
		{"delete", plain(409, "SnapshotsPresent", "This operation is not permitted because the blob has snapshots."), fs.ErrPermission, "snapshots", "--delete-snapshots include"},
		{"put", plain(409, "InvalidBlobType", "The blob type is invalid."), fs.ErrInvalid, "InvalidBlobType", ""},
		{"get", plain(403, "AuthenticationFailed", "Server failed to authenticate the request."), fs.ErrPermission, "AuthenticationFailed",
			"the key in AZURE_STORAGE_KEY is not one of account ours"},
		{"list", plain(403, "AuthorizationFailure", "This request is not authorized to perform this operation."), fs.ErrPermission, "AuthorizationFailure",
			"the account's firewall may keep this network out"},
		{"get", plain(403, "KeyBasedAuthenticationNotPermitted", "Key based authentication is not permitted on this storage account."), fs.ErrPermission,
			"KeyBased", "sign in with `az login`"},
		{"get", func(w http.ResponseWriter) {
			w.Header().Set("Date", time.Now().Add(-30*time.Minute).UTC().Format(http.TimeFormat))
			refuse(w, 403, "AuthenticationFailed", "Server failed to authenticate the request.")
		}, fs.ErrPermission, "403", "this machine's clock is 30m0s ahead of the service's: set it"},
		{"get", func(w http.ResponseWriter) { w.WriteHeader(http.StatusTeapot) }, nil, "418 I'm a teapot", ""},
		{"get", func(w http.ResponseWriter) { fmt.Fprint(w, "<html>sign in to the wireless network") }, nil, "is this Azure Blob Storage?", ""},
	} {
		answer = c.answer
		said(t, calls(d)[c.call](t.Context()), c.class, c.words, c.hint)
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
	for _, secret := range []string{"hunter2", "sig=", "token-of-", base64.StdEncoding.EncodeToString([]byte("hunter2"))} {
		if strings.Contains(err.Error()+got, secret) {
			t.Errorf("%q shows %s", err.Error()+got, secret)
		}
	}
}

// A signature stands in the URL of every request, and in no error.
func TestSignaturesAreNotShown(t *testing.T) {
	sas := "sv=2024-11-04&sp=rl&se=" + time.Now().Add(time.Hour).UTC().Format(time.RFC3339) + "&sig=hunter2"
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("sig") != "hunter2" || r.Header.Get("Authorization") != "" {
			t.Errorf("a request with %s, %v", r.URL.RawQuery, r.Header)
		}
		refuse(w, 403, "AuthorizationPermissionMismatch", "This request is not authorized to perform this operation using this permission.")
	}))
	d := with(t, s, env{"AZURE_STORAGE_SAS_TOKEN": "?" + sas})
	said(t, calls(d)["put"](t.Context()), fs.ErrPermission, "AuthorizationPermissionMismatch",
		`the signature in AZURE_STORAGE_SAS_TOKEN grants "rl"; to put it has to grant c and w`)
	s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	d = over(t, s, env{"AZURE_STORAGE_SAS_TOKEN": "?" + sas}, &second{RoundTripper: s.Client().Transport, do: cancel})
	said(t, calls(d)["get"](ctx), context.Canceled, "refused", "")

	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, 403, "AuthenticationFailed", "Signature not valid in the specified time frame")
	}))
	defer s.Close()
	d = with(t, s, env{"AZURE_STORAGE_SAS_TOKEN": "sv=2024-11-04&sp=rl&se=2026-01-02T03:04:05Z&sig=hunter2"})
	said(t, calls(d)["get"](t.Context()), fs.ErrPermission, "AuthenticationFailed", "was good until 2026-01-02T03:04:05Z: make a new one")
}

// Nobody knows what became of the write: the error is none of those that say
// that it was not done.
func TestAWriteInDoubtSaysSo(t *testing.T) {
	var n atomic.Int32
	d := service(t, func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 1 {
			panic(http.ErrAbortHandler)
		}
		refuse(w, 403, "AuthenticationFailed", "the key was changed")
	})
	for _, call := range []string{"put", "rewrite", "delete"} {
		n.Store(0)
		err := calls(d)[call](t.Context())
		if err == nil || errors.Is(err, fs.ErrPermission) || errors.Is(err, vfs.ErrConflict) || !strings.Contains(err.Error(), "may have been done") {
			t.Errorf("%s: %v", call, err)
		}
	}
}

// A busy service is asked again, and the pause that it asks for is kept.
func TestABusyServiceIsAskedAgain(t *testing.T) {
	var n atomic.Int32
	d := service(t, func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1) <= 3 {
			refuse(w, 503, "ServerBusy", "The server is currently unable to receive requests.")
			return
		}
		w.Header().Set("ETag", `"0x8D"`)
		w.WriteHeader(http.StatusCreated)
	})
	if err := calls(d)["rewrite"](t.Context()); err != nil || n.Load() != 4 {
		t.Errorf("%v after %d requests", err, n.Load())
	}
}

func TestReadsAreBounded(t *testing.T) {
	var sent atomic.Int32
	d := service(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"0x8D"`)
		block := []byte(strings.Repeat(" ", 1<<20))
		for range 256 {
			if _, err := w.Write(block); err != nil {
				return
			}
			sent.Add(1)
		}
	})
	if err := calls(d)["get"](t.Context()); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("an object of 256 MiB: %v", err)
	}
	if n := sent.Load(); n > 64 {
		t.Errorf("%d MiB were taken", n)
	}
}

// A service that does not answer holds nobody who gives up, and nothing stays
// behind.
func TestGivingUpIsAtOnce(t *testing.T) {
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // a server sees its client go only after that
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer s.Close()
	defer close(release)
	d := with(t, s, env{"AZURE_STORAGE_SAS_TOKEN": "sp=r&sig=hunter2"})
	before := runtime.NumGoroutine()
	for name, call := range calls(d) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, cancel)
		begin := time.Now()
		if err := call(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want cancelled", name, err)
		}
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("%s held on for %s", name, took)
		}
	}
	s.Client().CloseIdleConnections()
	for range 100 {
		if runtime.NumGoroutine() <= before+2 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%d goroutines before, %d after", before, runtime.NumGoroutine())
}

// An account with hierarchical namespaces lists folders as blobs, a folder
// before its neighbours, and page after page. The driver's order is that of
// the bytes all the same, and folders are no objects.
func TestHierarchicalNamespacesAreSorted(t *testing.T) {
	item := func(name, rest string) string {
		return "<Blob><Name>" + name + "</Name><Properties><Etag>0x1</Etag><Content-Length>1</Content-Length>" +
			"<Last-Modified>Sun, 01 Mar 2026 12:00:00 GMT</Last-Modified>" + rest + "</Blob>"
	}
	const file = "</Properties>"
	pages := map[string]string{
		"": item("a", "<ResourceType>directory</ResourceType></Properties><Metadata><hdi_isfolder>true</hdi_isfolder></Metadata>") +
			item("a/x", file) + item("b", "</Properties><Metadata><Hdi_isfolder>true</Hdi_isfolder></Metadata>"),
		"2": item("a-b", file+"<Metadata><Stateroom>tag 1</Stateroom></Metadata>") + item("a.b", file),
	}
	d := service(t, func(w http.ResponseWriter, r *http.Request) {
		marker := r.URL.Query().Get("marker")
		next := ""
		if marker == "" {
			next = "2"
		}
		w.Header().Set("Content-Type", "application/xml")
		fmt.Fprintf(w, `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="state"><Blobs>%s</Blobs><NextMarker>%s</NextMarker></EnumerationResults>`,
			pages[marker], next)
	})
	var keys []string
	for e, err := range d.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		if e.Key == "a-b" && e.Tag != "tag 1" {
			t.Errorf("%+v, want its tag", e)
		}
		keys = append(keys, e.Key)
	}
	if want := []string{"a-b", "a.b", "a/x"}; !slices.Equal(keys, want) {
		t.Errorf("listed %q, want %q", keys, want)
	}
}

func TestOpenRefusesWhatIsNoContainer(t *testing.T) {
	for _, opt := range []azblob.Options{
		{}, {Account: "ours"}, {Account: "ours", Container: "a/b"}, {Account: "ours.example.com", Container: "state"}, {Account: "Ours", Container: "state"},
		{Account: "ours", Container: "st?ate"},
		{Account: "ours", Container: "state", Endpoint: "ftp://x"}, {Account: "ours", Container: "state", Endpoint: "https://ada:hunter2@x"},
	} {
		_, err := azblob.Open(t.Context(), opt)
		said(t, err, fs.ErrInvalid, "", "")
	}
}
