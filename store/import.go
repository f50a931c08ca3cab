package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

const maxImport = 16 << 20 // bytes of files in one import, unless one alone is larger

// imports returns the records that take foreign edits in, not yet put: one as
// a rule, more where they would be too large.
func (u *update) imports(ctx context.Context, st *state, sv *survey) ([]*record, error) {
	if len(sv.foreign) == 0 {
		return nil, nil
	}
	foreign := slices.Clone(sv.foreign)
	slices.SortFunc(foreign, func(a, b *sight) int { return strings.Compare(a.name, b.name) })
	var list []*record
	for len(foreign) > 0 {
		n, size := 1, len(foreign[0].bytes)
		for n < len(foreign) && size+len(foreign[n].bytes) <= maxImport {
			size += len(foreign[n].bytes)
			n++
		}
		after := st.tip
		if len(list) > 0 {
			after = list[len(list)-1]
		}
		r, err := u.importRecord(ctx, after, foreign[:n], sv.gone)
		if err != nil {
			return nil, err
		}
		list, foreign = append(list, r), foreign[n:]
	}
	return list, nil
}

// importRecord returns the record after another, or the first one, that takes
// in foreign files as they were seen.
func (u *update) importRecord(ctx context.Context, after *record, foreign []*sight, gone bool) (*record, error) {
	now := u.h.s.opt.Now().Unix()
	r := u.following(after)
	p := part{Name: "foreign", Message: importMessage(foreign)}
	r.Kind, r.Transaction = Import, newTransaction(u.h.s.opt.Now())
	if gone {
		r.Kind, p.Message = Deleted, "import: another tool deleted the cluster\n"
		clear(r.Files)
	}
	if u.adoption != "" {
		p.Message = cleanMessage(u.adoption)
	}
	for _, s := range foreign {
		r.Was[s.name] = after.digestOf(s.name)
		p.add(s.name, s.content)
		if !s.exists {
			delete(r.Files, s.name)
			continue
		}
		d, err := u.digests.digest(ctx, r.Files, s.name, s.bytes)
		if err != nil {
			return nil, err
		}
		r.Files[s.name] = File{d, int64(len(s.bytes)), r.Number}
		if t := s.entry.Time.Unix(); t <= now {
			p.Seconds = max(p.Seconds, t)
		}
	}
	if p.Seconds == 0 {
		p.Seconds = now
	}
	p.Seconds = max(p.Seconds, after.lastSeconds(), 0)
	if gone {
		for name := range after.Files {
			if hidden(name) { // goes with the cluster, though no plain file shows it
				r.Was[name] = after.digestOf(name)
				p.Deletes = append(p.Deletes, name)
			}
		}
	}
	r.Parts = []part{p}
	_, err := r.encode(nil) // its digest is the parent of what comes next
	return r, err
}

func importMessage(foreign []*sight) string {
	if len(foreign) == 1 {
		name := foreign[0].name
		if quoted := quote(name); quoted != `"`+name+`"` { // it could end the line, and begin one that settles a conflict
			name = quoted
		}
		return cleanMessage("import: " + name + " was changed by another tool")
	}
	return cleanMessage(fmt.Sprintf("import: %d files were changed by another tool", len(foreign)))
}

// following returns the record to come after another; after nil: the first.
// After the end of a cluster a new life begins.
func (u *update) following(after *record) *record {
	if after != nil && after.Kind != Deleted {
		return after.next("", "")
	}
	r := &record{Cluster: u.h.name, Number: 1, Was: map[string]Digest{}, Files: map[string]File{}}
	if after != nil {
		r.Number, r.Parent = after.Number+1, after.Digest
	}
	r.ClusterID = u.lineage
	return r
}

// digestOf is what the record's manifest says of a name; r may be nil.
func (r *record) digestOf(name string) Digest {
	if r == nil {
		return absent
	}
	return r.Files[name].Digest
}

func (r *record) lastSeconds() int64 {
	if r == nil {
		return 0
	}
	return r.seconds()
}
