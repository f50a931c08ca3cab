package bundle

import (
	"net/url"
	"strings"
)

// MaxBootstrap is the size, in bytes, over which a bootstrap file is refused:
// it must fit where user-data is short.
const MaxBootstrap = 511

// A Bootstrap is all that a host needs to begin: no secret among it.
type Bootstrap struct {
	Store      string `json:"store"` // URL or path
	Cluster    string `json:"cluster"`
	ClusterID  string `json:"clusterId"`
	Group      string `json:"group"`
	ReleaseKey string `json:"releaseKey,omitempty"` // digest of the key that signs releases
	MinCommit  int    `json:"minCommit,omitempty"`  // no release of a lower commit is believed
}

type bootstrapV1 struct {
	Format int `json:"format"`
	Bootstrap
}

// Encode returns the bytes of b, or an *InvalidError where it breaks a rule or
// does not fit into MaxBootstrap.
func (b *Bootstrap) Encode() ([]byte, error) {
	if err := b.Validate(); err != nil {
		return nil, err
	}
	data := encode(bootstrapV1{1, *b})
	if len(data) > MaxBootstrap {
		return nil, tooLarge("bootstrap", MaxBootstrap)
	}
	return data, nil
}

// DecodeBootstrap reads a bootstrap file, in any layout: people edit it.
func DecodeBootstrap(data []byte) (*Bootstrap, error) {
	if len(data) > MaxBootstrap {
		return nil, tooLarge("bootstrap", MaxBootstrap)
	}
	var w bootstrapV1
	if err := decode("bootstrap", data, &w); err != nil {
		return nil, err
	}
	if err := w.Validate(); err != nil {
		return nil, err
	}
	return &w.Bootstrap, nil
}

// Validate checks all rules of docs/formats/bootstrap.md, as an *InvalidError.
func (b *Bootstrap) Validate() error {
	p := problems{what: "bootstrap"}
	p.must(validStore(b.Store), "store is not the URL or path of a store without user and password")
	p.must(nameForm.MatchString(b.Cluster), "cluster: %.80q is not a name", b.Cluster)
	p.must(idForm.MatchString(b.ClusterID), "clusterId: %.80q is not an id", b.ClusterID)
	p.must(nameForm.MatchString(b.Group), "group: %.80q is not a name", b.Group)
	p.must(printable(b.ReleaseKey, 128), "releaseKey is not one line of at most 128 bytes")
	p.must(b.MinCommit >= 0, "minCommit: %d is less than 0", b.MinCommit)
	return p.err()
}

// validStore says that s may name a store in a file that is no secret. What
// schemes there are is the business of who opens it.
func validStore(s string) bool {
	if s == "" || !printable(s, 400) {
		return false
	}
	if !strings.Contains(s, "://") {
		return true
	}
	u, err := url.Parse(s)
	return err == nil && u.User == nil && u.Scheme != ""
}
