package pki_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stateroom/stateroom/pki"
)

// withSerial makes an authority with a serial number of one's choice.
func withSerial(t testing.TB, serial *big.Int) pki.Item {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: serial, NotAfter: noon.AddDate(1, 0, 0), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pki.Item{
		ID:          serial.String(),
		Certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		Key:         pki.NewKey(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})),
	}
}

// serialAt is the lowest serial number of a certificate made at a time.
func serialAt(at time.Time) *big.Int {
	return new(big.Int).Lsh(big.NewInt(at.UnixNano()), 32)
}

// The ids that kops gives, case by case: a certificate made before or after the
// one that is there or with a number no time ever gives; with its key or alone;
// as primary or not.
func TestIDsOfNewItems(t *testing.T) {
	var (
		before = withSerial(t, serialAt(noon.Add(-2*time.Hour)))
		after  = withSerial(t, serialAt(noon.Add(-time.Hour)))
		tooBig = withSerial(t, new(big.Int).Lsh(big.NewInt(0xB2), 120))
		none   = &pki.Keyset{Name: "a"}
		one    = &pki.Keyset{Name: "a", Items: []pki.Item{before}, Primary: before.ID}
		later  = &pki.Keyset{Name: "a", Items: []pki.Item{after}, Primary: after.ID}
	)
	const now = "now" // a number made at noon
	for _, c := range []struct {
		name      string
		to        *pki.Keyset
		item      pki.Item
		alone     bool
		primary   string // the id, now, or what the error says
		secondary string
	}{
		{"first", none, before, false, before.ID, "must be the primary"},
		{"first, too big", none, tooBig, false, now, "must be the primary"},
		{"after", one, after, false, after.ID, after.ID},
		{"after, too big", later, tooBig, false, now, now},
		{"before", later, before, false, now, before.ID},
		{"first, alone", none, before, true, "needs a private key", "must be the primary"},
		{"after, alone", one, after, true, "needs a private key", "0"},
		{"before, alone", later, before, true, "needs a private key", before.ID},
		{"there already", one, before, false, now, "already there"},
	} {
		key := c.item.Key
		if c.alone {
			key = pki.Key{}
		}
		old := c.to.Encode()
		for kind, add := range map[string]func([]byte, pki.Key, time.Time) (*pki.Keyset, string, error){
			c.primary: func(cert []byte, key pki.Key, at time.Time) (*pki.Keyset, string, error) {
				k, id, err := c.to.AddPrimary(cert, key, at, nil)
				if err == nil && k.Primary != id {
					t.Errorf("%s: the new primary is %s, not %s", c.name, k.Primary, id)
				}
				return k, id, err
			},
			c.secondary + " ": func(cert []byte, key pki.Key, at time.Time) (*pki.Keyset, string, error) {
				k, id, err := c.to.AddSecondary(cert, key, at, nil)
				if err == nil && k.Primary != c.to.Primary {
					t.Errorf("%s: the primary changed", c.name)
				}
				return k, id, err
			},
		} {
			want := strings.TrimSpace(kind)
			k, id, err := add(c.item.Certificate, key, noon)
			switch {
			case err != nil:
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%s: want %s: %v", c.name, want, err)
				}
			case want == now:
				n, _ := new(big.Int).SetString(id, 10)
				if n.Rsh(n, 32).Int64() != noon.UnixNano() {
					t.Errorf("%s: id %s is not of now", c.name, id)
				}
			case id != want:
				t.Errorf("%s: id %s, want %s", c.name, id, want)
			}
			if err == nil {
				it, found := k.Item(id)
				if !found || !bytes.Equal(it.Certificate, c.item.Certificate) || !it.Key.Equal(key) || len(k.Items) != len(c.to.Items)+1 {
					t.Errorf("%s: the item is not there as given", c.name)
				}
			}
			if !bytes.Equal(old, c.to.Encode()) {
				t.Fatalf("%s: the old keyset changed", c.name)
			}
		}
	}
}

