package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// An Algorithm is what a new key is made for.
type Algorithm int

// The algorithms. RSA2048, the zero value, is what kops uses.
const (
	RSA2048 Algorithm = iota
	ECDSAP256
)

// String names the algorithm.
func (a Algorithm) String() string {
	if a == ECDSAP256 {
		return "ECDSA P-256"
	}
	return "RSA-2048"
}

const redacted = "[secret]"

// A Key is a private key in PEM that does not print: only Reveal shows it.
// The zero Key is no key.
type Key struct {
	// A pointer, since fmt prints unexported fields of other structs without
	// asking for methods: it then shows an address.
	material *string
}

// NewKey takes a private key in PEM. It does not look into it: see Signer.
func NewKey(pem []byte) Key {
	if len(pem) == 0 {
		return Key{}
	}
	s := string(pem)
	return Key{&s}
}

// GenerateKey makes a new private key. See NewCA for what random may be.
func GenerateKey(alg Algorithm, random io.Reader) (Key, error) {
	signer, err := generate(alg, random)
	if err != nil {
		return Key{}, err
	}
	return encodeKey(signer)
}

// Reveal returns the PEM bytes.
func (k Key) Reveal() []byte {
	if k.material == nil {
		return nil
	}
	return []byte(*k.material)
}

// IsZero reports whether there is no key.
func (k Key) IsZero() bool { return k.material == nil }

// Equal reports whether both are the same bytes.
func (k Key) Equal(other Key) bool {
	return subtle.ConstantTimeCompare(k.Reveal(), other.Reveal()) == 1
}

// String and the methods below keep the key out of every output.
func (k Key) String() string { return redacted }

// GoString says "[secret]".
func (k Key) GoString() string { return redacted }

// Format says "[secret]", whatever the verb.
func (k Key) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }

// LogValue says "[secret]".
func (k Key) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText says "[secret]".
func (k Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON says "[secret]".
func (k Key) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// errNotKey says no more, since the material must not stand in an error.
var errNotKey = errors.New("not a private key in PEM")

// Signer returns the key for use.
func (k Key) Signer() (crypto.Signer, error) {
	for rest := k.Reveal(); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, errNotKey
		}
		parse, known := keyParsers[block.Type]
		if !known {
			continue // EC PARAMETERS and the like
		}
		key, err := parse(block.Bytes)
		if err != nil {
			return nil, errNotKey
		}
		if signer, ok := key.(crypto.Signer); ok {
			return signer, nil
		}
		return nil, errNotKey
	}
}

var keyParsers = map[string]func(der []byte) (any, error){
	"RSA PRIVATE KEY": func(der []byte) (any, error) { return x509.ParsePKCS1PrivateKey(der) },
	"EC PRIVATE KEY":  func(der []byte) (any, error) { return x509.ParseECPrivateKey(der) },
	"PRIVATE KEY":     x509.ParsePKCS8PrivateKey,
}

func generate(alg Algorithm, random io.Reader) (crypto.Signer, error) {
	random = orSecure(random)
	switch alg {
	case RSA2048:
		key, err := rsa.GenerateKey(random, 2048)
		if err != nil {
			return nil, fmt.Errorf("make an RSA key: %w", err)
		}
		return key, nil
	case ECDSAP256:
		key, err := ecdsa.GenerateKey(elliptic.P256(), random)
		if err != nil {
			return nil, fmt.Errorf("make an ECDSA key: %w", err)
		}
		return key, nil
	}
	panic(fmt.Sprintf("pki: unknown algorithm %d", alg))
}

// encodeKey writes a key as kops does.
func encodeKey(signer crypto.Signer) (Key, error) {
	var block pem.Block
	switch key := signer.(type) {
	case *rsa.PrivateKey:
		block = pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	case *ecdsa.PrivateKey:
		der, err := x509.MarshalECPrivateKey(key)
		if err != nil {
			return Key{}, errors.New("write an ECDSA key: the curve has no name")
		}
		block = pem.Block{Type: "EC PRIVATE KEY", Bytes: der}
	default:
		return Key{}, fmt.Errorf("write a key: %T is neither RSA nor ECDSA", signer)
	}
	return NewKey(pem.EncodeToMemory(&block)), nil
}

func orSecure(random io.Reader) io.Reader {
	if random == nil {
		return crand.Reader
	}
	return random
}
