package bundle

import (
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An InvalidError lists all that is wrong with a value of this package.
// It is an fs.ErrInvalid.
type InvalidError struct {
	What     string // bundle, release, ...
	Problems []string
}

func (e *InvalidError) Error() string {
	return fmt.Sprintf("invalid %s: %s", e.What, strings.Join(e.Problems, "; "))
}

// Is makes every InvalidError an fs.ErrInvalid.
func (e *InvalidError) Is(target error) bool { return target == fs.ErrInvalid }

// problems collects, so that a person sees all of them at once.
type problems struct {
	what string
	list []string
}

func (p *problems) add(format string, args ...any) {
	p.list = append(p.list, fmt.Sprintf(format, args...))
}

func (p *problems) must(ok bool, format string, args ...any) {
	if !ok {
		p.add(format, args...)
	}
}

func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	return &InvalidError{p.what, p.list}
}

var (
	nameForm    = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$`)
	idForm      = regexp.MustCompile(`^[A-Za-z0-9][-A-Za-z0-9._]{0,63}$`)
	pathForm    = regexp.MustCompile(`^[-A-Za-z0-9._@+/]{1,255}$`)
	versionForm = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+(-[-0-9A-Za-z.]+)?(\+[-0-9A-Za-z.]+)?$`)
	dnsForm     = regexp.MustCompile(`^(\*\.)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`)
)

func validPath(s string) bool { return s != "." && fs.ValidPath(s) && pathForm.MatchString(s) }

// printable says that s is one line of at most limit bytes without control characters.
func printable(s string, limit int) bool {
	return len(s) <= limit && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) })
}

// Validate checks all rules of docs/formats/bundle.md and reports every breach
// at once as an *InvalidError. Content never stands in it.
func (b *Bundle) Validate() error {
	c := &check{problems: problems{what: "bundle"}, files: map[string]bool{}, requests: map[string]bool{}, programs: map[string]bool{}, services: map[string]bool{}}
	c.must(nameForm.MatchString(b.Cluster), "cluster: %.80q is not a name", b.Cluster)
	c.must(idForm.MatchString(b.ClusterID), "clusterId: %.80q is not an id", b.ClusterID)
	c.must(nameForm.MatchString(b.Group), "group: %.80q is not a name", b.Group)
	c.must(versionForm.MatchString(b.Version), "version: %.80q is not a version such as 1.37.2", b.Version)
	for _, f := range b.Files {
		c.file(f)
	}
	for _, r := range b.Certificates {
		c.must(!c.requests[r.Path], "certificates: %.80q is there twice", r.Path)
		c.requests[r.Path] = true
		c.claim(r.Path + ".crt")
		c.claim(r.Path + ".key")
	}
	c.noFileIsFolder()
	for _, r := range b.Certificates {
		c.request(r)
	}
	c.assets(b.Assets)
	for _, s := range b.Services {
		c.must(!c.services[s.Name], "services: %.80q is there twice", s.Name)
		c.services[s.Name] = true
	}
	for _, s := range b.Services {
		c.service(s)
	}
	c.mustStart(b.Services)
	return c.err()
}

// check is one pass over a bundle: what stands in it, for references to find.
type check struct {
	problems
	files    map[string]bool // by path, those that certificate requests make included
	requests map[string]bool // by path
	programs map[string]bool
	services map[string]bool
}

func (c *check) claim(p string) {
	c.must(validPath(p), "path %.80q is not a plain relative path", p)
	c.must(!c.files[p], "path %.80q is there twice", p)
	c.files[p] = true
}

func (c *check) file(f File) {
	c.claim(f.Path)
	c.must(f.Mode == 0o600 || f.Mode == 0o644, "files: %.80q: mode %s is neither 0644 nor 0600", f.Path, f.Mode)
	c.must(f.Mode == 0o600 || !f.Secret && f.Sealed == nil, "files: %.80q: a secret needs mode 0600", f.Path)
	c.must(f.Sealed == nil || f.Secret && f.Content == "" && !f.Expand, "files: %.80q: a sealed file is secret, has no content and is not expanded", f.Path)
	c.must(utf8.ValidString(f.Content), "files: %.80q: content is not UTF-8", f.Path)
	if f.Expand {
		// The error of Expand shows a little of the text around: not of a secret.
		if _, err := (Placeholders{}).Expand(f.Content); err != nil {
			c.add("files: %.80q: content has an unknown placeholder", f.Path)
		}
	}
}

func (c *check) noFileIsFolder() {
	found := map[string]bool{}
	for _, p := range slices.Sorted(maps.Keys(c.files)) {
		for dir := path.Dir(p); validPath(dir); dir = path.Dir(dir) {
			c.must(!c.files[dir] || found[dir], "path %.80q is a file and a folder", dir)
			found[dir] = true
		}
	}
}