func TestSeveralCertificatesAlone(t *testing.T) {
	k := newCA(t, "a", pki.ECDSAP256)
	for want := range 3 {
		foreign := withSerial(t, serialAt(noon.Add(time.Hour)))
		var id string
		var err error
		if k, id, err = k.AddSecondary(foreign.Certificate, pki.Key{}, noon.Add(2*time.Hour), nil); err != nil || id != fmt.Sprint(want) {
			t.Fatalf("id %s, want %d: %v", id, want, err)
		}
	}
	if err := k.Check(); err != nil {
		t.Error(err)
	}
}

// A clock that stands still or went back must not change which item is newer.
func TestANewPrimaryIsTheNewestWhateverTheClockSays(t *testing.T) {
	for range 20 {
		k := newCA(t, "a", pki.ECDSAP256)
		next, err := k.Rotate(noon, nil, pki.ECDSAP256)
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range next.Items {
			if c, err := it.X509(); err != nil || c.SerialNumber.String() != it.ID {
				t.Fatal("at the same moment an id is not the serial number", err)
			}
		}
		old := withSerial(t, serialAt(noon.AddDate(-2, 0, 0)))
		k, id, err := k.AddPrimary(old.Certificate, old.Key, noon.AddDate(-1, 0, 0), nil)
		if err != nil {
			t.Fatal(err)
		}
		if it, again := k.Newest(); it.ID != id || again {
			t.Fatalf("item %s is the newest, not the new primary %s", it.ID, id)
		}
	}
}

// The primary is the trusted item that is named; else the newest trusted one.
func TestWhichItemIsPrimary(t *testing.T) {
	items := []pki.Item{{ID: "7"}, {ID: "30"}, {ID: "200"}, {ID: "zz"}}
	for _, c := range []struct {
		named, want string
		distrusted  string
	}{
		{"30", "30", ""},
		{"", "200", ""},
		{"404", "200", ""},
		{"zz", "200", ""},
		{"30", "200", "30"},
		{"200", "30", "200"},
		{"7", "", "7 30 200 zz"},
	} {
		k := &pki.Keyset{Name: "a", Primary: c.named, Items: slices.Clone(items)}
		for i := range k.Items {
			if slices.Contains(strings.Fields(c.distrusted), k.Items[i].ID) {
				k.Items[i].Distrusted = noon
			}
		}
		it, err := k.PrimaryItem()
		if it.ID != c.want || (err != nil) != (c.want == "") || err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("named %q, distrusted %q: got %q, %v", c.named, c.distrusted, it.ID, err)
		}
	}
}

