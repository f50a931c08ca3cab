package pki

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// ErrMismatch says that a private key is not the certificate's.
var ErrMismatch = errors.New("the private key is not that of the certificate")

// ParseCertificate returns the first certificate in PEM bytes.
func ParseCertificate(b []byte) (*x509.Certificate, error) {
	for {
		var block *pem.Block
		if block, b = pem.Decode(b); block == nil {
			return nil, fmt.Errorf("not a certificate in PEM: %w", fs.ErrInvalid)
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("read a certificate: %w", err)
		}
		return c, nil
	}
}

// X509 returns the certificate of the item.
func (it Item) X509() (*x509.Certificate, error) {
	c, err := ParseCertificate(it.Certificate)
	if err != nil {
		return nil, fmt.Errorf("item %s: %w", it.ID, err)
	}
	return c, nil
}

// Fits checks that a private key is that of a certificate in PEM; if it is
// another's, the error is ErrMismatch.
func Fits(certificate []byte, key Key) error {
	c, err := ParseCertificate(certificate)
	if err != nil {
		return err
	}
	signer, err := key.Signer()
	if err != nil {
		return err
	}
	public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(c.PublicKey) {
		return ErrMismatch
	}
	return nil
}

// Check reports all that keeps k from being used: a primary that is missing,
// distrusted or lacks a half, certificates and keys that cannot be read or do
// not fit each other.
func (k *Keyset) Check() error {
	var all []error
	for _, it := range k.Items {
		if err := it.check(); err != nil {
			all = append(all, fmt.Errorf("keyset %s: %w", k.Name, err))
		}
	}
	it, found := k.Item(k.Primary)
	_, isNumber := it.number()
	switch {
	case !found:
		all = append(all, fmt.Errorf("keyset %s: primary %.40q is not one of its items", k.Name, k.Primary))
	case !it.Trusted():
		all = append(all, fmt.Errorf("keyset %s: primary %s is distrusted", k.Name, it.ID))
	case it.Key.IsZero() || len(it.Certificate) == 0 || !isNumber:
		all = append(all, fmt.Errorf("keyset %s: primary %s needs a certificate, a private key and an integer for an id", k.Name, it.ID))
	}
	return errors.Join(all...)
}

func (it Item) check() error {
	if len(it.Certificate) == 0 {
		return nil
	}
	if it.Key.IsZero() {
		_, err := it.X509()
		return err
	}
	if err := Fits(it.Certificate, it.Key); err != nil {
		return fmt.Errorf("item %s: %w", it.ID, err)
	}
	return nil
}

// RenewAt is when a certificate should be replaced: at two thirds of its life.
func RenewAt(c *x509.Certificate) time.Time {
	return c.NotBefore.Add(c.NotAfter.Sub(c.NotBefore) / 3 * 2)
}

// Expires is when the certificate of the primary ends.
func (k *Keyset) Expires() (time.Time, error) {
	it, err := k.PrimaryItem()
	if err != nil {
		return time.Time{}, err
	}
	c, err := it.X509()
	if err != nil {
		return time.Time{}, fmt.Errorf("keyset %s: %w", k.Name, err)
	}
	return c.NotAfter, nil
}

// PublicKeys returns the public keys of all trusted items in PEM (PKIX),
// the primary's first, then by id: what checks a token that one of them signed.
func (k *Keyset) PublicKeys() ([]byte, error) {
	var out []byte
	for _, it := range k.trustedItems() {
		if len(it.Certificate) == 0 {
			continue
		}
		c, err := it.X509()
		if err != nil {
			return nil, fmt.Errorf("keyset %s: %w", k.Name, err)
		}
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: c.RawSubjectPublicKeyInfo})...)
	}
	return out, nil
}
