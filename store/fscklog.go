package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/stateroom/stateroom/vfs"
)

// examination is one cluster that is looked at.
type examination struct {
	h       *History
	found   []Finding
	raw     map[int][]byte      // of records that cannot be used
	at      map[int]vfs.Version // of all records
	records map[int]*record     // that can be read, in the chain or not
	bad     map[int]bool        // may be replaced by a void record
	last    int                 // the highest number
	spare   []*record           // readable but for some payload

	head   *head
	headAt vfs.Version
	list   *listing
	seen   map[string]*sight // of plain files, and the release
}

func (x *examination) add(code Code, object, what string, mend func(context.Context) error) {
	x.found = append(x.found, Finding{Cluster: x.h.name, Code: code, Object: object, What: what, mend: mend})
}

func (x *examination) own(name string) string { return meta + "/" + x.h.name + "/" + name }

// examine looks at a cluster, or at a folder that may be one.
func (x *examination) examine(ctx context.Context, history bool) (err error) {
	if x.list, err = x.h.list(ctx); err != nil {
		return err
	}
	if _, ok := x.list.files[configFile]; !ok && !history {
		return nil // some other folder
	}
	for _, name := range slices.Sorted(maps.Keys(x.list.refused)) {
		x.add(FileRefused, x.h.name+"/"+name, "its name or size "+x.list.refused[name], nil)
	}
	if !history {
		return nil
	}
	steps := []func(context.Context) error{x.objects, x.log, x.drafts, x.readHead, x.readPlain, x.keys, x.payloads}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	x.chain()
	x.checkHead()
	return x.files(ctx)
}

