package store

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
)

// Digest names bytes: "sha256:" and 64 hexadecimal digits, or, for files that
// could be guessed from a plain digest, "hmac-sha256/EPOCH:" and 64 digits. The
// empty Digest is that of no file at all.
type Digest string

const absent = Digest("")

var (
	plainDigest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	keyedDigest = regexp.MustCompile(`^hmac-sha256/[1-9][0-9]{0,8}:[0-9a-f]{64}$`)
)

func (d Digest) plain() bool { return plainDigest.MatchString(string(d)) }

func (d Digest) valid() bool { return d.plain() || keyedDigest.MatchString(string(d)) }

// epoch returns which key made the digest; 0: none.
func (d Digest) epoch() int {
	s, ok := strings.CutPrefix(string(d), "hmac-sha256/")
	if !ok {
		return 0
	}
	number, _, _ := strings.Cut(s, ":")
	n, err := strconv.Atoi(number)
	if err != nil {
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
