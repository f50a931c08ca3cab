package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// ErrDigest says that bytes are not those that their digest names.
var ErrDigest = errors.New("the digest does not fit")

// A Digest names bytes: "sha256:" and 64 lower-case hex digits.
type Digest string

// DigestOf returns the digest of data.
func DigestOf(data []byte) Digest {
	sum := sha256.Sum256(data)
	return Digest("sha256:" + hex.EncodeToString(sum[:]))
}

// ParseDigest checks the form of s.
func ParseDigest(s string) (Digest, error) {
	if d := Digest(s); isHexSHA256(d.Hex()) && strings.HasPrefix(s, "sha256:") {
		return d, nil
	}
	return "", fmt.Errorf("%.80q is not a digest: want sha256: and 64 lower-case hex digits", s)
}

// Hex returns the digits alone, as the names of objects have them.
func (d Digest) Hex() string { return strings.TrimPrefix(string(d), "sha256:") }

// Short returns the first 12 digits, for people.
func (d Digest) Short() string {
	h := d.Hex()
	return h[:min(12, len(h))]
}

func (d Digest) shown() string {
	if d == "" {
		return "the one asked for, which is none"
	}
	return fmt.Sprintf("%.80q", string(d))
}

func isHexSHA256(s string) bool {
	return len(s) == 2*sha256.Size && strings.Trim(s, "0123456789abcdef") == ""
}

// Where the objects of a cluster lie, below .stateroom/{cluster}/.
const (
	ReleaseName = "release"  // the one object that nodes poll
	ReportsDir  = "nodes/"   // one report per node
	BundlesDir  = "bundles/" // one folder per group
)

// ObjectName is where the bundle of a group lies.
func ObjectName(group string, d Digest) string { return BundlesDir + group + "/" + d.Hex() }

// ReportName is where the report of a node lies.
func ReportName(node string) string { return ReportsDir + node + ".json" }
