package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/pki"
)

// Names in a machine's directory.
const (
	setsDir     = "sets"
	currentName = "current" // a link to the set in force
	stagingName = ".new-"   // begins the name of a set that is being written
)

// reserve is what staging and snapshots leave free on the disk, in bytes, for the
// services.
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
	valid  span            // of all of its certificates
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
		m.staged, s = s.ID, m.telling(s)
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
	if err := m.restore(ctx, s); err != nil {
		return s.set, err
	}
	return m.telling(s.set), nil
}

// telling returns a set that tells what was put right since the last one did.
func (m *Machine) telling(s *Set) *Set {
	told := *s
	told.Mended, m.mended = m.mended, nil
	return &told
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
			if a.Fetchable() {
				m.log.InfoContext(ctx, "fetching", slog.String("asset", a.Name), slog.String("url", a.URL))
			}
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
	if s.valid = m.valid(id, r); !m.fits(s) {
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

// write makes a new set: beside the others, under a name that counts for
// nothing until all of it is durable.
func (m *Machine) write(ctx context.Context, want Wanted, r *rendered, g *goods) (*Set, error) {
	rec := setRecord{Format: 1, Bundle: want.Digest, Site: m.site, Certificates: map[string]certificateRecord{}}
	if err := m.certify(ctx, r, g, &rec); err != nil {
		return nil, err
	}
	if err := roomFor(m.dir, g.size()); err != nil {
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
	s.valid = m.valid(id, r)
	m.standing[id] = s
	return s.set, nil
}

// valid is the time in which no certificate of a set is due; none where one
// cannot be read.
func (m *Machine) valid(id string, r *rendered) span {
	all := span{until: never}
	for _, req := range r.requests {
		text, err := m.root.ReadFile(m.at(id, req.Path+".crt"))
		if err != nil {
			return span{}
		}
		c, err := pki.ParseCertificate(text)
		if err != nil {
			return span{}
		}
		one := timeOf(c, r.issuer(req))
		if one.from.After(all.from) {
			all.from = one.from
		}
		if one.until.Before(all.until) {
			all.until = one.until
		}
	}
	return all
}

// certify brings the certificates of a set: those of the set in force where
// they are of the same request and issuer and not due, new ones else.
func (m *Machine) certify(ctx context.Context, r *rendered, g *goods, rec *setRecord) error {
	current, _ := m.current() // none: no certificates to take over
	old, err := m.readRecord(current)
	if err != nil || current == "" {
		old = setRecord{}
	}
	for _, c := range r.requests {
		digest := requestDigest(c, r.issuer(c))
		p, ok := m.takeOver(current, c.Path, old.Certificates[c.Path], digest, r.issuer(c))
		if !ok {
			if p, err = issue(c, r.issuer(c), []byte(r.files[c.Issuer+".key"].Content), m.opt.Now()); err != nil {
				return err
			}
			m.log.InfoContext(ctx, "certificate issued", slog.String("certificate", c.Path), slog.Bool("renewed", old.Certificates[c.Path].Request == digest))
		}
		g.files[c.Path+".crt"] = content{0o644, p.crt, digestOf(p.crt)}
		g.files[c.Path+".key"] = content{0o600, p.key, digestOf(p.key)}
		rec.Certificates[c.Path] = certificateRecord{digest, digestOf(p.crt), digestOf(p.key)}
	}
	return nil
}

func (m *Machine) takeOver(id, p string, have certificateRecord, request string, issuerCrt []byte) (pair, bool) {
	if have.Request != request {
		return pair{}, false
	}
	crt, err := m.root.ReadFile(m.at(id, p+".crt"))
	if err != nil || digestOf(crt) != have.Crt || due(crt, issuerCrt, m.opt.Now()) {
		return pair{}, false
	}
	key, err := m.root.ReadFile(m.at(id, p+".key"))
	return pair{crt, key}, err == nil && digestOf(key) == have.Key
}

// roomFor refuses early what the disk has no room for, the reserve included.
func roomFor(dir string, size uint64) error {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return err
	}
	need := size + reserve
	if free := st.Bavail * uint64(st.Bsize); free < need {
		return fmt.Errorf("%s has %d MiB free, and %d are needed: %w", dir, free>>20, need>>20, syscall.ENOSPC)
	}
	return nil
}

func (g *goods) size() uint64 {
	var all uint64
	for _, c := range g.files {
		all += uint64(len(c.bytes)) + 4096
	}
	return all
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
