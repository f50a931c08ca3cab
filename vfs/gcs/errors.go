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

// refused turns an answer that is no success into a failure.
func (d *Driver) refused(c call, r reply) *wire.Failure {
	if r.status == http.StatusNotModified {
		return &wire.Failure{Err: vfs.ErrNotModified}
	}
	e := parse(r)
	f := &wire.Failure{Err: e}
	switch r.status {
	case http.StatusNotFound:
		d.missing(c, e)
	case http.StatusPreconditionFailed, http.StatusConflict:
		e.Class = vfs.ErrConflict
		if c.query.Get("ifGenerationMatch") == "" {
			e.Class, f.Again = nil, true
		}
	case http.StatusUnauthorized:
		e.Class, e.Advice = fs.ErrPermission, signIn
	case http.StatusForbidden:
		e.Class, e.Advice = fs.ErrPermission, d.grant(c.verb)
		if e.Code == "rateLimitExceeded" || e.Code == "userRateLimitExceeded" {
			e.Class, e.Advice, f.Again = nil, "", true
		}
	case http.StatusTooManyRequests: // not done: one write a second to one object
		f.Again, f.After = true, wire.Pause(r.header)
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		f.Again, f.Doubt, f.After = true, true, wire.Pause(r.header)
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		e.Class = fs.ErrInvalid
		if strings.Contains(e.Message, "calculated CRC32C") { // damaged on the way
			e.Class, f.Again = nil, true
		}
		if strings.Contains(strings.ToLower(e.Message), "user project") {
			e.Advice = "the bucket makes the requester pay: add ?userProject=PROJECT to its address"
		}
	}
	if e.Class == fs.ErrPermission { //nolint:errorlint // set above
		e.Advice = wire.WithSkew(e.Advice, r.header, time.Now())
	}
	return f
}

// missing says of what a 404 speaks. An emulator may answer without a word; at
// Google that is another server in between, of which nothing is learnt.
func (d *Driver) missing(c call, e *wire.Refusal) {
	object := c.verb == "get" || c.verb == "delete"
	switch {
	case object && !bucketMissing(e) && (e.Code == "notFound" || e.Code == "NoSuchKey" || e.Code == "" && !d.google):
		e.Class = fs.ErrNotExist
		return
	case e.Code == "" && d.google:
		e.Advice = "this is not how Google Cloud Storage answers: a proxy in between may (HTTPS_PROXY, NO_PROXY)"
		return
	case c.method != http.MethodGet:
		e.Class = fs.ErrInvalid // it was not done
	}
	e.Advice = "there is no bucket " + d.bucket + ": look at the name, or make it with `gcloud storage buckets create gs://" +
		d.bucket + " --uniform-bucket-level-access`"
}

// bucketMissing reports whether it is the bucket that is not found. The JSON
// interface has no word for that, only a sentence.
func bucketMissing(e *wire.Refusal) bool {
	return e.Code == "NoSuchBucket" || strings.Contains(strings.ToLower(e.Message), "bucket does not exist")
}

// parse reads what an answer says of itself, in the form of either interface.
func parse(r reply) *wire.Refusal {
	e := &wire.Refusal{Status: r.status, Request: wire.Brief(r.header.Get("X-Guploader-Uploadid"))}
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
			e.Code = wire.Brief(js.Error.Errors[0].Reason)
		}
	case xml.Unmarshal(r.body, &x) == nil:
		e.Code, e.Message = wire.Brief(x.Code), wire.Brief(strings.TrimSpace(x.Message+" "+x.Details))
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
