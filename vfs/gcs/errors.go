package gcs

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/stateroom/stateroom/internal/wire"
	"github.com/stateroom/stateroom/vfs"
)

// Refusal is an answer of the service that is not a success.
type Refusal struct {
	Status  int    // of HTTP
	Reason  string // the service's own word, as NoSuchBucket or rateLimitExceeded; may be ""
	Message string // the service's sentence; may be ""
	Request string // the service's id of the request, for its support; may be ""

	class error // of package fs or vfs; nil: none of them
	hint  string
}

func (e *Refusal) Error() string {
	s := fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status))
	if e.Reason != "" {
		s += " (" + e.Reason + ")"
	}
	if e.Message != "" {
		s += ": " + e.Message
	}
	if e.Request != "" {
		s += ", request " + e.Request
	}
	return s
}

func (e *Refusal) Unwrap() error { return e.class }

// Hint says what a person can do about it, or "".
func (e *Refusal) Hint() string { return e.hint }

// refused turns an answer that is no success into a failure.
func (d *Driver) refused(c call, r reply) *failure {
	if r.status == http.StatusNotModified {
		return &failure{err: vfs.ErrNotModified}
	}
	e := parse(r)
	f := &failure{err: e}
	switch r.status {
	case http.StatusNotFound:
		e.class = fs.ErrNotExist
		if c.verb == "put" || c.verb == "list" || c.verb == "look" || e.bucketMissing() {
			e.class = nil // the object is not "not there": nothing is
			if c.verb == "put" || c.verb == "delete" {
				e.class = fs.ErrInvalid // and was not done
			}
			e.hint = "there is no bucket " + d.bucket + ": look at the name, or make it with `gcloud storage buckets create gs://" +
				d.bucket + " --uniform-bucket-level-access`"
		}
	case http.StatusPreconditionFailed, http.StatusConflict:
		e.class = vfs.ErrConflict
		if c.query.Get("ifGenerationMatch") == "" {
			e.class, f.again = nil, true
		}
	case http.StatusUnauthorized:
		e.class, e.hint = fs.ErrPermission, signIn
	case http.StatusForbidden:
		e.class, e.hint = fs.ErrPermission, d.grant(c.verb)
		if e.Reason == "rateLimitExceeded" || e.Reason == "userRateLimitExceeded" {
			e.class, e.hint, f.again = nil, "", true
		}
	case http.StatusTooManyRequests: // not done: one write a second to one object
		f.again, f.after = true, wire.Pause(r.header)
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		f.again, f.doubt, f.after = true, true, wire.Pause(r.header)
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		e.class = fs.ErrInvalid
		if strings.Contains(strings.ToLower(e.Message), "user project") {
			e.hint = "the bucket makes the requester pay: add ?userProject=PROJECT to its address"
		}
	}
	if e.class == fs.ErrPermission { //nolint:errorlint // set above
		e.hint = wire.WithSkew(e.hint, r.header, time.Now())
	}
	return f
}

// bucketMissing reports whether it is the bucket that is not found. The JSON
// interface has no word for that, only a sentence.
func (e *Refusal) bucketMissing() bool {
	return e.Reason == "NoSuchBucket" || strings.Contains(strings.ToLower(e.Message), "bucket does not exist")
}

// parse reads what an answer says of itself, in the form of either interface.
func parse(r reply) *Refusal {
	e := &Refusal{Status: r.status, Request: wire.Brief(r.header.Get("X-Guploader-Uploadid"))}
	var js struct {
		Error struct {
			Message string `json:"message"`
			Errors  []struct {
				Reason string `json:"reason"`
			} `json:"errors"`
		} `json:"error"`
	}
	var x struct {
		Code    string `xml:"Code"`
		Message string `xml:"Message"`
		Details string `xml:"Details"`
	}
	switch {
	case len(r.body) > 64<<10: // not one of the service's
	case json.Unmarshal(r.body, &js) == nil:
		e.Message = wire.Brief(js.Error.Message)
		if len(js.Error.Errors) > 0 {
			e.Reason = wire.Brief(js.Error.Errors[0].Reason)
		}
	case xml.Unmarshal(r.body, &x) == nil:
		e.Reason, e.Message = wire.Brief(x.Code), wire.Brief(strings.TrimSpace(x.Message+" "+x.Details))
	}
	return e
}

const signIn = "sign in with `gcloud auth application-default login`, or name a key file in GOOGLE_APPLICATION_CREDENTIALS"

// grant says which permission a verb needs; "look" is at the bucket itself.
func (d *Driver) grant(verb string) string {
	permission, role := "storage.objects."+verb, "roles/storage.objectUser"
	switch verb {
	case "look":
		return "to see the bucket's settings, which a store can do without, the account needs storage.buckets.get on bucket " + d.bucket
	case "get", "list":
		role = "roles/storage.objectViewer to read, roles/storage.objectUser to write"
	case "put":
		permission = "storage.objects.create, and storage.objects.delete to replace"
	}
	return fmt.Sprintf("the account needs %s on bucket %s: grant it %s", permission, d.bucket, role)
}
