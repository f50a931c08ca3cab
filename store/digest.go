package store

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// Digest names bytes: "sha256:" and 64 hexadecimal digits, or, for files that
// could be guessed from a plain digest, "hmac-sha256/EPOCH:" and 64 digits. The
// empty Digest is that of no file at all.
type Digest string

const absent = Digest("")

func (d Digest) plain() bool {
	digits, ok := strings.CutPrefix(string(d), "sha256:")
	return ok && isHex(digits)
}

func (d Digest) valid() bool {
	if d.plain() {
		return true
	}
	_, digits, ok := strings.Cut(string(d), ":")
	return ok && d.epoch() > 0 && isHex(digits)
}

func isHex(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(s) == 2*sha256.Size
}

// epoch returns which key made the digest; 0: none.
func (d Digest) epoch() int {
	s, ok := strings.CutPrefix(string(d), "hmac-sha256/")
	if !ok {
		return 0
	}
	number, _, _ := strings.Cut(s, ":")
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n >= 1e9 || strconv.Itoa(n) != number {
		return 0
	}
	return n
}

func digestOf(b []byte) Digest {
	sum := sha256.Sum256(b)
	return Digest("sha256:" + hex.EncodeToString(sum[:]))
}

// digestKeyed is the digest of one file under a key: it says nothing to who
// has not got the key, not even that two names hold the same.
func digestKeyed(epoch int, key []byte, name string, b []byte) Digest {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(name))
	mac.Write([]byte{0})
	mac.Write(b)
	return Digest("hmac-sha256/" + strconv.Itoa(epoch) + ":" + hex.EncodeToString(mac.Sum(nil)))
}
