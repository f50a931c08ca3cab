package store

import (
	"fmt"
	"maps"
	"slices"
)

// check holds a record against the rules of its format that go beyond its
// grammar.
func (r *record) check() error {
	for _, rule := range []func() string{r.checkHeader, r.checkChanges, r.checkFiles, r.checkKept} {
		if why := rule(); why != "" {
			return fmt.Errorf("%s: %w", why, errRecord)
		}
	}
	return nil
}

func (r *record) checkHeader() string {
	if why := r.checkDraft(); why != "" {
		return why
	}
	switch {
	case r.Number == 0, r.Number < 0 && r.Draft == "":
		return "numbers begin at 1"
	case (r.Number == 1) != (r.Parent == absent), r.Parent != absent && !r.Parent.plain():
		return "wrong parent"
	case !isTransaction(r.Transaction):
		return "transaction is not a ULID"
	case r.Kind.commits() < 0:
		return "no such kind"
	case r.Kind.commits() != len(r.Parts):
		return fmt.Sprintf("%d commits in a record of kind %s", len(r.Parts), r.Kind)
	case !r.Digest.plain():
		return "the digest is keyed"
	case r.Kind == Deleted && len(r.Files) > 0:
		return "a deleted cluster has files"
	}
	for _, c := range []byte(r.Signature) {
		if c < ' ' || c > '~' {
			return "signature is not printable"
		}
	}
	return ""
}

// checkDraft holds what only a draft's records have, and only they.
func (r *record) checkDraft() string {
	ends := r.Kind == Published || r.Kind == Dropped
	switch {
	case r.Draft == "" && (r.Base != 0 || ends):
		return "a draft without a name"
	case r.Draft == "":
		return ""
	case CheckDraft(r.Draft) != nil:
		return "no name for a draft"
	case r.Number > -1 || r.Base < 1:
		return "the numbers of a draft are d1, d2, ..., and it goes off a commit"
	case r.Kind != Change && !ends, ends && len(r.Was) > 0:
		return "a draft cannot hold that"
	}
	return ""
}

// has reports whether a record of a history, or of a draft, may name another as
// the one that holds a file.
func (r *record) has(n int) bool {
	if r.Draft != "" {
		return n >= r.Number && n <= r.Base && n != 0
	}
	return n >= 1 && n <= r.Number
}

// checkChanges: what the last commit changes is what # was and # file say.
func (r *record) checkChanges() string {
	if len(r.Parts) == 0 {
		if len(r.Was) > 0 {
			return "changes without a commit"
		}
		return ""
	}
	last := r.Parts[len(r.Parts)-1]
	if len(last.Deletes)+len(last.Writes) != len(r.Was) {
		return "# was does not fit the changes"
	}
	for _, name := range last.Deletes {
		if _, ok := r.Was[name]; !ok {
			return "no # was for " + quote(name)
		}
		if _, ok := r.Files[name]; ok {
			return "deleted and in the manifest: " + quote(name)
		}
	}
	for _, w := range last.Writes {
		if _, ok := r.Was[w.Name]; !ok {
			return "no # was for " + quote(w.Name)
		}
		f, ok := r.Files[w.Name]
		switch {
		case !ok || f.Record != r.Number:
			return "written and not in the manifest: " + quote(w.Name)
		case !fits(f.Digest, f.Size, w.Bytes):
			return "bytes do not fit the manifest: " + quote(w.Name)
		}
	}
	return ""
}

// fits reports whether b can be the bytes of a file: keyed digests cannot be
// checked here, and stripped bytes fit.
func fits(d Digest, size int64, b []byte) bool {
	if len(b) == 0 && size > 0 {
		return true
	}
	return int64(len(b)) == size && (!d.plain() || digestOf(b) == d)
}

func (r *record) checkFiles() string {
	names := slices.Sorted(maps.Keys(r.Files))
	if folder, file := folderOfAnother(names); folder != "" {
		return quote(folder) + " is a folder of " + quote(file)
	}
	for _, name := range names {
		f := r.Files[name]
		if !r.has(f.Record) {
			return "the manifest names a record that cannot be: " + quote(name)
		}
		if f.Record == r.Number {
			if c, ok := r.wrote(name); !ok || !c.exists {
				return "the manifest has what was not written: " + quote(name)
			}
		}
	}
	return ""
}

// checkKept: the first half of a conflict keeps what # was says.
func (r *record) checkKept() string {
	if r.Kind != Conflict {
		return ""
	}
	kept := &r.Parts[0]
	if kept.author() != "foreign <>" || len(kept.Deletes)+len(kept.Writes) != len(r.Was) {
		return "a conflict keeps something else than it says"
	}
	for name, was := range r.Was {
		c, ok := kept.wrote(name)
		stripped := was != absent && len(c.bytes) == 0
		if !ok || c.exists != (was != absent) || !stripped && was.plain() && digestOf(c.bytes) != was {
			return "a conflict does not keep " + quote(name)
		}
	}
	return ""
}
