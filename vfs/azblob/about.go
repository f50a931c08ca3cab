package azblob

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/stateroom/stateroom/internal/wire"
	"github.com/stateroom/stateroom/vfs"
)

// About tells what the container is and how it is reached, by two requests
// that write nothing, and one for a token.
func (d *Driver) About(ctx context.Context) vfs.About {
	a := vfs.About{Service: vfs.Told{Value: "Azure Blob Storage"}}
	if d.Traits().Unproven {
		a.Service.Value += " at " + d.host
	}
	a.Credentials.Value, a.Identity.Value = d.access.source(), d.access.who()
	p, err := d.properties(ctx, &a)
	var none *wire.CredentialsError
	if errors.As(err, &none) {
		a.Credentials, a.Identity = vfs.Told{Err: err}, vfs.Told{}
		err = errors.New("there are no credentials to ask with")
	}
	a.Encryption.Value, a.Encryption.Err = encryption(p), err
	if err != nil {
		a.Encryption.Value = ""
	}
	if d.scope != nil {
		a.Encryption = vfs.Told{Value: "with encryption scope " + *d.scope.EncryptionScope}
	}
	a.Versioning.Err = err
	if err == nil {
		a.Versioning.Value, a.Versioning.Err = d.versioning(ctx, p)
	}
	return a
}

// properties asks for those of the container, and takes in what the answer
// says of the service.
func (d *Driver) properties(ctx context.Context, a *vfs.About) (p container.GetPropertiesResponse, err error) {
	var answer *http.Response
	_, err = d.try(ctx, "look", 0, func(ctx context.Context, _ func()) (err error) {
		p, err = d.container.GetProperties(policy.WithCaptureResponse(ctx, &answer), nil)
		return err
	})
	if answer != nil && d.Traits().Unproven && answer.Header.Get("Server") != "" {
		a.Service.Value += " (" + wire.Brief(answer.Header.Get("Server")) + ")"
	}
	if p.Date != nil {
		a.Clock = *p.Date
	}
	return p, err
}

// encryption is what the container does to all that is written: the service
// leaves nothing in the clear.
func encryption(p container.GetPropertiesResponse) string {
	scope := p.DefaultEncryptionScope
	if scope == nil || *scope == "" || *scope == "$account-encryption-key" {
		return "with the account's key"
	}
	return "with encryption scope " + wire.Brief(*scope)
}

// versioning tells whether what is overwritten is kept. The setting is shown
// to the owners of the account alone; but where it is on, what was written
// since has versions.
func (d *Driver) versioning(ctx context.Context, p container.GetPropertiesResponse) (string, error) {
	if on := p.IsImmutableStorageWithVersioningEnabled; on != nil && *on {
		return "on", nil
	}
	var page container.ListBlobsFlatResponse
	_, err := d.try(ctx, "list", 0, func(ctx context.Context, body func()) (err error) {
		body()
		page, err = d.container.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{
			Include: container.ListBlobsInclude{Versions: true}, MaxResults: to.Ptr[int32](1000),
		}).NextPage(ctx)
		return err
	})
	if err == nil && page.Segment != nil && versioned(page.Segment.BlobItems) {
		return "on", nil
	}
	return "", errors.New("it is a setting of the account, which shows it to its owners alone: `az storage account blob-service-properties show --account-name " + d.account + "`")
}

// versioned reports whether the newest of blobs is a version.
func versioned(items []*container.BlobItem) (yes bool) {
	var newest time.Time
	for _, item := range items {
		if item == nil || item.Properties == nil || item.Properties.LastModified == nil || item.Properties.LastModified.Before(newest) {
			continue
		}
		newest, yes = *item.Properties.LastModified, item.VersionID != nil && *item.VersionID != ""
	}
	return yes
}

// source says where the credentials were found.
func (a access) source() string {
	if strings.HasPrefix(a.from, "AZURE_") {
		return "environment (" + a.from + ")"
	}
	return a.from
}

// who says who one is by them, where that is known without asking.
func (a access) who() string {
	switch {
	case a.key != "":
		return "account " + a.account + ", with all rights"
	case a.sas != "":
		q, err := url.ParseQuery(a.sas)
		if err != nil {
			return ""
		}
		return wire.Brief("whoever has the signature, which grants " + q.Get("sp") + " until " + q.Get("se"))
	case a.id != "":
		return wire.Brief("application " + a.id)
	}
	return ""
}
