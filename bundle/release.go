package bundle

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// MaxRelease is the size, in bytes, over which a release is refused.
const MaxRelease = 64 << 10

// A Release is what nodes follow: the commit in force and the bundle of each
// group. It is the only object that they poll.
type Release struct {
	Cluster     string            `json:"cluster"`
	ClusterID   string            `json:"clusterId"`
	Commit      int               `json:"commit"` // from 1; a node never goes below the highest it has seen
	Groups      map[string]Digest `json:"groups"`
	PollSeconds int               `json:"pollSeconds"`
	Issued      time.Time         `json:"issued"`              // whole seconds
	Redirect    string            `json:"redirect,omitempty"`  // the store to follow from now on
	Signature   string            `json:"signature,omitempty"` // over SignedBytes
}

type releaseV1 struct {
	Format int `json:"format"`
	Release
}

// Encode returns the canonical bytes of r.
func (r *Release) Encode() []byte {
	w := releaseV1{1, *r}
	w.Issued = wholeSecond(r.Issued)
	if w.Groups == nil {
		w.Groups = map[string]Digest{}
	}
	return encode(w)
}

// SignedBytes are the canonical bytes of r without its signature.
func (r *Release) SignedBytes() []byte {
	unsigned := *r
	unsigned.Signature = ""
	return unsigned.Encode()
}

// DecodeRelease reads a release and checks its form. It checks neither the
// signature nor that cluster and commit are those which the reader follows.
func DecodeRelease(data []byte) (*Release, error) {
	if len(data) > MaxRelease {
		return nil, tooLarge("release", MaxRelease)
	}
	var w releaseV1
	if err := decode("release", data, &w); err != nil {
		return nil, err
	}
	r := &w.Release
	if string(r.Encode()) != string(data) {
		return nil, notCanonical("release")
	}
	if err := r.Validate(); err != nil {
		return nil, err
	}
	return r, nil
}

// Validate checks all rules of docs/formats/release.md, as an *InvalidError.
func (r *Release) Validate() error {
	p := problems{what: "release"}
	p.must(nameForm.MatchString(r.Cluster), "cluster: %.80q is not a name", r.Cluster)
	p.must(idForm.MatchString(r.ClusterID), "clusterId: %.80q is not an id", r.ClusterID)
	p.must(r.Commit >= 1, "commit: %d is less than 1", r.Commit)
	for _, g := range slices.Sorted(maps.Keys(r.Groups)) {
		p.must(nameForm.MatchString(g), "groups: %.80q is not a name", g)
		if _, err := ParseDigest(string(r.Groups[g])); err != nil {
			p.add("groups: %.80q: %v", g, err)
		}
	}
	p.must(r.PollSeconds >= 1 && r.PollSeconds <= 86400, "pollSeconds: %d is not in 1 to 86400", r.PollSeconds)
	p.must(!wholeSecond(r.Issued).IsZero(), "issued: no time")
	p.must(r.Redirect == "" || validStore(r.Redirect), "redirect is not the URL or path of a store without user and password")
	p.must(printable(r.Signature, 8<<10), "signature is not one line of at most 8192 bytes")
	p.must(len(r.Encode()) <= MaxRelease, "it has %d groups, and is larger than %d bytes with them", len(r.Groups), MaxRelease)
	return p.err()
}

// A StaleError says that a release is older than one the node has seen.
type StaleError struct{ Commit, Seen int }

func (e *StaleError) Error() string {
	return fmt.Sprintf("release of commit %d is older than commit %d, which was seen before", e.Commit, e.Seen)
}

// Follows checks that r may be followed by who follows the cluster id and has
// seen the release of commit seen: a number never goes down.
func (r *Release) Follows(clusterID string, seen int) error {
	if r.ClusterID != clusterID {
		return fmt.Errorf("release is of cluster id %q, not of %q", r.ClusterID, clusterID)
	}
	if r.Commit < seen {
		return &StaleError{r.Commit, seen}
	}
	return nil
}
