package backends

import (
	"context"
	"strings"

	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/azblob"
)

// openAzure opens azureblob://ACCOUNT/CONTAINER/FOLDER, as kops has it.
// Parameters are endpoint and encryptionScope (of what is written). Credentials
// are looked for where Azure's own tools look: see azblob.Options.
func openAzure(ctx context.Context, url string, opt Options) (*vfs.FS, error) {
	a, err := parseAddress(url, "endpoint", "encryptionScope")
	if err != nil {
		return nil, err
	}
	name, folder, _ := strings.Cut(a.path, "/")
	root := "azureblob://" + a.host + "/" + name
	if name == "" {
		return nil, addressError(url, "it names no container", "write azureblob://ACCOUNT/CONTAINER/FOLDER")
	}
	a.path = folder
	d, err := azblob.Open(ctx, azblob.Options{
		Account:         a.host,
		Container:       name,
		Endpoint:        a.query.Get("endpoint"),
		EncryptionScope: a.query.Get("encryptionScope"),
		Getenv:          opt.Getenv,
	})
	if err != nil {
		return nil, refusedAddress(url, root, err, "write azureblob://ACCOUNT/CONTAINER/FOLDER, account and container in lower case; ?endpoint=https://HOST is for another service than Microsoft's")
	}
	return a.in(d, root), nil
}
