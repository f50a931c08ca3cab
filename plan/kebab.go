package plan

import "strings"

// kebab spells the name of a field as a flag: maxRequestsInflight becomes
// max-requests-inflight, clientCAFile client-ca-file, allocateNodeCIDRs
// allocate-node-cidrs. A run of capitals is one word, but for its last letter
// where that begins the next.
func kebab(field string) string {
	var b strings.Builder
	for i, c := range []byte(field) {
		if upper(c) && i > 0 && (!upper(field[i-1]) || beginsWord(field[i:])) {
			b.WriteByte('-')
		}
		b.WriteByte(lower(c))
	}
	return b.String()
}

// beginsWord says of a capital after a capital whether it begins a word: what
// follows is lower-case, and more than the s of a plural.
func beginsWord(rest string) bool {
	if len(rest) < 2 || upper(rest[1]) {
		return false
	}
	plural := rest[1] == 's' && (len(rest) == 2 || upper(rest[2]))
	return !plural
}

func upper(c byte) bool { return 'A' <= c && c <= 'Z' }

func lower(c byte) byte {
	if upper(c) {
		return c + 'a' - 'A'
	}
	return c
}
