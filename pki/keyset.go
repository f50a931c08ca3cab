// Package pki holds the keysets of a cluster: the certificates and private keys
// of its authorities, which of them are trusted and which one signs.
//
// A keyset is a value: [Parse] and [Keyset.Encode] read and write exactly the
// bytes of kops (docs/formats/keyset.md), and what changes a keyset returns a
// new one. [NewCA] makes an authority; [Keyset.Issue] makes certificates of it;
// [Keyset.Rotate], [Keyset.Promote] and [Keyset.Distrust] replace it step by
// step without a moment at which somebody trusts nobody.
//
// The package does no I/O and reads no clock: time and randomness are given.
package pki

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A Keyset is one authority, or whatever else a cluster signs with.
type Keyset struct {
	Name    string
	Items   []Item
	Primary string // ID of the item that signs; see PrimaryItem
}

// An Item is a certificate with its private key, or a certificate alone.
type Item struct {
	ID          string    // decimal digits as a rule; a later item has a higher number
	Certificate []byte    // PEM
	Key         Key       // of the certificate; zero: somebody else has it
	Distrusted  time.Time // since when; zero: trusted
}

// Trusted reports whether the item is not distrusted.
func (it Item) Trusted() bool { return it.Distrusted.IsZero() }

// number is the id of an item as an integer; false where it is none.
func (it Item) number() (*big.Int, bool) { return new(big.Int).SetString(it.ID, 10) }

// compareIDs orders ids as kops does: what is no integer first, then integers
// by value.
func compareIDs(a, b Item) int {
	x, isX := a.number()
	y, isY := b.number()
	switch {
	case isX && isY:
		return x.Cmp(y)
	case isX:
		return 1
	case isY:
		return -1
	}
	return strings.Compare(a.ID, b.ID)
}

// Item returns the item with an id.
func (k *Keyset) Item(id string) (Item, bool) {
	i := slices.IndexFunc(k.Items, func(it Item) bool { return it.ID == id })
	if i < 0 {
		return Item{}, false
	}
	return k.Items[i], true
}

// PrimaryItem returns the item that signs: the one that Primary names, if it is
// trusted; else the trusted one with the highest id. An id that is no integer
// is never primary. The error is an fs.ErrNotExist.
func (k *Keyset) PrimaryItem() (Item, error) {
	var highest *Item
	for i := range k.Items {
		it := &k.Items[i]
		if _, ok := it.number(); !ok || !it.Trusted() {
			continue
		}
		if it.ID == k.Primary {
			return *it, nil
		}
		if highest == nil || compareIDs(*it, *highest) > 0 {
			highest = it
		}
	}
	if highest == nil {
		return Item{}, fmt.Errorf("keyset %s: no trusted item that could sign: %w", k.Name, fs.ErrNotExist)
	}
	return *highest, nil
}

// Trusted returns the certificates of all trusted items in PEM: the primary's
// first, then by id.
func (k *Keyset) Trusted() []byte {
	var out []byte
	for _, it := range k.trustedItems() {
		if len(it.Certificate) > 0 {
			out = append(out, it.Certificate...)
			if out[len(out)-1] != '\n' {
				out = append(out, '\n')
			}
		}
	}
	return out
}

// trustedItems are the trusted items, the primary first, then by id.
func (k *Keyset) trustedItems() []Item {
	primary, err := k.PrimaryItem()
	var items []Item
	for _, it := range k.sorted() {
		switch {
		case !it.Trusted():
		case err == nil && it.ID == primary.ID:
			items = slices.Insert(items, 0, it)
		default:
			items = append(items, it)
		}
	}
	return items
}

func (k *Keyset) sorted() []Item { return slices.SortedFunc(slices.Values(k.Items), compareIDs) }

// clone returns a keyset whose list of items is its own.
func (k *Keyset) clone() *Keyset {
	c := *k
	c.Items = slices.Clone(k.Items)
	return &c
}

// Encode returns the bytes that kops would write for k.
func (k *Keyset) Encode() []byte {
	var out strings.Builder
	line := func(prefix, value string) { fmt.Fprintf(&out, "%s%s\n", prefix, value) }
	line("apiVersion: kops.k8s.io/v1alpha2\nkind: Keyset\nmetadata:\n  name: ", scalar(k.Name))
	line("spec:", "")
	if len(k.Items) > 0 {
		line("  keys:", "")
	}
	for _, it := range k.sorted() {
		indent := "  - "
		if !it.Trusted() {
			line(indent+"distrustTimestamp: ", scalar(it.Distrusted.UTC().Format(time.RFC3339)))
			indent = "    "
		}
		line(indent+"id: ", scalar(it.ID))
		if !it.Key.IsZero() {
			line("    privateMaterial: ", scalar(base64.StdEncoding.EncodeToString(it.Key.Reveal())))
		}
		if len(it.Certificate) > 0 {
			line("    publicMaterial: ", scalar(base64.StdEncoding.EncodeToString(it.Certificate)))
		}
	}
	if k.Primary != "" {
		line("  primaryId: ", scalar(k.Primary))
	}
	line("  type: ", "Keypair")
	return []byte(out.String())
}

var (
	plainForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+/=._-]*$`)
	otherForm = regexp.MustCompile(`(?i)^(y|n|yes|no|on|off|true|false|null)$`) // to YAML 1.1, which kops reads
)

// scalar writes a string in YAML: plain where it cannot be taken for anything else.
func scalar(s string) string {
	if plainForm.MatchString(s) && !otherForm.MatchString(s) {
		return s
	}
	quoted, err := json.Marshal(s) // a JSON string is one of YAML
	if err != nil {
		panic("pki: a string that JSON cannot hold: " + err.Error())
	}
	return string(quoted)
}
