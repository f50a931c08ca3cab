package backends

import (
	"context"
	"fmt"
	"strings"

	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/http"
)

// openHTTP opens http://HOST/FOLDER or https://HOST/FOLDER, for reading. There
// are no parameters and no users: what is read so is public, or is behind
// something that knows who asks.
func openHTTP(ctx context.Context, text string, _ Options) (*vfs.FS, error) {
	a, err := parseAddress(text)
	if err != nil {
		return nil, err
	}
	scheme, _, _ := strings.Cut(text, "://")
	root := scheme + "://" + a.host
	d, err := http.Open(ctx, http.Options{URL: root})
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", root, err)
	}
	return a.in(d, root), nil
}
