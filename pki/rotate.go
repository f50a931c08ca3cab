package pki

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"slices"
	"time"
)

// Rotate begins a rotation: the new keyset has one more item, made now, which
// is trusted and does not sign yet. Once everybody trusts it, Promote lets it
// sign; once nobody needs its elders, Distrust ends them.
func (k *Keyset) Rotate(now time.Time, random io.Reader, alg Algorithm) (*Keyset, error) {
	it, err := newItem(k.Name, now, random, alg, true)
	if err != nil {
		return nil, fmt.Errorf("rotate keyset %s: %w", k.Name, err)
	}
	added, _, err := k.AddSecondary(it.Certificate, it.Key, now, random)
	return added, err
}

// AddPrimary returns a keyset with one more item, which signs from now on, and
// the item's id.
func (k *Keyset) AddPrimary(certificate []byte, key Key, now time.Time, random io.Reader) (*Keyset, string, error) {
	if key.IsZero() {
		return nil, "", fmt.Errorf("add to keyset %s: a primary needs a private key: %w", k.Name, fs.ErrInvalid)
	}
	added, id, err := k.add(certificate, key, k.primaryID, now, random)
	if err != nil {
		return nil, "", fmt.Errorf("add to keyset %s: %w", k.Name, err)
	}
	added.Primary = id
	return added, id, nil
}

// AddSecondary returns a keyset with one more item, which is trusted and does
// not sign, and the item's id. Without a key the item is a certificate alone.
func (k *Keyset) AddSecondary(certificate []byte, key Key, now time.Time, random io.Reader) (*Keyset, string, error) {
	added, id, err := k.add(certificate, key, k.secondaryID, now, random)
	if err != nil {
		return nil, "", fmt.Errorf("add to keyset %s: %w", k.Name, err)
	}
	return added, id, nil
}

// idRule chooses the id of a new item by the serial number of its certificate
// and the one that a certificate made now would have. The rules are those of
// kops (docs/formats/keyset.md).
type idRule func(serial, current *big.Int, hasKey bool) (*big.Int, error)

func (k *Keyset) add(certificate []byte, key Key, rule idRule, now time.Time, random io.Reader) (*Keyset, string, error) {
	if !key.IsZero() {
		if err := Fits(certificate, key); err != nil {
			return nil, "", err
		}
	}
	c, err := ParseCertificate(certificate)
	if err != nil {
		return nil, "", err
	}
	current, err := newSerial(now, random)
	if err != nil {
		return nil, "", err
	}
	number, err := rule(c.SerialNumber, current, !key.IsZero())
	if err != nil {
		return nil, "", err
	}
	it := Item{ID: number.String(), Certificate: slices.Clone(certificate), Key: key}
	if _, taken := k.Item(it.ID); taken {
		return nil, "", fmt.Errorf("item %s is already there: %w", it.ID, fs.ErrExist)
	}
	added := k.clone()
	added.Items = append(added.Items, it)
	return added, it.ID, nil
}

// primaryID: later items must get a higher id, so one from the future will not
// do; and a primary stands above all others, also where the clock is behind.
func (k *Keyset) primaryID(serial, current *big.Int, _ bool) (*big.Int, error) {
	highest := new(big.Int)
	for _, it := range k.Items {
		if n, ok := it.number(); ok && n.Cmp(highest) > 0 {
			highest = n
		}
	}
	switch {
	case !isLater(serial, current) && serial.Cmp(highest) > 0:
		return serial, nil
	case current.Cmp(highest) > 0:
		return current, nil
	}
	return highest.Add(highest, big.NewInt(1)), nil
}

// secondaryID: a certificate alone can never sign, so it must not come after
// the primary either.
func (k *Keyset) secondaryID(serial, current *big.Int, hasKey bool) (*big.Int, error) {
	primary, err := k.PrimaryItem()
	if err != nil {
		return nil, errors.New("the first item must be the primary")
	}
	id := serial
	if isLater(serial, current) {
		id = current
	}
	if hasKey {
		return id, nil
	}
	c, err := primary.X509()
	if err != nil {
		return nil, err
	}
	if c.SerialNumber.Cmp(id) > 0 {
		return id, nil
	}
	return k.lowestFree(), nil
}

