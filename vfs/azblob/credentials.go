package azblob

import (
	"cmp"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/stateroom/stateroom/internal/wire"
	"github.com/stateroom/stateroom/vfs"
)

// access is how a store is allowed in: by one of a key, a signature or tokens.
type access struct {
	account  string
	key      string                 // of the account, base64
	sas      string                 // a shared access signature, without "?"
	token    azcore.TokenCredential // asks Microsoft Entra ID
	searched bool                   // token is whatever was found, and perhaps nothing
	endpoint string                 // from a connection string; ""
	from     string                 // where it was found, for people
	id       string                 // of the application that asks for tokens; "": not known
}

// findAccess looks where the tools of this cloud look: a connection string, a
// key, a signature, and else an identity. What the environment says for
// another account is left aside, so that two accounts can be used at once.
func findAccess(opt Options) (access, error) {
	if opt.Credential != nil {
		return access{token: opt.Credential, from: "the program"}, nil
	}
	if text := opt.Getenv("AZURE_STORAGE_CONNECTION_STRING"); text != "" {
		a, err := parseConnection(text)
		if err != nil || a.account == opt.Account {
			return a, err
		}
	}
	if named := opt.Getenv("AZURE_STORAGE_ACCOUNT"); named == "" || named == opt.Account {
		if key := opt.Getenv("AZURE_STORAGE_KEY"); key != "" {
			return access{account: opt.Account, key: key, from: "AZURE_STORAGE_KEY"}, nil
		}
		if sas := opt.Getenv("AZURE_STORAGE_SAS_TOKEN"); sas != "" {
			return access{account: opt.Account, sas: strings.TrimPrefix(sas, "?"), from: "AZURE_STORAGE_SAS_TOKEN"}, nil
		}
	}
	a, err := identity(opt)
	if err != nil {
		return access{}, refused("%w", err)
	}
	a.account = opt.Account
	return a, nil
}

// parseConnection reads a connection string. Its values are never part of an
// error.
func parseConnection(text string) (access, error) {
	const where = "AZURE_STORAGE_CONNECTION_STRING"
	fields := map[string]string{"DefaultEndpointsProtocol": "https", "EndpointSuffix": "core.windows.net"}
	for field := range strings.SplitSeq(strings.Trim(text, "; \n"), ";") {
		name, value, ok := strings.Cut(field, "=")
		if !ok {
			return access{}, refused("%s is not a list of NAME=VALUE;", where)
		}
		fields[name] = value
	}
	a := access{
		account: fields["AccountName"], key: fields["AccountKey"], sas: strings.TrimPrefix(fields["SharedAccessSignature"], "?"),
		endpoint: fields["BlobEndpoint"], from: where,
	}
	if a.account == "" {
		if u, err := url.Parse(a.endpoint); err == nil {
			a.account, _, _ = strings.Cut(u.Hostname(), ".")
		}
	}
	if a.endpoint == "" {
		a.endpoint = fields["DefaultEndpointsProtocol"] + "://" + a.account + ".blob." + fields["EndpointSuffix"]
	}
	if a.account == "" || a.key == "" && a.sas == "" {
		return access{}, refused("%s has no AccountName, or neither an AccountKey nor a SharedAccessSignature", where)
	}
	return a, nil
}

