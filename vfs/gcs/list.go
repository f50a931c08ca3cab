package gcs

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stateroom/stateroom/internal/wire"
	"github.com/stateroom/stateroom/vfs"
)

// List yields the objects under a prefix, up to 1,000 a request.
func (d *Driver) List(ctx context.Context, prefix, after string) iter.Seq2[vfs.Entry, error] {
	return d.list(ctx, prefix, after, "")
}

// ListDir yields one level.
func (d *Driver) ListDir(ctx context.Context, dir string) iter.Seq2[vfs.Entry, error] {
	if dir != "" {
		dir += "/"
	}
	return d.list(ctx, dir, "", "/")
}

// list yields what lies under prefix and after a key, page by page. The
// service takes UTF-8 only and begins at the key that it is given, not after
// it: it is asked for a little more than is wanted.
func (d *Driver) list(ctx context.Context, prefix, after, delimiter string) iter.Seq2[vfs.Entry, error] {
	return func(yield func(vfs.Entry, error) bool) {
		q := url.Values{"fields": {"nextPageToken,prefixes,items(name,generation,size,updated,metadata)"}}
		for name, value := range map[string]string{
			"prefix": wire.WholeRunes(prefix), "startOffset": wire.WholeRunes(after), "delimiter": delimiter,
		} {
			if value != "" {
				q.Set(name, value)
			}
		}
		for {
			entries, next, err := d.page(ctx, q)
			if err != nil {
				yield(vfs.Entry{}, err)
				return
			}
			for _, e := range entries {
				if strings.HasPrefix(e.Key, prefix) && e.Key > after && !yield(e, nil) {
					return
				}
			}
			switch next {
			case "":
				return
			case q.Get("pageToken"):
				yield(vfs.Entry{}, errStuck)
				return
			}
			q.Set("pageToken", next)
		}
	}
}

var errStuck = errors.New("the list does not go on: the service names one page as the next again")

// page asks for one page of a list, and returns it sorted, and the token of
// the next.
func (d *Driver) page(ctx context.Context, q url.Values) ([]vfs.Entry, string, error) {
	r, err := d.read(ctx, call{
		verb: "list", method: http.MethodGet, url: d.endpoint + "/storage/v1/b/" + escape(d.bucket, "") + "/o", query: q,
	})
	if err != nil {
		return nil, "", err
	}
	var page struct {
		Next     string     `json:"nextPageToken"`
		Prefixes []string   `json:"prefixes"`
		Items    []resource `json:"items"`
	}
	if err := json.Unmarshal(r.body, &page); err != nil {
		return nil, "", fmt.Errorf("the list is no JSON: %w", err)
	}
	entries := make([]vfs.Entry, 0, len(page.Items)+len(page.Prefixes))
	for _, item := range page.Items {
		e, err := item.entry()
		if err != nil {
			return nil, "", err
		}
		entries = append(entries, e)
	}
	for _, folder := range page.Prefixes {
		entries = append(entries, vfs.Entry{Key: folder})
	}
	slices.SortFunc(entries, func(a, b vfs.Entry) int { return cmp.Compare(a.Key, b.Key) })
	return entries, page.Next, nil
}