// isLater compares the time in two serial numbers: the random bits below it
// say nothing about which was first.
func isLater(serial, current *big.Int) bool {
	return new(big.Int).Rsh(serial, randomBits).Cmp(new(big.Int).Rsh(current, randomBits)) > 0
}

func (k *Keyset) lowestFree() *big.Int {
	for n := int64(0); ; n++ {
		id := big.NewInt(n)
		if _, taken := k.Item(id.String()); !taken {
			return id
		}
	}
}

// Newest returns the trusted item with the highest id that could sign: the one
// to promote. False where there is none, or it is the primary already.
func (k *Keyset) Newest() (Item, bool) {
	items := slices.DeleteFunc(k.sorted(), func(it Item) bool { return !it.canSign() })
	if len(items) == 0 {
		return Item{}, false
	}
	newest := items[len(items)-1]
	return newest, newest.ID != k.Primary
}

func (it Item) canSign() bool {
	_, ok := it.number()
	return ok && it.Trusted() && !it.Key.IsZero() && len(it.Certificate) > 0
}

// Promote returns a keyset in which the item with an id signs.
func (k *Keyset) Promote(id string) (*Keyset, error) {
	it, err := k.find(id)
	if err != nil {
		return nil, fmt.Errorf("promote: %w", err)
	}
	if !it.canSign() {
		return nil, fmt.Errorf("promote: item %s of keyset %s is distrusted or lacks a private key or a certificate: %w", id, k.Name, fs.ErrInvalid)
	}
	promoted := k.clone()
	promoted.Primary = id
	return promoted, nil
}

// Elders returns the ids of the trusted items whose certificates have a lower
// serial number than the primary's: those to distrust at the end of a rotation.
func (k *Keyset) Elders() ([]string, error) {
	primary, err := k.PrimaryItem()
	if err != nil {
		return nil, err
	}
	c, err := primary.X509()
	if err != nil {
		return nil, fmt.Errorf("keyset %s: %w", k.Name, err)
	}
	var ids []string
	for _, it := range k.sorted() {
		if !it.Trusted() || len(it.Certificate) == 0 {
			continue
		}
		own, err := it.X509()
		if err != nil {
			return nil, fmt.Errorf("keyset %s: %w", k.Name, err)
		}
		if own.SerialNumber.Cmp(c.SerialNumber) < 0 {
			ids = append(ids, it.ID)
		}
	}
	return ids, nil
}

// Distrust returns a keyset in which the item with an id is trusted no longer.
// The primary cannot be distrusted. One that is distrusted stays so since when
// it was.
func (k *Keyset) Distrust(id string, now time.Time) (*Keyset, error) {
	it, err := k.find(id)
	if err != nil {
		return nil, fmt.Errorf("distrust: %w", err)
	}
	if primary, err := k.PrimaryItem(); err == nil && primary.ID == id {
		return nil, fmt.Errorf("distrust: item %s is the primary of keyset %s: %w", id, k.Name, fs.ErrInvalid)
	}
	if !it.Trusted() {
		return k.clone(), nil
	}
	return k.distrusted(id, now.UTC().Truncate(time.Second)), nil
}

// Trust returns a keyset in which the item with an id is trusted.
func (k *Keyset) Trust(id string) (*Keyset, error) {
	if _, err := k.find(id); err != nil {
		return nil, fmt.Errorf("trust: %w", err)
	}
	return k.distrusted(id, time.Time{}), nil
}

func (k *Keyset) distrusted(id string, since time.Time) *Keyset {
	changed := k.clone()
	for i := range changed.Items {
		if changed.Items[i].ID == id {
			changed.Items[i].Distrusted = since
		}
	}
	return changed
}

func (k *Keyset) find(id string) (Item, error) {
	it, found := k.Item(id)
	if !found {
		return Item{}, fmt.Errorf("keyset %s has no item %.40q: %w", k.Name, id, fs.ErrNotExist)
	}
	return it, nil
}
