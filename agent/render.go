package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/stateroom/stateroom/bundle"
)

// Site is what differs from machine to machine: what the placeholders of a
// bundle stand for. All paths are absolute.
type Site struct {
	Node    string `json:"node"`
	Address string `json:"address"`
	Set     string `json:"set"`   // where the set in force stands
	State   string `json:"state"` // what outlives every set
}

func (s Site) placeholders() bundle.Placeholders {
	return bundle.Placeholders{Node: s.Node, Address: s.Address, Set: s.Set, State: s.State}
}

// reserved are the first elements of paths in a set that are the host's own.
var reserved = []string{binDir, setFile}

const (
	binDir  = "bin"       // links to programs
	setFile = ".set.json" // what the set is
)

// companions are programs that the agent itself needs, by the program of the
// services that it needs them for. A bundle need not have them.
var companions = map[string]string{"etcd": etcdutl}

const etcdutl = "etcdutl" // makes a data directory of a snapshot

// rendered is a bundle with its placeholders filled for one site: all of a set
// but the certificates.
type rendered struct {
	files    map[string]bundle.File // by path; Expand done
	requests []bundle.CertificateRequest
	programs map[string]bundle.Asset // by program, those that services use
}

// render fills in a bundle for a site. A bundle that cannot stand on this host
// is an fs.ErrInvalid, and trying again does not help.
func render(b *bundle.Bundle, site Site) (*rendered, error) {
	r := &rendered{files: map[string]bundle.File{}, programs: map[string]bundle.Asset{}}
	fill := site.placeholders()
	for _, f := range b.Files {
		if err := allowed(f.Path); err != nil {
			return nil, err
		}
		if f.Sealed != nil {
			return nil, fmt.Errorf("file %s is sealed, which this version cannot open: %w", f.Path, fs.ErrInvalid)
		}
		if f.Expand {
			text, err := fill.Expand(f.Content)
			if err != nil {
				return nil, fmt.Errorf("file %s has an unknown placeholder: %w", f.Path, fs.ErrInvalid)
			}
			f.Content, f.Expand = text, false
		}
		r.files[f.Path] = f
	}
	for _, c := range b.Certificates {
		if err := allowed(c.Path); err != nil {
			return nil, err
		}
		c, err := fillRequest(c, fill)
		if err != nil {
			return nil, err
		}
		r.requests = append(r.requests, c)
	}
	for _, s := range b.Services {
		a, ok := assetOf(b, s.Program)
		if !ok {
			return nil, fmt.Errorf("service %s: no asset has program %s: %w", s.Name, s.Program, fs.ErrInvalid)
		}
		r.programs[s.Program] = a
		if more := companions[s.Program]; more != "" {
			if a, ok := assetOf(b, more); ok {
				r.programs[more] = a
			}
		}
	}
	return r, nil
}

func allowed(p string) error {
	if first, _, _ := strings.Cut(p, "/"); slices.Contains(reserved, first) {
		return fmt.Errorf("path %s is kept for the host: %w", p, fs.ErrInvalid)
	}
	return nil
}

func assetOf(b *bundle.Bundle, program string) (bundle.Asset, bool) {
	for _, a := range b.Assets {
		if slices.Contains(a.Programs, program) {
			return a, true
		}
	}
	return bundle.Asset{}, false
}

func fillRequest(c bundle.CertificateRequest, fill bundle.Placeholders) (bundle.CertificateRequest, error) {
	var err error
	expand := func(s string) string {
		out, e := fill.Expand(s)
		if e != nil && err == nil {
			err = fmt.Errorf("certificate %s: %w", c.Path, e)
		}
		return out
	}
	c.CommonName = expand(c.CommonName)
	c.DNSNames = slices.Clone(c.DNSNames)
	c.IPs = slices.Clone(c.IPs)
	for i, s := range c.DNSNames {
		c.DNSNames[i] = expand(s)
	}
	for i, s := range c.IPs {
		c.IPs[i] = expand(s)
	}
	return c, err
}

// runs returns the services of a bundle in the order in which they start.
// digests are those of the contents of the set by path, the .crt of its
// certificates included.
func runs(b *bundle.Bundle, site Site, digests map[string]string) ([]Run, error) {
	var all []Run
	fill := site.placeholders()
	for _, s := range inOrder(b.Services) {
		a, _ := assetOf(b, s.Program)
		run := Run{Name: s.Name, Program: path.Join(site.Set, binDir, s.Program), After: s.After, Stop: Duration(time.Duration(s.StopSeconds) * time.Second)}
		for _, arg := range s.Args {
			text, err := fill.Expand(arg)
			if err != nil {
				return nil, fmt.Errorf("service %s: %w", s.Name, err)
			}
			run.Args = append(run.Args, text)
		}
		if s.Ready != nil {
			ready, err := readyOf(s.Ready, site)
			if err != nil {
				return nil, fmt.Errorf("service %s: %w", s.Name, err)
			}
			run.Ready = ready
		}
		run.Digest = runDigest(run, a, s.Needs, digests)
		all = append(all, run)
	}
	return all, nil
}

func readyOf(p *bundle.Probe, site Site) (*Ready, error) {
	url, err := site.placeholders().Expand(p.URL)
	if err != nil {
		return nil, err
	}
	r := &Ready{URL: url, Timeout: Duration(time.Duration(p.TimeoutSeconds) * time.Second)}
	if p.CA != "" {
		r.CA = path.Join(site.Set, p.CA)
	}
	if p.Certificate != "" {
		r.Certificate = path.Join(site.Set, p.Certificate)
	}
	return r, nil
}

// runDigest is the digest of a service: of what decides how its process
// behaves, and of nothing else. How it is probed and stopped is not among it.
func runDigest(r Run, a bundle.Asset, needs []string, digests map[string]string) string {
	of := map[string]string{}
	for _, n := range needs {
		for _, p := range []string{n, n + ".crt"} {
			if d, ok := digests[p]; ok {
				of[p] = d
			}
		}
	}
	var needed []string
	for _, p := range slices.Sorted(maps.Keys(of)) {
		needed = append(needed, p+" "+of[p])
	}
	text, err := json.Marshal([]any{"run 1", r.Program, a.SHA256, a.Member, r.Args, needed})
	if err != nil {
		panic("agent: strings that JSON cannot hold: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// inOrder sorts services so that each stands behind those it comes after, and
// keeps the bundle's order where that says nothing.
func inOrder(services []bundle.Service) []bundle.Service {
	var sorted []bundle.Service
	placed := map[string]bool{}
	for range services {
		for _, s := range services {
			if placed[s.Name] || slices.ContainsFunc(s.After, func(a string) bool { return !placed[a] }) {
				continue
			}
			sorted, placed[s.Name] = append(sorted, s), true
		}
	}
	return sorted
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}
