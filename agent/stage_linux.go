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
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/pki"
)

// Names in a machine's directory.
const (
	setsDir     = "sets"
	currentName = "current" // a link to the set in force
	stagingName = ".new-"   // begins the name of a set that is being written
)

// reserve is what staging leaves free on the disk, in bytes, for the services.
const reserve = 16 << 20

// setRecord is .set.json of a set: what cannot be told from its bundle. Its
// format is in docs/formats/host.md.
type setRecord struct {
	Format       int                          `json:"format"`
	Bundle       bundle.Digest                `json:"bundle"`
	Site         Site                         `json:"site"`
	Certificates map[string]certificateRecord `json:"certificates"` // by path
}

// certificateRecord says what a certificate was made from, and what it is.
type certificateRecord struct {
	Request string `json:"request"` // digest of request and issuer
	Crt     string `json:"crt"`     // digests of the files
	Key     string `json:"key"`
}

// standing is a set on the disk as it was when it was looked at last.
type standing struct {
	set    *Set
	rec    setRecord
	goods  *goods
	looked map[string]look // by path in the set
	renew  time.Time       // when the first of its certificates is due
}

// look is what tells cheaply that a file is as it was.
type look struct {
	inode        uint64
	size         int64
	mode         fs.FileMode
	mtime, ctime syscall.Timespec
}

// goods is the content of a set.
type goods struct {
	files map[string]content // by path
	links map[string]string  // by path: programs
}

type content struct {
	mode   fs.FileMode
	bytes  []byte // nil: made on this host, only the digest is known
	digest string
}

// Stage implements [Host].
func (m *Machine) Stage(ctx context.Context, want Wanted) (*Set, error) {
	if s, err := m.asItStands(ctx, want.Digest); s != nil || err != nil {
		return s, err
	}
	r, err := render(want.Bundle, m.site)
	if err != nil {
		return nil, err
	}
	links, err := m.programs(ctx, r)
	if err != nil {
		return nil, err
	}
	g := &goods{files: map[string]content{}, links: links}
	for p, f := range r.files {
		g.files[p] = content{fs.FileMode(f.Mode), []byte(f.Content), digestOf([]byte(f.Content))}
	}
	m.sets.Lock()
	defer m.sets.Unlock()
	s, err := m.load(ctx, want, r, g)
	if s == nil && err == nil {
		s, err = m.write(ctx, want, r, g)
	}
	if s != nil {
		m.staged = s.ID
	}
	return s, err
}

// asItStands returns the set of a bundle that was looked at before, if it can
// be used as it is or after mending: the case of every poll.
func (m *Machine) asItStands(ctx context.Context, d bundle.Digest) (*Set, error) {
	m.sets.Lock()
	defer m.sets.Unlock()
	s := m.newest(d)
	if s == nil || !m.fits(s) {
		return nil, nil
	}
	return s.set, m.restore(ctx, s)
}

