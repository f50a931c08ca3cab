package v1alpha2

import (
	"encoding/json"
	"fmt"
)

// Duration is a text such as 30s or 1h0m0s, as time.ParseDuration reads it.
type Duration string

// Time is a text in the form of RFC 3339.
type Time string

// Quantity is an amount in the form of Kubernetes: 200m, 1Gi, 1.5. A number in
// a document becomes its text.
type Quantity string

// UnmarshalJSON reads a text or a number.
func (q *Quantity) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, (*string)(q))
	}
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return fmt.Errorf("a quantity is a text or a number: %w", err)
	}
	*q = Quantity(n)
	return nil
}

// IntOrString is a whole number or a text, and stays the one that it is.
type IntOrString struct {
	Number *int64 // nil: it is a text
	Text   string
}

// UnmarshalJSON reads a text or a whole number.
func (v *IntOrString) UnmarshalJSON(b []byte) error {
	*v = IntOrString{}
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &v.Text)
	}
	return json.Unmarshal(b, &v.Number)
}

// MarshalJSON writes what was read.
func (v IntOrString) MarshalJSON() ([]byte, error) {
	if v.Number != nil {
		return json.Marshal(*v.Number)
	}
	return json.Marshal(v.Text)
}

// Empty is an object that has no fields: that it is there says something.
type Empty struct{}
