package azblob

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"

	"github.com/stateroom/stateroom/internal/wire"
	"github.com/stateroom/stateroom/vfs"
)

// Refusal is an answer of the service that is not a success.
type Refusal struct {
	Status  int    // of HTTP
	Code    string // the service's own word, as ContainerNotFound; may be ""
	Message string // the service's sentence; may be ""
	Request string // the service's id of the request, for its support; may be ""

	class error // of package fs or vfs; nil: none of them
	hint  string
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

func (e *Refusal) Unwrap() error { return e.class }

// Hint says what a person can do about it, or "".
func (e *Refusal) Hint() string { return e.hint }

// failure is why an attempt did not succeed.
type failure struct {
	err   error
	again bool          // worth repeating
	doubt bool          // the service may have done it, or may still do it
	after time.Duration // not to be repeated earlier
}

// class says what the error of an attempt means.
func (d *Driver) class(ctx context.Context, verb string, err error) failure {
	var answer *azcore.ResponseError
	switch {
	case errors.As(err, &answer) && answer.RawResponse != nil && !isCredential(err):
		return d.refused(verb, answer.RawResponse)
	case isCredential(err):
		return d.access.explain(ctx, err)
	case errors.Is(err, vfs.ErrNotModified):
		return failure{err: vfs.ErrNotModified}
	case errors.Is(err, fs.ErrInvalid):
		return failure{err: err}
	case errors.Is(err, errDamaged), errors.Is(err, errNoList):
		return failure{err: err, again: true}
	}
	s := wire.Unanswered(ctx, err)
	if s.Host != "" {
		s.Err = &Refusal{Message: "there is no host " + s.Host, class: fs.ErrInvalid,
			hint: "there is no storage account " + d.account + ", or its endpoint is another: look at the address"}
	}
	return failure{err: s.Err, again: s.Again, doubt: s.Doubt}
}

// refused turns an answer that is no success into a failure.
func (d *Driver) refused(verb string, resp *http.Response) failure {
	e := parse(resp)
	f := failure{err: e}
	switch resp.StatusCode {
	case http.StatusNotFound:
		e.class = fs.ErrNotExist
		if e.Code != string(bloberror.BlobNotFound) && (e.Code == string(bloberror.ContainerNotFound) || verb == "list" || verb == "look" || verb == "put" && e.Code == "") {
			e.class = nil // the object is not "not there": nothing is
			if verb == "put" || verb == "delete" {
				e.class = fs.ErrInvalid // and was not done
			}
			e.hint = fmt.Sprintf("there is no container %s in account %s: look at the name, or make it with `az storage container create --account-name %s --name %s --auth-mode login`",
				d.name, d.account, d.account, d.name)
		}
	case http.StatusPreconditionFailed, http.StatusConflict:
		f.again = e.stands()
	case http.StatusUnauthorized, http.StatusForbidden:
		e.class = fs.ErrPermission
		e.hint = wire.WithSkew(d.hint(verb, e), resp.Header, time.Now())
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusMethodNotAllowed:
		e.class = fs.ErrInvalid
		if e.Code == "Md5Mismatch" {
			e.class, f.again = nil, true
		}
	case http.StatusTooManyRequests: // not done
		f.again = true
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		f.again, f.doubt = true, true
	}
	f.after = wire.Pause(resp.Header)
	return f
}

// stands classes 409 and 412: mostly that a condition does not hold, but also
// what stands in the way of every write. It reports whether that passes.
func (e *Refusal) stands() (passes bool) {
	e.class = fs.ErrPermission
	switch e.Code {
	case "", "BlobAlreadyExists", "ConditionNotMet", "TargetConditionNotMet", "ResourceAlreadyExists", "PathAlreadyExists":
		e.class = vfs.ErrConflict
	case "LeaseIdMissing", "LeaseIdMismatchWithBlobOperation", "LeaseLost":
		e.hint = "somebody holds a lease of this blob, which keeps all others from writing it: `az storage blob lease break` ends it"
	case "BlobImmutableDueToPolicy", "BlobImmutableDueToLegalHold", "ContainerImmutabilityPolicyFailure":
		e.hint = "a policy of the container keeps its blobs from being changed: a store needs a container without it"
	case "SnapshotsPresent":
		e.hint = "the blob has snapshots: `az storage blob delete --delete-snapshots include` removes it with them"
	case "PublicAccessNotPermitted":
	case "ContainerBeingDeleted", "ContainerDisabled", "AccountBeingCreated", "OperationTimedOut", "BlobBeingRehydrated":
		e.class = nil
		return true
	default:
		e.class = fs.ErrInvalid
	}
	return false
}

// parse reads what an answer says of itself.
func parse(resp *http.Response) *Refusal {
	e := &Refusal{
		Status: resp.StatusCode, Code: wire.Brief(resp.Header.Get("x-ms-error-code")), Request: wire.Brief(resp.Header.Get("x-ms-request-id")),
	}
	var x struct {
		Code    string `xml:"Code"`
		Message string `xml:"Message"`
	}
	body, err := runtime.Payload(resp)
	if err != nil || len(body) > 64<<10 || xml.Unmarshal(bytesTrimBOM(body), &x) != nil {
		return e
	}
	if e.Code == "" {
		e.Code = wire.Brief(x.Code)
	}
	// The lines after the first say the id and the time of the request again.
	first, _, _ := strings.Cut(strings.TrimSpace(x.Message), "\n")
	e.Message = wire.Brief(first)
	return e
}

// bytesTrimBOM drops the mark that the service puts before its XML.
func bytesTrimBOM(b []byte) []byte { return []byte(strings.TrimPrefix(string(b), "\ufeff")) }

// hint says what to do about a refusal for want of permission.
func (d *Driver) hint(verb string, e *Refusal) string {
	switch e.Code {
	case "KeyBasedAuthenticationNotPermitted":
		return "the account takes no keys: unset AZURE_STORAGE_KEY and AZURE_STORAGE_CONNECTION_STRING, and sign in with `az login`"
	case "AuthorizationFailure":
		return "the account's firewall may keep this network out: look at its networking; else " + d.access.grant(verb, d)
	}
	return d.access.grant(verb, d)
}