// programs makes sure of the programs of a bundle and returns the links to them.
func (m *Machine) programs(ctx context.Context, r *rendered) (map[string]string, error) {
	links := map[string]string{}
	for _, program := range slices.Sorted(maps.Keys(r.programs)) {
		a := r.programs[program]
		file, ok := m.opt.Cache.Program(a)
		if ok && !m.checked[file] {
			if err := m.opt.Cache.Verify(ctx, a); err != nil {
				if ctx.Err() != nil {
					return nil, err
				}
				m.log.WarnContext(ctx, "a program in the cache is damaged; fetching it again", slog.Any("err", err))
				ok = false
			}
		}
		if !ok {
			m.log.InfoContext(ctx, "fetching", slog.String("asset", a.Name), slog.String("url", a.URL))
			var err error
			if file, err = m.opt.Cache.Fetch(ctx, a, nil); err != nil {
				return nil, err
			}
		}
		m.checked[file] = true
		abs, err := filepath.Abs(file)
		if err != nil {
			return nil, err
		}
		links[path.Join(binDir, program)] = abs
	}
	return links, nil
}

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
	if !m.opt.Now().Before(s.renew) {
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

// load looks for a set of the bundle that was staged by an earlier agent, and
// returns it if it is whole.
func (m *Machine) load(ctx context.Context, want Wanted, r *rendered, g *goods) (*Set, error) {
	ids, err := m.setsOf(want.Digest)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	id := ids[len(ids)-1]
	rec, err := m.readRecord(id)
	if err != nil || rec.Bundle != want.Digest || rec.Site != m.site {
		return nil, nil // it is of no use: staged anew
	}
	g = &goods{files: maps.Clone(g.files), links: g.links}
	for _, c := range r.requests {
		have, ok := rec.Certificates[c.Path]
		if !ok || have.Request != requestDigest(c, r.issuer(c)) {
			return nil, nil
		}
		g.files[c.Path+".crt"] = content{0o644, nil, have.Crt}
		g.files[c.Path+".key"] = content{0o600, nil, have.Key}
	}
	s := &standing{rec: rec, goods: g, looked: map[string]look{}}
	if s.set, err = m.setOf(id, want, g); err != nil {
		return nil, err
	}
	if err := m.restore(ctx, s); err != nil {
		return nil, ctx.Err()
	}
	if s.renew = m.renewal(s); !m.fits(s) {
		return nil, nil
	}
	m.standing[id] = s
	return s.set, nil
}

func (r *rendered) issuer(c bundle.CertificateRequest) []byte {
	return []byte(r.files[c.Issuer+".crt"].Content)
}

func (m *Machine) setOf(id string, want Wanted, g *goods) (*Set, error) {
	digests := map[string]string{}
	for p, c := range g.files {
		digests[p] = c.digest
	}
	services, err := runs(want.Bundle, m.site, digests)
	return &Set{ID: id, Bundle: want.Digest, Services: services}, err
}

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
			if err := m.mend(ctx, s.set.ID, p, text, want); err != nil {
				return err
			}
		}
		if s.looked[p], err = m.look(name); err != nil {
			return err
		}
	}
	for p, target := range s.goods.links {
		if have, err := m.root.Readlink(m.at(s.set.ID, p)); err == nil && have == target {
			continue
		}
		if err := m.link(m.at(s.set.ID, p), target); err != nil {
			return err
		}
	}
	return nil
}

