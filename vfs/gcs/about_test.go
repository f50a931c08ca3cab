package gcs_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stateroom/stateroom/internal/wire"
	"github.com/stateroom/stateroom/test/servers"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/gcs"
)

// bucket answers what is asked of the bucket itself, and gives out no tokens.
type bucket struct {
	t      *testing.T
	status int
	body   string
}

func (b bucket) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet || r.URL.Path != "/storage/v1/b/state" {
		b.t.Errorf("%s %s", r.Method, r.URL)
	}
	w := &http.Response{StatusCode: b.status, Header: http.Header{"Date": {"Sun, 22 Nov 2026 12:00:00 GMT"}}, Request: r}
	w.Body = http.NoBody
	if b.body != "" {
		w.Body = body{strings.NewReader(b.body)}
	}
	return w, nil
}

type body struct{ *strings.Reader }

func (body) Close() error { return nil }

func TestWhatDoctorIsTold(t *testing.T) {
	for _, c := range []struct{ settings, versioning, encryption string }{
		{`{}`, "off", "with the service's keys"},
		{`{"versioning":{"enabled":true},"softDeletePolicy":{"retentionDurationSeconds":"604800"}}`, "on", "with the service's keys"},
		{`{"softDeletePolicy":{"retentionDurationSeconds":"604800"}}`, "on for 7 days (soft delete)", "with the service's keys"},
		{`{"softDeletePolicy":{"retentionDurationSeconds":"0"},"encryption":{"defaultKmsKeyName":"projects/p/k"}}`, "off", "with key projects/p/k"},
	} {
		d, err := gcs.Open(t.Context(), gcs.Options{
			Bucket: "state", Getenv: env{"STORAGE_EMULATOR_HOST": "localhost:1"}.get, Transport: bucket{t, 200, c.settings},
		})
		if err != nil {
			t.Fatal(err)
		}
		a := d.About(t.Context())
		if a.Versioning != (vfs.Told{Value: c.versioning}) || a.Encryption != (vfs.Told{Value: c.encryption}) {
			t.Errorf("%s: %+v, %+v", c.settings, a.Versioning, a.Encryption)
		}
		if a.Clock.UTC().Format(time.DateTime) != "2026-11-22 12:00:00" || a.Service.Value != "Google Cloud Storage at localhost:1" {
			t.Errorf("%+v", a)
		}
	}
}

// Who may not look at the bucket's settings reads so, and that a store does
// not need them. A key that the address names is known all the same.
func TestWhatDoctorIsNotTold(t *testing.T) {
	d, err := gcs.Open(t.Context(), gcs.Options{
		Bucket: "state", KMSKey: "ours", Getenv: env{"STORAGE_EMULATOR_HOST": "localhost:1"}.get,
		Transport: bucket{t, 403, `{"error":{"message":"ada does not have storage.buckets.get access."}}`},
	})
	if err != nil {
		t.Fatal(err)
	}
	a := d.About(t.Context())
	said(t, a.Versioning.Err, fs.ErrPermission, "ada does not have storage.buckets.get access", "which a store can do without")
	if a.Encryption != (vfs.Told{Value: "with key ours"}) {
		t.Errorf("%+v", a.Encryption)
	}
}

func TestWhoseCredentialsDoctorIsTold(t *testing.T) {
	c := newCloud(t)
	file := c.robot(t)
	a := c.open(t, env{"GOOGLE_APPLICATION_CREDENTIALS": file}).About(t.Context())
	if a.Credentials != (vfs.Told{Value: "file " + file}) || !strings.Contains(a.Identity.Value, "@") {
		t.Errorf("%+v, %+v", a.Credentials, a.Identity)
	}
	if shown := fmt.Sprintf("%+v", a); strings.Contains(shown, "token-of") || strings.Contains(shown, "PRIVATE") || strings.Contains(shown, "hunter2") {
		t.Errorf("it shows a secret: %s", shown)
	}
	a = c.open(t, env{"GCE_METADATA_HOST": "127.0.0.1:1"}).About(t.Context())
	var refused *wire.CredentialsError
	if !errors.As(a.Credentials.Err, &refused) || a.Versioning.Err == nil || a.Encryption.Err == nil {
		t.Errorf("without credentials: %+v", a)
	}
}

func TestDoctorBeforeAnEmulator(t *testing.T) {
	s := servers.FakeGCS(t)
	a := open(t, s.Endpoint, s.Bucket(t)).About(t.Context())
	if a.Versioning != (vfs.Told{Value: "off"}) || a.Encryption.Err != nil || a.Clock.IsZero() {
		t.Errorf("%+v", a)
	}
	a = open(t, s.Endpoint, "nowhere").About(t.Context())
	if a.Versioning.Err == nil || errors.Is(a.Versioning.Err, fs.ErrNotExist) || !strings.Contains(fmt.Sprint(a.Versioning.Err), "404") {
		t.Errorf("of no bucket: %+v", a)
	}
}
