package store

import (
	"crypto/rand"
	"fmt"
	"strings"
	"time"
)

// newID returns a random UUID.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) //nolint:errcheck // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func isID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		hex := c >= '0' && c <= '9' || c >= 'a' && c <= 'f'
		if dash && c != '-' || !dash && !hex {
			return false
		}
	}
	return true
}

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

func isTransaction(s string) bool {
	return len(s) == 26 && s[0] <= '7' && strings.Trim(s, crockford) == ""
}

// newTransaction returns a ULID: 48 bits of milliseconds and 80 random ones.
func newTransaction(now time.Time) string {
	var b [16]byte
	rand.Read(b[6:]) //nolint:errcheck // never fails
	ms := max(now.UnixMilli(), 0)
	for i := range 6 {
		b[i] = byte(ms >> (40 - 8*i))
	}
	text := make([]byte, 26)
	var bits, have uint // of what is not yet written, from the end
	j := len(b) - 1
	for i := len(text) - 1; i >= 0; i-- {
		for have < 5 && j >= 0 {
			bits |= uint(b[j]) << have
			have += 8
			j--
		}
		text[i] = crockford[bits&31]
		bits >>= 5
		have -= min(have, 5)
	}
	return string(text)
}
