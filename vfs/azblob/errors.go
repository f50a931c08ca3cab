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

// failure says what the error of an attempt means.
func (d *Driver) failure(ctx context.Context, verb string, err error) *wire.Failure {
	var answer *azcore.ResponseError
	switch {
	case errors.As(err, &answer) && answer.RawResponse != nil && !isCredential(err):
		return d.refused(verb, answer.RawResponse)
	case isCredential(err):
		return d.access.explain(ctx, err)
	case errors.Is(err, vfs.ErrNotModified):
		return &wire.Failure{Err: vfs.ErrNotModified}
	case errors.Is(err, errNoETag):
		return &wire.Failure{Err: err, Doubt: verb == "put"} // it answered well to it
	case errors.Is(err, fs.ErrInvalid):
		return &wire.Failure{Err: err}
	case errors.Is(err, errDamaged), errors.Is(err, errNoList):
		return &wire.Failure{Err: err, Again: true}
	}
	f := wire.Unanswered(ctx, err)
	if f.Host != "" {
		f.Err = wire.Advise(fmt.Errorf("there is no host %s", wire.Brief(f.Host)), "there is no storage account "+d.account+", or its endpoint is another: look at the address, and the network")
	}
	return f
}

// refused turns an answer that is no success into a failure.
func (d *Driver) refused(verb string, resp *http.Response) *wire.Failure {
	e := parse(resp)
	f := &wire.Failure{Err: e}
	switch resp.StatusCode {
	case http.StatusNotFound:
		d.missing(verb, e)
	case http.StatusPreconditionFailed, http.StatusConflict:
		f.Again = stands(e)
	case http.StatusUnauthorized, http.StatusForbidden:
		e.Class = fs.ErrPermission
		e.Advice = wire.WithSkew(d.hint(verb, e), resp.Header, time.Now())
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusMethodNotAllowed:
		e.Class = fs.ErrInvalid
		if e.Code == "Md5Mismatch" {
			e.Class, f.Again = nil, true
		}
	case http.StatusTooManyRequests: // not done
		f.Again = true
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		f.Again, f.Doubt = true, true
	}
	f.After = wire.Pause(resp.Header)
	return f
}

// missing says of what a 404 speaks. One without a word of the service is of
// another server in between, of which nothing is learnt.
func (d *Driver) missing(verb string, e *wire.Refusal) {
	switch {
	case e.Code == string(bloberror.BlobNotFound):
		e.Class = fs.ErrNotExist
		return
	case e.Code == "":
		e.Advice = "this is not how Azure Blob Storage answers: look at the endpoint; a proxy in between may answer so (HTTPS_PROXY, NO_PROXY)"
		return
	case verb == "put" || verb == "delete":
		e.Class = fs.ErrInvalid // it was not done
	}
	e.Advice = fmt.Sprintf("there is no container %s in account %s: look at the name, or make it with `az storage container create --account-name %s --name %s --auth-mode login`",
		d.name, d.account, d.account, d.name)
}

// stands classes 409 and 412: mostly that a condition does not hold, but also
// what stands in the way of every write. It reports whether that passes.
func stands(e *wire.Refusal) (passes bool) {
	e.Class = fs.ErrPermission
	switch e.Code {
	case "", "BlobAlreadyExists", "ConditionNotMet", "TargetConditionNotMet", "ResourceAlreadyExists", "PathAlreadyExists":
		e.Class = vfs.ErrConflict
	case "LeaseIdMissing", "LeaseIdMismatchWithBlobOperation", "LeaseLost":
		e.Advice = "somebody holds a lease of this blob, which keeps all others from writing it: `az storage blob lease break` ends it"
	case "BlobImmutableDueToPolicy", "BlobImmutableDueToLegalHold", "ContainerImmutabilityPolicyFailure":
		e.Advice = "a policy of the container keeps its blobs from being changed: a store needs a container without it"
	case "SnapshotsPresent":
		e.Advice = "the blob has snapshots: `az storage blob delete --delete-snapshots include` removes it with them"
	case "PublicAccessNotPermitted":
	case "ContainerBeingDeleted", "ContainerDisabled", "AccountBeingCreated", "OperationTimedOut", "BlobBeingRehydrated":
		e.Class = nil
		return true
	default:
		e.Class = fs.ErrInvalid
	}
	return false
}

// parse reads what an answer says of itself.
func parse(resp *http.Response) *wire.Refusal {
	e := &wire.Refusal{
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
func (d *Driver) hint(verb string, e *wire.Refusal) string {
	switch e.Code {
	case "KeyBasedAuthenticationNotPermitted":
		return "the account takes no keys: unset AZURE_STORAGE_KEY and AZURE_STORAGE_CONNECTION_STRING, and sign in with `az login`"
	case "AuthorizationFailure":
		return "the account's firewall may keep this network out: look at its networking; else " + d.access.grant(verb, d)
	}
	return d.access.grant(verb, d)
}
