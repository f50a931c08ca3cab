package azblob_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/azblob"
)

// A proxy in between answers 404 with a page of its own: that does not say that
// there is no such blob, which a store would take for a deletion.
func TestAnothersPageIsNoMissingBlob(t *testing.T) {
	d := service(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "<html><title>404</title>")
	})
	for _, call := range []string{"get", "put", "delete"} {
		err := calls(d)[call](t.Context())
		if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, vfs.ErrConflict) {
			t.Errorf("%s: %v", call, err)
		}
		said(t, err, nil, "404", "not how Azure Blob Storage answers")
	}
}

// What answers well to a write but names no version may have done it.
func TestAWriteWithoutAVersionIsInDoubt(t *testing.T) {
	d := service(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) })
	for _, call := range []string{"put", "rewrite"} {
		err := calls(d)[call](t.Context())
		if err == nil || errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%s: %v", call, err)
		}
		said(t, err, nil, "it may have been done", "")
	}
}

// Signatures and tokens are sent as they are: not over plain HTTP to another
// machine. A key only signs.
func TestCredentialsDoNotGoInTheClear(t *testing.T) {
	for _, e := range []env{
		{"AZURE_STORAGE_SAS_TOKEN": "sp=rl&sig=hunter2"},
		{"AZURE_STORAGE_CONNECTION_STRING": "AccountName=ours;BlobEndpoint=http://blobs.example.com;SharedAccessSignature=sp=rl&sig=hunter2"},
		{"AZURE_TENANT_ID": "tenant-1", "AZURE_CLIENT_ID": "client-1", "AZURE_CLIENT_SECRET": "hunter2"},
	} {
		_, err := azblob.Open(t.Context(), azblob.Options{Account: "ours", Container: "state", Endpoint: "http://blobs.example.com", Getenv: e.get})
		said(t, err, fs.ErrInvalid, "in the clear", "")
	}
	e := env{"AZURE_STORAGE_KEY": base64.StdEncoding.EncodeToString([]byte("hunter2"))}
	if _, err := azblob.Open(t.Context(), azblob.Options{Account: "ours", Container: "state", Endpoint: "http://blobs.example.com", Getenv: e.get}); err != nil {
		t.Error(err)
	}
}

// What asks for a token does not follow where the answer leads: the secret
// would go there, too.
func TestTokensAreNotAskedForElsewhere(t *testing.T) {
	c := newCloud(t)
	elsewhere := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		t.Errorf("%s %s with %q", r.Method, r.URL, body)
	}))
	defer elsewhere.Close()
	directory := c.Config.Handler
	c.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/token") {
			http.Redirect(w, r, elsewhere.URL+"/token", http.StatusTemporaryRedirect)
			return
		}
		directory.ServeHTTP(w, r)
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := list(ctx, with(t, c.Server, c.program())); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "307") {
		t.Errorf("%v", err)
	}
}

// A list that names the same page as the next again is left.
func TestAListThatDoesNotGoOnIsAnError(t *testing.T) {
	pages := 0
	d := service(t, func(w http.ResponseWriter, _ *http.Request) {
		if pages++; pages > 50 {
			w.WriteHeader(http.StatusTeapot)
		}
		w.Header().Set("Content-Type", "application/xml")
		fmt.Fprint(w, `<?xml version="1.0"?><EnumerationResults><Blobs></Blobs><NextMarker>1</NextMarker></EnumerationResults>`)
	})
	for _, call := range []string{"list", "level"} {
		pages = 0
		if err := calls(d)[call](t.Context()); err == nil || pages > 3 {
			t.Errorf("%s: %v after %d pages", call, err, pages)
		}
	}
}

// The service takes a \ for a /: what is written to one key would be in another.
func TestAKeyThatIsAnotherIsRefused(t *testing.T) {
	d := service(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s %s", r.Method, r.URL) })
	_, _, get := d.Get(t.Context(), `a\b`, "")
	_, put := d.Put(t.Context(), `a\b`, nil, vfs.Cond{}, "")
	for _, err := range []error{get, put, d.Delete(t.Context(), `a\b`, vfs.Cond{})} {
		if !errors.Is(err, fs.ErrInvalid) {
			t.Error(err)
		}
	}
}

// An account that does not exist is a host that does not.
func TestAnAccountThatIsNotThere(t *testing.T) {
	d, err := azblob.Open(t.Context(), azblob.Options{
		Account: "ours", Container: "state", Endpoint: "https://nobody.invalid", Getenv: env{"AZURE_STORAGE_KEY": "eA=="}.get,
		Transport: unknownHost{},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Put(t.Context(), "k", nil, vfs.IfAbsent(), "")
	said(t, err, nil, "there is no host nobody.invalid", "there is no storage account ours")
	if errors.Is(err, fs.ErrInvalid) || strings.HasPrefix(err.Error(), "0") {
		t.Error(err)
	}
}

type unknownHost struct{}

func (unknownHost) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, &net.DNSError{Err: "no such host", Name: r.URL.Hostname(), IsNotFound: true}
}

// A directory that is not reached, or in trouble, is no want of permission, and
// signing in does not help.
func TestADirectoryInTrouble(t *testing.T) {
	c := newCloud(t)
	dead := httptest.NewTLSServer(http.NotFoundHandler())
	dead.Close()
	sick := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	defer sick.Close()
	for _, directory := range []string{dead.URL, sick.URL} {
		e := c.program()
		e["AZURE_AUTHORITY_HOST"] = directory
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		err := list(ctx, with(t, c.Server, e))
		cancel()
		said(t, err, context.DeadlineExceeded, "AZURE_CLIENT_SECRET got no token", "the directory that gives out tokens")
		if errors.Is(err, fs.ErrPermission) {
			t.Error(err)
		}
	}
}
