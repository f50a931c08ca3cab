package wire

import (
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
)

// Refusal is an answer of a service that is not a success.
type Refusal struct {
	Status  int    // of HTTP
	Code    string // the service's own word, as NoSuchBucket or ContainerNotFound; may be ""
	Message string // the service's sentence; may be ""
	Request string // the service's id of the request, for its support; may be ""
	Class   error  // of package fs or vfs; nil: none of them
	Advice  string // what a person can do about it; may be ""
}

func (e *Refusal) Error() string {
	s := fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status))
	if e.Code != "" {
		s += " (" + e.Code + ")"
	}
	if e.Message != "" {
		s += ": " + e.Message
	}
	if e.Request != "" {
		s += ", request " + e.Request
	}
	return s
}

func (e *Refusal) Unwrap() error { return e.Class }

// Hint says what a person can do about it, or "".
func (e *Refusal) Hint() string { return e.Advice }

// CredentialsError says that there are no credentials, or none that work.
type CredentialsError struct {
	Cloud  string // whose they are: Google, Azure
	Err    error  // without anything secret
	Class  error  // fs.ErrPermission, or nil where it may pass
	Advice string // the ways to have some
}

func (e *CredentialsError) Error() string { return e.Cloud + " credentials: " + e.Err.Error() }

func (e *CredentialsError) Unwrap() error { return e.Class }

// Hint names the ways to have credentials.
func (e *CredentialsError) Hint() string { return e.Advice }

// Brief makes what another program wrote fit for one line: printable, and not
// longer than a person reads.
func Brief(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || unicode.IsSpace(r) {
			return r
		}
		return -1
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 400 {
		s = strings.ToValidUTF8(s[:400], "") + "..."
	}
	return s
}

// WithSkew puts before a hint that this machine's clock is wrong, where it is:
// services refuse signatures and tokens of another time.
func WithSkew(hint string, answer http.Header, now time.Time) string {
	service, err := http.ParseTime(answer.Get("Date"))
	if err != nil {
		return hint
	}
	skew := now.Sub(service).Round(time.Minute)
	if skew.Abs() < 5*time.Minute {
		return hint
	}
	way := "ahead of"
	if skew < 0 {
		way = "behind"
	}
	return fmt.Sprintf("this machine's clock is %s %s the service's: set it; else %s", skew.Abs(), way, hint)
}
