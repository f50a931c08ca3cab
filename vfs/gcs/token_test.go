package gcs_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What passes is tried again, whatever kind of credentials there are, and is
// not told as a want of permission.
func TestATokenServiceInTroubleIsAskedAgain(t *testing.T) {
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/storage/") {
			reply(w, map[string]any{})
			return
		}
		w.Header().Set("Metadata-Flavor", "Google")
		switch asked++; asked {
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 2:
			panic(http.ErrAbortHandler)
		default:
			reply(w, map[string]any{
				"access_token": "token-of-it", "token_type": "Bearer", "expires_in": 3600,
				"issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
			})
		}
	}))
	defer s.Close()
	c := &cloud{Server: s}
	for how, e := range map[string]env{
		"a key file":           {"GOOGLE_APPLICATION_CREDENTIALS": c.robot(t)},
		"a federated identity": {"GOOGLE_APPLICATION_CREDENTIALS": c.pod(t)},
	} {
		asked = 0
		if err := list(t.Context(), c.open(t, e)); err != nil || asked != 3 {
			t.Errorf("%s: %v after %d", how, err, asked)
		}
	}
}

// A token service that is not reached says so soon, and what to look at.
func TestATokenServiceThatIsNotReached(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	c := &cloud{Server: s}
	begin := time.Now()
	err := list(t.Context(), c.open(t, env{"GOOGLE_APPLICATION_CREDENTIALS": c.robot(t)}))
	said(t, err, nil, "connection refused", "nothing listens there")
	if took := time.Since(begin); errors.Is(err, fs.ErrPermission) || took > 10*time.Second {
		t.Errorf("%v after %s", err, took)
	}
}

// Of an answer of any token service only its code and sentence are shown, and
// of what a program prints nothing.
func TestWhatASourceOfTokensSaysIsNotShown(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error": "invalid_grant", "error_description": "The audience does not exist.", "subject": "hunter2"}`)
	}))
	defer s.Close()
	c := &cloud{Server: s}
	said(t, list(t.Context(), c.open(t, env{"GOOGLE_APPLICATION_CREDENTIALS": c.pod(t)})), fs.ErrPermission,
		"is refused a token: 400 invalid_grant The audience does not exist.", "gcloud auth")

	t.Setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1")
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho '{\"id_token\": \"hunter2\"'\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	file := write(t, map[string]any{
		"type": "external_account", "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
		"subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "token_url": s.URL + "/sts",
		"credential_source": map[string]any{"executable": map[string]any{"command": program, "timeout_millis": 10000}},
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	said(t, list(ctx, c.open(t, env{"GOOGLE_APPLICATION_CREDENTIALS": file})), fs.ErrPermission, "no token for "+file, "")
}
