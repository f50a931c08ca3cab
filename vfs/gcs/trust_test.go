package gcs_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/gcs"
)

// google plays all hosts there are: the machine has an account, and what is
// asked of a bucket is answered as the test says.
type google func(w http.ResponseWriter, r *http.Request)

func (g google) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if strings.HasPrefix(r.URL.Path, "/computeMetadata/") {
		w.Header().Set("Metadata-Flavor", "Google")
		reply(w, map[string]any{"access_token": "token-of-machine", "token_type": "Bearer", "expires_in": 3600})
	} else {
		g(w, r)
	}
	return w.Result(), nil
}

func at(t *testing.T, endpoint string, e env, network http.RoundTripper) *gcs.Driver {
	t.Helper()
	d, err := gcs.Open(t.Context(), gcs.Options{Bucket: "state", Endpoint: endpoint, Getenv: e.get, Transport: network})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// That conditions are kept is believed of Google's own service, whatever
// another calls itself.
func TestOnlyGoogleIsBelieved(t *testing.T) {
	universe := write(t, map[string]string{
		"type": "service_account", "client_email": "robot@ours", "private_key_id": "1", "private_key": key(),
		"token_uri": "https://oauth2.example.com/token", "universe_domain": "example.com",
	})
	for _, c := range []struct {
		endpoint string
		env      env
		unproven bool
	}{
		{"", nil, false},
		{"https://storage.googleapis.com", nil, false},
		{"https://storage.europe-west3.rep.googleapis.com", nil, false},
		{"", env{"GOOGLE_APPLICATION_CREDENTIALS": universe}, false},
		{"https://storage.example.com", nil, true},
		{"https://storage.googleapis.com.example.com", nil, true},
		{"", env{"STORAGE_EMULATOR_HOST": "localhost:4443"}, true},
	} {
		if d := at(t, c.endpoint, c.env, google(nil)); d.Traits().Unproven != c.unproven {
			t.Errorf("%s %v: unproven %t", d.Place(), c.env, !c.unproven)
		}
	}
}

// A proxy in between answers 404 with a page of its own: that does not say that
// there is no such object, which a store would take for a deletion.
func TestAnothersPageIsNoMissingObject(t *testing.T) {
	d := at(t, "", nil, google(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "<html><title>Error 404 (Not Found)</title>")
	}))
	_, _, get := d.Get(t.Context(), "k", "")
	_, _, poll := d.Get(t.Context(), "k", "7")
	_, put := d.Put(t.Context(), "k", nil, vfs.IfVersion("7"), "")
	for name, err := range map[string]error{"get": get, "poll": poll, "put": put, "delete": d.Delete(t.Context(), "k", vfs.Cond{})} {
		if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, vfs.ErrConflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTokensDoNotGoInTheClear(t *testing.T) {
	_, err := gcs.Open(t.Context(), gcs.Options{Bucket: "state", Endpoint: "http://storage.example.com", Getenv: env{}.get})
	said(t, err, fs.ErrInvalid, "in the clear", "")
}

// What asks for a token does not follow where the answer leads: the key's
// signature, or a secret, would go there, too.
func TestTokensAreNotAskedForElsewhere(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		t.Errorf("%s %s with %q", r.Method, r.URL, body)
	}))
	defer elsewhere.Close()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	}))
	defer s.Close()
	c := &cloud{Server: s}
	said(t, list(t.Context(), c.open(t, env{"GOOGLE_APPLICATION_CREDENTIALS": c.robot(t)})), fs.ErrPermission, "307", "")
	said(t, list(t.Context(), c.open(t, env{"GCE_METADATA_HOST": strings.TrimPrefix(s.URL, "http://")})), fs.ErrPermission, "", "")
}

// silent never answers.
type silent struct{}

func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestATokenThatDoesNotComeIsSaid(t *testing.T) {
	file := (&cloud{Server: &httptest.Server{URL: "https://oauth2.example.com"}}).robot(t)
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		err := list(t.Context(), at(t, "", env{"GOOGLE_APPLICATION_CREDENTIALS": file}, silent{}))
		if errors.Is(err, context.Canceled) || err == nil || !strings.Contains(err.Error(), "no token for "+file) {
			t.Errorf("%v", err)
		}
		if took := time.Since(begin); took > 3*time.Minute {
			t.Errorf("after %s", took)
		}
		time.Sleep(time.Minute) // what asked for the token ends by itself
	})
}

// Many requests at once ask for one token.
func TestOneTokenIsForAll(t *testing.T) {
	var asked atomic.Int32
	d := at(t, "", nil, counting{google(func(w http.ResponseWriter, _ *http.Request) { reply(w, map[string]any{}) }), &asked})
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			if err := list(t.Context(), d); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if asked.Load() != 1 {
		t.Errorf("asked %d times", asked.Load())
	}
}

type counting struct {
	google
	asked *atomic.Int32
}

func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Path, "/computeMetadata/") {
		c.asked.Add(1)
		time.Sleep(20 * time.Millisecond)
	}
	return c.google.RoundTrip(r)
}

// A list that names the same page as the next again is left.
func TestAListThatDoesNotGoOnIsAnError(t *testing.T) {
	pages := 0
	d := at(t, "", nil, google(func(w http.ResponseWriter, _ *http.Request) {
		if pages++; pages > 50 {
			w.WriteHeader(http.StatusTeapot)
		}
		reply(w, map[string]any{"nextPageToken": "1"})
	}))
	if err := list(t.Context(), d); err == nil || pages > 3 {
		t.Errorf("%v after %d pages", err, pages)
	}
}
