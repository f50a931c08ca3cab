package cluster

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Format is the form of a text, of docs/formats/cluster-documents.md section 3.
type Format string

// The formats of the table.
const (
	FormatCIDR       Format = "cidr"
	FormatCIDRs      Format = "cidr-list"    // some, comma-separated
	FormatCIDROrList Format = "cidr-or-list" // or a prefix list of AWS
	FormatCIDROrPart Format = "cidr-or-part" // or a part of the network's range
	FormatIP         Format = "ip"
	FormatIPs        Format = "ip-list" // some, comma-separated
	FormatDNS        Format = "dns"
	FormatVersion    Format = "version"
	FormatDuration   Format = "duration"
	FormatQuantity   Format = "quantity"
	FormatAssignment Format = "assignment"
	FormatTaint      Format = "taint"
	FormatMode       Format = "mode"
	FormatPortRange  Format = "port-range"
)

// accepts holds a text against what is known of the field's values. The empty
// text is as good as an absent field. The error says what is expected, and
// perhaps a hint what was meant.
func (f *Field) accepts(text string) (hint string, err error) {
	if text == "" {
		return "", nil
	}
	if len(f.Enum) > 0 && !slices.Contains(f.Enum, text) {
		return nearestValue(f.Enum, text), fmt.Errorf("%q is not one of %s", shorten(text), strings.Join(f.Enum, ", "))
	}
	if check := formats[f.Format]; check != nil {
		return "", check(text)
	}
	return "", nil
}

// nearestValue is the one of few values that a text was meant for, as a hint.
func nearestValue(values []string, text string) string {
	best, bound := meant[strings.ToLower(text)], max(1, len(text)/3)+1
	if slices.Contains(values, best) {
		return "did you mean " + best + "?"
	}
	best = ""
	for _, v := range values {
		if d := distance(strings.ToLower(v), strings.ToLower(text)); d < bound {
			best, bound = v, d
		}
	}
	if best == "" {
		return ""
	}
	return "did you mean " + best + "?"
}

// meant are other words for values, in small letters.
var meant = map[string]string{
	"amazon":        "aws",
	"control-plane": string(RoleControlPlane),
	"controlplane":  string(RoleControlPlane),
	"do":            "digitalocean",
	"gcp":           "gce",
	"google":        "gce",
}

var formats = map[Format]func(text string) error{
	FormatCIDR:       isCIDR,
	FormatCIDRs:      each(isCIDR),
	FormatCIDROrList: isCIDROrList,
	FormatCIDROrPart: isCIDROrPart,
	FormatIP:         isIP,
	FormatIPs:        each(isIP),
	FormatDNS:        isDNS,
	FormatVersion:    isVersion,
	FormatDuration:   isDuration,
	FormatQuantity:   isQuantity,
	FormatAssignment: isAssignment,
	FormatTaint:      isTaint,
	FormatMode:       isMode,
	FormatPortRange:  isPortRange,
}

// each checks every part of a text that has commas.
func each(check func(string) error) func(string) error {
	return func(text string) error {
		for part := range strings.SplitSeq(text, ",") {
			if err := check(strings.TrimSpace(part)); err != nil {
				return err
			}
		}
		return nil
	}
}

func isCIDR(text string) error {
	_, err := parseCIDR(text)
	return err
}

func isCIDROrList(text string) error {
	if strings.HasPrefix(text, "pl-") {
		return nil
	}
	return isCIDR(text)
}

// isCIDROrPart takes "/64#1" too: the second part of that size of the range
// that the cloud gave the network.
func isCIDROrPart(text string) error {
	size, number, ok := strings.Cut(text, "#")
	if !ok {
		return isCIDR(text)
	}
	_, errNumber := strconv.ParseUint(number, 16, 64)
	bits, errBits := strconv.Atoi(strings.TrimPrefix(size, "/"))
	if errNumber != nil || errBits != nil || !strings.HasPrefix(size, "/") || bits < 0 || bits > 128 {
		return fmt.Errorf("%q is neither a CIDR nor a part of the network's such as /64#1", shorten(text))
	}
	return nil
}

func isIP(text string) error {
	if _, err := netip.ParseAddr(text); err != nil {
		return fmt.Errorf("%q is no address such as 10.0.0.1", shorten(text))
	}
	return nil
}

func isDNS(text string) error {
	if len(text) > 253 || strings.ContainsFunc(text, notDNS) || slices.ContainsFunc(strings.Split(text, "."), notLabel) {
		return fmt.Errorf("%q is no DNS name such as example.com", shorten(text))
	}
	return nil
}

func notDNS(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '.'
}

func notLabel(s string) bool {
	return s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-'
}

func isVersion(text string) error {
	_, err := ParseVersion(text)
	return err
}

func isDuration(text string) error {
	if _, err := time.ParseDuration(text); err != nil {
		return fmt.Errorf("%q is no duration such as 30s or 1m0s", shorten(text))
	}
	return nil
}

func isQuantity(text string) error {
	if !quantity.MatchString(text) {
		return fmt.Errorf("%q is no quantity such as 200m or 1Gi", shorten(text))
	}
	return nil
}

func isAssignment(text string) error {
	if name, _, ok := strings.Cut(text, "="); !ok || strings.TrimSpace(name) == "" {
		return fmt.Errorf("%q is not NAME=VALUE", shorten(text))
	}
	return nil
}

// isTaint takes KEY=VALUE:EFFECT and KEY:EFFECT.
func isTaint(text string) error {
	key, effect, ok := strings.Cut(text, ":")
	if name, _, _ := strings.Cut(key, "="); !ok || name == "" || !slices.Contains(effects, effect) {
		return fmt.Errorf("%q is no taint KEY=VALUE:EFFECT; effects are %s", shorten(text), strings.Join(effects, ", "))
	}
	return nil
}

var effects = []string{"NoSchedule", "PreferNoSchedule", "NoExecute"}

func isMode(text string) error {
	if n, err := strconv.ParseUint(text, 8, 32); err != nil || n > 0o7777 {
		return fmt.Errorf("%q is no mode in octal such as 0440", shorten(text))
	}
	return nil
}

func isPortRange(text string) error {
	low, high, ok := strings.Cut(text, "-")
	from, errFrom := strconv.ParseUint(low, 10, 16)
	to, errTo := strconv.ParseUint(high, 10, 16)
	if !ok || errFrom != nil || errTo != nil || from > to {
		return fmt.Errorf("%q is no range of ports such as 30000-32767", shorten(text))
	}
	return nil
}
