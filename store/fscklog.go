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
	records map[int]*record     // that can be read, in the chain or not; see slim
	bad     map[int]bool        // may be replaced by a void record
	last    int                 // the highest number
	spare   map[int]*record     // readable but for some payload
	chained []Finding           // where one record does not follow from the one before

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
	x.found = append(x.found, x.chained...)
	if err := x.checkHead(ctx); err != nil {
		return err
	}
	return x.files(ctx)
}

// objects lists .stateroom/CLUSTER: the records are noted, the rest is checked
// to be something.
func (x *examination) objects(ctx context.Context) error {
	x.at, x.raw, x.records, x.bad, x.spare = map[int]vfs.Version{}, map[int][]byte{}, map[int]*record{}, map[int]bool{}, map[int]*record{}
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

// readAtOnce is how many records are in memory with all that they hold.
const readAtOnce = 512

// log reads every record, and holds each against the one before.
func (x *examination) log(ctx context.Context) error {
	transactions := map[string]int{}
	for first := 1; first <= x.last; first += readAtOnce {
		reads := make([]readRecord, min(readAtOnce, x.last-first+1))
		err := forEach(ctx, len(reads), func(ctx context.Context, i int) (err error) {
			reads[i], err = x.read(ctx, first+i)
			return err
		})
		if err != nil {
			return err
		}
		for i, got := range reads {
			if err := x.enter(ctx, first+i, got); err != nil {
				return err
			}
		}
		for n := first; n < first+len(reads); n++ {
			x.chain(n, transactions)
			x.slim(n - 1)
		}
	}
	return nil
}

// readRecord is what was found at a number.
type readRecord struct {
	r    *record
	raw  []byte
	code Code
	err  error
}

func (x *examination) read(ctx context.Context, n int) (readRecord, error) {
	if _, there := x.at[n]; !there {
		return readRecord{code: RecordMissing, err: errors.New("it is not there, and later ones are")}, nil
	}
	b, _, err := x.h.own.Get(ctx, recordName(n))
	if err != nil {
		return readRecord{}, err
	}
	r, err := decodeRecord(b)
	got := readRecord{r, b, RecordUnreadable, err}
	newer, _ := errors.AsType[*FormatError](err)
	switch {
	case newer != nil:
		got.code = RecordNewer
	case err == nil && r.Number != n:
		got.err = fmt.Errorf("it says that it is number %d", r.Number)
	case err == nil && x.h.s.opt.Verify != nil:
		got.code, got.err = RecordSignature, x.h.s.opt.Verify(string(r.Digest), r.Signature)
	}
	return got, nil
}

// enter notes what was found at a number.
func (x *examination) enter(ctx context.Context, n int, got readRecord) error {
	if got.err == nil {
		wrong, err := x.wrongPayloads(ctx, got.r)
		if err != nil {
			return err
		}
		if x.records[n] = got.r; len(wrong) > 0 {
			x.spare[n] = got.r
		}
		return nil
	}
	if r := recordButPayload(got.raw); r != nil && r.Number == n && got.code == RecordUnreadable {
		x.spare[n], x.records[n] = r, r
		return nil
	}
	x.raw[n], x.bad[n] = got.raw, got.code != RecordNewer
	x.add(got.code, x.own(recordName(n)), fmt.Sprintf("commit %d: %v", n, got.err), nil)
	return nil
}

// slim drops the manifest of a record that another follows, and what was read
// along with its bytes: of a hundred thousand commits, they are most of it. full
// has it again.
func (x *examination) slim(n int) {
	r := x.records[n]
	if r == nil || x.spare[n] != nil {
		return
	}
	small := *r
	small.Files, small.Parts = map[string]File{}, slices.Clone(r.Parts)
	for name := range r.Was {
		if f, ok := r.Files[name]; ok {
			small.Files[name] = f
		}
	}
	for i := range small.Parts {
		p := &small.Parts[i]
		p.Writes = slices.Clone(p.Writes)
		for j := range p.Writes {
			p.Writes[j].Bytes = bytes.Clone(p.Writes[j].Bytes)
		}
	}
	x.records[n] = &small
}

// full returns a record with all of its manifest; nil: it cannot be read.
func (x *examination) full(ctx context.Context, n int) (*record, error) {
	r := x.records[n]
	if r == nil || n == x.last {
		return r, nil
	}
	b, _, err := x.h.own.Get(ctx, recordName(n))
	if err != nil {
		return nil, err
	}
	whole := recordButPayload(b)
	if whole == nil || whole.Digest != r.Digest {
		return nil, fmt.Errorf("%s has become another meanwhile: %w", recordName(n), ErrConflict)
	}
	return whole, nil
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

// chain holds a record against the one before.
func (x *examination) chain(n int, transactions map[string]int) {
	r, prev := x.records[n], x.records[n-1]
	if r == nil {
		return
	}
	add := func(code Code, format string, args ...any) {
		x.chained = append(x.chained, Finding{Cluster: x.h.name, Code: code, Object: x.own(recordName(n)), What: fmt.Sprintf(format, args...)})
	}
	if r.Cluster != x.h.name {
		add(RecordCluster, "commit %d is one of cluster %s", n, quote(r.Cluster))
	}
	if first := transactions[r.Transaction]; first > 0 {
		add(RecordTwice, "commits %d and %d are one transaction", first, n)
	}
	transactions[r.Transaction] = n
	if prev == nil || prev.Kind == Void {
		return
	}
	if r.Parent != prev.Digest {
		x.bad[n], x.bad[n-1] = true, true
		add(RecordChain, "commit %d does not follow commit %d as it is", n, n-1)
		return
	}
	if len(r.Parts) > 0 && r.seconds() < prev.seconds() {
		add(RecordTime, "commit %d is %d s older than commit %d", n, prev.seconds()-r.seconds(), n-1)
	}
	if why := r.departs(prev); why != "" {
		add(RecordManifest, "commit %d: %s", n, why)
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

// payloads finds the bytes that records have lost, and those of secrets that are
// not what their digest says.
func (x *examination) payloads(ctx context.Context) error {
	for n := range x.spare {
		delete(x.records, n) // what it holds is not to be found in it
	}
	for _, n := range slices.Sorted(maps.Keys(x.spare)) {
		r := x.spare[n]
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
			spoilt, _, err := x.h.own.Get(ctx, recordName(r.Number))
			if err == nil {
				err = x.h.keepVoid(ctx, recordName(r.Number), spoilt)
			}
			if err != nil {
				return err
			}
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
	for i := range r.Parts {
		kept := i < len(r.Parts)-1
		for _, w := range r.Parts[i].Writes {
			f := r.Files[w.Name]
			if kept {
				f = keptFile(r, w.Name)
			}
			ok, err := x.right(ctx, w, f)
			if err != nil {
				return nil, err
			}
			if !ok {
				names = append(names, w.Name)
			}
		}
	}
	return names, nil
}

// keptFile is what a conflict says of foreign bytes that it keeps: no manifest
// has their size.
func keptFile(r *record, name string) File { return File{Digest: r.Was[name], Size: -1} }

// right reports whether bytes are what a digest says, as far as it can be told.
func (x *examination) right(ctx context.Context, w write, f File) (bool, error) {
	if len(w.Bytes) == 0 && f.Size != 0 {
		return true, nil // stripped
	}
	return x.same(ctx, w.Name, f, w.Bytes, true)
}

// same reports whether b are the bytes of a file; of a keyed one whose key is
// lost, unknown.
func (x *examination) same(ctx context.Context, name string, f File, b []byte, unknown bool) (bool, error) {
	if f.Size >= 0 && int64(len(b)) != f.Size {
		return false, nil
	}
	if f.Digest.plain() {
		return digestOf(b) == f.Digest, nil
	}
	key, err := x.key(ctx, f.Digest.epoch())
	if key == nil || err != nil {
		return unknown, err
	}
	return digestKeyed(f.Digest.epoch(), key, name, b) == f.Digest, nil
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
	mended = &record{}
	*mended = *r
	mended.Parts = slices.Clone(r.Parts)
	for i := range mended.Parts {
		writes := slices.Clone(mended.Parts[i].Writes)
		mended.Parts[i].Writes = writes
		for j, w := range writes {
			f := r.Files[w.Name]
			if i < len(r.Parts)-1 {
				f = keptFile(r, w.Name)
			}
			ok, err := x.right(ctx, w, f)
			if err == nil && !ok {
				writes[j].Bytes, err = x.findBytes(ctx, w.Name, f)
				if writes[j].Bytes == nil {
					lost = append(lost, w.Name)
				}
			}
			if err != nil {
				return nil, nil, err
			}
		}
	}
	if err := mended.check(); err != nil && len(lost) == 0 {
		lost = append(lost, "what it holds")
	}
	return mended, lost, nil
}

// findBytes looks for the bytes of a file in the plain file and in all records;
// nil: they are nowhere.
func (x *examination) findBytes(ctx context.Context, name string, f File) ([]byte, error) {
	if s := x.seen[name]; s != nil && s.exists {
		if ok, err := x.same(ctx, name, f, s.bytes, false); ok || err != nil {
			return s.bytes, err
		}
	}
	for _, r := range x.records {
		for i := range r.Parts {
			for _, w := range r.Parts[i].Writes {
				if !f.Digest.plain() && w.Name != name {
					continue
				}
				if ok, err := x.same(ctx, name, f, w.Bytes, false); ok || err != nil {
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
