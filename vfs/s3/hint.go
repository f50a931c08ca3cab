package s3

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"github.com/stateroom/stateroom/internal/wire"
)

// Hint says what a person can do about it.
func (e *Error) Hint() string {
	if e.Status == 0 {
		return e.hintUnanswered()
	}
	if hint, ok := hints[e.Code]; ok {
		return hint
	}
	switch {
	case strings.HasPrefix(e.Code, "KMS."), strings.Contains(e.Message, "kms:"):
		return "the bucket's objects are encrypted with a KMS key: the credentials need kms:GenerateDataKey and kms:Decrypt on it, and it must be enabled"
	case e.Status == 403 && (e.Code != "" || e.Verb == "HEAD"):
		return e.hintPermission()
	case e.Status == 403:
		return "this is not how S3 refuses: a proxy in between may (HTTPS_PROXY, NO_PROXY), or S3_ENDPOINT names another service"
	case e.Status == 404 && e.Code == "":
		return "what answered is not an S3 service: look at S3_ENDPOINT or endpoint= in the address"
	case e.Status == 501 && e.Verb == "PUT":
		return "the service has no conditional writes, or not the encryption asked for: stateroom store check URL tells which"
	case e.Status == 429, e.Status >= 500:
		return "the service is in trouble or overloaded; try again later"
	case e.region != "" || e.Status == 301:
		return "say where the bucket is by S3_REGION, AWS_REGION or region= in the address"
	}
	return ""
}

// hints are what helps with refusals that have one cause.
var hints = map[string]string{
	"NoSuchBucket":                  "check the name in the address, and S3_ENDPOINT; a bucket is made with the service's own tools, as aws s3 mb s3://NAME",
	"InvalidAccessKeyId":            "the service does not know this access key: check S3_ACCESS_KEY_ID (with S3_ENDPOINT) or AWS_PROFILE and AWS_ACCESS_KEY_ID; in China and GovCloud AWS_REGION must say so",
	"SignatureDoesNotMatch":         "the secret does not fit the access key: check S3_SECRET_ACCESS_KEY (with S3_ENDPOINT) or AWS_SECRET_ACCESS_KEY, for blanks at its ends too",
	"RequestTimeTooSkewed":          "the clock of this machine is wrong: set it, as with timedatectl set-ntp true",
	"ExpiredToken":                  "the credentials have expired: get new ones, as with aws sso login, and run it again",
	"ExpiredTokenException":         "the credentials have expired: get new ones, as with aws sso login, and run it again",
	"TokenRefreshRequired":          "the credentials have expired: get new ones, as with aws sso login, and run it again",
	"InvalidToken":                  "the session token does not fit: unset AWS_SESSION_TOKEN, or get new credentials",
	"InvalidObjectState":            "the object lies in an archive class (Glacier): restore it, and take the prefix out of the bucket's lifecycle rule",
	"AccessControlListNotSupported": "the bucket has no ACLs: unset KOPS_STATE_S3_ACL and drop acl= from the address",
	"InvalidBucketName":             "check the bucket's name in the address",
}

// permissions are what IAM calls the verbs.
var permissions = map[string]string{
	"GET": "s3:GetObject", "HEAD": "s3:GetObject", "PUT": "s3:PutObject and s3:GetObject", "DELETE": "s3:DeleteObject and s3:GetObject", "LIST": "s3:ListBucket",
}

func (e *Error) hintPermission() string {
	hint := fmt.Sprintf("%s of %s needs %s on arn:aws:s3:::%s/%s", e.Verb, e.Key, permissions[e.Verb], e.Bucket, e.Key)
	switch e.Verb {
	case "LIST":
		hint = fmt.Sprintf("LIST needs s3:ListBucket on arn:aws:s3:::%s", e.Bucket)
	case "GET", "HEAD":
		hint += fmt.Sprintf(", and s3:ListBucket on arn:aws:s3:::%s, without which a missing object looks like a forbidden one", e.Bucket)
	}
	return hint
}

func (e *Error) hintUnanswered() string {
	var (
		keys *credentialsError
		name *net.DNSError
		late *lateError
		dial *net.OpError
	)
	switch {
	case errors.As(e.cause, &keys) && keys.passing():
		return "the service that gives out credentials does not answer, or is in trouble: check the network and proxies (HTTPS_PROXY, NO_PROXY), or try again later"
	case errors.As(e.cause, &keys):
		return hintCredentials(keys.err)
	case errors.As(e.cause, &name):
		return fmt.Sprintf("no address of the host %s is known: check S3_ENDPOINT (or endpoint= in the address), the region, and the network", name.Name)
	case errors.Is(e.cause, syscall.ECONNREFUSED):
		return "nothing listens there: check S3_ENDPOINT or endpoint= in the address, and whether the service runs"
	case wire.IsTLS(e.cause):
		return "if the service has a certificate of your own authority, name its file in AWS_CA_BUNDLE; if it speaks plain HTTP, begin S3_ENDPOINT with http://"
	case errors.As(e.cause, &late), errors.As(e.cause, &dial) && dial.Op == "dial":
		return "the service does not answer: check the network, proxies (HTTPS_PROXY) and S3_ENDPOINT"
	}
	return ""
}

func hintCredentials(err error) string {
	if text := err.Error(); strings.Contains(text, "SSO") || strings.Contains(text, "sso") {
		return "log in again: aws sso login (with --profile, where AWS_PROFILE or profile= name one)"
	}
	return "three usual ways: AWS_PROFILE with a profile of ~/.aws/config (aws configure, aws sso login); AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; " +
		"for services other than Amazon S3_ENDPOINT, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY"
}
