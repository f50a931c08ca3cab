package cluster

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// quantity is the form that Kubernetes' API server holds quantities to. It cuts
// what is beyond 2^63 or below a billionth, so an exponent of three digits is a
// slip, and one of nine makes some readers take all memory.
var quantity = regexp.MustCompile(`^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,2})?$`)

// wanted says what a field takes, as it stands in messages.
func wanted(f *Field) string {
	switch f.Type {
	case String:
		return "a string"
	case Bool:
		return "true or false"
	case Int:
		if f.max == math.MaxInt64 {
			return "an integer"
		}
		return fmt.Sprintf("an integer from %d to %d", f.min, f.max)
	case Number:
		return "a number"
	case Quantity:
		return "a quantity such as 200m or 1Gi"
	case IntOrString:
		return "an integer or a string"
	case Duration:
		return "a duration such as 30s or 1m0s"
	case Time:
		return "a time such as 2006-01-02T15:04:05Z"
	case List, Map:
		return "a " + f.String()
	case Object:
		if len(f.fields) == 0 {
			return "an object without fields, {}"
		}
		return "an object"
	}
	return "any value"
}

// parseScalar reads the text of a command line for a scalar field. The error
// says what is expected.
func parseScalar(f *Field, text string) (any, error) {
	var value any
	var ok bool
	switch f.Type {
	case String, Any:
		value, ok = text, cleanText(text)
	case Bool:
		b, err := strconv.ParseBool(text)
		value, ok = b, err == nil
	case Int:
		n, err := strconv.ParseInt(text, 10, 64)
		value, ok = int(n), err == nil && f.min <= n && n <= f.max
	case Number:
		x, err := strconv.ParseFloat(text, 64)
		value, ok = x, err == nil && !math.IsInf(x, 0) && !math.IsNaN(x)
	case IntOrString:
		value, ok = text, cleanText(text)
		if n, err := strconv.ParseInt(text, 10, 32); err == nil {
			value = int(n)
		}
	case Quantity, Duration, Time:
		value, ok = text, textFits(f.Type, text)
	}
	if !ok {
		return nil, fmt.Errorf("%q is not %s", shorten(text), wanted(f))
	}
	return value, nil
}

// parseValue is parseScalar, and holds the value against the field's
// enumeration and format.
func parseValue(f *Field, text string) (any, error) {
	value, err := parseScalar(f, text)
	if _, isText := value.(string); err != nil || !isText {
		return value, err
	}
	if hint, err := f.accepts(text); err != nil {
		return nil, hinted(err, hint)
	}
	return value, nil
}

// hinted puts a hint into the text of an error, as Problem.String does.
func hinted(err error, hint string) error {
	if hint == "" {
		return err
	}
	return fmt.Errorf("%w (%s)", err, hint)
}

// textFits holds a string against a type that is written as one.
func textFits(t Type, text string) bool {
	switch t {
	case Quantity:
		return quantity.MatchString(text)
	case Duration:
		_, err := time.ParseDuration(text)
		return err == nil
	case Time:
		_, err := time.Parse(time.RFC3339, text)
		return err == nil
	}
	return true
}

// cleanText says whether text can stand in a YAML document.
func cleanText(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || r == 0xfffe || r == 0xffff
	})
}

// splitList splits at commas; "\," is a comma within an item.
func splitList(text string) []string {
	var items []string
	var item strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case strings.HasPrefix(text[i:], `\,`):
			item.WriteByte(',')
			i++
		case text[i] == ',':
			items = append(items, item.String())
			item.Reset()
		default:
			item.WriteByte(text[i])
		}
	}
	return append(items, item.String())
}