// A rotation, as one sees it from outside: at every step each certificate in
// use is trusted by whoever took the step before.
func TestARotation(t *testing.T) {
	verifies := func(cert []byte, trust *pki.Keyset) bool {
		_, err := certificate(t, cert).Verify(x509.VerifyOptions{Roots: pool(t, trust), CurrentTime: noon.Add(time.Hour)})
		return err == nil
	}
	issue := func(k *pki.Keyset) []byte {
		cert, _, err := k.Issue(server, noon.Add(time.Hour), nil)
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	first := newCA(t, "kubernetes-ca", pki.ECDSAP256)
	added, err := first.Rotate(noon.Add(time.Minute), nil, pki.ECDSAP256)
	if err != nil {
		t.Fatal(err)
	}
	next, ok := added.Newest()
	if !ok || added.Primary != first.Primary {
		t.Fatal("the new item is not there, or signs already")
	}
	if c, err := next.X509(); err != nil || c.Subject.String() != "SERIALNUMBER="+next.ID+",CN=kubernetes-ca" {
		t.Error("the new item does not carry its number in its name", err)
	}
	promoted, err := added.Promote(next.ID)
	if err != nil {
		t.Fatal(err)
	}
	if it, again := promoted.Newest(); again || it.ID != next.ID {
		t.Error("the newest is to be promoted once more")
	}
	elders, err := promoted.Elders()
	if err != nil || len(elders) != 1 || elders[0] != first.Primary {
		t.Fatal(elders, err)
	}
	last, err := promoted.Distrust(elders[0], noon.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	steps := []*pki.Keyset{first, added, promoted, last}
	for i := 1; i < len(steps); i++ {
		old, now := steps[i-1], steps[i]
		if !verifies(issue(old), now) || !verifies(issue(now), old) {
			t.Errorf("step %d cuts off who is one step behind or ahead", i)
		}
		if err := now.Check(); err != nil {
			t.Error(err)
		}
	}
	if verifies(issue(first), last) {
		t.Error("at the end the first authority is still trusted")
	}
	if it, _ := last.Item(first.Primary); it.Key.IsZero() {
		t.Error("a distrusted item lost its key")
	}
	back, err := last.Trust(first.Primary)
	if err != nil || !verifies(issue(first), back) {
		t.Error("an item that is trusted again is not", err)
	}
	if diff := cmp.Diff(promoted, back); diff != "" {
		t.Error(diff)
	}
}

func TestThePrimaryComesFirstAmongTheTrusted(t *testing.T) {
	k := rotated(t, pki.ECDSAP256)
	primary, err := k.PrimaryItem()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(k.Trusted(), primary.Certificate) {
		t.Error("another certificate comes first")
	}
	if got := bytes.Count(k.Trusted(), []byte("BEGIN CERTIFICATE")); got != 3 {
		t.Errorf("%d certificates are trusted, of four with one distrusted", got)
	}
	keys, err := k.PublicKeys()
	if err != nil || bytes.Count(keys, []byte("BEGIN PUBLIC KEY")) != 3 {
		t.Errorf("%v in\n%s", err, keys)
	}
	block, _ := pem.Decode(keys)
	if public, err := x509.ParsePKIXPublicKey(block.Bytes); err != nil || !certificate(t, primary.Certificate).PublicKey.(*ecdsa.PublicKey).Equal(public) {
		t.Error("another public key comes first", err)
	}
}

func TestWhatCannotBePromotedOrDistrusted(t *testing.T) {
	k := rotated(t, pki.ECDSAP256)
	for want, act := range map[string]func() (*pki.Keyset, error){
		"has no item": func() (*pki.Keyset, error) { return k.Promote("1") },
		"lacks":       func() (*pki.Keyset, error) { return k.Promote("0") },
		"distrusted":  func() (*pki.Keyset, error) { return k.Promote(k.Items[0].ID) },
		"the primary": func() (*pki.Keyset, error) { return k.Distrust(k.Primary, noon) },
		"no item":     func() (*pki.Keyset, error) { return k.Distrust("1", noon) },
		"item":        func() (*pki.Keyset, error) { return k.Trust("1") },
	} {
		if got, err := act(); err == nil || got != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %s: %v", want, err)
		}
	}
	again, err := k.Distrust(k.Items[0].ID, noon.AddDate(1, 0, 0))
	if err != nil || !bytes.Equal(again.Encode(), k.Encode()) {
		t.Error("distrusting twice changes when", err)
	}
}

func TestCheckNamesAllThatIsWrong(t *testing.T) {
	k := rotated(t, pki.ECDSAP256)
	k.Items[0].Key = k.Items[1].Key
	k.Items[1].Certificate = []byte("x")
	k.Primary = k.Items[0].ID
	err := fmt.Sprint(k.Check())
	for _, want := range []string{"item " + k.Items[0].ID, "not that of the certificate", "item " + k.Items[1].ID, "not a certificate", "primary " + k.Primary + " is distrusted"} {
		if !strings.Contains(err, want) {
			t.Errorf("no %q in %s", want, err)
		}
	}
	k.Primary = "404"
	if err := k.Check(); !strings.Contains(err.Error(), `primary "404" is not one of its items`) {
		t.Error(err)
	}
}
