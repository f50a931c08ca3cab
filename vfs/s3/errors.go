package s3

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"syscall"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/stateroom/stateroom/internal/wire"
	"github.com/stateroom/stateroom/vfs"
)

// Error is a refusal of the service, or the lack of an answer.
type Error struct {
	Verb      string // GET, HEAD, PUT, DELETE, LIST
	Bucket    string
	Key       string // or the prefix, for LIST
	Status    int    // of HTTP; 0: no answer
	Code      string // as AccessDenied
	Message   string // the service's own
	RequestID string

	cause  error         // without an answer
	region string        // where the service says that the bucket is
	pause  time.Duration // for which the service wants to be left alone
}

func (e *Error) Error() string {
	switch {
	case e.Status == 0 && (errors.Is(e.cause, io.EOF) || errors.Is(e.cause, io.ErrUnexpectedEOF) || errors.Is(e.cause, syscall.ECONNRESET)):
		return "the connection was cut before the answer was complete"
	case e.Status == 0:
		return wire.Brief(e.cause.Error())
	}
	s := fmt.Sprintf("%d %s", e.Status, e.name())
	if m := wire.Brief(e.Message); m != "" && m != e.name() {
		s += ": " + m
	}
	if e.RequestID != "" {
		s += " (request " + wire.Brief(e.RequestID) + ")"
	}
	return s
}

// name is the code, or what HTTP calls the status.
func (e *Error) name() string {
	if e.Code == "" {
		return http.StatusText(e.Status)
	}
	return wire.Brief(e.Code)
}

// Unwrap gives the class of package fs, and the cause where there was no answer.
func (e *Error) Unwrap() []error {
	var all []error
	if class := e.class(); class != nil {
		all = append(all, class)
	}
	if e.cause != nil {
		all = append(all, e.cause)
	}
	return all
}

// class is what kind of refusal it is; nil: none that callers tell apart.
func (e *Error) class() error {
	var keys *credentialsError
	switch {
	case errors.As(e.cause, &keys) && !keys.passing(), e.Status == 401, e.Status == 403, expired[e.Code]:
		return fs.ErrPermission
	case e.Status == 501, e.Status == 405:
		return errors.ErrUnsupported
	case e.Status == 400 && fateOf(e) == final && (e.Verb == "PUT" || e.Verb == "DELETE"):
		return fs.ErrInvalid
	}
	return nil
}

var expired = map[string]bool{"ExpiredToken": true, "ExpiredTokenException": true, "TokenRefreshRequired": true, "InvalidToken": true}

// noObject reports whether the bucket was there and the object was not. An
// answer of 404 without S3's own code is of some other web server.
func (e *Error) noObject() bool {
	return e.Status == 404 && (e.Code == "NoSuchKey" || e.Code == "NotFound")
}

// isConflict reports whether a conditional write was refused for its
// condition. Services answer 412 or 409, and 404 where there is no object: with
// a code of S3's, for anything else can answer 404, too.
func isConflict(err error) bool {
	if errors.Is(err, vfs.ErrConflict) {
		return true
	}
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	return e.Status == 412 || e.Status == 409 && !passing[e.Code] || e.noObject()
}

// gone reports whether there was nothing to delete.
func gone(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.noObject()
}

// A fate is what became of a request.
type fate int

const (
	final   fate = iota // done, or refused for good
	undone              // never reached the service
	busy                // refused for now
	unknown             // done or not
)

// passing are the codes of refusals for now: the service is busy, another write
// to the key goes on, or the bytes were damaged on the way.
var passing = map[string]bool{
	"SlowDown": true, "ServiceUnavailable": true, "Busy": true, "TooManyRequests": true, "Throttling": true,
	"ThrottlingException": true, "RequestLimitExceeded": true, "OperationAborted": true,
	"BadDigest": true, "IncompleteBody": true, "XAmzContentSHA256Mismatch": true,
}

// fateOf says what became of the request that failed with err.
func fateOf(err error) fate {
	var e *Error
	if !errors.As(err, &e) {
		return final
	}
	if e.Status == 0 {
		return fateUnanswered(e.cause)
	}
	switch {
	case e.Status == 429, passing[e.Code] && (e.Status == 503 || e.Status/100 == 4):
		return busy
	case e.Status == 408, e.Status == 500, e.Status == 502, e.Status == 503, e.Status == 504, e.Code == "RequestTimeout", e.Status < 300:
		return unknown
	}
	return final
}

// mayBeDone reports whether err is of a write of which nobody knows what became.
func mayBeDone(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Verb == "PUT" || e.Verb == "DELETE") && fateOf(err) == unknown
}

func fateUnanswered(cause error) fate {
	var (
		keys *credentialsError
		name *net.DNSError
		dial *net.OpError
		sdk  *smithy.SerializationError
	)
	switch {
	case errors.As(cause, &keys) && keys.passing():
		return undone
	case errors.As(cause, &keys), errors.As(cause, &sdk), wire.IsTLS(cause):
		return final
	case errors.As(cause, &name) && name.IsNotFound:
		return final
	case errors.As(cause, &dial) && dial.Op == "dial":
		return undone
	}
	return unknown
}

// explain makes an [*Error] of what the SDK returned.
func (d *Driver) explain(verb, key string, err error) error {
	e := &Error{Verb: verb, Bucket: d.opt.Bucket, Key: key, cause: err}
	var answer *smithyhttp.ResponseError
	var keys *credentialsError
	if errors.As(err, &keys) { // of another service, which may have answered
		e.cause = keys
		return e
	}
	if !errors.As(err, &answer) || answer.HTTPStatusCode() == 0 { // the SDK makes up an empty response where there is none
		e.cause = unurl(err)
		return e
	}
	h := answer.Response.Header
	e.pause = wire.Pause(h)
	e.Status, e.RequestID, e.cause = answer.Response.StatusCode, h.Get("X-Amz-Request-Id"), nil
	var api smithy.APIError
	if errors.As(err, &api) {
		e.Code, e.Message = api.ErrorCode(), api.ErrorMessage()
		if e.Code == "UnknownError" || e.Code == http.StatusText(e.Status) {
			e.Code = ""
		}
	} else if e.Status < 300 {
		e.Message = err.Error()
	}
	if e.Status == 301 || e.Status == 307 || e.Status == 400 {
		e.region = regionIn(h.Get("X-Amz-Bucket-Region"), e)
	}
	return e
}

var (
	regionName = regexp.MustCompile(`^[a-z0-9-]{2,40}$`)
	expecting  = regexp.MustCompile(`expecting '([a-z0-9-]{2,40})'`)
)

// regionIn is where the service says that the bucket is: in a header, or in the
// words of the refusal.
func regionIn(header string, e *Error) string {
	if regionName.MatchString(header) {
		return header
	}
	if m := expecting.FindStringSubmatch(e.Message); m != nil && e.Code == "AuthorizationHeaderMalformed" {
		return m[1]
	}
	return ""
}

// unurl drops the layers that repeat the request's URL.
func unurl(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
