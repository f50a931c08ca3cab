package azblob_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stateroom/stateroom/test/servers"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/azblob"
)

// blob is an element of a list: a blob that was last changed on a day, as a version or
// not.
func blob(day int, version string) string {
	if version != "" {
		version = "<VersionId>" + version + "</VersionId><IsCurrentVersion>true</IsCurrentVersion>"
	}
	return fmt.Sprintf("<Blob><Name>k%d</Name>%s<Properties><Etag>0x1</Etag><Content-Length>1</Content-Length>"+
		"<Last-Modified>%s</Last-Modified></Properties></Blob>", day, version,
		time.Date(2026, 3, day, 12, 0, 0, 0, time.UTC).Format(http.TimeFormat))
}

func TestWhatDoctorIsTold(t *testing.T) {
	const old, newer = "2026-03-01T12:00:00.0000000Z", "2026-03-02T12:00:00.0000000Z"
	for name, c := range map[string]struct {
		header                 http.Header
		blobs                  string
		versioning, encryption string
	}{
		"nothing is said":      {nil, "", "", "with the account's key"},
		"not versioned":        {nil, blob(1, "") + blob(2, ""), "", "with the account's key"},
		"versioned":            {nil, blob(2, newer) + blob(1, old), "on", "with the account's key"},
		"versioned since":      {nil, blob(1, "") + blob(2, newer), "on", "with the account's key"},
		"not versioned since":  {nil, blob(1, old) + blob(2, ""), "", "with the account's key"},
		"versions are for all": {http.Header{"X-Ms-Immutable-Storage-With-Versioning-Enabled": {"true"}}, "", "on", "with the account's key"},
		"a scope":              {http.Header{"X-Ms-Default-Encryption-Scope": {"ours"}}, "", "", "with encryption scope ours"},
		"the account's scope":  {http.Header{"X-Ms-Default-Encryption-Scope": {"$account-encryption-key"}}, "", "", "with the account's key"},
	} {
		d := service(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", "Sun, 22 Nov 2026 12:00:00 GMT")
			if r.URL.Query().Get("comp") == "list" {
				w.Header().Set("Content-Type", "application/xml")
				fmt.Fprintf(w, "<EnumerationResults><Blobs>%s</Blobs><NextMarker></NextMarker></EnumerationResults>", c.blobs)
				return
			}
			for k, v := range c.header {
				w.Header()[k] = v
			}
		})
		a := d.About(t.Context())
		if a.Versioning.Value != c.versioning || (a.Versioning.Err == nil) != (c.versioning != "") || a.Encryption != (vfs.Told{Value: c.encryption}) {
			t.Errorf("%s: %+v, %+v", name, a.Versioning, a.Encryption)
		}
		if a.Credentials.Value != "environment (AZURE_STORAGE_KEY)" || a.Identity.Value != "account ours, with all rights" {
			t.Errorf("%s: %+v, %+v", name, a.Credentials, a.Identity)
		}
		if a.Clock.UTC().Format(time.DateTime) != "2026-11-22 12:00:00" || !strings.HasPrefix(a.Service.Value, "Azure Blob Storage at 127.0.0.1:") {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// A signature of a container shows none of its settings. What the address asks
// for is known all the same.
func TestWhatDoctorIsNotTold(t *testing.T) {
	c := newCloud(t)
	c.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, 403, "AuthorizationPermissionMismatch", "This request is not authorized to perform this operation using this permission.")
	})
	d, err := azblob.Open(t.Context(), azblob.Options{
		Account: "ours", Container: "state", Endpoint: c.URL, EncryptionScope: "ours", Transport: c.Client().Transport,
		Getenv: env{"AZURE_STORAGE_SAS_TOKEN": "sp=rl&se=2036-01-02T03:04:05Z&sig=hunter2"}.get,
	})
	if err != nil {
		t.Fatal(err)
	}
	a := d.About(t.Context())
	said(t, a.Versioning.Err, fs.ErrPermission, "403", "which a store can do without")
	if a.Encryption != (vfs.Told{Value: "with encryption scope ours"}) {
		t.Errorf("%+v", a.Encryption)
	}
	if a.Identity.Value != "whoever has the signature, which grants rl until 2036-01-02T03:04:05Z" || strings.Contains(fmt.Sprintf("%+v", a), "hunter2") {
		t.Errorf("%+v", a)
	}
}

func TestWhoseCredentialsDoctorIsTold(t *testing.T) {
	c := newCloud(t)
	a := with(t, c.Server, c.program()).About(t.Context())
	if a.Credentials != (vfs.Told{Value: "environment (AZURE_CLIENT_SECRET)"}) || a.Identity != (vfs.Told{Value: "application client-1"}) {
		t.Errorf("%+v, %+v", a.Credentials, a.Identity)
	}
	c.refuse = map[string]string{"error": "invalid_client", "error_description": "AADSTS7000222: The provided client secret keys are expired."}
	a = with(t, c.Server, c.program()).About(t.Context())
	said(t, a.Credentials.Err, fs.ErrPermission, "AADSTS7000222", "has expired")
	if a.Identity.Value != "" || a.Versioning.Err == nil || a.Encryption.Err == nil {
		t.Errorf("without a token: %+v", a)
	}
}

func TestDoctorBeforeAnEmulator(t *testing.T) {
	s := servers.Azurite(t)
	d := open(t, s, s.Container(t))
	if _, err := d.Put(t.Context(), "k", []byte("x"), vfs.IfAbsent(), ""); err != nil {
		t.Fatal(err)
	}
	a := d.About(t.Context())
	if a.Versioning.Value != "" || a.Versioning.Err == nil || a.Encryption.Err != nil || a.Clock.IsZero() || !strings.Contains(a.Service.Value, "Azurite") {
		t.Errorf("%+v", a)
	}
	if shown := fmt.Sprintf("%+v", a); strings.Contains(shown, s.Key) || strings.Contains(shown, base64.StdEncoding.EncodeToString([]byte(s.Key))) {
		t.Error("it shows the key")
	}
	a = open(t, s, "nowhere").About(t.Context())
	if a.Versioning.Err == nil || errors.Is(a.Versioning.Err, fs.ErrNotExist) {
		t.Errorf("of no container: %+v", a)
	}
	said(t, a.Encryption.Err, nil, "ContainerNotFound", "there is no container nowhere")
}
