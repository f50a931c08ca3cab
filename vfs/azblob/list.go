package azblob

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/stateroom/stateroom/internal/wire"
	"github.com/stateroom/stateroom/vfs"
)

// List yields the objects under a prefix, asked for up to 5,000 a request. All
// of them are read before the first is yielded: an account with hierarchical
// namespaces lists a folder before its neighbours, and not by the bytes of the
// whole name.
func (d *Driver) List(ctx context.Context, prefix, after string) iter.Seq2[vfs.Entry, error] {
	return func(yield func(vfs.Entry, error) bool) {
		entries, err := d.flat(ctx, wire.WholeRunes(prefix))
		give(entries, err, prefix, after, yield)
	}
}

// ListDir yields one level.
func (d *Driver) ListDir(ctx context.Context, dir string) iter.Seq2[vfs.Entry, error] {
	if dir != "" {
		dir += "/"
	}
	return func(yield func(vfs.Entry, error) bool) {
		entries, err := d.level(ctx, dir)
		give(entries, err, dir, "", yield)
	}
}

// give sorts entries and yields those wanted.
func give(entries []vfs.Entry, err error, prefix, after string, yield func(vfs.Entry, error) bool) {
	if err != nil {
		yield(vfs.Entry{}, err)
		return
	}
	slices.SortFunc(entries, func(a, b vfs.Entry) int { return cmp.Compare(a.Key, b.Key) })
	for _, e := range entries {
		if strings.HasPrefix(e.Key, prefix) && e.Key > after && !yield(e, nil) {
			return
		}
	}
}

// flat reads a list of all levels.
func (d *Driver) flat(ctx context.Context, prefix string) ([]vfs.Entry, error) {
	opt := &container.ListBlobsFlatOptions{Include: container.ListBlobsInclude{Metadata: true}}
	if prefix != "" {
		opt.Prefix = &prefix
	}
	var entries []vfs.Entry
	for {
		var page container.ListBlobsFlatResponse
		_, err := d.try(ctx, "list", 0, func(ctx context.Context, body func()) (err error) {
			body()
			page, err = d.container.NewListBlobsFlatPager(opt).NextPage(ctx)
			return err
		})
		if err == nil && page.Segment == nil {
			err = errNoList
		}
		if err != nil {
			return nil, err
		}
		if entries, err = take(entries, page.Segment.BlobItems); err != nil {
			return nil, err
		}
		if opt.Marker = page.NextMarker; opt.Marker == nil || *opt.Marker == "" {
			return entries, nil
		}
	}
}

// level reads a list of one level.
func (d *Driver) level(ctx context.Context, dir string) ([]vfs.Entry, error) {
	opt := &container.ListBlobsHierarchyOptions{Include: container.ListBlobsInclude{Metadata: true}}
	if dir != "" {
		opt.Prefix = &dir
	}
	var entries []vfs.Entry
	for {
		var page container.ListBlobsHierarchyResponse
		_, err := d.try(ctx, "list", 0, func(ctx context.Context, body func()) (err error) {
			body()
			page, err = d.container.NewListBlobsHierarchyPager("/", opt).NextPage(ctx)
			return err
		})
		if err == nil && page.Segment == nil {
			err = errNoList
		}
		if err != nil {
			return nil, err
		}
		if entries, err = take(entries, page.Segment.BlobItems); err != nil {
			return nil, err
		}
		for _, p := range page.Segment.BlobPrefixes {
			if p != nil && p.Name != nil {
				entries = append(entries, vfs.Entry{Key: *p.Name})
			}
		}
		if opt.Marker = page.NextMarker; opt.Marker == nil || *opt.Marker == "" {
			return entries, nil
		}
	}
}

var errNoList = errors.New("the answer is not a list of blobs")

// take adds what a page lists. Folders that hierarchical namespaces and some
// tools keep as blobs of their own are no objects.
func take(entries []vfs.Entry, items []*container.BlobItem) ([]vfs.Entry, error) {
	for _, item := range items {
		if item == nil || item.Name == nil || item.Properties == nil || item.Properties.ContentLength == nil {
			return nil, errNoList
		}
		p := item.Properties
		if meta(item.Metadata, "hdi_isfolder") == "true" || p.ResourceType != nil && *p.ResourceType == "directory" {
			continue
		}
		e := vfs.Entry{Key: *item.Name, Version: version(p.ETag), Tag: meta(item.Metadata, tagName), Size: *p.ContentLength}
		if e.Version == "" {
			return nil, errNoETag
		}
		if p.LastModified != nil {
			e.Time = *p.LastModified
		}
		entries = append(entries, e)
	}
	return entries, nil
}
