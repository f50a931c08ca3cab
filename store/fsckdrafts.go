package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// drafts looks at the records of each draft: that they can be read, and that
// each follows the one before it, or the commit that its draft goes off.
func (x *examination) drafts(ctx context.Context) error {
	names, err := x.h.draftNames(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		d, err := x.h.Draft(name)
		if err != nil {
			return err
		}
		newest, err := d.newest(ctx)
		if err != nil {
			return err
		}
		if err := x.draft(ctx, d, newest); err != nil {
			return err
		}
	}
	return nil
}

func (x *examination) draft(ctx context.Context, d *Draft, newest int) error {
	var before *record
	for n := -1; n >= newest; n-- {
		r, err := d.h.record(ctx, n)
		object := x.own(d.h.recordName(n))
		_, damaged := errors.AsType[*DamagedError](err)
		_, newer := errors.AsType[*FormatError](err)
		switch {
		case err != nil && !damaged && !newer:
			return err
		case err != nil:
			x.add(DraftUnreadable, object, fmt.Sprintf("draft %s: %v", d.name, err), nil)
			return nil
		}
		if why := x.misplaced(before, r); why != "" {
			x.add(DraftChain, object, fmt.Sprintf("draft %s, commit %s: %s", d.name, NumberText(n), why), nil)
		}
		wrong, err := x.wrongPayloads(ctx, r)
		if err != nil {
			return err
		}
		if len(wrong) > 0 {
			x.add(DraftUnreadable, object, fmt.Sprintf("draft %s, commit %s: the bytes of %s do not fit their digest", d.name, NumberText(n), strings.Join(wrong, ", ")), nil)
		}
		before = r
	}
	return x.draftWhole(ctx, d, before)
}

// draftWhole looks whether all is there that an open draft stands on: the bytes
// of its newest commit and of the one that it goes off.
func (x *examination) draftWhole(ctx context.Context, d *Draft, tip *record) error {
	if tip.ended() {
		return nil
	}
	base, err := x.full(ctx, tip.Base)
	if err != nil || base == nil { // a missing one was told
		return err
	}
	gone := map[string]bool{}
	for _, r := range []*record{base, tip} {
		for name, f := range r.Files {
			holder := x.records[f.Record]
			if f.Record < 0 {
				if holder, err = d.h.record(ctx, f.Record); err != nil {
					return err
				}
			}
			if holder == nil || f.Size == 0 {
				continue
			}
			if c, ok := holder.wrote(name); !ok || len(c.bytes) == 0 {
				gone[name] = true
			}
		}
	}
	if len(gone) > 0 {
		names := slices.Sorted(maps.Keys(gone))
		x.add(DraftUnreadable, x.own(d.h.recordName(tip.Number)), fmt.Sprintf("draft %s: the bytes of %s, which it stands on, are gone", d.name, strings.Join(names, ", ")), nil)
	}
	return nil
}

// misplaced says why a record of a draft cannot come after another.
func (x *examination) misplaced(before, r *record) string {
	if !before.ended() {
		if r.Parent != before.Digest || r.Base != before.Base {
			return "it does not follow the one before it"
		}
		return ""
	}
	if base := x.records[r.Base]; base == nil || base.Digest != r.Parent {
		return fmt.Sprintf("it goes off a commit %d that is not in the log", r.Base)
	}
	return ""
}
