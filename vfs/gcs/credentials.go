package gcs

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	client := &http.Client{Transport: wire.Bounded(transport), CheckRedirect: wire.NoRedirects, Timeout: tokenTime}
	file, named := getenv("GOOGLE_APPLICATION_CREDENTIALS"), true
	if file == "" {
		file, named = wellKnown(getenv), false
	}
	c := credentials{universe: "googleapis.com", quotaProject: getenv("GOOGLE_CLOUD_QUOTA_PROJECT")}
	text, err := readFile(file)
	switch {
	case err == nil:
		err = c.read(ctx, file, text, client)
		return c, err
	case named || !errors.Is(err, fs.ErrNotExist):
		return c, refused(fmt.Errorf("read the credentials in %s: %w", file, cause(err)))
	}
	c.tokens = newTokens(attached{host: getenv("GCE_METADATA_HOST"), client: client}, "", "")
	return c, nil
}

// read takes in a file of credentials. What it holds is never part of an error.
func (c *credentials) read(ctx context.Context, file string, text []byte, client *http.Client) error {
	var head struct {
		Type         google.CredentialsType `json:"type"`
		Universe     string                 `json:"universe_domain"`
		QuotaProject string                 `json:"quota_project_id"`
		Email        string                 `json:"client_email"`
	}
	bad := func(format string, args ...any) error {
		return refused(fmt.Errorf("credentials in "+file+": "+format, args...))
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
	if head.Universe != "" {
		c.universe = head.Universe
	}
	if c.quotaProject == "" {
		c.quotaProject = head.QuotaProject
	}
	c.tokens = newTokens(found.TokenSource, file, head.Email)
	return nil
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

// tokens keeps the newest token, and asks for the next shortly before it ends.
type tokens struct {
	source oauth2.TokenSource
	file   string // that has the credentials; "": the machine's account
	user   string // whose they are; "": the file does not say

	turn chan struct{} // of one place: to look at last, and to ask
	last *oauth2.Token
}

func newTokens(source oauth2.TokenSource, file, user string) *tokens {
	return &tokens{source: source, file: file, user: user, turn: make(chan struct{}, 1)}
}

// token returns the value of a request's Authorization header.
func (t *tokens) token(ctx context.Context) (string, error) {
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return "", t.explain(context.Cause(ctx))
	}
	if t.last.Valid() { // by the clock on the wall: a machine that slept has old ones
		defer func() { <-t.turn }()
		return t.last.Type() + " " + t.last.AccessToken, nil
	}
	type answer struct {
		token *oauth2.Token
		err   error
	}
	answers := make(chan answer, 1) // sources take no context: one that hangs ends by its client's timeout
	go func() {
		token, err := t.source.Token()
		if err == nil {
			t.last = token
		}
		<-t.turn
		answers <- answer{token, err}
	}()
	select {
	case <-ctx.Done():
		return "", t.explain(context.Cause(ctx))
	case a := <-answers:
		if a.err != nil {
			return "", t.explain(a.err)
		}
		return a.token.Type() + " " + a.token.AccessToken, nil
	}
}

// attached is the account of the machine, or of the pod, that this runs on.
type attached struct {
	host   string // "" is the address that all such machines have
	client *http.Client
}

// Token asks the metadata server.
func (a attached) Token() (*oauth2.Token, error) {
	host := a.host
	if host == "" {
		host = "169.254.169.254"
	}
	req, err := http.NewRequest(http.MethodGet, "http://"+host+"/computeMetadata/v1/instance/service-accounts/default/token?scopes="+
		url.QueryEscape(scope), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Metadata-Flavor", "Google")
	client := *a.client
	client.Timeout = 3 * time.Second // it is next to us, or it is not there
	resp, err := client.Do(req)
	if err != nil {
		return nil, errUnattached
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil || resp.StatusCode == http.StatusNotFound || resp.Header.Get("Metadata-Flavor") != "Google" {
		return nil, errUnattached
	}
	var t struct {
		Token   string `json:"access_token"`
		Kind    string `json:"token_type"`
		Seconds int64  `json:"expires_in"`
	}
	if resp.StatusCode != http.StatusOK || json.Unmarshal(body, &t) != nil || t.Token == "" {
		return nil, fmt.Errorf("the metadata server answered %d", resp.StatusCode)
	}
	return &oauth2.Token{AccessToken: t.Token, TokenType: t.Kind, Expiry: time.Now().Add(time.Duration(t.Seconds) * time.Second)}, nil
}

var errUnattached = errors.New("there is no file of credentials, and this machine has no account attached")

// refused is the error of credentials that are missing, or do not work.
func refused(err error) *wire.CredentialsError {
	return &wire.CredentialsError{Cloud: "Google", Err: err, Class: fs.ErrPermission, Advice: signIn + "; on Google's machines attach a service account"}
}

// explain says in words why there is no token. Of an answer of the service
// only its error code and sentence are said.
func (t *tokens) explain(err error) error {
	from := "the machine's account"
	if t.file != "" {
		from = t.file
	}
	var (
		answer  *oauth2.RetrieveError
		network net.Error
		e       *wire.CredentialsError
	)
	switch {
	case errors.Is(err, errUnattached):
		return refused(err)
	case errors.As(err, &answer):
		code := 0
		if answer.Response != nil {
			code = answer.Response.StatusCode
		}
		word, sentence := refusal(answer)
		e = refused(fmt.Errorf("%s is refused a token: %s", from, wire.Brief(fmt.Sprintf("%d %s %s", code, word, sentence))))
		if code == http.StatusTooManyRequests || code >= 500 {
			e.Class = nil
		}
		e.Advice = cmp.Or(hintOf(word, sentence), e.Advice)
	default:
		e = refused(fmt.Errorf("no token for %s: %w", from, wire.Bare(err)))
		if errors.As(err, &network) {
			e.Class = nil
		}
	}
	return e
}

// refusal is the error code and the sentence of an answer. Not all sources of
// tokens take them out of its body.
func refusal(e *oauth2.RetrieveError) (word, sentence string) {
	if e.ErrorCode != "" {
		return e.ErrorCode, e.ErrorDescription
	}
	var body struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(e.Body, &body) != nil {
		return "", ""
	}
	return body.Error, body.Description
}

// hintOf knows the usual refusals.
func hintOf(code, description string) string {
	switch description = strings.ToLower(description); {
	case strings.Contains(description, "reasonable timeframe"), strings.Contains(description, "iat and exp"):
		return "this machine's clock is probably wrong: set it"
	case strings.Contains(description, "signature"), strings.Contains(description, "account not found"):
		return "the key was removed, or its account: make a new key file and name it in GOOGLE_APPLICATION_CREDENTIALS"
	case code == "invalid_grant", code == "invalid_rapt":
		return "the credentials have expired or were revoked: `gcloud auth application-default login` makes new ones"
	}
	return ""
}

// temporary reports whether asking again may help.
func temporary(err error) bool {
	var e *wire.CredentialsError
	return errors.As(err, &e) && e.Class == nil
}