// objects lists .stateroom/CLUSTER: the records are noted, the rest is checked
// to be something.
func (x *examination) objects(ctx context.Context) error {
	x.at, x.raw, x.records, x.bad = map[int]vfs.Version{}, map[int][]byte{}, map[int]*record{}, map[int]bool{}
	var strays []string
	for e, err := range x.h.own.List(ctx, "", "") {
		if err != nil {
			return err
		}
		folder, rest, _ := strings.Cut(e.Key, "/")
		switch {
		case strings.HasSuffix(e.Key, "/"+configFile):
			x.add(ObjectConfig, x.own(e.Key), "a key of ours that ends in /config", nil)
		case folder == "log":
			n, err := strconv.Atoi(rest)
			if err != nil || n < 1 || recordName(n) != e.Key {
				strays = append(strays, e.Key)
				continue
			}
			x.at[n], x.last = e.Version, max(x.last, n)
		case e.Key == "lease":
			x.add(LeaseLeft, x.own(e.Key), "a lease of an older kind", func(ctx context.Context) error {
				return x.h.own.Delete(ctx, e.Key, vfs.IfVersion(e.Version))
			})
		case rest == "" && slices.Contains([]string{headName, "release"}, folder),
			rest != "" && slices.Contains([]string{"bundles", "nodes", "keys", "drafts", "void"}, folder):
		default:
			x.add(ObjectStray, x.own(e.Key), "nothing of this name belongs here", nil)
		}
	}
	for _, key := range strays {
		if err := x.strayRecord(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// strayRecord looks at an object in the log that is no record by its name.
func (x *examination) strayRecord(ctx context.Context, key string) error {
	b, e, err := x.h.own.Get(ctx, key)
	if err != nil {
		return err
	}
	var mend func(context.Context) error
	if r, err := decodeRecord(b); err == nil {
		same, _, err := x.h.own.Get(ctx, recordName(r.Number))
		if err == nil && bytes.Equal(same, b) {
			mend = func(ctx context.Context) error { return x.h.own.Delete(ctx, key, vfs.IfVersion(e.Version)) }
		}
	}
	x.add(LogName, x.own(key), "its name is no number of 12 digits", mend)
	return nil
}

// log reads every record.
func (x *examination) log(ctx context.Context) error {
	type read struct {
		r    *record
		raw  []byte
		code Code
		err  error
	}
	reads := make([]read, x.last)
	err := forEach(ctx, x.last, func(ctx context.Context, i int) error {
		if _, there := x.at[i+1]; !there {
			reads[i] = read{code: RecordMissing, err: errors.New("it is not there, and later ones are")}
			return nil
		}
		b, _, err := x.h.own.Get(ctx, recordName(i+1))
		if err != nil {
			return err
		}
		r, err := decodeRecord(b)
		reads[i] = read{r, b, RecordUnreadable, err}
		newer, _ := errors.AsType[*FormatError](err)
		switch {
		case newer != nil:
			reads[i].code = RecordNewer
		case err == nil && r.Number != i+1:
			reads[i].err = fmt.Errorf("it says that it is number %d", r.Number)
		case err == nil && x.h.s.opt.Verify != nil:
			reads[i].code, reads[i].err = RecordSignature, x.h.s.opt.Verify(string(r.Digest), r.Signature)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, got := range reads {
		n := i + 1
		if got.err == nil {
			x.records[n] = got.r
			continue
		}
		x.raw[n] = got.raw
		if r := recordButPayload(got.raw); r != nil && r.Number == n && got.code == RecordUnreadable {
			x.spare = append(x.spare, r)
			continue
		}
		x.bad[n] = got.code != RecordNewer
		x.add(got.code, x.own(recordName(n)), fmt.Sprintf("commit %d: %v", n, got.err), nil)
	}
	return nil
}

// recordButPayload reads a record whose digest holds, whatever bytes it
// carries; nil: there is more wrong with it.
func recordButPayload(b []byte) *record {
	t := &text{rest: b}
	r := t.record()
	if t.err != nil {
		return nil
	}
	written := r.Digest
	again, err := r.encode(nil)
	if err != nil || r.Digest != written || !bytes.Equal(again, b) {
		return nil
	}
	return r
}

// chain holds each record against the one before.
func (x *examination) chain() {
	transactions := map[string]int{}
	for n := 1; n <= x.last; n++ {
		r, prev := x.records[n], x.records[n-1]
		if r == nil {
			continue
		}
		object := x.own(recordName(n))
		if r.Cluster != x.h.name {
			x.add(RecordCluster, object, fmt.Sprintf("commit %d is one of cluster %s", n, quote(r.Cluster)), nil)
		}
		if first := transactions[r.Transaction]; first > 0 {
			x.add(RecordTwice, object, fmt.Sprintf("commits %d and %d are one transaction", first, n), nil)
		}
		transactions[r.Transaction] = n
		if prev == nil || prev.Kind == Void {
			continue
		}
		if r.Parent != prev.Digest {
			x.bad[n], x.bad[n-1] = true, true
			x.add(RecordChain, object, fmt.Sprintf("commit %d does not follow commit %d as it is", n, n-1), nil)
			continue
		}
		if len(r.Parts) > 0 && r.seconds() < prev.seconds() {
			x.add(RecordTime, object, fmt.Sprintf("commit %d is %d s older than commit %d", n, prev.seconds()-r.seconds(), n-1), nil)
		}
		if why := r.departs(prev); why != "" {
			x.add(RecordManifest, object, fmt.Sprintf("commit %d: %s", n, why), nil)
		}
	}
}

// departs says where the manifest is another than that of the record before
// with the changes made; empty: nowhere.
func (r *record) departs(prev *record) string {
	if r.ClusterID != prev.ClusterID && prev.Kind != Deleted {
		return "it is of another lineage"
	}
	for _, name := range slices.Sorted(maps.Keys(r.Files)) {
		if _, changed := r.Was[name]; !changed && r.Files[name] != prev.Files[name] {
			return name + " is another and was not changed"
		}
	}
	for _, name := range slices.Sorted(maps.Keys(prev.Files)) {
		if _, there := r.Files[name]; there {
			continue
		}
		if _, changed := r.Was[name]; !changed {
			return name + " is gone and was not deleted"
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Was)) {
		if r.Kind != Conflict && r.Was[name] != prev.Files[name].Digest {
			return name + " was another before"
		}
	}
	return ""
}

// payloads looks for the bytes that records have lost, and finds those of
// secrets that are not what their digest says.
func (x *examination) payloads(ctx context.Context) error {
	for n := 1; n <= x.last; n++ {
		r := x.records[n]
		if r == nil {
			continue
		}
		if wrong, err := x.wrongPayloads(ctx, r); err != nil {
			return err
		} else if len(wrong) > 0 {
			x.spare = append(x.spare, r)
			delete(x.records, n)
		}
	}
	for _, r := range x.spare {
		object := x.own(recordName(r.Number))
		mended, lost, err := x.mendPayload(ctx, r)
		if err != nil {
			return err
		}
		if len(lost) > 0 {
			x.bad[r.Number] = true
			x.add(RecordUnreadable, object, fmt.Sprintf("commit %d: the bytes of %s do not fit their digest", r.Number, strings.Join(lost, ", ")), nil)
			continue
		}
		x.records[r.Number] = mended
		x.add(RecordPayload, object, fmt.Sprintf("commit %d: bytes do not fit their digest", r.Number), func(ctx context.Context) error {
			b, err := mended.encode(nil)
			if err == nil {
				_, err = x.h.own.Put(ctx, recordName(r.Number), b, vfs.IfVersion(x.at[r.Number]), "")
			}
			return err
		})
	}
	return nil
}

// wrongPayloads returns the names whose bytes in the record are not what its
// manifest says. Those of a lost key, and stripped ones, count as right.
func (x *examination) wrongPayloads(ctx context.Context, r *record) ([]string, error) {
	var names []string
	if len(r.Parts) == 0 {
		return nil, nil
	}
	for _, w := range r.Parts[len(r.Parts)-1].Writes {
		f := r.Files[w.Name]
		ok := fits(f.Digest, f.Size, w.Bytes)
		if ok && f.Digest.epoch() > 0 && len(w.Bytes) > 0 {
			key, err := x.key(ctx, f.Digest.epoch())
			if err != nil {
				return nil, err
			}
			ok = key == nil || digestKeyed(f.Digest.epoch(), key, w.Name, w.Bytes) == f.Digest
		}
		if !ok {
			names = append(names, w.Name)
		}
	}
	return names, nil
}

// key returns a key, or nil where it cannot be had.
func (x *examination) key(ctx context.Context, epoch int) ([]byte, error) {
	key, err := x.h.key(ctx, epoch)
	if errors.Is(err, errKey) {
		return nil, nil
	}
	return key, err
}

// mendPayload returns a record with its bytes put back, or the names of those
// that are nowhere.
func (x *examination) mendPayload(ctx context.Context, r *record) (mended *record, lost []string, err error) {
	wrong, err := x.wrongPayloads(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	mended = &record{}
	*mended = *r
	mended.Parts = slices.Clone(r.Parts)
	last := &mended.Parts[len(mended.Parts)-1]
	last.Writes = slices.Clone(last.Writes)
	for i, w := range last.Writes {
		if !slices.Contains(wrong, w.Name) {
			continue
		}
		b, err := x.findBytes(ctx, w.Name, r.Files[w.Name])
		if err != nil {
			return nil, nil, err
		}
		if b == nil {
			lost = append(lost, w.Name)
			continue
		}
		last.Writes[i].Bytes = b
	}
	if err := mended.check(); err != nil && len(lost) == 0 {
		lost = append(lost, "what a conflict keeps")
	}
	return mended, lost, nil
}

// findBytes looks for the bytes of a file in the plain file and in all records.
func (x *examination) findBytes(ctx context.Context, name string, f File) ([]byte, error) {
	fitting := func(b []byte) (bool, error) {
		if int64(len(b)) != f.Size {
			return false, nil
		}
		if f.Digest.plain() {
			return digestOf(b) == f.Digest, nil
		}
		key, err := x.key(ctx, f.Digest.epoch())
		return key != nil && digestKeyed(f.Digest.epoch(), key, name, b) == f.Digest, err
	}
	if s := x.seen[name]; s != nil && s.exists {
		if ok, err := fitting(s.bytes); ok || err != nil {
			return s.bytes, err
		}
	}
	for _, r := range x.records {
		for i := range r.Parts {
			for _, w := range r.Parts[i].Writes {
				if !f.Digest.plain() && w.Name != name {
					continue
				}
				if ok, err := fitting(w.Bytes); ok || err != nil {
					return w.Bytes, err
				}
			}
		}
	}
	return nil, nil
}

// holds reports whether some record holds these bytes at this name.
func (x *examination) holds(name string, b []byte) bool {
	for _, r := range x.records {
		for i := range r.Parts {
			if c, ok := r.Parts[i].wrote(name); ok && c.exists && bytes.Equal(c.bytes, b) {
				return true
			}
		}
	}
	return false
}
