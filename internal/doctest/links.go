package doctest

import (
	"regexp"
	"strings"
)

// Link is a reference of a document to another, or to a place in it.
type Link struct {
	Line   int
	Target string // as written: "overview.md", "../README.md#usage", "#usage"
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// Links returns the links of a document, those within code left out.
func Links(text []byte) []Link {
	var all []Link
	in := false
	for i, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, "```") {
			in = !in
		}
		if in || strings.HasPrefix(line, "    ") {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(withoutCode(line), -1) {
			all = append(all, Link{Line: i + 1, Target: m[1]})
		}
	}
	return all
}

var code = regexp.MustCompile("`[^`]*`")

func withoutCode(line string) string { return code.ReplaceAllString(line, "``") }

// Anchors returns the names of a document's headings, as links have them.
func Anchors(text []byte) map[string]bool {
	all := map[string]bool{}
	in := false
	for line := range strings.SplitSeq(string(text), "\n") {
		if strings.HasPrefix(line, "```") {
			in = !in
		}
		if in || !strings.HasPrefix(line, "#") {
			continue
		}
		title := strings.ToLower(strings.TrimSpace(strings.TrimLeft(line, "#")))
		all[strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 0x7f:
				return r
			}
			return -1
		}, title)] = true
	}
	return all
}
