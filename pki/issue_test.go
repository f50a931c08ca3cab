package pki_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stateroom/stateroom/pki"
)

func certificate(t testing.TB, b []byte) *x509.Certificate {
	t.Helper()
	c, err := pki.ParseCertificate(b)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func pool(t testing.TB, k *pki.Keyset) *x509.CertPool {
	t.Helper()
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(k.Trusted()) {
		t.Fatal("no certificate is trusted")
	}
	return p
}

var server = pki.Request{
	CommonName: "kube-apiserver", DNSNames: []string{"kubernetes.default.svc"}, Usages: []string{pki.UsageServer, pki.UsageClient},
	IPs: []netip.Addr{netip.MustParseAddr("127.4.5.6"), netip.MustParseAddr("fd00::1")},
}

// An authority is what kops makes: names, life, usages, serial number, PEM.
func TestAnAuthorityIsAsKopsMakesIt(t *testing.T) {
	for alg, header := range map[pki.Algorithm]string{pki.RSA2048: "RSA PRIVATE KEY", pki.ECDSAP256: "EC PRIVATE KEY"} {
		k := newCA(t, "kubernetes-ca", alg)
		if err := k.Check(); err != nil {
			t.Error(err)
		}
		c := certificate(t, k.Items[0].Certificate)
		if c.Subject.String() != "CN=kubernetes-ca" || c.Issuer.String() != "CN=kubernetes-ca" || !c.IsCA || !c.BasicConstraintsValid {
			t.Errorf("%s: subject %s, issuer %s, CA %v", alg, c.Subject, c.Issuer, c.IsCA)
		}
		if c.KeyUsage != x509.KeyUsageCertSign|x509.KeyUsageCRLSign || len(c.ExtKeyUsage) != 0 {
			t.Errorf("%s: usages %v, %v", alg, c.KeyUsage, c.ExtKeyUsage)
		}
		if !c.NotBefore.Equal(noon.Add(-48*time.Hour)) || !c.NotAfter.Equal(noon.Add(3650*24*time.Hour)) {
			t.Errorf("%s: valid from %s to %s", alg, c.NotBefore, c.NotAfter)
		}
		if nanos := new(big.Int).Rsh(c.SerialNumber, 32); nanos.Int64() != noon.UnixNano() || c.SerialNumber.String() != k.Primary {
			t.Errorf("%s: serial number %s of primary %s", alg, c.SerialNumber, k.Primary)
		}
		if block, rest := pem.Decode(k.Items[0].Key.Reveal()); block == nil || block.Type != header || len(rest) > 0 {
			t.Errorf("%s: the private key is not in a block %q", alg, header)
		}
	}
	if _, err := pki.NewCA("", noon, nil, pki.ECDSAP256); err == nil {
		t.Error("an authority without a name")
	}
	if k, err := pki.NewServiceAccount(noon, nil, pki.ECDSAP256); err != nil || k.Name != "service-account" {
		t.Error(err)
	}
}

func TestIssuedCertificatesVerify(t *testing.T) {
	for _, alg := range []pki.Algorithm{pki.RSA2048, pki.ECDSAP256} {
		ca := newCA(t, "kubernetes-ca", alg)
		cert, key, err := ca.Issue(server, noon, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := pki.Fits(cert, pki.NewKey(key)); err != nil {
			t.Error(err)
		}
		if _, err := tls.X509KeyPair(cert, key); err != nil {
			t.Error(err)
		}
		c := certificate(t, cert)
		for _, name := range []string{"kubernetes.default.svc", "127.4.5.6", "fd00::1"} {
			for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
				if _, err := c.Verify(x509.VerifyOptions{Roots: pool(t, ca), CurrentTime: noon, DNSName: name, KeyUsages: []x509.ExtKeyUsage{usage}}); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		if c.IsCA || c.SerialNumber.BitLen() > 96 || !c.NotAfter.Equal(noon.AddDate(1, 0, 0)) {
			t.Errorf("CA %v, serial number of %d bits, valid to %s", c.IsCA, c.SerialNumber.BitLen(), c.NotAfter)
		}
	}
}

func TestCertificatesDoNoMoreThanTheySay(t *testing.T) {
	ca, other := newCA(t, "kubernetes-ca", pki.ECDSAP256), newCA(t, "kubernetes-ca", pki.ECDSAP256)
	cert, _, err := ca.Issue(pki.Request{CommonName: "admin", Organization: []string{"system:masters"}, Usages: []string{pki.UsageClient}, Validity: time.Hour}, noon, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := certificate(t, cert)
	if got := c.Subject.String(); got != "CN=admin,O=system:masters" {
		t.Errorf("subject %s", got)
	}
	client := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	for name, opt := range map[string]x509.VerifyOptions{
		"as a server":        {Roots: pool(t, ca), CurrentTime: noon},
		"after an hour":      {Roots: pool(t, ca), CurrentTime: noon.Add(time.Hour + time.Second), KeyUsages: client},
		"another authority":  {Roots: pool(t, other), CurrentTime: noon, KeyUsages: client},
		"signing for others": {Roots: func() *x509.CertPool { p := x509.NewCertPool(); p.AddCert(c); return p }(), CurrentTime: noon, KeyUsages: client, DNSName: "x"},
	} {
		if _, err := c.Verify(opt); err == nil {
			t.Errorf("the certificate is good for: %s", name)
		}
	}
}

func TestAHostsOwnKeyStaysThere(t *testing.T) {
	ca := newCA(t, "kubernetes-ca", pki.ECDSAP256)
	for _, alg := range []pki.Algorithm{pki.RSA2048, pki.ECDSAP256} {
		own, err := pki.GenerateKey(alg, nil)
		if err != nil {
			t.Fatal(err)
		}
		signer, err := own.Signer()
		if err != nil {
			t.Fatal(err)
		}
		req := server
		req.PublicKey = signer.Public()
		cert, key, err := ca.Issue(req, noon, nil)
		if err != nil || key != nil {
			t.Errorf("%s: a key of %d bytes, %v", alg, len(key), err)
		}
		if err := pki.Fits(cert, own); err != nil {
			t.Error(err)
		}
		encipher := certificate(t, cert).KeyUsage&x509.KeyUsageKeyEncipherment != 0
		if encipher != (alg == pki.RSA2048) {
			t.Errorf("%s: key encipherment %v", alg, encipher)
		}
	}
}

func TestACertificateNeverOutlivesItsAuthority(t *testing.T) {
	ca := newCA(t, "kubernetes-ca", pki.ECDSAP256)
	end, err := ca.Expires()
	if err != nil {
		t.Fatal(err)
	}
	cert, _, err := ca.Issue(server, end.AddDate(0, 0, -3), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := certificate(t, cert).NotAfter; !got.Equal(end) {
		t.Errorf("valid to %s, its authority to %s", got, end)
	}
}

func TestWhatCannotBeIssued(t *testing.T) {
	ca := newCA(t, "kubernetes-ca", pki.ECDSAP256)
	leafCert, leafKey, err := ca.Issue(server, noon, nil)
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(r *pki.Request)) pki.Request { r := server; change(&r); return r }
	item := func(change func(it *pki.Item)) *pki.Keyset {
		k := &pki.Keyset{Name: ca.Name, Primary: ca.Primary, Items: slices.Clone(ca.Items)}
		change(&k.Items[0])
		return k
	}
	for want, c := range map[string]struct {
		k   *pki.Keyset
		req pki.Request
		now time.Time
	}{
		"no usage":              {ca, with(func(r *pki.Request) { r.Usages = nil }), noon},
		`usage "sign"`:          {ca, with(func(r *pki.Request) { r.Usages = []string{"sign"} }), noon},
		"ends before it begins": {ca, with(func(r *pki.Request) { r.Validity = -1 }), noon},
		"is valid from":         {ca, server, noon.AddDate(11, 0, 0)},
		"only":                  {ca, server, noon.AddDate(-1, 0, 0)},
		"has no private key":    {item(func(it *pki.Item) { it.Key = pki.Key{} }), server, noon},
		"not that of the cert":  {item(func(it *pki.Item) { it.Key = newCA(t, "x", pki.ECDSAP256).Items[0].Key }), server, noon},
		"not a private key":     {item(func(it *pki.Item) { it.Key = pki.NewKey([]byte("age-encryption.org/v1")) }), server, noon},
		"not a certificate":     {item(func(it *pki.Item) { it.Certificate = nil; it.Certificate = []byte("x") }), server, noon},
		"is not an authority":   {item(func(it *pki.Item) { it.Certificate, it.Key = leafCert, pki.NewKey(leafKey) }), server, noon},
		"no trusted item":       {item(func(it *pki.Item) { it.Distrusted = noon }), server, noon},
	} {
		cert, key, err := c.k.Issue(c.req, c.now, nil)
		if err == nil || cert != nil || key != nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "kubernetes-ca") {
			t.Errorf("want %s: %v", want, err)
		}
	}
}

func TestKeysAndCertificatesThatDoNotFit(t *testing.T) {
	one, other := newCA(t, "a", pki.ECDSAP256).Items[0], newCA(t, "a", pki.RSA2048).Items[0]
	if err := errors.Join(pki.Fits(one.Certificate, one.Key), pki.Fits(other.Certificate, other.Key)); err != nil {
		t.Error(err)
	}
	if err := pki.Fits(one.Certificate, other.Key); !errors.Is(err, pki.ErrMismatch) {
		t.Error(err)
	}
	if err := pki.Fits(one.Certificate, pki.Key{}); err == nil {
		t.Error("no key fits")
	}
	if _, _, err := newCA(t, "a", pki.ECDSAP256).AddSecondary(one.Certificate, other.Key, noon, nil); !errors.Is(err, pki.ErrMismatch) {
		t.Errorf("a key that does not fit is taken in: %v", err)
	}
}

// Other programs write keys as PKCS #8, and put other blocks before them.
func TestKeysOfOtherProgramsAreRead(t *testing.T) {
	ca := newCA(t, "a", pki.ECDSAP256).Items[0]
	signer, err := ca.Key.Signer()
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	_ = pem.Encode(&b, &pem.Block{Type: "EC PARAMETERS", Bytes: []byte{6, 8}})
	_ = pem.Encode(&b, &pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err := pki.Fits(ca.Certificate, pki.NewKey(b.Bytes())); err != nil {
		t.Error(err)
	}
}

func TestRenewalIsAtTwoThirds(t *testing.T) {
	ca := newCA(t, "a", pki.ECDSAP256)
	cert, _, err := ca.Issue(pki.Request{CommonName: "x", Usages: []string{pki.UsageClient}, Validity: 28 * 24 * time.Hour}, noon, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := pki.RenewAt(certificate(t, cert)), noon.Add(18*24*time.Hour); !got.Equal(want) {
		t.Errorf("renew at %s, not %s", got, want)
	}
}
