// Package bundle holds what nodes read and write: the bundle (all that a node
// of one group runs), the release that names the bundles in force, the
// bootstrap file of a host, the report of a node, and the catalogue of programs.
//
// It is formats and their checks only: it fetches nothing, renders nothing and
// knows no cluster document. A planner makes a [Bundle], checks it with
// [Bundle.Validate] and stores [Bundle.Encode] under [ObjectName]; a node reads
// the release with [DecodeRelease] and what it names with [Decode].
//
// Every format is one JSON value in one canonical form, written down in
// docs/formats, and is decoded strictly.
package bundle

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// MaxBundle is the size, in bytes, over which an encoded bundle is refused.
const MaxBundle = 8 << 20

// A Bundle is everything that a node of one group runs. Paths in it are
// relative to the set: the directory into which a node stages a bundle.
type Bundle struct {
	Cluster   string `json:"cluster"`   // name
	ClusterID string `json:"clusterId"` // id of the cluster's history
	Group     string `json:"group"`
	Version   string `json:"version"` // of Kubernetes, without a leading v

	Files        []File               `json:"files"`
	Certificates []CertificateRequest `json:"certificates"`
	Services     []Service            `json:"services"` // in the order in which they start, where After says no more
	Assets       []Asset              `json:"assets"`
}

// A File stands in the set as it is here. Content must be UTF-8.
type File struct {
	Path    string `json:"path"` // slash-separated, fs.ValidPath
	Mode    Mode   `json:"mode"` // 0644 or 0600
	Secret  bool   `json:"secret,omitempty"`
	Expand  bool   `json:"expand,omitempty"` // the node fills placeholders in Content
	Content string `json:"content"`
	Sealed  []byte `json:"sealed,omitempty"` // in place of Content, for the group's identity
}

// A CertificateRequest makes two files on the host, Path.crt and Path.key: a
// key that never leaves it and a certificate of the Issuer, whose .crt and .key
// are Files of the same bundle.
type CertificateRequest struct {
	Path         string   `json:"path"`
	Issuer       string   `json:"issuer"`
	CommonName   string   `json:"commonName"` // may hold ${NODE}
	Organization []string `json:"organization,omitempty"`
	DNSNames     []string `json:"dnsNames,omitempty"` // may hold ${NODE}
	IPs          []string `json:"ips,omitempty"`      // may be ${ADDRESS}
	Usages       []string `json:"usages"`             // UsageClient, UsageServer
	Days         int      `json:"days"`
}

// Usages of a certificate.
const (
	UsageClient = "client"
	UsageServer = "server"
)

// A Service is a supervised process.
type Service struct {
	Name        string   `json:"name"`
	Program     string   `json:"program"`         // one of the Programs of an Asset
	Args        []string `json:"args"`            // --flag=value; may hold placeholders
	Needs       []string `json:"needs,omitempty"` // paths of files and certificate requests whose change restarts it
	After       []string `json:"after,omitempty"` // services that must be ready before it starts
	Ready       *Probe   `json:"ready,omitempty"` // nil: ready once it runs
	Disruption  string   `json:"disruption"`      // what a change of it does to the node
	StopSeconds int      `json:"stopSeconds"`     // from the request to stop to the kill
}

// What a change of a service does to its node, in rising order.
const (
	DisruptionNone    = "none"
	DisruptionReload  = "reload"
	DisruptionRestart = "restart"
	DisruptionDrain   = "drain"
)

// A Probe is an HTTP GET that says ready by status 200.
type Probe struct {
	URL            string `json:"url"`                   // may hold ${ADDRESS} and ${NODE}
	CA             string `json:"ca,omitempty"`          // path of a file: whom an https server must be signed by
	Certificate    string `json:"certificate,omitempty"` // path of a certificate request: who asks
	TimeoutSeconds int    `json:"timeoutSeconds"`        // from the start to the first 200, before it counts as failed
}

// An Asset is a program, or several, fetched by digest. SHA256 and Size are
// those of what lies at URL: of the archive, where Member is set.
type Asset struct {
	Name     string   `json:"name"`
	Programs []string `json:"programs"`         // the program's own name, or the names a multi-call program answers to
	URL      string   `json:"url,omitempty"`    // https, http, file; source:NAME@VERSION or none: only the host's cache has it
	SHA256   string   `json:"sha256"`           // 64 lower-case hex digits
	Member   string   `json:"member,omitempty"` // path of the program in a .tar.gz
	Size     int64    `json:"size,omitempty"`   // bytes; 0: not known
}

// Fetchable reports whether the asset can be fetched from its URL. Otherwise only
// a cache has it.
func (a Asset) Fetchable() bool { return a.URL != "" && !strings.HasPrefix(a.URL, "source:") }

type bundleV1 struct {
	Format int `json:"format"`
	Bundle
}

// Encode returns the canonical bytes of b and their digest. It sorts files and
// certificates by path and assets by name, leaves b alone, and does not check:
// see Validate.
func (b *Bundle) Encode() ([]byte, Digest) {
	w := bundleV1{1, *b}
	w.Files = sorted(b.Files, func(f File) string { return f.Path })
	w.Certificates = sorted(b.Certificates, func(c CertificateRequest) string { return c.Path })
	w.Services = filled(b.Services)
	for i := range w.Services {
		w.Services[i].Args = filled(w.Services[i].Args)
	}
	w.Assets = sorted(b.Assets, func(a Asset) string { return a.Name })
	data := encode(w)
	return data, DigestOf(data)
}

// Decode reads a bundle whose digest is want, and checks it as Validate does.
// Other bytes than those that want names are ErrDigest.
func Decode(data []byte, want Digest) (*Bundle, error) {
	// First whose fault it is: other bytes are the store's, too many the bundle's.
	if got := DigestOf(data); got != want {
		return nil, fmt.Errorf("bundle has digest %s, not %s: %w", got, want.shown(), ErrDigest)
	}
	if len(data) > MaxBundle {
		return nil, tooLarge("bundle", MaxBundle)
	}
	var w bundleV1
	if err := decode("bundle", data, &w); err != nil {
		return nil, err
	}
	b := &w.Bundle
	if again, _ := b.Encode(); string(again) != string(data) {
		return nil, notCanonical("bundle")
	}
	if err := b.Validate(); err != nil {
		return nil, err
	}
	return b, nil
}

// filled returns a copy of list that is never nil: an empty list is written [].
func filled[T any](list []T) []T { return append([]T{}, list...) }

// sorted returns such a copy in the order of key.
func sorted[T any](list []T, key func(T) string) []T {
	s := filled(list)
	slices.SortStableFunc(s, func(a, b T) int { return cmp.Compare(key(a), key(b)) })
	return s
}

// Format prints path, mode and size only, so that no content reaches a log.
func (f File) Format(s fmt.State, _ rune) {
	fmt.Fprintf(s, "%s (%s, %d bytes)", f.Path, f.Mode, len(f.Content)+len(f.Sealed))
}

// LogValue is what Format prints.
func (f File) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(f)) }

// LogValue names the bundle; what it holds is kept out of logs.
func (b *Bundle) LogValue() slog.Value {
	_, d := b.Encode()
	return slog.GroupValue(slog.String("cluster", b.Cluster), slog.String("group", b.Group), slog.String("digest", string(d)))
}
