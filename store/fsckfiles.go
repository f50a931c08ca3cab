package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/stateroom/stateroom/vfs"
)

// readHead reads the head, and says where it cannot be read at all.
func (x *examination) readHead(ctx context.Context) error {
	b, e, err := x.h.own.Get(ctx, headName)
	if errors.Is(err, fs.ErrNotExist) {
		if x.last > 0 {
			x.add(HeadMissing, x.own(headName), "there is a log and no head", nil)
		}
		return nil
	}
	if err != nil {
		return err
	}
	x.headAt = e.Version
	hd, err := decodeHead(b)
	newer, _ := errors.AsType[*FormatError](err)
	switch {
	case newer != nil:
		x.add(HeadNewer, x.own(headName), fmt.Sprintf("it is of format %d", newer.Format), nil)
	case err != nil:
		x.add(HeadUnreadable, x.own(headName), err.Error(), x.dropHead)
	case hd.Cluster != x.h.name:
		x.add(HeadCluster, x.own(headName), "it is the head of "+quote(hd.Cluster), x.dropHead)
	default:
		x.head = hd
	}
	return nil
}

// dropHead removes the head as it was seen: the next writer goes by the log and
// makes it again. With gaps in the log that would not do.
func (x *examination) dropHead(ctx context.Context) error {
	if !x.solid() {
		return errors.New("first the log must be whole")
	}
	return x.h.own.Delete(ctx, headName, vfs.IfVersion(x.headAt))
}

// solid reports whether every number up to the last has a record that can be
// read, and each follows the one before.
func (x *examination) solid() bool {
	for n := 1; n <= x.last; n++ {
		if x.records[n] == nil || x.bad[n] {
			return false
		}
	}
	return true
}

// tip is the newest record that can be read; nil: none.
func (x *examination) tip() *record {
	return x.records[x.last]
}

// checkHead holds the head against the log.
func (x *examination) checkHead(ctx context.Context) error {
	if x.head == nil {
		return nil
	}
	object := x.own(headName)
	at, err := x.full(ctx, x.head.Number)
	switch {
	case err != nil:
		return err
	case x.head.Number > x.last:
		x.add(HeadAhead, object, fmt.Sprintf("it names commit %d, and the last one there is %d", x.head.Number, x.last), x.fill)
	case at == nil: // said of the record
	case at.Digest != x.head.Digest:
		x.add(HeadOther, object, fmt.Sprintf("it names another commit %d than the one there is", at.Number), x.dropHead)
	case !maps.Equal(at.Files, x.head.Files) || x.head.Kind != at.Kind || x.head.ClusterID != at.ClusterID || x.head.Seconds != at.seconds():
		x.add(HeadManifest, object, fmt.Sprintf("it does not say what commit %d says", at.Number), x.dropHead)
	case x.head.Number < x.last:
		x.add(HeadBehind, object, fmt.Sprintf("it names commit %d, and the newest is %d", x.head.Number, x.last), nil)
	}
	return nil
}

// state is how the history stands for those who judge plain files.
func (x *examination) state() *state {
	st := &state{head: x.head, headAt: x.headAt, tip: x.tip()}
	if x.head == nil || x.records[x.head.Number] == nil || x.records[x.head.Number].Digest != x.head.Digest {
		st.head, st.window = nil, []*record{st.tip}
		return st
	}
	for n := x.head.Number + 1; n <= x.last; n++ {
		if r := x.records[n]; r != nil {
			st.window = append(st.window, r)
		}
	}
	return st
}

// readPlain reads every plain file, and the release.
func (x *examination) readPlain(ctx context.Context) error {
	names := slices.Collect(maps.Keys(x.list.files))
	if tip := x.tip(); tip != nil {
		for name := range tip.Files {
			if onDisk(name) {
				names = append(names, name)
			}
		}
	}
	names = append(names, releaseFile)
	slices.Sort(names)
	seen, err := x.h.seeAll(ctx, slices.Compact(names))
	x.seen = map[string]*sight{}
	for _, s := range seen {
		if s != nil {
			x.seen[s.name] = s
		}
	}
	return err
}

