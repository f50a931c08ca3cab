package gcs

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"github.com/stateroom/stateroom/internal/wire"
)

const (
	scope     = "https://www.googleapis.com/auth/devstorage.read_write"
	tokenTime = 30 * time.Second // for one request of the many that a token may take
)

// credentials are the application default credentials, as every program for
// this cloud finds them.
type credentials struct {
	tokens       *tokens
	universe     string // googleapis.com, or that of another cloud of the kind
	quotaProject string // pays for requests; "" usually
}

// kinds are the files of credentials that are taken.
var kinds = []google.CredentialsType{
	google.ServiceAccount, google.AuthorizedUser, google.ExternalAccount,
	google.ExternalAccountAuthorizedUser, google.ImpersonatedServiceAccount,
}

// findCredentials looks where the environment says, then where gcloud leaves
// the credentials of a person, and else trusts that the machine has an account
// attached: which is asked for with the first request.
func findCredentials(ctx context.Context, getenv func(string) string, transport http.RoundTripper) (credentials, error) {
	seen := &witness{RoundTripper: wire.Bounded(transport)}
	client := &http.Client{Transport: seen, CheckRedirect: wire.NoRedirects, Timeout: tokenTime}
	file, named := getenv("GOOGLE_APPLICATION_CREDENTIALS"), true
	if file == "" {
		file, named = wellKnown(getenv), false
	}
	c := credentials{universe: "googleapis.com", quotaProject: getenv("GOOGLE_CLOUD_QUOTA_PROJECT")}
	text, err := readFile(file)
	switch {
	case err == nil:
		source, user, err := c.read(ctx, file, text, client)
		c.tokens = newTokens(source, seen, file, user)
		return c, err
	case named || !errors.Is(err, fs.ErrNotExist):
		return c, refused(fmt.Errorf("read the credentials in %s: %w", file, cause(err)))
	}
	c.tokens = newTokens(attached{host: getenv("GCE_METADATA_HOST"), client: client}, seen, "", "")
	return c, nil
}

// read takes in a file of credentials, and returns what gives tokens for them,
// and whose they are. What it holds is never part of an error.
func (c *credentials) read(ctx context.Context, file string, text []byte, client *http.Client) (source oauth2.TokenSource, user string, err error) {
	var head struct {
		Type         google.CredentialsType `json:"type"`
		Universe     string                 `json:"universe_domain"`
		QuotaProject string                 `json:"quota_project_id"`
		Email        string                 `json:"client_email"`
	}
	bad := func(format string, args ...any) (oauth2.TokenSource, string, error) {
		return nil, "", refused(fmt.Errorf("credentials in "+file+": "+format, args...))
	}
	if json.Unmarshal(text, &head) != nil {
		return bad("no JSON")
	}
	if !slices.Contains(kinds, head.Type) {
		return bad("their type is %q, not one of %q", wire.Brief(string(head.Type)), kinds)
	}
	// Tokens are fetched again and again long after this call.
	ctx = context.WithValue(context.WithoutCancel(ctx), oauth2.HTTPClient, client)
	found, err := google.CredentialsFromJSONWithType(ctx, text, head.Type, scope)
	if err != nil {
		return bad("not as a file of type %s is", head.Type)
	}
	c.universe = cmp.Or(head.Universe, c.universe)
	c.quotaProject = cmp.Or(c.quotaProject, head.QuotaProject)
	return found.TokenSource, head.Email, nil
}

// wellKnown is the file in which gcloud leaves a person's credentials.
func wellKnown(getenv func(string) string) string {
	dir := getenv("CLOUDSDK_CONFIG")
	switch {
	case dir != "":
	case getenv("APPDATA") != "":
		dir = filepath.Join(getenv("APPDATA"), "gcloud")
	case getenv("HOME") != "":
		dir = filepath.Join(getenv("HOME"), ".config", "gcloud")
	default:
		return ""
	}
	return filepath.Join(dir, "application_default_credentials.json")
}

// readFile reads a small file. The name "" is of none.
func readFile(name string) ([]byte, error) {
	if name == "" {
		return nil, fs.ErrNotExist
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 1<<20))
}

// cause drops from err the name of the file, which the text has already.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// refused is the error of credentials that are missing, or do not work.
func refused(err error) *wire.CredentialsError {
	return &wire.CredentialsError{Cloud: "Google", Err: err, Class: fs.ErrPermission, Advice: signIn + "; on Google's machines attach a service account"}
}
