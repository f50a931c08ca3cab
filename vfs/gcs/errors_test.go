package gcs_test

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/gcs"
)

// What people read when the service refuses: by the class that the caller acts
// on, the service's own words, and what to do.
func TestRefusalsAreSaidInWords(t *testing.T) {
	var answer func(w http.ResponseWriter)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w) }))
	defer s.Close()
	d := open(t, s.URL, "state")
	xml := func(status int, code, message string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.WriteHeader(status)
			fmt.Fprintf(w, `<?xml version='1.0' encoding='UTF-8'?><Error><Code>%s</Code><Message>%s</Message></Error>`, code, message)
		}
	}
	js := func(status int, reason, message string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { refuse(w, status, reason, message) }
	}
	calls := map[string]func(ctx context.Context) error{
		"get":    func(ctx context.Context) error { _, _, err := d.Get(ctx, "k", ""); return err },
		"poll":   func(ctx context.Context) error { _, _, err := d.Get(ctx, "k", "7"); return err },
		"put":    func(ctx context.Context) error { _, err := d.Put(ctx, "k", nil, vfs.IfAbsent(), ""); return err },
		"delete": func(ctx context.Context) error { return d.Delete(ctx, "k", vfs.Cond{}) },
		"list":   func(ctx context.Context) error { return list(ctx, d) },
	}
	const noBucket = "there is no bucket state: look at the name, or make it with `gcloud storage buckets create gs://state"
	for _, c := range []struct {
		call        string
		answer      func(http.ResponseWriter)
		class       error
		words, hint string
	}{
		{"get", xml(404, "NoSuchKey", "The specified key does not exist."), fs.ErrNotExist, "404 Not Found (NoSuchKey)", ""},
		{"get", xml(404, "NoSuchBucket", "The specified bucket does not exist."), nil, "404 Not Found (NoSuchBucket)", noBucket},
		{"poll", js(404, "notFound", "The specified bucket does not exist."), nil, "(notFound)", noBucket},
		{"put", js(404, "notFound", "The specified bucket does not exist."), fs.ErrInvalid, "(notFound)", noBucket},
		{"delete", js(404, "notFound", "The specified bucket does not exist."), fs.ErrInvalid, "(notFound)", noBucket},
		{"list", js(404, "notFound", "The specified bucket does not exist."), nil, "(notFound)", noBucket},
		{"get", xml(403, "AccessDenied", "Access denied."), fs.ErrPermission, "403 Forbidden (AccessDenied): Access denied.",
			"the account needs storage.objects.get on bucket state: grant it roles/storage.objectViewer to read"},
		{"put", js(403, "forbidden", "robot does not have storage.objects.create access"), fs.ErrPermission, "request ABPtcPq",
			"storage.objects.create, and storage.objects.delete to replace on bucket state: grant it roles/storage.objectUser"},
		{"delete", js(403, "forbidden", "no"), fs.ErrPermission, "403", "storage.objects.delete"},
		{"list", js(401, "required", "Anonymous caller does not have storage.objects.list access"), fs.ErrPermission, "401 Unauthorized (required)", "gcloud auth"},
		{"get", xml(400, "UserProjectMissing", "Bucket is a requester pays bucket but no user project provided."), fs.ErrInvalid,
			"UserProjectMissing", "add ?userProject=PROJECT to its address"},
		{"get", func(w http.ResponseWriter) { w.WriteHeader(http.StatusTeapot) }, nil, "418 I'm a teapot", ""},
		{"get", func(w http.ResponseWriter) { fmt.Fprint(w, "<html>sign in to the wireless network") }, nil, "is this Google Cloud Storage?", ""},
		{"list", func(w http.ResponseWriter) { fmt.Fprint(w, "<html>sign in to the wireless network") }, nil, "no JSON", ""},
		{"get", func(w http.ResponseWriter) {
			w.Header().Set("Location", "https://elsewhere.example.com/")
			w.WriteHeader(http.StatusFound)
		}, nil, "302 Found", ""},
		{"get", func(w http.ResponseWriter) {
			w.Header().Set("Date", time.Now().Add(2*time.Hour).UTC().Format(http.TimeFormat))
			refuse(w, 401, "authError", "Invalid Credentials")
		}, fs.ErrPermission, "Invalid Credentials", "this machine's clock is 2h0m0s behind the service's: set it"},
	} {
		answer = c.answer
		said(t, calls[c.call](t.Context()), c.class, c.words, c.hint)
	}
}

// Bytes that were damaged on the way are sent again.
func TestDamagedWritesAreRepeated(t *testing.T) {
	_, endpoint := newJudge(t, before(func(n int, w http.ResponseWriter, _ func()) bool {
		if n > 0 {
			return false
		}
		refuse(w, 400, "invalid", `Provided CRC32C "yZRlqg==" doesn't match calculated CRC32C "AAAAAA==".`)
		return true
	}))
	if _, err := open(t, endpoint, "state").Put(t.Context(), "k", []byte("x"), vfs.IfAbsent(), ""); err != nil {
		t.Error(err)
	}
}

func TestOpenRefusesWhatIsNoBucket(t *testing.T) {
	for _, opt := range []gcs.Options{
		{}, {Bucket: "a/b"}, {Bucket: "UPPER"}, {Bucket: "a..b"}, {Bucket: "ab"}, {Bucket: strings.Repeat("a", 223)},
		{Bucket: "state", Endpoint: "ftp://x"}, {Bucket: "state", Endpoint: "https://ada:hunter2@x"}, {Bucket: "state", Endpoint: "https://"},
	} {
		_, err := gcs.Open(t.Context(), opt)
		said(t, err, fs.ErrInvalid, "", "")
	}
}

// The options of the address reach the service.
func TestKeysAndPayersAreSent(t *testing.T) {
	j, endpoint := newJudge(t, nil)
	d, err := gcs.Open(t.Context(), gcs.Options{
		Bucket: "state", UserProject: "they", KMSKey: "projects/p/locations/l/keyRings/r/cryptoKeys/k",
		Getenv: env{"STORAGE_EMULATOR_HOST": strings.TrimPrefix(endpoint, "http://")}.get,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Put(t.Context(), "k", []byte("x"), vfs.Cond{}, ""); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Get(t.Context(), "k", ""); err != nil {
		t.Fatal(err)
	}
	for _, r := range j.requests {
		if r.Header.Get("X-Goog-User-Project") != "they" || r.Header.Get("Authorization") != "" {
			t.Errorf("%s %s with %v", r.Method, r.URL, r.Header)
		}
	}
	if q := j.requests[0].URL.Query(); q.Get("kmsKeyName") != "projects/p/locations/l/keyRings/r/cryptoKeys/k" {
		t.Errorf("an upload with %v", q)
	}
	if got, want := d.Place(), "gs "+strings.TrimPrefix(endpoint, "http://")+"/state"; got != want {
		t.Errorf("Place() = %q, want %q", got, want)
	}
}
