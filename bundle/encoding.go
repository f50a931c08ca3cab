package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"
)

// A Mode is the permission bits of a file, four octal digits in JSON.
type Mode uint32

// String returns four octal digits.
func (m Mode) String() string { return fmt.Sprintf("%04o", uint32(m)) }

// MarshalText returns four octal digits.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText knows the two modes that a set holds.
func (m *Mode) UnmarshalText(text []byte) error {
	for _, known := range []Mode{0o644, 0o600} {
		if string(text) == known.String() {
			*m = known
			return nil
		}
	}
	return fmt.Errorf("mode %.20q is neither 0644 nor 0600", text)
}

// A FormatError says that bytes are of a format newer than this program reads.
type FormatError struct {
	What  string // bundle, release, ...
	Got   int    // from 2
	Reads int    // the newest that this program reads; 0: 1
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s was written by a newer Stateroom (format %d, this one reads %d)", e.What, e.Got, max(1, e.Reads))
}

// Hint says what a person can do.
func (e *FormatError) Hint() string { return "upgrade stateroom" }

// refusal says why bytes are not of a format. It is an fs.ErrInvalid, and does not
// say so in words: the reason does.
type refusal struct{ why string }

func (e *refusal) Error() string        { return e.why }
func (e *refusal) Is(target error) bool { return target == fs.ErrInvalid }

func refusef(format string, args ...any) error { return &refusal{fmt.Sprintf(format, args...)} }

// encode writes the canonical form: fields in the order of the struct, two
// spaces of indent, nothing escaped that JSON does not ask for, LF at the end.
func encode(v any) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		panic("bundle: a format that JSON cannot hold: " + err.Error())
	}
	return buf.Bytes()
}

// decode fills v, a pointer to a struct, with one JSON value of format 1.
func decode(what string, data []byte, v any) error { return decodeUpTo(1, what, data, v) }

// decodeUpTo is decode for what has had several formats. The format is looked at
// before anything else, since a newer one may look different all over.
func decodeUpTo(newest int, what string, data []byte, v any) error {
	if !utf8.Valid(data) {
		return refusef("%s is not UTF-8", what)
	}
	var head struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return refusef("read %s: %s", what, plain(err))
	}
	if head.Format > newest {
		return &FormatError{what, head.Format, newest}
	}
	if head.Format < 1 {
		return refusef("%s has no format number", what)
	}
	if err := exact(json.NewDecoder(bytes.NewReader(data)), reflect.TypeOf(v).Elem(), what); err != nil {
		return fmt.Errorf("read %w", err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return refusef("read %s: %s", what, plain(err))
	}
	return nil
}

// plain is the text of an error of encoding/json without its name for our types.
func plain(err error) string { return strings.TrimPrefix(err.Error(), "json: ") }

// exact refuses what encoding/json lets pass: unknown fields, fields given
// twice or in other letters, and null. It reads the value at dec, which is to
// fill a value of type t; where the two do not fit, json.Unmarshal says so.
func exact(dec *json.Decoder, t reflect.Type, at string) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	tok, err := dec.Token()
	if err != nil {
		return refusef("%s: %s", at, plain(err))
	}
	switch tok {
	case nil:
		return refusef("%s: null is not a value here", at)
	case json.Delim('{'):
		err = exactObject(dec, t, at)
	case json.Delim('['):
		if t.Kind() != reflect.Slice {
			return refusef("%s: a list is not a value here", at)
		}
		for i := 0; err == nil && dec.More(); i++ {
			err = exact(dec, t.Elem(), fmt.Sprintf("%s[%d]", at, i))
		}
	default:
		return nil
	}
	if err == nil {
		_, err = dec.Token() // the closing bracket
	}
	return err
}

func exactObject(dec *json.Decoder, t reflect.Type, at string) error {
	seen := map[string]bool{}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return refusef("%s: %s", at, plain(err))
		}
		key := tok.(string)
		if seen[key] {
			return refusef("%s: field %.80q is given twice", at, key)
		}
		seen[key] = true
		field, known := fieldType(t, key)
		if !known {
			return refusef("%s: unknown field %.80q", at, key)
		}
		if err := exact(dec, field, fmt.Sprintf("%s.%.80s", at, key)); err != nil {
			return err
		}
	}
	return nil
}

// fieldType is the type that the value of key fills in a value of type t.
func fieldType(t reflect.Type, key string) (reflect.Type, bool) {
	if t.Kind() == reflect.Map {
		return t.Elem(), true
	}
	if t.Kind() != reflect.Struct {
		return nil, false
	}
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name == key && !f.Anonymous {
			return f.Type, true
		}
	}
	return nil, false
}

func tooLarge(what string, limit int) error {
	return refusef("%s is larger than %d bytes", what, limit)
}

func notCanonical(what string) error {
	return refusef("%s is not in canonical form", what)
}

// wholeSecond is t as the formats write it: UTC, whole seconds. A year that
// JSON's form of time has no room for becomes no time at all.
func wholeSecond(t time.Time) time.Time {
	if t = t.UTC().Truncate(time.Second); t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}
