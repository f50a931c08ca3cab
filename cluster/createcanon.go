package cluster

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"time"
)

// canonical is a value as kops writes it, whatever way it was given: 90s is
// 1m30s, 1024Mi is 1Gi, 0.5 is 500m; and fields that it leaves out where they
// are empty, 0 or false are not there.
func canonical(f *Field, value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, item := range v {
			c := f.Elem
			if f.Type == Object {
				c = f.child(key)
			}
			switch {
			case c == nil:
			case c.Omit && isZero(item):
				delete(v, key)
			default:
				v[key] = canonical(c, item)
			}
		}
	case []any:
		for i, item := range v {
			if f.Elem != nil {
				v[i] = canonical(f.Elem, item)
			}
		}
	case string:
		switch f.Type {
		case String:
			if v == laterControlPlane && slices.Contains(f.Enum, string(RoleControlPlane)) {
				return string(RoleControlPlane)
			}
		case Duration:
			if d, err := time.ParseDuration(v); err == nil {
				return d.String()
			}
		case Quantity:
			return canonicalQuantity(v)
		}
	}
	return value
}

// isZero says whether a value is as good as none where a field has no other way
// to say that it is absent.
func isZero(value any) bool {
	switch value {
	case nil, "", false, 0:
		return true
	}
	return false
}

var quantityParts = regexp.MustCompile(`^([+-]?[0-9.]+)(?:([KMGTPE]i)|([eE][+-]?[0-9]+)|([numkMGTPE]?))$`)

// Suffixes of quantities, by powers of 1000 from a billionth, and of 1024.
var (
	decimalSuffixes = []string{"n", "u", "m", "", "k", "M", "G", "T", "P", "E"}
	binarySuffixes  = []string{"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"}
)

// canonicalQuantity writes an amount as Kubernetes does: with the largest
// suffix of its own kind that leaves a whole number. What is finer than a
// billionth is rounded up.
func canonicalQuantity(text string) string {
	parts := quantityParts.FindStringSubmatch(text)
	if parts == nil {
		return text
	}
	amount, ok := new(big.Rat).SetString(parts[1])
	if !ok {
		return text
	}
	binary, exponent, decimal := parts[2], parts[3], parts[4]
	switch {
	case binary != "":
		amount.Mul(amount, power(1024, index(binarySuffixes, binary)))
	case exponent != "":
		e, ok := new(big.Rat).SetString("1" + exponent)
		if !ok {
			return text
		}
		amount.Mul(amount, e)
	default:
		amount.Mul(amount, power(1000, index(decimalSuffixes, decimal)-3))
	}
	if binary != "" && new(big.Rat).Abs(amount).Cmp(big.NewRat(1024, 1)) >= 0 {
		n, power := reduced(roundUp(amount), 1024, len(binarySuffixes)-1)
		return n.String() + binarySuffixes[power]
	}
	n, power := reduced(roundUp(amount.Mul(amount, big.NewRat(1e9, 1))), 1000, len(decimalSuffixes)-1)
	switch {
	case n.Sign() == 0:
		return "0"
	case exponent == "":
		return n.String() + decimalSuffixes[power]
	case power == 3:
		return n.String()
	}
	return fmt.Sprintf("%se%d", n, 3*(power-3))
}

func index(suffixes []string, suffix string) int {
	for i, s := range suffixes {
		if s == suffix {
			return i
		}
	}
	return 0
}

// power is base to the n, which may be negative.
func power(base int64, n int) *big.Rat {
	p := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(base), big.NewInt(int64(max(n, -n))), nil))
	if n < 0 {
		p.Inv(p)
	}
	return p
}

// roundUp is the whole number next to an amount, away from zero.
func roundUp(amount *big.Rat) *big.Int {
	n, rest := new(big.Int).QuoRem(amount.Num(), amount.Denom(), new(big.Int))
	if rest.Sign() != 0 {
		n.Add(n, big.NewInt(int64(amount.Sign())))
	}
	return n
}

// reduced divides a number by a base as often as that leaves no rest, at most
// so many times.
func reduced(n *big.Int, base int64, most int) (*big.Int, int) {
	times := 0
	for b := big.NewInt(base); times < most && n.Sign() != 0; times++ {
		q, rest := new(big.Int).QuoRem(n, b, new(big.Int))
		if rest.Sign() != 0 {
			break
		}
		n = q
	}
	return n, times
}
