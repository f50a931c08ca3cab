// Package azblob keeps objects in a container of Azure Blob Storage, with
// Microsoft's client for the requests and their signatures.
//
// Versions are ETags, which the service never uses twice. A write is a single
// Put Blob under If-Match or If-None-Match, never a list of blocks.
//
//	d, err := azblob.Open(ctx, azblob.Options{Account: "ours", Container: "state", Getenv: os.Getenv})
//	f := vfs.New(d, "azureblob://ours/state")
package azblob

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/stateroom/stateroom/internal/wire"
	"github.com/stateroom/stateroom/vfs"
)

// Options say which container, and how it is reached.
type Options struct {
	Account   string
	Container string

	// Endpoint is the URL of the account's blobs, as an emulator or another
	// cloud has it; "" is what the environment says, or else
	// https://ACCOUNT.blob.core.windows.net.
	Endpoint string

	// EncryptionScope encrypts what is written; "" is the container's.
	EncryptionScope string

	// Credential asks for tokens; nil: it is made from the environment.
	Credential azcore.TokenCredential

	// Getenv gives AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_ACCOUNT,
	// AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN,
	// AZURE_STORAGE_SERVICE_ENDPOINT, AZURE_AUTHORITY_HOST, AZURE_TENANT_ID,
	// AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH,
	// AZURE_CLIENT_CERTIFICATE_PASSWORD and AZURE_FEDERATED_TOKEN_FILE. Nil is an
	// empty environment. Managed identities and the sign-in of `az` are looked
	// for by Microsoft's client, which reads the process's own environment.
	Getenv func(string) string

	// Transport makes the HTTP requests; nil is a pool of this driver's own.
	Transport http.RoundTripper
}

// Driver is a [vfs.Driver] over one container. It is safe for concurrent use.
type Driver struct {
	account   string
	name      string // of the container
	host      string // of the endpoint, and its path
	scope     *blob.CPKScopeInfo
	access    access
	container *container.Client
}

// Names of accounts and containers. They become part of a host name and of a
// path.
var (
	accountName   = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,62}$`)
	containerName = regexp.MustCompile(`^([a-z0-9][a-z0-9-]{2,62}|\$root|\$web)$`)
)

// Open returns a driver for a container. It makes no request: that the
// container is not there is found out by the first one.
func Open(_ context.Context, opt Options) (*Driver, error) {
	switch {
	case !accountName.MatchString(opt.Account):
		return nil, fmt.Errorf("%q is not the name of a storage account: %w", opt.Account, fs.ErrInvalid)
	case !containerName.MatchString(opt.Container):
		return nil, fmt.Errorf("%q is not the name of a container: %w", opt.Container, fs.ErrInvalid)
	}
	if opt.Getenv == nil {
		opt.Getenv = func(string) string { return "" }
	}
	if opt.Transport == nil {
		opt.Transport = wire.Pool()
	}
	a, err := findAccess(opt)
	if err != nil {
		return nil, err
	}
	endpoint, err := endpointOf(opt, a)
	if err != nil {
		return nil, err
	}
	if a.sas != "" && wire.InTheClear(endpoint) || a.token != nil && endpoint.Scheme == "http" {
		return nil, fmt.Errorf("the credentials would go to %s in the clear, where others can read them: only a key signs what is sent over http: %w", endpoint.Host, fs.ErrInvalid)
	}
	d := &Driver{account: opt.Account, name: opt.Container, host: endpoint.Host + endpoint.Path, access: a}
	if opt.EncryptionScope != "" {
		d.scope = &blob.CPKScopeInfo{EncryptionScope: &opt.EncryptionScope}
	}
	d.container, err = a.client(endpoint.String()+"/"+opt.Container, opt.Transport)
	return d, err
}

// Traits says that the service has all there is. An emulator says so too, and
// is to be tried.
func (d *Driver) Traits() vfs.Traits {
	return vfs.Traits{Conditions: true, UniqueVersions: true, Tags: true, Unproven: !microsoft.MatchString(d.host)}
}

// microsoft are the hosts of the service, in all of its clouds.
var microsoft = regexp.MustCompile(`\.(core\.windows\.net|core\.usgovcloudapi\.net|core\.chinacloudapi\.cn|storage\.azure\.net)$`)

// Place names the container, and the service by its host.
func (d *Driver) Place() string { return "azureblob " + d.host + "/" + d.name }

// String is the place: a driver holds credentials, which do not print.
func (d *Driver) String() string { return d.Place() }

// GoString says as little as String.
func (d *Driver) GoString() string { return d.Place() }

// Get returns an object.
func (d *Driver) Get(ctx context.Context, key string, unless vfs.Version) ([]byte, vfs.Entry, error) {
	if err := checkKey(key); err != nil {
		return nil, vfs.Entry{}, err
	}
	o, err := d.fetch(ctx, key, unless)
	return o.data, o.entry, err
}

// Put writes an object if c holds.
func (d *Driver) Put(ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
	if err := checkKey(key); err != nil {
		return vfs.Entry{}, err
	}
	mark := wire.Mark(c)
	e, doubt, err := d.upload(ctx, key, data, c, tag, mark)
	if err == nil {
		return e, nil
	}
	return wire.Put(ctx, c, mark, doubt, err, func(ctx context.Context) (vfs.Entry, string, error) {
		o, err := d.fetch(ctx, key, "")
		return o.entry, o.mark, err
	})
}

// Delete removes an object if c holds.
func (d *Driver) Delete(ctx context.Context, key string, c vfs.Cond) error {
	if err := checkKey(key); err != nil {
		return err
	}
	doubt, err := d.remove(ctx, key, c)
	return wire.Delete(c, doubt, err)
}

// checkKey refuses keys that the service would take for others: it reads \ as /,
// and never lists a key that has one.
func checkKey(key string) error {
	if strings.Contains(key, `\`) {
		return fmt.Errorf(`blobs have no \ in their names: %w`, fs.ErrInvalid)
	}
	return nil
}

// endpointOf is where the account's blobs are, without a trailing slash.
func endpointOf(opt Options, a access) (*url.URL, error) {
	text := opt.Endpoint
	for _, other := range []string{a.endpoint, opt.Getenv("AZURE_STORAGE_SERVICE_ENDPOINT"), "https://" + opt.Account + ".blob.core.windows.net"} {
		if text == "" {
			text = other
		}
	}
	u, err := url.Parse(strings.TrimRight(text, "/"))
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("the endpoint is not a URL as https://ACCOUNT.blob.core.windows.net: %w", fs.ErrInvalid)
	}
	return u, nil
}