// mend writes a file of a set again. One that was made on this host can be
// mended only where just its mode is wrong.
func (m *Machine) mend(ctx context.Context, id, p string, have []byte, want content) error {
	m.log.WarnContext(ctx, "a file of the set was changed by another; put right", slog.String("file", p))
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

// write makes a new set: beside the others, under a name that counts for
// nothing until all of it is durable.
func (m *Machine) write(ctx context.Context, want Wanted, r *rendered, g *goods) (*Set, error) {
	rec := setRecord{Format: 1, Bundle: want.Digest, Site: m.site, Certificates: map[string]certificateRecord{}}
	if err := m.certify(r, g, &rec); err != nil {
		return nil, err
	}
	if err := m.room(g); err != nil {
		return nil, err
	}
	id, err := m.newID(want.Digest)
	if err != nil {
		return nil, err
	}
	if err := m.sweepStaging(); err != nil {
		return nil, err
	}
	temp := path.Join(setsDir, stagingName+id)
	err = m.fill(ctx, temp, g, rec)
	if err == nil {
		err = m.tree.RenameNew(temp, m.at(id, ""))
	}
	if err == nil {
		err = m.tree.SyncDir(setsDir)
	}
	if err != nil {
		return nil, fmt.Errorf("stage %s: %w", want.Digest.Short(), errors.Join(err, m.root.RemoveAll(temp)))
	}
	s := &standing{rec: rec, goods: g, looked: map[string]look{}}
	if s.set, err = m.setOf(id, want, g); err != nil {
		return nil, err
	}
	s.renew = m.renewal(s)
	m.standing[id] = s
	return s.set, nil
}

// renewal is when the first certificate of a set is due; one that cannot be
// read is due now.
func (m *Machine) renewal(s *standing) time.Time {
	first := m.opt.Now().AddDate(100, 0, 0)
	for p := range s.rec.Certificates {
		text, err := m.root.ReadFile(m.at(s.set.ID, p+".crt"))
		if err != nil {
			return time.Time{}
		}
		c, err := pki.ParseCertificate(text)
		if err != nil {
			return time.Time{}
		}
		if at := pki.RenewAt(c); at.Before(first) {
			first = at
		}
	}
	return first
}

// certify brings the certificates of a set: those of the set in force where
// they are of the same request and issuer and not due, new ones else.
func (m *Machine) certify(r *rendered, g *goods, rec *setRecord) error {
	current, _ := m.current() // none: no certificates to take over
	old, err := m.readRecord(current)
	if err != nil || current == "" {
		old = setRecord{}
	}
	for _, c := range r.requests {
		digest := requestDigest(c, r.issuer(c))
		p, ok := m.takeOver(current, c.Path, old.Certificates[c.Path], digest)
		if !ok {
			if p, err = issue(c, r.issuer(c), []byte(r.files[c.Issuer+".key"].Content), m.opt.Now()); err != nil {
				return err
			}
		}
		g.files[c.Path+".crt"] = content{0o644, p.crt, digestOf(p.crt)}
		g.files[c.Path+".key"] = content{0o600, p.key, digestOf(p.key)}
		rec.Certificates[c.Path] = certificateRecord{digest, digestOf(p.crt), digestOf(p.key)}
	}
	return nil
}

func (m *Machine) takeOver(id, p string, have certificateRecord, request string) (pair, bool) {
	if have.Request != request {
		return pair{}, false
	}
	crt, err := m.root.ReadFile(m.at(id, p+".crt"))
	if err != nil || digestOf(crt) != have.Crt || due(crt, m.opt.Now()) {
		return pair{}, false
	}
	key, err := m.root.ReadFile(m.at(id, p+".key"))
	return pair{crt, key}, err == nil && digestOf(key) == have.Key
}

// room refuses early what the disk has no room for.
func (m *Machine) room(g *goods) error {
	var need uint64 = reserve
	for _, c := range g.files {
		need += uint64(len(c.bytes)) + 4096
	}
	var st syscall.Statfs_t
	if err := syscall.Statfs(m.dir, &st); err != nil {
		return err
	}
	if free := st.Bavail * uint64(st.Bsize); free < need {
		return fmt.Errorf("%s has %d MiB free, and %d are needed: %w", m.dir, free>>20, need>>20, syscall.ENOSPC)
	}
	return nil
}

func (m *Machine) newID(d bundle.Digest) (string, error) {
	ids, err := m.setsOf(d)
	if err != nil || len(ids) == 0 {
		return d.Hex(), err
	}
	return d.Hex() + "." + strconv.Itoa(generation(ids[len(ids)-1])+1), nil
}

// sweepStaging removes what a crashed agent left half written.
func (m *Machine) sweepStaging() error {
	names, err := m.names(setsDir)
	if err != nil {
		return err
	}
	for _, n := range names {
		if strings.HasPrefix(n, stagingName) {
			if err := m.root.RemoveAll(path.Join(setsDir, n)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *Machine) fill(ctx context.Context, dir string, g *goods, rec setRecord) error {
	text, err := json.MarshalIndent(rec, "", "  ")
	if err != nil {
		return err
	}
	folders := map[string]bool{dir: true}
	put := func(p string, mode fs.FileMode, bytes []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := m.tree.MkdirAll(path.Dir(p), 0o700); err != nil {
			return err
		}
		for d := path.Dir(p); d != setsDir; d = path.Dir(d) {
			folders[d] = true
		}
		f, err := m.tree.Create(p, bytes, mode)
		if err != nil {
			return err
		}
		return f.Close()
	}
	for _, p := range slices.Sorted(maps.Keys(g.files)) {
		if err := put(path.Join(dir, p), g.files[p].mode, g.files[p].bytes); err != nil {
			return err
		}
	}
	if err := put(path.Join(dir, setFile), 0o600, append(text, '\n')); err != nil {
		return err
	}
	if err := m.tree.MkdirAll(path.Join(dir, binDir), 0o700); err != nil {
		return err
	}
	folders[path.Join(dir, binDir)] = true
	for p, target := range g.links {
		if err := m.root.Symlink(target, path.Join(dir, p)); err != nil {
			return err
		}
	}
	for d := range folders {
		if err := m.tree.SyncDir(d); err != nil {
			return err
		}
	}
	return nil
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
	return m.sweep(s.ID, keep)
}

// sweep removes the sets that are of no more use.
func (m *Machine) sweep(id string, keep []bundle.Digest) error {
	names, err := m.names(setsDir)
	if err != nil {
		return err
	}
	for _, n := range names {
		hex, _, _ := strings.Cut(n, ".")
		// What is being staged, or waits to be switched to, is no one's leftover.
		if n == id || n == m.staged || strings.HasPrefix(n, stagingName) || slices.ContainsFunc(keep, func(d bundle.Digest) bool { return d.Hex() == hex }) {
			continue
		}
		delete(m.standing, n)
		if err := m.root.RemoveAll(path.Join(setsDir, n)); err != nil {
			return err
		}
	}
	return nil
}