// files holds the plain files against the newest record.
func (x *examination) files(ctx context.Context) error {
	st := x.state()
	if st.tip == nil {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(x.seen)) {
		s := x.seen[name]
		v, err := x.h.judge(ctx, s, st.tip, st.window)
		if errors.Is(err, errRecord) || errors.Is(err, errKey) || errors.Is(err, errStripped) {
			v, err = x.judgeAlone(s, st.tip), nil // the records or the key that would tell are damaged
		}
		if err != nil {
			return err
		}
		if name == releaseFile {
			x.release(s, v, st.tip)
		} else {
			x.file(s, v, st)
		}
		if f, ok := st.tip.Files[name]; ok {
			x.bytes(name, f, v == right)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(st.tip.Files)) {
		if !onDisk(name) {
			x.bytes(name, st.tip.Files[name], false)
		}
	}
	return nil
}

// judgeAlone compares a file with the bytes of the record that should hold them.
func (x *examination) judgeAlone(s *sight, tip *record) verdict {
	if r := x.records[tip.Files[s.name].Record]; r != nil {
		if c, ok := r.wrote(s.name); ok && c.exists == s.exists && bytes.Equal(c.bytes, s.bytes) {
			return right
		}
	}
	return foreignEdit
}

func (x *examination) file(s *sight, v verdict, st *state) {
	object := x.h.name + "/" + s.name
	living := st.tip.Kind != Deleted
	what := fmt.Sprintf("%d bytes that no commit wrote there", len(s.bytes))
	switch {
	case v == right || v == newer:
	case v == begun:
		x.add(FileUnfinished, object, "it is as before the newest commit", nil)
	case v == stale:
		x.add(FileStale, object, "it is as an older commit wrote it", nil)
	case !s.exists && s.name == configFile && living && len(x.list.files) > 0:
		x.add(ConfigMissing, object, "it is gone, and other files are there", nil)
	case !s.exists:
		x.add(FileMissing, object, "the newest commit has it, and it is not there", nil)
	case st.head != nil && st.head.Versions[s.name] == s.entry.Version && st.head.Files[s.name] == st.tip.Files[s.name] && s.entry.Version != "":
		x.add(FileUnseen, object, what, x.dropHead)
	default:
		x.add(FileForeign, object, what, nil)
	}
}

// release holds the release object against the newest record.
func (x *examination) release(s *sight, v verdict, tip *record) {
	object := x.own("release")
	_, released := tip.Files[releaseFile]
	switch {
	case v == right:
	case v == begun:
		x.add(FileUnfinished, object, "it is as before the newest commit", nil)
	case released && !s.exists:
		x.add(ReleaseMissing, object, "the newest commit carries a release, and none is there", nil)
	case released:
		x.add(ReleaseOther, object, "it is not what the newest commit carries", nil)
	case s.exists:
		var mend func(context.Context) error
		if x.holds(releaseFile, s.bytes) {
			mend = func(ctx context.Context) error { return x.h.own.Delete(ctx, "release", s.cond()) }
		}
		x.add(ReleaseStray, object, "the newest commit carries no release, and one is there", mend)
	}
}

// bytes looks whether the history holds the newest state of a file.
func (x *examination) bytes(name string, f File, plain bool) {
	r := x.records[f.Record]
	if r != nil {
		c, ok := r.wrote(name)
		if ok && c.exists && (len(c.bytes) > 0 || f.Size == 0) {
			return
		}
	}
	what := fmt.Sprintf("commit %d should hold its bytes, and does not", f.Record)
	if plain {
		x.add(BytesPlainOnly, x.h.name+"/"+name, what, nil)
		return
	}
	x.add(BytesGone, x.h.name+"/"+name, what, nil)
}

// keys looks at the keys of keyed digests.
func (x *examination) keys(ctx context.Context) error {
	epochs := map[int]bool{}
	if tip := x.tip(); tip != nil {
		for _, f := range tip.Files {
			epochs[f.Digest.epoch()] = true
		}
	}
	delete(epochs, 0)
	const folder = "keys/manifest/"
	for e, err := range x.h.own.List(ctx, folder, "") {
		if err != nil {
			return err
		}
		if n, err := strconv.Atoi(strings.TrimPrefix(e.Key, folder)); err == nil && keyName(n) == e.Key {
			epochs[n] = true
		}
	}
	for _, n := range slices.Sorted(maps.Keys(epochs)) {
		key, err := x.h.key(ctx, n)
		switch {
		case errors.Is(err, errKey):
			x.add(KeyUnreadable, x.own(keyName(n)), "it is not 64 hexadecimal digits", func(ctx context.Context) error { return x.setAside(ctx, keyName(n)) })
		case err != nil:
			return err
		case key == nil:
			x.add(KeyMissing, x.own(keyName(n)), "the newest commit has digests made with it", nil)
		}
	}
	return nil
}

// setAside moves an object to void/, where it hurts nobody.
func (x *examination) setAside(ctx context.Context, key string) error {
	b, e, err := x.h.own.Get(ctx, key)
	if err != nil {
		return err
	}
	if err := x.h.keepVoid(ctx, key, b); err != nil {
		return err
	}
	return x.h.own.Delete(ctx, key, vfs.IfVersion(e.Version))
}

// keepVoid puts what an object held to void/, before it is replaced.
func (h *History) keepVoid(ctx context.Context, key string, b []byte) error {
	name := "void/" + strings.ReplaceAll(key, "/", "-") + "." + strings.TrimPrefix(string(digestOf(b)), "sha256:")[:12]
	_, err := h.own.Put(ctx, name, b, vfs.IfAbsent(), "")
	if err != nil {
		there, _, err2 := h.own.Get(ctx, name)
		if err2 == nil && bytes.Equal(there, b) {
			return nil
		}
	}
	return err
}
