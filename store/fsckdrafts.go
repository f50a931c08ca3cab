package store

import (
	"context"
	"errors"
	"fmt"
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
		before = r
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
