package store

import (
	"errors"
	"strings"
)

// quote writes a name as git quotes paths: in double quotes, with a backslash
// before quotes and backslashes, and octal for all that is not printable
// ASCII.
func quote(name string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(name) {
		switch c := name[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c > '~':
			b.Write([]byte{'\\', '0' + c>>6, '0' + c>>3&7, '0' + c&7})
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

var errQuoting = errors.New("not quoted as it should be")

// unquote is the inverse of [quote] and accepts nothing else.
func unquote(q string) (string, error) {
	if len(q) < 2 || q[0] != '"' || q[len(q)-1] != '"' {
		return "", errQuoting
	}
	var b strings.Builder
	for in := q[1 : len(q)-1]; in != ""; {
		switch {
		case in[0] != '\\':
			b.WriteByte(in[0])
			in = in[1:]
		case len(in) >= 2 && (in[1] == '"' || in[1] == '\\'):
			b.WriteByte(in[1])
			in = in[2:]
		case len(in) >= 4:
			b.WriteByte(in[1]<<6 | in[2]&7<<3 | in[3]&7)
			in = in[4:]
		default:
			return "", errQuoting
		}
	}
	if name := b.String(); quote(name) == q {
		return name, nil
	}
	return "", errQuoting
}