// identity is what asks for tokens: a program's secret or certificate, a pod's
// federated token, else what Microsoft's client finds.
func identity(opt Options) (a access, err error) {
	env := opt.Getenv
	client := azcore.ClientOptions{
		Transport: &http.Client{Transport: wire.Bounded(opt.Transport), CheckRedirect: wire.NoRedirects, Timeout: 30 * time.Second},
		Retry:     policy.RetryOptions{MaxRetries: -1}, // the driver does
	}
	authority := env("AZURE_AUTHORITY_HOST")
	if authority != "" {
		client.Cloud = cloud.Configuration{ActiveDirectoryAuthorityHost: authority}
	}
	named := authority != "" // and need not be known to Microsoft's public cloud
	tenant, id := env("AZURE_TENANT_ID"), env("AZURE_CLIENT_ID")
	a.id = id
	switch program := tenant != "" && id != ""; {
	case program && env("AZURE_CLIENT_SECRET") != "":
		a.from = "AZURE_CLIENT_SECRET"
		a.token, err = azidentity.NewClientSecretCredential(tenant, id, env("AZURE_CLIENT_SECRET"),
			&azidentity.ClientSecretCredentialOptions{ClientOptions: client, DisableInstanceDiscovery: named})
	case program && env("AZURE_CLIENT_CERTIFICATE_PATH") != "":
		a.from = "AZURE_CLIENT_CERTIFICATE_PATH"
		certs, key, err := readCertificate(env("AZURE_CLIENT_CERTIFICATE_PATH"), env("AZURE_CLIENT_CERTIFICATE_PASSWORD"))
		if err != nil {
			return access{}, err
		}
		a.token, err = azidentity.NewClientCertificateCredential(tenant, id, certs, key,
			&azidentity.ClientCertificateCredentialOptions{ClientOptions: client, DisableInstanceDiscovery: named})
		return a, err
	case program && env("AZURE_FEDERATED_TOKEN_FILE") != "":
		a.from = "AZURE_FEDERATED_TOKEN_FILE"
		a.token, err = azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
			ClientOptions: client, DisableInstanceDiscovery: named,
			TenantID: tenant, ClientID: id, TokenFilePath: env("AZURE_FEDERATED_TOKEN_FILE"),
		})
	default:
		a.from, a.searched, a.id = "a managed identity or `az login`", true, ""
		client.Retry = policy.RetryOptions{} // it knows how long each of its sources may take
		a.token, err = azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{
			ClientOptions: client, DisableInstanceDiscovery: named, TenantID: tenant,
		})
	}
	return a, err
}

// readCertificate reads a certificate and its key, PEM or PKCS #12.
func readCertificate(name, password string) ([]*x509.Certificate, crypto.PrivateKey, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, fmt.Errorf("AZURE_CLIENT_CERTIFICATE_PATH: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		return nil, nil, fmt.Errorf("AZURE_CLIENT_CERTIFICATE_PATH: %w", err)
	}
	certs, key, err := azidentity.ParseCertificates(text, []byte(password))
	if err != nil {
		return nil, nil, errors.New("AZURE_CLIENT_CERTIFICATE_PATH names no certificate with its key, or the password is wrong")
	}
	return certs, key, nil
}

// client returns a client of a container. It repeats nothing by itself.
func (a access) client(containerURL string, transport http.RoundTripper) (*container.Client, error) {
	opt := &container.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: sender{&http.Client{Transport: wire.Bounded(transport), CheckRedirect: wire.NoRedirects}},
		Retry:     policy.RetryOptions{MaxRetries: -1},
		Telemetry: policy.TelemetryOptions{ApplicationID: "stateroom"},
	}}
	switch {
	case a.key != "":
		key, err := container.NewSharedKeyCredential(a.account, a.key)
		if err != nil {
			return nil, refused("the key in %s is not base64", a.from)
		}
		return container.NewClientWithSharedKeyCredential(containerURL, key, opt)
	case a.sas != "":
		if _, err := url.ParseQuery(a.sas); err != nil {
			return nil, refused("the signature in %s is not one", a.from)
		}
		return container.NewClientWithNoCredential(containerURL+"?"+a.sas, opt)
	}
	return container.NewClient(containerURL, a.token, opt)
}

// sender makes requests. It takes 304 for an error, which versions of the client
// take for different things.
type sender struct{ client *http.Client }

// Do makes a request.
func (s sender) Do(req *http.Request) (*http.Response, error) {
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusNotModified {
		resp.Body.Close()
		return nil, vfs.ErrNotModified
	}
	return resp, nil
}

const signIn = "sign in with `az login`, or set AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN; on Azure's machines attach a managed identity"

// refused is the error of credentials that are missing, or do not work.
func refused(format string, args ...any) *wire.CredentialsError {
	return &wire.CredentialsError{Cloud: "Azure", Err: fmt.Errorf(format, args...), Class: fs.ErrPermission, Advice: signIn}
}

// isCredential reports whether err comes from asking for a token.
func isCredential(err error) bool {
	var failed *azidentity.AuthenticationFailedError
	var none interface {
		error
		NonRetriable()
	}
	return errors.As(err, &failed) || errors.As(err, &none) && strings.Contains(err.Error(), "redential")
}

// entra finds the error code of Microsoft Entra ID, and its sentence.
var entra = regexp.MustCompile(`(AADSTS\d+): ?([^\n"\\]{0,200})`)