func (c *check) request(r CertificateRequest) {
	at := fmt.Sprintf("certificates: %.80q", r.Path)
	c.must(c.files[r.Issuer+".crt"] && c.files[r.Issuer+".key"] && !c.requests[r.Issuer], "%s: issuer %.80q has no .crt and .key among the files", at, r.Issuer)
	name, err := expand(r.CommonName, map[string]string{"NODE": "node"})
	c.must(err == nil && name != "" && printable(name, 64), "%s: commonName %.80q", at, r.CommonName)
	for _, o := range r.Organization {
		c.must(o != "" && printable(o, 64), "%s: organization %.80q", at, o)
	}
	for _, d := range r.DNSNames {
		name, err := expand(d, map[string]string{"NODE": "node"})
		c.must(err == nil && len(name) <= 253 && dnsForm.MatchString(name), "%s: dnsNames: %.80q", at, d)
	}
	for _, ip := range r.IPs {
		_, err := netip.ParseAddr(ip)
		c.must(err == nil || ip == "${ADDRESS}", "%s: ips: %.80q", at, ip)
	}
	c.must(len(r.Usages) > 0, "%s: no usages", at)
	for _, u := range r.Usages {
		c.must(u == UsageClient || u == UsageServer, "%s: usage %.80q is neither client nor server", at, u)
	}
	c.must(r.Days >= 1 && r.Days <= 3650, "%s: days: %d is not in 1 to 3650", at, r.Days)
}

func (c *check) assets(list []Asset) {
	names := map[string]bool{}
	for _, a := range list {
		c.must(!names[a.Name], "assets: %.80q is there twice", a.Name)
		names[a.Name] = true
		c.asset(a)
		for _, p := range a.Programs {
			c.must(!c.programs[p], "assets: %.80q: program %.80q is there twice", a.Name, p)
			c.programs[p] = true
		}
	}
}

// maxAsset bounds what a host may be told to fetch.
const maxAsset = 4 << 30

func (p *problems) asset(a Asset) {
	at := fmt.Sprintf("assets: %.80q", a.Name)
	p.must(nameForm.MatchString(a.Name), "%s is not a name", at)
	p.must(len(a.Programs) > 0, "%s: no programs", at)
	for _, name := range a.Programs {
		p.must(nameForm.MatchString(name), "%s: program %.80q is not a name", at, name)
	}
	p.must(isHexSHA256(a.SHA256), "%s: sha256 is not 64 lower-case hex digits", at)
	p.must(a.Member == "" || validPath(a.Member), "%s: member %.80q is not a plain relative path", at, a.Member)
	p.must(a.Size >= 0 && a.Size <= maxAsset, "%s: size %d is not in 0 to %d", at, a.Size, int64(maxAsset))
	p.must(a.URL == "" || builtHere(a.URL) || plainURL(a.URL, "https", "http", "file"), "%s: url is not https, http, file or source, or holds a user or a password", at)
}

// builtHere says that s names what a program was built from, such as
// source:kubernetes@v1.37.2: nothing can be fetched from there.
func builtHere(s string) bool {
	what, found := strings.CutPrefix(s, "source:")
	return found && what != "" && validPath(what)
}

// plainURL says that s is a URL of one of the schemes that names a place and
// holds neither user nor password.
func plainURL(s string, schemes ...string) bool {
	u, err := url.Parse(s)
	if err != nil || !printable(s, 2048) || u.User != nil || !slices.Contains(schemes, u.Scheme) {
		return false
	}
	if u.Scheme == "file" {
		return path.IsAbs(u.Path) && u.Host == ""
	}
	return u.Host != ""
}

func (c *check) service(s Service) {
	at := fmt.Sprintf("services: %.80q", s.Name)
	c.must(nameForm.MatchString(s.Name) && len(s.Name) <= 63, "%s is not a name", at)
	c.must(c.programs[s.Program], "%s: no asset has program %.80q", at, s.Program)
	for i, a := range s.Args {
		_, err := (Placeholders{}).Expand(a)
		c.must(err == nil, "%s: args[%d] has an unknown placeholder", at, i)
		c.must(printable(a, 32<<10), "%s: args[%d] has control characters or is too long", at, i)
	}
	for _, n := range s.Needs {
		c.must(c.files[n] || c.requests[n], "%s: needs %.80q, which is neither a file nor a certificate request", at, n)
	}
	for _, a := range s.After {
		c.must(c.services[a] && a != s.Name, "%s: after %.80q, which is no other service", at, a)
	}
	c.must(slices.Contains([]string{DisruptionNone, DisruptionReload, DisruptionRestart, DisruptionDrain}, s.Disruption), "%s: disruption %.80q is not none, reload, restart or drain", at, s.Disruption)
	c.must(s.StopSeconds >= 0 && s.StopSeconds <= 3600, "%s: stopSeconds: %d is not in 0 to 3600", at, s.StopSeconds)
	if s.Ready != nil {
		c.probe(at+": ready", s.Ready)
	}
}

func (c *check) probe(at string, p *Probe) {
	u, err := expand(p.URL, map[string]string{"NODE": "node", "ADDRESS": "127.0.0.1"})
	c.must(err == nil && plainURL(u, "https", "http"), "%s: url %.80q", at, p.URL)
	c.must(p.CA == "" || c.files[p.CA], "%s: ca %.80q is no file", at, p.CA)
	c.must(p.Certificate == "" || c.requests[p.Certificate], "%s: certificate %.80q is no certificate request", at, p.Certificate)
	c.must(p.TimeoutSeconds >= 1 && p.TimeoutSeconds <= 3600, "%s: timeoutSeconds: %d is not in 1 to 3600", at, p.TimeoutSeconds)
}

// mustStart refuses services that wait for each other: start all whose
// predecessors have started, until none is left or none can.
func (c *check) mustStart(services []Service) {
	started := map[string]bool{}
	for range services {
		for _, s := range services {
			if !slices.ContainsFunc(s.After, func(a string) bool { return c.services[a] && !started[a] }) {
				started[s.Name] = true
			}
		}
	}
	for _, s := range services {
		c.must(started[s.Name], "services: %.80q can never start: it waits for services that wait for it", s.Name)
	}
}
