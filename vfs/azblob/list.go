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

// page is one answer to a list.
type page struct {
	ok      bool // it is a list
	blobs   []*container.BlobItem
	folders []*container.BlobPrefix
	next    string // the marker of the next page; "": this is the last
}

// flat reads a list of all levels.
func (d *Driver) flat(ctx context.Context, prefix string) ([]vfs.Entry, error) {
	opt := &container.ListBlobsFlatOptions{Include: container.ListBlobsInclude{Metadata: true}, Prefix: given(prefix)}
	return d.pages(ctx, func(ctx context.Context, marker string) (page, error) {
		opt.Marker = given(marker)
		p, err := d.container.NewListBlobsFlatPager(opt).NextPage(ctx)
		if err != nil || p.Segment == nil {
			return page{}, err
		}
		return page{true, p.Segment.BlobItems, nil, value(p.NextMarker)}, nil
	})
}

// level reads a list of one level.
func (d *Driver) level(ctx context.Context, dir string) ([]vfs.Entry, error) {
	opt := &container.ListBlobsHierarchyOptions{Include: container.ListBlobsInclude{Metadata: true}, Prefix: given(dir)}
	return d.pages(ctx, func(ctx context.Context, marker string) (page, error) {
		opt.Marker = given(marker)
		p, err := d.container.NewListBlobsHierarchyPager("/", opt).NextPage(ctx)
		if err != nil || p.Segment == nil {
			return page{}, err
		}
		return page{true, p.Segment.BlobItems, p.Segment.BlobPrefixes, value(p.NextMarker)}, nil
	})
}

// pages reads all pages of a list.
func (d *Driver) pages(ctx context.Context, ask func(ctx context.Context, marker string) (page, error)) (entries []vfs.Entry, err error) {
	for marker := ""; ; {
		var p page
		_, err := d.try(ctx, "list", 0, func(ctx context.Context, body func()) (err error) {
			body()
			p, err = ask(ctx, marker)
			return err
		})
		if err == nil && !p.ok {
			err = errNoList
		}
		if err == nil {
			entries, err = take(entries, p.blobs)
		}
		if err != nil {
			return nil, err
		}
		for _, folder := range p.folders {
			if folder != nil && folder.Name != nil {
				entries = append(entries, vfs.Entry{Key: *folder.Name})
			}
		}
		switch p.next {
		case "":
			return entries, nil
		case marker:
			return nil, errStuck
		}
		marker = p.next
	}
}

// given is a parameter that is left out where it is empty.
func given(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// value is what a part of an answer says, "" where it is missing.
func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

var (
	errNoList = errors.New("the answer is not a list of blobs")
	errStuck  = errors.New("the list does not go on: the service names one page as the next again")
)

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
