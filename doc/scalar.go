package doc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// scalarText writes a scalar on one line. like is the style of the scalar it
// takes the place of, whose quotes are kept where they can be.
func scalarText(v any, st style, flow bool, like yaml.Style) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case uint64:
		return strconv.FormatUint(v, 10)
	case float64:
		return floatText(v)
	case string:
		return stringText(v, st, flow, like)
	}
	panic(fmt.Sprintf("doc: a %T is no scalar", v))
}

func floatText(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return ".inf"
	case math.IsInf(f, -1):
		return "-.inf"
	case math.IsNaN(f):
		return ".nan"
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

func stringText(s string, st style, flow bool, like yaml.Style) string {
	if st.json {
		return quoteJSON(s)
	}
	single := !strings.ContainsAny(s, "\n") && !hasSpecial(s)
	switch {
	case like&yaml.DoubleQuotedStyle != 0:
		return quoteDouble(s)
	case like&yaml.SingleQuotedStyle != 0 && single:
		return quoteSingle(s)
	case !isText(s) || !single:
		return quoteDouble(s)
	case !plainSafe(s, flow):
		return quoteSingle(s)
	}
	return s
}

// isText reports whether a plain scalar is a text and nothing else to any
// reader of YAML 1.1 or 1.2.
func isText(s string) bool {
	n := yaml.Node{Kind: yaml.ScalarNode, Value: s}
	return n.ShortTag() == "!!str" && !boolean11[s] && s != "=" && !base60.MatchString(s)
}

// base60 matches what YAML 1.1 takes for a number of hours and minutes.
var base60 = regexp.MustCompile(`^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$`)

// plainSafe reports whether a text can stand without quotes.
func plainSafe(s string, flow bool) bool {
	if s == "" || s[0] == ' ' || s[len(s)-1] == ' ' || isMarker([]byte(s), "---") || isMarker([]byte(s), "...") ||
		strings.HasPrefix(s, "---") || strings.HasPrefix(s, "...") {
		return false
	}
	if strings.IndexByte("#,[]{}&*!|>'\"%@`", s[0]) >= 0 {
		return false
	}
	if strings.IndexByte("-?:", s[0]) >= 0 && (len(s) == 1 || s[1] == ' ' || flow) {
		return false
	}
	if flow && strings.ContainsAny(s, ",?[]{}:") {
		return false
	}
	return !strings.Contains(s, ": ") && !strings.Contains(s, " #") && !strings.HasSuffix(s, ":")
}

// hasSpecial reports whether a text holds a character that only a double-quoted
// text can: not printable, or beyond what older readers of YAML print.
func hasSpecial(s string) bool {
	if !utf8.ValidString(s) {
		return true
	}
	for _, r := range s {
		if r != '\n' && !printable(r) {
			return true
		}
	}
	return false
}

func printable(r rune) bool {
	return r >= 0x20 && r <= 0x7e || r >= 0xa0 && r <= 0xfffd && r != 0xfeff && r != 0x2028 && r != 0x2029
}

func quoteSingle(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func quoteDouble(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case printable(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02X`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			fmt.Fprintf(&b, `\U%08X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func quoteJSON(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic("doc: " + err.Error())
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// literal is a text of several lines as a literal block: the header and its
// lines; false where it cannot be one.
func literal(s string, unit int) (header string, lines []string, ok bool) {
	if !strings.Contains(s, "\n") || hasSpecial(s) || strings.Contains(s, " \n") || strings.HasSuffix(s, " ") {
		return "", nil, false
	}
	header = "|"
	if s[0] == ' ' || s[0] == '\n' {
		header += strconv.Itoa(unit)
	}
	switch {
	case !strings.HasSuffix(s, "\n"):
		header += "-"
	case s == "\n" || strings.HasSuffix(s, "\n\n"):
		header += "+"
	}
	return header, strings.Split(strings.TrimSuffix(s, "\n"), "\n"), true
}