// explain says in words why there is no token. Nothing was asked of the store.
func (a access) explain(ctx context.Context, err error) *wire.Failure {
	if ctx.Err() != nil {
		return &wire.Failure{Err: wire.Unanswered(ctx, err).Err, Again: true}
	}
	var failed *azidentity.AuthenticationFailedError
	var answer *http.Response
	if errors.As(err, &failed) {
		answer = failed.RawResponse
	}
	if m := entra.FindStringSubmatch(err.Error()); m != nil {
		e := refused("%s got no token: %s: %s", a.from, m[1], wire.Brief(m[2]))
		e.Advice = cmp.Or(entraHints[m[1]], e.Advice)
		return &wire.Failure{Err: e}
	}
	switch {
	case answer == nil && a.searched:
		return &wire.Failure{Err: refused("there is no key, no signature, no managed identity and no sign-in of `az`")}
	case answer == nil: // the directory was not reached
		return passing(refused("%s got no token: %s", a.from, wire.Brief(err.Error())))
	case answer.StatusCode >= 500, answer.StatusCode == http.StatusTooManyRequests:
		return passing(refused("%s got no token: %d", a.from, answer.StatusCode))
	}
	return &wire.Failure{Err: refused("%s got no token: %d", a.from, answer.StatusCode)}
}

// passing is the failure of what may work the next time.
func passing(e *wire.CredentialsError) *wire.Failure {
	e.Class = nil
	e.Advice = "the directory that gives out tokens does not answer, or is in trouble: check the network and proxies (HTTPS_PROXY, NO_PROXY), and AZURE_AUTHORITY_HOST, or try again later"
	return &wire.Failure{Err: e, Again: true}
}

// entraHints knows the usual refusals.
var entraHints = map[string]string{
	"AADSTS7000215": "the secret in AZURE_CLIENT_SECRET is wrong: its value is wanted, not its id",
	"AADSTS7000222": "the secret in AZURE_CLIENT_SECRET has expired: make a new one",
	"AADSTS700016":  "there is no application AZURE_CLIENT_ID in the tenant AZURE_TENANT_ID",
	"AADSTS90002":   "there is no tenant AZURE_TENANT_ID",
	"AADSTS700024":  "this machine's clock is probably wrong: set it",
	"AADSTS700027":  "the certificate in AZURE_CLIENT_CERTIFICATE_PATH is not registered with the application",
	"AADSTS70021":   "no federated credential of the identity names this pod's service account",
	"AADSTS700213":  "no federated credential of the identity names this pod's service account",
	"AADSTS700211":  "no federated credential of the identity names this cluster's issuer",
	"AADSTS700082":  "the sign-in has expired: `az login`",
	"AADSTS70043":   "the sign-in has expired: `az login`",
	"AADSTS50173":   "the sign-in was revoked: `az login`",
	"AADSTS50076":   "a second factor is asked for: `az login`",
}

// grant says which right a verb needs.
func (a access) grant(verb string, d *Driver) string {
	if a.sas != "" {
		return a.grantSAS(verb)
	}
	if a.key != "" {
		return "the key in " + a.from + " is not one of account " + a.account + ", or was made anew: `az storage account keys list --account-name " + a.account + "`"
	}
	role := "Storage Blob Data Contributor"
	if verb == "get" || verb == "list" || verb == "look" {
		role = "Storage Blob Data Reader to read, Storage Blob Data Contributor to write,"
	}
	return fmt.Sprintf("to %s, the identity (%s) needs the role %s on container %s of account %s; a new assignment takes up to ten minutes to work",
		verb, a.from, role, d.name, d.account)
}

// grantSAS says which permission a signature needs, or that its time is over.
func (a access) grantSAS(verb string) string {
	q, err := url.ParseQuery(a.sas)
	if err != nil {
		return signIn
	}
	if end, err := time.Parse(time.RFC3339, q.Get("se")); err == nil && time.Now().After(end) {
		return "the signature in " + a.from + " was good until " + end.Format(time.RFC3339) + ": make a new one"
	}
	if verb == "look" {
		return "only a signature of the account shows the container's settings, which a store can do without"
	}
	letter := map[string]string{"get": "r", "list": "l", "put": "c and w", "delete": "d"}[verb]
	return fmt.Sprintf("the signature in %s grants %q; to %s it has to grant %s (a store needs racwdl)", a.from, q.Get("sp"), verb, letter)
}
