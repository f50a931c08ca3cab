package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/internal/durable"
)

// Preview says, a line each, what an agent with these options would do now. It
// reads the store and the host, and touches nothing.
func Preview(ctx context.Context, opt Options, on MachineOptions) ([]string, error) {
	a, err := New(ctx, opt)
	if err != nil {
		return nil, err
	}
	data, _, err := opt.Store.Get(ctx, bundle.ReleaseName)
	if err != nil {
		return nil, err
	}
	aim, err := a.accept(ctx, data)
	if err != nil {
		return nil, fmt.Errorf("release refused: %w", err)
	}
	if f := a.mem.failure(aim); f != nil {
		return []string{fmt.Sprintf("nothing: bundle %s of commit %d failed before (%s %s)", aim.Digest.Short(), aim.Commit, f.Service, f.Reason)}, nil
	}
	if data, _, err = opt.Store.Get(ctx, bundle.ObjectName(opt.Bootstrap.Group, aim.Digest)); err != nil {
		return nil, err
	}
	b, err := a.check(data, aim.Digest)
	if err != nil {
		return nil, err
	}
	return compare(b, on)
}

// compare says how a bundle differs from what stands and runs on a machine.
func compare(b *bundle.Bundle, on MachineOptions) ([]string, error) {
	m, err := peek(on)
	if err != nil {
		return nil, err
	}
	if m.root != nil {
		defer m.root.Close()
	}
	r, err := render(b, m.site)
	if err != nil {
		return nil, err
	}
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	fetch := map[string]bundle.Asset{}
	for _, a := range r.programs {
		if _, ok := on.Cache.Program(a); !ok {
			fetch[a.Name] = a
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fetch)) {
		say("fetch %s from %s", name, fetch[name].URL)
	}
	digests := m.compareFiles(r, say)
	services, err := runs(b, m.site, digests)
	if err != nil {
		return nil, err
	}
	m.compareServices(services, say)
	if len(lines) == 0 {
		say("nothing: this host is as it should be")
	}
	return lines, nil
}

// peek opens a machine for reading alone; its root is nil where there is none
// yet.
func peek(on MachineOptions) (*Machine, error) {
	on = on.withDefaults()
	dir, err := filepath.Abs(on.Dir)
	if err != nil {
		return nil, err
	}
	m := &Machine{opt: on, log: on.Log, dir: dir, site: siteOf(on, dir)}
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return nil, err
	}
	m.root, m.tree = root, durable.New(root, nil)
	return m, nil
}

// compareFiles tells of files and certificates, and returns the digests that
// the set would have.
func (m *Machine) compareFiles(r *rendered, say func(string, ...any)) map[string]string {
	digests := map[string]string{}
	read := func(p string) ([]byte, bool) {
		if m.root == nil {
			return nil, false
		}
		text, err := m.root.ReadFile(currentName + "/" + p)
		return text, err == nil
	}
	for _, p := range slices.Sorted(maps.Keys(r.files)) {
		digests[p] = digestOf([]byte(r.files[p].Content))
		switch text, ok := read(p); {
		case !ok:
			say("add file %s", p)
		case !bytes.Equal(text, []byte(r.files[p].Content)):
			say("change file %s", p)
		}
	}
	var rec setRecord
	current := ""
	if m.root != nil {
		if id, err := m.current(); err == nil && id != "" {
			current = id
			rec, _ = m.readRecord(id) // none: all certificates are new
		}
	}
	for _, c := range r.requests {
		p, ok := pair{}, false
		if current != "" {
			p, ok = m.takeOver(current, c.Path, rec.Certificates[c.Path], requestDigest(c, r.issuer(c)), r.issuer(c))
		}
		if !ok {
			say("issue certificate %s", c.Path)
		}
		digests[c.Path+".crt"] = digestOf(p.crt)
	}
	return digests
}

func (m *Machine) compareServices(services []Run, say func(string, ...any)) {
	runs := map[string]string{}
	if m.root != nil {
		recs, _ := records(m.root) // none: all services are new
		for _, rec := range recs {
			if rec.Process.alive() {
				runs[rec.Run.Name] = rec.Run.Digest
			}
		}
	}
	for _, r := range services {
		switch d, ok := runs[r.Name]; {
		case !ok:
			say("start %s", r.Name)
		case d != r.Digest:
			say("restart %s", r.Name)
		}
		delete(runs, r.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(runs)) {
		say("stop %s", name)
	}
}
