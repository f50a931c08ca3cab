package probe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/stateroom/stateroom/vfs"
)

var readChecks = []check{
	{"read after write", readAfterWrite},
	{"keys", keys},
	{"upper and lower case", letterCase},
	{"tag", tag},
	{"not modified", notModified},
}

var listChecks = []check{
	{"list after write", listAfterWrite},
	{"list order", listOrder},
	{"delimiter", delimiter},
	{"paging", paging},
}

func readAfterWrite(ctx context.Context, b *bench) (string, error) {
	const times = 20
	for i := range times {
		data := fmt.Sprintf("write %d\r\n\x00", i)
		put, err := b.put(ctx, "k", data, vfs.Cond{}, "")
		if err != nil {
			return "", err
		}
		got, err := b.holds(ctx, "k", data)
		if err != nil {
			return "", err
		}
		if put.Version != got.Version {
			return "", &flaw{Broken, fmt.Sprintf("a write said version %q, and a read after it %q", put.Version, got.Version),
				"each change is taken for that of another tool", otherPlace}
		}
	}
	if err := b.root.Delete(ctx, b.dir+"k", vfs.Cond{}); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d writes were each seen by the next read, at the version said", times), b.absent(ctx, "k", "delete")
}

func keys(ctx context.Context, b *bench) (string, error) {
	names := []string{"system:dns", "a b", "a+b", "a%2Fb", "a=b&c", "ä", strings.Repeat("long/", 40) + "k"}
	for _, key := range names {
		if _, err := b.put(ctx, key, "at "+key, vfs.Cond{}, ""); err != nil {
			return "", fmt.Errorf("write at %.20q: %w", key, err)
		}
	}
	for _, key := range names {
		if got, _, err := b.get(ctx, key); err != nil || got != "at "+key {
			return "", &flaw{Broken, fmt.Sprintf("an object written at the key %.20q was not found there", key),
				"files with such names are lost; kops has names with a colon", otherPlace}
		}
	}
	return "keys with colons, spaces, signs and other letters are kept apart", nil
}

// letterCase finds the disks of macOS and Windows, as they come.
func letterCase(ctx context.Context, b *bench) (string, error) {
	if _, err := b.put(ctx, "Name", "upper", vfs.Cond{}, ""); err != nil {
		return "", err
	}
	switch _, _, err := b.get(ctx, "name"); {
	case err == nil:
		return "", &flaw{Weak, "names that differ only in upper and lower case are one name here",
			"two such files overwrite each other; kops and Stateroom write none, but a person or an add-on may", "keep names in lower case, or use a disk that tells them apart"}
	case !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("read what is absent: %w", err)
	}
	return "names that differ only in upper and lower case are kept apart", nil
}

func tag(ctx context.Context, b *bench) (string, error) {
	if !b.root.Traits().Tags {
		return "", &flaw{Weak, "objects have no metadata here",
			"a file that a person sets back to exactly what it was before is taken for a late write of Stateroom's own, and put right; that is always reported", "nothing"}
	}
	const want = "6f0c1c7e-8d07-4b2f-9a55-2d3c6b3f1c11/42"
	if _, err := b.put(ctx, "k", "x", vfs.Cond{}, want); err != nil {
		return "", err
	}
	_, e, err := b.get(ctx, "k")
	if err != nil {
		return "", err
	}
	if e.Tag != want {
		return "", &flaw{Weak, fmt.Sprintf("metadata was written as %q and read as %q", want, e.Tag),
			"a late write of Stateroom's own can be taken for another tool's, and becomes a commit", "look at whether a proxy removes headers that begin with x-"}
	}
	if _, err := b.put(ctx, "k", "y", vfs.Cond{}, ""); err != nil {
		return "", err
	}
	if _, e, err = b.get(ctx, "k"); err == nil && e.Tag != "" {
		return "", &flaw{Weak, "metadata of an object stays when the object is written anew without any",
			"what another tool writes over a file of ours carries our mark; it is compared with the history before it is believed", "nothing"}
	}
	return "metadata comes back with the object, and goes when it is overwritten", err
}

func notModified(ctx context.Context, b *bench) (string, error) {
	e, err := b.put(ctx, "k", "one", vfs.Cond{}, "")
	if err != nil {
		return "", err
	}
	_, _, err = b.root.GetUnless(ctx, b.dir+"k", e.Version)
	if err == nil {
		return "", &flaw{Weak, "a read that asks only for what has changed gets the object all the same",
			"hosts that wait for a release transfer it at every look", "nothing; or let hosts look less often (--poll)"}
	}
	if !errors.Is(err, vfs.ErrNotModified) {
		return "", fmt.Errorf("read unless at a version: %w", err)
	}
	if _, err := b.put(ctx, "k", "two", vfs.Cond{}, ""); err != nil {
		return "", err
	}
	data, _, err := b.root.GetUnless(ctx, b.dir+"k", e.Version)
	if errors.Is(err, vfs.ErrNotModified) || err == nil && string(data) != "two" {
		return "", &flaw{Broken, "a read that asks for what has changed was told that nothing had", "hosts never get a release", otherPlace}
	}
	return "a read that asks only for what has changed gets nothing else", err
}

