package plan

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
)

// words writes the value of a field as the texts that flags take: one for a
// scalar, one per element for a list, one per key for a map, in order.
// Nothing, null and empty texts, lists and maps are no words: as with kops,
// they mean that the field is not set.
func words(value any) []string {
	switch v := value.(type) {
	case nil:
		return nil
	case []any:
		var all []string
		for _, e := range v {
			all = append(all, words(e)...)
		}
		return all
	case map[string]any:
		var all []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			all = append(all, k+"="+strings.Join(words(v[k]), ","))
		}
		return all
	}
	if s := scalar(value); s != "" {
		return []string{s}
	}
	return nil
}

func scalar(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(value) // bool and the kinds of int
}

// quantitySuffixes are the powers that a quantity of Kubernetes may end in.
var quantitySuffixes = []struct {
	suffix string
	factor *big.Rat
}{
	{"Ki", big.NewRat(1<<10, 1)}, {"Mi", big.NewRat(1<<20, 1)}, {"Gi", big.NewRat(1<<30, 1)},
	{"n", big.NewRat(1, 1e9)}, {"u", big.NewRat(1, 1e6)}, {"m", big.NewRat(1, 1e3)},
	{"k", big.NewRat(1e3, 1)}, {"M", big.NewRat(1e6, 1)}, {"G", big.NewRat(1e9, 1)},
}

// decimal writes a quantity as the plain number that a flag takes: 500m is 0.5.
// What is no quantity stays as it is, for the program to refuse.
func decimal(quantity string) string {
	digits, factor := quantity, big.NewRat(1, 1)
	for _, s := range quantitySuffixes {
		if rest, ok := strings.CutSuffix(quantity, s.suffix); ok {
			digits, factor = rest, s.factor
			break
		}
	}
	n, ok := new(big.Rat).SetString(digits)
	if !ok || len(digits) > 32 || strings.ContainsAny(digits, "/eExX_") {
		return quantity
	}
	text := n.Mul(n, factor).FloatString(9)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// milliseconds writes a duration as etcd takes it.
func milliseconds(duration string) string {
	d, err := time.ParseDuration(duration)
	if err != nil {
		return duration
	}
	return strconv.FormatInt(d.Milliseconds(), 10)
}
