package store

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/stateroom/stateroom/vfs"
)

// survey is how the plain files stand to the newest record.
type survey struct {
	seen     map[string]*sight      // the files that needed a look
	versions map[string]vfs.Version // of those that are right
	stale    []*sight
	foreign  []*sight // to be imported, missing files too
	young    []*sight // foreign, to be left alone for now
	gone     bool     // every tracked file is missing: the cluster was deleted
	later    bool     // a file was written for a record that was not seen
}

// survey looks at every file whose version is not the one in the head.
func (h *History) survey(ctx context.Context, st *state, l *listing) (*survey, error) {
	sv := &survey{seen: map[string]*sight{}, versions: map[string]vfs.Version{}}
	seen, err := h.seeAll(ctx, h.suspects(st, l, sv.versions))
	if err != nil {
		return nil, err
	}
	verdicts := make([]verdict, len(seen))
	err = forEach(ctx, len(seen), func(ctx context.Context, i int) (err error) {
		verdicts[i], err = h.verdict(ctx, seen[i], st)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i, s := range seen {
		sv.sort(s, verdicts[i], st)
	}
	sv.refuseFolders(st, l)
	sv.gone = allGone(st, seen)
	if sv.gone {
		// The one case in which what is missing is believed, whoever deleted it.
		sv.stale = nil
		sv.foreign = slices.DeleteFunc(seen, func(s *sight) bool { return hidden(s.name) || st.files()[s.name].Record == 0 })
	} else {
		sv.leaveYoung(func(t time.Time) bool { return h.s.opt.fresh(t, h.s.opt.Settle.Foreign) }, st)
	}
	return sv, nil
}

// suspects returns the names of files that need a look, and notes the versions
// of those that need none.
func (h *History) suspects(st *state, l *listing, versions map[string]vfs.Version) []string {
	files := st.files()
	names := map[string]bool{}
	for name, e := range l.files {
		f, ok := files[name]
		if !ok || st.head == nil || st.head.Versions[name] != e.Version || st.head.Files[name].Digest != f.Digest {
			names[name] = true
			continue
		}
		versions[name] = e.Version
	}
	for name := range files {
		if _, listed := l.files[name]; !listed && onDisk(name) {
			names[name] = true
		}
	}
	// The release is in no list.
	if st.head != nil && !st.moved && st.head.Versions[releaseFile] != "" && names[releaseFile] {
		delete(names, releaseFile)
		versions[releaseFile] = st.head.Versions[releaseFile]
	}
	return slices.Sorted(maps.Keys(names))
}

func (h *History) verdict(ctx context.Context, s *sight, st *state) (verdict, error) {
	if st.tip == nil {
		if s.exists {
			return foreignEdit, nil
		}
		return right, nil
	}
	return h.judge(ctx, s, st.tip, st.window)
}

func (sv *survey) sort(s *sight, v verdict, st *state) {
	sv.seen[s.name] = s
	switch {
	case v == right:
		if s.exists {
			sv.versions[s.name] = s.entry.Version
		}
	case v == newer:
		sv.later = true
	case v == stale || v == begun || s.name == releaseFile:
		sv.stale = append(sv.stale, s)
	default:
		sv.foreign = append(sv.foreign, s)
	}
}

// allGone reports whether the newest record has files, and not one of them, or
// any other, is there. A file that is as it should be was not looked at: each
// file of the record must have been, and been missing.
func allGone(st *state, seen []*sight) bool {
	if !st.living() {
		return false
	}
	missing := map[string]bool{}
	for _, s := range seen {
		if s.exists && !hidden(s.name) {
			return false
		}
		missing[s.name] = true
	}
	names := plainNames(st.files())
	return len(names) > 0 && !slices.ContainsFunc(names, func(name string) bool { return !missing[name] })
}

// refuseFolders refuses foreign files that are folders of others too, or lie
// in what is a file: object stores allow it, disks and git do not.
func (sv *survey) refuseFolders(st *state, l *listing) {
	for {
		all := map[string]bool{}
		for name := range st.files() {
			all[name] = true
		}
		foreign := map[string]bool{}
		for _, s := range sv.foreign {
			all[s.name], foreign[s.name] = s.exists, s.exists
		}
		maps.DeleteFunc(all, func(_ string, there bool) bool { return !there })
		folder, file := folderOfAnother(slices.Sorted(maps.Keys(all)))
		if folder == "" || !foreign[folder] && !foreign[file] {
			return
		}
		refused := folder
		if !foreign[folder] {
			refused = file
		}
		l.refused[refused] = "is or needs a folder that is a file too"
		sv.foreign = slices.DeleteFunc(sv.foreign, func(s *sight) bool { return s.name == refused })
	}
}

// noteImported notes the versions of foreign files that are in a record now.
func (sv *survey) noteImported() {
	for _, s := range sv.foreign {
		if delete(sv.versions, s.name); s.exists {
			sv.versions[s.name] = s.entry.Version
		}
	}
}

// leaveYoung sets aside what was written a moment ago: another tool may be in
// the middle. The first import takes all: there is nothing else to stand on.
func (sv *survey) leaveYoung(fresh func(time.Time) bool, st *state) {
	if !st.living() {
		return
	}
	var settled []*sight
	for _, s := range sv.foreign {
		if s.exists && fresh(s.entry.Time) {
			sv.young = append(sv.young, s)
		} else {
			settled = append(settled, s)
		}
	}
	sv.foreign = settled
}

// take moves the young files that a change touches to those to be imported,
// and reports whether there were any.
func (sv *survey) take(changes part) bool {
	var rest []*sight
	for _, s := range sv.young {
		if _, touched := changes.wrote(s.name); touched {
			sv.foreign = append(sv.foreign, s)
		} else {
			rest = append(rest, s)
		}
	}
	taken := len(rest) < len(sv.young)
	sv.young = rest
	return taken
}

func namesOf(seen []*sight) []string {
	names := make([]string, len(seen))
	for i, s := range seen {
		names[i] = s.name
	}
	slices.Sort(names)
	return names
}
