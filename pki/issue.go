package pki

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net/netip"
	"time"
)

const (
	day = 24 * time.Hour

	// Clocks differ: what is made now is valid from then on.
	backdate = 2 * day

	caLife   = 10 * 365 * day
	leafLife = 365 * day

	// The low bits of a serial number, random; above them stands the time.
	randomBits = 32
)

// NewCA makes a keyset with one item, an authority that signed itself and is
// valid for ten years. random is where the serial number and, as far as
// package crypto lets it be chosen, keys and signatures come from; nil is
// crypto/rand. For tests that need the same bytes: testing/cryptotest.
func NewCA(name string, now time.Time, random io.Reader, alg Algorithm) (*Keyset, error) {
	if name == "" {
		return nil, fmt.Errorf("make a keyset: no name: %w", fs.ErrInvalid)
	}
	it, err := newItem(name, now, random, alg, false)
	if err != nil {
		return nil, fmt.Errorf("make keyset %s: %w", name, err)
	}
	return &Keyset{Name: name, Items: []Item{it}, Primary: it.ID}, nil
}

// NewServiceAccount makes the keyset whose primary signs the tokens of service
// accounts. As with kops, its key comes with a certificate like an authority's.
func NewServiceAccount(now time.Time, random io.Reader, alg Algorithm) (*Keyset, error) {
	return NewCA("service-account", now, random, alg)
}

// newItem makes an authority. One that follows another carries its serial
// number in its name, so that a client can tell the two apart.
func newItem(name string, now time.Time, random io.Reader, alg Algorithm, follows bool) (Item, error) {
	signer, err := generate(alg, random)
	if err != nil {
		return Item{}, err
	}
	serial, err := newSerial(now, random)
	if err != nil {
		return Item{}, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(caLife),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	if follows {
		template.Subject.SerialNumber = serial.String()
	}
	certificate, err := sign(template, template, signer.Public(), signer, random)
	if err != nil {
		return Item{}, err
	}
	key, err := encodeKey(signer)
	if err != nil {
		return Item{}, err
	}
	return Item{ID: serial.String(), Certificate: certificate, Key: key}, nil
}

// newSerial makes a number of 96 bits that is higher the later it is made:
// nanoseconds, then 32 random bits.
func newSerial(now time.Time, random io.Reader) (*big.Int, error) {
	var low [randomBits / 8]byte
	if _, err := io.ReadFull(orSecure(random), low[:]); err != nil {
		return nil, fmt.Errorf("make a serial number: %w", err)
	}
	serial := big.NewInt(now.UnixNano())
	return serial.Lsh(serial, randomBits).Or(serial, big.NewInt(int64(binary.BigEndian.Uint32(low[:])))), nil
}

func sign(template, parent *x509.Certificate, public crypto.PublicKey, signer crypto.Signer, random io.Reader) ([]byte, error) {
	der, err := x509.CreateCertificate(orSecure(random), template, parent, public, signer)
	if err != nil {
		return nil, fmt.Errorf("sign a certificate: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

// Usages of a certificate.
const (
	UsageClient = "client"
	UsageServer = "server"
)

// A Request says what a certificate is to say.
type Request struct {
	CommonName   string
	Organization []string // Kubernetes takes them for groups
	DNSNames     []string
	IPs          []netip.Addr
	Usages       []string         // UsageClient, UsageServer: at least one
	PublicKey    crypto.PublicKey // of a key that was made elsewhere; nil: one is made here, ECDSA P-256
	Validity     time.Duration    // from now on; 0: a year
}

// Issue makes a certificate of the primary and, where the request brings no
// public key, a private key. Both are PEM. A certificate never outlives the one
// that signed it. See NewCA for random.
func (k *Keyset) Issue(req Request, now time.Time, random io.Reader) (cert, key []byte, err error) {
	cert, key, err = k.issue(req, now, random)
	if err != nil {
		return nil, nil, fmt.Errorf("issue a certificate for %.80q of %s: %w", req.CommonName, k.Name, err)
	}
	return cert, key, nil
}

func (k *Keyset) issue(req Request, now time.Time, random io.Reader) (cert, key []byte, err error) {
	parent, signer, err := k.signer(now)
	if err != nil {
		return nil, nil, err
	}
	public := req.PublicKey
	if public == nil {
		private, err := GenerateKey(ECDSAP256, random)
		if err != nil {
			return nil, nil, err
		}
		s, err := private.Signer()
		if err != nil {
			return nil, nil, err
		}
		public, key = s.Public(), private.Reveal()
	}
	template, err := req.template(public, now)
	if err != nil {
		return nil, nil, err
	}
	if template.NotAfter.After(parent.NotAfter) {
		template.NotAfter = parent.NotAfter
	}
	if template.SerialNumber, err = newSerial(now, random); err != nil {
		return nil, nil, err
	}
	if cert, err = sign(template, parent, public, signer, random); err != nil {
		return nil, nil, err
	}
	return cert, key, nil
}

// signer returns what the primary signs with, if it may sign now.
func (k *Keyset) signer(now time.Time) (*x509.Certificate, crypto.Signer, error) {
	it, err := k.PrimaryItem()
	if err != nil {
		return nil, nil, err
	}
	if it.Key.IsZero() {
		return nil, nil, fmt.Errorf("item %s has no private key", it.ID)
	}
	if err := it.check(); err != nil {
		return nil, nil, err
	}
	c, err := it.X509()
	if err != nil {
		return nil, nil, err
	}
	if !c.IsCA {
		return nil, nil, fmt.Errorf("item %s is not an authority", it.ID)
	}
	if now.Before(c.NotBefore) || !now.Before(c.NotAfter) {
		return nil, nil, &ValidityError{Item: it.ID, NotBefore: c.NotBefore, NotAfter: c.NotAfter, Now: now}
	}
	signer, err := it.Key.Signer()
	if err != nil {
		return nil, nil, fmt.Errorf("item %s: %w", it.ID, err)
	}
	return c, signer, nil
}

func (req Request) template(public crypto.PublicKey, now time.Time) (*x509.Certificate, error) {
	life := req.Validity
	if life == 0 {
		life = leafLife
	}
	if life < 0 || len(req.Usages) == 0 {
		return nil, errors.New("the request has no usage, or ends before it begins")
	}
	t := &x509.Certificate{
		Subject:               pkix.Name{CommonName: req.CommonName, Organization: req.Organization},
		DNSNames:              req.DNSNames,
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(life),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
	}
	for _, ip := range req.IPs {
		t.IPAddresses = append(t.IPAddresses, ip.Unmap().AsSlice())
	}
	for _, u := range req.Usages {
		switch u {
		case UsageClient:
			t.ExtKeyUsage = append(t.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
		case UsageServer:
			t.ExtKeyUsage = append(t.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
			if _, ok := public.(*rsa.PublicKey); ok {
				t.KeyUsage |= x509.KeyUsageKeyEncipherment
			}
		default:
			return nil, fmt.Errorf("usage %.40q is neither client nor server", u)
		}
	}
	return t, nil
}

// ValidityError says that an authority cannot issue at this time.
type ValidityError struct {
	Item                string
	NotBefore, NotAfter time.Time
	Now                 time.Time // what the clock says
}

func (e *ValidityError) Error() string {
	return fmt.Sprintf("item %s is valid from %s to %s only", e.Item, e.NotBefore.Format(time.RFC3339), e.NotAfter.Format(time.RFC3339))
}

// Hint says where to look first.
func (e *ValidityError) Hint() string {
	return "the clock here says " + e.Now.UTC().Format(time.RFC3339) + ": is that right? An authority that has ended must be rotated"
}
