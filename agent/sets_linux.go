package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/stateroom/stateroom/bundle"
)

// newest returns the set of a bundle that was made last, of those looked at.
func (m *Machine) newest(d bundle.Digest) *standing {
	var best *standing
	for _, s := range m.standing {
		if s.set.Bundle == d && (best == nil || generation(s.set.ID) > generation(best.set.ID)) {
			best = s
		}
	}
	return best
}

// generation is the number behind the digest in the name of a set: a set that
// is staged anew, for new certificates or another address, gets the next one.
func generation(id string) int {
	_, n, _ := strings.Cut(id, ".")
	g, _ := strconv.Atoi(n) // none is 0
	return g
}

// fits reports whether a set can be used as it stands: its certificates are not
// due, and its programs are there.
func (m *Machine) fits(s *standing) bool {
	if !s.valid.holds(m.opt.Now()) {
		return false
	}
	for _, target := range s.goods.links {
		if st, err := os.Stat(target); err != nil || !st.Mode().IsRegular() {
			return false
		}
	}
	return true
}

// at is the name of a path of a set.
func (m *Machine) at(id, p string) string { return path.Join(setsDir, id, p) }

// setsOf lists the sets of a bundle, the newest last.
func (m *Machine) setsOf(d bundle.Digest) ([]string, error) {
	names, err := m.names(setsDir)
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(n string) bool { hex, _, _ := strings.Cut(n, "."); return hex != d.Hex() })
	slices.SortFunc(names, func(a, b string) int { return generation(a) - generation(b) })
	return names, nil
}

func (m *Machine) names(dir string) ([]string, error) {
	d, err := m.root.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(-1)
}

func (m *Machine) readRecord(id string) (setRecord, error) {
	var rec setRecord
	text, err := m.root.ReadFile(m.at(id, setFile))
	if err == nil {
		err = json.Unmarshal(text, &rec)
	}
	if err == nil && rec.Format != 1 {
		err = &bundle.FormatError{What: setFile, Got: rec.Format}
	}
	return rec, err
}

// restore puts the files of a set right that are not as they should be. What
// did not change since it was looked at last is not read again.
func (m *Machine) restore(ctx context.Context, s *standing) error {
	for _, p := range slices.Sorted(maps.Keys(s.goods.files)) {
		name, want := m.at(s.set.ID, p), s.goods.files[p]
		now, err := m.look(name)
		if err == nil && now == s.looked[p] {
			continue
		}
		var text []byte
		if err == nil && now.mode.IsRegular() {
			text, err = m.root.ReadFile(name)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err != nil || now.mode != want.mode || digestOf(text) != want.digest {
			m.found(ctx, bundle.DriftFile, p, became(err, now.mode, want.mode))
			// Looked at again, and read, at the next turn: it may have been
			// changed once more since.
			delete(s.looked, p)
			if err := m.mend(ctx, s.set.ID, p, text, want); err != nil {
				return err
			}
			continue
		}
		s.looked[p] = now // as it was before it was read
	}
	for p, target := range s.goods.links {
		if have, err := m.root.Readlink(m.at(s.set.ID, p)); err == nil && have == target {
			continue
		}
		m.found(ctx, bundle.DriftLink, p, "it led elsewhere")
		if err := m.link(m.at(s.set.ID, p), target); err != nil {
			return err
		}
	}
	return m.mendCurrent(ctx, s.set.ID)
}

// mendCurrent puts the link to the set in force right, where that is the set.
func (m *Machine) mendCurrent(ctx context.Context, id string) error {
	if id != m.inForce {
		return nil
	}
	if now, err := m.current(); err == nil && now == id {
		return nil
	}
	m.found(ctx, bundle.DriftLink, currentName, "it led elsewhere")
	return m.link(currentName, path.Join(setsDir, id))
}

// found notes something of a set that others changed.
func (m *Machine) found(ctx context.Context, kind, name, what string) {
	m.log.WarnContext(ctx, "a "+kind+" of the set was changed by another; putting it right", slog.String(kind, name), slog.String("what", what))
	m.mended = append(m.mended, Mend{kind, name, what})
}

// became says what had become of a file.
func became(err error, mode, want fs.FileMode) string {
	switch {
	case err != nil:
		return "it was removed"
	case !mode.IsRegular():
		return "something else was in its place"
	case mode != want:
		return fmt.Sprintf("its mode was %04o instead of %04o", mode, want)
	}
	return "its content was changed"
}

// mend writes a file of a set again. One that was made on this host can be
// mended only where just its mode is wrong.
func (m *Machine) mend(ctx context.Context, id, p string, have []byte, want content) error {
	text := want.bytes
	if text == nil {
		if digestOf(have) != want.digest {
			delete(m.standing, id)
			return fmt.Errorf("%s was changed, and only this host had it: %w", p, bundle.ErrDigest)
		}
		text = have
	}
	if err := m.tree.MkdirAll(path.Dir(m.at(id, p)), 0o700); err != nil {
		return err
	}
	return m.tree.WriteFile(m.at(id, p), text, want.mode)
}

func (m *Machine) look(name string) (look, error) {
	fi, err := m.root.Lstat(name)
	if err != nil {
		return look{}, err
	}
	l := look{size: fi.Size(), mode: fi.Mode()}
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		l.inode, l.mtime, l.ctime = st.Ino, st.Mtim, st.Ctim
	}
	return l, nil
}

// link makes a symbolic link in one step, in place of what there is.
func (m *Machine) link(name, target string) error {
	temp := name + ".new"
	if err := m.root.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := m.root.Symlink(target, temp); err != nil {
		return err
	}
	if err := m.tree.Rename(temp, name); err != nil {
		return err
	}
	return m.tree.SyncDir(path.Dir(name))
}

// current returns the name of the set in force, or "".
func (m *Machine) current() (string, error) {
	target, err := m.root.Readlink(currentName)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	id, ok := strings.CutPrefix(target, setsDir+"/")
	if err == nil && !ok {
		err = fmt.Errorf("%s leads to %s: %w", currentName, target, fs.ErrInvalid)
	}
	return id, err
}

// Switch implements [Host].
func (m *Machine) Switch(ctx context.Context, s *Set, keep ...bundle.Digest) error {
	m.sets.Lock()
	defer m.sets.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if id, err := m.current(); err != nil || id != s.ID {
		if err := m.link(currentName, path.Join(setsDir, s.ID)); err != nil {
			return err
		}
	}
	m.inForce = s.ID
	return m.sweep(s.ID, keep)
}

// sweep removes the sets that are of no more use.
func (m *Machine) sweep(id string, keep []bundle.Digest) error {
	names, err := m.names(setsDir)
	if err != nil {
		return err
	}
	ours, _, _ := strings.Cut(id, ".")
	for _, n := range names {
		hex, _, _ := strings.Cut(n, ".")
		kept := hex != ours && slices.ContainsFunc(keep, func(d bundle.Digest) bool { return d.Hex() == hex })
		// What is being staged, or waits to be switched to, is no one's leftover.
		if n == id || n == m.staged || strings.HasPrefix(n, stagingName) || kept {
			continue
		}
		delete(m.standing, n)
		if err := m.root.RemoveAll(path.Join(setsDir, n)); err != nil {
			return err
		}
	}
	return nil
}
