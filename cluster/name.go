package cluster

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Name is the name of a cluster: a DNS-1123 subdomain with a dot, such as
// demo.example.com. It is also the name of the cluster's folder in a store, so
// a Name from ParseName is safe in a key.
type Name string

const (
	maxName  = 253 // RFC 1123
	maxLabel = 63
)

// ParseName checks a cluster's name. The error is a *NameError that says which
// rule is broken.
func ParseName(s string) (Name, error) {
	why := brokenNameRule(s)
	switch {
	case why != "":
	case !strings.Contains(s, "."):
		why = "it must contain a dot, as in " + s + ".example.com"
	case strings.HasSuffix(s, ".lock"):
		why = "it must not end in .lock, which kops takes for a lock"
	}
	if why != "" {
		return "", &NameError{Kind: "cluster", Name: s, Rule: why}
	}
	return Name(s), nil
}

// ParseGroupName checks the name of an instance group, which needs no dot.
func ParseGroupName(s string) (string, error) {
	if why := brokenNameRule(s); why != "" {
		return "", &NameError{Kind: "instance group", Name: s, Rule: why}
	}
	return s, nil
}

// NameError says why a name is refused.
type NameError struct {
	Kind string // "cluster" or "instance group"
	Name string // as it was given
	Rule string // which rule it breaks
}

func (e *NameError) Error() string {
	return fmt.Sprintf("%s name %q: %s", e.Kind, shorten(e.Name), e.Rule)
}

// brokenNameRule holds s against DNS-1123 subdomain; "" means that it is one.
func brokenNameRule(s string) string {
	switch {
	case s == "":
		return "it is empty"
	case len(s) > maxName:
		return fmt.Sprintf("it has %d characters, at most %d are allowed", len(s), maxName)
	case !utf8.ValidString(s):
		return "it must be UTF-8: a-z, 0-9, '-' and '.' are allowed"
	}
	for _, r := range s {
		switch {
		case r == '/' || r == '\\':
			return "it must not contain a slash"
		case r < ' ' || r == 0x7f:
			return "it must not contain control characters"
		case r >= 'A' && r <= 'Z':
			return "it must be lower case"
		case !isNameRune(r) && r != '.':
			return fmt.Sprintf("it must not contain %q: a-z, 0-9, '-' and '.' are allowed", r)
		}
	}
	for _, label := range strings.Split(s, ".") {
		switch {
		case label == "":
			return "it must not begin or end with a dot, nor have two in a row"
		case len(label) > maxLabel:
			return fmt.Sprintf("its part %q has %d characters, at most %d are allowed", shorten(label), len(label), maxLabel)
		case label[0] == '-' || label[len(label)-1] == '-':
			return fmt.Sprintf("its part %q must not begin or end with '-'", label)
		}
	}
	return ""
}

func isNameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-'
}

// shorten keeps what people typed readable in a message.
func shorten(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
