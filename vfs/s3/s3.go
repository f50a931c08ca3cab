// Package s3 keeps objects in a bucket of Amazon S3, or of one of the many
// services that speak its protocol. Conditions are If-Match and If-None-Match
// headers, versions are ETags, and tags are metadata of the object.
//
// It decides itself what is tried again (the SDK's own retries are off), since
// a write that is tried again blindly can be answered with a conflict that is
// its own echo:
//
//	reads and unconditional writes are tried again after any passing failure
//	"come back later" (503 SlowDown) was not done, and is tried again
//	a conditional write whose reply was lost is looked for in the bucket:
//	each carries a random number of its own in the object's metadata
//
// What the services differ in, and what was tested where, stands in
// docs/providers.md.
package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stateroom/stateroom/internal/retry"
	"github.com/stateroom/stateroom/vfs"
)

// Options say which bucket, and how it is reached. The zero value of all but
// Bucket is right for Amazon with the credentials that its tools use.
type Options struct {
	Bucket   string
	Endpoint string // URL of the service, http or https; "": Amazon's, or what AWS_ENDPOINT_URL says
	Region   string // "": as the SDK is configured, else us-east-1. A wrong one is put right by the first answer.

	Keys    Keys   // none: what the SDK finds (environment, profile, SSO, web identity, the host's role)
	Profile string // of the SDK's configuration files; "": as the SDK is configured

	PathStyle        bool   // the bucket stands in the path of URLs, not in the host's name
	DeleteConditions bool   // the service is known to honour If-Match on DELETE; see [Driver.Delete]
	Encryption       string // x-amz-server-side-encryption of what is written: AES256, aws:kms, aws:kms:dsse; "": the bucket's default
	KMSKey           string // id, ARN or alias of the key, with aws:kms; "": the bucket's default
	ACL              string // canned ACL of what is written, as bucket-owner-full-control; "": the bucket's default
	RequesterPays    bool   // agree to pay for requests, in buckets that ask for it

	Transport http.RoundTripper // nil: a pool of connections of the driver's own
	Timeout   time.Duration     // for the answer to one request, beside the time its bytes take; 0: 15 s
}

// Keys are a pair of access keys. They do not print.
type Keys struct{ ID, Secret string }

func (Keys) String() string { return "[secret]" }

// GoString says as little as String.
func (Keys) GoString() string { return "[secret]" }

// Driver is a [vfs.Driver] over one bucket. It is safe for concurrent use.
type Driver struct {
	opt    Options
	client *s3.Client
	region atomic.Pointer[string] // where the bucket turned out to be; nil: as configured
	retry  retry.Policy
}

// bucketName is wider than today's rule for new buckets: old ones may have
// capitals and underscores.
var bucketName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$`)

// Open returns the driver of a bucket. It reads configuration files and makes
// no request: whether bucket and credentials are right, the first call tells.
// What cannot be right matches [fs.ErrInvalid].
func Open(ctx context.Context, opt Options) (*Driver, error) {
	if err := opt.check(); err != nil {
		return nil, err
	}
	if opt.Timeout == 0 {
		opt.Timeout = 15 * time.Second
	}
	d := &Driver{opt: opt}
	var err error
	d.client, err = newClient(ctx, opt)
	if err != nil {
		return nil, err
	}
	return d, nil
}

func (opt *Options) check() error {
	switch {
	case !bucketName.MatchString(opt.Bucket):
		return invalid("the letters, digits, dots and dashes of a bucket's name, as in s3://example-state/prefix", "%q is not a name of a bucket", opt.Bucket)
	case strings.HasSuffix(opt.Bucket, "--x-s3"):
		return &settingError{"directory buckets list their objects in no order, which a store needs", "use a general purpose bucket", errors.ErrUnsupported}
	case (opt.Keys.ID == "") != (opt.Keys.Secret == ""):
		return invalid("set both S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY", "only one half of a pair of access keys is given")
	case opt.KMSKey != "" && !strings.HasPrefix(opt.Encryption, "aws:kms"):
		return invalid("say sse=aws:kms beside it", "a KMS key is given, but not that it is to be used")
	}
	return checkEndpoint(opt.Endpoint)
}

// Traits say that versions are hashes: an object that returns to old bytes may
// get its old version again. Amazon is believed that it keeps conditions.
func (d *Driver) Traits() vfs.Traits {
	return vfs.Traits{Conditions: true, UniqueVersions: false, Tags: true, Unproven: d.host() != amazon}
}

// settingError is a setting that cannot be right.
type settingError struct {
	text, hint string
	class      error
}

func (e *settingError) Error() string { return e.text }
func (e *settingError) Hint() string  { return e.hint }
func (e *settingError) Unwrap() error { return e.class }

func invalid(hint, format string, args ...any) error {
	return &settingError{fmt.Sprintf(format, args...), hint, fs.ErrInvalid}
}
