package s3

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/stateroom/stateroom/internal/wire"
	"github.com/stateroom/stateroom/vfs"
)

// List yields the objects whose keys begin with prefix and are greater than
// after.
func (d *Driver) List(ctx context.Context, prefix, after string) iter.Seq2[vfs.Entry, error] {
	return d.list(ctx, prefix, after, "")
}

// ListDir lists one level.
func (d *Driver) ListDir(ctx context.Context, dir string) iter.Seq2[vfs.Entry, error] {
	if dir != "" {
		dir += "/"
	}
	return d.list(ctx, dir, "", "/")
}

// list goes through the pages of a list. What the service was asked to leave
// out is left out here again, and its order is checked: not all keep to it.
func (d *Driver) list(ctx context.Context, prefix, after, delimiter string) iter.Seq2[vfs.Entry, error] {
	return func(yield func(vfs.Entry, error) bool) {
		in := &s3.ListObjectsV2Input{
			Bucket: &d.opt.Bucket, Prefix: text(prefix), StartAfter: text(after),
			EncodingType: types.EncodingTypeUrl, MaxKeys: aws.Int32(1000), RequestPayer: d.payer(),
		}
		if delimiter != "" {
			in.Delimiter = &delimiter
		}
		last := after
		for {
			entries, next, err := d.page(ctx, in)
			if err != nil {
				yield(vfs.Entry{}, err)
				return
			}
			for _, e := range entries {
				if !strings.HasPrefix(e.Key, prefix) || e.Key <= after || delimiter != "" && e.Key == prefix {
					continue
				}
				if delimiter != "" && e.Key == last && strings.HasSuffix(last, delimiter) {
					continue // a page may end within a folder, and some services name it on the next one again
				}
				if e.Key <= last {
					yield(vfs.Entry{}, errOrder)
					return
				}
				last = e.Key
				if !yield(e, nil) {
					return
				}
			}
			switch {
			case next == "":
				return
			case next == aws.ToString(in.ContinuationToken):
				yield(vfs.Entry{}, errStuck)
				return
			}
			in.ContinuationToken, in.StartAfter = &next, nil
		}
	}
}

var errOrder = &settingError{"the service lists its keys in no order, which a store needs", "stateroom store check URL tells what else it lacks", errors.ErrUnsupported}

var errStuck = errors.New("the list does not go on: the service names one page as the next again")

// text is what of a key can stand in a query. The rest is compared here.
func text(key string) *string {
	if key = wire.WholeRunes(key); key != "" {
		return &key
	}
	return nil
}

// page asks for one page, and returns the token of the next, "" at the end.
func (d *Driver) page(ctx context.Context, in *s3.ListObjectsV2Input) (entries []vfs.Entry, next string, err error) {
	err = d.again(ctx, func() error {
		return d.try(ctx, "LIST", aws.ToString(in.Prefix), 1<<20, func(ctx context.Context, _ func(int64), o func(*s3.Options)) error {
			out, err := d.client.ListObjectsV2(ctx, in, o)
			if err != nil {
				return err
			}
			entries, err = listed(out)
			next = aws.ToString(out.NextContinuationToken)
			if more := aws.ToBool(out.IsTruncated); !more {
				next = ""
			} else if next == "" {
				err = errors.New("a page of a list has no successor, but is not the last")
			}
			return err
		})
	})
	return entries, next, err
}

// listed is what stands on a page, sorted: objects and folders come apart. Keys
// that are not as they were written are another tool's, and are left out.
func listed(out *s3.ListObjectsV2Output) ([]vfs.Entry, error) {
	if out.Name == nil && out.KeyCount == nil && out.MaxKeys == nil {
		return nil, errors.New("the answer is no list")
	}
	decode := func(key *string) (string, error) { return aws.ToString(key), nil }
	if out.EncodingType == types.EncodingTypeUrl {
		decode = func(key *string) (string, error) { return url.QueryUnescape(aws.ToString(key)) }
	}
	entries := make([]vfs.Entry, 0, len(out.Contents)+len(out.CommonPrefixes))
	for _, o := range out.Contents {
		if lossy(o.Key) {
			continue
		}
		key, err := decode(o.Key)
		if err != nil {
			return nil, fmt.Errorf("a list holds a key that cannot be decoded: %w", err)
		}
		entries = append(entries, vfs.Entry{
			Key: key, Version: unquoted(aws.ToString(o.ETag)), Size: aws.ToInt64(o.Size), Time: aws.ToTime(o.LastModified),
		})
	}
	ordered := slices.IsSortedFunc(entries, byKey)
	for _, p := range out.CommonPrefixes {
		if lossy(p.Prefix) {
			continue
		}
		key, err := decode(p.Prefix)
		if err != nil {
			return nil, fmt.Errorf("a list holds a folder that cannot be decoded: %w", err)
		}
		entries = append(entries, vfs.Entry{Key: key})
	}
	if ordered {
		slices.SortFunc(entries, byKey)
	}
	return entries, nil
}

// lossy reports whether a key as it stands in a list had a character that XML has
// no place for: services that do not encode keys write U+FFFD for it.
func lossy(key *string) bool { return strings.ContainsRune(aws.ToString(key), utf8.RuneError) }

func byKey(a, b vfs.Entry) int { return strings.Compare(a.Key, b.Key) }
