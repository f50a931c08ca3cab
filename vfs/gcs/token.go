package gcs

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/stateroom/stateroom/internal/wire"
)

// tokens keeps the newest token, and asks for the next shortly before it ends.
type tokens struct {
	source oauth2.TokenSource
	seen   *witness
	file   string // that has the credentials; "": the machine's account
	user   string // whose they are; "": the file does not say

	turn chan struct{} // of one place: to look at last, and to ask
	last *oauth2.Token
}

func newTokens(source oauth2.TokenSource, seen *witness, file, user string) *tokens {
	return &tokens{source: source, seen: seen, file: file, user: user, turn: make(chan struct{}, 1)}
}

// token returns the value of a request's Authorization header.
func (t *tokens) token(ctx context.Context) (string, *wire.Failure) {
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return "", t.unanswered(ctx, context.Cause(ctx))
	}
	if t.last.Valid() { // by the clock on the wall: a machine that slept has old ones
		defer func() { <-t.turn }()
		return t.last.Type() + " " + t.last.AccessToken, nil
	}
	type answer struct {
		token *oauth2.Token
		f     *wire.Failure
	}
	answers := make(chan answer, 1) // sources take no context: one that hangs ends by its client's timeout
	go func() {
		var a answer
		a.token, a.f = t.ask(ctx)
		<-t.turn
		answers <- a
	}()
	select {
	case <-ctx.Done():
		return "", t.unanswered(ctx, context.Cause(ctx))
	case a := <-answers:
		if a.f != nil {
			return "", a.f
		}
		return a.token.Type() + " " + a.token.AccessToken, nil
	}
}

// ask asks the source, or says in words why there is no token. The sources tell
// what they were answered in words alone, with all of an answer in them: what is
// shown is what the witness saw of it.
func (t *tokens) ask(ctx context.Context) (*oauth2.Token, *wire.Failure) {
	*t.seen = witness{RoundTripper: t.seen.RoundTripper}
	token, err := t.source.Token()
	switch {
	case err == nil:
		t.last = token
		return token, nil
	case errors.Is(err, errUnattached):
		return nil, &wire.Failure{Err: refused(err)}
	case t.seen.err != nil:
		return nil, t.unanswered(ctx, t.seen.err)
	case t.seen.status/100 != 2 && t.seen.status != 0:
		return nil, t.denied()
	}
	line, _, _ := strings.Cut(err.Error(), "\n") // what a program printed stands on the next one
	return nil, &wire.Failure{Err: refused(fmt.Errorf("no token for %s: %s", t.from(), wire.Brief(line)))}
}

func (t *tokens) from() string { return cmp.Or(t.file, "the machine's account") }

// unanswered is the failure of a request for a token that got no answer. Nothing
// was asked of the store then.
func (t *tokens) unanswered(ctx context.Context, err error) *wire.Failure {
	f := wire.Unanswered(ctx, err)
	e := refused(fmt.Errorf("no token for %s: %w", t.from(), f.Err))
	e.Class = nil
	var h interface{ Hint() string }
	if errors.As(f.Err, &h) {
		e.Advice = h.Hint()
	}
	f.Err, f.Doubt = e, false
	return f
}

// denied is the failure of a request for a token that was answered with a
// refusal, of which only the code and the sentence are shown.
func (t *tokens) denied() *wire.Failure {
	var body struct {
		Error       any    `json:"error"` // a word, or an object
		Description string `json:"error_description"`
	}
	_ = json.Unmarshal(t.seen.body, &body) // no JSON: the status says enough
	word, _ := body.Error.(string)
	status := t.seen.status
	e := refused(fmt.Errorf("%s is refused a token: %s", t.from(), wire.Brief(fmt.Sprintf("%d %s %s", status, word, body.Description))))
	e.Advice = cmp.Or(hintOf(word, body.Description), e.Advice)
	f := &wire.Failure{Err: e}
	if status == http.StatusTooManyRequests || status >= 500 {
		e.Class, f.Again = nil, true
	}
	return f
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

// witness is a transport that remembers how its last request ended. It is used
// by one goroutine at a time.
type witness struct {
	http.RoundTripper
	err    error // there was no answer
	status int   // of the answer
	body   []byte
}

// RoundTrip makes a request.
func (w *witness) RoundTrip(req *http.Request) (*http.Response, error) {
	w.status, w.body = 0, nil
	var resp *http.Response
	if resp, w.err = w.RoundTripper.RoundTrip(req); w.err != nil {
		return nil, w.err
	}
	w.status = resp.StatusCode
	if w.status/100 != 2 {
		w.body, _ = io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // cut short: the status says enough
		resp.Body.Close()
		resp.Body = io.NopCloser(bytes.NewReader(w.body))
	}
	return resp, nil
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
