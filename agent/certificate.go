package agent

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/netip"
	"time"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/pki"
)

// pair is a certificate and its private key, both PEM.
type pair struct {
	crt []byte
	key []byte
}

// issue makes a key on this host and a certificate for it. The placeholders of
// the request are filled already.
func issue(r bundle.CertificateRequest, issuerCrt, issuerKey []byte, now time.Time) (pair, error) {
	ca, err := pki.ParseCertificate(issuerCrt)
	if err != nil {
		return pair{}, fmt.Errorf("certificate %s: issuer %s: %w", r.Path, r.Issuer, err)
	}
	id := ca.SerialNumber.String()
	authority := pki.Keyset{Name: r.Issuer, Primary: id, Items: []pki.Item{{ID: id, Certificate: firstBlock(issuerCrt), Key: pki.NewKey(issuerKey)}}}
	req := pki.Request{
		CommonName: r.CommonName, Organization: r.Organization, DNSNames: r.DNSNames, Usages: r.Usages,
		Validity: time.Duration(r.Days) * 24 * time.Hour,
	}
	for _, s := range r.IPs {
		ip, err := netip.ParseAddr(s)
		if err != nil {
			return pair{}, fmt.Errorf("certificate %s: %w", r.Path, err)
		}
		req.IPs = append(req.IPs, ip)
	}
	var p pair
	if p.crt, p.key, err = authority.Issue(req, now, nil); err != nil {
		return pair{}, fmt.Errorf("certificate %s: %w", r.Path, err)
	}
	return p, nil
}

// due reports whether a certificate is to be replaced: it cannot be read, or
// now is not in its time.
func due(crt, issuerCrt []byte, now time.Time) bool {
	c, err := pki.ParseCertificate(crt)
	if err != nil {
		return true
	}
	return !timeOf(c, issuerCrt).holds(now)
}

// span is the time in which what was issued need not be replaced.
type span struct{ from, until time.Time }

func (s span) holds(now time.Time) bool { return !now.Before(s.from) && now.Before(s.until) }

// timeOf is from where a certificate begins to the last third of its life. One
// that ends when its authority does is as good as any to come: to replace it
// would help nobody, and restart what uses it, ever more often until the end.
func timeOf(c *x509.Certificate, issuerCrt []byte) span {
	ca, err := pki.ParseCertificate(issuerCrt)
	if err == nil && !c.NotAfter.Before(ca.NotAfter) {
		return span{c.NotBefore, never}
	}
	return span{c.NotBefore, pki.RenewAt(c)}
}

// never is later than any certificate ends.
var never = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// requestDigest is the digest of what a certificate was made from: the filled
// request and the authority that signs, not the others that are trusted.
func requestDigest(r bundle.CertificateRequest, issuerCrt []byte) string {
	text, err := json.Marshal(r)
	if err != nil {
		panic("agent: a request that JSON cannot hold: " + err.Error())
	}
	return digestOf(append(text, firstBlock(issuerCrt)...))
}

func firstBlock(text []byte) []byte {
	block, _ := pem.Decode(text)
	if block == nil {
		return text
	}
	return pem.EncodeToMemory(block)
}