// list returns the keys of a list, without the folder of the check.
func (b *bench) list(ctx context.Context, prefix, after string) (entries []vfs.Entry, err error) {
	if after != "" {
		after = b.dir + after
	}
	for e, err := range b.root.List(ctx, b.dir+prefix, after) {
		if err != nil {
			return nil, fmt.Errorf("list: %w", err)
		}
		e.Key = strings.TrimPrefix(e.Key, b.dir)
		entries = append(entries, e)
	}
	return entries, nil
}

func listAfterWrite(ctx context.Context, b *bench) (string, error) {
	const times = 8
	for i := range times {
		put, err := b.put(ctx, "k", strings.Repeat("x", i+1), vfs.Cond{}, "")
		if err != nil {
			return "", err
		}
		entries, err := b.list(ctx, "", "")
		if err != nil {
			return "", err
		}
		if len(entries) != 1 || entries[0].Key != "k" || entries[0].Size != int64(i+1) {
			return "", &flaw{Broken, "a list after a write does not show what was written", "changes of other tools are overlooked, and commits with them", otherPlace}
		}
		if entries[0].Version != put.Version {
			return "", &flaw{Broken, fmt.Sprintf("a list says version %q of an object, a write %q", entries[0].Version, put.Version),
				"each file is read again before each commit", otherPlace}
		}
	}
	if err := b.root.Delete(ctx, b.dir+"k", vfs.Cond{}); err != nil {
		return "", err
	}
	entries, err := b.list(ctx, "", "")
	if err == nil && len(entries) > 0 {
		return "", &flaw{Broken, "a list after a delete still shows the object", "deleted files are taken for those of another tool", otherPlace}
	}
	return "lists show each write and delete at once, at the version that the write said", err
}

func listOrder(ctx context.Context, b *bench) (string, error) {
	want := []string{"Z", "a!", "a-b", "a.b", "a/a", "a/b-c", "a/b/c", "a0", "b"}
	for i := range want {
		if _, err := b.put(ctx, want[(i*4)%len(want)], "x", vfs.Cond{}, ""); err != nil {
			return "", err
		}
	}
	for after, from := range map[string]int{"": 0, "a-b": 3, "a/b": 5, "a/zzz": 7} {
		entries, err := b.list(ctx, "", after)
		if err != nil {
			return "", err
		}
		if got := keysOf(entries); !slices.Equal(got, want[from:]) {
			return "", &flaw{Broken, fmt.Sprintf("a list after %q yields %q instead of %q", after, got, want[from:]),
				"files are overlooked", otherPlace}
		}
	}
	return "lists are sorted by the bytes of the key, and begin where they are asked to", nil
}

func keysOf(entries []vfs.Entry) []string {
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Key
	}
	return names
}

func delimiter(ctx context.Context, b *bench) (string, error) {
	for _, key := range []string{"a/one", "a/two/three", "b", "c/d/e"} {
		if _, err := b.put(ctx, key, "x", vfs.Cond{}, ""); err != nil {
			return "", err
		}
	}
	for dir, want := range map[string][]string{"": {"a/", "b", "c/"}, "/a": {"a/one", "a/two/"}} {
		var got []string
		for e, err := range b.root.ListDir(ctx, strings.TrimSuffix(b.dir, "/")+dir) {
			if err != nil {
				return "", fmt.Errorf("list one level: %w", err)
			}
			got = append(got, strings.TrimPrefix(e.Key, b.dir))
		}
		if !slices.Equal(got, want) {
			return "", &flaw{Broken, fmt.Sprintf("a list of one level yields %q instead of %q", got, want), "clusters are overlooked", otherPlace}
		}
	}
	return "a list of one level shows objects and folders", nil
}

// pagedKeys is more than services list in one answer.
const pagedKeys = 1001

func paging(ctx context.Context, b *bench) (string, error) {
	err := parallel(pagedKeys, func(i int) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		_, err := b.put(ctx, fmt.Sprintf("k%04d", i), "x", vfs.Cond{}, "")
		return err
	})
	if err != nil {
		return "", err
	}
	entries, err := b.list(ctx, "", "")
	if err != nil {
		return "", &flaw{Broken, fmt.Sprintf("a list of %d objects fails: %v", pagedKeys, err), "a store grows too large to be read", otherPlace}
	}
	for i, e := range entries {
		if e.Key != fmt.Sprintf("k%04d", i) {
			return "", &flaw{Broken, fmt.Sprintf("a list of %d objects has %q in place %d", pagedKeys, e.Key, i), "files are overlooked", otherPlace}
		}
	}
	if len(entries) != pagedKeys {
		return "", &flaw{Broken, fmt.Sprintf("a list of %d objects yields %d", pagedKeys, len(entries)), "files are overlooked", otherPlace}
	}
	return fmt.Sprintf("a list of %d objects yields them all", pagedKeys), nil
}
